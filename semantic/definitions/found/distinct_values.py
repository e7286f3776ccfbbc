"""Whether the values of a column are all different."""

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
