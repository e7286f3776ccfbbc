"""Cost of a piece of work, measured from outside in a process of its own, so that its peak memory is its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Cost:
    """Of a whole process: interpreter, imports, work. CPU seconds and peak memory include its own children."""

    wall: float
    cpu: float
    peak_mb: float
    others: float
    """Share of the machine that other processes took meanwhile; wall seconds mean little when it is high."""


def run(module: str, *arguments: str, checkout: Path = ROOT) -> tuple[Cost, dict[str, Any]]:
    """Run a module in a new process: its cost, and the JSON object it printed last.

    Args:
        checkout: The checkout whose module runs; another one than this has its environment in `.venv`.

    The caller must stay small: a child's peak begins at the memory it was forked from.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as printed, tempfile.TemporaryFile("w+") as complaints:
        started, busy = time.perf_counter(), _busy_seconds()
        python = sys.executable if checkout == ROOT else str(checkout / ".venv" / "bin" / "python")
        command = [python, "-P", "-m", module, *arguments]
        child = subprocess.Popen(command, cwd=checkout, stdin=subprocess.DEVNULL, stdout=printed, stderr=complaints)
        _, status, usage = os.wait4(child.pid, 0)
        wall, busy = time.perf_counter() - started, _busy_seconds() - busy
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            complaints.seek(0)
            sys.exit(f"{' '.join(command[1:])} failed:\n{complaints.read()[-4000:]}")
        printed.seek(0)
        answer = json.loads(printed.read().splitlines()[-1])
    cpu = usage.ru_utime + usage.ru_stime
    others = max(0.0, busy - cpu) / (wall * (os.cpu_count() or 1))
    return Cost(wall, cpu, usage.ru_maxrss / 1024, others), answer


def _busy_seconds() -> float:
    """CPU seconds that the whole machine has worked since it started."""
    user, nice, system, _idle, _waiting, interrupts, soft = Path("/proc/stat").read_text().split()[1:8]
    ticks = sum(map(int, (user, nice, system, interrupts, soft)))
    return ticks / os.sysconf("SC_CLK_TCK")
