"""Fair per-tenant queue: limits concurrent calls per tenant and overall; the rest wait.

A tenant that floods the server waits behind its own calls; the next free slot goes to the tenant served longest ago.
"""

from __future__ import annotations

from collections import Counter, deque

import anyio

from pipeline.config.slug import Slug
from pipeline.errors import QueueFull


class FairQueue:
    """The slots of one server. For one event loop: no method waits for a lock."""

    def __init__(self, per_tenant: int, overall: int, waiting: int) -> None:
        """At most `per_tenant` calls of a tenant and `overall` calls run at once; `waiting` of a tenant may queue."""
        self._per_tenant, self._overall, self._waiting = per_tenant, overall, waiting
        self._running: Counter[Slug] = Counter()
        self._queues: dict[Slug, deque[anyio.Event]] = {}

    async def acquire(self, slug: Slug) -> None:
        """Wait for a slot; the caller returns it with `release`.

        Raises:
            QueueFull: The most calls of the tenant are waiting already.
        """
        if slug not in self._queues and self._has_slot(slug):
            self._running[slug] += 1
            return
        queue = self._queues.setdefault(slug, deque())
        if len(queue) >= self._waiting:
            raise QueueFull(
                f"{len(queue)} questions are waiting for an answer already.",
                "Wait 1 second for some of them, and ask again.",
            )
        granted = anyio.Event()
        queue.append(granted)
        try:
            await granted.wait()
        except anyio.get_cancelled_exc_class():
            if granted.is_set():
                self.release(slug)
            else:
                self._drop(slug, granted)
            raise

    def release(self, slug: Slug) -> None:
        """Return a slot; the next waiting call gets it."""
        self._running[slug] -= 1
        if not self._running[slug]:
            del self._running[slug]
        self._serve()

    def counts(self) -> dict[str, int]:
        """The numbers of running and waiting calls."""
        return {"running": self._running.total(), "waiting": sum(map(len, self._queues.values()))}

    def _has_slot(self, slug: Slug) -> bool:
        return self._running[slug] < self._per_tenant and self._running.total() < self._overall

    def _serve(self) -> None:
        """Assign the free slots to the queues, one each, least recently served tenant first."""
        while slug := next((slug for slug in self._queues if self._has_slot(slug)), None):
            queue = self._queues.pop(slug)
            queue.popleft().set()
            self._running[slug] += 1
            if queue:
                self._queues[slug] = queue  # behind all others

    def _drop(self, slug: Slug, granted: anyio.Event) -> None:
        queue = self._queues[slug]
        queue.remove(granted)
        if not queue:
            del self._queues[slug]
