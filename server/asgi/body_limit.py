"""The body of a request is read here, whole, before anybody parses it: not too large, not too slow, not too deep.

A body without a length (chunked) is counted as it comes. A tree deeper than DEEPEST would cost a parser its stack.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import anyio
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.asgi.problems import problem

BODY = "gata.body"
"""Where a body that was read stands in the ASGI scope."""
DEEPEST = 64
SECONDS = 30.0
"""For the whole body: the largest of 1 MB at 35 kB in a second."""
_TEXTS = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_RUN = re.compile(rb"\[{%d}" % (DEEPEST + 1))
_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_BRACKETS = re.compile(rb"[^\[\]{}]+")


class BodyCheck:
    """Answers 413, 408 or 400 instead of the application; else the application reads the body as it came."""

    def __init__(self, app: ASGIApp, largest: int, larger: Mapping[str, int] | None = None) -> None:
        """`larger`: paths that take more."""
        self.app, self._largest, self._larger = app, largest, dict(larger or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        largest = self._larger.get(scope["path"], self._largest)
        found = await read_body(scope, receive, largest)
        if isinstance(found, Response):
            await found(scope, receive, send)
            return
        scope[BODY] = found
        is_read = False

        async def replay() -> Message:
            nonlocal is_read
            if is_read:
                return await receive()
            is_read = True
            return {"type": "http.request", "body": found, "more_body": False}

        await self.app(scope, replay, send)


async def read_body(scope: Scope, receive: Receive, largest: int) -> bytes | Response:
    """The body, or why it is not taken. After a refusal the connection ends: the rest is not waited for."""
    gone = {"connection": "close"}
    too_large = problem(
        413, f"The body is larger than {largest:,} bytes.", "Send a smaller one; a question needs few.", headers=gone
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
                if message["type"] != "http.request":  # the caller has gone: nobody reads an answer
                    return Response(status_code=400)
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > largest:
                    return too_large
                if not message.get("more_body", False):
                    break
    except TimeoutError:
        return problem(408, f"The body did not come within {SECONDS:g} seconds.", "Send it at once.", headers=gone)
    body = b"".join(parts)
    if is_too_deep(body):
        return problem(400, f"The body is nested deeper than {DEEPEST} levels.", "Send a flatter one.")
    return body


def is_too_deep(body: bytes) -> bool:
    """Whether JSON text nests more than DEEPEST arrays and objects. Brackets in texts are no nesting.

    Text with as many brackets that is no JSON may be called too deep as well. The worst megabyte takes 0.1 s, measured.
    """
    if body.count(b"[") + body.count(b"{") <= DEEPEST:
        return False
    brackets = _BRACKETS.sub(b"", _TEXTS.sub(b"", body)).translate(_ONE_KIND)
    if _RUN.search(brackets):
        return True
    for _ in range(DEEPEST):  # of the innermost pairs, one level goes with every turn
        flatter = brackets.replace(b"[]", b"")
        if len(flatter) == len(brackets):
            break
        brackets = flatter
    return len(brackets) > 0  # deeper still, or brackets that do not match: no parser takes those
