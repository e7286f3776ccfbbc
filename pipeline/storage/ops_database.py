"""The ops database: one SQLite file that every process of a home reads and writes at any time, also during a build."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from filelock import FileLock

from pipeline.bug_reports import event_logger
from pipeline.errors import ConfigError, GataError, StateError
from pipeline.storage.failure_cause import FailureCause, cause_of, is_allowed
from pipeline.storage.ops_migrations import migrate
from pipeline.storage.private_folder import make_private

BUSY_SECONDS = 10.0
POLL_SECONDS = 0.02
_GONE = (
    "Tokens, the record of runs and jobs, and result handles are lost: make new tokens with `gata token create`, or"
    " restore a backup with `gata restore`. Published runs and their numbers are whole."
)

Row = dict[str, Any]  # a row of a table in types of JSON: text, numbers and NULL


class OpsConnection(sqlite3.Connection):
    """A connection with errors that name the file and the step that works, unless they are mistakes in our own SQL."""

    def __init__(self, database: str, **options: Any) -> None:  # Any: those of sqlite3.connect
        super().__init__(database, **options)
        self._path = Path(database)

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:  # Any: as sqlite3 declares it
        with _explain_error(self._path):
            return super().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Any, /) -> sqlite3.Cursor:  # Any: as sqlite3 declares it
        with _explain_error(self._path):
            return super().executemany(sql, parameters)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class OpsDatabase:
    """One connection to ops.sqlite, usable from every thread of this process; a child process opens its own."""

    def __init__(self, path: Path, *, now: Callable[[], datetime] = _utc_now, is_read_only: bool = False) -> None:
        """`is_read_only`: what this user may only read is opened as a copy, which nothing is written to."""
        self.path = path
        self._now = now
        self._writing = threading.RLock()
        self.connection = _open_copy(path) if is_read_only and not _is_writable(path) else _open(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.connection.close()

    def copy_to(self, path: Path) -> None:
        """Copy the database to a new file, as it is at one moment, while other processes write.

        Raises:
            ConfigError: The database is damaged.
            StateError: The disk is full, or another process holds the file for too long.
        """
        with closing(sqlite3.connect(path)) as target, _explain_error(self.path):
            self.connection.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")
            ((found, *_), *_) = target.execute("PRAGMA integrity_check").fetchall()
        if found != "ok":
            raise _damaged(self.path, found.partition("\n")[0])

    @contextmanager
    def transaction(self, *, wait_seconds: float | None = None) -> Iterator[sqlite3.Connection]:
        """Everything in the block is written, or nothing.

        Args:
            wait_seconds: The longest wait for other writers, in this process and in others; BUSY_SECONDS by default.

        Raises:
            StateError: The disk is full, or another writer holds the file for too long.
        """
        ends_at = time.monotonic() + (BUSY_SECONDS if wait_seconds is None else wait_seconds)
        with self._writing_before(ends_at):
            self._begin(ends_at)
            try:
                yield self.connection
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:  # SQLite ends it itself when the disk is full
                    self.connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _writing_before(self, ends_at: float) -> Iterator[None]:
        if not self._writing.acquire(timeout=max(0.0, ends_at - time.monotonic())):
            raise _busy(self.path, "another thread of this process writes")
        try:
            yield
        finally:
            self._writing.release()

    def _begin(self, ends_at: float) -> None:
        """Begin to write once no other process does.

        The wait is ours: SQLite would hold the connection meanwhile, and every thread that only reads with it. A reader
        may overwrite the error of the connection before it is read here, so its state says whether writing has begun.
        """
        while True:
            failure: GataError | sqlite3.Error | None = None
            self.connection.execute("PRAGMA busy_timeout = 0")
            try:
                self.connection.execute("BEGIN IMMEDIATE")
            except (GataError, sqlite3.Error) as error:
                failure = error
            finally:
                self.connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
            if self.connection.in_transaction:
                return
            cause = failure and cause_of(failure.__cause__ or failure, self.path)
            if failure and cause not in (None, FailureCause.BUSY):
                raise failure
            if time.monotonic() >= ends_at:
                raise _busy(self.path, "database is locked") from failure
            time.sleep(POLL_SECONDS)

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
    with _explain_error(path):
        make_private(path.parent)
        # two processes that set WAL at once get "locked" from SQLite
        with FileLock(path.with_name(f"{path.name}.lock"), mode=0o600):
            is_new = not path.exists()
            connection = _connect(path)
    if is_new and any(path.parent.glob("published/*/_latest.json")):
        event_logger().warning("ops_database_was_gone", what=f"{path} was gone, and is new and empty.", fix=_GONE)
    return connection


def _connect(path: Path) -> OpsConnection:
    with _explain_error(path):
        # SQLite's files beside it get its mode. One that is there is not opened: closing it would drop the locks that
        # SQLite holds for the other connections of this process (https://sqlite.org/howtocorrupt.html, 2.2)
        if not path.exists():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = _connection(str(path))
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        migrate(connection, path)
        connection.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        connection.close()
        raise
    return connection


def _connection(database: str) -> OpsConnection:
    connection = sqlite3.connect(
        database, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, factory=OpsConnection
    )
    connection.row_factory = sqlite3.Row
    return connection


def _open_copy(path: Path) -> OpsConnection:
    """A connection to a copy in memory, with the schema of this release: where the file may be read and not written.

    Raises:
        ConfigError: The file is no database, or was created by a later release.
    """
    copy = _connection(":memory:")
    with _explain_error(path), tempfile.TemporaryDirectory(prefix="gata-") as folder:
        for name in (path.name, f"{path.name}-wal"):  # read where SQLite may make its files beside them
            if path.with_name(name).exists():
                shutil.copyfile(path.with_name(name), Path(folder) / name)
        with closing(sqlite3.connect(Path(folder) / path.name)) as original:
            original.backup(copy)
        migrate(copy, path)
    return copy


def _is_writable(path: Path) -> bool:
    """Whether this user may write the file, or make it."""
    there = path
    while not there.exists():
        there = there.parent
    folder = path.parent if path.exists() else there
    return is_allowed(there, os.W_OK) and is_allowed(folder, os.W_OK)


@contextmanager
def _explain_error(path: Path) -> Iterator[None]:
    """Explain errors of SQLite and of the disk that are not caused by our own SQL."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        cause = cause_of(error, path)
        is_disk = _primary_code(error) == sqlite3.SQLITE_IOERR
        if cause is None and not is_disk and isinstance(error, sqlite3.Error):
            raise
        raise _explained(path, error, cause, is_disk=is_disk) from error


