"""One call on a published run, off the event loop: it waits its turn, and stops at the deadline or with its caller."""

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
from server.serving.runs.published_runs import OpenRun, PublishedRuns

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
    """Answer a call as `_ask` does, and note for the audit how it went: see there."""
    try:
        return await _ask(runs, slug, work, on_start=on_start)
    except GataError as error:
        set_error(error)
        raise


async def _ask(
    runs: PublishedRuns, slug: Slug, work: Work[T], *, on_start: Callable[[Call[T]], None] | None = None
) -> T:
    """Do `work` on the tenant's newest run in a thread, with a cursor of its own, when it is its turn.

    A cancelled call stops its statement. Whoever wants to stop it otherwise, or show how far it is, takes the call
    from `on_start`.

    Raises:
        QueueFull: Too many calls of the tenant wait already.
        TooMuch: The deadline passed, in the queue or at work.
        GataError: What `work` raises, or there is no run.
    """
    seconds = runs.settings.query_timeout
    try:
        with anyio.fail_after(seconds):
            await runs.turns.take(slug)
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
    GIVEN_UP = auto()
    """Nobody waits any more; the thread, if it runs, gives the place back when it ends."""


class Call(Generic[T]):
    """A call that has its turn: the handle that stops it."""

    def __init__(self, runs: PublishedRuns, slug: Slug, work: Work[T]) -> None:
        self._runs, self._slug, self._work = runs, slug, work
        self._lock, self._state = threading.Lock(), _State.NEW
        self._watched: StatementDeadline | None = None
        self._is_stopped = False

    def stop(self) -> None:
        """End the call: its caller gets TooMuch. Safe from any thread, before, during and after it."""
        self._is_stopped = True
        if self._watched is not None:
            self._watched.stop()

    def progress(self) -> float | None:
        """How much of the running statement is done, from 0 to 100; None where nobody can tell."""
        return None if self._watched is None else self._watched.progress()

    async def in_thread(self) -> T:
        """Work in a thread, and give the place back: now, or when the thread ends whose caller has gone."""
        try:
            # a limiter of its own: the turn is what limits
            return await anyio.to_thread.run_sync(self._run, abandon_on_cancel=True, limiter=anyio.CapacityLimiter(1))
        finally:
            if self._state is _State.RUNNING:
                await self._wind_down()
            with self._lock:
                is_left_alone, self._state = self._state is _State.RUNNING, _State.GIVEN_UP
            if not is_left_alone:
                self._runs.turns.leave(self._slug)

    async def _wind_down(self) -> None:
        """Stop, and give the thread a moment to end."""
        self.stop()
        with anyio.CancelScope(shield=True), anyio.move_on_after(GRACE_SECONDS):
            while self._state is _State.RUNNING:  # noqa: ASYNC110  # an event would cost every call a way between threads
                await anyio.sleep(POLL_SECONDS)

    def _run(self) -> T:
        from semantic.answering.execute import with_deadline

        with self._lock:
            if self._state is _State.GIVEN_UP:
                raise TooMuch("The call was given up before it began.", "Ask again.")
            self._state = _State.RUNNING
        try:
            with (
                self._runs.run(self._slug) as run,
                run.cursor() as cursor,
                with_deadline(cursor, self._runs.settings.query_timeout) as self._watched,
            ):
                if self._is_stopped:
                    self._watched.stop()
                set_run(run.slug, run.run_id, run.model.catalog)
                found = self._work(run, cursor)
                set_rows(found)
                return found
        finally:
            with self._lock:
                is_left_alone, self._state = self._state is _State.GIVEN_UP, _State.ENDED
            if is_left_alone:
                anyio.from_thread.run_sync(self._runs.turns.leave, self._slug)
