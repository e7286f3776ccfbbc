"""Progress of a call, reported once a second to a client that asks for it, as long as the call lasts."""

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
    work: Callable[[OnStart | None], Awaitable[T]],
    most_seconds: float,
    every_seconds: float,
) -> T:
    """Run `work` and return its result; meanwhile report progress if the request carries a token for it."""
    meta = context.request_context.meta
    if not meta or "progress_token" not in meta:
        return await work(None)
    calls: list[Call[Any]] = []  # Any: as above

    async def report() -> None:
        began = time.monotonic()
        while True:
            await anyio.sleep(every_seconds)
            seconds = time.monotonic() - began
            await context.report_progress(seconds, most_seconds, _message(calls))

    results: list[T] = []
    failed: Exception | None = None
    async with anyio.create_task_group() as group:
        group.start_soon(report)
        try:
            results.append(await work(calls.append))
        except Exception as error:  # noqa: BLE001  # raised again below: a task group would wrap it
            failed = error
        group.cancel_scope.cancel()
    if failed is not None:
        raise failed
    return results[0]


def _message(calls: list[Call[Any]]) -> str:  # Any: as above
    """The message of a report. Progress is counted in seconds of the longest call allowed: only they always grow."""
    if not calls:
        return "Waiting for its turn."
    percent = calls[0].progress()
    return "At work." if percent is None else f"At work: {percent:.0f} % of the statement that runs is done."
