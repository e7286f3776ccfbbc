"""Connections to the hub: one writer at a time, and readers only while no process writes.

Its payloads are JSON text of a kilobyte and more, which DuckDB would store as they are. With Zstandard they take a
seventeenth of the space (1,228 MB to 72 MB for 339,531 GA4 events), and writing and reading them costs less, not more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from pipeline.errors import HubInUse, LandError
from pipeline.settings import Settings

STORAGE_VERSION = "v1.2.0"  # the first with Zstandard
WRITING = {"TimeZone": "UTC", "force_compression": "zstd", "threads": "1"}
"""One thread, because two cost more and write fragments that take more space."""


@contextmanager
def write_hub(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The hub, for writing.

    Raises:
        HubInUse: Another process has it open.
        LandError: It cannot be written.
    """
    with explain_duckdb_error(settings):
        settings.hub.parent.mkdir(parents=True, exist_ok=True)
        hub = duckdb.connect(settings.hub, config={"storage_compatibility_version": STORAGE_VERSION})
    with hub:
        for option, value in WRITING.items():
            hub.execute(f"set {option} = '{value}'")
        hub.execute("set autoinstall_known_extensions = false")
        yield hub


@contextmanager
def read_hub(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The hub, for reading.

    Raises:
        HubInUse: Another process has it open for writing.
        LandError: It cannot be read.
    """
    with explain_duckdb_error(settings):
        hub = duckdb.connect(str(settings.hub), read_only=True)
    with hub:
        yield hub


@contextmanager
def explain_duckdb_error(settings: Settings) -> Iterator[None]:
    """Turn errors of DuckDB and of the disk about the hub's file into LandError."""
    try:
        yield
    except duckdb.IOException as error:
        if "lock" in str(error):
            what = f"{settings.hub} is open in another process, so nothing was touched."
            raise HubInUse(what, "Let it finish, or wait for it with `gata build --wait SECONDS`.") from error
        raise _unusable(settings, str(error).partition("\n")[0]) from error
    except OSError as error:
        raise _unusable(settings, error.strerror or str(error)) from error


def _unusable(settings: Settings, reason: str) -> LandError:
    return LandError(
        f"{settings.hub} cannot be used: {reason.rstrip('.')}.",
        "Make it readable and writable, or set GATA_HOME to a folder that is; nothing was touched.",
    )
