"""The tools as an agent reads them: what each is for, what it takes, what it gives. A golden file holds the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from server.mcp_server.chart_arguments import CHARTS, ChartedQuery, read_charted, read_page
from server.serving import tools
from server.serving.arguments import Schema, input_schema, read_arguments
from server.serving.call_context import CallContext
from server.serving.query_schema import QUERY_DESCRIPTION, QUERY_TITLE, answer_schema, query_schema
from server.serving.tools import MetricsAsked, StatusAsked, ValuesAsked

if TYPE_CHECKING:
    from server.mcp_server.token_budget import Reply


@dataclass(frozen=True)
class ToolSpec:
    """One tool: `read` checks its arguments and `work` answers them, off the event loop."""

    name: str
    title: str
    description: str
    takes: Schema
    gives: Schema
    read: Callable[[Mapping[str, object]], Any]  # Any: the arguments of this one tool, given to `work`
    work: Callable[[CallContext, Any], Reply]  # Any: likewise
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
    """Shallow on purpose: a client that checks 1,000 rows cell by cell takes 45 ms for it."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list_metrics(desk: CallContext, asked: MetricsAsked) -> Reply:
    from server.mcp_server.token_budget import reply
    from server.serving.plain_text import plain_text

    listed = tools.list_briefly(desk.run, asked)
    for part in ("metrics_by_facts", "dimensions_by_facts"):
        listed[part] = {
            facts: {name: plain_text(said, LONGEST_MEANING) for name, said in named.items()}
            for facts, named in listed[part].items()
        }
    return reply(listed)


def _values(desk: CallContext, asked: ValuesAsked) -> Reply:
    from server.mcp_server.answer_reply import values_reply

    return values_reply(tools.get_dimension_values(desk.run, asked, desk.cursor))


def _query(desk: CallContext, asked: ChartedQuery) -> Reply:
    from server.mcp_server.answer_reply import query_reply

    return query_reply(desk, asked)


def _status(desk: CallContext, asked: StatusAsked) -> Reply:
    del asked
    from server.mcp_server.token_budget import reply

    return reply({**tools.get_status(desk.run), "sources": tools.sources(desk.run, desk.cursor)})


def _page(desk: CallContext, asked: ChartedQuery) -> Reply:
    from server.mcp_server.answer_reply import page_reply

    return page_reply(desk, asked)


LONGEST_MEANING = 200
"""Characters of what a list says of a metric or a dimension: tenants write some of it."""
ANSWER_PAGE = "ui://gata/answer.html"

_LIST: Schema = {"type": "array"}
_MAP: Schema = {"type": "object"}
_TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": "boolean"}

LIST_METRICS = ToolSpec(
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

GET_DIMENSION_VALUES = ToolSpec(
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

QUERY = ToolSpec(
    name="query",
    title=QUERY_TITLE,
    description=QUERY_DESCRIPTION,
    takes=_charted(query_schema()),
    gives=answer_schema(),
    read=read_charted,
    work=_query,
)

GET_STATUS = ToolSpec(
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

SHOW_CHART = ToolSpec(
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
