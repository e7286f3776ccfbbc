"""Findings of dbt's tests about records that are possible and odd: each is counted, and reported in a sentence."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import duckdb
import jinja2
import pytest

from pipeline.config.tenant import Tenant
from tests.warehouse.conftest import source
from tests.warehouse.engine_fixture import MACROS
from tests.warehouse.test_factories import AD, Row, fill
from tests.warehouse.test_payments import NOON, charge, order, purchase
from warehouse.projects.canonical_tables import AD_PERFORMANCE

DAY = 86_400
REFUND = {"transactions": [{"kind": "refund", "status": "success", "amount": "12.00", "currency": "USD"}]}
ODD = {
    "nothing_below_zero": (
        "1 rows of facebook_ads main have spend, impressions, clicks or conversions below 0 and lower the totals."
    ),
    "refunds_within_the_total": "1 orders of shopify main gave back more than they took.",
    "every_charge_status_is_known": (
        "2 charges of stripe main have the unknown status on_hold and count as having taken nothing."
    ),
    "every_purchase_has_an_id": "1 purchases of google_analytics carry no transaction id and are linked to no order.",
    "visits_of_a_day_at_most": "1 sessions of google_analytics last longer than a day.",
}


def insight(ad: str, spend: str) -> dict[str, Any]:
    return {"ad_id": ad, "campaign_id": "1", "date_start": "2026-01-20", "account_currency": "USD", "spend": spend}


def visit(user: str, seconds: int) -> list[dict[str, Any]]:
    """A page view every half hour, for so many seconds."""
    return [
        {"event_name": "page_view", "event_timestamp": (NOON + at) * 1_000_000, "user_pseudo_id": user}
        for at in (*range(0, seconds, 1_800), seconds)
    ]


@pytest.fixture(scope="module")
def star(tyrell: Callable[..., Tenant], make_hub: Callable[[], Any], build_star: Callable[..., Any]) -> Any:
    hub = make_hub()
    hub.add("facebook_ads", "facebook_insights", [insight("a1", "-3.50"), insight("a2", "0"), insight("a3", "3.50")])
    hub.add("shopify", "orders", [order(1, "10.00", refunds=[REFUND]), order(2, "12.00", refunds=[REFUND])])
    held = [charge(name, 100, status="on_hold") for name in ("ch_1", "ch_2")]
    hub.add("stripe", "charges", [*held, charge("ch_3", 100), charge("ch_4", 100, status=None)])
    hub.add("google_analytics", "events", [*visit("rests", DAY), *visit("never rests", DAY + 1)])
    hub.add("google_analytics", "events", [purchase("known", "1", 10), purchase("unknown", "(not set)", 10)])
    sources = tuple(source(name) for name in ("facebook_ads", "google_analytics", "shopify", "stripe"))
    return build_star(tyrell(sources=sources), hub)


@pytest.mark.parametrize("test", ODD)
def test_what_is_odd_is_said_with_its_count_and_its_source(star: Any, test: str) -> None:
    assert star.finding(test) == [ODD[test]]


def test_nothing_of_it_stops_the_star(star: Any) -> None:
    assert {node.status for node in star.nodes.values()} <= {"success", "pass", "warn", "no-op"}
    assert star.one("fct_ad_performance", "sum(spend)::double, count(*)") == (0, 3)
    assert star.one("fct_orders", "sum(refunded_amount)::double") == (24,)


TOTAL: Row = {"ad_id": None, "is_counted": False, "spend": 5}
PARTS: list[Row] = [AD | {"spend": 2}, AD | {"ad_id": "a2", "spend": 3}]


def found_by(test: str, *rows: Row) -> list[dict[str, Any]]:
    """The findings of a test about ad performance, of canonical rows, by column."""
    text = (MACROS / "tests" / "ad_performance.sql").read_text(encoding="utf-8")
    as_macros = re.sub(r"({%-? (?:end)?)test\b", r"\1macro", text)
    macros: Any = jinja2.Environment().from_string(as_macros).module  # SQL
    query = getattr(macros, test)("int_t__ad_performance")
    with duckdb.connect(config={"threads": 1}) as con:
        fill(con, AD_PERFORMANCE, rows)
        found = con.execute(query)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def repeated(*rows: Row) -> str | None:
    """The finding about second breakdowns, of canonical rows of one account."""
    found = found_by("one_breakdown", *rows)
    return str(found[0]["finding"]) if found else None


def about(found: dict[str, Any]) -> list[Any]:
    """What a finding is about, beside its sentence."""
    names = ("source_platform", "source_account", "records", "amount", "currency", "first_day", "last_day")
    return [str(found[name]) if name.endswith("_day") else found[name] for name in names]


def test_a_finding_about_report_rows_says_its_source_count_money_and_days() -> None:
    month = AD | {"report_date": "2026-01-01", "last_date": "2026-01-31", "is_counted": False, "currency": "EUR"}
    (long,) = found_by("rows_of_one_day", AD, month | {"spend": 2}, month | {"ad_id": "a2", "spend": 3})
    assert about(long) == ["facebook_ads", AD["source_account"], 2, 5, "EUR", "2026-01-01", "2026-01-31"]
    assert found_by("one_breakdown", AD, month) == []
    (twice,) = found_by("one_breakdown", AD, AD | {"is_counted": False, "spend": 4, "currency": "EUR"})
    assert about(twice)[2:5] == [1, 4, "EUR"]
    (mixed,) = found_by("rows_of_one_day", month | {"spend": 2}, month | {"spend": 3, "currency": "USD"})
    assert about(mixed)[2:5] == [2, None, None]
