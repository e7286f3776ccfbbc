"""The records of a JSON file, whatever wraps them: recognised by the first items, before any field is read."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import duckdb
import pyarrow as pa

from pipeline.contracts.connector import connector_of, connector_part, objects_of
from pipeline.contracts.fields import Contract, shape_of
from pipeline.ingest.envelopes.airbyte import RAW_DATA, data_of_raw
from pipeline.ingest.envelopes.api_pages import unwrapped
from pipeline.ingest.envelopes.bigquery_rows import records_of_rows
from pipeline.ingest.envelopes.graphql import PARENT, NodeType, records_of_bulk, records_of_pages
from pipeline.ingest.envelopes.items import Source, Texts
from pipeline.ingest.envelopes.singer import MESSAGES, records_of_messages

HAS_ROWS = "json_exists(line, '$.rows[0].f')"
HAS_GLOBAL_ID = "starts_with(json_extract_string(line, '$.id'), 'gid://')"
HAS_CONNECTION = """json_type(line, '$.data') = 'OBJECT' and (json_exists(line, '$.extensions.cost')
    or len(json_extract(line, '$.data.*.edges')) > 0 or len(json_extract(line, '$.data.*.nodes')) > 0)"""
HAS_ERRORS = "json_exists(line, '$.errors[0].message')"
FIRST_ITEMS = 20
"""Items of a file that are inspected to tell what wraps its records."""


def records_of_file(con: duckdb.DuckDBPyConnection, source: Source, contract: type[Contract]) -> Iterator[Texts]:
    """The records of a file's items.

    Raises:
        Unreadable: It is an envelope without the records of the object, or without all of them.
    """
    items = source()
    first = next(items, None)
    if first is None:
        return iter(())
    items = chain([first], items)
    objects, node = frozenset(objects_of(contract)), _node_type(contract)
    match _envelope(con, first[1], contract):
        case "bigquery":
            return records_of_rows(items)
        case "graphql":
            return records_of_pages(items, objects, node)
        case "bulk" if node:
            return records_of_bulk(items, node)
        case "airbyte":
            items = data_of_raw(con, items)
        case "singer":
            items = records_of_messages(con, source, objects)
    return unwrapped(con, items, contract)


def _envelope(con: duckdb.DuckDBPyConnection, texts: pa.Array, contract: type[Contract]) -> str:
    """The kind of envelope that the first items are; empty for records and the vendor's own pages."""
    con.register("items", pa.table({"line": texts.slice(0, FIRST_ITEMS)}))
    parsed = "case when json_valid(line) then case when json_type(line) = 'OBJECT' then json_keys(line) end end"
    keys = {key for (key,) in con.execute(f"select distinct unnest({parsed}) from items").fetchall()}
    if RAW_DATA in keys:
        return "airbyte"
    if "type" in keys and keys & {"record", "stream", "value", "state", "log"} and _has_message(con, contract):
        return "singer"
    if keys and (keys <= {"f"} or {"rows", "schema"} <= keys or ("rows" in keys and _is_any(con, HAS_ROWS))):
        return "bigquery"
    if ("data" in keys or "errors" in keys) and _is_graphql(con, contract):
        return "graphql"
    return "bulk" if PARENT in keys or ("id" in keys and _is_any(con, HAS_GLOBAL_ID)) else ""


def _has_message(con: duckdb.DuckDBPyConnection, contract: type[Contract]) -> bool:
    """Whether one of the items is a message of a tap, and no field of the contract makes it a record."""
    messages = ", ".join(f"'{name}'" for name in sorted(MESSAGES))
    fields = dict(shape_of(contract).fields)
    return not {"record", "stream"} & fields.keys() and _is_any(
        con, f"coalesce(json_extract_string(line, '$.type') in ({messages}), false)"
    )


def _is_graphql(con: duckdb.DuckDBPyConnection, contract: type[Contract]) -> bool:
    """Whether one of the items is an answer of a GraphQL API: a connection under `data`, or errors with messages."""
    fields = dict(shape_of(contract).fields)
    if "data" in fields or "errors" in fields:
        return False
    return _is_any(con, HAS_CONNECTION) or _is_any(con, HAS_ERRORS)


def _is_any(con: duckdb.DuckDBPyConnection, condition: str) -> bool:
    valid = f"case when json_valid(line) then coalesce({condition}, false) else false end"
    ((found,),) = con.execute(f"select coalesce(bool_or({valid}), false) from items").fetchall()
    return bool(found)


def _node_type(contract: type[Contract]) -> NodeType | None:
    """What GraphQL nodes are in the form of the contract, where its vendor has such an API."""
    connector = connector_of(contract)
    types: dict[str, NodeType] = (connector and connector_part(connector, "graphql", "NODES")) or {}
    return next((types[name] for name in objects_of(contract) if name in types), None)
