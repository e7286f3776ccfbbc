"""Messages of a Singer tap, or of an Airbyte source: one per line, of which the RECORDs hold records of a stream.

Source: github.com/singer-io/getting-started, its specification (SCHEMA, RECORD, STATE); pipelinewise's
ACTIVATE_VERSION: records of a stream with another version than the activated one are withdrawn. docs.airbyte.com,
Airbyte protocol: `{"type": "RECORD", "record": {"stream": ..., "data": {...}}}`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from pipeline.contracts.sql import literal
from pipeline.ingest.envelopes.items import Source, Texts
from pipeline.ingest.values.unreadable import Unreadable

MESSAGES = frozenset(
    {"SCHEMA", "RECORD", "STATE", "ACTIVATE_VERSION", "LOG", "SPEC", "CATALOG", "CONNECTION_STATUS", "TRACE", "CONTROL"}
)

_RECORD = "json_extract(line, '$.record')"
_IS_AIRBYTE = "json_exists(line, '$.record.data') and json_exists(line, '$.record.stream')"
_STREAM = f"json_extract_string(line, case when {_IS_AIRBYTE} then '$.record.stream' else '$.stream' end)"
_TYPE = "case when json_valid(line) then json_extract_string(line, '$.type') end"


@dataclass(frozen=True)
class _Stream:
    """The stream that is read, and the version of it that is in force."""

    name: str
    version: str | None


def records_of_messages(con: duckdb.DuckDBPyConnection, source: Source, objects: frozenset[str]) -> Iterator[Texts]:
    """The records of the stream of an object, each at its line; other messages become blank lines.

    Args:
        objects: The names that the object has: a stream of that name is read, else the only one.

    Raises:
        Unreadable: Several streams have records, and none has the object's name.
    """
    stream = _stream_of(con, source(), objects)
    at = literal(stream.name)
    is_in_force = "true"
    if stream.version:
        is_in_force = f"coalesce(json_extract_string(line, '$.version'), '{stream.version}') = '{stream.version}'"
    record = f"case when {_IS_AIRBYTE} then json_extract(line, '$.record.data') else {_RECORD} end::varchar"
    messages = ", ".join(map(literal, sorted(MESSAGES)))
    kept = f"case when {_STREAM} = {at} and {is_in_force} then {record} else '' end"
    text = f"case when {_TYPE} = 'RECORD' then {kept} when {_TYPE} in ({messages}) then '' else line end"
    for first, texts in source():
        con.register("items", pa.table({"line": texts}))
        yield first, con.execute(f"select {text} as line from items").to_arrow_table().column(0).combine_chunks()


def _stream_of(con: duckdb.DuckDBPyConnection, items: Iterator[Texts], objects: frozenset[str]) -> _Stream:
    counts = Counter[str]()
    versions: dict[str, str] = {}
    for _, texts in items:
        con.register("items", pa.table({"line": texts}))
        columns = f"{_TYPE} as type, {_STREAM} as stream, json_extract_string(line, '$.version') as version"
        found = f"select {columns} from items where {_TYPE} in ('RECORD', 'ACTIVATE_VERSION')"
        for kind, stream, version, count in con.execute(f"select *, count(*) from ({found}) group by all").fetchall():
            if kind == "RECORD":
                counts[str(stream)] += count
            else:
                versions[str(stream)] = version
    own = sorted(counts.keys() & objects)
    if len(counts) > 1 and len(own) != 1:
        streams = ", ".join(f"{name} ({count})" for name, count in sorted(counts.items()))
        raise Unreadable(
            f"it holds the messages of a Singer tap for several streams: {streams}; "
            f"bring one file for each stream, or name the stream {' or '.join(sorted(objects))}"
        )
    name = own[0] if own else next(iter(counts), "")
    return _Stream(name, versions.get(name))
