"""Serializes JSON with every Decimal as a number with all its digits."""

from __future__ import annotations

import json
import math
import secrets
from decimal import Decimal
from typing import Any


def to_json(value: Any) -> str:  # Any: maps, lists, text, numbers, flags and None, nested
    """Serialize plain values as compact JSON; NaN and infinity become null."""
    mark = secrets.token_hex(8)  # no text can hold it: it is random

    def as_text(item: object) -> str | None:
        if not isinstance(item, Decimal):
            raise TypeError(f"{type(item).__name__} is no plain value")
        return f"{mark}{exact_digits(item)}{mark}" if item.is_finite() else None

    try:
        text = json.dumps(value, default=as_text, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:  # a double that is no number
        return to_json(_finite(value))
    return text.replace(f'"{mark}', "").replace(f'{mark}"', "")


def exact_digits(value: Decimal) -> str:
    """Write all digits without an exponent or trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _finite(value: Any) -> Any:  # Any: as for `to_json`
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
