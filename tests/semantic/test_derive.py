"""Definitions: the same star gives the same bytes, and tenants.yaml adds its own words and metrics."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from pipeline.errors import BuildError, ConfigError, NoJoinPath, UnknownName
from semantic.answering.listing import list_metrics
from semantic.answering.run_query import run_query
from semantic.answering.semantic_model import load_model
from semantic.catalog.run_definitions import RunDefinitions
from semantic.definitions.derive import definitions_yaml, derive
from semantic.definitions.introspect import introspect
from semantic.planning.query import read_query
from tests.semantic.hand_star import SLUG, TODAY, HandStar, hand_shop

DESIGNED = """
spend impressions clicks ad_conversions ctr cpc cpm cost_per_conversion
platform_conversion_value platform_roas
orders valid_orders order_revenue refunded_amount net_order_revenue average_order_value customers new_customers
gross_sales discounts shipping tax other_charges discounted_orders
refunded_orders refund_rate order_refund_rate refunds refunds_by_refund_day
repeat_orders returning_customers returning_customer_rate repeat_purchase_rate orders_per_customer days_to_second_order
ltv_30 ltv_60 ltv_90 ltv_365
smallest_order largest_order median_order_value p90_order_value median_session_seconds
units_sold item_revenue gross_profit
sessions converting_sessions conversion_rate session_revenue session_users events_per_session average_session_seconds
funnel_step_1 funnel_step_2 funnel_step_3 funnel_step_4 funnel_step_5 funnel_step_6
funnel_step_2_rate funnel_step_3_rate funnel_step_4_rate funnel_step_5_rate funnel_step_6_rate
events event_users roas attributed_revenue blended_roas cac cost_per_new_customer
"""
CUTS = """
date ad_platform campaign_id campaign_name campaign_status ad_group_id ad_group_name ad_id ad_name currency account
shop_platform financial_status analytics_platform traffic_source traffic_medium traffic_campaign geo_country
device_category attribution event_name is_customer product_name product_category first_order_date first_seen_date
channel day_of_week is_weekend hour_of_day week_of_year month_of_year customer_type days_since_first_order
months_since_first_order shipping_country discount_codes campaign_status_raw order_status_raw
"""


def definitions(star: HandStar) -> RunDefinitions:
    run_dir = star.write()
    tables = tuple(star.tables.values())
    return derive(star.tenant, tables, introspect(run_dir / "stars.duckdb", tables, SLUG))


def test_every_metric_and_dimension_of_the_design_is_there_also_without_rows(folder: Path) -> None:
    star = HandStar(folder)
    assert set(star.model.catalog.askable_metrics) == set(DESIGNED.split())
    assert set(star.model.catalog.askable_dimensions) == set(CUTS.split())
    assert star.one("spend") is None
    assert star.one("roas") is None
    assert star.ask(metrics=["orders"]).notes == ("orders has no rows yet.",)
    star.close()


def test_the_same_star_gives_the_same_bytes(folder: Path) -> None:
    first, second = (definitions_yaml(definitions(hand_shop(folder / name))) for name in ("a", "b"))
    assert first == second
    assert yaml.safe_load(first)["tenant"] == SLUG


def test_the_definitions_of_a_shop_are_the_reviewed_ones(folder: Path, golden: Callable[[str, str], None]) -> None:
    metrics = {
        "p95_order": {"fact": "orders", "column": "total_price", "aggregate": "p95"},
        "brand_spend": {"metric": "spend", "filters": [{"name": "campaign_name", "op": "contains", "value": "alp"}]},
        "profit": {"expression": "order_revenue - spend", "label": "Profit"},
        "cpm": {"hidden": True, "synonyms": ["tkp"]},
    }
    golden(
        "semantic/shop.semantic.yml", definitions_yaml(definitions(hand_shop(folder, semantic={"metrics": metrics})))
    )


def test_a_metric_of_the_tenant_works_across_facts_and_on_metrics_of_its_own(folder: Path) -> None:
    metrics = {
        "profit": {"expression": "attributed_revenue - spend", "label": "Profit"},
        "profit_per_visit": {"expression": "profit / sessions", "unit": "EUR per visit"},
    }
    star = hand_shop(folder, semantic={"metrics": metrics})
    rows = star.table(metrics=["profit", "profit_per_visit"], dimensions=["campaign_name"])
    assert rows[0] == {"campaign_name": "Alpha", "profit": 190, "profit_per_visit": pytest.approx(190 / 3)}
    answer = star.ask(metrics=["profit", "profit_per_visit"])
    assert [column["unit"] for column in answer.columns] == ["EUR", "EUR per visit"]
    with pytest.raises(NoJoinPath, match="profit cannot be cut or filtered by geo_country"):
        star.ask(metrics=["profit"], dimensions=["geo_country"])
    star.close()


def test_words_of_the_tenant_replace_ours_and_hidden_metrics_cannot_be_asked_for(folder: Path) -> None:
    said = {
        "metrics": {"spend": {"description": "Media cost."}, "cpm": {"hidden": True}},
        "dimensions": {"ad_name": {"hidden": True}},
    }
    star = hand_shop(folder, semantic=said)
    listed = list_metrics(star.model)
    assert {"Media cost."} == {metric["description"] for metric in listed["metrics"] if metric["name"] == "spend"}
    assert "cpm" not in {metric["name"] for metric in listed["metrics"]}
    assert "ad_name" not in {dimension["name"] for dimension in listed["dimensions"]}
    for question in ({"metrics": ["cpm"]}, {"metrics": ["spend"], "dimensions": ["ad_name"]}):
        with pytest.raises(UnknownName):
            star.ask(**question)
    star.close()


@pytest.mark.parametrize(
    ("semantic", "message"),
    [
        ({"metrics": {"x": {"expression": "x__a / spend"}}}, "x names 'x__a', which is no metric here."),
        ({"metrics": {"my__own": {"expression": "spend / 2"}}}, "Choose a name without __"),
        ({"metrics": {"x": {"expression": "revenu / spend"}}}, "names 'revenu', which is no metric here. Did you mean"),
        ({"metrics": {"x": {"expression": "y / spend"}, "y": {"expression": "x"}}}, "is made of itself"),
        ({"metrics": {"x": {"expression": "spend + clicks"}}}, "x puts currency and count together"),
        ({"metrics": {"roas": {"expression": "spend / clicks"}}}, "semantic.metrics.roas has a name that is taken."),
        ({"metrics": {"date": {"expression": "spend / clicks"}}}, "semantic.metrics.date has a name that is taken."),
        ({"metrics": {"spend_share": {"expression": "spend / clicks"}}}, "a name that answers use"),
        (
            {"metrics": {"spendd": {"label": "x"}}},
            "semantic.metrics.spendd names nothing that is here. Did you mean spend",
        ),
        ({"dimensions": {"campain_name": {"label": "x"}}}, "Did you mean campaign_name"),
        (
            {"expose": ["email"]},
            "semantic.expose names 'email', which is no personal dimension. Did you mean customer_email",
        ),
    ],
)
def test_words_that_do_not_fit_the_star_are_refused(folder: Path, semantic: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        definitions(hand_shop(folder, semantic=semantic))
    assert message in str(refused.value)


def test_a_measure_removed_from_the_definitions_takes_its_metrics_along(folder: Path) -> None:
    star = hand_shop(folder)
    run_dir = star.write()
    text = (run_dir / "semantic.yml").read_text(encoding="utf-8")
    (run_dir / "semantic.yml").write_text(
        "\n".join(line for line in text.splitlines() if "converting_sessions: _." not in line), encoding="utf-8"
    )
    left = set(load_model(run_dir).catalog.metrics)
    assert {"converting_sessions", "conversion_rate", "cac"}.isdisjoint(left)
    assert {"sessions", "roas", "spend"} <= left


def test_personal_data_need_the_run_and_the_live_list(folder: Path) -> None:
    star = hand_shop(folder, semantic={"expose": ["customer_email"]})
    star.rows["orders"][0]["customer_email"] = "ann@example.com"
    run_dir = star.write()
    allowed = load_model(run_dir, expose=frozenset({"customer_email", "user_id"}))
    assert "customer_email" in allowed.catalog.askable_dimensions
    assert "user_id" not in allowed.catalog.askable_dimensions
    assert "customer_email" not in load_model(run_dir).catalog.askable_dimensions
    assert "ann@example.com" not in (run_dir / "semantic.yml").read_text(encoding="utf-8")
    with duckdb.connect(run_dir / "stars.duckdb", read_only=True) as connection:
        query = read_query({"metrics": ["order_revenue"], "dimensions": ["customer_email"]})
        assert run_query(query, allowed, connection, today=TODAY).rows[1] == ["ann@example.com", 150]


def test_a_star_with_other_columns_has_other_metrics(folder: Path) -> None:
    star = HandStar(folder)
    orders = star.tables["orders"]
    paid = dataclasses.replace(orders.columns[0], name="net_paid_amount", type="DECIMAL(18,6)", required=False)
    missing = {"refunded_amount", "campaign_key", "session_id"}
    kept = tuple(column for column in orders.columns if column.name not in missing)
    star.tables["orders"] = dataclasses.replace(orders, columns=(*kept, paid))
    star.add("orders", {"order_date": date(2026, 1, 1), "total_price": 9, "net_paid_amount": 7})
    assert star.one("net_paid_amount") == 7
    assert {"refunded_amount", "net_order_revenue"}.isdisjoint(star.model.catalog.metrics)
    with pytest.raises(NoJoinPath):
        star.ask(metrics=["orders"], dimensions=["campaign_id"])
    star.close()


def test_a_star_that_cannot_be_read_stops_the_build(folder: Path) -> None:
    (folder / "stars.duckdb").write_text("no star")
    with pytest.raises(BuildError, match="The star of shop cannot be read"):
        introspect(folder / "stars.duckdb", tuple(HandStar(folder).tables.values()), SLUG)


def test_a_funnel_of_the_tenant_has_a_metric_for_each_step(folder: Path) -> None:
    logic = {"events": {"funnel_steps": {"look": ["view_item", "page_view"], "buy": ["purchase"]}}}
    source = {"platform": "google_analytics", "domain": "analytics", "objects": ("events",), "enabled": True}
    star = HandStar(folder, sources=({**source, "tables": logic},))
    catalog = star.model.catalog
    steps = ["funnel_step_1", "funnel_step_2", "funnel_step_2_rate"]
    assert [name for name in catalog.askable_metrics if name.startswith("funnel")] == steps
    assert catalog.metrics["funnel_step_2_rate"].label == "look to buy"
    assert catalog.metrics["funnel_step_1"].label == "look"
    assert "visits with view_item or page_view" in catalog.metrics["funnel_step_1"].description
    star.close()
