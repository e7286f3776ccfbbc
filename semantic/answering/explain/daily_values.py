"""Reads a metric by day, in the window and the weeks before it, and finds the onset of a change in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, localcontext
from typing import Any

import duckdb

from semantic.answering.explain.effects import DIGITS, Member, own_values
from semantic.answering.explain.explanation import Breakdown
from semantic.answering.explain.member_sums import exact
from semantic.answering.explain.onset import Onset, find_onset, first_baseline_day
from semantic.answering.run_query import run_query
from semantic.answering.semantic_model import SemanticModel
from semantic.catalog.catalog import DATE
from semantic.planning.plan import Plan
from semantic.planning.query import MAX_LIMIT, Filter, Query, TimeRange

MOST_LISTED = 10
"""Members that an explanation lists at most; the onset is looked for in these."""


@dataclass(frozen=True)
class DailyReader:
    """Reads a metric by day, in the window and the weeks before it."""

    query: Query
    plan: Plan
    model: SemanticModel
    today: date
    cursor: duckdb.DuckDBPyConnection

    def onset(self, change: Decimal) -> Onset | None:
        """The onset of the change of the metric itself."""
        values = self._read((), self.query.filters)
        return self._find(values.get((), {}), change)

    def with_onsets(self, breakdown: Breakdown) -> Breakdown:
        """A breakdown with the onsets of its largest named members."""
        largest = [effect for effect in breakdown.effects[:MOST_LISTED] if isinstance(effect.member.name, str)]
        names = tuple(str(effect.member.name) for effect in largest)
        if not names:
            return breakdown
        chosen = Filter(name=breakdown.dimension, op="in", value=names)
        values = self._read((breakdown.dimension,), (*self.query.filters, chosen))
        onsets: dict[str, date | None] = {}
        for effect in largest:
            change = _own_change(effect.member)
            found = self._find(values.get((effect.member.name,), {}), change)
            onsets[str(effect.member.name)] = found.day if found else None
        return replace(breakdown, onsets=onsets)

    def _find(self, values: dict[date, Decimal | None], change: Decimal) -> Onset | None:
        start = self.plan.window.start if self.plan.window else None
        with localcontext(prec=DIGITS):
            return find_onset(values, start, change) if start else None

    def _read(
        self, dimensions: tuple[str, ...], filters: Iterable[Filter]
    ) -> dict[tuple[Any, ...], dict[date, Decimal | None]]:  # Any: text, bool and None
        """The values by day of each group; none where the window is too long."""
        start, end = (self.plan.window.start, self.plan.window.end) if self.plan.window else (None, None)
        if start is None or end is None:
            return {}
        query = Query(
            metrics=self.query.metrics,
            dimensions=(DATE, *dimensions),
            time_range=TimeRange(start=first_baseline_day(start), end=end),
            filters=tuple(filters),
            fill_gaps=True,
            order_by=(DATE,),
            limit=MAX_LIMIT,
        )
        answer = run_query(query, self.model, self.cursor, today=self.today)
        values: dict[tuple[Any, ...], dict[date, Decimal | None]] = {}
        for day, *group, value in answer.rows if not answer.truncated else ():
            number = None if value is None else exact(value)
            values.setdefault(tuple(group), {})[date.fromisoformat(day)] = number
        return values


def _own_change(member: Member) -> Decimal:
    """The change of a member's own value: of its sum, or of its ratio."""
    if member.denominator is None:
        return member.numerator.change
    now, before = own_values(member)
    return (now or Decimal(0)) - (before or Decimal(0))
