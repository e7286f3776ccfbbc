"""Marks of orders: drafts and abandoned checkouts have nearly the same fields, and were never paid.

Source: shopify.dev/docs/api/admin-rest, resources DraftOrder (`invoice_url`) and Abandoned checkouts
(`abandoned_checkout_url`).
"""

from __future__ import annotations

from pipeline.ingest.recognition.marks import NEVER

MARKS = {"orders": {"invoice_url": NEVER, "invoice_sent_at": NEVER, "abandoned_checkout_url": NEVER}}
"""Object -> field -> what its text matches; NEVER for a field that no order has."""
