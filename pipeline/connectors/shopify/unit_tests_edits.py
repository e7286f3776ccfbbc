"""Examples of Shopify's edited orders: what was taken off was not sold, what came back for money was."""

from __future__ import annotations

from pipeline.config.engine_cases import Row
from pipeline.connectors.shopify.unit_tests_records import (
    ALLOCATED,
    BACK,
    LINE,
    PLAIN,
    TAKEN_OFF,
    UNKNOWN,
    Example,
    back,
    bought,
    came_back,
    money,
)

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
REFUND: Row = {"refund_line_items": [TAKEN_OFF]}
GIVEN_BACK: Row = {"transactions": [BACK | {"amount": "22.00"}], "refund_line_items": [PLAIN]}
GAVE_BACK: Row = {"amount": 22, "lines": came_back((1, 22))}
FIVE: Row = {"line_items": [LINE | {"quantity": 5, "current_quantity": 2}]}
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
    # Without a total there is nothing to doubt; it may be in the set alone.
    (
        {"total_price": None, "line_items": [LINE], "refunds": [GIVEN_BACK]},
        bought({}) | {"total_price": None, "refunded_amount": 22} | back(GAVE_BACK),
    ),
    (
        EDITED | {"total_price": None, "total_price_set": money("409.94"), "refunds": [REFUND]},
        bought(HALF) | {"doubts": "[unproven_edit]"},
    ),
)
