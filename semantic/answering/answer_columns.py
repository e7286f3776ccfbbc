"""Describes the rows of an answer: columns with units, days as text, applied filters and days, as-of date."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from semantic.catalog.catalog import COMPARED, CUMULATIVE, DATE, IS_OTHER, IS_TOTAL, SHARE, Catalog
from semantic.catalog.coverage import days_before
from semantic.planning.covered import asked_days, closed_days, partial_periods
from semantic.planning.currency_rules import metric_unit
from semantic.planning.plan import Plan
from semantic.planning.query import Query
from semantic.planning.window import Window

_PARAMETER = re.compile(r"\$(\w+)")
Column = dict[str, str | None]
Row = tuple[Any, ...]  # Any: whatever a column holds


def columns(query: Query, plan: Plan, catalog: Catalog) -> tuple[Column, ...]:
    """Describe each column of the rows: name, role, type and unit."""
    described = [_column(name, "dimension", catalog.dimensions[name].type, None) for name in query.dimensions]
    for name in query.metrics:
        metric = catalog.metrics[name]
        unit = metric_unit(name, plan.money, catalog)
        suffixes = [("", metric.type, unit)]
        if query.compare:
            previous, change, ratio = COMPARED
            suffixes += [(previous, metric.type, unit), (change, metric.type, unit), (ratio, "number", "ratio")]
        if name in query.share_of_total:
            suffixes.append((SHARE, "number", "ratio"))
        if query.cumulative and query.cumulative.metric == name:
            suffixes.append((CUMULATIVE, metric.type, unit))
        described += [_column(f"{name}{suffix}", "metric", type_, unit) for suffix, type_, unit in suffixes]
    flags = [IS_OTHER] if query.top and query.top.other else []
    flags += [IS_TOTAL] if query.totals else []
    return (*described, *(_column(flag, "flag", "boolean", None) for flag in flags))


def json_values(rows: Sequence[Row], columns: Sequence[Column]) -> list[list[Any]]:  # Any: as Row
    """Convert rows to lists, with days as ISO text."""
    days = [n for n, column in enumerate(columns) if column["type"] == "date"]
    listed = [list(row) for row in rows]
    for row in listed if days else ():
        for n in days:
            if row[n] is not None:
                row[n] = row[n].isoformat()
    return listed


def applied_filters(query: Query, plan: Plan) -> tuple[dict[str, Any], ...]:  # Any: the filter's own values
    """List the filters as applied, with values in the types they were compared in."""
    return tuple(
        {"name": filter_.name, "op": filter_.op, "value": _as_sent(filter_.value, values)}
        for filter_, values in zip(query.filters, plan.values, strict=True)
    )


def _as_sent(sent: object, values: Sequence[Any]) -> Any:  # Any: the filter's own values
    typed = [value.isoformat() if isinstance(value, date) else value for value in values]
    return typed if isinstance(sent, tuple) else (typed[0] if typed else None)


def as_of(plan: Plan) -> str | None:
    """The last day for which the live sources of all facts of a plan have data; None when a fact has none."""
    days = [each.last for each in plan.coverage]
    return min(day for day in days if day is not None).isoformat() if days and None not in days else None


def partial_entries(query: Query, plan: Plan, catalog: Catalog) -> list[dict[str, Any]]:  # Any: JSON
    """The periods of an answer's rows that are not counted in full, with the number of their days that are."""
    grain = query.time_grain or "day"
    if DATE not in query.dimensions or grain == "day":
        return []
    asked = asked_days(plan.window, plan.conditions, plan.values)
    periods = partial_periods(asked, plan.coverage, grain, catalog.week_start)
    return [{"start": each.start.isoformat(), "covered_days": each.covered_days, "days": each.days} for each in periods]


def coverage_entries(plan: Plan, today: date) -> list[dict[str, Any]]:  # Any: JSON
    """The sources of an answer that do not cover all its days that are over, with the days that each covers."""
    asked = closed_days(asked_days(plan.asked, plan.conditions, plan.values), plan.coverage)
    days = asked & days_before(today)
    return [
        {
            "fact": source.fact,
            "source": source.platform,
            "account": source.account,
            "from": source.days.first.isoformat() if source.days.first else None,
            "until": source.days.last.isoformat() if source.days.last else None,
            "days": len(days & source.days),
            "of": len(days),
        }
        for each in plan.coverage
        for source in each.sources
        if days - source.days
    ]


def days_of(window: Window | None) -> dict[str, str | None] | None:
    if window is None:
        return None
    return {name: day.isoformat() if day else None for name, day in (("start", window.start), ("end", window.end))}


def with_values(sql: str, values: Mapping[str, object]) -> str:
    """Write the values into a statement, so that it returns the same rows when run by hand."""
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
