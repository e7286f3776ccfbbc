"""Converts batches of JSON record texts to landing rows."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import islice

import duckdb
import pyarrow as pa

from pipeline.contracts.fields import Contract, Layout, Leaf, Record, Shape, field_at, shape_of
from pipeline.contracts.layouts import layout_of
from pipeline.contracts.meaning import Meaning
from pipeline.contracts.spellings import is_of_a_loader
from pipeline.contracts.sql import literal, quote
from pipeline.ingest.admission.limits import FILE_COLUMNS, NAMES_KEPT, RECORD_FIELDS
from pipeline.ingest.envelopes.items import Texts
from pipeline.ingest.formats.respelling import FIRST_RECORDS, OWN, RecordForm, respelled
from pipeline.ingest.values.meaning_sql import layout_value
from pipeline.ingest.values.unreadable import Unreadable
from pipeline.ingest.values.wire_values import (
    LINE,
    LandingColumn,
    json_column,
    json_nested,
    json_object,
    json_of_text,
    landing_rows,
    parse_nested,
    text_column,
)

BLANKS = r"E' \t\r\n'"
MOST_COLUMNS = 200
"""Fields of a batch that its contract does not know, up to which each is a column while they are read."""
IS_OBJECT = f"starts_with(ltrim(line, {BLANKS}), '{{')"


def rows_of_texts(
    con: duckdb.DuckDBPyConnection, texts: Texts, contract: type[Contract], names: set[str], form: RecordForm = OWN
) -> pa.Table:
    """Landing rows of a batch of records; adds the names of their fields to `names`. Blank lines are no records."""
    import numpy as np

    first, lines = texts
    positions = pa.array(np.arange(first, first + len(lines), dtype=np.int64))
    return rows_of_lines(con, pa.table({"line": lines, "position": positions}), contract, names, form)


def rows_of_lines(
    con: duckdb.DuckDBPyConnection, batch: pa.Table, contract: type[Contract], names: set[str], form: RecordForm
) -> pa.Table:
    """Landing rows of a batch of records (`line`) with their positions, as `rows_of_texts`."""
    con.register("batch", batch)
    try:
        return _rows(con, IS_OBJECT, contract, names, form)
    except duckdb.InvalidInputException:  # a line is no JSON: validate each before it is parsed
        con.register("batch", batch)
        return _rows(con, f"{IS_OBJECT} and json_valid(line)", contract, names, form)
    finally:
        con.unregister("batch")


def first_records(texts: pa.Array) -> list[dict[str, object]]:
    """The first records of a batch, as far as they are JSON objects: they show how a file is written."""
    records = []
    for text in texts.slice(0, FIRST_RECORDS).to_pylist():
        with suppress(ValueError, RecursionError):
            record = json.loads(text or "")
            records += [record] if isinstance(record, dict) and len(record) <= RECORD_FIELDS else []
    return records


def _rows(
    con: duckdb.DuckDBPyConnection, is_record: str, contract: type[Contract], names: set[str], form: RecordForm
) -> pa.Table:
    keys, widest = _keys(con, is_record)
    if widest > RECORD_FIELDS:
        is_record = f"case when {is_record} then len(json_keys(line)) <= {RECORD_FIELDS} else false end"
        keys, _ = _keys(con, is_record)
    layout = layout_of(contract.layouts, keys) if form.is_own else None
    if len(keys) > FILE_COLUMNS and (layout or not form.is_own):
        raise Unreadable(f"its records have {len(keys):,} different fields, more than {FILE_COLUMNS:,}")
    if not form.is_own:
        con.register("batch", respelled(con, contract, is_record, form))
    if layout:
        con.register("batch", con.execute(_in_own_shape(layout, sorted(keys), is_record, contract)).to_arrow_table())
    if layout or not form.is_own:
        keys, _ = _keys(con, is_record)
    shape = shape_of(contract)
    own = keys & dict(shape.fields).keys()
    others = sorted(keys - own)
    names.update(own)
    names.update(islice((key for key in others if not is_of_a_loader(key)), max(0, NAMES_KEPT - len(names))))
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


def _keys(con: duckdb.DuckDBPyConnection, is_record: str) -> tuple[set[str], int]:
    """The top-level keys of a batch's records, and how many the record of most has."""
    keys = f"select distinct json_keys(line) as keys from batch where {is_record}"
    query = f"select list_distinct(flatten(list(keys))), coalesce(max(len(keys)), 0) from ({keys})"
    ((names, widest),) = con.execute(query).fetchall()
    return set(names or ()), widest


