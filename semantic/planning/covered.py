"""What the sources of a query's facts cover: of which days values are known, of which they are comparable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, reduce
from itertools import product
from typing import Any

from semantic.catalog.catalog import DATE, Catalog, Fact
from semantic.catalog.conditions import Condition, Value
from semantic.catalog.coverage import SourceCoverage, complete_days, days_before, days_of_sources, last_complete_day
from semantic.catalog.day_set import ALL_DAYS, DaySet
from semantic.catalog.days import FIRST, LAST
from semantic.planning.query_shape import CoveredDays, Key
from semantic.planning.touching_findings import keeps_text
from semantic.planning.window import Window, period_end, period_start

_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class FactCoverage:
    """The sources that feed what a query reads of one fact."""

    fact: str
    sources: tuple[SourceCoverage, ...]
    rows: DaySet
    """All days from the first to the last one with a row."""
    today: date

    @cached_property
    def covered(self) -> DaySet:
        """The days that any source covers."""
        return days_of_sources(self.sources)

    @cached_property
    def complete(self) -> DaySet:
        """The days that are over and for which all that is expected has arrived."""
        return complete_days(self.sources, self.today) & days_before(self.today)

    @property
    def last(self) -> date | None:
        """The last day that all live sources reach."""
        return last_complete_day(self.sources, self.today)


def fact_coverage(
    facts: Iterable[str],
    conditions: Sequence[Condition],
    values: Sequence[tuple[Value, ...]],
    catalog: Catalog,
    today: date,
) -> tuple[FactCoverage, ...]:
    """The coverage of each fact of a query by the sources that its filters on platforms and accounts leave."""
    return tuple(
        FactCoverage(
            fact=fact,
            sources=_sources_left(fact, conditions, values, catalog),
            rows=_days_of_rows(catalog.facts[fact]),
            today=today,
        )
        for fact in facts
    )


def _days_of_rows(fact: Fact) -> DaySet:
    return DaySet.of([(fact.first_date, fact.last_date)] if fact.first_date and fact.last_date else [])


def _sources_left(
    fact: str, conditions: Sequence[Condition], values: Sequence[tuple[Value, ...]], catalog: Catalog
) -> tuple[SourceCoverage, ...]:
    """The sources of a fact that filters leave; all of them where filters leave none, which is no matter of days."""
    columns = catalog.source_dimensions.get(fact, {})
    sources = tuple(source for source in catalog.coverage if source.fact == fact)

    def is_left(source: SourceCoverage) -> bool:
        own = {"source_platform": source.platform, "source_account": source.account}
        named = (
            (own.get(columns.get(each.name, "")), each.op, given)
            for each, given in zip(conditions, values, strict=True)
        )
        return all(name is None or keeps_text(op, name, given) for name, op, given in named)

    return tuple(filter(is_left, sources)) or sources


def asked_days(window: Window | None, conditions: Iterable[Condition], values: Iterable[Sequence[Any]]) -> DaySet:
    """The days that a time range and filters on the date leave. Any: days, as the filters' type demands."""
    days = DaySet.of([((window and window.start) or FIRST, (window and window.end) or LAST)])
    for condition, given in zip(conditions, values, strict=True):
        if condition.name == DATE:
            days = days & _days_of(condition.op, given)
    return days


def _days_of(op: str, given: Sequence[Any]) -> DaySet:  # Any: days
    if op in ("=", "in"):
        return DaySet.of_days(given)
    if op in ("!=", "not_in"):
        return ALL_DAYS - DaySet.of_days(given)
    if op in (">", ">="):
        return DaySet.of([(given[0] + _DAY if op == ">" else given[0], LAST)])
    if op in ("<", "<="):
        return DaySet.of([(FIRST, given[0] - _DAY if op == "<" else given[0])])
    if op == "between":
        return DaySet.of([(given[0], given[1])])
    return DaySet() if op == "is_null" else ALL_DAYS


def common_days(coverage: Iterable[FactCoverage]) -> DaySet:
    """The complete days of all facts that have any source."""
    complete = [each.complete for each in coverage if each.covered]
    return reduce(lambda days, more: days & more, complete) if complete else DaySet()


