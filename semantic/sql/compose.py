"""Composes the SQL statement of a query shape: joins the fact aggregates, then applies each stage to their rows.

    current, previous   the facts, aggregated each on its own and joined on every key (`drill_across`); `both` at once
                        where each row is compared with the one before it
    compared            the period before beside the period
    filled              a row for every period
    covered             whether sources cover the period of a row
    cumulated           components added up along the date
    kept                the groups that pass filters on metrics
    topped              the highest groups, and the others as one
    the last SELECT     formulas over components, so that ratios are ratios of sums; order, limit, totals

Pure: the text depends on the shape alone, every value is a parameter.
"""

from __future__ import annotations

from dataclasses import replace

from pipeline.contracts.sql import literal, quote
from semantic.catalog.catalog import COMPARED, CUMULATIVE, DATE, IS_OTHER, IS_TOTAL, SHARE
from semantic.planning.query_shape import Key, QueryShape, RequestedMetric, covered_column
from semantic.sql.coverage_stages import mark_covered, of_total
from semantic.sql.ctes import PREVIOUS, Components, add_up, compare, fill, keep, matched, rank, total
from semantic.sql.drill_across import Aggregate, drill_across
from semantic.sql.metric_sql import metric_sql
from semantic.sql.statement import Statement, select


def compose(shape: QueryShape, aggregate: Aggregate) -> str:
    """Compose the statement of a shape; `aggregate` compiles the SQL of each fact's aggregate."""
    statement = Statement()
    rows, components = _joined_facts(statement, shape, aggregate)
    if shape.fill_gaps and shape.date:
        rows = fill(statement, shape, shape.date, rows, components)
    rows, components = mark_covered(statement, shape, rows, components, "covered")
    if shape.cumulative:
        rows = add_up(statement, shape, shape.cumulative, rows, components)
    if shape.having:
        rows = keep(statement, shape, rows)
    if shape.shares or shape.totals == "rows":
        _whole(statement, shape, rows, components)
    if shape.top:
        rows = rank(statement, shape, shape.top, rows, components)
    columns = [*(quote(key.name) for key in shape.keys), *_metric_columns(shape)]
    columns += [IS_OTHER] if shape.top and shape.top.has_other else []
    page = f"{select(columns, f'FROM {quote(rows)}')}\nORDER BY {_order(shape)}\nLIMIT $limit OFFSET $offset"
    if shape.totals is None:
        return statement.ending_with(page)
    totals = "whole" if shape.totals == "rows" else _total_facts(statement, shape, aggregate)
    indented = page.replace("\n", "\n  ")
    page = f"SELECT *, FALSE AS {IS_TOTAL}\nFROM (\n  {indented}\n)"
    return statement.ending_with(f"{page}\nUNION ALL\n{_total_row(shape, totals)}")


def _joined_facts(statement: Statement, shape: QueryShape, aggregate: Aggregate) -> tuple[str, Components]:
    if shape.comparison and shape.comparison.is_read_once:
        both = drill_across(statement, shape, aggregate, "both", window="both_")
        shown = f"SELECT *\nFROM {quote(both)}\nWHERE {quote(DATE)} >= CAST($start AS DATE)"
        return compare(statement, shape, statement.add("current", shown), both, "compared")
    current = drill_across(statement, shape, aggregate, "current")
    if shape.comparison is None:
        return current, shape.carried
    previous = drill_across(statement, shape, aggregate, "previous", window="previous_")
    return compare(statement, shape, current, previous, "compared")


def _whole(statement: Statement, shape: QueryShape, rows: str, components: Components) -> None:
    """Add the stage `whole` with the sums of all rows; it is covered where a source covers any of its days."""
    if not shape.coverage:
        total(statement, "whole", rows, components)
        return
    marks = {covered_column(each.fact) for each in shape.coverage}
    unmarked = tuple(part for part in components if part.name.removesuffix(PREVIOUS) not in marks)
    summed = total(statement, "summed", rows, unmarked)
    mark_covered(statement, _ungrouped(shape), summed, unmarked, "whole", window=_shown(shape))


def _shown(shape: QueryShape) -> str:
    """The window of an answer's rows, which may be shorter than the one that is read."""
    return "shown_" if shape.cumulative and shape.cumulative.has_lookback else ""


def _ungrouped(shape: QueryShape) -> QueryShape:
    return replace(
        shape,
        keys=(),
        scans=tuple(replace(scan, keys=()) for scan in shape.scans),
        coverage=tuple(map(of_total, shape.coverage)),
    )


def _total_facts(statement: Statement, shape: QueryShape, aggregate: Aggregate) -> str:
    """Add the stage with the totals aggregated from the facts again: one row, as nothing is grouped."""
    ungrouped, window = _ungrouped(shape), _shown(shape)
    current = drill_across(statement, ungrouped, aggregate, "total", window=window)
    rows, components = current, ungrouped.carried
    if shape.comparison is not None:
        previous = drill_across(statement, ungrouped, aggregate, "total_previous", window="previous_")
        rows, components = compare(statement, ungrouped, current, previous, "total_compared")
    return mark_covered(statement, ungrouped, rows, components, "total_covered", window=window)[0]


def _metric_columns(shape: QueryShape, *, is_total: bool = False) -> list[str]:
    """The columns of each metric and of what is computed from it, in the order of `plan.answer_columns`."""
    columns = []
    for metric in shape.metrics:
        value = metric_sql(shape, metric.formula, sparse=is_total)
        columns.append(f"{value} AS {quote(metric.name)}")
        columns += _comparison_columns(shape, metric, value, is_total=is_total) if shape.comparison else []
        if metric.name in shape.shares:
            whole = f"(SELECT {metric_sql(shape, metric.formula, sparse=True)} FROM whole)"
            columns.append(f"({value}) / NULLIF({whole}, 0) AS {quote(metric.name + SHARE)}")
        if shape.cumulative and shape.cumulative.metric == metric.name:
            cumulative = "NULL" if is_total else metric_sql(shape, metric.formula, suffix=CUMULATIVE)
            columns.append(f"{cumulative} AS {quote(metric.name + CUMULATIVE)}")
    return columns


def _comparison_columns(shape: QueryShape, metric: RequestedMetric, now: str, *, is_total: bool) -> list[str]:
    """The previous value, the change and its ratio; NULL on a day that the month before does not have."""
    before = metric_sql(shape, metric.formula, suffix=PREVIOUS, sparse=True)
    if shape.comparison and shape.comparison.drops_unmatched and not is_total:
        before = f"CASE WHEN {matched(shape, shape.comparison)} THEN {before} END"
    change = f"({now}) - ({before})"
    values = (before, change, f"({change}) / NULLIF(ABS({before}), 0)")
    return [f"{value} AS {quote(metric.name + end)}" for value, end in zip(values, COMPARED, strict=True)]


def _total_row(shape: QueryShape, whole: str) -> str:
    columns = [*(f"NULL AS {quote(key.name)}" for key in shape.keys), *_metric_columns(shape, is_total=True)]
    columns += ["FALSE"] if shape.top and shape.top.has_other else []
    return select([*columns, "TRUE"], f"FROM {quote(whole)}")


def _order(shape: QueryShape) -> str:
    places = {key.name: _place(key) for key in shape.keys if key.values}
    return ", ".join(
        f"{places.get(name, quote(name))} {'DESC' if highest else 'ASC'} NULLS LAST" for name, highest in shape.order
    )


def _place(key: Key) -> str:
    """The place of a value in the order of its dimension."""
    return f"LIST_POSITION([{', '.join(map(literal, key.values))}], {quote(key.name)})"
