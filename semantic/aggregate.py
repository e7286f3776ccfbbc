"""One fact's aggregate, compiled by Boring Semantic Layer from the published definitions: the home of ibis and BSL.

What BSL gets is as small as can be: one fact, the measures and dimensions of this scan, and only the `join_one` tables
on the way to them, over unbound ibis tables of only the columns used. Facts never share a tree (two facts in one BSL
tree repeat or cross their rows), no dimension is an entity (unmatched keys would split), filters are typed by us.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pipeline.errors import BuildError
from semantic.catalog import DATE
from semantic.filters import Condition
from semantic.shape import Key, Scan, rows_of

Definitions = Mapping[str, Any]  # Any: a tree of YAML, as `derive` gives

_COLUMN = re.compile(r"\b_\.(\w+)\b(?!\()")
_PARAMETER = re.compile("'\x01(\\w+)\x01'")
_PERIOD = "period_of_date"
_UNITS = {"week": "W", "month": "M", "quarter": "Q", "year": "Y"}
_TYPES = {
    "VARCHAR": "string",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "BOOLEAN": "boolean",
    "INTEGER": "int32",
    "BIGINT": "int64",
    "HUGEINT": "decimal(38, 0)",
    "DOUBLE": "float64",
}

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


def aggregate(scan: Scan, definitions: Definitions) -> str:
    """The SQL of a scan: its keys, its measures and `rows_of` its fact; values are parameters such as `$start`."""
    import ibis
    from boring_semantic_layer import from_config

    config = _config(scan, definitions["models"])
    tables = {
        model["table"]: ibis.table(_columns(name, config, scan, definitions), name=model["table"])
        for name, model in config.items()
    }
    table = config[scan.fact]["table"]
    tables[table] = _own_rows(tables[table], scan, definitions)
    model = from_config(config, tables=tables)[scan.fact]
    for condition, path in scan.conditions:
        if "." in path:
            model = _filtered(model, _field(path, scan), condition)
    fields = {key.name: _field(path, scan) for key, path in scan.keys}
    measures = {measure: _field(measure, scan) for measure in scan.measures}
    counted = {rows_of(scan.fact): lambda rows: rows.count()}
    rows = model.group_by(*fields.values()).aggregate(*measures.values(), **counted).to_untagged()
    named = {key.name: _as_key(rows[fields[key.name]], key) for key, _ in scan.keys}
    named |= {measure: rows[field] for measure, field in measures.items()} | {name: rows[name] for name in counted}
    sql = str(ibis.to_sql(rows.select(**named), dialect="duckdb"))
    return _PARAMETER.sub(r"$\1", sql)


def _field(path: str, scan: Scan) -> str:
    """The name that BSL gives a dimension or measure: bare in a model of one table, else behind its table's name."""
    if "." in path:
        return ".".join(path.split(".")[-2:])
    return f"{scan.fact}.{path}" if any("." in way for way in _paths(scan)) else path


def _paths(scan: Scan) -> list[str]:
    return [path for _, path in (*scan.keys, *scan.conditions)]


def _config(scan: Scan, models: Mapping[str, Any]) -> dict[str, Any]:  # Any: what from_config takes
    """The models of a scan's tables, with only the dimensions, measures and joins it uses."""
    config = {scan.fact: _part(scan.fact, models)}
    for path in _paths(scan):
        *joined, dimension = path.split(".")
        at = scan.fact
        for to in joined:
            config.setdefault(to, _part(to, models))
            config[at].setdefault("joins", {})[to] = models[at]["joins"][to]
            at = to
        config[at]["dimensions"][dimension] = models[at]["dimensions"][dimension]
    config[scan.fact]["measures"] = {measure: models[scan.fact]["measures"][measure] for measure in scan.measures}
    if _grain(scan) != "day":
        config[scan.fact]["dimensions"][DATE] = f"_.{_PERIOD}"
    return dict(reversed(config.items()))  # BSL takes a joined model as it is when its turn comes: the farthest first


def _part(name: str, models: Mapping[str, Any]) -> dict[str, Any]:  # Any: what from_config takes
    return {"table": models[name]["table"], "dimensions": {}}


def _grain(scan: Scan) -> str:
    return next((key.grain or "day" for key, _ in scan.keys if key.name == DATE), "day")


def _columns(name: str, config: Mapping[str, Any], scan: Scan, definitions: Definitions) -> dict[str, str]:
    """The columns of a table that the scan uses, with their ibis types."""
    model = config[name]
    used = {column for text in _expressions(model) for column in _COLUMN.findall(text)} - {_PERIOD}
    used |= {join["left_on"] for join in model.get("joins", {}).values()}
    used |= {join["right_on"] for other in config.values() for to, join in other.get("joins", {}).items() if to == name}
    if name == scan.fact and (scan.has_start or scan.has_end or _grain(scan) != "day"):
        used.add(definitions["facts"][name]["date"])
    types = definitions["tables"][model["table"]]
    return {column: _ibis_type(types[column], column) for column in sorted(used)}


def _expressions(model: Mapping[str, Any]) -> Iterable[str]:
    return (*model["dimensions"].values(), *model.get("measures", {}).values())


def _ibis_type(type_: str, column: str) -> str:
    if type_.startswith("DECIMAL("):
        return type_.lower()
    if type_ not in _TYPES:
        raise BuildError(
            f"{column} has the type {type_}, which no metric can use.", "Build the star with its own types."
        )
    return _TYPES[type_]


def _own_rows(table: Any, scan: Scan, definitions: Definitions) -> Any:  # Any: an ibis table
    """The fact's rows inside the time range and the filters on its own columns, with the period of their day."""
    day = definitions["facts"][scan.fact]["date"]
    dimensions = definitions["models"][scan.fact]["dimensions"]
    holds = [_holds(table[_COLUMN.findall(dimensions[p])[0]], c) for c, p in scan.conditions if "." not in p]
    holds += [table[day] >= _parameter("start", "date")] if scan.has_start else []
    holds += [table[day] <= _parameter("end", "date")] if scan.has_end else []
    rows = table.filter(*holds) if holds else table
    if _grain(scan) == "day":
        return rows
    return rows.mutate(**{_PERIOD: _period(rows[day], _grain(scan), scan.week_shift)})


def _period(day: Any, grain: str, week_shift: int) -> Any:  # Any: an ibis value
    import ibis

    if grain == "week" and week_shift:
        shift = ibis.interval(days=week_shift)
        return (day + shift).truncate(_UNITS[grain]) - shift
    return day.truncate(_UNITS[grain])


def _as_key(value: Any, key: Key) -> Any:  # Any: an ibis value
    """A period is a day again: DuckDB truncates a DATE to a TIMESTAMP, and ibis does not know."""
    return value.cast("timestamp").cast("date") if key.grain not in (None, "day") else value


def _filtered(model: Any, field: str, condition: Condition) -> Any:  # Any: a BSL model
    return model.filter(lambda rows: _holds(rows[field], condition))


def _holds(value: Any, condition: Condition) -> Any:  # Any: an ibis value
    """A condition as an ibis expression; its values are parameters."""
    given = [_parameter(parameter, condition.type) for parameter in condition.parameters]
    return _OPERATORS[condition.op](value, given)


def _parameter(name: str, type_: str) -> Any:  # Any: an ibis value
    """A place for a value: text that no value can be, turned into `$name` once SQL is written."""
    import ibis

    place = ibis.literal(f"\x01{name}\x01")
    return place if type_ == "text" else place.cast(type_)
