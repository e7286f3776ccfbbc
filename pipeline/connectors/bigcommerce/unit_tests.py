"""BigCommerce's records and the expected results of its engines."""

from __future__ import annotations

import json

from pipeline.config.engine_cases import Case, Cases, Row, delivering_platform, main_currency

ORDER: Row = {
    "id": 218,
    "customer_id": 11,
    "date_created": "Tue, 05 Mar 2019 23:40:11 -0500",
    "date_modified": "Mon, 11 Mar 2019 15:17:25 -0500",
    "date_shipped": "",
    "status_id": 11,
    "status": "Awaiting Fulfillment",
    "custom_status": "In the queue",
    "payment_status": "captured",
    "payment_method": "Credit Card",
    "payment_provider_id": "ch_1",
    "subtotal_inc_tax": "67.8400",
    "subtotal_ex_tax": "62.6793",
    "shipping_cost_ex_tax": "11.0900",
    "shipping_cost_inc_tax": "12.0000",
    "handling_cost_ex_tax": "0.0000",
    "discount_amount": "5.0000",
    "coupon_discount": "5.0000",
    "total_ex_tax": "64.5300",
    "total_inc_tax": "69.8400",
    "total_tax": "5.3100",
    "refunded_amount": "0.0000",
    "store_credit_amount": "1.0000",
    "default_currency_code": "usd",
    "currency_code": "CAD",
    "items_total": 2,
    "billing_address": {"email": " JaneDoe@Example.com", "country": "Canada", "country_iso2": "CA"},
}
EXPECTED: Row = {
    "source_platform": delivering_platform,
    "source_account": "main",
    "order_id": "218",
    "other_ids": "[]",
    "ordered_at": "2019-03-06 04:40:11",
    "total_price": 69.84,
    "gross_sales": 62.6793,
    "discount_amount": 9.2393,
    "shipping_amount": 11.09,
    "tax_amount": 5.31,
    "other_charges": 0,
    "refunded_amount": 0,
    "foreign_refunds": 0,
    "currency": "USD",
    "financial_status": "paid",
    "raw_status": "Awaiting Fulfillment",
    "is_cancelled": False,
    "is_test": False,
    "customer_email": "janedoe@example.com",
    "customer_id": "11",
    "shipping_country": None,
    "discount_codes": None,
    "charge_ids": "[ch_1]",
    "lines": None,
    "refunds": None,
    "doubts": "[]",
}


def back(amount: float | None) -> Row:
    """The refunds of an order, which the shop says as one amount."""
    return {"refunds": json.dumps([{"refund_id": None, "refunded_at": None, "amount": amount, "lines": None}])}


STATUSES = (
    (0, "Incomplete", "failed"),
    (1, "Pending", "pending"),
    (2, "Shipped", "paid"),
    (3, "Partially Shipped", "paid"),
    (6, "Declined", "failed"),
    (7, "Awaiting Payment", "pending"),
    (8, "Awaiting Pickup", "paid"),
    (9, "Awaiting Shipment", "paid"),
    (10, "Completed", "paid"),
    (11, "Awaiting Fulfillment", "paid"),
    (12, "Manual Verification Required", "pending"),
    (13, "Disputed", "paid"),
    (14, "Partially Refunded", "partially_refunded"),
)
CANCELLED: Row = {"financial_status": "cancelled", "is_cancelled": True}
REFUNDED: Row = {"financial_status": "refunded", "refunded_amount": 69.84} | back(69.84)

