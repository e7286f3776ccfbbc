"""A star widened to a number of tables and columns, as a tenant's own models would: facts, dimensions and marts."""

from __future__ import annotations

from pathlib import Path
from random import Random

import duckdb

from pipeline.config.slug import Slug, star_name

ROWS, MEMBERS = 20_000, 500
KINDS = {
    "{}_amount": "round(random() * 1000, 2)::decimal(18, 2)",
    "{}_count": "(random() * 50)::integer",
    "{}_score": "random()",
    "{}_at": "timestamp '2026-01-01' + to_seconds((random() * 2e7)::bigint)",
    "{}_name": "'name ' || (random() * 300)::integer",
    "is_{}": "random() < 0.3",
    "{}_day": "date '2026-01-01' + (random() * 200)::integer",
}
"""By the form of a column's name: its values."""


def widen(stars: Path, slug: Slug, *, tables: int, columns: int, seed: int = 11) -> tuple[int, int]:
    """Add tables to a star file until it has so many, and so many columns; returns how many of both it has.

    A third are dimensions with a key of their own; each fact and mart has the keys of three of them, one of which
    misses half of its rows and so stays a candidate.
    """
    draw = Random(seed)  # no secret
    with duckdb.connect(str(stars)) as star:
        star.execute(f"select setseed({seed / 100})")
        has_tables, has_columns = _counts(star, slug)
        added = tables - has_tables
        if added < 6 or columns - has_columns < added * 8:
            raise SystemExit(f"The star has {has_tables} tables and {has_columns} columns: ask for more of both.")
        names = _words(draw, added * 30)
        dimensions: list[str] = []
        for number in range(added):
            is_dimension = number < added // 3
            kind = "dim" if is_dimension else ("fct", "mart")[number % 2]
            left = columns - _counts(star, slug)[1]
            width = round(left / (added - number))
            own = names.pop()
            if is_dimension:
                first = [f"'{own}' || range as {own}_key"]
                dimensions.append(own)
            else:
                first = [f"range as {own}_key", "date '2026-01-01' + (random() * 200)::integer as date"]
                first += ["['EUR', 'USD'][1 + (random() > 0.9)::integer] as currency"]
                first += [_key(each, miss=place == 2) for place, each in enumerate(draw.sample(dimensions, 3))]
            forms = [draw.choice(list(KINDS)) for _ in range(width - len(first))]
            rest = [f"{KINDS[form]} as {form.format(names.pop())}" for form in forms]
            rows = MEMBERS if is_dimension else ROWS
            star.execute(f"create table {kind}_{slug}__{own} as select {', '.join((*first, *rest))} from range({rows})")
        return _counts(star, slug)


def _key(dimension: str, *, miss: bool) -> str:
    return f"'{dimension}' || (random() * {MEMBERS * (2 if miss else 1) - 1})::integer as {dimension}_key"


def _words(draw: Random, count: int) -> list[str]:
    parts = ("ba", "do", "fi", "ku", "le", "mo", "na", "ri", "su", "to", "ve", "zi")
    found: dict[str, None] = {}
    while len(found) < count:
        found["".join(draw.choice(parts) for _ in range(4))] = None
    return list(found)


def _counts(star: duckdb.DuckDBPyConnection, slug: Slug) -> tuple[int, int]:
    """The published tables of a star, and their columns."""
    listed = star.execute("select table_name, column_count from duckdb_tables() where not internal").fetchall()
    widths = [width for name, width in listed if star_name(name, slug)]
    return len(widths), sum(widths)
