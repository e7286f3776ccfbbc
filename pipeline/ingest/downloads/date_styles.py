"""Date styles: the order of day, month and year in a file's dates, by its cells, and SQL that reads days and times.

2026-01-05, 5.1.2026 and Jan 5, 2026 say their order; 1/5/2026 does not. One file has one order, so all of its dates
decide together: a 13 in one of them proves it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.contracts.downloads import DateOrder
from pipeline.contracts.meaning import Meaning
from pipeline.contracts.sql import literal
from pipeline.ingest.downloads.number_styles import NOT_WRITTEN_SO

_YEAR_FIRST = r"([12][0-9]{3})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})"
_COMPACT = r"([12][0-9]{3})([0-9]{2})([0-9]{2})"
_YEAR_LAST = r"([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([12][0-9]{3})"
_DOTTED = r"([0-9]{1,2})[.] ?([0-9]{1,2})[.] ?([12][0-9]{3})"  # with dots the day comes first, wherever dots are used
_WORD = "[^0-9 ,./-]+"  # letters, which are slow to compile as a class of Unicode
_WEEKDAY = f"(?:{_WORD}[.]?, )?"
_MONTH_FIRST = _WEEKDAY + f"({_WORD})[.]? ([0-9]{{1,2}}),? ([12][0-9]{{3}})"
_DAY_FIRST = _WEEKDAY + f"([0-9]{{1,2}})[. -]+({_WORD})[.]?,?[ -]([12][0-9]{{3}})"
_CLOCK = (
    r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?(?:[.][0-9]+)? ?([AaPp][.]?[Mm][.]?)? ?(Z|UTC|[+-][0-9]{2}:?[0-9]{2})?"
)
_MONTHS = {
    1: ("jan", "jän"),
    2: ("feb",),
    3: ("mar", "mär", "mrz"),
    4: ("apr",),
    5: ("may", "mai"),
    6: ("jun",),
    7: ("jul",),
    8: ("aug",),
    9: ("sep",),
    10: ("oct", "okt"),
    11: ("nov",),
    12: ("dec", "dez"),
}
"""The first three letters of English and German months."""


@dataclass(frozen=True)
class DateEvidence:
    """What the dates of three numbers with the year last say about their order: one example of each kind."""

    day_first: str | None = None
    month_first: str | None = None
    either: str | None = None

    def with_others(self, others: Sequence[DateEvidence]) -> DateEvidence:
        """The evidence of several columns together."""
        every = [self, *others]
        names = ("day_first", "month_first", "either")
        return DateEvidence(
            *(next((getattr(one, name) for one in every if getattr(one, name)), None) for name in names)
        )


def date_evidence_items(text: str) -> list[str]:
    """Three select items: an example of each kind of evidence, of the dates in the column `text` with its parts."""
    day = f"{text}_day"
    is_plain = f"regexp_full_match({day}, {literal(_YEAR_LAST)}) and not regexp_full_match({day}, {literal(_DOTTED)})"
    first, second = (f"try_cast(regexp_extract({day}, {literal(_YEAR_LAST)}, {group}) as integer)" for group in (1, 2))
    kinds = (f"{first} > 12", f"{second} > 12", f"{first} <= 12 and {second} <= 12 and {first} <> {second}")
    return [f"min({text}) filter ({is_plain} and {kind})" for kind in kinds]


def proven_order(evidence: DateEvidence) -> DateOrder:
    """The order of a file's dates.

    Raises:
        ValueError: It is not proven; the reason, without the end of its sentence.
    """
    if evidence.day_first and evidence.month_first:
        raise ValueError(f"its dates are written in two orders, {evidence.day_first} and {evidence.month_first}")
    if evidence.either and not evidence.day_first and not evidence.month_first:
        raise ValueError(
            f"its dates, such as {evidence.either}, can be read in two ways and nothing in the file decides"
        )
    return "MDY" if evidence.month_first else "DMY"


def day_text(text: str, order: DateOrder) -> str:
    """SQL of a cell as YYYY-MM-DD; a cell that is no day ends with NOT_WRITTEN_SO.

    Args:
        text: The column of the cell; its parts are in columns beside it.
    """
    day, clock = f"{text}_day", f"{text}_clock"
    midnight = f"({clock} = '' or regexp_full_match({clock}, '0?0:00(:00)?([.]0+)?'))"
    return f"coalesce(case when {midnight} then {_day(day, order)} end, {text} || {literal(NOT_WRITTEN_SO)})"


def time_text(text: str, order: DateOrder, meaning: Meaning, *, is_utc: bool) -> str:
    """SQL of a cell as a time in the contract's own form; a cell that is no such time ends with NOT_WRITTEN_SO."""
    day, clock = f"{text}_day", f"{text}_clock"
    has_clock = f"regexp_full_match({clock}, {literal(_CLOCK)})"
    local = f"({_day(day, order)}) || ' ' || ({_clock(clock)})"
    offset = f"regexp_extract({clock}, {literal(_CLOCK)}, 5)"
    zone = f"case when {offset} in ('Z', 'UTC') then 'Z' when {offset} <> '' then {offset} {_default(is_utc)} end"
    moment = f"{local} || {zone}"
    if meaning is Meaning.LOCAL_TIME:
        value = f"case when {offset} = '' then {local} end"
    elif meaning is Meaning.EPOCH_SECONDS:
        value = f"epoch(try_cast({moment} as timestamptz))::bigint::varchar"
    else:
        value = f"replace({moment}, ' ', 'T')"
    return f"coalesce(case when {has_clock} then {value} end, {text} || {literal(NOT_WRITTEN_SO)})"


