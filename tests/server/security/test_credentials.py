"""Tokens that are not the caller's, not live any more, or not ours; and where a token must never turn up."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

import server.asgi.stream_watch
from pipeline.storage.ops import Ops
from server.serving.access import Access
from tests.server.isolation import ACCEPT, LEGACY
from tests.server.published_fixture import PublishedHome

PING = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
GREETING = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
INITIALIZE = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": GREETING}
QUESTION = {"metrics": ["spend"]}


@pytest.fixture
def access(home: PublishedHome) -> Iterator[Access]:
    with Ops(home.settings.ops) as ops:
        yield Access(ops)


@pytest.fixture
def http(address: str) -> Iterator[httpx.Client]:
    """A client without a token."""
    with httpx.Client(base_url=address, headers={"accept": ACCEPT}, timeout=120) as client:
        yield client


def bearer(text: str) -> dict[str, str]:
    return {"authorization": f"Bearer {text}"}


def session_of(http: httpx.Client, headers: dict[str, str]) -> dict[str, str]:
    begun = http.post("/mcp", json=INITIALIZE, headers=headers)
    assert begun.status_code == 200
    return {"mcp-session-id": begun.headers["mcp-session-id"], "mcp-protocol-version": LEGACY}


def end(home: PublishedHome, access: Access, token_id: str, how: str) -> None:
    """Take a token back, or let it be over."""
    if how == "revoked":
        access.revoke(token_id)
        return
    with Ops(home.settings.ops) as ops, ops.transaction() as store:
        past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
        store.execute("update tokens set expires_at = ? where id = ?", (past, token_id))


@pytest.mark.parametrize("how", ["revoked", "expired"])
def test_a_token_that_ends_in_mid_session_ends_the_session_at_every_interface(
    home: PublishedHome, access: Access, http: httpx.Client, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.asgi.stream_watch, "CHECK_SECONDS", server.asgi.stream_watch.POLL_SECONDS)
    text, token = access.create(tenant="alpha", name="mid-session")
    session = session_of(http, bearer(text))
    assert http.post("/mcp", json=PING, headers={**session, **bearer(text)}).status_code == 200
    assert http.post("/semantic-layer/alpha/query", json=QUESTION, headers=bearer(text)).status_code == 200
    with http.stream("GET", "/sse", headers=bearer(text)) as stream:
        lines = stream.iter_lines()
        path = next(line for line in lines if line.startswith("data: /messages/")).removeprefix("data: ")
        end(home, access, token.id, how)
        began = time.monotonic()
        for _ in lines:  # until the server ends the stream
            assert time.monotonic() - began < 120
    for answer in (
        http.post("/mcp", json=PING, headers={**session, **bearer(text)}),
        http.post(path, json=PING, headers=bearer(text)),
        http.post("/semantic-layer/alpha/query", json=QUESTION, headers=bearer(text)),
        http.get("/sse", headers=bearer(text)),
    ):
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_session_belongs_to_the_token_that_began_it(home: PublishedHome, access: Access, http: httpx.Client) -> None:
    session = session_of(http, home.headers("alpha"))
    other, _ = access.create(tenant="alpha", name="another of the same tenant")
    for stranger in (home.headers("beta"), bearer(other), home.headers("admin")):
        assert http.post("/mcp", json=PING, headers={**session, **stranger}).status_code == 404
        assert http.get("/mcp", headers={**session, **stranger}).status_code == 404
        assert http.delete("/mcp", headers={**session, **stranger}).status_code == 404
    assert http.post("/mcp", json=PING, headers={**session, **home.headers("alpha")}).status_code == 200
    ids = {session_of(http, home.headers("alpha"))["mcp-session-id"] for _ in range(20)}
    assert len(ids) == 20
    assert min(map(len, ids)) >= 32


def test_a_token_that_opens_sessions_without_end_leaves_room_for_others(fresh_home: PublishedHome) -> None:
    settings = fresh_home.settings.model_copy(update={"sessions_of_token": 2, "sessions": 4})
    alpha, beta = fresh_home.headers("alpha"), fresh_home.headers("beta")
    with (
        replace(fresh_home, settings=settings).serving() as address,
        httpx.Client(base_url=address, headers={"accept": ACCEPT}, timeout=120) as http,
    ):
        first = session_of(http, alpha)
        session_of(http, alpha)
        for disguise in ({}, {"mcp-method": "tools/list"}, {"mcp-protocol-version": LEGACY}):
            refused = http.post("/mcp", json=INITIALIZE, headers={**alpha, **disguise})
            assert refused.status_code == 429
            assert refused.headers["retry-after"]
        session_of(http, beta)
        assert http.post("/mcp", json=PING, headers={**first, **alpha}).status_code == 200
        assert http.delete("/mcp", headers={**first, **alpha}).status_code == 200
        session_of(http, alpha)


def jwt(**claims: object) -> str:
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts) + "."


def test_a_token_of_somebody_else_opens_nothing(home: PublishedHome, http: httpx.Client) -> None:
    own = home.tokens["alpha"]
    foreign = [
        jwt(sub="alpha", gata_tenant="alpha", aud="gata", scope="gata:read"),
        jwt(sub="alpha", gata_tenant="alpha", aud="another.example.com"),
        own.replace("gata_", "ghp_"),
        own[:-1] + ("A" if own[-1] != "A" else "B"),
        own.upper(),
        f"{own} {own}",
        "gata_" + "0" * 12 + "_" + "A" * 43,
    ]
    for text in foreign:
        answer = http.get("/semantic-layer/alpha", headers=bearer(text))
        assert answer.status_code == 401
        assert text not in answer.text


def test_a_token_is_read_from_the_header_alone(home: PublishedHome, http: httpx.Client) -> None:
    text = home.tokens["alpha"]
    for name in ("token", "access_token", "authorization", "api_key"):
        assert http.get("/semantic-layer/alpha", params={name: text}).status_code == 401
        assert http.get("/semantic-layer/alpha", headers={"cookie": f"{name}={text}"}).status_code == 401
        assert http.post("/mcp", json={**PING, name: text}).status_code == 401
    assert http.get("/semantic-layer/alpha", headers={"x-api-key": text}).status_code == 401


def test_a_read_token_changes_nothing_and_sees_no_numbers_of_the_house(home: PublishedHome, http: httpx.Client) -> None:
    before = home.settings.tenants.read_bytes()
    entry = {"slug": "intruder", "business_name": "x", "status": "pending"}
    for method, path, body in (
        ("POST", "/tenants/onboard", entry),
        ("POST", "/semantic-layer/update", {"tenant": "beta", "semantic": {}}),
        ("POST", "/semantic-layer/update", {"tenant": "alpha", "semantic": {}}),
        ("GET", "/jobs", None),
        ("GET", "/metrics", None),
    ):
        answer = http.request(method, path, json=body, headers=home.headers("alpha"))
        assert answer.status_code == 403, path
        assert 'scope="admin"' in answer.headers["www-authenticate"]
    assert home.settings.tenants.read_bytes() == before


def test_no_token_is_ever_written_anywhere(
    fresh_home: PublishedHome, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = [text[-43:] for text in fresh_home.tokens.values()]
    told: list[str] = []
    accepting = {"accept": ACCEPT}
    with fresh_home.serving() as address, httpx.Client(base_url=address, headers=accepting, timeout=120) as http:
        for who, text in fresh_home.tokens.items():
            own = fresh_home.headers(who)
            for answer in (
                http.get("/semantic-layer/alpha", headers=own, params={"token": text}),
                http.get(f"/semantic-layer/{text}", headers=own),
                http.post("/semantic-layer/alpha/query", json={"metrics": [text[:150]], "x": text}, headers=own),
                http.post("/mcp", json=INITIALIZE, headers=own),
                http.post("/mcp", content=b"{" + text.encode(), headers=own),
                http.get("/models", headers=bearer(f"{text}x")),
                http.get("/models", headers={"authorization": text}),
                http.get("/sse", headers={**own, "host": "evil.example.com"}),
            ):
                told += [str(answer.headers), answer.text.replace(text[:80], "").replace(text, "")]
    logged = capfd.readouterr()
    kept = [path for path in fresh_home.settings.home.rglob("*") if path.is_file()]
    assert fresh_home.settings.ops in kept
    assert [path for path in kept if path.is_relative_to(fresh_home.settings.audit_folder)]
    for secret in secrets:
        assert secret not in logged.err + logged.out
        assert [path.name for path in kept if secret.encode() in path.read_bytes()] == []
        assert not any(secret in text for text in told)
