"""Bearer tokens at the door of the HTTP server: nothing but the open paths answers a request without a live one.

A token is live as long as its tenant is served: that of an offboarded tenant opens nothing, MCP included.
"""

from __future__ import annotations

import anyio.to_thread
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken, TokenVerifier
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.errors import AccessError
from server.access import Access, Caller
from server.problems import problem
from server.standing import Standing

OPEN_PATHS = frozenset({"/health", "/docs", "/openapi.json"})
ISSUER = "gata"


class StoredTokens(TokenVerifier):
    """Tells the SDK who a token stands for. It binds sessions to (client, issuer, subject): all three are given."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def verify_token(self, token: str) -> AccessToken | None:
        caller = self._access.verify(token)
        if caller is None:
            return None
        return AccessToken(
            token=caller.token_id,  # never the secret: this object travels through other people's code
            client_id=caller.token_id,
            scopes=[caller.scope],
            subject=caller.tenant or "admin",
            claims={"iss": ISSUER, "caller": caller},
        )


class RequireToken:
    """Answers 401 to everything without a live token, and 403 where its tenant is not served any more.

    A new route is closed unless it is named in OPEN_PATHS.
    """

    def __init__(self, app: ASGIApp, standing: Standing) -> None:
        self.app = app
        self._standing = standing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        user = scope.get("user")
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS:
            await self.app(scope, receive, send)
        elif not isinstance(user, AuthenticatedUser):
            await _unknown(scope, receive, send)
        elif error := await self._refusal(_caller_of(user.access_token)):
            await problem(403, error.what, error.fix)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _refusal(self, caller: Caller | None) -> AccessError | None:
        """Why the caller's tenant is not served; tenants.yaml is read in a thread, for others are waiting."""
        if caller is None or caller.tenant is None:
            return None
        if self._standing.is_current:
            return self._standing.refusal(caller.tenant)
        return await anyio.to_thread.run_sync(self._standing.refusal, caller.tenant)


async def _unknown(scope: Scope, receive: Receive, send: Send) -> None:
    refusal = problem(
        401,
        "There is no live token in this request.",
        "Send `Authorization: Bearer TOKEN`; the operator makes one with `gata token create`.",
        headers={"www-authenticate": 'Bearer error="invalid_token"'},
    )
    await refusal(scope, receive, send)


def caller_of_request() -> Caller:
    """Who sent the request that is being answered.

    Raises:
        AccessError: Nobody did: this is not inside a request that passed RequireToken.
    """
    caller = _caller_of(get_access_token())
    if caller is None:
        raise AccessError("There is no live token in this request.", "Send `Authorization: Bearer TOKEN`.")
    return caller


def _caller_of(token: AccessToken | None) -> Caller | None:
    """Who a token stands for, as StoredTokens told the SDK."""
    caller = (token.claims or {}).get("caller") if token else None
    return caller if isinstance(caller, Caller) else None
