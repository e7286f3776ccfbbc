"""Bytes that nobody meant well: malformed messages, wrong headers, bodies too large, too deep, too slow, lost clients.

Each is refused with a sentence and a status of the 400s, or cut; the server answers the next caller as before.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

import server.asgi.body_limit
from server.asgi.connections import network_of
from tests.server.isolation import ACCEPT, LEGACY, META, MODERN
from tests.server.published_fixture import PublishedHome

STATUS = {"name": "get_status", "arguments": {}}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": META}}
HEADERS = {
    "accept": ACCEPT,
    "content-type": "application/json",
    "mcp-protocol-version": MODERN,
    "mcp-method": "tools/list",
}


@pytest.fixture(scope="module")
def client(home: PublishedHome, address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, headers=home.headers("alpha"), timeout=120) as client:
        yield client


@pytest.fixture
def http(client: httpx.Client) -> Iterator[httpx.Client]:
    """Alpha; whatever a test has sent, the next call is answered as ever."""
    yield client
    assert client.post("/mcp", json=LIST, headers=HEADERS).status_code == 200


def deep(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize("era", [MODERN, LEGACY])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"7",
        b'"tools/list"',
        b"{",
        b"{}",
        b"[]",
        json.dumps([LIST, LIST]).encode(),
        b"\xff\xfe\x00",
        b'{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"x": NaN}}',
        json.dumps({**LIST, "jsonrpc": "1.0"}).encode(),
        json.dumps({**LIST, "id": {"a": 1}}).encode(),
        json.dumps({**LIST, "id": None}).encode(),
        json.dumps({**LIST, "id": True}).encode(),
        json.dumps({**LIST, "method": 7}).encode(),
        json.dumps({**LIST, "method": None}).encode(),
        json.dumps({**LIST, "params": [1, 2]}).encode(),
        json.dumps({**LIST, "params": "x"}).encode(),
        json.dumps({"jsonrpc": "2.0", "id": 1}).encode(),
        json.dumps({"jsonrpc": "2.0", "id": 1, "result": {}, "error": {}}).encode(),
        b'{"jsonrpc": "2.0", "id": 1e999, "method": "tools/list"}',
        b'{"jsonrpc": "2.0", "id": ' + b"9" * 5000 + b', "method": "tools/list"}',
    ],
    ids=lambda body: repr(body[:60]) if isinstance(body, bytes) else body,
)
def test_a_message_that_is_none_is_refused_without_internals(http: httpx.Client, body: bytes, era: str) -> None:
    answer = http.post("/mcp", content=body, headers={**HEADERS, "mcp-protocol-version": era})
    assert answer.status_code < 500
    assert answer.status_code >= 400 or "error" in answer.text or not answer.content
    for internal in ("Traceback", "site-packages", '.py"', "pydantic_core", "Error("):
        assert internal not in answer.text, answer.text


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"mcp-method": "tools/call"}, {400}),
        ({"mcp-method": "x" * 3000}, {400}),
        ({"mcp-protocol-version": "1999-01-01"}, {400}),
        ({"mcp-protocol-version": "2026-07-28, 2025-11-25"}, {400}),
        ({"accept": "text/html"}, {406}),
        ({"content-type": "text/plain"}, {400, 415}),
        ({"content-type": "application/x-www-form-urlencoded"}, {400, 415}),
        ({"mcp-session-id": "not-a-session", "mcp-protocol-version": LEGACY}, {404}),
        ({"mcp-session-id": "x" * 9000, "mcp-protocol-version": LEGACY}, {400, 404}),
        ({"authorization": "Basic YTpi"}, {401}),
        ({"authorization": "Bearer"}, {401}),
        ({"cookie": "a=b;" * 50_000}, {400, 431}),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_a_wrong_header_is_refused(http: httpx.Client, changed: dict[str, str], status: set[int]) -> None:
    assert http.post("/mcp", json=LIST, headers={**HEADERS, **changed}).status_code in status


def test_two_credentials_are_none(http: httpx.Client, home: PublishedHome) -> None:
    pairs = [("authorization", home.headers(who)["Authorization"]) for who in ("alpha", "beta")]
    assert http.get("/semantic-layer/alpha", headers=httpx.Headers(pairs)).status_code == 401


@pytest.mark.parametrize("path", ["/mcp", "/semantic-layer/alpha/query", "/tenants/onboard", "/messages/"])
def test_a_body_that_is_too_large_is_refused_before_it_is_read(http: httpx.Client, path: str) -> None:
    large = b'{"metrics": ["' + b"x" * 1_100_000 + b'"]}'
    assert http.post(path, content=large, headers=HEADERS).status_code == 413

    def in_parts() -> Iterator[bytes]:
        for start in range(0, len(large), 65536):
            yield large[start : start + 65536]

    with suppress(httpx.WriteError, httpx.RemoteProtocolError):  # the server hangs up while the rest is on its way
        assert http.post(path, content=in_parts(), headers=HEADERS).status_code == 413


@pytest.mark.parametrize("path", ["/mcp", "/semantic-layer/alpha/query"])
@pytest.mark.parametrize(
    "body",
    [
        deep(100_000),
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b"[" * 400_000,
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":' + deep(5_000) + b"}",
        b'{"metrics":' + deep(500) + b"}",
        json.dumps({"metrics": "[" * 100_000}).encode(),
        json.dumps({"metrics": ["spend"], "filters": "[" * 5000 + "]" * 5000}).encode(),
    ],
    ids=lambda body: f"{body[:12]!r} {len(body)}" if isinstance(body, bytes) else body,
)
def test_a_body_that_is_nested_too_deep_costs_no_stack(http: httpx.Client, path: str, body: bytes) -> None:
    answer = http.post(path, content=body, headers=HEADERS)
    assert 400 <= answer.status_code < 500
    assert len(answer.content) < 3000


def raw(home: PublishedHome, address: str, head: str, body: bytes = b"") -> socket.socket:
    """A connection that has sent this much of a request, and nothing more."""
    place = urlsplit(address)
    sent = socket.create_connection((place.hostname, place.port), timeout=120)
    token = home.headers("alpha")["Authorization"]
    sent.sendall(f"{head}Host: {place.netloc}\r\nAuthorization: {token}\r\n".encode() + body)
    return sent


def test_a_body_that_never_ends_is_given_up(
    home: PublishedHome, address: str, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.asgi.body_limit, "SECONDS", 0.2)
    head = "POST /semantic-layer/alpha/query HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 500\r\n"
    with raw(home, address, head, b'\r\n{"metrics"') as slow:
        assert b" 408 " in slow.recv(4096)


def test_many_slow_callers_keep_nobody_else_waiting(
    home: PublishedHome, address: str, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.asgi.body_limit, "SECONDS", 3600)  # none of them is given up meanwhile
    head = "POST /semantic-layer/alpha/query HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 500\r\n"
    slow = [raw(home, address, head, b'\r\n{"metrics"') for _ in range(50)]
    try:
        for _ in range(3):
            answer = http.post("/semantic-layer/alpha/query", json={"metrics": ["spend"]}, timeout=120)
            assert answer.status_code == 200
    finally:
        for one in slow:
            one.close()


def test_abandoned_streams_give_their_places_back(home: PublishedHome, address: str, http: httpx.Client) -> None:
    def opened() -> set[bytes]:
        """How as many streams as one token may have are answered; nobody reads them, and they are dropped."""
        streams = [raw(home, address, "GET /sse HTTP/1.1\r\n", b"\r\n") for _ in range(home.settings.streams_at_once)]
        statuses = {stream.recv(12).partition(b" ")[2] for stream in streams}
        for stream in streams:
            stream.close()
        return statuses

    deadline = time.monotonic() + 120
    for _ in range(2):
        while opened() != {b"200"}:
            assert time.monotonic() < deadline, "The places of streams that nobody reads stay taken."


def test_a_client_that_hangs_up_in_the_middle_of_an_answer_harms_nobody(
    home: PublishedHome, address: str, http: httpx.Client
) -> None:
    question = json.dumps({"metrics": ["spend"], "dimensions": ["date", "ad_name", "campaign_name"]}).encode()
    head = "POST /semantic-layer/alpha/query HTTP/1.1\r\nContent-Type: application/json\r\n"
    head += f"Content-Length: {len(question)}\r\n"
    for _ in range(20):
        raw(home, address, head, b"\r\n" + question).close()


def read_to_end(connection: socket.socket) -> bytes:
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)


def test_a_request_inside_another_is_not_read(home: PublishedHome, address: str, http: httpx.Client) -> None:
    """Two lengths, or a length and chunks: proxies and servers disagree where such a request ends."""
    for path in ("/mcp", "/models", "/health"):
        for framing in (
            "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
            "Content-Length: 4\r\nContent-Length: 60\r\n",
        ):
            inner = b"0\r\n\r\nGET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
            with raw(home, address, f"POST {path} HTTP/1.1\r\n{framing}", b"\r\n" + inner) as smuggled:
                told = read_to_end(smuggled)  # ends: the connection is closed
            assert told.startswith(b"HTTP/1.1 400 ")
            assert told.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("path", ["/semantic-layer/alpha/query", "/mcp"])
def test_the_refusal_of_a_large_body_reaches_who_is_still_sending_it(
    home: PublishedHome, address: str, http: httpx.Client, path: str
) -> None:
    size = 20_000_000
    head = f"POST {path} HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n"
    with raw(home, address, head, b"\r\n") as sender:
        for _ in range(size // 1_000_000):
            sender.sendall(b" " * 1_000_000)
        told = read_to_end(sender)
    assert told.startswith(b"HTTP/1.1 413 ")
    assert told.endswith(b"}")


def test_a_refused_body_that_never_ends_is_not_read_for_ever(
    home: PublishedHome, address: str, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.asgi.body_limit, "DRAINED_SECONDS", 0.2)
    head = "POST /mcp HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 2000000\r\n"
    with raw(home, address, head, b"\r\n") as silent:
        assert read_to_end(silent).startswith(b"HTTP/1.1 413 ")
    monkeypatch.setattr(server.asgi.body_limit, "DRAINED_BYTES", 100_000)
    monkeypatch.setattr(server.asgi.body_limit, "DRAINED_SECONDS", 3600)
    with raw(home, address, head, b"\r\n" + b" " * 200_000) as sender:
        assert sender.recv(13) == b"HTTP/1.1 413 "
        with suppress(ConnectionError):
            read_to_end(sender)


def test_one_address_cannot_take_all_connections(home: PublishedHome) -> None:
    settings = home.settings.model_copy(update={"connections_of_address": 3})
    with PublishedHome(settings, home.tokens).serving() as address, ExitStack() as opened:
        place = urlsplit(address)
        for _ in range(3):
            idle = opened.enter_context(socket.create_connection((place.hostname, place.port), timeout=120))
            idle.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert idle.recv(13) == b"HTTP/1.1 200 "  # it is open on the other side, too
        with socket.create_connection((place.hostname, place.port), timeout=120) as refused:
            told = read_to_end(refused)
            assert told.startswith(b"HTTP/1.1 503 ")
            assert b"Your address has as many connections open as it may." in told
        idle.close()
        deadline = time.monotonic() + 120
        while httpx.get(f"{address}/health", timeout=120).status_code != 200:
            assert time.monotonic() < deadline


def test_an_address_is_one_of_ipv4_and_a_network_of_ipv6() -> None:
    assert network_of("192.0.2.7") == network_of("::ffff:192.0.2.7") == "192.0.2.7"
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1") == "2001:db8::/64"
    assert network_of("2001:db8:0:1::1") != network_of("2001:db8::1")
    assert network_of("testclient") == "testclient"


def test_arguments_that_are_absurd_are_refused_and_not_tried(http: httpx.Client) -> None:
    absurd: list[dict[str, Any]] = [
        {"limit": 10**12},
        {"limit": -1},
        {"limit": "1e9"},
        {"metrics": ["spend"] * 51},
        {"dimensions": ["date"] * 13},
        {"filters": [{"name": "campaign_name", "op": "in", "value": ["x"] * 1001}]},
        {"filters": [{"name": "campaign_name", "value": "x"}] * 51},
        {"filters": [{"name": "campaign_name", "value": "x" * 2001}]},
        {"time_range": {"start": "0001-01-01", "end": "9999-12-31"}, "fill_gaps": True, "dimensions": ["date"]},
        {"cursor": "x" * 100_000},
        {"order_by": ["spend"] * 1000},
    ]
    began = time.process_time()
    for wrong in absurd:
        answer = http.post("/semantic-layer/alpha/query", json={"metrics": ["spend"], **wrong})
        assert answer.status_code == 422, wrong
        assert len(answer.content) < 3000
    assert time.process_time() - began < 5
