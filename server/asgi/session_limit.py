"""Session limit per token: further MCP sessions are refused, before one token uses up the sessions of all others.

A session of the `initialize` era stays open until its client ends it, or half an hour after its last use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser, authorization_context
from mcp.types import LATEST_PROTOCOL_VERSION
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from server.asgi.problems import problem

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

RETRY_SECONDS = 60


class SessionLimit:
    """ASGI middleware: answers 429 to a request that would open a session beyond the limit of its token."""

    def __init__(self, app: ASGIApp, manager: StreamableHTTPSessionManager, most: int) -> None:
        self.app, self._manager, self._most = app, manager, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and may_open_session(scope) and self._open_of(scope) >= self._most:
            what = f"This token has {self._most} MCP sessions open, which is its limit."
            fix = "End some of them (DELETE /mcp), or use protocol 2026-07-28, which needs none."
            await problem(429, what, fix, headers={"retry-after": str(RETRY_SECONDS)})(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _open_of(self, scope: Scope) -> int:
        user = scope.get("user")
        if not isinstance(user, AuthenticatedUser):
            return 0
        owner = authorization_context(user)
        return sum(other == owner for other in self._manager._session_owners.values())  # there is no public API


def may_open_session(scope: Scope) -> bool:
    """Whether a request may open a session: it has no session id, and its protocol has sessions."""
    if scope["method"] != "POST" or scope["path"] not in {"/mcp", "/mcp/"}:
        return False
    headers = Headers(scope=scope)
    return "mcp-session-id" not in headers and headers.get("mcp-protocol-version") != LATEST_PROTOCOL_VERSION
