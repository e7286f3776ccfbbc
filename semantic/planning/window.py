"""Time windows: named ranges, periods of a grain, and the comparison window. A window includes both ends."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

from pipeline.errors import QueryError, shorten
from semantic.catalog.days import FIRST, LAST
from semantic.catalog.suggestions import unknown

Grain = Literal["day", "week", "month", "quarter", "year"]
GRAINS = get_args(Grain)

_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_LAST_N = re.compile(r"last_([1-9]\d{0,3})_(day|week|month|quarter|year)s?")
RANGES = (
    *("today", "yesterday", "last_7_days", "last_30_days", "last_90_days"),
    *(f"{which}_{unit}" for unit in GRAINS[1:] for which in ("this", "last")),
    *(f"{unit}_to_date" for unit in GRAINS[1:]),
)
"""The named ranges; besides them last_N_days, weeks, months, quarters and years, of any N."""
_ALIASES: dict[str, tuple[str, ...]] = {
    "today": ("now", "current_day"),
    "yesterday": ("last_day", "previous_day"),
    "last_7_days": ("past_week", "past_7_days", "previous_7_days", "7d", "l7d", "7_days"),
    "last_30_days": ("past_month", "past_30_days", "previous_30_days", "30d", "l30d", "30_days"),
    "last_90_days": ("past_quarter", "past_90_days", "previous_90_days", "90d", "l90d", "90_days"),
    **{f"this_{unit}": (f"current_{unit}",) for unit in GRAINS[1:]},
    **{f"last_{unit}": (f"previous_{unit}", f"prior_{unit}", f"prev_{unit}") for unit in GRAINS[1:]},
    **{f"{unit}_to_date": (f"{unit[0]}td", f"this_{unit}_so_far", f"{unit}_so_far") for unit in GRAINS[1:]},
}
_DAY = re.compile(r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)")
_PERIOD = re.compile(
    r"(?:[qQ](?P<before>[1-4])[\s/-]*)?(?P<year>(?:19|20|21)\d{2})(?:-(?P<month>\d{2})|[\s/-]*[qQ](?P<quarter>[1-4]))?"
)


@dataclass(frozen=True)
class Window:
    """The days from start to end, both included; None where it is open."""

    start: date | None
    end: date | None
    unit: str | None = None
    """The calendar unit that it is the beginning of, as month_to_date is; compared with that of the unit before."""


@dataclass(frozen=True)
class Shift:
    """The distance back to the compared period: full months (days keep their number), else days."""

    months: int = 0
    days: int = 0

    def before(self, day: date) -> date:
        """The day so far before another; the last day of a shorter month."""
        return add_months(day, -self.months) if self.months else day - timedelta(days=self.days)


def week_shift(week_start: str) -> int:
    """The days to add to a date so that its week from Monday is its week from `week_start`."""
    return (7 - _WEEKDAYS.index(week_start)) % 7


def period_start(day: date, grain: str, week_start: str) -> date:
    """The first day of the day's week, month, quarter or year."""
    if grain == "week":
        return day - timedelta(days=(day.weekday() + week_shift(week_start)) % 7)
    if grain == "day":
        return day
    months = _MONTHS[grain]
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def period_end(day: date, grain: str, week_start: str) -> date:
    """The last day of the day's week, month, quarter or year."""
    start = period_start(day, grain, week_start)
    if grain in ("day", "week"):
        return start + timedelta(days=0 if grain == "day" else 6)
    return add_months(start, _MONTHS[grain]) - timedelta(days=1)


def period_shift(grain: str) -> Shift:
    """The distance of a period to the one before."""
    return Shift(months=_MONTHS[grain]) if grain in _MONTHS else Shift(days=7 if grain == "week" else 1)


