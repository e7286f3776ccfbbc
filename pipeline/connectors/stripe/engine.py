"""Stripe's engine.

Which minor unit Stripe counts in is in platform_ref__currencies. Source: docs.stripe.com/currencies: the zero-decimal
currencies, the three-decimal ones, and the special cases ISK and UGX, which have no minor unit any more and are still
counted in hundredths. Exponents of ISO 4217 are beside them; MGA has one of 2 there and is zero-decimal to Stripe.
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
