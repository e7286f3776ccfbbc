"""Connections to the hub: one writer at a time, and readers only while no process writes.

Opening it reads its whole catalog, which grows with the tenants: 20 ms with one of them, 1.2 s with a thousand. So a
phase that looks at every tenant keeps it open (`kept_open`), and lets it go before anybody else opens it, as dbt does.

Its payloads are JSON text of a kilobyte and more, which DuckDB would store as they are. With Zstandard they take a
seventeenth of the space (1,228 MB to 72 MB for 339,531 GA4 events), and writing and reading them costs less, not more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
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


class _KeptHub:
    """The connection of a phase, opened by whoever asks first; every user has a cursor of its own."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._hub: duckdb.DuckDBPyConnection | None = None
        self._is_for_writing = False
        self._users = 0

    @contextmanager
    def cursor(self, *, for_writing: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor, with a transaction that ends with it; after an error the connection is opened anew."""
        if for_writing and not self._is_for_writing:
            self.let_go()
        if self._hub is None:
            self._hub, self._is_for_writing = _open(self.settings, for_writing=for_writing), for_writing
        self._users += 1
        try:
            with self._hub.cursor() as cursor:
                yield cursor
        except BaseException:
            self._users -= 1
            self.let_go()
            raise
        self._users -= 1

    def let_go(self) -> None:
        """Close the connection, unless somebody uses it: the next one who asks opens it again."""
        if self._hub is not None and not self._users:
            self._hub.close()
            self._hub = None


_kept: ContextVar[_KeptHub | None] = ContextVar("kept_hub", default=None)


@contextmanager
def kept_open(settings: Settings) -> Iterator[None]:
    """Within the block `write_hub` and `read_hub` of this thread share one opening of the hub."""
    kept = _KeptHub(settings)
    token = _kept.set(kept)
    try:
        yield
    finally:
        _kept.reset(token)
        kept.let_go()


def let_go_of_hub() -> None:
    """Close the hub where a phase of this thread keeps it open: somebody else is about to open it."""
    if kept := _kept.get():
        kept.let_go()


@contextmanager
def write_hub(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The hub, for writing.

    Raises:
        HubInUse: Another process has it open.
        LandError: It cannot be written.
    """
    with explain_duckdb_error(settings), _connected(settings, for_writing=True) as hub:
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
    with explain_duckdb_error(settings), _connected(settings, for_writing=False) as hub:
        yield hub


def _connected(settings: Settings, *, for_writing: bool) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    """A cursor of the kept connection, else a connection of its own."""
    kept = _kept.get()
    if kept is not None and kept.settings.hub == settings.hub:
        return kept.cursor(for_writing=for_writing)
    return _open(settings, for_writing=for_writing)


def _open(settings: Settings, *, for_writing: bool) -> duckdb.DuckDBPyConnection:
    memory = duckdb_memory(settings)
    if not for_writing:
        return duckdb.connect(str(settings.hub), read_only=True, config={**memory})
    make_private(settings.home)
    return duckdb.connect(settings.hub, config={"storage_compatibility_version": STORAGE_VERSION, **memory})


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
