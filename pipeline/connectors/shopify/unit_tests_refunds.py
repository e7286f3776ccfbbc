"""Examples of Shopify's refunds: when, how much in the shop's currency, of which lines."""

from __future__ import annotations

from pipeline.config.engine_cases import Row, main_currency
from pipeline.connectors.shopify.unit_tests_records import ABROAD, BACK, PLAIN, UNKNOWN, Example, back, came_back, money

LATER: Row = {"created_at": "2026-01-14T00:00:00Z"}
RETURNED: Row = {
    "line_item_id": 11,
    "quantity": 1,
    "restock_type": "return",
    "subtotal": "1.00",
    "subtotal_set": money("50.00"),
    "total_tax": "1.00",
    "total_tax_set": money("5.00"),
}
SHIPPING: Row = {"kind": "shipping_refund", "amount": "-5.00", "tax_amount": "-0.50"}
LESS: Row = {
    "kind": "refund_discrepancy",
    "amount": "1.00",
    "amount_set": money("2.00"),
    "tax_amount_set": money("0.25"),
}
NO_TAX: Row = {"kind": "refund_discrepancy", "amount": "1.00"}
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
    # An amount in the shop's currency goes before the other one; a refund of nothing says nothing.
    (
        {"refunds": [{"transactions": [BACK | {"amount_set": money("51.00")}]}]},
        {"refunded_amount": 51} | back({"amount": 51}),
    ),
    (
        {"refunds": [{"transactions": [ABROAD], "refund_line_items": [PLAIN], "order_adjustments": [NO_TAX]}]},
        {"refunded_amount": 21} | back({"amount": 21, "lines": came_back((1, 22))}),
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
)
