"""Copies of files that later changes of the original do not reach: clones where the file system can, else copies."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path

from pipeline.regular_file import open_regular

FICLONE = 0x40049409
"""Shares the blocks of a file with another one until either is written. Source: linux/fs.h, _IOW(0x94, 9, int); btrfs
and XFS support it (man 2 ioctl_ficlone)."""
_CHUNK = 1 << 20


def clone(source: Path, target: Path, *, inside: Path | None = None) -> str:
    """Clone or copy a file; returns the SHA-256 of what was copied.

    Args:
        inside: The folder that the source must lie in, whatever links lead to it; None: anywhere.

    Raises:
        OSError: The source cannot be read, or the target not written.
    """
    with open_regular(source, inside=inside) as original:
        if not _share_blocks(original.fileno(), target):
            return copy(original, target)
    with target.open("rb") as cloned:
        return hashlib.file_digest(cloned, "sha256").hexdigest()


def copy(original: BufferedIOBase, target: Path) -> str:
    """Copy an open file; returns the SHA-256 of what was copied.

    Raises:
        OSError: The original cannot be read; with the target's name, it cannot be written.
    """
    digest = hashlib.sha256()
    copied = target.open("wb")
    try:
        while chunk := original.read(_CHUNK):
            digest.update(chunk)
            with _named(target):
                copied.write(chunk)
    finally:
        with _named(target):
            copied.close()
    return digest.hexdigest()


@contextmanager
def _named(target: Path) -> Iterator[None]:
    """Name the file that could not be written: an error of writing says none, and would be taken for one of reading."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(target)) from error


def hard_link(source: Path, target: Path) -> None:
    """Give a file that is only ever replaced, never rewritten in place, a second name; a copy on another disk."""
    try:
        os.link(source, target)
    except OSError:
        clone(source, target)


def _share_blocks(original: int, target: Path) -> bool:
    with target.open("wb") as cloned:
        try:
            fcntl.ioctl(cloned.fileno(), FICLONE, original)
        except OSError:
            return False
    return True
