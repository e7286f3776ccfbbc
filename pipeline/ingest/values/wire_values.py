"""SQL of landing rows over a file's columns: wire values, unknown fields, position, and the first error."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.contracts.fields import (
    Contract,
    Leaf,
    Many,
    Record,
    Shape,
    field_at,
    is_date_object,
    shape_of,
    wire_type,
)
from pipeline.contracts.sql import literal, quote
from pipeline.ingest.values.meaning_sql import fault_of_text, meaning_text, value_of_text
from pipeline.ingest.values.nested_values import fault_of_json, parsed

LINE = "_source_line"
EXTRA = "_extra"
WRONG = "_wrong"
"""The reason why the record does not convert; NULL for a good one."""
NO_RECORD = "not a JSON object"
RECORD = "_record"
"""The record as JSON text, of records that do not convert."""
DATE_OF_OBJECT = "[1-9][0-9]{3}-[0-9]{1,2}-[0-9]{1,2}"
KEY_HASH, CONTENT_HASH = "_key_hash", "_content_hash"
"""Hashes for contracts with a key and daily slices, to find a key that occurs twice with different content."""


@dataclass(frozen=True)
class LandingColumn:
    """One contract field, read from one file: SQL over the file's row."""

    name: str
    shape: Shape
    value: str
    """The wire value, NULL when absent; cast to the landing type at the end."""
    fault: str | None
    """True when present and not convertible; None when the file's own type proves it."""


def text_column(name: str, leaf: Leaf, text: str) -> LandingColumn:
    """A scalar that the file holds as text in the column `text` (a quoted name)."""
    return LandingColumn(name, leaf, value_of_text(leaf, text), fault_of_text(leaf, text))


def json_column(name: str, shape: Record | Many) -> LandingColumn:
    """A nested field that the file's row holds as minified JSON text under its own name, with `parsed` beside it."""
    return LandingColumn(name, shape, quote(name), fault_of_json(name, shape))


def absent_column(name: str, shape: Shape) -> LandingColumn:
    """A contract field that the file does not have."""
    return LandingColumn(name, shape, "null", None)


def parse_nested(rows: str, columns: Iterable[tuple[str, Shape]]) -> str:
    """`rows` with every nested JSON column of `columns` also parsed, with all its scalars as text."""
    items = [parsed(name, shape) for name, shape in columns if not isinstance(shape, Leaf)]
    return f"select *, {', '.join(items)} from ({rows})" if items else rows


def landing_rows(
    rows: str,
    columns: Sequence[LandingColumn],
    contract: type[Contract],
    *,
    extra: str,
    record: str,
    broken: str = "false",
) -> str:
    """The query that converts `rows` (with `_source_line`) to landing rows, good and bad ones.

    Args:
        rows: A query: the columns of the file, and its record positions.
        columns: One per contract field, in contract order.
        extra: JSON text of the unknown fields, as SQL over `rows`.
        record: The complete record as JSON text, as SQL over `rows`; evaluated for bad records only.
        broken: SQL condition over `rows`: there is no record at all.
    """
    judged = f"select *, {_wrong(columns, contract, broken)} as {WRONG} from ({rows})"
    values = [f"({c.value})::{_arrow_type(c.shape)} as {quote(c.name)}" for c in columns]
    values += [
        f"({extra})::varchar as {EXTRA}",
        LINE,
        WRONG,
        f"case when {WRONG} is not null then {record} end as {RECORD}",
    ]
    query = f"select {', '.join(values)} from ({judged})"
    return f"select *, {_hashes(columns, contract)} from ({query})" if has_conflicts(contract) else query


def has_conflicts(contract: type[Contract]) -> bool:
    """Whether a key that occurs twice with different content means that the export has an unknown breakdown."""
    return contract.daily_slice and bool(contract.key)


def _arrow_type(shape: Shape) -> str:
    """The DuckDB type of a landing value on its way to Arrow: JSON is text, and typed by the landing table."""
    type_ = wire_type(shape)
    return "varchar" if type_ == "JSON" else type_.lower()


