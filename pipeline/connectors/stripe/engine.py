"""Stripe's engine.

platform_ref__currencies has the minor unit in which Stripe counts each currency. Source: docs.stripe.com/currencies:
the zero-decimal currencies, the three-decimal ones, and the special cases ISK and UGX, which no longer have a minor
unit and are still counted in hundredths. Exponents of ISO 4217 are in the same table; MGA has 2 there and is
zero-decimal to Stripe.
"""

from __future__ import annotations

from pipeline.contracts.engine import Engine

ENGINES = (
    Engine(
        fills="charges",
        macro="engine_stripe_charges",
        objects=("charges",),
        references=("platform_ref__currencies",),
    ),
)
