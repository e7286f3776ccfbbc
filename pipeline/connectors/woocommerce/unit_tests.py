"""WooCommerce's records and the expected results of its engines."""

from __future__ import annotations

import json
from collections.abc import Callable

from pipeline.config.engine_cases import Case, Cases, Row, delivering_platform, main_clock, main_currency
from pipeline.config.source import Source
from pipeline.config.tenant import Tenant

ORDER: Row = {
    "id": 723,
    "parent_id": 0,
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
    "gross_sales": None,
    "discount_amount": None,
    "shipping_amount": 4.9,
    "tax_amount": 6.23,
    "other_charges": 0,
    "refunded_amount": 0,
    "foreign_refunds": 0,
    "currency": "USD",
    "financial_status": "paid",
    "raw_status": "completed",
    "is_cancelled": False,
    "is_test": False,
    "customer_email": "joao.silva@example.com",
    "customer_id": "26",
    "shipping_country": None,
    "discount_codes": None,
    "charge_ids": "[ch_2]",
    "lines": None,
    "refunds": "[]",
    "doubts": "[]",
}


def back(*amounts: float | None, **said: object) -> Row:
    """The refunds of an order: each its amount, and what the shop says of all of them."""
    alone: Row = {"refund_id": None, "refunded_at": None, "lines": None}
    return {"refunds": json.dumps([alone | {"amount": amount} | said for amount in amounts])}


def by_the_clock(local: str) -> Callable[[Tenant, Source], str]:
    """A refund whose time is by the clock of the shop."""

    def refunds(tenant: Tenant, source: Source) -> str:
        made = back(39, refund_id="726", refunded_at=main_clock(local)(tenant, source), lines=[])
        return str(made["refunds"])

    return refunds


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
    "variant_id": None,
    "cost_amount": None,
}
RETURNED: Row = {"line_items": [{"id": 9, "quantity": -2, "total": "-5.50"}]}
RETURNED_AT: Row = {"date_created": "2017-03-23T22:00:00", "date_created_gmt": "2017-03-24T01:00:00"}
CAME_BACK = [{"order_item_id": "9", "quantity": 2, "amount": 5.5}]
ALONE: Row = {"doubts": "[unproven_parent]"}
CANCELLED: Row = {"financial_status": "cancelled", "is_cancelled": True}
NO_MORE: Row = {"id": 316, "product_id": 0, "sku": "", "quantity": 0}
BARE: Row = {"id": 317, "subtotal": None}
WITHOUT_SUBTOTAL: Row = {"line_id": "317", "unit_price": 2.75, "discount_amount": 0}
NO_TOTAL: Row = {"total": None}
UNKNOWN: Row = {"discount_amount": None, "amount": None}
BY_METRE: Row = {"quantity": 1.52, "subtotal": "22.80", "total": "22.80"}

