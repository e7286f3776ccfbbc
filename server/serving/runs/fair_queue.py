"""Whose turn it is: so many calls at once for one tenant, so many for all, and a fair queue for the rest.

A tenant that floods the server waits behind its own calls; the next free place goes to the tenant that was served
longest ago.
"""

from __future__ import annotations

from collections import Counter, deque

import anyio

from pipeline.config.slug import Slug
from pipeline.errors import QueueFull


class FairQueue:
    """The places of one server. For one event loop: nothing here waits for a lock."""

    def __init__(self, of_one: int, of_all: int, waiting: int) -> None:
        """`of_one` and `of_all` calls run at once, of a tenant and altogether; `waiting` of a tenant may queue."""
        self._of_one, self._of_all, self._waiting = of_one, of_all, waiting
        self._running: Counter[Slug] = Counter()
        self._queues: dict[Slug, deque[anyio.Event]] = {}

    async def take(self, slug: Slug) -> None:
        """Wait for a place; whoever gets one gives it back with `leave`.

        Raises:
            QueueFull: As many calls of the tenant wait as may.
        """
        if slug not in self._queues and self._has_place(slug):
            self._running[slug] += 1
            return
        queue = self._queues.setdefault(slug, deque())
        if len(queue) >= self._waiting:
            raise QueueFull(
                f"{len(queue)} questions are waiting for an answer already.",
                "Wait 1 second for some of them, and ask again.",
            )
        turn = anyio.Event()
        queue.append(turn)
        try:
            await turn.wait()
        except anyio.get_cancelled_exc_class():
            if turn.is_set():
                self.leave(slug)
            else:
                self._drop(slug, turn)
            raise

    def leave(self, slug: Slug) -> None:
        """Give the place back; the next in turn gets it."""
        self._running[slug] -= 1
        if not self._running[slug]:
            del self._running[slug]
        self._serve()

    def counts(self) -> dict[str, int]:
        """How many calls run and how many wait."""
        return {"running": self._running.total(), "waiting": sum(map(len, self._queues.values()))}

    def _has_place(self, slug: Slug) -> bool:
        return self._running[slug] < self._of_one and self._running.total() < self._of_all

    def _serve(self) -> None:
        """Let the queues have the free places, one each, in the order in which they were served last."""
        while slug := next((slug for slug in self._queues if self._has_place(slug)), None):
            queue = self._queues.pop(slug)
            queue.popleft().set()
            self._running[slug] += 1
            if queue:
                self._queues[slug] = queue  # behind all others

    def _drop(self, slug: Slug, turn: anyio.Event) -> None:
        queue = self._queues[slug]
        queue.remove(turn)
        if not queue:
            del self._queues[slug]
