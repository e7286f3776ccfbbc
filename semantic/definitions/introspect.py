"""What a built star holds: columns, rows, days, currencies, few-valued columns. Read at build, never per query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import duckdb

from pipeline.config.slug import Slug
from pipeline.errors import BuildError
from warehouse.star_schema import Table

FEW = 24
"""A text column with at most so many different values is few-valued: the catalog lists them all."""


@dataclass(frozen=True, kw_only=True)
class BuiltTable:
    """One table of a star as it was built."""

    columns: Mapping[str, str]
    """Name to DuckDB type."""
    rows: int
    nulls: Mapping[str, int]
    """Rows without a value, for columns that have such rows."""
    first_date: date | None
    last_date: date | None
    currencies: tuple[str, ...]
    rows_without_currency: int
    """Rows that hold money and do not say of which currency."""
    rows_without_money: int
    """Rows that hold no money, and say no currency."""
    unconverted: Mapping[str, int]
    """By currency, the rows with money of which nobody knows what it is worth in the reporting currency."""
    accounts: tuple[tuple[str, str], ...]
    """Platform and account of its rows."""
    values: Mapping[str, tuple[str, ...]]
    """All values of the few-valued text columns that are not personal."""
    repeated: Mapping[str, int]
    """Rows of a dimension table that share an id or a name with another row, by column."""
    unknown_keys: Mapping[str, int] = field(default_factory=dict)
    """Rows whose key the table it refers to does not have, by column; only columns that have such rows."""

    @classmethod
    def promised(cls, table: Table) -> BuiltTable:
        """A table as it is promised: all its columns and no rows."""
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


def introspect(stars_file: Path, tables: Sequence[Table], slug: Slug) -> BuiltTables:
    """What the star file of a tenant holds.

    Raises:
        BuildError: The file cannot be read, or a table is missing.
    """
    try:
        with duckdb.connect(stars_file, read_only=True) as connection:
            observed = {table.name: _observe(connection, table, slug) for table in tables}
            names = {table.name: table.table_name(slug) for table in tables}
            for table in tables:
                unknown = _unknown_keys(connection, table, observed, names)
                observed[table.name] = replace(observed[table.name], unknown_keys=unknown)
    except duckdb.Error as error:
        raise BuildError(
            f"The star of {slug} cannot be read: {error}.", f"Run `gata build --tenant {slug} --full`."
        ) from error
    return observed


def _observe(connection: duckdb.DuckDBPyConnection, table: Table, slug: Slug) -> BuiltTable:
    name = f'"{table.table_name(slug)}"'
    columns = {row[0]: row[1] for row in connection.execute(f"DESCRIBE {name}").fetchall()}
    days = f'min("{table.date}"), max("{table.date}")' if table.date in columns else "NULL, NULL"
    nulls = ", ".join(f'count(*) - count("{column}")' for column in columns)
    rows, first, last, *missing = connection.execute(f"SELECT count(*), {days}, {nulls} FROM {name}").fetchall()[0]
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
    )


def _distinct(connection: duckdb.DuckDBPyConnection, name: str, column: str, limit: int = 1000) -> tuple[str, ...]:
    sql = f'SELECT DISTINCT "{column}" FROM {name} WHERE "{column}" IS NOT NULL LIMIT {limit}'
    return tuple(sorted(row[0] for row in connection.execute(sql).fetchall()))


def _unpriced(connection: duckdb.DuckDBPyConnection, name: str, table: Table) -> int:
    money = " OR ".join(f'"{column.name}" <> 0' for column in table.money)
    sql = f"SELECT count(*) FROM {name} WHERE currency IS NULL AND ({money or 'false'})"
    return int(connection.execute(sql).fetchall()[0][0])


def _unconverted(connection: duckdb.DuckDBPyConnection, name: str, table: Table) -> dict[str, int]:
    lost = " OR ".join(f'("{amount}" <> 0 AND "{column}" IS NULL)' for amount, column in table.converted.items())
    sql = f"SELECT currency, count(*) FROM {name} WHERE currency IS NOT NULL AND ({lost}) GROUP BY ALL ORDER BY ALL"
    return dict(connection.execute(sql).fetchall())


def _accounts(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[tuple[str, str], ...]:
    sql = f"SELECT DISTINCT source_platform, source_account FROM {name} ORDER BY ALL"
    return tuple((platform, account) for platform, account in connection.execute(sql).fetchall())


def _few_values(
    connection: duckdb.DuckDBPyConnection, name: str, table: Table, columns: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """The values of text columns that say something and repeat: no keys, nothing personal."""
    told = [c.name for c in table.columns if c.type == "VARCHAR" and not c.personal and not c.name.endswith("_key")]
    found = {column: _distinct(connection, name, column, FEW + 1) for column in told if column in columns}
    return {column: values for column, values in found.items() if len(values) <= FEW}


def _repeated(
    connection: duckdb.DuckDBPyConnection, name: str, table: Table, columns: Mapping[str, str]
) -> dict[str, int]:
    """How many rows of a dimension table are not told apart by each id and name."""
    told = [c.name for c in table.columns if c.name.endswith(("_id", "_name")) and c.name in columns and not c.personal]
    if not table.is_dimension or not told:
        return {}
    counts = ", ".join(f'count("{column}") - count(DISTINCT "{column}")' for column in told)
    found = connection.execute(f"SELECT {counts} FROM {name}").fetchall()[0]
    return {column: count for column, count in zip(told, found, strict=True) if count}


def _unknown_keys(
    connection: duckdb.DuckDBPyConnection, table: Table, observed: Mapping[str, BuiltTable], names: Mapping[str, str]
) -> dict[str, int]:
    """How many rows have a key that the table it refers to lacks."""
    found = {}
    for ref in table.references:
        there = observed[ref.to].columns if ref.to in observed else {}
        if ref.column in observed[table.name].columns and ref.to_column in there:
            sql = (
                f'SELECT count(*) FROM "{names[table.name]}" AS f WHERE f."{ref.column}" IS NOT NULL AND NOT EXISTS '
                f'(SELECT 1 FROM "{names[ref.to]}" AS d WHERE d."{ref.to_column}" = f."{ref.column}")'
            )
            if count := int(connection.execute(sql).fetchall()[0][0]):
                found[ref.column] = count
    return found
