"""The same questions on the real exports at every door: `gata ask`, REST, MCP over stdio, SSE and streamable HTTP."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

from pipeline.runs import Ops
from server.access import Access
from tests.server.cli_run import environment, start
from tests.server.world import World
from tests.whole_way.house import House

pytestmark = [pytest.mark.xdist_group("real"), pytest.mark.anyio]

SHOP = "real_shop"
QUESTIONS: list[dict[str, Any]] = [
    {"metrics": ["sessions", "conversion_rate", "session_revenue"], "dimensions": ["date"], "order_by": ["date"]},
    {"metrics": ["orders", "order_revenue"], "dimensions": ["currency", "financial_status"]},
    {"metrics": ["spend", "clicks", "ctr"], "dimensions": ["ad_id", "date"], "order_by": ["-spend"], "limit": 5},
    {"metrics": ["events"], "filters": [{"name": "event_name", "op": "=", "value": "purchase"}]},
]


@pytest.fixture(scope="module")
def world(real_house: House) -> World:
    with Ops(real_house.settings.ops) as ops:
        token, _ = Access(ops).create(tenant=SHOP, name="doors")
    return World(real_house.settings, {SHOP: token})


@pytest.fixture(scope="module")
def address(world: World) -> Iterator[str]:
    with world.serving() as address:
        yield address


@pytest.fixture(scope="module")
def expected(world: World) -> list[Any]:
    """The answers of `gata ask --json`."""
    answers = []
    for question in QUESTIONS:
        process = start(
            "ask", "--tenant", SHOP, "--query", json.dumps(question), "--json", env=environment(world.settings)
        )
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        answers.append(json.loads(out))
    return answers


async def answers_of(client: Client) -> list[Any]:
    return [(await client.call_tool("query", question)).structured_content for question in QUESTIONS]


async def test_every_answer_has_rows(expected: list[Any]) -> None:
    assert [answer["row_count"] for answer in expected] == [9, 2, 5, 1]


async def test_stdio(world: World, expected: list[Any]) -> None:
    run = [sys.executable, "-c", "import sys; from server.cli import main; sys.exit(main())", "mcp", "--tenant", SHOP]
    server = StdioServerParameters(command=run[0], args=run[1:], env=environment(world.settings))
    async with Client(server) as client:
        assert await answers_of(client) == expected


async def test_streamable_http(world: World, address: str, expected: list[Any]) -> None:
    async with (
        httpx2.AsyncClient(headers=world.headers(SHOP), timeout=30) as http,
        Client(streamable_http_client(f"{address}/mcp", http_client=http)) as client,
    ):
        assert await answers_of(client) == expected


async def test_sse(world: World, address: str, expected: list[Any]) -> None:
    async with Client(sse_client(f"{address}/sse", headers=world.headers(SHOP)), mode="legacy") as client:
        assert await answers_of(client) == expected


async def test_rest(world: World, address: str, expected: list[Any]) -> None:
    async with httpx2.AsyncClient(headers=world.headers(SHOP), timeout=30) as http:
        answers = [await http.post(f"{address}/semantic-layer/{SHOP}/query", json=question) for question in QUESTIONS]
    assert [answer.json() for answer in answers] == expected
