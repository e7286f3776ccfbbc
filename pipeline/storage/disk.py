"""Durable writes, and disk errors explained as errors of ours."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import PublishError, StarInUse

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
OPEN_ELSEWHERE = ("Could not set lock on file", "Unique file handle conflict")  # in another process, in this one


def sync(path: Path) -> None:
    """Flush a file, or a folder's list of names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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


@contextlib.contextmanager
def explain_os_error(folder: Path, slug: str) -> Iterator[None]:
    """Explain disk errors under a tenant's published folder.

    Raises:
        PublishError: Instead of every OSError and DuckDB error of the block.
    """
    import duckdb  # a status reads no table, and would wait for it

    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise _full(folder, slug, error.strerror or str(error)) from error
        raise PublishError(
            f"{error.filename2 or error.filename or folder} cannot be written: {error.strerror or error}.",
            f"Make {folder} a folder this user can write to, or set GATA_HOME to one that is; readers keep their run.",
        ) from error
    except duckdb.Error as error:
        message = str(error).splitlines()[0]
        if any(os.strerror(number) in message for number in FULL):
            raise _full(folder, slug, message) from error
        if any(sign in message for sign in OPEN_ELSEWHERE):
            raise StarInUse(
                f"The star file of {slug} is open elsewhere: {message}.",
                f"Close it there, then run `gata publish --tenant {slug}`.",
            ) from error
        raise PublishError(
            f"The star of {slug} could not be copied: {message}.", f"Run `gata build --tenant {slug} --full`."
        ) from error


def _full(folder: Path, slug: str, message: str) -> PublishError:
    return PublishError(
        f"There is no room left under {folder}: {message}.",
        f"Free some, then run `gata publish --tenant {slug}`; readers keep their run.",
    )
