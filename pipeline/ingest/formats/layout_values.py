"""A layout's own ways to write a value, brought to the contract's: times without an offset, and dates as one text."""

from __future__ import annotations

from pipeline.contracts.fields import Leaf, Shape, is_date_object
from pipeline.contracts.meaning import INSTANTS, PATTERNS, Meaning


def layout_value(shape: Shape, text: str, *, is_utc: bool) -> str | None:
    """SQL for a text in the contract's own spelling; a text that does not read so stays as it is, a fault later.

    Returns:
        JSON text where `shape` is an object of year, month and day; None where there is nothing to change.
    """
    if is_date_object(shape):
        day = f"try_cast({text} as date)"
        parts = "'{\"year\":' || year(d) || ',\"month\":' || month(d) || ',\"day\":' || day(d) || '}'".replace(
            "(d)", f"({day})"
        )
        return f"case when {_has_form(text, Meaning.DATE)} and {day} is not null then {parts} else {text} end"
    if not is_utc:
        return None
    if not isinstance(shape, Leaf) or shape.meaning not in INSTANTS:
        raise TypeError("A layout says of a field that it is in UTC, and the contract does not make it an instant.")
    if shape.meaning is Meaning.UTC_TIME:
        return None
    moment = f"try_cast(trim({text}) as timestamp)"
    written = {
        Meaning.INSTANT: f"replace(strftime({moment}, '%Y-%m-%dT%H:%M:%S.%fZ'), '.000000Z', 'Z')",
        Meaning.RFC_2822: f"strftime({moment}, '%a, %d %b %Y %H:%M:%S +0000')",
        Meaning.EPOCH_SECONDS: f"(epoch_us({moment}) // 1000000)::varchar",
        Meaning.EPOCH_MILLIS: f"(epoch_us({moment}) // 1000)::varchar",
        Meaning.EPOCH_MICROS: f"epoch_us({moment})::varchar",
    }[shape.meaning]
    is_time = f"{_has_form(f'trim({text})', Meaning.LOCAL_TIME)} and {moment} is not null"
    return f"case when {is_time} then {written} else {text} end"


def _has_form(text: str, meaning: Meaning) -> str:
    return f"regexp_full_match({text}, '{PATTERNS[meaning]}')"
