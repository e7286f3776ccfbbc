"""Tool specifications: name, description, input and output schema of each tool. A golden file holds the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from server.mcp_server.chart_arguments import CHARTS, ChartedQuery, read_charted, read_page
from server.serving import tools
from server.serving.arguments import Schema, input_schema, read_arguments
from server.serving.call_context import CallContext
from server.serving.query_schema import (
    EXPLAIN_DESCRIPTION,
    EXPLAIN_TITLE,
    QUERY_DESCRIPTION,
    QUERY_TITLE,
    answer_schema,
    explain_schema,
    query_schema,
)
from server.serving.tools import MetricsAsked, StatusAsked, ValuesAsked

if TYPE_CHECKING:
    from semantic.answering.explain.change_request import ChangeRequest
    from server.mcp_server.token_budget import Reply


@dataclass(frozen=True)
class ToolSpec:
    """One tool: `read` checks its arguments and `work` answers them, off the event loop."""

    name: str
    title: str
    description: str
    input_schema: Schema
    output_schema: Schema
    read: Callable[[Mapping[str, object]], Any]  # Any: the arguments of this one tool, passed to `work`
    work: Callable[[CallContext, Any], Reply]  # Any: likewise
    page_uri: str | None = None
    """The `ui://` address of the page that shows its result: only for clients that show such pages."""
    takes_tenants: bool = False
    """A token of several tenants may ask it of several at once."""
    lists_tenants: bool = False
    """Without a tenant it lists those of a token of several."""


def _charted(schema: Schema) -> Schema:
    """The input schema of `query` over MCP: a query, and the format of its chart."""
    chart = {
        "enum": list(CHARTS),
        "type": "string",
        "description": "Only when a person wants to see one: a Vega-Lite specification, or a picture.",
        "examples": ["png"],
    }
    return {**schema, "properties": {**schema["properties"], "chart": chart}}


def _object(**properties: Schema) -> Schema:
    """The schema of an object, shallow on purpose: a client that checks 1,000 rows cell by cell takes 45 ms for it."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list_metrics(call: CallContext, arguments: MetricsAsked) -> Reply:
    from server.mcp_server.token_budget import reply
    from server.serving.plain_text import plain_text

    listed = tools.list_briefly(call.run, arguments)
    for part in ("metrics_by_facts", "dimensions_by_facts"):
        listed[part] = {
            facts: {name: plain_text(meaning, LONGEST_MEANING) for name, meaning in named.items()}
            for facts, named in listed[part].items()
        }
    return reply(listed)


def _values(call: CallContext, arguments: ValuesAsked) -> Reply:
    from server.mcp_server.answer_reply import values_reply

    return values_reply(tools.get_dimension_values(call.run, arguments, call.cursor))


def _query(call: CallContext, request: ChartedQuery) -> Reply:
    from server.mcp_server.answer_reply import query_reply

    return query_reply(call, request)


def _status(call: CallContext, arguments: StatusAsked) -> Reply:
    del arguments
    from server.mcp_server.token_budget import reply

    return reply({**tools.get_status(call.run), "sources": tools.sources(call.run, call.cursor)})


def _read_change(sent: Mapping[str, object]) -> ChangeRequest:
    from semantic.answering.explain.change_request import read_change_request

    return read_change_request(sent)


def _explain(call: CallContext, request: ChangeRequest) -> Reply:
    from server.mcp_server.token_budget import reply

    return reply(tools.explain_change(call.run, request, call.cursor, call.settings))


def _page(call: CallContext, request: ChartedQuery) -> Reply:
    from server.mcp_server.answer_reply import page_reply

    return page_reply(call, request)


LONGEST_MEANING = 200
"""Characters of the meaning of a metric or a dimension in a list: tenants write some of them."""
ANSWER_PAGE = "ui://gata/answer.html"

_LIST: Schema = {"type": "array"}
_MAP: Schema = {"type": "object"}
_TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": "boolean"}
_NUMBER: Schema = {"type": "number"}

LIST_METRICS = ToolSpec(
    name="list_metrics",
    title="List metrics and dimensions",
    description=(
        "Call this first: every metric and dimension there is, under the facts it is of, as `unit: meaning`. Names in"
        " query come from here. A metric goes with the dimensions whose facts include all of its own. Notes say what is"
        " left out; the cursor, or a search, brings it. A search also brings `verified` questions with their queries."
    ),
    input_schema=input_schema(MetricsAsked),
    output_schema=_object(metrics_by_facts=_MAP, dimensions_by_facts=_MAP, notes=_LIST),
    read=lambda sent: read_arguments(MetricsAsked, sent),
    work=_list_metrics,
)

GET_DIMENSION_VALUES = ToolSpec(
    name="get_dimension_values",
    title="List the values of a dimension",
    description=(
        "The values of one dimension, the most frequent first, each with its rows in one fact (rows_of). Call it before"
        " you filter by a text: = and in refuse a value that does not exist. Truncated says when there are more."
    ),
    input_schema=input_schema(ValuesAsked),
    output_schema=_object(dimension=_TEXT, values=_LIST, truncated=_FLAG, notes=_LIST),
    read=lambda sent: read_arguments(ValuesAsked, sent),
    work=_values,
)

QUERY = ToolSpec(
    name="query",
    title=QUERY_TITLE,
    description=QUERY_DESCRIPTION,
    input_schema=_charted(query_schema()),
    output_schema=answer_schema(),
    read=read_charted,
    work=_query,
    takes_tenants=True,
)

GET_STATUS = ToolSpec(
    name="get_status",
    title="Say how fresh the data are",
    description=(
        "Which published run answers, up to which day each fact and each source has data, how many rows there are, and"
        " what is to know about them. Call it when it matters how fresh or complete an answer is."
    ),
    input_schema=input_schema(StatusAsked),
    output_schema=_object(run_id=_TEXT, facts=_LIST, sources=_LIST, notes=_LIST),
    read=lambda sent: read_arguments(StatusAsked, sent),
    work=_status,
    lists_tenants=True,
)

EXPLAIN_CHANGE = ToolSpec(
    name="explain_change",
    title=EXPLAIN_TITLE,
    description=EXPLAIN_DESCRIPTION,
    input_schema=explain_schema(),
    output_schema=_object(change=_NUMBER, columns=_LIST, rows=_LIST, method=_TEXT, notes=_LIST),
    read=_read_change,
    work=_explain,
)

SHOW_CHART = ToolSpec(
    name="show_chart",
    title="Show a chart",
    description=(
        "Show a person the chart of a query, when they want to see one: the arguments of the tool query, as one object."
    ),
    input_schema={
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
    output_schema={"type": "object"},  # the answer of query
    read=read_page,
    work=_page,
    page_uri=ANSWER_PAGE,
)

TOOLS = (LIST_METRICS, GET_DIMENSION_VALUES, QUERY, EXPLAIN_CHANGE, GET_STATUS)
PAGE_TOOLS = (SHOW_CHART,)
"""Listed only to clients that show pages of a server."""
