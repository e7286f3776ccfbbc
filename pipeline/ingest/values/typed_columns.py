"""Typed columns (parquet): SQL for their JSON and wire text, and for the checks that a type does not make needless."""

from __future__ import annotations

from collections.abc import Iterator

from duckdb.sqltypes import DuckDBPyType

from pipeline.contracts.fields import Leaf, Many, Record, Shape, is_lenient
from pipeline.contracts.meaning import RANGES, Meaning
from pipeline.contracts.sql import quote
from pipeline.ingest.values.meaning_sql import LARGEST, fault_of_text, value_of_text
from pipeline.ingest.values.wire_values import json_object

INTEGERS = frozenset({"tinyint", "smallint", "integer", "bigint", "utinyint", "usmallint", "uinteger"})
WIDE_INTEGERS = frozenset({"ubigint", "hugeint", "uhugeint"})
FLOATS = frozenset({"float", "double"})
LOCAL_TIMES = frozenset({"timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns"})
ZONED_TIME = "timestamp with time zone"
TIMES = LOCAL_TIMES | {ZONED_TIME}
TEXTS = frozenset({"varchar", "enum"})
EPOCHS = {Meaning.EPOCH_SECONDS: " // 1000000", Meaning.EPOCH_MILLIS: " // 1000", Meaning.EPOCH_MICROS: ""}
"""The SQL that converts microseconds to each."""
NESTED = frozenset({"struct", "list", "array", "map", "union", "variant"})


def members_of(struct: DuckDBPyType) -> list[tuple[str, DuckDBPyType]]:
    return [(name, type_) for name, type_ in struct.children if isinstance(type_, DuckDBPyType)]


def element_of(list_: DuckDBPyType) -> DuckDBPyType:
    return members_of(list_)[0][1]


def compact(value: str, type_: DuckDBPyType, depth: int = 0) -> str:
    """SQL for a value's JSON text without its NULL members, which `to_json` would write; NULL for NULL."""
    kind = type_.id
    if kind == "struct":
        members = [(name, compact(f"{value}.{quote(name)}", inner, depth)) for name, inner in members_of(type_)]
        return f"case when {value} is not null then {json_object(members)} end"
    if kind == "list":
        item = f"x{depth}"
        element = compact(item, element_of(type_), depth + 1)
        kept = f"case when {item} is null then 'null' else {element} end"  # coalesce would compute the element twice
        return f"'[' || array_to_string(list_transform({value}, lambda {item}: {kept}), ',') || ']'"
    if kind in INTEGERS or kind in WIDE_INTEGERS or kind == "boolean":
        return f"{value}::varchar"
    if kind in FLOATS:
        return f"case when isfinite({value}) then {value}::varchar else to_json({value}::varchar)::varchar end"
    if kind in NESTED:
        return f"to_json({value})::varchar"
    return f"to_json({wire_text(value, type_)})::varchar"


def wire_text(value: str, type_: DuckDBPyType, meaning: Meaning = Meaning.TEXT) -> str:
    """SQL for the text that an API would send for a typed scalar: instants with Z, dates in the form of the meaning."""
    if type_.id == ZONED_TIME:
        return f"replace(strftime({value} at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ'), '.000000Z', 'Z')"
    if type_.id == "date" and meaning is Meaning.COMPACT_DATE:
        return f"strftime({value}, '%Y%m%d')"
    if type_.id in LOCAL_TIMES and meaning is Meaning.DATE:
        return f"case when {value} = date_trunc('day', {value}) then {value}::date::varchar else {value}::varchar end"
    return value if type_.id == "varchar" else f"{value}::varchar"


def value_of_typed(leaf: Leaf, value: str, type_: DuckDBPyType) -> str:
    """SQL for the wire value of a typed scalar without a fault; NULL where it is lenient and of another kind."""
    if leaf.meaning in EPOCHS and (type_.id in TIMES):
        return f"epoch_us({value}){EPOCHS[leaf.meaning]}"
    is_of_wire = type_.id in INTEGERS or (leaf.wire == "DOUBLE" and type_.id in FLOATS)
    if leaf.wire in ("BIGINT", "DOUBLE") and is_of_wire and not leaf.is_lenient:
        return value
    if leaf.wire == "BOOLEAN" and type_.id == "boolean":
        return value
    return value_of_text(leaf, wire_text(value, type_, leaf.meaning))


def json_of_typed(leaf: Leaf, value: str, type_: DuckDBPyType) -> str:
    """SQL for a typed scalar's JSON text as an API would send it, whether or not it converts; NULL for NULL."""
    if type_.id in TIMES or type_.id == "date":
        is_epoch = leaf.meaning in EPOCHS and type_.id in TIMES
        text = value_of_typed(leaf, value, type_) if is_epoch else wire_text(value, type_, leaf.meaning)
        return f"to_json({text})::varchar"
    return compact(value, type_)


def faults_of_typed(shape: Shape, value: str, type_: DuckDBPyType, depth: int = 0) -> Iterator[str]:
    """SQL conditions: a typed value does not convert; none where its type proves that it does."""
    if is_lenient(shape):
        return
    if isinstance(shape, Leaf):
        fault = _fault_of_scalar(shape, value, type_)
        if fault:
            yield fault
    elif isinstance(shape, Record) and type_.id == "struct":
        members = {name.lower(): (name, inner) for name, inner in members_of(type_)}
        for name, inner in shape:
            if name.lower() in members:
                member, member_type = members[name.lower()]
                yield from faults_of_typed(inner, f"{value}.{quote(member)}", member_type, depth)
    elif isinstance(shape, Many) and type_.id == "list":
        item = f"x{depth}"
        inside = " or ".join(faults_of_typed(shape.of, item, element_of(type_), depth + 1))
        if inside:
            yield f"len(list_filter({value}, lambda {item}: {inside})) > 0"
    else:
        yield f"{value} is not null"


def _fault_of_scalar(leaf: Leaf, value: str, type_: DuckDBPyType) -> str | None:
    if leaf.is_lenient or leaf.meaning is Meaning.ANYTHING:
        return None
    if type_.id in NESTED:
        return f"{value} is not null"
    if type_.id in INTEGERS and leaf.meaning in RANGES:
        first, last = RANGES[leaf.meaning]
        return f"{value} not between {first} and {last}"
    if type_.id in INTEGERS | FLOATS and leaf.meaning is Meaning.DECIMAL:
        return f"{value} is not null and not abs({value}::double) < {LARGEST}"
    return None if _is_proved(leaf.meaning, type_.id) else fault_of_text(leaf, wire_text(value, type_, leaf.meaning))


def _is_proved(meaning: Meaning, kind: str) -> bool:
    """Whether every value of a type is valid for a meaning."""
    return (
        meaning is Meaning.TEXT
        or (meaning is Meaning.INTEGER and kind in INTEGERS)
        or (meaning is Meaning.FLAG and kind == "boolean")
        or (meaning is Meaning.INSTANT and kind == ZONED_TIME)
        or (meaning in (Meaning.DATE, Meaning.COMPACT_DATE) and kind == "date")
        or (meaning in EPOCHS and kind in TIMES)
    )
