"""Bearer authentication of the HTTP server: every path except the open ones requires a live token.

A token is a gata token (`gata_...`, server.serving.access) or, where an issuer is configured, a JWT of the identity
provider (server.asgi.oauth). It is live as long as its tenant is served: the token of an offboarded tenant is refused
everywhere, MCP included.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import anyio.to_thread
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken, TokenVerifier
from starlette.authentication import AuthCredentials, AuthenticationBackend, BaseUser
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.environments import DocsAccess
from pipeline.errors import AccessError, CredentialRefused
from server.asgi.oauth import FIXES, OAuth, credential_refused
from server.asgi.problems import ProblemResponse, problem
from server.serving.access import Access, Caller
from server.serving.runs.tenant_status import TenantStatus

OPEN_PATHS = frozenset({"/health"})
OPEN_FOLDERS = ("/.well-known/oauth-protected-resource",)
DOCS_PATHS = frozenset({"/docs", "/openapi.json"})
DOCS_FOLDERS = ("/docs/",)
ISSUER = "gata"
T = TypeVar("T")
REFUSAL = "gata.refusal"
"""The key of the ASGI scope that holds the refusal of a credential."""


def is_open(path: str, docs: DocsAccess) -> bool:
    """Whether a path needs no token: it has no data of any tenant, and is not closed by `rest_docs` of the settings."""
    if path in DOCS_PATHS or path.startswith(DOCS_FOLDERS):
        return docs == "open"
    return path in OPEN_PATHS or path.startswith(OPEN_FOLDERS)


class StoredTokens(TokenVerifier):
    """Token verifier of the MCP SDK. The SDK binds sessions to (client, issuer, subject): all three are set."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def verify_token(self, token: str) -> AccessToken | None:
        caller = self._access.verify(token)
        if caller is None:
            return None
        return AccessToken(
            token=caller.token_id,  # never the secret: this object passes through third-party code
            client_id=caller.token_id,
            scopes=[caller.scope],
            subject=caller.subject,
            claims={"iss": ISSUER, "caller": caller},
        )


class Credentials(AuthenticationBackend):
    """Reads the one Authorization header of a request. A token elsewhere, such as in the address, is ignored.

    An agency gets those of its tenants that are served now: an offboarded one is gone from its next call on.
    """

    def __init__(self, access: Access, tenant_status: TenantStatus, oauth: OAuth | None = None) -> None:
        self._stored, self._tenant_status, self._oauth = StoredTokens(access), tenant_status, oauth

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        headers = conn.headers.getlist("authorization")
        if not headers:
            return None
        refusal = credential_refused(401, "There is no live token in this request.")
        kind, _, text = headers[0].partition(" ")
        if len(headers) == 1 and kind.lower() == "bearer":
            try:
                if token := await self.read(text.strip()):
                    return AuthCredentials(token.scopes), AuthenticatedUser(await self._served(token))
            except CredentialRefused as error:
                refusal = error
        conn.scope[REFUSAL] = refusal
        return None

    async def read(self, text: str) -> AccessToken | None:
        """Verify a token; None for one that is not live.

        Raises:
            CredentialRefused: It is a JWT, and its holder can act on the reason of the refusal.
        """
        if self._oauth is not None and text.startswith("eyJ"):
            return await self._oauth.verify(text)
        return await self._stored.verify_token(text)

    async def _served(self, token: AccessToken) -> AccessToken:
        """The token with its caller as it is served now."""
        caller = _caller_of(token)
        if caller is None or caller.agency is None:
            return token
        served = await _with_status(self._tenant_status, self._tenant_status.served, caller)
        return token.model_copy(update={"claims": {**(token.claims or {}), "caller": served}})


async def _with_status(status: TenantStatus, look_up: Callable[[Caller], T], caller: Caller) -> T:
    """Look a caller up; tenants.yaml is read in a thread, not on the event loop."""
    return look_up(caller) if status.is_current else await anyio.to_thread.run_sync(look_up, caller)


class RequireToken:
    """ASGI middleware: answers 401 without a live token, and 403 where the tenant is no longer served.

    A new route is closed unless `opens` names it.
    """

    def __init__(
        self, app: ASGIApp, tenant_status: TenantStatus, opens: Callable[[str], bool], oauth: OAuth | None = None
    ) -> None:
        self.app = app
        self._tenant_status, self._opens, self._oauth = tenant_status, opens, oauth

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._opens(scope["path"]):
            await self.app(scope, receive, send)
        elif not isinstance(scope.get("user"), AuthenticatedUser):
            await self._unauthenticated(scope)(scope, receive, send)
        elif error := await self.refusal(caller_of_scope(scope)):
            await problem(403, error.what, error.fix)(scope, receive, send)
        else:
            await self.app(scope, receive, self._with_scope_hint(scope, send))

    def _with_scope_hint(self, scope: Scope, send: Send) -> Send:
        """A `send` that adds the issuer's name of the scope that is needed to the refusal of a JWT."""
        if self._oauth is None:
            return send

        async def add_hint(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 403:
                headers = MutableHeaders(scope=message)
                refused = headers.get("www-authenticate", "")
                if "insufficient_scope" in refused:
                    needs = "owner" if 'scope="owner"' in refused else "admin"
                    headers.update(self._challenge(scope, {"error": "insufficient_scope"}, needs=needs))
            await send(message)

        return add_hint

    async def refusal(self, caller: Caller | None) -> AccessError | None:
        """The error for a caller none of whose tenants is served."""
        if caller is None or caller.scope == "admin":
            return None
        return await _with_status(self._tenant_status, self._tenant_status.refusal_of, caller)

    def _unauthenticated(self, scope: Scope) -> ProblemResponse:
        """The response to a request without a live token; its headers say where to get one."""
        refused = scope.get(REFUSAL)
        if not isinstance(refused, CredentialRefused):
            challenge = self._challenge(scope, {})
            return problem(401, "There is no live token in this request.", FIXES[401], headers=challenge)
        if refused.status == 503:
            return problem(503, refused.what, refused.fix, headers=refused.headers)
        error = "insufficient_scope" if refused.status == 403 else "invalid_token"
        challenge = self._challenge(scope, {"error": error, "error_description": refused.what})
        return problem(refused.status, refused.what, refused.fix, headers=challenge)

    def _challenge(self, scope: Scope, details: Mapping[str, str], *, needs: str = "read") -> dict[str, str]:
        """RFC 6750 section 3; with an issuer also RFC 9728 section 5.1, by which MCP clients find where to log in."""
        parameters = {"realm": ISSUER, **details}
        if self._oauth is not None:
            parameters |= self._oauth.hints(scope, needs=needs)
        return {"www-authenticate": "Bearer " + ", ".join(f'{name}="{value}"' for name, value in parameters.items())}


def caller_of_request() -> Caller:
    """The caller of the current request.

    Raises:
        AccessError: There is none: this is not inside a request that passed RequireToken.
    """
    caller = _caller_of(get_access_token())
    if caller is None:
        raise AccessError("There is no live token in this request.", "Send `Authorization: Bearer TOKEN`.")
    return caller


def caller_of_scope(scope: Scope) -> Caller | None:
    """The caller of the request of an ASGI scope; None for an unauthenticated one."""
    user = scope.get("user")
    return _caller_of(user.access_token) if isinstance(user, AuthenticatedUser) else None


def _caller_of(token: AccessToken | None) -> Caller | None:
    """The caller of a token, from the claims that its verifier set."""
    caller = (token.claims or {}).get("caller") if token else None
    return caller if isinstance(caller, Caller) else None
