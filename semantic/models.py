"""A published run's definitions, read for answering: `load_model`. ibis and BSL are imported at the first compile."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import yaml

from pipeline.errors import BuildError, PublishError
from semantic.aggregate import Definitions, aggregate
from semantic.catalog import VERSION, Catalog, read_catalog
from semantic.compose import compose
from semantic.shape import Key, Scan, Shape

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
class Home:
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


@dataclass(frozen=True)
class Model:
    """One run of one tenant, ready to be asked. What was compiled for it stays with it, and leaves with it."""

    run_id: str
    tenant: str
    catalog: Catalog
    definitions: str
    """SHA-256 of semantic.yml."""
    homes: Mapping[str, tuple[Home, ...]]
    relationships: tuple[Relationship, ...]
    statement: Callable[[Shape], Compiled] = field(repr=False, compare=False)
    scan: Callable[[Scan], str] = field(repr=False, compare=False)
    known_values: dict[str, frozenset[str]] = field(default_factory=dict, repr=False, compare=False)
    """Values that dimensions were found to have: a run never changes, so they stay."""


def load_model(run_dir: Path, *, expose: frozenset[str] = frozenset()) -> Model:
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


def precompile(model: Model) -> int:
    """Compile every measure, and every dimension along every join, once; how many metrics there are.

    Raises:
        BuildError: A metric or dimension does not compile; names it.
    """
    for scan in _every_scan(model.catalog):
        try:
            model.scan(scan)
        except Exception as error:  # whatever a definition makes ibis or BSL raise
            raise BuildError(
                f"{_culprit(model, scan)} does not compile: {error}.", "Correct its definition; nothing was published."
            ) from error
    return len(model.catalog.metrics)


def _every_scan(catalog: Catalog) -> Iterator[Scan]:
    """Scans that together use everything: all measures of a fact by its own columns, then each way to another table."""
    for fact in catalog.facts:
        ways: dict[str, list[tuple[Key, str]]] = {"": []}
        for dimension in catalog.dimensions.values():
            if path := dimension.paths.get(fact):
                ways.setdefault(path.rpartition(".")[0], []).append((Key(dimension.name, dimension.type), path))
        for way, keys in ways.items():
            measures = () if way else tuple(name for name, metric in catalog.metrics.items() if metric.fact == fact)
            yield Scan(fact, tuple(keys), measures, (), has_start=True, has_end=True, week_shift=0)


def _culprit(model: Model, scan: Scan) -> str:
    """The first measure or dimension of a scan that does not compile alone."""
    parts = [replace(scan, keys=(), measures=(measure,)) for measure in scan.measures]
    parts += [replace(scan, keys=(key,), measures=()) for key in scan.keys]
    for part in parts:
        try:
            model.scan(part)
        except Exception:  # noqa: BLE001  # as above: the question is only which
            return part.measures[0] if part.measures else part.keys[0][0].name
    return scan.fact


def _model(run_id: str, definitions: Definitions, digest: str, expose: frozenset[str]) -> Model:
    if definitions["version"] != VERSION:
        raise ValueError(definitions["version"])
    catalog = read_catalog(definitions, expose=expose)
    scan = lru_cache(maxsize=KEPT)(partial(aggregate, definitions=definitions))

    @lru_cache(maxsize=KEPT)
    def statement(shape: Shape) -> Compiled:
        sql = compose(shape, scan)
        return Compiled(sql, frozenset(_PARAMETER.findall(sql)))

    return Model(
        run_id=run_id,
        tenant=definitions["tenant"],
        catalog=catalog,
        definitions=digest,
        homes={
            name: _homes(name, dimension.paths, definitions["models"]) for name, dimension in catalog.dimensions.items()
        },
        relationships=_relationships(definitions["models"]),
        statement=statement,
        scan=scan,
    )


def _homes(name: str, paths: Mapping[str, str], models: Mapping[str, Any]) -> tuple[Home, ...]:  # Any: as from_config
    tables = {(path.split(".")[-2] if "." in path else fact) for fact, path in paths.items()}
    return tuple(Home(models[t]["table"], models[t]["dimensions"][name].removeprefix("_.")) for t in sorted(tables))


def _relationships(models: Mapping[str, Any]) -> tuple[Relationship, ...]:  # Any: as from_config takes
    return tuple(
        Relationship(model["table"], join["left_on"], models[to]["table"], join["right_on"])
        for _, model in sorted(models.items())
        for to, join in sorted(model.get("joins", {}).items())
    )
