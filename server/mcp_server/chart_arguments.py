"""Arguments of queries with a chart: as the tool `query` takes them, and as `show_chart` does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.errors import QueryError, shorten
from semantic.catalog.sent_values import absent, unpacked, without_transport_keys
from semantic.planning.query import Query, read_query

CHARTS = ("vega", "png", "svg")
"""A Vega-Lite specification, or a picture."""


@dataclass(frozen=True)
class ChartedQuery:
    """A query, and the format of the chart requested beside its answer."""

    query: Query
    chart: str | None = None


def read_charted(sent: Mapping[str, Any]) -> ChartedQuery:  # Any: whatever a caller sent
    """Read the arguments of `query` over MCP.

    Raises:
        QueryError: It is no query, or there is no such chart.
    """
    chart = None if absent(sent.get("chart")) else sent["chart"]
    if chart is not None and chart not in CHARTS:
        raise QueryError(
            f"chart is {shorten(repr(chart), 80)}.", f"Choose one of: {', '.join(CHARTS)}; or leave it out."
        )
    return ChartedQuery(read_query({name: value for name, value in sent.items() if name != "chart"}), chart)


def read_page(sent: Mapping[str, Any]) -> ChartedQuery:  # Any: whatever a caller sent
    """Read the arguments of `show_chart`: one query, as an object or as its JSON text.

    Raises:
        QueryError: There is none, or something beside it.
    """
    own = without_transport_keys(sent, ("query",))
    query = unpacked(own.get("query"))
    if set(own) != {"query"} or not isinstance(query, dict):
        raise QueryError(
            "show_chart takes one argument, query.", 'Write {"query": {...}}, with the arguments of the tool query.'
        )
    return ChartedQuery(read_query(query), "svg")
