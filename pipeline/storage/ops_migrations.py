"""The schema of ops.sqlite: every table in it, as numbered migrations that each process applies on opening it.

`PRAGMA user_version` is the number of the last migration applied to a file. A file of an earlier release is migrated
when it is opened, one of a later release is refused.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import ConfigError


@dataclass(frozen=True)
class Migration:
    """One change of the schema: applied in full, once, and never edited after a release has shipped it."""

    version: int
    description: str
    statements: tuple[str, ...]


MIGRATIONS = (
    Migration(
        1,
        "Runs, their steps, what was quarantined and dbt's artifacts.",
        (
            """
            CREATE TABLE runs (
                run_id TEXT PRIMARY KEY, tenant TEXT NOT NULL, status TEXT NOT NULL, detail TEXT,
                started_at TEXT NOT NULL, finished_at TEXT
            ) STRICT
            """,
            "CREATE INDEX runs_of_tenant ON runs (tenant, run_id)",
            """
            CREATE TABLE steps (
                step_id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, tenant TEXT NOT NULL, step TEXT NOT NULL,
                status TEXT NOT NULL, rows INTEGER, seconds REAL, detail TEXT, at TEXT NOT NULL
            ) STRICT
            """,
            "CREATE INDEX steps_of_run ON steps (run_id)",
            """
            CREATE TABLE quarantine (
                quarantine_id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, tenant TEXT NOT NULL, platform TEXT NOT NULL,
                account TEXT NOT NULL, object TEXT NOT NULL, path TEXT NOT NULL, reason TEXT NOT NULL,
                count INTEGER NOT NULL, at TEXT NOT NULL
            ) STRICT
            """,
            "CREATE INDEX quarantine_of_tenant ON quarantine (tenant)",
            """
            CREATE TABLE artifacts (
                artifact_id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, tenant TEXT NOT NULL, node TEXT NOT NULL,
                at TEXT NOT NULL
            ) STRICT
            """,
            "CREATE INDEX artifacts_of_run ON artifacts (run_id)",
        ),
    ),
    Migration(
        2,
        "Phases of onboarding.",
        (
            """
            CREATE TABLE onboarding (
                onboarding_id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, phase INTEGER NOT NULL, name TEXT NOT NULL,
                version TEXT NOT NULL, status TEXT NOT NULL, started_at TEXT NOT NULL, finished_at TEXT, detail TEXT
            ) STRICT
            """,
            "CREATE INDEX onboarding_of_tenant ON onboarding (tenant, phase)",
        ),
    ),
    Migration(
        3,
        "Tokens, jobs, result handles, sources and erasures; files of version 2 hold those that were in use.",
        (
            """
            CREATE TABLE IF NOT EXISTS tokens (
                id TEXT PRIMARY KEY, name TEXT NOT NULL, tenant TEXT,
                scope TEXT NOT NULL CHECK (scope IN ('read', 'admin')), secret_sha256 TEXT NOT NULL,
                created_at TEXT NOT NULL, expires_at TEXT, revoked_at TEXT,
                CHECK ((scope = 'admin') = (tenant IS NULL))
            ) STRICT
            """,
            """
            CREATE TABLE IF NOT EXISTS jobs (
                number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, tenant TEXT NOT NULL,
                state TEXT NOT NULL, reason TEXT, fix TEXT, run_id TEXT, content TEXT NOT NULL, key TEXT,
                asked_by TEXT NOT NULL, undo TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL
            ) STRICT
            """,
            "CREATE INDEX IF NOT EXISTS jobs_of_tenant ON jobs (tenant, number)",
            "CREATE INDEX IF NOT EXISTS jobs_by_key ON jobs (asked_by, key) WHERE key IS NOT NULL",
            """
            CREATE TABLE IF NOT EXISTS job_events (
                job TEXT NOT NULL, number INTEGER NOT NULL, tenant TEXT NOT NULL, state TEXT NOT NULL,
                at TEXT NOT NULL, PRIMARY KEY (job, number)
            ) STRICT
            """,
            """
            CREATE TABLE IF NOT EXISTS result_handles (
                id TEXT PRIMARY KEY, tenant TEXT NOT NULL, run_id TEXT NOT NULL, query TEXT NOT NULL,
                made_at TEXT NOT NULL, expires_at TEXT NOT NULL
            ) STRICT
            """,
            "CREATE INDEX IF NOT EXISTS result_handles_of_tenant ON result_handles (tenant, made_at)",
            """
            CREATE TABLE IF NOT EXISTS source_freshness (
                tenant TEXT NOT NULL, platform TEXT NOT NULL, account TEXT NOT NULL, object TEXT NOT NULL,
                files INTEGER NOT NULL, rows INTEGER NOT NULL, quarantined INTEGER NOT NULL,
                newest_file TEXT, exported_at TEXT, landed_at TEXT,
                PRIMARY KEY (tenant, platform, account, object)
            ) STRICT
            """,
            """
            CREATE TABLE IF NOT EXISTS source_shapes (
                tenant TEXT NOT NULL, platform TEXT NOT NULL, account TEXT NOT NULL, object TEXT NOT NULL,
                fields TEXT NOT NULL, unknown_fields TEXT NOT NULL, missing_fields TEXT NOT NULL,
                shapes INTEGER NOT NULL, first_seen_at TEXT NOT NULL, last_seen_at TEXT NOT NULL,
                PRIMARY KEY (tenant, platform, account, object)
            ) STRICT
            """,
            """
            CREATE TABLE IF NOT EXISTS erasures (
                erasure_id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, salt TEXT, person TEXT, rows INTEGER NOT NULL,
                at TEXT NOT NULL
            ) STRICT
            """,
        ),
    ),
    Migration(
        4,
        "Tokens of a tenant's own people: scope owner.",
        (
            """
            CREATE TABLE tokens_with_owners (
                id TEXT PRIMARY KEY, name TEXT NOT NULL, tenant TEXT,
                scope TEXT NOT NULL CHECK (scope IN ('read', 'owner', 'admin')), secret_sha256 TEXT NOT NULL,
                created_at TEXT NOT NULL, expires_at TEXT, revoked_at TEXT,
                CHECK ((scope = 'admin') = (tenant IS NULL))
            ) STRICT
            """,
            """
            INSERT INTO tokens_with_owners
                SELECT id, name, tenant, scope, secret_sha256, created_at, expires_at, revoked_at FROM tokens
            """,
            "DROP TABLE tokens",
            "ALTER TABLE tokens_with_owners RENAME TO tokens",
        ),
    ),
    Migration(
        5,
        "Tokens of several tenants: an agency's. Each of its tenants is a row, which goes with the tenant.",
        (
            """
            CREATE TABLE tokens_with_agencies (
                id TEXT PRIMARY KEY, name TEXT NOT NULL, tenant TEXT,
                scope TEXT NOT NULL CHECK (scope IN ('read', 'owner', 'admin')), secret_sha256 TEXT NOT NULL,
                created_at TEXT NOT NULL, expires_at TEXT, revoked_at TEXT,
                is_agency INTEGER NOT NULL DEFAULT 0 CHECK (is_agency = 0 OR (is_agency = 1 AND scope = 'read')),
                CHECK ((scope = 'admin' OR is_agency = 1) = (tenant IS NULL))
            ) STRICT
            """,
            """
            INSERT INTO tokens_with_agencies
                (id, name, tenant, scope, secret_sha256, created_at, expires_at, revoked_at)
                SELECT id, name, tenant, scope, secret_sha256, created_at, expires_at, revoked_at FROM tokens
            """,
            "DROP TABLE tokens",
            "ALTER TABLE tokens_with_agencies RENAME TO tokens",
            """
            CREATE TABLE token_tenants (
                token TEXT NOT NULL, position INTEGER NOT NULL, tenant TEXT NOT NULL, PRIMARY KEY (token, tenant)
            ) STRICT
            """,
        ),
    ),
    Migration(
        6,
        "Counts and attempts of steps, audit records of tables, alerts, and what a status last read from files.",
        (
            "ALTER TABLE steps RENAME COLUMN rows TO rows_out",
            "ALTER TABLE steps ADD COLUMN rows_in INTEGER",
            "ALTER TABLE steps ADD COLUMN quarantined INTEGER",
            "ALTER TABLE steps ADD COLUMN bytes INTEGER",
            "ALTER TABLE steps ADD COLUMN attempts INTEGER NOT NULL DEFAULT 1",
            "ALTER TABLE steps ADD COLUMN failure TEXT",
            "CREATE INDEX steps_of_tenant ON steps (tenant, run_id)",
            """
            CREATE TABLE audit_records (
                audit_id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, tenant TEXT NOT NULL, layer TEXT NOT NULL,
                table_name TEXT NOT NULL, partition_value TEXT NOT NULL, input_rows INTEGER NOT NULL,
                output_rows INTEGER NOT NULL, quarantine_rows INTEGER NOT NULL, lost_rows INTEGER NOT NULL, loss TEXT,
                bytes INTEGER, quality_checks_passed INTEGER NOT NULL, execution_time_seconds REAL NOT NULL,
                timestamp TEXT NOT NULL
            ) STRICT
            """,
            "CREATE INDEX audit_records_of_run ON audit_records (run_id, tenant)",
            """
            CREATE TABLE alerts (
                alert_id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, kind TEXT NOT NULL, cause TEXT NOT NULL,
                text TEXT NOT NULL, next_step TEXT, run_id TEXT, since TEXT NOT NULL, last_seen_at TEXT NOT NULL,
                resolved_at TEXT, sent_at TEXT, resolution_sent_at TEXT, attempts INTEGER NOT NULL DEFAULT 0,
                next_attempt_at TEXT NOT NULL, last_error TEXT
            ) STRICT
            """,
            "CREATE UNIQUE INDEX alerts_that_last ON alerts (tenant, kind, cause) WHERE resolved_at IS NULL",
            """
            CREATE TABLE snapshots (
                tenant TEXT PRIMARY KEY, stamps TEXT NOT NULL, content TEXT NOT NULL
            ) STRICT
            """,
            "CREATE INDEX alerts_to_send ON alerts (next_attempt_at) WHERE resolution_sent_at IS NULL",
        ),
    ),
    Migration(
        7,
        "Results of dbt under the invocation and the node that they are of: each is saved once.",
        (
            "ALTER TABLE artifacts ADD COLUMN invocation_id TEXT",
            "ALTER TABLE artifacts ADD COLUMN node_id TEXT",
            "CREATE UNIQUE INDEX artifacts_of_invocation ON artifacts (invocation_id, node_id)",
            "CREATE INDEX artifacts_of_tenant ON artifacts (tenant, run_id)",
        ),
    ),
)
LATEST = MIGRATIONS[-1].version
_FIX = "Restore it from a backup that gata made, or set GATA_HOME to another folder."


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring an open ops.sqlite to the schema of this release: all migrations, or none.

    The caller holds the file's lock, and the connection is in autocommit.

    Raises:
        ConfigError: A later release made the file, or a table in it is not the one that a migration creates.
    """
    if _version(connection, path) == LATEST:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for migration in MIGRATIONS[_version(connection, path) :]:
            for statement in migration.statements:
                connection.execute(statement)
        _check_tables(connection, path)
        connection.execute(f"PRAGMA user_version = {LATEST}")
        connection.execute("COMMIT")
    except BaseException as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if isinstance(error, sqlite3.Error):
            raise ConfigError(f"{path} cannot be migrated to schema version {LATEST}: {error}.", _FIX) from error
        raise


