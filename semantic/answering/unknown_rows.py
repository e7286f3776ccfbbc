"""Counts the rows that an answer leaves out because they do not say a number, by the platform that they came from.

One more aggregate of each fact, with the filters and days of the query; only where the run has such rows at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from semantic.answering.execute import execute
from semantic.answering.semantic_model import SemanticModel
from semantic.catalog.catalog import Catalog, Metric
from semantic.catalog.formula import metric_names
from semantic.planning.plan import Plan
from semantic.planning.query_shape import Key, Scan, row_count_column

_PARAMETER = re.compile(r"\$(\w+)")


@dataclass(frozen=True)
class WeightedNote:
    """A note, and how much of an answer's numbers it is about, as a share."""

    weight: float
    sentence: str


@dataclass(frozen=True)
class LeftOut:
    """The rows of a fact that a metric leaves out, by platform."""

    metric: Metric
    rows: int
    """The rows that the answer read: of the fact, or of those that a filtered metric is about."""
    unknown: Mapping[str | None, int]

    @property
    def count(self) -> int:
        return sum(self.unknown.values())


def unknown_rows(
    plan: Plan, model: SemanticModel, cursor: duckdb.DuckDBPyConnection, bound: Mapping[str, object]
) -> list[WeightedNote]:
    """Count the rows that do not say what a query asks for; one note for each of its metrics that has some.

    Args:
        plan: The plan of the query.
        model: The run's definitions.
        cursor: On the run's star.
        bound: The values of the statement's parameters.
    """
    counted = _counted(plan, model.catalog)
    notes = []
    for scan in plan.shape.scans:
        metrics = [metric for metric in counted if model.catalog.metrics[metric.unknown_rows or ""].fact == scan.fact]
        if not metrics:
            continue
        found = _count(scan, metrics, model, cursor, bound)
        notes += [_note(each, scan.fact) for each in found if each.count]
        if plan.previous:
            before = {**bound, "start": plan.previous.start, "end": plan.previous.end}
            notes += [
                _note(each, scan.fact, " before") for each in _count(scan, metrics, model, cursor, before) if each.count
            ]
    return notes


def _counted(plan: Plan, catalog: Catalog) -> list[Metric]:
    """The metrics of a query that have a count of rows they leave out; of a formula without one, its base metrics."""
    names = dict.fromkeys(name for metric in plan.metrics for name in _with_count(metric, catalog))
    return [catalog.metrics[name] for name in names]


def _with_count(name: str, catalog: Catalog) -> Iterator[str]:
    for each in (name, *metric_names(catalog.metrics[name].formula)):
        if (unknown := catalog.metrics[each].unknown_rows) and unknown in catalog.metrics:
            yield each


def _count(
    scan: Scan,
    metrics: Sequence[Metric],
    model: SemanticModel,
    cursor: duckdb.DuckDBPyConnection,
    bound: Mapping[str, object],
) -> list[LeftOut]:
    catalog = model.catalog
    columns = catalog.source_dimensions.get(scan.fact, {})
    platform = next((name for name, column in columns.items() if column == "source_platform"), None)
    keys = ((Key(platform, "text"), catalog.dimensions[platform].paths[scan.fact]),) if platform else ()
    counts = ((metric.unknown_rows, metric.counted_rows) for metric in metrics)
    measures = tuple(name for pair in counts for name in pair if name and name in catalog.metrics)
    sql = model.scan(
        Scan(
            fact=scan.fact,
            keys=keys,
            measures=measures,
            conditions=scan.conditions,
            has_start=scan.has_start,
            has_end=scan.has_end,
        )
    )
    rows = execute(cursor, sql, {name: bound[name] for name in _PARAMETER.findall(sql)})
    columns_read = [*(key.name for key, _ in keys), *measures, row_count_column(scan.fact)]
    read = [dict(zip(columns_read, row, strict=True)) for row in rows]
    return [_left_out(metric, scan.fact, read, platform) for metric in metrics]


def _left_out(metric: Metric, fact: str, read: Sequence[Mapping[str, Any]], platform: str | None) -> LeftOut:
    """Add up what one metric leaves out. Any: text and numbers."""
    total, unknown = metric.counted_rows or row_count_column(fact), metric.unknown_rows or ""
    rows = sum(row[total] or 0 for row in read)
    return LeftOut(metric, rows, {row[platform] if platform else None: row[unknown] for row in read if row[unknown]})


def _note(left_out: LeftOut, fact: str, when: str = "") -> WeightedNote:
    metric, count, rows = left_out.metric, left_out.count, left_out.rows
    by_size = sorted(left_out.unknown.items(), key=lambda item: (-item[1], item[0] or ""))
    of = " and ".join(f"{number} {'row' if number == 1 else 'rows'} of {name or fact}" for name, number in by_size)
    verb = "does" if count == 1 else "do"
    if metric.parts:
        parts = f"both {' and '.join(metric.parts)}" if len(metric.parts) == 2 else " and ".join(metric.parts)
        sentence = f"{metric.name}{when} is of the rows of {fact} that say {parts}: {of} {verb} not."
    elif count == rows and not metric.counted_rows:
        sentence = f"{metric.name}{when} is empty: {of} {verb} not say it."
    else:
        sentence = f"{metric.name}{when} is of {rows - count} of {rows} rows of {fact}: {of} {verb} not say it."
    return WeightedNote(count / rows if rows else 0.0, sentence)
