"""Files that people download from Stripe's Dashboard.

Source of the payments export's header: support.stripe.com/questions/exporting-payment-reports, the default columns of
the Dashboard's dialog, and public readers of payments.csv and unified_payments.csv (found by `Converted Amount
Refunded`; sheltermanager/asm3#1172 asks for one). Amounts are in major units; `Created (UTC)` became `Created date
(UTC)`. `Paid` is a payment that was collected, and stays so when a part of it was refunded; `Refunded` is one
refunded in full. Exponents are those by which the API counts minor units (docs.stripe.com/currencies), the ones of
platform_ref__currencies.
"""

from __future__ import annotations

from pipeline.contracts.downloads import Download, Language, NotRead

ZERO_DECIMAL = (
    "BIF", "BYR", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF",
)  # fmt: skip
THREE_DECIMAL = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
TAKEN = ("paid", "refunded", "partially refunded", "partial refund", "disputed", "succeeded")
HELD = ("uncaptured", "requires capture", "requires_capture")
PENDING = ("pending", "processing", "incomplete")
NOT_TAKEN = (
    "failed", "canceled", "cancelled", "blocked", "expired", "requires payment method", "requires_payment_method",
    "requires confirmation", "requires_confirmation", "requires action", "requires_action",
)  # fmt: skip

PAYMENTS = Download(
    name="a Stripe Dashboard payments export",
    objects=("charges",),
    languages=(
        Language(
            name="English",
            known_by=(
                ("id", "Created date (UTC)", "Amount"),
                ("id", "Created (UTC)", "Amount", "Status"),
                ("Amount", "Amount Refunded", "Converted Amount"),
                ("Amount", "Converted Amount", "Converted Currency"),
                ("Converted Amount Refunded", "Currency", "Status"),
            ),
            titles={
                "id": ("id",),
                "created": ("Created date (UTC)", "Created (UTC)"),
                "amount": ("Amount",),
                "amount_refunded": ("Amount Refunded",),
                "currency": ("Currency",),
                "status": ("Status",),
                "captured": ("Captured", "Status"),
                "refunded": ("Status",),
                "livemode": ("Mode",),
                "description": ("Description",),
                "customer": ("Customer ID",),
                "invoice": ("Invoice ID",),
                "payment_intent": ("PaymentIntent ID", "Payment Intent ID"),
                "receipt_email": ("Customer Email",),
            },
        ),
    ),
    needs=(("id",), ("created",), ("amount",), ("amount_refunded",), ("currency",), ("status",)),
    bring="export the payments again under Transactions > Payments > Export, time zone UTC, with the default columns",
    currency="currency",
    values={
        "status": {
            **dict.fromkeys((*TAKEN, *HELD), "succeeded"),
            **dict.fromkeys(PENDING, "pending"),
            **dict.fromkeys(NOT_TAKEN, "failed"),
        },
        "captured": {
            "true": "true",
            "false": "false",
            **dict.fromkeys(TAKEN, "true"),
            **dict.fromkeys((*HELD, *PENDING, *NOT_TAKEN), "false"),
        },
        "refunded": {
            "refunded": "true",
            **dict.fromkeys((*TAKEN[2:], "paid", *HELD, *PENDING, *NOT_TAKEN), "false"),
        },
        "livemode": {"live": "true", "test": "false", "true": "true", "false": "false"},
    },
    utc=("created",),
    fixed_numbers="1,234.56",
    minor_units={**dict.fromkeys(ZERO_DECIMAL, 0), **dict.fromkeys(THREE_DECIMAL, 3)},
)

DOWNLOADS = (PAYMENTS,)
NOT_READ = (
    NotRead(
        name="a Stripe balance or payouts report, whose rows are movements and not charges",
        known_by=(
            ("balance_transaction_id", "reporting_category"),
            ("Type", "Source", "Net", "Available On (UTC)"),
            ("Arrival Date (UTC)", "Destination"),
            ("id", "Arrival Date (UTC)"),
            ("automatic_payout_id", "gross", "net"),
        ),
        bring="export the payments under Transactions > Payments > Export",
    ),
    NotRead(
        name="a Stripe customers or subscriptions export, which no fact needs",
        known_by=(
            ("Delinquent", "Created (UTC)"),
            ("Customer ID", "Plan", "Current Period Start (UTC)"),
            ("Total Spend", "Payment Count"),
        ),
        bring="export the payments under Transactions > Payments > Export",
    ),
)
