"""One mechanism makes every table of ops.sqlite, takes over what earlier releases made, and refuses later ones."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.storage.ops import Ops
from pipeline.storage.ops_migrations import LATEST, MIGRATIONS

ROOT = Path(__file__).resolve().parents[2]
TABLES = {
    *("runs", "steps", "quarantine", "artifacts", "onboarding", "audit_records", "alerts", "snapshots"),
    *(
        "tokens",
        "token_tenants",
        "jobs",
        "job_events",
        "result_handles",
        "source_freshness",
        "source_shapes",
        "erasures",
    ),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "ops.sqlite"


def made_at(version: int, path: Path, *, without: tuple[str, ...] = ()) -> None:
    """A file as a release of that schema version left it."""
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as made:
        for migration in MIGRATIONS[:version]:
            for statement in migration.statements:
                if not any(f"{table} (" in statement for table in without):
                    made.execute(statement)
        made.execute(f"PRAGMA user_version = {version}")
        made.commit()


def schema(path: Path) -> dict[str, str]:
    """Each table and index as it was made, whatever its lines and letters."""
    with closing(sqlite3.connect(path)) as made:
        rows = made.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    return {name: " ".join(sql.upper().split()) for name, sql in rows}


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as made:
        version: int = made.execute("PRAGMA user_version").fetchone()[0]
    return version


def test_migrations_are_numbered_without_a_gap_and_each_says_what_it_does() -> None:
    assert [migration.version for migration in MIGRATIONS] == list(range(1, LATEST + 1))
    assert all(migration.description.endswith(".") and migration.statements for migration in MIGRATIONS)


def test_a_new_file_has_every_table_and_the_latest_version_in_wal_mode(path: Path) -> None:
    with Ops(path) as ops:
        assert ops.connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        names = ops.connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    assert {name for (name,) in names} == TABLES
    assert version_of(path) == LATEST


def test_no_other_file_of_the_product_makes_a_table_of_sqlite() -> None:
    """Ours are all STRICT, which DuckDB does not know."""
    makes = re.compile(r"create\s+table[^;]*?\)\s*strict", re.IGNORECASE)
    files = [
        path for folder in ("pipeline", "warehouse", "semantic", "server") for path in ROOT.glob(f"{folder}/**/*.py")
    ]
    assert [path.name for path in files if makes.search(path.read_text(encoding="utf-8"))] == ["ops_migrations.py"]


@pytest.mark.parametrize("version", range(1, LATEST))
def test_a_file_of_an_earlier_version_is_migrated_and_keeps_its_rows(path: Path, version: int) -> None:
    made_at(version, path)
    with closing(sqlite3.connect(path)) as made:
        made.execute("INSERT INTO runs VALUES ('r', 'acme', 'done', NULL, '', NULL)")
        made.commit()
    with Ops(path) as ops:
        assert [run["run_id"] for run in ops.runs()] == ["r"]
    Ops(path.with_name("new.sqlite")).close()
    assert schema(path) == schema(path.with_name("new.sqlite"))
    assert version_of(path) == LATEST


def test_tables_that_version_2_made_only_when_they_were_used_are_taken_over_with_their_rows(path: Path) -> None:
    made_at(3, path, without=("jobs", "job_events", "erasures"))
    with closing(sqlite3.connect(path)) as made:
        made.execute("INSERT INTO tokens VALUES ('0a', 'Ann', 'acme', 'read', 'x', '2026', NULL, NULL)")
        made.execute("PRAGMA user_version = 2")
        made.commit()
    with Ops(path) as ops:
        assert [row["name"] for row in ops.connection.execute("SELECT name FROM tokens")] == ["Ann"]
        assert ops.connection.execute("SELECT count(*) FROM jobs").fetchone()[0] == 0


def test_tokens_of_version_4_are_those_of_one_tenant_and_none_may_be_both_an_agencys_and_an_owners(path: Path) -> None:
    made_at(4, path)
    with closing(sqlite3.connect(path)) as made:
        made.execute("INSERT INTO tokens VALUES ('0a', 'Ann', 'acme', 'owner', 'x', '2026', NULL, NULL)")
        made.execute("INSERT INTO tokens VALUES ('0b', 'Ops', NULL, 'admin', 'y', '2026', '2027', NULL)")
        made.commit()
    with Ops(path) as ops:
        kept = ops.connection.execute("SELECT id, tenant, scope, is_agency FROM tokens ORDER BY id").fetchall()
        assert list(map(tuple, kept)) == [("0a", "acme", "owner", 0), ("0b", None, "admin", 0)]
        for wrong in ("scope = 'read', tenant = 'acme', is_agency = 1", "is_agency = 1", "tenant = NULL"):
            with pytest.raises(sqlite3.IntegrityError):
                ops.connection.execute(f"UPDATE tokens SET {wrong} WHERE id = '0a'")


@pytest.mark.parametrize(
    ("strange", "message"),
    [
        ("CREATE TABLE jobs (id TEXT)", "no such column: tenant"),
        ("CREATE TABLE erasures (id TEXT)", "its table erasures is not the one that gata makes"),
        ("CREATE VIEW erasures AS SELECT 1 AS tenant", "its table erasures is not the one that gata makes"),
    ],
)
def test_a_table_of_ours_by_name_alone_is_refused_and_nothing_changes(path: Path, strange: str, message: str) -> None:
    made_at(2, path)
    with closing(sqlite3.connect(path)) as made:
        made.execute(strange)
    before = schema(path)
    with pytest.raises(ConfigError, match=f"cannot be migrated to schema version {LATEST}: {message}"):
        Ops(path)
    assert schema(path) == before
    assert version_of(path) == 2


def test_a_file_of_a_later_release_is_refused_by_both_versions_and_left_alone(path: Path) -> None:
    Ops(path).close()
    with closing(sqlite3.connect(path)) as made:
        made.execute(f"PRAGMA user_version = {LATEST + 4}")
    with pytest.raises(ConfigError) as refused:
        Ops(path)
    assert refused.value.what == (
        f"{path} has schema version {LATEST + 4}, made by a later release of gata; this one knows versions up to"
        f" {LATEST}."
    )
    assert refused.value.fix == "Upgrade gata to the release that made it, or set GATA_HOME to another folder."
    assert version_of(path) == LATEST + 4


def opened(path: Path) -> int:
    with Ops(path) as ops:
        ops.start_run("acme")
    return version_of(path)


def test_processes_that_open_a_file_of_an_earlier_version_at_once_migrate_it_once(path: Path) -> None:
    made_at(1, path)
    with get_context("spawn").Pool(4) as pool:
        assert pool.map(opened, [path] * 8) == [LATEST] * 8
    with Ops(path) as ops:
        assert len(ops.runs()) == 8
