"""HTTP around every route: headers, sites, bodies, slow clients, streams that end, a graceful stop."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest
import uvicorn
from mcp import Client
from mcp.client.sse import sse_client

from pipeline.storage.ops import Ops
from server.app import http_app
from server.asgi import body_limit, connections, stream_watch
from server.asgi.body_limit import is_too_deep
from server.asgi.server import server_config
from server.serving.access import Access
from server.serving.audit.read_audit_log import read_audit_file
from tests.server.published_fixture import PublishedHome, in_thread, new_published_home

LIMIT = 1_000_000
ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}
QUESTION = {"metrics": ["spend"], "dimensions": ["date"]}


@pytest.fixture(scope="module")
def own_home(tmp_path_factory: pytest.TempPathFactory) -> PublishedHome:
    """A home that tests here may change, and leave as it was: alpha is published."""
    return new_published_home(tmp_path_factory.mktemp("own"), "alpha")


@pytest.fixture
def http(home: PublishedHome, address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, headers=home.headers("alpha"), timeout=120) as http:
        yield http


@contextmanager
def served(app: Any, settings: Any) -> Iterator[tuple[str, uvicorn.Server, threading.Thread]]:
    """A real server for an application, in a thread."""
    server = uvicorn.Server(server_config(settings, app))
    with in_thread(server) as (address, thread):
        yield address, server, thread


def say(address: str, sent: bytes, *, seconds: float = 120) -> bytes:
    """What a server answers to these bytes until it closes the connection, within so many seconds."""
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=seconds) as line:
        line.sendall(sent)
        told = b""
        while part := line.recv(65536):
            told += part
    return told


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health", 200),
        ("GET", "/docs", 200),
        ("GET", "/docs/page.js", 200),
        ("GET", "/openapi.json", 200),
        ("GET", "/models", 200),
        ("GET", "/no/such/path", 404),
        ("GET", "/semantic-layer/beta", 404),
        ("DELETE", "/models", 405),
        ("GET", "/metrics", 403),
        ("POST", "/mcp", 400),
        ("POST", "/messages/", 400),
    ],
)
def test_every_answer_tells_browsers_to_keep_away(http: httpx.Client, method: str, path: str, status: int) -> None:
    answer = http.request(method, path)
    assert answer.status_code == status
    assert {name: answer.headers[name] for name in ALWAYS} == ALWAYS
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "cache-control" in answer.headers
    assert "server" not in answer.headers


def test_refusals_before_any_route_have_the_headers_too(http: httpx.Client) -> None:
    for headers, status in (({"Host": "evil.example"}, 421), ({"Origin": "https://evil.example"}, 403)):
        refused = http.get("/health", headers=headers)
        assert refused.status_code == status
        assert {name: refused.headers[name] for name in ALWAYS} == ALWAYS
    refused = http.get("/models", headers={"Authorization": "Bearer x"})
    assert refused.status_code == 401
    assert refused.headers["cache-control"] == "no-store"


def test_the_page_of_docs_is_ours_alone(http: httpx.Client) -> None:
    page = http.get("/docs")
    assert "http" not in page.text.replace("http-equiv", "")
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert set(addresses) == {"/docs/page.css", "/docs/page.js", "/openapi.json"}
    for address in addresses:
        assert http.get(address).status_code == 200
    assert "<script>" not in page.text
    script = http.get("/docs/page.js").text
    assert "innerHTML" not in script
    assert "localStorage" not in script
    assert "script-src 'self';" in page.headers["content-security-policy"]


def test_two_credentials_are_none(address: str, home: PublishedHome) -> None:
    both = [("Authorization", f"Bearer {home.tokens[who]}") for who in ("alpha", "beta")]
    assert httpx.get(f"{address}/models", headers=both, timeout=120).status_code == 401


@pytest.mark.anyio
async def test_a_bug_in_any_layer_is_an_answer_without_internals(
    home: PublishedHome, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a secret value")

    monkeypatch.setattr("server.asgi.bearer_auth.RequireToken.refusal", broken)
    app = http_app(home.settings.model_copy(update={"audit": "off"}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        failed = await http.get("/models", headers=home.headers("alpha"))
    assert failed.status_code == 500
    assert failed.json()["event_id"] in capsys.readouterr().err
    assert "secret" not in failed.text
    assert {name: failed.headers[name] for name in ALWAYS} == ALWAYS


@pytest.mark.anyio
@pytest.mark.parametrize(("docs", "stranger"), [("open", 200), ("token", 401)])
async def test_the_pages_of_the_api_are_open_or_need_a_token_as_the_settings_say(
    home: PublishedHome, docs: str, stranger: int
) -> None:
    app = http_app(home.settings.model_copy(update={"audit": "off", "rest_docs": docs}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        for path in ("/docs", "/docs/page.js", "/openapi.json"):
            assert (await http.get(path)).status_code == stranger
            assert (await http.get(path, headers=home.headers("alpha"))).status_code == 200
        assert (await http.get("/health")).status_code == 200


PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}


@pytest.mark.anyio
async def test_no_page_may_read_an_answer_unless_its_site_was_named(home: PublishedHome) -> None:
    def client(**settings: object) -> httpx.AsyncClient:
        app = http_app(home.settings.model_copy(update={"audit": "off", **settings}))
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")

    site, other = "https://app.example.com", "https://app.example.com.evil.example"
    async with client() as closed:
        assert (await closed.options("/models", headers={"Origin": site, **PREFLIGHT})).status_code == 403
        local = await closed.get("/health", headers={"Origin": "http://localhost:3000"})
        assert "access-control-allow-origin" not in local.headers
    async with client(cors_origins=f"{site}, http://localhost:3000") as opened:
        preflight = await opened.options("/models", headers={"Origin": site, **PREFLIGHT})
        assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, site)
        assert "access-control-allow-credentials" not in preflight.headers
        answer = await opened.get("/models", headers={"Origin": site, **home.headers("alpha")})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, site)
        refused = await opened.get("/models", headers={"Origin": site})
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, site)
        for origin in (other, "https://evil.example", "http://app.example.com", "null"):
            assert (await opened.options("/models", headers={"Origin": origin, **PREFLIGHT})).status_code == 403


def test_mcp_answers_with_and_without_a_slash_at_its_end_and_never_redirects(
    http: httpx.Client, address: str, home: PublishedHome
) -> None:
    ask = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "query", "arguments": {"metrics": []}}}
    begin = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    }
    accept = {"accept": "application/json, text/event-stream"}
    for path in ("/mcp", "/mcp/"):
        begun = http.post(path, json=begin, headers=accept)
        assert begun.status_code == 200, path
        session = {"mcp-session-id": begun.headers["mcp-session-id"], "mcp-protocol-version": "2025-11-25", **accept}
        assert http.post("/mcp/", json=ask, headers=session).status_code == 200
        assert http.delete(path, headers=session).status_code == 200
        assert http.get(path, headers={"accept": "application/json"}).status_code == 406
        assert httpx.post(f"{address}{path}", json=begin, headers=accept).status_code == 401
        for headers, status in (({"Host": "evil.example"}, 421), ({"Origin": "https://evil.example"}, 403)):
            assert http.post(path, json=begin, headers={**accept, **headers}).status_code == status
    calls = [
        line["tool"] for file in (home.settings.home / "audit").iterdir() for line in read_audit_file(file.read_bytes())
    ]
    assert not any("/mcp/" in call for call in calls)


@pytest.mark.parametrize("path", ["/mcp", "/mcp/", "/messages/", "/semantic-layer/alpha/query", "/no/such/path"])
def test_a_body_that_is_too_large_is_refused_however_it_is_sent(http: httpx.Client, path: str) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(110):
            yield b" " * 10_000

    for content in (b" " * (LIMIT + 1), chunks()):
        refused = http.post(path, content=content, headers={"Content-Type": "application/json"})
        assert refused.status_code == 413
        assert "1,000,000 bytes" in refused.json()["detail"]


@pytest.mark.parametrize("path", ["/mcp", "/mcp/", "/messages/", "/semantic-layer/alpha/query"])
@pytest.mark.parametrize(
    "nest", [b"[" * 65 + b"]" * 65, b'{"a":' * 65 + b"1" + b"}" * 65, b'[{"a":' * 40, b"[" * 900_000]
)
def test_a_body_that_nests_too_deep_is_refused_before_it_is_parsed(http: httpx.Client, path: str, nest: bytes) -> None:
    refused = http.post(path, content=nest, headers={"Content-Type": "application/json"})
    assert refused.status_code == 400
    assert "64 levels" in refused.json()["detail"]


def nested(depth: int, wide: int) -> str:
    tree: object = ']}\\"[{' * wide
    for n in range(depth):
        tree = [tree, *([[]] * wide)] if n % 2 else {"[": tree, **{str(m): {} for m in range(wide)}}
    return json.dumps(tree)


def levels(tree: object) -> int:
    below = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else None
    return 0 if below is None else 1 + max(map(levels, below), default=0)


@pytest.mark.parametrize("wide", [0, 1, 70])
def test_depth_is_counted_as_a_parser_counts_it(wide: int) -> None:
    for depth in (1, 30, 63, 64, 65, 66, 100):
        text = nested(depth, wide)
        assert is_too_deep(text.encode()) == (levels(json.loads(text)) > 64), depth
    assert not is_too_deep(json.dumps([[], {}] * 5000).encode())
    assert not is_too_deep(json.dumps("[" * 5000 + '"' + "{" * 5000).encode())


def test_a_body_in_small_pieces_is_read_whole(http: httpx.Client) -> None:
    def pieces() -> Iterator[bytes]:
        for mark in json.dumps(QUESTION):
            yield mark.encode()

    answer = http.post("/semantic-layer/alpha/query", content=pieces(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 200
    assert answer.json()["row_count"] == 59


def test_headers_that_are_too_large_are_refused(address: str) -> None:
    head = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    told = say(address, head + b"X: " + b"a" * 17_000 + b"\r\n\r\n")
    assert told.startswith(b"HTTP/1.1 431")
    told = say(address, head + b"X: " + b"a" * 17_000)
    assert told.startswith(b"HTTP/1.1 400")


def test_who_sends_nothing_or_dawdles_with_the_head_is_hung_up_on(
    home: PublishedHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    with home.serving() as address:
        for sent in (b"", b"GET /health HTTP/1.1\r\n"):
            assert say(address, sent) == b""


def test_who_dawdles_with_the_body_gets_408(home: PublishedHome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_limit, "SECONDS", 0.2)
    head = (
        f"POST /semantic-layer/alpha/query HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {home.tokens['alpha']}"
        "\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    )
    with home.serving() as address:
        told = say(address, head.encode())
    assert told.startswith(b"HTTP/1.1 408")


def test_who_does_not_read_its_answer_is_hung_up_on(home: PublishedHome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "STUCK_SECONDS", 0.2)
    ended = threading.Event()

    async def flood(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while not ended.is_set():
                await send({"type": "http.response.body", "body": b"x" * 1_000_000, "more_body": True})
                await anyio.sleep(0.01)

    with served(flood, home.settings) as (address, server, _):
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as line:
            line.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            deadline = time.monotonic() + 120
            while not server.server_state.connections:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            while server.server_state.connections:
                assert time.monotonic() < deadline, "The client still holds its place."
                time.sleep(0.02)
        ended.set()


@pytest.mark.anyio
async def test_a_stream_ends_when_its_token_is_revoked(
    own_home: PublishedHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_watch, "CHECK_SECONDS", 0.2)
    with own_home.serving() as address, Ops(own_home.settings.ops) as ops:
        access = Access(ops)
        text, token = access.create(tenant="alpha", name="stream")
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {text}"}, timeout=120) as http:
            with anyio.fail_after(120):
                async with http.stream("GET", f"{address}/sse") as stream:
                    parts = stream.aiter_text()
                    assert "session_id" in await anext(parts)
                    access.revoke(token.id)
                    assert [part async for part in parts] == []
                async with http.stream("GET", f"{address}/sse") as refused:
                    assert refused.status_code == 401


@contextmanager
def offboarded(tenants: Path) -> Iterator[None]:
    before = tenants.read_text()
    tenants.write_text(before.replace("pending", "offboarded", 1))
    try:
        yield
    finally:
        tenants.write_text(before)


@pytest.mark.anyio
@pytest.mark.parametrize("how", ["expired", "offboarded"])
async def test_a_stream_ends_when_its_token_expires_or_its_tenant_is_offboarded(
    own_home: PublishedHome, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(stream_watch, "CHECK_SECONDS", 0.2)
    with own_home.serving() as address, Ops(own_home.settings.ops) as ops:
        text, token = Access(ops).create(tenant="alpha", name="stream", expires=timedelta(days=1))
        headers = {"Authorization": f"Bearer {text}"}
        async with httpx.AsyncClient(headers=headers, timeout=120) as http:
            with anyio.fail_after(120):
                async with http.stream("GET", f"{address}/sse") as stream:
                    parts = stream.aiter_text()
                    assert "session_id" in await anext(parts)
                    if how == "expired":
                        with ops.transaction() as store:
                            store.execute(
                                "update tokens set expires_at = '2000-01-01T00:00:00+00:00' where id = ?", (token.id,)
                            )
                    with offboarded(own_home.settings.tenants) if how == "offboarded" else nullcontext():
                        assert [part async for part in parts] == []


@pytest.fixture
def slow_answers(monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, threading.Event]:
    """Answers wait until they are told to go on: (one is under way, go on)."""
    from server.serving import tools

    begun, go_on = threading.Event(), threading.Event()
    answer = tools.query

    def slow(*args: Any, **more: Any) -> Any:
        begun.set()
        assert go_on.wait(10)
        return answer(*args, **more)

    monkeypatch.setattr(tools, "query", slow)
    return begun, go_on


@pytest.mark.anyio
@pytest.mark.parametrize("interface", ["rest", "auto", "legacy", "sse"])
async def test_answers_under_way_finish_when_the_server_stops(
    home: PublishedHome, slow_answers: tuple[threading.Event, threading.Event], interface: str
) -> None:
    import httpx2
    from mcp.client.streamable_http import streamable_http_client

    begun, go_on = slow_answers
    headers, rows = home.headers("alpha"), []

    async def ask(address: str) -> None:
        if interface == "rest":
            async with httpx.AsyncClient(headers=headers, timeout=120) as http:
                answer = await http.post(f"{address}/semantic-layer/alpha/query", json=QUESTION)
                rows.append(len(answer.json()["rows"]))
            return
        try:
            if interface == "sse":
                async with Client(sse_client(f"{address}/sse", headers=headers), mode="legacy") as client:
                    await client.list_tools()
                    rows.append(found(await client.call_tool("query", QUESTION)))
            else:
                async with (
                    httpx2.AsyncClient(headers=headers, timeout=120) as http2,
                    Client(streamable_http_client(f"{address}/mcp", http_client=http2), mode=interface) as client,
                ):
                    await client.list_tools()
                    rows.append(found(await client.call_tool("query", QUESTION)))
        except* Exception:  # noqa: BLE001  # the server has gone by the time at which the client says goodbye
            assert rows

    app = http_app(home.settings)
    with served(app, home.settings) as (address, server, thread), anyio.fail_after(120):
        async with anyio.create_task_group() as group:
            group.start_soon(ask, address)
            assert await anyio.to_thread.run_sync(begun.wait, 120)
            server.should_exit = True
            await anyio.sleep(0.5)
            assert thread.is_alive(), "The server has not waited."
            go_on.set()
        await anyio.to_thread.run_sync(thread.join, 120)
        assert not thread.is_alive()
    assert rows == [59]


def found(result: Any) -> int:
    assert not result.is_error
    return len(result.structured_content["rows"])


@pytest.mark.anyio
async def test_a_new_run_answers_the_next_question_and_no_question_fails_meanwhile(own_home: PublishedHome) -> None:
    ask: Callable[[httpx.AsyncClient], Any] = lambda http: http.post(  # noqa: E731
        "/semantic-layer/alpha/query", json={"metrics": ["spend"]}, headers=own_home.headers("alpha")
    )
    app = http_app(own_home.settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost", timeout=120) as http:
        before = (await ask(http)).json()
        newest: list[str] = []

        async def publish() -> None:
            newest.append(await anyio.to_thread.run_sync(lambda: own_home.publish("alpha", spend=20)))

        seen: list[tuple[str, str]] = []
        async with anyio.create_task_group() as group:
            group.start_soon(publish)
            while not newest:
                answer = await ask(http)
                assert answer.status_code == 200
                seen.append((answer.json()["run_id"], str(answer.json()["rows"])))
        after = (await ask(http)).json()
    assert after["run_id"] == newest[0] != before["run_id"]
    assert after["rows"] != before["rows"]
    mixed = {*seen} - {(before["run_id"], str(before["rows"])), (after["run_id"], str(after["rows"]))}
    assert not mixed
