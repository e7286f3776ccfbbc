"""Marks of orders: subscriptions have the fields of an order, and are the plan of future ones.

Source: woocommerce.github.io/subscriptions-rest-api-docs (`billing_period`, `next_payment_date_gmt`).
"""

from __future__ import annotations

from pipeline.ingest.recognition.marks import NEVER

MARKS = {"orders": {"billing_period": NEVER, "next_payment_date_gmt": NEVER}}
"""Object -> field -> what its text matches; NEVER for a field that no order has."""
