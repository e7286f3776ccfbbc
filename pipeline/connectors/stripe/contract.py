"""Stripe API v1: charges, each an attempt to collect a payment.

Source: docs.stripe.com/api/charges/object, the fixture of stripe/openapi (MIT), and the table that Fivetran lands
(fivetran/dbt_stripe, Apache-2.0). Amounts are whole numbers of the currency's minor unit (docs.stripe.com/currencies):
cents of dollars, but whole yen, and thousandths of dinars. `amount` is the requested amount; the collected one is
`amount_captured`, which versions of the API before 2020 and Fivetran's table do not have. `payment_intent`,
`balance_transaction`, `customer` and `dispute` are ids, or full objects where the caller requested to expand them.
A charge stays `disputed` when the dispute is won; what came of it is the dispute's `status`
(docs.stripe.com/api/disputes/object), and the bank keeps the money while it is open.
"""

from __future__ import annotations

from pipeline.contracts.fields import Anything, Contract, EpochSeconds, Flag, Layout, MinorUnits, Nested, Text
from pipeline.contracts.measures import always, unless_zero, with_some


class Card(Nested):
    brand: Text = None
    last4: Text = None


class PaymentMethodDetails(Nested):
    type: Text = None
    card: Card | None = None


class BillingDetails(Nested):
    email: Text = None


class Refund(Nested):
    id: Text = None
    amount: MinorUnits = None
    created: EpochSeconds = None
    status: Text = None  # pending, succeeded, failed, canceled


class RefundList(Nested):
    """In charges of API versions before 2022-11-15, and where the caller requested to expand it."""

    data: list[Refund] | None = None


class Charge(Contract):
    """One charge in its present state: a refund changes it."""

    key = ("id",)
    required = ("id",)
    date_field = "created"
    wrappers = ("data",)
    kind = ("object", "charge")
    identity = ("receipt_email", "billing_details.email")
    personal = ("customer", "description", "metadata", "payment_method_details")
    money = "whole numbers of the minor unit of currency"
    zone = "utc"
    lenient = (
        "paid",
        "refunded",
        "failure_code",
        "description",
        "payment_method_details",
        "refunds",
    )
    measures = (always("amount"), with_some("amount_captured"), unless_zero("amount_refunded"))
    layouts = (
        Layout(
            name="fivetran",
            known_by=("_fivetran_synced", "payment_intent_id"),
            columns={
                "payment_intent": "payment_intent_id",
                "balance_transaction": "balance_transaction_id",
                "customer": "customer_id",
                "invoice": "invoice_id",
            },
            utc=("created",),
        ),
    )

    id: Text = None
    amount: MinorUnits = None
    amount_captured: MinorUnits = None
    amount_refunded: MinorUnits = None
    currency: Text = None  # ISO 4217, lower case
    created: EpochSeconds = None
    status: Text = None  # succeeded, pending or failed
    captured: Flag = None
    paid: Flag = None
    refunded: Flag = None  # in full
    refunds: RefundList | None = None
    disputed: Flag = None
    livemode: Flag = None  # false for a test
    failure_code: Text = None
    description: Text = None
    customer: Anything = None
    invoice: Anything = None
    payment_intent: Anything = None
    balance_transaction: Anything = None
    dispute: Anything = None
    receipt_email: Text = None
    billing_details: BillingDetails | None = None
    payment_method_details: PaymentMethodDetails | None = None
    metadata: Anything = None  # data that the shop stores with the charge


OBJECTS: dict[str, type[Contract]] = {"charges": Charge}