def uncovered_facts(
    coverage: Sequence[FactCoverage],
    keys: Sequence[Key],
    asked: Sequence[DaySet],
    catalog: Catalog,
    *,
    is_cut: bool = False,
) -> tuple[CoveredDays, ...]:
    """The days that sources cover, of each fact that may have groups in a query outside of them.

    Args:
        coverage: Of the facts of the query.
        keys: What it groups by.
        asked: The days of its windows.
        catalog: Says which keys are a platform or an account.
        is_cut: Days inside the windows are left out: a period that has none left is unknown, though it is covered.
    """
    by_date = any(key.name == DATE for key in keys)
    found: list[CoveredDays] = []
    if not any(asked):
        return ()  # filters leave no day: nothing happened on none
    for each in coverage:
        names, days = _by_keys(each, keys, catalog)
        groups = list(days.values()) or [DaySet()]
        is_whole = (_is_whole(one, group, coverage, by_date=by_date) for one in asked for group in groups)
        is_foreign = bool(names) and len(coverage) > 1  # visits may be from a platform that is no source
        if is_cut or is_foreign or not all(is_whole):
            rows = ((group, interval) for group, own in days.items() for interval in own.intervals)
            found.append(CoveredDays(fact=each.fact, keys=names, rows=tuple(rows)))
    return tuple(found)


_Group = tuple[str | None, ...]


def _by_keys(
    coverage: FactCoverage, keys: Sequence[Key], catalog: Catalog
) -> tuple[tuple[str, ...], Mapping[_Group, DaySet]]:
    """The keys that are a platform or an account of a fact, and the covered days by their values."""
    columns = catalog.source_dimensions.get(coverage.fact, {})
    is_known = all(source.platform is not None for source in coverage.sources)
    names = tuple(key.name for key in keys if key.name in columns) if is_known else ()
    days: dict[_Group, DaySet] = {}
    for source in coverage.sources:
        own = {"source_platform": source.platform, "source_account": source.account}
        values = ((own[columns[name]], None) for name in names)  # a group of no platform is covered where any is
        for group in product(*values):
            days[group] = days.get(group, DaySet()) | source.days
    return names, dict(sorted(days.items(), key=repr))


def extent(coverage: Iterable[FactCoverage]) -> DaySet:
    """All days from the first to the last covered one of any fact."""
    days = DaySet.of(interval for each in coverage for interval in each.covered.intervals)
    return DaySet.of([(days.first, days.last)]) if days.first and days.last else DaySet()


def closed_days(asked: DaySet, coverage: Iterable[FactCoverage]) -> DaySet:
    """The days that a query is about: where it is open, from the first to the last day that has data."""
    data = extent(coverage)
    return asked.within(data.first if asked.first == FIRST else None, data.last if asked.last == LAST else None)


def _is_whole(asked: DaySet, covered: DaySet, coverage: Sequence[FactCoverage], *, by_date: bool) -> bool:
    """Whether no group of a query can be outside the covered days."""
    if not by_date:
        return not asked or bool(asked & covered)
    rows = DaySet.of(interval for each in coverage for interval in each.rows.intervals)
    is_open = asked.first == FIRST or asked.last == LAST
    days = asked & (extent(coverage) | rows) if is_open else asked
    return not days - covered


@dataclass(frozen=True)
class Period:
    """A period of an answer with the number of its days that are counted in full."""

    start: date
    covered_days: int
    days: int


def partial_periods(asked: DaySet, coverage: Sequence[FactCoverage], grain: str, week_start: str) -> list[Period]:
    """The periods of a query, in order, of which not all days are asked for and complete.

    Args:
        asked: The days of its time range and filters.
        coverage: Of its facts.
        grain: Of its rows.
        week_start: The tenant's.
    """
    shown, complete = asked & extent(coverage), common_days(coverage)
    found, start = [], shown.first and period_start(shown.first, grain, week_start)
    while start is not None and shown.last is not None and start <= shown.last:
        end = period_end(start, grain, week_start)
        days = (end - start).days + 1
        counted = len((asked & complete).within(start, end))
        if counted < days and shown.within(start, end):
            found.append(Period(start, counted, days))
        start = end + _DAY
    return found
