"""Plans the periods of a query: the comparison with the period before, and the lookback of cumulative columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from pipeline.errors import QueryError
from semantic.catalog.catalog import DATE
from semantic.catalog.day_set import DaySet
from semantic.planning.alignment import OLDEST, Aligned, align, align_periods, uncut, uncut_periods
from semantic.planning.covered import FactCoverage, common_days, extent
from semantic.planning.query import ROW_BEFORE, Query
from semantic.planning.query_shape import Comparison, CumulativeColumn
from semantic.planning.window import Window, comparison_window, period_shift, period_start

_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_RESTARTS: Mapping[str, Literal["month", "year"]] = {"month_to_date": "month", "year_to_date": "year"}


@dataclass(frozen=True)
class PlannedComparison:
    """The join to the period before, the days of both, and how many months or days the period before lies back."""

    join: Comparison
    aligned: Aligned
    asked_before: Window
    """The days before, uncut."""
    shift: int = 0

    @property
    def days_left_out(self) -> tuple[tuple[date, ...], tuple[date, ...]]:
        """The days that each side leaves out inside its window; one without any lists a day that no data has."""
        now, then = tuple(self.aligned.left_out), tuple(self.aligned.previous_left_out)
        return now or (date.min,), then or (date.min,)


def comparison(
    query: Query, window: Window | None, coverage: Sequence[FactCoverage], week_start: str
) -> PlannedComparison | None:
    """Plan the comparison of a query; None without one.

    Args:
        query: As checked.
        window: Its time range.
        coverage: Of its facts: which days can be compared, and the ends of a range that is open.
        week_start: The tenant's.

    Raises:
        QueryError: The time range is open, or the periods of the grain do not line up.
    """
    if query.compare is None:
        return None
    comparable = common_days(coverage)
    if query.compare == ROW_BEFORE:
        return _with_rows_before(query, window, extent(coverage), comparable, week_start)
    start, end = ends(window, "compare")
    previous, shift = comparison_window(start, end, query.compare, window.unit if window else None)
    join, back = _join(query, (shift.months, shift.days))
    asked = Window(start, end)
    aligned = uncut(asked, previous, comparable)
    if query.align == "to_date":
        aligned = align(asked, previous, shift, comparable)
    return PlannedComparison(join, aligned, previous, back)


def _with_rows_before(
    query: Query, window: Window | None, data: DaySet, comparable: DaySet, week_start: str
) -> PlannedComparison:
    grain = query.time_grain or "day"
    start = (window and window.start) or data.first or OLDEST
    end = (window and window.end) or data.last or OLDEST
    shift = period_shift(grain)
    if query.align == "to_date":
        aligned = align_periods(start, end, grain, week_start, comparable)
    else:
        aligned = uncut_periods(start, end, grain, week_start)
    unit: Literal["months", "days"] = "months" if shift.months else "days"
    begins_whole = start == period_start(start, grain, week_start)
    is_read_once = begins_whole and not aligned.has_gaps and query.cumulative is None
    join = Comparison(unit, is_read_once=is_read_once)
    return PlannedComparison(join, aligned, aligned.previous, shift.months or shift.days)


def _join(query: Query, shift: tuple[int, int]) -> tuple[Comparison, int]:
    """The join by date, and how far back it reaches.

    Raises:
        QueryError: The periods of the grain do not line up.
    """
    months, days = shift
    if DATE not in query.dimensions:
        return Comparison(None), 0
    grain = query.time_grain or "day"
    size = _MONTHS.get(grain) if months else {"day": 1, "week": 7}.get(grain)
    if grain != "day" and (size is None or (months or days) % size):
        back = f"{months} months" if months else f"{days} days"
        raise QueryError(
            f"{grain}s do not line up with those {back} before.",
            'Write "time_grain": "day", choose a time range of whole periods, or leave out the date.',
        )
    if months:
        return Comparison("months", grain == "day" and query.compare == "previous_period"), months
    return Comparison("days"), days


def cumulative_column(
    query: Query, window: Window | None, week_start: str
) -> tuple[CumulativeColumn | None, Window | None]:
    """Plan the cumulative column: how the metric adds up along the date, and the days that must be read for it.

    Raises:
        QueryError: The grain is too coarse, or the time range begins inside one of its periods.
    """
    if query.cumulative is None:
        return None, window
    kind, grain, metric = query.cumulative.kind, query.time_grain or "day", query.cumulative.metric
    grains_of = {"rolling": ("day",), "month_to_date": ("day",), "year_to_date": ("day", "month", "quarter")}
    if kind in grains_of and grain not in grains_of[kind]:
        raise QueryError(f"{kind} does not go with {grain}s.", f'Write "time_grain": "{grains_of[kind][-1]}".')
    days = query.cumulative.days
    first = window.start if window else None
    first_read = first if first is None else _first_read(first, kind, days)
    has_lookback = first_read is not None and first is not None and first_read < first
    if has_lookback and first is not None and first != period_start(first, grain, week_start):
        raise QueryError(f"The time range begins inside a {grain}.", f"Begin it on the first day of a {grain}.")
    read = Window(first_read, window.end) if window and has_lookback else window
    return CumulativeColumn(metric=metric, restarts=_RESTARTS.get(kind), days=days, has_lookback=has_lookback), read


def _first_read(first: date, kind: str, days: int | None) -> date:
    if days is not None:
        return first - timedelta(days=days - 1)
    if kind == "running":
        return first
    return period_start(first, kind.removesuffix("_to_date"), "monday")


def ends(window: Window | None, part: str) -> tuple[date, date]:
    """Return the first and the last day of a window.

    Raises:
        QueryError: One is missing, and `part` of the query needs them.
    """
    if window is None or window.start is None or window.end is None:
        raise QueryError(f"{part} needs both ends of the time range.", 'Write "start" and "end" in time_range.')
    return window.start, window.end
