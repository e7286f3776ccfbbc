"""The cause of a failed read or write, by error code and error class, never by the text of an error.

OSError        its errno
sqlite3.Error  its primary result code. Source: https://sqlite.org/rescode.html
duckdb.Error   its class, and what a second look finds: DuckDB's Python errors carry no code, and one class stands
for a full disk, a lock and damage alike. The disk is asked for room, the file for permission, and
DuckDB to open the file once more with errors as JSON, which have the errno.
"""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import tempfile
from enum import Enum
from pathlib import Path

import duckdb

from pipeline.contracts.sql import literal
from pipeline.errors import StateError

ROOM_BYTES = 1_048_576
"""A disk without this much room is full: DuckDB writes blocks of 256 kB."""


class FailureCause(Enum):
    """Why the disk or a database refused: each asks the operator for something else."""

    FULL = "full"
    BUSY = "busy"
    DAMAGED = "damaged"
    FORBIDDEN = "forbidden"


_OF_ERRNO = {
    FailureCause.FULL: (errno.ENOSPC, errno.EDQUOT, errno.EFBIG),
    FailureCause.BUSY: (errno.EAGAIN, errno.EBUSY, errno.EDEADLK, errno.ENOLCK, errno.ETXTBSY),
    FailureCause.DAMAGED: (errno.EIO, errno.EBADMSG),
    FailureCause.FORBIDDEN: (errno.EACCES, errno.EPERM, errno.EROFS),
}
_OF_SQLITE = {
    FailureCause.FULL: (sqlite3.SQLITE_FULL,),
    FailureCause.BUSY: (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL),
    FailureCause.DAMAGED: (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB),
    FailureCause.FORBIDDEN: (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM),
}
_OF_STORAGE = (duckdb.IOException, duckdb.SerializationException, duckdb.FatalException, duckdb.TransactionException)


def cause_of(error: BaseException, path: Path) -> FailureCause | None:
    """The cause of an error about the file or folder `path`; None for any other error.

    An error of DuckDB is looked into at once: before what was half-written is removed, and the room is there again.
    """
    if isinstance(error, OSError):
        is_full = error.errno is None and not has_room(path)  # of a library that keeps no errno
        return FailureCause.FULL if is_full else _listed(_OF_ERRNO, error.errno)
    if isinstance(error, sqlite3.Error):
        return _of_sqlite(error, path)
    if isinstance(error, duckdb.ConnectionException):  # open in this process, with other settings
        return FailureCause.BUSY
    return _of_duckdb(error, path) if isinstance(error, _OF_STORAGE) else None


def explained_os_error(error: BaseException) -> StateError | None:
    """The error of a disk that refused something, wherever that was; None for every other error."""
    if not isinstance(error, OSError) or error.filename is None:
        return None
    path = Path(os.fsdecode(error.filename2 or error.filename)) if not isinstance(error.filename, int) else Path()
    cause, reason = cause_of(error, path), (error.strerror or str(error)).lower()
    if cause is FailureCause.FULL:
        return StateError(
            f"There is no room left for {path}: {reason}.",
            "Free some on its disk, then run the same command again; what is published stays.",
        )
    if cause is FailureCause.FORBIDDEN:
        return StateError(
            f"{path} may not be read or written by this user: {reason}.",
            "Give this user the right to it, or set GATA_HOME to a folder that it may write.",
        )
    if cause is FailureCause.DAMAGED:
        return StateError(f"The disk cannot read {path}: {reason}.", "Check the disk, and restore from a backup.")
    return None


def _of_sqlite(error: sqlite3.Error, path: Path) -> FailureCause | None:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code == sqlite3.SQLITE_IOERR and not has_room(path):
        return FailureCause.FULL
    return _listed(_OF_SQLITE, code)


def _of_duckdb(error: BaseException, path: Path) -> FailureCause | None:
    folder = path if path.is_dir() else path.parent
    if not has_room(path):
        return FailureCause.FULL
    if not path.is_file():
        return None if is_allowed(folder, os.W_OK) else FailureCause.FORBIDDEN
    if not is_allowed(path, os.R_OK):
        return FailureCause.FORBIDDEN
    if (cause := _of_opening(path)) is not None:
        return cause
    if not (is_allowed(path, os.W_OK) and is_allowed(folder, os.W_OK)):
        return FailureCause.FORBIDDEN
    # The files have one writer each, so that no commit conflicts: one that fails met the disk, and what it had written
    # is removed by now, so that there is room again.
    return FailureCause.FULL if isinstance(error, duckdb.TransactionException) else FailureCause.DAMAGED


def has_room(path: Path) -> bool:
    """Whether a file of this size, or one in this folder, can take ROOM_BYTES more; True where it cannot be known."""
    is_file = path.is_file()
    try:
        with tempfile.TemporaryFile(dir=path if path.is_dir() else path.parent) as file:
            file.seek(path.stat().st_size if is_file else 0)
            file.write(bytes(ROOM_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return _listed(_OF_ERRNO, error.errno) is not FailureCause.FULL
    return True


def is_allowed(path: Path, access: int) -> bool:
    """Whether this process, by its effective user, may read (os.R_OK) or write (os.W_OK) a path."""
    return os.access(path, access, effective_ids=os.access in os.supports_effective_ids)


def _of_opening(path: Path) -> FailureCause | None:
    """The cause that keeps DuckDB from opening a file for reading; None where it opens."""
    with duckdb.connect() as connection:
        connection.execute("SET errors_as_json = true")
        try:
            connection.execute(f"ATTACH {literal(str(path))} AS looked_at (READ_ONLY)")
        except duckdb.IOException as error:
            number = _errno_of(error)
            return FailureCause.DAMAGED if number is None else _listed(_OF_ERRNO, number)
        except duckdb.BinderException:  # this process has it open, so another has not
            return None
        except duckdb.Error:
            return FailureCause.DAMAGED
    return None


def _errno_of(error: duckdb.IOException) -> int | None:
    """The errno of an error of DuckDB as JSON, which its Python client puts behind the name of the class."""
    _, _, text = str(error).partition(": ")
    try:
        return int(json.loads(text)["errno"])
    except (ValueError, KeyError, TypeError):
        return None


def _listed(causes: dict[FailureCause, tuple[int, ...]], code: int | None) -> FailureCause | None:
    return next((cause for cause, codes in causes.items() if code in codes), None)
