"""Filter conditions: reads values in the type of the filtered column, and keeps their shape apart from the values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from pipeline.errors import QueryError
from semantic.catalog.days import read_day
from semantic.catalog.input_text import quote_input

Value = str | bool | date | Decimal | float | int
FilterInput = bool | int | float | str | tuple[bool | int | float | str, ...] | None
"""The value of a filter as a caller sends it: JSON, days as ISO text."""

_UNARY = ("is_null", "is_not_null")
_LISTS = ("in", "not_in", "between")
_TEXT_ONLY = ("contains", "starts_with")
_BOOLEAN = ("=", "!=", "in", "not_in", *_UNARY)
_ORDERING = (">", ">=", "<", "<=", "between")
_LARGEST = Decimal(10) ** 24
_LARGEST_INTEGER = 2**62
_MONEY = Decimal(10) ** 18
_FLAGS = {"true": True, "false": False}


@dataclass(frozen=True, kw_only=True)
class Condition:
    """The shape of one filter; its values are bound as `<parameter>_0`, `<parameter>_1`, ..."""

    name: str
    type: str  # text, date, boolean, integer or number
    op: str
    count: int
    """Value slots: for a list 1, 2, 4, 8, ..., so that lists of many lengths share one statement."""
    parameter: str

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(f"{self.parameter}_{n}" for n in range(self.count))

    def bind(self, values: tuple[Value, ...]) -> dict[str, Value]:
        """Map the parameters to their values; the last value of a list fills the slots left over."""
        filled = values + values[-1:] * (self.count - len(values))
        return dict(zip(self.parameters, filled, strict=True))


def value_slots(op: str, values: int) -> int:
    """Count the slots for the values of an operator."""
    return 1 << (values - 1).bit_length() if op in ("in", "not_in") else values


def read_values(
    name: str, op: str, value: FilterInput, type_: str, *, is_identifier: bool = False
) -> tuple[Value, ...]:
    """Read the values of a filter on `name` in the type of what it filters; those of an identifier are text.

    Raises:
        QueryError: The operator does not fit the type, or takes more or fewer values, or values of another type.
    """
    if (op in _TEXT_ONLY and type_ != "text") or (type_ == "boolean" and op not in _BOOLEAN):
        allowed = ", ".join(_BOOLEAN) if type_ == "boolean" else "=, >, <, between or in"
        raise QueryError(f"{op} does not fit {name}, which is a {type_}.", f"Use {allowed}.")
    if op in _UNARY:
        if value is not None:
            raise QueryError(f"{op} on {name} takes no value.", "Leave value out.")
        return ()
    if value is None:
        raise QueryError(f"{op} on {name} has no value.", "Give it one; for rows without a value use is_null.")
    values = value if isinstance(value, tuple) else (value,)
    if op == "between" and len(values) != 2:
        raise QueryError(f"between on {name} has {len(values)} values.", "Give two: the lowest and the highest.")
    if not values:
        raise QueryError(f"{op} on {name} has an empty list.", "Name at least one value, or leave the filter out.")
    if isinstance(value, tuple) and op not in _LISTS:
        raise QueryError(f"{op} on {name} has a list of values.", "Use in for a list, or give one value.")
    if type_ == "text" and op in _ORDERING and any(_is_number(item, is_identifier) for item in values):
        raise QueryError(
            f"{name} is text, and {op} would compare it with {quote_input(values[0])} letter by letter: 9 is after 10.",
            "Name its values with in, or compare a metric.",
        )
    typed = tuple(_typed(item, type_, name) for item in values)
    if op == "between" and typed[0] > typed[1]:  # type: ignore[operator]  # both have the type of the dimension
        raise QueryError(
            f"between on {name} begins with {quote_input(values[0])}, after {quote_input(values[1])}.",
            "Write the lower value first.",
        )
    return typed


def _is_number(value: bool | float | str, is_identifier: bool) -> bool:
    """Whether a value is a number; for identifiers also text that looks like one."""
    return type(value) in (int, float) or (is_identifier and isinstance(value, str) and value.strip().isdecimal())


def _typed(value: bool | float | str, type_: str, name: str) -> Value:
    quoted = quote_input(value)
    if type_ == "text":
        if isinstance(value, str):
            return value
        if type(value) is int and abs(value) < _LARGEST:
            return str(value)
        raise QueryError(f"{name} is text, and a filter compares it with {quoted}.", "Write the value as text.")
    if type_ == "date":
        return read_day(value, f"The value of the filter on {name}")
    if type_ == "boolean":
        flag = _FLAGS.get(value.casefold()) if isinstance(value, str) else value
        if isinstance(flag, bool):
            return flag
        raise QueryError(f"{name} is true or false, and a filter compares it with {quoted}.", "Write true or false.")
    if type_ == "integer":
        number = _number(value, name)
        if -_LARGEST_INTEGER < number < _LARGEST_INTEGER and number == int(number):
            return int(number)
        raise QueryError(f"{name} is a whole number, and a filter compares it with {quoted}.", "Write a whole number.")
    return _number(value, name)


def _number(value: bool | float | str, name: str) -> Decimal | float:
    """A decimal where it fits beside money, so that equal means equal; else a double."""
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value) if type(value) is not bool else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite() or abs(number) >= _LARGEST:
        raise QueryError(
            f"{name} is a number, and a filter compares it with {quote_input(value)}.", "Write a number, such as 100.5."
        )
    if abs(number) >= _MONEY or number != (short := round(number, 6)):
        return float(number)
    return short if len(number.as_tuple().digits) > len(short.as_tuple().digits) else number  # no room for more zeros
