"""Daily rollups: a fact added up by day and a few dimensions, read instead of the fact where the answer is the same.

`build_rollups` chooses and makes them when a run is published; `with_rollups` is a model that reads them. Both compile
by `semantic.sql.fact_aggregate`, from the published definitions or from those of the rollup: filters and periods
mean the same.

A rollup stands in for a scan only when it holds every dimension and every measure of it, and a measure is only in a
rollup when the values of parts give exactly that of the whole: sums of decimals and whole numbers, least and greatest.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import duckdb

from pipeline.contracts.sql import literal, quote
from pipeline.publish.run_files import DEFINITIONS, STARS
from pipeline.publish.run_manifest import PublishedRollup, describe_tables
from semantic.answering.answer_columns import with_values
from semantic.answering.semantic_model import KEPT, SemanticModel, load_model, statements
from semantic.catalog.catalog import DATE, Catalog, Metric
from semantic.catalog.conditions import Condition
from semantic.catalog.run_definitions import RunDefinitions, TableModel, read_definitions
from semantic.planning.query_shape import Key, Scan, row_count_column
from semantic.sql.fact_aggregate import ScanTables, aggregate

CATALOG = "rollups"
"""The name under which a run's file of rollups is attached."""
SMALL = 100_000
"""A rollup of so many rows is read so fast that no slimmer one of its dimensions is made."""
SHARES = (0.2, 0.01)
"""Of a fact's rows, how many a rollup may have: wide ones, and slim ones, which are made from them."""
MOST = 3
"""Rollups of one fact and share."""
_SAMPLED_DAYS = 16
_LARGEST = 2**40
"""Whole numbers up to here are added exactly as doubles, in any order and as many as a fact has."""
_PLAIN = re.compile(r"_\.(\w+)\.sum\(\)")


@dataclass(frozen=True)
class Choice:
    """A rollup that is to be made."""

    name: str
    fact: str
    dimensions: Mapping[str, str]
    """Name to path, the day among them."""


