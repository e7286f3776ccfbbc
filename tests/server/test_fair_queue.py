"""Fair queue: a flood of one tenant waits behind itself, the queue is bounded, a slot is never lost."""

from __future__ import annotations

import anyio
import pytest

from pipeline.errors import QueueFull
from server.serving.runs.fair_queue import FairQueue

pytestmark = pytest.mark.anyio


class Crowd:
    """Calls that take a slot and note it; each keeps its slot until its event is set."""

    def __init__(self, queue: FairQueue) -> None:
        self.queue = queue
        self.served: list[str] = []

    async def call(self, slug: str, done: anyio.Event) -> None:
        await self.queue.acquire(slug)
        self.served.append(slug)
        await done.wait()
        self.queue.release(slug)


async def test_so_many_of_a_tenant_run_at_once_and_so_many_of_all() -> None:
    crowd, done = Crowd(FairQueue(per_tenant=2, overall=3, waiting=10)), anyio.Event()
    async with anyio.create_task_group() as group:
        for slug in ("a", "a", "a", "b", "b", "c"):
            group.start_soon(crowd.call, slug, done)
        await anyio.wait_all_tasks_blocked()
        assert sorted(crowd.served) == ["a", "a", "b"]
        done.set()
    assert sorted(crowd.served) == ["a", "a", "a", "b", "b", "c"]


async def test_a_tenant_that_floods_does_not_starve_another() -> None:
    crowd, releases = Crowd(FairQueue(per_tenant=4, overall=4, waiting=100)), [anyio.Event() for _ in range(44)]
    async with anyio.create_task_group() as group:
        for done in releases[:40]:
            group.start_soon(crowd.call, "flood", done)
        await anyio.wait_all_tasks_blocked()
        for done in releases[40:]:
            group.start_soon(crowd.call, "shop", done)
        await anyio.wait_all_tasks_blocked()
        assert crowd.served == ["flood"] * 4
        for done in releases[:8]:  # in the order in which they are served: every other place is the shop's
            done.set()
            await anyio.wait_all_tasks_blocked()
        assert crowd.served[4:10].count("shop") == 3
        for done in releases:
            done.set()
    assert crowd.served.count("flood") == 40
    assert crowd.served.count("shop") == 4


async def test_a_full_queue_is_said_at_once_and_only_to_the_tenant_that_filled_it() -> None:
    crowd, done = Crowd(FairQueue(per_tenant=1, overall=4, waiting=2)), anyio.Event()
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(crowd.call, "flood", done)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(QueueFull, match=r"^2 questions are waiting.*ask again\.$"):
            await crowd.queue.acquire("flood")
        await crowd.queue.acquire("shop")
        crowd.queue.release("shop")
        done.set()


async def test_who_gives_up_waiting_leaves_the_queue() -> None:
    queue = FairQueue(per_tenant=1, overall=1, waiting=1)
    await queue.acquire("shop")
    for _ in range(3):
        with anyio.move_on_after(0.01):
            await queue.acquire("shop")
    with anyio.move_on_after(0.01):
        await queue.acquire("other")
    queue.release("shop")
    with anyio.fail_after(60):
        await queue.acquire("other")
        queue.release("other")
        await queue.acquire("shop")


async def test_a_place_given_to_somebody_who_has_just_gone_goes_on_to_the_next() -> None:
    queue = FairQueue(per_tenant=1, overall=1, waiting=5)
    await queue.acquire("shop")
    crowd, done = Crowd(queue), anyio.Event()
    done.set()
    async with anyio.create_task_group() as group:
        scope = anyio.CancelScope()

        async def impatient() -> None:
            with scope:
                await queue.acquire("shop")
                try:
                    await anyio.sleep_forever()
                finally:
                    queue.release("shop")

        group.start_soon(impatient)
        await anyio.wait_all_tasks_blocked()
        group.start_soon(crowd.call, "shop", done)
        await anyio.wait_all_tasks_blocked()
        queue.release("shop")
        scope.cancel()
    assert crowd.served == ["shop"]
    with anyio.fail_after(60):
        await queue.acquire("shop")
