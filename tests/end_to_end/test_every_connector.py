"""Every connector in one pass (S09): all objects land, all sinks fill, and the facts are what the raw files say.

The raw side is hand-written SQL on the generated files, as vendors would send them: the right report of each platform,
in its own units, the newest version of what came twice (tests/pipeline/raw_shop.py).
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import duckdb
import pytest
import yaml

from pipeline.storage.ops import Ops
from tests.end_to_end.three_stores import DAYS, ROOT, STORES, TWIN_SPEND, Stores
from tests.pipeline.raw_shop import ADS, ANALYTICS, EVENTS, ORDERS, REPORTS, SHOPS
from tests.warehouse.engine_fixture import render
from warehouse.projects.canonical_tables import CANONICAL
from warehouse.projects.engines import engines_of

pytestmark = pytest.mark.long  # builds three stores of all connectors

CONNECTORS = yaml.safe_load((ROOT / "supported_connectors.yaml").read_text(encoding="utf-8"))["connectors"]
MICRO = Decimal("0.000001")
BESIDE = {
    "amazon_ads": "".join(
        f"""
        union all
        select date::date, campaignId, null, cost, impressions, clicks, purchasesClicks::double, filename
        from amazon_ads__sponsored_{kind}_campaign_report"""
        for kind in ("brands", "display")
    )
}
"""Reports of campaigns that the finest report of a platform never has: one campaign each."""
UNITS = "case charges.currency when 'jpy' then 1 when 'kwd' then 1000 else 100 end"
"""How many of Stripe's units of an amount make one of its currency."""
FALLEN = {
    "shopify": "shopify__orders where cancelled_at is not null or financial_status = 'voided'",
    "bigcommerce": "bigcommerce__orders where status in ('Cancelled', 'Declined')",
    "woocommerce": "woocommerce__orders where status in ('cancelled', 'failed')",
}
"""Orders that stand no more; no order comes back from there."""
GA = "google_analytics__events"
SEEN = EVENTS | {
    "google_analytics": EVENTS["google_analytics"].replace(
        f"from {GA}", f"from (from {GA} qualify filename = max(filename) over (partition by event_date))"
    )
}
"""EVENTS, of which Google exports some days twice: the second export of a day replaces the first."""
Columns = list[tuple[str, str]]
ACCOUNT = "split_part(filename, '/', -2)"  # the folder of a generated file


# One pass


def test_one_pass_publishes_every_store_from_an_empty_folder(stores: Stores) -> None:
    first = stores.builds[0]
    assert first["exit_code"] == 0
    assert {tenant["tenant"]: tenant["status"] for tenant in first["tenants"]} == dict.fromkeys(STORES, "published")
    assert [tenant["quarantined"] for tenant in first["tenants"]] == [0, 0, 0]


def test_the_stores_have_every_connector_between_them(stores: Stores) -> None:
    assert {name for sources in stores.enabled.values() for name in sources} == {each["name"] for each in CONNECTORS}
    assert all(len(sources) > 3 for sources in stores.enabled.values())


def test_a_second_build_changes_no_row_and_no_run(stores: Stores) -> None:
    first, second = stores.builds
    assert {tenant["status"] for tenant in second["tenants"]} == {"unchanged"}
    assert [tenant["run_id"] for tenant in second["tenants"]] == [tenant["run_id"] for tenant in first["tenants"]]
    assert second["tables"] == first["tables"]
    assert len(first["tables"]) == 1 + 2 * len(STORES)  # the hub, and of each store its star and its run
    assert all(len(tables) >= 8 for tables in first["tables"].values())


# Landing and sinks


@pytest.mark.parametrize("connector", CONNECTORS, ids=lambda connector: connector["name"])
def test_every_object_lands_and_its_sink_has_the_records(stores: Stores, connector: dict[str, Any]) -> None:
    platform = connector["name"]
    using = [slug for slug, sources in stores.enabled.items() if platform in sources]
    counts = " union all ".join(
        f"""select '{slug} {name}', (select count(*) from landing_{slug}.{platform}__{name}), count(*),
            count(distinct tenant_skey)
        from platform_mm__{connector["master_model_id"]}_{name}
        where tenant_slug = '{slug}' and source_platform = '{platform}'"""
        for slug in using
        for name in connector["objects"]
    )
    rows = stores.hub(counts)
    assert len(rows) == len(using) * len(connector["objects"]) > 0
    for table, landed, versions, things in rows:
        assert 0 < things <= versions <= landed, table


