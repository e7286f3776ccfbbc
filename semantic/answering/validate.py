"""Validates definitions before they are published: all they name is in the star, and every metric compiles.

Joins are checked on the rows: on the one side each key is unique and never empty, and some keys match.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import TypeVar

import duckdb
import yaml

from pipeline.contracts.sql import quote
from pipeline.errors import BuildError, GataError, PublishError
from pipeline.publish.run_files import DEFINITIONS, STARS
from semantic.answering.answer_columns import with_values
from semantic.answering.semantic_model import SemanticModel, load_model
from semantic.catalog.catalog import COMPUTED, FLAGS, Catalog
from semantic.catalog.expression import ADDS_UP, columns_in
from semantic.catalog.formula import expand, metric_names, parse, to_sql
from semantic.catalog.run_definitions import RunDefinitions, TableModel, read_definitions
from semantic.planning.query_shape import Key, Scan

_MAX_PROBLEMS = 3
_AT_ONCE = 12  # ibis compiles a scan in a time that grows with the square of its columns
_DAYS = {"start": "2026-01-01", "end": "2026-01-31"}
T = TypeVar("T")
_TYPES = {"integer": "HUGEINT", "decimal": "DECIMAL(38,6)", "number": "DOUBLE"}


def validate_run(run_dir: Path) -> SemanticModel:
    """Load the model of a run and validate its definitions; compiles every measure, and every dimension by every join.

    Raises:
        BuildError: The definitions do not fit the star; names the problems. Nothing may be published.
    """
    try:
        definitions = read_definitions((run_dir / DEFINITIONS).read_bytes())
        _refuse(_structure_problems(definitions))
        personal = frozenset(name for name, entry in definitions.dimensions.items() if entry.personal)
        model = load_model(run_dir, expose=personal)
        with duckdb.connect(run_dir / STARS, read_only=True) as connection:
            _refuse(_table_problems(definitions, connection))
            _refuse(_join_problems(definitions, connection))
            _refuse(_compile_problems(model, connection))
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError, PublishError) as error:
        raise BuildError(
            f"The definitions in {run_dir.name} cannot be read: {error!r}.", "Build the tenant again with --full."
        ) from error
    except duckdb.Error as error:
        raise BuildError(f"The star in {run_dir.name} cannot be read: {error!r}.", "Build the tenant again.") from error
    return model


def prove_answerable(run_dir: Path) -> None:
    """Prove that this release can answer from a published run: its star opens, and every metric compiles.

    Raises:
        PublishError: It cannot; names why.
    """
    model = load_model(run_dir)
    try:
        with duckdb.connect(run_dir / STARS, read_only=True) as connection:
            problem = next(_compile_problems(model, connection), None)
    except duckdb.Error as error:
        problem = f"its star cannot be opened ({str(error).partition(chr(10))[0]})."
    if problem is not None:
        slug = run_dir.parent.name
        raise PublishError(
            f"Run {run_dir.name} of {slug} cannot be answered from: {problem}",
            f"Make a new one with `gata build --tenant {slug} --full`, or choose another run.",
        )


def _refuse(problems: Iterator[str]) -> None:
    distinct = list(dict.fromkeys(problems))
    if distinct:
        more = f" And {len(distinct) - _MAX_PROBLEMS} more." if len(distinct) > _MAX_PROBLEMS else ""
        raise BuildError(
            f"{' '.join(distinct[:_MAX_PROBLEMS])}{more}", "Correct the definition; nothing was published."
        )


def _structure_problems(definitions: RunDefinitions) -> Iterator[str]:
    """Yield the problems of definitions in themselves."""
    metrics, dimensions, models = definitions.metrics, definitions.dimensions, definitions.models
    for name in sorted(metrics.keys() & dimensions.keys()):
        yield f"{name} is a metric and a dimension."
    for name in metrics:
        if name.endswith(COMPUTED) or name in FLAGS:
            yield f"{name} has a name that answers use for columns of their own."
    for name in models:
        yield from _model_problems(name, definitions)
    yield from _join_circles(models)
    yield from _unconverted(definitions)
    for name, fact in definitions.facts.items():
        if definitions.types_of(name).get(fact.day_column) != "DATE":
            yield f"The fact {name} has no day in {fact.day_column}."
    yield from _metric_problems(definitions)
    for name, dimension in dimensions.items():
        for at, path in dimension.paths.items():
            problem = _path_problem(at, path.split(".")[:-1], models)
            if problem or name not in _last_dimensions(at, path, models):
                yield f"{name} is not reached from {at} by {path}{f': {problem}' if problem else ''}."


def _model_problems(name: str, definitions: RunDefinitions) -> Iterator[str]:
    """Yield the columns and models that the model of a table needs and that do not exist."""
    models, model = definitions.models, definitions.models[name]
    types = definitions.types_of(name)
    if model.table not in definitions.tables:
        yield f"The model {name} is about {model.table}, which is no table here."
        return
    for field, text in (*model.dimensions.items(), *model.measures.items()):
        for column in columns_in(text):
            if column not in types and column not in model.selections:
                yield f"{field} of {name} needs the column {column}, which {model.table} does not have."
    for to, join in model.joins.items():
        if to not in models:
            yield f"{name} joins {to}, which is no model here."
        elif join.left_on not in types or join.right_on not in definitions.types_of(to):
            yield f"{name} joins {to} by {join.left_on} and {join.right_on}, which are not both there."
    for selected, conditions in model.selections.items():
        for each in conditions:
            table = each.holder(name)
            if _path_problem(name, each.through, models) or each.column not in definitions.types_of(table):
                yield f"{selected} needs the column {each.column} of {table}, which is not there."


def _unconverted(definitions: RunDefinitions) -> Iterator[str]:
    """Yield measures and conditions on unconverted money, where there are rates."""
    for fact, columns in (definitions.rates.columns if definitions.rates else {}).items():
        model = definitions.models[fact]
        for name, text in model.measures.items():
            for column in columns_in(text):
                if column in columns:
                    yield f"{name} adds up {column} of {fact}, which is not converted to {definitions.currency}."
        for selected, conditions in model.selections.items():
            for each in conditions:
                if not each.through and each.column in columns:
                    yield f"{selected} is about {each.column} of {fact}, which is not converted."


def _join_circles(models: Mapping[str, TableModel]) -> Iterator[str]:
    """Yield circles of joins."""
    stack: list[tuple[str, ...]] = [(name,) for name in sorted(models)]
    while stack:
        path = stack.pop()
        for to in sorted(models[path[-1]].joins) if path[-1] in models else ():
            if to == path[0]:
                yield f"Joins lead in a circle: {' -> '.join((*path, to))}."
            elif to not in path:
                stack.append((*path, to))


def _metric_problems(definitions: RunDefinitions) -> Iterator[str]:
    """Yield the problems of metrics: a missing measure, or a formula over missing metrics."""
    metrics = definitions.metrics
    formulas = {name: parse(entry.expression, name) for name, entry in metrics.items() if entry.expression is not None}
    for name, entry in metrics.items():
        if name in formulas:
            for used in metric_names(formulas[name]):
                if used not in metrics:
                    yield f"{name} is made of {used}, which is no metric here."
            try:
                expand(name, formulas)
            except GataError as error:
                yield error.what
        elif name not in definitions.measures_of(entry.fact):
            yield f"{name} has no measure in {entry.fact}."
        elif ADDS_UP.get(entry.kind) != entry.adds_up:
            yield f"{name} is a {entry.kind} and says it adds up by {entry.adds_up}."


def _path_problem(at: str, through: Iterable[str], models: Mapping[str, TableModel]) -> str | None:
    """Return the problem of a join path, if it has one."""
    for to in through:
        if at not in models or to not in models[at].joins:
            return f"{at} does not join {to}"
        at = to
    return None if at in models else f"{at} is no model here"


def _last_dimensions(fact: str, path: str, models: Mapping[str, TableModel]) -> Mapping[str, str]:
    """The dimensions of the last table of a path."""
    return models[[fact, *path.split(".")][-2]].dimensions


def _table_problems(definitions: RunDefinitions, connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Yield the tables and columns of definitions that the star lacks, or has in another type."""
    sql = "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal"
    existing: dict[str, dict[str, str]] = {}
    for table, column, type_ in connection.execute(sql).fetchall():
        existing.setdefault(table, {})[column] = type_
    for table, columns in definitions.tables.items():
        if table not in existing:
            yield f"The star has no table {table}."
            continue
        for column, type_ in columns.items():
            if existing[table].get(column) != type_:
                difference = f"is {existing[table][column]}" if column in existing[table] else "is not there"
                yield f"{column} of {table} is to be {type_} and {difference}."


