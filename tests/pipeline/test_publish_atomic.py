"""Readers never see half a run: not while runs are published, pruned and rolled back, not when a publish is killed."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from pipeline.publish.pointer import latest_run_id, run_ids
from pipeline.publish.run_store import commit, move_pointer_back, prune, stage
from pipeline.storage.run_id import new_run_id

pytestmark = pytest.mark.long  # kills publishing

NOW = datetime(2026, 1, 31, tzinfo=UTC)
ORDERS = "fct_acme__orders"

READ_UNTIL_TOLD = """
import json, sys
from pathlib import Path
import duckdb
from pipeline.publish.pointer import latest_run_id
folder, stop = Path(sys.argv[1]), Path(sys.argv[2])
seen, broken = {}, []
print("reading", flush=True)
while not stop.exists():
    run = folder / latest_run_id(folder)
    with duckdb.connect(run / "stars.duckdb", read_only=True) as star:
        rows, low, high = star.execute("SELECT count(*), min(mark), max(mark) FROM fct_acme__orders").fetchall()[0]
    told = int((run / "semantic.yml").read_text().split(":")[1])
    if not (rows == 100 + told and low == high == told):
        broken.append([run.name, rows, low, high, told])
    seen[told] = seen.get(told, 0) + 1
print(json.dumps({"seen": seen, "broken": broken}))
"""

# Publishes in forks of itself. A fork dies of SIGKILL at its n-th touch of the disk (mkdir, open, link, chmod, rename,
# remove: whatever Python reports to an audit hook), or of an alarm after n tenths of a millisecond.
PUBLISH_AND_DIE = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from pipeline.publish.pointer import latest_run_id, run_ids
from pipeline.publish.run_store import commit, stage, verify
import pytest

from pipeline.storage.run_id import new_run_id

star, folder, how = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
TOUCHES = {"os.mkdir", "open", "os.link", "os.chmod", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree"}
left = 0

def count_down(event, arguments):
    global left
    if event in TOUCHES and str(folder) in str(arguments[0] if arguments else ""):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

def publish_in_a_fork(moment):
    global left
    pid = os.fork()
    if pid == 0:
        if how == "touches":
            left = moment
            sys.addaudithook(count_down)
        else:
            signal.setitimer(signal.ITIMER_REAL, moment / 10_000)
        staged = stage(star, folder, new_run_id(datetime.now(UTC)), "acme", {"fct_acme__orders": ("mark",)})
        commit(staged, "mark: 1\\n", now=datetime.now(UTC))
        os._exit(0)
    return os.waitpid(pid, 0)[1]

kills, moment, whole = 0, 0, set()
while True:
    moment += 1 if how == "touches" else 120
    status = publish_in_a_fork(moment)
    for run_id in {latest_run_id(folder), *run_ids(folder)} - whole:
        verify(folder / run_id)
        whole.add(run_id)
    if status == 0:
        break
    kills += 1
print(kills)
"""


def build_star(path: Path, mark: int) -> Path:
    path.unlink(missing_ok=True)
    with duckdb.connect(path) as star:
        star.execute(f"CREATE TABLE {ORDERS} AS SELECT ?::INT AS mark, i FROM range(?) AS t(i)", [mark, 100 + mark])
    return path


def publish(star: Path, folder: Path, mark: int) -> str:
    staged = stage(build_star(star, mark), folder, new_run_id(datetime.now(UTC)), "acme", {ORDERS: ("i",)})
    return commit(staged, f"mark: {mark}\n", now=NOW).run_id


def test_readers_in_other_processes_see_whole_runs_only(tmp_path: Path) -> None:
    star, folder, stop = tmp_path / "stars.duckdb", tmp_path / "acme", tmp_path / "stop"
    publish(star, folder, 1)
    command = [sys.executable, "-c", READ_UNTIL_TOLD, str(folder), str(stop)]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for reader in readers:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "reading\n"
    for mark in range(2, 12):
        publish(star, folder, mark)
        if mark % 3 == 0:
            move_pointer_back(folder, None, now=NOW)
        prune(folder, keep=5)
    stop.touch()
    for reader in readers:
        told = json.loads(reader.communicate(timeout=120)[0])
        assert reader.returncode == 0
        assert told["broken"] == []
        assert len(told["seen"]) > 2


def kill_everywhere(tmp_path: Path, how: str) -> int:
    """Kill publishes at one moment after the other; how many died before one got through."""
    star, folder = tmp_path / "stars.duckdb", tmp_path / "acme"
    first = publish(star, folder, 1)
    build_star(star, 2)
    child = [sys.executable, "-c", PUBLISH_AND_DIE, str(star), str(folder), how]
    ended = subprocess.run(child, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    assert latest_run_id(folder) != first
    publish(star, folder, 3)
    assert not list(folder.glob(".staging-*"))
    assert set(folder.glob("*/")) == {folder / run_id for run_id in run_ids(folder)}
    return int(ended.stdout)


def test_a_publish_killed_at_any_touch_of_the_disk_leaves_a_whole_run_in_view(tmp_path: Path) -> None:
    assert kill_everywhere(tmp_path, "touches") > 15


def test_a_publish_killed_at_any_time_leaves_a_whole_run_in_view(tmp_path: Path) -> None:
    assert kill_everywhere(tmp_path, "times") > 2
