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


def back(*refunds: Row) -> Row:
    """The refunds of an order, by their differences from one that says its amount alone."""
    alone: Row = {"refund_id": None, "refunded_at": None, "lines": None}
    return {"refunds": json.dumps([alone | refund for refund in refunds])}


def came_back(*lines: tuple[float, float | None]) -> list[Row]:
    """Units of the line 11 that came back, with their money."""
    return [{"order_item_id": "11", "quantity": quantity, "amount": amount} for quantity, amount in lines]


BACK: Row = {"id": 1, "kind": "refund", "status": "success", "amount": "41.94", "currency": "USD"}
LATER: Row = {"created_at": "2026-01-14T00:00:00Z"}
ABROAD: Row = BACK | {"amount": "46.00", "currency": "EUR"}
RETURNED: Row = {
    "line_item_id": 11,
    "quantity": 1,
    "restock_type": "return",
    "subtotal": "1.00",
    "subtotal_set": money("50.00"),
    "total_tax": "1.00",
    "total_tax_set": money("5.00"),
}
PLAIN: Row = {"line_item_id": 11, "quantity": 1, "subtotal": "20.00", "total_tax": "2.00"}
SHIPPING: Row = {"kind": "shipping_refund", "amount": "-5.00", "tax_amount": "-0.50"}
LESS: Row = {
    "kind": "refund_discrepancy",
    "amount": "1.00",
    "amount_set": money("2.00"),
    "tax_amount_set": money("0.25"),
}
POSTAGE: Row = {"subtotal_amount_set": money("3.00")}
REFUNDS: tuple[Example, ...] = (
    (
        {
            "refunds": [
                {
                    "id": 2,
                    "created_at": "2026-01-13T01:00:00-05:00",
                    "transactions": [BACK | {"currency": "usd"} | LATER, BACK | {"status": "failure"}],
                },
                {
                    "id": 9,
                    "transactions": [
                        BACK
                        | {"kind": "REFUND", "status": "Success", "amount": "8.00", "currency": None}
                        | {"created_at": "2026-01-12T10:00:00-01:00"},
                        BACK | {"status": "failure"} | LATER,
                    ],
                },
                {"id": 3, "transactions": [BACK | {"kind": "void"}]},
                {"id": 4, "transactions": None},
            ]
        },
        {"refunded_amount": 49.94}
        | back(
            {"refund_id": "9", "refunded_at": "2026-01-12 11:00:00", "amount": 8},
            {"refund_id": "2", "refunded_at": "2026-01-13 06:00:00", "amount": 41.94},
        ),
    ),
    # Refunds of one time are in the order of their ids, then of their amounts.
    (
        {
            "refunds": [
                {"transactions": [BACK | {"amount": "1.00"}, BACK | {"amount": "6.00"}]},
                {"transactions": [BACK | {"amount": "5.00"}]},
                {"id": 6, "transactions": [BACK | {"amount": "3.00"}]},
                {"id": 5, "transactions": [BACK | {"amount": "8.00"}]},
            ]
        },
        {"refunded_amount": 23}
        | back({"refund_id": "5", "amount": 8}, {"refund_id": "6", "amount": 3}, {"amount": 5}, {"amount": 7}),
    ),
    ({"refunds": []}, {}),
    (
        {"currency": None, "refunds": [{"transactions": [BACK | {"currency": None}]}]},
        {"refunded_amount": 41.94, "currency": main_currency} | back({"amount": 41.94}),
    ),
    # Paid back in the shopper's currency: the shop's amount is beside it, or in what the refund is made of, or unknown.
    (
        {"refunds": [{"transactions": [ABROAD | {"amount_set": money("51.00")}, BACK | {"amount": "1.00"}]}]},
        {"refunded_amount": 52} | back({"amount": 52}),
    ),
    (
        {"refunds": [{"transactions": [ABROAD, ABROAD], "refund_line_items": [RETURNED, PLAIN]}]},
        {"refunded_amount": 77} | back({"amount": 77, "lines": came_back((1, 55), (1, 22))}),
    ),
    (
        {"refunds": [{"transactions": [ABROAD], "refund_line_items": [PLAIN | {"total_tax": None}]}]},
        {"refunded_amount": 20} | back({"amount": 20, "lines": came_back((1, 20))}),
    ),
    (
        {"refunds": [{"transactions": [ABROAD], "refund_line_items": [], "order_adjustments": [SHIPPING]}]},
        {"refunded_amount": 5.5} | back({"amount": 5.5, "lines": []}),
    ),
    (
        {"refunds": [{"transactions": [ABROAD], "refund_line_items": [PLAIN], "order_adjustments": [LESS]}]},
        {"refunded_amount": 19.75} | back({"amount": 19.75, "lines": came_back((1, 22))}),
    ),
    (
        {"refunds": [{"transactions": [ABROAD], "order_adjustments": [LESS], "refund_shipping_lines": [POSTAGE]}]},
        {"refunded_amount": 0.75} | back({"amount": 0.75}),
    ),
    (
        {"refunds": [{"transactions": [ABROAD], "refund_shipping_lines": [POSTAGE, POSTAGE]}]},
        {"refunded_amount": 6} | back({"amount": 6}),
    ),
    (  # An older refund has its shipping among the adjustments; one of the versions between has it twice.
        {
            "refunds": [
                {
                    "transactions": [ABROAD],
                    "order_adjustments": [SHIPPING | {"kind": "Shipping_Refund"}],
                    "refund_shipping_lines": [POSTAGE],
                }
            ]
        },
        {"refunded_amount": 5.5} | back({"amount": 5.5}),
    ),
    (
        {"refunds": [{"transactions": [ABROAD]}, {"transactions": [BACK]}]},
        UNKNOWN | back({"amount": 41.94}, {"amount": None}),
    ),
    (
        {"refunds": [{"transactions": [ABROAD], "refund_line_items": [PLAIN, PLAIN | {"subtotal": None}]}]},
        UNKNOWN | back({"amount": None, "lines": came_back((1, 22), (1, None))}),
    ),
    (
        {"refunds": [{"transactions": [ABROAD, BACK], "refund_line_items": [RETURNED]}]},
        UNKNOWN | back({"amount": None, "lines": came_back((1, 55))}),
    ),
    ({"refunds": [{"transactions": [ABROAD], "order_adjustments": [LESS]}]}, UNKNOWN | back({"amount": None})),
    (
        {"refunds": [{"transactions": [BACK | {"amount": None}]}] * 2},
        UNKNOWN | {"foreign_refunds": 2} | back({"amount": None}, {"amount": None}),
    ),
    # Without the list of refunds, the status alone says how much came back.
    (
        {"financial_status": "Refunded"},
        {"raw_status": "Refunded", "financial_status": "refunded", "refunded_amount": 409.94}
        | back({"amount": 409.94}),
    ),
    (
        {"financial_status": "refunded", "refunds": []},
        {"raw_status": "refunded", "financial_status": "refunded"},
    ),
    (
        {"financial_status": "partially_refunded", "discount_codes": []}
        | {"total_line_items_price": "1.00", "total_discounts": "0.00"},
        {"raw_status": "partially_refunded", "financial_status": "partially_refunded"}
        | UNKNOWN
        | back({"amount": None}),
    ),
    # The set's amounts are in the shop's currency, whatever the older fields hold.
    (
        {"total_price_set": money("500.00"), "currency": "EUR"},
        {"total_price": 500},
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


def bought(*changes: Row) -> Row:
    """The lines of an order, by their differences from BOUGHT, and what goods and discounts come to without tax."""
    lines = [BOUGHT | change for change in changes]
    if any(
        None in (line["quantity"], line["unit_price"]) for line in lines
    ):  # the parts are unknown with a line's price
        return {"lines": json.dumps(lines)}
    gross = sum(line["quantity"] * line["unit_price"] for line in lines)
    discounts = sum(line["discount_amount"] for line in lines)
    return {"lines": json.dumps(lines), "gross_sales": gross, "discount_amount": discounts, "other_charges": 0}


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
TAKEN_OFF: Row = {"line_item_id": 11, "quantity": 1, "restock_type": "cancel", "subtotal": "12.50", "total_tax": "1.25"}
HALF: Row = {"quantity": 1, "discount_amount": 2}
EDITED: Row = {"line_items": [LINE | ALLOCATED | {"current_quantity": 1}]}
EDITS: tuple[Example, ...] = (
    # A unit taken off by an edit was not sold, and its money is in no total; one that came back for money was sold.
    (
        EDITED | {"refunds": [{"transactions": [], "refund_line_items": [TAKEN_OFF]}], "current_total_price": "396.19"},
        bought(HALF) | {"total_price": 396.19},
    ),
    (
        EDITED | {"refunds": [{"transactions": [], "refund_line_items": [TAKEN_OFF]}], "current_total_price": "409.94"},
        bought(HALF),
    ),
    (
        EDITED | {"refunds": [{"transactions": None, "refund_line_items": [TAKEN_OFF]}]},
        bought(HALF) | {"doubts": "[unproven_edit]"},
    ),
    (
        EDITED
        | {"refunds": [{"transactions": [BACK | {"amount": "13.75"}], "refund_line_items": [TAKEN_OFF]}]}
        | {"current_total_price": "396.19"},
        bought({"discount_amount": 4})
        | {"refunded_amount": 13.75}
        | back({"amount": 13.75, "lines": came_back((1, 13.75))}),
    ),
    (
        EDITED
        | {"refunds": [{"transactions": [], "refund_line_items": [TAKEN_OFF | {"restock_type": "Return"}]}]}
        | {"current_total_price": "396.19"},
        bought({"discount_amount": 4}),
    ),
    # Taken off after it was paid, and paid back by a refund of its own: the total holds what was paid.
    (
        EDITED
        | {"refunds": [{"refund_line_items": [TAKEN_OFF]}, {"transactions": [BACK | {"amount": "13.75"}]}]}
        | {"current_total_price": "396.19"},
        bought(HALF) | {"refunded_amount": 13.75, "other_charges": 13.75} | back({"amount": 13.75}),
    ),
    (
        EDITED
        | {"refunds": [{"refund_line_items": [TAKEN_OFF]}, {"transactions": [BACK | {"amount": "10.00"}]}]}
        | {"current_total_price_set": money("409.94")},
        bought(HALF) | {"refunded_amount": 10, "total_price": 419.94, "other_charges": 10} | back({"amount": 10}),
    ),
    (
        EDITED
        | {"refunds": [{"refund_line_items": [TAKEN_OFF]}, {"transactions": [BACK | {"amount": "100.00"}]}]}
        | {"current_total_price": "396.19"},
        bought(HALF) | {"refunded_amount": 100, "other_charges": 13.75} | back({"amount": 100}),
    ),
    # What was paid for it is in no total where the totals do not say so.
    (
        EDITED
        | {"refunds": [{"refund_line_items": [TAKEN_OFF]}, {"transactions": [BACK | {"amount": "13.75"}]}]}
        | {"current_total_price": "111.00"},
        bought(HALF) | {"refunded_amount": 13.75, "doubts": "[unproven_edit]"} | back({"amount": 13.75}),
    ),
    ({"refunds": [{"refund_line_items": [TAKEN_OFF]}]}, {"doubts": "[unproven_edit]"}),
    # A line of which nothing is left is none.
    (
        {"line_items": [LINE | {"current_quantity": 0}, LINE | {"id": 12}], "current_total_price": "382.44"}
        | {"refunds": [{"refund_line_items": [TAKEN_OFF | {"quantity": 2, "subtotal": "25.00", "total_tax": "2.50"}]}]},
        bought({"line_id": "12"}) | {"total_price": 382.44},
    ),
    # Older versions of the API have no current_quantity: the refunds say what was taken off.
    (
        {"line_items": [LINE | {"current_quantity": None}], "current_total_price": "396.19"}
        | {"refunds": [{"refund_line_items": [TAKEN_OFF, TAKEN_OFF | {"line_item_id": 12, "subtotal": "0"}]}]},
        bought({"quantity": 1}) | {"doubts": "[unproven_edit]"},
    ),
    (
        {"line_items": [LINE | {"current_quantity": None}], "refunds": [], "current_total_price": "409.94"},
        bought({}),
    ),
    ({"line_items": [LINE | {"current_quantity": None}]}, bought({}) | {"doubts": "[unproven_edit]"}),
    ({"line_items": []}, {"lines": "[]"}),
    (
        {"line_items": [LINE | {"current_quantity": None}], "current_total_price": "368.00"}
        | {"refunds": [{"transactions": [BACK], "refund_line_items": [PLAIN | {"quantity": 3}]}]},
        bought({}) | {"refunded_amount": 41.94} | back({"amount": 41.94, "lines": came_back((3, 22))}),
    ),
    (
        {"line_items": [LINE | {"current_quantity": None}], "current_total_price": "387.94"}
        | {"refunds": [{"transactions": [BACK], "refund_line_items": [PLAIN]}]},
        bought({}) | {"refunded_amount": 41.94} | back({"amount": 41.94, "lines": came_back((1, 22))}),
    ),
    # Refunds that were not exported: the status says whether what is gone was sold.
    ({"line_items": [LINE | {"current_quantity": 1}]}, bought({"quantity": 1})),
    (
        {"line_items": [LINE | {"current_quantity": 1}], "financial_status": "refunded"},
        bought({})
        | {"raw_status": "refunded", "financial_status": "refunded", "refunded_amount": 409.94}
        | back({"amount": 409.94}),
    ),
)
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
    ({"line_items": [LINE], "shipping_lines": [{"price": "5.00"}]}, bought({}) | {"shipping_amount": 5}),
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
        {"line_items": [LINE], "subtotal_price_set": money("25.00"), "total_price": "30.00", "total_tax": "5.00"}
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
)
REFUND: Row = {"refund_line_items": [TAKEN_OFF]}
GIVEN_BACK: Row = {"transactions": [BACK | {"amount": "22.00"}], "refund_line_items": [PLAIN]}
GAVE_BACK: Row = {"amount": 22, "lines": came_back((1, 22))}
FIVE: Row = {"line_items": [LINE | {"quantity": 5, "current_quantity": 2}]}
NO_TAX: Row = {"kind": "refund_discrepancy", "amount": "1.00"}
MIXED: tuple[Example, ...] = (
    # One order has units taken off and units that came back for money.
    (
        FIVE | {"refunds": [REFUND, GIVEN_BACK, GIVEN_BACK], "current_total_price": "352.19"},
        bought({"quantity": 4}) | {"total_price": 396.19, "refunded_amount": 44} | back(GAVE_BACK, GAVE_BACK),
    ),
    (
        FIVE | {"refunds": [REFUND, GIVEN_BACK], "current_total_price": "387.94"},
        bought({"quantity": 3}) | {"refunded_amount": 22} | back(GAVE_BACK),
    ),
    (
        FIVE
        | {"refunds": [REFUND, GIVEN_BACK | {"transactions": [BACK | {"amount": "122.00"}]}]}
        | {"current_total_price": "387.94"},
        bought({"quantity": 3})
        | {"total_price": 423.69, "refunded_amount": 122, "other_charges": 13.75}
        | back(GAVE_BACK | {"amount": 122}),
    ),
    (
        {"line_items": [LINE | {"current_quantity": None}], "refunds": [REFUND], "current_total_price": "396.19"},
        bought({"quantity": 1}) | {"total_price": 396.19},
    ),
    # Units came back for money where a refund was paid, in whatever case it says so, and stay where it is no refund.
    (
        EDITED | {"refunds": [REFUND | {"transactions": [BACK | {"kind": "Refund", "amount": "13.75"}]}]},
        bought({"discount_amount": 4})
        | {"refunded_amount": 13.75}
        | back({"amount": 13.75, "lines": came_back((1, 13.75))}),
    ),
    (
        EDITED | {"refunds": [REFUND | {"transactions": [BACK | {"kind": "void"}]}], "current_total_price": "396.19"},
        bought(HALF) | {"total_price": 396.19},
    ),
    (
        EDITED
        | {"refunds": [{"refund_line_items": [TAKEN_OFF | {"restock_type": None}]}], "current_total_price": "396.19"},
        bought(HALF) | {"total_price": 396.19},
    ),
    (
        {"line_items": [LINE | {"current_quantity": 1}], "financial_status": "partially_refunded"},
        bought({})
        | UNKNOWN
        | {"raw_status": "partially_refunded", "financial_status": "partially_refunded"}
        | back({"amount": None}),
    ),
    (
        {"line_items": [LINE | {"quantity": 1, "current_quantity": 0}, LINE | {"id": 12}]},
        bought({"line_id": "12"}),
    ),
    (
        {"line_items": [LINE | {"quantity": 0, "current_quantity": 0, "total_discount": "1.50"}]},
        bought({"quantity": 0, "discount_amount": 1.5}),
    ),
    # An amount in the shop's currency goes before the other one; a refund of nothing says nothing.
    (
        {"refunds": [{"transactions": [BACK | {"amount_set": money("51.00")}]}]},
        {"refunded_amount": 51} | back({"amount": 51}),
    ),
    (
        {"refunds": [{"transactions": [ABROAD], "refund_line_items": [PLAIN], "order_adjustments": [NO_TAX]}]},
        {"refunded_amount": 21} | back(GAVE_BACK | {"amount": 21}),
    ),
    (
        {
            "refunds": [
                {"transactions": [ABROAD], "refund_line_items": [PLAIN | {"subtotal": "0.00", "total_tax": "0.00"}]}
            ]
        },
        UNKNOWN | back({"amount": None, "lines": came_back((1, 0))}),
    ),
    (
        {"total_price_set": {"shop_money": {"amount": "500.00", "currency_code": "gbp"}}},
        {"total_price": 500, "currency": "GBP"},
    ),
    (
        {"taxes_included": True, "line_items": [LINE | TAXED | {"price": "9.99", "price_set": money("11.00")}]},
        bought({"unit_price": 11, "amount": 19.5}) | {"gross_sales": 10.06},  # 11.94 of 22 is tax
    ),
    # Without a total there is nothing to doubt; it may be in the set alone.
    (
        NOTES[0][0] | {"total_price": None, "line_items": [LINE], "refunds": [GIVEN_BACK]},
        NOTES[0][1] | bought({}) | {"total_price": None, "refunded_amount": 22} | back(GAVE_BACK),
    ),
    (
        EDITED | {"total_price": None, "total_price_set": money("409.94"), "refunds": [REFUND]},
        bought(HALF) | {"doubts": "[unproven_edit]"},
    ),
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
