"""What happens to rows once facts have met. Every stage has the keys, the components, and `rows_seen`."""

from __future__ import annotations

from dataclasses import replace

from semantic.catalog import CUMULATIVE, DATE, IS_OTHER
from semantic.formula import names, to_sql
from semantic.meet import counted
from semantic.shape import Along, Comparison, Component, Key, Shape, Top
from semantic.sql import ROWS_SEEN, Statement, column, compared, period, quoted, same, select

PREVIOUS = "_previous"
Components = tuple[Component, ...]


def compare(statement: Statement, shape: Shape, current: str, previous: str, name: str) -> tuple[str, Components]:
    """Put the rows of the period before beside those of the period, as components that end with `_previous`."""
    keys = [key.name for key in shape.keys]
    comparison, date = shape.comparison, shape.date
    if comparison and date:
        previous = _shifted(statement, shape, comparison, date, previous)
    before = tuple(replace(part, name=f"{part.name}{PREVIOUS}") for part in shape.components)
    day = f"COALESCE({column(current, DATE)}, {column(previous, DATE)})"
    columns = [
        *(f"COALESCE({column(current, key)}, {column(previous, key)}) AS {quoted(key)}" for key in keys),
        *(f"{counted(current, part)} AS {quoted(part.name)}" for part in shape.components),
        *(
            f"{_unless_unmatched(shape, day, counted(previous, part))} AS {quoted(after.name)}"
            for part, after in zip(shape.components, before, strict=True)
        ),
        f"COALESCE({column(current, ROWS_SEEN)}, 0) + COALESCE({column(previous, ROWS_SEEN)}, 0) AS {ROWS_SEEN}",
    ]
    joined = (
        f"FULL JOIN {quoted(previous)} ON {same(current, previous, keys)}" if keys else f"CROSS JOIN {quoted(previous)}"
    )
    return statement.add(name, select(columns, f"FROM {quoted(current)}\n{joined}")), (*shape.components, *before)


def _shifted(statement: Statement, shape: Shape, comparison: Comparison, date: Key, previous: str) -> str:
    """The rows of the period before under the dates they are compared with: each date of the range looks its own up."""
    day = 'CAST("day" AS DATE)'
    before = _before(day, comparison)
    only = f"\nWHERE DAY({before}) = DAY({day})" if comparison.drops_unmatched else ""
    calendar = statement.add(
        "calendar",
        select(
            [f"{day} AS {quoted(DATE)}", f"{before} AS previous_date"],
            f"FROM {_days(shape, date, 'shown_start')}{only}",
        ),
    )
    columns = [
        *(column(calendar if key is date else previous, key.name) for key in shape.keys),
        *(column(previous, part.name) for part in shape.components),
        column(previous, ROWS_SEEN),
    ]
    met = f"{column(previous, DATE)} = {column(calendar, 'previous_date')}"
    return statement.add("shifted", select(columns, f"FROM {quoted(calendar)}\nJOIN {quoted(previous)} ON {met}"))


def _before(day: str, comparison: Comparison) -> str:
    if comparison.unit == "months":
        return f"CAST({day} - TO_MONTHS(CAST($shift AS INTEGER)) AS DATE)"
    return f"{day} - CAST($shift AS INTEGER)"


def _unless_unmatched(shape: Shape, day: str, value: str) -> str:
    """Nothing, on a day that the month before does not have."""
    if not (shape.comparison and shape.date and shape.comparison.drops_unmatched):
        return value
    return f"CASE WHEN DAY({_before(day, shape.comparison)}) = DAY({day}) THEN {value} END"


def _days(shape: Shape, date: Key, start: str) -> str:
    """The first days of all periods from a parameter to the end of the range, as `day`."""
    step = {"quarter": "3 MONTH"}.get(date.grain or "", f"1 {date.grain or 'day'}".upper())
    first = period(f"CAST(${start} AS DATE)", date.grain or "day", shape.week_shift)
    return f'GENERATE_SERIES({first}, CAST($end AS DATE), INTERVAL {step}) AS "days"("day")'


def fill(statement: Statement, shape: Shape, date: Key, rows: str, components: Components) -> str:
    """A row for every period of the range and every group that there is; sums and counts without rows are 0."""
    days = statement.add("spine", f'SELECT CAST("day" AS DATE) AS {quoted(DATE)}\nFROM {_days(shape, date, "start")}')
    others = [key.name for key in shape.others]
    if others:
        groups = statement.add("groups", f"SELECT DISTINCT {', '.join(map(quoted, others))}\nFROM {quoted(rows)}")
        columns = [column(days, DATE), *(column(groups, key) for key in others)]
        days = statement.add("cells", select(columns, f"FROM {quoted(days)}\nCROSS JOIN {quoted(groups)}"))
    now, before = components[: len(shape.components)], components[len(shape.components) :]
    columns = [
        *(column(days, key.name) for key in shape.keys),
        *(f"{counted(rows, part)} AS {quoted(part.name)}" for part in now),
        *(f"{_unless_unmatched(shape, column(days, DATE), counted(rows, p))} AS {quoted(p.name)}" for p in before),
        column(rows, ROWS_SEEN),
    ]
    met = same(days, rows, [key.name for key in shape.keys])
    return statement.add("filled", select(columns, f"FROM {quoted(days)}\nLEFT JOIN {quoted(rows)} ON {met}"))


