"""Compares the rows of an answer with those that are expected: in any order, each number as exactly as it is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from functools import cmp_to_key
from itertools import zip_longest
from typing import Any

Row = Sequence[Any]  # Any: what a column holds
RELATIVE = Decimal("1e-9")
"""How far numbers of which one is a double may lie apart, as a share of the larger."""
_EXCERPT = 60


def first_difference(given: Iterable[Row], expected: Iterable[Row], *, is_written: bool = False) -> str | None:
    """Say where rows differ, in any order of both; None where they are the same.

    Args:
        given: Of an answer: days as ISO text, money as decimals.
        expected: Of SQL, or written by a person.
        is_written: The expected numbers were written by a person: each is known to as many decimals as it has.
    """
    ours = sorted((_plain(row) for row in given), key=cmp_to_key(_order))
    theirs = sorted((_plain(row) for row in expected), key=cmp_to_key(_order))
    widths = {len(row) for row in (*ours, *theirs)}
    if len(widths) > 1:
        return f"The answer has {len(ours[0])} columns, and {len(theirs[0])} are expected."
    if len(ours) != len(theirs):
        return f"The answer has {len(ours)} rows, and {len(theirs)} are expected."
    for row, other in zip_longest(ours, theirs):
        if not all(_is_same(value, known, is_written=is_written) for value, known in zip(row, other, strict=True)):
            return f"The answer has {_excerpt(row)}, and {_excerpt(other)} is expected."
    return None


def _plain(row: Row) -> list[Any]:  # Any: text, flags, numbers, None
    return [_value(value) for value in row]


def _value(value: Any) -> Any:  # Any: as above
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()  # DuckDB truncates a day to a time
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Decimal(value) if isinstance(value, int) else _double(value)
    return value


class _Approximate(Decimal):
    """A number that was a double."""


def _double(value: float) -> Decimal:
    return _Approximate(repr(value))


def _is_same(value: Any, known: Any, *, is_written: bool) -> bool:  # Any: as above
    if not isinstance(value, Decimal) or not isinstance(known, Decimal):
        return type(value) is type(known) and bool(value == known)
    if not value.is_finite() or not known.is_finite():
        return str(value) == str(known)
    if is_written:
        return abs(value - known) <= Decimal("0.5").scaleb(min(0, _exponent(known)))
    is_exact = not isinstance(value, _Approximate) and not isinstance(known, _Approximate)
    return value == known if is_exact else abs(value - known) <= RELATIVE * max(abs(value), abs(known))


def _exponent(number: Decimal) -> int:
    return int(number.normalize().as_tuple().exponent)


def _order(one: Row, other: Row) -> int:
    """The order of rows: by texts and flags first, so that numbers that differ a little change no place."""
    keys = [([_text(value) for value in row], [_number(value) for value in row]) for row in (one, other)]
    return (keys[0] > keys[1]) - (keys[0] < keys[1])


def _text(value: object) -> tuple[int, str]:
    return (0, "") if isinstance(value, Decimal) else (1, "") if value is None else (2, str(value))


def _number(value: object) -> Decimal:
    return value if isinstance(value, Decimal) and value.is_finite() else Decimal(0)


def _excerpt(row: Row) -> str:
    text = ", ".join("nothing" if value is None else str(value) for value in row)
    return text if len(text) <= _EXCERPT else f"{text[: _EXCERPT - 3]}..."
