"""Random catalogs: facts, tables along many-to-one chains, conformed dimensions, measures of every kind, formulas.

Each is written twice: as definitions like those of a published run, and as a `GroundTruth` for the reference evaluator.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from pipeline.publish.run_files import COVERAGE, DEFINITIONS
from semantic.answering.run_query import run_query
from semantic.answering.semantic_model import SemanticModel, load_model
from semantic.catalog.coverage import SourceCoverage, coverage_json
from semantic.catalog.day_set import DaySet
from semantic.catalog.expression import ADDS_UP, MetricKind, measure_of
from semantic.catalog.run_definitions import VERSION, RunDefinitions
from semantic.planning.query import Answer, Query
from tests.semantic import reference
from tests.semantic.reference import GroundTruth, Measure, own, percentile, via

TODAY = date(2026, 4, 15)
_FACT = {
    "day": "DATE",
    "money": "DECIMAL(18,6)",
    "number": "BIGINT",
    "part": "DOUBLE",
    "who": "VARCHAR",
    "flag": "BOOLEAN",
    "label": "VARCHAR",
    "currency": "VARCHAR",
    "due": "DATE",
}
_TABLE = {"id": "VARCHAR", "name": "VARCHAR", "label": "VARCHAR", "is_large": "BOOLEAN", "born": "DATE"}
_DAYS = st.sampled_from(
    [
        *(date(2023, 2, 28), date(2024, 1, 31), date(2024, 2, 9), date(2024, 2, 28), date(2024, 2, 29)),
        *(date(2025, 12, 28), date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 4), date(2026, 1, 5)),
        *(date(2026, 1, 18), date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 14), date(2026, 2, 28)),
        *(date(2026, 3, 1), date(2026, 3, 28), date(2026, 3, 29), date(2026, 3, 30), date(2026, 3, 31)),
        *(date(2026, 4, 1), date(2026, 4, 15)),
    ]
)
_LABELS = st.sampled_from(["red", "Red", "blue sky", "2026-01-01", "other", "100%", "Ärger", None])
_IDS = st.sampled_from(["1", "2", "3", "lost", "lost too", None])
_MONEY = st.one_of(st.none(), st.integers(-500, 10_000).map(lambda cents: Decimal(cents) / 100))

MeasureSpec = tuple[str, str, str, str]
"""The measure's expression, kind, type and unit."""


def _spec(
    kind: MetricKind, value: str | None, type_: str, unit: str = "count", *, where: str | None = None
) -> MeasureSpec:
    return measure_of(kind, value, where=where, percent=90), kind, type_, unit


def _any(row: dict[str, Any]) -> bool:
    return True


def _flagged(row: dict[str, Any]) -> bool:
    return bool(row["flag"])


_MEASURES: dict[str, tuple[MeasureSpec, Any, str | None]] = {
    "rows": (_spec("count", None, "integer"), reference.count(), "sum"),
    "flagged": (_spec("count", None, "integer", where="_.flag"), reference.count(_flagged), "sum"),
    "money": (_spec("sum", "_.money", "decimal", "currency"), reference.total("money"), "sum"),
    "flagged_money": (
        _spec("sum", "_.money", "decimal", "currency", where="_.flag"),
        reference.total("money", _flagged),
        "sum",
    ),
    "number": (_spec("sum", "_.number", "integer"), reference.total("number"), "sum"),
    "part": (_spec("sum", "_.part", "number"), reference.total("part"), "sum"),
    "people": (_spec("count_distinct", "_.who", "integer"), reference.distinct("who"), None),
    "flagged_people": (
        _spec("count_distinct", "_.who", "integer", where="_.flag"),
        reference.distinct("who", _flagged),
        None,
    ),
    "lowest": (_spec("minimum", "_.number", "integer"), reference.known("number", _any, min), "pick"),
    "highest": (_spec("maximum", "_.money", "decimal", "currency"), reference.known("money", _any, max), "pick"),
    "flagged_highest": (
        _spec("maximum", "_.number", "integer", where="_.flag"),
        reference.known("number", _flagged, max),
        "pick",
    ),
    "middle": (_spec("median", "_.money", "number", "currency"), reference.known("money", _any, percentile(50)), None),
    "flagged_middle": (
        _spec("median", "_.number", "number", where="_.flag"),
        reference.known("number", _flagged, percentile(50)),
        None,
    ),
    "ninetieth": (
        _spec("percentile", "_.number", "number"),
        reference.known("number", _any, percentile(90)),
        None,
    ),
}


