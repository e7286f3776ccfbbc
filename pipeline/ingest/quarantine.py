"""Quarantine: records that do not convert, with the reason and their text, for review by an operator."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import pyarrow as pa
from pydantic import ValidationError

from pipeline.contracts.fields import Contract, shape_of
from pipeline.errors import shorten
from pipeline.ingest.admission.limits import RECORD_FIELDS
from pipeline.ingest.formats.json_texts import NOT_UTF8
from pipeline.ingest.formats.reader import LINE, RECORD, WRONG
from pipeline.ingest.values.wire_values import NO_RECORD

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

LONGEST_RECORD = 10_000  # characters
MAX_EXPLAINED = 10_000
"""Records of one file explained with Pydantic's messages; further ones keep the shorter message of the check."""


@dataclass(frozen=True)
class Rejection:
    """One record, or with neither line nor record a whole file, and the reason of its quarantine."""

    line: int | None
    reason: str
    record: str | None
    fields: tuple[str, ...] = ()
    """Paths of the failing fields of the contract, through lists too."""
    is_explained: bool = True
    """Otherwise `fields` is the first failing field, without a path inside it."""


def rejections(wrong: pa.Table, contract: type[Contract], *, already: int) -> list[Rejection]:
    """The records of a batch that do not convert; `already` came before them in the file."""
    rows = zip(*(wrong[name].to_pylist() for name in (LINE, WRONG, RECORD)), strict=True)
    rejected = []
    for number, (line, why, text) in enumerate(rows, already):
        is_explained = number < MAX_EXPLAINED
        reason, fields = _explained(contract, why, text) if is_explained else (why, _named(contract, why))
        rejected.append(Rejection(line, reason, text, fields, is_explained))
    return rejected


def explain_rejection(contract: type[Contract], why: str, text: str) -> str:
    """The reason why a record does not convert: its first contract error, with the value; else that of the check."""
    return _explained(contract, why, text)[0]


def errors_of(contract: type[Contract], text: str) -> list[ErrorDetails]:
    """Pydantic's errors about the values of a record, those of lenient fields apart."""
    try:
        contract.model_validate_json(text)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_context=False)
        return [each for each in errors if each["loc"] and not _is_lenient(contract, path_of(each))]
    return []


def _is_lenient(contract: type[Contract], path: str) -> bool:
    return any(path == field or path.startswith(f"{field}.") for field in contract.lenient)


def path_of(error: ErrorDetails) -> str:
    """The dotted path of an error's value, without its positions in lists."""
    return ".".join(part for part in error["loc"] if isinstance(part, str))


def _explained(contract: type[Contract], why: str, text: str) -> tuple[str, tuple[str, ...]]:
    """The reason why a record does not convert, and the failing fields."""
    if text.startswith(NOT_UTF8):
        return "not UTF-8 text", ()
    if why == NO_RECORD:
        return _no_record(text), ()
    errors = errors_of(contract, text)
    fields = tuple(dict.fromkeys(map(path_of, errors)))
    if why.endswith(" is missing"):
        return why, (*_named(contract, why), *fields)
    if not errors:
        return why, _named(contract, why)
    path = ".".join(str(part) for part in errors[0]["loc"])
    return shorten(f"{path}: {errors[0]['msg'].removeprefix('Value error, ')}", 300), fields


@cache
def _named(contract: type[Contract], why: str) -> tuple[str, ...]:
    """The field at the start of a finding of the check, if there is one."""
    path = why.partition(" is ")[0]
    return (path,) if path.partition(".")[0] in dict(shape_of(contract).fields) else ()


def _no_record(text: str) -> str:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        return f"not JSON: {error}"
    if isinstance(value, dict):
        return f"the record has {len(value):,} fields, and no more than {RECORD_FIELDS:,} are read"
    return f"a record is a JSON object, not {shorten(json.dumps(value), 40)}"


def as_table(rejected: list[Rejection]) -> pa.Table:
    """Rows of the quarantine table, with records cut at LONGEST_RECORD."""
    return pa.table(
        {
            "line": pa.array([each.line for each in rejected], pa.int64()),
            "reason": pa.array([each.reason for each in rejected], pa.string()),
            "record": pa.array(
                [each.record and shorten(each.record, LONGEST_RECORD) for each in rejected], pa.string()
            ),
        }
    )