Example = tuple[Row, Row]
"""An example: the differences of an order from ORDER, and of its result from EXPECTED."""
ORDERS: tuple[Example, ...] = (
    # The status is known by its id, whatever a merchant calls it; by its label where the id is missing.
    *(({"status_id": id_, "status": "Ours"}, {"raw_status": "Ours", "financial_status": s}) for id_, _, s in STATUSES),
    *(({"status_id": None, "status": label}, {"raw_status": label, "financial_status": s}) for _, label, s in STATUSES),
    ({"status_id": 5, "status": None}, CANCELLED | {"raw_status": "5"}),
    ({"status_id": None, "status": "Cancelled"}, CANCELLED | {"raw_status": "Cancelled"}),
    ({"status_id": 99, "status": "New one"}, {"financial_status": None, "raw_status": "New one"}),
    # An order that only has the refund's status was paid back whole.
    ({"status_id": 4, "status": "Refunded"}, REFUNDED | {"raw_status": "Refunded"}),
    ({"status_id": 4, "status": "Refunded", "refunded_amount": ""}, REFUNDED | {"raw_status": "Refunded"}),
    ({"status_id": None, "status": "Refunded"}, REFUNDED | {"raw_status": "Refunded"}),
    (
        {"status_id": 4, "status": "Refunded", "refunded_amount": "60.0000"},
        REFUNDED | {"raw_status": "Refunded", "refunded_amount": 60} | back(60),
    ),
    (
        {"status_id": 4, "status": "Refunded", "total_inc_tax": None},
        {"financial_status": "refunded", "raw_status": "Refunded", "total_price": None, "refunded_amount": None}
        | {"discount_amount": 10}
        | back(None),
    ),
    (
        {"refunded_amount": "64.8400"},
        {"refunded_amount": 64.84, "financial_status": "partially_refunded"} | back(64.84),
    ),
    ({"refunded_amount": "69.8400"}, REFUNDED),
    # Discounts without tax are as said; with tax they are what the totals without tax say; odd totals change nothing.
    (
        {"total_inc_tax": "69.0793", "handling_cost_ex_tax": None},
        {"total_price": 69.0793, "discount_amount": 10},
    ),
    ({"total_inc_tax": "79.0793"}, {"total_price": 79.0793, "discount_amount": 0}),
    ({"total_inc_tax": "68.5793"}, {"total_price": 68.5793, "discount_amount": 10}),
    ({"total_inc_tax": "60.0000"}, {"total_price": 60, "discount_amount": 10}),
    ({"total_inc_tax": "60.0000", "discount_amount": None}, {"total_price": 60, "discount_amount": 5}),
    ({"total_inc_tax": "60.0000", "coupon_discount": ""}, {"total_price": 60, "discount_amount": 5}),
    ({"total_inc_tax": "80.0000"}, {"total_price": 80, "discount_amount": 10}),
    (
        {"handling_cost_ex_tax": "2.0000", "wrapping_cost_ex_tax": "1.5000", "total_inc_tax": "73.3400"},
        {"other_charges": 3.5, "total_price": 73.34},
    ),
    ({"discount_amount": None, "coupon_discount": "9.5000"}, {}),
    ({"discount_amount": "9.5000", "coupon_discount": ""}, {}),
    # Nothing is left for shipping and tax that the record does not say: they are 0.
    (
        {"shipping_cost_ex_tax": None, "total_tax": None, "total_inc_tax": "52.6793"},
        {"shipping_amount": 0, "tax_amount": 0, "total_price": 52.6793, "discount_amount": 10},
    ),
    (
        {"shipping_cost_ex_tax": None, "total_inc_tax": "57.9893"},
        {"shipping_amount": 0, "total_price": 57.9893, "discount_amount": 10},
    ),
    (
        {"total_tax": None, "handling_cost_ex_tax": "2.0000", "total_inc_tax": "65.7693"},
        {"tax_amount": 0, "other_charges": 2, "total_price": 65.7693, "discount_amount": 10},
    ),
    # What is left may be shipping, tax or less of a discount with tax: they are unknown.
    (
        {"shipping_cost_ex_tax": None, "total_inc_tax": "65.0000"},
        {"shipping_amount": None, "total_price": 65, "discount_amount": 10},
    ),
    ({"total_tax": None, "total_inc_tax": "65.0000"}, {"tax_amount": None, "total_price": 65, "discount_amount": 10}),
    (
        {"shipping_cost_ex_tax": None, "total_tax": None},
        {"shipping_amount": None, "tax_amount": None, "discount_amount": 10},
    ),
    ({"subtotal_ex_tax": None}, {"gross_sales": None, "discount_amount": 10}),
    ({"refunded_amount": None}, {}),
    ({"is_deleted": True}, {"is_cancelled": True}),
    ({"is_deleted": False}, {}),
    # Missing or blank values.
    ({"date_created": ""}, {"ordered_at": "2019-03-11 20:17:25"}),
    ({"date_created": "Tue, 05 Mar 2019 23:40:11 GMT"}, {"ordered_at": "2019-03-05 23:40:11"}),
    ({"default_currency_code": None}, {"currency": "CAD"}),
    ({"default_currency_code": None, "currency_code": ""}, {"currency": main_currency}),
    ({"customer_id": 0, "billing_address": {"email": ""}}, {"customer_id": None, "customer_email": None}),
    ({"payment_provider_id": ""}, {"charge_ids": "[]"}),
)
LINE: Row = {
    "id": 116,
    "order_id": 219,
    "product_id": 185,
    "variant_id": 407,
    "name": "Jar",
    "sku": "J-1",
    "type": "physical",
    "quantity": 2,
    "quantity_refunded": 1,
    "base_price": "31.0000",
    "price_ex_tax": "31.9500",
    "price_inc_tax": "34.5800",
    "base_total": "62.0000",
    "total_ex_tax": "63.9000",
    "total_inc_tax": "69.1600",
}
BOUGHT: Row = {
    "line_id": "116",
    "product_id": "185",
    "sku": "J-1",
    "item_name": "Jar",
    "quantity": 2,
    "unit_price": 31.95,
    "discount_amount": 3.5,
    "amount": 60.4,
    "variant_id": None,
    "cost_amount": None,
}