@dataclass(frozen=True)
class Catalog:
    """A made-up catalog: definitions to publish, tables to fill, and its meaning in Python."""

    definitions: RunDefinitions
    columns: dict[str, dict[str, str]]
    """By table: its columns and their types."""
    truth: GroundTruth

    @property
    def numbers(self) -> tuple[str, ...]:
        """The metrics that filters may name: sums and counts, whose values are exact."""
        return tuple(name for name in self.truth.measures if not name.endswith(("part", "middle", "ninetieth")))

    def load(self, folder: Path) -> SemanticModel:
        run_dir = folder / "20260415T000000000000Z_abcdef"
        run_dir.mkdir(parents=True, exist_ok=True)
        (run_dir / DEFINITIONS).write_text(self.definitions.model_dump_json(by_alias=True), encoding="utf-8")
        days = DaySet.of([(date(2020, 1, 1), date(2026, 12, 31))])
        covered = (SourceCoverage(fact=fact, platform=None, account=None, days=days) for fact in self.truth.days)
        (run_dir / COVERAGE).write_text(coverage_json(covered), encoding="utf-8")
        return load_model(run_dir)

    def fill(self, connection: duckdb.DuckDBPyConnection) -> None:
        for table, columns in self.columns.items():
            typed = ", ".join(f'"{name}" {type_}' for name, type_ in columns.items())
            connection.execute(f'CREATE OR REPLACE TABLE "{table}" ({typed})')
            rows = [f"({', '.join(_literal(row[name]) for name in columns)})" for row in self.truth.rows[table]]
            if rows:
                connection.execute(f'INSERT INTO "{table}" VALUES {", ".join(rows)}')


def ask(model: SemanticModel, connection: duckdb.DuckDBPyConnection, query: Query) -> Answer:
    return run_query(query, model, connection, today=TODAY)


