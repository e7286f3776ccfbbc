"""The tables that scans are compiled against, and what is known of their rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from pipeline.errors import BuildError
from semantic.catalog.run_definitions import RunDefinitions, TableModel
from semantic.sql.fact_size import FactSize, determined_dimensions, exact_aggregates, fact_size
from warehouse.star_schema import AMOUNTS, MONEY

_TYPES = {
    "VARCHAR": "string",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "BOOLEAN": "boolean",
    "TINYINT": "int8",
    "SMALLINT": "int16",
    "INTEGER": "int32",
    "BIGINT": "int64",
    "UTINYINT": "uint8",
    "USMALLINT": "uint16",
    "UINTEGER": "uint32",
    "FLOAT": "float32",
    "HUGEINT": "decimal(38, 0)",
    "DOUBLE": "float64",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class ScanTables:
    """The tables that scans are compiled against: those of a run's star, or one rollup in place of a fact.

    Equal where all of it is: a tenant's next run, whose rows are others, has the compiled scans of the run before,
    since sizes are orders of magnitude.
    """

    columns: Mapping[str, Mapping[str, str]]
    """By table: its columns and their DuckDB types."""
    models: Mapping[str, TableModel]
    days: Mapping[str, str]
    """By fact: its day column."""
    catalog: str | None = None
    """The attached database of the fact's table; None where it is the default one."""
    sizes: Mapping[str, FactSize] = field(default_factory=dict)
    """By fact, where they are known: a fact without is never grouped by the keys of its joins first."""
    aggregates: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By fact: its measures that add up exactly, each with the aggregation of rows."""
    determined: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """By fact and dimension: the keys of a scan whose groups have one value of it each."""

    @classmethod
    def of_run(cls, definitions: RunDefinitions) -> ScanTables:
        facts = definitions.facts
        return cls(
            columns=definitions.tables,
            models=definitions.models,
            days={name: fact.day_column for name, fact in facts.items()},
            sizes={name: fact_size(name, definitions) for name in facts},
            aggregates={name: exact_aggregates(name, definitions) for name in facts},
            determined={name: determined_dimensions(name, definitions) for name in facts},
        )

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of all of it."""
        known = (self.columns, self.models, self.days, self.catalog, self.sizes, self.aggregates, self.determined)
        return hashlib.sha256(repr(known).encode()).digest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ScanTables) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def ibis_types(self, table: str, columns: Iterable[str]) -> dict[str, str]:
        """Map columns of a table to their ibis types, sorted by name."""
        return {column: _ibis_type(self.columns[table][column], column) for column in sorted(columns)}


def _ibis_type(type_: str, column: str) -> str:
    if type_.startswith("DECIMAL("):
        return type_.lower()
    if type_ == AMOUNTS:
        return f"map<string, {MONEY.lower()}>"
    if type_ not in _TYPES:
        raise BuildError(
            f"{column} has the type {type_}, which no metric can use.", "Build the star with its own types."
        )
    return _TYPES[type_]
