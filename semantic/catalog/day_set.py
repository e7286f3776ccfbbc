"""A set of days, kept as intervals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from pipeline.ingest.deliveries.day_spans import Span, joined_spans
from semantic.catalog.days import FIRST, LAST

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class DaySet:
    """Days, as intervals that are sorted and neither overlap nor follow each other. Its truth is whether it has any."""

    intervals: tuple[Span, ...] = ()

    @classmethod
    def of(cls, intervals: Iterable[Span]) -> DaySet:
        """The days of intervals in any order."""
        return cls(joined_spans(each for each in intervals if each[0] <= each[1]))

    @classmethod
    def of_days(cls, days: Iterable[date]) -> DaySet:
        return cls.of((day, day) for day in days)

    @property
    def first(self) -> date | None:
        return self.intervals[0][0] if self.intervals else None

    @property
    def last(self) -> date | None:
        return self.intervals[-1][1] if self.intervals else None

    def __bool__(self) -> bool:
        return bool(self.intervals)

    def __len__(self) -> int:
        return sum((last - first).days + 1 for first, last in self.intervals)

    def __contains__(self, day: date) -> bool:
        return any(first <= day <= last for first, last in self.intervals)

    def __iter__(self) -> Iterator[date]:
        for first, last in self.intervals:
            for number in range((last - first).days + 1):
                yield first + timedelta(days=number)

    def __or__(self, other: DaySet) -> DaySet:
        return DaySet.of((*self.intervals, *other.intervals))

    def __and__(self, other: DaySet) -> DaySet:
        pairs = ((a, b) for a in self.intervals for b in other.intervals)
        return DaySet.of((max(a[0], b[0]), min(a[1], b[1])) for a, b in pairs)

    def __sub__(self, other: DaySet) -> DaySet:
        left = self.intervals
        for first, last in other.intervals:
            parts = ((((a, min(b, first - _DAY)), (max(a, last + _DAY), b))) for a, b in left)
            left = tuple(part for pair in parts for part in pair if part[0] <= part[1])
        return DaySet.of(left)

    def within(self, start: date | None, end: date | None) -> DaySet:
        """The days from `start` to `end`; None is open."""
        return DaySet.of((max(a, start or a), min(b, end or b)) for a, b in self.intervals)


ALL_DAYS = DaySet.of([(FIRST, LAST)])
