"""Field types of contracts: the wire type (as the vendor sends it) and the meaning of each field.

A field is `Optional` and None by default: vendors leave keys out. Its *wire type* is a DuckDB type, and text stays
text; its *meaning* (meaning.py) defines how the text or number is read. A field that Python cannot name has an alias.
`shape_of` reads a contract back as data, for SQL generators.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from pipeline.contracts.layouts import Layout
from pipeline.contracts.meaning import Meaning, check_integral, check_value
from pipeline.contracts.measures import Measure

__all__ = [
    "Anything",
    "CompactDate",
    "Contract",
    "DateText",
    "DecimalText",
    "EpochMicros",
    "EpochMillis",
    "EpochSeconds",
    "Flag",
    "Instant",
    "Integer",
    "IntegerText",
    "Layout",
    "Leaf",
    "LocalTime",
    "Many",
    "Meaning",
    "Micros",
    "MicrosText",
    "MinorUnits",
    "Nested",
    "Number",
    "PercentText",
    "Quantity",
    "Record",
    "Rfc2822",
    "Shape",
    "Text",
    "UtcTime",
    "date_as",
    "field_at",
    "is_date_object",
    "is_lenient",
    "shape_of",
    "wire_type",
]


@dataclass(frozen=True)
class Leaf:
    """One scalar field: its DuckDB type on the wire and its meaning."""

    wire: str
    meaning: Meaning
    form: str = ""  # of a DATE_AS
    is_lenient: bool = False  # a value that does not convert is left out, and costs no record


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

EXACT = "DECIMAL(18,6)"
"""The wire type of numbers that a vendor sends as JSON numbers and that add up exactly. A whole number has the same
canonical text as a BIGINT, so that a published BIGINT may become one (contract_lock.py)."""


def _as_text(value: object) -> object:
    """Convert numbers and booleans, sent where text was declared, to the text they print as."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float | Decimal) else value


