"""Marks: values by which records of an object are told from others of the same vendor that have the same fields.

A connector declares them in its `recognition.py` as `MARKS`: object -> field -> a regular expression that the field's
text matches wherever a record has it; NEVER for a field that records of the object never have. And as `PROOFS`: object
-> fields of which the records have one, where without any of them they are taken for those of a sibling.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import pyarrow as pa

from pipeline.contracts.connector import connector_part
from pipeline.contracts.registry import Blueprint
from pipeline.ingest.values.wire_values import EXTRA

NEVER = "(?!)"
"""A mark that no text matches."""
RECORDS = 100
"""Records of a batch that are looked at."""

Marks = Mapping[str, str]


def marks_of(blueprint: Blueprint) -> Marks:
    """The marks of an object; none where its fields alone tell it."""
    declared: Mapping[str, Marks] = connector_part(_folder_of(blueprint), "recognition", "MARKS") or {}
    return declared.get(blueprint.object, {})


def proofs_of(blueprint: Blueprint) -> tuple[str, ...]:
    """The fields of which records of an object have one; none where others tell it."""
    declared: Mapping[str, tuple[str, ...]] = connector_part(_folder_of(blueprint), "recognition", "PROOFS") or {}
    return declared.get(blueprint.object, ())


def unproven_by(rows: pa.Table, proofs: tuple[str, ...]) -> str | None:
    """The first of these fields where landing rows have none of them; None where they have one, or none is needed."""
    has_one = any(name in rows.column_names and rows[name].null_count < rows.num_rows for name in proofs)
    return None if has_one or not proofs else proofs[0]


def _folder_of(blueprint: Blueprint) -> str:
    """The connector that declares a contract: that of the module it is written in."""
    return blueprint.contract.__module__.split(".")[-2]


def alien_field(rows: pa.Table, marks: Marks) -> str | None:
    """The field by which landing rows are not of the object with these marks; None where they are."""
    if not marks or EXTRA not in rows.column_names:  # rows that do not parse have no fields
        return None
    for row in rows.select([*(set(marks) & set(rows.column_names)), EXTRA]).slice(0, RECORDS).to_pylist():
        fields = json.loads(row.pop(EXTRA) or "{}") | {name: value for name, value in row.items() if value is not None}
        for name, mark in marks.items():
            if fields.get(name) is not None and not re.search(mark, _text(fields[name])):
                return name
    return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
