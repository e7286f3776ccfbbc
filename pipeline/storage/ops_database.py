"""The ops database: one SQLite file that every process of a home reads and writes at any time, also during a build."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from filelock import FileLock

from pipeline.errors import ConfigError, GataError, StateError
from pipeline.storage.disk import FULL
from pipeline.storage.ops_migrations import migrate

BUSY_SECONDS = 10.0

Row = dict[str, Any]  # a row of a table in types of JSON: text, numbers and NULL


class OpsConnection(sqlite3.Connection):
    """A connection with errors that name the file and the step that works, unless they are mistakes in our own SQL."""

    def __init__(self, database: str, **options: Any) -> None:  # Any: those of sqlite3.connect
        super().__init__(database, **options)
        self._path = Path(database)

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:  # Any: as sqlite3 declares it
        with _explain_sqlite_error(self._path):
            return super().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Any, /) -> sqlite3.Cursor:  # Any: as sqlite3 declares it
        with _explain_sqlite_error(self._path):
            return super().executemany(sql, parameters)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class OpsDatabase:
    """One connection to ops.sqlite, usable from every thread of this process; a child process opens its own."""

    def __init__(self, path: Path, *, now: Callable[[], datetime] = _utc_now) -> None:
        self.path = path
        self._now = now
        self._writing = threading.RLock()
        self.connection = _open(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything in the block is written, or nothing.

        Raises:
            StateError: The disk is full, or another process holds the file for too long.
        """
        with self._writing:
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:  # SQLite ends it itself when the disk is full
                    self.connection.execute("ROLLBACK")
                raise

    def _insert(self, table: str, values: Mapping[str, object]) -> int:
        """Insert a row; returns its row id."""
        names, placeholders = ", ".join(values), ", ".join("?" * len(values))
        with self.transaction() as connection:
            added = connection.execute(f"INSERT INTO {table} ({names}) VALUES ({placeholders})", tuple(values.values()))
        return added.lastrowid or 0

    def _rows(self, sql: str, values: Sequence[object]) -> list[Row]:
        return [dict(row) for row in self.connection.execute(sql, values).fetchall()]

    def _timestamp(self) -> str:
        return self._now().astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _open(path: Path) -> OpsConnection:
    """A connection in WAL mode, with the schema of this release.

    Raises:
        ConfigError: The file or its folder cannot be written, is no database, or was created by a later release.
        StateError: The disk is full, or another process holds the file for too long.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(
            path.with_name(f"{path.name}.lock")
        ):  # two processes that set WAL at once get "locked" from SQLite
            return _connect(path)
    except OSError as error:
        if error.errno in FULL:
            raise _no_room(path, error) from error
        raise _unwritable(path, error) from error


def _connect(path: Path) -> OpsConnection:
    with _explain_sqlite_error(path):
        connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, factory=OpsConnection
        )
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        migrate(connection, path)
        connection.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        connection.close()
        raise
    connection.row_factory = sqlite3.Row
    return connection


@contextmanager
def _explain_sqlite_error(path: Path) -> Iterator[None]:
    """Explain SQLite errors that are not caused by our own SQL: by code, because messages may quote any value."""
    try:
        yield
    except sqlite3.Error as error:
        explain = _CAUSES.get(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF)
        if explain is None:
            raise
        raise explain(path, error) from error


def _no_room(path: Path, error: Exception) -> GataError:
    return StateError(
        f"There is no room left for {path}: {error}.",
        f"Free some under {path.parent}, then run the same command again; keep the file, it is whole.",
    )


def _disk_error(path: Path, error: Exception) -> GataError:
    return StateError(
        f"{path} cannot be read or written: {error}.",
        f"See that the disk of {path.parent} has room and works, then run the same command again; keep the file.",
    )


def _locked(path: Path, error: Exception) -> GataError:
    return StateError(
        f"Another process has held {path} for {BUSY_SECONDS:g} seconds: {error}.",
        "Let it finish, then run the same command again.",
    )


def _unwritable(path: Path, error: Exception) -> GataError:
    return ConfigError(
        f"{path} cannot be opened for writing: {error}.",
        f"Make {path.parent} and the files in it writable, or set GATA_HOME to a folder that is.",
    )


def _damaged(path: Path, error: Exception) -> GataError:
    return ConfigError(
        f"{path} cannot be opened: {error}.",
        "Restore it from a backup, or set GATA_HOME to another folder; moved away, the next command makes a new one"
        " without tokens and runs.",
    )


_CAUSES: dict[int, Callable[[Path, Exception], GataError]] = {
    sqlite3.SQLITE_FULL: _no_room,
    sqlite3.SQLITE_IOERR: _disk_error,
    sqlite3.SQLITE_BUSY: _locked,
    sqlite3.SQLITE_LOCKED: _locked,
    sqlite3.SQLITE_PROTOCOL: _locked,
    sqlite3.SQLITE_READONLY: _unwritable,
    sqlite3.SQLITE_CANTOPEN: _unwritable,
    sqlite3.SQLITE_PERM: _unwritable,
    sqlite3.SQLITE_CORRUPT: _damaged,
    sqlite3.SQLITE_NOTADB: _damaged,
}
"""By SQLite's primary result code; any other is a mistake in our own SQL. Source: https://sqlite.org/rescode.html."""
