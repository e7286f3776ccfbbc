"""The values that a dimension has: listed for callers, and looked up so that a misspelt filter is never just empty."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import duckdb

from pipeline.errors import QueryError, UnknownName
from semantic.execute import execute
from semantic.filters import Condition, Value
from semantic.models import Home, Model
from semantic.query import MAX_LIMIT
from semantic.sql import quoted

MANY = 5000
"""A dimension with more values than this is asked for single values, instead of being read whole once."""


def values(
    dimension: str,
    model: Model,
    cursor: duckdb.DuckDBPyConnection,
    *,
    search: str | None = None,
    limit: int = 100,
    timeout_seconds: float = 30,
) -> dict[str, Any]:  # Any: the shape of `gata values --json`
    """The values of a dimension, the most frequent first; `search` is text they hold, upper or lower case.

    Raises:
        UnknownName: There is no such dimension; carries the nearest.
        QueryError: The limit is none.
    """
    if dimension not in model.catalog.askable_dimensions:
        raise UnknownName("dimension", dimension, model.catalog.askable_dimensions)
    if not 1 <= limit <= MAX_LIMIT:
        raise QueryError(f"limit is {limit}.", f"Choose from 1 to {MAX_LIMIT}.")
    found = "\nWHERE CONTAINS(LOWER(CAST(value AS VARCHAR)), LOWER($search))" if search else ""
    sql = (
        f"SELECT value, CAST(SUM(n) AS BIGINT) AS n\nFROM (\n  {_counted(model.homes[dimension])}\n){found}\n"
        "GROUP BY value\nORDER BY n DESC, value\nLIMIT $limit"
    )
    bound = {"limit": limit + 1, **({"search": search} if search else {})}
    rows = execute(cursor, sql, bound, timeout_seconds=timeout_seconds)
    is_date = model.catalog.dimensions[dimension].type == "date"
    listed = [{"value": value.isoformat() if is_date else value, "count": count} for value, count in rows[:limit]]
    return {"dimension": dimension, "values": listed, "truncated": len(rows) > limit}


def check_values(
    conditions: Iterable[tuple[Condition, Sequence[Value]]],
    model: Model,
    cursor: duckdb.DuckDBPyConnection,
    *,
    timeout_seconds: float,
) -> None:
    """See that text values of = and in exist: a misspelt one would give an empty answer that looks like a true one.

    Raises:
        UnknownName: One does not; carries the nearest real ones.
    """
    for condition, given in conditions:
        if condition.type == "text" and condition.op in ("=", "in"):
            wanted = [value for value in given if isinstance(value, str)]
            _check(condition.name, wanted, model, cursor, timeout_seconds)


def _check(
    name: str, wanted: Sequence[str], model: Model, cursor: duckdb.DuckDBPyConnection, timeout_seconds: float
) -> None:
    known = model.catalog.dimensions[name].values
    if known is None:
        known = model.known_values.get(name)
    if known is None:
        rows = execute(cursor, f"{_all(model.homes[name])}\nLIMIT {MANY + 1}", {}, timeout_seconds=timeout_seconds)
        known = frozenset(row[0] for row in rows)
        model.known_values[name] = known
    missing = [value for value in wanted if value not in known]
    if missing and len(known) > MANY:
        sql = f"SELECT value FROM (\n  {_all(model.homes[name])}\n)\nWHERE value IN (SELECT UNNEST($wanted))"
        rows = execute(cursor, sql, {"wanted": missing}, timeout_seconds=timeout_seconds)
        missing = sorted(set(missing) - {row[0] for row in rows})
    if not missing:
        return
    if len(known) > MANY:
        sql = (
            f"SELECT value FROM (\n  {_all(model.homes[name])}\n)\n"
            "ORDER BY JARO_WINKLER_SIMILARITY(LOWER(value), LOWER($wanted)) DESC, value\nLIMIT 20"
        )
        rows = execute(cursor, sql, {"wanted": missing[0]}, timeout_seconds=timeout_seconds)
        known = frozenset(row[0] for row in rows)
    raise UnknownName(f"value of {name}", missing[0], known)


def _all(homes: Iterable[Home]) -> str:
    return "\nUNION\n".join(
        f"SELECT {quoted(h.column)} AS value FROM {quoted(h.table)} WHERE {quoted(h.column)} IS NOT NULL" for h in homes
    )


def _counted(homes: Iterable[Home]) -> str:
    return "\n  UNION ALL\n  ".join(
        f"SELECT {quoted(h.column)} AS value, COUNT(*) AS n FROM {quoted(h.table)}"
        f" WHERE {quoted(h.column)} IS NOT NULL GROUP BY ALL"
        for h in homes
    )