def attach(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Let a connection, and every cursor of it, read a run's rollups."""
    connection.execute(f"ATTACH IF NOT EXISTS {literal(str(file))} AS {CATALOG} (READ_ONLY)")


def with_rollups(model: SemanticModel, rollups: Sequence[PublishedRollup]) -> SemanticModel:
    """The model with statements that read rollups where they can; whoever runs them has attached the rollups."""
    if not rollups:
        return model
    smallest_first = sorted(rollups, key=lambda rollup: rollup.table.rows)
    tables = {rollup.table.name: _tables(rollup) for rollup in rollups}

    @lru_cache(maxsize=KEPT)
    def scan(asked: Scan) -> str:
        rollup = next((rollup for rollup in smallest_first if covers(rollup, asked)), None)
        return aggregate(_of_rollup(asked), tables[rollup.table.name]) if rollup else model.scan(asked)

    return replace(model, scan=scan, statement=statements(scan))


def covers(rollup: PublishedRollup, scan: Scan) -> bool:
    """Whether a rollup gives exactly what a scan of its fact gives."""
    ways = {key.name: path for key, path in scan.keys} | {each.name: path for each, path in scan.conditions}
    return (
        rollup.fact == scan.fact
        and rollup.measures.keys() >= set(scan.measures)
        and all(rollup.dimensions.get(name) == path for name, path in ways.items())
    )


def _of_rollup(scan: Scan) -> Scan:
    """The scan of a rollup instead of its fact: every dimension is a column, and rows have been counted."""
    return replace(
        scan,
        keys=tuple((key, key.name) for key, _ in scan.keys),
        conditions=tuple((condition, condition.name) for condition, _ in scan.conditions),
        measures=(*scan.measures, row_count_column(scan.fact)),
    )


def _tables(rollup: PublishedRollup) -> ScanTables:
    """A rollup as `aggregate` takes it: a table of its own under the fact's name."""
    types = {column.name: column.type for column in rollup.table.columns}
    measures = {}
    for name, adds_up in rollup.measures.items():
        column = _measure_column(name)
        added = f"_.{column}.{adds_up.lower()}()"
        if (adds_up, types[column]) == ("SUM", "BIGINT") and name in rollup.counts:
            # a whole without rows has none; and the sum of BIGINT is HUGEINT: as such it is declared, and cast back
            types[column], added = "HUGEINT", f"{added}.fill_null(0).cast('int64')"
        measures[name] = added
    model = TableModel(
        table=rollup.table.name,
        description=f"{rollup.fact} by {', '.join(rollup.dimensions)}.",
        dimensions={name: f"_.{_dimension_column(name)}" for name in rollup.dimensions},
        measures=measures,
    )
    return ScanTables(
        columns={rollup.table.name: types},
        models={rollup.fact: model},
        days={rollup.fact: _dimension_column(DATE)},
        catalog=CATALOG,
    )


def _dimension_column(name: str) -> str:
    return f"d_{name}"  # a bare name might be one of ibis' own, such as count


def _measure_column(name: str) -> str:
    return f"m_{name}"


def build_rollups(run_dir: Path, target: Path, *, least_rows: int) -> tuple[PublishedRollup, ...]:
    """Make the rollups of a run that is about to be published, in a file of their own; none without a large fact.

    Args:
        run_dir: Holds stars.duckdb and semantic.yml, both checked.
        target: The file to make, of no use where nothing was chosen.
        least_rows: Facts with fewer rows get none; half a million are read in a few milliseconds.

    Raises:
        duckdb.Error: There is not enough memory or disk for it.
    """
    model = load_model(run_dir)
    large = [name for name, fact in model.catalog.facts.items() if fact.rows >= least_rows]
    if not large:
        return ()
    definitions = read_definitions((run_dir / DEFINITIONS).read_bytes())
    spill = target.with_name("spill")
    with duckdb.connect(config={"temp_directory": str(spill)}) as connection:
        connection.execute(f"ATTACH {literal(str(run_dir / STARS))} AS run (READ_ONLY)")
        connection.execute(f"ATTACH {literal(str(target))} AS {CATALOG}")
        connection.execute("USE run")
        choices = [choice for fact in large for choice in choose(connection, model, fact)]
        made = make_rollups(connection, model, definitions, choices)
        connection.execute(f"USE memory; DETACH {CATALOG}; DETACH run")
    shutil.rmtree(spill, ignore_errors=True)
    return made


def make_rollups(
    connection: duckdb.DuckDBPyConnection, model: SemanticModel, definitions: RunDefinitions, choices: Iterable[Choice]
) -> tuple[PublishedRollup, ...]:
    """Make rollups in the attached catalog of rollups; unqualified names are the run's tables."""
    made: list[PublishedRollup] = []
    measures: dict[str, dict[str, str]] = {}
    for choice in choices:
        if choice.fact not in measures:
            measures[choice.fact] = _measures(connection, model, definitions, choice.fact)
        made.append(_make(connection, with_rollups(model, made), choice, measures[choice.fact]))
    return tuple(made)


def choose(connection: duckdb.DuckDBPyConnection, model: SemanticModel, fact: str) -> Iterator[Choice]:
    """Rollups worth their rows, wide ones first: together they hold every dimension that repeats often within a day."""
    paths = _paths(model.catalog, fact)
    if not _sample(connection, model, fact, paths):
        return
    rows = _one(connection, f"SELECT SUM({quote(row_count_column(fact))}) FROM sample")
    counts = ", ".join(f"COUNT(DISTINCT {quote(name)})" for name in paths)
    distinct = dict(zip(paths, connection.execute(f"SELECT {counts} FROM sample").fetchall()[0], strict=True))
    few_first = sorted((name for name in paths if name != DATE), key=lambda name: (distinct[name], name))

    @cache
    def groups(names: frozenset[str]) -> int:
        columns = ", ".join(quote(name) for name in sorted(names | {DATE}))
        return int(_one(connection, f"SELECT COUNT(*) FROM (SELECT DISTINCT {columns} FROM sample)"))

    kept: list[frozenset[str]] = []
    for chosen in (each for share in SHARES for each in _sets(few_first, groups, share * rows)):
        if not any(chosen <= wide and groups(wide) * model.catalog.facts[fact].rows <= SMALL * rows for wide in kept):
            kept.append(chosen)
    for n, chosen in enumerate(dict.fromkeys(kept), start=1):
        yield Choice(f"{fact}_{n}", fact, {name: paths[name] for name in (DATE, *few_first) if name in chosen | {DATE}})
    connection.execute("DROP TABLE sample")


def _sets(names: Sequence[str], groups: Callable[[frozenset[str]], int], most: float) -> list[frozenset[str]]:
    """Sets of names that make at most so many groups, each set as large as can be.

    Every name that alone makes no more is in one of them, up to `MOST` sets.
    """
    left = [name for name in names if groups(frozenset({name})) <= most]
    found: list[frozenset[str]] = []
    while left and len(found) < MOST:
        chosen = frozenset({left[0]})
        for name in names:
            if groups(chosen | {name}) <= most:
                chosen |= {name}
        found.append(chosen)
        left = [name for name in left if name not in chosen]
    return found


def _paths(catalog: Catalog, fact: str) -> dict[str, str]:
    """What a rollup of a fact may be cut by, the day first: nothing personal, nothing hidden."""
    known = (catalog.dimensions[name] for name in catalog.askable_dimensions)
    paths = {each.name: each.paths[fact] for each in known if fact in each.paths and not each.is_personal}
    return {DATE: catalog.dimensions[DATE].paths[fact], **paths}


def _sample(connection: duckdb.DuckDBPyConnection, model: SemanticModel, fact: str, paths: Mapping[str, str]) -> bool:
    """Make the table `sample`: the rows of a few days, grouped by everything; False without days."""
    whole = Scan(fact=fact, keys=_keys(model, {DATE: paths[DATE]}))
    found = connection.execute(f"SELECT {quote(DATE)} FROM ({model.scan(whole)}) WHERE {quote(DATE)} IS NOT NULL")
    days = sorted(row[0] for row in found.fetchall())
    if not days:
        return False
    chosen = sorted({days[n * (len(days) - 1) // max(1, _SAMPLED_DAYS - 1)] for n in range(_SAMPLED_DAYS)})
    condition = Condition(name=DATE, type="date", op="in", count=len(chosen), parameter="day")
    scan = replace(whole, keys=_keys(model, paths), conditions=((condition, paths[DATE]),))
    sql = with_values(model.scan(scan), dict(zip(condition.parameters, chosen, strict=True)))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE sample AS {sql}")
    return True


def _keys(model: SemanticModel, paths: Mapping[str, str]) -> tuple[tuple[Key, str], ...]:
    types = {name: model.catalog.dimensions[name].type for name in paths}
    return tuple(
        (Key(name, types[name], "day" if types[name] == "date" else None), path) for name, path in paths.items()
    )


def _make(
    connection: duckdb.DuckDBPyConnection, model: SemanticModel, choice: Choice, measures: Mapping[str, str]
) -> PublishedRollup:
    """Make one rollup: from the fact, or from another rollup where the model reads that."""
    scan = Scan(fact=choice.fact, keys=_keys(model, choice.dimensions), measures=tuple(measures))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE made AS {model.scan(scan)}")
    gives = {row[0]: row[1] for row in connection.execute("DESCRIBE made").fetchall()}
    kept = {**measures, row_count_column(choice.fact): "SUM"}
    columns = [f"{quote(each)} AS {quote(_dimension_column(each))}" for each in choice.dimensions]
    types = {each: _narrow(connection, each, gives[each]) if by == "SUM" else gives[each] for each, by in kept.items()}
    columns += [f"CAST({quote(each)} AS {type_}) AS {quote(_measure_column(each))}" for each, type_ in types.items()]
    table = f"{CATALOG}.main.{quote(choice.name)}"
    order = ", ".join(quote(_dimension_column(each)) for each in choice.dimensions)
    connection.execute(f"CREATE TABLE {table} AS SELECT {', '.join(columns)} FROM made ORDER BY {order}")
    connection.execute("DROP TABLE made")
    return PublishedRollup(
        fact=choice.fact,
        dimensions=dict(choice.dimensions),
        measures=kept,
        counts=tuple(each for each in kept if gives[each] == "BIGINT" and kept[each] == "SUM"),
        table=describe_tables(connection, choice.name, catalog=CATALOG),
    )


def _measures(
    connection: duckdb.DuckDBPyConnection, model: SemanticModel, definitions: RunDefinitions, fact: str
) -> dict[str, str]:
    """The measures of a fact whose parts give exactly the whole, each with the aggregate that does so."""
    return {
        name: metric.adds_up
        for name, metric in model.catalog.metrics.items()
        if metric.fact == fact and metric.adds_up and _is_exact(connection, definitions, metric)
    }


def _is_exact(connection: duckdb.DuckDBPyConnection, definitions: RunDefinitions, metric: Metric) -> bool:
    """Whether nothing is lost by adding up parts: of doubles, the sum depends on the order unless they are whole."""
    if metric.kind != "sum":
        return True
    model = definitions.models[metric.fact or ""]
    expression = model.measures[metric.name]
    if metric.type != "number":
        return expression.endswith(".sum()")
    column = _PLAIN.fullmatch(expression)
    if column is None:
        return False
    value = quote(column[1])
    is_whole = f"{value} = TRUNC({value}) AND ABS({value}) < {_LARGEST}"
    return not _one(connection, f"SELECT COUNT(*) FROM {quote(model.table)} WHERE NOT ({is_whole})")


def _narrow(connection: duckdb.DuckDBPyConnection, column: str, type_: str) -> str:
    """A type of half the size that holds every value; their sum has the same type as that of the wide ones."""
    narrow = {"HUGEINT": "BIGINT"}.get(type_) or re.sub(r"^DECIMAL\(38,", "DECIMAL(18,", type_)
    if narrow == type_:
        return type_
    sql = f"SELECT COUNT({quote(column)}) - COUNT(TRY_CAST({quote(column)} AS {narrow})) FROM made"
    return type_ if _one(connection, sql) else narrow


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:  # Any: the only value of a statement
    return connection.execute(sql).fetchall()[0][0]
