"""Reads key figures of a run: by day over the last weeks, and in total up to a day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby

import duckdb

from pipeline.gates.bands import WEEKS_BEFORE
from semantic.answering.explain.member_sums import exact
from semantic.answering.run_query import run_query
from semantic.answering.semantic_model import SemanticModel
from semantic.catalog.catalog import CURRENCY, DATE, Catalog, Fact, Metric
from semantic.catalog.coverage import complete_days, days_of_sources
from semantic.planning.query import MAX_LIMIT, Query, TimeRange

KEY_FIGURES = ("spend", "impressions", "clicks", "orders", "order_revenue", "sessions", "session_revenue")
DAYS_JUDGED = 7
READ_DAYS = timedelta(weeks=WEEKS_BEFORE) + timedelta(days=DAYS_JUDGED)

Series = tuple[str, str | None]
"""A metric, and the currency of its money where rows have their own."""


@dataclass(frozen=True)
class FigureReader:
    """Reads the key figures of one run."""

    model: SemanticModel
    cursor: duckdb.DuckDBPyConnection
    today: date

    def last_days(self) -> dict[str, date]:
        """By fact with a key figure: the last day that is complete, and that has rows before or on it."""
        found = {}
        for fact in dict.fromkeys(metric.fact for metric in self._metrics()):
            if fact and (last := last_day(self.model.catalog, fact, self.today)):
                found[fact] = last
        return found

    def by_day(self, last: Mapping[str, date]) -> dict[Series, dict[date, Decimal]]:
        """Values by day of the weeks up to the last day of each fact; none of days that no source covers."""
        found: dict[Series, dict[date, Decimal]] = {}
        for metrics in self._together(last):
            fact = self.model.catalog.facts[metrics[0].fact or ""]
            end = last[fact.name]
            first = max(end - READ_DAYS, fact.first_date or end)
            for series, day, value in self._rows(metrics, TimeRange(start=first, end=end), by_day=True):
                if value is not None and day is not None:
                    found.setdefault(series, {})[day] = value
        return found

    def totals(self, through: Mapping[str, date]) -> dict[Series, Decimal]:
        """Totals of all days up to the given one of each fact."""
        found: dict[Series, Decimal] = {}
        for metrics in self._together(through):
            fact = metrics[0].fact or ""
            for series, _, value in self._rows(metrics, TimeRange(end=through[fact]), by_day=False):
                found[series] = value or Decimal(0)
        return found

    def _metrics(self) -> list[Metric]:
        """The key figures that a fact with rows has a measure of."""
        catalog = self.model.catalog
        known = [catalog.metrics[name] for name in KEY_FIGURES if name in catalog.metrics]
        return [metric for metric in known if metric.fact and _has_rows(catalog.facts[metric.fact])]

    def _together(self, facts: Mapping[str, date]) -> Iterator[list[Metric]]:
        """Metrics that one query reads: of one fact, money apart."""
        listed = [metric for metric in self._metrics() if metric.fact in facts]
        ordered = sorted(listed, key=lambda metric: (metric.fact or "", self._is_split(metric)))
        for _, together in groupby(ordered, key=lambda metric: (metric.fact, self._is_split(metric))):
            yield list(together)

    def _is_split(self, metric: Metric) -> bool:
        """Whether its values are of several currencies."""
        return metric.unit == CURRENCY and self.model.catalog.rates is None

    def _rows(
        self, metrics: list[Metric], days: TimeRange, *, by_day: bool
    ) -> Iterator[tuple[Series, date | None, Decimal | None]]:
        is_split = self._is_split(metrics[0])
        dimensions = (*((DATE,) if by_day else ()), *((CURRENCY,) if is_split else ()))
        names = tuple(metric.name for metric in metrics)
        query = Query(metrics=names, dimensions=dimensions, time_range=days, limit=MAX_LIMIT)
        for row in run_query(query, self.model, self.cursor, today=self.today).rows:
            key, values = row[: len(dimensions)], row[len(dimensions) :]
            day = date.fromisoformat(key[0]) if by_day and key[0] else None
            currency = key[-1] if is_split else None
            if is_split and currency is None:
                continue  # rows without money
            for name, value in zip(names, values, strict=True):
                yield (name, currency), day, None if value is None else exact(value)


def last_day(catalog: Catalog, fact: str, today: date) -> date | None:
    """The last day before today on which a fact is complete, and not after its last row; None without one.

    A day after the last row is one on which nothing happened yet, or one that is still to come.
    """
    sources = [source for source in catalog.coverage if source.fact == fact]
    complete = complete_days(sources, today) or days_of_sources(sources)
    ends = [complete.last, catalog.facts[fact].last_date, today - timedelta(days=1)]
    known = [end for end in ends if end is not None]
    return min(known) if len(known) == len(ends) else None


def _has_rows(fact: Fact) -> bool:
    return bool(fact.rows) and fact.first_date is not None
