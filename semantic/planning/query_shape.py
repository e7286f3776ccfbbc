"""Query shape: everything the SQL of a query depends on, without the values that a caller sent.

It is hashable, and the key of the cache of compiled SQL.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
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
    values: tuple[str, ...] = ()
    """Its values in the order of their rows, where it is not that of the alphabet."""


@dataclass(frozen=True, kw_only=True)
class Scan:
    """One aggregate over one fact: the keys and conditions, each with its join path."""

    fact: str
    keys: tuple[tuple[Key, str], ...] = ()
    measures: tuple[str, ...] = ()
    conditions: tuple[tuple[Condition, str], ...] = ()
    has_start: bool = False
    has_end: bool = False
    week_shift: int = 0
    is_presence_enough: bool = False
    """Each group says only that the fact has rows in it, as 1: counting them is a sixth of a short statement."""


@dataclass(frozen=True, kw_only=True)
class Component:
    """A base metric that metrics are computed from, as a column of the aggregated rows."""

    name: str
    fact: str
    adds_up: str | None  # the SQL aggregate that adds parts up
    is_zero_without_rows: bool
    is_unknown_without_rows: bool = False
    """Records of the fact exist that are in no table: no rows are an unknown number of them."""
    is_cost: bool = False
    """A ratio of it is unknown without rows, not 0."""


def row_count_column(fact: str) -> str:
    """The name of the column with the number of rows of a fact; it is NULL or 0 where there were none."""
    return f"rows_of_{fact}"


def covered_column(fact: str) -> str:
    """The name of the column that says whether a source of a fact covers a row's period."""
    return f"covers_{fact}"


@dataclass(frozen=True, kw_only=True)
class CoveredDays:
    """The days that the sources of a fact cover, by those keys of a query that are their platform or account."""

    fact: str
    keys: tuple[str, ...]
    rows: tuple[tuple[tuple[str | None, ...], tuple[date, date]], ...]
    """Values of the keys, and the first and last of adjacent days."""


@dataclass(frozen=True)
class RequestedMetric:
    """A metric of the query, as a formula over components."""

    name: str
    formula: Formula


@dataclass(frozen=True)
class Comparison:
    """The join to the period before: by dates so many months or days back; None where no date is grouped by."""

    unit: Literal["months", "days"] | None
    drops_unmatched: bool = False
    """A day that the month before does not have joins no row; else it joins that month's last day."""
    is_read_once: bool = False
    """Each row is compared with the one before it, and no day counts on one side alone: the facts are read once, over
    the days of both."""


@dataclass(frozen=True, kw_only=True)
class CumulativeColumn:
    """A metric added up along the date."""

    metric: str
    restarts: Literal["month", "year"] | None
    days: int | None
    has_lookback: bool
    """Days before the time range are read and added up, and left out of the answer."""


@dataclass(frozen=True)
class TopGroups:
    """Keeps the groups with the highest value of a metric: groups by all keys but the date, if there are others."""

    by: str
    has_other: bool


@dataclass(frozen=True, kw_only=True)
class QueryShape:
    """The shape of a full query."""

    keys: tuple[Key, ...]
    scans: tuple[Scan, ...]
    components: tuple[Component, ...]
    metrics: tuple[RequestedMetric, ...]
    having: tuple[tuple[Condition, Formula], ...]
    comparison: Comparison | None
    cumulative: CumulativeColumn | None
    shares: tuple[str, ...]
    totals: Literal["rows", "facts"] | None
    """Whether the row of totals is computed from the other rows or by aggregating the facts again."""
    fill_gaps: bool
    top: TopGroups | None
    order: tuple[tuple[str, bool], ...]
    """Columns, and whether the highest comes first; other dimensions follow, ascending."""
    week_shift: int
    coverage: tuple[CoveredDays, ...] = ()
    """Of each fact that may have rows outside its covered days: there a sum over no rows is unknown."""

    @cached_property
    def carried(self) -> tuple[Component, ...]:
        """The columns of every row besides its keys: the components, and the number of rows of each fact."""
        row_counts = (
            Component(name=row_count_column(scan.fact), fact=scan.fact, adds_up="SUM", is_zero_without_rows=True)
            for scan in self.scans
        )
        return (*self.components, *row_counts)

    @cached_property
    def is_sparse(self) -> bool:
        """Whether a row may lack a fact, because another fact, period or group produced it."""
        return len(self.scans) > 1 or not self.keys or self.comparison is not None or self.fill_gaps

    @cached_property
    def date(self) -> Key | None:
        return next((key for key in self.keys if key.name == DATE), None)

    @cached_property
    def others(self) -> tuple[Key, ...]:
        """The keys besides the date."""
        return tuple(key for key in self.keys if key.name != DATE)
