"""Failures of SQLite, a full disk or another writer, are errors that name the file and the step that works."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.errors import ConfigError, StateError
from pipeline.storage import ops_database
from pipeline.storage.ops import Ops


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "ops.sqlite"


def test_a_full_disk_is_said_to_be_full_and_what_was_written_is_kept(path: Path) -> None:
    with Ops(path) as ops:
        run_id = ops.start_run("acme")
        ops.connection.execute("PRAGMA max_page_count = 1")  # as many as there are: the next one is refused
        with pytest.raises(
            StateError, match=r"There is no room left for .*ops\.sqlite.*Free some under .*keep the file"
        ):
            ops.finish_run(run_id, "failed", "x" * 100_000)
        ops.connection.execute("PRAGMA max_page_count = 100000")
        ops.finish_run(run_id, "done")
    with Ops(path) as ops:
        assert [run["status"] for run in ops.runs()] == ["done"]


def test_a_writer_that_waits_too_long_for_another_names_the_wait(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ops_database, "BUSY_SECONDS", 0.05)
    with Ops(path) as ops, Ops(path) as other:
        with (
            ops.transaction(),
            pytest.raises(StateError, match=r"has held .*ops\.sqlite for 0\.05 seconds.*Let it finish"),
        ):
            other.start_run("acme")
        other.start_run("acme")
        assert len(ops.runs()) == 1


def test_a_file_that_may_not_be_written_names_the_folder_to_make_writable(path: Path) -> None:
    with Ops(path) as ops:
        ops.connection.execute("PRAGMA query_only = 1")
        with pytest.raises(ConfigError, match=r"Make .*home and the files in it writable, or set GATA_HOME"):
            ops.start_run("acme")


def test_a_mistake_in_our_own_sql_stays_the_error_that_it_is(path: Path) -> None:
    with Ops(path) as ops, pytest.raises(sqlite3.OperationalError, match="no such table"):
        ops.connection.execute("SELECT * FROM nowhere")


def test_a_path_that_cannot_be_a_file_is_a_config_error_with_the_step_that_works(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file where a folder should be")
    with pytest.raises(ConfigError, match="set GATA_HOME"):
        Ops(tmp_path / "file" / "ops.sqlite")


def test_a_damaged_file_alone_is_advised_to_be_restored_or_moved_away(tmp_path: Path) -> None:
    (tmp_path / "ops.sqlite").write_text("no database at all, but long enough to look like one" * 100)
    with pytest.raises(ConfigError, match=r"file is not a database.*Restore it from a backup"):
        Ops(tmp_path / "ops.sqlite")
    (tmp_path / "ops.sqlite").unlink()  # the step that is advised
    with Ops(tmp_path / "ops.sqlite") as ops:
        assert ops.runs() == []


def test_a_file_that_was_cut_short_names_the_damage(path: Path) -> None:
    with Ops(path) as ops:
        ops.start_run("acme")
    with path.open("r+b") as file:
        file.truncate(4096)
    with closing(sqlite3.connect(path)) as made, pytest.raises(sqlite3.DatabaseError, match="malformed"):
        made.execute("SELECT * FROM runs").fetchall()
    with pytest.raises(ConfigError, match=r"malformed.*Restore it from a backup"), Ops(path) as ops:
        ops.runs()