def test_sinks_hold_what_enabled_connectors_sent_and_nothing_else(stores: Stores) -> None:
    wanted = {(slug, platform) for slug, sources in stores.enabled.items() for platform in sources}
    sinks = {f"platform_mm__{each['master_model_id']}_{name}" for each in CONNECTORS for name in each["objects"]}
    assert len(sinks) >= 35
    held = " union ".join(f"select tenant_slug, source_platform from {sink}" for sink in sorted(sinks))
    assert set(stores.hub(held)) == wanted


# Engines


def test_engines_of_a_domain_have_the_same_columns_types_and_order_on_every_platform(stores: Stores) -> None:
    """Of every engine in use, by what DuckDB describes; and the table that they fill."""
    described: dict[str, dict[str, Columns]] = {canonical.name: {} for canonical in CANONICAL}
    for tenant in stores.project.context.manifest.tenants:
        with duckdb.connect(str(stores.project.settings.stars(tenant.slug)), read_only=True) as star:
            star.execute(f"attach '{stores.project.settings.hub}' as hub (read_only)")
            star.execute("set search_path = 'stars.main,hub.main'")
            for canonical in CANONICAL:
                shapes = described[canonical.name]
                for engine, source in engines_of(tenant, canonical.name):
                    shapes[source.platform] = columns(star, render(engine.macro, engine.call(tenant, source)))
                shapes[tenant.slug] = columns(star, canonical.table_name(tenant.slug))[: len(canonical.columns)]
    for name, shapes in described.items():
        assert len({tuple(shape) for shape in shapes.values()}) == 1, (name, shapes)
        assert {"source_platform", "source_account"} < {column for column, _ in shapes["east_store"]}
    filled = {name: set(shapes) - set(STORES) for name, shapes in described.items()}
    assert filled["ad_performance"] == filled["campaigns"] == set(ADS)
    assert filled["orders"] == filled["products"] == set(SHOPS)
    assert (filled["events"], filled["charges"]) == (set(ANALYTICS), {"stripe"})


def columns(star: duckdb.DuckDBPyConnection, relation: str) -> Columns:
    return [(name, type_) for name, type_, *_ in star.execute(f"describe {relation}").fetchall()]


def test_dbt_runs_150_data_tests_over_the_build_and_all_hold(stores: Stores) -> None:
    with Ops(stores.project.settings.ops) as ops:
        nodes = [row["node"] for row in ops.artifacts(stores.builds[0]["run_id"])]
    assert Counter(node["status"] for node in nodes if node["kind"] == "model") == {
        "success": sum(node["kind"] == "model" for node in nodes)
    }
    tests = {node["node_id"]: node["status"] for node in nodes if node["kind"] == "test"}
    assert set(tests.values()) <= {"pass", "warn"}
    assert len(tests) >= 150


def test_every_engine_in_use_has_one_unit_test_and_it_passes(stores: Stores) -> None:
    for tenant in stores.project.context.manifest.tenants:
        used = {engine.macro for canonical in CANONICAL for engine, _ in engines_of(tenant, canonical.name)}
        assert sorted(stores.unit_tests[tenant.slug]) == sorted([f"{macro}__{tenant.slug}", "pass"] for macro in used)


# Numbers


@pytest.mark.parametrize("platform", ADS)
def test_raw_spend_is_the_spend_of_the_fact(stores: Stores, platform: str) -> None:
    """By day and campaign, to the millionth; micros, text, decimals and minor units each read as they are sent."""
    slug = stores.store_of(platform)
    newest = f"""
        select day, campaign_id::varchar, sum(spend)::decimal(18, 6), sum(impressions)::bigint, sum(clicks)::bigint
        from (
            select day, campaign_id, ad_id, {ACCOUNT} as account,
                arg_max(spend, filename) as spend, arg_max(impressions, filename) as impressions,
                arg_max(clicks, filename) as clicks
            from ({REPORTS[platform]}{BESIDE.get(platform, "")}) group by all
        ) where account = 'main' group by all order by all"""
    raw = stores.raw[slug].ask(newest)
    fact = stores.star(
        slug,
        f"""select report_date, campaign_id, sum(spend)::decimal(18, 6), sum(impressions)::bigint, sum(clicks)::bigint
        from fct_ad_performance where source_platform = '{platform}' and source_account = 'main'
        group by all order by all""",
    )
    assert len(raw) == DAYS * (4 if platform in BESIDE else 2)
    assert [(row[0], row[1], *row[3:]) for row in fact] == [(row[0], row[1], *row[3:]) for row in raw]
    assert max(abs(one[2] - other[2]) for one, other in zip(fact, raw, strict=True)) <= MICRO
    assert sum(row[2] for row in raw) > 0


