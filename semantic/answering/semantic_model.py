"""A published run's definitions, read for answering: `load_model`. ibis and BSL are imported at the first compile."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import yaml

from pipeline.errors import PublishError
from semantic.catalog.catalog import VERSION, Catalog, read_catalog
from semantic.catalog.expression import columns_in
from semantic.planning.query_shape import QueryShape, Scan
from semantic.sql.compose import compose
from semantic.sql.fact_aggregate import Definitions, aggregate

DEFINITIONS = "semantic.yml"
KEPT = 500
"""Statements kept per run, one per shape of question; the least used leaves."""

_PARAMETER = re.compile(r"\$(\w+)")


@dataclass(frozen=True)
class Compiled:
    """A statement, and the parameters it has."""

    sql: str
    parameters: frozenset[str]


@dataclass(frozen=True)
class DimensionColumn:
    """A column that holds a dimension."""

    table: str
    column: str


@dataclass(frozen=True)
class Relationship:
    """A join that never multiplies rows: many rows of one table have one row of the other."""

    table: str
    column: str
    to: str
    to_column: str
    cardinality: str = "many_to_one"
    rows: int = 0
    """Of the table."""
    rows_without_key: int = 0
    rows_with_unknown_key: int = 0
    """Their key is none of the other table's."""


@dataclass(frozen=True)
class SemanticModel:
    """One run of one tenant, ready to be asked. What was compiled for it stays with it, and leaves with it."""

    run_id: str
    tenant: str
    catalog: Catalog
    definitions: str
    """SHA-256 of semantic.yml."""
    homes: Mapping[str, tuple[DimensionColumn, ...]]
    relationships: tuple[Relationship, ...]
    statement: Callable[[QueryShape], Compiled] = field(repr=False, compare=False)
    scan: Callable[[Scan], str] = field(repr=False, compare=False)
    known_values: dict[str, frozenset[str]] = field(default_factory=dict, repr=False, compare=False)
    """Values that dimensions were found to have: a run never changes, so they stay."""


def load_model(run_dir: Path, *, expose: frozenset[str] = frozenset()) -> SemanticModel:
    """The model of a published run.

    Args:
        run_dir: The folder of the run; its name is the run's id.
        expose: The personal dimensions that tenants.yaml allows now; a run alone never shows any.

    Raises:
        PublishError: The run has no definitions, or not such as this version reads.
    """
    path = run_dir / DEFINITIONS
    try:
        text = path.read_bytes()
        definitions = yaml.load(text, Loader=yaml.CSafeLoader)  # the safe loader, in C
        return _model(run_dir.name, definitions, hashlib.sha256(text).hexdigest(), expose)
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        fix = "Build the tenant again, or roll back to an earlier run."
        raise PublishError(f"The definitions of run {run_dir.name} cannot be read: {path}.", fix) from error


def _model(run_id: str, definitions: Definitions, digest: str, expose: frozenset[str]) -> SemanticModel:
    if definitions["version"] != VERSION:
        raise ValueError(definitions["version"])
    catalog = read_catalog(definitions, expose=expose)
    scan = lru_cache(maxsize=KEPT)(partial(aggregate, definitions=definitions))
    return SemanticModel(
        run_id=run_id,
        tenant=definitions["tenant"],
        catalog=catalog,
        definitions=digest,
        homes={
            name: _homes(name, dimension.paths, definitions["models"]) for name, dimension in catalog.dimensions.items()
        },
        relationships=_relationships(definitions),
        statement=statements(scan),
        scan=scan,
    )


def statements(scan: Callable[[Scan], str]) -> Callable[[QueryShape], Compiled]:
    """The statement of a shape, compiled once, over scans compiled by `scan`."""

    @lru_cache(maxsize=KEPT)
    def statement(shape: QueryShape) -> Compiled:
        sql = compose(shape, scan)
        return Compiled(sql, frozenset(_PARAMETER.findall(sql)))

    return statement


def _homes(
    name: str, paths: Mapping[str, str], models: Mapping[str, Any]
) -> tuple[DimensionColumn, ...]:  # Any: as from_config
    tables = {(path.split(".")[-2] if "." in path else fact) for fact, path in paths.items()}
    return tuple(
        DimensionColumn(models[t]["table"], columns_in(models[t]["dimensions"][name])[0]) for t in sorted(tables)
    )


def _relationships(definitions: Definitions) -> tuple[Relationship, ...]:
    tables = {name: model["table"] for name, model in definitions["models"].items()}
    counts = ("cardinality", "rows", "rows_without_key", "rows_with_unknown_key")
    return tuple(
        Relationship(
            tables[said["from"]],
            said["column"],
            tables[said["to"]],
            said["to_column"],
            **{name: said[name] for name in counts},
        )
        for said in definitions.get("relationships", ())
    )
