"""FastAPI dependencies of REST routes: the caller, the scope, the body."""

from __future__ import annotations

from typing import Annotated, TypeVar

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from pipeline.config.slug import Slug
from pipeline.errors import RequestRefused
from server.asgi.bearer_auth import caller_of_request
from server.serving.access import Caller, check_slug, no_such_tenant

T = TypeVar("T")


async def _caller(_: Annotated[object, Depends(HTTPBearer(auto_error=False))]) -> Caller:
    """The caller that RequireToken has authenticated; HTTPBearer only declares the header in OpenAPI."""
    return caller_of_request()


CallerDependency = Annotated[Caller, Depends(_caller)]


def visible(caller: Caller, slug: str) -> Slug:
    """The slug of a tenant that the caller may see.

    Raises:
        AccessError: The caller may not see it, or there is none of that name: the same message for both.
    """
    if not caller.sees(slug):
        raise no_such_tenant()
    return check_slug(slug)


async def _admin(caller: CallerDependency) -> Caller:
    """The caller, with the scope admin.

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


def _owner_needed() -> RequestRefused:
    return RequestRefused(
        403,
        "This needs a token with the scope owner.",
        "Ask whoever runs gata for one: `gata token create --tenant SLUG --owner`.",
        {"www-authenticate": 'Bearer error="insufficient_scope", scope="owner"'},
    )


async def _owner(caller: CallerDependency) -> Caller:
    """The caller, one of a tenant's own people.

    Raises:
        RequestRefused: 403, its token has another scope; an admin's belongs to no tenant.
    """
    if caller.scope != "owner":
        raise _owner_needed()
    return caller


async def _owner_or_admin(caller: CallerDependency) -> Caller:
    """The caller, with the scope owner or admin.

    Raises:
        RequestRefused: 403, its token has another scope.
    """
    if caller.scope not in ("owner", "admin"):
        raise _owner_needed()
    return caller


Owner = Annotated[Caller, Depends(_owner)]
OwnerOrAdmin = Annotated[Caller, Depends(_owner_or_admin)]


async def _json_body(request: Request) -> None:
    """Check that the request declares a JSON body.

    Raises:
        RequestRefused: 415, it declares another type.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_suffixed = media_type.startswith("application/") and media_type.endswith("+json")
    if media_type != "application/json" and not is_suffixed:
        raise RequestRefused(
            415, "The body is not declared to be JSON.", "Send it with `Content-Type: application/json`.", ACCEPTS
        )


ACCEPTS = {"accept-post": "application/json"}
JsonBody = Depends(_json_body)
