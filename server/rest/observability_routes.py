"""Build history and data quality of a tenant over HTTP: /observability/{tenant} and the paths below it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from pipeline.config.slug import Slug
from pipeline.errors import AccessError
from pipeline.settings import Settings
from pipeline.storage.ops import Ops
from server.rest.dependencies import CallerDependency, visible
from server.rest.error_responses import Guarded
from server.rest.examples import EXAMPLES
from server.rest.json_answers import answer_of_run, tagged_response
from server.rest.openapi import produces
from server.rest.pagination import Cursor, Limit, link, page, read_page_cursor, write_page_cursor
from server.rest.semantic_layer_routes import Tenant
from server.serving.access import Caller
from server.serving.runs import observability
from server.serving.runs.published_runs import PublishedRuns
from server.serving.runs.readiness import readiness

Payload = dict[str, Any]  # Any: JSON values

SlugReader = Callable[[Caller, str], Slug]

Status = Annotated[str | None, Query(max_length=20, description="Only those with it: pass, warn, fail, skipped.")]


def observability_routes(runs: PublishedRuns, ops: Ops) -> APIRouter:
    """Routes of what the run database, the manifest and the published run record about a tenant."""
    routes = APIRouter(prefix="/observability/{tenant}", route_class=Guarded, tags=["observability"])

    def known_slug(caller: Caller, tenant: str) -> Slug:
        """The slug of a tenant that the caller may see and that `readiness` knows."""
        slug = visible(caller, tenant)
        readiness(runs, ops, slug)
        return slug

    _add_build_routes(routes, ops, runs.settings, known_slug)
    _add_data_routes(routes, ops, runs, known_slug)
    return routes


def _add_build_routes(routes: APIRouter, ops: Ops, settings: Settings, known_slug: SlugReader) -> None:
    """Add the routes of builds: summary, runs, tests, models."""

    @routes.get("", summary="A tenant in one look", **produces(EXAMPLES["observability"]))
    def summary(request: Request, caller: CallerDependency, tenant: Tenant) -> Response:
        slug = known_slug(caller, tenant)
        return tagged_response(request, observability.summary(slug, ops, settings, is_operator=caller.is_operator))

    @routes.get("/runs", summary="Its builds, newest first", **produces(EXAMPLES["runs"]))
    def builds(
        request: Request, caller: CallerDependency, tenant: Tenant, *, limit: Limit = 20, cursor: Cursor = None
    ) -> Response:
        """Each with the steps taken for the tenant. A build that did nothing for it is not listed."""
        slug = known_slug(caller, tenant)
        before = read_page_cursor(cursor, of="runs") if cursor else None
        newest = observability.runs_of(slug, ops, limit + 1, before, is_operator=caller.is_operator)
        next_cursor = write_page_cursor(newest[limit - 1]["number"], of="runs") if len(newest) > limit else None
        listed = [_without_number(run) for run in newest[:limit]]
        return tagged_response(request, {"runs": listed, "cursor": next_cursor}, link(request, next_cursor))

    @routes.get("/runs/{run_id}", summary="One build", **produces(EXAMPLES["run"]))
    def build(
        request: Request, caller: CallerDependency, tenant: Tenant, run_id: Annotated[str, Path(max_length=60)]
    ) -> Response:
        run = observability.run_of(known_slug(caller, tenant), run_id, ops, is_operator=caller.is_operator)
        if run is None:
            raise AccessError("There is no such build here.", "GET /observability/{tenant}/runs lists those there are.")
        return tagged_response(request, _without_number(run))

    @routes.get("/tests", summary="Its dbt tests as they last ran", **produces(EXAMPLES["tests"]))
    def tests(
        request: Request,
        caller: CallerDependency,
        tenant: Tenant,
        *,
        status: Status = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Response:
        run_id, last_tests = observability.tests_of(known_slug(caller, tenant), ops)
        listed = [test for test in last_tests if status in (None, test["status"])]
        return _paged(request, "tests", listed, limit, cursor, of=f"tests {run_id} {status}", run_id=run_id)

    @routes.get("/models", summary="Its dbt models as they were last built", **produces(EXAMPLES["built_models"]))
    def models(
        request: Request, caller: CallerDependency, tenant: Tenant, *, limit: Limit = 100, cursor: Cursor = None
    ) -> Response:
        run_id, built = observability.models_of(known_slug(caller, tenant), ops, settings)
        return _paged(request, "models", built, limit, cursor, of=f"models {run_id}", run_id=run_id)


def _add_data_routes(routes: APIRouter, ops: Ops, runs: PublishedRuns, known_slug: SlugReader) -> None:
    """Add the routes of data: drift, quarantine, freshness, identity resolution."""

    @routes.get("/drift", summary="The shapes of its sources", **produces(EXAMPLES["drift"]))
    def drift(request: Request, caller: CallerDependency, tenant: Tenant) -> Response:
        """What each source's newest records held, which fields the contract does not know, and which are gone.

        `advice`: INVESTIGATE unknown fields, MONITOR missing ones, null where all is as the contract says.
        """
        slug = known_slug(caller, tenant)
        return tagged_response(
            request, observability.drift_of(slug, ops, runs.settings, is_operator=caller.is_operator)
        )

    @routes.get("/quarantine", summary="What was kept out, newest first", **produces(EXAMPLES["quarantine"]))
    def quarantine(
        request: Request, caller: CallerDependency, tenant: Tenant, *, limit: Limit = 100, cursor: Cursor = None
    ) -> Response:
        """By file and reason, with how many records. `reason` quotes values, and is shown to owners and admins."""
        rows = observability.quarantine_of(known_slug(caller, tenant), ops, with_values=caller.sees_values)
        total = sum(row["count"] for row in rows)
        return _paged(request, "quarantine", rows, limit, cursor, of=f"quarantine {len(rows)}", total=total)

    @routes.get("/freshness", summary="How old its answers are", **produces(EXAMPLES["freshness"]))
    def freshness(request: Request, caller: CallerDependency, tenant: Tenant) -> Response:
        with runs.run(visible(caller, tenant)) as run:
            return tagged_response(request, observability.freshness(run, ops))

    @routes.get("/identity-resolution", summary="Who is known to be whom", **produces(EXAMPLES["identity"]))
    async def identity(request: Request, caller: CallerDependency, tenant: Tenant) -> Response:
        """How many visitors have an email or an order, and how many orders a visit: counts, and nobody's name."""
        return await answer_of_run(request, runs, visible(caller, tenant), observability.identity)


def _paged(
    request: Request, name: str, entries: list[Payload], limit: int, cursor: str | None, *, of: str, **fields: object
) -> Response:
    """A response with one page of a list that is in memory, tagged by its content."""
    listed, next_cursor = page(entries, limit, cursor, of=of)
    return tagged_response(request, {**fields, name: listed, "cursor": next_cursor}, link(request, next_cursor))


def _without_number(run: Payload) -> Payload:
    return {name: value for name, value in run.items() if name != "number"}
