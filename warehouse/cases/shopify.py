"""Shopify's records and what its engines make of them."""

from __future__ import annotations

from warehouse.cases import Case, Cases


def _shopify_orders(_pattern: str | None) -> Case:
    return Case(
        "offsets become UTC, refunds are their successful transactions, guests stay guests, notes keep payment ids",
        {
            "orders": [
                {
                    "id": 450789469,
                    "name": "#1001",
                    "order_number": 1001,
                    "created_at": "2026-01-10T23:30:00-05:00",
                    "total_price": "409.94",
                    "currency": "usd",
                    "financial_status": "partially_refunded",
                    "email": " Bob@Example.com ",
                    "customer": {"id": 207119551},
                    "note_attributes": [
                        {"name": "charge_id", "value": "ch_2"},
                        {"name": "stripe_charge_id", "value": "ch_1"},
                    ],
                    "refunds": [
                        {
                            "transactions": [
                                {"kind": "refund", "status": "success", "amount": "41.94", "currency": "USD"},
                                {"kind": "refund", "status": "failure", "amount": "5.00", "currency": "USD"},
                            ]
                        },
                        {"transactions": [{"kind": "refund", "status": "success", "amount": "8.00"}]},
                    ],
                },
                {
                    "id": 2,
                    "created_at": "2026-01-11T10:00:00Z",
                    "total_price": "1",
                    "currency": "USD",
                    "financial_status": "voided",
                    "cancelled_at": "2026-01-12T00:00:00Z",
                    "test": True,
                    "customer": {"id": 0},
                },
            ]
        },
        [
            {
                "order_id": "450789469",
                "ordered_at": "2026-01-11 04:30:00",
                "total_price": 409.94,
                "refunded_amount": 49.94,
                "currency": "USD",
                "financial_status": "partially_refunded",
                "is_cancelled": False,
                "is_test": False,
                "customer_email": "bob@example.com",
                "customer_id": "207119551",
                "charge_ids": "[ch_1, ch_2]",
            },
            {
                "order_id": "2",
                "ordered_at": "2026-01-11 10:00:00",
                "total_price": 1,
                "refunded_amount": 0,
                "currency": "USD",
                "financial_status": "voided",
                "is_cancelled": True,
                "is_test": True,
                "customer_email": None,
                "customer_id": None,
                "charge_ids": "[]",
            },
        ],
    )


def _shopify_products(_pattern: str | None) -> Case:
    return Case(
        "a product's category is its product_type",
        {"products": [{"id": 632910392, "title": "IPod Nano - 8GB", "product_type": "Cult Products"}]},
        [{"product_id": "632910392", "product_name": "IPod Nano - 8GB", "product_category": "Cult Products"}],
    )


CASES: Cases = {
    "engine_shopify_orders": _shopify_orders,
    "engine_shopify_products": _shopify_products,
}
