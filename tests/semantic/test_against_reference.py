"""Random rows and random questions: the engine says what plain Python over the rows says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from semantic.models import Model
from semantic.query import Query, read_query
from semantic.run import run
from tests.semantic import reference
from tests.semantic.hand_star import SLUG, TODAY, HandStar, hand_shop

FIRST = date(2026, 1, 1)
DAYS = st.integers(0, 100).map(lambda n: FIRST + timedelta(days=n))
MONEY = st.integers(0, 10_000).map(lambda cents: Decimal(cents) / 100)
SOURCES = st.sampled_from(["google", "(direct)", "newsletter", None])
PLATFORMS = st.sampled_from(["facebook_ads", "google_ads", None])
CAMPAIGNS = st.sampled_from(["k1", "k2", "k3", "k4", None])
COUNTRIES = st.sampled_from(["DE", "FR", None])

ADS = st.fixed_dictionaries(
    {
        "report_date": DAYS,
        "campaign_key": CAMPAIGNS,
        "campaign_id": st.sampled_from(["1", "2", None]),
        "source_platform": st.sampled_from(["facebook_ads", "google_ads"]),
        "spend": st.one_of(st.none(), MONEY),
        "impressions": st.integers(0, 1000),
        "clicks": st.integers(0, 50),
        "conversions": st.one_of(st.none(), st.integers(0, 9).map(float)),
    }
)
VISITS = st.fixed_dictionaries(
    {
        "session_date": DAYS,
        "user_key": st.sampled_from(["u1", "u2", "u3", "u9"]),
        "session_revenue": MONEY,
        "traffic_source": SOURCES,
        "ad_platform": PLATFORMS,
        "campaign_key": CAMPAIGNS,
        "attribution": st.sampled_from(["matched", "ambiguous", "none"]),
        "geo_country": COUNTRIES,
        "is_conversion_session": st.booleans(),
    }
)
ORDERS = st.fixed_dictionaries(
    {
        "order_date": DAYS,
        "total_price": MONEY,
        "customer_key": st.sampled_from(["c1", "c2", "c3", None]),
        "is_valid": st.booleans(),
        "campaign_key": CAMPAIGNS,
        "user_key": st.sampled_from(["u1", "u2", None]),
        "traffic_source": SOURCES,
        "ad_platform": PLATFORMS,
    }
)
EVENTS = st.fixed_dictionaries(
    {
        "event_date": DAYS,
        "event_name": st.just("page_view"),
        "session_id": st.sampled_from(["sessions-1", "sessions-2", None]),
        "user_key": st.sampled_from(["u1", None]),
        "traffic_source": SOURCES,
        "geo_country": COUNTRIES,
    }
)
METRICS = [*reference.BASE, *reference.RATIOS]
FILTERS = st.one_of(
    st.fixed_dictionaries(
        {"name": st.just("traffic_source"), "op": st.sampled_from(["=", "!="]), "value": st.just("google")}
    ),
    st.fixed_dictionaries(
        {
            "name": st.just("ad_platform"),
            "op": st.sampled_from(["in", "not_in"]),
            "value": st.just(["facebook_ads", "google_ads"]),
        }
    ),
    st.fixed_dictionaries({"name": st.just("campaign_name"), "op": st.sampled_from(["is_null", "is_not_null"])}),
    st.fixed_dictionaries(
        {"name": st.just("campaign_name"), "op": st.sampled_from(["contains", "starts_with"]), "value": st.just("AL")}
    ),
    st.fixed_dictionaries({"name": st.just("is_customer"), "op": st.just("="), "value": st.booleans()}),
    st.fixed_dictionaries(
        {"name": st.just("date"), "op": st.sampled_from([">", "<=", "!="]), "value": st.just("2026-02-01")}
    ),
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(["spend", "sessions", "roas", "orders"]),
            "op": st.sampled_from([">", "<", "=", "!="]),
            "value": st.just(1),
        }
    ),
)
QUESTIONS = st.fixed_dictionaries(
    {
        "metrics": st.lists(st.sampled_from(METRICS), min_size=1, max_size=3, unique=True),
        "dimensions": st.lists(st.sampled_from(list(reference.DIMENSIONS)), max_size=2, unique=True),
        "filters": st.lists(FILTERS, max_size=2),
        "time_range": st.sampled_from([None, {"start": "2026-01-15", "end": "2026-02-14"}, {"start": "2026-02-01"}]),
        "grain": st.sampled_from(["day", "week", "month", "quarter", "year"]),
    }
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HandStar]:
    shop = hand_shop(tmp_path_factory.mktemp("reference"))
    assert shop.model
    yield shop
    shop.close()


@st.composite
def stars(draw: st.DrawFn) -> dict[str, list[dict[str, Any]]]:
    return {
        "ad_performance": draw(st.lists(ADS, max_size=12)),
        "sessions": draw(st.lists(VISITS, max_size=12)),
        "orders": draw(st.lists(ORDERS, max_size=8)),
        "events": draw(st.lists(EVENTS, max_size=6)),
    }


def read(question: dict[str, Any]) -> Query:
    sent = {name: value for name, value in question.items() if name != "grain"}
    if "date" in question["dimensions"] and not any(f["name"] == "date" for f in question["filters"]):
        sent["time_grain"] = question["grain"]
    return read_query(sent)


def connect(
    made: HandStar, rows: dict[str, list[dict[str, Any]]], folder: Path
) -> tuple[duckdb.DuckDBPyConnection, reference.Rows]:
    """The rows in memory, in the tables of the hand-written shop; what is not random is as it was."""
    star = HandStar(folder)
    for table in ("campaigns", "users", "products", "order_items"):
        star.rows[table] = made.rows[table]
    for table, given in rows.items():
        star.add(table, *given)
    connection = duckdb.connect(":memory:")
    star.fill(connection)
    return connection, star.rows


def same(ours: Any, theirs: Any) -> bool:
    if ours is None or theirs is None:
        return ours is theirs
    return (
        ours == theirs if isinstance(theirs, int) else float(ours) == pytest.approx(float(theirs), rel=1e-9, abs=1e-9)
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=stars(), question=QUESTIONS)
def test_every_answer_is_what_plain_python_gives(
    made: HandStar, folder: Path, rows: dict[str, list[dict[str, Any]]], question: dict[str, Any]
) -> None:
    query = read(question)
    used = [*query.metrics, *(f.name for f in query.filters if f.name not in reference.DIMENSIONS)]
    cuts = [*query.dimensions, *(f.name for f in query.filters if f.name in reference.DIMENSIONS)]
    assume(reference.go_together(used, cuts))
    connection, all_rows = connect(made, rows, folder)
    answer = run(query, made.model, connection, today=TODAY)
    width = len(query.dimensions)
    ours = {tuple(row[:width]): dict(zip(query.metrics, row[width:], strict=True)) for row in answer.rows}
    theirs = {
        tuple(part.isoformat() if isinstance(part, date) else part for part in key): values
        for key, values in reference.answer(query, all_rows).items()
    }
    assert ours.keys() == theirs.keys()
    for key, values in theirs.items():
        for metric, value in values.items():
            assert same(ours[key][metric], value), (key, metric, ours[key][metric], value)
