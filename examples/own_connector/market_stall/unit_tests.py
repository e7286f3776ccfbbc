"""A receipt and what the market stall's engine makes of it."""

from __future__ import annotations

from pipeline.config.engine_cases import Case, Cases


def _receipts(_pattern: str | None) -> Case:
    receipt = {"receipt": {"no": "A-1"}, "sold": {"on": "31.12.2025"}, "total": {"amount": 1250, "currency": "EUR"}}
    row = {"order_id": "A-1", "ordered_at": "2025-12-31 00:00:00", "total_price": 12.5, "currency": "EUR"}
    return Case("cents become euros and a German date a day", {"receipts": [receipt]}, [row])


CASES: Cases = {"engine_market_stall_orders": _receipts}
