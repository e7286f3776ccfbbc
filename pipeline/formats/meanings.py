"""SQL that proves a text says what its contract means by it, and SQL that brings it to its wire type.

Everything arrives as text first: a cast straight from JSON would turn a bad value into NULL without an error. A blank
text is absent for every meaning but TEXT.
"""

from __future__ import annotations

from pipeline.contracts.fields import Leaf, Meaning, Record, Shape

SAYS = {
    Meaning.TEXT: "text",
    Meaning.DECIMAL: "a number below 10^12",
    Meaning.INTEGER: "a whole number",
    Meaning.FLAG: "true or false",
    Meaning.INSTANT: "a time with seconds and an offset from UTC",
    Meaning.EPOCH_MICROS: "microseconds since 1970, between 2000 and 2100",
    Meaning.DATE: "a date, YYYY-MM-DD",
    Meaning.COMPACT_DATE: "a date, YYYYMMDD",
    Meaning.ANYTHING: "JSON",
}

LARGEST = "1e12"
"""Amounts are DECIMAL(18, 6): below 10^12."""

EPOCH_RANGE = "between 946684800000000 and 4102444800000000"  # 2000-01-01 and 2100-01-01, in microseconds

_INSTANT = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d([.]\d+)?(Z|[+-]\d\d(:?\d\d)?)"
_INTEGRAL = r"[+-]?\d+([.]0*)?"  # 17850.0 is a whole number that went through a spreadsheet
_SHORT_INTEGRAL = r"[+-]?\d{1,18}"
_SHORT = 10**18 - 1


def says(shape: Shape) -> str:
    """What a field's value should have been, for people."""
    if isinstance(shape, Leaf):
        return SAYS[shape.meaning]
    return "an object whose values convert" if isinstance(shape, Record) else "a list whose values convert"


def fault_of_text(leaf: Leaf, text: str) -> str | None:
    """A condition that is true where `text` (SQL, cheap) is there and does not convert; None where everything does."""
    if leaf.meaning in (Meaning.TEXT, Meaning.ANYTHING):
        return None
    quick, thorough = _accepted(leaf, text)
    return (
        f"case when {text} is null or {quick} then false "
        f"else trim({text}) <> '' and not coalesce({thorough}, false) end"
    )


def _accepted(leaf: Leaf, text: str) -> tuple[str, str]:
    """Two conditions: one that accepts nearly every good text at once, and one that decides about the others."""
    whole = f"try_cast({text} as bigint)"
    if leaf.meaning is Meaning.EPOCH_MICROS:
        return (
            f"({whole} {EPOCH_RANGE} and {whole}::varchar = {text})",
            f"{whole} {EPOCH_RANGE} and {_matches(f'trim({text})', _INTEGRAL)}",
        )
    if leaf.meaning is Meaning.INTEGER:
        pattern = _INTEGRAL if leaf.wire == "BIGINT" else _SHORT_INTEGRAL
        return (
            f"({whole} between -{_SHORT} and {_SHORT} and {whole}::varchar = {text})",
            f"{whole} is not null and {_matches(f'trim({text})', pattern)}",
        )
    amount = f"abs(try_cast({text} as double)) < {LARGEST}"
    quick = {
        Meaning.DECIMAL: amount if leaf.wire == "DOUBLE" else f"try_cast({text} as decimal(18, 6)) is not null",
        Meaning.FLAG: f"try_cast({text} as boolean) is not null",
        Meaning.DATE: f"length({text}) = 10 and try_cast({text} as date)::varchar = {text}",
        Meaning.COMPACT_DATE: f"strftime(try_strptime({text}, '%Y%m%d'), '%Y%m%d') = {text}",
        Meaning.INSTANT: f"try_cast({text} as timestamptz) is not null and {_matches(text, _INSTANT)}",
    }
    return f"({quick[leaf.meaning]})", "false"


def _matches(text: str, pattern: str) -> str:
    return f"regexp_full_match({text}, '{pattern}')"


def value_of_text(leaf: Leaf, text: str) -> str:
    """The wire value of a text that has no fault; NULL where it is absent."""
    if leaf.wire in ("BIGINT", "DOUBLE", "BOOLEAN"):
        return f"try_cast({text} as {leaf.wire})"
    if leaf.meaning is Meaning.TEXT:
        return text
    return f"case when trim({text}) <> '' then {text} end"
