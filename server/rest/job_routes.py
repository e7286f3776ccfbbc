"""Onboarding and semantic-layer updates over HTTP, for admins, and the jobs that build.

    POST /tenants/onboard          a tenant as tenants.yaml describes one
    POST /semantic-layer/update    a tenant's semantic overlay and logic, merged in (null removes)
    GET  /jobs  /jobs/{id}  /jobs/{id}/events       an owner follows the replays of its own tenant

A request is validated completely before anything changes. Then tenants.yaml is changed, a build starts in a process of
its own, and the answer is 202 with the job. A failed build reverts the change: a new tenant, and all that was landed
for it, is removed again, and a changed one keeps its overlay, its logic and its published run.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

import anyio
import anyio.to_thread
from fastapi import APIRouter, Body, Header, Path, Request, Response
from fastapi.responses import StreamingResponse

from pipeline.errors import AccessError
from pipeline.storage.ops import Ops
from semantic.answering.exact_json import to_json
from server.orchestration.jobs.job import Job, Jobs, Kind
from server.orchestration.jobs.submit import JobService, Posted
from server.rest.dependencies import Admin, JsonBody, OwnerOrAdmin
from server.rest.error_responses import Guarded
from server.rest.examples import EXAMPLES
from server.rest.json_answers import json_response
from server.rest.openapi import ADMIN, JOBS, example, produces
from server.rest.pagination import Cursor, Limit, link, read_page_cursor, write_page_cursor
from server.serving.access import Caller
from server.serving.runs.published_runs import PublishedRuns

POLL_SECONDS = 0.2
ALIVE_SECONDS = 10.0
"""Keep-alive of an event stream: after so long without an event it sends a comment."""

Payload = dict[str, Any]  # Any: JSON values

JobId = Annotated[str, Path(max_length=100, examples=[EXAMPLES["job"]["id"]])]
Key = Annotated[
    str | None,
    Header(
        max_length=255,
        description="Your own name for this request, such as a UUID: sent again with the same content, it begins"
        " nothing and gives the same job.",
    ),
]


def job_routes(runs: PublishedRuns, ops: Ops) -> APIRouter:
    """Routes of onboarding, updates and jobs; each needs the scope admin, one job also takes its tenant's owner."""
    routes = APIRouter(route_class=Guarded)
    service = JobService(runs.settings, ops)

    @routes.post(
        "/tenants/onboard",
        summary="Bring in a tenant",
        tags=[ADMIN],
        openapi_extra=request_body("onboarding", "An entry of `tenants:` in tenants.yaml."),
        dependencies=[JsonBody],
        **produces(EXAMPLES["job"], status=202),
    )
    async def onboard(caller: Admin, sent: Annotated[Payload, Body()], *, idempotency_key: Key = None) -> Response:
        """Check the tenant, write it to tenants.yaml, and build it in a process of its own.

        Files that it reads lie in the folder of tenants.yaml, and paths start there. The same content again gives the
        same job, and so does the same Idempotency-Key. When the first build fails, the tenant is taken out again.
        """
        return await submit("onboard", sent, caller, idempotency_key, service)

    @routes.post(
        "/semantic-layer/update",
        summary="Change what counts for a tenant",
        tags=[ADMIN],
        openapi_extra=request_body(
            "update", "The tenant, and `semantic`, `attribution` or `logic` to merge into its entry."
        ),
        dependencies=[JsonBody],
        **produces(EXAMPLES["job"], status=202),
    )
    async def update(caller: Admin, sent: Annotated[Payload, Body()], *, idempotency_key: Key = None) -> Response:
        """Merge words and logic into a tenant's entry of tenants.yaml, and build it anew.

        Merged as RFC 7396 says: a mapping into a mapping, null takes away, anything else replaces. `logic` is by
        platform and object. When the build fails, tenants.yaml says again what it said before, and readers keep their
        run.
        """
        return await submit("update", sent, caller, idempotency_key, service)

    @routes.get("/jobs", summary="The jobs, newest first", tags=[ADMIN], **produces(EXAMPLES["jobs"]))
    def jobs(request: Request, _: Admin, *, limit: Limit = 100, cursor: Cursor = None) -> Response:
        newest = service.jobs.page(limit + 1, read_page_cursor(cursor, of="jobs") if cursor else None)
        next_cursor = write_page_cursor(newest[limit - 1].number, of="jobs") if len(newest) > limit else None
        listed = [service.jobs.to_dict(service.reap(job)) for job in newest[:limit]]
        return json_response({"jobs": listed, "cursor": next_cursor}, headers={**_FRESH, **link(request, next_cursor)})

    @routes.get("/jobs/{id}", summary="How far a job is", tags=[JOBS], **produces(EXAMPLES["job"]))
    def job(caller: OwnerOrAdmin, id: JobId) -> Response:  # noqa: A002  # its name
        """`queued`, `ingesting`, `transforming`, `validating`, then `ready`, or `failed` with the reason.

        An owner sees the replays of its own tenant's quarantine.
        """
        return _job_response(_find_job(service, id, caller), caller, service.jobs)

    @routes.get(
        "/jobs/{id}/events",
        summary="How far a job is, as it happens",
        tags=[JOBS],
        responses={
            200: {
                "description": "Server-sent events: one for each state, its data the job; the stream ends with it.",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            }
        },
    )
    async def events(
        request: Request,
        caller: OwnerOrAdmin,
        id: JobId,  # noqa: A002  # its name
        *,
        last_event_id: Annotated[str | None, Header(max_length=20, description="The last one you have.")] = None,
    ) -> Response:
        """Each event has the state as its name. A client that comes back with Last-Event-ID misses none."""
        job = await anyio.to_thread.run_sync(_find_job, service, id, caller)
        seen = int(last_event_id) if last_event_id and last_event_id.isdecimal() and last_event_id.isascii() else 0
        return StreamingResponse(
            _stream(request, service, caller, job, seen), headers=_FRESH, media_type="text/event-stream"
        )

    return routes


