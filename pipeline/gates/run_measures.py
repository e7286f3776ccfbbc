"""Measures of a published run: the history that gates of the next run compare with. Published as measures.json.

With them the questions that it was verified to answer right.

The run that readers went back to is what the next one is compared with; a pruned run takes its measures along.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict


class TableMeasures(BaseModel):
    """What was measured of one table; published with the run as the history of the next."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    table: str
    """Its name without the tenant's."""
    rows: int
    filled: dict[str, int] = {}
    """By column that may be NULL: the rows that have a value."""

    def null_share(self, column: str) -> float | None:
        """The share of NULL in a column; None where there are no rows, or no such column."""
        return 1 - self.filled[column] / self.rows if self.rows and column in self.filled else None


class MetricTotal(BaseModel):
    """The total of a key figure over the days of a run that were complete."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    metric: str
    currency: str | None = None
    """Of money, where its rows have a currency of their own."""
    through: date
    """The last of these days."""
    total: Decimal


class AnsweredQuestion(BaseModel):
    """A question of the tenant's own list that the run answers as it is known."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    question: str
    query: dict[str, Any]  # Any: a plain tree, as callers send it in JSON


class RunMeasures(BaseModel):
    """What a run was measured to hold."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: int = 1
    tables: tuple[TableMeasures, ...] = ()
    metrics: tuple[MetricTotal, ...] = ()
    verified: tuple[AnsweredQuestion, ...] = ()


def measures_json(measures: RunMeasures) -> str:
    """Write the text of measures.json; the same measures give the same bytes."""
    return measures.model_dump_json(indent=1) + "\n"


def read_measures(text: str | bytes) -> RunMeasures:
    """Read the text of measures.json.

    Raises:
        ValueError: It is no such text.
    """
    return RunMeasures.model_validate_json(text)
