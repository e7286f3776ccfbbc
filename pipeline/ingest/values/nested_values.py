"""SQL that checks whether an object or list inside a record converts, value by value and at every depth.

`from_json` turns values that do not fit into NULL without an error, and a value that is no object into an object of
NULLs. So values are checked as text, and a suspected wrong kind (a text that opens like an object, an object without a
member) is checked again with `json_type`, which is exact and slower.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.contracts.fields import Leaf, Many, Record, Shape, is_lenient
from pipeline.contracts.meaning import Meaning
from pipeline.contracts.sql import literal, quote, struct_json
from pipeline.ingest.values.meaning_sql import fault_of_text

PARSED = "_parsed_"
"""Prefix of the columns that hold a nested field with all its scalars as text."""


def parsed(name: str, shape: Shape) -> str:
    """Select item that reads a nested field's JSON text once, for `fault_of_json`."""
    return f"from_json({quote(name)}, {literal(struct_json(shape, as_text=True))}) as {quote(PARSED + name)}"


def fault_of_json(name: str, shape: Record | Many) -> str | None:
    """SQL condition: the (minified) JSON text of a nested field does not convert; None where nothing in it has to."""
    if is_lenient(shape):
        return None
    column, value = quote(name), quote(PARSED + name)
    opens = "{" if isinstance(shape, Record) else "["
    doubts = _doubts_of_texts_last(_doubts(shape, value, column, "$", depth=0))
    checks = [
        f"not starts_with({column}, '{opens}')",
        *_faults(shape, value, depth=0),
        *(f"case when {doubt.suspected} then {doubt.proved} else false end" for doubt in doubts),
    ]
    return f"{column} is not null and ({' or '.join(checks)})"


def _faults(shape: Shape, value: str, depth: int) -> Iterator[str]:
    """SQL conditions, one per scalar or list: a value does not convert."""
    if isinstance(shape, Leaf):
        fault = fault_of_text(shape, value)
        if fault:
            yield fault
    elif isinstance(shape, Record):
        for name, inner in shape:
            yield from _faults(inner, f"{value}.{quote(name)}", depth)
    elif inside := list(_faults(shape.of, _item(depth), depth + 1)):
        yield _any(value, depth, " or ".join(inside))


@dataclass(frozen=True)
class _Doubt:
    """A value that may be of the wrong kind: an object for a scalar, a scalar for an object or a list."""

    suspected: str
    """A cheap condition over the parsed value, sometimes true of good values."""
    proved: str
    """An exact condition over the JSON text."""
    of_text: bool


def _doubts(shape: Shape, value: str, column: str, path: str, depth: int) -> Iterator[_Doubt]:
    if is_lenient(shape):
        return
    if isinstance(shape, Leaf):
        if shape.meaning is Meaning.TEXT:
            opens = f"(starts_with({value}, '{{') or starts_with({value}, '['))"
            yield _Doubt(opens, _is_wrong_kind(shape, column, path), of_text=True)
    elif isinstance(shape, Record):
        if path != "$":
            empty = " and ".join(f"{value}.{quote(name)} is null" for name, _ in shape)
            yield _Doubt(f"({empty})", _is_wrong_kind(shape, column, path), of_text=False)
        for name, inner in shape:
            yield from _doubts(inner, f"{value}.{quote(name)}", column, f"{path}.{json.dumps(name)}", depth)
    else:
        if path != "$":
            yield _Doubt(f"{value} is null", _is_wrong_kind(shape, column, path), of_text=False)
        for doubt in _doubts_of_texts_last(_doubts(shape.of, _item(depth), column, f"{path}[*]", depth + 1)):
            yield _Doubt(_any(value, depth, doubt.suspected), doubt.proved, doubt.of_text)


def _doubts_of_texts_last(doubts: Iterator[_Doubt]) -> Iterator[_Doubt]:
    """The doubts, those about texts merged into the last one: a list is then scanned once for all of them."""
    texts = []
    for doubt in doubts:
        if doubt.of_text:
            texts.append(doubt)
        else:
            yield doubt
    if texts:
        suspected, proved = (
            " or ".join(parts) for parts in zip(*((d.suspected, d.proved) for d in texts), strict=True)
        )
        yield _Doubt(f"({suspected})", f"({proved})", of_text=True)


def _is_wrong_kind(shape: Shape, column: str, path: str) -> str:
    """SQL condition: the JSON at a path is of the wrong kind, anywhere in the lists along it."""
    wrong = "{} in ('OBJECT', 'ARRAY')"
    if not isinstance(shape, Leaf):
        wrong = f"{{}} not in ('{'OBJECT' if isinstance(shape, Record) else 'ARRAY'}', 'NULL')"
    kind = f"json_type({column}, {literal(path)})"
    if "[*]" in path:
        return f"len(list_filter({kind}, lambda k: {wrong.format('k')})) > 0"
    return f"coalesce({wrong.format(kind)}, false)"


def _any(values: str, depth: int, condition: str) -> str:
    return f"len(list_filter({values}, lambda {_item(depth)}: {condition})) > 0"


def _item(depth: int) -> str:
    return f"x{depth}"
