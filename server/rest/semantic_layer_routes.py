"""Semantic layer over HTTP: metrics and dimensions, queries, the values of a dimension, and full results.

    GET  /semantic-layer/{tenant}[/dimensions | /measures | /relationships | /values/{dimension}]
    POST /semantic-layer/{tenant}/query     JSON, CSV, Arrow or Parquet by Accept
    POST /semantic-layer/{tenant}/explain   why a metric changed

A truncated JSON answer names the handle of all its rows.
"""

from __future__ import annotations

from typing import Annotated, Any

from duckdb import DuckDBPyConnection
from fastapi import APIRouter, Body, Path, Query, Request, Response

from pipeline.errors import QueryError
from semantic.answering.explain.change_request import read_change_request
from semantic.planning.check_query import with_wrong_names
from semantic.planning.query import Query as Question
from semantic.planning.query import read_query
from server.rest.content_negotiation import choose_format
from server.rest.dependencies import CallerDependency, JsonBody, visible
from server.rest.error_responses import Guarded, while_connected
from server.rest.examples import EXAMPLES
from server.rest.json_answers import answer_of_run, json_response
from server.rest.openapi import ANSWER_FORMS, example, produces
from server.rest.pagination import Cursor, Limit, link, page
from server.rest.result_routes import Format, Spreadsheet, as_file
from server.serving import tools
from server.serving.access import Caller
from server.serving.full_results import full_result_by_handle
from server.serving.query_schema import (
    EXPLAIN_DESCRIPTION,
    EXPLAIN_TITLE,
    QUERY_DESCRIPTION,
    QUERY_TITLE,
    answer_schema,
    explain_schema,
    query_schema,
)
from server.serving.result_handles import Handles
from server.serving.runs.observability import inferred
from server.serving.runs.open_run import OpenRun
from server.serving.runs.published_runs import PublishedRuns
from server.serving.runs.run_call import Work, run_call
from server.serving.tools import ValuesAsked

Payload = dict[str, Any]  # Any: JSON values

Tenant = Annotated[str, Path(description="The tenant of your token.", examples=["acme"], max_length=300)]


def semantic_layer_routes(runs: PublishedRuns) -> APIRouter:
    """Routes of a tenant's metrics, dimensions, joins and values."""
    routes = APIRouter(prefix="/semantic-layer/{tenant}", route_class=Guarded, tags=["semantic layer"])

    async def answer(request: Request, caller: Caller, tenant: str, work: Work[object]) -> Response:
        return await answer_of_run(request, runs, visible(caller, tenant), work)

    def paged(request: Request, name: str, kind: str, limit: int, cursor: str | None) -> Work[object]:
        """The work that returns a page of one list of `describe_run`."""

        def work(run: OpenRun, _: DuckDBPyConnection) -> Response:
            entries, next_cursor = page(tools.describe_run(run)[kind], limit, cursor, of=f"{name} {run.run_id}")
            payload = {"run_id": run.run_id, name: entries, "cursor": next_cursor}
            return json_response(payload, headers=link(request, next_cursor))

        return work

    @routes.get("", summary="Everything that can be asked for", **produces(EXAMPLES["layer"]))
    async def layer(request: Request, caller: CallerDependency, tenant: Tenant) -> Response:
        return await answer(request, caller, tenant, lambda run, _: tools.describe_run(run))

    @routes.get("/dimensions", summary="What metrics can be cut and filtered by", **produces(EXAMPLES["dimensions"]))
    async def dimensions(
        request: Request, caller: CallerDependency, tenant: Tenant, limit: Limit = 1000, cursor: Cursor = None
    ) -> Response:
        return await answer(request, caller, tenant, paged(request, "dimensions", "dimensions", limit, cursor))

    @routes.get("/measures", summary="The metrics", **produces(EXAMPLES["measures"]))
    async def measures(
        request: Request, caller: CallerDependency, tenant: Tenant, limit: Limit = 1000, cursor: Cursor = None
    ) -> Response:
        return await answer(request, caller, tenant, paged(request, "measures", "metrics", limit, cursor))

    @routes.get(
        "/relationships", summary="How facts join their dimension tables", **produces(EXAMPLES["relationships"])
    )
    async def relationships(request: Request, caller: CallerDependency, tenant: Tenant) -> Response:
        """Each join with what was measured when it was published: how many rows of the fact find their dimension row.

        `match_share` is the share of all rows that do, `orphan_share` that of the rows with a key which nothing has,
        `to_rows_inferred` how many rows of the dimension table no vendor sent.
        """

        def work(run: OpenRun, cursor: DuckDBPyConnection) -> Payload:
            inferred_rows = inferred(run, cursor)
            joins = [{**join, "to_rows_inferred": inferred_rows.get(join["to"])} for join in tools.relationships(run)]
            return {"run_id": run.run_id, "relationships": joins}

        return await answer(request, caller, tenant, work)

    @routes.get("/values/{dimension}", summary="The values of a dimension", **produces(EXAMPLES["values"]))
    async def values(
        request: Request,
        caller: CallerDependency,
        tenant: Tenant,
        dimension: Annotated[str, Path(max_length=200, examples=["campaign_name"])],
        *,
        search: Annotated[str | None, Query(max_length=200, description="Text that they hold.")] = None,
        limit: Limit = 100,
    ) -> Response:
        """The most frequent first, each with its rows in one fact, `rows_of`; `truncated` says when there are more."""
        arguments = ValuesAsked(dimension_name=dimension, search=search, limit=limit)
        return await answer(
            request, caller, tenant, lambda run, cursor: tools.get_dimension_values(run, arguments, cursor)
        )

    return routes


