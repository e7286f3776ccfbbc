"""Models that take every key of a join to repeat often, as in a large fact, over stars and catalogs of few rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from semantic.answering.semantic_model import SemanticModel, statements
from semantic.catalog.expression import columns_in
from semantic.catalog.run_definitions import RunDefinitions
from semantic.planning.query_shape import Scan
from semantic.sql.fact_aggregate import aggregate
from semantic.sql.fact_size import FactSize, join_key
from semantic.sql.scan_tables import ScanTables
from semantic.sql.two_steps import in_two_steps

Rows = Mapping[str, Sequence[Mapping[str, Any]]]


def with_repeating_keys(
    model: SemanticModel, definitions: RunDefinitions, rows: Rows, reached: list[Scan]
) -> SemanticModel:
    """The model of a run with these rows, as if there were many of each; scans in two steps are added to `reached`."""
    tables = replace(
        ScanTables.of_run(definitions),
        sizes={fact: _endless(fact, definitions) for fact in definitions.facts},
        determined={fact: _determined(fact, definitions, rows.get(fact, ())) for fact in definitions.facts},
    )

    def scan(asked: Scan) -> str:
        if in_two_steps(asked, tables):
            reached.append(asked)
        return aggregate(asked, tables)

    return replace(model, scan=scan, statement=statements(scan))


def _endless(fact: str, definitions: RunDefinitions) -> FactSize:
    model = definitions.models[fact]
    keys = {join.left_on: 1 for join in model.joins.values()}
    return FactSize(rows=1000, days=1, keys=keys, values=dict.fromkeys(model.dimensions, 1), beside={})


def _determined(
    fact: str, definitions: RunDefinitions, rows: Sequence[Mapping[str, Any]]
) -> dict[str, tuple[str, ...]]:
    model = definitions.models[fact]
    found = {}
    for name, text in model.dimensions.items():
        (column,) = columns_in(text)
        keys = [join.left_on for join in model.joins.values() if _has_one(rows, join.left_on, column)]
        if keys:
            found[name] = tuple(map(join_key, keys))
    return found


def _has_one(rows: Sequence[Mapping[str, Any]], key: str, column: str) -> bool:
    """Whether each key of these rows has one value of a column; NULL is both a key and a value."""
    return len({(row[key], row[column]) for row in rows}) == len({row[key] for row in rows})
