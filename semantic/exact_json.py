"""JSON that prints every Decimal with all its digits, as a number."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any


def to_json(value: Any) -> str:  # Any: maps, lists, text, numbers, flags and None, nested
    """Compact JSON of plain values; a number that JSON has no word for is null."""
    if isinstance(value, Decimal):
        return _decimal(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(str(key))}:{to_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(to_json, value)) + "]"
    if isinstance(value, float) and not math.isfinite(value):
        return "null"
    return json.dumps(value, ensure_ascii=False)


def _decimal(value: Decimal) -> str:
    """All digits and no exponent; zeros after the last digit that counts say nothing."""
    if not value.is_finite():
        return "null"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
