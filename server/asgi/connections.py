"""A connection that is as patient as it must be: a slow or silent client gives its place back.

uvicorn waits for ever for the head of a request, and for ever for a client that does not read its answer. The body has
a deadline of its own (server.asgi.body_limit).
"""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 10.0
"""For a new connection to send the head of its request, and for one that has begun with the next."""
STUCK_SECONDS = 60.0
"""For a client to read on, once what it has not read fills the buffers: an event stream too."""
LARGEST_HEAD = 16 * 1024
"""Bytes of the request line and all headers: a JWT, and room."""
MOST_CONNECTIONS = 1_000
"""Open at once in one process; the next ones are told to come again (503)."""
CLOSING = "gata.closing"
"""Set in the ASGI scope of what is being answered when the server stops."""


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
        """The server stops: tell what is being answered here; an event stream ends by it (server.asgi.stream_watch)."""
        super().shutdown()
        if self.scope is not None:
            self.scope[CLOSING] = True  # type: ignore[literal-required]  # a word of our own

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stuck = self._stuck or self.loop.call_later(STUCK_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        _cancel(self._stuck)
        self._stuck = None

    def _waits_for_head(self) -> bool:
        """Whether nothing is being answered, and the next request is not there yet."""
        return self.conn.their_state is h11.IDLE and (self.cycle is None or self.cycle.response_complete)

    def _give_up(self) -> None:
        self._slow = None
        if self._waits_for_head() and not self.transport.is_closing():
            self.transport.close()


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
