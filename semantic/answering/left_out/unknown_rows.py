"""Counts the rows that an answer leaves out because they do not say a number, by the platform that they came from.

One more aggregate of each fact, with the filters and days of the query; only where the run has such rows at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from semantic.answering.left_out.scan_rows import AskedRows, WeightedNote, names_text, rows_text, shown_name
from semantic.catalog.catalog import Catalog, Metric
from semantic.catalog.formula import metric_names
from semantic.planning.plan import Plan
from semantic.planning.query_shape import Key, Scan, row_count_column


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

    @property
    def is_said(self) -> bool:
        """Whether an answer says it: always where a metric waits for days to pass."""
        return self.count > 0 or (self.metric.left_out is not None and self.rows > 0)


def unknown_rows(asked: AskedRows) -> Iterator[WeightedNote]:
    """Note the rows that do not say what a query asks for: for each of its metrics, once for those of one column."""
    plan, catalog = asked.plan, asked.model.catalog
    counted = _counted(plan, catalog)
    for scan in plan.shape.scans:
        metrics = [metric for metric in counted if catalog.metrics[metric.unknown_rows or ""].fact == scan.fact]
        if not metrics:
            continue
        yield from _notes(_count(scan, metrics, asked), scan.fact)
        if plan.previous:
            before = {"start": plan.previous.start, "end": plan.previous.end}
            yield from _notes(_count(scan, metrics, asked, before), scan.fact, " before")


def _counted(plan: Plan, catalog: Catalog) -> list[Metric]:
    """The metrics of a query that have a count of rows they leave out; of a formula without one, its base metrics."""
    names = dict.fromkeys(name for metric in plan.metrics for name in _with_count(metric, catalog))
    return [catalog.metrics[name] for name in names]


def _with_count(name: str, catalog: Catalog) -> Iterator[str]:
    for each in (name, *metric_names(catalog.metrics[name].formula)):
        if (unknown := catalog.metrics[each].unknown_rows) and unknown in catalog.metrics:
            yield each


def _count(scan: Scan, metrics: Sequence[Metric], asked: AskedRows, days: Mapping[str, object] = {}) -> list[LeftOut]:
    catalog = asked.model.catalog
    columns = catalog.source_dimensions.get(scan.fact, {})
    platform = next((name for name, column in columns.items() if column == "source_platform"), None)
    keys = ((Key(platform, "text"), catalog.dimensions[platform].paths[scan.fact]),) if platform else ()
    counts = ((metric.unknown_rows, metric.counted_rows) for metric in metrics)
    measures = tuple(dict.fromkeys(name for pair in counts for name in pair if name and name in catalog.metrics))
    read = asked.read(replace(scan, keys=keys, measures=measures, week_shift=0), days)
    return [_left_out(metric, scan.fact, read, platform) for metric in metrics]


def _left_out(metric: Metric, fact: str, read: Sequence[Mapping[str, Any]], platform: str | None) -> LeftOut:
    """Add up what one metric leaves out. Any: text and numbers."""
    total, unknown = metric.counted_rows or row_count_column(fact), metric.unknown_rows or ""
    rows = sum(row[total] or 0 for row in read)
    return LeftOut(metric, rows, {row[platform] if platform else None: row[unknown] for row in read if row[unknown]})


def _notes(found: Sequence[LeftOut], fact: str, when: str = "") -> Iterator[WeightedNote]:
    """A note for each metric; one for all that lack the same rows of one column."""
    lacking = [each for each in found if each.is_said]
    yield from (_note(each, fact, when) for each in lacking if each.metric.key is None)
    by_column: dict[tuple[str, str, int, int], list[str]] = {}
    for each in lacking:
        if each.metric.key:
            lack = "not in" if each.metric.kind == "count_distinct" else "0 in"
            by_column.setdefault((each.metric.key, lack, each.count, each.rows), []).append(each.metric.name)
    for (column, lack, count, rows), names in by_column.items():
        metrics = names_text(shown_name(name) for name in names)
        verb = "has" if count == 1 else "have"
        sentence = f"{count} of {rows_text(rows, fact)}{when} {verb} no {column}: {lack} {metrics}."
        yield WeightedNote(count / rows if rows else 0.0, sentence)


def _note(left_out: LeftOut, fact: str, when: str = "") -> WeightedNote:
    metric, count, rows = left_out.metric, left_out.count, left_out.rows
    by_size = sorted(left_out.unknown.items(), key=lambda item: (-item[1], item[0] or ""))
    of = " and ".join(f"{number} {'row' if number == 1 else 'rows'} of {name or fact}" for name, number in by_size)
    verb = "does" if count == 1 else "do"
    if metric.left_out:
        sentence = f"{metric.name}{when} is of {rows - count} of {rows} {metric.left_out}."
    elif metric.parts:
        parts = f"both {' and '.join(metric.parts)}" if len(metric.parts) == 2 else " and ".join(metric.parts)
        sentence = f"{metric.name}{when} is of the rows of {fact} that say {parts}: {of} {verb} not."
    elif count == rows and not metric.counted_rows:
        sentence = f"{metric.name}{when} is empty: {of} {verb} not say it."
    else:
        sentence = f"{metric.name}{when} is of {rows - count} of {rows} rows of {fact}: {of} {verb} not say it."
    return WeightedNote(count / rows if rows else 0.0, sentence)