Example = tuple[Row, Row]
"""An example: the differences of an order from ORDER, and of its result from EXPECTED."""
ORDERS: tuple[Example, ...] = (
    ({"transaction_id": "", "meta_data": KEPT}, {"charge_ids": "[ch_1, pi_1]"}),
    ({"meta_data": KEPT}, {"charge_ids": "[ch_1, pi_1, ch_2]"}),
    ({"meta_data": [], "transaction_id": None}, {"charge_ids": "[]"}),
    (
        {
            "shipping": {"country": "AT"},
            "coupon_lines": [{"code": "welcome10"}, {"code": "Basket5"}, {"code": "basket5"}],
        },
        {"shipping_country": "AT", "discount_codes": "BASKET5, WELCOME10"},
    ),
    ({"shipping": {"country": ""}, "coupon_lines": []}, {}),
    # A time without UTC is by the clock of the shop.
    ({"date_created_gmt": None}, {"ordered_at": main_clock("2017-03-21T23:30:00")}),
    # Statuses; one of the refund alone was paid back whole.
    *(({"status": raw}, {"raw_status": raw, "financial_status": status}) for raw, status in STATUSES),
    *(({"status": raw}, {"raw_status": raw} | CANCELLED) for raw in ("cancelled", "trash")),
    (
        {"status": "refunded"},
        {"raw_status": "refunded", "financial_status": "refunded", "refunded_amount": 39} | back(39),
    ),
    (
        {"status": "refunded", "total": None},
        {"raw_status": "refunded", "financial_status": "refunded", "total_price": None, "refunded_amount": None}
        | back(None),
    ),
    (
        {"status": "refunded", "refunds": [{"id": 726, "total": "-10.00"}]},
        {"raw_status": "refunded", "financial_status": "refunded", "refunded_amount": 10} | back(10, refund_id="726"),
    ),
    (
        {"refunds": [{"id": None, "total": "-10.00"}, {"total": "-19.00"}, {"total": "0.00"}]},
        {"financial_status": "partially_refunded", "refunded_amount": 29} | back(10, 19),
    ),
    # When, and of which lines, is in the refunds' own object, which an export may put in place of the order's list.
    (
        {"refunds": [{"id": 726, "total": "-39.00"} | RETURNED_AT | RETURNED]},
        {"financial_status": "refunded", "refunded_amount": 39}
        | back(39, refund_id="726", refunded_at="2017-03-24 01:00:00", lines=CAME_BACK),
    ),
    (
        {"refunds": [{"id": 726, "total": "-39.00", "date_created": "2017-03-24T01:00:00", "line_items": []}]},
        {"financial_status": "refunded", "refunded_amount": 39} | {"refunds": by_the_clock("2017-03-24T01:00:00")},
    ),
    ({"refunds": None}, {"refunds": None}),
    (
        {"refunds": [{"id": 726, "total": "-10.00"}, {"id": 726, "total": None}, {"id": 726, "total": ""}]},
        {"refunded_amount": None, "foreign_refunds": 2} | back(10, None, None, refund_id="726"),
    ),
    (
        {"status": "refunded", "refunds": [{"id": 726, "total": None}]},
        {"raw_status": "refunded", "financial_status": "refunded", "refunded_amount": None, "foreign_refunds": 1}
        | back(None, refund_id="726"),
    ),
    # Missing or blank values.
    ({"number": ""}, {"other_ids": "[]"}),
    ({"parent_id": 1}, ALONE),
    ({"parent_id": None}, {}),
    ({"currency": ""}, {"currency": main_currency}),
    ({"customer_id": 0, "billing": {"email": ""}}, {"customer_id": None, "customer_email": None}),
    (
        {"line_items": [LINE, LINE | NO_MORE, LINE | BARE, LINE | BY_METRE]},
        {
            "lines": json.dumps(
                [
                    BOUGHT,
                    BOUGHT | {"line_id": "316", "product_id": None, "sku": None, "quantity": 0, "unit_price": 2.75},
                    BOUGHT | WITHOUT_SUBTOTAL,
                    BOUGHT | {"quantity": 1.52, "unit_price": 15, "discount_amount": 0, "amount": 22.8},
                ]
            )
        }
        # subtotals are not all said, so that the order's own discount counts
        | {"gross_sales": 41.3, "discount_amount": 2},
    ),
    # Goods of 12 less 1, and fees; a fee below 0 is a reduction.
    (
        {"line_items": [LINE, LINE], "fee_lines": [{"id": 1, "total": "3.00"}, {"id": 2, "total": "-0.50"}]},
        {"lines": json.dumps([BOUGHT, BOUGHT]), "gross_sales": 12, "discount_amount": 1, "other_charges": 2.5},
    ),
    ({"line_items": [], "fee_lines": []}, {"lines": "[]", "gross_sales": 0, "discount_amount": 0}),
    (
        {"line_items": [LINE | {"cost_of_goods_sold": {"value": 1.25}}]},
        {"lines": json.dumps([BOUGHT | {"cost_amount": 1.25}]), "gross_sales": 6, "discount_amount": 0.5},
    ),
    # Without subtotals the order's own discount counts, which is 0 where it is not said.
    (
        {"line_items": [LINE | BARE, LINE], "discount_total": None},
        {"lines": json.dumps([BOUGHT | WITHOUT_SUBTOTAL, BOUGHT]), "gross_sales": 11, "discount_amount": 0},
    ),
    (
        {"line_items": [LINE | BARE | {"total": "0.00"}]},
        {"lines": json.dumps([BOUGHT | WITHOUT_SUBTOTAL | {"amount": 0}]), "gross_sales": 2, "discount_amount": 2},
    ),
    # The money of goods is unknown where that of a line is.
    ({"line_items": [LINE, LINE | NO_TOTAL]}, {"lines": json.dumps([BOUGHT, BOUGHT | UNKNOWN])}),
    (
        {"line_items": [LINE, LINE | BARE | NO_TOTAL]},
        {"lines": json.dumps([BOUGHT, BOUGHT | WITHOUT_SUBTOTAL | UNKNOWN])},
    ),
    (
        {"line_items": [LINE, LINE | NO_TOTAL], "total": "5.50", "shipping_total": None, "total_tax": ""},
        {
            "lines": json.dumps([BOUGHT, BOUGHT | UNKNOWN]),
            "total_price": 5.5,
            "shipping_amount": None,
            "tax_amount": None,
        },
    ),
    # Nothing is left for shipping and tax that the record does not say: they are 0.
    (
        {"line_items": [LINE], "total": "12.40", "total_tax": "", "fee_lines": [{"id": 1, "total": "2.00"}]},
        {"lines": json.dumps([BOUGHT]), "gross_sales": 6, "discount_amount": 0.5, "total_price": 12.4}
        | {"other_charges": 2, "tax_amount": 0},
    ),
    (
        {"line_items": [LINE], "total": "11.73", "shipping_total": None},
        {"lines": json.dumps([BOUGHT]), "gross_sales": 6, "discount_amount": 0.5, "total_price": 11.73}
        | {"shipping_amount": 0},
    ),
    (
        {"line_items": [LINE], "total": "5.50", "shipping_total": None, "total_tax": "", "discount_total": None},
        {"lines": json.dumps([BOUGHT]), "gross_sales": 6, "discount_amount": 0.5, "total_price": 5.5}
        | {"shipping_amount": 0, "tax_amount": 0},
    ),
    (
        {"line_items": [LINE], "shipping_total": None, "total_tax": ""},
        {"lines": json.dumps([BOUGHT]), "gross_sales": 6, "discount_amount": 0.5}
        | {"shipping_amount": None, "tax_amount": None},
    ),
)
PART: Row = {"parent_id": 1}
FAMILIES: tuple[tuple[tuple[Row, Row | None], ...], ...] = (
    # The parts of an order, made with it and together what it comes to, are no orders.
    (
        ({"id": 1}, {}),
        (PART | {"id": 2, "total": "20.00", "date_created_gmt": "2017-03-22T02:31:00"}, None),
        (PART | {"id": 3, "total": "19.02", "date_created_gmt": "2017-03-22T02:29:00"}, None),
        # A later order with the same parent is a sale, such as a renewal.
        (
            PART | {"id": 4, "total": "39.00", "date_created_gmt": "2017-03-22T02:31:01"},
            ALONE | {"ordered_at": "2017-03-22 02:31:01", "total_price": 39},
        ),
        (
            PART | {"id": 5, "total": "39.00", "date_created_gmt": "2017-03-22T02:28:59"},
            ALONE | {"ordered_at": "2017-03-22 02:28:59", "total_price": 39},
        ),
        (PART | {"id": 6, "currency": "EUR"}, ALONE | {"currency": "EUR"}),
    ),
    # They do not come to it, or one does not say what it comes to.
    (({"id": 1}, {}), (PART | {"id": 2, "total": "38.98"}, ALONE | {"total_price": 38.98})),
    (({"id": 1}, {}), (PART | {"id": 2, "total": "39.02"}, ALONE | {"total_price": 39.02})),
    (({"id": 1}, {}), (PART | {"id": 2}, ALONE), (PART | {"id": 3, "total": None}, ALONE | {"total_price": None})),
    # Their parent is in another shop, not there, or no sale.
    (({"id": 1, "_account": "eu"}, {"source_account": "eu"}), (PART | {"id": 2}, ALONE)),
    ((PART | {"id": 2}, ALONE),),
    (({"id": 1, "currency": "EUR"}, {"currency": "EUR"}), (PART | {"id": 2, "currency": "eur"}, None)),
    (
        ({"id": 1, "status": "cancelled"}, {"raw_status": "cancelled"} | CANCELLED),
        (PART | {"id": 2}, ALONE),
    ),
    (
        ({"id": 1, "status": "failed"}, {"raw_status": "failed", "financial_status": "failed"}),
        (PART | {"id": 2}, ALONE),
    ),
    (
        ({"id": 1, "status": "draft"}, {"raw_status": "draft", "financial_status": "failed"}),
        (PART | {"id": 2}, ALONE),
    ),
    (({"id": 1, "status": "new"}, {"raw_status": "new", "financial_status": None}), (PART | {"id": 2}, None)),
    # What was paid back for a part was paid back for the order, said there too or not.
    (
        ({"id": 1}, {"refunded_amount": 15, "financial_status": "partially_refunded"} | back(5, 10)),
        (PART | {"id": 2, "total": "29.00", "refunds": [{"total": "-5.00"}]}, None),
        (PART | {"id": 3, "total": "10.00", "status": "refunded"}, None),
    ),
    (
        (
            {"id": 1, "refunds": [{"total": "-6.00"}]},
            {"refunded_amount": 6, "financial_status": "partially_refunded"} | back(6),
        ),
        (PART | {"id": 2, "refunds": [{"total": "-5.00"}]}, None),
    ),
    (
        (
            {"id": 1, "refunds": [{"id": 726, "total": "-6.00"}]},
            {"refunded_amount": 6, "financial_status": "partially_refunded"} | back(6, refund_id="726"),
        ),
        (PART | {"id": 2, "refunds": [{"id": 727, "total": "-6.00"}]}, None),
    ),
    (
        (
            {"id": 1, "status": "refunded"},
            {"raw_status": "refunded", "financial_status": "refunded", "refunded_amount": 39} | back(39),
        ),
        (PART | {"id": 2, "refunds": [{"total": "-5.00"}]}, None),
    ),
    (
        ({"id": 1, "refunds": [{"total": "-6.00"}]}, {"refunded_amount": None, "foreign_refunds": 2} | back(6)),
        (PART | {"id": 2, "total": "30.00", "refunds": [{"total": None}]}, None),
        (PART | {"id": 3, "total": "9.00", "refunds": [{"total": None}]}, None),
    ),
    (
        ({"id": 1, "refunds": [{"total": None}]}, {"refunded_amount": None, "foreign_refunds": 1} | back(None)),
        (PART | {"id": 2}, None),
    ),
)
"""Orders that share a parent, as examples; without a result where an order is a part of another."""


