"""Opens a star for questions: read-only, no file but its own, no extension, no setting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipeline.settings import Settings

Config = dict[str, str | bool | int | float | list[str]]


def sandbox_config(settings: Settings, spill: Path | None) -> Config:
    """The configuration of DuckDB for a star; without a folder to spill to, memory is all there is."""
    return {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        "memory_limit": settings.query_memory,
        "threads": str(settings.threads),
        "temp_directory": str(spill) if spill else "",
        "max_temp_directory_size": settings.query_spill if spill else "0B",
    }


def lock_sandbox(connection: duckdb.DuckDBPyConnection) -> None:
    """Forbid other files and changes of the configuration; files that are attached stay."""
    if not connection.execute("SELECT current_setting('lock_configuration')").fetchall()[0][0]:
        # already locked when this process has the run open and shares the instance
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")


@contextmanager
def sandboxed(stars: Path, settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a star that this process has not open."""
    with duckdb.connect(str(stars), read_only=True, config=sandbox_config(settings, None)) as connection:
        lock_sandbox(connection)
        yield connection
