"""Opens regular files alone: a FIFO would wait for ever, a device never ends, a link may lead to somebody else's file.

What a path leads to is looked at when it is opened, and the file that was looked at is the one that is read: nothing
that is put in its place meanwhile is.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from io import BufferedReader
from pathlib import Path

_READ = os.O_RDONLY | os.O_CLOEXEC
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
LEADS_OUT = "it is a link that leads out of its folder"


def open_regular(path: Path, *, inside: Path | None = None) -> BufferedReader:
    """Open a regular file for reading.

    Args:
        path: The file, or a link to it.
        inside: The folder that it must lie in, whatever links lead to it; None: anywhere.

    Raises:
        OSError: It cannot be read, is another kind of file, or lies elsewhere; `strerror` says which.
    """
    if inside is None:
        _refuse_others(path.stat().st_mode, path)  # a device may do something when it is opened
        descriptor = os.open(path, _READ | os.O_NONBLOCK)
    else:
        descriptor = _open_inside(path, inside)
    try:
        _refuse_others(os.fstat(descriptor).st_mode, path)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        with suppress(OSError):  # closed already, with the object that was to own it
            os.close(descriptor)
        raise


def reason_of(error: OSError) -> str:
    """Why a file is not read, as a sentence about it says it."""
    reason = error.strerror or str(error)
    return f"not read: {reason}" if reason.startswith("it is ") else f"cannot be read: {reason.lower()}"


def real_path(path: Path, *, strict: bool = False) -> Path:
    """Where a path leads to, through all links; unlike `Path.resolve` of Python 3.11 it takes a link to itself.

    Raises:
        OSError: With `strict`, it leads to nothing.
    """
    return Path(os.path.realpath(path, strict=strict))


def is_utf8(name: str) -> bool:
    """Whether a name of the file system is text: one that is not cannot be written to a table or a log."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def escaped_name(name: str) -> str:
    """A name of the file system as text, with an escape for each byte that is none."""
    return os.fsencode(name).decode(errors="backslashreplace")


def _open_inside(path: Path, folder: Path) -> int:
    """Open what a path leads to below a folder, part by part, so that no part can become a link meanwhile."""
    root, real = real_path(folder, strict=True), real_path(path, strict=True)
    if real == root or not real.is_relative_to(root):
        raise OSError(errno.EPERM, LEADS_OUT, str(path))
    _refuse_others(real.lstat().st_mode, path)
    *folders, name = real.relative_to(root).parts
    within = os.open(root, _READ | os.O_DIRECTORY)
    try:
        for each in folders:
            below = os.open(each, _READ | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=within)
            os.close(within)
            within = below
        return os.open(name, _READ | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=within)
    finally:
        os.close(within)


def _refuse_others(mode: int, path: Path) -> None:
    if not stat.S_ISREG(mode):
        kind = next((kind for test, kind in _KINDS if test(mode)), "something else")
        raise OSError(errno.EINVAL, f"it is no regular file but {kind}", str(path))
