"""The ledger of runs: ops.sqlite, which anybody may read and write at any time, also while a build holds the hub.

Runs, their steps, what was quarantined and dbt's artifacts as they arrive. The server keeps its own tables in the same
file through `Ops.ensure`.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from filelock import FileLock

from pipeline.errors import ConfigError
from pipeline.storage.build_lock import build_lock
from pipeline.storage.run_id import new_run_id

__all__ = ["Ops", "Row", "build_lock"]

BUSY_SECONDS = 10.0
MIGRATIONS = (
    """
    CREATE TABLE runs (
        run_id TEXT PRIMARY KEY, tenant TEXT NOT NULL, status TEXT NOT NULL, detail TEXT,
        started_at TEXT NOT NULL, finished_at TEXT
    ) STRICT;
    CREATE INDEX runs_of_tenant ON runs (tenant, run_id);
    CREATE TABLE steps (
        step_id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, tenant TEXT NOT NULL, step TEXT NOT NULL,
        status TEXT NOT NULL, rows INTEGER, seconds REAL, detail TEXT, at TEXT NOT NULL
    ) STRICT;
    CREATE INDEX steps_of_run ON steps (run_id);
    CREATE TABLE quarantine (
        quarantine_id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, tenant TEXT NOT NULL, platform TEXT NOT NULL,
        account TEXT NOT NULL, object TEXT NOT NULL, path TEXT NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL,
        at TEXT NOT NULL
    ) STRICT;
    CREATE INDEX quarantine_of_tenant ON quarantine (tenant);
    CREATE TABLE artifacts (
        artifact_id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, tenant TEXT NOT NULL, node TEXT NOT NULL,
        at TEXT NOT NULL
    ) STRICT;
    CREATE INDEX artifacts_of_run ON artifacts (run_id);
    """,
    """
    CREATE TABLE onboarding (
        onboarding_id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, phase INTEGER NOT NULL, name TEXT NOT NULL,
        version TEXT NOT NULL, status TEXT NOT NULL, started_at TEXT NOT NULL, finished_at TEXT, detail TEXT
    ) STRICT;
    CREATE INDEX onboarding_of_tenant ON onboarding (tenant, phase);
    """,
)

Row = dict[str, Any]  # a row of the ledger as JSON would carry it: text, numbers and NULL


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Ops:
    """One connection to ops.sqlite, usable from every thread of this process; a child process opens its own."""

    def __init__(self, path: Path, *, now: Callable[[], datetime] = _utc_now) -> None:
        self.path = path
        self._now = now
        self._writing = threading.RLock()
        self.connection = _open(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything in the block is written, or nothing."""
        with self._writing:
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
            except BaseException:
                if self.connection.in_transaction:  # sqlite has ended it itself when the disk was full
                    self.connection.execute("ROLLBACK")
                raise
            self.connection.execute("COMMIT")

    def ensure(self, statements: Sequence[str]) -> None:
        """Run statements that may run any number of times, such as CREATE TABLE IF NOT EXISTS."""
        with self.transaction() as connection:
            for statement in statements:
                connection.execute(statement)

    def start_run(self, tenant: str) -> str:
        """Note that a run of the tenant begins, and give it its name."""
        run_id = new_run_id(self._now())
        self._insert("runs", {"run_id": run_id, "tenant": tenant, "status": "running", "started_at": self._moment()})
        return run_id

    def step(
        self,
        run_id: str,
        tenant: str,
        step: str,
        status: str,
        *,
        rows: int | None = None,
        seconds: float | None = None,
        detail: str | None = None,
    ) -> None:
        """Note how a step of a run went."""
        values = {"run_id": run_id, "tenant": tenant, "step": step, "status": status, "rows": rows, "seconds": seconds}
        self._insert("steps", {**values, "detail": detail, "at": self._moment()})

    def finish_run(self, run_id: str, status: str, detail: str | None = None) -> None:
        """Note how a run ended."""
        with self.transaction() as connection:
            connection.execute(
                "UPDATE runs SET status = ?, detail = ?, finished_at = ? WHERE run_id = ?",
                (status, detail, self._moment(), run_id),
            )

    def close_interrupted(self) -> int:
        """Mark runs and phases whose process died as interrupted; how many runs. Only the build lock's holder may."""
        with self.transaction() as connection:
            died = "SET status = 'interrupted', finished_at = ? WHERE status = 'running'"
            connection.execute(f"UPDATE onboarding {died}", (self._moment(),))
            return connection.execute(f"UPDATE runs {died}", (self._moment(),)).rowcount

    def runs(self, tenant: str | None = None, limit: int = 20) -> list[Row]:
        """The newest runs, of one tenant or of all."""
        return self._rows(
            "SELECT * FROM runs WHERE ?1 IS NULL OR tenant = ?1 ORDER BY run_id DESC LIMIT ?2", (tenant, limit)
        )

    def steps(self, run_id: str) -> list[Row]:
        """The steps of a run, in the order they were taken."""
        return self._rows("SELECT * FROM steps WHERE run_id = ? ORDER BY step_id", (run_id,))

    def add_quarantine(  # noqa: PLR0917 - the columns, in their order
        self,
        run_id: str,
        tenant: str,
        platform: str,
        account: str,
        object: str,  # noqa: A002 - the column's name
        path: str,
        reason: str,
        count: int,
    ) -> None:
        """Note that `count` records of a file were kept out for one reason. Never the records: those are in the hub."""
        where = {"platform": platform, "account": account, "object": object, "path": path}
        what = {"run_id": run_id, "tenant": tenant, "reason": reason, "count": count, "at": self._moment()}
        self._insert("quarantine", where | what)

    def quarantine(self, tenant: str) -> list[Row]:
        """What was kept out of a tenant's sinks, newest first."""
        return self._rows("SELECT * FROM quarantine WHERE tenant = ? ORDER BY quarantine_id DESC", (tenant,))

    def save_artifacts(self, run_id: str, tenant: str, nodes: Iterable[Mapping[str, Any]]) -> None:
        """Keep dbt's results as they arrive; a later hub write copies them into the observability models."""
        at = self._moment()
        with self.transaction() as connection:
            connection.executemany(
                "INSERT INTO artifacts (run_id, tenant, node, at) VALUES (?, ?, ?, ?)",
                [(run_id, tenant, json.dumps(node, default=str), at) for node in nodes],
            )

    def artifacts(self, run_id: str | None = None, tenant: str | None = None) -> list[Row]:
        """Artifacts in the order they arrived, each with its `node` as it was saved."""
        found = self._rows(
            "SELECT * FROM artifacts WHERE (?1 IS NULL OR run_id = ?1) AND (?2 IS NULL OR tenant = ?2)"
            " ORDER BY artifact_id",
            (run_id, tenant),
        )
        return [{**row, "node": json.loads(row["node"])} for row in found]

    def artifacts_since(self, run_id: str) -> list[Row]:
        """The artifacts of the runs that began after a run, in the order they arrived."""
        found = self._rows("SELECT * FROM artifacts WHERE run_id > ? ORDER BY artifact_id", (run_id,))
        return [{**row, "node": json.loads(row["node"])} for row in found]

    @contextmanager
    def phase(self, tenant: str, phase: int, name: str, version: str) -> Iterator[None]:
        """Note when a phase of a tenant's onboarding began and ended, and how.

        Args:
            version: Of what is onboarded: a phase that is done for another one is to be taken again.
        """
        values = {"tenant": tenant, "phase": phase, "name": name, "version": version, "status": "running"}
        record = self._insert("onboarding", {**values, "started_at": self._moment()})
        status, detail = "interrupted", None
        try:
            yield
            status = "done"
        except Exception as error:
            status, detail = "failed", str(error)
            raise
        finally:
            with self.transaction() as connection:
                connection.execute(
                    "UPDATE onboarding SET status = ?, detail = ?, finished_at = ? WHERE onboarding_id = ?",
                    (status, detail, self._moment(), record),
                )

    def onboarding(self, tenant: str) -> list[Row]:
        """The newest record of each phase of a tenant's onboarding, in the order of the phases."""
        return self._rows(
            "SELECT phase, name, version, status, started_at, finished_at, detail FROM onboarding"
            " WHERE onboarding_id IN (SELECT max(onboarding_id) FROM onboarding WHERE tenant = ? GROUP BY phase)"
            " ORDER BY phase",
            (tenant,),
        )

    def _insert(self, table: str, values: Mapping[str, object]) -> int:
        """Add a row; its number."""
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        with self.transaction() as connection:
            added = connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))
        return added.lastrowid or 0

    def _rows(self, sql: str, values: Sequence[object]) -> list[Row]:
        return [dict(row) for row in self.connection.execute(sql, values).fetchall()]

    def _moment(self) -> str:
        return self._now().astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _open(path: Path) -> sqlite3.Connection:
    """A connection in WAL mode whose tables are those of this version."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            with FileLock(path.with_name(f"{path.name}.lock")):  # to two who ask for WAL at once sqlite says "locked"
                connection.execute("PRAGMA journal_mode = WAL")
                _migrate(connection, path)
        except BaseException:
            connection.close()
            raise
    except (OSError, sqlite3.DatabaseError) as error:
        raise ConfigError(
            f"{path} cannot be opened: {error}.",
            f"Make {path.parent} writable, or set GATA_HOME to another folder; a damaged file may be moved away.",
        ) from error
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise ConfigError(f"{path} was written by a newer gata.", "Upgrade gata, or set GATA_HOME to another folder.")
    for number in range(version, len(MIGRATIONS)):
        script = f"BEGIN IMMEDIATE; {MIGRATIONS[number]}; PRAGMA user_version = {number + 1}; COMMIT;"
        connection.executescript(script)
