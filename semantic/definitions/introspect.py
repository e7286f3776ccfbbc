"""Reads the content of a built star: columns, rows, days, currencies, few-valued columns. At build, never per query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import duckdb

from pipeline.config.slug import Slug
from pipeline.contracts.sql import quote
from pipeline.errors import BuildError
from semantic.catalog.catalog import AMBIGUOUS
from semantic.catalog.run_definitions import ROWS_OF_A_GROUP
from semantic.definitions.found.join_keys import (
    are_all_different,
    count_groups,
    count_unknown_keys,
    estimate_keys,
)
from warehouse.star_schema import AMOUNTS, Table

MAX_FEW_VALUES = 24
"""A text column with at most this many distinct values is few-valued: the catalog lists all of them."""


@dataclass(frozen=True, kw_only=True)
class BuiltTable:
    """The measured content of one built table of a star."""

    columns: Mapping[str, str]
    """Name to DuckDB type."""
    rows: int
    nulls: Mapping[str, int]
    """Rows without a value, for columns that have such rows."""
    first_date: date | None
    last_date: date | None
    currencies: tuple[str, ...]
    rows_without_currency: int
    """Rows with money but no currency."""
    rows_without_money: int
    """Rows without money and without a currency."""
    unconverted: Mapping[str, int]
    """By currency, the rows with money but an unknown value in the reporting currency."""
    accounts: tuple[tuple[str, str], ...]
    """Platforms and accounts of its rows."""
    values: Mapping[str, tuple[str, ...]]
    """All values of few-valued text columns that are not personal."""
    repeated: Mapping[str, int]
    """Rows of a dimension table that share an id or a name with another row, by column."""
    left_out_currencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By column of amounts in several currencies: those currencies."""
    unplaced: Mapping[str, int] = field(default_factory=dict)
    """By column that another places: the rows of which several values fit and none is known."""
    unknown_keys: Mapping[str, int] = field(default_factory=dict)
    """Rows with a key that the referenced table lacks, by column; only columns with such rows."""
    unrepeated_keys: frozenset[str] = frozenset()
    """The columns of references of which no two rows have the same value."""
    keys: Mapping[str, int] = field(default_factory=dict)
    """By column of a reference: about how many different keys there are."""
    determined: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By column of a reference whose keys repeat often: columns with one value for each key, of those that both tables
    have."""
    groups: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Likewise: the others of these columns, with their different pairs of key and value."""

    @classmethod
    def from_specification(cls, table: Table) -> BuiltTable:
        """A table by its specification: all columns, no rows."""
        columns = {column.name: column.type for column in table.columns}
        return cls(
            columns=columns,
            rows=0,
            nulls={},
            first_date=None,
            last_date=None,
            currencies=(),
            rows_without_currency=0,
            rows_without_money=0,
            unconverted={},
            accounts=(),
            values={},
            repeated={},
        )


BuiltTables = Mapping[str, BuiltTable]
"""By the table's name in the star, such as orders."""


