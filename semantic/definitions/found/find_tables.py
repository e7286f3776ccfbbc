"""Finds the tables of a star that nobody declared, and describes them as `Table`s: their keys, day and references.

A key is what the rows prove: no value of it is empty or repeated. A reference is what a `relationships` test says, or a
shared name of a key that the rows prove; what they do not prove is a candidate, and joins nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import duckdb

from pipeline.config.slug import Slug, StarName, star_name
from pipeline.contracts.sql import quote
from pipeline.errors import ConfigError, suggest
from semantic.catalog.run_definitions import JoinCandidate
from semantic.definitions.found.column_meta import ColumnMeta, TableMeta, read_meta
from semantic.definitions.found.find_joins import find_joins, is_key, is_unique
from semantic.definitions.found.proposals import is_number, is_plain, propose, sounds_personal
from semantic.definitions.found.read_artifacts import read_descriptions
from warehouse.star_schema import Column, Table
from warehouse.table_descriptions import ColumnDescription, TableDescription, TableDescriptions


@dataclass(frozen=True)
class StarTables:
    """All tables of a star: those that were declared, and those that were found."""

    tables: tuple[Table, ...]
    candidates: tuple[JoinCandidate, ...] = ()
    descriptions: TableDescriptions = field(default_factory=dict)


def find_tables(
    connection: duckdb.DuckDBPyConnection, slug: Slug, declared: Sequence[Table], descriptions: TableDescriptions
) -> StarTables:
    """Find the facts, dimensions and marts of a star beside the declared ones.

    Args:
        connection: On the star.
        slug: Of the tenant.
        declared: The tables that every tenant has.
        descriptions: What is known of others, beside what dbt wrote into the star.

    Raises:
        ConfigError: The meta of a model or column is of another form, or names a column that is not there.
        duckdb.Error: The star cannot be read.
    """
    names = {table.table_name(slug) for table in declared}
    rows = connection.execute("SELECT table_name FROM duckdb_tables() WHERE NOT internal ORDER BY 1").fetchall()
    found = [each for (name,) in rows if name not in names and (each := star_name(name, slug))]
    if not found:
        return StarTables(tuple(declared), descriptions=descriptions)
    descriptions = {**read_descriptions(connection), **descriptions}
    taken = {table.name for table in declared}
    personal = frozenset(column.name for table in declared for column in table.columns if column.personal)
    tables = []
    for each in found:
        name = each.short if each.short not in taken else f"{each.kind}_{each.short}"
        taken.add(name)
        described = descriptions.get(each.full, TableDescription())
        tables.append(_table(connection, each, name, described, personal))
    joined, candidates = find_joins(connection, slug, declared, tables, descriptions)
    return StarTables(joined, candidates, descriptions)


def _table(
    connection: duckdb.DuckDBPyConnection,
    found: StarName,
    name: str,
    described: TableDescription,
    personal: frozenset[str],
) -> Table:
    full_name, kind = found.full, found.kind
    described_rows = connection.execute(f"DESCRIBE {quote(full_name)}").fetchall()
    columns = tuple(
        _column(row[0], row[1], described.columns.get(row[0], ColumnDescription()), personal) for row in described_rows
    )
    meta = read_meta(described.meta, TableMeta, full_name)
    date = _day(name, columns, meta, full_name)
    grain = _grain(connection, full_name, columns)
    table = Table(
        kind=kind,
        name=name,
        sentence=described.description or f"One row per row of {full_name}.",
        grain=grain,
        columns=columns,
        order_by=(*((date,) if date else ()), *grain),
        date=date if kind != "dim" else None,
        may_be_empty=True,
        found_as=full_name,
    )
    money = {each.column for each in propose(table, _types(columns), described.columns) if each.role == "money"}
    return replace(table, columns=tuple(replace(each, is_money=each.name in money) for each in columns))


def _types(columns: Sequence[Column]) -> dict[str, str]:
    return {column.name: column.type for column in columns}


def _column(name: str, type_: str, described: ColumnDescription, personal: frozenset[str]) -> Column:
    """A column; `personal` are the names of personal columns of declared tables."""
    meta = read_meta(described.meta, ColumnMeta, name)
    withheld = name in personal or sounds_personal(name) if meta.personal is None else meta.personal
    return Column(name, type_, described.description, personal=withheld, unknown=is_number(type_))


def _day(name: str, columns: Sequence[Column], meta: TableMeta, full_name: str) -> str | None:
    """The column of the day of each row: what meta says, else the one called after the table, else the first."""
    dates = [column.name for column in columns if column.type == "DATE" and not column.personal]
    days = [name for name in dates if is_plain(name)]
    if meta.date is not None:
        if meta.date not in days:
            what = f"meta.gata.date of {full_name} is {meta.date!r}, which is no DATE column of it."
            raise ConfigError(what, suggest(meta.date, days))
        return meta.date
    called = [f"{name.removesuffix('s')}_date", f"{name}_date", "date", "day"]
    return next((day for day in called if day in days), days[0] if days else None)


def _grain(connection: duckdb.DuckDBPyConnection, full_name: str, columns: Sequence[Column]) -> tuple[str, ...]:
    """The first key that the rows prove; none where there is none."""
    keys = [column.name for column in columns if is_key(column.name)]
    return next(((key,) for key in keys if is_unique(connection, full_name, key)), ())
