"""Facts of which the filters of a query, or of a metric, leave no row: an aggregate over none is 0 and looks like one.

Rows are counted only where a number of the answer is 0 or empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from semantic.answering.left_out.scan_rows import AskedRows, names_text, shown_name
from semantic.catalog.formula import metric_names
from semantic.planning.query_shape import Scan, row_count_column

Page = Sequence[Sequence[Any]]  # Any: the values of an answer


def emptied_facts(asked: AskedRows, page: Page | None) -> Iterator[str]:
    """Note the filters that leave no row of a fact, where nothing is grouped, and those of metrics that leave none.

    Args:
        asked: The query.
        page: The rows of its answer, dimensions first; None where they are not known yet.
    """
    shape, metrics = asked.plan.shape, asked.model.catalog.metrics
    suspects = [metric for metric in shape.metrics if _is_nothing(metric.name, asked, page)]
    bases = {base for metric in suspects for base in metric_names(metric.formula)}
    for scan in shape.scans:
        used = [name for name in scan.measures if name in bases]
        if not used:
            continue
        if not shape.keys and scan.conditions and _is_empty(scan, asked):
            yield from _emptied(scan, asked)
            continue
        yield from _emptied_metrics(
            scan,
            {name: count for name in used if (count := metrics[name].selected_rows) and not metrics[name].note},
            asked,
        )


def _emptied_metrics(scan: Scan, counted: Mapping[str, str], asked: AskedRows) -> Iterator[str]:
    """Name the metrics whose own filters leave none of the rows that there are."""
    if counted:
        [found] = asked.read(replace(scan, keys=(), measures=tuple(dict.fromkeys(counted.values()))))
        if found[row_count_column(scan.fact)]:
            for name in dict.fromkeys(shown_name(each) for each, count in counted.items() if not found[count]):
                yield f"No row of {scan.fact} is left by the filters of {name}."


def _is_nothing(metric: str, asked: AskedRows, page: Page | None) -> bool:
    """Whether every value of a metric is 0 or empty; so it may be, where they are not known."""
    shape = asked.plan.shape
    if page is None:
        return True
    columns = [each.name for each in shape.metrics]
    if shape.comparison or shape.shares or shape.cumulative:
        return True
    at = len(shape.keys) + columns.index(metric)
    return not any(row[at] for row in page)


def _emptied(scan: Scan, asked: AskedRows) -> Iterator[str]:
    """Name the filters that leave no row: one that does so alone, else all together; none where the days have none."""
    if _is_empty(replace(scan, conditions=()), asked):
        return
    alone = [c.name for c, path in scan.conditions if _is_empty(replace(scan, conditions=((c, path),)), asked)]
    names = alone or [condition.name for condition, _ in scan.conditions]
    several = len(alone) > 1 or (not alone and len(scan.conditions) > 1)
    yield f"No row of {scan.fact} is left by the {'filters' if several else 'filter'} on {names_text(names)}."


def _is_empty(scan: Scan, asked: AskedRows) -> bool:
    found = asked.read(replace(scan, keys=(), measures=()))
    return not sum(row[row_count_column(scan.fact)] or 0 for row in found)
