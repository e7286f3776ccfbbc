"""Bearer tokens at the door of the HTTP server: nothing but the open paths answers a request without a live one.

A token is one of ours (`gata_...`, server.serving.access) or, where an issuer is configured, a JWT of the identity
provider (server.asgi.oauth). It is live as long as its tenant is served: that of an offboarded tenant opens
nothing, MCP included.
"""

from __future__ import annotations

from collections.abc import Mapping

import anyio.to_thread
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken, TokenVerifier
from starlette.authentication import AuthCredentials, AuthenticationBackend, BaseUser
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.errors import AccessError, CredentialRefused
from server.asgi.oauth import FIXES, OAuth, credential_refused
from server.asgi.problems import ProblemResponse, problem
from server.serving.access import Access, Caller
from server.serving.runs.tenant_status import TenantStatus

OPEN_PATHS = frozenset({"/health", "/docs", "/openapi.json"})
OPEN_FOLDERS = ("/.well-known/oauth-protected-resource", "/docs/")
ISSUER = "gata"
REFUSAL = "gata.refusal"
"""Why the credential of a request opens nothing, in its ASGI scope."""


def is_open(path: str) -> bool:
    """Whether a path answers everybody: it says nothing of any tenant."""
    return path in OPEN_PATHS or path.startswith(OPEN_FOLDERS)


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


class Credentials(AuthenticationBackend):
    """Reads the one Authorization header of a request. A token anywhere else, the address above all, is not read."""

    def __init__(self, access: Access, oauth: OAuth | None = None) -> None:
        self._stored, self._oauth = StoredTokens(access), oauth

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        sent = conn.headers.getlist("authorization")
        if not sent:
            return None
        refusal = credential_refused(401, "There is no live token in this request.")
        kind, _, text = sent[0].partition(" ")
        if len(sent) == 1 and kind.lower() == "bearer":
            try:
                if token := await self.read(text.strip()):
                    return AuthCredentials(token.scopes), AuthenticatedUser(token)
            except CredentialRefused as error:
                refusal = error
        conn.scope[REFUSAL] = refusal
        return None

    async def read(self, text: str) -> AccessToken | None:
        """What a token stands for; None for one that is not live.

        Raises:
            CredentialRefused: It is a JWT, and is refused for a reason that its holder can act on.
        """
        if self._oauth is not None and text.startswith("eyJ"):
            return await self._oauth.verify(text)
        return await self._stored.verify_token(text)


class RequireToken:
    """Answers 401 to everything without a live token, and 403 where its tenant is not served any more.

    A new route is closed unless it is named in OPEN_PATHS.
    """

    def __init__(self, app: ASGIApp, standing: TenantStatus, oauth: OAuth | None = None) -> None:
        self.app = app
        self._standing, self._oauth = standing, oauth

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_open(scope["path"]):
            await self.app(scope, receive, send)
        elif not isinstance(scope.get("user"), AuthenticatedUser):
            await self._unknown(scope)(scope, receive, send)
        elif error := await self.refusal(caller_of_scope(scope)):
            await problem(403, error.what, error.fix)(scope, receive, send)
        else:
            await self.app(scope, receive, self._hinting(scope, send))

    def _hinting(self, scope: Scope, send: Send) -> Send:
        """A `send` that tells the holder of a JWT which scope of the issuer an operator's route needs."""
        if self._oauth is None:
            return send

        async def hinting(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 403:
                headers = MutableHeaders(scope=message)
                if "insufficient_scope" in headers.get("www-authenticate", ""):
                    headers.update(self._challenge(scope, {"error": "insufficient_scope"}, is_admin=True))
            await send(message)

        return hinting

    async def refusal(self, caller: Caller | None) -> AccessError | None:
        """Why the caller's tenant is not served; tenants.yaml is read in a thread, for others are waiting."""
        if caller is None or caller.tenant is None:
            return None
        if self._standing.is_current:
            return self._standing.refusal(caller.tenant)
        return await anyio.to_thread.run_sync(self._standing.refusal, caller.tenant)

    def _unknown(self, scope: Scope) -> ProblemResponse:
        """The refusal of a request without a live token: where to get one is in its headers."""
        refused = scope.get(REFUSAL)
        if not isinstance(refused, CredentialRefused):
            challenge = self._challenge(scope, {})
            return problem(401, "There is no live token in this request.", FIXES[401], headers=challenge)
        if refused.status == 503:
            return problem(503, refused.what, refused.fix, headers=refused.headers)
        error = "insufficient_scope" if refused.status == 403 else "invalid_token"
        challenge = self._challenge(scope, {"error": error, "error_description": refused.what})
        return problem(refused.status, refused.what, refused.fix, headers=challenge)

    def _challenge(self, scope: Scope, about: Mapping[str, str], *, is_admin: bool = False) -> dict[str, str]:
        """RFC 6750 section 3; with an issuer also RFC 9728 section 5.1, by which MCP clients find where to log in."""
        said = {"realm": ISSUER, **about}
        if self._oauth is not None:
            said |= self._oauth.hints(scope, is_admin=is_admin)
        return {"www-authenticate": "Bearer " + ", ".join(f'{name}="{value}"' for name, value in said.items())}


def caller_of_request() -> Caller:
    """Who sent the request that is being answered.

    Raises:
        AccessError: Nobody did: this is not inside a request that passed RequireToken.
    """
    caller = _caller_of(get_access_token())
    if caller is None:
        raise AccessError("There is no live token in this request.", "Send `Authorization: Bearer TOKEN`.")
    return caller


def caller_of_scope(scope: Scope) -> Caller | None:
    """Who sent the request of an ASGI scope; None for a stranger."""
    user = scope.get("user")
    return _caller_of(user.access_token) if isinstance(user, AuthenticatedUser) else None


def _caller_of(token: AccessToken | None) -> Caller | None:
    """Who a token stands for, as its verifier told the SDK."""
    caller = (token.claims or {}).get("caller") if token else None
    return caller if isinstance(caller, Caller) else None
