"""BigCommerce's records and what its engines make of them."""

from __future__ import annotations

from warehouse.cases import Case, Cases


def _orders(_pattern: str | None) -> Case:
    paid = {"status_id": 11, "status": "Awaiting Fulfillment", "default_currency_code": "usd", "currency_code": "CAD"}
    row = {
        "source_platform": "bigcommerce",
        "financial_status": "paid",
        "raw_status": "Awaiting Fulfillment",
        "is_cancelled": False,
        "currency": "USD",
    }
    return Case(
        "status ids say where the money is, RFC 2822 becomes UTC, totals include tax, lines come from their own object",
        {
            "orders": [
                paid
                | {
                    "id": 218,
                    "customer_id": 11,
                    "date_created": "Tue, 05 Mar 2019 23:40:11 -0500",
                    "date_shipped": "",
                    "total_ex_tax": "64.5300",
                    "total_inc_tax": "69.8400",
                    "refunded_amount": "9.8400",
                    "payment_provider_id": "ch_1",
                    "billing_address": {"email": " JaneDoe@Example.com"},
                },
                {
                    "id": 219,
                    "customer_id": 0,
                    "date_created": "",
                    "date_modified": "Mon, 11 Mar 2019 15:17:25 +0000",
                    "status_id": 4,
                    "status": "Money back",
                    "total_inc_tax": "10.0000",
                    "refunded_amount": "0.0000",
                    "currency_code": "EUR",
                    "payment_provider_id": "",
                },
                {"id": 220, "status": "Cancelled", "total_inc_tax": "1.0000", "default_currency_code": "USD"},
            ],
            "order_products": [{"id": 116, "order_id": 218, "quantity": 1, "price_ex_tax": "31.9500"}],
        },
        [
            row
            | {
                "order_id": "218",
                "ordered_at": "2019-03-06 04:40:11",
                "total_price": 69.84,
                "refunded_amount": 9.84,
                "financial_status": "partially_refunded",
                "customer_email": "janedoe@example.com",
                "customer_id": "11",
                "charge_ids": "[ch_1]",
            },
            row
            | {
                "order_id": "219",
                "ordered_at": "2019-03-11 15:17:25",
                "total_price": 10,
                "refunded_amount": 10,
                "currency": "EUR",
                "financial_status": "refunded",
                "raw_status": "Money back",
                "customer_email": None,
                "customer_id": None,
                "charge_ids": "[]",
            },
            row
            | {
                "order_id": "220",
                "ordered_at": None,
                "total_price": 1,
                "refunded_amount": 0,
                "financial_status": "cancelled",
                "raw_status": "Cancelled",
                "is_cancelled": True,
                "customer_email": None,
                "customer_id": None,
                "charge_ids": "[]",
            },
        ],
    )


def _products(_pattern: str | None) -> Case:
    return Case(
        "a product's category is its type: categories are only ids",
        {"products": [{"id": 174, "name": "1L Le Parfait Jar", "type": "physical", "categories": [23, 21]}]},
        [{"product_id": "174", "product_name": "1L Le Parfait Jar", "product_category": "physical"}],
    )


CASES: Cases = {"engine_bigcommerce_orders": _orders, "engine_bigcommerce_products": _products}
