"""Examples of what Shopify's orders are made of: lines, discounts, shipping, tax, other charges."""

from __future__ import annotations

import json

from pipeline.config.engine_cases import Row
from pipeline.connectors.shopify.unit_tests_records import (
    ALLOCATED,
    BOUGHT,
    LINE,
    TAKEN_OFF,
    TAXED,
    Example,
    bought,
    money,
)

LINES: tuple[Example, ...] = (
    (
        {"line_items": [LINE, LINE | {"id": 12, "product_id": 0, "sku": "", "total_discount": "2.50"}]},
        bought({}, {"line_id": "12", "product_id": None, "sku": None, "discount_amount": 2.5}),
    ),
    # Discounts by code are in discount_allocations alone.
    (
        {
            "line_items": [
                LINE | ALLOCATED | {"total_discount": "0.00"},
                LINE | {"discount_allocations": [], "total_discount": "9.99", "total_discount_set": money("2.25")},
                LINE | {"price": "9.99", "price_set": money("11.00"), "quantity": 0.5, "current_quantity": 0.5},
            ]
        },
        bought({"discount_amount": 4}, {"discount_amount": 2.25}, {"unit_price": 11, "quantity": 0.5}),
    ),
    # Gift cards and tips are no goods.
    (
        {
            "line_items": [
                LINE | {"gift_card": True},
                LINE | {"gift_card": False, "tip_payment_gateway": ""},
                LINE | {"tip_payment_gateway": "shopify_payments"},
                LINE | {"tip_payment_method": "Visa"},
                LINE | {"quantity": 0, "current_quantity": 0},
            ]
        },
        bought({}, {"quantity": 0}) | {"doubts": "[]", "other_charges": 75},
    ),
    # A line without a quantity has an unknown price, so that the parts of the order are unknown.
    (
        {"line_items": [LINE, LINE | {"quantity": None, "current_quantity": None}]},
        bought({}, {"quantity": None}) | {"doubts": "[]"},
    ),
    (
        {"line_items": [LINE, LINE | {"quantity": None}], "total_price": "25.00", "total_tax": None},
        {"lines": json.dumps([BOUGHT, BOUGHT]), "total_price": 25, "tax_amount": None},
    ),
    ({"line_items": [LINE, LINE | {"price": None}]}, bought({}, {"unit_price": None})),
    ({"line_items": [LINE, LINE | {"price": None, "gift_card": True}]}, {"lines": bought({})["lines"]}),
    (
        {"line_items": [LINE | TAXED | {"quantity": None, "current_quantity": None}], "current_total_price": "409.94"},
        bought({"quantity": None}),
    ),
    # An order of nothing but gift cards has goods of 0; what they were discounted by is deducted from them.
    (
        {"line_items": [LINE | ALLOCATED | {"gift_card": True}, LINE | {"gift_card": True}]},
        bought() | {"other_charges": 46},
    ),
    (
        {"line_items": [LINE, LINE | ALLOCATED | {"gift_card": True}], "total_discounts": "4.00"},
        bought({}) | {"other_charges": 21},
    ),
    # Prices with tax: the line's amount is without it, its price and discount as the shop says them.
    (
        {"taxes_included": True, "line_items": [LINE | TAXED | ALLOCATED, LINE | {"tax_lines": []}]},
        bought({"discount_amount": 4, "amount": 18.5}, {"amount": 25})
        | {"gross_sales": 37.021739, "discount_amount": 2.961739},  # 11.94 of 46 is tax
    ),
    ({"taxes_included": False, "line_items": [LINE | TAXED]}, bought({})),
    ({"taxes_included": True, "total_tax": "0.00", "line_items": [LINE]}, bought({}) | {"tax_amount": 0}),
    (
        {"taxes_included": True, "line_items": [LINE | TAXED, LINE]},
        bought({"amount": 22.5}, {}) | {"doubts": "[unproven_tax]", "gross_sales": 38.06},
    ),
)
FREE_OF_CHARGE: Row = {"discount_allocations": [{"amount": "25.00"}]}
SHIPPED: Row = {
    "price": "9.00",
    "price_set": money("10.00"),
    "discounted_price": "9.50",
    "discount_allocations": [{"amount": "2.00"}, {"amount": "9.99", "amount_set": money("1.00")}],
    "tax_lines": [{"price": "0.50"}, {"price": "9.99", "price_set": money("0.25")}],
}
FREE: Row = {
    "price": "9.99",
    "price_set": money("5.00"),
    "discounted_price": "9.99",
    "discounted_price_set": money("4.50"),
}
PLAINLY: Row = {"price": "5.00", "discounted_price": "4.50"}
ALL_TAXED: Row = LINE | ALLOCATED | {"tax_lines": [{"price": "1.50"}]}
STATED: Row = {
    "total_line_items_price": "390.00",
    "total_line_items_price_set": money("400.00"),
    "total_discounts": "2.00",
}
STATED_PARTS: Row = {"gross_sales": 400, "discount_amount": 2, "other_charges": 0}
PARTS: tuple[Example, ...] = (
    # 25 of goods less 4, 8.50 of shipping, tax of 2.25, a tip of 3, duties of 1 and a fee of 0.25.
    (
        {"line_items": [LINE | ALLOCATED], "shipping_lines": [SHIPPED, FREE | {"is_removed": True}]}
        | {"total_discounts": "99.00", "total_tax": "9.99", "total_tax_set": money("2.25"), "total_price": "34.50"}
        | {"total_tip_received": "3.00", "original_total_duties_set": money("1.00")}
        | {"original_total_additional_fees_set": money("0.25")},
        bought({"discount_amount": 4})
        | {"shipping_amount": 7, "tax_amount": 2.25, "other_charges": 4.25, "total_price": 34.5},
    ),
    (
        {"line_items": [LINE], "shipping_lines": [FREE], "total_tip_received": "0.00"},
        bought({}) | {"shipping_amount": 4.5},
    ),
    # Without a discount of its own, shipping costs its price; without a line of it, nothing.
    ({"line_items": [LINE], "shipping_lines": [{"price": "5.00"}, PLAINLY]}, bought({}) | {"shipping_amount": 9.5}),
    ({"line_items": [LINE], "shipping_lines": []}, bought({}) | {"shipping_amount": 0}),
    (
        {"line_items": [LINE], "shipping_lines": [], "total_tax": None},
        bought({}) | {"shipping_amount": 0, "tax_amount": None},
    ),
    # A tip is a line too: it is counted once.
    (
        {"line_items": [LINE, LINE | {"tip_payment_gateway": "card"}], "total_tip_received": "4.00"},
        bought({}) | {"other_charges": 4},
    ),
    # Prices with tax: tax of 0.75 on each shipping is not in it, and 1.50 of 21 is not in the goods.
    (
        {"taxes_included": True, "line_items": [ALL_TAXED], "shipping_lines": [SHIPPED, SHIPPED], "total_tax": "3.00"},
        bought({"discount_amount": 4, "amount": 19.5})
        | {"gross_sales": 23.214286, "discount_amount": 3.714286, "shipping_amount": 12.5, "tax_amount": 3},
    ),
    ({"line_items": [LINE | FREE_OF_CHARGE]}, bought({"discount_amount": 25})),
    # A file of the admin does not say whether prices are with tax: its totals do.
    (
        {
            "line_items": [LINE],
            "subtotal_price_set": money("25.00"),
            "total_price_set": money("30.00"),
            "total_tax": "5.00",
        }
        | {"total_shipping_price_set": money("5.00"), "total_line_items_price": "99.00"},
        bought({}) | {"gross_sales": 20, "shipping_amount": 5, "tax_amount": 5, "total_price": 30},
    ),
    (
        {"line_items": [LINE | {"current_quantity": 1, "tax_lines": [{"price": "5.00"}]}], "subtotal_price": "25.00"}
        | {"total_price": "30.00", "total_tax": "5.00", "total_shipping_price_set": money("5.00")}
        | {"refunds": [{"refund_line_items": [TAKEN_OFF]}], "current_total_price": "16.25"},
        bought({"quantity": 1}) | {"gross_sales": 10, "shipping_amount": 5, "tax_amount": 2.5, "total_price": 16.25},
    ),
    # Of prices with a tax that is not said, the parts without it are unknown.
    (
        {"taxes_included": True, "line_items": [LINE], "total_price": "25.00", "total_tax": None},
        {"lines": bought({})["lines"], "total_price": 25, "tax_amount": None, "other_charges": 0}
        | {"doubts": "[unproven_tax]"},
    ),
    (
        {"line_items": [LINE], "subtotal_price": "25.00", "total_price": "25.00", "total_tax": None}
        | {"shipping_lines": []},
        {"lines": bought({})["lines"], "total_price": 25, "tax_amount": None, "other_charges": 0}
        | {"shipping_amount": 0},
    ),
    # Nothing is left for shipping and tax that the record does not say: they are 0.
    (
        {"line_items": [LINE], "total_price": "25.00", "total_tax": None},
        bought({}) | {"shipping_amount": 0, "tax_amount": 0, "total_price": 25},
    ),
    ({"line_items": [LINE], "total_tax": None}, bought({}) | {"tax_amount": None}),
    # A discount that is in no line is of the goods, but for what shipping says of it.
    (
        {
            "line_items": [LINE],
            "total_discounts": "9.99",
            "total_discounts_set": money("9.00"),
            "shipping_lines": [SHIPPED, SHIPPED],
        },
        bought({}) | {"discount_amount": 3, "shipping_amount": 14},
    ),
    # It is not counted where units were taken off, of which it may have been; nor is the tax of those units.
    (
        {
            "line_items": [
                LINE | {"tax_lines": [{"price": "1.50"}, {"price": "0.50"}]},
                LINE | {"gift_card": True, "current_quantity": 1, "tax_lines": [{"price": "1.00"}]},
            ],
            "total_discounts": "6.00",
        },
        bought({}) | {"tax_amount": 2.5, "other_charges": 12.5},
    ),
    # Without lines, the order's own totals where they come to its total.
    (STATED, STATED_PARTS | {"shipping_amount": 0}),
    ({"total_line_items_price": "400.00", "total_discounts": "2.00"}, STATED_PARTS | {"shipping_amount": 0}),
    ({"total_line_items_price": "390.00", "total_discounts": "2.00"}, {}),
    ({"total_line_items_price": "410.00", "total_discounts": "2.00"}, {}),
    (
        STATED
        | {"shipping_lines": [SHIPPED], "total_discounts": "5.00", "original_total_duties_set": money("1.00")}
        | {"total_price": "417.94"},
        STATED_PARTS | {"shipping_amount": 7, "other_charges": 1, "total_price": 417.94},
    ),
    (
        STATED
        | {"taxes_included": True, "shipping_lines": [SHIPPED], "total_discounts": "5.00", "total_price": "405.00"},
        {"gross_sales": 388.753769, "discount_amount": 1.943769, "shipping_amount": 6.25, "other_charges": 0}
        | {"total_price": 405},
    ),
    # They come to it after an edit, or to what was charged where an edit is not proven.
    (
        STATED | {"refunds": [{"refund_line_items": [TAKEN_OFF]}], "current_total_price": "396.19"},
        {"total_price": 396.19},
    ),
    (
        STATED | {"refunds": [{"refund_line_items": [TAKEN_OFF]}], "current_total_price": "111.00"},
        STATED_PARTS | {"shipping_amount": 0, "doubts": "[unproven_edit]"},
    ),
    # A unit that an edit removed takes its tax with it.
    (
        {"line_items": [LINE | {"current_quantity": 1, "tax_lines": [{"price": "2.00"}]}], "total_tax": "2.00"}
        | {"refunds": [{"refund_line_items": [TAKEN_OFF]}], "total_price": "27.25", "current_total_price": "13.50"},
        bought({"quantity": 1}) | {"tax_amount": 1, "shipping_amount": 0, "total_price": 13.5},
    ),
    (
        {
            "line_items": [LINE | {"current_quantity": 1, "tax_lines": [{"price": "2.00"}]}],
            "current_total_price": "396.19",
        }
        | {"refunds": [{"transactions": [], "refund_line_items": [TAKEN_OFF]}], "shipping_lines": [SHIPPED]},
        bought({"quantity": 1}) | {"tax_amount": 1.75, "shipping_amount": 7, "total_price": 396.19},
    ),
    (
        {"taxes_included": True, "line_items": [LINE | TAXED | {"price": "9.99", "price_set": money("11.00")}]},
        bought({"unit_price": 11, "amount": 19.5}) | {"gross_sales": 10.06},  # 11.94 of 22 is tax
    ),
)
