"""The settings of the conformance suite (`make conformance`): which scenarios apply, and the server that it meets."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from tests.clients.conformance_server import app_with_fixtures
from tests.clients.not_applicable import NOT_APPLICABLE, UNDECLARED
from tests.server.isolation import ACCEPT, LEGACY, META, MODERN
from tests.server.published_fixture import PublishedHome

pytestmark = pytest.mark.anyio

GREETING = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}


async def rpc(http: httpx.AsyncClient, method: str, params: dict[str, Any]) -> dict[str, Any]:
    headers = {"accept": ACCEPT}
    if method != "initialize":
        params = {**params, "_meta": META}
        headers |= {"mcp-protocol-version": MODERN, "mcp-method": method}
        headers |= {"mcp-name": params["name"]} if "name" in params else {}
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = await http.post("/mcp", json=body, headers=headers)
    found: dict[str, Any] = answer.json() if "json" in answer.headers["content-type"] else _event(answer.text)
    return found


def _event(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(next(line for line in text.splitlines() if line.startswith("data: {"))[6:])
    return found


@pytest.mark.parametrize(
    ("revision", "method", "params"), [(LEGACY, "initialize", GREETING), (MODERN, "server/discover", {})]
)
async def test_what_scenarios_need_that_do_not_apply_is_not_declared(
    home: PublishedHome, address: str, revision: str, method: str, params: dict[str, Any]
) -> None:
    async with httpx.AsyncClient(base_url=address, headers=home.headers("alpha"), timeout=120) as http:
        declared = (await rpc(http, method, params))["result"]["capabilities"]
    assert {"tools", "resources", "prompts", "completions"} <= declared.keys()
    for path in set(NOT_APPLICABLE[revision].values()):
        assert UNDECLARED[path]
        kind, _, name = path.partition(".")
        known = declared.get(kind)
        assert not (known if not name else (known or {}).get(name)), path


async def test_the_suite_meets_the_server_that_users_get_with_more_in_it(home: PublishedHome) -> None:
    app: ASGIApp = app_with_fixtures(home)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        assert (await http.get("/semantic-layer/alpha")).status_code == 200
        assert (await http.get("/semantic-layer/beta")).status_code == 404
        assert (await http.get("/health", headers={"host": "other.example.com"})).status_code == 421
