"""Writes measures as Boring Semantic Layer expressions over `_`, the fact's table, and parses them for columns.

A kind of metric defines how rows aggregate to its value, and how values of parts aggregate to that of the whole:

    sum             added up; 0 where no row counts
    count           rows; likewise
    count_distinct  different values; those of parts overlap, so they are never added up
    minimum         the least of the least
    maximum         the greatest of the greatest
    median          the value in the middle; the whole needs all rows again
    percentile      the value that so many percent of the rows do not exceed, interpolated; likewise
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

MetricKind = Literal["sum", "count", "count_distinct", "minimum", "maximum", "median", "percentile"]
AddsUp = Literal["sum", "minimum", "maximum", "none"]

ADDS_UP: Mapping[str, AddsUp] = {
    "sum": "sum",
    "count": "sum",
    "count_distinct": "none",
    "minimum": "minimum",
    "maximum": "maximum",
    "median": "none",
    "percentile": "none",
}
"""By kind, the aggregation of values of parts to that of the whole: sum, minimum, maximum; none where there is none."""
ZERO_WITHOUT_ROWS = ("sum", "count", "count_distinct")
"""The kinds with the value 0 over no rows, rather than unknown."""


def measure_of(kind: MetricKind, value: str | None = None, *, where: str | None = None, percent: int = 50) -> str:
    """Write the expression of a measure.

    Args:
        kind: One of `ADDS_UP`.
        value: Such as `_.spend`; none for a count.
        where: Which rows count, such as `_.is_valid`; all when left out. A sum over none of a group's rows is 0.
        percent: Of a percentile, 1 to 99.
    """
    only = f"where={where}" if where else ""
    if kind == "count":
        return f"_.count({only})"
    if kind == "sum":
        # a row that does not count is 0, so that parts add up to the whole also where values are unknown
        return f"({where}).ifelse({value}, 0).sum()" if where else f"{value}.sum()"
    if kind == "count_distinct":
        return f"{value}.nunique({only})"
    if kind in ("minimum", "maximum"):
        return f"{value}.{kind[:3]}({only})"
    as_double = f"{value}.cast('float64')"  # DuckDB interpolates decimals in their own scale, and rounds
    share = f"quantile({percent / 100:g}" + (f", {only}" if only else "")
    return f"{as_double}.median({only})" if kind == "median" else f"{as_double}.{share})"


@lru_cache(maxsize=2000)
def columns_in(expression: str) -> tuple[str, ...]:
    """The columns that a dimension or measure reads, in the order of the text.

    Raises:
        ValueError: It is no expression.
    """
    try:
        nodes = list(ast.walk(ast.parse(expression, mode="eval")))
    except SyntaxError as error:
        raise ValueError(f"{expression!r} is no expression") from error
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    attributes = [
        node
        for node in nodes
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "_"
    ]
    columns = sorted((node for node in attributes if id(node) not in called), key=lambda node: node.end_col_offset or 0)
    return tuple(dict.fromkeys(node.attr for node in columns))


def bare_column(expression: str) -> str | None:
    """The column that an expression is; None where it computes something."""
    columns = columns_in(expression)
    return columns[0] if columns and expression == f"_.{columns[0]}" else None
