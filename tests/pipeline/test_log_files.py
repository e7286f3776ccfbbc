"""Log files: whole lines from every process, rotated, for the owner only, and never in the way of the work."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from structlog.contextvars import bound_contextvars

from pipeline import log_files
from pipeline.log import configure_log, log
from pipeline.log_files import LogFiles, LogWriter


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = list(log_files._current)
    yield
    log_files._current[:] = before
    structlog.reset_defaults()


@pytest.fixture
def files(tmp_path: Path) -> LogFiles:
    (tmp_path / "home").mkdir()
    return LogFiles(tmp_path / "home" / "logs", 1_000, kept=3)


def lines(files: LogFiles) -> list[str]:
    """The lines of all files, the oldest first."""
    numbered = sorted(files.folder.glob("gata.*.jsonl"), reverse=True)
    paths = [*numbered, files.folder / "gata.jsonl"]
    return [line for path in paths for line in path.read_text("utf-8").splitlines()]


def test_an_event_is_a_line_of_json_with_its_run_tenant_and_step(files: LogFiles) -> None:
    configure_log(files)
    with bound_contextvars(run_id="r", tenant="acme", step="land"):
        log.info("landed", path=Path("a"), text="ü\n")
    log.debug("not_shown")
    (line,) = lines(files)
    event = json.loads(line)
    assert {name: event[name] for name in ("event", "run_id", "tenant", "step", "level", "text")} == {
        "event": "landed",
        "run_id": "r",
        "tenant": "acme",
        "step": "land",
        "level": "info",
        "text": "ü\n",
    }
    configure_log()
    log.info("again")
    assert len(lines(files)) == 2


def test_files_are_rotated_by_size_and_only_so_many_are_kept_for_the_owner_only(files: LogFiles) -> None:
    writer = LogWriter(files)
    for number in range(100):
        writer.write(json.dumps({"number": number, "text": "x" * 60}))
    found = [json.loads(line)["number"] for line in lines(files)]
    assert found == list(range(100 - len(found), 100))
    paths = list(files.folder.glob("*.jsonl"))
    assert len(paths) == 4
    assert all(path.stat().st_size <= files.most_bytes for path in paths)
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    assert stat.S_IMODE(files.folder.stat().st_mode) == 0o700


WRITE = """
import json, sys
from pathlib import Path
from pipeline.log_files import LogFiles, LogWriter
writer = LogWriter(LogFiles(Path(sys.argv[1]), 20_000, kept=50))
for number in range(400):
    writer.write(json.dumps({"by": sys.argv[2], "number": number, "text": "x" * (number % 97)}))
"""


def test_processes_that_write_at_once_and_rotate_lose_no_line_and_break_none(files: LogFiles) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITE, str(files.folder), name]) for name in "abc"]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    found = [json.loads(line) for path in files.folder.glob("*.jsonl") for line in path.read_text().splitlines()]
    assert sorted((line["by"], line["number"]) for line in found) == [(by, n) for by in "abc" for n in range(400)]


def test_a_file_that_cannot_be_written_fails_nothing_and_counts_what_is_lost(files: LogFiles) -> None:
    files.folder.write_text("a file where the folder belongs")
    configure_log(files)
    for _ in range(3):
        log.info("landed")
    assert log_files._current[0].lost == 3
    assert files.folder.read_text() == "a file where the folder belongs"


def test_a_link_is_not_followed_and_a_folder_without_a_home_is_not_made(files: LogFiles, tmp_path: Path) -> None:
    files.folder.mkdir()
    (files.folder / "gata.jsonl").symlink_to(tmp_path / "elsewhere")
    writer = LogWriter(files)
    writer.write("{}")
    assert (writer.lost, (tmp_path / "elsewhere").exists()) == (1, False)
    away = LogWriter(LogFiles(tmp_path / "no" / "logs", 1_000, kept=1))
    away.write("{}")
    assert (away.lost, (tmp_path / "no").exists()) == (0, False)
    off = LogWriter(LogFiles(tmp_path / "home" / "other", 1_000, kept=0))
    off.write("{}")
    assert not (tmp_path / "home" / "other").exists()
