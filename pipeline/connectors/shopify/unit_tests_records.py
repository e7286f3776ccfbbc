"""Records of Shopify's orders and rows of its canonical ones, from which the cases of its engines are made."""

from __future__ import annotations

import json

from pipeline.config.engine_cases import Row, delivering_platform

ORDER: Row = {
    "id": 450789469,
    "name": "#1001",
    "order_number": 1001,
    "created_at": "2026-01-10T23:30:00-05:00",
    "processed_at": "2026-01-10T23:31:00-05:00",
    "updated_at": "2026-01-12T10:00:00-05:00",
    "closed_at": "2026-01-12T09:00:00-05:00",
    "total_price": "409.94",
    "current_total_price": "360.00",
    "subtotal_price": "398.00",
    "total_tax": "11.94",
    "currency": "usd",
    "presentment_currency": "EUR",
    "financial_status": "paid",
    "fulfillment_status": "fulfilled",
    "email": " Bob@Example.com ",
    "contact_email": "Office@Example.com",
    "customer": {"id": 207119551, "email": "Robert@Example.com", "first_name": "Bob", "last_name": "Norman"},
}
EXPECTED: Row = {
    "source_platform": delivering_platform,
    "source_account": "main",
    "order_id": "450789469",
    "other_ids": "[#1001, 1001, gid://shopify/Order/450789469]",
    "ordered_at": "2026-01-11 04:30:00",
    "total_price": 409.94,
    "gross_sales": None,
    "discount_amount": None,
    "shipping_amount": None,
    "tax_amount": 11.94,
    "other_charges": None,
    "refunded_amount": 0,
    "foreign_refunds": 0,
    "currency": "USD",
    "financial_status": "paid",
    "raw_status": "paid",
    "is_cancelled": False,
    "is_test": False,
    "customer_email": "bob@example.com",
    "customer_id": "207119551",
    "shipping_country": None,
    "discount_codes": None,
    "charge_ids": "[]",
    "lines": None,
    "refunds": None,
    "doubts": "[]",
}
Example = tuple[Row, Row]
"""An example: the differences of an order from ORDER, and of its result from EXPECTED."""
UNKNOWN: Row = {"refunded_amount": None, "foreign_refunds": 1}


def money(amount: str) -> Row:
    """An amount in the shop's currency, beside the shopper's."""
    shown: Row = {"amount": "7.77", "currency_code": "EUR"}
    return {"shop_money": {"amount": amount, "currency_code": "USD"}, "presentment_money": shown}


LINE: Row = {
    "id": 11,
    "product_id": 3,
    "variant_id": 4,
    "sku": "MUG-1",
    "title": "Mug",
    "quantity": 2,
    "current_quantity": 2,
    "price": "12.50",
}
BOUGHT: Row = {
    "line_id": "11",
    "product_id": "3",
    "sku": "MUG-1",
    "item_name": "Mug",
    "quantity": 2,
    "unit_price": 12.5,
    "discount_amount": 0,
    "amount": None,
    "variant_id": "4",
    "cost_amount": None,
}
ALLOCATED: Row = {"discount_allocations": [{"amount": "3.00"}, {"amount": "9.99", "amount_set": money("1.00")}]}
TAXED: Row = {"tax_lines": [{"price": "2.00"}, {"price": "9.99", "price_set": money("0.50")}]}
BACK: Row = {"id": 1, "kind": "refund", "status": "success", "amount": "41.94", "currency": "USD"}
ABROAD: Row = BACK | {"amount": "46.00", "currency": "EUR"}
PLAIN: Row = {"line_item_id": 11, "quantity": 1, "subtotal": "20.00", "total_tax": "2.00"}
TAKEN_OFF: Row = {"line_item_id": 11, "quantity": 1, "restock_type": "cancel", "subtotal": "12.50", "total_tax": "1.25"}


def back(*refunds: Row) -> Row:
    """The refunds of an order, by their differences from one that says its amount alone."""
    alone: Row = {"refund_id": None, "refunded_at": None, "lines": None}
    return {"refunds": json.dumps([alone | refund for refund in refunds])}


def came_back(*lines: tuple[float, float | None]) -> list[Row]:
    """Units of the line 11 that came back, with their money."""
    return [{"order_item_id": "11", "quantity": quantity, "amount": amount} for quantity, amount in lines]


def bought(*changes: Row) -> Row:
    """The lines of an order, by their differences from BOUGHT, and what goods and discounts come to without tax."""
    lines = [BOUGHT | change for change in changes]
    if any(None in (line["quantity"], line["unit_price"]) for line in lines):
        return {"lines": json.dumps(lines)}  # the parts of the order are unknown
    gross = sum(line["quantity"] * line["unit_price"] for line in lines)
    discounts = sum(line["discount_amount"] for line in lines)
    return {"lines": json.dumps(lines), "gross_sales": gross, "discount_amount": discounts, "other_charges": 0}
