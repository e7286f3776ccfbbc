"""Error responses of REST routes: refusals, unreadable bodies, unknown paths, internal errors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import anyio
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from pipeline.bug_reports import internal_error_message
from pipeline.errors import GataError, RequestRefused
from server.asgi.bearer_auth import caller_of_request
from server.asgi.problems import problem, status_of
from server.rest.dependencies import T
from server.serving.audit.call_record import report_call_bug

CLIENT_GONE = 499
"""Status of a call whose client has disconnected: it appears in logs, and no client receives it."""


async def while_connected(request: Request, work: Awaitable[T]) -> T | None:
    """The result of `work`; None, and the work cancelled, when the client disconnects before it is done."""
    results: list[T] = []
    raised: list[Exception] = []
    async with anyio.create_task_group() as group:

        async def cancel_on_disconnect() -> None:
            while (await request.receive())["type"] != "http.disconnect":
                pass
            group.cancel_scope.cancel()

        group.start_soon(cancel_on_disconnect)
        try:
            results.append(await work)
        except Exception as error:  # noqa: BLE001  # raised again below: a task group would wrap it
            raised.append(error)
        group.cancel_scope.cancel()
    if raised:
        raise raised[0]
    return results[0] if results else None


class Guarded(APIRoute):
    """Route class that turns every error into a problem document."""

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
    """The problem document of an error that the caller can fix; an internal error when only the operator can."""
    status = status_of(error)
    if status is None and not caller_of_request().is_operator:
        return internal_error_response(error, path)
    headers = error.headers if isinstance(error, RequestRefused) else {"retry-after": "1"} if status == 429 else {}
    return problem(status or 503, error.what, error.fix, headers=headers)


def internal_error_response(error: Exception, path: str) -> Response:
    """The problem document of a bug: an event id, and no internals."""
    event_id = report_call_bug(error, call=path)
    return problem(500, internal_error_message(event_id), "Tell the operator.", event_id=event_id)


async def unreadable(_: Request, error: Exception) -> Response:
    """The response to a body or parameter that does not validate: not JSON at all (400), or of another form (422)."""
    assert isinstance(error, RequestValidationError)  # noqa: S101  # registered for it alone
    first = error.errors()[0]
    location = ".".join(str(part) for part in first["loc"])
    status = 400 if first["type"] == "json_invalid" else 422
    return problem(status, f"{location} cannot be read: {first['msg']}.", "Send what /docs shows for this path.")


async def not_found(_: Request, error: Exception) -> Response:
    """The response to a request that matches no route: no such path or method."""
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for it alone
    return problem(error.status_code, f"{error.detail}.", "See /docs for what there is.", headers=error.headers)
