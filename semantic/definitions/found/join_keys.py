"""Measures the keys of a join: how many there are, whether they repeat, which are unknown, and what they determine."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from pipeline.contracts.sql import quote

_SURELY_FEWER = 0.8
"""An estimate of the different values errs by a few per cent: below this share of the rows some are repeated."""


def are_all_different(
    connection: duckdb.DuckDBPyConnection, table: str, column: str, values: int, *, estimated: int | None = None
) -> bool:
    """Whether so many values of a column are all different; an estimate rules most columns out, at a tenth of the cost.

    Args:
        connection: On the star.
        table: The table's full name.
        column: Its column.
        values: The rows that are to have a value; where fewer have one, they are not all different.
        estimated: What `estimate_keys` gave, where it is known.
    """
    if estimated is None:
        estimated = estimate_keys(connection, table, column)
    if estimated < _SURELY_FEWER * values:
        return False
    sql = f"SELECT count(DISTINCT {quote(column)}) FROM {quote(table)}"
    return int(connection.execute(sql).fetchall()[0][0]) >= values


def estimate_keys(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> int:
    """About how many different values a column has: HyperLogLog, the same for the same rows in any order."""
    sql = f"SELECT approx_count_distinct({quote(column)}) FROM {quote(table)}"
    return int(connection.execute(sql).fetchall()[0][0])


def count_groups(
    connection: duckdb.DuckDBPyConnection, table: str, by: str, columns: Sequence[str]
) -> tuple[int, dict[str, int]]:
    """Count the different values of `by`, and for each other column its different pairs with them; NULL is a value.

    As many pairs as values: each value has one of that column.

    Args:
        connection: On the table.
        table: In SQL.
        by: Its column.
        columns: The others.
    """
    counts = ", ".join(
        f"(SELECT count(*) FROM (SELECT DISTINCT {', '.join(map(quote, pair))} FROM {table}))"
        for pair in ((by,), *((by, column) for column in columns))
    )
    values, *pairs = connection.execute(f"SELECT {counts}").fetchall()[0]
    return values, dict(zip(columns, pairs, strict=True))


def count_unknown_keys(connection: duckdb.DuckDBPyConnection, table: str, column: str, to: str, to_column: str) -> int:
    """The rows of a table with a key in `column` that no row of `to` has in `to_column`; tables by their full names."""
    sql = (
        f"SELECT count(*) FROM {quote(table)} AS f WHERE f.{quote(column)} IS NOT NULL "
        f"AND NOT EXISTS (SELECT 1 FROM {quote(to)} AS d WHERE d.{quote(to_column)} = f.{quote(column)})"
    )
    return int(connection.execute(sql).fetchall()[0][0])
