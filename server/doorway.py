"""What every REST route shares: who asks, for which tenant, answered how, and refused how."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Annotated, Any, TypeVar

import anyio
from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException

from pipeline.errors import GataError
from server.access import Caller, check_slug, no_such_tenant
from server.bearer import caller_of_request
from server.faults import apology, report
from server.problems import problem, status_of

CLIENT_GONE = 499

T = TypeVar("T")


async def _caller(_: Annotated[object, Depends(HTTPBearer(auto_error=False))]) -> Caller:
    """RequireToken has read the header; HTTPBearer only tells OpenAPI about it."""
    return caller_of_request()


Who = Annotated[Caller, Depends(_caller)]


def visible(caller: Caller, slug: str) -> str:
    """The slug, when the caller may see that tenant.

    Raises:
        AccessError: It may not, or there is none of that name: the same words for both.
    """
    if not caller.sees(slug):
        raise no_such_tenant()
    return check_slug(slug)


def json_response(payload: object) -> Response:
    """JSON with every digit of a decimal."""
    from semantic.exact_json import to_json

    return Response(to_json(payload), media_type="application/json")


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
                return refused(error, self.path)
            except Exception as error:  # noqa: BLE001  # a bug: the caller gets an event id and no internals
                return sorry(error, self.path)

        return guarded


def refused(error: GataError, path: str) -> Response:
    """The problem document of an error with a repair; an apology when only the operator has it."""
    status = status_of(error)
    if status is None and not caller_of_request().is_operator:
        return sorry(error, path)
    return problem(status or 503, error.what, error.fix)


def sorry(error: Exception, path: str) -> Response:
    event_id = report(error, call=path)
    return problem(500, apology(event_id), "Tell the operator.", event_id=event_id)


async def unreadable(_: Request, error: Exception) -> Response:
    """A body or parameter that is not what the route takes: not JSON at all (400), or of another form (422)."""
    assert isinstance(error, RequestValidationError)  # noqa: S101  # registered for it alone
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    status = 400 if first["type"] == "json_invalid" else 422
    return problem(status, f"{place} cannot be read: {first['msg']}.", "Send what /docs shows for this path.")


async def missing(_: Request, error: Exception) -> Response:
    """A path or method that there is not."""
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for it alone
    return problem(error.status_code, f"{error.detail}.", "See /docs for what there is.", headers=error.headers)
