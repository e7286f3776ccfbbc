"""The columns of a star project's tables that are under no contract: a sentence about each."""

from __future__ import annotations

from pipeline.contracts.registry import Blueprint
from warehouse.projects.properties.field_descriptions import field_descriptions
from warehouse.projects.properties.hub_columns import SINK

KEPT = ("tenant_skey", "source_account", "source_position", "exported_at", "raw_data_payload")
"""Columns of a sink that an intermediate view keeps beside the contract's fields."""
IN_FORCE = {
    "in_force_from": "Since when the version was in force (UTC); NULL for the first.",
    "in_force_to": "Until when it was in force (UTC); NULL for the current version.",
}
"""By column that a view of all versions has beside those of the current ones."""
LINKS = {
    "purchases": {
        "source_platform": "The analytics tool.",
        "session_id": "The session that the purchase is in.",
        "event_number": "The event's place among its user's events.",
        "occurred_at": "When, UTC.",
        "transaction_id": "The purchase's transaction id; NULL where the event carries none.",
        "order_total": "The purchase's value, in currency.",
        "currency": "ISO 4217 code.",
        "is_counted": "True for the first event of a transaction, and for each without a transaction id.",
        "session_currency": "The currency of the session's first counted purchase that is worth something.",
    },
    "order_links": {
        "order_key": "The order whose id the purchase may carry: MD5(platform, account, order id).",
        "id_text": "The id that both have.",
        "way": "0 for the vendor's own id; then the order's names and numbers, likeliest first.",
        "is_counted": "True where no other order has that id: then the purchase is linked to the order.",
        "source_platform": "The analytics tool.",
        "session_id": "The session of the purchase.",
        "occurred_at": "When the purchase was, UTC.",
        "event_number": "The purchase's place among its user's events.",
    },
    "order_charges": {
        "order_key": "The order that names the charge: MD5(platform, account, order id); NULL where none does.",
        "order_currency": "The currency of that order.",
        "orders_of_charge": "The orders that name the charge.",
        "source_platform": "The payment provider.",
        "source_account": "The account of the payment provider.",
        "charge_id": "The provider's charge id.",
        "charged_at": "When it was made, UTC.",
        "currency": "ISO 4217 code of its amounts.",
        "captured_amount": "What was really taken.",
        "refunded_amount": "What of it was paid back.",
        "disputed_amount": "What of it the customer's bank took back, 0 without a dispute; NULL if unknown.",
        "refunds": "What of it was paid back, refund by refund, where the provider lists them.",
        "status": "succeeded, pending or failed.",
        "is_test": "The charge was a test.",
        "is_counted": "True where it says what was paid for the order: real money, of one order.",
    },
}
"""By linking table: a sentence for each of its columns, which its factory selects."""
RATES = {
    "currency": "ISO 4217 code.",
    "rate_date": "From which day on the rate holds, until the next one.",
    "rate": "What one unit of the currency was worth in the reporting currency.",
}


def view_columns(blueprint: Blueprint, *, is_history: bool = False) -> dict[str, str]:
    """By column of an intermediate view: what it keeps of the sink, the version of its logic, the vendor's fields."""
    kept = {name: SINK[name] for name in KEPT}
    logic = {"logic_hash": "The version of the table's logic, as in platform_sat__tenant_config_history."}
    return kept | logic | (IN_FORCE if is_history else {}) | field_descriptions(blueprint)