def explain_routes(runs: PublishedRuns) -> APIRouter:
    """Route of explanations of a change."""
    routes = APIRouter(route_class=Guarded, tags=["semantic layer"])
    content = {"application/json": {"schema": explain_schema(), "examples": example(EXAMPLES["change"])}}

    @routes.post(
        "/semantic-layer/{tenant}/explain",
        summary=EXPLAIN_TITLE,
        description=EXPLAIN_DESCRIPTION,
        openapi_extra={"requestBody": {"content": content, "required": True}},
        dependencies=[JsonBody],
        **produces(EXAMPLES["explanation"]),
    )
    async def explain(
        request: Request, caller: CallerDependency, tenant: Tenant, sent: Annotated[Payload, Body()]
    ) -> Response:
        def work(run: OpenRun, cursor: DuckDBPyConnection) -> Payload:
            return tools.explain_change(run, read_change_request(sent), cursor, runs.settings)

        payload = await while_connected(request, run_call(runs, visible(caller, tenant), work))
        return json_response(payload)

    return routes


def query_routes(runs: PublishedRuns, handles: Handles) -> APIRouter:
    """Route of queries, answered in JSON or as a file."""
    routes = APIRouter(route_class=Guarded, tags=["semantic layer"])
    full_result = full_result_by_handle(handles)
    content = {"application/json": {"schema": query_schema(), "examples": example(EXAMPLES["question"])}}

    @routes.post(
        "/semantic-layer/{tenant}/query",
        summary=QUERY_TITLE,
        description=QUERY_DESCRIPTION,
        openapi_extra={"requestBody": {"content": content, "required": True}},
        dependencies=[JsonBody],
        **produces(EXAMPLES["answer"], schema=answer_schema(), forms=ANSWER_FORMS),
    )
    async def query(
        request: Request,
        caller: CallerDependency,
        tenant: Tenant,
        sent: Annotated[Payload, Body()],
        *,
        format: Format = None,  # noqa: A002  # the parameter's name
        spreadsheet: Spreadsheet = False,
    ) -> Response:
        slug, form = visible(caller, tenant), choose_format(request.headers.getlist("accept"), format)
        if form == "json":
            payload = await while_connected(
                request, run_call(runs, slug, lambda run, cursor: answer(run, sent, cursor))
            )
            return json_response(payload, headers={"vary": "Accept"})
        day = runs.settings.today or runs.settings.now()
        return await as_file(request, runs, slug, lambda run: read(sent, run), day, form, for_spreadsheet=spreadsheet)

    def read(sent: Payload, run: OpenRun) -> Question:
        try:
            return read_query(sent)
        except QueryError as error:
            raise with_wrong_names(error, run.model.catalog) from error

    def answer(run: OpenRun, sent: Payload, cursor: DuckDBPyConnection) -> Payload:
        question = read(sent, run)
        payload = tools.query(run, question, cursor, runs.settings).to_dict()
        if payload["truncated"]:
            payload |= full_result(run, question)
        return payload

    return routes
