"""Records that do not convert: why, in words, and their text, kept apart until somebody has looked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import pyarrow as pa
from pydantic import ValidationError

from pipeline.contracts.fields import Contract, shape_of
from pipeline.errors import shorten
from pipeline.ingest.formats.json_texts import NOT_UTF8
from pipeline.ingest.formats.reader import LINE, RECORD, WRONG
from pipeline.ingest.formats.wire_values import NO_RECORD

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

LONGEST_RECORD = 10_000  # characters
EXPLAINED = 10_000
"""Records of one file that are explained in Pydantic's words; those beyond keep the shorter ones of the check."""


@dataclass(frozen=True)
class Rejection:
    """One record, or with neither line nor record a whole file, and why it is in quarantine."""

    line: int | None
    reason: str
    record: str | None
    fields: tuple[str, ...] = ()
    """Paths of the contract at fault, through lists too."""
    is_explained: bool = True
    """Otherwise `fields` is the first field at fault, without a path inside it."""


def rejections(wrong: pa.Table, contract: type[Contract], *, already: int) -> list[Rejection]:
    """The records of a batch that do not convert; `already` came before them in the file."""
    rows = zip(*(wrong[name].to_pylist() for name in (LINE, WRONG, RECORD)), strict=True)
    found = []
    for number, (line, why, text) in enumerate(rows, already):
        is_explained = number < EXPLAINED
        reason, fields = _explained(contract, why, text) if is_explained else (why, _named(contract, why))
        found.append(Rejection(line, reason, text, fields, is_explained))
    return found


def explain_rejection(contract: type[Contract], why: str, text: str) -> str:
    """Why a record does not convert: its first error by the contract, with the value; else what the check found."""
    return _explained(contract, why, text)[0]


def errors_of(contract: type[Contract], text: str) -> list[ErrorDetails]:
    """What Pydantic finds wrong with the values of a record."""
    try:
        contract.model_validate_json(text)
    except ValidationError as error:
        return [each for each in error.errors(include_url=False, include_context=False) if each["loc"]]
    return []


def path_of(error: ErrorDetails) -> str:
    """Where the value of an error stands, whatever its place in the lists on the way."""
    return ".".join(part for part in error["loc"] if isinstance(part, str))


def _explained(contract: type[Contract], why: str, text: str) -> tuple[str, tuple[str, ...]]:
    """Why a record does not convert, and the fields at fault."""
    if text.startswith(NOT_UTF8):
        return "not UTF-8 text", ()
    if why == NO_RECORD:
        return _no_record(text), ()
    errors = errors_of(contract, text)
    found = tuple(dict.fromkeys(map(path_of, errors)))
    if why.endswith(" is missing"):
        return why, (*_named(contract, why), *found)
    if not errors:
        return why, _named(contract, why)
    place = ".".join(str(part) for part in errors[0]["loc"])
    return shorten(f"{place}: {errors[0]['msg'].removeprefix('Value error, ')}", 300), found


@cache
def _named(contract: type[Contract], why: str) -> tuple[str, ...]:
    """The field that a finding of the check begins with, if it does."""
    path = why.partition(" is ")[0]
    return (path,) if path.partition(".")[0] in dict(shape_of(contract).fields) else ()


def _no_record(text: str) -> str:
    try:
        value = json.loads(text)
    except ValueError as error:
        return f"not JSON: {error}"
    return f"a record is a JSON object, not {shorten(json.dumps(value), 40)}"


def as_table(refused: list[Rejection]) -> pa.Table:
    """Rows of the quarantine table, records cut at their longest."""
    return pa.table(
        {
            "line": pa.array([refusal.line for refusal in refused], pa.int64()),
            "reason": pa.array([refusal.reason for refusal in refused], pa.string()),
            "record": pa.array(
                [refusal.record and shorten(refusal.record, LONGEST_RECORD) for refusal in refused], pa.string()
            ),
        }
    )