def test_reports_were_restated_on_the_way(stores: Stores) -> None:
    """Else the test above would not know a version from a row."""
    for platform in ADS:
        twice = f"""select count(*) from (
            select day, campaign_id, ad_id from ({REPORTS[platform]}) group by all
            having count(distinct filename) > 1 and count(distinct spend) > 1)"""
        assert stores.raw[stores.store_of(platform)].one(twice) > 0, platform


def test_spend_of_an_agency_is_its_files(stores: Stores) -> None:
    spend = stores.star(
        "west_store",
        """select source_platform, sum(spend)::varchar::double::varchar from fct_ad_performance
        where source_account = 'agency' group by all""",
    )
    assert dict(spend) == TWIN_SPEND


@pytest.mark.parametrize("platform", SHOPS)
def test_orders_and_their_money_are_those_of_the_files(stores: Stores, platform: str) -> None:
    slug = stores.store_of(platform)
    raw = stores.raw[slug].ask(f"select id, total, currency, refunded from ({ORDERS[platform]}) order by id")
    fact = stores.star(
        slug,
        f"""select order_id, total_price::decimal(18, 2), currency, refunded_amount::decimal(18, 2) from fct_orders
        where source_platform = '{platform}' and not is_test order by order_id""",
    )
    assert len(raw) > 10
    assert fact == raw


@pytest.mark.parametrize("platform", SHOPS)
def test_order_revenue_is_the_total_of_the_orders_that_stand(stores: Stores, platform: str) -> None:
    slug = stores.store_of(platform)
    raw = stores.raw[slug].ask(
        f"""select currency, count(*), sum(total) from ({ORDERS[platform]})
        where id not in (select id::varchar from {FALLEN[platform]}) group by all order by all"""
    )
    answer = stores.project.ask(
        slug,
        metrics=["valid_orders", "order_revenue"],
        dimensions=["currency"],
        filters=[{"name": "shop_platform", "op": "=", "value": platform}],
        order_by=["currency"],
    )
    assert [tuple(row) for row in answer["rows"]] == raw


@pytest.mark.parametrize("platform", ANALYTICS)
def test_every_analytics_platform_has_its_visits_and_their_revenue(stores: Stores, platform: str) -> None:
    slug = stores.store_of(platform)
    events, devices, bought, worth = stores.raw[slug].ask(f"""
        with events as ({SEEN[platform]}),
        bought as (
            select any_value(revenue)::decimal(18, 3) as worth from events where order_id is not null group by order_id
        )
        select count(*), count(distinct device), (select count(*) from bought), (select sum(worth) from bought)
        from events""")[0]
    ((sessions, counted, users, revenue, transactions),) = stores.star(
        slug,
        f"""select count(*), sum(events_in_session), count(distinct user_key), sum(session_revenue)::decimal(18, 3),
            count(transaction_id)
        from fct_sessions where source_platform = '{platform}'""",
    )
    assert (counted, revenue) == (events, worth)
    assert 0 < users <= sessions <= events
    assert users <= devices
    assert 0 < transactions <= bought


@pytest.mark.parametrize("platform", SHOPS)
def test_what_stripe_took_for_each_order_is_what_its_charges_say(stores: Stores, platform: str) -> None:
    slug = stores.store_of(platform)
    raw = stores.raw[slug].ask(f"""
        select orders.id, (sum(amount_captured - amount_refunded) / any_value({UNITS}))::decimal(18, 3)
        from ({ORDERS[platform]}) as orders
        join (
            from stripe__charges qualify row_number() over (partition by id order by filename desc) = 1
        ) as charges on orders.payment in (charges.id, charges.payment_intent)
        group by all order by all""")
    fact = stores.star(
        slug,
        f"""select order_id, net_paid_amount::decimal(18, 3) from fct_orders
        where source_platform = '{platform}' and net_paid_amount is not null order by order_id""",
    )
    assert len(raw) > 10
    assert fact == raw


def test_stores_share_no_user_no_order_and_no_campaign(stores: Stores) -> None:
    asked = {
        "fct_orders": "order_id",
        "dim_users": "user_pseudo_id",
        "dim_campaigns": "case when source_account = 'main' then campaign_id end",
    }
    for table, column in asked.items():
        ids = [{row[0] for row in stores.star(slug, f"select {column} from {table}")} - {None} for slug in STORES]
        assert all(ids)
        assert len(set.union(*ids)) == sum(map(len, ids)), table