@st.composite
def catalogs(draw: DrawFn) -> Catalog:
    tables = [f"t{n}" for n in range(draw(st.integers(0, 3)))]
    facts = [f"f{n}" for n in range(draw(st.integers(1, 3)))]
    parents = {table: tables[n + 1] for n, table in enumerate(tables[:-1]) if draw(st.booleans())}
    keys = {fact: draw(st.lists(st.sampled_from(tables), unique=True)) if tables else [] for fact in facts}
    columns = {table: {**_TABLE, **({"parent": "VARCHAR"} if table in parents else {})} for table in tables}
    columns |= {fact: {**_FACT, **{f"{table}_id": "VARCHAR" for table in keys[fact]}} for fact in facts}
    ways = {fact: _ways(keys[fact], parents) for fact in facts}
    dimensions = _dimensions(draw, facts, tables, ways)
    measures = {
        f"{fact}_{name}": (fact, *_MEASURES[name])
        for fact in facts
        for name in draw(st.lists(st.sampled_from(list(_MEASURES)), min_size=2, max_size=5, unique=True))
    }
    formulas = _formulas(draw, measures)
    is_paid = draw(st.booleans())
    costs = frozenset(name for name, (_, said, _, _) in measures.items() if is_paid and said == _MEASURES["money"][0])
    meanings = {"label": {fact: draw(st.sampled_from(["ink", "ink", "paint"])) for fact in facts}}
    week_start = draw(st.sampled_from(["monday", "sunday", "saturday", "wednesday"]))
    rows = {table: _table_rows(draw, table in parents) for table in tables}
    codes = draw(st.sampled_from([["EUR"], ["EUR"], ["EUR", "USD"], ["EUR", "USD", None]]))
    rows |= {fact: draw(st.lists(_fact_rows(keys[fact], codes), max_size=9)) for fact in facts}
    truth = GroundTruth(
        rows=rows,
        days=dict.fromkeys(facts, "day"),
        measures={name: Measure(fact, of, adds_up) for name, (fact, _, of, adds_up) in measures.items()},
        formulas=formulas,
        dimensions={name: dict(readers) for name, (_, readers) in dimensions.items()},
        meanings=meanings,
        money=frozenset(name for name, (_, (_, _, _, unit), _, _) in measures.items() if unit == "currency"),
        costs=costs,
        flags=frozenset(name for name in dimensions if name == "flag" or name.endswith("is_large")),
        dates=frozenset(name for name in dimensions if name in ("date", "due") or name.endswith("born")),
        week_start=["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"].index(week_start),
    )
    definitions = {
        "version": VERSION,
        "tenant": "made_up",
        "time_zone": "UTC",
        "week_start": week_start,
        "currency": "EUR",
        "funnel": [],
        "tables": columns,
        "models": {**_table_models(tables, parents), **_fact_models(facts, keys, measures, dimensions)},
        "facts": {fact: _fact(fact, rows[fact]) for fact in facts},
        "metrics": _metrics(measures, formulas, costs),
        "dimensions": {
            name: {
                "description": name,
                "type": "date" if name in truth.dates else "boolean" if name in truth.flags else "text",
                "role": "category",
                "paths": paths,
                **({"meanings": meanings[name]} if name in meanings else {}),
            }
            for name, (paths, _) in dimensions.items()
        },
    }
    return Catalog(RunDefinitions.model_validate(definitions), columns, truth)


Ways = dict[str, tuple[str, ...]]
"""To each table, the tables to join on the way, itself included."""


def _ways(keys: list[str], parents: dict[str, str]) -> Ways:
    """The shortest way to each table that a fact reaches."""
    found: Ways = {key: (key,) for key in keys}
    for key in keys:
        way, at = (key,), key
        while at in parents:
            at = parents[at]
            way = (*way, at)
            if at not in found or len(way) < len(found[at]):
                found[at] = way
    return found


def _dimensions(draw: DrawFn, facts: list[str], tables: list[str], ways: dict[str, Ways]) -> dict[str, Any]:
    """By name: the paths of the definitions, and the readers of the ground truth."""
    found: dict[str, Any] = {
        "date": (dict.fromkeys(facts, "date"), {fact: own("day") for fact in facts}),
        "currency": (dict.fromkeys(facts, "currency"), {fact: own("currency") for fact in facts}),
    }
    holders = [fact for fact in facts if draw(st.booleans())]
    if holders:
        found["flag"] = (dict.fromkeys(holders, "flag"), {fact: own("flag") for fact in holders})
    labelled = [fact for fact in facts if draw(st.booleans())]
    paths = dict.fromkeys(labelled, "label")
    readers = {fact: own("label") for fact in labelled}
    for fact in facts:
        if fact not in labelled and ways[fact]:
            table = min(ways[fact])
            paths[fact] = ".".join((*ways[fact][table], "label"))
            readers[fact] = _reader(ways[fact][table], "label")
    if paths:
        found["label"] = (paths, readers)
    for table in tables:
        reached = [fact for fact in facts if table in ways[fact]]
        if reached:
            for column in ("name", "is_large", "born"):
                found[f"{table}_{column}"] = (
                    {fact: ".".join((*ways[fact][table], f"{table}_{column}")) for fact in reached},
                    {fact: _reader(ways[fact][table], column) for fact in reached},
                )
    return found


def _reader(way: tuple[str, ...], column: str) -> Any:
    read: Any = own(column)
    for table, key in reversed([(table, f"{table}_id" if n == 0 else "parent") for n, table in enumerate(way)]):
        read = via(key, table, "id", read)
    return read


