"""When a fact is added up by key before it joins, and when not: `python -P -m bench.two_steps [--rows N]` (2 minutes).

A million rows with keys of 32 letters that repeat more and less often, joined to a table with a row for each key: CPU
milliseconds of joining first and of grouping first, medians of five calls in turns.
"""

from __future__ import annotations

import argparse
import statistics
import time

import duckdb

SHARES = (0.001, 0.01, 0.05, 0.1, 0.2, 0.4, 1.0)
"""Of the rows: so many different keys."""
DAYS = 30
_TABLES = """
create or replace table joined as select md5('k' || range) as k, 'name ' || range as name, 'g' || range % 8 as few
    from range({keys});
create or replace table fact as select md5('k' || hash(range) % {keys}) as k,
    (hash(range, 1) % 10000 / 100)::decimal(18, 6) as money,
    date '2026-01-01' + (range * {days} // {rows})::integer as day
    from range({rows});
"""
WAYS = {
    "by a name for each key": ("k", "name"),
    "by one of 8 values": ("k", "few"),
    "by these and the day": ("k, day", "few, day"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    with duckdb.connect(config={"threads": 2, "memory_limit": "512MB"}) as connection:
        for share in SHARES:
            connection.execute(_TABLES.format(keys=int(rows * share), rows=rows, days=DAYS))
            found = [_both(connection, first, then) for first, then in WAYS.values()]
            told = (f"{what} {join:.0f} -> {group:.0f}" for what, (join, group) in zip(WAYS, found, strict=True))
            print(f"{share:g} keys a row: {', '.join(told)}", flush=True)


def _both(connection: duckdb.DuckDBPyConnection, first: str, then: str) -> tuple[float, float]:
    grouped = f"(select {first}, sum(money) as money from fact group by all)"
    spent: dict[str, list[float]] = {"fact": [], grouped: []}
    for turn in range(6):
        for rows, calls in spent.items():
            sql = (
                f"select {then}, sum(money) from {rows} left join joined using (k) group by all order by all limit 100"
            )
            began = time.process_time()
            connection.execute(sql).fetchall()
            if turn:
                calls.append((time.process_time() - began) * 1000)
    join, group = map(statistics.median, spent.values())
    return join, group


if __name__ == "__main__":
    main()
