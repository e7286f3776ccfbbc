"""Coverage: the days for which a fact has data, by source and account. Published with a run as coverage.json.

A day that a source covers and that has no rows is a day on which nothing happened: its sums are 0. What happened on a
day that no source covers is unknown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from pipeline.ingest.deliveries.day_spans import Span
from semantic.catalog.day_set import DaySet

VERSION = 1
"""Version of the format of coverage.json."""
MISSED_DELIVERIES = 3
"""A source is live until so many usual distances of its deliveries have passed since the last one."""


@dataclass(frozen=True, kw_only=True)
class SourceCoverage:
    """The days of a fact that one account of one source covers."""

    fact: str
    platform: str | None
    """As the rows of the fact name it; None where it is not known of which source the days are."""
    account: str | None
    days: DaySet
    delivered_on: date | None = None
    """The day of its last delivery; None where that is not known."""
    every_days: int = 1
    """The usual distance of its deliveries."""
    ended: date | None = None
    """The last day that tenants.yaml expects of it."""
    is_by_records: bool = False
    """Its days end with its last record: no delivery says until when its records were exported."""

    def is_live(self, today: date) -> bool:
        """Whether later days are still expected of it."""
        if self.ended is not None and self.ended < today:
            return False
        if self.delivered_on is None:
            return True
        return (today - self.delivered_on).days <= MISSED_DELIVERIES * self.every_days

    @property
    def name(self) -> str:
        """Platform, and the account where it has a name of its own."""
        account = f"/{self.account}" if self.account not in (None, "main") else ""
        return f"{self.platform or self.fact}{account}"


def days_of_sources(sources: Iterable[SourceCoverage]) -> DaySet:
    """The days that any source covers: on these a sum over no rows is 0."""
    return DaySet.of(interval for source in sources for interval in source.days.intervals)


def complete_days(sources: Sequence[SourceCoverage], today: date) -> DaySet:
    """The days for which everything that is expected has arrived: they can be compared with each other.

    Each is covered, and covered by every live source whose days began before it. A source that is not live, or that
    begins later, takes no day away.
    """
    days = days_of_sources(sources)
    for source in sources:
        if source.days.first is not None and source.is_live(today):
            missing = DaySet.of([(source.days.first, days.last or source.days.first)]) - source.days
            days = days - missing
    return days


def last_complete_day(sources: Sequence[SourceCoverage], today: date) -> date | None:
    """The last day that all live sources reach; of sources that are all not live, the last day of any."""
    lasts = [(source.days.last, source.is_live(today)) for source in sources if source.days.last is not None]
    live = [last for last, is_live in lasts if is_live]
    return min(live) if live else max((last for last, _ in lasts), default=None)


def coverage_of_rows(days: Mapping[str, tuple[date | None, date | None]]) -> tuple[SourceCoverage, ...]:
    """Coverage from the first to the last day with rows of each fact, where nothing is known of its deliveries."""
    return tuple(
        SourceCoverage(fact=fact, platform=None, account=None, days=DaySet.of([(first, last)]), is_by_records=True)
        for fact, (first, last) in days.items()
        if first is not None and last is not None
    )


def days_before(today: date) -> DaySet:
    """The days that are over."""
    return DaySet.of([(date.min, today - timedelta(days=1))])


class _Entry(BaseModel):
    model_config = ConfigDict(extra="ignore")

    fact: str
    platform: str | None = None
    account: str | None = None
    days: tuple[Span, ...] = ()
    delivered_on: date | None = None
    every_days: int = 1
    ended: date | None = None
    is_by_records: bool = False


class _File(BaseModel):
    version: int
    coverage: tuple[_Entry, ...]


def coverage_json(coverage: Iterable[SourceCoverage]) -> str:
    """Write the text of coverage.json, a line per source of a fact; the same coverage gives the same bytes."""
    lines = [json.dumps(_written(source), ensure_ascii=False) for source in coverage]
    listed = ",\n  ".join(lines)
    return f'{{"version": {VERSION}, "coverage": [\n  {listed}\n]}}\n'


def read_coverage(text: str | bytes) -> tuple[SourceCoverage, ...]:
    """Read the text of coverage.json.

    Raises:
        ValueError: It is no such text.
    """
    file = _File.model_validate_json(text)
    return tuple(SourceCoverage(**{**dict(entry), "days": DaySet.of(entry.days)}) for entry in file.coverage)


def _written(source: SourceCoverage) -> dict[str, Any]:  # Any: JSON values
    entry = _Entry(**{**vars(source), "days": source.days.intervals})
    return entry.model_dump(mode="json", exclude_defaults=True)
