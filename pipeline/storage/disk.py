"""Durable writes, and disk errors explained as errors of ours."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.contracts.sql import literal
from pipeline.errors import PublishError, StarInUse

if TYPE_CHECKING:
    import duckdb


def exchange(path: Path, other: Path) -> bool:
    """Exchange the names of two folders in one step; False where the system cannot, and nothing changed.

    Source: man 2 renameat2, RENAME_EXCHANGE; -100 is AT_FDCWD.
    """
    call = getattr(ctypes.CDLL(None), "renameat2", None)
    return call is not None and call(-100, os.fsencode(path), -100, os.fsencode(other), 2) == 0


def sync(path: Path) -> None:
    """Flush a file, or a folder's list of names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def nearest_folder(folder: Path) -> Path:
    """The folder itself, or the nearest one above it that exists."""
    folder = folder.absolute()
    return next(path for path in (folder, *folder.parents) if path.is_dir())


def replace_text(path: Path, text: str) -> None:
    """Replace the file at `path` atomically and durably. The caller holds a lock: one writer at a time."""
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        sync(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync(path.parent)


def holds(path: Path, text: str) -> bool:
    """Whether a file holds exactly this text; one that is missing or is no UTF-8 does not."""
    return path.is_file() and path.read_bytes() == text.encode()


@contextlib.contextmanager
def explain_os_error(folder: Path, slug: str) -> Iterator[None]:
    """Explain disk errors under a tenant's published folder.

    Raises:
        PublishError: Instead of every OSError and DuckDB error of the block.
    """
    import duckdb  # a status reads no table, and would wait for it

    from pipeline.storage.failure_cause import FailureCause, cause_of

    try:
        yield
    except (OSError, duckdb.Error) as error:
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        if cause_of(error, folder) is FailureCause.FULL:
            raise PublishError(
                f"There is no room left under {folder}: {reason}.",
                f"Free some, then run `gata publish --tenant {slug}`; readers keep their run.",
            ) from error
        if isinstance(error, duckdb.Error):
            raise PublishError(
                f"The star of {slug} could not be copied: {reason}.", f"Run `gata build --tenant {slug} --full`."
            ) from error
        raise PublishError(
            f"{error.filename2 or error.filename or folder} cannot be written: {reason}.",
            f"Make {folder} a folder this user can write to, or set GATA_HOME to one that is; readers keep their run.",
        ) from error


@contextlib.contextmanager
def attached_star(connection: duckdb.DuckDBPyConnection, stars: Path, slug: str) -> Iterator[str]:
    """Attach a star file for reading; yields the name of its catalog.

    Raises:
        StarInUse: Another process, or this one, has it open.
    """
    import duckdb

    from pipeline.storage.failure_cause import FailureCause, cause_of

    name = "source"
    try:
        connection.execute(f"ATTACH {literal(str(stars))} AS {name} (READ_ONLY)")
    except duckdb.Error as error:
        # DuckDB refuses to bind a file that this process has open
        if isinstance(error, duckdb.BinderException) or cause_of(error, stars) is FailureCause.BUSY:
            raise StarInUse(
                f"The star file of {slug} is open elsewhere: {str(error).partition(chr(10))[0]}.",
                f"Close it there, then run `gata publish --tenant {slug}`.",
            ) from error
        raise
    yield name
    connection.execute(f"DETACH {name}")
