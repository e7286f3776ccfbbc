"""SQL generated from contracts: the struct to parse with, and the canonical payload a record's hash is taken over.

The canonical payload holds the contract's fields in contract order, one rendering per wire type, and nothing absent:
no NULLs, no unknown fields, no empty objects or lists. So the same record has the same hash whether it came as parquet,
as JSON with explicit nulls, or as JSON without the keys.
"""

from __future__ import annotations

import json

from pipeline.contracts.fields import EXACT, Leaf, Many, Record, Shape, field_at, is_date_object, wire_type
from pipeline.contracts.meaning import EPOCHS, INSTANTS, Meaning


def quote(name: str) -> str:
    """A name as an SQL identifier."""
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
    """A parsed value's canonical text, NULL where it is empty; DuckDB's nullif would compute the text twice."""
    if isinstance(shape, Leaf):
        return _scalar(value, shape)
    if isinstance(shape, Many):
        item = f"x{depth}"
        listed = f"list_transform({value}, lambda {item}: {_element(item, shape.of, depth + 1)})"
        return f"'[' || {_joined(listed)} || ']'"
    return f"case when {_is_not_empty(value, shape)} then {_fields(value, shape, depth)} end"


def _joined(texts: str) -> str:
    """SQL for the texts of a list with commas between; NULL for an empty list.

    Not array_to_string, a macro that computes the list once to count it and once more to join it.
    """
    return f"list_aggregate({texts}, 'string_agg', ',')"


def _element(value: str, shape: Shape, depth: int) -> str:
    """The text of a list's element; an empty one is written as null and keeps its position."""
    if isinstance(shape, Record):
        return _fields(value, shape, depth)
    return f"coalesce({_canonical(value, shape, depth)}, 'null')"


def _fields(value: str, shape: Record, depth: int) -> str:
    return _object([(name, _canonical(f"({value}).{quote(name)}", inner, depth)) for name, inner in shape])


def _is_not_empty(value: str, shape: Shape) -> str:
    if isinstance(shape, Leaf):
        return f"{value} is not null"
    if isinstance(shape, Many):
        return f"len({value}) > 0"
    return "(" + " or ".join(_is_not_empty(f"({value}).{quote(name)}", inner) for name, inner in shape) + ")"


def _object(fields: list[tuple[str, str]]) -> str:
    pairs = ", ".join(f"{literal(json.dumps(name) + ':')} || {value}" for name, value in fields)
    return f"concat('{{', concat_ws(',', {pairs}), '}}')"


def _scalar(value: str, leaf: Leaf) -> str:
    """One rendering per wire type: times of text as UTC text, dates as ten characters, doubles as text."""
    if leaf.meaning in ALIKE:
        return f"to_json({_normal_form(value, leaf)})::varchar"
    if leaf.wire == "DOUBLE":
        return f"'\"' || {value}::varchar || '\"'"
    if leaf.wire == EXACT:
        return _exact_text(value)
    if leaf.wire in ("BIGINT", "BOOLEAN"):
        return f"{value}::varchar"
    return f"to_json({value})::varchar"


def _exact_text(value: str) -> str:
    """A decimal's digits, of a whole number those of a BIGINT: 2 and not 2.000000."""
    return f"rtrim(rtrim({value}::varchar, '0'), '.')"


ALIKE = frozenset(
    {Meaning.INSTANT, Meaning.UTC_TIME, Meaning.LOCAL_TIME, Meaning.RFC_2822, Meaning.DATE, Meaning.DATE_AS}
)
"""Meanings of text of which a value may be written in several ways."""


def _normal_form(value: str, leaf: Leaf) -> str:
    """The normal form of a time or a date, however it is written."""
    if leaf.meaning is Meaning.DATE:
        return f"{value}[:10]"
    if leaf.meaning is Meaning.DATE_AS:
        return f"{day_in(value, leaf.form)}::varchar"
    ending = "" if leaf.meaning is Meaning.LOCAL_TIME else "Z"
    return f"strftime({moment(value, leaf.meaning)}, '%Y-%m-%dT%H:%M:%S.%f{ending}')"


def moment(value: str, meaning: Meaning) -> str:
    """A wire value's time as a TIMESTAMP, UTC (LOCAL_TIME: the account's own); NULL where it has none."""
    text = f"trim({value})"
    zoned = f"case when regexp_matches({text}[11:], '[ZC+-]') then {text} else {text} || 'Z' end"
    clock = f"try_strptime(regexp_extract({text}, '[0-9]+ [A-Za-z]+ [0-9]+ [0-9:]+'), '%d %b %Y %H:%M:%S')"
    offset = f"coalesce(nullif(regexp_extract({text}, '[+-][0-9]{{4}}$'), ''), 'Z')"
    iso = f"strftime({clock}, '%Y-%m-%dT%H:%M:%S') || {offset}"  # with %z, DuckDB takes 31 February for 3 March
    return {
        Meaning.INSTANT: f"try_cast({value} as timestamptz) at time zone 'UTC'",
        Meaning.UTC_TIME: f"try_cast({zoned} as timestamptz) at time zone 'UTC'",
        Meaning.RFC_2822: f"try_cast({iso} as timestamptz) at time zone 'UTC'",
        Meaning.LOCAL_TIME: f"try_cast({text} as timestamp)",
        Meaning.EPOCH_SECONDS: f"make_timestamp({value} * 1000000)",
        Meaning.EPOCH_MILLIS: f"make_timestamp({value} * 1000)",
        Meaning.EPOCH_MICROS: f"make_timestamp({value})",
    }[meaning]


