"""Like-for-like comparison: cuts two windows to the days that are over and covered on both sides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from semantic.catalog.day_set import DaySet
from semantic.catalog.days import FIRST
from semantic.planning.window import Shift, Window, period_end, period_shift, period_start

_DAY = timedelta(days=1)
NOTHING = DaySet()
OLDEST = FIRST + _DAY
NO_DAYS = Window(OLDEST, OLDEST)
"""The window that is read for a side that is compared with nothing: no data are that old."""


@dataclass(frozen=True, kw_only=True)
class Aligned:
    """The windows of a comparison, and what was left out of them so that both hold the same days."""

    current: Window
    previous: Window
    left_out: DaySet = NOTHING
    """Days inside `current` that are not compared."""
    previous_left_out: DaySet = NOTHING
    note: str | None = None
    """What a reader must know of the days that are compared."""

    @property
    def has_gaps(self) -> bool:
        return bool(self.left_out or self.previous_left_out)


def align(current: Window, previous: Window, shift: Shift, comparable: DaySet) -> Aligned:
    """Cut two windows to the days that have a comparable counterpart on the other side.

    Windows whose days are all comparable stay as they are, also when one is longer: October and September.

    Args:
        current: The asked days; closed.
        previous: Those that they are compared with.
        shift: How far back they lie.
        comparable: The days that are over and covered by all that is expected.
    """
    asked, before = _days(current), _days(previous)
    now, then = asked & comparable, before & comparable
    if now == asked and then == before:
        return Aligned(current=current, previous=previous, note=f"Compared with {_span(previous)}.")
    if not then:
        note = f"Nothing to compare with: there are no data for {_span(previous)}."
        return Aligned(current=current, previous=NO_DAYS, note=note)
    pairs = [(day, back) for day in now if (back := shift_back(day, shift)) is not None and back in then]
    if not pairs:
        note = (
            f"Nothing is compared: of {_span(current)} {_count(now, asked)} are complete,"
            f" of {_span(previous)} {_count(then, before)}, and none of them match."
        )
        return Aligned(current=current, previous=NO_DAYS, note=note)
    kept, kept_before = DaySet.of_days(day for day, _ in pairs), DaySet.of_days(back for _, back in pairs)
    cut, cut_before = _hull(kept), _hull(kept_before)
    note = (
        f"Compared like for like: {_listed(kept)} with {_listed(kept_before)}"
        f" ({len(kept)} of {len(asked)} days, those that are over and covered on both sides)."
    )
    return Aligned(
        current=cut,
        previous=cut_before,
        left_out=_days(cut) - kept,
        previous_left_out=_days(cut_before) - kept_before,
        note=note,
    )


def uncut(current: Window, previous: Window, comparable: DaySet) -> Aligned:
    """Keep two windows as they are; the note says how many days of each are complete."""
    asked, before = _days(current), _days(previous)
    now, then = len(asked & comparable), len(before & comparable)
    note = f"Compared with {_span(previous)}."
    if not then:
        return Aligned(current=current, previous=NO_DAYS, note=f"{note[:-1]}, for which there are no data.")
    if (now, then) != (len(asked), len(before)):
        note += f" Of the days now {now} of {len(asked)} are complete, of those before {then} of {len(before)}."
    return Aligned(current=current, previous=previous, note=note)


def align_periods(start: date, end: date, grain: str, week_start: str, comparable: DaySet) -> Aligned:
    """Compare each period from a day to another with the one right before it, like for like.

    A period of which not all days are counted is compared with the same days of the period before; one whose
    counterparts are not all comparable is compared with nothing.

    Args:
        start: The first day.
        end: The last day.
        grain: Of the periods.
        week_start: The tenant's.
        comparable: As for `align`.
    """
    shift = period_shift(grain)
    current, previous = Window(start, end), periods_before(start, end, grain, week_start)
    first = period_start(start, grain, week_start)
    left_out = DaySet()
    uncompared: list[date] = []
    while first <= end:
        period = DaySet.of([(first, period_end(first, grain, week_start))])
        counted = (period & _days(current)) & comparable
        back = DaySet.of([(shift.before(first), first - _DAY)])
        kept = back
        if counted != period:
            days = (each for day in counted if (each := shift_back(day, shift)) is not None)
            kept = back & DaySet.of_days(days)
        if not kept or kept - comparable:
            uncompared, kept = [*uncompared, first], DaySet()
        left_out = left_out | (back - kept)
        first = period_end(first, grain, week_start) + _DAY
    note = f"Each {grain} is compared with the {grain} before it"
    note += ", an unfinished one with the same days of it" if grain != "day" else ""
    if uncompared:
        listed = ", ".join(map(str, uncompared[:3])) + (" ..." if len(uncompared) > 3 else "")
        note += f"; {listed} with nothing, because days of one of the two are not complete"
    return Aligned(current=current, previous=previous, previous_left_out=left_out & _days(previous), note=f"{note}.")


def uncut_periods(start: date, end: date, grain: str, week_start: str) -> Aligned:
    """Compare each period from a day to another with the whole one right before it."""
    previous = periods_before(start, end, grain, week_start)
    note = f"Each {grain} is compared with the whole {grain} before it."
    return Aligned(current=Window(start, end), previous=previous, note=note)


def periods_before(start: date, end: date, grain: str, week_start: str) -> Window:
    """The days of the periods right before those from a day to another."""
    first = period_start(start, grain, week_start)
    return Window(period_shift(grain).before(first), period_start(end, grain, week_start) - _DAY)


def shift_back(day: date, shift: Shift) -> date | None:
    """The day that a day is compared with; None where the month before has no such day."""
    back = shift.before(day)
    return back if not shift.months or back.day == day.day else None


def _days(window: Window) -> DaySet:
    return DaySet.of([(window.start, window.end)] if window.start and window.end else [])


def _hull(days: DaySet) -> Window:
    return Window(days.first, days.last)


def _span(window: Window) -> str:
    return f"{window.start} to {window.end}" if window.start != window.end else f"{window.start}"


def _count(days: DaySet, of: DaySet) -> str:
    """How many days of some are in a set, and which."""
    return f"{len(days)} of {len(of)} days{f' ({_listed(days)})' if days else ''}"


def _listed(days: DaySet) -> str:
    """The days of a set in words, at most three intervals of it."""
    spans = [_span(Window(first, last)) for first, last in days.intervals[:3]]
    return ", ".join(spans) + (" ..." if len(days.intervals) > 3 else "") or "none"