def _in_own_shape(layout: Layout, keys: list[str], is_record: str, contract: type[Contract]) -> str:
    """The query that converts the flat records of a layout in a batch to the vendor's own form."""
    shape = shape_of(contract)
    plain, irregular = _by_access([], keys)
    known_by = ", ".join(literal(name.lower()) for name in layout.known_by)
    is_flat = f"{is_record} and list_has_all(list_transform(json_keys(line), lambda k: lower(k)), [{known_by}])"
    values = {name: f"_fields.{quote(name)}" for name in plain}
    values |= {name: f"json_extract(_flat, {_pointer(name)})" for name in irregular}
    members = []
    for title, key in layout.titles(keys, dict(shape.fields)):
        names, inner = field_at(shape, title) if layout.names(title) else ((title,), None)
        rewritten = inner and layout_value(inner, f"({values[key]} ->> '$')", is_utc=title in layout.utc)
        text = f"to_json({rewritten})::varchar" if isinstance(inner, Leaf) else json_of_text(str(rewritten))
        members.append((names, text if rewritten else f"{values[key]}::varchar"))
    flat = f"select *, case when {is_flat} then line end as _flat from batch"
    struct = literal(json.dumps(dict.fromkeys(plain, "JSON")))
    parsed = f"select *, from_json(_flat, {struct}) as _fields from ({flat})"
    own = f"case when _flat is null then line else {json_nested(members)} end"
    return f"select {own} as line, position from ({parsed})"


def _fields(shape: Record, others: list[str], is_record: str) -> str:
    """The query of a record's fields: scalars as text, nested ones as minified JSON, unknown ones as JSON."""
    struct = {name: "VARCHAR" if _is_scalar(inner) else "JSON" for name, inner in shape}
    plain, irregular = _by_access(list(struct), others)
    if len(others) <= MOST_COLUMNS:
        struct |= dict.fromkeys(plain, "JSON")
    known = [_field(name, inner) for name, inner in shape]
    extra = [(name, f"_fields.{quote(name)}::varchar") for name in plain]
    extra += [(name, f"json_extract(_record_text, {_pointer(name)})::varchar") for name in irregular]
    unknown = json_object(extra) if len(others) <= MOST_COLUMNS else _other_members(shape)
    text = f"case when {is_record} then line end"
    texts = f"select position, line, {text} as _record_text from batch where ltrim(line, {BLANKS}) <> ''"
    parsed = f"select *, from_json(_record_text, {literal(json.dumps(struct))}) as _fields from ({texts})"
    items = [f"position as {LINE}", "line as _line", "_record_text", *known, f"{unknown} as _unknown"]
    return f"select {', '.join(items)} from ({parsed})"


def _other_members(shape: Record) -> str:
    """SQL for the JSON object of a record's members that the contract does not know, whatever their names are.

    Where there are many, a column for each would take far more memory than the records.
    """
    known = ", ".join(literal(name) for name, _ in shape)
    names = f"list_filter(json_keys(_record_text), lambda key: not list_contains([{known}], key))"
    pointer = "'/' || replace(replace(key, '~', '~0'), '/', '~1')"
    member = f"to_json(key)::varchar || ':' || json_extract(_record_text, {pointer})::varchar"
    return f"'{{' || array_to_string(list_transform({names}, lambda key: {member}), ',') || '}}'"


def _field(name: str, shape: Shape) -> str:
    value = f"_fields.{quote(name)}"
    if not _is_scalar(shape):
        value = f"nullif({value}::varchar, '\"\"')"  # an empty text where an object belongs is an absent object
    return f"{value} as {quote(name)}"


def _by_access(known: list[str], others: list[str]) -> tuple[list[str], list[str]]:
    """Unknown keys that a struct can name, and those that it cannot: empty, or different only in case."""
    taken = {name.lower() for name in known}
    plain: list[str] = []
    irregular: list[str] = []
    for name in others:
        (irregular if not name or name.lower() in taken else plain).append(name)
        taken.add(name.lower())
    return plain, irregular


def _pointer(name: str) -> str:
    return literal("/" + name.replace("~", "~0").replace("/", "~1"))


def _is_scalar(shape: Shape) -> bool:
    return isinstance(shape, Leaf) and shape.meaning is not Meaning.ANYTHING


def _column(name: str, shape: Shape) -> LandingColumn:
    if not isinstance(shape, Leaf):
        return json_column(name, shape)
    if shape.meaning is Meaning.ANYTHING:
        return LandingColumn(name, shape, quote(name), None)
    column = text_column(name, shape, quote(name))
    is_any = column.fault or shape.is_lenient
    return column if is_any else LandingColumn(name, shape, column.value, _fault_of_kind(name))


def _fault_of_kind(name: str) -> str:
    """SQL condition: an object or a list is sent for a text, by its first character and its JSON type."""
    text = quote(name)
    kind = f"json_type(_record_text, {_pointer(name)}) in ('OBJECT', 'ARRAY')"
    return f"case when starts_with({text}, '{{') or starts_with({text}, '[') then {kind} else false end"
