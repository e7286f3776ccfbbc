"""The answer cache: hits for the same question at the same state of all inputs, and none after a change."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import TooMuch, UnknownName
from pipeline.publish.run_store import move_pointer_back
from pipeline.settings import Settings
from semantic.planning.query import Answer, read_query
from server.serving import tools
from server.serving.runs.answer_cache import AnswerCache, AnswerKey, size_of
from server.serving.runs.published_runs import PublishedRuns
from tests.server.published_fixture import DAYS, PublishedHome


@pytest.fixture
def settings(fresh_home: PublishedHome) -> Settings:
    return fresh_home.settings


@pytest.fixture
def runs(settings: Settings) -> Iterator[PublishedRuns]:
    with closing(PublishedRuns(settings)) as runs:
        yield runs


def ask(runs: PublishedRuns, settings: Settings | None = None, **query: Any) -> Answer:
    with runs.run("alpha") as run, run.cursor() as cursor:
        return tools.query(run, read_query(query), cursor, settings or runs.settings)


def spend(runs: PublishedRuns) -> Decimal:
    (row,) = ask(runs, metrics=["spend"]).rows
    return Decimal(row[0])


def expected(a_day: int) -> Decimal:
    return 3 * a_day * DAYS + 2 * DAYS * Decimal("0.000001")


def test_the_same_question_is_answered_once(runs: PublishedRuns) -> None:
    first = ask(runs, metrics=["spend"], dimensions=["date"])
    assert ask(runs, metrics=["spend"], dimensions=["date"]) is first
    assert ask(runs, metrics=["spend"], dimensions=["date"], limit=5) is not first
    assert ask(runs, metrics=["spend"], dimensions=["date"], include_sql=True).sql


def test_values_that_python_holds_equal_are_different_questions(runs: PublishedRuns) -> None:
    query: dict[str, Any] = {"metrics": ["orders"], "dimensions": ["campaign_id"]}
    ask(runs, **query, filters=[{"name": "campaign_id", "op": "!=", "value": 1}])
    with pytest.raises(Exception, match="is text"):
        ask(runs, **query, filters=[{"name": "campaign_id", "op": "!=", "value": True}])


def test_a_publish_and_a_rollback_are_seen_by_the_next_question(
    fresh_home: PublishedHome, runs: PublishedRuns, settings: Settings
) -> None:
    assert spend(runs) == expected(10)
    fresh_home.publish("alpha", spend=20)
    assert spend(runs) == expected(20)
    move_pointer_back(settings.published("alpha"), None, now=datetime.now(UTC))
    assert spend(runs) == expected(10)


def test_no_answer_is_stale_while_runs_are_published_and_asked_at_once(
    fresh_home: PublishedHome, runs: PublishedRuns, settings: Settings
) -> None:
    """Whoever asks after a publish has returned gets that run or a later one, never what was kept before."""
    lowest, stop, stale = [10], threading.Event(), []

    def keep_asking() -> None:
        while not stop.is_set():
            at_least = lowest[0]
            found = spend(runs)
            if found < expected(at_least):
                stale.append((at_least, found))

    threads = [threading.Thread(target=keep_asking) for _ in range(3)]
    for thread in threads:
        thread.start()
    for a_day in (20, 30, 40):
        fresh_home.publish("alpha", spend=a_day)
        lowest[0] = a_day
        assert spend(runs) == expected(a_day)
    stop.set()
    for thread in threads:
        thread.join()
    assert stale == []


def test_a_column_withdrawn_is_gone_from_kept_answers(runs: PublishedRuns, settings: Settings) -> None:
    query: dict[str, Any] = {"metrics": ["orders"], "dimensions": ["customer_email"]}
    assert ask(runs, **query).row_count > 1
    text = settings.tenants.read_text(encoding="utf-8")
    settings.tenants.write_text(text.replace("[customer_email]", "[]"), encoding="utf-8")
    with pytest.raises(UnknownName):
        ask(runs, **query)


def test_a_range_by_name_is_that_of_the_day_it_is_asked_on(runs: PublishedRuns, settings: Settings) -> None:
    query: dict[str, Any] = {"metrics": ["spend"], "time_range": "last_7_days"}
    first = ask(runs, **query)
    later = ask(runs, settings.model_copy(update={"today": date(2026, 2, 1)}), **query)
    assert (first.time_range, later.time_range) == (
        {"start": "2026-02-22", "end": "2026-02-28"},
        {"start": "2026-01-25", "end": "2026-01-31"},
    )


def test_no_more_rows_than_the_setting_says(runs: PublishedRuns, settings: Settings) -> None:
    few = settings.model_copy(update={"query_rows": 50})
    with pytest.raises(TooMuch, match='Write "limit": 50, and send the cursor'):
        ask(runs, few, metrics=["spend"], dimensions=["date"], limit=51)
    assert ask(runs, few, metrics=["spend"], dimensions=["date"], limit=50).truncated


def key(n: int, slug: str = "alpha") -> AnswerKey:
    return AnswerKey(slug, "run", "digest", frozenset(), date(2026, 1, 1), from_rollups=True, query=f"{n}")


def answer(rows: int) -> Answer:
    listed = tuple([f"campaign {n}", Decimal(n), n * 1.5] for n in range(rows))
    return Answer(
        columns=(),
        rows=listed,
        row_count=rows,
        truncated=False,
        limit=100,
        cursor=None,
        time_range=None,
        time_grain=None,
        time_zone="UTC",
        filters=(),
        as_of=None,
        run_id="run",
        notes=(),
        sql=(),
    )


def test_the_room_is_bounded_in_bytes_and_the_least_used_leaves_first() -> None:
    one = size_of(answer(100)) + 2
    kept = AnswerCache(10 * one)
    for n in range(30):
        kept.put(key(n), answer(100))
        assert kept.bytes <= 10 * one
        kept.get(key(0))
    assert kept.get(key(0)) is not None
    assert kept.get(key(29)) is not None
    assert kept.get(key(5)) is None


def test_one_large_answer_does_not_drive_out_all_others() -> None:
    kept = AnswerCache(8 * size_of(answer(100)))
    kept.put(key(1), answer(10))
    kept.put(key(2), answer(200))
    assert kept.get(key(1)) is not None
    assert kept.get(key(2)) is None


def test_a_size_is_at_least_what_the_rows_take() -> None:
    assert size_of(answer(1000)) > 1000 * 3 * 24


def test_what_one_tenant_has_kept_is_dropped_alone() -> None:
    kept = AnswerCache(1_000_000)
    kept.put(key(1), answer(1))
    kept.put(key(1, "beta"), answer(1))
    kept.forget("alpha")
    assert kept.get(key(1)) is None
    assert kept.get(key(1, "beta")) is not None
    kept.forget("beta")
    assert kept.bytes == 0


def test_without_room_nothing_is_kept(settings: Settings, tmp_path: Path) -> None:
    with closing(PublishedRuns(settings.model_copy(update={"answer_cache": "0MB"}))) as runs:
        assert ask(runs, metrics=["spend"]) is not ask(runs, metrics=["spend"])
