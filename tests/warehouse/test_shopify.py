"""Shopify: the traps of its API."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.warehouse.engine_fixture import run_engine

Json = dict[str, Any]


def one(record: Json, **more: Any) -> Json:
    """The canonical row of an order."""
    base = {"id": 450789469, "created_at": "2026-11-20T08:00:00-05:00", "total_price": "409.94", "currency": "USD"}
    (row,) = run_engine("engine_shopify_orders", {"orders": [base | record]}, platform="shopify", **more)
    return row


def test_a_time_with_the_shops_offset_is_utc() -> None:
    assert one({})["ordered_at"] == datetime.fromisoformat("2026-11-20 13:00:00")


def test_the_total_does_not_fall_after_refunds() -> None:
    repaid = {"kind": "refund", "status": "success", "amount": "9.94", "currency": "USD"}
    changes: list[Json] = [{}, {"status": "failure"}, {"kind": "void"}]
    refunds = [{"transactions": [repaid | change]} for change in changes]
    row = one({"current_total_price": "400.00", "refunds": refunds, "currency": "usd"})
    assert (row["total_price"], row["refunded_amount"]) == (Decimal("409.94"), Decimal("9.94"))
    assert (row["currency"], row["foreign_refunds"]) == ("USD", 0)


def test_a_refund_in_another_currency_alone_is_unknown_and_never_nothing() -> None:
    repaid = {"kind": "refund", "status": "success", "amount": "9.94", "currency": "CAD"}
    row = one({"refunds": [{"transactions": [repaid]}]})
    assert (row["refunded_amount"], row["foreign_refunds"]) == (None, 1)


@pytest.mark.parametrize(
    ("status", "financial"),
    [
        ("paid", "paid"),
        ("PAID", "paid"),
        ("pending", "pending"),
        ("unpaid", "pending"),
        ("partially_paid", "pending"),
        ("authorized", "authorized"),
        ("partially_refunded", "partially_refunded"),
        ("refunded", "refunded"),
        ("voided", "voided"),
        ("expired", "failed"),
        ("on the moon", None),
    ],
)
def test_a_financial_status_is_one_of_our_words_or_unknown(status: str, financial: str | None) -> None:
    row = one({"financial_status": status})
    assert (row["financial_status"], row["raw_status"]) == (financial, status)


@pytest.mark.parametrize("nobody", [{"email": None, "customer": None}, {"email": "", "customer": {"id": 0}}, {}])
def test_email_and_customer_may_be_null(nobody: Json) -> None:
    row = one(nobody)
    assert (row["customer_email"], row["customer_id"]) == (None, None)


def test_an_order_has_a_name_a_number_and_a_graphql_id() -> None:
    row = one({"name": "#1001", "order_number": 1001})
    assert (row["order_id"], row["other_ids"]) == ("450789469", ["#1001", "1001", "gid://shopify/Order/450789469"])


NOTES = [
    {"name": "gift", "value": "yes"},
    {"name": "charge_id", "value": " ch_2 "},
    {"name": "stripe_charge_id", "value": "ch_1"},
    {"name": "payment", "value": "ch_3"},
    {"name": "payment", "value": ""},
]


def test_payment_ids_are_in_the_notes_that_apps_leave() -> None:
    assert one({"note_attributes": NOTES})["charge_ids"] == ["ch_1", "ch_2"]
    assert one({"note_attributes": []})["charge_ids"] == one({})["charge_ids"] == []


def test_a_tenant_names_the_notes_that_hold_its_payment_ids() -> None:
    logic = {"orders": {"charge_id_attributes": ["payment", "it's {{ none }}"]}}
    assert one({"note_attributes": NOTES}, logic=logic)["charge_ids"] == ["ch_3"]
