"""WooCommerce's records and what its engines make of them."""

from __future__ import annotations

from warehouse.cases import Case, Cases


def _orders(_pattern: str | None) -> Case:
    kept = [
        {"id": 2, "key": "_stripe_intent_id", "value": "pi_1"},
        {"id": 1, "key": "_stripe_charge_id", "value": "ch_1"},
        {"id": 3, "key": "_stripe_fee", "value": {"amount": 1.2}},
    ]
    row = {"source_platform": "woocommerce", "currency": "USD", "is_cancelled": False, "is_test": False}
    return Case(
        "the time in UTC counts, refunds are negative, 0 is a guest, and the number is another id",
        {
            "orders": [
                {
                    "id": 723,
                    "number": "A-723",
                    "status": "completed",
                    "currency": "usd",
                    "date_created": "2017-03-21T23:30:00",
                    "date_created_gmt": "2017-03-22T02:30:00",
                    "total": "39.00",
                    "customer_id": 26,
                    "billing": {"email": "Joao.Silva@Example.com "},
                    "transaction_id": "ch_2",
                    "meta_data": kept,
                    "refunds": [{"id": 726, "total": "-10.00"}, {"id": 724, "total": "-9.00"}],
                },
                {
                    "id": 724,
                    "number": "",
                    "status": "wc-refunded",
                    "currency": "USD",
                    "date_created_gmt": "2017-03-22T02:30:00",
                    "total": "5.50",
                    "customer_id": 0,
                    "billing": {"email": ""},
                    "transaction_id": "",
                    "refunds": [],
                },
            ]
        },
        [
            row
            | {
                "order_id": "723",
                "other_ids": "[A-723]",
                "ordered_at": "2017-03-22 02:30:00",
                "total_price": 39,
                "refunded_amount": 19,
                "financial_status": "partially_refunded",
                "raw_status": "completed",
                "customer_email": "joao.silva@example.com",
                "customer_id": "26",
                "charge_ids": "[ch_1, pi_1, ch_2]",
            },
            row
            | {
                "order_id": "724",
                "other_ids": "[]",
                "ordered_at": "2017-03-22 02:30:00",
                "total_price": 5.5,
                "refunded_amount": 5.5,
                "financial_status": "refunded",
                "raw_status": "wc-refunded",
                "customer_email": None,
                "customer_id": None,
                "charge_ids": "[]",
            },
        ],
    )


def _products(_pattern: str | None) -> Case:
    categories = [{"id": 9, "name": "Clothing", "slug": "clothing"}, {"id": 14, "name": "T-shirts"}]
    return Case(
        "a product's category is its first",
        {"products": [{"id": 794, "name": "Premium Quality", "categories": categories}, {"id": 795, "name": "Bare"}]},
        [
            {"product_id": "794", "product_name": "Premium Quality", "product_category": "Clothing"},
            {"product_id": "795", "product_name": "Bare", "product_category": None},
        ],
    )


CASES: Cases = {"engine_woocommerce_orders": _orders, "engine_woocommerce_products": _products}
