"""The SQL that judges records in bulk and the contracts in Python say the same of every field, at every depth."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from pipeline.config.connector_catalog import load_catalog
from pipeline.contracts.connector import Connector
from pipeline.contracts.fields import Contract, Leaf, Meaning, Record, Shape, field_at, is_date_object, shape_of
from pipeline.ingest.formats.json_file import rows_of_texts
from pipeline.ingest.quarantine import errors_of

CATALOG = load_catalog(Path(__file__).parents[2] / "supported_connectors.yaml")

ODD: list[object] = [
    "a",
    "1",
    "1.0",
    "1.5",
    " 12 ",
    "1e3",
    "FALSE",
    "1,5",
    "nan",
    "inf",
    "0x10",
    "--1",
    "1000000000000",
    "9223372036854775808",
    "2021-01-23",
    "20210123",
    "2021-1-2",
    "2021-02-30",
    "infinity",
    "10000-01-01",
    "2021-01-23T10:00:00Z",
    "2021-01-23T10:00:00.5-0300",
    "2021-01-23T10:00:00",
    "2021-01-23 00:00:00",
    "2021-01-23 9:05:00",
    "Sat, 23 Jan 2021 10:00:00 +0100",
    "12.5%",
    "-",
    "- ",
    "1611431281",
    "1611431281239",
    "1611431281239472",
    "{",
    0,
    -5,
    1.5,
    1e20,
    10**20,
    True,
    None,
    {},
    {"a": 1},
    [],
    [1],
    [{}],
]

SAMPLES: dict[Meaning, object] = {
    Meaning.TEXT: "x",
    Meaning.DECIMAL: "1",
    Meaning.INTEGER: 1,
    Meaning.EPOCH_SECONDS: 1611431281,
    Meaning.EPOCH_MILLIS: 1611431281239,
    Meaning.EPOCH_MICROS: 1611431281239472,
    Meaning.INSTANT: "2021-01-23T10:00:00Z",
    Meaning.UTC_TIME: "2021-01-23T10:00:00",
    Meaning.LOCAL_TIME: "2021-01-23 10:00:00",
    Meaning.RFC_2822: "Sat, 23 Jan 2021 10:00:00 +0000",
    Meaning.DATE: "2021-01-23",
    Meaning.COMPACT_DATE: "20210123",
}

TOO_LARGE = ("9223372036854775808", 10**20)
"""Whole numbers to Python, and to no column of 64 bits."""

Records = Iterator[tuple[str, object, dict[str, object]]]


def records_with(shape: Shape, path: str, put: Callable[[object], dict[str, object]]) -> Records:
    """A record for every odd value at every place of a shape: (place, the value, the record)."""
    for value in ODD:
        yield path, value, put(value)
    inner = shape if isinstance(shape, Leaf | Record) else shape.of
    if isinstance(inner, Record):
        for name, member in inner:

            def deeper(value: object, name: str = name) -> dict[str, object]:
                held = {name: value}
                return put(held if isinstance(shape, Record) else [{}, held])

            yield from records_with(member, f"{path}.{name}", deeper)


def accepts(contract: type[Contract], record: dict[str, object]) -> bool:
    return not errors_of(contract, json.dumps(record))


def cases_of(contract: type[Contract]) -> list[tuple[str, object, dict[str, object]]]:
    shape = shape_of(contract)
    base: dict[str, Any] = {}
    for path in filter(None, (*contract.required, contract.date_field)):
        names, found = field_at(shape, path)
        value = SAMPLES[found.meaning] if isinstance(found, Leaf) else {"year": 2021, "month": 1, "day": 23}
        base = overlaid(base, nested(names, value))
    return [
        case
        for name, inner in shape
        for case in records_with(inner, name, lambda value, name=name: overlaid(base, {name: value}))  # type: ignore[misc]
    ]


def nested(names: tuple[str, ...], value: object) -> dict[str, object]:
    head, *rest = names
    return {head: nested(tuple(rest), value) if rest else value}


def overlaid(base: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    """A record with some fields changed; an object's own fields stay beside the changed ones."""
    return base | {
        name: overlaid(base[name], value)
        if isinstance(base.get(name), dict) and value and isinstance(value, dict)
        else value
        for name, value in changed.items()
    }


def is_placed(contract: type[Contract], record: dict[str, object]) -> bool:
    """Whether a record has its required fields, and an object that dates it says a day."""
    shape = shape_of(contract)
    is_complete = all(is_there(at(record, field_at(shape, path)[0])) for path in contract.required)
    names, dating = field_at(shape, contract.date_field) if contract.date_field else ((), shape)
    parts = [at(record, (*names, part)) for part in ("year", "month", "day")] if is_date_object(dating) else []
    return is_complete and (not any(is_there(part) for part in parts) or is_day(parts))


def at(record: object, names: tuple[str, ...]) -> object:
    for name in names:
        record = record.get(name) if isinstance(record, dict) else None
    return record


def is_there(value: object) -> bool:
    return value is not None and str(value).strip() != ""


def is_day(parts: list[object]) -> bool:
    try:
        return date(*(int(float(str(part))) for part in parts)).year >= 1000
    except (ValueError, OverflowError):
        return False


@pytest.mark.parametrize("connector", CATALOG.values(), ids=lambda connector: connector.name)
def test_the_check_and_the_contract_agree_about_odd_values_in_every_field(connector: Connector) -> None:
    for contract in connector.contracts.values():
        cases = cases_of(contract)
        texts = pa.array([json.dumps(record) for *_, record in cases])
        with duckdb.connect() as con:
            con.execute("set TimeZone = 'UTC'")
            judged = rows_of_texts(con, (1, texts), contract, set()).select(["_source_line", "_wrong"]).to_pylist()
        wrong = {row["_source_line"]: row["_wrong"] for row in judged}
        for number, (path, value, record) in enumerate(cases, 1):
            expected = accepts(contract, record) and is_placed(contract, record)
            if not (expected and (isinstance(value, bool) or value in TOO_LARGE)):
                assert (wrong[number] is None) == expected, (contract.__name__, path, value, wrong[number])