_FRESH = {"cache-control": "no-store"}


def request_body(sample: str, description: str) -> Payload:
    """The OpenAPI of a body that is an object, with an example."""
    schema = {"type": "object", "description": description, "additionalProperties": True}
    content = {"application/json": {"schema": schema, "examples": example(EXAMPLES[sample])}}
    return {"requestBody": {"required": True, "content": content}}


async def submit(kind: Kind, sent: Payload, caller: Caller, key: str | None, service: JobService) -> Response:
    """Submit a job for what a caller sent, and answer with it; Idempotency-Keys are separate for each token."""
    posted = Posted(kind, sent, caller.token_id, key)
    job = await anyio.to_thread.run_sync(service.submit, posted)
    return _job_response(job, caller, service.jobs, status=202)


def _find_job(service: JobService, job_id: str, caller: Caller) -> Job:
    """The job, reaped; an owner finds the replays of its own tenant.

    Raises:
        AccessError: There is none, or the caller may not see it: the same message for both.
    """
    job = service.jobs.find(job_id)
    is_own = job is not None and job.kind == "replay" and job.tenant == caller.tenant
    if job is None or not (is_own or caller.scope == "admin"):
        begins = "GET /jobs lists those that there are." if caller.scope == "admin" else "POST /quarantine/replay."
        raise AccessError("There is no such job here.", begins)
    return service.reap(job)


def _as_seen(job: Job, caller: Caller) -> Job:
    return job if caller.is_operator else job.for_owner


def _job_response(job: Job, caller: Caller, jobs: Jobs, *, status: int = 200) -> Response:
    """A job as its caller sees it: an accepted one (202) with its place, an unfinished one with when to ask again."""
    headers = dict(_FRESH)
    if status == 202:
        headers["location"] = f"/jobs/{job.id}"
    if not job.is_over:
        headers["retry-after"] = "1"
    return json_response(jobs.to_dict(_as_seen(job, caller)), status, headers)


async def _stream(request: Request, service: JobService, caller: Caller, job: Job, seen: int) -> AsyncIterator[str]:
    """An event for each state after number `seen`, until the job is over or the client has disconnected."""
    idle_seconds = 0.0
    while True:
        new_events = service.jobs.events(job.id, seen)
        job = _as_seen(service.jobs.find(job.id) or job, caller)
        for event in new_events:
            seen, idle_seconds = event["number"], 0.0
            data = to_json({**service.jobs.to_dict(job), "state": event["state"]})
            yield f"id: {seen}\nevent: {event['state']}\ndata: {data}\n\n"
        if (job.is_over and not service.jobs.events(job.id, seen)) or await request.is_disconnected():
            return
        await anyio.sleep(POLL_SECONDS)
        idle_seconds += POLL_SECONDS
        if idle_seconds >= ALIVE_SECONDS:
            idle_seconds = 0.0
            yield ": still at work\n\n"
        if not service.jobs.is_alive(job.id):
            job = await anyio.to_thread.run_sync(service.reap, job)
