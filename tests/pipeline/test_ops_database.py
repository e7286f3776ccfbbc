"""Failures of SQLite, a full disk or another writer, are errors that name the file and the step that works."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from pipeline.config.slug import slug_of
from pipeline.errors import ConfigError, StateError
from pipeline.storage import ops_database
from pipeline.storage.failure_cause import FailureCause, cause_of
from pipeline.storage.ops import Ops
from pipeline.storage.ops_migrations import MIGRATIONS
from tests.pipeline.storage_faults import little_room, read_only


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
            pytest.raises(StateError, match=r"has held .*ops\.sqlite for too long: database is locked.*Let it finish"),
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


def test_a_folder_that_is_full_is_said_to_be_full_though_sqlite_only_names_the_disk(path: Path) -> None:
    unspecific = sqlite3.OperationalError("disk I/O error")
    unspecific.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE
    path.parent.mkdir()
    assert cause_of(unspecific, path) is None
    with little_room():
        assert cause_of(unspecific, path) is FailureCause.FULL


def test_a_file_that_may_only_be_read_is_read_with_its_write_ahead_log_and_its_old_schema(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        old.execute("PRAGMA journal_mode = WAL")
        for statement in (*MIGRATIONS[0].statements, "PRAGMA user_version = 1"):
            old.execute(statement)
        old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        old.execute("INSERT INTO runs VALUES ('r1', 'acme', 'done', NULL, '2026-01-01', NULL)")  # in the log only
        before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
        with read_only(path.parent), Ops(path, is_read_only=True) as ops:
            assert [run["tenant"] for run in ops.runs()] == ["acme"]
            assert ops.onboarding(slug_of("acme")) == []
        assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before


def test_a_home_without_the_file_that_may_only_be_read_has_no_runs(path: Path) -> None:
    path.parent.mkdir()
    with read_only(path.parent), Ops(path, is_read_only=True) as ops:
        assert ops.runs() == []
    assert list(path.parent.iterdir()) == []


def test_a_thread_that_waits_for_another_process_keeps_no_reader_waiting(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ops_database, "BUSY_SECONDS", 60.0)
    with Ops(path) as ops, Ops(path) as other, ThreadPoolExecutor() as threads:
        run_id = ops.start_run("acme")
        with other.transaction():
            waiting = threads.submit(ops.finish_run, run_id, "done")
            while "another thread of this process writes" not in refused_at_once(ops):
                pass
            assert [run["status"] for run in ops.runs()] == ["running"]
            assert not waiting.done()
        waiting.result()
        assert [run["status"] for run in ops.runs()] == ["done"]


def refused_at_once(ops: Ops) -> str:
    """What a writer is told that does not wait."""
    with pytest.raises(StateError) as refused, ops.transaction(wait_seconds=0):
        pass
    return refused.value.what


def test_a_database_that_is_gone_from_a_home_with_published_runs_says_what_is_lost(tmp_path: Path) -> None:
    for expected in (0, 0):  # a new home has nothing to lose, nor has one whose database is there
        with capture_logs() as events, Ops(tmp_path / "ops.sqlite"):
            assert len(events) == expected
    (tmp_path / "published" / "acme").mkdir(parents=True)
    (tmp_path / "published" / "acme" / "_latest.json").touch()
    (tmp_path / "ops.sqlite").unlink()
    with capture_logs() as events, Ops(tmp_path / "ops.sqlite"):
        (event,) = events
    assert event["log_level"] == "warning"
    assert "Tokens" in event["fix"]
    assert "`gata restore`" in event["fix"]


def test_what_is_written_after_another_connection_of_this_process_was_made_is_seen_by_other_processes(
    tmp_path: Path,
) -> None:
    path = tmp_path / "ops.sqlite"

    def runs_seen_by_another_process() -> int:
        """Its connection, the last one but ours, is closed at its end."""
        program = (
            "import sys; from pathlib import Path; from pipeline.storage.ops import Ops\n"
            "with Ops(Path(sys.argv[1])) as ops: print(len(ops.runs()))"
        )
        found = subprocess.run(
            [sys.executable, "-P", "-c", program, str(path)], capture_output=True, text=True, check=True
        )
        return int(found.stdout)

    with Ops(path) as ops:
        ops.start_run("*")
        with Ops(path):
            pass
        assert runs_seen_by_another_process() == 1
        ops.start_run("*")
        assert runs_seen_by_another_process() == 2


def test_a_copy_is_of_one_moment_and_a_damaged_database_is_not_copied(tmp_path: Path) -> None:
    with Ops(tmp_path / "ops.sqlite") as ops:
        for _ in range(50):
            ops.start_run("*")
        ops.copy_to(tmp_path / "copy.sqlite")
        with Ops(tmp_path / "copy.sqlite") as copy:
            assert len(copy.runs(limit=100)) == len(ops.runs(limit=100)) == 50
    content = bytearray((tmp_path / "ops.sqlite").read_bytes())
    root = content.find(b"running")
    content[root - 600 : root + 600] = b"\xff" * 1200
    (tmp_path / "ops.sqlite").write_bytes(content)
    with pytest.raises(ConfigError, match="Restore it from a backup"), Ops(tmp_path / "ops.sqlite") as ops:
        ops.copy_to(tmp_path / "second.sqlite")
