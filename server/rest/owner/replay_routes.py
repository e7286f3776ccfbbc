"""Replay of a tenant's quarantine over HTTP, for its own people and admins.

    POST /quarantine/replay    what was kept out is read again, and the tenant built, as a job

The tenant is that of the token; an admin, whose token has none, names it.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Response

from pipeline.config.slug import Slug
from pipeline.errors import QueryError
from pipeline.storage.ops import Ops
from server.orchestration.jobs.submit import JobService
from server.rest.dependencies import JsonBody, OwnerOrAdmin, visible
from server.rest.error_responses import Guarded
from server.rest.examples import EXAMPLES
from server.rest.job_routes import Key, request_body, submit
from server.rest.openapi import JOBS, produces
from server.serving.access import Caller, tenant_of
from server.serving.runs.published_runs import PublishedRuns

Payload = dict[str, Any]  # Any: JSON values


def replay_routes(runs: PublishedRuns, ops: Ops) -> APIRouter:
    """The route of a replay; it needs the scope owner or admin."""
    routes = APIRouter(route_class=Guarded)
    service = JobService(runs.settings, ops)

    @routes.post(
        "/quarantine/replay",
        summary="Read again what was kept out",
        tags=[JOBS],
        openapi_extra=request_body(
            "replay", "`platform`, `account` and `object`, where only some sources are meant; `tenant` of an admin."
        ),
        dependencies=[JsonBody],
        **produces(EXAMPLES["replay_job"], status=202),
    )
    async def replay(
        caller: OwnerOrAdmin, sent: Annotated[Payload, Body()], *, idempotency_key: Key = None
    ) -> Response:
        """Read the quarantine of the tenant again, and build it: after a mended file, or an upgrade that reads more.

        What still does not convert stays in quarantine; doing it twice gives the same rows. While a replay of the same
        sources is not over, the same job is given.
        """
        return await submit("replay", {**sent, "tenant": _tenant(caller, sent)}, caller, idempotency_key, service)

    return routes


def _tenant(caller: Caller, sent: Payload) -> Slug:
    """The tenant whose quarantine is meant.

    Raises:
        AccessError: The caller may not see the one that is named, or there is none.
        QueryError: An admin names none.
    """
    if "tenant" in sent:
        return visible(caller, str(sent["tenant"]))
    if caller.tenant is None:
        raise QueryError("An admin token belongs to no tenant.", 'Name it in the body: {"tenant": "acme"}.')
    return tenant_of(caller)
