"""Closes event streams when their token ends (revoked, expired, its tenant offboarded), and when the server stops.

Each message of a caller is checked; a stream is checked while it is open, because it may stay open for hours. A
stopping server closes its streams once no call is in progress: the SSE transport sends answers through them.
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
POLL_SECONDS = 0.2
QUIET_POLLS = 2
"""Polls without a call in progress: by then the last answer is sent."""


class StreamGuard:
    """ASGI middleware: closes the event streams of callers that lost access."""

    def __init__(self, app: ASGIApp, access: Access, tenant_status: TenantStatus, recorder: CallRecorder) -> None:
        self.app, self._access, self._tenant_status, self._recorder = app, access, tenant_status, recorder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = caller_of_scope(scope) if scope["type"] == "http" else None
        if caller is None or not is_stream(scope):
            await self.app(scope, receive, send)
            return
        starts, is_open, ended = 0, False, anyio.Event()

        async def send_once(message: Message) -> None:
            nonlocal starts, is_open
            starts += message["type"] == "http.response.start"
            if starts > 1:  # the SDK sends a second answer after a disconnect
                return
            is_open = message["type"] == "http.response.start" or bool(message.get("more_body"))
            await send(message)

        ends_at = scope["user"].access_token.expires_at if isinstance(scope["user"], AuthenticatedUser) else None
        async with anyio.create_task_group() as group:
            group.start_soon(self._watch, scope, caller, ends_at, ended)
            await self.app(scope, _until(ended, receive), send_once)
            group.cancel_scope.cancel()
        if is_open:  # closed by the server: the caller sees a complete stream
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _watch(self, scope: Scope, caller: Caller, ends_at: int | None, ended: anyio.Event) -> None:
        polls = quiet = 0
        while quiet < QUIET_POLLS:
            quiet = quiet + 1 if CLOSING in scope and not self._recorder.under_way else 0
            if polls % round(CHECK_SECONDS / POLL_SECONDS) == 0 and not self._may_stay(caller, ends_at):
                break
            polls += 1
            await anyio.sleep(POLL_SECONDS)
        ended.set()

    def _may_stay(self, caller: Caller, ends_at: int | None) -> bool:
        if ends_at is not None:  # a JWT cannot be revoked before it expires
            is_live = datetime.now(UTC).timestamp() < ends_at
        else:
            is_live = self._access.is_live(caller.token_id)
        return is_live and self._tenant_status.refusal_of(caller) is None


def _until(ended: anyio.Event, receive: Receive) -> Receive:
    """A `receive` that reports a disconnect when the stream has to end, so that the application cleans up."""

    async def receive_until_end() -> Message:
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

    return receive_until_end