def _table_models(tables: list[str], parents: dict[str, str]) -> dict[str, Any]:
    return {
        table: {
            "table": table,
            "description": table,
            "dimensions": {
                **{f"{table}_{column}": f"_.{column}" for column in ("name", "is_large", "born")},
                "label": "_.label",
            },
            **({"joins": {parents[table]: _join(parents[table], "parent")}} if table in parents else {}),
        }
        for table in tables
    }


def _fact_models(
    facts: list[str], keys: dict[str, list[str]], measures: dict[str, Any], dimensions: dict[str, Any]
) -> dict[str, Any]:
    return {
        fact: {
            "table": fact,
            "description": fact,
            "dimensions": {
                name: f"_.{'day' if name == 'date' else name}"
                for name, (paths, _) in dimensions.items()
                if "." not in paths.get(fact, ".")
            },
            "measures": {name: said[0] for name, (of, said, _, _) in measures.items() if of == fact},
            "joins": {table: _join(table, f"{table}_id") for table in keys[fact]},
        }
        for fact in facts
    }


def _join(table: str, column: str) -> dict[str, str]:
    return {"model": table, "type": "one", "left_on": column, "right_on": "id"}


def _formulas(draw: DrawFn, measures: dict[str, Any]) -> dict[str, Any]:
    """Arithmetic over measures of any facts."""
    leaf = st.sampled_from(list(measures))
    number = st.sampled_from([Decimal(2), Decimal("0.5"), Decimal(1000)])
    ratio = st.tuples(st.just("/"), leaf, leaf)
    scaled = st.tuples(st.sampled_from(["*", "/"]), leaf, number)
    nested = st.tuples(st.sampled_from(["+", "-", "*", "/"]), ratio | leaf, scaled | leaf)
    drawn = draw(st.lists(ratio | scaled | nested, max_size=3))
    return {f"made_{n}": formula for n, formula in enumerate(drawn)}


def _metrics(measures: dict[str, Any], formulas: dict[str, Any], costs: frozenset[str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: {
            "description": name,
            "fact": fact,
            "kind": said[1],
            "type": said[2],
            "unit": said[3],
            "adds_up": ADDS_UP[said[1]],
            "is_cost": name in costs,
        }
        for name, (fact, said, _, _) in measures.items()
    }
    for name, formula in formulas.items():
        written = reference.written(formula)
        made = {"type": "number", "unit": None, "kind": "derived", "adds_up": "none"}
        found[name] = {"description": name, "expression": written, **made}
    return found


def _fact(fact: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    days = sorted(row["day"] for row in rows)
    return {
        "date": "day",
        "rows": len(rows),
        "first_date": days[0].isoformat() if days else None,
        "last_date": days[-1].isoformat() if days else None,
        "currencies": sorted({row["currency"] for row in rows if row["currency"]}),
        "rows_without_currency": 0,
        "time_zones": ["UTC"],
    }


def _table_rows(draw: DrawFn, has_parent: bool) -> list[dict[str, Any]]:
    ids = draw(st.lists(st.sampled_from(["1", "2", "3"]), unique=True))
    return [
        {
            "id": id_,
            "name": draw(_LABELS),
            "label": draw(_LABELS),
            "is_large": draw(st.sampled_from([True, False, None])),
            "born": draw(st.one_of(st.none(), _DAYS)),
            **({"parent": draw(_IDS)} if has_parent else {}),
        }
        for id_ in ids
    ]


def _fact_rows(keys: list[str], codes: list[str | None]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "day": _DAYS,
            "money": _MONEY,
            "number": st.one_of(st.none(), st.integers(-3, 20)),
            "part": st.one_of(st.none(), st.integers(0, 40).map(lambda n: n / 4)),
            "who": st.sampled_from(["a", "b", "c", None]),
            "flag": st.sampled_from([True, False, None]),
            "label": _LABELS,
            "currency": st.sampled_from(codes),
            "due": st.one_of(st.none(), _DAYS),
            **{f"{table}_id": _IDS for table in keys},
        }
    )


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int | float | Decimal) else "'" + str(value).replace("'", "''") + "'"
