"""Axes of charts: ticks under the points, days that do not overlap, numbers by their kind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from server.charts.drawn_answer import DrawnColumn, sentence_start

Spec = dict[str, Any]  # Any: Vega-Lite is a tree of JSON values

MOST_TICKS = 10
"""Labels of days that stand beside each other without overlapping."""
_STEPS = (1, 2, 3, 4, 7, 14, 28)
_DAY_FORMATS = {"month": "%b %Y", "quarter": "Q%q %Y", "year": "%Y"}
_MANY = 100
"""From so much on money is shown without cents."""


def day_axis(days: Iterable[str], grain: str | None) -> Spec:
    """The axis of days: each tick is a day that has a point."""
    known = sorted(set(days))
    years = {day[:4] for day in known}
    plain = "%-d %b" if len(years) == 1 else "%-d %b %Y"
    most = MOST_TICKS if len(years) == 1 or grain in ("quarter", "year") else MOST_TICKS - 2
    needed = -(-len(known) // most)
    step = next((step for step in _STEPS if step >= needed), needed)
    return {
        "format": _DAY_FORMATS.get(grain or "", plain),
        "values": [_moment(day) for day in known[::step]],
        "grid": False,
    }


def _moment(text: str) -> Spec:
    day = date.fromisoformat(text)
    return {"year": day.year, "month": day.month, "date": day.day, "utc": True}


def number_axis(column: DrawnColumn, values: Sequence[float]) -> Spec:
    """The format of numbers on an axis: percentages as such, money without cents where it is much."""
    largest = max((abs(value) for value in values), default=0.0)
    if column.kind == "percent":
        return {"format": ".0%" if largest >= 0.1 else ".1%" if largest >= 0.01 else ".2%"}
    if column.kind == "count":
        return {"format": ",.0f" if largest >= 5 else ",~f"}
    if column.kind == "money":
        return {"format": ",.0f" if largest >= _MANY else ",.2f"}
    return {"format": ",.2f" if largest < _MANY else ",.0f"}


def axis_title(columns: Sequence[DrawnColumn], currency: str | None) -> str:
    """What an axis measures, and its unit where numbers do not show it: money with its code."""
    first = columns[0]
    labels = list(dict.fromkeys(column.label for column in columns if column.ending != "_previous")) or [first.label]
    text = sentence_start(" and ".join(labels) if len(labels) < 4 else _common(first))
    unit = currency or (first.unit if first.kind in ("money", "other") else None)
    return f"{text} ({unit})" if unit and text != unit else text


def _common(column: DrawnColumn) -> str:
    return {"count": "count", "percent": "share", "ratio": "ratio"}.get(column.kind, column.unit or "value")
