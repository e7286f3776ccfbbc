"""One ASGI application for every door over HTTP: /mcp, /sse and /messages/, the REST API, /health, /docs.

A request passes, in this order: the check of Host and Origin, who it comes from, whether it may come in at all, how
large it is. No route can be reached around them.
"""

from __future__ import annotations

import gc
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import uvicorn
from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.auth.middleware.bearer_auth import BearerAuthBackend
from mcp.server.transport_security import RequestBodyLimitMiddleware, TransportSecuritySettings
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.routing import Mount

from pipeline.errors import ConfigError
from pipeline.runs import Ops
from pipeline.settings import Settings
from server.access import Access
from server.bearer import RequireToken, StoredTokens, caller_of_request
from server.hosts import HostCheck
from server.mcp_app import mcp_app
from server.process import keep_pandas_out, settle_memory
from server.published import PublishedRuns
from server.rest import rest_app

BODY_LIMIT = 1024 * 1024
BACKLOG = 2048
SHUTDOWN_SECONDS = 10

_CHECKED_ALREADY = TransportSecuritySettings(enable_dns_rebinding_protection=False)  # HostCheck covers every route


def http_app(settings: Settings, *, hosts: Sequence[str] = ()) -> Starlette:
    """The application over the published runs and tokens of one state folder.

    It answers to the loopback names and to `hosts`, such as gata.example.com.
    """
    ops = Ops(settings.ops)
    runs = PublishedRuns(settings)
    mcp = mcp_app(runs, caller_of_request)
    streamable = mcp.streamable_http_app(transport_security=_CHECKED_ALREADY)
    sse = mcp.sse_app(transport_security=_CHECKED_ALREADY)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            async with mcp.session_manager.run():
                settle_memory()
                yield
        finally:
            gc.unfreeze()
            runs.close()
            ops.close()

    return Starlette(
        routes=[*streamable.routes, *sse.routes, Mount("/", rest_app(runs, ops))],
        middleware=[
            Middleware(HostCheck, names=hosts),
            Middleware(AuthenticationMiddleware, backend=BearerAuthBackend(StoredTokens(Access(ops)))),
            Middleware(AuthContextMiddleware),
            Middleware(RequireToken, standing=runs.standing),
            Middleware(RequestBodyLimitMiddleware, max_body_size=BODY_LIMIT),
        ],
        lifespan=lifespan,
    )


def listen(host: str, port: int) -> socket.socket:
    """A socket that waits for callers; port 0 takes a free one.

    Raises:
        ConfigError: The address is taken, or is not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small answers at once only on sockets that say they are TCP: else each waits 40 ms
    door = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((host, port))
        door.listen(BACKLOG)
    except OSError as error:
        door.close()
        raise ConfigError(
            f"{host}:{port} cannot be served: {(error.strerror or str(error)).lower()}.",
            "Stop what uses it, or choose another address with `gata serve --host H --port N`.",
        ) from error
    return door


def http_server(settings: Settings, host: str, *, hosts: Sequence[str] = ()) -> uvicorn.Server:
    """The server, not yet running. It parses with h11: httptools lets malformed MCP headers pass."""
    config = uvicorn.Config(
        http_app(settings, hosts=(host, *hosts)),
        http="h11",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    return uvicorn.Server(config)


def serve(settings: Settings, host: str = "127.0.0.1", port: int = 8765, *, hosts: Sequence[str] = ()) -> None:
    """Serve until interrupted; answers under way are finished.

    Raises:
        ConfigError: The address cannot be served.
    """
    keep_pandas_out()
    with listen(host, port) as door, suppress(KeyboardInterrupt):  # uvicorn raises it again once it has stopped
        http_server(settings, host, hosts=hosts).run(sockets=[door])
