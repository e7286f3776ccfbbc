"""Statements as they run: within their time and memory, stopped at once, and the cursor as good as new afterwards."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from pipeline.errors import TooMuch
from semantic.answering.execute import StatementDeadline, execute, with_deadline

AT_ONCE = 60.0  # of statements that would never end, on a machine that is busy
ENDLESS = {
    "a join": "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range = -1",
    "groups": "SELECT range % 7777777 AS g, count(*) FROM range(1000000000) GROUP BY g ORDER BY 2 DESC, 1 LIMIT 5",
    "a window": "SELECT max(r) FROM (SELECT row_number() OVER (PARTITION BY i % 9 ORDER BY s) AS r FROM many)",
    "distinct": "SELECT i % 3, count(DISTINCT s || i) FROM many GROUP BY 1",
    "the highest": "SELECT s, i FROM many, range(1000) ORDER BY s DESC, i LIMIT 101",
}


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    path = tmp_path_factory.mktemp("execute") / "many.duckdb"
    with duckdb.connect(path, config={"threads": 2, "memory_limit": "512MB"}) as made:
        made.execute("CREATE TABLE many AS SELECT range AS i, 'text ' || hash(range) AS s FROM range(3000000)")
        yield made


def again_and_again(cursor: duckdb.DuckDBPyConnection) -> None:
    while True:
        execute(cursor, "SELECT count(*) FROM range(1000)", {})


@contextmanager
def stopped_after(
    cursor: duckdb.DuckDBPyConnection, seconds: float, seen: list[float | None] | None = None
) -> Iterator[None]:
    """A call that another thread stops, and looks at until then; 0 seconds: before its first statement."""

    def look_on(call: StatementDeadline) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(0.02)
            if seen is not None:
                seen.append(call.progress())
        call.stop()

    with with_deadline(cursor, 60) as call:
        looking = threading.Thread(target=look_on, args=(call,))
        looking.start()
        if not seconds:
            looking.join()
        yield
        looking.join()


@pytest.mark.parametrize("statement", ENDLESS.values(), ids=ENDLESS)
def test_a_statement_over_its_time_is_stopped_at_once_and_the_cursor_works_on(
    connection: duckdb.DuckDBPyConnection, statement: str
) -> None:
    cursor = connection.cursor()
    began = time.monotonic()
    with pytest.raises(TooMuch, match=r"within 0\.2 seconds.*Ask for a shorter time range"), with_deadline(cursor, 0.2):
        execute(cursor, statement, {})
    assert time.monotonic() - began < 0.2 + AT_ONCE
    with with_deadline(cursor, 30):
        assert execute(cursor, "SELECT $x + 1", {"x": 41}) == [(42,)]


def test_the_time_is_that_of_all_statements_together(connection: duckdb.DuckDBPyConnection) -> None:
    cursor = connection.cursor()
    with pytest.raises(TooMuch), with_deadline(cursor, 0.3):
        again_and_again(cursor)


def test_another_thread_stops_what_runs_and_what_would_run_next(connection: duckdb.DuckDBPyConnection) -> None:
    cursor = connection.cursor()
    began = time.monotonic()
    with pytest.raises(TooMuch, match="stopped by its caller"), stopped_after(cursor, 0.1):
        again_and_again(cursor)
    assert time.monotonic() - began < 0.1 + AT_ONCE


def test_a_call_stopped_before_its_first_statement_does_not_run_it_to_the_end(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    cursor = connection.cursor()
    began = time.monotonic()
    with pytest.raises(TooMuch), stopped_after(cursor, 0):
        execute(cursor, ENDLESS["a join"], {})
    assert time.monotonic() - began < AT_ONCE


def test_a_caller_can_stop_a_statement_through_its_cursor(connection: duckdb.DuckDBPyConnection) -> None:
    cursor = connection.cursor()
    threading.Timer(0.1, cursor.interrupt).start()
    with pytest.raises(TooMuch), with_deadline(cursor, 60):
        execute(cursor, ENDLESS["a join"], {})


def test_a_stop_after_the_end_does_not_reach_the_next_call(connection: duckdb.DuckDBPyConnection) -> None:
    cursor = connection.cursor()
    with with_deadline(cursor, 60) as first:
        execute(cursor, "SELECT 1", {})
    first.stop()
    with with_deadline(cursor, 60):
        for _ in range(50):
            assert execute(cursor, "SELECT count(*) FROM range(10000)", {}) == [(10000,)]


def test_many_calls_over_their_time_are_each_stopped_and_no_other_is(connection: duckdb.DuckDBPyConnection) -> None:
    ended: list[str] = []

    def ask(seconds: float, work: Callable[[duckdb.DuckDBPyConnection], object]) -> None:
        cursor = connection.cursor()
        try:
            with with_deadline(cursor, seconds):
                work(cursor)
            ended.append("answered")
        except TooMuch:
            ended.append("stopped")

    calls = [(0.2, lambda cursor: execute(cursor, ENDLESS["a join"], {}))] * 4
    calls += [(60, lambda cursor: execute(cursor, "SELECT count(DISTINCT i) FROM many", {}))] * 4
    threads = [threading.Thread(target=ask, args=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == ["answered"] * 4 + ["stopped"] * 4


def test_a_handle_says_how_far_a_statement_is(connection: duckdb.DuckDBPyConnection) -> None:
    cursor = connection.cursor()
    seen: list[float | None] = []
    with pytest.raises(TooMuch), stopped_after(cursor, 0.3, seen):
        execute(cursor, ENDLESS["the highest"], {})
    assert len(seen) >= 5
    assert all(done is None or 0 <= done <= 100 for done in seen)


@pytest.mark.parametrize("spill", ["0KB", "1MB"])
def test_a_statement_that_needs_too_much_memory_says_how_to_ask_for_less(tmp_path: Path, spill: str) -> None:
    room = {"memory_limit": "40MB", "threads": 1, "temp_directory": str(tmp_path), "max_temp_directory_size": spill}
    with duckdb.connect(config=room) as tight:
        cursor = tight.cursor()
        with (
            pytest.raises(TooMuch, match=r"more memory than it may have\..*fewer dimensions"),
            with_deadline(cursor, 60),
        ):
            execute(cursor, "SELECT range % 3, list(range || 'x') FROM range(3000000) GROUP BY 1", {})
        assert execute(cursor, "SELECT 1", {}) == [(1,)]
