"""WooCommerce: the traps of its API, and real orders against SQL that shares no code with ours."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.config.accounts import Account
from tests.warehouse.engine_fixture import run_engine

Json = dict[str, Any]


def orders(*records: Json, **more: Any) -> list[Json]:
    """The canonical rows of orders, by id."""
    rows = run_engine("engine_woocommerce_orders", {"orders": records}, platform="woocommerce", **more)
    return sorted(rows, key=lambda row: int(row["order_id"]))


def one(record: Json, **more: Any) -> Json:
    (row,) = orders({"id": 727, "total": "29.35", "currency": "USD", "status": "processing"} | record, **more)
    return row


def meta(**values: Any) -> list[Json]:
    return [{"id": n, "key": key, "value": value} for n, (key, value) in enumerate(values.items(), 1)]


def test_text_is_money_and_refunds_are_not_taken_off_the_total() -> None:
    refunds = [{"id": 726, "reason": "", "total": "-10.00"}, {"id": 724, "reason": "", "total": "-9.35"}]
    row = one({"refunds": refunds, "currency": "usd"})
    assert (row["total_price"], row["refunded_amount"], row["currency"]) == (Decimal("29.35"), Decimal("19.35"), "USD")


@pytest.mark.parametrize(
    ("status", "refunds", "financial", "refunded"),
    [
        ("pending", [], "pending", 0),
        ("on-hold", [], "pending", 0),
        ("processing", [], "paid", 0),
        ("completed", [], "paid", 0),
        ("wc-completed", [], "paid", 0),
        ("completed", ["-10"], "partially_refunded", 10),
        ("completed", ["-29.35"], "refunded", Decimal("29.35")),
        ("refunded", [], "refunded", Decimal("29.35")),
        ("refunded", ["-10"], "refunded", 10),
        ("cancelled", [], "cancelled", 0),
        ("failed", [], "failed", 0),
        ("checkout-draft", [], "failed", 0),
        ("trash", [], "cancelled", 0),
        ("awaiting-shipment", [], None, 0),  # a plugin's own
    ],
)
def test_a_status_says_where_the_money_is(
    status: str, refunds: list[str], financial: str | None, refunded: Any
) -> None:
    row = one({"status": status, "refunds": [{"id": n, "total": total} for n, total in enumerate(refunds)]})
    assert (row["financial_status"], row["raw_status"], row["refunded_amount"]) == (financial, status, refunded)
    assert row["is_cancelled"] is (financial == "cancelled")


def test_the_time_in_utc_counts_and_not_the_sites_own() -> None:
    row = one({"date_created": "2017-03-21T23:30:00", "date_created_gmt": "2017-03-22T02:30:00"})
    assert row["ordered_at"] == datetime.fromisoformat("2017-03-22 02:30:00")


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2026-01-20T23:30:00", datetime.fromisoformat("2026-01-20 22:30:00")),  # winter
        ("2026-07-20T23:30:00", datetime.fromisoformat("2026-07-20 21:30:00")),  # summer
        ("2026-03-29T01:59:59", datetime.fromisoformat("2026-03-29 00:59:59")),  # clocks go forward at 02:00
        ("2026-03-29T03:00:00", datetime.fromisoformat("2026-03-29 01:00:00")),
        ("2026-10-25T03:00:00", datetime.fromisoformat("2026-10-25 02:00:00")),  # and back at 03:00
    ],
)
def test_without_it_the_sites_own_time_is_read_by_the_accounts_clock(local: str, utc: datetime) -> None:
    assert one({"date_created": local}, timezone="Europe/Berlin")["ordered_at"] == utc
    assert one({"date_created": local, "date_created_gmt": ""}, timezone="Europe/Berlin")["ordered_at"] == utc


def test_the_accounts_clock_comes_before_the_tenants() -> None:
    account = Account(name="main", timezone="Asia/Tokyo")
    row = one({"date_created": "2026-01-20T08:00:00"}, accounts=(account,), timezone="Europe/Berlin")
    assert row["ordered_at"] == datetime.fromisoformat("2026-01-19 23:00:00")


def test_an_order_without_a_time_or_a_currency_is_kept_in_the_accounts_currency() -> None:
    row = one({"currency": ""}, accounts=(Account(name="main", currency="EUR"),))
    assert (row["ordered_at"], row["currency"]) == (None, "EUR")


def test_a_guest_has_no_customer_id() -> None:
    guest = one({"customer_id": 0, "billing": {"email": ""}})
    assert (guest["customer_id"], guest["customer_email"]) == (None, None)
    customer = one({"customer_id": 26, "billing": {"email": " Joao.Silva@Example.com"}})
    assert (customer["customer_id"], customer["customer_email"]) == ("26", "joao.silva@example.com")


def test_the_id_is_the_order_and_the_number_another_name_for_it() -> None:
    row = one({"number": "2026-A17"})
    assert (row["order_id"], row["other_ids"]) == ("727", ["2026-A17"])


@pytest.mark.parametrize(
    ("record", "charge_ids"),
    [
        ({"meta_data": meta(_stripe_charge_id="ch_1")}, ["ch_1"]),
        ({"meta_data": meta(_stripe_intent_id="pi_1", _stripe_charge_id="ch_1")}, ["ch_1", "pi_1"]),
        ({"transaction_id": " ch_1 "}, ["ch_1"]),
        ({"meta_data": meta(_stripe_intent_id="pi_1"), "transaction_id": "ch_1"}, ["pi_1", "ch_1"]),
        ({"meta_data": meta(_stripe_fee=1.2, _order={"a": [1]}, _stripe_intent_id=""), "transaction_id": ""}, []),
        ({"meta_data": meta(_stripe_intent_id=None)}, []),
        ({"meta_data": None}, []),
    ],
)
def test_payment_ids_are_kept_under_old_and_new_keys(record: Json, charge_ids: list[str]) -> None:
    assert one(record)["charge_ids"] == charge_ids


def test_a_line_is_worth_its_own_total_to_the_cent() -> None:
    line = {"id": 1, "name": "Woo Album", "product_id": 87, "sku": "", "quantity": 3}
    lines = [
        line | {"subtotal": "10.00", "total": "9.00", "price": 3.0},
        line | {"product_id": 0, "sku": "Bar3", "quantity": 0, "subtotal": "0.00", "total": "0.00", "price": 0},
    ]
    first, second = one({"line_items": lines})["lines"]
    assert first == {
        "line_id": "1",
        "product_id": "87",
        "sku": None,
        "item_name": "Woo Album",
        "quantity": 3,
        "unit_price": Decimal("3.333333"),
        "discount_amount": 1,
        "amount": 9,
        "variant_id": None,
        "cost_amount": None,
    }
    assert (second["product_id"], second["sku"], second["unit_price"]) == (None, "Bar3", 0)


def test_products_of_the_vendors_documentation_are_read(real_data: Path) -> None:
    file = real_data / "woocommerce/wp-api-v3/products_http_request_4.json"
    rows = run_engine("engine_woocommerce_products", platform="woocommerce", files={"products": [file]})
    assert {(row["product_id"], row["product_name"], row["product_category"]) for row in rows} == {
        ("799", "Ship Your Idea", "Clothing"),
        ("794", "Premium Quality", "Clothing"),
    }


def test_orders_of_the_vendors_documentation_are_read(real_data: Path) -> None:
    file = real_data / "woocommerce/wp-api-v3/orders_http_request_3.json"
    found = {row["order_id"]: row for row in orders(files={"orders": [file]})}
    assert set(found) == {"727", "723"}
    assert found["727"]["ordered_at"] == datetime.fromisoformat("2017-03-22 19:28:02")
    assert (found["727"]["customer_id"], found["727"]["financial_status"]) == (None, "paid")
    assert (found["723"]["total_price"], found["723"]["refunded_amount"]) == (39, 19)
    assert [line["amount"] for line in found["727"]["lines"]] == [6, 12]


def test_real_orders_add_up_by_day_as_the_file_itself_does(real_data: Path) -> None:
    file = real_data / "woocommerce/derived_orders/orders_2011-03.jsonl.gz"
    rows = orders(files={"orders": [file]})
    days: dict[object, list[Any]] = {}
    for row in rows:
        day = days.setdefault(row["ordered_at"].date(), [0, Decimal(0), 0, Decimal(0)])
        day[0] += 1
        day[1] += row["total_price"]
        day[2] += len(row["lines"])
        day[3] += sum(line["amount"] for line in row["lines"])
    expected = duckdb.sql(f"""
        with raw as (
            select
                (json ->> '$.date_created_gmt')[:10]::date as day,
                (json ->> '$.total')::decimal(18, 2) as total,
                from_json(json -> '$.line_items', '[{{"total": "VARCHAR"}}]') as lines
            from read_json_objects('{file}')
        )
        select
            day, count(*), sum(total), sum(len(lines)),
            sum(list_sum(list_transform(lines, lambda line: line.total::decimal(18, 2))))
        from raw
        group by day
    """).fetchall()
    assert len(rows) == 1454
    assert sum(day[2] for day in days.values()) == 35803
    assert {row[0]: list(row[1:]) for row in expected} == days
