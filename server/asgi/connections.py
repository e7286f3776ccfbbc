"""Connection deadlines: closes the connections of slow or silent clients.

uvicorn waits without limit for the head of a request, and for a client that does not read its answer. The body has a
deadline of its own (server.asgi.body_limit).
"""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

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


class PatientProtocol(H11Protocol):
    """HTTP/1.1 with deadlines. h11 reads it: httptools lets malformed MCP headers pass."""

    _slow: asyncio.TimerHandle | None = None
    _stuck: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._slow = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def data_received(self, data: bytes) -> None:
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


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
