"""Records of real platforms, and the star against SQL and Python that know nothing of it.

Of the events one day is here: tests/end_to_end/test_real_exports.py has them all, from the files to the answers.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.config.tenant import Tenant

pytestmark = pytest.mark.long  # builds stars of real records

EVENT_FIELDS = (
    "event_date, event_timestamp, event_name, event_params, event_bundle_sequence_id, user_id, user_pseudo_id, "
    "device, geo, traffic_source, stream_id, ecommerce"
)
Json = dict[str, Any]


@pytest.fixture(scope="session")
def raw_events(real_data: Path) -> str:
    day = real_data / "google_analytics/events/events_20210131.parquet"
    return f"read_parquet('{day}', filename = true, file_row_number = true)"


@pytest.fixture(scope="session")
def raw_orders(real_data: Path) -> list[Json]:
    with gzip.open(real_data / "shopify/derived_orders/orders_2011-09.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="session")
def raw_insights(real_data: Path) -> list[Json]:
    files = ("adsinsights_rows.jsonl", "asyncinisghtscampaigns_rows.jsonl")
    lines = [
        line for name in files for line in (real_data / "facebook_ads/graph_api" / name).read_text("utf-8").splitlines()
    ]
    return [row for line in lines if "actions" in (row := json.loads(line))]


@pytest.fixture(scope="session")
def star(
    raw_events: str,
    raw_orders: list[Json],
    raw_insights: list[Json],
    tyrell: Callable[..., Tenant],
    make_hub: Callable[[], Any],
    build_star: Callable[..., Any],
) -> Any:
    hub = make_hub()
    hub.add("shopify", "orders", raw_orders)
    hub.add("facebook_ads", "facebook_insights", raw_insights)
    fields = ", ".join(f"'{name}': {name}" for name in EVENT_FIELDS.split(", "))
    with duckdb.connect(str(hub.path)) as connection:
        connection.execute(f"""
            insert into platform_mm__google_analytics_api_v1_events
            select
                'tyrell_corp', 'google_analytics', 'main', md5(filename || file_row_number), 'hash', now()::timestamp,
                to_json({{{fields}}}), md5_number(filename || file_row_number), strptime(event_date, '%Y%m%d')::date,
                'load', null, strptime(event_date, '%Y%m%d'), file_row_number
            from {raw_events}
        """)
    return build_star(tyrell(pattern="post_reaction"), hub)


def test_every_test_of_the_star_passes(star: Any) -> None:
    statuses = {name: node.status for name, node in star.nodes.items()}
    assert {name for name, status in statuses.items() if status not in ("success", "pass", "no-op")} == {
        "few_inferred_rows_dim_tyrell_corp__products_0_5",  # the derived set has no products
        # three reports of the recorded set were asked for actions alone, and their spend is unknown
        "every_measure_is_said_fct_tyrell_corp__ad_performance_spend__impressions__clicks__conversions__conversion_value__report_date__ad_performance",
        "every_purchase_has_an_id_int_tyrell_corp__purchases_",  # many purchases of the demo shop say "(not set)"
    }


def test_every_event_of_the_day_and_every_user_is_there(star: Any, raw_events: str) -> None:
    there = f"count(*), count(distinct user_pseudo_id), count(*) filter (event_name = 'purchase') from {raw_events}"
    counted = star.tables.sql(f"select {there}").fetchone()
    assert counted[2] > 0
    columns = "count(*), count(distinct user_key), count(*) filter (event_name = 'purchase')"
    assert star.one("fct_events", columns) == counted
    assert star.one("dim_users", "count(*), sum(total_events)") == (counted[1], counted[0])
    assert star.one("fct_events", "count(order_id)") == (0,)  # every purchase of that day says "(not set)"


def test_orders_and_their_lines_add_up(star: Any, raw_orders: list[Json]) -> None:
    lines = [line for order in raw_orders for line in order["line_items"]]
    price = sum(Decimal(order["total_price"]) for order in raw_orders)
    items = sum(Decimal(line["price"]) * line["quantity"] - Decimal(line["total_discount"]) for line in lines)
    assert len(raw_orders) == 1_837
    assert star.one("fct_orders", "count(*), sum(total_price), list_distinct(list(currency))") == (
        1_837,
        price,
        ["GBP"],
    )
    assert star.one("fct_order_items", "count(*), sum(item_amount)") == (len(lines), items)


def test_the_parts_of_orders_and_the_values_of_customers_are_those_of_a_query(star: Any, real_data: Path) -> None:
    ours = """
        count(*), sum(total_price), sum(gross_sales - discount_amount + shipping_amount + tax_amount + other_charges),
        sum(discount_amount), sum(refunded_amount), count(distinct customer_key),
        count(distinct customer_key) filter (customer_order_count > 1), sum(customer_value_30_days)
    """
    file = real_data / "shopify/derived_orders/orders_2011-09.jsonl.gz"
    theirs = star.tables.sql(f"""
        with mine as (
            select total_price::decimal(18, 6) as charged, total_discounts::decimal(18, 6) as off, customer.id as who
            from read_json('{file}', format = 'newline_delimited', maximum_object_size = 33554432)
        ),
        people as (select who, count(*) as n from mine where who is not null group by who)
        select
            count(*), sum(charged), sum(charged), sum(off), 0, (select count(*) from people),
            (select count(*) from people where n > 1), null  -- of one month no first 30 days have passed
        from mine
    """)
    assert star.one("fct_orders", ours) == theirs.fetchone()


def test_each_customer_has_one_first_order(star: Any, raw_orders: list[Json]) -> None:
    customers = {order["customer"]["id"] for order in raw_orders if order.get("customer") and not order["cancelled_at"]}
    first = star.one("fct_orders", "count(*) filter (is_first_order), count(distinct customer_key) filter (is_valid)")
    assert first == (len(customers), len(customers))


def test_conversions_are_the_totals_of_one_action_type(star: Any, raw_insights: list[Json]) -> None:
    wanted = [
        int(action["value"])
        for row in raw_insights
        for action in row["actions"]
        if action["action_type"] == "post_reaction" and "action_reaction" not in action
    ]
    spend = sum(Decimal(row.get("spend", "0")) for row in raw_insights)
    clicks = sum(int(row.get("clicks", "0")) for row in raw_insights)
    assert star.one("fct_ad_performance", "sum(conversions), sum(spend), sum(clicks)") == (sum(wanted), spend, clicks)


def test_deleting_a_landed_record_changes_what_depends_on_it(
    raw_orders: list[Json], tyrell: Callable[..., Tenant], make_hub: Callable[[], Any], build_star: Callable[..., Any]
) -> None:
    hub = make_hub()
    hub.add("shopify", "orders", raw_orders[1:])
    missing = Decimal(raw_orders[0]["total_price"])
    whole = sum(Decimal(order["total_price"]) for order in raw_orders)
    assert build_star(tyrell(), hub).one("fct_orders", "count(*), sum(total_price)") == (1_836, whole - missing)
