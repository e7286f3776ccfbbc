"""The dates, times and kinds in the names of files, by which deliveries without a time are told apart.

The kinds are those of the GA4 export to BigQuery: `events_intraday_YYYYMMDD` is provisional and replaced by
`events_YYYYMMDD`; properties of GA4 360 have `events_fresh_YYYYMMDD` in between. Source: BigQuery Export of Google
Analytics, support.google.com/analytics/answer/9358801.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

_MOMENT = re.compile(
    r"""(?<!\d)(?P<year>\d{4})(?P<separator>[-_.]?)(?P<month>\d\d)(?P=separator)(?P<day>\d\d)
    (?:[T_\ -](?P<hour>\d\d)[-:.]?(?P<minute>\d\d)(?:[-:.]?(?P<second>\d\d))?Z?(?!\d|[-_.]\d))?(?!\d)""",
    re.VERBOSE,
)
"""A date, or a date and a time; `2026-01-01_2026-01-07` is two dates."""
_EPOCH = re.compile(r"(?<!\d)1\d{9}(?:\d{3})?(?!\d)")  # seconds or milliseconds since 1970, from 2001 on
_MONTH = re.compile(r"(\d{4})[-_.]?(\d\d)")
_KINDS = ("intraday", "fresh")
"""Kinds of an export's file that a later kind replaces, in this order; a file of no kind is the last."""
_KIND = re.compile(rf"(?<![a-z])(?:{'|'.join(_KINDS)})(?![a-z])", re.IGNORECASE)
_ENDING = re.compile(r"(?:\.[a-z]+)+$", re.IGNORECASE)
LONGEST_RANGE = 4_000  # days


def order_of(path: str, *, by_date: bool = True) -> str:
    """A text by which files without a time are ordered: the moments in the path, latest first, then the kind.

    Files with the same text are not told apart by their names.

    Args:
        by_date: Otherwise by the kind alone: a file beside it has no date.
    """
    moments = sorted((f"{moment:%Y%m%dT%H%M%S}" for moment in _moments(path)), reverse=True) if by_date else []
    kind = _KIND.search(path)
    rank = _KINDS.index(kind[0].lower()) if kind else len(_KINDS)
    return f"{' '.join(moments)}|{rank}"


def has_date(path: str) -> bool:
    return any(True for _ in _moments(path))


def stem_of(path: str) -> str:
    """What remains of a path without dates, kinds and numbers: files of one series of exports have the same."""
    text = _KIND.sub("", _EPOCH.sub("", _MOMENT.sub("", path)))
    return re.sub(r"[\W_\d]+", "", _ENDING.sub("", text)).lower()


def _moments(path: str) -> Iterator[datetime]:
    for match in _MOMENT.finditer(path):
        parts = [int(match[name] or 0) for name in ("year", "month", "day", "hour", "minute", "second")]
        try:
            yield datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001  # six numbers; names have no zone
        except ValueError:
            continue
    for match in _EPOCH.finditer(path):
        yield datetime.fromtimestamp(int(match[0][:10]), UTC).replace(tzinfo=None)


def covered_days(name: str, form: str) -> tuple[date, ...] | None:
    """The days that a file says it covers by its name; None where the expression finds none.

    Args:
        form: A regular expression with one group (a day, a month, or the first and the last day) or two.
    """
    match = re.search(form, name)
    if match is None:
        return None
    ends = [day for text in match.groups() if text for day in _days_in(text)]
    if not ends or max(ends) - min(ends) > timedelta(days=LONGEST_RANGE):
        return None
    first, last = min(ends), max(ends)
    return tuple(first + timedelta(days=number) for number in range((last - first).days + 1))


def _days_in(text: str) -> Iterator[date]:
    """The days written in a text; of a month, the first and the last."""
    found = [moment.date() for moment in _moments(text)]
    month = _MONTH.fullmatch(text)
    if not found and month and 1 <= int(month[2]) <= 12:
        first = date(int(month[1]), int(month[2]), 1)
        after = (first + timedelta(days=31)).replace(day=1)
        found = [first, after - timedelta(days=1)]
    yield from found
