"""Reads days from the ISO text that callers send."""

from __future__ import annotations

from datetime import date

from pipeline.errors import QueryError, shorten

FIRST, LAST = date(1970, 1, 1), date(2200, 12, 31)
"""Days outside these are refused: no shop has records there, and arithmetic on them may leave the calendar."""


def read_day(text: object, where: str) -> date:
    """Read a day from ISO text.

    Raises:
        QueryError: It is no day.
    """
    try:
        day = date.fromisoformat(text) if isinstance(text, str) and len(text) == 10 else None
    except ValueError:
        day = None
    if day is None or not FIRST <= day <= LAST:
        raise QueryError(
            f"{where} is {shorten(str(text))!r}, not a day.", "Write it as YYYY-MM-DD, such as 2026-01-31."
        )
    return day
