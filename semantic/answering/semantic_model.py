"""Loads a published run's definitions for answering. ibis and BSL are imported at the first compile."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Literal

import yaml

from pipeline.config.slug import Slug, slug_of
from pipeline.errors import PublishError
from pipeline.gates.finding import Finding, read_findings
from pipeline.gates.run_measures import AnsweredQuestion, read_measures
from pipeline.publish.run_files import COVERAGE, DEFINITIONS, FINDINGS, MEASURES
from pipeline.publish.run_manifest import other_release
from semantic.catalog.catalog import Catalog, read_catalog
from semantic.catalog.coverage import SourceCoverage, coverage_of_rows, read_coverage
from semantic.catalog.expression import columns_in
from semantic.catalog.run_definitions import VERSION, OtherVersion, RunDefinitions, TableModel, read_definitions
from semantic.planning.query_shape import QueryShape, Scan
from semantic.sql.compose import compose
from semantic.sql.fact_aggregate import aggregate
from semantic.sql.scan_tables import ScanTables

MAX_STATEMENTS = 500
"""Statements cached per run, one per query shape; the least recently used is evicted."""

_PARAMETER = re.compile(r"\$(\w+)")


@dataclass(frozen=True)
class Compiled:
    """A compiled statement with its parameters."""

    sql: str
    parameters: frozenset[str]


@dataclass(frozen=True)
class DimensionColumn:
    """A column that holds a dimension."""

    table: str
    column: str
    fact: str | None = None
    """Set where the dimension is computed from the column: the fact whose scan gives its values."""


@dataclass(frozen=True, kw_only=True)
class Relationship:
    """A join that never multiplies rows: many rows of one table have one row of the other."""

    table: str
    column: str
    to: str
    to_column: str
    cardinality: Literal["many_to_one", "one_to_one"] = "many_to_one"
    rows: int = 0
    """Of the table."""
    rows_without_key: int = 0
    rows_with_unknown_key: int = 0
    """Their key is none of the other table's."""


@dataclass(frozen=True, kw_only=True)
class SemanticModel:
    """One run of one tenant, ready for queries. It owns the cache of its compiled statements."""

    run_id: str
    tenant: Slug
    catalog: Catalog
    definitions: str
    """SHA-256 of semantic.yml."""
    dimension_columns: Mapping[str, tuple[DimensionColumn, ...]]
    relationships: tuple[Relationship, ...]
    statement: Callable[[QueryShape], Compiled] = field(repr=False, compare=False)
    scan: Callable[[Scan], str] = field(repr=False, compare=False)
    verified: tuple[AnsweredQuestion, ...] = ()
    """Questions of the tenant's own list that the run was verified to answer right."""
    known_values: dict[str, frozenset[str]] = field(default_factory=dict, repr=False, compare=False)
    """Cached values of dimensions: a run never changes."""


def load_model(run_dir: Path, *, expose: frozenset[str] = frozenset()) -> SemanticModel:
    """Load the model of a published run.

    Args:
        run_dir: The folder of the run; its name is the run's id.
        expose: The personal dimensions that tenants.yaml permits now; without it there are none.

    Raises:
        OtherRelease: Its definitions are of a version that this release does not read.
        PublishError: The run has no definitions, or damaged ones.
    """
    path = run_dir / DEFINITIONS
    try:
        text = path.read_bytes()
        digest = hashlib.sha256(text).hexdigest()
        return _model(run_dir, read_definitions(text), digest, expose)
    except OtherVersion as error:
        is_later = isinstance(error.found, int) and error.found > VERSION
        raise other_release(run_dir, f"{DEFINITIONS} is of version {error.found}", is_later=is_later) from error
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        fix = "Build the tenant again, or roll back to an earlier run."
        raise PublishError(f"The definitions of run {run_dir.name} cannot be read: {path}.", fix) from error


def _findings(run_dir: Path) -> tuple[Finding, ...]:
    """The findings of a run; none where an earlier release published it, or its file is damaged, which is noted."""
    try:
        return read_findings((run_dir / FINDINGS).read_bytes())
    except (OSError, ValueError):
        return ()


def _verified(run_dir: Path) -> tuple[AnsweredQuestion, ...]:
    """The verified questions of a run; none where an earlier release published it, or its file is damaged."""
    try:
        return read_measures((run_dir / MEASURES).read_bytes()).verified
    except (OSError, ValueError):
        return ()


def _coverage(run_dir: Path, definitions: RunDefinitions) -> tuple[SourceCoverage, ...]:
    """The coverage of a run; that of its rows where an earlier release published it, or its file is damaged."""
    try:
        return read_coverage((run_dir / COVERAGE).read_bytes())
    except (OSError, ValueError):
        return coverage_of_rows({name: (fact.first_date, fact.last_date) for name, fact in definitions.facts.items()})


def _model(run_dir: Path, definitions: RunDefinitions, digest: str, expose: frozenset[str]) -> SemanticModel:
    coverage = _coverage(run_dir, definitions)
    catalog = read_catalog(definitions, expose=expose, findings=_findings(run_dir), coverage=coverage)
    scan = partial(aggregate, tables=ScanTables.of_run(definitions))
    return SemanticModel(
        run_id=run_dir.name,
        tenant=slug_of(definitions.tenant),
        catalog=catalog,
        definitions=digest,
        dimension_columns={
            name: _dimension_columns(name, each.paths, definitions.models) for name, each in catalog.dimensions.items()
        },
        relationships=_relationships(definitions),
        statement=statements(scan),
        scan=scan,
        verified=_verified(run_dir),
    )


def statements(scan: Callable[[Scan], str]) -> Callable[[QueryShape], Compiled]:
    """Create the cached compiler of shapes, over scans compiled by `scan`."""

    @lru_cache(maxsize=MAX_STATEMENTS)
    def statement(shape: QueryShape) -> Compiled:
        sql = compose(shape, scan)
        return Compiled(sql, frozenset(_PARAMETER.findall(sql)))

    return statement


def _dimension_columns(
    name: str, paths: Mapping[str, str], models: Mapping[str, TableModel]
) -> tuple[DimensionColumn, ...]:
    holders = {(path.split(".")[-2] if "." in path else fact) for fact, path in paths.items()}
    found = []
    for holder in sorted(holders):
        text = models[holder].dimensions[name]
        (column,) = columns_in(text)
        found.append(DimensionColumn(models[holder].table, column, None if text == f"_.{column}" else holder))
    return tuple(found)


def _relationships(definitions: RunDefinitions) -> tuple[Relationship, ...]:
    return tuple(
        Relationship(
            table=definitions.models[each.from_model].table,
            column=each.column,
            to=definitions.models[each.to].table,
            to_column=each.to_column,
            cardinality=each.cardinality,
            rows=each.rows,
            rows_without_key=each.rows_without_key,
            rows_with_unknown_key=each.rows_with_unknown_key,
        )
        for each in definitions.relationships
    )
