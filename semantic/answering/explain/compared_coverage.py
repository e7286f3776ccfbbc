"""The days of both windows that are compared: an explanation needs some on each side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from pipeline.errors import QueryError
from semantic.catalog.day_set import DaySet
from semantic.planning.alignment import NO_DAYS
from semantic.planning.covered import common_days
from semantic.planning.plan import Plan
from semantic.planning.window import Window


@dataclass(frozen=True)
class ComparedDays:
    """How many days of each window are compared, and how many it has."""

    days: int
    of: int
    previous_days: int
    previous_of: int


def check_compared_days(metric: str, plan: Plan) -> ComparedDays:
    """Count the days of both windows that a comparison is of; the plan cuts them to those covered on both sides.

    Raises:
        QueryError: One window has none; names the days that there are, and a range that has both.
    """
    complete, asked = common_days(plan.coverage), _days(plan.asked)
    if plan.comparison is None or plan.previous in (None, NO_DAYS) or not asked & complete:
        raise _uncovered(metric, plan, complete)
    aligned = plan.comparison.aligned
    return ComparedDays(
        days=len(_days(aligned.current) - aligned.left_out),
        of=len(asked),
        previous_days=len(_days(aligned.previous) - aligned.previous_left_out),
        previous_of=len(_days(plan.compared)),
    )


def _days(window: Window | None) -> DaySet:
    return DaySet.of([(window.start, window.end)] if window and window.start and window.end else [])


def _uncovered(metric: str, plan: Plan, complete: DaySet) -> QueryError:
    window = plan.compared if _days(plan.asked) & complete else plan.asked
    span = f"{window.start} to {window.end}" if window else "any day"
    what = f"There are no data of {metric} for {span} that can be compared, so its change cannot be explained."
    if len(complete) < 2 or not complete.last:
        return QueryError(what, "Choose a metric that has data: get_status says which facts have.")
    length = min(max(len(_days(plan.asked)), 1), len(complete) // 2)
    start = complete.last - timedelta(days=length - 1)
    return QueryError(
        what,
        f"Days with data are {complete.first} to {complete.last}: write"
        f' "time_range": {{"start": "{start}", "end": "{complete.last}"}} and "compare": "previous_period".',
    )
