"""Host and Origin checks: requests from foreign web pages are refused.

A browser can be made to send requests to 127.0.0.1 under a foreign name (DNS rebinding), so every route is checked,
also the open ones. Source: MCP specification 2026-07-28, transports, security warning.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from server.asgi.problems import problem

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def host_name(authority: str) -> str | None:
    """The name in a Host header or an Origin's authority, lower case, without its port; None when it is invalid."""
    if any(mark in authority for mark in "/@?#\\ \t"):
        return None
    try:
        parts = urlsplit(f"//{authority}")
        _ = parts.port  # an invalid port is refused too
    except ValueError:
        return None
    return parts.hostname


def names_us(headers: Headers, names: frozenset[str]) -> bool:
    """Whether the one Host header is a name of this server."""
    hosts = headers.getlist("host")
    return len(hosts) == 1 and host_name(hosts[0]) in names


def comes_from_us(headers: Headers, names: frozenset[str], origins: frozenset[str] = frozenset()) -> bool:
    """Whether the request has no Origin, or one of this server or of a site that the operator allows."""
    for origin in headers.getlist("origin"):
        if origin.lower() in origins:
            continue
        scheme, _, authority = origin.partition("://")
        if scheme not in {"http", "https"} or host_name(authority) not in names:
            return False
    return True


class HostCheck:
    """ASGI middleware: answers 421 to a foreign Host, 403 to a foreign Origin."""

    def __init__(self, app: ASGIApp, names: Iterable[str] = (), origins: Iterable[str] = ()) -> None:
        self.app = app
        self.origins = frozenset(origins)
        self.names = LOOPBACK | {host_name(name) or name.lower() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            refusal = None
            if not names_us(headers, self.names):
                refusal = problem(
                    421, "This server does not answer to that name.", "Use the address `gata serve` printed."
                )
            elif not comes_from_us(headers, self.names, self.origins):
                refusal = problem(403, "A page of another site may not ask here.", "Ask without an Origin header.")
            if refusal is not None:
                await refusal(scope, receive, send)
                return
        await self.app(scope, receive, send)
