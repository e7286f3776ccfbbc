"""Rows of BigQuery's REST API: `{"f": [{"v": ...}]}`, values by position, with names and types in a schema beside them.

Source: cloud.google.com/bigquery/docs/reference/rest, jobs.query and tabledata.list: all scalars are text, a TIMESTAMP
is in seconds since 1970, a repeated value is a list of `{"v": ...}`, a RECORD is an object with `f` again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from pipeline.ingest.envelopes.items import Texts
from pipeline.ingest.values.unreadable import Unreadable

Json = Any  # a value of json.loads


def records_of_rows(items: Iterable[Texts]) -> Iterator[Texts]:
    """The records of query responses.

    Raises:
        Unreadable: Rows come without their schema.
    """
    position = 1
    for _, texts in items:
        records: list[str] = []
        for text in texts.to_pylist():
            if text and text.strip():
                records += [json.dumps(record, ensure_ascii=False) for record in _records(json.loads(text))]
        yield position, pa.array(records, pa.string())
        position += len(records)


def _records(page: Json) -> list[Json]:
    fields = page.get("schema", {}).get("fields") if isinstance(page, dict) else None
    rows = page.get("rows", []) if isinstance(page, dict) else None
    if not isinstance(fields, list) or not isinstance(rows, list):
        raise Unreadable(
            'it holds rows of BigQuery, {"f": [{"v": ...}]}, without the schema that names their values; bring the '
            "whole response of the query, with its schema, or an export as newline-delimited JSON (bq extract)"
        )
    return [_record(row, fields) for row in rows]


def _record(row: Json, fields: list[Json]) -> Json:
    cells = row.get("f") if isinstance(row, dict) else None
    if not isinstance(cells, list) or len(cells) != len(fields):
        raise Unreadable("a row of BigQuery has another number of values than its schema has fields")
    return {field["name"]: _value(cell.get("v"), field) for cell, field in zip(cells, fields, strict=True)}


def _value(value: Json, field: Json) -> Json:
    if value is None:
        return None
    if field.get("mode") == "REPEATED" and isinstance(value, list):
        single = field | {"mode": "NULLABLE"}
        return [_value(each.get("v") if isinstance(each, dict) else each, single) for each in value]
    kind = field.get("type")
    if kind in ("RECORD", "STRUCT"):
        return _record(value, field.get("fields", []))
    if kind == "TIMESTAMP":
        return _moment(value)
    if kind in ("BOOLEAN", "BOOL"):
        return str(value).lower() == "true"
    return value


def _moment(value: str) -> str:
    """A TIMESTAMP as ISO 8601 in UTC; text of another form is unchanged, a fault later."""
    try:
        micros = int(Decimal(value) * 1_000_000)
    except ArithmeticError:
        return value
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
