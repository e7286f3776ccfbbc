"""What a piece of work costs, measured from outside: each runs in a process of its own, so its peak memory is its own."""

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


def run(module: str, *arguments: str) -> tuple[Cost, dict[str, Any]]:
    """Run a module in a new process: its cost, and the JSON object it printed last.

    The caller must stay small: a child's peak begins at the memory it was forked from.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as printed, tempfile.TemporaryFile("w+") as complaints:
        started = time.perf_counter()
        command = [sys.executable, "-m", module, *arguments]
        child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=printed, stderr=complaints)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            complaints.seek(0)
            sys.exit(f"{' '.join(command[1:])} failed:\n{complaints.read()[-4000:]}")
        printed.seek(0)
        answer = json.loads(printed.read().splitlines()[-1])
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024), answer
