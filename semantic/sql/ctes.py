"""Stages (CTEs) over the joined rows of facts; each has the keys and the columns that the shape carries.

A row that lacks a fact has NULL in its columns, and adds nothing. A sum over no rows becomes 0 only where a metric is
computed (`metric_sql`).
"""

from __future__ import annotations

from dataclasses import replace

from pipeline.contracts.sql import quote
from semantic.catalog.catalog import CUMULATIVE, DATE, IS_OTHER
from semantic.catalog.formula import metric_names
from semantic.planning.query_shape import (
    Comparison,
    Component,
    CumulativeColumn,
    Key,
    QueryShape,
    TopGroups,
    covered_column,
    row_count_column,
)
from semantic.sql.metric_sql import metric_sql
from semantic.sql.statement import Statement, column, condition_sql, period, same_keys, select

PREVIOUS = "_previous"
IS_MATCHED = "is_matched"
"""The column that marks days, and the group of other days, that the month before has."""
Components = tuple[Component, ...]
_NOT_TEXT = {"date": "DATE", "boolean": "BOOLEAN", "integer": "BIGINT"}


def compare(statement: Statement, shape: QueryShape, current: str, previous: str, name: str) -> tuple[str, Components]:
    """Join the rows of the period before to those of the period, in columns that end with `_previous`."""
    keys = [key.name for key in shape.keys]
    if shape.comparison and shape.date:
        previous = _shifted(statement, shape, shape.comparison, shape.date, previous)
    before = tuple(replace(part, name=f"{part.name}{PREVIOUS}") for part in shape.carried)
    columns = [
        *(f"COALESCE({column(current, key)}, {column(previous, key)}) AS {quote(key)}" for key in keys),
        *(column(current, part.name) for part in shape.carried),
        *(f"{column(previous, p.name)} AS {quote(b.name)}" for p, b in zip(shape.carried, before, strict=True)),
    ]
    joined = f"FULL JOIN {quote(previous)} ON {same_keys(current, previous, keys)}" if keys else None
    rest = f"FROM {quote(current)}\n{joined or f'CROSS JOIN {quote(previous)}'}"
    return statement.add(name, select(columns, rest)), (*shape.carried, *before)


def _shifted(statement: Statement, shape: QueryShape, comparison: Comparison, date: Key, previous: str) -> str:
    """Move the rows of the period before to the dates of the period that they are compared with."""
    day = 'CAST("day" AS DATE)'
    where = f"\nWHERE {is_matched(day, comparison)}" if comparison.drops_unmatched else ""
    looked_up = [f"{day} AS {quote(DATE)}", f"{day_before(day, comparison)} AS previous_date"]
    calendar = statement.add("calendar", select(looked_up, f"FROM {_days(shape, date, 'shown_start')}{where}"))
    columns = [
        *(column(calendar if key is date else previous, key.name) for key in shape.keys),
        *(column(previous, part.name) for part in shape.carried),
    ]
    on = f"{column(previous, DATE)} = {column(calendar, 'previous_date')}"
    return statement.add("shifted", select(columns, f"FROM {quote(calendar)}\nJOIN {quote(previous)} ON {on}"))


def day_before(day: str, comparison: Comparison) -> str:
    """Write the day, or first day of a period, that one is compared with."""
    if comparison.unit == "months":
        return f"CAST({day} - TO_MONTHS(CAST($shift AS INTEGER)) AS DATE)"
    return f"{day} - CAST($shift AS INTEGER)"


def is_matched(day: str, comparison: Comparison) -> str:
    """Write the condition that the month before has such a day."""
    return f"DAY({day_before(day, comparison)}) = DAY({day})"


def matched(shape: QueryShape, comparison: Comparison) -> str:
    """Write the condition that the month before has the day of a row, or one of those in the group of others."""
    return IS_MATCHED if _merges_days(shape) else is_matched(quote(DATE), comparison)


def _merges_days(shape: QueryShape) -> bool:
    """Whether the group of others merges days, some of which the month before may lack."""
    drops = shape.comparison is not None and shape.comparison.drops_unmatched
    return drops and shape.top is not None and shape.top.has_other and not shape.others


def _days(shape: QueryShape, date: Key, start: str) -> str:
    """Generate the first days of all periods from a parameter to the end of the range, as `day`."""
    step = {"quarter": "3 MONTH"}.get(date.grain or "", f"1 {date.grain or 'day'}".upper())
    first_day = period(f"CAST(${start} AS DATE)", date.grain or "day", shape.week_shift)
    return f'GENERATE_SERIES({first_day}, CAST($end AS DATE), INTERVAL {step}) AS "days"("day")'


def fill(statement: Statement, shape: QueryShape, date: Key, rows: str, components: Components) -> str:
    """Add a row for every period of the range and every existing group."""
    days = statement.add("spine", f'SELECT CAST("day" AS DATE) AS {quote(DATE)}\nFROM {_days(shape, date, "start")}')
    others = [key.name for key in shape.others]
    if others:
        groups = statement.add("groups", f"SELECT DISTINCT {', '.join(map(quote, others))}\nFROM {quote(rows)}")
        cells = [column(days, DATE), *(column(groups, key) for key in others)]
        days = statement.add("cells", select(cells, f"FROM {quote(days)}\nCROSS JOIN {quote(groups)}"))
    keys = [key.name for key in shape.keys]
    columns = [*(column(days, key) for key in keys), *(column(rows, part.name) for part in components)]
    rest = f"FROM {quote(days)}\nLEFT JOIN {quote(rows)} ON {same_keys(days, rows, keys)}"
    return statement.add("filled", select(columns, rest))


