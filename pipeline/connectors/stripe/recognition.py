"""Marks of charges: refunds and disputes have nearly the same fields, and name their charge.

Source: docs.stripe.com/api/charges/object, /refunds/object, /disputes/object (`object`, `charge`), and the refund and
dispute tables of fivetran/dbt_stripe (`charge_id`).
"""

from __future__ import annotations

from pipeline.ingest.recognition.marks import NEVER

MARKS = {"charges": {"object": "^charge$", "charge": NEVER, "charge_id": NEVER}}
"""Object -> field -> what its text matches; NEVER for a field that no charge has."""
