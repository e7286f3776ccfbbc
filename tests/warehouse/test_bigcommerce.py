"""BigCommerce: the traps of its two APIs, and the vendor's sample responses."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.accounts import Account
from tests.warehouse.engine_fixture import run_engine

Json = dict[str, Any]


def orders(*records: Json, lines: list[Json] | None = None, **more: Any) -> list[Json]:
    """The canonical rows of orders, by id."""
    given = {"orders": records, "order_products": lines or []}
    rows = run_engine("engine_bigcommerce_orders", given, platform="bigcommerce", **more)
    return sorted(rows, key=lambda row: int(row["order_id"]))


def one(record: Json, **more: Any) -> Json:
    base = {"id": 218, "status_id": 11, "status": "Awaiting Fulfillment", "total_inc_tax": "69.8400"}
    (row,) = orders(base | {"default_currency_code": "USD"} | record, **more)
    return row


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("Sat, 03 Mar 2018 02:35:28 +0000", datetime.fromisoformat("2018-03-03 02:35:28")),
        ("Sat, 03 Mar 2018 23:35:28 -0600", datetime.fromisoformat("2018-03-04 05:35:28")),
        ("", None),
    ],
)
def test_times_are_rfc_2822_and_an_empty_text_is_none(text: str, utc: datetime | None) -> None:
    assert one({"date_created": text, "date_shipped": ""})["ordered_at"] == utc


def test_the_total_includes_tax_and_has_four_decimals() -> None:
    row = one({"total_inc_tax": "69.8412", "total_ex_tax": "64.5300", "refunded_amount": "5.1000"})
    assert (row["total_price"], row["refunded_amount"]) == (Decimal("69.8412"), Decimal("5.1"))


@pytest.mark.parametrize(
    ("status_id", "label", "financial"),
    [
        (0, "Incomplete", "failed"),
        (1, "Pending", "pending"),
        (2, "Shipped", "paid"),
        (3, "Partially Shipped", "paid"),
        (4, "Refunded", "refunded"),
        (5, "Cancelled", "cancelled"),
        (6, "Declined", "failed"),
        (7, "Awaiting Payment", "pending"),
        (8, "Awaiting Pickup", "paid"),
        (9, "Awaiting Shipment", "paid"),
        (10, "Completed", "paid"),
        (11, "Awaiting Fulfillment", "paid"),
        (12, "Manual Verification Required", "pending"),
        (13, "Disputed", "paid"),
        (14, "Partially Refunded", "partially_refunded"),
        (99, "Lost", None),
    ],
)
def test_the_id_of_a_status_says_where_the_money_is_and_so_does_its_english_label(
    status_id: int, label: str, financial: str | None
) -> None:
    for record in ({"status_id": status_id, "status": label}, {"status_id": None, "status": label}):
        row = one(record | {"refunded_amount": "1.0000" if status_id == 14 else "0.0000"})
        assert (row["financial_status"], row["raw_status"]) == (financial, label)
        assert row["is_cancelled"] is (financial == "cancelled")
    assert one({"status_id": status_id, "status": "Etwas anderes"})["financial_status"] == financial


def test_a_refunded_order_without_an_amount_was_paid_back_whole() -> None:
    row = one({"status_id": 4, "status": "Refunded", "refunded_amount": "0.0000"})
    assert (row["financial_status"], row["refunded_amount"]) == ("refunded", Decimal("69.84"))


def test_an_order_that_was_shipped_after_a_refund_is_still_partially_refunded() -> None:
    assert one({"status_id": 2, "refunded_amount": "9.8400"})["financial_status"] == "partially_refunded"
    assert one({"status_id": 2, "refunded_amount": "69.8400"})["financial_status"] == "refunded"


def test_money_is_in_the_currency_the_shopper_paid_in_and_not_the_one_prices_were_shown_in() -> None:
    assert one({"default_currency_code": "usd", "currency_code": "CAD"})["currency"] == "USD"
    assert one({"default_currency_code": "", "currency_code": "CAD"})["currency"] == "CAD"
    account = Account(name="main", currency="NZD")
    assert one({"default_currency_code": None}, accounts=(account,))["currency"] == "NZD"


def test_customer_0_is_a_guest() -> None:
    assert one({"customer_id": 0})["customer_id"] is None
    row = one({"customer_id": 11, "billing_address": {"email": " JaneDoe@Example.com", "zip": 78108}})
    assert (row["customer_id"], row["customer_email"]) == ("11", "janedoe@example.com")


@pytest.mark.parametrize(("sent", "kept"), [("ch_1", ["ch_1"]), ("", []), (None, []), (5709131489, ["5709131489"])])
def test_the_providers_id_of_the_payment_is_kept(sent: object, kept: list[str]) -> None:
    assert one({"payment_provider_id": sent})["charge_ids"] == kept


def test_lines_are_an_object_of_their_own_without_tax_and_with_their_discounts() -> None:
    line = {"id": 117, "order_id": 218, "product_id": 188, "name": "Dustpan & Brush", "sku": "DUST1", "quantity": 2}
    money = {"price_ex_tax": "7.2700", "price_inc_tax": "7.8700", "total_ex_tax": "14.5400", "total_inc_tax": "15.7400"}
    discounts = [{"id": "a", "amount": "1.2100", "target": "order"}, {"id": "b", "amount": 0.33, "target": "product"}]
    bundled = {"id": 116, "order_id": 218, "product_id": 0, "sku": "", "quantity": 1, "price_ex_tax": "0.0000"}
    lines = [line | money | {"applied_discounts": discounts}, bundled, {"id": 1, "order_id": 219, "quantity": 9}]
    first, second = one({}, lines=lines)["lines"]
    assert (first["line_id"], first["product_id"], first["sku"], first["unit_price"]) == ("116", None, None, 0)
    assert second == {
        "line_id": "117",
        "product_id": "188",
        "sku": "DUST1",
        "item_name": "Dustpan & Brush",
        "quantity": 2,
        "unit_price": Decimal("7.27"),
        "discount_amount": Decimal("1.54"),
        "amount": Decimal("13.00"),
        "variant_id": None,
        "cost_amount": None,
    }


def test_an_order_whose_lines_were_not_exported_has_none() -> None:
    assert one({})["lines"] is None


def test_sample_responses_of_both_apis_are_read(real_data: Path) -> None:
    folder = real_data / "bigcommerce/api"
    (order,) = orders(files={"orders": [folder / "order.json"], "order_products": [folder / "order_product.json"]})
    assert order["order_id"] == "218"
    assert order["ordered_at"] == datetime.fromisoformat("2019-03-05 21:40:11")
    assert (order["total_price"], order["refunded_amount"], order["currency"]) == (Decimal("69.84"), 0, "USD")
    assert (order["financial_status"], order["raw_status"]) == ("pending", "Awaiting Payment")
    assert (order["customer_id"], order["customer_email"]) == ("11", "janedoe@example.com")
    files = {"products": [folder / "product.json"]}
    (product,) = run_engine("engine_bigcommerce_products", platform="bigcommerce", files=files)
    assert (product["product_id"], product["product_name"]) == ("174", "1L Le Parfait Jar")


def test_a_sampled_line_meets_its_order(real_data: Path) -> None:
    files = {"order_products": [real_data / "bigcommerce/api/order_product.json"]}
    (line,) = one({"id": 181}, files=files)["lines"]
    assert (line["line_id"], line["sku"], line["unit_price"]) == ("116", "DUST1", Decimal("31.95"))


def test_records_that_do_not_convert_stay_behind_and_the_rest_is_read(tmp_path: Path) -> None:
    good = {"id": 1, "date_created": "Sat, 03 Mar 2018 02:35:28 +0000", "status_id": 2, "total_inc_tax": "1.0000"}
    wrong = [
        {"total_inc_tax": "-"},
        {"date_created": "2018-03-03"},
        {"date_created": "Sat, 31 Feb 2018 02:35:28 +0000"},
    ]
    records = [good, {key: value for key, value in good.items() if key != "id"}, *(good | {"id": 2} | w for w in wrong)]
    file = tmp_path / "orders.json"
    file.write_text(json.dumps(records), encoding="utf-8")
    assert [row["order_id"] for row in orders(files={"orders": [file]})] == ["1"]
