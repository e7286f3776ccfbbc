"""Whose turn it is: a flood of one tenant waits behind itself, the queue is bounded, a place is never lost."""

from __future__ import annotations

import anyio
import pytest

from pipeline.errors import QueueFull
from server.serving.runs.fair_queue import FairQueue

pytestmark = pytest.mark.anyio


class Crowd:
    """Calls that take a turn and note it; each keeps its place until it is told to go."""

    def __init__(self, turns: FairQueue) -> None:
        self.turns = turns
        self.served: list[str] = []

    async def call(self, slug: str, done: anyio.Event) -> None:
        await self.turns.acquire(slug)
        self.served.append(slug)
        await done.wait()
        self.turns.release(slug)


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
    crowd, turns = Crowd(FairQueue(per_tenant=4, overall=4, waiting=100)), [anyio.Event() for _ in range(44)]
    async with anyio.create_task_group() as group:
        for done in turns[:40]:
            group.start_soon(crowd.call, "flood", done)
        await anyio.wait_all_tasks_blocked()
        for done in turns[40:]:
            group.start_soon(crowd.call, "shop", done)
        await anyio.wait_all_tasks_blocked()
        assert crowd.served == ["flood"] * 4
        for done in turns[:8]:  # in the order in which they are served: every other place is the shop's
            done.set()
            await anyio.wait_all_tasks_blocked()
        assert crowd.served[4:10].count("shop") == 3
        for done in turns:
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
            await crowd.turns.acquire("flood")
        await crowd.turns.acquire("shop")
        crowd.turns.release("shop")
        done.set()


async def test_who_gives_up_waiting_leaves_the_queue() -> None:
    turns = FairQueue(per_tenant=1, overall=1, waiting=1)
    await turns.acquire("shop")
    for _ in range(3):
        with anyio.move_on_after(0.01):
            await turns.acquire("shop")
    with anyio.move_on_after(0.01):
        await turns.acquire("other")
    turns.release("shop")
    with anyio.fail_after(60):
        await turns.acquire("other")
        turns.release("other")
        await turns.acquire("shop")


async def test_a_place_given_to_somebody_who_has_just_gone_goes_on_to_the_next() -> None:
    turns = FairQueue(per_tenant=1, overall=1, waiting=5)
    await turns.acquire("shop")
    crowd, done = Crowd(turns), anyio.Event()
    done.set()
    async with anyio.create_task_group() as group:
        scope = anyio.CancelScope()

        async def impatient() -> None:
            with scope:
                await turns.acquire("shop")
                try:
                    await anyio.sleep_forever()
                finally:
                    turns.release("shop")

        group.start_soon(impatient)
        await anyio.wait_all_tasks_blocked()
        group.start_soon(crowd.call, "shop", done)
        await anyio.wait_all_tasks_blocked()
        turns.release("shop")
        scope.cancel()
    assert crowd.served == ["shop"]
    with anyio.fail_after(60):
        await turns.acquire("shop")
