"""Connections: their deadlines, their number per address, and where each request on them ends.

uvicorn waits without limit for the head of a request, and for a client that does not read its answer. The body has a
deadline of its own (server.asgi.body_limit).
"""

from __future__ import annotations

import asyncio
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from server.asgi.problems import problem

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

HEAD_SECONDS = 10.0
"""For a new connection to send the head of its request, and for an open one that has started the next."""
STUCK_SECONDS = 60.0
"""For a client to continue reading, once unread data fill the buffers: an event stream too."""
LARGEST_HEAD = 16 * 1024
"""Bytes of the request line and all headers: enough for a JWT."""
MOST_CONNECTIONS = 1_000
"""Open at once in one process; further ones get 503."""
CLOSING = "gata.closing"
"""Set in the ASGI scope of requests in progress when the server stops."""


class ServerConfig(uvicorn.Config):
    """The configuration of uvicorn, and the limit of connections from one address; 0: none."""

    connections_of_address: int = 0


class PatientProtocol(H11Protocol):
    """HTTP/1.1 with deadlines. h11 reads it: httptools lets malformed MCP headers pass."""

    _slow: asyncio.TimerHandle | None = None
    _stuck: asyncio.TimerHandle | None = None
    network: str | None = None
    """Whose connection it is; None over a socket of this machine's own, which is not limited."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self.network = network_of(self.client[0]) if self.client else None
        if self._is_one_too_many():
            transport.write(_too_many())
            transport.close()
            return
        self._slow = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _is_one_too_many(self) -> bool:
        most: int = self.config.connections_of_address if isinstance(self.config, ServerConfig) else 0
        if not most or self.network is None:
            return False
        others = (other for other in self.connections if isinstance(other, PatientProtocol))
        count: int = sum(other.network == self.network for other in others)
        return count > most

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        super().data_received(data)
        if not self._waits_for_head():
            _cancel(self._slow)
            self._slow = None
        elif self._slow is None:
            self._slow = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        _cancel(self._slow)
        _cancel(self._stuck)
        self._slow = self._stuck = None
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Mark the request in progress when the server stops; an event stream then ends (server.asgi.stream_watch)."""
        super().shutdown()
        if self.scope is not None:
            self.scope[CLOSING] = True  # type: ignore[literal-required]  # a key of our own

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stuck = self._stuck or self.loop.call_later(STUCK_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        _cancel(self._stuck)
        self._stuck = None

    def _waits_for_head(self) -> bool:
        """Whether no request is in progress, and the head of the next one has not arrived."""
        return self.conn.their_state is h11.IDLE and (self.cycle is None or self.cycle.response_complete)

    def _give_up(self) -> None:
        self._slow = None
        if self._waits_for_head() and not self.transport.is_closing():
            self.transport.close()


class OneLength:
    """ASGI middleware: answers 400 to a request with two lengths, and closes the connection.

    Where such a request ends is a matter of opinion, and a proxy's may be another: what follows could be the request of
    somebody else. Source: RFC 9112 section 6.3. h11 refuses two different values of one of the headers itself.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        names = {name for name, _ in scope["headers"]} if scope["type"] == "http" else set()
        if {b"content-length", b"transfer-encoding"} <= names:
            what = "The request has a Content-Length and a Transfer-Encoding."
            refused = problem(400, what, "Send one of them.", headers={"connection": "close"})
            await refused(scope, receive, send)
            return
        await self.app(scope, receive, send)


def network_of(address: str) -> str:
    """The network that is limited: an IPv4 address, or the /64 of an IPv6 address, which one client has whole."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped) if mapped else str(ip_network((int(parsed) >> 64 << 64, 64)))
    return address


def _too_many() -> bytes:
    """The answer to a connection beyond the limit of its address, before any request is read."""
    what = "Your address has as many connections open as it may."
    refused = problem(503, what, "Close some, or send several requests over one.", headers={"connection": "close"})
    head = b"".join(name + b": " + value + b"\r\n" for name, value in refused.raw_headers)
    return b"HTTP/1.1 503 Service Unavailable\r\n" + head + b"\r\n" + bytes(refused.body)


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
