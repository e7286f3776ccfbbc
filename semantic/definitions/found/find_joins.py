"""Finds the joins of tables that nobody declared, and proves them on the rows.

One side is the key of its table: not empty, not repeated. What a `relationships` test says is joined where that holds;
a shared name also needs the keys of the other side to be found there. Nothing joins in a circle.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import duckdb

from pipeline.config.slug import Slug
from pipeline.contracts.sql import quote
from semantic.catalog.run_definitions import JoinCandidate
from semantic.definitions.found.join_keys import are_all_different, count_unknown_keys
from warehouse.star_schema import Reference, Table
from warehouse.table_descriptions import TableDescription, TableDescriptions

LEAST_MATCHED = 0.9
"""The share of the keys of a column that the other table must have, where nothing but the name says that they join."""
_KEY = re.compile(r"\w+_(key|id)")


def find_joins(
    connection: duckdb.DuckDBPyConnection,
    slug: Slug,
    declared: Sequence[Table],
    found: Sequence[Table],
    descriptions: TableDescriptions,
) -> tuple[tuple[Table, ...], tuple[JoinCandidate, ...]]:
    """Add to tables the references that the rows prove; those between declared tables are declared.

    Returns:
        All tables, and the joins that were not proven.
    """
    tables = {table.name: table for table in (*declared, *found)}
    candidates = []
    for name, reference, is_tested in _possible(slug, declared, found, descriptions):
        table, to = tables[name], tables[reference.to]
        if any(each.column == reference.column for each in table.references):
            continue
        reason = _reason_against(connection, slug, table, to, reference, is_tested=is_tested)
        if _reaches(tables, reference.to, name):
            reason = "they would join in a circle"
        if reason:
            candidates.append(
                JoinCandidate(
                    from_model=name,
                    column=reference.column,
                    to=reference.to,
                    to_column=reference.to_column,
                    reason=reason,
                )
            )
        else:
            tables[name] = replace(table, references=(*table.references, reference))
    return tuple(tables.values()), tuple(candidates)


def is_key(column: str) -> bool:
    """Whether a column is called like a key."""
    return _KEY.fullmatch(column) is not None


def is_unique(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> bool:
    """Whether no value of a column is empty or repeated."""
    rows = int(connection.execute(f"SELECT count(*) FROM {quote(table)}").fetchall()[0][0])
    return are_all_different(connection, table, column, rows)


def _possible(
    slug: Slug, declared: Sequence[Table], found: Sequence[Table], descriptions: TableDescriptions
) -> Iterator[tuple[str, Reference, bool]]:
    """Yield a table, a reference that it may have, and whether a test says so; the tested ones come first."""
    tables = (*declared, *found)
    by_full_name = {table.table_name(slug): table for table in tables}
    for table in found:
        for tested in descriptions.get(table.table_name(slug), TableDescription()).references:
            if tested.to in by_full_name:
                yield table.name, replace(tested, to=by_full_name[tested.to].name), True
    new = {table.name for table in found}
    holders: Mapping[str, list[Table]] = _by_key(tables)
    for table in tables:
        for column in table.columns:
            for to in holders.get(column.name, ()) if is_key(column.name) else ():
                is_own_key = table.grain == (column.name,) and not (to.is_dimension and not table.is_dimension)
                if to is not table and not is_own_key and new & {table.name, to.name}:
                    yield table.name, Reference(column.name, to.name, column.name), False


def _by_key(tables: Sequence[Table]) -> dict[str, list[Table]]:
    """The tables whose key a column is: dimensions before facts."""
    holders: dict[str, list[Table]] = {}
    for table in sorted(tables, key=lambda table: (not table.is_dimension, table.name)):
        if len(table.grain) == 1:
            holders.setdefault(table.grain[0], []).append(table)
    return holders


def _reaches(tables: Mapping[str, Table], start: str, goal: str) -> bool:
    """Whether references lead from one table to another."""
    seen, waiting = {start}, [start]
    while waiting:
        at = waiting.pop()
        if at == goal:
            return True
        new = {reference.to for reference in tables[at].references if reference.to in tables} - seen
        seen |= new
        waiting += sorted(new)
    return False


def _reason_against(
    connection: duckdb.DuckDBPyConnection, slug: Slug, table: Table, to: Table, reference: Reference, *, is_tested: bool
) -> str | None:
    """Why the rows do not prove a reference; None where they do."""
    column = next((each for each in table.columns if each.name == reference.column), None)
    key = next((each for each in to.columns if each.name == reference.to_column), None)
    if column is None or key is None:
        return "one of the columns is not there"
    if column.type != key.type:
        return f"{column.name} is {column.type}, and {key.name} of {to.name} is {key.type}"
    full_name, to_name = table.table_name(slug), to.table_name(slug)
    if not is_unique(connection, to_name, key.name):
        return f"{key.name} of {to.name} is empty or repeated in some rows"
    keys = int(connection.execute(f"SELECT count({quote(column.name)}) FROM {quote(full_name)}").fetchall()[0][0])
    matched = keys - count_unknown_keys(connection, full_name, column.name, to_name, key.name)
    if keys and (not matched or (not is_tested and matched < LEAST_MATCHED * keys)):
        return f"{matched:,} of the {keys:,} rows with a {column.name} find theirs in {to.name}"
    return None
