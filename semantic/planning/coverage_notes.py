"""Sentences on the days of an answer: which sources lack some, which periods are not counted in full."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta

from pipeline.gates.finding import LEAVES_ROWS_OUT
from semantic.catalog.catalog import DATE, Catalog
from semantic.catalog.coverage import SourceCoverage
from semantic.catalog.day_set import DaySet
from semantic.catalog.days import FIRST, LAST
from semantic.planning.covered import FactCoverage, asked_days, partial_periods
from semantic.planning.plan import Plan
from semantic.planning.query import Query
from semantic.planning.window import period_end, period_start

MOST_PERIODS = 6
"""Periods, or gaps of a source, that one sentence lists."""


def coverage_notes(plan: Plan, catalog: Catalog, today: date) -> Iterator[str]:
    """Yield a sentence for each source that begins late, ends early or lacks days of what a query reads."""
    asked = asked_days(plan.asked, plan.conditions, plan.values)
    windows = [asked] + [asked_days(each, plan.conditions, plan.values) for each in (plan.read, plan.compared) if each]
    days = DaySet.of(interval for window in windows for interval in window.intervals)
    for each in plan.coverage:
        if not each.covered:
            if not any(each.fact in found.facts and found.kind in LEAVES_ROWS_OUT for found in catalog.findings):
                yield f"{each.fact} has no rows yet."
            continue
        yield from _ends(each, days, today)
        yield from _begins(each, days)
        yield from _gaps(each, days)


def _ends(coverage: FactCoverage, days: DaySet, today: date) -> Iterator[str]:
    end = coverage.covered.last if days.last == LAST else days.last
    if end is None:
        return
    limit = min(end, today - timedelta(days=1))
    early = [source for source in coverage.sources if source.days.last and source.days.last < limit]
    lasts = {source.days.last for source in coverage.sources}
    if early and len(lasts) == 1 and all(source.is_live(today) for source in early):
        by_record = all(source.is_by_records and source.platform for source in early)
        yield f"{coverage.fact} has data until {lasts.pop()}{', the day of its last record' if by_record else ''}."
        return
    ends = [(source.name, f"{source.days.last}{_why_not_live(source, today)}") for source in early]
    yield from _of_each(coverage.fact, "ends", ends)


def _of_each(fact: str, verb: str, said: Iterable[tuple[str, str]]) -> Iterator[str]:
    """What is said of sources; those of which the same is said share a sentence. `verb` is in the singular."""
    names: dict[str, list[str]] = {}
    for name, text in said:
        names.setdefault(text, []).append(name)
    for text, sources in names.items():
        yield f"{fact}: {' and '.join(sources)} {verb if len(sources) == 1 else verb.removesuffix('s')} {text}."


def _why_not_live(source: SourceCoverage, today: date) -> str:
    if source.is_live(today):
        return ""
    if source.ended and source.ended < today:
        return f": it ended on {source.ended}"
    return f": nothing was delivered after {source.delivered_on}"


def _begins(coverage: FactCoverage, days: DaySet) -> Iterator[str]:
    start = coverage.covered.first if days.first == FIRST else days.first
    late = [source for source in coverage.sources if source.days.first and start and source.days.first > start]
    firsts = {source.days.first for source in coverage.sources}
    if late and len(firsts) == 1:
        yield f"{coverage.fact} has data from {firsts.pop()} on."
        return
    yield from _of_each(coverage.fact, "begins", [(source.name, f"{source.days.first}") for source in late])


def _gaps(coverage: FactCoverage, days: DaySet) -> Iterator[str]:
    for source in coverage.sources:
        if source.days.first and source.days.last:
            gaps = days.within(source.days.first, source.days.last) - source.days
            if gaps:
                listed = [f"{first} to {last}" if first != last else f"{first}" for first, last in gaps.intervals]
                yield f"{coverage.fact}: {source.name} has no data for {_cut(listed)}."


def leaves_days_unmatched(query: Query, plan: Plan) -> bool:
    """Whether rows are days, and one of the two compared periods has a day that the other does not have."""
    if plan.comparison is None or DATE not in query.dimensions or query.time_grain not in (None, "day"):
        return False
    aligned = plan.comparison.aligned
    if plan.shape.comparison and plan.shape.comparison.drops_unmatched:
        return True
    sides = (aligned.current, aligned.previous)
    now, before = ((side.end - side.start).days if side.start and side.end else 0 for side in sides)
    return plan.shape.comparison is not None and plan.shape.comparison.unit == "months" and now != before


def period_notes(query: Query, plan: Plan, week_start: str, today: date) -> Iterator[str]:
    """Yield sentences on periods that are counted from or until a day, that are not over, or that lack days."""
    by_date, grain = DATE in query.dimensions, query.time_grain or "day"
    asked = asked_days(plan.window, plan.conditions, plan.values)
    described: set[date] = set()
    if by_date:
        yield from _cut_periods(asked, grain, week_start, described.add)
    yield from _unfinished(plan, grain if by_date else "day", week_start, today, described.add)
    if by_date and grain != "day":
        lacking = [
            f"{period.start} ({period.covered_days} of {period.days} days)"
            for period in partial_periods(asked, plan.coverage, grain, week_start)
            if period.start not in described
        ]
        if lacking:
            yield f"Not all days have data in {grain}s: {_cut(lacking)}."
    for name in query.dimensions:
        if name != DATE and any(key.name == name and key.type == "date" for key in plan.shape.keys):
            yield from _role_periods(name, plan, grain, week_start)


def _cut_periods(asked: DaySet, grain: str, week_start: str, describe: Callable[[date], None]) -> Iterator[str]:
    """The first and the last period of asked days where they are only a part of it."""
    if not asked.first or not asked.last:
        return
    first, last = period_start(asked.first, grain, week_start), period_end(asked.last, grain, week_start)
    if asked.first not in (FIRST, first):
        describe(first)
        yield f"The {grain} of {first} is counted from {asked.first} on."
    if asked.last not in (LAST, last):
        start = period_start(asked.last, grain, week_start)
        describe(start)
        yield f"The {grain} of {start} is counted until {asked.last}."


def _unfinished(
    plan: Plan, grain: str, week_start: str, today: date, describe: Callable[[date], None]
) -> Iterator[str]:
    start, end = (plan.window.start, plan.window.end) if plan.window else (None, None)
    last = end or max((each.covered.last for each in plan.coverage if each.covered.last), default=None)
    if last and period_end(last, grain, week_start) >= today and (start is None or start <= today):
        unfinished = period_start(min(last, today), grain, week_start)
        describe(unfinished)
        yield f"The {grain} of {unfinished} is not over: its numbers will change."


def _role_periods(name: str, plan: Plan, grain: str, week_start: str) -> Iterator[str]:
    """Periods of a date such as the first order's: those that a filter on it cuts, and the last one."""
    if grain == "day":
        return
    own = [(each, given) for each, given in zip(plan.conditions, plan.values, strict=True) if each.name == name]
    days = asked_days(None, [replace(each, name=DATE) for each, _ in own], [given for _, given in own])
    yield from _cut_periods(days, grain, week_start, lambda _: None)
    last = max((each.covered.last for each in plan.coverage if each.covered.last), default=None)
    if last and last in days and period_end(last, grain, week_start) > last:
        start = period_start(last, grain, week_start)
        yield f"The {grain} of {start} of {name} is not over: data end on {last}."


def _cut(listed: Iterable[str]) -> str:
    names = list(listed)
    return ", ".join(names[:MOST_PERIODS]) + (f" and {len(names) - MOST_PERIODS} more" if names[MOST_PERIODS:] else "")
