"""Long calls over MCP: who waits is told how far they are, and who stops waiting stops the statement."""

from __future__ import annotations

import re
from collections.abc import Iterator

import anyio
import pytest
from mcp.types import TextContent

from tests.server.mcp_transports import INTERFACES, EndlessServer
from tests.server.published_fixture import PublishedHome

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def endless(home: PublishedHome) -> EndlessServer:
    """With one place, so that a statement that runs on lets nobody else in."""
    return EndlessServer(home.settings.model_copy(update={"query_slots": 1, "query_slots_all": 1}))


@pytest.fixture(scope="module")
def address(endless: EndlessServer) -> Iterator[str]:
    with endless.serving() as address:
        yield address


@pytest.mark.parametrize("interface", INTERFACES)
async def test_a_request_that_is_cancelled_stops_its_statement_and_the_next_one_is_answered(
    endless: EndlessServer, address: str, interface: str
) -> None:
    before = len(endless.interrupted)
    async with endless.client(interface, address) as client:
        await client.call_tool("query", {"metrics": ["spend"]})
        endless.begun.clear()
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "endless", {})
            if interface != "stdio":  # there it runs in another process
                assert await anyio.to_thread.run_sync(endless.begun.wait, 120)
            await anyio.sleep(0.2)
            group.cancel_scope.cancel()
        with anyio.fail_after(25):  # the deadline of the statement is thirty seconds
            result = await client.call_tool("query", {"metrics": ["spend"]})
        assert result.structured_content is not None
        assert result.structured_content["row_count"] == 1
    if interface != "stdio":
        assert len(endless.interrupted) == before + 1


@pytest.mark.parametrize("interface", ["http, 2026-07-28", "http, initialize", "sse"])
async def test_whoever_wants_to_know_hears_how_far_a_call_is(
    endless: EndlessServer, address: str, interface: str
) -> None:
    heard: list[tuple[float, float | None, str | None]] = []
    enough = anyio.Event()

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total, message))
        if len(heard) == 2:
            enough.set()

    async with endless.client(interface, address) as client, anyio.create_task_group() as group:
        group.start_soon(lambda: client.call_tool("endless", {}, progress_callback=hear))
        with anyio.fail_after(120):
            await enough.wait()
        group.cancel_scope.cancel()
    (first, total, message), (second, _, _) = heard[:2]
    assert 0 < first < second < 30
    assert total == endless.settings.query_timeout
    assert message
    assert re.fullmatch(r"At work(: \d{1,3} % of the statement that runs is done)?\.", message)


async def test_a_deadline_is_told_as_a_tool_error_also_to_whoever_hears_of_progress(home: PublishedHome) -> None:
    hurried = EndlessServer(home.settings.model_copy(update={"query_timeout": 0.1}))

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        del progress, total, message

    async with hurried.client("inside, 2026-07-28", "") as client:
        result = await client.call_tool("endless", {}, progress_callback=hear)
    assert result.is_error
    assert isinstance(result.content[0], TextContent)
    assert "0.1 seconds" in result.content[0].text
