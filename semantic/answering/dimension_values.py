"""The values that a dimension has: listed for callers, and looked up so that a misspelt filter is never just empty."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import duckdb

from pipeline.contracts.sql import quote
from pipeline.errors import QueryError, UnknownName, shorten
from semantic.answering.execute import execute, with_deadline
from semantic.answering.semantic_model import DimensionColumn, SemanticModel
from semantic.catalog.conditions import Condition, Value
from semantic.catalog.input_text import is_text, quote_input
from semantic.catalog.suggestions import nearest_values, unknown_dimension
from semantic.planning.query import MAX_LIMIT

MANY = 5000
"""A dimension with more values than this is asked for single values, instead of being read whole once."""
_LOOKED_AT = 50


def dimension_values(
    dimension: str,
    model: SemanticModel,
    cursor: duckdb.DuckDBPyConnection,
    *,
    search: str | None = None,
    limit: int = 100,
    timeout_seconds: float = 30,
) -> dict[str, Any]:  # Any: the shape of `gata values --json`
    """The values of a dimension, the most frequent first; `search` is text they hold, upper or lower case.

    Raises:
        UnknownName: There is no such dimension; carries the nearest.
        TooMuch: It took longer than `timeout_seconds`.
        QueryError: The limit is none.
    """
    if dimension not in model.catalog.askable_dimensions:
        raise unknown_dimension(dimension, model.catalog)
    if not 1 <= limit <= MAX_LIMIT:
        raise QueryError(f"limit is {limit}.", f"Choose from 1 to {MAX_LIMIT}.")
    if search and not is_text(search):
        raise QueryError(f"search is {quote_input(search)}, which is no text.", "Write words to look for.")
    found = "\nWHERE CONTAINS(LOWER(CAST(value AS VARCHAR)), LOWER($search))" if search else ""
    sql = (
        f"SELECT value, CAST(SUM(n) AS BIGINT) AS n\nFROM (\n  {_counted(model.homes[dimension])}\n){found}\n"
        "GROUP BY value\nORDER BY n DESC, value\nLIMIT $limit"
    )
    bound = {"limit": limit + 1, **({"search": search} if search else {})}
    with with_deadline(cursor, timeout_seconds):
        rows = execute(cursor, sql, bound)
    is_date = model.catalog.dimensions[dimension].type == "date"
    listed = [{"value": value.isoformat() if is_date else value, "count": count} for value, count in rows[:limit]]
    return {"dimension": dimension, "values": listed, "truncated": len(rows) > limit}


def check_values(
    conditions: Iterable[tuple[Condition, Sequence[Value]]],
    model: SemanticModel,
    cursor: duckdb.DuckDBPyConnection,
) -> list[str]:
    """See that text values that filters name exist, and say where one matches nothing.

    A misspelt value would give an empty answer that looks like a true one; behind != it would leave nothing out.

    Raises:
        UnknownName: One does not exist; carries the nearest real ones.
    """
    told = []
    for condition, given in conditions:
        wanted = [value for value in given if isinstance(value, str)]
        if condition.type != "text" or not wanted or condition.op not in _LOOKED_UP:
            continue
        members = _Members(condition.name, model, cursor)
        if condition.op in _SEARCHES:
            if not members.match(_SEARCHES[condition.op], wanted[0]):
                told.append(f"Nothing matches the filter on {condition.name}: look at its values.")
            continue
        for value in members.missing(wanted):
            if (unknown := members.unknown(value)).near or condition.op in ("=", "in"):
                raise unknown
            told.append(
                f"{condition.name} has no value {shorten(value, 80)!r}: {condition.op} leaves nothing out by it."
            )
    return told


_SEARCHES = {"contains": "CONTAINS", "starts_with": "STARTS_WITH"}
_LOOKED_UP = ("=", "in", "!=", "not_in", *_SEARCHES)


class _Members:
    """The values of one dimension: read whole once where they are not too many, else asked for one by one."""

    def __init__(self, name: str, model: SemanticModel, cursor: duckdb.DuckDBPyConnection) -> None:
        self._name, self._cursor = name, cursor
        self._all = _all(model.homes[name])
        known = model.catalog.dimensions[name].values
        if known is None:
            known = model.known_values.get(name)
        if known is None:
            known = frozenset(row[0] for row in execute(cursor, f"{self._all}\nLIMIT {MANY + 1}", {}))
            model.known_values[name] = known
        self._known = known
        self._is_whole = len(known) <= MANY

    def missing(self, wanted: Sequence[str]) -> list[str]:
        """Those that there are not."""
        missing = [value for value in wanted if value not in self._known]
        if not missing or self._is_whole:
            return missing
        sql = f"SELECT value FROM (\n  {self._all}\n)\nWHERE value IN (SELECT UNNEST($wanted))"
        found = {row[0] for row in execute(self._cursor, sql, {"wanted": missing})}
        return [value for value in missing if value not in found]

    def match(self, function: str, text: str) -> bool:
        """Whether `function`, such as CONTAINS, holds for any value, upper or lower case."""
        sql = f"SELECT 1 FROM (\n  {self._all}\n)\nWHERE {function}(LOWER(value), LOWER($text))\nLIMIT 1"
        return bool(execute(self._cursor, sql, {"text": text}))

    def unknown(self, value: str) -> UnknownName:
        """The error for a value that there is not, with the nearest ones."""
        known = self._known
        if not self._is_whole:
            sql = (
                f"SELECT value FROM (\n  {self._all}\n)\nORDER BY CONTAINS(LOWER(value), LOWER($wanted)) DESC, "
                f"JARO_WINKLER_SIMILARITY(LOWER(value), LOWER($wanted)) DESC, value\nLIMIT {_LOOKED_AT}"
            )
            known = frozenset(row[0] for row in execute(self._cursor, sql, {"wanted": value}))
        return UnknownName(f"value of {self._name}", value, known, near=nearest_values(value, known))


def _all(homes: Iterable[DimensionColumn]) -> str:
    return "\nUNION\n".join(
        f"SELECT {quote(h.column)} AS value FROM {quote(h.table)} WHERE {quote(h.column)} IS NOT NULL" for h in homes
    )


def _counted(homes: Iterable[DimensionColumn]) -> str:
    return "\n  UNION ALL\n  ".join(
        f"SELECT {quote(h.column)} AS value, COUNT(*) AS n FROM {quote(h.table)}"
        f" WHERE {quote(h.column)} IS NOT NULL GROUP BY ALL"
        for h in homes
    )
