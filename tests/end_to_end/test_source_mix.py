"""Several shops, several accounts, two analytics sources: all in the facts, told apart, and nothing counts twice."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from server.serving import tools
from server.serving.runs.published_runs import PublishedRuns
from tests.end_to_end.project_fixture import Project, open_project
from tests.end_to_end.small_shop import CAMPAIGNS, EVENTS, insight, order, write_jsonl

pytestmark = pytest.mark.long  # builds a tenant of two shops and accounts

SHOP = "mixed"
TENANT = """
tenants:
  - slug: mixed
    business_name: Mixed
    currency: EUR
    analytics: google_analytics
    sources:
      facebook_ads:
        enabled: true
        accounts:
          north: {read: {kind: files, objects: {campaigns: north/c*, facebook_insights: north/i*}}}
          south: {read: {kind: files, objects: {campaigns: south/c*, facebook_insights: south/i*}}}
        tables: [{name: facebook_insights, logic: {conversion_event_pattern: purchase}}]
      shopify:
        enabled: true
        accounts:
          first: {read: {kind: files, objects: {orders: first/o*}}}
          second: {read: {kind: files, objects: {orders: second/o*}}}
      woocommerce: {enabled: true, read: {kind: files, objects: {orders: woo/o*}}}
      google_analytics: {enabled: true, read: {kind: files, objects: {events: web/e*}}}
      mixpanel: {enabled: true, read: {kind: files, objects: {events: app/e*}}}
"""
WOO = {"id": 1, "status": "processing", "currency": "EUR", "total": "7.00", "date_created_gmt": "2026-03-02T10:00:00"}
TAPS = [
    {"event": "tap", "properties": {"time": 1772442000 + n, "$insert_id": f"i{n}", "distinct_id": f"app{n}"}}
    for n in range(5)
]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Both accounts and all shops use the same ids."""
    folder = tmp_path_factory.mktemp("mixed")
    for account, spend in (("north", "5.00"), ("south", "11.00")):
        write_jsonl(folder / account / "c.jsonl", CAMPAIGNS)
        write_jsonl(folder / account / "i.jsonl", [insight("1", spend)])
    write_jsonl(folder / "first/o.jsonl", [order(1, "10.00"), order(2, "20.00")])
    write_jsonl(folder / "second/o.jsonl", [order(1, "40.00")])
    write_jsonl(folder / "woo/o.jsonl", [WOO])
    write_jsonl(folder / "web/e.jsonl", EVENTS)
    write_jsonl(folder / "app/e.jsonl", TAPS)
    home = open_project(folder, TENANT)
    home.build()
    return home


def by(home: Project, metric: str, *dimensions: str) -> dict[tuple[str, ...], Decimal]:
    rows = home.ask(SHOP, metrics=[metric], dimensions=list(dimensions))["rows"]
    return {tuple(row[:-1]): row[-1] for row in rows}


def test_two_shops_and_two_accounts_are_told_apart(mixed: Project) -> None:
    assert by(mixed, "order_revenue", "shop_platform", "account") == {
        ("shopify", "first"): Decimal(30),
        ("shopify", "second"): Decimal(40),
        ("woocommerce", "main"): Decimal(7),
    }
    assert by(mixed, "orders", "account") == {("first",): 2, ("second",): 1, ("main",): 1}
    assert by(mixed, "spend", "account") == {("north",): Decimal(5), ("south",): Decimal(11)}


def test_together_they_add_up_and_nothing_counts_twice(mixed: Project) -> None:
    assert (mixed.number(SHOP, "orders"), mixed.number(SHOP, "order_revenue")) == (4, Decimal(77))
    assert (mixed.number(SHOP, "spend"), mixed.number(SHOP, "ad_conversions")) == (Decimal(16), 4)
    assert mixed.build().tenants[0].status == "unchanged"
    again = json.loads((mixed.settings.tenants.parent / "second/o.jsonl").read_text(encoding="utf-8"))
    write_jsonl(mixed.settings.tenants.parent / "second/o_again.jsonl", [again])
    mixed.build()
    assert (mixed.number(SHOP, "orders"), mixed.number(SHOP, "order_revenue")) == (4, Decimal(77))


def test_the_analytics_source_that_is_named_feeds_sessions_and_the_other_is_not_dropped_in_silence(
    mixed: Project,
) -> None:
    assert by(mixed, "sessions", "analytics_platform") == {("google_analytics",): 3}
    assert by(mixed, "events", "analytics_platform") == {("google_analytics",): len(EVENTS)}
    (report,) = mixed.build(full=True).tenants
    assert report.rows["platform_mm__mixpanel_api_v1_events"] == len(TAPS)
    said = "Sessions and events are those of google_analytics; the records of mixpanel stay in their sinks."
    assert report.findings.count(said) == 1
    runs = PublishedRuns(mixed.settings)
    try:
        with runs.run(SHOP) as run:
            assert said in tools.get_status(run)["notes"]
    finally:
        runs.close()


@pytest.mark.parametrize(
    ("without", "message"),
    [
        ("    analytics: google_analytics\n", "mixed enables 2 analytics sources: google_analytics, mixpanel"),
        ("facebook_ads", "mixed has no enabled ads source"),
    ],
)
def test_what_is_not_clear_or_missing_is_named(tmp_path: Path, without: str, message: str) -> None:
    text = (
        TENANT.replace(without, "") if without.endswith("\n") else TENANT.replace("enabled: true", "enabled: false", 1)
    )
    with pytest.raises(ConfigError, match=message):
        open_project(tmp_path, text, bare=True).build()
