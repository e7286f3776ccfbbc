"""Catalog over HTTP: connectors, published tables, metrics and dimensions, and the readiness of a tenant."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from pipeline.config.connector_catalog import load_catalog
from pipeline.config.slug import Slug
from pipeline.errors import AccessError
from pipeline.storage.ops import Ops
from server.orchestration.jobs.job import Jobs
from server.orchestration.jobs.process import job_folder
from server.rest.dependencies import CallerDependency, visible
from server.rest.error_responses import Guarded, while_connected
from server.rest.examples import EXAMPLES
from server.rest.json_answers import tagged_response
from server.rest.openapi import produces
from server.rest.pagination import Cursor, Limit, link, page
from server.rest.semantic_layer_routes import Tenant
from server.serving import tools
from server.serving.access import Caller
from server.serving.lineage import lineage as lineage_of
from server.serving.runs.published_models import published_models
from server.serving.runs.published_runs import PublishedRuns
from server.serving.runs.readiness import readiness
from server.serving.runs.run_call import run_call

Payload = dict[str, Any]  # Any: JSON values


def catalog_routes(runs: PublishedRuns, ops: Ops) -> APIRouter:
    """Routes of connectors, models, catalog and readiness, limited to the tenants that the caller may see."""
    routes = APIRouter(route_class=Guarded, tags=["catalog"])

    jobs = Jobs(ops, job_folder(runs.settings))

    def visible_slugs(caller: Caller) -> list[Slug]:
        return [slug for slug in runs.slugs() if caller.sees(slug)]

    def models_of(caller: Caller) -> list[Payload]:
        return [model for slug in visible_slugs(caller) for model in published_models(runs.settings, slug)]

    @routes.get("/connectors", summary="The kinds of source there are", **produces(EXAMPLES["connectors"]))
    def connectors(request: Request, _: CallerDependency) -> Response:
        """Each with its domain and its objects.

        A tenant needs a source of ads, of ecommerce and of analytics, unless its `domains` name fewer.
        """
        catalog = load_catalog().values()
        listed = [{**asdict(connector), "is_built": connector.is_built} for connector in catalog]
        return tagged_response(request, {"connectors": listed})

    @routes.get("/models", summary="The published tables", **produces(EXAMPLES["models"]))
    def models(request: Request, caller: CallerDependency, limit: Limit = 100, cursor: Cursor = None) -> Response:
        published = models_of(caller)
        run_ids = " ".join(sorted({model["run_id"] for model in published}))
        listed, next_cursor = page(published, limit, cursor, of=f"models {run_ids}")
        return tagged_response(request, {"models": listed, "cursor": next_cursor}, link(request, next_cursor))

    @routes.get("/models/{name}", summary="One published table", **produces(EXAMPLES["model"]))
    def model(
        request: Request,
        caller: CallerDependency,
        name: Annotated[str, Path(max_length=200, examples=["fct_acme__orders"])],
    ) -> Response:
        for published in models_of(caller):
            if published["name"] == name:
                return tagged_response(request, published)
        raise AccessError("There is no such table here.", "GET /models lists those that there are.")

    @routes.get("/catalog", summary="What can be asked for, by tenant", **produces(EXAMPLES["catalog"]))
    def catalog(request: Request, caller: CallerDependency, limit: Limit = 100, cursor: Cursor = None) -> Response:
        slugs, next_cursor = page(visible_slugs(caller), limit, cursor, of="catalog")
        tenants = []
        for slug in slugs:
            with runs.run(slug) as run:
                tenants.append(tools.describe_run(run))
        return tagged_response(request, {"tenants": tenants, "cursor": next_cursor}, link(request, next_cursor))

    @routes.get("/catalog/{tenant}/lineage", summary="What a name is made from", **produces(EXAMPLES["lineage"]))
    async def lineage(
        request: Request,
        caller: CallerDependency,
        tenant: Tenant,
        name: Annotated[
            str,
            Query(
                max_length=300,
                description="A metric, a dimension, a column such as orders.total_price, or a field of a connector's"
                " records such as shopify.orders.total_price.",
                examples=["roas"],
            ),
        ],
    ) -> Response:
        """The way from payload fields to a metric, dimension or column, and on to the metrics that are made of it.

        Each of `edges` leads from what is made from to what is made, through the macros in `via`. `fields` are the
        payload fields that the name is made from; `ends` says where a trail stops before one.
        """
        slug = visible(caller, tenant)
        work = run_call(runs, slug, lambda run, _: lineage_of(run, name, runs.settings))
        return tagged_response(request, await while_connected(request, work))

    @routes.get(
        "/readiness/{tenant}",
        summary="Whether a tenant can be asked",
        tags=["operations"],
        **produces(EXAMPLES["readiness"]),
    )
    def ready(request: Request, caller: CallerDependency, tenant: Tenant) -> Response:
        """`ready`, `building`, `failed`, `not_built` or `offboarded`.

        `job` says how far a build is that somebody asked for over HTTP.
        """
        slug = visible(caller, tenant)
        status = readiness(runs, ops, slug)
        job = jobs.unfinished(slug)
        return tagged_response(request, {**status, "job": job.state if job and jobs.is_alive(job.id) else None})

    return routes
