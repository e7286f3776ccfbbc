"""What every REST route shares: who asks, for which tenant, answered how, and refused how."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import anyio
from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException

from pipeline.bug_reports import internal_error_message
from pipeline.config.slug import Slug
from pipeline.errors import GataError, RequestRefused
from server.asgi.bearer_auth import caller_of_request
from server.asgi.problems import problem, status_of
from server.serving.access import Caller, check_slug, no_such_tenant
from server.serving.audit.call_record import report_call_bug
from server.serving.runs.published_runs import OpenRun, PublishedRuns
from server.serving.runs.run_call import Work, run_call

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

CLIENT_GONE = 499
"""Nobody reads it; it is what a log calls the end of such a call."""

T = TypeVar("T")


async def _caller(_: Annotated[object, Depends(HTTPBearer(auto_error=False))]) -> Caller:
    """RequireToken has read the header; HTTPBearer only tells OpenAPI about it."""
    return caller_of_request()


CallerDependency = Annotated[Caller, Depends(_caller)]


def visible(caller: Caller, slug: str) -> Slug:
    """The slug, when the caller may see that tenant.

    Raises:
        AccessError: It may not, or there is none of that name: the same words for both.
    """
    if not caller.sees(slug):
        raise no_such_tenant()
    return check_slug(slug)


async def _admin(caller: CallerDependency) -> Caller:
    """The caller, when it may change what is served.

    Raises:
        RequestRefused: 403, its token has another scope.
    """
    if caller.scope != "admin":
        raise RequestRefused(
            403,
            "This needs a token with the scope admin.",
            "Ask whoever runs gata for one: `gata token create --admin`.",
            {"www-authenticate": 'Bearer error="insufficient_scope", scope="admin"'},
        )
    return caller


Admin = Annotated[Caller, Depends(_admin)]


async def _json_body(request: Request) -> None:
    """See that a body says it is JSON.

    Raises:
        RequestRefused: 415, it says something else.
    """
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent != "application/json" and not (sent.startswith("application/") and sent.endswith("+json")):
        raise RequestRefused(
            415, "The body is not declared to be JSON.", "Send it with `Content-Type: application/json`.", ACCEPTS
        )


ACCEPTS = {"accept-post": "application/json"}
JsonBody = Depends(_json_body)


def json_response(payload: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON with every digit of a decimal."""
    from semantic.answering.exact_json import to_json

    return Response(to_json(payload), status, dict(headers or {}), media_type="application/json")


def etag_of(*parts: object) -> str:
    """The entity tag of what depends on these parts, and on this version of the program."""
    said = json.dumps([version("gata"), *parts], default=str)
    return f'"{hashlib.sha256(said.encode()).hexdigest()[:24]}"'


def run_etag(run: OpenRun, *parts: object) -> str:
    """The entity tag of what depends on a run, its definitions and the personal names it shows."""
    return etag_of(run.slug, run.run_id, run.model.definitions, sorted(run.exposed), run.note, *parts)


def is_known_tag(request: Request, etag: str) -> bool:
    """Whether the caller holds what the tag stands for already. Source: RFC 9110, 13.1.2."""
    known = [part.strip().removeprefix("W/") for part in ",".join(request.headers.getlist("if-none-match")).split(",")]
    return etag in known or "*" in known


def tagged_response(request: Request, payload: object, headers: Mapping[str, str] | None = None) -> Response:
    """JSON with a tag of its own content; 304 without a body when the caller has it."""
    from semantic.answering.exact_json import to_json

    text = to_json(payload)
    etag = etag_of(text)
    if is_known_tag(request, etag):
        return unchanged(etag)
    return Response(text, headers={**(headers or {}), **_revalidated(etag)}, media_type="application/json")


def unchanged(etag: str) -> Response:
    """304: what the caller holds is what there is."""
    return Response(status_code=304, headers=_revalidated(etag))


def _revalidated(etag: str) -> dict[str, str]:
    return {"etag": etag, "cache-control": "private, no-cache", "vary": "Authorization, Accept"}


async def answer_of_run(request: Request, runs: PublishedRuns, slug: Slug, work: Work[object]) -> Response:
    """What `work` makes of the tenant's newest run, tagged by that run; 304, and no work, when the caller has it."""

    def unless_known(run: OpenRun, cursor: DuckDBPyConnection) -> tuple[str, object]:
        etag = run_etag(run)
        return etag, None if is_known_tag(request, etag) else work(run, cursor)

    found = await while_connected(request, run_call(runs, slug, unless_known))
    if found is None:
        return Response(status_code=CLIENT_GONE)
    etag, payload = found
    if payload is None:
        return unchanged(etag)
    answer = payload if isinstance(payload, Response) else json_response(payload)
    answer.headers.update(_revalidated(etag))
    return answer


async def while_connected(request: Request, work: Awaitable[T]) -> T | None:
    """What the work gives; None, and the work cancelled, when the caller hangs up before that."""
    found: list[T] = []
    raised: list[Exception] = []
    async with anyio.create_task_group() as group:

        async def hang_up() -> None:
            while (await request.receive())["type"] != "http.disconnect":
                pass
            group.cancel_scope.cancel()

        group.start_soon(hang_up)
        try:
            found.append(await work)
        except Exception as error:  # noqa: BLE001  # raised again below: a task group would wrap it
            raised.append(error)
        group.cancel_scope.cancel()
    if raised:
        raise raised[0]
    return found[0] if found else None


class Guarded(APIRoute):
    """A route whose every error becomes a problem document."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:  # Any: Starlette's own types
        handler = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            try:
                return await handler(request)
            except (RequestValidationError, HTTPException):
                raise
            except GataError as error:
                return refusal_response(error, self.path)
            except Exception as error:  # noqa: BLE001  # a bug: the caller gets an event id and no internals
                return internal_error_response(error, self.path)

        return guarded


def refusal_response(error: GataError, path: str) -> Response:
    """The problem document of an error with a repair; an apology when only the operator has it."""
    status = status_of(error)
    if status is None and not caller_of_request().is_operator:
        return internal_error_response(error, path)
    headers = error.headers if isinstance(error, RequestRefused) else {"retry-after": "1"} if status == 429 else {}
    return problem(status or 503, error.what, error.fix, headers=headers)


def internal_error_response(error: Exception, path: str) -> Response:
    event_id = report_call_bug(error, call=path)
    return problem(500, internal_error_message(event_id), "Tell the operator.", event_id=event_id)


async def unreadable(_: Request, error: Exception) -> Response:
    """A body or parameter that is not what the route takes: not JSON at all (400), or of another form (422)."""
    assert isinstance(error, RequestValidationError)  # noqa: S101  # registered for it alone
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    status = 400 if first["type"] == "json_invalid" else 422
    return problem(status, f"{place} cannot be read: {first['msg']}.", "Send what /docs shows for this path.")


async def not_found(_: Request, error: Exception) -> Response:
    """A request that no route takes: no such path or method."""
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for it alone
    return problem(error.status_code, f"{error.detail}.", "See /docs for what there is.", headers=error.headers)
