"""Drill-across: aggregates each fact on its own, then full-outer-joins the results on every key, NULL-safe.

Facts are never joined row by row, so no row is multiplied; a key that only one fact has stays in the result.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from pipeline.contracts.sql import quote
from semantic.planning.query_shape import QueryShape, Scan
from semantic.sql.statement import Statement, column, select

Aggregate = Callable[[Scan], str]
"""Compiles one fact's aggregate: its keys, its measures, and `rows_of` the fact: above 0 where it has any."""

_WINDOW = re.compile(r"\$(start|end|not_compared_\d+)\b")


def in_window(sql: str, prefix: str) -> str:
    """SQL over the days of another window: its parameters begin with `prefix`."""
    return _WINDOW.sub(rf"${prefix}\1", sql)


def drill_across(statement: Statement, shape: QueryShape, aggregate: Aggregate, name: str, *, window: str = "") -> str:
    """Aggregate every fact of a shape, join them in a stage called `name`, and return the stage with the result.

    Args:
        statement: Grows by one stage per fact, and one for the join.
        shape: The shape of the query.
        aggregate: Compiles the SQL of a scan.
        name: Of the stage; the names of the stages before it begin with it.
        window: The parameters of its days are `$<window>start` and `$<window>end`.
    """
    keys = [key.name for key in shape.keys]
    scans = (replace(scan, is_presence_enough=True) for scan in shape.scans)
    stages = {scan.fact: statement.add(f"{name}_{scan.fact}", in_window(aggregate(scan), window)) for scan in scans}
    facts = list(stages.values())
    if len(facts) == 1:
        return facts[0]
    columns = [
        *(f"{_coalesced(facts, key)} AS {quote(key)}" for key in keys),
        *(column(stages[part.fact], part.name) for part in shape.carried),
    ]
    return statement.add(name, select(columns, f"FROM {_joined(facts, keys)}"))


def _coalesced(stages: Sequence[str], key: str) -> str:
    if len(stages) == 1:
        return column(stages[0], key)
    return f"COALESCE({', '.join(column(stage, key) for stage in stages)})"


def _joined(stages: Sequence[str], keys: Sequence[str]) -> str:
    """Join each stage to all before it on all keys."""
    text = quote(stages[0])
    for n, stage in enumerate(stages[1:], start=1):
        on = " AND ".join(f"{_coalesced(stages[:n], key)} IS NOT DISTINCT FROM {column(stage, key)}" for key in keys)
        text += f"\nFULL JOIN {quote(stage)} ON {on}" if keys else f"\nCROSS JOIN {quote(stage)}"
    return text
