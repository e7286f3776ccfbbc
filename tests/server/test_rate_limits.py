"""Rate limits of a token: a burst passes, a flood does not, and no token uses up another's limit."""

from __future__ import annotations

from contextlib import ExitStack

import httpx
import pytest
from mcp import Client, MCPError
from mcp.types import TextContent

from pipeline.errors import QueueFull
from server.app import http_app
from server.mcp_server.app import mcp_app
from server.mcp_server.audit_middleware import AuditMcpCalls
from server.serving.access import Caller
from server.serving.audit.call_recorder import CallRecorder
from server.serving.rate_limits import RateLimits
from server.serving.runs.published_runs import PublishedRuns
from tests.server.published_fixture import PublishedHome


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def rates(clock: Clock | None = None, *, per_minute: int = 0, at_once: int = 0, streams: int = 0) -> RateLimits:
    return RateLimits(per_minute=per_minute, at_once=at_once, streams=streams, clock=clock or Clock())


def taken(limits: RateLimits, token: str, tries: int) -> int:
    """How many of so many calls pass."""
    passed = 0
    for _ in range(tries):
        try:
            limits.take(token)
            passed += 1
        except QueueFull:
            continue
    return passed


@pytest.mark.parametrize("per_minute", [1, 7, 60, 6000])
def test_a_minute_of_calls_may_come_at_once_and_not_one_more(per_minute: int) -> None:
    assert taken(rates(per_minute=per_minute), "a", per_minute + 50) == per_minute


def test_an_empty_bucket_fills_again_evenly_and_says_when() -> None:
    clock = Clock()
    limits = rates(clock, per_minute=30)
    assert taken(limits, "a", 30) == 30
    with pytest.raises(QueueFull, match=r"asked 30 times in a minute.*Ask again in 2 seconds\.") as refused:
        limits.take("a")
    assert refused.value.retry_after_seconds == 2
    clock.now += 2
    assert taken(limits, "a", 5) == 1
    clock.now += 3600
    assert taken(limits, "a", 100) == 30


def test_a_call_that_comes_after_the_time_it_was_told_is_let_in() -> None:
    clock = Clock()
    limits = rates(clock, per_minute=45)
    for _ in range(500):
        try:
            limits.take("a")
        except QueueFull as error:
            clock.now += error.retry_after_seconds
            limits.take("a")


def test_one_token_does_not_use_up_what_another_may() -> None:
    limits = rates(per_minute=5, at_once=1)
    assert taken(limits, "flood", 100) == 5
    assert taken(limits, "shop", 5) == 5


def test_so_many_calls_are_under_way_at_once_and_a_place_comes_back_however_a_call_ends() -> None:
    limits = rates(at_once=2, streams=1)
    with ExitStack() as open_calls:
        open_calls.enter_context(limits.call("a"))
        open_calls.enter_context(limits.call("a"))
        open_calls.enter_context(limits.call("b"))
        open_calls.enter_context(limits.stream("a"))
        with pytest.raises(QueueFull, match="2 calls under way"), limits.call("a"):
            pass
        with pytest.raises(QueueFull, match="1 event streams open"), limits.stream("a"):
            pass
    with pytest.raises(ZeroDivisionError), limits.call("a"):
        raise ZeroDivisionError
    with limits.call("a"), limits.call("a"), limits.stream("a"):
        pass


def test_zero_is_no_limit() -> None:
    limits = rates()
    assert taken(limits, "a", 10_000) == 10_000
    with ExitStack() as many:
        for _ in range(1000):
            many.enter_context(limits.call("a"))
            many.enter_context(limits.stream("a"))


def test_tokens_that_have_not_asked_for_a_minute_are_forgotten() -> None:
    clock = Clock()
    limits = rates(clock, per_minute=60)
    for number in range(10_000):
        limits.take(str(number))
    clock.now += 60
    limits.take("late")
    assert len(limits._full_at) == 1


@pytest.mark.anyio
async def test_rest_says_429_and_when_to_come_again(home: PublishedHome) -> None:
    app = http_app(home.settings.model_copy(update={"rate_per_minute": 2, "audit": "off"}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        for _ in range(2):
            assert (await http.get("/models", headers=home.headers("alpha"))).status_code == 200
        refused = await http.get("/models", headers=home.headers("alpha"))
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "30"
        assert refused.headers["content-type"] == "application/problem+json"
        assert "Ask again in 30 seconds." in refused.json()["fix"]
        assert (await http.get("/models", headers=home.headers("beta"))).status_code == 200
        assert (await http.get("/health")).status_code == 200


@pytest.mark.anyio
async def test_a_flood_of_sessions_is_refused_at_the_start(home: PublishedHome) -> None:
    app = http_app(home.settings.model_copy(update={"rate_per_minute": 1, "audit": "off"}))
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        await http.get("/models", headers=home.headers("alpha"))
        refused = await http.post("/mcp", json=hello, headers=home.headers("alpha"))
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_mcp_gets_a_tool_error_that_says_when_to_ask_again(home: PublishedHome, mode: str) -> None:
    def someone() -> Caller:
        return Caller("alpha", "read", "0a1b2c3d4e5f", "agent")

    app = mcp_app(PublishedRuns(home.settings), someone)
    app.middleware.append(AuditMcpCalls(CallRecorder(rates(per_minute=4), None), someone))
    async with Client(app, mode=mode) as client:
        for _ in range(4):
            busy = await client.call_tool("get_status", {})
            if busy.is_error:
                break
        busy = await client.call_tool("get_status", {})
        (content,) = busy.content
        assert isinstance(content, TextContent)
        assert busy.is_error
        assert content.text.startswith("Busy: This token has asked 4 times in a minute")
        assert content.text.endswith("Ask again in 15 seconds.")
        with pytest.raises(MCPError, match="Busy"):
            await client.list_tools()
