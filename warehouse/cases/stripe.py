"""Stripe's records and what its engine makes of them."""

from __future__ import annotations

from warehouse.cases import Case, Cases


def _charges(_pattern: str | None) -> Case:
    charge = {"created": 1234567890, "status": "succeeded", "captured": True, "livemode": True}
    row = {
        "source_platform": "stripe",
        "charged_at": "2009-02-13 23:31:30",
        "other_ids": "[]",
        "refunded_amount": 0,
        "status": "succeeded",
        "is_test": False,
    }
    return Case(
        "minor units by currency, what was captured and not what was asked for, livemode false is a test",
        {
            "charges": [
                charge
                | {"id": "ch_1", "amount": 1234, "amount_captured": 1034, "amount_refunded": 34, "currency": "usd"}
                | {"payment_intent": "pi_1"},
                charge | {"id": "ch_2", "amount": 500, "currency": "jpy", "payment_intent": {"id": "pi_2"}},
                charge | {"id": "ch_3", "amount": 5120, "currency": "kwd", "livemode": False},
                charge | {"id": "ch_4", "amount": 900, "currency": "isk", "status": "failed", "captured": False},
            ]
        },
        [
            row
            | {"charge_id": "ch_1", "captured_amount": 10.34, "refunded_amount": 0.34, "currency": "USD"}
            | {"other_ids": "[pi_1]"},
            row | {"charge_id": "ch_2", "captured_amount": 500, "currency": "JPY", "other_ids": "[pi_2]"},
            row | {"charge_id": "ch_3", "captured_amount": 5.12, "currency": "KWD", "is_test": True},
            row | {"charge_id": "ch_4", "captured_amount": 0, "currency": "ISK", "status": "failed"},
        ],
    )


CASES: Cases = {"engine_stripe_charges": _charges}
