"""Calls on published runs: in turn, within the deadline, stopped by their handle, 32 at once without an error."""

from __future__ import annotations

import threading
from contextlib import closing, suppress

import anyio
import duckdb
import pytest

from pipeline.errors import QueueFull, TooMuch
from semantic.planning.query import read_query
from server.serving import tools
from server.serving.runs.open_run import OpenRun
from server.serving.runs.published_runs import PublishedRuns
from server.serving.runs.run_call import Call, run_call
from tests.server.published_fixture import PublishedHome

pytestmark = pytest.mark.anyio

ENDLESS = "select count(*) from range(1000000) a, range(1000000) b where a.range + b.range = -1"


def endless(_: OpenRun, cursor: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return cursor.execute(ENDLESS).fetchall()


def quick(_: OpenRun, cursor: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return cursor.execute("select 1").fetchall()


async def test_a_call_is_stopped_by_its_handle_and_the_run_answers_on(home: PublishedHome) -> None:
    calls: list[Call[list[tuple[object, ...]]]] = []
    has_begun = anyio.Event()

    def begin(call: Call[list[tuple[object, ...]]]) -> None:
        calls.append(call)
        has_begun.set()

    async def stop_soon() -> None:
        await has_begun.wait()
        await anyio.sleep(0.2)  # the statement has begun, if the machine is not busy
        assert calls[0].progress() is None or 0 <= (calls[0].progress() or 0) <= 100
        calls[0].stop()

    with closing(PublishedRuns(home.settings)) as runs:
        async with anyio.create_task_group() as group:
            group.start_soon(stop_soon)
            with pytest.raises(TooMuch, match="stopped by its caller"):
                await run_call(runs, "alpha", endless, on_start=begin)
        assert await run_call(runs, "alpha", quick) == [(1,)]


async def test_a_call_stopped_before_it_begins_ends_at_once(home: PublishedHome) -> None:
    with closing(PublishedRuns(home.settings)) as runs, pytest.raises(TooMuch, match="stopped by its caller"):
        await run_call(runs, "alpha", endless, on_start=Call.stop)


async def test_cancelled_calls_give_their_places_back(home: PublishedHome) -> None:
    tight = home.settings.model_copy(update={"query_slots": 1})
    with closing(PublishedRuns(tight)) as runs:
        for seconds in (0.0, 0.001, 0.01, 0.1):
            with anyio.move_on_after(seconds):
                await run_call(runs, "alpha", endless)
        with anyio.fail_after(tight.query_timeout):
            assert await run_call(runs, "alpha", quick) == [(1,)]


async def test_the_caller_is_free_at_the_deadline_even_when_the_work_does_not_listen(home: PublishedHome) -> None:
    tight = home.settings.model_copy(update={"query_timeout": 0.1, "query_slots": 1})

    ended = threading.Event()

    def deaf(_: OpenRun, cursor: duckdb.DuckDBPyConnection) -> None:
        ended.wait(120)  # stands for the end of a large sort, which DuckDB does not interrupt

    with closing(PublishedRuns(tight)) as runs:
        with pytest.raises(TooMuch, match=r"within 0\.1 seconds"):
            await run_call(runs, "alpha", deaf)
        with pytest.raises(TooMuch, match="not this call's turn"):
            await run_call(runs, "alpha", quick)  # the place is taken as long as the work goes on
        ended.set()
        answers: list[object] = []
        with anyio.fail_after(120):
            while not answers:
                with suppress(TooMuch):  # a tenth of a second is short on a busy machine
                    answers.append(await run_call(runs, "alpha", quick))
        assert answers == [[(1,)]]


async def test_a_tenant_that_floods_does_not_keep_another_waiting(home: PublishedHome) -> None:
    tight = home.settings.model_copy(update={"query_slots": 2, "query_queue": 5, "query_timeout": 600})
    with closing(PublishedRuns(tight)) as runs:
        refused: list[str] = []
        is_full = anyio.Event()

        async def flood() -> None:
            try:
                await run_call(runs, "alpha", endless)
            except QueueFull as error:
                refused.append(str(error))
                if len(refused) == 3:
                    is_full.set()

        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(flood)
            with anyio.fail_after(120):
                await is_full.wait()
                assert await run_call(runs, "beta", quick) == [(1,)]
            group.cancel_scope.cancel()


async def test_thirty_two_questions_in_flight_are_all_answered(home: PublishedHome) -> None:
    answers: dict[int, object] = {}
    with closing(PublishedRuns(home.settings)) as runs:

        async def one(n: int) -> None:
            day = f"2026-01-{1 + n % 31:02}"
            query = {"metrics": ["spend", "roas"], "dimensions": ["campaign_name"], "time_range": {"start": day}}
            asked = read_query(query | {"limit": 10 + n})
            answer = await run_call(runs, "alpha", lambda run, cursor: tools.query(run, asked, cursor, home.settings))
            answers[n] = [row[1] for row in answer.rows if row[1]]

        async with anyio.create_task_group() as group:
            for n in range(32):
                group.start_soon(one, n)
    for n, spends in answers.items():
        expected = home.sql(
            "alpha",
            "select sum(spend) from fct_alpha__ad_performance "
            f"where report_date >= '2026-01-{1 + n % 31:02}' group by campaign_key order by 1 desc",
        )
        assert spends == [row[0] for row in expected]
    assert len(answers) == 32