def _family(number: int) -> list[tuple[Row, Row]]:
    """The records of a family, with ids of its own, and their results."""
    examples = []
    for sent, changes in FAMILIES[number]:
        ids: Row = {name: 1000 * (number + 1) + int(str(sent[name])) for name in ("id", "parent_id") if name in sent}
        examples.append(
            (ORDER | sent | ids, {} if changes is None else EXPECTED | changes | {"order_id": str(ids["id"])})
        )
    return examples


def _orders(_pattern: str | None) -> Case:
    families = [example for number in range(len(FAMILIES)) for example in _family(number)]
    return Case(
        "the time in UTC counts, refunds are negative, 0 is a guest, the number is another id, parts are no orders",
        {"orders": [*(ORDER | sent for sent, _ in ORDERS), *(record for record, _ in families)]},
        [*(EXPECTED | changes for _, changes in ORDERS), *(expected for _, expected in families if expected)],
    )


def _products(_pattern: str | None) -> Case:
    categories = [{"id": 9, "name": "Clothing", "slug": "clothing-9"}, {"id": 14, "name": "T-shirts"}]
    bare: Row = {"id": 795, "name": "Bare", "slug": "bare", "sku": "B-1", "type": "simple", "status": "publish"}
    row: Row = {"source_platform": delivering_platform, "source_account": "main"}
    return Case(
        "a product's category is its first",
        {"products": [bare | {"id": 794, "parent_id": 7, "name": "Premium", "categories": categories}, bare]},
        [
            row | {"product_id": "794", "product_name": "Premium", "product_category": "Clothing", "unit_costs": None},
            row | {"product_id": "795", "product_name": "Bare", "product_category": None, "unit_costs": None},
        ],
    )


CASES: Cases = {"engine_woocommerce_orders": _orders, "engine_woocommerce_products": _products}
