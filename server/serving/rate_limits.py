"""How much one token may ask: calls in a minute, calls under way, event streams held open.

A bucket per token holds a minute's calls and refills evenly, so that a burst is fine and a flood is not. The numbers
are those of one process; with several workers each counts for itself. The user of a stdio server has no limit: the
operating system has let them in, and the queue of `server.serving.runs.fair_queue` holds for everybody.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pipeline.errors import QueueFull

MOST_BUCKETS = 10_000
"""From so many on the full buckets are dropped: who has not asked for a minute is remembered by nothing."""


class RateLimits:
    """The limits of every token. For one event loop: nothing here waits."""

    def __init__(
        self, *, per_minute: int, at_once: int, streams: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """0 is no limit."""
        self._per_minute, self._at_once, self._streams = per_minute, at_once, streams
        self._clock = clock
        self._full_at: dict[str, float] = {}
        """When each bucket will be full again: all that is to know about a bucket that refills evenly."""
        self._under_way: Counter[str] = Counter()
        self._open: Counter[str] = Counter()

    def take(self, token_id: str) -> None:
        """Take one call out of the token's bucket.

        Raises:
            QueueFull: It is empty; says when it is not.
        """
        if not self._per_minute:
            return
        now, each = self._clock(), 60 / self._per_minute
        full_at = max(now, self._full_at.get(token_id, now)) + each
        if full_at - now > 60 + each / 2:  # half a call: what is added up in fractions is never exact
            wait = math.ceil(full_at - now - 60)
            raise _busy(f"This token has asked {self._per_minute} times in a minute, which is its limit.", wait)
        self._full_at[token_id] = full_at
        if len(self._full_at) > MOST_BUCKETS:
            self._full_at = {name: moment for name, moment in self._full_at.items() if moment > now}

    @contextmanager
    def call(self, token_id: str) -> Iterator[None]:
        """One call out of the bucket, and one of those that may be under way.

        Raises:
            QueueFull: There are none.
        """
        self._see_room(token_id, self._under_way, self._at_once, "calls under way")
        self.take(token_id)
        with _counted(token_id, self._under_way):
            yield

    @contextmanager
    def stream(self, token_id: str) -> Iterator[None]:
        """One call out of the bucket, and one of the event streams that may be open.

        Raises:
            QueueFull: There are none.
        """
        self._see_room(token_id, self._open, self._streams, "event streams open")
        self.take(token_id)
        with _counted(token_id, self._open):
            yield

    def _see_room(self, token_id: str, counted: Counter[str], limit: int, what: str) -> None:
        if limit and counted[token_id] >= limit:
            raise _busy(f"This token has {limit} {what}, which is its limit.", 1)


@contextmanager
def _counted(token_id: str, counted: Counter[str]) -> Iterator[None]:
    counted[token_id] += 1
    try:
        yield
    finally:
        counted[token_id] -= 1
        if not counted[token_id]:
            del counted[token_id]


def _busy(what: str, seconds: int) -> QueueFull:
    unit = "second" if seconds == 1 else "seconds"
    return QueueFull(f"Busy: {what}", f"Ask again in {seconds} {unit}.", retry_after_seconds=seconds)
