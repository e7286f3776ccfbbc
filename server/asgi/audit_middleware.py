"""ASGI middleware that counts and records HTTP requests.

A request that carries MCP messages is recorded by the MCP middleware, whatever transport brought it; here it is
recorded only where it is refused before any message is read. What needs no token (`/health`, `/docs`) is not a call.
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
from server.serving.audit.call_record import WITHHELD, CallRecord, recording, redacted
from server.serving.audit.call_recorder import CallRecorder, interface_of, is_mcp

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
KEPT_BODIES = ("/query",)
"""Ends of paths whose bodies are questions; of other bodies the names are written down, and no value."""


class AuditHttpCalls:
    """ASGI middleware: every HTTP request but those of open paths."""

    def __init__(self, app: ASGIApp, ledger: CallRecorder, is_open: Callable[[str], bool]) -> None:
        self.app, self._ledger, self._is_open = app, ledger, is_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._is_open(scope["path"]):
            await self.app(scope, receive, send)
            return
        carries_mcp = is_mcp(scope["path"])
        trace = header(scope, b"traceparent").decode("latin-1") or None
        entry = CallRecord(interface_of(scope["path"]), "", who=caller_of_scope(scope), traceparent=trace)
        size = 0

        async def measured(message: Message) -> None:
            nonlocal size
            if message["type"] == "http.response.start":
                entry.status = message["status"]
            elif message["type"] == "http.response.body":
                size += len(message.get("body", b""))
            await send(message)

        async def answer() -> None:
            try:
                await self.app(scope, receive, measured)
            finally:
                _describe(entry, scope, size)

        try:
            if carries_mcp or entry.who is None:
                await self._unwritten(entry, scope, answer)
            else:
                with self._room(entry, scope):
                    await answer()
        except (QueueFull, AuditError) as error:
            status = 429 if isinstance(error, QueueFull) else 503
            seconds = error.retry_after_seconds if isinstance(error, QueueFull) else 60
            refusal = problem(status, error.what, error.fix, headers={"retry-after": str(seconds)})
            await refusal(scope, receive, send)

    @contextmanager
    def _room(self, entry: CallRecord, scope: Scope) -> Iterator[None]:
        """A REST call; an event stream of it counts as a stream, for it is open for long."""
        _describe(entry, scope, 0)
        with self._ledger.call(entry, limited=not is_stream(scope)), self._stream_of(entry, scope):
            yield

    async def _unwritten(self, entry: CallRecord, scope: Scope, answer: Callable[[], Any]) -> None:
        """A request that carries MCP messages, or comes from nobody: written down when it is refused here."""
        try:
            with recording(entry):
                if entry.who is not None and may_open_session(scope):
                    self._ledger.rates.take(entry.who.token_id)
                with self._stream_of(entry, scope):
                    await answer()
        except QueueFull:
            entry.status = 429
            raise
        finally:
            if (entry.status or 0) >= 400 and self._is_worth_a_line(entry):
                _describe(entry, scope, entry.bytes or 0)
                self._ledger.told(entry)

    @contextmanager
    def _stream_of(self, entry: CallRecord, scope: Scope) -> Iterator[None]:
        if entry.who is None or not is_stream(scope):
            yield
            return
        with self._ledger.rates.stream(entry.who.token_id):
            yield

    def _is_worth_a_line(self, entry: CallRecord) -> bool:
        if entry.who is not None:
            return True
        try:
            self._ledger.strangers.take("")
        except QueueFull:
            return False
        return True


def header(scope: Scope, name: bytes) -> bytes:
    return next((value for key, value in scope["headers"] if key == name), b"")


def is_stream(scope: Scope) -> bool:
    """Whether the answer stays open until somebody hangs up."""
    if scope["method"] == "GET":
        path: str = scope["path"]
        is_one = path in {"/mcp", "/sse"} or (path.startswith("/jobs/") and path.endswith("/events"))
        return is_one or b"text/event-stream" in header(scope, b"accept")
    return scope["path"] == "/mcp" and header(scope, b"mcp-method") == b"subscriptions/listen"


def _describe(entry: CallRecord, scope: Scope, size: int) -> None:
    """Fill in what only the router knows. A path that there is not is not repeated: it may hold anything."""
    known = _template(scope, entry)
    entry.tool = f"{scope['method'] if scope['method'] in METHODS else 'OTHER'} {known}"
    entry.bytes = size
    if entry.door != "rest":
        return
    path = dict(scope.get("path_params") or {})
    slug = path.pop("tenant", None)
    if entry.who is not None and entry.tenant is None and isinstance(slug, str):
        if entry.who.tenant is None:
            entry.tenant = redacted(slug)
        elif entry.who.tenant != slug:
            path["tenant"] = slug  # of somebody else: asked for, and refused
    if "id" in path:
        path["id"] = f"{str(path['id'])[:6]}…"  # of a result or a job: enough to find it by
    sent = {**path, **_query(scope), **_body(scope, known)}
    entry.arguments = sent or None
    if entry.status is None:
        return
    if entry.outcome in {None, "ok"}:
        entry.outcome = _outcome(entry.status)


def _template(scope: Scope, entry: CallRecord) -> str:
    if is_mcp(scope["path"]):
        return "/messages/" if scope["path"].startswith("/messages") else str(scope["path"])
    if entry.who is None:
        return "(not let in)"
    if entry.status is None:  # not routed yet; what follows may be a value
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
        sent = json.loads(text)
    except (ValueError, RecursionError):
        return {"body": WITHHELD}
    if not isinstance(sent, dict):
        return {"body": WITHHELD}
    return sent if path.endswith(KEPT_BODIES) else dict.fromkeys(sent, WITHHELD)


def _outcome(status: int) -> Any:  # Any: one of Outcome
    if status < 400:
        return "ok"
    return {429: "busy", 499: "cancelled"}.get(status, "failed" if status >= 500 else "refused")
