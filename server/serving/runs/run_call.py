"""Calls on a published run, off the event loop: queued, and stopped at the deadline or when the caller cancels."""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING, Generic, TypeVar

import anyio
import anyio.from_thread
import anyio.to_thread

from pipeline.config.slug import Slug
from pipeline.errors import GataError, TooMuch
from server.serving.audit.call_record import set_error, set_rows, set_run
from server.serving.runs.open_run import OpenRun
from server.serving.runs.published_runs import PublishedRuns

if TYPE_CHECKING:
    import duckdb

    from semantic.answering.execute import StatementDeadline

GRACE_SECONDS = (
    0.4  # for a statement to notice that it was stopped: 10 ms for most, seconds for the end of a large sort
)
POLL_SECONDS = 0.01

T = TypeVar("T")
Work = Callable[[OpenRun, "duckdb.DuckDBPyConnection"], T]


async def run_call(
    runs: PublishedRuns, slug: Slug, work: Work[T], *, on_start: Callable[[Call[T]], None] | None = None
) -> T:
    """Run a call as `_run_in_turn` does, and record its error in the audit record."""
    try:
        return await _run_in_turn(runs, slug, work, on_start=on_start)
    except GataError as error:
        set_error(error)
        raise


async def _run_in_turn(
    runs: PublishedRuns, slug: Slug, work: Work[T], *, on_start: Callable[[Call[T]], None] | None = None
) -> T:
    """Run `work` on the tenant's newest run in a thread, with a cursor of its own, after its wait in the queue.

    A cancelled call stops its statement. `on_start` receives the call, to stop it otherwise or to show its progress.

    Raises:
        QueueFull: Too many calls of the tenant are waiting.
        TooMuch: The deadline passed, in the queue or in the thread.
        GataError: What `work` raises, or there is no run.
    """
    seconds = runs.settings.query_timeout
    try:
        with anyio.fail_after(seconds):
            await runs.queue.acquire(slug)
    except TimeoutError as error:
        raise TooMuch(
            f"Others took {seconds:g} seconds, and it was not this call's turn.", "Ask again, fewer at once."
        ) from error
    call = Call(runs, slug, work)
    if on_start:
        on_start(call)
    try:
        with anyio.fail_after(seconds + GRACE_SECONDS):
            return await call.in_thread()
    except TimeoutError as error:
        raise TooMuch(
            f"There was no answer within {seconds:g} seconds.", "Ask for a shorter time range or fewer dimensions."
        ) from error


class _State(Enum):
    NEW = auto()
    RUNNING = auto()
    ENDED = auto()
    ABANDONED = auto()
    """The caller no longer waits; the thread, if it runs, returns the slot when it ends."""


class Call(Generic[T]):
    """A call with a slot in the queue: the handle that stops it."""

    def __init__(self, runs: PublishedRuns, slug: Slug, work: Work[T]) -> None:
        self._runs, self._slug, self._work = runs, slug, work
        self._lock, self._state = threading.Lock(), _State.NEW
        self._deadline: StatementDeadline | None = None
        self._is_stopped = False

    def stop(self) -> None:
        """Stop the call: its caller gets TooMuch. Safe from any thread, before, during and after the call."""
        self._is_stopped = True
        if self._deadline is not None:
            self._deadline.stop()

    def progress(self) -> float | None:
        """The progress of the running statement, from 0 to 100; None where it is unknown."""
        return None if self._deadline is None else self._deadline.progress()

    async def in_thread(self) -> T:
        """Run the work in a thread, and return the slot: now, or when a thread without a caller ends."""
        try:
            # a limiter of its own: the queue sets the limit
            return await anyio.to_thread.run_sync(self._run, abandon_on_cancel=True, limiter=anyio.CapacityLimiter(1))
        finally:
            if self._state is _State.RUNNING:
                await self._stop_and_wait()
            with self._lock:
                is_abandoned, self._state = self._state is _State.RUNNING, _State.ABANDONED
            if not is_abandoned:
                self._runs.queue.release(self._slug)

    async def _stop_and_wait(self) -> None:
        """Stop the statement, and wait up to GRACE_SECONDS for the thread to end."""
        self.stop()
        with anyio.CancelScope(shield=True), anyio.move_on_after(GRACE_SECONDS):
            while self._state is _State.RUNNING:  # noqa: ASYNC110  # an event would cost every call a switch between threads
                await anyio.sleep(POLL_SECONDS)

    def _run(self) -> T:
        from semantic.answering.execute import with_deadline

        with self._lock:
            if self._state is _State.ABANDONED:
                raise TooMuch("The call was given up before it began.", "Ask again.")
            self._state = _State.RUNNING
        try:
            with (
                self._runs.run(self._slug) as run,
                run.cursor() as cursor,
                with_deadline(cursor, self._runs.settings.query_timeout) as self._deadline,
            ):
                if self._is_stopped:
                    self._deadline.stop()
                set_run(run.slug, run.run_id, run.model.catalog)
                result = self._work(run, cursor)
                set_rows(result)
                return result
        finally:
            with self._lock:
                is_abandoned, self._state = self._state is _State.ABANDONED, _State.ENDED
            if is_abandoned:
                anyio.from_thread.run_sync(self._runs.queue.release, self._slug)
