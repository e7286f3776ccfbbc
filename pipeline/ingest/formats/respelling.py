"""Respelling: brings records in another spelling, of a typed client or a loader, to the vendor's own form.

What a file needs is decided once, from its first records: the names (pipeline/contracts/spellings.py), and values that
a loader wrote in another type, such as a time as ISO 8601 where the vendor sends seconds. Values of a kind that the
contract does not know stay as they are, and are faults later.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from pipeline.contracts.fields import Contract, Leaf, Many, Record, Shape, is_date_object, shape_of
from pipeline.contracts.layouts import layout_of
from pipeline.contracts.meaning import EPOCHS, INSTANTS, PATTERNS, Meaning
from pipeline.contracts.spellings import AmbiguousNameError, Placement, is_of_a_loader, is_respelled, placements
from pipeline.contracts.sql import literal
from pipeline.ingest.values.meaning_sql import layout_value, loader_time
from pipeline.ingest.values.unreadable import Unreadable
from pipeline.ingest.values.wire_values import json_nested, json_of_text

FIRST_RECORDS = 20
"""Records of a file that show how it is written."""

Structure = dict[str, object]


@dataclass(frozen=True)
class RecordForm:
    """How the records of one file are written.

    Attributes:
        is_own: In the vendor's own form, or in a layout of the contract.
        is_utc: By a loader: times without an offset are UTC.
    """

    is_own: bool = True
    is_utc: bool = False


OWN = RecordForm()


def form_of(
    records: Sequence[Mapping[str, object]], contract: type[Contract], written: AbstractSet[str] | None = None
) -> RecordForm:
    """The form of a file, by its first records; `written` are its names where the records have them in another case.

    Raises:
        Unreadable: They are another kind of object than the contract's.
    """
    _check_kind(records, contract)
    found = structure_of(records)
    if layout_of(contract.layouts, found):
        return OWN
    is_utc = any(map(is_of_a_loader, found))
    is_own = not is_respelled(found, contract, written) and not _has_other_values(
        records, found, contract, is_utc=is_utc
    )
    return OWN if is_own else RecordForm(is_own=False, is_utc=is_utc)


def structure_of(values: Sequence[object]) -> Structure:
    """The names inside some records, with the structures below them."""
    merged: Structure = {}
    for record in values:
        for name, value in record.items() if isinstance(record, Mapping) else ():
            merged[name] = _merged(merged.get(name), value)
    return merged


def respelled(con: duckdb.DuckDBPyConnection, contract: type[Contract], is_record: str, form: RecordForm) -> pa.Table:
    """The records of the registered `batch`, in the vendor's own form.

    Raises:
        Unreadable: A name may be one of several fields of the contract.
    """
    structure = f"select json_group_structure(line::json)::varchar from batch where {is_record}"
    ((text,),) = con.execute(structure).fetchall()
    found = json.loads(text) if text else {}
    if not isinstance(found, dict):
        found = {}
    try:
        own = _Respelling(contract, form).of_object("line", found, shape_of(contract), depth=0)
    except AmbiguousNameError as error:
        raise Unreadable(f"its records are in another spelling than the vendor's, and {error}") from error
    query = f"select case when {is_record} then {own} else line end as line, position from batch"
    return con.execute(query).to_arrow_table()


def _merged(one: object, other: object) -> object:
    if isinstance(other, Mapping):
        return structure_of([one, other] if isinstance(one, Mapping) else [other])
    if isinstance(other, list):
        before = one if isinstance(one, list) else []
        return [structure_of([*before, *other])] if any(isinstance(each, Mapping) for each in other) else before
    return one if one is not None else other


def _check_kind(records: Sequence[Mapping[str, object]], contract: type[Contract]) -> None:
    """Check that the records say of themselves that they are the contract's object.

    Raises:
        Unreadable: One says that it is another one.
    """
    if contract.kind is None:
        return
    field, kind = contract.kind
    said = {each.get(field) for each in records if isinstance(each.get(field), str)}
    others = sorted(str(each) for each in said - {kind, ""})
    if others:
        raise Unreadable(
            f"its records are {', '.join(others)} objects, and not {kind} objects ({field} says so); "
            f"bring a list of {kind} objects"
        )


def _has_other_values(
    records: Sequence[Mapping[str, object]], found: Structure, contract: type[Contract], *, is_utc: bool
) -> bool:
    """Whether a field of the contract holds values of another type than the vendor's, that can be read for certain."""
    try:
        placed = placements(found, shape_of(contract))
    except AmbiguousNameError:
        return False
    return any(
        _is_other_value(each, _value_at(record, each.source), contract, is_utc)
        for each in placed
        if each.shape is not None
        for record in records
    )


