"""The tools as an agent reads them: what each is for, what it takes, what it gives. A golden file holds the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from server import tools
from server.agents.arguments import Schema, input_schema, read_arguments
from server.agents.charted import CHARTS, Charted, read_charted, read_page
from server.routes.query_schema import query_schema
from server.tools import MetricsAsked, StatusAsked, ValuesAsked

if TYPE_CHECKING:
    import duckdb

    from pipeline.settings import Settings
    from server.agents.budget import Reply
    from server.agents.full_result import Whole
    from server.published import OpenRun


@dataclass(frozen=True)
class Desk:
    """What a call works with: a run, a cursor of its own on it, and where the whole of a cut answer is to be had."""

    run: OpenRun
    cursor: duckdb.DuckDBPyConnection
    settings: Settings
    whole: Whole


@dataclass(frozen=True)
class Described:
    """One tool: `read` checks its arguments and `work` answers them, off the event loop."""

    name: str
    title: str
    description: str
    takes: Schema
    gives: Schema
    read: Callable[[Mapping[str, object]], Any]  # Any: the arguments of this one tool, given to `work`
    work: Callable[[Desk, Any], Reply]  # Any: likewise
    shown_in: str | None = None
    """The `ui://` address of the page that shows what it gives: only for clients that show such pages."""


def _charted(takes: Schema) -> Schema:
    """What `query` takes over MCP: a query, and whether to draw it."""
    chart = {
        "enum": list(CHARTS),
        "type": "string",
        "description": "Only when a person wants to see one: a Vega-Lite specification, or a picture.",
        "examples": ["png"],
    }
    return {**takes, "properties": {**takes["properties"], "chart": chart}}


def _object(**properties: Schema) -> Schema:
    """Shallow on purpose: a client that checks 1,000 rows cell by cell takes 45 ms for it. Source: facts/mcp.md 0."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list_metrics(desk: Desk, asked: MetricsAsked) -> Reply:
    from server.agents.budget import reply
    from server.agents.plain_text import plain

    listed = tools.list_briefly(desk.run, asked)
    for part in ("metrics_by_facts", "dimensions_by_facts"):
        listed[part] = {
            facts: {name: plain(said, LONGEST_MEANING) for name, said in named.items()}
            for facts, named in listed[part].items()
        }
    return reply(listed)


def _values(desk: Desk, asked: ValuesAsked) -> Reply:
    from server.agents.answer_reply import values_reply

    return values_reply(tools.get_dimension_values(desk.run, asked, desk.cursor))


def _query(desk: Desk, asked: Charted) -> Reply:
    from server.agents.answer_reply import query_reply

    return query_reply(desk, asked)


def _status(desk: Desk, asked: StatusAsked) -> Reply:
    del asked
    from server.agents.budget import reply

    return reply({**tools.get_status(desk.run), "sources": tools.sources(desk.run, desk.cursor)})


def _page(desk: Desk, asked: Charted) -> Reply:
    from server.agents.answer_reply import page_reply

    return page_reply(desk, asked)


LONGEST_MEANING = 200
"""Characters of what a list says of a metric or a dimension: tenants write some of it."""
ANSWER_PAGE = "ui://gata/answer.html"

_LIST: Schema = {"type": "array"}
_MAP: Schema = {"type": "object"}
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
        "Call this first: every metric and dimension there is, under the facts it is of, as `unit: meaning`. Names in"
        " query come from here. A metric goes with the dimensions whose facts include all of its own. Notes say what is"
        " left out; the cursor, or a search, brings it."
    ),
    takes=input_schema(MetricsAsked),
    gives=_object(metrics_by_facts=_MAP, dimensions_by_facts=_MAP, notes=_LIST),
    read=lambda sent: read_arguments(MetricsAsked, sent),
    work=_list_metrics,
)

GET_DIMENSION_VALUES = Described(
    name="get_dimension_values",
    title="List the values of a dimension",
    description=(
        "The values of one dimension, the most frequent first, each with how many rows carry it. Call it before you"
        " filter by a text: = and in refuse a value that does not exist. Truncated says when there are more."
    ),
    takes=input_schema(ValuesAsked),
    gives=_object(dimension=_TEXT, values=_LIST, truncated=_FLAG, notes=_LIST),
    read=lambda sent: read_arguments(ValuesAsked, sent),
    work=_values,
)

QUERY = Described(
    name="query",
    title="Ask for metrics",
    description=(
        "Answer a question from governed metrics: call list_metrics first and use its names. Metrics of several facts"
        " (ads, orders, sessions) may stand together; they meet on the dimensions they share. A trend needs the"
        " dimension date and a time_grain. Filters on a metric apply to the groups, filters on a dimension to the"
        " rows. Ratios are sums divided by sums, given as fractions. The answer has columns (with units) and rows;"
        " when it is truncated, narrow the question, send its cursor with the same query, or take full_result. Notes"
        " say what an answer does not hold."
    ),
    takes=_charted(query_schema()),
    gives=_object(columns=_LIST, rows=_ROWS, row_count=_COUNT, truncated=_FLAG, run_id=_TEXT, notes=_LIST),
    read=read_charted,
    work=_query,
)

GET_STATUS = Described(
    name="get_status",
    title="Say how fresh the data are",
    description=(
        "Which published run answers, up to which day each fact and each source has data, how many rows there are, and"
        " what is to know about them. Call it when it matters how fresh or complete an answer is."
    ),
    takes=input_schema(StatusAsked),
    gives=_object(run_id=_TEXT, facts=_LIST, sources=_LIST, notes=_LIST),
    read=lambda sent: read_arguments(StatusAsked, sent),
    work=_status,
)

SHOW_CHART = Described(
    name="show_chart",
    title="Show a chart",
    description=(
        "Show a person the chart of a query, when they want to see one: the arguments of the tool query, as one object."
    ),
    takes={
        "type": "object",
        "properties": {
            "query": {
                "type": "object",
                "description": "The arguments of the tool query.",
                "examples": [{"metrics": ["spend"], "dimensions": ["date"], "time_grain": "month"}],
            }
        },
        "required": ["query"],
        "additionalProperties": False,
    },
    gives={"type": "object"},  # the answer of query
    read=read_page,
    work=_page,
    shown_in=ANSWER_PAGE,
)

TOOLS = (LIST_METRICS, GET_DIMENSION_VALUES, QUERY, GET_STATUS)
PAGE_TOOLS = (SHOW_CHART,)
"""Only clients that show pages of a server are told of these."""
