"""Values of dimensions: lists them for callers, and checks filters, so that a misspelt value is an error or a note."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import duckdb

from pipeline.contracts.sql import quote
from pipeline.errors import NAMES_SHOWN, QueryError, UnknownName, shorten
from semantic.answering.execute import execute, with_deadline
from semantic.answering.semantic_model import DimensionColumn, SemanticModel
from semantic.catalog.catalog import Catalog, Dimension
from semantic.catalog.conditions import Condition, Value
from semantic.catalog.error_collector import ErrorCollector
from semantic.catalog.input_text import is_text, quote_input
from semantic.catalog.sent_values import unpacked
from semantic.catalog.suggestions import nearest_values, unknown_dimension
from semantic.catalog.vocabularies import conform
from semantic.planning.query import MAX_LIMIT, Query
from semantic.planning.query_shape import Key, Scan, row_count_column
from semantic.planning.touching_findings import sources_named

MAX_CACHED_VALUES = 5000
"""A dimension with more values than this is queried per value, instead of being read in full once."""
_CANDIDATES = 50
_CODE = 2
"""Letters of a country's code."""


def dimension_values(
    dimension: str,
    model: SemanticModel,
    cursor: duckdb.DuckDBPyConnection,
    *,
    search: str | None = None,
    limit: int = 100,
    timeout_seconds: float = 30,
) -> dict[str, Any]:  # Any: the shape of `gata values --json`
    """List the values of a dimension, the most frequent first; `search` is text that they contain, in any case.

    The count of a value is that of the rows of one fact, `rows_of`: 0 where only other facts or nothing have it.

    Raises:
        UnknownName: There is no such dimension; carries the nearest.
        TooMuch: It took longer than `timeout_seconds`.
        QueryError: The limit is out of range, or `search` is no text.
    """
    if dimension not in model.catalog.askable_dimensions:
        raise unknown_dimension(dimension, model.catalog)
    if not 1 <= limit <= MAX_LIMIT:
        raise QueryError(f"limit is {limit}.", f"Choose from 1 to {MAX_LIMIT}.")
    if search and not is_text(search):
        raise QueryError(f"search is {quote_input(search)}, which is no text.", "Write words to look for.")
    where, first, searched = _search(search, model.catalog.dimensions[dimension]) if search else ("", "", {})
    fact = _counted_fact(dimension, model.catalog)
    sql = (
        "SELECT value, COALESCE(n, 0) AS n\n"
        f"FROM (\n  {_distinct_values(dimension, model)}\n)\n"
        f"LEFT JOIN (\n  {_row_counts(dimension, fact, model)}\n) USING (value){where}\n"
        f"ORDER BY {first}n DESC, value\nLIMIT $limit"
    )
    bound = {"limit": limit + 1, **searched}
    with with_deadline(cursor, timeout_seconds):
        rows = execute(cursor, sql, bound)
    is_date = model.catalog.dimensions[dimension].type == "date"
    listed = [{"value": value.isoformat() if is_date else value, "count": count} for value, count in rows[:limit]]
    return {"dimension": dimension, "values": listed, "truncated": len(rows) > limit, "rows_of": fact}


def _search(search: str, dimension: Dimension) -> tuple[str, str, dict[str, str]]:
    """The condition of a search, the order that puts what it names first, and their values.

    A text that names a value by another spelling finds that value; a code of two letters nothing else.
    """
    contains, named = (
        "CONTAINS(LOWER(CAST(value AS VARCHAR)), LOWER($search))",
        conform(search, dimension.vocabulary, dimension.values),
    )
    if named == search:
        return f"\nWHERE {contains}", "", {"search": search}
    if len(search.strip()) <= _CODE:
        return "\nWHERE value = $named", "", {"named": named}
    return f"\nWHERE value = $named OR {contains}", "value = $named DESC, ", {"search": search, "named": named}


def check_values(
    conditions: Iterable[tuple[Condition, Sequence[Value]]],
    model: SemanticModel,
    cursor: duckdb.DuckDBPyConnection,
) -> list[str]:
    """Check that text values of filters exist; returns notes on those that match nothing.

    A misspelt value would give an empty answer that looks like a true one; with != it would exclude nothing.

    Raises:
        UnknownName: One does not exist; carries the nearest real ones.
    """
    notes = []
    errors = ErrorCollector()
    for condition, values in conditions:
        texts = [value for value in values if isinstance(value, str)]
        if condition.type != "text" or not texts or condition.op not in _CHECKED_OPERATORS:
            continue
        members = _Members(condition.name, model, cursor)
        if condition.op in _SEARCH_FUNCTIONS:
            if not members.match(_SEARCH_FUNCTIONS[condition.op], texts[0]):
                notes.append(f"Nothing matches the filter on {condition.name}: look at its values.")
            continue
        known_sources = sources_named(condition.name, model.catalog)
        for value in members.missing([text for text in texts if text not in known_sources]):
            with errors:
                if isinstance(unpacked(value), list) and condition.op in _SCALAR_OPERATORS:
                    fix = "Use in for a list, or give one value."
                    raise QueryError(f"{condition.op} on {condition.name} has a list of values.", fix)
                if (unknown := members.unknown(value)).near or condition.op in ("=", "in"):
                    raise unknown
                notes.append(
                    f"{condition.name} has no value {shorten(value, 80)!r}: {condition.op} leaves nothing out by it."
                )
    errors.check()
    return notes


