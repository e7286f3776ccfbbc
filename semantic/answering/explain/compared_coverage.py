"""The days of both windows for which there are data: an explanation needs some on each side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from pipeline.errors import QueryError
from semantic.catalog.catalog import Catalog
from semantic.planning.plan import Plan
from semantic.planning.window import Window


@dataclass(frozen=True)
class CoveredSides:
    """How many days of each window are covered, and how many it has."""

    covered: int
    days: int
    previous_covered: int
    previous_days: int

    @property
    def is_whole(self) -> bool:
        return (self.covered, self.previous_covered) == (self.days, self.previous_days)


def days_with_data(window: Window, plan: Plan, catalog: Catalog) -> list[date]:
    """The days of a window for which every fact of a plan has data."""
    facts = [catalog.facts[name] for name in plan.facts]
    if window.start is None or window.end is None or any(not fact.first_date or not fact.last_date for fact in facts):
        return []
    first = max([window.start, *(fact.first_date for fact in facts if fact.first_date)])
    last = min([window.end, *(fact.last_date for fact in facts if fact.last_date)])
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def check_sides(metric: str, plan: Plan, catalog: Catalog) -> CoveredSides:
    """Count the covered days of both windows of a comparison.

    Raises:
        QueryError: One window has none; names the days that there are, and a range that has both.
    """
    window, previous = plan.window or Window(None, None), plan.previous or Window(None, None)
    now, before = days_with_data(window, plan, catalog), days_with_data(previous, plan, catalog)
    if not now or not before:
        raise _uncovered(metric, window if not now else previous, plan, catalog)
    return CoveredSides(len(now), _length(window), len(before), _length(previous))


def _length(window: Window) -> int:
    return (window.end - window.start).days + 1 if window.start and window.end else 0


def _uncovered(metric: str, window: Window, plan: Plan, catalog: Catalog) -> QueryError:
    what = f"There are no data of {metric} from {window.start} to {window.end}, so its change has no reasons."
    every = days_with_data(Window(date.min, date.max), plan, catalog)
    if len(every) < 2:
        return QueryError(what, "Choose a metric that has data: get_status says which facts have.")
    length = min(max(_length(plan.window or window), 1), len(every) // 2)
    start = every[-1] - timedelta(days=length - 1)
    return QueryError(
        what,
        f'Its days are {every[0]} to {every[-1]}: write "time_range": {{"start": "{start}", "end": "{every[-1]}"}} and'
        ' "compare": "previous_period".',
    )