def _default(is_utc: bool) -> str:
    return "else 'Z'" if is_utc else ""


def split(text: str) -> tuple[str, str]:
    """SQL of the day and of the clock of a cell."""
    form = literal(r"^(.*?)(?:[T ,]+([0-9]{1,2}:[0-9]{2}.*))?$")
    return f"regexp_extract({text}, {form}, 1)", f"regexp_extract({text}, {form}, 2)"


def _day(day: str, order: DateOrder) -> str:
    """SQL of a day as YYYY-MM-DD; NULL for a text that is none, and for a day of no calendar."""
    forms = [
        (_YEAR_FIRST, "YMD"),
        (_COMPACT, "YMD"),
        (_DOTTED, "DMY"),
        *([(_YEAR_LAST, order)] if order != "YMD" else []),
        (_MONTH_FIRST, "MDY"),
        (_DAY_FIRST, "DMY"),
    ]
    whens = " ".join(
        f"when regexp_full_match({day}, {literal(form)}) then {_ymd(day, form, order_)}" for form, order_ in forms
    )
    return f"try_cast(case {whens} end as date)::varchar"


def _ymd(day: str, form: str, order: str) -> str:
    year, month, date = (f"regexp_extract({day}, {literal(form)}, {order.index(part) + 1})" for part in "YMD")
    month = _month(month) if form in (_MONTH_FIRST, _DAY_FIRST) else month
    return f"{year} || '-' || lpad({month}, 2, '0') || '-' || lpad({date}, 2, '0')"


def _month(name: str) -> str:
    start = f"lower(left({name}, 3))"
    whens = " ".join(
        f"when {start} in ({', '.join(map(literal, names))}) then '{number}'" for number, names in _MONTHS.items()
    )
    return f"case {whens} end"


def _clock(clock: str) -> str:
    """SQL of a clock time as HH:MM:SS."""
    hour, minute, second, half = (f"regexp_extract({clock}, {literal(_CLOCK)}, {group})" for group in range(1, 5))
    is_late = f"(case when lower(left({half}, 1)) = 'p' then 12 else 0 end)"
    twelve = f"({hour}::integer % 12 + {is_late})::varchar"
    hours = f"case when {half} = '' then {hour} else {twelve} end"
    return f"lpad({hours}, 2, '0') || ':' || {minute} || ':' || lpad(coalesce(nullif({second}, ''), '00'), 2, '0')"
