"""Shopify's records and the expected results of its engines."""

from __future__ import annotations

import json

from pipeline.config.engine_cases import Case, Cases, Row, delivering_platform, main_currency

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
    "refunded_amount": 0,
    "foreign_refunds": 0,
    "currency": "USD",
    "financial_status": "paid",
    "raw_status": "paid",
    "is_cancelled": False,
    "is_test": False,
    "customer_email": "bob@example.com",
    "customer_id": "207119551",
    "charge_ids": "[]",
    "lines": None,
}

Example = tuple[Row, Row]
"""An example: the differences of an order from ORDER, and of its result from EXPECTED."""
BACK: Row = {"id": 1, "kind": "refund", "status": "success", "amount": "41.94", "currency": "USD"}
REFUNDS: tuple[Example, ...] = (
    (
        {
            "refunds": [
                {"id": 1, "transactions": [BACK | {"currency": "usd"}, BACK | {"status": "failure"}]},
                {
                    "id": 2,
                    "transactions": [
                        BACK | {"kind": "REFUND", "status": "Success", "amount": "8.00", "currency": None}
                    ],
                },
                {"id": 3, "transactions": [BACK | {"kind": "void"}, *[BACK | {"currency": "eur"}] * 2]},
                {"id": 4, "transactions": None},
            ]
        },
        {"refunded_amount": 49.94, "foreign_refunds": 2},
    ),
    ({"refunds": []}, {}),
    (
        {"currency": None, "refunds": [{"transactions": [BACK | {"currency": None}]}]},
        {"refunded_amount": 41.94, "currency": main_currency},
    ),
)
NOTES: tuple[Example, ...] = (
    (
        {
            "note_attributes": [
                {"name": "charge_id", "value": "ch_2"},
                {"name": "colour", "value": "red"},
                {"name": "stripe_charge_id", "value": " ch_1"},
                {"name": "stripe_charge_id", "value": ""},
            ]
        },
        {"charge_ids": "[ch_1, ch_2]"},
    ),
    ({"note_attributes": []}, {}),
)
LINE: Row = {
    "id": 11,
    "product_id": 3,
    "variant_id": 4,
    "sku": "MUG-1",
    "title": "Mug",
    "quantity": 2,
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
}
LINES: tuple[Example, ...] = (
    (
        {"line_items": [LINE, LINE | {"id": 12, "product_id": 0, "sku": "", "total_discount": "2.50"}]},
        {
            "lines": json.dumps(
                [BOUGHT, BOUGHT | {"line_id": "12", "product_id": None, "sku": None, "discount_amount": 2.5}]
            )
        },
    ),
)
STATUSES: dict[str, str | None] = {
    "authorized": "authorized",
    "expired": "failed",
    "paid": "paid",
    "partially_paid": "pending",
    "partially_refunded": "partially_refunded",
    "pending": "pending",
    "refunded": "refunded",
    "unpaid": "pending",
    "voided": "voided",
    "PAID": "paid",
    "new_one": None,
}
ORDERS: tuple[Example, ...] = (
    *REFUNDS,
    *NOTES,
    *LINES,
    *(({"financial_status": raw}, {"raw_status": raw, "financial_status": status}) for raw, status in STATUSES.items()),
    ({"created_at": None}, {"ordered_at": "2026-01-11 04:31:00"}),
    ({"created_at": None, "processed_at": None}, {"ordered_at": "2026-01-12 15:00:00"}),
    ({"cancelled_at": "2026-01-12T00:00:00Z", "cancel_reason": "fraud"}, {"is_cancelled": True}),
    ({"test": True}, {"is_test": True}),
    ({"test": False}, {}),
    ({"email": ""}, {"customer_email": "office@example.com"}),
    ({"email": None, "contact_email": None}, {"customer_email": "robert@example.com"}),
    ({"customer": {"id": 0}}, {"customer_id": None}),
    ({"customer": None}, {"customer_id": None}),
    ({"name": None}, {"other_ids": "[1001, gid://shopify/Order/450789469]"}),
)


def _shopify_orders(_pattern: str | None) -> Case:
    return Case(
        "offsets become UTC, refunds are their successful transactions, guests stay guests, notes keep payment ids",
        {"orders": [ORDER | sent for sent, _ in ORDERS]},
        [EXPECTED | changes for _, changes in ORDERS],
    )


def _shopify_products(_pattern: str | None) -> Case:
    ipod = {"id": 632910392, "title": "IPod Nano - 8GB", "product_type": "Cult Products", "vendor": "Apple"}
    return Case(
        "a product's category is its product_type",
        {"products": [ipod | {"handle": "ipod-nano", "status": "active", "tags": "Emotive"}]},
        [
            {
                "source_platform": delivering_platform,
                "source_account": "main",
                "product_id": "632910392",
                "product_name": "IPod Nano - 8GB",
                "product_category": "Cult Products",
            }
        ],
    )


CASES: Cases = {
    "engine_shopify_orders": _shopify_orders,
    "engine_shopify_products": _shopify_products,
}
