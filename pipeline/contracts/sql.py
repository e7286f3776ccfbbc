"""SQL generated from contracts: the struct to parse with, and the canonical payload a record's hash is taken over.

The canonical payload holds the contract's fields in contract order, one rendering per wire type, and nothing absent:
no NULLs, no unknown fields, no empty objects or lists. So the same record hashes alike whether it came as parquet,
as JSON with explicit nulls, or as JSON without the keys.
"""

from __future__ import annotations

import json

from pipeline.contracts.fields import Leaf, Many, Meaning, Record, Shape


def quote(name: str) -> str:
    """A vendor's field name as a SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Text as a SQL string literal, for names and patterns decided at generation; values of callers are bound."""
    return "'" + text.replace("'", "''") + "'"


def struct_json(shape: Shape, *, as_text: bool = False) -> str:
    """The structure argument of DuckDB's `from_json`; every scalar as VARCHAR when `as_text`."""
    return json.dumps(_structure(shape, as_text=as_text), separators=(",", ":"))


def _structure(shape: Shape, *, as_text: bool) -> object:
    if isinstance(shape, Leaf):
        return "VARCHAR" if as_text and shape.wire != "JSON" else shape.wire
    if isinstance(shape, Many):
        return [_structure(shape.of, as_text=as_text)]
    return {name: _structure(inner, as_text=as_text) for name, inner in shape}


PARSED = "_parsed_"
"""Prefix of the columns `parsed_columns` adds: nested landing columns, read once into the contract's structs."""


def parsed_columns(shape: Record) -> tuple[str, ...]:
    """Select items that parse a landing row's nested columns by contract, for `canonical_record` to read."""
    return tuple(
        f"from_json({quote(name)}, {literal(struct_json(inner))}) as {quote(PARSED + name)}"
        for name, inner in shape
        if not isinstance(inner, Leaf)
    )


def canonical_record(shape: Record) -> str:
    """The canonical payload of a landing row with its `parsed_columns`, as one VARCHAR expression."""
    return _object(
        [
            (name, _canonical(quote(name) if isinstance(inner, Leaf) else quote(PARSED + name), inner, depth=0))
            for name, inner in shape
        ]
    )


def _canonical(value: str, shape: Shape, depth: int) -> str:
    """A parsed value's canonical text, NULL where it holds nothing; DuckDB's nullif would compute the text twice."""
    if isinstance(shape, Leaf):
        return _scalar(value, shape)
    if isinstance(shape, Many):
        item = f"x{depth}"
        listed = f"list_transform({value}, lambda {item}: {_element(item, shape.of, depth + 1)})"
        return f"case when {_holds_something(value, shape)} then '[' || array_to_string({listed}, ',') || ']' end"
    return f"case when {_holds_something(value, shape)} then {_fields(value, shape, depth)} end"


def _element(value: str, shape: Shape, depth: int) -> str:
    """A list's element keeps its place, also when it holds nothing."""
    if isinstance(shape, Record):
        return _fields(value, shape, depth)
    return f"coalesce({_canonical(value, shape, depth)}, 'null')"


def _fields(value: str, shape: Record, depth: int) -> str:
    return _object([(name, _canonical(f"({value}).{quote(name)}", inner, depth)) for name, inner in shape])


def _holds_something(value: str, shape: Shape) -> str:
    if isinstance(shape, Leaf):
        return f"{value} is not null"
    if isinstance(shape, Many):
        return f"len({value}) > 0"
    return "(" + " or ".join(_holds_something(f"({value}).{quote(name)}", inner) for name, inner in shape) + ")"


def _object(fields: list[tuple[str, str]]) -> str:
    pairs = ", ".join(f"{literal(json.dumps(name) + ':')} || {value}" for name, value in fields)
    return f"'{{' || concat_ws(',', {pairs}) || '}}'"


def _scalar(value: str, leaf: Leaf) -> str:
    """One rendering per wire type: instants as UTC text, doubles as text, text as JSON text."""
    if leaf.meaning is Meaning.INSTANT:
        return (
            f"to_json(strftime(try_cast({value} as timestamptz) at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ'))::varchar"
        )
    if leaf.wire == "DOUBLE":
        return f"'\"' || {value}::varchar || '\"'"
    if leaf.wire in ("BIGINT", "BOOLEAN"):
        return f"{value}::varchar"
    return f"to_json({value})::varchar"


def whole_record(shape: Record) -> str:
    """`raw_data_payload`: the whole record under the vendor's names with wire values, unknown fields last."""
    pairs = [f"{literal(json.dumps(name) + ':')} || to_json({quote(name)})::varchar" for name, _ in shape]
    unknown = "nullif(substr(_extra::varchar, 2, length(_extra::varchar) - 2), '')"
    return f"('{{' || concat_ws(',', {', '.join(pairs)}, {unknown}) || '}}')::json"


def key_text(shape: Record, key: tuple[str, ...]) -> str:
    """A record's key as one VARCHAR expression: NULL parts stay apart from empty text and from each other."""
    types = dict(shape.fields)
    missing = [name for name in key if name not in types]
    if missing:
        raise ValueError(f"The key names {missing}, which the contract does not declare.")
    return "to_json([" + ", ".join(f"{quote(name)}::varchar" for name in key) + "])::varchar"


def payload_date(shape: Record, field: str, fallback: str = "date '1970-01-01'") -> str:
    """The record's date, a function of the payload and never NULL; instants by their UTC day."""
    leaf = dict(shape.fields)[field]
    if not isinstance(leaf, Leaf):
        raise TypeError(f"{field} is not a scalar: it cannot date a record.")
    column = quote(field)
    read = {
        Meaning.INSTANT: f"(try_cast({column} as timestamptz) at time zone 'UTC')::date",
        Meaning.DATE: f"try_cast({column} as date)",
        Meaning.COMPACT_DATE: f"try_strptime({column}, '%Y%m%d')::date",
        Meaning.EPOCH_MICROS: f"make_timestamp({column})::date",
    }[leaf.meaning]
    return f"coalesce({read}, {fallback})"
