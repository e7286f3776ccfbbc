"""Batches of JSON record texts to landing rows."""

from __future__ import annotations

import json

import duckdb
import numpy as np
import pyarrow as pa

from pipeline.contracts.fields import Contract, Leaf, Meaning, Record, Shape, shape_of
from pipeline.contracts.sql import literal, quote
from pipeline.formats.texts import Texts
from pipeline.formats.wire import LINE, Column, json_column, json_object, landing_rows, parse_nested, text_column

BLANKS = r"E' \t\r\n'"
IS_OBJECT = f"starts_with(ltrim(line, {BLANKS}), '{{')"


def rows_of_texts(
    con: duckdb.DuckDBPyConnection, texts: Texts, contract: type[Contract], unknown: set[str]
) -> pa.Table:
    """Landing rows of a batch of records; adds the names of unknown fields to `unknown`. Blank lines are no records."""
    first, lines = texts
    batch = pa.table({"line": lines, "position": pa.array(np.arange(first, first + len(lines), dtype=np.int64))})
    con.register("batch", batch)
    try:
        return _rows(con, IS_OBJECT, contract, unknown)
    except duckdb.InvalidInputException:  # a line is no JSON: look at each before it is parsed
        return _rows(con, f"{IS_OBJECT} and json_valid(line)", contract, unknown)
    finally:
        con.unregister("batch")


def _rows(con: duckdb.DuckDBPyConnection, is_record: str, contract: type[Contract], unknown: set[str]) -> pa.Table:
    shape = shape_of(contract)
    keys = f"select distinct json_keys(line) as keys from batch where {is_record}"
    found = {key for (key,) in con.execute(f"select distinct unnest(keys) from ({keys})").fetchall()}
    others = sorted(found - dict(shape.fields).keys())
    unknown.update(others)
    rows = parse_nested(_fields(shape, others, is_record), shape)
    query = landing_rows(
        rows,
        [_column(name, inner) for name, inner in shape],
        contract,
        extra="nullif(_unknown, '{}')",
        record=f"rtrim(_line, {BLANKS})",
        broken="_record_text is null",
    )
    return con.execute(query).to_arrow_table()


def _fields(shape: Record, others: list[str], is_record: str) -> str:
    """A query: the record's fields, scalars as text and the nested as minified JSON, and the unknown ones as JSON."""
    struct = {name: "VARCHAR" if _is_scalar(inner) else "JSON" for name, inner in shape}
    plain, awkward = _by_access(list(struct), others)
    struct |= dict.fromkeys(plain, "JSON")
    known = [_field(name, inner) for name, inner in shape]
    extra = [(name, f"_fields.{quote(name)}::varchar") for name in plain]
    extra += [(name, f"json_extract(_record_text, {_pointer(name)})::varchar") for name in awkward]
    text = f"case when {is_record} then line end"
    texts = f"select position, line, {text} as _record_text from batch where ltrim(line, {BLANKS}) <> ''"
    parsed = f"select *, from_json(_record_text, {literal(json.dumps(struct))}) as _fields from ({texts})"
    items = [f"position as {LINE}", "line as _line", "_record_text", *known, f"{json_object(extra)} as _unknown"]
    return f"select {', '.join(items)} from ({parsed})"


def _field(name: str, shape: Shape) -> str:
    value = f"_fields.{quote(name)}"
    if not _is_scalar(shape):
        value = f"nullif({value}::varchar, '\"\"')"  # an empty text where an object belongs is an absent object
    return f"{value} as {quote(name)}"


def _by_access(known: list[str], others: list[str]) -> tuple[list[str], list[str]]:
    """Unknown keys that a struct can name, and those that it cannot: empty, or alike but for case."""
    taken = {name.lower() for name in known}
    plain: list[str] = []
    awkward: list[str] = []
    for name in others:
        (awkward if not name or name.lower() in taken else plain).append(name)
        taken.add(name.lower())
    return plain, awkward


def _pointer(name: str) -> str:
    return literal("/" + name.replace("~", "~0").replace("/", "~1"))


def _is_scalar(shape: Shape) -> bool:
    return isinstance(shape, Leaf) and shape.meaning is not Meaning.ANYTHING


def _column(name: str, shape: Shape) -> Column:
    if not isinstance(shape, Leaf):
        return json_column(name, shape)
    if shape.meaning is Meaning.ANYTHING:
        return Column(name, shape, quote(name), None)
    column = text_column(name, shape, quote(name))
    return column if column.fault else Column(name, shape, column.value, _fault_of_kind(name))


def _fault_of_kind(name: str) -> str:
    """True where an object or a list is sent for a text: its text opens like one, and its JSON type says so."""
    text = quote(name)
    kind = f"json_type(_record_text, {_pointer(name)}) in ('OBJECT', 'ARRAY')"
    return f"case when starts_with({text}, '{{') or starts_with({text}, '[') then {kind} else false end"
