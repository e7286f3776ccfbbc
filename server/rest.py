"""The tools as HTTP resources, with OpenAPI at /openapi.json and pages to try them at /docs.

Every error is an RFC 9457 problem document. A tenant that is not the caller's answers exactly like one that is not
there.
"""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version
from typing import Annotated, Any

from duckdb import DuckDBPyConnection
from fastapi import APIRouter, Body, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from pipeline.connectors import load_catalog
from pipeline.runs import Ops
from semantic.query import read_query
from server import tools
from server.access import Caller
from server.asking import Work, ask
from server.doorway import Guarded, Who, json_response, missing, unreadable, visible, while_connected
from server.models import published_models
from server.published import OpenRun, PublishedRuns
from server.query_schema import query_schema
from server.readiness import readiness
from server.toolbox import QUERY
from server.workshop import CATALOG

Payload = dict[str, Any]  # Any: JSON values


def rest_app(runs: PublishedRuns, ops: Ops) -> FastAPI:
    """The REST API over published runs. Who may enter is decided around it, by `server.bearer.RequireToken`."""
    app = FastAPI(
        title="gata",
        version=version("gata"),
        description="Governed marketing and commerce metrics, one tenant per token.",
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        exception_handlers={RequestValidationError: unreadable, HTTPException: missing},
    )
    app.add_api_route("/health", _health, summary="Whether the server answers", tags=["operations"])
    app.include_router(_semantic_layer(runs))
    app.include_router(_house(runs, ops))
    return app


async def _health() -> dict[str, str]:
    return {"status": "ok"}


def _semantic_layer(runs: PublishedRuns) -> APIRouter:
    routes = APIRouter(prefix="/semantic-layer/{tenant}", route_class=Guarded, tags=["semantic layer"])

    async def answer(request: Request, caller: Caller, tenant: str, work: Work[Payload]) -> Response:
        return json_response(await while_connected(request, ask(runs, visible(caller, tenant), work)))

    @routes.get("", summary="Everything that can be asked for")
    async def layer(request: Request, who: Who, tenant: str) -> Response:
        return await answer(request, who, tenant, lambda run, _: tools.describe(run))

    @routes.get("/dimensions", summary="What metrics can be cut and filtered by")
    async def dimensions(request: Request, who: Who, tenant: str) -> Response:
        return await answer(request, who, tenant, lambda run, _: {"dimensions": tools.describe(run)["dimensions"]})

    @routes.get("/measures", summary="The metrics")
    async def measures(request: Request, who: Who, tenant: str) -> Response:
        return await answer(request, who, tenant, lambda run, _: {"measures": tools.describe(run)["metrics"]})

    @routes.get("/relationships", summary="How facts join their dimension tables")
    async def relationships(request: Request, who: Who, tenant: str) -> Response:
        return await answer(request, who, tenant, lambda run, _: {"relationships": tools.relationships(run)})

    schema = {"requestBody": {"content": {"application/json": {"schema": query_schema()}}, "required": True}}
    gives: dict[int | str, Payload] = {200: {"content": {"application/json": {"schema": QUERY.gives}}}}

    @routes.post("/query", summary=QUERY.title, description=QUERY.description, openapi_extra=schema, responses=gives)
    async def query(request: Request, who: Who, tenant: str, sent: Annotated[Payload, Body()]) -> Response:
        def work(run: OpenRun, cursor: DuckDBPyConnection) -> Payload:
            return tools.query(run, read_query(sent), cursor, runs.settings).to_dict()

        return await answer(request, who, tenant, work)

    return routes


def _house(runs: PublishedRuns, ops: Ops) -> APIRouter:
    routes = APIRouter(route_class=Guarded, tags=["catalog"])

    def seen_by(caller: Caller) -> list[str]:
        return [slug for slug in runs.slugs() if caller.sees(slug)]

    @routes.get("/connectors", summary="The kinds of source there are")
    def connectors(_: Who) -> Payload:
        found = load_catalog(CATALOG).values()
        return {"connectors": [{**asdict(connector), "is_built": connector.is_built} for connector in found]}

    @routes.get("/models", summary="The published tables")
    def models(who: Who) -> Payload:
        return {"models": [model for slug in seen_by(who) for model in published_models(runs.settings, slug)]}

    @routes.get("/catalog", summary="What can be asked for, by tenant")
    def catalog(who: Who) -> Payload:
        found = []
        for slug in seen_by(who):
            with runs.run(slug) as run:
                found.append(tools.describe(run))
        return {"tenants": found}

    @routes.get("/readiness/{tenant}", summary="Whether a tenant can be asked", tags=["operations"])
    def ready(who: Who, tenant: str) -> Payload:
        return readiness(runs, ops, visible(who, tenant))

    return routes
