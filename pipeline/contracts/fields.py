"""The words a contract is written in: wire types (as the vendor sends it) and meanings (what it says).

A field is `Optional` and None by default: vendors leave keys out. Its *wire type* is a DuckDB type, and text stays
text; its *meaning* says what the text or number is. `shape_of` reads a contract back as data, for SQL generators.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict


class Meaning(StrEnum):
    """What a wire value says, once it is read."""

    TEXT = "text"  # as it stands
    DECIMAL = "decimal"  # a number in major units, at most 18 digits before and 6 after the point
    INTEGER = "integer"  # a whole number
    FLAG = "flag"  # true or false
    INSTANT = "instant"  # ISO 8601 with an offset or Z
    EPOCH_MICROS = "epoch_micros"  # microseconds since 1970-01-01 UTC
    DATE = "date"  # YYYY-MM-DD in the account's own time zone
    COMPACT_DATE = "compact_date"  # YYYYMMDD in the property's own time zone
    ANYTHING = "anything"  # any JSON, kept as it is


@dataclass(frozen=True)
class Leaf:
    """One scalar field: its DuckDB type on the wire and what it means."""

    wire: str
    meaning: Meaning


@dataclass(frozen=True)
class Record:
    """An object: its fields in contract order."""

    fields: tuple[tuple[str, Shape], ...]

    def __iter__(self) -> Iterator[tuple[str, Shape]]:
        return iter(self.fields)


@dataclass(frozen=True)
class Many:
    """A list of one shape."""

    of: Shape


Shape = Leaf | Record | Many


def _as_text(value: object) -> object:
    """Numbers and booleans sent where text was declared are the text they would print as."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float | Decimal) else value


def _blank_is_absent(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _decimal(value: Any) -> Any:  # Any: text or number, as the wire type says
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a number") from None
    if not number.is_finite() or abs(number) >= Decimal(10) ** 12:
        raise ValueError(f"{value!r} is not a number below 10^12")
    return value


def _integer(value: str) -> str:
    if not re.fullmatch(r"[+-]?\d{1,18}", value.strip()):
        raise ValueError(f"{value!r} is not a whole number")
    return value


def _instant(value: str) -> str:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{value!r} is not an ISO 8601 time") from None
    if moment.tzinfo is None:
        raise ValueError(f"{value!r} has no offset from UTC")
    return value


def _date(value: str) -> str:
    try:
        date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{value!r} is not a date") from None
    return value


def _leaf(wire: str, meaning: Meaning, *checks: object) -> Any:  # Any: typing has no word for an Annotated alias
    python = {"VARCHAR": str, "BIGINT": int, "DOUBLE": float, "BOOLEAN": bool, "JSON": Any}[wire]
    before = [BeforeValidator(_as_text)] if wire == "VARCHAR" else []
    if meaning is not Meaning.TEXT:
        before.append(BeforeValidator(_blank_is_absent))
    after = [AfterValidator(lambda value, check=check: value if value is None else check(value)) for check in checks]
    return Annotated[(python | None, Leaf(wire, meaning), *before, *after)]


Text = _leaf("VARCHAR", Meaning.TEXT)
DecimalText = _leaf("VARCHAR", Meaning.DECIMAL, _decimal)
IntegerText = _leaf("VARCHAR", Meaning.INTEGER, _integer)
Instant = _leaf("VARCHAR", Meaning.INSTANT, _instant)
DateText = _leaf("VARCHAR", Meaning.DATE, _date)
CompactDate = _leaf("VARCHAR", Meaning.COMPACT_DATE, _date)
Integer = _leaf("BIGINT", Meaning.INTEGER)
EpochMicros = _leaf("BIGINT", Meaning.EPOCH_MICROS)
Number = _leaf("DOUBLE", Meaning.DECIMAL, _decimal)
Flag = _leaf("BOOLEAN", Meaning.FLAG)
Anything = _leaf("JSON", Meaning.ANYTHING)


class Nested(BaseModel):
    """An object inside a record."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Contract(Nested):
    """The declared fields of one object of a connector, at one version. Published versions only ever gain fields."""

    key: ClassVar[tuple[str, ...]] = ()
    """The full grain of a record, breakdowns included; an absent part is NULL. Empty: the record is its own key."""
    required: ClassVar[tuple[str, ...]] = ()
    """Fields without which a record cannot be placed; a record without one is quarantined."""
    version_field: ClassVar[str | None] = None
    """The field (meaning INSTANT) by which the newest version of a record is known, where the vendor sends one."""
    date_field: ClassVar[str] = ""
    """The field whose date is the record's `payload_date`."""
    daily_slice: ClassVar[bool] = False
    """An export of a day holds the whole day of its account: what it lacks, the vendor withdrew."""
    wrappers: ClassVar[tuple[str, ...]] = ()
    """Keys under which API responses wrap lists of records (or one record)."""


def shape_of(model: type[Nested]) -> Record:
    """A contract, or an object nested in one, as data: its fields with their shapes, in contract order."""
    return Record(tuple((name, _shape(field.metadata, field.annotation)) for name, field in model.model_fields.items()))


def _shape(metadata: list[object], annotation: Any) -> Shape:  # Any: annotations have no common type
    for mark in metadata:
        if isinstance(mark, Leaf):
            return mark
    if get_origin(annotation) in (Union, types.UnionType):
        (inner,) = [arm for arm in get_args(annotation) if arm is not type(None)]
        return _shape([], inner)
    if get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        return _shape(marks, inner)
    if get_origin(annotation) is list:
        return Many(_shape([], get_args(annotation)[0]))
    if isinstance(annotation, type) and issubclass(annotation, Nested):
        return shape_of(annotation)
    raise TypeError(f"A contract field is a word of this file, an object or a list of one; not {annotation!r}.")


def wire_type(shape: Shape) -> str:
    """The DuckDB column type of a landing column: scalars as on the wire, everything nested as JSON text."""
    return shape.wire if isinstance(shape, Leaf) else "JSON"
