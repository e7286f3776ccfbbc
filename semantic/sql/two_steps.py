"""Splits a scan in two where that is cheaper: grouped by the keys of its joins, then joined and grouped again.

The result is the same: each row of the fact has the one row of the other table that its key has, so all rows of a key
fall into one group, those without a key or with an unknown one among them. Sums, counts, minimum and maximum of parts
give that of the whole; where one measure does not add up so, such as a count of different users, rows are joined.

A condition on a joined table is applied to the groups. Where other keys than those of joins make more of these, joining
the rows that meet it costs less, and the scan is not split.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from semantic.catalog.run_definitions import ModelJoin, TableModel
from semantic.planning.query_shape import Key, Scan, row_count_column
from semantic.sql.fact_size import join_key
from semantic.sql.scan_tables import ScanTables

_AGAIN = {
    "sum": "_.{0}.sum()",
    "min": "_.{0}.min()",
    "max": "_.{0}.max()",
    # a sum over no rows is NULL, a count 0; and the sum of BIGINT is HUGEINT, which ibis takes for BIGINT
    "count": "_.{0}.sum().fill_null(0).cast('decimal(38, 0)').cast('int64')",
}


@dataclass(frozen=True, kw_only=True)
class TwoSteps:
    """The scan of the fact, and that of its groups, each with the tables that it is compiled against."""

    first: Scan
    tables: ScanTables
    then: Scan
    groups: ScanTables


def dimension_column(name: str) -> str:
    """The column of grouped rows that holds a dimension: a bare name might be one of ibis' own, such as count."""
    return f"d_{name}"


def measure_column(name: str) -> str:
    """The column of grouped rows that holds a measure."""
    return f"m_{name}"


def in_two_steps(scan: Scan, tables: ScanTables) -> TwoSteps | None:
    """Split a scan; None where it joins nothing, does not add up, or has about as many groups as rows."""
    aggregates = tables.aggregates.get(scan.fact, {})
    joins = _joins(scan, tables)
    if not joins or scan.fact not in tables.sizes or not aggregates.keys() >= set(scan.measures):
        return None
    columns = sorted({join.left_on for join in joins.values()})
    determined = tables.determined.get(scan.fact, {})
    by = {join_key(column) for column in columns}
    own = [(key, path) for key, path in scan.keys if "." not in path]
    apart = [key for key, path in own if by.isdisjoint(determined.get(path, ()))]
    if apart and any("." in path for _, path in scan.conditions):
        return None
    if not tables.sizes[scan.fact].has_few_groups(columns, apart):
        return None
    counts_rows = not (scan.is_presence_enough and scan.keys and scan.measures)
    first = replace(
        scan,
        keys=(*own, *((Key(join_key(column), "text"), join_key(column)) for column in columns)),
        conditions=tuple((condition, path) for condition, path in scan.conditions if "." not in path),
        is_presence_enough=not counts_rows,
    )
    again = {**{name: aggregates[name] for name in scan.measures}, **_rows(scan, counts_rows=counts_rows)}
    then = replace(
        scan,
        keys=tuple((key, path) if "." in path else (replace(key, grain=None), key.name) for key, path in scan.keys),
        measures=tuple(again),
        conditions=tuple((condition, path) for condition, path in scan.conditions if "." in path),
        has_start=False,
        has_end=False,
    )
    model = tables.models[scan.fact]
    keyed = replace(model, dimensions={**model.dimensions, **{join_key(column): f"_.{column}" for column in columns}})
    grouped = TableModel(
        table=model.table,
        description=model.description,
        dimensions={key.name: f"_.{dimension_column(key.name)}" for key, _ in own},
        measures={name: _AGAIN[how].format(measure_column(name)) for name, how in again.items()},
        joins={to: replace(join, left_on=dimension_column(join_key(join.left_on))) for to, join in joins.items()},
    )
    return TwoSteps(
        first=first,
        tables=_with_model(tables, scan.fact, keyed),
        then=then,
        groups=_with_model(tables, scan.fact, grouped),
    )


def _joins(scan: Scan, tables: ScanTables) -> Mapping[str, ModelJoin]:
    """The joins of the fact that a scan uses, by the table that comes first on the way."""
    paths = [path for _, path in (*scan.keys, *scan.conditions) if "." in path]
    return {to: tables.models[scan.fact].joins[to] for to in dict.fromkeys(path.split(".")[0] for path in paths)}


def _rows(scan: Scan, *, counts_rows: bool) -> dict[str, str]:
    return {row_count_column(scan.fact): "count"} if counts_rows else {}


def _with_model(tables: ScanTables, fact: str, model: TableModel) -> ScanTables:
    return replace(tables, models={**tables.models, fact: model})
