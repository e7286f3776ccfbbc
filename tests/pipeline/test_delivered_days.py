"""The days that landed deliveries cover, and what they make of the coverage of a star."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

import pytest

from pipeline.config.tenants_file import load_tenants
from pipeline.ingest.deliveries.day_spans import joined_spans
from pipeline.ingest.deliveries.delivered_days import DeliveredDays
from semantic.catalog.coverage import SourceCoverage
from semantic.catalog.day_set import DaySet
from semantic.definitions.derive_coverage import derive_coverage
from tests.pipeline.landing_fixture import CATALOG, LandingFixture
from tests.semantic.hand_star import HandStar

MARCH = {number: date(2026, 3, number) for number in range(1, 32)}


def insights(*days: int) -> str:
    rows = [
        {"account_id": "1", "campaign_id": "7", "date_start": f"{MARCH[n]}", "date_stop": f"{MARCH[n]}"}
        | {"spend": "1.5", "impressions": "10", "clicks": "1", "account_currency": "USD"}
        for n in days
    ]
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def orders(*days: int) -> str:
    rows = [
        {"id": n, "created_at": f"{MARCH[n]}T12:00:00Z", "updated_at": f"{MARCH[n]}T12:00:00Z", "currency": "USD"}
        | {"total_price": "5.00", "financial_status": "paid", "line_items": []}
        for n in days
    ]
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def test_a_file_covers_the_days_from_its_first_to_its_last_row_and_a_missing_file_is_a_hole(tmp_path: Path) -> None:
    landing = LandingFixture(tmp_path)
    landing.write("ads_1.jsonl", insights(1, 3))
    landing.write("ads_2.jsonl", insights(6))
    [ads] = landing.land(facebook_insights="ads_*.jsonl").delivered
    assert (ads.platform, ads.account, ads.object) == ("facebook_ads", "main", "facebook_insights")
    assert ads.covered == ((MARCH[1], MARCH[3]), (MARCH[6], MARCH[6]))
    assert not ads.is_dated


def test_a_delivery_that_says_its_days_covers_these_also_without_rows(tmp_path: Path) -> None:
    landing = LandingFixture(tmp_path)
    landing.write("ads.jsonl", insights(2))
    manifest = {"files": ["ads.jsonl"], "covers": {"from": "2026-03-01", "to": "2026-03-05"}}
    landing.write("ads_MANIFEST.json", json.dumps(manifest | {"exported_at": "2026-03-06T08:00:00Z"}))
    [ads] = landing.land(facebook_insights="ads.jsonl").delivered
    assert ads.covered == ((MARCH[1], MARCH[5]),)
    assert (ads.is_dated, ads.delivered_at) == (True, datetime(2026, 3, 6, 8))  # noqa: DTZ001  # UTC, as everywhere in the hub


def test_records_cover_no_days_of_their_own_and_say_how_often_they_are_delivered(tmp_path: Path) -> None:
    landing = LandingFixture(tmp_path)
    for n in (3, 10, 17):
        landing.write(f"orders_2026-03-{n:02}.jsonl", orders(n - 1))
    [found] = landing.land(orders="orders_*.jsonl", exported_at=r"orders_(\d{4}-\d{2}-\d{2})").delivered
    assert (found.covered, found.every_days, found.delivered_at.date()) == (None, 7, MARCH[17])


def test_spans_that_touch_are_one() -> None:
    assert joined_spans([(MARCH[4], MARCH[5]), (MARCH[1], MARCH[3]), (MARCH[9], MARCH[9])]) == (
        (MARCH[1], MARCH[5]),
        (MARCH[9], MARCH[9]),
    )


def covered(star: HandStar, *delivered: DeliveredDays) -> dict[tuple[str, str | None], SourceCoverage]:
    stars, tables = star.write() / "stars.duckdb", star.tables.values()
    return {(each.fact, each.platform): each for each in derive_coverage(star.tenant, stars, delivered, tables)}


def delivered(platform: str, object_: str, at: str, *spans: tuple[date, date], is_dated: bool = True) -> DeliveredDays:
    return DeliveredDays(
        platform=platform,
        account="main",
        object=object_,
        covered=spans or None,
        delivered_at=datetime.fromisoformat(at),
        is_dated=is_dated,
    )


@pytest.fixture
def star(tmp_path: Path) -> HandStar:
    sources = LandingFixture(tmp_path).tenant().sources
    star = HandStar(tmp_path / "star", sources=sources, timezone="America/New_York")
    star.add("orders", {"order_date": MARCH[2]}, {"order_date": MARCH[4]})
    star.add("ad_performance", {"report_date": MARCH[3], "spend": 1})
    return star


def test_orders_are_covered_to_the_day_before_their_delivery_in_the_tenants_zone(star: HandStar) -> None:
    found = covered(star, delivered("shopify", "orders", "2026-03-09T03:00:00"))  # the evening of the 8th in New York
    assert found["orders", "shopify"].days == DaySet.of([(MARCH[2], MARCH[7])])
    assert not found["orders", "shopify"].is_by_records


def test_orders_without_a_time_of_delivery_are_covered_to_the_last_one(star: HandStar) -> None:
    found = covered(star, delivered("shopify", "orders", "2026-03-20T00:00:00", is_dated=False))
    assert found["orders", "shopify"].days == DaySet.of([(MARCH[2], MARCH[4])])
    assert found["orders", "shopify"].is_by_records


def test_other_objects_of_a_source_cover_nothing(star: HandStar) -> None:
    campaigns = delivered("facebook_ads", "campaigns", "2026-03-20T00:00:00")
    reports = delivered("facebook_ads", "facebook_insights", "2026-03-06T00:00:00", (MARCH[1], MARCH[5]))
    found = covered(star, campaigns, reports)
    assert found["ad_performance", "facebook_ads"].days == DaySet.of([(MARCH[1], MARCH[5])])
    assert found["ad_performance", "facebook_ads"].delivered_on == MARCH[6]


def test_rows_of_which_no_delivery_is_known_are_covered_as_far_as_they_go(star: HandStar) -> None:
    assert covered(star)["orders", "shopify"].days == DaySet.of([(MARCH[2], MARCH[4])])


def test_a_source_says_its_last_day_in_tenants_yaml(tmp_path: Path) -> None:
    head = "tenants:\n  - slug: acme\n    business_name: Acme\n    status: pending\n"
    text = f"{head}    sources:\n      shopify:\n        ended: 2026-02-15\n"
    (tmp_path / "tenants.yaml").write_text(text, encoding="utf-8")
    [tenant] = load_tenants(tmp_path / "tenants.yaml", CATALOG).tenants
    assert [source.ended for source in tenant.sources if source.platform == "shopify"] == [date(2026, 2, 15)]
