"""The market stall's engine."""

from __future__ import annotations

from pipeline.contracts.engine import Engine

ENGINES = (Engine(fills="orders", macro="engine_market_stall_orders", objects=("receipts",)),)