def _version(connection: sqlite3.Connection, path: Path) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > LATEST:
        raise ConfigError(
            f"{path} has schema version {version}, made by a later release of gata; this one knows versions"
            f" up to {LATEST}.",
            "Upgrade gata to the release that made it, or set GATA_HOME to another folder.",
        )
    return version


def _check_tables(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a table that existed before its migration with other columns."""
    actual = _columns(connection)
    for table, columns in _expected_columns().items():
        if actual.get(table) != columns:
            raise ConfigError(
                f"{path} cannot be migrated to schema version {LATEST}: its table {table} is not the one that gata"
                f" makes, with the columns {', '.join(columns)}.",
                _FIX,
            )


def _expected_columns() -> dict[str, list[str]]:
    """The columns of each table after all migrations."""
    empty = sqlite3.connect(":memory:")
    try:
        for migration in MIGRATIONS:
            for statement in migration.statements:
                empty.execute(statement)
        return _columns(empty)
    finally:
        empty.close()


def _columns(connection: sqlite3.Connection) -> dict[str, list[str]]:
    rows = connection.execute(
        "SELECT tables.name, columns.name FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns"
        " WHERE tables.type = 'table' ORDER BY tables.name, columns.cid"
    ).fetchall()
    columns: dict[str, list[str]] = {}
    for table, column in rows:
        columns.setdefault(table, []).append(column)
    return columns
