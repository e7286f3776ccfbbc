"""Runs statements with bound values and a deadline; a handle lets another thread stop them at once.

DuckDB ignores an interrupt that comes between two statements, so a stopped call is interrupted repeatedly until it has
ended. One thread does that for all calls of the process.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import duckdb

from pipeline.errors import TooMuch

RETRY_SECONDS = 0.01
NARROWER = "Ask for a shorter time range, fewer dimensions, or filter."


class StatementDeadline:
    """Handle of a running call on one cursor: stops it from another thread, and reports its progress."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, ends_at: float, thread: DeadlineThread) -> None:
        self._cursor, self._thread = cursor, thread
        self.ends_at = ends_at

    def stop(self) -> None:
        """Stop the call: the running statement and all later ones. Safe from any thread."""
        self.ends_at = 0.0
        self._thread.wake()

    def progress(self) -> float | None:
        """Progress of the running statement, from 0 to 100; None where DuckDB does not report it."""
        with contextlib.suppress(duckdb.Error):  # the cursor may just have been closed
            done = self._cursor.query_progress()
            return done if done >= 0 else None
        return None

    def interrupt(self) -> None:
        with contextlib.suppress(duckdb.Error):  # as above
            self._cursor.interrupt()


class DeadlineThread:
    """Interrupts the calls that exceed their deadline or were stopped; its thread starts with the first call."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._calls: set[StatementDeadline] = set()
        self._next_check_at = float("inf")
        self._thread: threading.Thread | None = None

    def add(self, call: StatementDeadline) -> None:
        with self._changed:
            self._calls.add(call)
            if self._thread is None or not self._thread.is_alive():  # none yet, or this process was forked
                self._thread = threading.Thread(target=self._run, name="query watch", daemon=True)
                self._thread.start()
            elif call.ends_at < self._next_check_at:
                self._changed.notify()

    def remove(self, call: StatementDeadline) -> None:
        """Remove a call: its cursor is no longer interrupted, as its next statement may be that of another call."""
        with self._changed:
            self._calls.discard(call)

    def wake(self) -> None:
        """Check the calls at once: one was stopped."""
        with self._changed:
            self._changed.notify()

    def _run(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                overdue = [call for call in self._calls if call.ends_at <= now]
                for call in overdue:
                    call.interrupt()
                next_deadline = min((call.ends_at for call in self._calls), default=float("inf"))
                self._next_check_at = now + RETRY_SECONDS if overdue else next_deadline
                self._changed.wait(min(self._next_check_at - now, threading.TIMEOUT_MAX))


_DEADLINES = DeadlineThread()


@contextmanager
def with_deadline(cursor: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[StatementDeadline]:
    """Limit the time of all statements of the block on a cursor; the cursor can be used again afterwards.

    Raises:
        TooMuch: The deadline passed, or the block was stopped; no rows are kept.
    """
    began = time.monotonic()
    call = StatementDeadline(cursor, began + seconds, _DEADLINES)
    _DEADLINES.add(call)
    try:
        yield call
    except duckdb.InterruptException as error:
        if time.monotonic() < began + seconds:
            raise TooMuch("The query was stopped by its caller.", "Ask again.") from error
        raise TooMuch(f"The query was stopped: there was no answer within {seconds:g} seconds.", NARROWER) from error
    finally:
        _DEADLINES.remove(call)


def execute(
    cursor: duckdb.DuckDBPyConnection, sql: str, values: Mapping[str, object]
) -> list[tuple[Any, ...]]:  # Any: whatever a column holds
    """Fetch all rows of a statement. The cursor can be used again afterwards, also after an error.

    Raises:
        TooMuch: It needs more memory, or more disk to spill to, than there is; no rows are kept.
    """
    try:
        return cursor.execute(sql, dict(values)).fetchall()
    except duckdb.OutOfMemoryException as error:
        raise TooMuch("The query needs more memory than it may have.", NARROWER) from error
