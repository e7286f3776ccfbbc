"""Several processes behind one port: whichever answers, a session goes on where it began."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
import uvicorn
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

from server.app import http_app
from server.asgi.server import server_config
from server.asgi.workers import SessionKeeping, is_of_session
from tests.server.cli_run import environment, start
from tests.server.published_fixture import PublishedHome, in_thread

QUESTION = {"metrics": ["spend"]}


@contextmanager
def worker(home: PublishedHome, folder: Path) -> Iterator[str]:
    """A worker in a thread; the lock of sessions tells threads apart as it does processes."""
    settings = home.settings.model_copy(update={"audit": "off"})
    server = uvicorn.Server(server_config(settings, SessionKeeping(http_app(settings), settings, folder)))
    with in_thread(server) as (address, _):
        yield address


class EitherWorker(httpx2.AsyncBaseTransport):
    """Sends requests to the workers in turn, as a kernel may."""

    def __init__(self, addresses: list[str]) -> None:
        self._addresses, self._next = [httpx2.URL(address) for address in addresses], 0
        self._transport = httpx2.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        to = self._addresses[self._next % len(self._addresses)]
        self._next += 1
        request.url = request.url.copy_with(host=to.host, port=to.port)
        request.headers["host"] = f"{to.host}:{to.port}"
        return await self._transport.handle_async_request(request)

    async def aclose(self) -> None:
        await self._transport.aclose()


@pytest.fixture(scope="module")
def workers(home: PublishedHome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    folder = tmp_path_factory.mktemp("w")
    with ExitStack() as running:
        yield [running.enter_context(worker(home, folder)) for _ in range(2)]


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["auto", "legacy", "sse"])
async def test_every_kind_of_client_is_answered_by_workers_in_turn(
    home: PublishedHome, workers: list[str], mode: str
) -> None:
    def client(**more: Any) -> httpx2.AsyncClient:
        more = {"timeout": 120, **{name: value for name, value in more.items() if value is not None}}
        headers = {**home.headers("alpha"), **(more.pop("headers", None) or {})}
        more.pop("auth", None)
        return httpx2.AsyncClient(transport=EitherWorker(workers), headers=headers, **more)

    if mode == "sse":
        transport: Any = sse_client(f"{workers[0]}/sse", httpx_client_factory=client)
        async with Client(transport, mode="legacy") as session:
            for _ in range(4):
                assert not (await session.call_tool("query", QUESTION)).is_error
        return
    async with (
        client() as http,
        Client(streamable_http_client(f"{workers[0]}/mcp", http_client=http), mode=mode) as one,
    ):
        for _ in range(4):
            assert not (await one.call_tool("query", QUESTION)).is_error


def test_refusals_come_through_as_they_are(home: PublishedHome, workers: list[str]) -> None:
    for address in workers:
        with httpx.Client(base_url=address, timeout=120) as http:
            stranger = http.get("/sse")
            assert stranger.status_code == 401
            assert stranger.headers["www-authenticate"].startswith("Bearer")
            assert stranger.headers["x-frame-options"] == "DENY"
            gone = http.post("/messages/?session_id=" + "0" * 32, json={}, headers=home.headers("alpha"))
            assert gone.status_code == 404
            assert http.post("/mcp", content=b" " * 1_000_001, headers=home.headers("alpha")).status_code == 413
            assert http.get("/sse", headers={"Host": "evil.example"}).status_code == 421


def test_another_worker_keeps_the_sessions_when_the_keeper_has_gone(home: PublishedHome, tmp_path: Path) -> None:
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    }
    headers = {**home.headers("alpha"), "Accept": "application/json, text/event-stream"}
    with worker(home, tmp_path) as second:
        with worker(home, tmp_path) as first:
            assert httpx.post(f"{first}/mcp", json=hello, headers=headers, timeout=120).status_code == 200
            begun = httpx.post(f"{second}/mcp", json=hello, headers=headers, timeout=120)
            session = {**headers, "Mcp-Session-Id": begun.headers["mcp-session-id"]}
            ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
            assert httpx.post(f"{first}/mcp", json=ping, headers=session, timeout=120).status_code == 200
        assert httpx.post(f"{second}/mcp", json=ping, headers=session, timeout=120).status_code == 404
        assert httpx.post(f"{second}/mcp", json=hello, headers=headers, timeout=120).status_code == 200


@pytest.mark.parametrize(
    ("path", "version", "is_one"),
    [
        ("/sse", "", True),
        ("/messages/", "", True),
        ("/mcp", "", True),
        ("/mcp/", "", True),
        ("/mcp", "2025-06-18", True),
        ("/mcp", "2026-07-28", False),
        ("/mcp", "1999-01-01", False),
        ("/models", "", False),
    ],
)
def test_only_what_needs_a_session_goes_to_its_keeper(path: str, version: str, is_one: bool) -> None:
    headers = [(b"mcp-protocol-version", version.encode())] if version else []
    assert is_of_session({"type": "http", "path": path, "headers": headers}) == is_one


def test_a_worker_that_is_slow_to_answer_is_not_killed_for_it(home: PublishedHome) -> None:
    config = server_config(home.settings, lambda: None, is_factory=True)
    assert config.timeout_worker_healthcheck >= 60  # uvicorn's 5 are less than a busy machine takes


def test_serve_with_two_workers_answers_counts_both_and_stops(home: PublishedHome) -> None:
    server = start("serve", "--port", "0", "--workers", "2", env=environment(home.settings))
    assert server.stderr is not None
    try:
        found = re.search(r"http://\S+:\d+", server.stderr.readline())
        assert found is not None
        asked = 6
        for _ in range(asked):  # each a connection of its own
            answer = httpx.get(f"{found[0]}/models", headers=home.headers("alpha"), timeout=120)
            assert answer.status_code == 200
        told = httpx.get(f"{found[0]}/metrics", headers=home.headers("admin"), timeout=120).text
        calls = re.search(r'gata_calls_total\{[^}]*tool="GET /models"[^}]*\} (\S+)', told)
        assert calls is not None
        assert float(calls[1]) == asked
        first = workers_of(server.pid)
        os.kill(first[0], signal.SIGKILL)
        deadline = time.monotonic() + 60
        while len(now := workers_of(server.pid)) < 2 or first[0] in now:
            assert time.monotonic() < deadline
        assert first[1] in now
        assert httpx.get(f"{found[0]}/models", headers=home.headers("alpha"), timeout=120).status_code == 200
    finally:
        server.send_signal(signal.SIGTERM)
        _, told = server.communicate(timeout=120)
    assert server.returncode == 0
    assert "Traceback" not in told
    assert told.count("worker_replaced") == 1


def workers_of(supervisor: int) -> list[int]:
    """The processes that a supervisor has forked and that run."""
    children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
    return [int(child) for child in children]
