"""Bringing in a tenant and changing what counts, over HTTP, for admins; and how far the builds are that follow.

    POST /tenants/onboard          a tenant as tenants.yaml describes one
    POST /semantic-layer/update    a tenant's words and logic, merged in (null takes away)
    GET  /jobs  /jobs/{id}  /jobs/{id}/events

A request is checked whole before anything is touched. Then tenants.yaml is changed, a build begins in a process of its
own, and the answer is 202 with the job. A build that fails takes the change back: a new tenant, and all that was landed
for it, is gone again, and a changed one keeps its words, its logic and the run its readers have.
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
from server.orchestration.jobs.job import Job, Jobs
from server.orchestration.jobs.submit import JobService, Posted
from server.rest.dependencies import Admin, JsonBody
from server.rest.error_responses import Guarded
from server.rest.examples import EXAMPLES
from server.rest.json_answers import json_response
from server.rest.openapi import ADMIN, example, produces
from server.rest.pagination import Cursor, Limit, link, read_page_cursor, write_page_cursor
from server.serving.access import Caller
from server.serving.runs.published_runs import PublishedRuns

POLL_SECONDS = 0.2
ALIVE_SECONDS = 10.0
"""After so long without news a stream says that it is still there."""

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
    """What only an admin may do."""
    routes = APIRouter(route_class=Guarded, tags=[ADMIN])
    office = JobService(runs.settings, ops)

    async def accepted(posted: Posted) -> Response:
        job = await anyio.to_thread.run_sync(office.accept, posted)
        return _job_response(job, office.jobs, status=202)

    @routes.post(
        "/tenants/onboard",
        summary="Bring in a tenant",
        openapi_extra=_takes("onboarding", "An entry of `tenants:` in tenants.yaml."),
        dependencies=[JsonBody],
        **produces(EXAMPLES["job"], status=202),
    )
    async def onboard(who: Admin, sent: Annotated[Payload, Body()], *, idempotency_key: Key = None) -> Response:
        """Check the tenant, write it to tenants.yaml, and build it in a process of its own.

        Files that it reads lie in the folder of tenants.yaml, and paths start there. The same content again gives the
        same job, and so does the same Idempotency-Key. When the first build fails, the tenant is taken out again.
        """
        return await accepted(Posted("onboard", sent, _name(who), idempotency_key))

    @routes.post(
        "/semantic-layer/update",
        summary="Change what counts for a tenant",
        openapi_extra=_takes("update", "The tenant, and `semantic`, `attribution` or `logic` to merge into its entry."),
        dependencies=[JsonBody],
        **produces(EXAMPLES["job"], status=202),
    )
    async def update(who: Admin, sent: Annotated[Payload, Body()], *, idempotency_key: Key = None) -> Response:
        """Merge words and logic into a tenant's entry of tenants.yaml, and build it anew.

        Merged as RFC 7396 says: a mapping into a mapping, null takes away, anything else replaces. `logic` is by
        platform and object. When the build fails, tenants.yaml says again what it said before, and readers keep their
        run.
        """
        return await accepted(Posted("update", sent, _name(who), idempotency_key))

    @routes.get("/jobs", summary="The jobs, newest first", **produces(EXAMPLES["jobs"]))
    def jobs(request: Request, _: Admin, *, limit: Limit = 100, cursor: Cursor = None) -> Response:
        found = office.jobs.page(limit + 1, read_page_cursor(cursor, of="jobs") if cursor else None)
        following = write_page_cursor(found[limit - 1].number, of="jobs") if len(found) > limit else None
        listed = [office.jobs.to_dict(office.looked_after(job)) for job in found[:limit]]
        return json_response({"jobs": listed, "cursor": following}, headers={**_FRESH, **link(request, following)})

    @routes.get("/jobs/{id}", summary="How far a job is", **produces(EXAMPLES["job"]))
    def job(_: Admin, id: JobId) -> Response:  # noqa: A002  # its name
        """`queued`, `ingesting`, `transforming`, `validating`, then `ready`, or `failed` with the reason."""
        return _job_response(_found(office, id), office.jobs)

    @routes.get(
        "/jobs/{id}/events",
        summary="How far a job is, as it happens",
        responses={
            200: {
                "description": "Server-sent events: one for each state, its data the job; the stream ends with it.",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            }
        },
    )
    async def events(
        request: Request,
        _: Admin,
        id: JobId,  # noqa: A002  # its name
        *,
        last_event_id: Annotated[str | None, Header(max_length=20, description="The last one you have.")] = None,
    ) -> Response:
        """Each event has the state as its name. A client that comes back with Last-Event-ID misses none."""
        found = await anyio.to_thread.run_sync(_found, office, id)
        seen = int(last_event_id) if last_event_id and last_event_id.isdecimal() and last_event_id.isascii() else 0
        return StreamingResponse(_stream(request, office, found, seen), headers=_FRESH, media_type="text/event-stream")

    return routes


_FRESH = {"cache-control": "no-store"}


def _takes(sample: str, said: str) -> Payload:
    schema = {"type": "object", "description": said, "additionalProperties": True}
    content = {"application/json": {"schema": schema, "examples": example(EXAMPLES[sample])}}
    return {"requestBody": {"required": True, "content": content}}


def _name(caller: Caller) -> str:
    """Whose Idempotency-Keys these are."""
    return caller.token_id


def _found(office: JobService, job_id: str) -> Job:
    job = office.jobs.find(job_id)
    if job is None:
        raise AccessError("There is no such job here.", "GET /jobs lists those that there are.")
    return office.looked_after(job)


def _job_response(job: Job, jobs: Jobs, *, status: int = 200) -> Response:
    headers = dict(_FRESH)
    if status == 202:
        headers["location"] = f"/jobs/{job.id}"
    if not job.is_over:
        headers["retry-after"] = "1"
    return json_response(jobs.to_dict(job), status, headers)


async def _stream(request: Request, office: JobService, job: Job, seen: int) -> AsyncIterator[str]:
    """An event for each state from the one after `seen`, until the job is over or nobody listens."""
    silent = 0.0
    while True:
        happened = office.jobs.events(job.id, seen)
        job = office.jobs.find(job.id) or job
        for event in happened:
            seen, silent = event["number"], 0.0
            data = to_json({**office.jobs.to_dict(job), "state": event["state"]})
            yield f"id: {seen}\nevent: {event['state']}\ndata: {data}\n\n"
        if (job.is_over and not office.jobs.events(job.id, seen)) or await request.is_disconnected():
            return
        await anyio.sleep(POLL_SECONDS)
        silent += POLL_SECONDS
        if silent >= ALIVE_SECONDS:
            silent = 0.0
            yield ": still at work\n\n"
        if not office.jobs.is_alive(job.id):
            job = await anyio.to_thread.run_sync(office.looked_after, job)
