"""Answers of several tenants as one: the order of their rows and their pages, for any rows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import QueryError
from semantic.planning.query import Answer, Query, read_query
from server.serving.agency_answers import TenantAnswer, merged_answer, read_tenant_cursors

SLUGS = ("alpha", "beta", "gamma")
ORDER = (("spend", True), ("name", False))
QUERY = read_query({"metrics": ["spend"], "dimensions": ["name"]})
VALUES = st.none() | st.integers(-3, 3) | st.decimals(-3, 3, places=2)
ROWS = st.lists(st.tuples(st.none() | st.sampled_from("abÄ"), VALUES), max_size=6)


def _key(row: list[Any]) -> tuple[Any, ...]:
    """The order of DuckDB: the highest spend first, then the name, what is NULL last."""
    name, spend = row
    return (spend is None, -(spend or 0), name is None, name or "")


def answer_of(
    slug: str, rows: list[list[Any]], *, offset: int = 0, limit: int = 100, query: Query = QUERY, **how: Any
) -> TenantAnswer:
    """The answer of a tenant whose star gives these rows, from an offset on."""
    unit, names = how.get("unit", "EUR"), ["name", *(["currency"] if "currency" in query.dimensions else [])]
    columns = [{"name": name, "role": "dimension", "type": "text", "unit": None} for name in names]
    columns.append({"name": "spend", "role": "metric", "type": "decimal", "unit": unit})
    page = rows[offset : offset + limit]
    answer = Answer(
        columns=tuple(columns),
        rows=tuple(page),
        row_count=len(page),
        truncated=len(rows) > offset + limit,
        limit=limit,
        cursor=None,
        time_range=None,
        time_grain=None,
        time_zone="UTC",
        filters=(),
        as_of="2026-02-28",
        run_id=f"run of {slug}",
        notes=(),
        sql=(),
    )
    return TenantAnswer(
        slug=slug,  # type: ignore[arg-type]  # a slug
        answer=answer,
        order=ORDER,
        money=frozenset({"spend"}),
        is_converted=how.get("is_converted", False),
        meanings={"spend": how.get("meaning", "What was paid.")},
        cursor=str(offset) if offset else None,
        cursor_after=lambda given: str(offset + given),
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=3), st.integers(1, 5))
def test_pages_hold_every_row_once_in_the_order_of_the_question(tenants: list[Any], limit: int) -> None:
    stars = {slug: sorted(map(list, rows), key=_key) for slug, rows in zip(SLUGS, tenants, strict=False)}
    expected = sorted(([slug, *row] for slug, rows in stars.items() for row in rows), key=lambda row: _key(row[1:]))
    seen: list[list[Any]] = []
    cursor = None
    for _ in range(20):
        at = read_tenant_cursors(cursor, list(stars))  # type: ignore[arg-type]  # slugs
        answers = [answer_of(slug, rows, offset=int(at[slug] or 0), limit=limit) for slug, rows in stars.items()]  # type: ignore[index]  # likewise
        page = merged_answer(answers, QUERY, most=limit)
        seen += page["rows"]
        assert len(page["rows"]) <= limit
        cursor = page["cursor"]
        if cursor is None:
            break
    assert seen == expected


def test_a_tie_stands_in_the_order_in_which_tenants_are_named() -> None:
    rows: list[list[Any]] = [["a", 1], ["b", 1]]
    for slugs in (("beta", "alpha"), ("alpha", "beta")):
        merged = merged_answer([answer_of(slug, rows) for slug in slugs], QUERY, most=10)
        assert [row[0] for row in merged["rows"]] == [slugs[0], slugs[1], slugs[0], slugs[1]]


def test_converted_money_meets_only_where_tenants_report_in_one_currency() -> None:
    by_currency = read_query({"metrics": ["spend"], "dimensions": ["name", "currency"]})
    rows: list[list[Any]] = [["a", "EUR", 1]]

    def both(unit: str) -> list[TenantAnswer]:
        return [
            answer_of("alpha", rows, query=by_currency, is_converted=True),
            answer_of("beta", rows, query=by_currency, unit=unit),
        ]

    assert merged_answer(both("EUR"), by_currency, most=10)["columns"][-1]["unit"] == "EUR"
    with pytest.raises(QueryError, match=r"spend is in EUR for alpha and USD for beta.*Ask for each tenant by itself"):
        merged_answer(both("USD"), by_currency, most=10)


def test_a_metric_that_tenants_describe_differently_is_named() -> None:
    answers = [answer_of("alpha", []), answer_of("beta", [], meaning="What was spent, net.")]
    assert merged_answer(answers, QUERY, most=10)["notes"] == [
        "spend is not described alike for these tenants: compare it with care."
    ]
