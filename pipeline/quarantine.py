"""Records that do not convert: why, in words, and their text, kept apart until somebody has looked."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pyarrow as pa
from pydantic import ValidationError

from pipeline.contracts.fields import Contract
from pipeline.errors import shorten
from pipeline.formats import LINE, RECORD, WRONG
from pipeline.formats.texts import NOT_UTF8
from pipeline.formats.wire import NO_RECORD

LONGEST_RECORD = 10_000  # characters
EXPLAINED = 10_000
"""Records of one file that are explained in Pydantic's words; those beyond keep the shorter ones of the check."""


@dataclass(frozen=True)
class Refusal:
    """One record, or with neither line nor record a whole file, and why it is in quarantine."""

    line: int | None
    reason: str
    record: str | None


def refusals(wrong: pa.Table, contract: type[Contract], *, already: int) -> list[Refusal]:
    """The records of a batch that do not convert; `already` came before them in the file."""
    return [
        Refusal(line, explain(contract, why, text) if already + number < EXPLAINED else why, text)
        for number, (line, why, text) in enumerate(
            zip(*(wrong[name].to_pylist() for name in (LINE, WRONG, RECORD)), strict=True)
        )
    ]


def explain(contract: type[Contract], why: str, text: str) -> str:
    """Why a record does not convert: its first error by the contract, with the value; else what the check found."""
    if text.startswith(NOT_UTF8):
        return "not UTF-8 text"
    if why == NO_RECORD:
        return _no_record(text)
    if why.endswith(" is missing"):
        return why
    try:
        contract.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        if first["loc"]:
            message = first["msg"].removeprefix("Value error, ")
            return shorten(f"{'.'.join(str(part) for part in first['loc'])}: {message}", 300)
    return why


def _no_record(text: str) -> str:
    try:
        value = json.loads(text)
    except ValueError as error:
        return f"not JSON: {error}"
    return f"a record is a JSON object, not {shorten(json.dumps(value), 40)}"


def as_table(refused: list[Refusal]) -> pa.Table:
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
