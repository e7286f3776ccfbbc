"""`make test` leaves out what takes long or needs something, and says how many; `.ci/run` fails if nothing ran them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.left_out import HERE, SLOW
from tests.server.cli_run import ROOT, environment

CONFTEST = """
import pytest
from tests import left_out
from tests.left_out import LeftOut, Need, add_options

left_out.NEEDS |= {"needs_air": Need("air", lambda: True), "needs_wings": Need("wings", lambda: False)}
left_out.MARKERS |= {"needs_air": "needs air", "needs_wings": "needs wings"}
left_out.REAL_DATA = left_out.REAL_DATA / "nowhere"
pytest_addoption = add_options

def pytest_configure(config):
    config.pluginmanager.register(LeftOut(config))

@pytest.fixture
def real_data():
    return left_out.REAL_DATA
"""
TESTS = """
import pytest

def test_plain(): pass

def test_real(real_data): pass

@pytest.mark.long
def test_slow(): pass

@pytest.mark.needs_air
def test_breathes(): pass

@pytest.mark.needs_wings
def test_flies(): pass
"""


def run(folder: Path, *arguments: str) -> tuple[str, list[str]]:
    """Run the tests of TESTS; what pytest said, and the tests it left out of those that need something."""
    (folder / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (folder / "test_sample.py").write_text(TESTS, encoding="utf-8")
    file = folder / "left_out"
    options = ["-v", "--strict-markers", "-p", "no:cacheprovider", f"--rootdir={folder}", f"--left-out={file}"]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pytest", *options, *arguments, str(folder)],
        env=environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, [line.rpartition("::")[2] for line in file.read_text(encoding="utf-8").splitlines()]


def ran(said: str) -> set[str]:
    lines = (line for line in said.splitlines() if "PASSED" in line)
    return {word.rpartition("::")[2] for line in lines for word in line.split() if "::" in word}


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_usual_run_leaves_out_what_takes_long_or_needs_something(tmp_path: Path, workers: str) -> None:
    said, left_out = run(tmp_path, "-n", workers)
    assert ran(said) == {"test_plain"}
    assert left_out == ["test_breathes", "test_flies"]
    [line] = [line for line in said.splitlines() if "left out" in line]
    assert line.startswith("4 tests were left out: 3 long (takes long: `make test-long` runs it), 1 real_data (reads")


def test_a_long_run_takes_what_it_can_and_names_what_it_cannot(tmp_path: Path) -> None:
    said, left_out = run(tmp_path, "--long", "-m", "long")
    assert ran(said) == {"test_slow", "test_breathes"}
    assert left_out == ["test_flies"]
    assert "1 needs_wings (needs wings)" in said


def test_what_the_fast_run_does_without_exists() -> None:
    assert [name for name in SLOW if not (HERE / name).exists()] == []
