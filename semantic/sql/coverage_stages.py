"""Stages that say which rows lie in days that a source covers: there a sum over no rows is 0, elsewhere unknown."""

from __future__ import annotations

from dataclasses import replace

from pipeline.contracts.sql import literal, quote
from semantic.catalog.catalog import DATE
from semantic.planning.query_shape import Component, CoveredDays, QueryShape, covered_column
from semantic.sql.ctes import PREVIOUS, Components, day_before
from semantic.sql.drill_across import in_window
from semantic.sql.statement import Statement, column, condition_sql, period, same_keys, select

_COVERED = "is_covered"


def mark_covered(
    statement: Statement, shape: QueryShape, rows: str, components: Components, name: str, *, window: str = ""
) -> tuple[str, Components]:
    """Add to rows, for each fact of `shape.coverage`, whether a source covers a day of their period.

    Args:
        statement: Grows by a stage per fact and window, and by the stage called `name`.
        shape: Of the query.
        rows: The stage to mark.
        components: Of that stage.
        name: Of the new stage.
        window: As for `drill_across`.
    """
    if not shape.coverage:
        return rows, components
    windows = [("", window)] + ([(PREVIOUS, "previous_")] if shape.comparison else [])
    marks, joins = [], []
    for covered in shape.coverage:
        for suffix, prefix in windows:
            stage = statement.add(f"{name}_{covered.fact}{suffix}", _covered_days(shape, covered, prefix))
            mark = f"{covered_column(covered.fact)}{suffix}"
            marks.append(f"COALESCE({column(stage, _COVERED)}, FALSE) AS {quote(mark)}")
            joins.append(f"LEFT JOIN {quote(stage)} ON {_same_group(shape, covered, rows, stage, suffix)}")
            components = (*components, _mark(mark, covered.fact))
    sql = select([f"{quote(rows)}.*", *marks], "\n".join([f"FROM {quote(rows)}", *joins]))
    return statement.add(name, sql), components


def of_total(covered: CoveredDays) -> CoveredDays:
    """The covered days of a row of totals, which no key groups."""
    return replace(covered, keys=(), rows=tuple(((), interval) for _, interval in covered.rows))


def _mark(name: str, fact: str) -> Component:
    return Component(name=name, fact=fact, adds_up="BOOL_OR", is_zero_without_rows=False)


def _covered_days(shape: QueryShape, covered: CoveredDays, prefix: str) -> str:
    """The periods, and values of the keys, of which a source covers a day in the window."""
    names = ["first_day", "last_day", *covered.keys]
    rows = [
        f"(DATE '{first}', DATE '{last}'{''.join(f', {_text(value)}' for value in group)})"
        for group, (first, last) in covered.rows
    ]
    empty = f"(DATE '1970-01-01', DATE '1969-12-31'{', NULL' * len(covered.keys)})"
    listed = f'(VALUES {", ".join(rows or [empty])}) AS "sources"({", ".join(map(quote, names))})'
    day = "UNNEST(GENERATE_SERIES(first_day, last_day, INTERVAL 1 DAY))"
    days = select([f"CAST({day} AS DATE) AS covered_day", *map(quote, covered.keys)], f"FROM {listed}")
    keys = (
        [f"{period('covered_day', shape.date.grain or 'day', shape.week_shift)} AS {quote(DATE)}"] if shape.date else []
    )
    keys += [*map(quote, covered.keys), f"TRUE AS {_COVERED}"]
    conditions = _conditions(shape)
    where = f"\nWHERE {' AND '.join(conditions)}" if conditions else ""
    indented = days.replace("\n", "\n  ")
    return in_window(f"SELECT DISTINCT\n  {f',{chr(10)}  '.join(keys)}\nFROM (\n  {indented}\n){where}", prefix)


def _conditions(shape: QueryShape) -> list[str]:
    """The conditions on days that all scans of a shape share."""
    scan = shape.scans[0]
    found = ["covered_day >= CAST($start AS DATE)"] if scan.has_start else []
    found += ["covered_day <= CAST($end AS DATE)"] if scan.has_end else []
    return found + [condition_sql("covered_day", each) for each, _ in scan.conditions if each.name == DATE]


def _same_group(shape: QueryShape, covered: CoveredDays, rows: str, stage: str, suffix: str) -> str:
    same = [same_keys(rows, stage, [key]) for key in covered.keys]
    if shape.date:
        day = column(rows, DATE)
        before = day_before(day, shape.comparison) if suffix and shape.comparison else day
        same.append(f"{column(stage, DATE)} = {before}")
    return " AND ".join(same) or "TRUE"


def _text(value: str | None) -> str:
    return "NULL" if value is None else literal(value)
