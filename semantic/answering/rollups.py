"""Daily rollups: a fact aggregated by day and a few dimensions, read instead of the fact where the answer is the same.

`build_rollups` chooses and creates them when a run is published; `with_rollups` returns a model that reads them. Both
compile with `semantic.sql.fact_aggregate`, from the published definitions or from those of the rollup, so filters and
periods mean the same.

A rollup replaces a scan only when it has every dimension and every measure of it, and a measure is only in a rollup
when the values of parts give exactly that of the whole: sums of decimals and integers, minimum and maximum.
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
from pipeline.storage.build_memory import UNLIMITED, DuckDbMemory
from semantic.answering.answer_columns import with_values
from semantic.answering.semantic_model import MAX_STATEMENTS, SemanticModel, load_model, statements
from semantic.catalog.catalog import DATE, Catalog, Metric
from semantic.catalog.conditions import Condition
from semantic.catalog.run_definitions import RunDefinitions, TableModel, read_definitions
from semantic.definitions.found.join_keys import count_groups
from semantic.planning.plan import IDENTIFIER
from semantic.planning.query_shape import Key, Scan, row_count_column
from semantic.sql.fact_aggregate import aggregate
from semantic.sql.scan_tables import ScanTables
from semantic.sql.two_steps import dimension_column, measure_column

CATALOG = "rollups"
"""The name under which a run's file of rollups is attached."""
SMALL_ROWS = 100_000
"""A rollup with at most this many rows is fast enough; no narrower one of its dimensions is created."""
MAX_ROW_SHARES = (0.2, 0.01)
"""The largest share of a fact's rows that a rollup may have: for wide ones, and for narrow ones created from those."""
MAX_ROLLUPS = 3
"""The most rollups per fact and share."""
_SAMPLED_DAYS = 16
_EXACT_LIMIT = 2**40
"""Integers below this are added exactly as doubles, in any order and as many as a fact has."""
_PLAIN_SUM = re.compile(r"_\.(\w+)\.sum\(\)")


@dataclass(frozen=True)
class Choice:
    """A rollup to create."""

    name: str
    fact: str
    dimensions: Mapping[str, str]
    """Name to path, the day among them."""