def _wrong(columns: Sequence[LandingColumn], contract: type[Contract], broken: str) -> str:
    """SQL for the first error of a row, as text."""
    shape = shape_of(contract)
    whens = [(broken, NO_RECORD)]
    for path in contract.required:
        (head, *_), _ = field_at(shape, path)
        fault = next(column.fault for column in columns if column.name == head)
        absent = " or ".join(f"nullif(trim(({text})::varchar), '') is null" for text in _texts_at(path, shape, columns))
        whens.append((f"({absent}) and not coalesce({fault}, false)" if fault else absent, f"{path} is missing"))
    whens += [
        (column.fault, f"{column.name} is not {meaning_text(column.shape)}") for column in columns if column.fault
    ]
    if contract.date_field and is_date_object(field_at(shape, contract.date_field)[1]):
        parts = [f"try_cast({text} as bigint)" for text in _texts_at(contract.date_field, shape, columns)]
        day = f"concat_ws('-', {', '.join(parts)})"
        is_date = f"try_cast({day} as date) is not null and regexp_full_match({day}, '{DATE_OF_OBJECT}')"
        whens.append((f"{day} <> '' and not ({is_date})", f"{contract.date_field} is not a date: year, month, day"))
    return f"case {' '.join(f'when {condition} then {literal(reason)}' for condition, reason in whens)} end"


def _texts_at(path: str, shape: Record, columns: Sequence[LandingColumn]) -> list[str]:
    """SQL for the text at a dotted path of a file's row; the texts of year, month and day for a date object."""
    (head, *inside), inner = field_at(shape, path)
    value = next(column.value for column in columns if column.name == head)
    ends = [[*inside, part] for part in ("year", "month", "day")] if is_date_object(inner) else [inside]
    return [_text_inside(f"({value})", names) if names else value for names in ends]


def _text_inside(json_text: str, names: Sequence[str]) -> str:
    path = ".".join(["$", *(json.dumps(name, ensure_ascii=False) for name in names)])
    return f"json_extract_string({json_text}::varchar, {literal(path)})"


def _hashes(columns: Sequence[LandingColumn], contract: type[Contract]) -> str:
    shape = shape_of(contract)
    landed = [LandingColumn(c.name, c.shape, quote(c.name), None) for c in columns]
    key = [text for path in contract.key for text in _texts_at(path, shape, landed)]
    content = ", ".join([*(quote(c.name) for c in columns), EXTRA])
    return f"hash({', '.join(key)}) as {KEY_HASH}, hash({content}) as {CONTENT_HASH}"


def json_object(members: Iterable[tuple[str, str]]) -> str:
    """SQL that builds the text of a JSON object from (key, SQL giving JSON text); absent members are left out."""
    pairs = ", ".join(f"{literal(json.dumps(name, ensure_ascii=False) + ':')} || {value}" for name, value in members)
    return f"'{{' || concat_ws(',', {pairs}) || '}}'" if pairs else "'{}'"


def json_nested(members: Iterable[tuple[Sequence[str], str]]) -> str:
    """Like `json_object`, with members by path; an object without members is left out."""
    inside: dict[str, list[tuple[Sequence[str], str]]] = {}
    for (head, *rest), value in members:
        inside.setdefault(head, []).append((rest, value))
    return json_object((head, _json_of_parts(parts)) for head, parts in inside.items())


def _json_of_parts(parts: list[tuple[Sequence[str], str]]) -> str:
    """SQL for the JSON of one member: its complete value, its parts, or the complete value with replaced parts."""
    complete = next((value for rest, value in parts if not rest), None)
    inner = [(rest, value) for rest, value in parts if rest]
    if complete and inner:
        return merged(complete, json_nested(inner))
    return complete or f"nullif({json_nested(inner)}, '{{}}')"


def merged(complete: str, parts: str) -> str:
    """SQL for an object's JSON with some members replaced; a value that is no object is unchanged, a fault later."""
    patched = f"nullif(json_merge_patch(coalesce({complete}, '{{}}'), {parts})::varchar, '{{}}')"
    return f"case when {complete} is null or starts_with({complete}, '{{') then {patched} else {complete} end"


def json_of_text(text: str) -> str:
    """SQL that minifies JSON text, blank being absent; a text that is no JSON becomes a JSON string, a fault later."""
    minified, string = f"""from_json({text}, '"JSON"')::varchar""", f"to_json({text})::varchar"
    return f"case when trim({text}) = '' then null when json_valid({text}) then {minified} else {string} end"