def add_up(statement: Statement, shape: Shape, along: Along, rows: str) -> str:
    """Components added up along the date, as columns that end with `_cumulative`; only the days asked for stay."""
    formula = next(metric.formula for metric in shape.metrics if metric.name == along.metric)
    by_name = {part.name: part for part in shape.components}
    partition = [quoted(key.name) for key in shape.others]
    partition += [f"DATE_TRUNC('{along.restarts}', {quoted(DATE)})"] if along.restarts else []
    over = (f"PARTITION BY {', '.join(partition)} " if partition else "") + f"ORDER BY {quoted(DATE)}"
    if along.days is not None:
        over += f" RANGE BETWEEN INTERVAL {along.days - 1} DAY PRECEDING AND CURRENT ROW"
    columns = [
        f"{by_name[name].adds_up}({quoted(name)}) OVER ({over}) AS {quoted(name + CUMULATIVE)}"
        for name in dict.fromkeys(names(formula))
    ]
    rows = statement.add("cumulated", select(["*", *columns], f"FROM {quoted(rows)}"))
    if not along.reads_back:
        return rows
    return statement.add("shown", f"SELECT *\nFROM {quoted(rows)}\nWHERE {quoted(DATE)} >= CAST($shown_start AS DATE)")


def keep(statement: Statement, shape: Shape, rows: str) -> str:
    """The groups that the filters on metrics leave."""
    conditions = [compared(f"({to_sql(formula, quoted)})", condition) for condition, formula in shape.having]
    return statement.add("kept", f"SELECT *\nFROM {quoted(rows)}\nWHERE " + "\n  AND ".join(conditions))


def rank(statement: Statement, shape: Shape, top: Top, rows: str, components: Components) -> str:
    """Only the highest groups, each with all its dates; and the others as one more group, if that is asked for."""
    keys = [key.name for key in (shape.others or shape.keys)]
    spread = len(keys) < len(shape.keys)  # over dates: a group's value is that of all its rows
    adds_up = {part.name: part.adds_up for part in components}
    formula = next(metric.formula for metric in shape.metrics if metric.name == top.by)
    value = to_sql(formula, lambda name: f"{adds_up[name]}({quoted(name)})" if spread else quoted(name))
    group = f"\nGROUP BY {', '.join(map(quoted, keys))}" if spread else ""
    ranked = statement.add(
        "ranked", select([*map(quoted, keys), f"{value} AS rank_value"], f"FROM {quoted(rows)}{group}")
    )
    order = ", ".join(["rank_value DESC NULLS LAST", *(f"{quoted(key)} NULLS LAST" for key in keys)])
    places = [*map(quoted, keys), f"ROW_NUMBER() OVER (ORDER BY {order}) AS place"]
    placed = statement.add("placed", select(places, f"FROM {quoted(ranked)}"))
    source = f"FROM {quoted(rows)}\nJOIN {quoted(placed)} ON {same(rows, placed, keys)}"
    if not top.has_other:
        return statement.add("topped", f"SELECT {quoted(rows)}.*\n{source}\nWHERE place <= $top")
    columns = [
        *(column(rows, key.name) for key in shape.keys),
        *(column(rows, part.name) for part in components),
        f"FALSE AS {IS_OTHER}",
    ]
    others = [
        *(column(rows, key.name) if key.name not in keys else _other(key) for key in shape.keys),
        *(f"{part.adds_up}({column(rows, part.name)})" if part.adds_up else "NULL" for part in components),
        "TRUE",
    ]
    rest = f"GROUP BY {column(rows, DATE)}" if spread else "HAVING COUNT(*) > 0"
    highest = select(columns, f"{source}\nWHERE place <= $top")
    lower = select(others, f"{source}\nWHERE place > $top\n{rest}")
    return statement.add("topped", f"{highest}\nUNION ALL\n{lower}")


def _other(key: Key) -> str:
    """What the group of others has for a key: text says so, another type is empty."""
    return "'other'" if key.type == "text" else f"CAST(NULL AS {'DATE' if key.type == 'date' else 'BOOLEAN'})"


def total(statement: Statement, name: str, rows: str, components: Components) -> str:
    """One row of all rows, by the components that add up; sums and counts of no rows are 0."""
    columns = []
    for part in components:
        if part.adds_up:
            value = f"{part.adds_up}({quoted(part.name)})"
            value = f"CASE WHEN COUNT(*) = 0 THEN 0 ELSE {value} END" if part.is_zero_without_rows else value
            columns.append(f"{value} AS {quoted(part.name)}")
    return statement.add(name, select(columns, f"FROM {quoted(rows)}"))
