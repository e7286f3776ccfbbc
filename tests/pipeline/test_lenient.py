"""A field that no number rests on costs no record; a number that does not convert still does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.config.engine_cases import unit_test_cases
from pipeline.contracts.connector import contracts_of
from pipeline.contracts.fields import Contract, Leaf, Many, Record, Shape, field_at, shape_of
from pipeline.ingest.formats.reader import Reader
from tests.pipeline.landing_fixture import BLUEPRINTS, CATALOG, LandingFixture, table_of
from tests.pipeline.vendor_records import (
    Made,
    ad_day,
    amazon_day,
    amplitude_event,
    big_order,
    bing_day,
    changed,
    charge,
    ga4_event,
    insight,
    jsonl,
    mixpanel_event,
    order,
    tiktok_day,
    woo_order,
)
from tests.warehouse.engine_fixture import run_engine
from warehouse.projects.engines import engines_like

CONTRACTS = {key: blueprint.contract for key, blueprint in sorted(BLUEPRINTS.items()) if blueprint.contract.lenient}
ODD: dict[str, list[dict[str, Any]]] = {
    "shopify": [
        {"closed_at": "soon"},
        {"order_number": "A-7"},
        {"shipping_address": "Main Street 1"},
        {"line_items": [{"id": "custom", "variant_id": "none", "quantity": 1, "price": "9.90"}]},
        {"landing_site": {"path": "/"}},
    ],
    "woocommerce": [
        {"date_paid_gmt": "0000-00-00"},
        {"meta_data": [{"id": "x", "key": "a", "value": 1}]},
        {"line_items": [{"id": 1, "variation_id": "-", "total_tax": "n/a", "quantity": 1.52, "total": "9.90"}]},
    ],
    "bigcommerce": [{"date_shipped": "tomorrow"}, {"items_total": 1.5}, {"channel_id": "web"}],
    "stripe": [{"paid": "maybe"}, {"payment_method_details": "card"}],
}
MADE = {"shopify": order, "woocommerce": woo_order, "bigcommerce": big_order, "stripe": charge}
WRONG: list[tuple[str, dict[str, Any]]] = [
    ("shopify", {"total_price": "free"}),
    ("shopify", {"line_items": [{"id": 1, "quantity": "two", "price": "9.90"}]}),
    ("shopify", {"refunds": [{"transactions": [{"amount": "some"}]}]}),
    ("woocommerce", {"line_items": [{"id": 1, "quantity": "1,52", "total": "9.90"}]}),
    ("woocommerce", {"parent_id": "x"}),
    ("bigcommerce", {"refunded_amount": "all"}),
    ("stripe", {"amount_captured": 9.5}),
]


def read(platform: str, records: list[dict[str, Any]], folder: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """The good records of a file, and the reasons against the others."""
    name = "charges" if platform == "stripe" else "orders"
    path = folder / "records.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return read_file(contracts_of(platform)[name], path)


def read_file(contract: type[Contract], path: Path) -> tuple[list[dict[str, Any]], list[str]]:
    with duckdb.connect(config={"threads": 1}) as con:
        con.execute("set TimeZone = 'UTC'")
        batches = list(Reader(con, contract, path.parent).read(path))
    good = [row for batch in batches for row in batch.good.to_pylist()]
    return good, [row["_wrong"] for batch in batches for row in batch.wrong.to_pylist()]


@pytest.mark.parametrize("platform", ODD)
def test_a_field_that_no_number_rests_on_costs_no_record(tmp_path: Path, platform: str) -> None:
    records = [MADE[platform](number) | odd for number, odd in enumerate(ODD[platform], 1)]
    good, wrong = read(platform, records, tmp_path)
    assert (len(good), wrong) == (len(records), [])


@pytest.mark.parametrize(("platform", "odd"), WRONG)
def test_a_number_that_does_not_convert_still_does(tmp_path: Path, platform: str, odd: dict[str, Any]) -> None:
    good, wrong = read(platform, [MADE[platform](1) | odd, MADE[platform](2)], tmp_path)
    assert (len(good), len(wrong)) == (1, 1)


def test_a_typed_column_of_such_a_field_costs_no_record(tmp_path: Path) -> None:
    table = pa.table({"id": [1], "total_price": ["9.90"], "order_number": ["A-7"], "closed_at": ["soon"]})
    pq.write_table(table, tmp_path / "orders.parquet")
    good, wrong = read_file(contracts_of("shopify")["orders"], tmp_path / "orders.parquet")
    assert (good[0]["order_number"], good[0]["closed_at"], wrong) == (None, "soon", [])


def test_what_does_not_convert_in_it_is_left_out_and_lands(sandbox: LandingFixture) -> None:
    sandbox.write("orders.jsonl", json.dumps(order(1) | {"order_number": "A-7", "closed_at": "soon"}))
    assert table_of(sandbox.land_of("shopify", orders="orders.jsonl"), "orders").quarantined == 0
    assert sandbox.query("select id, order_number, closed_at from shopify__orders") == [(1, None, "soon")]


@pytest.mark.parametrize(
    ("platform", "name", "record", "path", "value"),
    [
        ("amazon_ads", "sponsored_products_campaign_report", amazon_day, "campaignBudgetAmount", "lots"),
        ("amplitude", "events", amplitude_event, "session_id", "s-1"),
        ("amplitude", "events", amplitude_event, "event_id", 1.5),
        ("bing_ads", "campaign_performance_report", bing_day, "Ctr", "--"),
        ("bing_ads", "campaign_performance_report", bing_day, "Revenue", "1,000.00"),
        ("facebook_ads", "facebook_insights", insight, "reach", "1.5"),
        ("google_ads", "ad_performance", ad_day, "metrics.interactions", "1.5"),
        ("google_analytics", "events", ga4_event, "event_bundle_sequence_id", "a-1"),
        ("google_analytics", "events", ga4_event, "items", [{"item_id": "1", "quantity": 1.52, "price": "3"}]),
        ("linkedin_ads", "campaigns", lambda number: {"id": number}, "dailyBudget", {"amount": "none"}),
        ("mixpanel", "events", mixpanel_event, "properties.mp_processing_time_ms", "later"),
        ("tiktok_ads", "ads_reports_daily", tiktok_day, "metrics.net_cost", "-"),
    ],
)
def test_a_value_that_no_number_needs_costs_no_record(
    sandbox: LandingFixture, platform: str, name: str, record: Made, path: str, value: object
) -> None:
    sandbox.write("a.jsonl", jsonl([record(1), changed(record(2), path, value)]))
    table = table_of(sandbox.land_of(platform, **{name: "a.jsonl"}), name)
    assert (table.rows, table.quarantined, table.drift) == (2, 0, ())


@pytest.mark.parametrize(
    ("platform", "name", "record", "path", "value"),
    [
        ("amazon_ads", "sponsored_products_campaign_report", amazon_day, "purchases7d", "-"),
        ("bing_ads", "campaign_performance_report", bing_day, "Spend", "1,000.00"),
        ("google_ads", "ad_performance", ad_day, "metrics.conversions", "many"),
        ("google_analytics", "events", ga4_event, "ecommerce", {"purchase_revenue": "dear"}),
        ("tiktok_ads", "ads_reports_daily", tiktok_day, "metrics.spend", "-"),
        ("tiktok_ads", "ads_reports_daily", tiktok_day, "metrics.gross_revenue", "-"),
    ],
)
def test_a_value_that_a_number_needs_still_costs_its_record(
    sandbox: LandingFixture, platform: str, name: str, record: Made, path: str, value: object
) -> None:
    sandbox.write("a.jsonl", jsonl([record(1), changed(record(2), path, value)]))
    table = table_of(sandbox.land_of(platform, **{name: "a.jsonl"}), name)
    assert (table.rows, table.quarantined) == (1, 1)


def paths(shape: Shape, path: str) -> list[str]:
    if isinstance(shape, Leaf):
        return [path]
    fields = shape.of if isinstance(shape, Many) else shape
    if isinstance(fields, Leaf):
        return [path]
    assert isinstance(fields, Record | Many)
    if isinstance(fields, Many):
        return paths(fields, path)
    return [each for name, inner in fields for each in paths(inner, f"{path}.{name}" if path else name)]


@pytest.mark.parametrize(("platform", "name"), CONTRACTS)
def test_a_lenient_field_is_in_the_contract_and_no_key_rule_or_measure(platform: str, name: str) -> None:
    contract = CONTRACTS[platform, name]
    known = {path for each in paths(shape_of(contract), "") for path in _beginnings(each)}
    assert set(contract.lenient) <= known
    named = {*contract.key, *contract.required, contract.date_field, contract.version_field, *contract.identity}
    named |= {path for measure in contract.measures for path in measure.paths}
    for path in filter(None, named):
        assert not set(_beginnings(path)) & set(contract.lenient), path


@pytest.mark.parametrize(("platform", "name"), CONTRACTS)
def test_an_engine_gives_the_same_numbers_where_lenient_fields_are_odd(platform: str, name: str) -> None:
    shape = shape_of(CONTRACTS[platform, name])
    odd = {
        path: "?"
        for path in CONTRACTS[platform, name].lenient
        if "." not in path and isinstance(field_at(shape, path)[1], Leaf)
    }
    connector = CATALOG[platform].reads_as
    for engine in engines_like(connector):
        if name in (*engine.objects, *engine.history):
            case = unit_test_cases(connector)[engine.macro](None)
            sent = {**case.records, name: [{**record, **odd} for record in case.records.get(name, ())]}
            as_sent, as_odd = (
                run_engine(engine.macro, records, platform=platform, history=records, canonical=case.canonical)
                for records in (case.records, sent)
            )
            assert sorted(map(numbers, as_odd)) == sorted(map(numbers, as_sent)) != []


def numbers(row: Mapping[str, Any]) -> list[str]:
    """The amounts and counts of a row; its flags and texts may say what a lenient field said."""
    return [f"{name}={value}" for name, value in row.items() if type(value) in (int, float, Decimal)]


def _beginnings(path: str) -> list[str]:
    names = path.split(".")
    return [".".join(names[:end]) for end in range(1, len(names) + 1)]
