"""The tools as an agent reads them: what each is for, what it takes, what it gives. A golden file holds the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from semantic.query import read_query
from server import tools
from server.arguments import Schema, input_schema, read_arguments
from server.query_schema import query_schema
from server.tools import MetricsAsked, Payload, StatusAsked, ValuesAsked

if TYPE_CHECKING:
    import duckdb

    from pipeline.settings import Settings
    from server.published import OpenRun

    Work = Callable[[OpenRun, Any, duckdb.DuckDBPyConnection, Settings], Payload]  # Any: what `read` gives


@dataclass(frozen=True)
class Described:
    """One tool: `read` checks its arguments and `work` answers them from a run."""

    name: str
    title: str
    description: str
    takes: Schema
    gives: Schema
    read: Callable[[Mapping[str, object]], Any]  # Any: the arguments of this one tool, given to `work`
    work: Work


def _object(**properties: Schema) -> Schema:
    """Shallow on purpose: a client that checks 1,000 rows cell by cell takes 45 ms for it. Source: facts/mcp.md 0."""
    return {"type": "object", "properties": properties, "required": list(properties)}


_LIST: Schema = {"type": "array"}
_ROWS: Schema = {
    "type": "array",
    "items": {"type": "array"},
    "description": "One array per row, in the order of columns.",
}
_TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": "boolean"}
_COUNT: Schema = {"type": "integer"}

LIST_METRICS = Described(
    name="list_metrics",
    title="List metrics and dimensions",
    description=(
        "Call this first: every metric that can be asked for, with its meaning, unit and the dimensions it can be cut"
        " and filtered by, then every dimension. Names in query must come from here; a metric and a dimension that is"
        " not in its list do not go together. With search only what matches; with limit a cursor comes back for the"
        " rest."
    ),
    takes=input_schema(MetricsAsked),
    gives=_object(metrics=_LIST, dimensions=_LIST),
    read=lambda sent: read_arguments(MetricsAsked, sent),
    work=lambda run, asked, _cursor, _settings: tools.list_metrics(run, asked),
)

GET_DIMENSION_VALUES = Described(
    name="get_dimension_values",
    title="List the values of a dimension",
    description=(
        "The values of one dimension, the most frequent first, each with how many rows carry it. Call it before you"
        " filter by a text: = and in refuse a value that does not exist. With search only values that contain it;"
        " truncated says when there are more."
    ),
    takes=input_schema(ValuesAsked),
    gives=_object(dimension=_TEXT, values=_LIST, truncated=_FLAG),
    read=lambda sent: read_arguments(ValuesAsked, sent),
    work=lambda run, asked, cursor, _settings: tools.get_dimension_values(run, asked, cursor),
)

QUERY = Described(
    name="query",
    title="Ask for metrics",
    description=(
        "Answer a question from governed metrics: call list_metrics first and use its names. Metrics of several facts"
        " (ads, orders, sessions) may stand together; they meet on the dimensions they share. A trend needs the"
        " dimension date and a time_grain. Filters on a metric apply to the groups, filters on a dimension to the"
        " rows. Ratios are sums divided by sums, given as fractions. The answer has columns (with units) and rows;"
        " when truncated is true, narrow the question or send its cursor with the same query. Read notes: they say"
        " what an answer does not hold."
    ),
    takes=query_schema(),
    gives=_object(
        columns=_LIST, rows=_ROWS, row_count=_COUNT, truncated=_FLAG, time_zone=_TEXT, run_id=_TEXT, notes=_LIST
    ),
    read=read_query,
    work=lambda run, asked, cursor, settings: tools.query(run, asked, cursor, settings).to_dict(),
)

GET_STATUS = Described(
    name="get_status",
    title="Say how fresh the data are",
    description=(
        "Which published run answers, when it was published, up to which day each fact has data, how many rows each"
        " table has, and what is to know about them. Call it when it matters how fresh or complete an answer is."
    ),
    takes=input_schema(StatusAsked),
    gives=_object(run_id=_TEXT, published_at=_TEXT, facts=_LIST, notes=_LIST),
    read=lambda sent: read_arguments(StatusAsked, sent),
    work=lambda run, _asked, _cursor, _settings: tools.get_status(run),
)

TOOLS = (LIST_METRICS, GET_DIMENSION_VALUES, QUERY, GET_STATUS)
