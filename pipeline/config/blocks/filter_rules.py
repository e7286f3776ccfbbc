"""Filters of tenants.yaml: rules `{field, op, value}` that a record must all meet to be counted. Data, never SQL.

A field is one scalar of the contract; inside objects it is named by a dotted path. A value is compared by the
meaning of the field: amounts in major units (minor units where the vendor sends those), times with times or with days
of UTC, a vendor's local times with days of its own clock, texts letter by letter. A field without a value (no key,
null, blank text) meets `is_null`, `!=` and `not_in` and no other rule; as a value, an empty text stands for it.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from pipeline.config.entry import Entry
from pipeline.contracts.connector import Connector
from pipeline.contracts.fields import Leaf, Many, Record, Shape, shape_of
from pipeline.contracts.meaning import DESCRIPTIONS, Meaning, check_value
from pipeline.errors import shorten, suggest

COMPARISONS = ("=", "!=", ">", ">=", "<", "<=")
LISTS = ("in", "not_in", "between")
TEXTS = ("contains", "starts_with")
BARE = ("is_null", "is_not_null")
OPERATORS = (*COMPARISONS, *LISTS, *TEXTS, *BARE)

Rule = dict[str, Any]  # Any: `field` and `op` are text, `value` a scalar or a list of them

_UNORDERED = ("=", "!=", "in", "not_in", *BARE)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SAME: dict[Meaning, Meaning] = {
    Meaning.MICROS: Meaning.DECIMAL,
    Meaning.MINOR_UNITS: Meaning.INTEGER,
    Meaning.COMPACT_DATE: Meaning.DATE,
    Meaning.INSTANT: Meaning.UTC_TIME,
    Meaning.RFC_2822: Meaning.UTC_TIME,
    Meaning.EPOCH_SECONDS: Meaning.UTC_TIME,
    Meaning.EPOCH_MILLIS: Meaning.UTC_TIME,
    Meaning.EPOCH_MICROS: Meaning.UTC_TIME,
}
"""The meaning by which people write a value that vendors write in another form."""


def written_as(meaning: Meaning, value: object) -> Meaning:
    """The meaning of a value of tenants.yaml that is compared with a field of `meaning`; a day goes with a time."""
    written = _SAME.get(meaning, meaning)
    is_day = written in (Meaning.UTC_TIME, Meaning.LOCAL_TIME) and _DAY.fullmatch(str(value))
    return Meaning.DATE if is_day else written


def leaf_at(shape: Record, path: str) -> Leaf:
    """The scalar that a rule's field names; the rule has been read by `read_filters`."""
    head, _, rest = path.partition(".")
    inner = dict(shape)[head]
    if isinstance(inner, Record):
        return leaf_at(inner, rest)
    if rest or not isinstance(inner, Leaf):
        raise TypeError(f"{path} is no scalar of an object.")
    return inner


def read_filters(entry: Entry, connector: Connector, table: str) -> list[Rule]:
    """The rules of a table, as written, once every field and value is checked."""
    contract = connector.contracts.get(table)
    if contract is None:
        raise entry.wrong(
            f"{connector.name} is not built yet, so what {table} holds is not known.", "Remove the filters until it is."
        )
    shape = shape_of(contract)
    return [_rule(item, shape, f"{connector.name} {table}") for item in entry.items()]


def _rule(item: Entry, shape: Record, table: str) -> Rule:
    fields = item.fields(("field", "op", "value"))
    field = item.required("field")
    meaning = _leaf(field, shape, table).meaning
    op = item.required("op").choice(OPERATORS, "operator")
    _check_op(fields["op"], op, field.text(), meaning)
    rule = {"field": field.text(), "op": op}
    if op not in BARE:
        return rule | {"value": _value(item.required("value"), op, meaning)}
    if "value" in fields:
        raise fields["value"].wrong(f"{op} takes no value.", "Remove the line.")
    return rule


def _leaf(entry: Entry, shape: Record, table: str) -> Leaf:
    """The scalar that the field names."""
    inner: Shape = shape
    path = shorten(entry.text(), 80)
    for part in entry.text().split("."):
        known = dict(inner) if isinstance(inner, Record) else {}
        if part not in known:
            raise entry.wrong(f"{table} has no field named {path!r}.", suggest(part, known))
        inner = known[part]
        if isinstance(inner, Many):
            raise entry.wrong(f"{part} of {table} is a list.", "Name a field that has one value.")
    if isinstance(inner, Record):
        inside, _ = inner.fields[0]
        raise entry.wrong(f"{path} of {table} is an object.", f"Name what is inside, such as {path}.{inside}.")
    if not isinstance(inner, Leaf) or inner.meaning is Meaning.ANYTHING:
        raise entry.wrong(f"{path} of {table} may hold any JSON.", "Name a field that has one value.")
    return inner


def _check_op(entry: Entry, op: str, field: str, meaning: Meaning) -> None:
    """Check that values of a meaning can be compared by an operator."""
    allowed: tuple[str, ...] = _UNORDERED if meaning is Meaning.FLAG else OPERATORS
    if meaning is not Meaning.TEXT:
        allowed = tuple(each for each in allowed if each not in TEXTS)
    if op not in allowed:
        raise entry.wrong(
            f"{op} does not go with {field}, which is {DESCRIPTIONS[meaning]}.", f"Choose one of: {', '.join(allowed)}."
        )


def _value(entry: Entry, op: str, meaning: Meaning) -> object:
    if op in TEXTS:
        return entry.text()
    if op in COMPARISONS:
        return _scalar(entry, meaning)
    parts = entry.items()
    if not parts or (op == "between" and len(parts) != 2):
        expected = "two values, the lower first" if op == "between" else "at least one value"
        raise entry.wrong(f"{op} is given a list of {len(parts)}.", f"Write {expected}: [a, b].")
    values = [_scalar(part, meaning) for part in parts]
    if len({written_as(meaning, value) for value in values}) > 1:
        raise entry.wrong(f"{op} is given days and times.", "Write only days, or only times.")
    if op == "between" and _descends(values, written_as(meaning, values[0])):
        raise entry.wrong(f"between is given {values[0]} and {values[1]}.", "Write the lower one first.")
    return values


def _scalar(entry: Entry, meaning: Meaning) -> object:
    written = written_as(meaning, entry.value)
    if written is Meaning.FLAG:
        return entry.flag()
    if written is Meaning.TEXT:
        return "" if entry.value == "" else entry.text()
    if isinstance(entry.value, bool) or not isinstance(entry.value, str | int | float):
        raise entry.unlike(DESCRIPTIONS[written])
    try:
        check_value(written, str(entry.value))
    except ValueError as error:
        raise entry.unlike(DESCRIPTIONS[written]) from error
    return entry.value


def _descends(values: list[object], meaning: Meaning) -> bool:
    low, high = (str(value) for value in values)
    if meaning in (Meaning.DECIMAL, Meaning.INTEGER):
        return Decimal(low) > Decimal(high)
    return meaning in (Meaning.DATE, Meaning.TEXT) and low > high