def day_in(value: str, form: str) -> str:
    """A text's day, written in a strptime format; NULL where it has none."""
    return f"try_strptime({value}, {literal(form)})::date"


def percent_number(value: str) -> str:
    """The number before a percent sign as DECIMAL(18, 6); NULL where there is none."""
    return f"try_cast(rtrim(trim({value}), '% ') as decimal(18, 6))"


def whole_record(shape: Record) -> str:
    """`raw_data_payload`: the whole record under the vendor's names with wire values, unknown fields last."""
    pairs = [f"{literal(json.dumps(name) + ':')} || {_landed(quote(name), inner)}" for name, inner in shape]
    unknown = "nullif(substr(_extra::varchar, 2, length(_extra::varchar) - 2), '')"
    return f"concat('{{', concat_ws(',', {', '.join(pairs)}, {unknown}), '}}')::json"


def _landed(column: str, shape: Shape) -> str:
    """A landing column as JSON text; a nested one is minified JSON already, and to_json would read it once more."""
    if wire_type(shape) == EXACT:
        return _exact_text(column)
    is_json = wire_type(shape) in ("JSON", "BIGINT", "BOOLEAN")
    return f"{column}::varchar" if is_json else f"to_json({column})::varchar"


def key_text(shape: Record, key: tuple[str, ...]) -> str:
    """A record's key as one VARCHAR expression: NULL parts stay apart from empty text and from each other.

    Like all below, it is taken over a landing row with its `parsed_columns`, and refuses a field that the contract
    does not declare (ValueError).
    """
    return f"to_json([{', '.join(_key_part(*_value_at(shape, path)) for path in key)}])::varchar"


def natural_key(shape: Record, key: tuple[str, ...], optional: tuple[str, ...] = ()) -> str:
    """Like `key_text`; NULL, so that the record is its own key, where it lacks an `optional` part of the key."""
    if not optional:
        return key_text(shape, key)
    values = (f"nullif(trim(({_value_at(shape, path)[0]})::varchar), '') is not null" for path in optional)
    return f"case when {' and '.join(values)} then {key_text(shape, key)} end"


def _key_part(value: str, shape: Shape) -> str:
    if is_date_object(shape):
        return f"{_date_of_object(value)}::varchar"
    if isinstance(shape, Leaf) and shape.meaning in ALIKE:
        return _normal_form(value, shape)
    return f"{value}::varchar"


def payload_date(shape: Record, field: str, fallback: str = "date '1970-01-01'") -> str:
    """The record's date, computed from the payload, never NULL; instants by their UTC day, `fallback` without one."""
    if not field:
        return fallback
    value, inner = _value_at(shape, field)
    return f"coalesce({_day(value, inner, field)}, {fallback})"


def _day(value: str, shape: Shape, field: str) -> str:
    if is_date_object(shape):
        return _date_of_object(value)
    meaning = shape.meaning if isinstance(shape, Leaf) else Meaning.ANYTHING
    if meaning is Meaning.DATE:
        return f"try_cast({value} as date)"
    if meaning is Meaning.COMPACT_DATE:
        return day_in(value, "%Y%m%d")
    if isinstance(shape, Leaf) and meaning is Meaning.DATE_AS:
        return day_in(value, shape.form)
    if meaning in EPOCHS:
        return f"{moment(value, meaning)}::date"
    if meaning in ALIKE:
        return f"({moment(value, meaning)})::date"
    raise TypeError(f"{field} says no date: it cannot date a record.")


def version_at(shape: Record, field: str | None) -> str:
    """The vendor's own version time as a UTC timestamp, NULL where the object has none."""
    if field is None:
        return "null::timestamp"
    value, inner = _value_at(shape, field)
    if not isinstance(inner, Leaf) or inner.meaning not in INSTANTS:
        raise TypeError(f"{field} is no instant: it cannot order versions.")
    return f"({moment(value, inner.meaning)})"


def _value_at(shape: Record, path: str) -> tuple[str, Shape]:
    """The value at a dotted path, and its shape."""
    (head, *inside), inner = field_at(shape, path)
    if not inside and isinstance(inner, Leaf):
        return quote(head), inner
    return ".".join([f"({quote(PARSED + head)})", *map(quote, inside)]), inner


def _date_of_object(value: str) -> str:
    return f"try_cast(concat_ws('-', {value}.year, {value}.month, {value}.day) as date)"
