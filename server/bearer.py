"""Bearer tokens at the door of the HTTP server: nothing but the open paths answers a request without a live one."""

from __future__ import annotations

from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken, TokenVerifier
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.errors import AccessError
from server.access import Access, Caller
from server.problems import problem

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
    """Answers 401 to everything without a live token; a new route is closed unless it is named in OPEN_PATHS."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_open = scope["type"] != "http" or scope["path"] in OPEN_PATHS
        if is_open or isinstance(scope.get("user"), AuthenticatedUser):
            await self.app(scope, receive, send)
            return
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
    token = get_access_token()
    caller = (token.claims or {}).get("caller") if token else None
    if not isinstance(caller, Caller):
        raise AccessError("There is no live token in this request.", "Send `Authorization: Bearer TOKEN`.")
    return caller
