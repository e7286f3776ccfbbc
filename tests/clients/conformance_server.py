"""The server that users get, with the suite's own fixtures: `python -P -m tests.clients.conformance_server`.

The suite knows no credentials, so that every request is given the token of one tenant before it reaches the
application; everything from there on is `server.app.http_app`. The address is printed as one line on stdout.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any
from unittest.mock import patch

import uvicorn
from mcp.server import MCPServer
from starlette.types import ASGIApp, Receive, Scope, Send

import server.app
from tests.clients.conformance_fixtures import add_fixtures
from tests.server.published_fixture import PublishedHome, new_published_home

Factory = Callable[..., MCPServer[Any]]  # Any: there is no lifespan state


class WithToken:
    """Adds the Authorization header that the suite cannot send."""

    def __init__(self, app: ASGIApp, authorization: str) -> None:
        self.app, self._header = app, (b"authorization", authorization.encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "headers": [*scope["headers"], self._header]}
        await self.app(scope, receive, send)


def with_fixtures(factory: Factory) -> Factory:
    """The factory of MCP servers, whose servers have the fixtures too."""

    @wraps(factory)
    def made(*args: object, **kwargs: object) -> MCPServer[Any]:
        app = factory(*args, **kwargs)
        add_fixtures(app)
        return app

    return made


def app_with_fixtures(home: PublishedHome, who: str = "alpha") -> ASGIApp:
    """The application of `gata serve`, for clients that send no token: all of them are `who`."""
    with patch.object(server.app, "mcp_app", with_fixtures(server.app.mcp_app)):
        app = server.app.http_app(home.settings)
    return WithToken(app, home.headers(who)["Authorization"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gata_conformance_") as folder:
        app = app_with_fixtures(new_published_home(Path(folder), "alpha", "beta"))
        with server.app.listen("127.0.0.1", arguments.port) as listener:
            config = uvicorn.Config(app, http="h11", ws="none", log_config=None, access_log=False, server_header=False)
            print(f"http://127.0.0.1:{listener.getsockname()[1]}/mcp", flush=True)  # noqa: T201  # for who started it
            uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