def _blank_is_absent(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _check_exact(meaning: Meaning, value: object) -> object:
    """The value as it is, checked as it was sent: Decimal itself would take other digits for a number."""
    is_number = isinstance(value, str | int | float) and not isinstance(value, bool)
    return check_value(meaning, value) if is_number else value


def _leaf(wire: str, meaning: Meaning, form: str = "") -> Any:  # Any: typing has no type of an Annotated alias
    python = {"VARCHAR": str, "BIGINT": int, "DOUBLE": float, EXACT: Decimal, "BOOLEAN": bool, "JSON": Any}[wire]
    before = [BeforeValidator(_as_text)] if wire == "VARCHAR" else []
    if wire == "BIGINT":
        before.append(BeforeValidator(lambda value: check_integral(meaning, value)))
    if wire == EXACT:
        before.append(BeforeValidator(lambda value: _check_exact(meaning, value)))
    if meaning is not Meaning.TEXT:
        before.append(BeforeValidator(_blank_is_absent))
    after = AfterValidator(lambda value: value if value is None else check_value(meaning, value, form))
    return Annotated[(python | None, Leaf(wire, meaning, form), *before, after)]


Text = _leaf("VARCHAR", Meaning.TEXT)
DecimalText = _leaf("VARCHAR", Meaning.DECIMAL)
MicrosText = _leaf("VARCHAR", Meaning.MICROS)
PercentText = _leaf("VARCHAR", Meaning.PERCENT)
IntegerText = _leaf("VARCHAR", Meaning.INTEGER)
Instant = _leaf("VARCHAR", Meaning.INSTANT)
UtcTime = _leaf("VARCHAR", Meaning.UTC_TIME)
LocalTime = _leaf("VARCHAR", Meaning.LOCAL_TIME)
Rfc2822 = _leaf("VARCHAR", Meaning.RFC_2822)
DateText = _leaf("VARCHAR", Meaning.DATE)
CompactDate = _leaf("VARCHAR", Meaning.COMPACT_DATE)
Integer = _leaf("BIGINT", Meaning.INTEGER)
Micros = _leaf("BIGINT", Meaning.MICROS)
MinorUnits = _leaf("BIGINT", Meaning.MINOR_UNITS)
EpochSeconds = _leaf("BIGINT", Meaning.EPOCH_SECONDS)
EpochMillis = _leaf("BIGINT", Meaning.EPOCH_MILLIS)
EpochMicros = _leaf("BIGINT", Meaning.EPOCH_MICROS)
Number = _leaf("DOUBLE", Meaning.DECIMAL)
Quantity = _leaf(EXACT, Meaning.DECIMAL)  # whole as a rule, and 1.52 where goods are sold by metre or kilo
Flag = _leaf("BOOLEAN", Meaning.FLAG)
Anything = _leaf("JSON", Meaning.ANYTHING)


def date_as(form: str) -> Any:  # Any: as _leaf
    """The field type of dates in a vendor's own format, such as %d.%m.%Y: %d, %m, %Y, %b, %B and separators."""
    if not re.fullmatch(r"(%[dmYbB]|[-/., ])+", form):
        raise TypeError(f"{form!r} is no format of a date: use %d, %m, %Y, %b, %B and - / . , or a space.")
    return _leaf("VARCHAR", Meaning.DATE_AS, form)


class Nested(BaseModel):
    """An object inside a record."""

    model_config = ConfigDict(frozen=True, extra="allow", defer_build=True)  # most processes never validate with them


class Contract(Nested):
    """The declared fields of one object of a connector, at one version. Published versions only ever gain fields.

    Fields of nested objects are named by dotted paths, such as `segments.date`.
    """

    key: ClassVar[tuple[str, ...]] = ()
    """The full grain of a record, breakdowns included; an absent part is NULL. Empty: the record is its own key."""
    optional_key: ClassVar[tuple[str, ...]] = ()
    """Parts of the key that the vendor does not guarantee: a record without one of them is its own key."""
    required: ClassVar[tuple[str, ...]] = ()
    """Fields without which a record cannot be placed; a record without one is quarantined."""
    version_field: ClassVar[str | None] = None
    """The time by which the newest version of a record is known, where the vendor sends one."""
    date_field: ClassVar[str] = ""
    """The field with the record's `payload_date`: a date, a time, or an object of year, month and day; empty where the
    record has no date."""
    daily_slice: ClassVar[bool] = False
    """An export of a day holds the whole day of its account: what it lacks, the vendor withdrew."""
    wrappers: ClassVar[tuple[str, ...]] = ()
    """Keys (dotted paths) under which API responses wrap lists of records, or one record."""
    layouts: ClassVar[tuple[Layout, ...]] = ()
    """Other spellings of the same records, such as a loader's flat table."""
    money: ClassVar[str] = ""
    """The unit of its amounts, in words, such as: micros of the account's currency."""
    zone: ClassVar[str] = ""
    """The clock of dates and times without an offset: account, store, utc; offset where each carries its own."""
    identity: ClassVar[tuple[str, ...]] = ()
    """Paths of scalars that identify a person: an alias replaces them when the person is forgotten."""
    personal: ClassVar[tuple[str, ...]] = ()
    """Paths of other personal values: dropped when the person is forgotten, as every unknown field is. Of a list of
    named values the ids of payments stay."""
    lenient: ClassVar[tuple[str, ...]] = ()
    """Paths of fields that no number and no key rests on: where a value does not convert it is left out, and the record
    stays. Of a nested object, all that is in it."""
    restated_days: ClassVar[int] = 0
    """Days for which the vendor still changes a record; 0 where it never does."""
    measures: ClassVar[tuple[Measure, ...]] = ()
    """The numbers that an export promises; a file without one that is always sent is withheld. Empty for an entity."""
    kind: ClassVar[tuple[str, str] | None] = None
    """A field, unknown to the contract, in which the vendor names the kind of object, and this object's name there."""
    enum_numbers: ClassVar[Mapping[str, Mapping[int, str]]] = {}
    """Path -> number -> name of the enums of an API whose clients may write numbers; 0 is an absent one."""


def shape_of(model: type[Nested]) -> Record:
    """A contract, or an object nested in one, as data: its fields with their shapes, in contract order."""
    lenient = frozenset(model.lenient if issubclass(model, Contract) else ())
    fields = [
        (field.alias or name, _shape(field.metadata, field.annotation)) for name, field in model.model_fields.items()
    ]
    return Record(tuple((name, _marked(shape, lenient, name) if lenient else shape) for name, shape in fields))


def _marked(shape: Shape, lenient: frozenset[str], path: str, *, is_inside: bool = False) -> Shape:
    """A shape whose fields at the paths are marked as lenient, with all that is in them."""
    is_inside = is_inside or path in lenient
    if isinstance(shape, Leaf):
        return replace(shape, is_lenient=is_inside)
    if isinstance(shape, Many):
        return Many(_marked(shape.of, lenient, path, is_inside=is_inside))
    return Record(
        tuple((name, _marked(inner, lenient, f"{path}.{name}", is_inside=is_inside)) for name, inner in shape)
    )


def is_lenient(shape: Shape) -> bool:
    """Whether nothing in a field has to convert."""
    if isinstance(shape, Leaf):
        return shape.is_lenient
    return is_lenient(shape.of) if isinstance(shape, Many) else all(is_lenient(inner) for _, inner in shape)


def _shape(metadata: list[object], annotation: Any) -> Shape:  # Any: annotations have no common type
    for item in metadata:
        if isinstance(item, Leaf):
            return item
    if get_origin(annotation) in (Union, types.UnionType):
        (inner,) = [arm for arm in get_args(annotation) if arm is not type(None)]
        return _shape([], inner)
    if get_origin(annotation) is Annotated:
        inner, *extras = get_args(annotation)
        return _shape(extras, inner)
    if get_origin(annotation) is list:
        return Many(_shape([], get_args(annotation)[0]))
    if isinstance(annotation, type) and issubclass(annotation, Nested):
        return shape_of(annotation)
    raise TypeError(f"A contract field is a word of this file, an object or a list of one; not {annotation!r}.")


def field_at(shape: Record, path: str) -> tuple[tuple[str, ...], Shape]:
    """The field at a dotted path of a contract: the names along the path, and the field's shape.

    Raises:
        ValueError: The contract declares no such field.
    """
    field = _field_at(shape, path)
    if field is None:
        raise ValueError(f"{path} is no field of the contract.")
    return field


def _field_at(shape: Shape, path: str) -> tuple[tuple[str, ...], Shape] | None:
    for name, inner in shape if isinstance(shape, Record) else ():
        if path == name:
            return (name,), inner
        rest = _field_at(inner, path.removeprefix(f"{name}.")) if path.startswith(f"{name}.") else None
        if rest:
            return (name, *rest[0]), rest[1]
    return None


def is_date_object(shape: Shape) -> bool:
    """Whether an object is a date of year, month and day."""
    return isinstance(shape, Record) and {"year", "month", "day"} <= {name for name, _ in shape}


def wire_type(shape: Shape) -> str:
    """The DuckDB column type of a landing column: scalars as on the wire, everything nested as JSON text."""
    return shape.wire if isinstance(shape, Leaf) else "JSON"
