"""Compiles a scan, the aggregate of one fact, to SQL with Boring Semantic Layer; only here are ibis and BSL imported.

BSL gets as little as possible: one fact, the measures and dimensions of this scan, and only the `join_one` tables
on the way to them, over unbound ibis tables of only the columns used. Facts never share a tree (two facts in one BSL
tree repeat or cross their rows), no dimension is an entity (unmatched keys would split), filter values are typed here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from decimal import Decimal
from functools import lru_cache, reduce
from operator import add, and_
from typing import Any

from semantic.catalog.conditions import Condition
from semantic.catalog.expression import columns_in
from semantic.catalog.run_definitions import Selection, SelectionCondition, TableModel
from semantic.planning.query_shape import Key, Scan, row_count_column
from semantic.sql.scan_tables import ScanTables
from semantic.sql.two_steps import TwoSteps, dimension_column, in_two_steps, measure_column

MAX_SCANS = 2_000
"""Compiled scans cached per process, a few kilobytes each; the least recently used is evicted."""
_COLUMN = re.compile(r"_\.(\w+)")
_PARAMETER = re.compile("'\x01(\\w+)\x01'")
_BESIDE_PARAMETERS = re.compile(r"(?<=\$)(?=\w)")
_UNITS = {"week": "W", "month": "M", "quarter": "Q", "year": "Y"}

_OPERATORS: dict[str, Callable[[Any, list[Any]], Any]] = {  # Any: ibis values
    "=": lambda value, given: value == given[0],
    "!=": lambda value, given: value != given[0],
    ">": lambda value, given: value > given[0],
    ">=": lambda value, given: value >= given[0],
    "<": lambda value, given: value < given[0],
    "<=": lambda value, given: value <= given[0],
    "in": lambda value, given: value.isin(given),
    "not_in": lambda value, given: value.notin(given),
    "between": lambda value, given: value.between(*given),
    "contains": lambda value, given: value.lower().contains(given[0].lower()),
    "starts_with": lambda value, given: value.lower().startswith(given[0].lower()),
    "is_null": lambda value, _: value.isnull(),
    "is_not_null": lambda value, _: value.notnull(),
}


def load_compiler() -> None:
    """Load ibis and the semantic library ahead of the first compile."""
    import boring_semantic_layer  # noqa: F401
    import ibis.backends.sql.compilers.duckdb  # noqa: F401


@lru_cache(maxsize=MAX_SCANS)
def aggregate(scan: Scan, tables: ScanTables) -> str:
    """Compile the SQL of a scan: keys, measures and `rows_of` its fact; values are parameters such as `$start`."""
    import ibis

    steps = in_two_steps(scan, tables)
    rows = _aggregate(scan, tables) if steps is None else _aggregate_twice(steps)
    return _PARAMETER.sub(r"$\1", str(ibis.to_sql(rows, dialect="duckdb")))


def _aggregate_twice(steps: TwoSteps) -> Any:  # Any: an ibis table
    first = _aggregate(steps.first, steps.tables)
    columns = {dimension_column(key.name): first[key.name] for key, _ in steps.first.keys}
    columns |= {measure_column(name): first[name] for name in steps.then.measures}
    return _aggregate(steps.then, steps.groups, groups=first.select(**columns))


def _aggregate(scan: Scan, tables: ScanTables, groups: Any = None) -> Any:  # Any: ibis tables
    """The aggregate of the fact's table, or of `groups` of its rows in its place."""
    import ibis
    from boring_semantic_layer import from_config

    once = _taken_once(scan, tables)
    config = _config(scan, tables.models, once)
    location = {"catalog": tables.catalog, "database": "main"} if tables.catalog else {}
    table = config[scan.fact]["table"]
    by_table = {
        model["table"]: ibis.table(_columns(name, config, scan, tables), name=model["table"], **location)
        for name, model in config.items()
        if groups is None or name != scan.fact
    }
    by_table[table] = _filtered_rows(by_table[table] if groups is None else groups, scan, tables)
    for name, model in config.items():
        by_table[model["table"]] = _with_periods(by_table[model["table"]], name, scan, tables)
    model = from_config(config, tables=by_table)[scan.fact]
    for condition, path in scan.conditions:
        if "." in path:
            model = _with_filter(model, _field(path, scan), condition)
    fields = {
        key.name: _field(_once(key.name) if key.name in once else _key_path(key, path), scan) for key, path in scan.keys
    }
    grouped = [field for name, field in fields.items() if name not in once]
    measures = {measure: _field(measure, scan) for measure in scan.measures}
    counted = row_count_column(scan.fact)
    has_rows = scan.is_presence_enough and fields and measures  # a group without rows there is not
    row_count = {} if has_rows or counted in measures else {counted: lambda rows: rows.count()}
    added_up = [*(fields[name] for name in once), *measures.values()]
    rows = model.group_by(*grouped).aggregate(*added_up, **row_count).to_untagged()
    columns = {key.name: _as_key(rows[fields[key.name]], key) for key, _ in scan.keys}
    columns |= {measure: rows[field] for measure, field in measures.items()} | {name: rows[name] for name in row_count}
    columns.setdefault(counted, ibis.literal(1))
    return rows.select(**columns)


