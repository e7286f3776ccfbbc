"""The house over HTTP: kinds of source, published tables, what can be asked, and how far a tenant is."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from pipeline.connectors import load_catalog
from pipeline.errors import AccessError
from pipeline.runs import Ops
from server import tools
from server.access import Caller
from server.builds.readiness import readiness
from server.builds.workshop import CATALOG
from server.jobs.job import Jobs
from server.jobs.process import folder_of
from server.models import published_models
from server.published import PublishedRuns
from server.routes.doorway import Guarded, Who, tagged_response, visible
from server.routes.layer import Tenant
from server.routes.openapi import SAMPLES, produces
from server.routes.pages import Cursor, Limit, link, page

Payload = dict[str, Any]  # Any: JSON values


def house(runs: PublishedRuns, ops: Ops) -> APIRouter:
    """What there is, for whoever asks."""
    routes = APIRouter(route_class=Guarded, tags=["catalog"])

    jobs = Jobs(ops, folder_of(runs.settings))

    def seen_by(caller: Caller) -> list[str]:
        return [slug for slug in runs.slugs() if caller.sees(slug)]

    def models_of(caller: Caller) -> list[Payload]:
        return [model for slug in seen_by(caller) for model in published_models(runs.settings, slug)]

    @routes.get("/connectors", summary="The kinds of source there are", **produces(SAMPLES["connectors"]))
    def connectors(request: Request, _: Who) -> Response:
        """Each with its domain and its objects. A tenant needs a source of ads, of ecommerce and of analytics."""
        found = load_catalog(CATALOG).values()
        listed = [{**asdict(connector), "is_built": connector.is_built} for connector in found]
        return tagged_response(request, {"connectors": listed})

    @routes.get("/models", summary="The published tables", **produces(SAMPLES["models"]))
    def models(request: Request, who: Who, limit: Limit = 100, cursor: Cursor = None) -> Response:
        found = models_of(who)
        runs_now = " ".join(sorted({model["run_id"] for model in found}))
        listed, following = page(found, limit, cursor, of=f"models {runs_now}")
        return tagged_response(request, {"models": listed, "cursor": following}, link(request, following))

    @routes.get("/models/{name}", summary="One published table", **produces(SAMPLES["model"]))
    def model(
        request: Request, who: Who, name: Annotated[str, Path(max_length=200, examples=["fct_acme__orders"])]
    ) -> Response:
        for found in models_of(who):
            if found["name"] == name:
                return tagged_response(request, found)
        raise AccessError("There is no such table here.", "GET /models lists those that there are.")

    @routes.get("/catalog", summary="What can be asked for, by tenant", **produces(SAMPLES["catalog"]))
    def catalog(request: Request, who: Who, limit: Limit = 100, cursor: Cursor = None) -> Response:
        slugs, following = page(seen_by(who), limit, cursor, of="catalog")
        found = []
        for slug in slugs:
            with runs.run(slug) as run:
                found.append(tools.describe(run))
        return tagged_response(request, {"tenants": found, "cursor": following}, link(request, following))

    @routes.get(
        "/readiness/{tenant}",
        summary="Whether a tenant can be asked",
        tags=["operations"],
        **produces(SAMPLES["readiness"]),
    )
    def ready(request: Request, who: Who, tenant: Tenant) -> Response:
        """`ready`, `building`, `failed`, `not_built` or `offboarded`.

        `job` says how far a build is that somebody asked for over HTTP.
        """
        slug = visible(who, tenant)
        said = readiness(runs, ops, slug)
        job = jobs.unfinished(slug)
        return tagged_response(request, {**said, "job": job.state if job and jobs.is_alive(job.id) else None})

    return routes
