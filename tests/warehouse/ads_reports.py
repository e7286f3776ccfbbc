"""Helpers of the tests of ad connectors: files as they land, cases as they come out, totals to compare."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from pipeline.config.engine_cases import unit_test_cases
from pipeline.config.tenant import Tenant
from pipeline.contracts.fields import wire_type
from pipeline.contracts.sql import quote, whole_record
from pipeline.ingest.formats.reader import Reader
from tests.warehouse.engine_fixture import BLUEPRINTS, Answer, a_source, run_engine
from warehouse.projects.unit_tests import resolve_expected

METRICS = ("spend", "impressions", "clicks", "conversions")


@dataclass(frozen=True)
class Landed:
    """The records of a file: payloads as they would land, and why the others would not."""

    good: list[dict[str, Any]]
    wrong: list[str]


def landed(platform: str, name: str, path: Path) -> Landed:
    """Read a file by the real readers."""
    blueprint = BLUEPRINTS[platform, name]
    good: list[dict[str, Any]] = []
    wrong: list[str] = []
    with duckdb.connect(config={"threads": 1}) as con, TemporaryDirectory() as folder:
        con.execute("set TimeZone = 'UTC'")
        for batch in Reader(con, blueprint.contract, Path(folder)).read(path):
            con.register("good", batch.good)
            typed = ", ".join(
                f"{quote(field)}::{wire_type(shape)} as {quote(field)}" for field, shape in blueprint.shape
            )
            rows = f"select {typed}, _extra, _source_line from good"
            payloads = con.execute(
                f"select {whole_record(blueprint.shape)} from ({rows}) order by _source_line"
            ).fetchall()
            good += [_without_nulls(json.loads(payload)) for (payload,) in payloads]
            wrong += batch.wrong["_wrong"].to_pylist()
    return Landed(good, wrong)


def _without_nulls(value: Any) -> Any:
    """A payload without its NULLs."""
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value


def case_and_answer(platform: str, macro: str) -> tuple[Answer, Answer]:
    """What a case expects, and what its engine makes of its records: the columns of the case, in one order."""
    case = unit_test_cases(platform)[macro](None)
    answer = run_engine(macro, case.records, platform=platform, history=case.records, canonical=case.canonical)
    source = a_source(platform)
    expected = resolve_expected(case, Tenant(slug="t", business_name="T", sources=(source,)), source)
    columns = list(expected[0])
    return _sorted(expected, columns), _sorted(answer, columns)


def _sorted(rows: Iterable[Mapping[str, Any]], columns: list[str]) -> Answer:
    plain = [{name: _plain(row[name]) for name in columns} for row in rows]
    return sorted(plain, key=repr)


def _plain(value: Any) -> Any:
    """Numbers as floats, times as text: as a case writes them."""
    if isinstance(value, bool | str) or value is None:
        return value.removesuffix("000") if isinstance(value, str) and "." in value else value
    return float(value) if isinstance(value, int | float | Decimal) else _plain(str(value))


def counted(rows: Iterable[Mapping[str, Any]], *by: str) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Sums of the metrics over the rows that count, by some columns; NULL where no row says a metric."""
    sums: dict[tuple[Any, ...], list[Any]] = {}
    for row in rows:
        if row["is_counted"]:
            total = sums.setdefault(tuple(row[name] for name in by), [None] * len(METRICS))
            for place, metric in enumerate(METRICS):
                if row[metric] is not None:
                    total[place] = row[metric] if total[place] is None else total[place] + row[metric]
    return {key: tuple(total) for key, total in sums.items()}


def by_sql(query: str) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """A query's rows: its last columns are spend, impressions, clicks and conversions, the others their key."""
    with duckdb.connect() as con:
        return {row[: -len(METRICS)]: row[-len(METRICS) :] for row in con.execute(query).fetchall()}
