"""Random rows for the facts of a star, and the hand-written shop's dimension tables beside them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import strategies as st

from semantic.query import Answer, Query
from semantic.run import run
from tests.semantic import reference
from tests.semantic.hand_star import TODAY, HandStar

FIRST = date(2026, 1, 1)
DAYS = st.integers(0, 100).map(lambda n: FIRST + timedelta(days=n))
MONEY = st.integers(0, 10_000).map(lambda cents: Decimal(cents) / 100)
SOURCES = st.sampled_from(["google", "(direct)", "newsletter", None])
PLATFORMS = st.sampled_from(["facebook_ads", "google_ads", None])
CAMPAIGNS = st.sampled_from(["k1", "k2", "k3", "k4", None])
COUNTRIES = st.sampled_from(["DE", "FR", None])

_ADS = st.fixed_dictionaries(
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
_VISITS = st.fixed_dictionaries(
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
_ORDERS = st.fixed_dictionaries(
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
_EVENTS = st.fixed_dictionaries(
    {
        "event_date": DAYS,
        "event_name": st.just("page_view"),
        "session_id": st.sampled_from(["sessions-1", "sessions-2", None]),
        "user_key": st.sampled_from(["u1", None]),
        "traffic_source": SOURCES,
        "geo_country": COUNTRIES,
    }
)

STARS = st.fixed_dictionaries(
    {
        "ad_performance": st.lists(_ADS, max_size=12),
        "sessions": st.lists(_VISITS, max_size=12),
        "orders": st.lists(_ORDERS, max_size=8),
        "events": st.lists(_EVENTS, max_size=6),
    }
)


class RandomStar:
    """A star in memory, whose facts are other ones for every example; the rest is as in the hand-written shop."""

    def __init__(self, shop: HandStar, folder: Path) -> None:
        self.model = shop.model
        self.star = HandStar(folder)
        self.star.rows |= {name: shop.rows[name] for name in ("campaigns", "users", "products", "order_items")}
        self.connection = duckdb.connect(":memory:", config={"threads": 1})
        self.star.fill(self.connection)

    def fill(self, rows: dict[str, list[dict[str, Any]]]) -> reference.Rows:
        for table, added in rows.items():
            self.star.rows[table] = []
            self.star.add(table, *added)
            self.star.refill(self.connection, table)
        return self.star.rows

    def ask(self, query: Query) -> Answer:
        return run(query, self.model, self.connection, today=TODAY)

    def keyed(self, query: Query) -> dict[tuple[Any, ...], dict[str, Any]]:
        """The rows of an answer by their dimensions."""
        answer = self.ask(query)
        names = [str(column["name"]) for column in answer.columns]
        width = len(query.dimensions)
        return {tuple(row[:width]): dict(zip(names[width:], row[width:], strict=True)) for row in answer.rows}


def same(ours: Any, theirs: Any) -> bool:
    """Whether two values are one; doubles may differ in their last digits."""
    if ours is None or theirs is None:
        return ours is theirs
    if isinstance(theirs, int):
        return bool(ours == theirs)
    return bool(float(ours) == pytest.approx(float(theirs), rel=1e-9, abs=1e-9))
