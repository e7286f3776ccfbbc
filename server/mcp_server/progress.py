"""How far a call is, told to a client that wants to know: once a second, as long as it lasts."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import anyio

if TYPE_CHECKING:
    from mcp.server.mcpserver.context import Context

    from server.serving.runs.run_call import Call

EVERY_SECONDS = 1.0

T = TypeVar("T")
OnStart = Callable[["Call[Any]"], None]  # Any: whatever the call gives


async def with_progress(
    context: Context[Any, Any],  # Any: there is no lifespan state
    asked: Callable[[OnStart | None], Awaitable[T]],
    most_seconds: float,
    every_seconds: float,
) -> T:
    """What `asked` gives; meanwhile the client hears of its progress, if its request carries a token for that."""
    meta = context.request_context.meta
    if not meta or "progress_token" not in meta:
        return await asked(None)
    calls: list[Call[Any]] = []  # Any: as above

    async def tell() -> None:
        began = time.monotonic()
        while True:
            await anyio.sleep(every_seconds)
            seconds = time.monotonic() - began
            await context.report_progress(seconds, most_seconds, _said(calls))

    given: list[T] = []
    failed: Exception | None = None
    async with anyio.create_task_group() as group:
        group.start_soon(tell)
        try:
            given.append(await asked(calls.append))
        except Exception as error:  # noqa: BLE001  # raised again below: a task group would wrap it
            failed = error
        group.cancel_scope.cancel()
    if failed is not None:
        raise failed
    return given[0]


def _said(calls: list[Call[Any]]) -> str:  # Any: as above
    """What the call is at. Its progress is the seconds it has taken, of those it may: they alone always grow."""
    if not calls:
        return "Waiting for its turn."
    percent = calls[0].progress()
    return "At work." if percent is None else f"At work: {percent:.0f} % of the statement that runs is done."
