"""Rate limits per token: calls per minute, concurrent calls, open event streams.

A token bucket holds a minute's calls and refills evenly, so that a burst passes and a flood does not. The counts are
per process; with several workers each counts for itself. The user of a stdio server has no limit: the operating system
has authenticated the user, and the queue of `server.serving.runs.fair_queue` limits every caller.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pipeline.errors import QueueFull

MOST_BUCKETS = 10_000
"""Beyond this count full buckets are dropped: they belong to tokens without a call in the last minute."""


class RateLimits:
    """The limits of every token. For one event loop: no method waits."""

    def __init__(
        self, *, per_minute: int, at_once: int, streams: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """0 means no limit."""
        self._per_minute, self._at_once, self._streams = per_minute, at_once, streams
        self._clock = clock
        self._full_at: dict[str, float] = {}
        """The time when each bucket is full again: the whole state of a bucket that refills evenly."""
        self._under_way: Counter[str] = Counter()
        self._open: Counter[str] = Counter()

    def take(self, token_id: str) -> None:
        """Take one call out of the token's bucket.

        Raises:
            QueueFull: It is empty; names the seconds until it is not.
        """
        if not self._per_minute:
            return
        now, interval = self._clock(), 60 / self._per_minute
        full_at = max(now, self._full_at.get(token_id, now)) + interval
        if full_at - now > 60 + interval / 2:  # half a call of tolerance: sums of fractions are not exact
            wait = math.ceil(full_at - now - 60)
            raise _queue_full(f"This token has asked {self._per_minute} times in a minute, which is its limit.", wait)
        self._full_at[token_id] = full_at
        if len(self._full_at) > MOST_BUCKETS:
            self._full_at = {name: moment for name, moment in self._full_at.items() if moment > now}

    @contextmanager
    def call(self, token_id: str) -> Iterator[None]:
        """Take one call out of the bucket, and one of the concurrent calls, for the length of the block.

        Raises:
            QueueFull: None is left.
        """
        self._check_limit(token_id, self._under_way, self._at_once, "calls under way")
        self.take(token_id)
        with _counting(token_id, self._under_way):
            yield

    @contextmanager
    def stream(self, token_id: str) -> Iterator[None]:
        """Take one call out of the bucket, and one of the open event streams, for the length of the block.

        Raises:
            QueueFull: None is left.
        """
        self._check_limit(token_id, self._open, self._streams, "event streams open")
        self.take(token_id)
        with _counting(token_id, self._open):
            yield

    def _check_limit(self, token_id: str, counter: Counter[str], limit: int, what: str) -> None:
        if limit and counter[token_id] >= limit:
            raise _queue_full(f"This token has {limit} {what}, which is its limit.", 1)


@contextmanager
def _counting(token_id: str, counter: Counter[str]) -> Iterator[None]:
    counter[token_id] += 1
    try:
        yield
    finally:
        counter[token_id] -= 1
        if not counter[token_id]:
            del counter[token_id]


def _queue_full(what: str, seconds: int) -> QueueFull:
    unit = "second" if seconds == 1 else "seconds"
    return QueueFull(f"Busy: {what}", f"Ask again in {seconds} {unit}.", retry_after_seconds=seconds)
