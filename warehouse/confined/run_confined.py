"""Runs a tenant's SQL on a star in a process of warehouse/confined/star_process.py, and reads what it says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipeline.errors import BuildError
from pipeline.settings import Settings, environment_variables
from warehouse.confined.cells import read_cell
from warehouse.confined.star_process import GRACE_SECONDS, KILLED, ConfinedSelect, Work

_VARIABLES = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH")
"""What an interpreter may need to start; nothing else of the environment reaches the process."""
_START_SECONDS = 20.0
"""How long a process may take to start and to end, on a machine that is busy."""
Event = dict[str, Any]  # Any: JSON values
Rows = list[tuple[Any, ...]]  # Any: whatever a column holds


@dataclass(frozen=True)
class NoRows:
    """Why a SELECT gave no rows: `time`, `memory`, `disk`, an exit code, or `sql` with what DuckDB says."""

    kind: str
    message: str = ""


def run_work(
    star: Path,
    settings: Settings,
    *,
    seconds: float,
    models: Sequence[tuple[str, str]] = (),
    selects: Sequence[ConfinedSelect] = (),
    is_each: bool = False,
) -> list[Event]:
    """Build models as tables of a star, then ask SELECTs of it; the star is only read where there are no models.

    Gives the events of the process; the last is an error where it did not finish. Arguments are those of `Work`.
    """
    scratch = settings.home / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=scratch, prefix="confined_", ignore_cleanup_errors=True) as folder:
        work = Work(
            star=str(star.absolute()),
            scratch=str(Path(folder).absolute()),
            memory_bytes=settings.query_memory_bytes,
            disk_bytes=settings.query_spill_bytes,
            threads=settings.threads,
            seconds=seconds,
            models=list(models),
            selects=list(selects),
            is_each=is_each,
        )
        return _process(work, folder)


def rows_of(
    star: Path, selects: Sequence[ConfinedSelect], settings: Settings, *, seconds: float
) -> list[Rows | NoRows]:
    """The rows of each SELECT, or why there are none; one that is stopped does not stop those behind it.

    Args:
        star: Is only read.
        selects: Each was checked to be one SELECT over the tables of the star.
        settings: Memory, disk and threads of a query.
        seconds: The deadline of each.

    Raises:
        BuildError: The process could not begin with the first that is left.
    """
    found: list[Rows | NoRows] = []
    while len(found) < len(selects):
        answered = _answered(run_work(star, settings, seconds=seconds, selects=selects[len(found) :], is_each=True))
        if not answered:
            what = "The process that runs the SQL of questions ended before it asked the first."
            raise BuildError(what, "Run the command again; the published run is still served.")
        found += answered
    return found


def _answered(events: Sequence[Event]) -> list[Rows | NoRows]:
    found: list[Rows | NoRows] = []
    is_asked = False
    for event in events:
        if "select" in event:
            is_asked = True
        elif is_asked and "rows" in event:
            found.append([tuple(map(read_cell, row)) for row in event["rows"]])
            is_asked = False
        elif is_asked and "error" in event:
            found.append(NoRows(event["error"], event.get("message", "")))
            is_asked = False
    return found


def _process(work: Work, folder: str) -> list[Event]:
    environment = {name: value for name, value in environment_variables().items() if name in _VARIABLES}
    most = work.seconds * (len(work.selects) if work.is_each else 1)
    with subprocess.Popen(  # our own program
        [sys.executable, "-P", "-m", "warehouse.confined.star_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env=environment,
        text=True,
        encoding="utf-8",
    ) as process:
        try:
            said, _ = process.communicate(work.text(), timeout=most + GRACE_SECONDS + _START_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            said = process.communicate()[0] + "\n" + json.dumps({"error": "time"})
        except BaseException:
            process.kill()
            raise
    events: list[Event] = []
    for line in said.splitlines():
        with suppress(ValueError):  # a line that its end cut short
            events.append(json.loads(line))
    if not events or not ("finished" in events[-1] or "error" in events[-1]):
        events.append({"error": _cause(process.returncode)})
    return events


def _cause(returncode: int) -> str:
    """Why a process ended before it said so: at its deadline, or by a signal, which a lack of memory comes to."""
    return "time" if returncode == KILLED else "memory" if returncode < 0 else f"exit code {returncode}"