def _orders(_pattern: str | None) -> Case:
    custom = LINE | {"id": 117, "product_id": 0, "sku": "", "name": "Wrapping", "gift_certificate_id": 0}
    discounts = {
        "applied_discounts": [
            {"id": "coupon", "amount": "3.0000", "code": "spring"},
            {"id": "total", "amount": "0.5000"},
        ]
    }
    total: Row = {"discount_amount": 0, "amount": 63.9}
    lines = [BOUGHT, BOUGHT | total | {"line_id": "117", "product_id": None, "sku": None, "item_name": "Wrapping"}]
    return Case(
        "status ids say where the money is, RFC 2822 becomes UTC, totals include tax, lines come from their own object",
        {
            "orders": [
                *(ORDER | sent for sent, _ in ORDERS),
                ORDER | {"id": 219},
                ORDER | {"id": 219, "_account": "eu"},
            ],
            "order_products": [
                custom,
                LINE | discounts | {"gift_certificate_id": 0},
                LINE
                | {"id": 118, "gift_certificate_id": 4, "total_ex_tax": "20.0000"}
                | {"applied_discounts": [{"id": "coupon", "code": "Gift"}]},
                LINE | {"id": 119, "gift_certificate_id": 5, "total_ex_tax": "5.0000"},
                LINE | {"id": 5, "_account": "eu", "quantity": 0.5},
            ],
        },
        [
            *(EXPECTED | changes for _, changes in ORDERS),
            EXPECTED
            | {"order_id": "219", "lines": json.dumps(lines), "gross_sales": 37.6793, "other_charges": 25}
            | {"discount_codes": "GIFT, SPRING"},
            EXPECTED
            | {"order_id": "219", "source_account": "eu"}
            | {"lines": json.dumps([BOUGHT | total | {"line_id": "5", "quantity": 0.5}])},
        ],
    )


def _products(_pattern: str | None) -> Case:
    jar = {"id": 174, "name": "1L Le Parfait Jar", "sku": "SLLPJ", "type": "physical", "availability": "available"}
    return Case(
        "a product's category is its type: categories are only ids",
        {"products": [jar | {"categories": [23, 21], "brand_id": 36, "price": 7.95}]},
        [
            {
                "source_platform": delivering_platform,
                "source_account": "main",
                "product_id": "174",
                "product_name": "1L Le Parfait Jar",
                "product_category": "physical",
                "unit_costs": None,
            }
        ],
    )


CASES: Cases = {"engine_bigcommerce_orders": _orders, "engine_bigcommerce_products": _products}
