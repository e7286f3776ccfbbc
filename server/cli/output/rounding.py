"""Values as people read them: rounded by their unit, thousands apart. Machines get every digit, from --json."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

NOTHING = "-"
_DIGITS = {"ratio": 4, "percent": 2, "seconds": 1, None: 4}
_SHOWN_ELSEWHERE = ("count", "currency")  # in the metric's name, in the row's own currency


def heading(column: Mapping[str, str | None]) -> str:
    """The column's name, and under it its unit where that is not shown elsewhere."""
    unit = column["unit"]
    return f"{column['name']}\n{unit}" if unit and unit not in _SHOWN_ELSEWHERE else str(column["name"])


def round_value(value: object, column: Mapping[str, str | None]) -> str:
    """One value of an answer's column."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float | Decimal):
        return f"{value:,.{_digits(value, column['unit'])}f}"
    return str(value)


def _digits(value: float | Decimal, unit: str | None) -> int:
    """How many digits after the point: two of money and four of cents; two of a count that is no integer."""
    if unit == "count":
        return 0 if value == round(value) else 2
    if unit in _DIGITS:
        return _DIGITS[unit]
    return 4 if value and -1 < value < 1 else 2