@contextmanager
def open_star(stars_file: Path, slug: Slug) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a tenant's star file to read it.

    Raises:
        BuildError: It cannot be read.
    """
    try:
        with duckdb.connect(stars_file, read_only=True) as connection:
            yield connection
    except duckdb.Error as error:
        raise BuildError(
            f"The star of {slug} cannot be read: {error}.", f"Run `gata build --tenant {slug} --full`."
        ) from error


def introspect(stars_file: Path, tables: Sequence[Table], slug: Slug) -> BuiltTables:
    """Measure the tables of a tenant's star file.

    Raises:
        BuildError: The file cannot be read, or a table is missing.
    """
    with open_star(stars_file, slug) as connection:
        observed = {table.name: _measure(connection, table, slug) for table in tables}
        names = {table.name: table.table_name(slug) for table in tables}
        for table in tables:
            keys = _keys(connection, table, observed[table.name], names[table.name])
            groups = _groups(connection, table, observed, names[table.name], keys)
            observed[table.name] = replace(
                observed[table.name],
                unknown_keys=_unknown_keys(connection, table, observed, names),
                unrepeated_keys=_unrepeated_keys(connection, observed[table.name], names[table.name], keys),
                keys=keys,
                determined={
                    ref: tuple(c for c in pairs if pairs[c] == values) for ref, (values, pairs) in groups.items()
                },
                groups={
                    ref: {c: count for c, count in pairs.items() if count > values}
                    for ref, (values, pairs) in groups.items()
                },
            )
    return observed


def _measure(connection: duckdb.DuckDBPyConnection, table: Table, slug: Slug) -> BuiltTable:
    name = quote(table.table_name(slug))
    columns = {row[0]: row[1] for row in connection.execute(f"DESCRIBE {name}").fetchall()}
    day = quote(table.date) if table.date and table.date in columns else "NULL"
    nulls = ", ".join(f"count(*) - count({quote(column)})" for column in columns)
    rows, first, last, *missing = connection.execute(
        f"SELECT count(*), min({day}), max({day}), {nulls} FROM {name}"
    ).fetchall()[0]
    has_money = not table.is_dimension and "currency" in columns
    unpriced = _unpriced(connection, name, table) if has_money else 0
    empty = {column: count for column, count in zip(columns, missing, strict=True) if count}
    return BuiltTable(
        columns=columns,
        rows=rows,
        nulls=empty,
        first_date=first,
        last_date=last,
        currencies=_distinct(connection, name, "currency") if has_money else (),
        rows_without_currency=unpriced,
        rows_without_money=empty.get("currency", 0) - unpriced if has_money else 0,
        unconverted=_unconverted(connection, name, table) if has_money and table.converted else {},
        accounts=_accounts(connection, name) if {"source_platform", "source_account"} <= columns.keys() else (),
        values=_few_values(connection, name, table, columns),
        repeated=_repeated(connection, name, table, columns),
        unplaced=_unplaced(connection, name, table, columns),
        left_out_currencies={
            column: _distinct_keys(connection, name, column) for column, type_ in columns.items() if type_ == AMOUNTS
        },
    )


def _distinct(connection: duckdb.DuckDBPyConnection, name: str, column: str, limit: int = 1000) -> tuple[str, ...]:
    sql = f"SELECT DISTINCT {quote(column)} FROM {name} WHERE {quote(column)} IS NOT NULL LIMIT {limit}"
    return tuple(sorted(row[0] for row in connection.execute(sql).fetchall()))


def _unplaced(
    connection: duckdb.DuckDBPyConnection, name: str, table: Table, columns: Mapping[str, str]
) -> dict[str, int]:
    found = {}
    for column in table.columns:
        if column.placed_by and column.placed_by in columns and column.name in columns:
            where = f"{quote(column.placed_by)} = $mark AND {quote(column.name)} IS NULL"
            sql = f"SELECT count(*) FROM {name} WHERE {where}"
            found[column.name] = int(connection.execute(sql, {"mark": AMBIGUOUS}).fetchall()[0][0])
    return found


def _distinct_keys(connection: duckdb.DuckDBPyConnection, name: str, column: str) -> tuple[str, ...]:
    keys = connection.execute(
        f"SELECT DISTINCT unnest(map_keys({quote(column)})) FROM {name} WHERE {quote(column)} IS NOT NULL"
    )
    return tuple(sorted(row[0] for row in keys.fetchall()))


def _unpriced(connection: duckdb.DuckDBPyConnection, name: str, table: Table) -> int:
    money = " OR ".join(f"{quote(column.name)} <> 0" for column in table.money)
    sql = f"SELECT count(*) FROM {name} WHERE currency IS NULL AND ({money or 'false'})"
    return int(connection.execute(sql).fetchall()[0][0])


def _unconverted(connection: duckdb.DuckDBPyConnection, name: str, table: Table) -> dict[str, int]:
    unrated = " OR ".join(
        f"({quote(amount)} <> 0 AND {quote(column)} IS NULL)" for amount, column in table.converted.items()
    )
    sql = f"SELECT currency, count(*) FROM {name} WHERE currency IS NOT NULL AND ({unrated}) GROUP BY ALL ORDER BY ALL"
    return dict(connection.execute(sql).fetchall())


def _accounts(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[tuple[str, str], ...]:
    sql = f"SELECT DISTINCT source_platform, source_account FROM {name} ORDER BY ALL"
    return tuple((platform, account) for platform, account in connection.execute(sql).fetchall())


def _few_values(
    connection: duckdb.DuckDBPyConnection, name: str, table: Table, columns: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """Read the values of few-valued text columns that are neither keys nor personal."""
    names = [c.name for c in table.columns if c.type == "VARCHAR" and not c.personal and not c.name.endswith("_key")]
    distinct = {
        column: _distinct(connection, name, column, MAX_FEW_VALUES + 1) for column in names if column in columns
    }
    return {column: values for column, values in distinct.items() if len(values) <= MAX_FEW_VALUES}


def _repeated(
    connection: duckdb.DuckDBPyConnection, name: str, table: Table, columns: Mapping[str, str]
) -> dict[str, int]:
    """Count the rows of a dimension table that share each id or name with another row."""
    names = [
        c.name for c in table.columns if c.name.endswith(("_id", "_name")) and c.name in columns and not c.personal
    ]
    if not table.is_dimension or not names:
        return {}
    counts = ", ".join(f"count({quote(column)}) - count(DISTINCT {quote(column)})" for column in names)
    repeats = connection.execute(f"SELECT {counts} FROM {name}").fetchall()[0]
    return {column: count for column, count in zip(names, repeats, strict=True) if count}


def _unknown_keys(
    connection: duckdb.DuckDBPyConnection, table: Table, observed: Mapping[str, BuiltTable], names: Mapping[str, str]
) -> dict[str, int]:
    """Count the rows with a key that the referenced table lacks, by column."""
    unknown = {}
    for ref in table.references:
        columns = observed[ref.to].columns if ref.to in observed else {}
        if ref.column in observed[table.name].columns and ref.to_column in columns:
            count = count_unknown_keys(connection, names[table.name], ref.column, names[ref.to], ref.to_column)
            if count:
                unknown[ref.column] = count
    return unknown


def _keys(connection: duckdb.DuckDBPyConnection, table: Table, built: BuiltTable, name: str) -> dict[str, int]:
    """About how many different keys each column of a reference has."""
    columns = {ref.column for ref in table.references if ref.column in built.columns}
    return {column: estimate_keys(connection, name, column) for column in sorted(columns)}


def _unrepeated_keys(
    connection: duckdb.DuckDBPyConnection, built: BuiltTable, name: str, keys: Mapping[str, int]
) -> frozenset[str]:
    """The columns of references without a repeated value, in a table with rows."""
    values = {column: built.rows - built.nulls.get(column, 0) for column in keys}
    return frozenset(
        column
        for column, estimated in keys.items()
        if values[column] and are_all_different(connection, name, column, values[column], estimated=estimated)
    )


def _groups(
    connection: duckdb.DuckDBPyConnection, table: Table, observed: BuiltTables, name: str, keys: Mapping[str, int]
) -> dict[str, tuple[int, dict[str, int]]]:
    """By reference: its keys, and their pairs with the columns that the other table has under the same name."""
    found = {}
    for ref in table.references:
        if ref.to in observed and 0 < keys.get(ref.column, 0) * ROWS_OF_A_GROUP <= observed[table.name].rows:
            other = observed[ref.to].columns
            shared = [each for each in observed[table.name].columns if each in other and each != ref.column]
            columns = [each for each in shared if each != "tenant_slug"]
            found[ref.column] = count_groups(connection, quote(name), ref.column, columns)
    return found
