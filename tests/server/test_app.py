"""The one application and the address it listens on."""

from __future__ import annotations

import json
import logging
import socket

import httpx
import pytest

from pipeline.errors import ConfigError
from server.app import http_app
from server.asgi.server import listen
from server.serving.process.library_logs import route_library_logs
from tests.server.published_fixture import PublishedHome


def test_an_address_that_is_taken_is_named_with_the_way_out() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"127\.0\.0\.1:{port} cannot be served: .* --port N"):
            listen("127.0.0.1", port)


def test_an_address_of_another_machine_cannot_be_served() -> None:
    with pytest.raises(ConfigError, match=r"192\.0\.2\.1:0 cannot be served"):
        listen("192.0.2.1", 0)


def test_answers_leave_at_once_because_the_listener_says_it_is_tcp() -> None:
    with listen("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


@pytest.mark.anyio
async def test_the_server_answers_to_the_names_it_was_given_and_to_no_other(home: PublishedHome) -> None:
    app = http_app(home.settings, hosts=("gata.example.com", "::1"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gata.example.com") as http:
        assert (await http.get("/health")).status_code == 200
        assert (await http.get("/health", headers={"Origin": "https://GATA.example.com"})).status_code == 200
        assert (await http.get("/health", headers={"Host": "other.example.com"})).status_code == 421
        assert (await http.get("/health", headers={"Origin": "https://other.example.com"})).status_code == 403


@pytest.mark.anyio
async def test_a_websocket_is_let_in_nowhere(home: PublishedHome) -> None:
    sent: list[str] = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, object]) -> None:
        sent.append(str(message["type"]))

    scope = {"type": "websocket", "path": "/mcp", "headers": [], "query_string": b"", "root_path": ""}
    await http_app(home.settings)(scope, receive, send)  # type: ignore[arg-type]  # plain ASGI
    assert sent == ["websocket.close"]


def test_what_libraries_log_is_an_event_without_what_a_caller_sent(capsys: pytest.CaptureFixture[str]) -> None:
    before, level = logging.root.handlers[:], logging.root.level
    try:
        route_library_logs()
        log = logging.getLogger("some.library")
        log.info("not worth a line")
        log.warning("Session %s is not %s", "gata_0a1b2c3d4e5f_secret", "the caller's text")
        try:
            raise ValueError("a row")  # noqa: TRY301  # for its traceback
        except ValueError:
            log.exception("Failed to parse")
    finally:
        logging.root.handlers[:] = before
        logging.root.setLevel(level)
    said = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["event"], line["logger"], line["level"]) for line in said] == [
        ("library_said", "some.library", "warning"),
        ("library_said", "some.library", "error"),
    ]
    assert said[1]["error"] == "ValueError"
    assert all(text not in str(said) for text in ("secret", "caller's", "a row", "Traceback"))