def add_months(day: date, months: int) -> date:
    """Add months to a day; gives the last day of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def resolve(name: str, today: date, week_start: str) -> Window:
    """Resolve a named range to its days, counted from `today`.

    Raises:
        UnknownName: There is no such range; carries the nearest.
        QueryError: It writes days in another form; carries the right one.
    """
    yesterday = today - timedelta(days=1)
    if match := _LAST_N.fullmatch(name):
        return _last(int(match[1]), match[2], today, week_start)
    which, _, unit = name.partition("_")
    if name in ("today", "yesterday"):
        return Window(today, today) if name == "today" else Window(yesterday, yesterday)
    if name in RANGES and unit == "to_date":
        return Window(period_start(today, which, week_start), today, unit=which)
    if name in RANGES and which == "this":
        return Window(period_start(today, unit, week_start), period_end(today, unit, week_start))
    if name in RANGES and which == "last":
        return _last(1, unit, today, week_start)
    raise _unknown(name)


def _unknown(name: str) -> QueryError:
    """Create the error for an unknown range, with the days it seems to mean, else with the nearest names."""
    if days := _days_in(name):
        form = f'Write "time_range": {{"start": "{days.start}", "end": "{days.end}"}}.'
        return QueryError(f"There is no time range named {shorten(name)!r}.", form)
    return unknown("time range", name, {known: _ALIASES.get(known, ()) for known in RANGES})


def _days_in(text: str) -> Window | None:
    """Read the days in a text: one or two days, a month, a quarter or a year."""
    try:
        if days := [date.fromisoformat(day) for day in _DAY.findall(text)]:
            return check_days(Window(min(days), max(days)))
        if match := _PERIOD.fullmatch(text.strip()):
            year, month, quarter = int(match["year"]), match["month"], match["quarter"] or match["before"]
            grain = "month" if month else "quarter" if quarter else "year"
            first = date(year, int(month) if month else int(quarter or 1) * 3 - 2, 1)
            return check_days(Window(first, period_end(first, grain, "monday")))
    except (ValueError, QueryError):
        return None
    return None


def _last(count: int, unit: str, today: date, week_start: str) -> Window:
    """The last `count` full units before today's; days end yesterday."""
    end = period_start(today, unit, week_start) - timedelta(days=1)
    try:
        if unit in _MONTHS:
            start = add_months(period_start(end, unit, week_start), -_MONTHS[unit] * (count - 1))
        else:
            start = end - timedelta(days=count * (1 if unit == "day" else 7) - 1)
    except (ValueError, OverflowError) as error:
        raise QueryError(f"The last {count} {unit}s begin before the calendar.", "Choose fewer.") from error
    return check_days(Window(start, end))


def check_days(window: Window) -> Window:
    """Check a window and return it.

    Raises:
        QueryError: It ends before it starts, or is outside the supported years.
    """
    for day in (window.start, window.end):
        if day is not None and not FIRST <= day <= LAST:
            raise QueryError(f"time_range names {day}.", f"Choose days from {FIRST} to {LAST}.")
    if window.start and window.end and window.start > window.end:
        raise QueryError(f"time_range starts on {window.start}, after its end {window.end}.", "Swap start and end.")
    return window


def comparison_window(start: date, end: date, comparison: str, unit: str | None = None) -> tuple[Window, Shift]:
    """Return the window to compare with, and how far back it lies.

    previous_period is the same days of the unit before where the range is the beginning of a calendar unit, the
    previous calendar unit where it is full months, else as many days; previous_year the same days of the year before,
    29 February becoming the 28th; full months stay full months.
    """
    if unit and comparison == "previous_period":
        shift = period_shift(unit)
        return check_days(Window(shift.before(start), shift.before(end))), shift
    months = (end.year - start.year) * 12 + end.month - start.month + 1
    is_whole = start.day == 1 and (end + timedelta(days=1)).day == 1
    if comparison == "previous_year":
        last = add_months(end, -12)
        last = period_end(last, "month", "monday") if is_whole else last
        return check_days(Window(add_months(start, -12), last)), Shift(months=12)
    if is_whole:
        return check_days(Window(add_months(start, -months), start - timedelta(days=1))), Shift(months=months)
    days = (end - start).days + 1
    return check_days(Window(start - timedelta(days=days), start - timedelta(days=1))), Shift(days=days)
