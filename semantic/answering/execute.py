"""Running statements: with bound values, no longer than they may, and stopped at once by whoever holds the handle.

DuckDB forgets an interrupt that comes between two statements, so a call that is to stop is interrupted again and again
until it has ended. One thread does that for every call of the process.
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

AGAIN_SECONDS = 0.01
LESS = "Ask for a shorter time range, fewer dimensions, or filter."


class StatementDeadline:
    """A call under way on one cursor: the handle by which another thread stops it, or asks how far it is."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, ends_at: float, watch: DeadlineThread) -> None:
        self._cursor, self._watch = cursor, watch
        self.ends_at = ends_at

    def stop(self) -> None:
        """Stop the call: the statement that runs, and every one it would still run. Safe from any thread."""
        self.ends_at = 0.0
        self._watch.look()

    def progress(self) -> float | None:
        """How much of the running statement is done, from 0 to 100; None where DuckDB cannot tell."""
        with contextlib.suppress(duckdb.Error):  # the cursor may just have been closed
            done = self._cursor.query_progress()
            return done if done >= 0 else None
        return None

    def interrupt(self) -> None:
        with contextlib.suppress(duckdb.Error):  # as above
            self._cursor.interrupt()


class DeadlineThread:
    """Interrupts the calls that are over their time or were stopped; its thread begins with the first call."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._calls: set[StatementDeadline] = set()
        self._looks_at = float("inf")
        self._thread: threading.Thread | None = None

    def add(self, call: StatementDeadline) -> None:
        with self._changed:
            self._calls.add(call)
            if self._thread is None or not self._thread.is_alive():  # none yet, or this process was forked
                self._thread = threading.Thread(target=self._look_on, name="query watch", daemon=True)
                self._thread.start()
            elif call.ends_at < self._looks_at:
                self._changed.notify()

    def remove(self, call: StatementDeadline) -> None:
        """From here on the call's cursor is never interrupted: its next statement may be another's."""
        with self._changed:
            self._calls.discard(call)

    def look(self) -> None:
        """Look at once: a call was stopped."""
        with self._changed:
            self._changed.notify()

    def _look_on(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                late = [call for call in self._calls if call.ends_at <= now]
                for call in late:
                    call.interrupt()
                next_end = min((call.ends_at for call in self._calls), default=float("inf"))
                self._looks_at = now + AGAIN_SECONDS if late else next_end
                self._changed.wait(min(self._looks_at - now, threading.TIMEOUT_MAX))


_WATCH = DeadlineThread()


@contextmanager
def with_deadline(cursor: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[StatementDeadline]:
    """Let the block use the cursor for so long, over all its statements; it is as good as new afterwards.

    Raises:
        TooMuch: The time is over, or the block was stopped; nothing is kept.
    """
    began = time.monotonic()
    call = StatementDeadline(cursor, began + seconds, _WATCH)
    _WATCH.add(call)
    try:
        yield call
    except duckdb.InterruptException as error:
        if time.monotonic() < began + seconds:
            raise TooMuch("The query was stopped by its caller.", "Ask again.") from error
        raise TooMuch(f"The query was stopped: there was no answer within {seconds:g} seconds.", LESS) from error
    finally:
        _WATCH.remove(call)


def execute(
    cursor: duckdb.DuckDBPyConnection, sql: str, values: Mapping[str, object]
) -> list[tuple[Any, ...]]:  # Any: whatever a column holds
    """All rows of a statement. The cursor is as good as new afterwards, also after an error.

    Raises:
        TooMuch: It needs more memory, or more room to spill to, than there is; nothing is kept.
    """
    try:
        return cursor.execute(sql, dict(values)).fetchall()
    except duckdb.OutOfMemoryException as error:
        raise TooMuch("The query needs more memory than it may have.", LESS) from error
