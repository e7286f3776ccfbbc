"""Meanings of wire values, and the values that each accepts: as text for people, and as patterns and ranges.

`check_value` checks one value in Python, for pydantic; pipeline/ingest/values/meaning_sql.py checks in SQL, in bulk.
Both read this module.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any


class Meaning(StrEnum):
    """The meaning of a wire value."""

    TEXT = "text"  # as it stands
    DECIMAL = "decimal"  # a number in major units, at most 18 digits before and 6 after the point
    MICROS = "micros"  # millionths of a currency's major unit
    MINOR_UNITS = "minor_units"  # a currency's smallest unit: cents of USD, whole yen
    PERCENT = "percent"  # hundredths, with or without a percent sign
    INTEGER = "integer"  # a whole number
    FLAG = "flag"  # true or false
    INSTANT = "instant"  # ISO 8601 with an offset or Z
    UTC_TIME = "utc_time"  # ISO 8601, UTC where it has no offset
    LOCAL_TIME = "local_time"  # ISO 8601 without an offset, by the account's own clock
    RFC_2822 = "rfc_2822"  # Sat, 03 Mar 2018 02:35:28 +0000
    EPOCH_SECONDS = "epoch_seconds"  # seconds since 1970-01-01 UTC
    EPOCH_MILLIS = "epoch_millis"  # milliseconds since 1970-01-01 UTC
    EPOCH_MICROS = "epoch_micros"  # microseconds since 1970-01-01 UTC
    DATE = "date"  # YYYY-MM-DD in the account's own time zone, also written as its midnight, with or without UTC
    COMPACT_DATE = "compact_date"  # YYYYMMDD in the property's own time zone
    DATE_AS = "date_as"  # a date of the account's own time zone, in a format that the field states
    ANYTHING = "anything"  # any JSON, kept as it is


EPOCHS = frozenset({Meaning.EPOCH_SECONDS, Meaning.EPOCH_MILLIS, Meaning.EPOCH_MICROS})
INSTANTS = EPOCHS | {Meaning.INSTANT, Meaning.UTC_TIME, Meaning.RFC_2822}
"""Meanings that are an instant; a LOCAL_TIME is one only with its clock's zone."""

DESCRIPTIONS = {
    Meaning.TEXT: "text",
    Meaning.DECIMAL: "a number below 10^12",
    Meaning.MICROS: "a whole number of millionths, below 10^18",
    Meaning.MINOR_UNITS: "a whole number of minor units, below 10^12",
    Meaning.PERCENT: "a percentage below 10^12",
    Meaning.INTEGER: "a whole number",
    Meaning.FLAG: "true or false",
    Meaning.INSTANT: "a time with seconds and an offset from UTC",
    Meaning.UTC_TIME: "a time with seconds",
    Meaning.LOCAL_TIME: "a time with seconds and without an offset",
    Meaning.RFC_2822: "a time such as Sat, 03 Mar 2018 02:35:28 +0000",
    Meaning.EPOCH_SECONDS: "seconds since 1970, between 2000 and 2100",
    Meaning.EPOCH_MILLIS: "milliseconds since 1970, between 2000 and 2100",
    Meaning.EPOCH_MICROS: "microseconds since 1970, between 2000 and 2100",
    Meaning.DATE: "a date, YYYY-MM-DD",
    Meaning.COMPACT_DATE: "a date, YYYYMMDD",
    Meaning.DATE_AS: "a date in the vendor's format",
    Meaning.ANYTHING: "JSON",
}

_2000, _2100 = 946684800, 4102444800  # seconds
RANGES = {
    Meaning.MICROS: (-(10**18) + 1, 10**18 - 1),  # money is DECIMAL(18, 6)
    Meaning.MINOR_UNITS: (-(10**12) + 1, 10**12 - 1),  # of any currency: some have no smaller unit than the major one
    Meaning.EPOCH_SECONDS: (_2000, _2100),
    Meaning.EPOCH_MILLIS: (_2000 * 10**3, _2100 * 10**3),
    Meaning.EPOCH_MICROS: (_2000 * 10**6, _2100 * 10**6),
}
"""First and last whole number of each meaning. Seconds, milliseconds and microseconds of these years do not overlap."""

