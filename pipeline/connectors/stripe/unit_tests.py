"""Stripe's records and the expected results of its engine."""

from __future__ import annotations

import json

from pipeline.config.engine_cases import Case, Cases, Row, delivering_platform

WHOLE = "bif byr clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"
THOUSANDTHS = "bhd iqd jod kwd lyd omr tnd"
HUNDREDTHS = "eur isk ugx huf twd"
"""Sources: docs.stripe.com/currencies, zero-decimal and three-decimal currencies, special cases; for those that Stripe
does not name (BYR, IQD, LYD), ISO 4217."""

CHARGE: Row = {
    "id": "ch_1",
    "amount": 1234,
    "amount_refunded": 0,
    "currency": "usd",
    "created": 1234567890,
    "status": "succeeded",
    "captured": True,
    "paid": True,
    "refunded": False,
    "livemode": True,
    "payment_intent": "pi_1",
    "balance_transaction": "txn_1",
    "description": "A mug",
}
EXPECTED: Row = {
    "source_platform": delivering_platform,
    "source_account": "main",
    "charge_id": "ch_1",
    "other_ids": "[pi_1]",
    "charged_at": "2009-02-13 23:31:30",
    "captured_amount": 12.34,
    "refunded_amount": 0,
    "disputed_amount": 0,
    "refunds": None,
    "currency": "USD",
    "status": "succeeded",
    "is_test": False,
}
DISPUTES: dict[str, float | None] = {
    "charge_refunded": 0,
    "lost": 10,
    "needs_response": 10,
    "prevented": 0,
    "under_review": 10,
    "warning_closed": 0,
    "warning_needs_response": 0,
    "warning_under_review": 0,
    "won": 0,
    "new_one": None,
}
"""Statuses of a dispute. Source: docs.stripe.com/api/disputes/object, and prevented of later versions."""
DISPUTE: Row = {"id": "du_1", "amount": 1000, "currency": "USD", "status": "lost"}
BACK: Row = {"id": "re_1", "amount": 1050, "created": 1234567891, "status": "succeeded"}
WENT_BACK: Row = {"refund_id": "re_1", "refunded_at": "2009-02-13 23:31:31", "amount": 10.5, "lines": None}
TWICE: Row = {"refunds": json.dumps([WENT_BACK, WENT_BACK | {"refund_id": "re_2"}])}
CHARGES: tuple[tuple[Row, Row], ...] = (
    ({"amount_captured": 1034, "amount_refunded": 34}, {"captured_amount": 10.34, "refunded_amount": 0.34}),
    ({"amount_refunded": None}, {}),
    ({"refunds": {"data": []}}, {"refunds": "[]"}),
    ({"refunds": {"data": [BACK, BACK | {"status": "failed"}, BACK | {"id": "re_2", "status": None}]}}, TWICE),
    (
        {"refunds": {"data": [BACK]}, "currency": "jpy", "amount_captured": 2000},
        {"currency": "JPY", "captured_amount": 2000, "refunds": json.dumps([WENT_BACK | {"amount": 1050}])},
    ),
    # The minor unit is the currency's, as Stripe counts: Iceland's krone in hundredths, Madagascar's ariary whole.
    *(
        ({"amount": 5120, "currency": code}, {"captured_amount": amount, "currency": code.upper()})
        for codes, amount in ((WHOLE, 5120), (HUNDREDTHS, 51.2), (THOUSANDTHS, 5.12))
        for code in codes.split()
    ),
    (
        {"currency": "zzz", "amount": 5120, "amount_refunded": 12},
        {"captured_amount": None, "currency": "ZZZ"} | {"refunded_amount": None, "disputed_amount": None},
    ),
    # The requested amount is collected only if the charge succeeded and was captured.
    ({"status": "failed", "captured": False}, {"captured_amount": 0, "status": "failed"}),
    ({"status": "succeeded", "captured": False}, {"captured_amount": 0}),
    ({"status": "pending", "captured": True}, {"captured_amount": 0, "status": "pending"}),
    # The bank has the money of a dispute that is lost or open; a charge alone does not say what came of its dispute.
    *(
        ({"disputed": True, "dispute": DISPUTE | {"status": status}}, {"disputed_amount": amount})
        for status, amount in DISPUTES.items()
    ),
    ({"disputed": True, "dispute": DISPUTE | {"currency": None}}, {"disputed_amount": 10}),
    ({"disputed": True, "dispute": DISPUTE | {"currency": "usd"}}, {"disputed_amount": 10}),
    ({"disputed": True, "dispute": DISPUTE, "currency": "USD"}, {"disputed_amount": 10}),
    ({"disputed": True, "dispute": DISPUTE | {"currency": "eur"}}, {"disputed_amount": None}),
    ({"disputed": True, "dispute": "du_1"}, {"disputed_amount": None}),
    ({"disputed": None, "dispute": "du_1"}, {"disputed_amount": None}),
    ({"disputed": None, "dispute": DISPUTE}, {"disputed_amount": 10}),
    ({"disputed": False, "dispute": DISPUTE}, {}),
    ({"disputed": True}, {"disputed_amount": None}),
    ({"disputed": False, "livemode": None}, {}),
    ({"livemode": False}, {"is_test": True}),
    ({"livemode": None}, {}),
    ({"payment_intent": {"id": "pi_2", "object": "payment_intent"}}, {"other_ids": "[pi_2]"}),
    ({"payment_intent": None}, {"other_ids": "[]"}),
)


def _charges(_pattern: str | None) -> Case:
    return Case(
        "minor units by currency, what was captured and not what was asked for, livemode false is a test",
        {"charges": [CHARGE | sent for sent, _ in CHARGES]},
        [EXPECTED | changes for _, changes in CHARGES],
    )


CASES: Cases = {"engine_stripe_charges": _charges}
