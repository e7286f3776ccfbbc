"""The title of a chart as a sentence of labels and days, and the line below it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from server.charts.drawn_answer import LONGEST_LABEL, DrawnAnswer, label_of, sentence_start
from server.serving.plain_text import plain_text

if TYPE_CHECKING:
    from semantic.catalog.catalog import Catalog
    from semantic.planning.query import Answer

MOST_NAMED = 3
"""Metrics that a title names; the others are counted."""
_OPERATORS = {
    "=": "is",
    "!=": "is not",
    "in": "is",
    "not_in": "is not",
    "is_null": "is empty",
    "is_not_null": "has a name",
}


def chart_title(answer: Answer, drawn: DrawnAnswer) -> str:
    """A sentence such as "Spend and ROAS by day, 1 to 30 Nov 2026"."""
    labels = list(dict.fromkeys(_title_label(drawn, metric.base) for metric in drawn.metrics))
    if len(drawn.metrics) > 1 and all(metric.is_funnel_step for metric in drawn.metrics):
        labels = [f"funnel from {labels[0]} to {labels[-1]}"]
    by = [column.label for column in drawn.categories]
    by += [(drawn.grain or "day") if drawn.day.name == "date" else drawn.day.label] if drawn.day else []
    by += [drawn.currency.label] if drawn.currency else []
    days = days_text(answer.time_range)
    parts = [f"{sentence_start(joined(labels))}{f' by {joined(by)}' if by else ''}", days]
    if drawn.is_compared:
        parts.append("and the period compared")
    return ", ".join(part for part in parts[:2] if part) + "".join(f" {part}" for part in parts[2:])


def _title_label(drawn: DrawnAnswer, base: str) -> str:
    of_base = [metric for metric in drawn.metrics if metric.base == base]
    return next((metric.label for metric in of_base if not metric.ending), of_base[0].label)


def joined(names: Sequence[str]) -> str:
    """Names as a list in words; the last of many are counted."""
    listed = list(names)
    if len(listed) > MOST_NAMED:
        listed = [*listed[:MOST_NAMED], f"{len(listed) - MOST_NAMED} more"]
    return " and ".join([", ".join(listed[:-1]), listed[-1]] if len(listed) > 1 else listed)


def days_text(days: Mapping[str, str | None] | None) -> str:
    """Days in words, as short as they can be: 1 to 30 Nov 2026; empty where all days are meant."""
    start, end = (
        date.fromisoformat(day) if day else None for day in ((days or {}).get(end) for end in ("start", "end"))
    )
    if start is None or end is None:
        return f"from {date_in_words(start)}" if start else f"until {date_in_words(end)}" if end else ""
    if start == end:
        return date_in_words(start)
    same_year, same_month = start.year == end.year, (start.year, start.month) == (end.year, end.month)
    first = f"{start.day}" if same_month else f"{start.day} {start:%b}" if same_year else date_in_words(start)
    return f"{first} to {date_in_words(end)}"


def date_in_words(day: date) -> str:
    """A day as people write it: 30 Nov 2026."""
    return f"{day.day} {day:%b %Y}"


def period_text(start: date, grain: str | None) -> str:
    """A period in words, by its first day: Nov 2026, Q4 2026, the week of 23 Nov 2026."""
    if grain == "quarter":
        return f"Q{(start.month + 2) // 3} {start.year}"
    if grain in ("month", "year"):
        return f"{start:%b %Y}" if grain == "month" else f"{start.year}"
    return f"the {grain or 'day'} of {date_in_words(start)}"


def chart_subtitle(answer: Answer, drawn: DrawnAnswer, catalog: Catalog) -> list[str]:
    """The filters, the time zone, how far the data go, and what dashed lines are."""
    filters = [_filter_text(each, catalog) for each in answer.filters]
    data = [f"data until {date_in_words(date.fromisoformat(answer.as_of))}"] if answer.as_of else []
    lines = ["; ".join([*filters, *data, f"days in {answer.time_zone}"])]
    starts = {str(row[drawn.day.index]) for row in drawn.rows} if drawn.day else set()
    dashed = [each for each in answer.partial if str(each["start"]) in starts]
    if dashed:
        named = [_partial_text(each, drawn.grain) for each in dashed[:MOST_NAMED]]
        more = f" and {len(dashed) - MOST_NAMED} more" if len(dashed) > MOST_NAMED else ""
        lines.append(f"Dashed, not counted in full: {', '.join(named)}{more}")
    return [sentence_start(line) for line in lines]


def _partial_text(period: Mapping[str, Any], grain: str | None) -> str:  # Any: JSON values
    start = date.fromisoformat(str(period["start"]))
    return f"{period_text(start, grain)} has {period['covered_days']} of {period['days']} days"


def _filter_text(applied: Mapping[str, Any], catalog: Catalog) -> str:  # Any: JSON values
    name, op, value = str(applied["name"]), str(applied["op"]), applied["value"]
    known = catalog.dimensions.get(name) or catalog.metrics.get(name)
    label, said = label_of(known.label if known else name), _OPERATORS.get(op, op.replace("_", " "))
    values = value if isinstance(value, list) else [] if value is None else [value]
    shown = " or ".join(plain_text(str(each), LONGEST_LABEL) for each in values[:MOST_NAMED])
    more = f" and {len(values) - MOST_NAMED} more" if len(values) > MOST_NAMED else ""
    return f"{label} {said} {shown}{more}".strip()