def attach(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Attach a run's rollups to a connection and all its cursors."""
    connection.execute(f"ATTACH IF NOT EXISTS {literal(str(file))} AS {CATALOG} (READ_ONLY)")


def with_rollups(model: SemanticModel, rollups: Sequence[PublishedRollup]) -> SemanticModel:
    """Return the model with statements that read rollups where possible; to run them, attach the rollups first."""
    if not rollups:
        return model
    smallest_first = sorted(rollups, key=lambda rollup: rollup.table.rows)
    tables = {rollup.table.name: _tables(rollup) for rollup in rollups}

    @lru_cache(maxsize=MAX_STATEMENTS)
    def scan(original: Scan) -> str:
        rollup = next((rollup for rollup in smallest_first if covers(rollup, original)), None)
        return aggregate(_of_rollup(original), tables[rollup.table.name]) if rollup else model.scan(original)

    return replace(model, scan=scan, statement=statements(scan))


def covers(rollup: PublishedRollup, scan: Scan) -> bool:
    """Whether a rollup gives exactly the result of a scan of its fact."""
    paths = {key.name: path for key, path in scan.keys} | {each.name: path for each, path in scan.conditions}
    return (
        rollup.fact == scan.fact
        and rollup.measures.keys() >= set(scan.measures)
        and all(rollup.dimensions.get(name) == path for name, path in paths.items())
    )


def _of_rollup(scan: Scan) -> Scan:
    """Turn the scan of a fact into that of its rollup: each dimension is a column, and rows are already counted."""
    return replace(
        scan,
        keys=tuple((key, key.name) for key, _ in scan.keys),
        conditions=tuple((condition, condition.name) for condition, _ in scan.conditions),
        measures=(*scan.measures, row_count_column(scan.fact)),
    )


def _tables(rollup: PublishedRollup) -> ScanTables:
    """Describe a rollup for `aggregate`: a table of its own under the fact's name."""
    types = {column.name: column.type for column in rollup.table.columns}
    measures = {}
    for name, adds_up in rollup.measures.items():
        column = measure_column(name)
        expression = f"_.{column}.{adds_up.lower()}()"
        if (adds_up, types[column]) == ("SUM", "BIGINT") and name in rollup.counts:
            # a sum over no rows is NULL, a count 0; and the sum of BIGINT is HUGEINT: declared as such, and cast back
            types[column], expression = "HUGEINT", f"{expression}.fill_null(0).cast('int64')"
        measures[name] = expression
    model = TableModel(
        table=rollup.table.name,
        description=f"{rollup.fact} by {', '.join(rollup.dimensions)}.",
        dimensions={name: f"_.{dimension_column(name)}" for name in rollup.dimensions},
        measures=measures,
    )
    return ScanTables(
        columns={rollup.table.name: types},
        models={rollup.fact: model},
        days={rollup.fact: dimension_column(DATE)},
        determined={rollup.fact: rollup.determined},
        catalog=CATALOG,
    )


def build_rollups(
    run_dir: Path, target: Path, *, least_rows: int, memory: DuckDbMemory = UNLIMITED
) -> tuple[PublishedRollup, ...]:
    """Create the rollups of a run before it is published, in a file of their own; none without a large fact.

    Args:
        run_dir: Holds stars.duckdb and semantic.yml, both checked.
        target: The file to create; unused where no rollup was chosen.
        least_rows: Facts with fewer rows get none; half a million are read in a few milliseconds.
        memory: Of the DuckDB instance that makes them.

    Raises:
        duckdb.Error: There is not enough memory or disk for it.
    """
    model = load_model(run_dir)
    large = [name for name, fact in model.catalog.facts.items() if fact.rows >= least_rows]
    if not large:
        return ()
    definitions = read_definitions((run_dir / DEFINITIONS).read_bytes())
    spill = target.with_name("spill")
    with duckdb.connect(config={"temp_directory": str(spill), **memory}) as connection:
        connection.execute(f"ATTACH {literal(str(run_dir / STARS))} AS run (READ_ONLY)")
        connection.execute(f"ATTACH {literal(str(target))} AS {CATALOG}")
        connection.execute("USE run")
        choices = [choice for fact in large for choice in choose_rollups(connection, model, fact)]
        rollups = make_rollups(connection, model, definitions, choices)
        connection.execute(f"USE memory; DETACH {CATALOG}; DETACH run")
    shutil.rmtree(spill, ignore_errors=True)
    return rollups


def make_rollups(
    connection: duckdb.DuckDBPyConnection, model: SemanticModel, definitions: RunDefinitions, choices: Iterable[Choice]
) -> tuple[PublishedRollup, ...]:
    """Create rollups in the attached catalog of rollups; unqualified names are the run's tables."""
    rollups: list[PublishedRollup] = []
    measures: dict[str, dict[str, str]] = {}
    for choice in choices:
        if choice.fact not in measures:
            measures[choice.fact] = _measures(connection, model, definitions, choice.fact)
        rollups.append(_make_rollup(connection, with_rollups(model, rollups), choice, measures[choice.fact]))
    return tuple(rollups)


def choose_rollups(connection: duckdb.DuckDBPyConnection, model: SemanticModel, fact: str) -> Iterator[Choice]:
    """Choose rollups much smaller than their fact, wide ones first, over all dimensions that repeat often in a day."""
    paths = _paths(model.catalog, fact)
    if not _sample(connection, model, fact, paths):
        return
    rows = _single_value(connection, f"SELECT SUM({quote(row_count_column(fact))}) FROM sample")
    counts = ", ".join(f"COUNT(DISTINCT {quote(name)})" for name in paths)
    distinct = dict(zip(paths, connection.execute(f"SELECT {counts} FROM sample").fetchall()[0], strict=True))
    ordered = sorted((name for name in paths if name != DATE), key=lambda name: (distinct[name], name))

    @cache
    def groups(names: frozenset[str]) -> int:
        columns = ", ".join(quote(name) for name in sorted(names | {DATE}))
        return int(_single_value(connection, f"SELECT COUNT(*) FROM (SELECT DISTINCT {columns} FROM sample)"))

    sets: list[frozenset[str]] = []
    for names in (each for share in MAX_ROW_SHARES for each in _sets(ordered, groups, share * rows)):
        if not any(
            names <= wide and groups(wide) * model.catalog.facts[fact].rows <= SMALL_ROWS * rows for wide in sets
        ):
            sets.append(names)
    for n, names in enumerate(dict.fromkeys(sets), start=1):
        yield Choice(f"{fact}_{n}", fact, {name: paths[name] for name in (DATE, *ordered) if name in names | {DATE}})
    connection.execute("DROP TABLE sample")


def _sets(names: Sequence[str], groups: Callable[[frozenset[str]], int], most: float) -> list[frozenset[str]]:
    """Find sets of names with at most `most` groups, each set as large as possible.

    Every name that alone has no more groups is in one of them, up to `MAX_ROLLUPS` sets.
    """
    remaining = [name for name in names if groups(frozenset({name})) <= most]
    sets: list[frozenset[str]] = []
    while remaining and len(sets) < MAX_ROLLUPS:
        chosen = frozenset({remaining[0]})
        for name in names:
            if groups(chosen | {name}) <= most:
                chosen |= {name}
        sets.append(chosen)
        remaining = [name for name in remaining if name not in chosen]
    return sets


def _paths(catalog: Catalog, fact: str) -> dict[str, str]:
    """The dimensions that a rollup of a fact may have, with their paths, the day first: none personal or hidden."""
    dimensions = (catalog.dimensions[name] for name in catalog.askable_dimensions)
    paths = {each.name: each.paths[fact] for each in dimensions if fact in each.paths and not each.is_personal}
    return {DATE: catalog.dimensions[DATE].paths[fact], **paths}


def _sample(connection: duckdb.DuckDBPyConnection, model: SemanticModel, fact: str, paths: Mapping[str, str]) -> bool:
    """Create the table `sample`: the rows of a few days, grouped by all dimensions; False without days."""
    all_days = Scan(fact=fact, keys=_keys(model, {DATE: paths[DATE]}))
    rows = connection.execute(f"SELECT {quote(DATE)} FROM ({model.scan(all_days)}) WHERE {quote(DATE)} IS NOT NULL")
    days = sorted(row[0] for row in rows.fetchall())
    if not days:
        return False
    sampled = sorted({days[n * (len(days) - 1) // max(1, _SAMPLED_DAYS - 1)] for n in range(_SAMPLED_DAYS)})
    condition = Condition(name=DATE, type="date", op="in", count=len(sampled), parameter="day")
    scan = replace(all_days, keys=_keys(model, paths), conditions=((condition, paths[DATE]),))
    sql = with_values(model.scan(scan), dict(zip(condition.parameters, sampled, strict=True)))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE sample AS {sql}")
    return True


def _keys(model: SemanticModel, paths: Mapping[str, str]) -> tuple[tuple[Key, str], ...]:
    types = {name: model.catalog.dimensions[name].type for name in paths}
    return tuple(
        (Key(name, types[name], "day" if types[name] == "date" else None), path) for name, path in paths.items()
    )


def _make_rollup(
    connection: duckdb.DuckDBPyConnection, model: SemanticModel, choice: Choice, measures: Mapping[str, str]
) -> PublishedRollup:
    """Create one rollup: from the fact, or from another rollup where the model reads that."""
    scan = Scan(fact=choice.fact, keys=_keys(model, choice.dimensions), measures=tuple(measures))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE made AS {model.scan(scan)}")
    result_types = {row[0]: row[1] for row in connection.execute("DESCRIBE made").fetchall()}
    measure_aggregates = {**measures, row_count_column(choice.fact): "SUM"}
    columns = [f"{quote(each)} AS {quote(dimension_column(each))}" for each in choice.dimensions]
    types = {
        each: _narrow(connection, each, result_types[each]) if adds_up == "SUM" else result_types[each]
        for each, adds_up in measure_aggregates.items()
    }
    columns += [f"CAST({quote(each)} AS {type_}) AS {quote(measure_column(each))}" for each, type_ in types.items()]
    table = f"{CATALOG}.main.{quote(choice.name)}"
    order = ", ".join(quote(dimension_column(each)) for each in choice.dimensions)
    connection.execute(f"CREATE TABLE {table} AS SELECT {', '.join(columns)} FROM made ORDER BY {order}")
    connection.execute("DROP TABLE made")
    return PublishedRollup(
        fact=choice.fact,
        dimensions=dict(choice.dimensions),
        measures=measure_aggregates,
        counts=tuple(
            each for each in measure_aggregates if result_types[each] == "BIGINT" and measure_aggregates[each] == "SUM"
        ),
        determined=_determined(connection, model, choice, table),
        table=describe_tables(connection, choice.name, catalog=CATALOG),
    )


def _determined(
    connection: duckdb.DuckDBPyConnection, model: SemanticModel, choice: Choice, table: str
) -> dict[str, tuple[str, ...]]:
    """By dimension, the ids that determine it, such as a campaign's name: questions take it once for each id."""
    texts = [name for name in choice.dimensions if model.catalog.dimensions[name].type == "text"]
    found: dict[str, tuple[str, ...]] = {}
    for each in texts:
        if model.catalog.dimensions[each].role == IDENTIFIER:
            others = {dimension_column(name): name for name in texts if name != each}
            values, pairs = count_groups(connection, table, dimension_column(each), list(others))
            for name in (others[column] for column, count in pairs.items() if count == values):
                found[name] = (*found.get(name, ()), each)
    return found


def _measures(
    connection: duckdb.DuckDBPyConnection, model: SemanticModel, definitions: RunDefinitions, fact: str
) -> dict[str, str]:
    """The measures of a fact that add up exactly, each with its aggregate."""
    return {
        name: metric.adds_up
        for name, metric in model.catalog.metrics.items()
        if metric.fact == fact and metric.adds_up and _is_exact(connection, definitions, metric)
    }


def _is_exact(connection: duckdb.DuckDBPyConnection, definitions: RunDefinitions, metric: Metric) -> bool:
    """Whether adding up parts is exact: a sum of doubles depends on the order unless they are integers."""
    if metric.kind != "sum":
        return True
    model = definitions.models[metric.fact or ""]
    expression = model.measures[metric.name]
    if metric.type != "number":
        return expression.endswith(".sum()")
    column = _PLAIN_SUM.fullmatch(expression)
    if column is None:
        return False
    value = quote(column[1])
    is_whole = f"{value} = TRUNC({value}) AND ABS({value}) < {_EXACT_LIMIT}"
    return not _single_value(connection, f"SELECT COUNT(*) FROM {quote(model.table)} WHERE NOT ({is_whole})")


def _narrow(connection: duckdb.DuckDBPyConnection, column: str, type_: str) -> str:
    """Return a type of half the size if it holds every value; its sum has the same type as that of the wide type."""
    narrow = {"HUGEINT": "BIGINT"}.get(type_) or re.sub(r"^DECIMAL\(38,", "DECIMAL(18,", type_)
    if narrow == type_:
        return type_
    sql = f"SELECT COUNT({quote(column)}) - COUNT(TRY_CAST({quote(column)} AS {narrow})) FROM made"
    return type_ if _single_value(connection, sql) else narrow


def _single_value(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:  # Any: the only value of a statement
    return connection.execute(sql).fetchall()[0][0]
