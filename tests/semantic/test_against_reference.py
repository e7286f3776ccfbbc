"""Random catalogs, rows and questions: the engine says what plain Python over the rows says, row by row, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import duckdb
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.errors import QueryError
from semantic.planning.query import Answer, Query, read_query
from tests.semantic import reference
from tests.semantic.examples import examples
from tests.semantic.questions import questions
from tests.semantic.random_catalog import Catalog, ask, catalogs
from tests.semantic.random_star import COVERAGE, DIMENSIONS, MEASURES, NUMBERS, STARS, Covered, RandomStar, same, truth
from tests.semantic.reference import GroundTruth

Rows = dict[str, list[dict[str, Any]]]
Ask = Callable[[Query], Answer]
ADDED_UP = sorted(name for name, measure in MEASURES.items() if measure.adds_up)


@pytest.fixture(scope="module")
def memory() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        yield connection


def check(question: dict[str, Any], truth: GroundTruth, ask: Ask, page: int | None = None) -> None:
    """The answer is the reference's, or both refuse; with `page`, put together from pages of so many rows."""
    query = read_query(question)
    reason = reference.may_refuse(query, truth)
    if reason is not None:
        with pytest.raises(QueryError):
            ask(query)
        return
    rows, total = reference.answer(query, truth)
    got = ask(query)
    names = [str(column["name"]) for column in got.columns]
    expected = [*rows, *([total] if total is not None else [])]
    assert [list(row) for row in expected] == [names] * len(expected)
    ours = [dict(zip(names, row, strict=True)) for row in got.rows]
    assert len(ours) == len(expected), (ours, expected)
    for one, other in zip(ours, expected, strict=True):
        for name in names:
            theirs = str(other[name]) if isinstance(other[name], date) else other[name]
            assert _is(one[name], theirs), (name, one, other)
    if page is not None and len(rows) <= PAGED:
        assert _paged(question, ask, page, has_totals=total is not None) == list(got.rows)


PAGED = 12
"""Longer answers are not asked for page by page."""


def _paged(question: dict[str, Any], ask: Ask, page: int, *, has_totals: bool) -> list[list[Any]]:
    """The rows of all pages, and the row of totals that each of them ends with."""
    rows: list[list[Any]] = []
    totals: list[list[Any]] = []
    cursor = None
    while cursor is not None or not rows:
        answer = ask(read_query({**question, "limit": page, "cursor": cursor}))
        rows += answer.rows[:-1] if has_totals else answer.rows
        totals = [answer.rows[-1]] if has_totals else []
        cursor = answer.cursor
        if not answer.rows or cursor is None:
            break
    return [*rows, *totals]


def _is(ours: Any, theirs: Any) -> bool:
    if isinstance(theirs, str | bool) or theirs is None:
        return ours is theirs or bool(ours == theirs and type(ours) is type(theirs))
    return ours is not None and same(ours, theirs)


@examples(120)
@given(rows=STARS, data=st.data())
def test_the_standard_metrics_are_what_plain_python_gives(star: RandomStar, rows: Rows, data: st.DataObject) -> None:
    meant = truth(star.filled(rows))
    question = data.draw(questions(meant, NUMBERS), label="question")
    page = data.draw(st.sampled_from([None, None, 1, 3]), label="page")
    star.write(rows)
    check(question, meant, star.ask, page=page)


@examples(150)
@given(rows=STARS, covered=COVERAGE, data=st.data())
def test_what_no_source_covers_is_unknown_and_comparisons_are_of_like_days(
    star: RandomStar, rows: Rows, covered: Covered, data: st.DataObject
) -> None:
    meant = replace(truth(star.filled(rows)), covered=covered, platforms={"ad_performance": "ad_platform"})
    question = data.draw(questions(meant, NUMBERS), label="question")
    assume("cumulative" not in question)
    if "date" in question["dimensions"] and not question.get("totals") and data.draw(st.booleans(), label="row before"):
        assume(not any(each["name"] == "date" for each in question["filters"]))
        question["compare"] = "row_before"
    if "compare" in question:
        question["align"] = data.draw(st.sampled_from(["to_date", "to_date", "whole"]), label="align")
    star.write(rows)
    check(question, meant, lambda query: star.ask_covered(query, covered))


@examples(50)
@given(
    rows=STARS,
    metric=st.sampled_from(["spend", "ctr", "roas"]),
    by=st.sampled_from([[], ["ad_platform"]]),
    kind=st.sampled_from(["running", "month_to_date", "year_to_date", "rolling"]),
    days=st.sampled_from([2, 5]),
    fill_gaps=st.booleans(),
)
def test_what_is_added_up_along_the_date_is_the_sum_of_those_days(
    star: RandomStar, rows: Rows, metric: str, by: list[str], kind: str, days: int, fill_gaps: bool
) -> None:
    cumulative = {"metric": metric, "kind": kind, **({"days": days} if kind == "rolling" else {})}
    question = {
        "metrics": [metric],
        "dimensions": ["date", *by],
        "time_range": {"start": "2026-02-01", "end": "2026-03-05"},
        "cumulative": cumulative,
        "fill_gaps": fill_gaps,
        "limit": 10_000,
    }
    check(question, truth(star.fill(rows)), star.ask)


@given(rows=STARS, metric=st.sampled_from(ADDED_UP), by=st.sampled_from(sorted(DIMENSIONS)))
@examples(30)
def test_groups_of_a_metric_that_adds_up_add_up_to_its_total(
    star: RandomStar, rows: Rows, metric: str, by: str
) -> None:
    assume(truth({}).go_together([metric], [by]))
    star.fill(rows)
    groups = star.ask(read_query({"metrics": [metric], "dimensions": [by], "limit": 10_000}))
    [[whole]] = star.ask(read_query({"metrics": [metric]})).rows
    assert same(sum(row[1] for row in groups.rows if row[1] is not None), whole or 0)


@examples(70)
@given(catalog=catalogs(), data=st.data())
def test_any_catalog_is_answered_as_plain_python_answers_it(
    memory: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory, catalog: Catalog, data: st.DataObject
) -> None:
    catalog.fill(memory)
    model = catalog.load(tmp_path_factory.getbasetemp() / "made_up")
    for _ in range(2):
        question = data.draw(questions(catalog.truth, catalog.numbers), label="question")
        check(question, catalog.truth, lambda query: ask(model, memory, query))
