"""Runs one more aggregate of a fact beside the statement of a query, with the filters and days of the query."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from semantic.answering.execute import execute
from semantic.answering.semantic_model import SemanticModel
from semantic.planning.plan import Plan
from semantic.planning.query_shape import Scan, row_count_column

_PARAMETER = re.compile(r"\$(\w+)")


@dataclass(frozen=True)
class WeightedNote:
    """A note, and how much of an answer's numbers it is about, as a share."""

    weight: float
    sentence: str


@dataclass(frozen=True, kw_only=True)
class AskedRows:
    """What a query reads, and how to read more of it."""

    plan: Plan
    model: SemanticModel
    cursor: duckdb.DuckDBPyConnection
    bound: Mapping[str, object]
    """The values of the statement's parameters."""

    def read(self, scan: Scan, more: Mapping[str, object] = {}) -> list[dict[str, Any]]:  # Any: text and numbers
        """The rows of an aggregate by column; `more` are values beside those of the query, or in place of them."""
        sql = self.model.scan(scan)
        bound = {**self.bound, **more}
        rows = execute(self.cursor, sql, {name: bound[name] for name in _PARAMETER.findall(sql)})
        names = [*(key.name for key, _ in scan.keys), *scan.measures, row_count_column(scan.fact)]
        return [dict(zip(names, row, strict=True)) for row in rows]


def shown_name(metric: str) -> str:
    """The name that callers know a metric by; a hidden part of one is named for it."""
    return metric.split("__", maxsplit=1)[0]


def money_text(amounts: Mapping[str, object]) -> str:
    """Amounts by currency, such as 1,250.00 EUR and 3.50 USD."""
    return " and ".join(f"{amount:,.2f} {code}" for code, amount in sorted(amounts.items()))


def rows_text(count: int, fact: str) -> str:
    """How many rows of a fact."""
    return f"{count} {'row' if count == 1 else 'rows'} of {fact}"


def names_text(names: Iterable[str]) -> str:
    """Names joined with commas and a last `and`."""
    *first, last = dict.fromkeys(names)
    return f"{', '.join(first)} and {last}" if first else last
