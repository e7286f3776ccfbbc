"""WooCommerce's records and the expected results of its engines."""

from __future__ import annotations

import json

from pipeline.config.engine_cases import Case, Cases, Row, delivering_platform, main_clock, main_currency

ORDER: Row = {
    "id": 723,
    "parent_id": 9,
    "number": "A-723",
    "order_key": "wc_order_58",
    "status": "completed",
    "currency": "usd",
    "date_created": "2017-03-21T23:30:00",
    "date_created_gmt": "2017-03-22T02:30:00",
    "date_modified": "2017-03-22T10:00:00",
    "date_modified_gmt": "2017-03-22T13:00:00",
    "date_paid_gmt": "2017-03-22T02:31:00",
    "total": "39.00",
    "total_tax": "6.23",
    "shipping_total": "4.90",
    "discount_total": "2.00",
    "customer_id": 26,
    "billing": {"email": "Joao.Silva@Example.com ", "city": "Lisboa", "country": "PT"},
    "payment_method": "stripe",
    "transaction_id": "ch_2",
    "refunds": [],
}
EXPECTED: Row = {
    "source_platform": delivering_platform,
    "source_account": "main",
    "order_id": "723",
    "other_ids": "[A-723]",
    "ordered_at": "2017-03-22 02:30:00",
    "total_price": 39,
    "refunded_amount": 0,
    "foreign_refunds": 0,
    "currency": "USD",
    "financial_status": "paid",
    "raw_status": "completed",
    "is_cancelled": False,
    "is_test": False,
    "customer_email": "joao.silva@example.com",
    "customer_id": "26",
    "charge_ids": "[ch_2]",
    "lines": None,
}
STATUSES = (
    ("auto-draft", "failed"),
    ("checkout-draft", "failed"),
    ("draft", "failed"),
    ("failed", "failed"),
    ("on-hold", "pending"),
    ("pending", "pending"),
    ("processing", "paid"),
    ("wc-processing", "paid"),
    ("WC-Processing", "paid"),
    ("new-one", None),
)
KEPT = [
    {"id": 2, "key": "_stripe_intent_id", "value": "pi_1"},
    {"id": 1, "key": "_stripe_charge_id", "value": "ch_1"},
    {"id": 3, "key": "_stripe_fee", "value": {"amount": 1.2}},
    {"id": 4, "key": "_stripe_charge_id", "value": ""},
]
LINE: Row = {
    "id": 315,
    "name": "Woo Single",
    "product_id": 93,
    "variation_id": 94,
    "sku": "W-1",
    "quantity": 2,
    "subtotal": "6.00",
    "subtotal_tax": "0.45",
    "total": "5.50",
    "total_tax": "0.41",
    "price": 2.75,
}
BOUGHT: Row = {
    "line_id": "315",
    "product_id": "93",
    "sku": "W-1",
    "item_name": "Woo Single",
    "quantity": 2,
    "unit_price": 3,
    "discount_amount": 0.5,
    "amount": 5.5,
}
NO_MORE: Row = {"id": 316, "product_id": 0, "sku": "", "quantity": 0}
BARE: Row = {"id": 317, "subtotal": None}

Example = tuple[Row, Row]
"""An example: the differences of an order from ORDER, and of its result from EXPECTED."""
ORDERS: tuple[Example, ...] = (
    ({"transaction_id": "", "meta_data": KEPT}, {"charge_ids": "[ch_1, pi_1]"}),
    ({"meta_data": KEPT}, {"charge_ids": "[ch_1, pi_1, ch_2]"}),
    ({"meta_data": [], "transaction_id": None}, {"charge_ids": "[]"}),
    # A time without UTC is by the clock of the shop.
    ({"date_created_gmt": None}, {"ordered_at": main_clock("2017-03-21T23:30:00")}),
    # Statuses; one of the refund alone was paid back whole.
    *(({"status": raw}, {"raw_status": raw, "financial_status": status}) for raw, status in STATUSES),
    *(
        ({"status": raw}, {"raw_status": raw, "financial_status": "cancelled", "is_cancelled": True})
        for raw in ("cancelled", "trash")
    ),
    ({"status": "refunded"}, {"raw_status": "refunded", "financial_status": "refunded", "refunded_amount": 39}),
    (
        {"status": "refunded", "total": None},
        {"raw_status": "refunded", "financial_status": "refunded", "total_price": None},
    ),
    (
        {"status": "refunded", "refunds": [{"id": 726, "total": "-10.00"}]},
        {"raw_status": "refunded", "financial_status": "refunded", "refunded_amount": 10},
    ),
    (
        {"refunds": [{"id": 726, "total": "-10.00"}, {"id": 724, "total": "-19.00"}]},
        {"financial_status": "partially_refunded", "refunded_amount": 29},
    ),
    (
        {"refunds": [{"id": 726, "total": "-39.00"}]},
        {"financial_status": "refunded", "refunded_amount": 39},
    ),
    ({"refunds": None}, {}),
    # Missing or blank values.
    ({"number": ""}, {"other_ids": "[]"}),
    ({"currency": ""}, {"currency": main_currency}),
    ({"customer_id": 0, "billing": {"email": ""}}, {"customer_id": None, "customer_email": None}),
    (
        {"line_items": [LINE, LINE | NO_MORE, LINE | BARE]},
        {
            "lines": json.dumps(
                [
                    BOUGHT,
                    BOUGHT | {"line_id": "316", "product_id": None, "sku": None, "quantity": 0, "unit_price": 2.75},
                    BOUGHT | {"line_id": "317", "unit_price": 2.75, "discount_amount": 0},
                ]
            )
        },
    ),
)


def _orders(_pattern: str | None) -> Case:
    return Case(
        "the time in UTC counts, refunds are negative, 0 is a guest, and the number is another id",
        {"orders": [ORDER | sent for sent, _ in ORDERS]},
        [EXPECTED | changes for _, changes in ORDERS],
    )


def _products(_pattern: str | None) -> Case:
    categories = [{"id": 9, "name": "Clothing", "slug": "clothing-9"}, {"id": 14, "name": "T-shirts"}]
    bare: Row = {"id": 795, "name": "Bare", "slug": "bare", "sku": "B-1", "type": "simple", "status": "publish"}
    row: Row = {"source_platform": delivering_platform, "source_account": "main"}
    return Case(
        "a product's category is its first",
        {"products": [bare | {"id": 794, "parent_id": 7, "name": "Premium", "categories": categories}, bare]},
        [
            row | {"product_id": "794", "product_name": "Premium", "product_category": "Clothing"},
            row | {"product_id": "795", "product_name": "Bare", "product_category": None},
        ],
    )


CASES: Cases = {"engine_woocommerce_orders": _orders, "engine_woocommerce_products": _products}
