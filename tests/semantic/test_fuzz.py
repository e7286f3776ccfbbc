"""Whatever a caller sends, it gets an answer or a sentence that names the repair, and never an unfiltered number."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import QueryError
from semantic.query import Answer
from tests.semantic.hand_star import HandStar

WORDS = st.sampled_from(
    [
        *("spend", "roas", "customers", "sessions", "campaign_name", "date", "ad_platform", "is_customer", "currency"),
        *("month", "day", "=", "in", "between", "contains", "2026-01-01", "last_month", "previous_period", "running"),
        *("' OR 1=1 --", "$start", "\x01p0\x01", '"', ";drop table x", "é\u202e", "", "-spend", "NULL", "google_ads"),
    ]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
METRICS = st.sampled_from(["spend", "roas", "customers", "sessions", "orders", "ctr"])
CUTS = st.sampled_from(["campaign_name", "date", "ad_platform", "is_customer", "currency", "account"])
DAYS = st.sampled_from(["2026-01-01", "2026-02-28", "2026-03-31", "1970-01-01", "2200-12-31", "0001-01-01"])
FILTER = st.fixed_dictionaries(
    {"name": METRICS | CUTS},
    optional={
        "op": st.sampled_from(["=", "!=", ">", "<=", "in", "not_in", "contains", "starts_with", "is_null", "between"]),
        "value": ANYTHING | st.lists(WORDS, max_size=3) | st.decimals(allow_nan=False).map(str),
    },
)
NEARLY = st.fixed_dictionaries(
    {"metrics": st.lists(METRICS, min_size=1, max_size=2, unique=True)},
    optional={
        "dimensions": st.lists(CUTS, max_size=2, unique=True),
        "time_grain": st.sampled_from(["day", "week", "month", "quarter", "year"]),
        "time_range": st.fixed_dictionaries({}, optional={"start": DAYS, "end": DAYS})
        | st.sampled_from(["last_month"]),
        "filters": st.lists(FILTER, max_size=2),
        "compare": st.sampled_from(["previous_period", "previous_year"]),
        "cumulative": st.fixed_dictionaries(
            {"metric": METRICS},
            optional={"kind": st.sampled_from(["running", "rolling", "year_to_date"]), "days": st.integers(-1, 4000)},
        ),
        "share_of_total": st.lists(METRICS, max_size=1),
        "totals": st.booleans(),
        "top": st.fixed_dictionaries({"by": METRICS}, optional={"n": st.integers(0, 5), "other": st.booleans()}),
        "order_by": st.lists(st.sampled_from(["spend", "-roas", "date", "is_total"]), max_size=2),
        "limit": st.integers(-1, 20_000),
    },
)
WILD = st.dictionaries(
    st.sampled_from(["metrics", "dimensions", "filters", "time_range", "limit", "top", "cursor", "where", "order_by"]),
    ANYTHING,
    max_size=4,
)


def answered(shop: HandStar, question: dict[str, Any]) -> Answer | QueryError:
    try:
        return shop.ask(**question)
    except QueryError as refused:
        return refused


@settings(max_examples=150, deadline=None)
@given(NEARLY)
def test_a_question_that_is_nearly_right_is_answered_or_repaired(shop: HandStar, question: dict[str, Any]) -> None:
    got = answered(shop, question)
    if isinstance(got, QueryError):
        assert got.what
        assert got.fix
        assert len(str(got)) < 3000
    else:
        assert got.row_count == len(got.rows)
        assert all(len(row) == len(got.columns) for row in got.rows)
        assert len(got.filters) == len(question.get("filters", []))


@settings(max_examples=300, deadline=None)
@given(WILD)
def test_nonsense_is_repaired(shop: HandStar, question: dict[str, Any]) -> None:
    got = answered(shop, question)
    assert not isinstance(got, QueryError) or got.fix