def _taken_once(scan: Scan, tables: ScanTables) -> tuple[str, ...]:
    """The keys that another key determines: each group has one value of them, and they are not grouped by."""
    determined = tables.determined.get(scan.fact, {})
    grouped = {key.name for key, _ in scan.keys}
    once: list[str] = []
    for key, path in scan.keys:
        if "." not in path and grouped.intersection(determined.get(path, ())) - {key.name}:
            once.append(key.name)
            grouped.remove(key.name)
    return tuple(once)


def _once(name: str) -> str:
    """The measure that takes a dimension once."""
    return f"one_{name}"


def _field(path: str, scan: Scan) -> str:
    """The name of a dimension or measure in BSL: bare in a model of one table, else qualified by its table."""
    if "." in path:
        return ".".join(path.split(".")[-2:])
    return f"{scan.fact}.{path}" if any("." in used for used in _paths(scan)) else path


def _paths(scan: Scan) -> list[str]:
    return [path for _, path in (*scan.keys, *scan.conditions)]


def _config(
    scan: Scan, models: Mapping[str, TableModel], once: Iterable[str]
) -> dict[str, Any]:  # Any: what from_config takes
    """Configure the models of a scan's tables with only the dimensions, measures and joins that it uses."""
    config = {scan.fact: _empty_model(scan.fact, models)}
    for path in _paths(scan):
        *joined, dimension = path.split(".")
        at = scan.fact
        for to in joined:
            config.setdefault(to, _empty_model(to, models))
            config[at].setdefault("joins", {})[to] = asdict(models[at].joins[to])
            at = to
        config[at]["dimensions"][dimension] = models[at].dimensions[dimension]
    config[scan.fact]["measures"] = {measure: models[scan.fact].measures[measure] for measure in scan.measures}
    for key, path in scan.keys:
        if _has_period(key):
            config[_holder(path, scan)]["dimensions"][_period_column(key)] = f"_.{_period_column(key)}"
    taken = config[scan.fact]
    taken["measures"] |= {
        _once(key.name): f"({taken['dimensions'][_key_path(key, path)]}).arbitrary()"
        for key, path in scan.keys
        if key.name in once
    }
    return dict(reversed(config.items()))  # BSL resolves joined models in order: the farthest comes first


def _empty_model(name: str, models: Mapping[str, TableModel]) -> dict[str, Any]:  # Any: what from_config takes
    return {"table": models[name].table, "dimensions": {}}


def _holder(path: str, scan: Scan) -> str:
    """The table at the end of a path."""
    return path.split(".")[-2] if "." in path else scan.fact


def _key_path(key: Key, path: str) -> str:
    """The path to a key, or to its period where it has one; a filter on the same date still uses the day."""
    return ".".join((*path.split(".")[:-1], _period_column(key))) if _has_period(key) else path


def _has_period(key: Key) -> bool:
    return key.grain not in (None, "day")


def _period_column(key: Key) -> str:
    """The column that holds the period of a date."""
    return f"period_of_{key.name}"


def _columns(name: str, config: Mapping[str, Any], scan: Scan, tables: ScanTables) -> dict[str, str]:
    """The columns of a table that the scan uses, with their ibis types. Any: what from_config takes."""
    model = config[name]
    used = {column for text in _expressions(model) for column in columns_in(text)}
    used -= {_period_column(key) for key, _ in scan.keys}
    used |= {column for _, column in _period_dates(name, scan, tables)}
    used |= {join["left_on"] for join in model.get("joins", {}).values()}
    used |= {join["right_on"] for other in config.values() for to, join in other.get("joins", {}).items() if to == name}
    if name == scan.fact:
        used |= {tables.days[name]} if scan.has_start or scan.has_end else set()
        selections = _selections(scan, tables)
        used -= selections.keys()
        for conditions in selections.values():
            used |= {_first_column(name, each, each.through, tables) for each in conditions}
    return tables.ibis_types(model["table"], used)


def _period_dates(name: str, scan: Scan, tables: ScanTables) -> list[tuple[Key, str]]:
    """The date keys of a table that are grouped by period, with their columns."""
    dimensions = tables.models[name].dimensions
    keys = [key for key, path in scan.keys if _has_period(key) and _holder(path, scan) == name]
    return [(key, columns_in(dimensions[key.name])[0]) for key in keys]


def _selections(scan: Scan, tables: ScanTables) -> dict[str, Selection]:
    """The conditions of the filtered measures of a scan, by the flag column that they compute."""
    model = tables.models[scan.fact]
    used = {column for measure in scan.measures for column in columns_in(model.measures[measure])}
    return {name: each for name, each in sorted(model.selections.items()) if name in used}


