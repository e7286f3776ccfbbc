"""The state folder is its owner's alone: it holds every tenant's rows, and the hashes of tokens."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PRIVATE = 0o700
OTHERS = 0o077
OURS = ("ops.sqlite", "hub.duckdb", "format.json")
"""A folder that holds one of these is a state folder; another one may be anybody's, such as /srv or /tmp."""


def make_private(home: Path) -> None:
    """Make the state folder, or close an existing one to other users where this one owns it.

    A symbolic link is not followed: what it leads to is left as it is.

    Raises:
        OSError: It cannot be made.
    """
    try:
        home.mkdir(parents=True, mode=PRIVATE)
    except FileExistsError:
        if not home.is_dir():
            raise
        if any((home / name).exists() for name in OURS):
            _tighten(home)


def _tighten(home: Path) -> None:
    try:
        descriptor = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:  # a link, or a folder that may not be read
        return
    try:
        status = os.fstat(descriptor)
        is_shared = status.st_mode & OTHERS and not status.st_mode & stat.S_ISVTX
        if is_shared and status.st_uid == os.geteuid():
            os.fchmod(descriptor, stat.S_IMODE(status.st_mode) & ~OTHERS)
    finally:
        os.close(descriptor)


@contextmanager
def private_files() -> Iterator[None]:
    """Files that this process makes meanwhile are readable by its user alone."""
    umask = os.umask(OTHERS)
    try:
        yield
    finally:
        os.umask(umask)
