"""Security headers of every HTTP response, and the response to an uncaught exception.

No page of another site may frame, embed, sniff or store a response. A page may read it only where the operator has
allowed its site (`GATA_CORS_ORIGINS`).
"""

from __future__ import annotations

from collections.abc import Iterable

from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.bug_reports import internal_error_message
from server.asgi.connections import LARGEST_HEAD
from server.asgi.problems import problem
from server.serving.audit.call_record import report_call_bug

NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
OWN_PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;"
    " frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""For /docs: its script and style come from this server; other sources and targets are blocked."""
ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "interest-cohort=()",
}
CORS_METHODS = ("GET", "POST", "DELETE", "OPTIONS")
CORS_REQUEST_HEADERS = (
    "authorization",
    "accept",
    "content-type",
    "if-none-match",
    "last-event-id",
    "mcp-method",
    "mcp-name",
    "mcp-protocol-version",
    "mcp-session-id",
    "traceparent",
    "tracestate",
)
CORS_ANSWER_HEADERS = ("etag", "link", "mcp-protocol-version", "mcp-session-id", "retry-after", "www-authenticate")
CORS_SECONDS = 600


class AnswerHeaders:
    """ASGI middleware: adds the headers to every response, refusals included; the outermost layer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_begun = False

        async def guarded(message: Message) -> None:
            nonlocal is_begun
            if message["type"] == "http.response.start":
                is_begun = True
                _complete(MutableHeaders(scope=message), scope["path"], message["status"])
            await send(message)

        if sum(len(name) + len(value) for name, value in scope["headers"]) > LARGEST_HEAD:
            limit = problem(431, f"The headers have more than {LARGEST_HEAD:,} bytes.", "Send fewer.")
            await limit(scope, receive, guarded)
            return
        try:
            await self.app(scope, receive, guarded)
        except Exception as error:
            if is_begun:  # too late for an error response: the connection is cut, and the caller sees an incomplete one
                raise
            event_id = report_call_bug(error, call=scope["path"] if scope["path"] in {"/mcp", "/sse"} else "http")
            await problem(500, internal_error_message(event_id), "Tell the operator.", event_id=event_id)(
                scope, receive, guarded
            )


def _complete(headers: MutableHeaders, path: str, status: int) -> None:
    for name, value in ALWAYS.items():
        headers.setdefault(name, value)
    headers.setdefault("content-security-policy", OWN_PAGE if path in {"/docs", "/docs/"} else NOTHING)
    headers.setdefault("cache-control", "no-store")
    if status == 429:
        headers.setdefault("retry-after", "1")


def cors(app: ASGIApp, origins: Iterable[str]) -> CORSMiddleware:
    """CORS for pages of these sites. A preflight has no token, and its response has no data."""
    return CORSMiddleware(
        app,
        allow_origins=tuple(origins),
        allow_methods=CORS_METHODS,
        allow_headers=CORS_REQUEST_HEADERS,
        expose_headers=CORS_ANSWER_HEADERS,
        max_age=CORS_SECONDS,
    )
