"""Shopify's records and the expected results of its engines."""

from __future__ import annotations

import json

from pipeline.config.engine_cases import Case, Cases, Row, delivering_platform
from pipeline.connectors.shopify.unit_tests_edits import EDITS, MIXED
from pipeline.connectors.shopify.unit_tests_parts import LINES, PARTS
from pipeline.connectors.shopify.unit_tests_records import EXPECTED, ORDER, Example
from pipeline.connectors.shopify.unit_tests_refunds import REFUNDS

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
STATUSES: dict[str, str | None] = {
    "authorized": "authorized",
    "expired": "failed",
    "paid": "paid",
    "partially_paid": "pending",
    "pending": "pending",
    "unpaid": "pending",
    "voided": "voided",
    "PAID": "paid",
    "new_one": None,
}
ORDERS: tuple[Example, ...] = (
    *REFUNDS,
    *NOTES,
    *LINES,
    *EDITS,
    *MIXED,
    *PARTS,
    *(({"financial_status": raw}, {"raw_status": raw, "financial_status": status}) for raw, status in STATUSES.items()),
    ({"created_at": None}, {"ordered_at": "2026-01-11 04:31:00"}),
    ({"created_at": None, "processed_at": None}, {"ordered_at": "2026-01-12 15:00:00"}),
    ({"cancelled_at": "2026-01-12T00:00:00Z", "cancel_reason": "fraud"}, {"is_cancelled": True}),
    ({"test": True}, {"is_test": True}),
    (
        {
            "shipping_address": {"country": "Deutschland", "country_code": "DE"},
            "billing_address": {"country": "France", "country_code": "FR"},
            "discount_codes": [
                {"code": "WELCOME10"},
                {"code": " basket5 , Spring"},
                {"code": "welcome10"},
                {"code": ""},
            ],
        },
        {"shipping_country": "DE", "discount_codes": "BASKET5, SPRING, WELCOME10"},
    ),
    ({"shipping_address": {"country": "Canada"}, "discount_codes": []}, {"shipping_country": "Canada"}),
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
    cost: Row = {"inventory_item": {"unit_cost": {"amount": "99.50", "currency_code": "usd"}}}
    variants: list[Row] = [{"id": 4, "price": "199.00"} | cost, {"id": 5, "price": "199.00"}]
    costs: list[Row] = [{"variant_id": "4", "unit_cost": 99.5, "currency": "USD"}]
    return Case(
        "a product's category is its product_type, and variants have costs where the shop says so",
        {"products": [ipod | {"handle": "ipod-nano", "status": "active", "tags": "Emotive", "variants": variants}]},
        [
            {
                "source_platform": delivering_platform,
                "source_account": "main",
                "product_id": "632910392",
                "product_name": "IPod Nano - 8GB",
                "product_category": "Cult Products",
                "unit_costs": json.dumps(costs),
            }
        ],
    )


CASES: Cases = {
    "engine_shopify_orders": _shopify_orders,
    "engine_shopify_products": _shopify_products,
}
