"""Rows become an answer: columns with units, days as text, the row of totals last, what was applied and from when."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from semantic.catalog.catalog import COMPARED, CUMULATIVE, CURRENCY, IS_OTHER, IS_TOTAL, SHARE, Catalog
from semantic.planning.plan import Plan
from semantic.planning.query import Query
from semantic.planning.window import Window

_PARAMETER = re.compile(r"\$(\w+)")
Column = dict[str, str | None]
Row = tuple[Any, ...]  # Any: whatever a column holds


def columns(query: Query, plan: Plan, catalog: Catalog) -> tuple[Column, ...]:
    """What each value of a row is."""
    found = [_column(name, "dimension", catalog.dimensions[name].type, None) for name in query.dimensions]
    for name in query.metrics:
        metric = catalog.metrics[name]
        unit = plan.money if metric.unit == CURRENCY and plan.money else metric.unit
        endings = [("", metric.type, unit)]
        if query.compare:
            previous, change, ratio = COMPARED
            endings += [(previous, metric.type, unit), (change, metric.type, unit), (ratio, "number", "ratio")]
        if name in query.share_of_total:
            endings.append((SHARE, "number", "ratio"))
        if query.cumulative and query.cumulative.metric == name:
            endings.append((CUMULATIVE, metric.type, unit))
        found += [_column(f"{name}{ending}", "metric", type_, unit) for ending, type_, unit in endings]
    flags = [IS_OTHER] if query.top and query.top.other else []
    flags += [IS_TOTAL] if query.totals else []
    return (*found, *(_column(flag, "flag", "boolean", None) for flag in flags))


def json_values(rows: Sequence[Row], described: Sequence[Column]) -> list[list[Any]]:  # Any: as Row
    """Rows as lists, days as ISO text."""
    days = [n for n, column in enumerate(described) if column["type"] == "date"]
    listed = [list(row) for row in rows]
    for row in listed if days else ():
        for n in days:
            if row[n] is not None:
                row[n] = row[n].isoformat()
    return listed


def applied_filters(query: Query, plan: Plan) -> tuple[dict[str, Any], ...]:  # Any: the filter's own values
    """The filters as they were understood, in the types they were compared in."""
    return tuple(
        {"name": filter_.name, "op": filter_.op, "value": _as_sent(filter_.value, values)}
        for filter_, values in zip(query.filters, plan.values, strict=True)
    )


def _as_sent(sent: object, values: Sequence[Any]) -> Any:  # Any: the filter's own values
    told = [value.isoformat() if isinstance(value, date) else value for value in values]
    return told if isinstance(sent, tuple) else (told[0] if told else None)


def as_of(plan: Plan, catalog: Catalog) -> str | None:
    """The last day that all the facts used have data for; None when one has no rows."""
    days = [catalog.facts[name].last_date for name in plan.facts]
    return min(day for day in days if day is not None).isoformat() if None not in days else None


def days_of(window: Window | None) -> dict[str, str | None] | None:
    if window is None:
        return None
    return {name: day.isoformat() if day else None for name, day in (("start", window.start), ("end", window.end))}


def with_values(sql: str, values: Mapping[str, object]) -> str:
    """A statement with its values written in, so that it gives the same rows when somebody runs it."""
    return _PARAMETER.sub(lambda match: _literal(values[match[1]]), sql)


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, int | float):
        return repr(value)
    return "'" + str(value).replace("'", "''") + "'"


def _column(name: str, role: str, type_: str, unit: str | None) -> Column:
    return {"name": name, "role": role, "type": type_, "unit": unit}
