"""Connections to the hub: one writer at a time, and readers only while no process writes.

Its payloads are JSON text of a kilobyte and more, which DuckDB would store as they are. With Zstandard they take a
seventeenth of the space (1,228 MB to 72 MB for 339,531 GA4 events), and writing and reading them costs less, not more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipeline.errors import HubInUse, LandError
from pipeline.settings import Settings
from pipeline.storage.build_memory import duckdb_memory
from pipeline.storage.failure_cause import FailureCause, cause_of
from pipeline.storage.private_folder import make_private

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
        make_private(settings.home)
        config = {"storage_compatibility_version": STORAGE_VERSION, **duckdb_memory(settings)}
        hub = duckdb.connect(settings.hub, config={**config})
    with explain_duckdb_error(settings), hub:
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
        hub = duckdb.connect(str(settings.hub), read_only=True, config={**duckdb_memory(settings)})
    with explain_duckdb_error(settings), hub:
        yield hub


@contextmanager
def explain_duckdb_error(settings: Settings) -> Iterator[None]:
    """Turn errors of DuckDB about the hub's file, and of the disk under it, into LandError."""
    try:
        yield
    except (duckdb.Error, OSError) as error:
        if explained := hub_error(settings, error):
            raise explained from error
        raise


def hub_error(settings: Settings, error: duckdb.Error | OSError) -> LandError | None:
    """The error of a hub that refused, by its cause; None where the cause is not the disk, the file or its memory."""
    hub, cause = settings.hub, cause_of(error, settings.hub)
    reason = (getattr(error, "strerror", None) or str(error).partition("\n")[0]).rstrip(".")
    if cause is not None:
        return _of_cause(hub, cause, reason)
    if isinstance(error, duckdb.OutOfMemoryException):
        what = f"{settings.home} could not take the new rows: {reason}."
        return LandError(
            what, "Run it again with more memory (GATA_BUILD_MEMORY) or fewer threads; earlier loads are safe."
        )
    if isinstance(error, duckdb.IOException | OSError):
        what = f"{hub} cannot be used: {reason}."
        return LandError(what, f"Make {hub.parent} a folder this user can write to, or set GATA_HOME to one that is.")
    return None


def _of_cause(hub: Path, cause: FailureCause, reason: str) -> LandError:
    if cause is FailureCause.FULL:
        return LandError(
            f"There is no room left for {hub}: {reason}.",
            f"Free some under {hub.parent}, then run the same command again; what the hub holds is safe.",
        )
    if cause is FailureCause.BUSY:
        return HubInUse(
            f"{hub} is open in another process, so nothing was touched.",
            "Let it finish, or wait for it with `gata build --wait SECONDS`.",
        )
    if cause is FailureCause.DAMAGED:
        return LandError(
            f"{hub} is damaged: {reason}.",
            "Run `gata build --from bronze`, which makes it anew; readers keep their runs.",
        )
    return LandError(
        f"{hub} may not be read and written by this user: {reason}.",
        f"Make it and {hub.parent} readable and writable, or set GATA_HOME to a folder that is.",
    )
