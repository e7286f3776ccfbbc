"""A page of somebody else never talks to the server: names and origins that are not ours are refused at every route."""

from __future__ import annotations

import httpx
import pytest

from server.app import http_app
from tests.server.published_fixture import PublishedHome

pytestmark = pytest.mark.anyio

ROUTES = (
    *(("GET", path) for path in ("/health", "/docs", "/openapi.json", "/sse", "/mcp", "/metrics", "/models", "/jobs")),
    *(("GET", path) for path in ("/semantic-layer/alpha", "/readiness/alpha", "/results/x", "/nothing", "/")),
    *(("POST", path) for path in ("/mcp", "/messages/", "/semantic-layer/alpha/query", "/tenants/onboard")),
    *(("OPTIONS", path) for path in ("/mcp", "/semantic-layer/alpha")),
)
FOREIGN_HOSTS = ("evil.example.com", "127.0.0.1.evil.example.com", "evil.example.com:8765", "localhost@evil.com", "")
FOREIGN_ORIGINS = (
    "https://evil.example.com",
    "http://localhost.evil.com",
    "null",
    "file://",
    "http://127.0.0.1@evil.com",
)


@pytest.fixture
def app(home: PublishedHome) -> httpx.ASGITransport:
    return httpx.ASGITransport(http_app(home.settings))


async def test_no_route_answers_to_a_foreign_name_or_to_the_page_of_another_site(
    home: PublishedHome, app: httpx.ASGITransport
) -> None:
    async with httpx.AsyncClient(transport=app, base_url="http://localhost", headers=home.headers("alpha")) as http:
        for method, path in ROUTES:
            for host in FOREIGN_HOSTS:
                answer = await http.request(method, path, headers={"host": host})
                assert answer.status_code == 421, (method, path, host)
            for origin in FOREIGN_ORIGINS:
                answer = await http.request(method, path, headers={"origin": origin})
                assert answer.status_code == 403, (method, path, origin)
                assert "access-control-allow-origin" not in answer.headers


async def test_a_browser_is_told_to_keep_frame_and_guess_nothing(home: PublishedHome, app: httpx.ASGITransport) -> None:
    async with httpx.AsyncClient(transport=app, base_url="http://localhost") as http:
        for path in ("/health", "/docs", "/models", "/nothing"):
            for headers in ({}, home.headers("alpha")):
                answer = await http.get(path, headers=headers)
                assert answer.headers["x-content-type-options"] == "nosniff"
                assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
                assert "unsafe" not in answer.headers["content-security-policy"]
                assert answer.headers["referrer-policy"] == "no-referrer"
                assert "access-control-allow-origin" not in answer.headers
                assert "server" not in answer.headers