def as_written(query: Query, model: SemanticModel, cursor: duckdb.DuckDBPyConnection) -> Query:
    """The query with each text that its filters were read from as a list, where that text is itself a value.

    A campaign may be named `[2026]`.
    """
    filters = list(query.filters)
    for n, filter_ in enumerate(filters):
        dimension = model.catalog.dimensions.get(filter_.name)
        if filter_.text is None or dimension is None or dimension.hidden or dimension.type != "text":
            continue
        if not _Members(filter_.name, model, cursor).missing([filter_.text]):
            filters[n] = filter_.model_copy(update={"value": (filter_.text,)})
    return query if filters == list(query.filters) else query.model_copy(update={"filters": tuple(filters)})


_SEARCH_FUNCTIONS = {"contains": "CONTAINS", "starts_with": "STARTS_WITH"}
_SCALAR_OPERATORS = ("=", "!=")
_CHECKED_OPERATORS = ("=", "in", "!=", "not_in", *_SEARCH_FUNCTIONS)


class _Members:
    """The values of one dimension: read in full once where they are not too many, else queried one by one."""

    def __init__(self, name: str, model: SemanticModel, cursor: duckdb.DuckDBPyConnection) -> None:
        self._name, self._cursor = name, cursor
        self._all_sql = _distinct_values(name, model)
        known = model.catalog.dimensions[name].values
        if known is None:
            known = model.known_values.get(name)
        if known is None:
            known = frozenset(row[0] for row in execute(cursor, f"{self._all_sql}\nLIMIT {MAX_CACHED_VALUES + 1}", {}))
            model.known_values[name] = known
        self._known = known
        self._is_complete = len(known) <= MAX_CACHED_VALUES

    def missing(self, texts: Sequence[str]) -> list[str]:
        """Return the values that do not exist."""
        missing = [value for value in texts if value not in self._known]
        if not missing or self._is_complete:
            return missing
        sql = f"SELECT value FROM (\n  {self._all_sql}\n)\nWHERE value IN (SELECT UNNEST($wanted))"
        existing = {row[0] for row in execute(self._cursor, sql, {"wanted": missing})}
        return [value for value in missing if value not in existing]

    def match(self, function: str, text: str) -> bool:
        """Whether `function`, such as CONTAINS, holds for any value, upper or lower case."""
        sql = f"SELECT 1 FROM (\n  {self._all_sql}\n)\nWHERE {function}(LOWER(value), LOWER($text))\nLIMIT 1"
        return bool(execute(self._cursor, sql, {"text": text}))

    def unknown(self, value: str) -> UnknownName:
        """Create the error for a value that does not exist, with the nearest ones."""
        known = self._known
        if not self._is_complete:
            sql = (
                f"SELECT value FROM (\n  {self._all_sql}\n)\nORDER BY CONTAINS(LOWER(value), LOWER($wanted)) DESC, "
                f"JARO_WINKLER_SIMILARITY(LOWER(value), LOWER($wanted)) DESC, value\nLIMIT {_CANDIDATES}"
            )
            known = frozenset(row[0] for row in execute(self._cursor, sql, {"wanted": value}))
        error = UnknownName(f"value of {self._name}", value, known, near=nearest_values(value, known))
        if not error.near and len(known) > NAMES_SHOWN:
            error.fix = f"Look for it among the values of {self._name}: get_dimension_values lists them."
        return error


def _distinct_values(dimension: str, model: SemanticModel) -> str:
    return f"SELECT DISTINCT value FROM (\n  {_listed_values(dimension, model)}\n)"


def _listed_values(dimension: str, model: SemanticModel) -> str:
    holders = model.dimension_columns[dimension]
    return "\n  UNION ALL\n  ".join(_values_in(dimension, holder, model) for holder in holders)


def _values_in(dimension: str, holder: DimensionColumn, model: SemanticModel) -> str:
    """The values in one table; computed ones from a scan of the fact."""
    if holder.fact is None:
        value = quote(holder.column)
        return f"SELECT {value} AS value FROM {quote(holder.table)} WHERE {value} IS NOT NULL"
    key = Key(dimension, model.catalog.dimensions[dimension].type)
    scan = model.scan(Scan(fact=holder.fact, keys=((key, dimension),)))
    return f"SELECT {quote(dimension)} AS value FROM ({scan}) WHERE {quote(dimension)} IS NOT NULL"


def _counted_fact(dimension: str, catalog: Catalog) -> str:
    """The fact whose rows are counted: the nearest to the dimension, no parts of another fact, the one of most rows."""
    paths = catalog.dimensions[dimension].paths
    linked = [each.paths for each in catalog.dimensions.values()]

    sibling = catalog.dimensions.get(f"{dimension.removesuffix('_name')}_id")

    def distance(fact: str) -> tuple[bool, bool, int, bool, int]:
        is_part = any(fact in each and each[fact].split(".")[0] in catalog.facts for each in linked)
        is_source = catalog.source_dimensions.get(fact, {}).get(dimension) == "source_platform"
        has_id = sibling is not None and "." not in sibling.paths.get(fact, ".")
        return not is_source, not has_id, paths[fact].count("."), is_part, -catalog.facts[fact].rows

    return min(paths, key=distance)


def _row_counts(dimension: str, fact: str, model: SemanticModel) -> str:
    entry = model.catalog.dimensions[dimension]
    key = Key(dimension, entry.type, "day" if entry.type == "date" else None)
    counted = model.scan(Scan(fact=fact, keys=((key, entry.paths[fact]),)))
    return f"SELECT {quote(dimension)} AS value, {quote(row_count_column(fact))} AS n FROM (\n{counted}\n)"
