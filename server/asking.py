"""One call on a published run, off the event loop: it gives up when the caller does, and after the deadline."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

import anyio
import anyio.to_thread

from pipeline.errors import TooMuch
from server.published import OpenRun, PublishedRuns

if TYPE_CHECKING:
    import duckdb

GRACE_SECONDS = 1.0  # the semantic layer keeps the deadline itself and says it better; this one is for what it misses
POLL_SECONDS = 0.02

T = TypeVar("T")
Work = Callable[[OpenRun, "duckdb.DuckDBPyConnection"], T]


async def ask(runs: PublishedRuns, slug: str, work: Work[T]) -> T:
    """Do `work` on the tenant's newest run in a thread, with a cursor of its own.

    A cancelled call interrupts its statement and returns when the thread has let go of the run.

    Raises:
        TooMuch: The deadline passed.
        GataError: What `work` raises, or there is no run.
    """
    seconds = runs.settings.query_timeout
    try:
        with anyio.fail_after(seconds + GRACE_SECONDS):
            return await _in_thread(runs, slug, work)
    except TimeoutError as error:
        raise TooMuch(
            f"There was no answer within {seconds:g} seconds.", "Ask for a shorter time range or fewer dimensions."
        ) from error


async def _in_thread(runs: PublishedRuns, slug: str, work: Work[T]) -> T:
    call = _Call(runs, slug, work)
    try:
        return await anyio.to_thread.run_sync(call.run, abandon_on_cancel=True)
    except anyio.get_cancelled_exc_class():
        call.given_up.set()
        with anyio.CancelScope(shield=True):
            while call.started.is_set() and not call.ended.is_set():
                call.interrupt()  # again and again: a statement that begins later forgets an earlier interrupt
                await anyio.sleep(POLL_SECONDS)
        raise


class _Call(Generic[T]):
    """The part of a call that runs in a thread, and what stops it from outside."""

    def __init__(self, runs: PublishedRuns, slug: str, work: Work[T]) -> None:
        self._runs, self._slug, self._work = runs, slug, work
        self._cursor: duckdb.DuckDBPyConnection | None = None
        self.started, self.given_up, self.ended = threading.Event(), threading.Event(), threading.Event()

    def run(self) -> T:
        self.started.set()
        try:
            if self.given_up.is_set():
                raise TooMuch("The call was given up before it began.", "Ask again.")
            with self._runs.run(self._slug) as run, run.cursor() as cursor:
                self._cursor = cursor
                return self._work(run, cursor)
        finally:
            self.ended.set()

    def interrupt(self) -> None:
        if self._cursor is not None:
            with contextlib.suppress(Exception):  # it may just have been closed
                self._cursor.interrupt()
