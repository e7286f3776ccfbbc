"""SQL that checks texts against meanings, converts them to wire values, and rewrites a layout's form of them.

Everything is text first: a cast straight from JSON would turn a bad value into NULL without an error. A blank
text is absent for every meaning but TEXT.
"""

from __future__ import annotations

from dataclasses import replace

from pipeline.contracts.fields import EXACT, Leaf, Record, Shape, is_date_object
from pipeline.contracts.meaning import (
    DESCRIPTIONS,
    EPOCHS,
    INSTANTS,
    INTEGRAL,
    PATTERNS,
    RANGES,
    SHORT_INTEGER,
    Meaning,
)
from pipeline.contracts.sql import day_in, literal, moment, percent_number

LARGEST = "1e12"
"""Amounts are DECIMAL(18, 6): below 10^12."""

_SHORT = 10**18 - 1


def meaning_text(shape: Shape) -> str:
    """The expected value of a field, as text for people."""
    if isinstance(shape, Leaf):
        return f"{DESCRIPTIONS[shape.meaning]}, {shape.form}" if shape.form else DESCRIPTIONS[shape.meaning]
    return "an object whose values convert" if isinstance(shape, Record) else "a list whose values convert"


def fault_of_text(leaf: Leaf, text: str) -> str | None:
    """SQL condition: `text` (a cheap expression) is present and does not convert; None where every text does."""
    if leaf.is_lenient or leaf.meaning in (Meaning.TEXT, Meaning.ANYTHING):
        return None
    quick, thorough = _accepted(leaf, text)
    return (
        f"case when {text} is null or {quick} then false "
        f"else trim({text}) <> '' and not coalesce({thorough}, false) end"
    )


def _accepted(leaf: Leaf, text: str) -> tuple[str, str]:
    """Two conditions: a fast one that accepts nearly every good text, and one that decides the others."""
    if leaf.meaning in RANGES or leaf.meaning is Meaning.INTEGER:
        return _accepted_integer(leaf, text)
    has_form, trimmed_has_form = (
        f"regexp_full_match({value}, '{PATTERNS.get(leaf.meaning)}')" for value in (text, f"trim({text})")
    )
    match leaf.meaning:
        case Meaning.DECIMAL if leaf.wire == "DOUBLE":
            accepted = f"abs(try_cast({text} as double)) < {LARGEST}"
        case Meaning.DECIMAL:
            number = f"try_cast({text} as decimal(18, 6)) is not null"
            # DuckDB takes '- ' for 0, '7e ' for 7, '1e3.' for 1000 and '1e1_0' for 10^10
            is_safe = f"right({text}, 1) between '0' and '9' and not contains({text}, '_')"
            form = f"regexp_full_match({text}, '\\s*(?:{PATTERNS[leaf.meaning]})\\s*')"
            return f"({number} and {is_safe})", f"{number} and {form}"
        case Meaning.PERCENT:
            accepted = f"{trimmed_has_form} and {percent_number(text)} is not null"
        case Meaning.FLAG:
            accepted = f"try_cast({text} as boolean) is not null"
        case Meaning.DATE:
            midnight = f"try_cast({text} as date) is not null and {has_form}"
            return f"(length({text}) = 10 and try_cast({text} as date)::varchar = {text})", midnight
        case Meaning.COMPACT_DATE:
            accepted = f"strftime(try_strptime({text}, '%Y%m%d'), '%Y%m%d') = {text}"
        case Meaning.DATE_AS:
            accepted = f"strftime({day_in(text, leaf.form)}, {literal(leaf.form)}) = {text}"
        case Meaning.INSTANT:
            accepted = f"try_cast({text} as timestamptz) is not null and {has_form}"
        case _:
            accepted = f"{trimmed_has_form} and {moment(text, leaf.meaning)} is not null"
    return f"({accepted})", "false"


def _accepted_integer(leaf: Leaf, text: str) -> tuple[str, str]:
    first, last = RANGES.get(leaf.meaning, (-_SHORT, _SHORT))
    integer, form = f"try_cast({text} as bigint)", INTEGRAL if leaf.wire == "BIGINT" else SHORT_INTEGER
    fits = f"{integer} is not null" if leaf.meaning is Meaning.INTEGER else f"{integer} between {first} and {last}"
    return (
        f"({integer} between {first} and {last} and {integer}::varchar = {text})",
        f"{fits} and regexp_full_match(trim({text}), '{form}')",
    )


def value_of_text(leaf: Leaf, text: str) -> str:
    """SQL for the wire value of a text without a fault; NULL where it is absent, or lenient and of another kind."""
    if leaf.wire in ("BIGINT", "DOUBLE", EXACT, "BOOLEAN"):
        value = f"try_cast({text} as {leaf.wire})"  # takes 0x10 for 16, and NaN
        fault = fault_of_text(replace(leaf, is_lenient=False), text) if leaf.is_lenient else None
        return f"case when not {fault} then {value} end" if fault else value
    if leaf.meaning is Meaning.TEXT:
        return text
    return f"case when trim({text}) <> '' then {text} end"


def layout_value(shape: Shape, text: str, *, is_utc: bool) -> str | None:
    """SQL that rewrites a text to the contract's own form; a text that does not parse is unchanged, and a fault later.

    Returns:
        JSON text where `shape` is an object of year, month and day; None where no change is needed.
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
    return loader_time(shape, text, is_utc=True)


def loader_time(leaf: Leaf, text: str, *, is_utc: bool) -> str | None:
    """SQL that rewrites a time in ISO 8601 to the contract's own form; other texts are unchanged.

    Args:
        is_utc: A time without an offset is UTC; else it is unchanged.

    Returns:
        None where the contract's own form is ISO 8601, and no change is needed.
    """
    is_other = leaf.meaning in EPOCHS | {Meaning.RFC_2822}
    naive = _utc_time(leaf, text) if is_utc and leaf.meaning in INSTANTS - {Meaning.UTC_TIME} else None
    if not is_other:
        return naive
    at = f"(try_cast({text} as timestamptz) at time zone 'UTC')"
    utc = _utc_time(leaf, f"{at}::varchar")
    return f"case when {_has_form(text, Meaning.INSTANT)} and {at} is not null then {utc} else {naive or text} end"


def _utc_time(leaf: Leaf, text: str) -> str:
    """SQL that rewrites a time without an offset, in UTC, to the contract's own form; other texts are unchanged."""
    moment = f"try_cast(trim({text}) as timestamp)"
    written = {
        Meaning.INSTANT: f"replace(strftime({moment}, '%Y-%m-%dT%H:%M:%S.%fZ'), '.000000Z', 'Z')",
        Meaning.RFC_2822: f"strftime({moment}, '%a, %d %b %Y %H:%M:%S +0000')",
        Meaning.EPOCH_SECONDS: f"(epoch_us({moment}) // 1000000)::varchar",
        Meaning.EPOCH_MILLIS: f"(epoch_us({moment}) // 1000)::varchar",
        Meaning.EPOCH_MICROS: f"epoch_us({moment})::varchar",
    }[leaf.meaning]
    is_time = f"{_has_form(f'trim({text})', Meaning.LOCAL_TIME)} and {moment} is not null"
    return f"case when {is_time} then {written} else {text} end"


def _has_form(text: str, meaning: Meaning) -> str:
    return f"regexp_full_match({text}, '{PATTERNS[meaning]}')"
