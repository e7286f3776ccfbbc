"""Measures the keys of a join: whether they are all different on the one side, and how many of the other it lacks."""

from __future__ import annotations

import duckdb

from pipeline.contracts.sql import quote

_SURELY_FEWER = 0.8
"""An estimate of the different values errs by a few per cent: below this share of the rows some are repeated."""


def are_all_different(connection: duckdb.DuckDBPyConnection, table: str, column: str, values: int) -> bool:
    """Whether so many values of a column are all different; an estimate rules most columns out, at a tenth of the cost.

    Args:
        connection: On the star.
        table: The table's full name.
        column: Its column.
        values: The rows that are to have a value; where fewer have one, they are not all different.
    """
    for count in ("approx_count_distinct", "count DISTINCT"):
        name, _, distinct = count.partition(" ")
        sql = f"SELECT {name}({distinct} {quote(column)}) FROM {quote(table)}"
        found = int(connection.execute(sql).fetchall()[0][0])
        if found < (values if distinct else _SURELY_FEWER * values):
            return False
    return True


def count_unknown_keys(connection: duckdb.DuckDBPyConnection, table: str, column: str, to: str, to_column: str) -> int:
    """The rows of a table with a key in `column` that no row of `to` has in `to_column`; tables by their full names."""
    sql = (
        f"SELECT count(*) FROM {quote(table)} AS f WHERE f.{quote(column)} IS NOT NULL "
        f"AND NOT EXISTS (SELECT 1 FROM {quote(to)} AS d WHERE d.{quote(to_column)} = f.{quote(column)})"
    )
    return int(connection.execute(sql).fetchall()[0][0])
