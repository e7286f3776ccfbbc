"""Where tests write: in memory where there is plenty, as half of a landing's time is waiting for the disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")  # a folder of the system, not one of ours
VARIABLE: Final = "PYTEST_DEBUG_TEMPROOT"
"""Where pytest makes its folders; who sets it decides."""
LEAST_FREE_BYTES: Final = 8_000_000_000
"""A run holds 2 GB at most, and what failed stays."""


def write_in_memory() -> None:
    """Let pytest make its folders in memory, unless there is too little of it, or none that is a folder."""
    if VARIABLE not in os.environ and _free_bytes() > LEAST_FREE_BYTES:
        os.environ[VARIABLE] = str(MEMORY)


def _free_bytes() -> int:
    """The least of what the folder may still take and what the machine has."""
    try:
        known = dict(line.split(":") for line in Path("/proc/meminfo").read_text(encoding="utf-8").splitlines())
        return min(shutil.disk_usage(MEMORY).free, int(known["MemAvailable"].split()[0]) * 1024)
    except (OSError, KeyError, ValueError):
        return 0
