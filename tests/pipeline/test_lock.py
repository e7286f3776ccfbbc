from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.errors import Busy, ConfigError
from pipeline.storage.ops import build_lock

HOLD = """
import sys
from pathlib import Path
from pipeline.storage.ops import build_lock
with build_lock(Path(sys.argv[1]), wait_seconds=0):
    print("building", flush=True)
    sys.stdin.read()
"""


@contextmanager
def a_build_elsewhere(home: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLD, str(home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "building\n"
        yield holder


def test_a_second_build_is_told_who_builds_and_what_to_do(tmp_path: Path) -> None:
    with (
        a_build_elsewhere(tmp_path / "home") as holder,
        pytest.raises(Busy, match=rf"process {holder.pid}, since 20.*`--wait SECONDS`"),
        build_lock(tmp_path / "home", wait_seconds=0),
    ):
        pass
    with build_lock(tmp_path / "home", wait_seconds=0):
        pass


def test_a_build_that_waits_goes_on_when_the_other_ends(tmp_path: Path) -> None:
    with a_build_elsewhere(tmp_path) as holder:
        assert holder.stdin is not None
        threading.Timer(0.2, holder.stdin.close).start()
        with build_lock(tmp_path, wait_seconds=30):
            assert holder.wait(timeout=120) == 0


def test_the_lock_of_a_killed_build_is_free_at_once(tmp_path: Path) -> None:
    with a_build_elsewhere(tmp_path) as holder:
        holder.kill()
        holder.wait(timeout=120)
        assert json.loads((tmp_path / "build.lock.json").read_text())["pid"] == holder.pid
        with build_lock(tmp_path, wait_seconds=0):
            assert json.loads((tmp_path / "build.lock.json").read_text())["pid"] == os.getpid()
        assert not (tmp_path / "build.lock.json").exists()


def test_two_builds_in_threads_of_one_process_exclude_each_other(tmp_path: Path) -> None:
    refused: list[Busy] = []

    def build() -> None:
        try:
            with build_lock(tmp_path, wait_seconds=0):
                pass
        except Busy as error:
            refused.append(error)

    with build_lock(tmp_path, wait_seconds=0):
        other = threading.Thread(target=build)
        other.start()
        other.join(timeout=120)
    assert f"process {os.getpid()}" in str(refused[0])


def test_a_build_that_fails_gives_the_lock_back(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), build_lock(tmp_path, wait_seconds=0):
        raise ZeroDivisionError
    with build_lock(tmp_path, wait_seconds=0):
        pass


def test_a_holder_that_is_not_named_yet_is_another_build(tmp_path: Path) -> None:
    with a_build_elsewhere(tmp_path):
        (tmp_path / "build.lock.json").write_text("{")
        with (
            pytest.raises(Busy, match=r"Another build holds .*build\.lock\. Let"),
            build_lock(tmp_path, wait_seconds=0),
        ):
            pass


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where a folder should be")
    with (
        pytest.raises(ConfigError, match=r"home cannot be written: File exists\. Make"),
        build_lock(tmp_path / "home", wait_seconds=0),
    ):
        pass
