"""The SQL that judges records in bulk and the contracts in Python say the same of every field, at every depth."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial

import duckdb
import pyarrow as pa
import pytest
from pydantic import ValidationError

from pipeline.contracts import CONTRACTS
from pipeline.contracts.fields import Contract, Leaf, Meaning, Record, Shape, shape_of
from pipeline.formats.json_file import rows_of_texts

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

SAMPLES = {
    Meaning.TEXT: "x",
    Meaning.DECIMAL: "1",
    Meaning.INTEGER: 1,
    Meaning.EPOCH_MICROS: 1611431281239472,
    Meaning.INSTANT: "2021-01-23T10:00:00Z",
    Meaning.DATE: "2021-01-23",
    Meaning.COMPACT_DATE: "20210123",
}

STRICTER = {Meaning.EPOCH_MICROS, Meaning.COMPACT_DATE, Meaning.DATE}
"""Here the check refuses more than the contract does: a range, and one way to write a date."""

TOO_LARGE = ("9223372036854775808", 10**20)
"""Whole numbers to Python, and to no column of 64 bits."""

Records = Iterator[tuple[str, Meaning | None, object, dict[str, object]]]


def records_with(shape: Shape, path: str, put: Callable[[object], dict[str, object]]) -> Records:
    """A record for every odd value at every place of a shape: (place, meaning of a scalar, the value, the record)."""
    for value in ODD:
        yield path, shape.meaning if isinstance(shape, Leaf) else None, value, put(value)
    inner = shape if isinstance(shape, Leaf | Record) else shape.of
    if isinstance(inner, Record):
        for name, member in inner:

            def deeper(value: object, name: str = name) -> dict[str, object]:
                held = {name: value}
                return put(held if isinstance(shape, Record) else [{}, held])

            yield from records_with(member, f"{path}.{name}", deeper)


def accepts(contract: type[Contract], record: dict[str, object]) -> bool:
    try:
        contract.model_validate_json(json.dumps(record))
    except ValidationError:
        return False
    return True


def cases_of(contract: type[Contract]) -> list[tuple[str, Meaning | None, object, dict[str, object]]]:
    shape = shape_of(contract)
    leaves = {name: inner for name, inner in shape if isinstance(inner, Leaf)}
    base: dict[str, object] = {name: SAMPLES[leaves[name].meaning] for name in contract.required}
    return [case for name, inner in shape for case in records_with(inner, name, partial(_with, base, name))]


def _with(base: dict[str, object], name: str, value: object) -> dict[str, object]:
    return base | {name: value}


@pytest.mark.parametrize("platform", CONTRACTS)
def test_the_check_and_the_contract_agree_about_odd_values_in_every_field(platform: str) -> None:
    for contract in CONTRACTS[platform].values():
        cases = cases_of(contract)
        texts = pa.array([json.dumps(record) for *_, record in cases])
        with duckdb.connect() as con:
            con.execute("set TimeZone = 'UTC'")
            judged = rows_of_texts(con, (1, texts), contract, set()).select(["_source_line", "_wrong"]).to_pylist()
        wrong = {row["_source_line"]: row["_wrong"] for row in judged}
        for number, (path, meaning, value, record) in enumerate(cases, 1):
            passes, expected = wrong[number] is None, accepts(contract, record)
            if path in contract.required and value is None:
                assert wrong[number] == f"{path} is missing"
            elif not (expected and (meaning in STRICTER or isinstance(value, bool) or value in TOO_LARGE)):
                assert passes == expected, (contract.__name__, path, value, wrong[number])
