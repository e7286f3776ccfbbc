"""Calls on published runs: in turn, within the deadline, stopped by their handle, 32 at once without an error."""

from __future__ import annotations

import time
from contextlib import closing

import anyio
import duckdb
import pytest

from pipeline.errors import QueueFull, TooMuch
from semantic.planning.query import read_query
from server.serving import tools
from server.serving.runs.published_runs import OpenRun, PublishedRuns
from server.serving.runs.run_call import Call, run_call
from tests.server.published_fixture import PublishedHome

pytestmark = pytest.mark.anyio

ENDLESS = "select count(*) from range(1000000) a, range(1000000) b where a.range + b.range = -1"


def endless(_: OpenRun, cursor: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return cursor.execute(ENDLESS).fetchall()


def quick(_: OpenRun, cursor: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return cursor.execute("select 1").fetchall()


async def test_a_call_is_stopped_by_its_handle_and_the_run_answers_on(world: PublishedHome) -> None:
    calls: list[Call[list[tuple[object, ...]]]] = []

    async def stop_soon() -> None:
        await anyio.sleep(0.2)
        assert calls[0].progress() is None or 0 <= (calls[0].progress() or 0) <= 100
        calls[0].stop()

    with closing(PublishedRuns(world.settings)) as runs:
        began = time.monotonic()
        async with anyio.create_task_group() as group:
            group.start_soon(stop_soon)
            with pytest.raises(TooMuch, match="stopped by its caller"):
                await run_call(runs, "alpha", endless, on_start=calls.append)
        assert time.monotonic() - began < 0.7
        assert await run_call(runs, "alpha", quick) == [(1,)]


async def test_a_call_stopped_before_it_begins_ends_at_once(world: PublishedHome) -> None:
    with closing(PublishedRuns(world.settings)) as runs:
        began = time.monotonic()
        with pytest.raises(TooMuch):
            await run_call(runs, "alpha", endless, on_start=Call.stop)
        assert time.monotonic() - began < 5


async def test_cancelled_calls_give_their_places_back(world: PublishedHome) -> None:
    tight = world.settings.model_copy(update={"query_slots": 1})
    with closing(PublishedRuns(tight)) as runs:
        for seconds in (0.0, 0.001, 0.01, 0.1):
            with anyio.move_on_after(seconds):
                await run_call(runs, "alpha", endless)
        with anyio.fail_after(5):
            assert await run_call(runs, "alpha", quick) == [(1,)]


async def test_the_caller_is_free_at_the_deadline_even_when_the_work_does_not_listen(world: PublishedHome) -> None:
    tight = world.settings.model_copy(update={"query_timeout": 0.1, "query_slots": 1})

    def deaf(_: OpenRun, cursor: duckdb.DuckDBPyConnection) -> None:
        time.sleep(1.5)  # stands for the end of a large sort, which DuckDB does not interrupt

    with closing(PublishedRuns(tight)) as runs:
        began = time.monotonic()
        with pytest.raises(TooMuch, match=r"within 0\.1 seconds"):
            await run_call(runs, "alpha", deaf)
        assert time.monotonic() - began < 1.2
        with pytest.raises(TooMuch, match="not this call's turn"):
            await run_call(runs, "alpha", quick)  # the place is taken as long as the work goes on
        await anyio.sleep(1)
        assert await run_call(runs, "alpha", quick) == [(1,)]


async def test_a_tenant_that_floods_does_not_keep_another_waiting(world: PublishedHome) -> None:
    tight = world.settings.model_copy(update={"query_slots": 2, "query_queue": 5, "query_timeout": 3})
    with closing(PublishedRuns(tight)) as runs:
        refused: list[str] = []

        async def flood() -> None:
            try:
                await run_call(runs, "alpha", endless)
            except QueueFull as error:
                refused.append(str(error))

        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(flood)
            await anyio.sleep(0.2)
            assert len(refused) == 3
            with anyio.fail_after(1):
                assert await run_call(runs, "beta", quick) == [(1,)]
            group.cancel_scope.cancel()


async def test_thirty_two_questions_in_flight_are_all_answered(world: PublishedHome) -> None:
    answers: dict[int, object] = {}
    with closing(PublishedRuns(world.settings)) as runs:

        async def one(n: int) -> None:
            day = f"2026-01-{1 + n % 31:02}"
            query = {"metrics": ["spend", "roas"], "dimensions": ["campaign_name"], "time_range": {"start": day}}
            asked = read_query(query | {"limit": 10 + n})
            answer = await run_call(runs, "alpha", lambda run, cursor: tools.query(run, asked, cursor, world.settings))
            answers[n] = [row[1] for row in answer.rows if row[1]]

        async with anyio.create_task_group() as group:
            for n in range(32):
                group.start_soon(one, n)
    for n, spends in answers.items():
        expected = world.sql(
            "alpha",
            "select sum(spend) from fct_alpha__ad_performance "
            f"where report_date >= '2026-01-{1 + n % 31:02}' group by campaign_key order by 1 desc",
        )
        assert spends == [row[0] for row in expected]
    assert len(answers) == 32
