"""ASGI middleware that counts and records HTTP requests.

A request that carries MCP messages is recorded by the MCP middleware, on any transport; here it is recorded only where
it is refused before any message is read. A request to an open path (`/health`, `/docs`) is not a call.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from pipeline.errors import AuditError, QueueFull
from server.asgi.bearer_auth import caller_of_scope
from server.asgi.body_limit import BODY
from server.asgi.problems import problem
from server.asgi.session_limit import may_open_session
from server.serving.audit.call_record import WITHHELD, CallRecord, agency_tenant, recording, redacted
from server.serving.audit.call_recorder import CallRecorder, interface_of, is_mcp

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
RECORDED_BODIES = ("/query",)
"""Suffixes of paths with queries as bodies; of other bodies only the names are recorded, and no value."""


class AuditHttpCalls:
    """ASGI middleware: records every HTTP request except those to open paths."""

    def __init__(self, app: ASGIApp, recorder: CallRecorder, is_open: Callable[[str], bool]) -> None:
        self.app, self._recorder, self._is_open = app, recorder, is_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._is_open(scope["path"]):
            await self.app(scope, receive, send)
            return
        carries_mcp = is_mcp(scope["path"])
        trace = header(scope, b"traceparent").decode("latin-1") or None
        caller = caller_of_scope(scope)
        tenant = agency_tenant(caller, str(scope["path"]).split("/"))
        record = CallRecord(interface_of(scope["path"]), "", caller=caller, tenant=tenant, traceparent=trace)
        size = 0

        async def measured(message: Message) -> None:
            nonlocal size
            if message["type"] == "http.response.start":
                record.status = message["status"]
            elif message["type"] == "http.response.body":
                size += len(message.get("body", b""))
            await send(message)

        async def respond() -> None:
            try:
                await self.app(scope, receive, measured)
            finally:
                _describe(record, scope, size)

        try:
            if carries_mcp or record.caller is None:
                await self._record_refusal(record, scope, respond)
            else:
                with self._record_call(record, scope):
                    await respond()
        except (QueueFull, AuditError) as error:
            status = 429 if isinstance(error, QueueFull) else 503
            seconds = error.retry_after_seconds if isinstance(error, QueueFull) else 60
            refusal = problem(status, error.what, error.fix, headers={"retry-after": str(seconds)})
            await refusal(scope, receive, send)

    @contextmanager
    def _record_call(self, record: CallRecord, scope: Scope) -> Iterator[None]:
        """Record a REST call; one with an event stream counts as a stream, because it stays open for long."""
        _describe(record, scope, 0)
        with self._recorder.call(record, limited=not is_stream(scope)), self._stream_of(record, scope):
            yield

    async def _record_refusal(self, record: CallRecord, scope: Scope, respond: Callable[[], Any]) -> None:
        """Pass on a request with MCP messages or without a caller, and record it when it is refused here."""
        try:
            with recording(record):
                if record.caller is not None and may_open_session(scope):
                    self._recorder.rate_limits.take(record.caller.token_id)
                with self._stream_of(record, scope):
                    await respond()
        except QueueFull:
            record.status = 429
            raise
        finally:
            if (record.status or 0) >= 400 and self._is_recorded(record):
                _describe(record, scope, record.bytes or 0)
                self._recorder.record_ended(record)

    @contextmanager
    def _stream_of(self, record: CallRecord, scope: Scope) -> Iterator[None]:
        if record.caller is None or not is_stream(scope):
            yield
            return
        with self._recorder.rate_limits.stream(record.caller.token_id):
            yield

    def _is_recorded(self, record: CallRecord) -> bool:
        if record.caller is not None:
            return True
        try:
            self._recorder.unauthenticated.take("")
        except QueueFull:
            return False
        return True


def header(scope: Scope, name: bytes) -> bytes:
    return next((value for key, value in scope["headers"] if key == name), b"")


def is_stream(scope: Scope) -> bool:
    """Whether the answer is an event stream, open until one side disconnects."""
    if scope["method"] == "GET":
        path: str = scope["path"]
        is_one = path in {"/mcp", "/sse"} or (path.startswith("/jobs/") and path.endswith("/events"))
        return is_one or b"text/event-stream" in header(scope, b"accept")
    return scope["path"] == "/mcp" and header(scope, b"mcp-method") == b"subscriptions/listen"


def _describe(record: CallRecord, scope: Scope, size: int) -> None:
    """Add the route, arguments and outcome to the record. An unknown path is not recorded: it may hold any text."""
    route = _route(scope, record)
    record.tool = f"{scope['method'] if scope['method'] in METHODS else 'OTHER'} {route}"
    record.bytes = size
    if record.interface != "rest":
        return
    path = dict(scope.get("path_params") or {})
    slug = path.pop("tenant", None)
    if record.caller is not None and record.tenant is None and isinstance(slug, str):
        if record.caller.sees(slug):
            record.tenant = redacted(slug)
        else:
            path["tenant"] = slug  # of another tenant: requested, and refused
    if "id" in path:
        path["id"] = f"{str(path['id'])[:6]}…"  # of a result or a job: enough to find it
    arguments = {**path, **_query(scope), **_body(scope, route)}
    record.arguments = arguments or None
    if record.status is None:
        return
    if record.outcome in {None, "ok"}:
        record.outcome = _outcome(record.status)


def _route(scope: Scope, record: CallRecord) -> str:
    if is_mcp(scope["path"]):
        return "/messages/" if scope["path"].startswith("/messages") else str(scope["path"])
    if record.caller is None:
        return "(not let in)"
    if record.status is None:  # not routed yet; what follows may be a value
        first, slash, _ = str(scope["path"])[1:].partition("/")
        return redacted(f"/{first}{slash and '/…'}")[:64]
    return getattr(scope.get("route"), "path", None) or "(unknown path)"


def _query(scope: Scope) -> dict[str, str]:
    return dict(parse_qsl(scope["query_string"].decode("latin-1"), max_num_fields=None)[:20])


def _body(scope: Scope, path: str) -> dict[str, object]:
    text = scope.get(BODY)
    if not text or scope["method"] != "POST":
        return {}
    try:
        arguments = json.loads(text)
    except (ValueError, RecursionError):
        return {"body": WITHHELD}
    if not isinstance(arguments, dict):
        return {"body": WITHHELD}
    return arguments if path.endswith(RECORDED_BODIES) else dict.fromkeys(arguments, WITHHELD)


def _outcome(status: int) -> Any:  # Any: one of Outcome
    if status < 400:
        return "ok"
    return {429: "busy", 499: "cancelled"}.get(status, "failed" if status >= 500 else "refused")