def _is_other_value(each: Placement, value: object, contract: type[Contract], is_utc: bool) -> bool:
    if each.shape is not None and is_date_object(each.shape):
        return isinstance(value, str) and bool(re.fullmatch(PATTERNS[Meaning.DATE], value))
    if not isinstance(each.shape, Leaf):
        return False
    if ".".join(each.target) in contract.enum_numbers:
        return isinstance(value, int)
    if each.shape.meaning is Meaning.DATE:
        return isinstance(value, dict) and {"year", "month", "day"} <= value.keys()
    forms = [Meaning.INSTANT] if each.shape.meaning in EPOCHS | {Meaning.RFC_2822} else []
    forms += [Meaning.LOCAL_TIME] if is_utc and each.shape.meaning in INSTANTS - {Meaning.UTC_TIME} else []
    return isinstance(value, str) and any(re.fullmatch(PATTERNS[form], value) for form in forms)


def _value_at(record: object, path: Sequence[str]) -> object:
    for name in path:
        record = record.get(name) if isinstance(record, Mapping) else None
    return record


@dataclass(frozen=True)
class _Respelling:
    """SQL that rewrites the records of one file; `v0`, `v1`, ... are the values of an object, by their placements."""

    contract: type[Contract]
    form: RecordForm

    def of_object(self, value: str, found: Structure, shape: Record, depth: int) -> str:
        """SQL for the JSON text of an object in the contract's own names; `value` is SQL for its JSON."""
        placed = placements(found, shape)
        values = f"json_extract({value}, [{', '.join(_pointer(each.source) for each in placed)}])"
        item = f"v{depth}"
        members = [(each.target, self._value(f"{item}[{n}]", each, depth)) for n, each in enumerate(placed, 1)]
        return (
            f"list_transform([{values}], lambda {item}: {json_nested(members)})[1]" if placed else f"{value}::varchar"
        )

    def _value(self, value: str, each: Placement, depth: int) -> str:
        """SQL for the JSON text of a value, NULL where it is absent."""
        text, string = f"nullif({value}::varchar, 'null')", f"({value} ->> '$')"
        shape: Shape | None = each.shape
        if shape is None or (isinstance(shape, Leaf) and shape.meaning is Meaning.ANYTHING):
            return text
        if isinstance(shape, Leaf):
            return self._scalar(text, string, each, shape)
        if isinstance(shape, Many) and isinstance(shape.of, Record) and isinstance(each.found, list) and each.found:
            return self._list(text, each.found[0], shape.of, depth + 1)
        inner = json_of_text(string)  # JSON in a text
        if is_date_object(shape):
            inner = json_of_text(f"({layout_value(shape, string, is_utc=False)})")
        return f"case when starts_with({text}, '\"') then {inner} else {text} end"

    def _list(self, text: str, found: object, shape: Record, depth: int) -> str:
        if not isinstance(found, dict) or not any(each.is_moved for each in placements(found, shape)):
            return text
        item = f"x{depth}"
        elements = f"""list_transform(
            from_json({text}, '["JSON"]'), lambda {item}: {self.of_object(item, found, shape, depth)})"""
        listed = f"'[' || array_to_string({elements}, ',') || ']'"
        return f"case when starts_with({text}, '[') then {listed} else {text} end"

    def _scalar(self, text: str, string: str, each: Placement, leaf: Leaf) -> str:
        numbers = self.contract.enum_numbers.get(".".join(each.target))
        if numbers is not None:
            absent = " ".join(f"when '{name}' then null" for name in ("0", "UNSPECIFIED", ""))
            named = " ".join(f"when '{number}' then '\"{name}\"'" for number, name in numbers.items())
            return f"case {string} {absent} {named} else {text} end"
        if self.contract.enum_numbers and leaf.meaning is Meaning.TEXT:  # clients of protobuf write '' for absent
            return f"nullif({text}, '\"\"')"
        if leaf.meaning is Meaning.DATE and isinstance(each.found, dict | str):
            parts = ", ".join(f"json_extract_string({text}, '$.{part}')::int" for part in ("year", "month", "day"))
            day = f"to_json(printf('%04d-%02d-%02d', {parts}))::varchar"
            return f"case when starts_with({text}, '{{') then {day} else {text} end"
        time = loader_time(leaf, string, is_utc=self.form.is_utc)
        return f"case when starts_with({text}, '\"') then to_json({time})::varchar else {text} end" if time else text


def _pointer(names: Sequence[str]) -> str:
    return literal("".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names))
