"""Reference tables: data that holds for every tenant, as CSV files with types and tests; seeds of the hub.

`warehouse/seeds/references.yml` declares each in dbt's own words. A table exists as soon as its file does.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pipeline.contracts.sql import literal

SEEDS = Path(__file__).parent.parent / "seeds"
DECLARED = "references.yml"
Described = tuple[str, dict[str, str]]
"""A sentence about a table, and one by column."""
ROWS_PER_LINE = 5
"""Of SQL."""


def reference_names() -> tuple[str, ...]:
    """The reference tables there are, sorted."""
    return tuple(sorted(path.stem for path in SEEDS.glob("*.csv")))


def reference_files() -> dict[str, str]:
    """The seed files of the library project by name: the tables and their declaration."""
    names = (*(f"{name}.csv" for name in reference_names()), DECLARED)
    return {name: (SEEDS / name).read_text(encoding="utf-8") for name in names}


def reference_types(name: str) -> dict[str, str]:
    """The columns of a reference table and their DuckDB types."""
    types: dict[str, str] = _declared()[name]["config"]["column_types"]
    return types


def reference_properties(name: str) -> Described:
    """What references.yml says of a reference table, and of each of its columns."""
    declared = _declared()[name]
    return declared["description"], {column["name"]: column["description"] for column in declared["columns"]}


def reference_rows(name: str) -> str:
    """The rows of a reference table as a query, typed as in the hub."""
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        header, *rows = csv.reader(lines)
    types = reference_types(name)
    columns = ",\n    ".join(f"cast({column} as {types[column]}) as {column}" for column in header)
    values = ["(" + ", ".join(literal(cell) if cell else "null" for cell in row) + ")" for row in rows]
    listed = ",\n    ".join(
        ", ".join(values[start : start + ROWS_PER_LINE]) for start in range(0, len(values), ROWS_PER_LINE)
    )
    return f"select\n    {columns}\nfrom (values\n    {listed}\n) as seed ({', '.join(header)})"


@cache
def _declared() -> dict[str, dict[str, Any]]:  # Any: a tree of YAML, written by hand and checked by dbt
    """The declarations of references.yml, by table."""
    seeds = yaml.safe_load((SEEDS / DECLARED).read_text(encoding="utf-8"))["seeds"]
    return {seed["name"]: seed for seed in seeds}
