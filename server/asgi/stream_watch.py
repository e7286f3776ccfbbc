"""An event stream ends when its token does (revoked, expired, its tenant offboarded), and when the server stops.

Each message of a caller is checked anew; a stream is checked while it is open, for it may be so for hours. A server
that stops ends its streams once no call is under way: answers of the SSE transport leave through them.
"""

from __future__ import annotations

from datetime import UTC, datetime

import anyio
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.asgi.audit_middleware import is_stream
from server.asgi.bearer_auth import caller_of_scope
from server.asgi.connections import CLOSING
from server.serving.access import Access, Caller
from server.serving.audit.call_recorder import CallRecorder
from server.serving.runs.tenant_status import TenantStatus

CHECK_SECONDS = 2.0
LOOK_SECONDS = 0.2
QUIET_LOOKS = 2
"""Without a call under way: the last answer has then left."""


class StreamGuard:
    """Closes the event streams of callers who may not come in any more."""

    def __init__(self, app: ASGIApp, access: Access, standing: TenantStatus, ledger: CallRecorder) -> None:
        self.app, self._access, self._standing, self._ledger = app, access, standing, ledger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = caller_of_scope(scope) if scope["type"] == "http" else None
        if caller is None or not is_stream(scope):
            await self.app(scope, receive, send)
            return
        begins, is_open, ended = 0, False, anyio.Event()

        async def told(message: Message) -> None:
            nonlocal begins, is_open
            begins += message["type"] == "http.response.start"
            if begins > 1:  # the SDK answers once more when the caller has hung up: nobody hears it
                return
            is_open = message["type"] == "http.response.start" or bool(message.get("more_body"))
            await send(message)

        ends_at = scope["user"].access_token.expires_at if isinstance(scope["user"], AuthenticatedUser) else None
        async with anyio.create_task_group() as group:
            group.start_soon(self._watch, scope, caller, ends_at, ended)
            await self.app(scope, _until(ended, receive), told)
            group.cancel_scope.cancel()
        if is_open:  # ended by us: the caller sees a stream that is whole
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _watch(self, scope: Scope, caller: Caller, ends_at: int | None, ended: anyio.Event) -> None:
        looks = quiet = 0
        while quiet < QUIET_LOOKS:
            quiet = quiet + 1 if CLOSING in scope and not self._ledger.under_way else 0
            if looks % round(CHECK_SECONDS / LOOK_SECONDS) == 0 and not self._may_stay(caller, ends_at):
                break
            looks += 1
            await anyio.sleep(LOOK_SECONDS)
        ended.set()

    def _may_stay(self, caller: Caller, ends_at: int | None) -> bool:
        if ends_at is not None:  # a JWT: nobody can take it back before it ends
            is_live = datetime.now(UTC).timestamp() < ends_at
        else:
            is_live = self._access.is_live(caller.token_id)
        return is_live and (caller.tenant is None or self._standing.refusal(caller.tenant) is None)


def _until(ended: anyio.Event, receive: Receive) -> Receive:
    """A `receive` by which the caller hangs up when the stream has to end: then whatever streams tidies up itself."""

    async def heard() -> Message:
        message: Message = {"type": "http.disconnect"}
        async with anyio.create_task_group() as group:

            async def listen() -> None:
                nonlocal message
                message = await receive()
                group.cancel_scope.cancel()

            group.start_soon(listen)
            await ended.wait()
            group.cancel_scope.cancel()
        return message

    return heard