def _first_column(at: str, condition: SelectionCondition, through: Sequence[str], tables: ScanTables) -> str:
    """The column of the table that a condition reads: its own, or the key to the next table."""
    return tables.models[at].joins[through[0]].left_on if through else condition.column


def _expressions(model: Mapping[str, Any]) -> Iterable[str]:
    return (*model["dimensions"].values(), *model.get("measures", {}).values())


def _filtered_rows(table: Any, scan: Scan, tables: ScanTables) -> Any:  # Any: an ibis table
    """Filter the fact's rows by time range and own columns, and add the flag columns of selections."""
    day = tables.days[scan.fact]
    dimensions = tables.models[scan.fact].dimensions
    predicates = [_satisfies(_value(table, dimensions[p]), c) for c, p in scan.conditions if "." not in p]
    predicates += [table[day] >= _parameter("start", "date")] if scan.has_start else []
    predicates += [table[day] <= _parameter("end", "date")] if scan.has_end else []
    rows = table.filter(*predicates) if predicates else table
    selections = {
        name: reduce(and_, (_meets(rows, scan.fact, each, each.through, tables) for each in conditions))
        for name, conditions in _selections(scan, tables).items()
    }
    return rows.mutate(**selections) if selections else rows


def _meets(
    rows: Any, at: str, condition: SelectionCondition, through: Sequence[str], tables: ScanTables
) -> Any:  # Any: ibis tables and values
    """Whether rows meet a condition: by their own column, or by a key among those of the joined rows that meet it."""
    import ibis

    if condition.op == "is_null" and through:
        return ~_meets(rows, at, replace(condition, op="is_not_null"), through, tables).fill_null(False)
    if not through:
        values = [_literal(value, condition.type) for value in condition.values]
        return _OPERATORS[condition.op](_value(rows, condition.expression or f"_.{condition.column}"), values)
    to, *rest = through
    join, table = tables.models[at].joins[to], tables.models[to].table
    used = {join.right_on, _first_column(to, condition, rest, tables)}
    other = ibis.table(tables.ibis_types(table, used), name=table)
    return rows[join.left_on].isin(other.filter(_meets(other, to, condition, rest, tables))[join.right_on])


def _value(table: Any, expression: str) -> Any:  # Any: an ibis table, one of its values
    """A dimension of a table's rows, evaluated as Boring Semantic Layer does."""
    if table_column := _COLUMN.fullmatch(expression):
        return table[table_column[1]]
    from boring_semantic_layer.safe_eval import safe_eval

    return safe_eval(expression, context={"_": table}).unwrap()


def _literal(value: Any, type_: str) -> Any:  # Any: a value of the definitions, an ibis value
    """Write a value of the definitions; splits text after a $ before a letter, which would look like a parameter."""
    import ibis

    if type_ == "text":
        return reduce(add, (ibis.literal(part) for part in _BESIDE_PARAMETERS.split(value)))
    if type_ == "number":
        return ibis.literal(Decimal(value), "decimal(38, 6)") if isinstance(value, str) else ibis.literal(value)
    return ibis.literal(value).cast(type_)


def _with_periods(table: Any, name: str, scan: Scan, tables: ScanTables) -> Any:  # Any: an ibis table
    """Add to a table the periods of its dates that are grouped by period."""
    dates = _period_dates(name, scan, tables)
    periods = {_period_column(key): _period(table[at], key.grain or "day", scan.week_shift) for key, at in dates}
    return table.mutate(**periods) if periods else table


def _period(day: Any, grain: str, week_shift: int) -> Any:  # Any: an ibis value
    import ibis

    if grain == "week" and week_shift:
        shift = ibis.interval(days=week_shift)
        return (day + shift).truncate(_UNITS[grain]) - shift
    return day.truncate(_UNITS[grain])


def _as_key(value: Any, key: Key) -> Any:  # Any: an ibis value
    """Cast a period back to a day: DuckDB truncates a DATE to a TIMESTAMP, which ibis does not know."""
    return value.cast("timestamp").cast("date") if _has_period(key) else value


def _with_filter(model: Any, field: str, condition: Condition) -> Any:  # Any: a BSL model
    return model.filter(lambda rows: _satisfies(rows[field], condition))


def _satisfies(value: Any, condition: Condition) -> Any:  # Any: an ibis value
    """Write a condition as an ibis expression; its values are parameters."""
    values = [_parameter(parameter, condition.type) for parameter in condition.parameters]
    return _OPERATORS[condition.op](value, values)


def _parameter(name: str, type_: str) -> Any:  # Any: an ibis value
    """A placeholder for a value: text that no value can be, replaced by `$name` in the SQL."""
    import ibis

    placeholder = ibis.literal(f"\x01{name}\x01")
    return placeholder if type_ == "text" else placeholder.cast("int64" if type_ == "integer" else type_)
