"""Reads the sums of both windows from a run: the plan of a comparison, with the parts of the metric for its columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb

from semantic.answering.execute import execute
from semantic.answering.explain.effects import Member, Sides
from semantic.answering.explain.metric_parts import MetricParts
from semantic.answering.run_query import Prepared, prepare_query
from semantic.answering.semantic_model import SemanticModel
from semantic.catalog.catalog import COMPARED
from semantic.planning.query import MAX_LIMIT, Query
from semantic.planning.query_shape import RequestedMetric

NUMERATOR, DENOMINATOR = "numerator__", "denominator__"
_OF_A_METRIC = 1 + len(COMPARED)
"""Columns of a compared metric: its value, the previous one, the change and its ratio."""


@dataclass(frozen=True)
class ReadMembers:
    """The members of one dimension and their sums; not all of them where there are too many."""

    dimension: str
    members: tuple[Member, ...]
    is_cut: bool


@dataclass(frozen=True)
class SumReader:
    """Reads the parts of a metric, in total and by dimension, for one request."""

    query: Query
    """Of the metric, compared, without dimensions."""
    parts: MetricParts
    model: SemanticModel
    today: date
    cursor: duckdb.DuckDBPyConnection

    def total(self) -> Member:
        """The sums of everything."""
        (row,) = self._rows(prepare_query(self.query, self.model, today=self.today), NUMERATOR)
        return _member(None, row)

    def by(self, dimension: str) -> ReadMembers:
        """The sums of each member; of too many, those that are largest in one of the windows.

        Raises:
            NoJoinPath: The metric cannot be cut by the dimension.
        """
        query = self.query.model_copy(update={"dimensions": (dimension,), "limit": MAX_LIMIT})
        prepared = prepare_query(query, self.model, today=self.today)
        rows = self._rows(prepared, NUMERATOR)
        if is_cut := len(rows) > MAX_LIMIT:
            before = self._rows(prepared, f"{NUMERATOR}{COMPARED[0]}")
            rows = list({row[0]: row for row in (*rows[:MAX_LIMIT], *before[:MAX_LIMIT])}.values())
        members = (_member(row[0], row[1:]) for row in rows)
        return ReadMembers(dimension, tuple(each for each in members if not each.is_empty), is_cut)

    def _rows(self, prepared: Prepared, order: str) -> list[tuple[Any, ...]]:  # Any: what a column holds
        """Run the statement of a prepared query with other metrics: its scans, and so its parameters, are the same."""
        metrics = [RequestedMetric(NUMERATOR, self.parts.numerator)]
        metrics += [RequestedMetric(DENOMINATOR, self.parts.denominator)] if self.parts.denominator else []
        keys = ((key.name, False) for key in prepared.planned.shape.keys)
        shape = replace(prepared.planned.shape, metrics=tuple(metrics), order=((order, True), *keys))
        compiled = self.model.statement(shape)
        return execute(self.cursor, compiled.sql, {name: prepared.bound[name] for name in compiled.parameters})


def _member(name: str | bool | None, row: Sequence[Any]) -> Member:  # Any: numbers and None
    """The sums of a row; one that is not known adds nothing to the total, and so it is 0 here."""
    denominator = None
    if len(row) > _OF_A_METRIC:
        denominator = Sides(exact(row[_OF_A_METRIC]), exact(row[_OF_A_METRIC + 1]))
    known, was_known = (all(value is not None for value in row[side::_OF_A_METRIC]) for side in (0, 1))
    return Member(name, Sides(exact(row[0]), exact(row[1])), denominator, is_known=known, was_known=was_known)


def exact(value: Any) -> Decimal:  # Any: a number of DuckDB
    """A number as Decimal; a double by its shortest digits, nothing as 0."""
    return value if isinstance(value, Decimal) else Decimal(str(value)) if value is not None else Decimal(0)
