"""Request body limits: the full body is read and checked for size, time and depth before it is parsed.

A body without a length (chunked) is counted as it comes. A tree deeper than DEEPEST would cost a parser its stack.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import anyio
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.errors import RequestRefused
from server.asgi.problems import problem

BODY = "gata.body"
"""The key of the ASGI scope that holds the body."""
DEEPEST = 64
SECONDS = 30.0
"""For the complete body: the largest of 1 MB at 35 kB per second."""
DRAINED_BYTES, DRAINED_SECONDS = 32_000_000, 5.0
"""Most of a refused body that is read, and for how long, so that its sender sees the refusal."""
_TEXTS = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_RUN = re.compile(rb"\[{%d}" % (DEEPEST + 1))
_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_BRACKETS = re.compile(rb"[^\[\]{}]+")


class BodyCheck:
    """ASGI middleware: answers 413, 408 or 400 to a bad body; else the application receives the body unchanged."""

    def __init__(
        self, app: ASGIApp, largest: int, larger: Mapping[str, int] | None = None, streamed: Collection[str] = ()
    ) -> None:
        """`larger`: higher limits in bytes, by path. `streamed`: paths that take files, counted as they come."""
        self.app, self._largest, self._larger = app, largest, dict(larger or {})
        self._streamed = frozenset(streamed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        drained = DrainedRequest(receive, send)
        receive, send = drained.receive, drained.send
        largest = self._larger.get(scope["path"], self._largest)
        if scope["path"] in self._streamed:
            await self.app(scope, _limited(scope, receive, largest), send)
            return
        body = await read_body(scope, receive, largest)
        if isinstance(body, Response):
            await body(scope, receive, send)
            return
        scope[BODY] = body
        is_read = False

        async def replay() -> Message:
            nonlocal is_read
            if is_read:
                return await receive()
            is_read = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, replay, send)


class DrainedRequest:
    """One request: an answer that closes the connection reaches a client that is still sending its body.

    The rest of the body is read and thrown away, up to a limit: a connection that is closed with data unread is reset,
    and the answer may be lost on the way.
    """

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._is_read = self._closes = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._is_read = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._closes = Headers(raw=list(message["headers"])).get("connection", "").lower() == "close"
        is_last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if not (is_last and self._closes) or self._is_read:
            await self._send(message)
            return
        await self._send({**message, "more_body": True})
        await self._drain()
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _drain(self) -> None:
        left = DRAINED_BYTES
        with anyio.move_on_after(DRAINED_SECONDS):
            while left > 0 and not self._is_read:
                left -= len((await self.receive()).get("body", b""))


def _limited(scope: Scope, receive: Receive, largest: int) -> Receive:
    """A `receive` that counts a file's bytes.

    It raises RequestRefused: 413 beyond `largest` bytes, 408 where the file does not come in time.
    """
    declared = Headers(scope=scope).get("content-length", "")
    size = int(declared[:20]) if declared.isdecimal() and int(declared[:20]) > largest else 0
    ends_at = anyio.current_time() + SECONDS

    async def counted() -> Message:
        nonlocal size
        with anyio.move_on_after(max(0.0, ends_at - anyio.current_time())) as waited:
            message = {"type": "http.disconnect"} if size > largest else await receive()
        if waited.cancelled_caught:
            what = f"The file did not come within {SECONDS:g} seconds."
            raise RequestRefused(408, what, "Send it at once.", {"connection": "close"})
        size += len(message.get("body", b""))
        if size > largest:
            raise too_large(largest, "Send a smaller one, such as a gzipped one or a part of its days.")
        return message

    return counted


def too_large(largest: int, fix: str) -> RequestRefused:
    """The refusal of a body of more bytes; the connection is closed: not all of it is read."""
    return RequestRefused(413, f"The body is larger than {largest:,} bytes.", fix, {"connection": "close"})


async def read_body(scope: Scope, receive: Receive, largest: int) -> bytes | Response:
    """The body, or the response that refuses it. After a refusal the connection is closed: not all of it is read."""
    closing = {"connection": "close"}
    too_large = problem(
        413, f"The body is larger than {largest:,} bytes.", "Send a smaller one; a question needs few.", headers=closing
    )
    declared = Headers(scope=scope).get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > largest:
        return too_large
    parts: list[bytes] = []
    size = 0
    try:
        with anyio.fail_after(SECONDS):
            while True:
                message = await receive()
                if message["type"] != "http.request":  # the caller has disconnected
                    return Response(status_code=400)
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > largest:
                    return too_large
                if not message.get("more_body", False):
                    break
    except TimeoutError:
        return problem(408, f"The body did not come within {SECONDS:g} seconds.", "Send it at once.", headers=closing)
    body = b"".join(parts)
    if is_too_deep(body):
        return problem(400, f"The body is nested deeper than {DEEPEST} levels.", "Send a flatter one.")
    return body


def is_too_deep(body: bytes) -> bool:
    """Whether JSON text nests more than DEEPEST arrays and objects. Brackets in strings do not count.

    Invalid JSON with as many brackets may count as too deep as well. The worst megabyte takes 0.1 s, measured.
    """
    if body.count(b"[") + body.count(b"{") <= DEEPEST:
        return False
    brackets = _BRACKETS.sub(b"", _TEXTS.sub(b"", body)).translate(_ONE_KIND)
    if _RUN.search(brackets):
        return True
    for _ in range(DEEPEST):  # each round removes the innermost pairs, one level
        flatter = brackets.replace(b"[]", b"")
        if len(flatter) == len(brackets):
            break
        brackets = flatter
    return len(brackets) > 0  # deeper still, or unmatched brackets, which no parser accepts