def add_up(
    statement: Statement, shape: QueryShape, cumulative: CumulativeColumn, rows: str, components: Components
) -> str:
    """Add up components along the date, in columns that end with `_cumulative`; keeps only the requested days."""
    formula = next(metric.formula for metric in shape.metrics if metric.name == cumulative.metric)
    used = set(metric_names(formula))
    facts = {part.fact for part in shape.components if part.name in used}
    used |= {name(fact) for fact in facts for name in (row_count_column, covered_column)}
    partition = [quote(key.name) for key in shape.others]
    partition += [f"DATE_TRUNC('{cumulative.restarts}', {quote(DATE)})"] if cumulative.restarts else []
    frame = (f"PARTITION BY {', '.join(partition)} " if partition else "") + f"ORDER BY {quote(DATE)}"
    if cumulative.days is not None:
        frame += f" RANGE BETWEEN INTERVAL {cumulative.days - 1} DAY PRECEDING AND CURRENT ROW"
    columns = [
        f"{part.adds_up}({quote(part.name)}) OVER ({frame}) AS {quote(part.name + CUMULATIVE)}"
        for part in components
        if part.name in used
    ]
    rows = statement.add("cumulated", select(["*", *columns], f"FROM {quote(rows)}"))
    if not cumulative.has_lookback:
        return rows
    return statement.add("shown", f"SELECT *\nFROM {quote(rows)}\nWHERE {quote(DATE)} >= CAST($shown_start AS DATE)")


def keep(statement: Statement, shape: QueryShape, rows: str) -> str:
    """Keep the groups that pass the filters on metrics."""
    conditions = [condition_sql(f"({metric_sql(shape, formula)})", condition) for condition, formula in shape.having]
    return statement.add("kept", f"SELECT *\nFROM {quote(rows)}\nWHERE " + "\n  AND ".join(conditions))


def rank(statement: Statement, shape: QueryShape, top: TopGroups, rows: str, components: Components) -> str:
    """Keep the highest groups, each with all its dates; merge the others into one more group if requested."""
    keys = [key.name for key in (shape.others or shape.keys)]
    has_dates = len(keys) < len(shape.keys)  # over dates: the value of a group is that of all its rows
    formula = next(metric.formula for metric in shape.metrics if metric.name == top.by)
    value = f"{metric_sql(shape, formula, added=has_dates)} AS rank_value"
    group = f"\nGROUP BY {', '.join(map(quote, keys))}" if has_dates else ""
    ranked = statement.add("ranked", select([*map(quote, keys), value], f"FROM {quote(rows)}{group}"))
    order = ", ".join(["rank_value DESC NULLS LAST", *(f"{quote(key)} NULLS LAST" for key in keys)])
    positions = [*map(quote, keys), f"ROW_NUMBER() OVER (ORDER BY {order}) AS place"]
    with_position = statement.add("placed", select(positions, f"FROM {quote(ranked)}"))
    source = f"FROM {quote(rows)}\nJOIN {quote(with_position)} ON {same_keys(rows, with_position, keys)}"
    if not top.has_other:
        return statement.add("topped", f"SELECT {quote(rows)}.*\n{source}\nWHERE place <= $top")
    columns = [
        *(column(rows, key.name) for key in shape.keys),
        *(column(rows, part.name) for part in components),
        f"FALSE AS {IS_OTHER}",
    ]
    others = [
        *(column(rows, key.name) if key.name not in keys else _other_key(key) for key in shape.keys),
        *(f"{part.adds_up}({column(rows, part.name)})" if part.adds_up else "NULL" for part in components),
        "TRUE",
    ]
    if shape.comparison and _merges_days(shape):
        day = is_matched(column(rows, DATE), shape.comparison)
        columns, others = [*columns, f"{day} AS {IS_MATCHED}"], [*others, f"BOOL_OR({day})"]
    rest = f"GROUP BY {column(rows, DATE)}" if has_dates else "HAVING COUNT(*) > 0"
    highest = select(columns, f"{source}\nWHERE place <= $top")
    lower = select(others, f"{source}\nWHERE place > $top\n{rest}")
    return statement.add("topped", f"{highest}\nUNION ALL\n{lower}")


def _other_key(key: Key) -> str:
    """The key of the group of others: 'other' for text, NULL for another type."""
    return "'other'" if key.type == "text" else f"CAST(NULL AS {_NOT_TEXT[key.type]})"


def total(statement: Statement, name: str, rows: str, components: Components) -> str:
    """Aggregate all rows into one, by the components that add up."""
    parts = [part for part in components if part.adds_up]
    columns = [f"{part.adds_up}({quote(part.name)}) AS {quote(part.name)}" for part in parts]
    return statement.add(name, select(columns, f"FROM {quote(rows)}"))
