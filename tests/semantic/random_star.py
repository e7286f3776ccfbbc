"""Random rows for the facts of a star, and the hand-written shop's dimension tables beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import strategies as st

from semantic.answering.run_query import run_query
from semantic.catalog.coverage import SourceCoverage
from semantic.catalog.day_set import DaySet
from semantic.planning.query import Answer, Query
from tests.semantic import reference
from tests.semantic.hand_star import TODAY, HandStar
from tests.semantic.reference import GroundTruth, Measure, own, via

FIRST = date(2026, 1, 1)
DAYS = (st.integers(26, 45) | st.integers(0, 100)).map(lambda n: FIRST + timedelta(days=n))
MONEY = st.integers(0, 10_000).map(lambda cents: Decimal(cents) / 100)
SOURCES = st.sampled_from(["google", "(direct)", "newsletter", None])
PLATFORMS = st.sampled_from(["facebook_ads", "google_ads", None])
NAMES = st.sampled_from(["Alpha", "Beta", None])
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
        "campaign_name": NAMES,
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
        "campaign_name": NAMES,
        "user_key": st.sampled_from(["u1", "u2", None]),
        "traffic_source": SOURCES,
        "ad_platform": PLATFORMS,
        "geo_country": COUNTRIES,
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


MEASURES = {
    "spend": Measure("ad_performance", reference.total("spend")),
    "clicks": Measure("ad_performance", reference.total("clicks")),
    "impressions": Measure("ad_performance", reference.total("impressions")),
    "ad_conversions": Measure("ad_performance", reference.total("conversions")),
    "orders": Measure("orders", reference.count()),
    "valid_orders": Measure("orders", reference.count(lambda row: row["is_valid"])),
    "order_revenue": Measure("orders", reference.total("total_price", lambda row: row["is_valid"])),
    "customers": Measure("orders", reference.distinct("customer_key", lambda row: row["is_valid"]), None),
    "units_sold": Measure("order_items", reference.total("quantity", lambda row: row["is_valid"])),
    "sessions": Measure("sessions", reference.count()),
    "converting_sessions": Measure("sessions", reference.count(lambda row: row["is_conversion_session"])),
    "session_revenue": Measure("sessions", reference.total("session_revenue")),
    "attributed_revenue": Measure(
        "sessions", reference.total("session_revenue", lambda row: row["attribution"] != "none")
    ),
    "session_users": Measure("sessions", reference.distinct("user_key"), None),
    "events": Measure("events", reference.count()),
}


def _among(name: str, column: str) -> reference.Among:
    """A sum over the rows that say both spend and conversions: the shop has ads that report none."""

    def says_both(row: dict[str, Any]) -> bool:
        return row["spend"] is not None and row["conversions"] is not None

    return reference.Among(name, Measure("ad_performance", reference.total(column, says_both)))


FORMULAS = {
    "ctr": ("/", "clicks", "impressions"),
    "cpm": ("*", ("/", "spend", "impressions"), 1000),
    "cost_per_conversion": ("/", _among("spend", "spend"), _among("ad_conversions", "conversions")),
    "average_order_value": ("/", "order_revenue", "valid_orders"),
    "conversion_rate": ("/", "converting_sessions", "sessions"),
    "roas": ("/", "attributed_revenue", "spend"),
    "blended_roas": ("/", "order_revenue", "spend"),
    "cac": ("/", "spend", "converting_sessions"),
}
DAYS_OF = {
    "ad_performance": "report_date",
    "orders": "order_date",
    "order_items": "order_date",
    "sessions": "session_date",
    "events": "event_date",
}
_CAMPAIGN = {name: via("campaign_key", "campaigns", "campaign_key", name) for name in ("campaign_name", "campaign_id")}
_CUSTOMER = via("user_key", "users", "user_key", "is_customer")


def _of_order(read: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return via("order_key", "orders", "order_key", read)


def _of_session(read: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return via("session_id", "sessions", "session_id", read)


def _of_day(part: Callable[[date], Any]) -> dict[str, Callable[[Any, Any], Any]]:
    """A part of the day of each fact's rows."""
    return {fact: lambda row, rows, at=column: part(row[at]) for fact, column in DAYS_OF.items()}


WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ORDINALS: dict[str, tuple[Any, ...]] = {
    "day_of_week": WEEKDAYS,
    "week_of_year": tuple(range(1, 54)),
    "month_of_year": tuple(range(1, 13)),
}
DIMENSIONS: dict[str, dict[str, Callable[[Any, Any], Any]]] = {
    "date": {fact: own(column) for fact, column in DAYS_OF.items()},
    "day_of_week": _of_day(lambda day: WEEKDAYS[day.weekday()]),
    "is_weekend": _of_day(lambda day: day.weekday() >= 5),
    "week_of_year": _of_day(lambda day: day.isocalendar().week),
    "month_of_year": _of_day(lambda day: day.month),
    "ad_platform": {
        "ad_performance": own("source_platform"),
        **dict.fromkeys(("sessions", "orders"), own("ad_platform")),
        "order_items": _of_order(own("ad_platform")),
        "events": _of_session(own("ad_platform")),
    },
    "campaign_name": {
        "ad_performance": _CAMPAIGN["campaign_name"],
        **dict.fromkeys(("sessions", "orders"), own("campaign_name")),
        "order_items": _of_order(own("campaign_name")),
        "events": _of_session(own("campaign_name")),
    },
    "campaign_id": {
        "ad_performance": own("campaign_id"),
        **dict.fromkeys(("sessions", "orders"), _CAMPAIGN["campaign_id"]),
        "order_items": _of_order(_CAMPAIGN["campaign_id"]),
        "events": _of_session(_CAMPAIGN["campaign_id"]),
    },
    "traffic_source": {
        **dict.fromkeys(("sessions", "orders", "events"), own("traffic_source")),
        "order_items": _of_order(own("traffic_source")),
    },
    "geo_country": {
        **dict.fromkeys(("sessions", "orders", "events"), own("geo_country")),
        "order_items": _of_order(own("geo_country")),
    },
    "is_customer": {
        **dict.fromkeys(("sessions", "orders", "events"), _CUSTOMER),
        "order_items": _of_order(_CUSTOMER),
    },
    "product_name": {"order_items": via("product_key", "products", "product_key", "product_name")},
}
FLAGS = frozenset({"is_customer", "is_weekend"})
NUMBERS = ("spend", "clicks", "sessions", "orders", "customers", "order_revenue")
"""Metrics that filters name: counts and sums, whose values are exact."""


COSTS = frozenset({"spend"})


def truth(rows: reference.Rows) -> GroundTruth:
    """What the standard metrics and dimensions mean, over these rows."""
    return GroundTruth(rows, DAYS_OF, MEASURES, FORMULAS, DIMENSIONS, flags=FLAGS, ordinals=ORDINALS, costs=COSTS)


Covered = dict[str, dict[str | None, frozenset[date]]]
"""By fact and platform, the covered days."""


def _days(first: int, length: int, hole: int) -> frozenset[date]:
    numbers = (number for number in range(first, first + length) if number != first + hole)
    return frozenset(FIRST + timedelta(days=number) for number in numbers)


_COVERED_DAYS = st.builds(_days, st.integers(-40, 60), st.integers(1, 90), st.integers(-1, 60))
COVERAGE: st.SearchStrategy[Covered] = st.fixed_dictionaries(
    {
        "ad_performance": st.fixed_dictionaries({"facebook_ads": _COVERED_DAYS, "google_ads": _COVERED_DAYS}),
        **{
            fact: st.fixed_dictionaries({None: _COVERED_DAYS})
            for fact in ("sessions", "orders", "events", "order_items", "refunds")
        },
    }
)
"""Days that sources cover, of which some have holes."""


class RandomStar:
    """A star in memory, whose facts are other ones for every example; the rest is as in the hand-written shop."""

    def __init__(self, shop: HandStar, folder: Path) -> None:
        self.model = shop.model
        self.star = HandStar(folder)
        self.star.rows |= {name: shop.rows[name] for name in ("campaigns", "users", "products", "order_items")}
        self.connection = duckdb.connect(":memory:", config={"threads": 1})
        self.star.fill(self.connection)

    def fill(self, rows: dict[str, list[dict[str, Any]]]) -> reference.Rows:
        found = self.filled(rows)
        self.write(rows)
        return found

    def filled(self, rows: dict[str, list[dict[str, Any]]]) -> reference.Rows:
        """All rows of the star with these in place of those of their tables, not written yet."""
        for table, added in rows.items():
            self.star.rows[table] = []
            self.star.add(table, *added)
        return dict(self.star.rows)

    def write(self, tables: Iterable[str]) -> None:
        for table in tables:
            self.star.refill(self.connection, table)

    def ask(self, query: Query) -> Answer:
        return run_query(query, self.model, self.connection, today=TODAY)

    def ask_covered(self, query: Query, covered: Covered) -> Answer:
        """Answer where only these days are covered."""
        coverage = tuple(
            SourceCoverage(
                fact=fact, platform=name, account=None if name is None else "main", days=DaySet.of_days(days)
            )
            for fact, sources in covered.items()
            for name, days in sources.items()
        )
        facts = {
            name: replace(fact, first_date=FIRST, last_date=FIRST + timedelta(days=100))
            for name, fact in self.model.catalog.facts.items()
        }
        model = replace(self.model, catalog=replace(self.model.catalog, coverage=coverage, facts=facts))
        return run_query(query, model, self.connection, today=TODAY)


def same(ours: Any, theirs: Any) -> bool:
    """Whether two values are one; doubles may differ in their last digits."""
    if ours is None or theirs is None:
        return ours is theirs
    if isinstance(theirs, int):
        return bool(ours == theirs)
    return bool(float(ours) == pytest.approx(float(theirs), rel=1e-9, abs=1e-9))
