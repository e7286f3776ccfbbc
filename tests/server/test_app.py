"""The one application and the address it listens on."""

from __future__ import annotations

import socket

import httpx
import pytest

from pipeline.errors import ConfigError
from server.app import http_app, listen
from tests.server.world import World


def test_an_address_that_is_taken_is_named_with_the_way_out() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"127\.0\.0\.1:{port} cannot be served: .* --port N"):
            listen("127.0.0.1", port)


def test_an_address_of_another_machine_cannot_be_served() -> None:
    with pytest.raises(ConfigError, match=r"192\.0\.2\.1:0 cannot be served"):
        listen("192.0.2.1", 0)


def test_answers_leave_at_once_because_the_door_says_it_is_tcp() -> None:
    with listen("127.0.0.1", 0) as door:
        assert door.proto == socket.IPPROTO_TCP


@pytest.mark.anyio
async def test_the_server_answers_to_the_names_it_was_given_and_to_no_other(world: World) -> None:
    app = http_app(world.settings, hosts=("gata.example.com", "::1"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gata.example.com") as http:
        assert (await http.get("/health")).status_code == 200
        assert (await http.get("/health", headers={"Origin": "https://GATA.example.com"})).status_code == 200
        assert (await http.get("/health", headers={"Host": "other.example.com"})).status_code == 421
        assert (await http.get("/health", headers={"Origin": "https://other.example.com"})).status_code == 403


@pytest.mark.anyio
async def test_a_websocket_is_let_in_nowhere(world: World) -> None:
    sent: list[str] = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, object]) -> None:
        sent.append(str(message["type"]))

    scope = {"type": "websocket", "path": "/mcp", "headers": [], "query_string": b"", "root_path": ""}
    await http_app(world.settings)(scope, receive, send)  # type: ignore[arg-type]  # plain ASGI
    assert sent == ["websocket.close"]