def _join_problems(definitions: RunDefinitions, connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Yield wrong joins: keys that are repeated or empty on the one side, and keys of which none matches."""
    models = definitions.models
    sides = sorted({(join.model, join.right_on) for model in models.values() for join in model.joins.values()})
    rows = {}
    for to, column in sides:
        table = models[to].table
        sql = f"SELECT count(*), count(*) - count(DISTINCT {quote(column)}) FROM {quote(table)}"
        rows[to], repeated = connection.execute(sql).fetchall()[0]
        if repeated:
            yield f"{column} of {table} is empty or repeated in {repeated} rows, and joins rely on it."
    for each in definitions.relationships:
        keys = each.rows - each.rows_without_key
        if keys and rows.get(each.to) and each.rows_with_unknown_key == keys:
            yield f"No {each.column} of {each.from_model} is a {each.to_column} of {each.to}: they do not join."


def _compile_problems(model: SemanticModel, connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Yield the measures, dimensions and metrics that do not compile, or that the star cannot run."""
    for scan in every_scan(model.catalog):
        if problem := _scan_problem(scan, model, connection):
            parts = [replace(scan, keys=(), measures=(measure,)) for measure in scan.measures]
            parts += [replace(scan, keys=(key,), measures=()) for key in scan.keys]
            broken = [(part, cause) for part in parts if (cause := _scan_problem(part, model, connection))]
            for part, cause in broken or [(scan, problem)]:
                name = part.measures[0] if part.measures else part.keys[0][0].name if part.keys else part.fact
                yield f"{name} does not compile: {cause}."
    for metric in model.catalog.metrics.values():
        bases = {name: _TYPES[model.catalog.metrics[name].type] for name in metric_names(metric.formula)}
        columns = ", ".join(f"CAST(NULL AS {type_}) AS {quote(name)}" for name, type_ in bases.items())
        try:
            connection.execute(f"EXPLAIN SELECT {to_sql(metric.formula, quote)} FROM (SELECT {columns})")
        except duckdb.Error as error:
            yield f"{metric.name} cannot be computed: {error}."


def every_scan(catalog: Catalog) -> Iterator[Scan]:
    """Yield scans that together use all: the measures of a fact by its own columns, then each path to another table."""
    for fact in catalog.facts:
        by_join: dict[str, list[tuple[Key, str]]] = {"": []}
        for dimension in catalog.dimensions.values():
            if path := dimension.paths.get(fact):
                grain = "month" if dimension.type == "date" else None
                by_join.setdefault(path.rpartition(".")[0], []).append(
                    (Key(dimension.name, dimension.type, grain), path)
                )
        for joined, keys in by_join.items():
            measures = [] if joined else [name for name, metric in catalog.metrics.items() if metric.fact == fact]
            for some, measured in zip_longest(_batches(keys), _batches(measures), fillvalue=()):
                yield Scan(fact=fact, keys=some, measures=measured, has_start=True, has_end=True)


def _batches(items: Sequence[T]) -> list[tuple[T, ...]]:
    """The items, so many at once that a scan of them compiles fast; one batch where there are none."""
    return [tuple(items[first : first + _AT_ONCE]) for first in range(0, max(len(items), 1), _AT_ONCE)]


def _scan_problem(scan: Scan, model: SemanticModel, connection: duckdb.DuckDBPyConnection) -> str | None:
    """Return the error of a scan that cannot run, None if it can."""
    try:
        connection.execute(f"EXPLAIN {with_values(model.scan(scan), _DAYS)}")
    except Exception as error:  # noqa: BLE001  # whatever a definition makes ibis, BSL or DuckDB raise
        return f"{error}".splitlines()[0] if f"{error}" else repr(error)
    return None
