"""The shape of a question: everything its SQL depends on, and no value that a caller sent.

It is hashable: compiled SQL is kept by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from semantic.catalog.catalog import DATE
from semantic.catalog.conditions import Condition
from semantic.catalog.formula import Formula


@dataclass(frozen=True)
class Key:
    """A dimension that rows are grouped by."""

    name: str
    type: str
    grain: str | None = None  # of the date only


@dataclass(frozen=True, kw_only=True)
class Scan:
    """One aggregate over one fact: what it is grouped by and limited to, each with the way there."""

    fact: str
    keys: tuple[tuple[Key, str], ...] = ()
    measures: tuple[str, ...] = ()
    conditions: tuple[tuple[Condition, str], ...] = ()
    has_start: bool = False
    has_end: bool = False
    week_shift: int = 0


@dataclass(frozen=True, kw_only=True)
class Component:
    """A base metric that metrics are made from, as a column of the aggregated rows."""

    name: str
    fact: str
    adds_up: str | None  # the SQL aggregate that adds parts up
    is_zero_without_rows: bool


def row_count_column(fact: str) -> str:
    """The column that says how many rows of a fact were seen: NULL or 0 where there was nothing to count."""
    return f"rows_of_{fact}"


@dataclass(frozen=True)
class RequestedMetric:
    """A metric that is asked for, over components."""

    name: str
    formula: Formula


@dataclass(frozen=True)
class Comparison:
    """How rows meet those of the period before: so many months or days back; None where there is no date to shift."""

    unit: Literal["months", "days"] | None
    drops_unmatched: bool = False
    """A day that the month before does not have meets nothing; else it meets that month's last day."""


@dataclass(frozen=True, kw_only=True)
class CumulativeColumn:
    """A metric added up along the date."""

    metric: str
    restarts: Literal["month", "year"] | None
    days: int | None
    reads_back: bool
    """Days before the time range are read and counted, and not shown."""


@dataclass(frozen=True)
class TopGroups:
    """Only the groups with the highest value of a metric: groups of the other keys than the date, if there are any."""

    by: str
    has_other: bool


@dataclass(frozen=True, kw_only=True)
class QueryShape:
    """A whole question."""

    keys: tuple[Key, ...]
    scans: tuple[Scan, ...]
    components: tuple[Component, ...]
    metrics: tuple[RequestedMetric, ...]
    having: tuple[tuple[Condition, Formula], ...]
    comparison: Comparison | None
    along: CumulativeColumn | None
    shares: tuple[str, ...]
    totals: Literal["rows", "facts"] | None
    """Whether the row of totals is made from the other rows or by aggregating the facts again."""
    fill_gaps: bool
    top: TopGroups | None
    order: tuple[tuple[str, bool], ...]
    """Columns, and whether the highest comes first; those that are left out follow as they stand."""
    week_shift: int

    @cached_property
    def carried(self) -> tuple[Component, ...]:
        """What every row has besides its keys: the components, and how many rows of each fact were seen."""
        seen = (
            Component(name=row_count_column(scan.fact), fact=scan.fact, adds_up="SUM", is_zero_without_rows=True)
            for scan in self.scans
        )
        return (*self.components, *seen)

    @cached_property
    def is_sparse(self) -> bool:
        """Whether a row may lack a fact: another fact, period or group has made it."""
        return len(self.scans) > 1 or not self.keys or self.comparison is not None or self.fill_gaps

    @cached_property
    def date(self) -> Key | None:
        return next((key for key in self.keys if key.name == DATE), None)

    @cached_property
    def others(self) -> tuple[Key, ...]:
        """The keys besides the date."""
        return tuple(key for key in self.keys if key.name != DATE)
