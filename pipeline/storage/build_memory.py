"""Memory of a build: GATA_BUILD_MEMORY is for all its processes together, and shared out among them.

A process holds the interpreter, dbt and the batches that it reads; what is left of its share is the buffer of its
DuckDB instance, which goes to disk with what does not fit. A process has one instance at work at a time.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

from pipeline.settings import Settings

DuckDbMemory = Mapping[str, str]
"""The part of a DuckDB instance's configuration that limits its memory."""
UNLIMITED: DuckDbMemory = MappingProxyType({})
MEGABYTE = 1_000_000
OF_PROCESS = 300 * MEGABYTE
"""What a process holds beside DuckDB: interpreter, dbt, Arrow batches."""
LEAST = 128 * MEGABYTE
"""The smallest buffer of a DuckDB instance: with less, one hash table of a thread does not fit."""
SHARE_OF_MACHINE = 0.75
_CGROUP = Path("/sys/fs/cgroup/memory.max")


def build_memory(settings: Settings) -> int:
    """The bytes that all processes of a build may hold together."""
    return settings.build_memory_bytes or int(_machine_memory() * SHARE_OF_MACHINE)


def duckdb_memory(settings: Settings) -> DuckDbMemory:
    """The memory of a DuckDB instance of a process that has the whole of `settings.build_memory`."""
    return {"memory_limit": f"{max(build_memory(settings) - OF_PROCESS, LEAST)}B"}


def among_processes(settings: Settings, processes: int) -> tuple[Settings, Settings]:
    """The settings of the process of a build, and of each of the worker processes that it has.

    The worker processes hold no rows while the build's own process writes to the hub, and it holds none while they
    make stars: each side has what the other side's processes leave.
    """
    total = build_memory(settings)
    own, all_workers = total - processes * OF_PROCESS, total - OF_PROCESS
    return _with_memory(settings, own), _with_memory(settings, all_workers // processes)


def _with_memory(settings: Settings, size: int) -> Settings:
    return settings.model_copy(update={"build_memory": f"{max(size, OF_PROCESS + LEAST) // MEGABYTE}MB"})


def _machine_memory() -> int:
    """The memory of the machine in bytes, or what its control group may take. Source: man 7 cgroups, memory.max."""
    found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError):  # no control groups, or "max"
        return min(found, int(_CGROUP.read_text(encoding="ascii")))
    return found