def _primary_code(error: Exception) -> int | None:
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _busy(path: Path, reason: object) -> StateError:
    return StateError(
        f"Another process has held {path} for too long: {reason}.", "Let it finish, then run the same command again."
    )


def _explained(path: Path, error: Exception, cause: FailureCause | None, *, is_disk: bool) -> GataError:
    if cause is FailureCause.FULL:
        return StateError(
            f"There is no room left for {path}: {error}.",
            f"Free some under {path.parent}, then run the same command again; keep the file, it is whole.",
        )
    if cause is FailureCause.BUSY:
        return _busy(path, error)
    if is_disk:
        return StateError(
            f"{path} cannot be read or written: {error}.",
            f"See that the disk of {path.parent} has room and works, then run the same command again; keep the file.",
        )
    if cause is FailureCause.DAMAGED:
        return _damaged(path, str(error))
    return ConfigError(
        f"{path} cannot be opened for writing: {error}.",
        f"Make {path.parent} and the files in it writable, or set GATA_HOME to a folder that is.",
    )


def _damaged(path: Path, reason: str) -> ConfigError:
    return ConfigError(
        f"{path} cannot be opened: {reason}.",
        "Restore it from a backup, or set GATA_HOME to another folder; moved away, the next command makes a new one"
        " without tokens and runs.",
    )