_DAY = "[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}"
_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.][0-9]+)?"
_LOOSE_CLOCK = "(?:[01]?[0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.][0-9]+)?"  # 2:20:51 went through a spreadsheet
_OFFSET = "(?:Z|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)"
_UTC = "(?:Z|[+-]00(?::?00)?| UTC)"
"""Loaders write a day as its midnight in UTC (singer-io/tap-facebook, schema of ads_insights: date-time)."""
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DIGITS = "[0-9]+(?:_[0-9]+)*"
_NUMBER = f"[+-]?(?:{_DIGITS}[.]?(?:{_DIGITS})?|[.]{_DIGITS})(?:[eE][+-]?0*[0-9]{{1,3}})?"
INTEGRAL = "[+-]?[0-9]+(?:[.]0+)?"  # 17850.0 is a whole number that went through a spreadsheet
SHORT_INTEGER = "[+-]?[0-9]{1,18}(?:[.]0+)?"  # TikTok's documentation has "impressions": "10505.0"
PATTERNS = {
    Meaning.DECIMAL: _NUMBER,
    Meaning.INSTANT: f"{_DAY}[T ]{_CLOCK}{_OFFSET}",
    Meaning.UTC_TIME: f"{_DAY}[T ]{_LOOSE_CLOCK}(?:{_OFFSET}| UTC)?",
    Meaning.LOCAL_TIME: f"{_DAY}[T ]{_LOOSE_CLOCK}",
    Meaning.RFC_2822: (
        f"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?[0-9]{{1,2}} (?:{'|'.join(MONTHS)}) [1-9][0-9]{{3}} "
        "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9] (?:GMT|[+-](?:[01][0-9]|2[0-3])[0-5][0-9])"
    ),
    Meaning.DATE: f"{_DAY}(?:[T ]00:00:00(?:[.]0+)?{_UTC}?)?",
    Meaning.COMPACT_DATE: "[1-9][0-9]{7}",
    Meaning.PERCENT: "[+-]?(?:[0-9]+[.]?[0-9]*|[.][0-9]+) ?%?",
}
"""Patterns that Python and DuckDB read alike. A matching day may still not exist in the calendar."""


def check_value(meaning: Meaning, value: Any, form: str = "") -> Any:  # Any: text or number, as the wire type says
    """The value as it is; `form` is the format of a DATE_AS.

    Raises:
        ValueError: It does not have the meaning of its field.
    """
    if meaning is Meaning.DECIMAL:
        _check_decimal(value)
    elif meaning in RANGES or meaning is Meaning.INTEGER:
        _check_integer(meaning, value)
    elif meaning is Meaning.DATE_AS:
        _check_date_as(value, form)
    elif meaning in PATTERNS:
        _check_pattern(meaning, value)
    return value


def _check_date_as(value: str, form: str) -> None:
    try:
        written = datetime.strptime(value, form).strftime(form)  # noqa: DTZ007  # a day, of the account's own zone
    except ValueError:
        written = ""
    if written != value:
        raise ValueError(f"{value!r} is not {DESCRIPTIONS[Meaning.DATE_AS]}, {form}")


def check_integral(meaning: Meaning, value: Any) -> Any:  # Any: text or number
    """The value as it is, where text is a whole number; Python itself would take 1_000 or 0-5 for one.

    Raises:
        ValueError: It is another text.
    """
    if isinstance(value, str) and not re.fullmatch(INTEGRAL, value.strip()):
        raise ValueError(f"{value!r} is not {DESCRIPTIONS[meaning]}")
    return value


def _check_decimal(value: object) -> None:
    text = str(value).strip()
    if not re.fullmatch(PATTERNS[Meaning.DECIMAL], text):
        raise ValueError(f"{value!r} is not a number")
    if abs(Decimal(text)) >= 10**12:
        raise ValueError(f"{value!r} is not {DESCRIPTIONS[Meaning.DECIMAL]}")


def _check_integer(meaning: Meaning, value: object) -> None:
    text = str(value).strip()
    is_whole = isinstance(value, int) or bool(re.fullmatch(SHORT_INTEGER, text))
    first, last = RANGES.get(meaning, (-(2**63), 2**63 - 1))
    if not is_whole or not first <= int(text.partition(".")[0]) <= last:
        raise ValueError(f"{value!r} is not {DESCRIPTIONS[meaning]}")


def _check_pattern(meaning: Meaning, value: str) -> None:
    text = value.strip() if meaning in TRIMMED else value
    if meaning is Meaning.INSTANT and re.fullmatch(PATTERNS[Meaning.LOCAL_TIME], text):
        raise ValueError(f"{value!r} has no offset from UTC")
    if not re.fullmatch(PATTERNS[meaning], text):
        raise ValueError(f"{value!r} is not {DESCRIPTIONS[meaning]}")
    if meaning is Meaning.PERCENT:
        _check_decimal(text.rstrip("% "))
    elif not _is_of_calendar(meaning, text):
        raise ValueError(f"{value!r} is a day of no calendar")


TRIMMED = frozenset({Meaning.UTC_TIME, Meaning.LOCAL_TIME, Meaning.RFC_2822, Meaning.PERCENT})
"""Meanings of text that may have space around it."""


def _is_of_calendar(meaning: Meaning, text: str) -> bool:
    """Whether the day of a text of the right form exists."""
    try:
        if meaning is Meaning.RFC_2822:
            day, month, year = text.rpartition(", ")[2].split(" ")[:3]
            date(int(year), MONTHS.index(month) + 1, int(day))
        else:
            date.fromisoformat(text if meaning is Meaning.COMPACT_DATE else text[:10])
    except ValueError:
        return False
    return True
