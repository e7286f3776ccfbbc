"""How a tenant's builds went and what its data are like, over HTTP: /observability/{tenant} and what lies below it."""

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
from server.serving.runs import observability as seen
from server.serving.runs.published_runs import PublishedRuns
from server.serving.runs.readiness import readiness

Payload = dict[str, Any]  # Any: JSON values

Known = Callable[[Caller, str], Slug]

Status = Annotated[str | None, Query(max_length=20, description="Only those with it: pass, warn, fail, skipped.")]


def observability_routes(runs: PublishedRuns, ops: Ops) -> APIRouter:
    """What the ledger, the manifest and the published run tell of a tenant."""
    routes = APIRouter(prefix="/observability/{tenant}", route_class=Guarded, tags=["observability"])

    def known(caller: Caller, tenant: str) -> Slug:
        """The slug of a tenant that the caller sees and somebody has heard of."""
        slug = visible(caller, tenant)
        readiness(runs, ops, slug)
        return slug

    _builds(routes, ops, runs.settings, known)
    _data(routes, ops, runs, known)
    return routes


def _builds(routes: APIRouter, ops: Ops, settings: Settings, known: Known) -> None:
    """What builds did."""

    @routes.get("", summary="A tenant in one look", **produces(EXAMPLES["observability"]))
    def summary(request: Request, who: CallerDependency, tenant: Tenant) -> Response:
        slug = known(who, tenant)
        return tagged_response(request, seen.summary(slug, ops, settings, is_operator=who.is_operator))

    @routes.get("/runs", summary="Its builds, newest first", **produces(EXAMPLES["runs"]))
    def builds(
        request: Request, who: CallerDependency, tenant: Tenant, *, limit: Limit = 20, cursor: Cursor = None
    ) -> Response:
        """Each with the steps taken for the tenant. A build that did nothing for it is not listed."""
        slug = known(who, tenant)
        before = read_page_cursor(cursor, of="runs") if cursor else None
        found = seen.runs_of(slug, ops, limit + 1, before, is_operator=who.is_operator)
        following = write_page_cursor(found[limit - 1]["number"], of="runs") if len(found) > limit else None
        listed = [_without_number(run) for run in found[:limit]]
        return tagged_response(request, {"runs": listed, "cursor": following}, link(request, following))

    @routes.get("/runs/{run_id}", summary="One build", **produces(EXAMPLES["run"]))
    def build(
        request: Request, who: CallerDependency, tenant: Tenant, run_id: Annotated[str, Path(max_length=60)]
    ) -> Response:
        found = seen.run_of(known(who, tenant), run_id, ops, is_operator=who.is_operator)
        if found is None:
            raise AccessError("There is no such build here.", "GET /observability/{tenant}/runs lists those there are.")
        return tagged_response(request, _without_number(found))

    @routes.get("/tests", summary="Its dbt tests as they last ran", **produces(EXAMPLES["tests"]))
    def tests(
        request: Request,
        who: CallerDependency,
        tenant: Tenant,
        *,
        status: Status = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Response:
        run_id, found = seen.tests_of(known(who, tenant), ops)
        listed = [test for test in found if status in (None, test["status"])]
        return _paged(request, "tests", listed, limit, cursor, of=f"tests {run_id} {status}", run_id=run_id)

    @routes.get("/models", summary="Its dbt models as they were last built", **produces(EXAMPLES["built_models"]))
    def models(
        request: Request, who: CallerDependency, tenant: Tenant, *, limit: Limit = 100, cursor: Cursor = None
    ) -> Response:
        run_id, found = seen.models_of(known(who, tenant), ops, settings)
        return _paged(request, "models", found, limit, cursor, of=f"models {run_id}", run_id=run_id)


def _data(routes: APIRouter, ops: Ops, runs: PublishedRuns, known: Known) -> None:
    """What the data are like."""

    @routes.get("/drift", summary="The shapes of its sources", **produces(EXAMPLES["drift"]))
    def drift(request: Request, who: CallerDependency, tenant: Tenant) -> Response:
        """What each source's newest records held, which fields the contract does not know, and which are gone.

        `advice`: INVESTIGATE unknown fields, MONITOR missing ones, null where all is as the contract says.
        """
        slug = known(who, tenant)
        return tagged_response(request, seen.drift_of(slug, ops, runs.settings, is_operator=who.is_operator))

    @routes.get("/quarantine", summary="What was kept out, newest first", **produces(EXAMPLES["quarantine"]))
    def quarantine(
        request: Request, who: CallerDependency, tenant: Tenant, *, limit: Limit = 100, cursor: Cursor = None
    ) -> Response:
        """By file and reason, with how many records. `reason` quotes values, and is shown to admins alone."""
        found = seen.quarantine_of(known(who, tenant), ops, is_operator=who.is_operator)
        total = sum(row["count"] for row in found)
        return _paged(request, "quarantine", found, limit, cursor, of=f"quarantine {len(found)}", total=total)

    @routes.get("/freshness", summary="How old its answers are", **produces(EXAMPLES["freshness"]))
    def freshness(request: Request, who: CallerDependency, tenant: Tenant) -> Response:
        with runs.run(visible(who, tenant)) as run:
            return tagged_response(request, seen.freshness(run, ops))

    @routes.get("/identity-resolution", summary="Who is known to be whom", **produces(EXAMPLES["identity"]))
    async def identity(request: Request, who: CallerDependency, tenant: Tenant) -> Response:
        """How many visitors have an email or an order, and how many orders a visit: counts, and nobody's name."""
        return await answer_of_run(request, runs, visible(who, tenant), seen.identity)


def _paged(
    request: Request, name: str, found: list[Payload], limit: int, cursor: str | None, *, of: str, **said: object
) -> Response:
    """A page of a list that is whole in memory."""
    listed, following = page(found, limit, cursor, of=of)
    return tagged_response(request, {**said, name: listed, "cursor": following}, link(request, following))


def _without_number(run: Payload) -> Payload:
    return {name: value for name, value in run.items() if name != "number"}
