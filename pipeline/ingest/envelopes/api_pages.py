"""Unmodified API responses (pages): objects that wrap a list of records, or one; alone, in a list or one per line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain

import duckdb
import pyarrow as pa

from pipeline.contracts.fields import Contract, shape_of
from pipeline.contracts.sql import literal
from pipeline.ingest.envelopes.items import BATCH_ROWS, Texts

FIRST_ITEMS = 100
"""Items of a file that are inspected to tell wrapped pages from records."""


def unwrapped(con: duckdb.DuckDBPyConnection, items: Iterable[Texts], contract: type[Contract]) -> Iterator[Texts]:
    """The records of a file's items; where these are wrapped pages, a record's position counts records, not lines."""
    remaining = iter(items)
    first = next(remaining, None)
    if first is None:
        return
    all_items = chain([first], remaining)
    if not contract.wrappers or not _has_page(con, first[1], contract):
        yield from all_items
        return
    position = 1
    for _, texts in all_items:
        for records in records_of(con, texts, contract):
            yield position, records
            position += len(records)


def records_of(con: duckdb.DuckDBPyConnection, texts: pa.Array, contract: type[Contract]) -> Iterator[pa.Array]:
    """The records of pages, in order; an item that is no page is itself a record, and blank lines are skipped."""
    inner = wrapped(contract)
    opened = f"""select unnest(case
        when not {is_page(contract)} then [text]
        when json_type({inner}) = 'ARRAY' then from_json({inner}, '["JSON"]')::varchar[]
        when json_type({inner}) = 'OBJECT' then [({inner})::varchar]
        when json_type({inner}) = 'NULL' then []
        else [text]
    end) from pages where trim(text, E' \\t\\r\\n') <> ''"""
    con.register("pages", pa.table({"text": texts}))
    for batch in con.execute(opened).to_arrow_reader(BATCH_ROWS):
        yield batch.column(0).fill_null("null")


def _has_page(con: duckdb.DuckDBPyConnection, texts: pa.Array, contract: type[Contract]) -> bool:
    """Whether one of the first items is a wrapped page."""
    con.register("pages", pa.table({"text": texts.slice(0, FIRST_ITEMS)}))
    ((has_page,),) = con.execute(f"select coalesce(bool_or({is_page(contract)}), false) from pages").fetchall()
    return bool(has_page)


def is_page(contract: type[Contract]) -> str:
    """SQL condition over `text`: an object that is no record, and has the key of a wrapper."""
    fields = dict(shape_of(contract).fields)
    needed = dict.fromkeys(path.partition(".")[0] for path in contract.required)
    is_record = " and ".join(_exists(name) for name in needed) or "false"
    wraps = " or ".join(_exists(path) for path in contract.wrappers if path.partition(".")[0] not in fields) or "false"
    return (
        f"case when json_valid(text) then json_type(text) = 'OBJECT' and not ({is_record}) and ({wraps}) else false end"
    )


def wrapped(contract: type[Contract]) -> str:
    """SQL for the content of a page, under the first of its wrappers."""
    return f"json_extract(text, {wrapper(contract)})"


def wrapper(contract: type[Contract]) -> str:
    """SQL for the JSON path of the first wrapper that `text` has."""
    whens = " ".join(f"when {_exists(path)} then {_json_path(path)}" for path in contract.wrappers)
    return f"case {whens} end" if whens else "null"


def _exists(path: str) -> str:
    return f"json_exists(text, {_json_path(path)})"


def _json_path(path: str) -> str:
    return literal(".".join(["$", *(json.dumps(name, ensure_ascii=False) for name in path.split("."))]))
