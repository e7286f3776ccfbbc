"""One ASGI application for every door over HTTP: /mcp, /sse and /messages/, the REST API, /health, /docs.

A request passes, in this order: what every answer says to browsers, the check of Host and Origin, who it comes from,
the counting and writing down of calls, whether it may come in at all, and its body. No route can be reached around
them.
"""

from __future__ import annotations

import gc
import math
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import uvicorn
from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.transport_security import TransportSecuritySettings
from sse_starlette.sse import AppStatus
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from pipeline.errors import ConfigError
from pipeline.runs import Ops
from pipeline.settings import Settings
from server.access import Access
from server.agents.full_result import by_handle
from server.audit.doors import HttpCalls, McpCalls, open_ledger
from server.doors.bearer import Credentials, RequireToken, caller_of_request, is_open
from server.doors.bodies import BodyCheck
from server.doors.connections import LARGEST_HEAD, MOST_CONNECTIONS, PatientProtocol
from server.doors.headers import AnswerHeaders, cors
from server.doors.hosts import HostCheck
from server.doors.oauth import METADATA_PATH, OAuth, oauth_of
from server.doors.session_share import SessionShare
from server.doors.streams import StreamWatch
from server.library_log import take_over_logs
from server.mcp_app import mcp_app
from server.process import keep_pandas_out, raise_file_limit, settle_memory
from server.published import PublishedRuns
from server.rest import rest_app
from server.routes.docs_page import docs_routes
from server.routes.doorway import missing
from server.routes.handles import Handles
from server.telemetry import Meters, metrics_route
from server.tracing import tracing

BACKLOG = 2048
SHUTDOWN_GRACE_SECONDS = 5
"""How much longer than the slowest query a stop may take."""

_CHECKED_ALREADY = TransportSecuritySettings(enable_dns_rebinding_protection=False)  # HostCheck covers every route


def http_app(settings: Settings, *, hosts: Sequence[str] = (), oauth: OAuth | None = None) -> Starlette:
    """The application over the published runs and tokens of one state folder.

    It answers to the loopback names, to the host of the public address, and to `hosts`, such as gata.example.com.
    """
    AppStatus.disable_automatic_graceful_drain()  # type: ignore[no-untyped-call]  # it would cut answers in two; `StreamWatch` ends streams
    ops = Ops(settings.ops)
    runs = PublishedRuns(settings)
    access, oauth = Access(ops), oauth or oauth_of(settings)
    meters = Meters(runs)
    ledger = open_ledger(settings, (meters, *tracing()))
    mcp = mcp_app(runs, caller_of_request, by_handle(Handles(ops)))
    mcp.middleware.append(McpCalls(ledger, caller_of_request))
    streamable = mcp.streamable_http_app(transport_security=_CHECKED_ALREADY, max_sessions=settings.sessions)
    sse = mcp.sse_app(transport_security=_CHECKED_ALREADY)
    names = [*hosts, urlsplit(settings.public_url).hostname or ""] if settings.public_url else hosts

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            async with mcp.session_manager.run():
                settle_memory()
                yield
        finally:
            gc.unfreeze()
            ledger.close()
            runs.close()
            ops.close()

    return Starlette(
        routes=[
            *_metadata(oauth),
            *docs_routes(),
            Route("/metrics", metrics_route(meters, ledger)),
            *streamable.routes,
            *sse.routes,
            Mount("/", rest_app(runs, ops)),
        ],
        middleware=[
            Middleware(AnswerHeaders),
            Middleware(HostCheck, names=names, origins=settings.allowed_origins),
            *([Middleware(cors, origins=settings.allowed_origins)] if settings.allowed_origins else []),
            Middleware(AuthenticationMiddleware, backend=Credentials(access, oauth)),
            Middleware(AuthContextMiddleware),
            Middleware(HttpCalls, ledger=ledger, is_open=is_open),
            Middleware(RequireToken, standing=runs.standing, oauth=oauth),
            Middleware(StreamWatch, access=access, standing=runs.standing, ledger=ledger),
            Middleware(SessionShare, manager=mcp.session_manager, most=settings.sessions_of_token),
            Middleware(BodyCheck, largest=settings.body_limit_bytes),
        ],
        exception_handlers={HTTPException: missing},  # a path with a line break in it reaches no mount
        lifespan=lifespan,
    )


def _metadata(oauth: OAuth | None) -> list[Route]:
    """RFC 9728: who issues tokens for this server, and for each door of it that MCP clients may be given."""
    if oauth is None:
        return []

    async def metadata(request: Request) -> Response:
        return JSONResponse(oauth.metadata(request.scope), headers={"cache-control": "public, max-age=300"})

    return [Route(METADATA_PATH + suffix, metadata, methods=["GET"]) for suffix in ("", "/mcp", "/sse")]


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


def server_config(settings: Settings, app: Callable[..., object], *, is_factory: bool = False) -> uvicorn.Config:
    """How an application is served; answers under way at its end have the time of a query to finish."""
    return uvicorn.Config(
        app,
        factory=is_factory,
        http=PatientProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nothing here depends on them, and anybody can write them
        h11_max_incomplete_event_size=LARGEST_HEAD,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=math.ceil(settings.query_timeout) + SHUTDOWN_GRACE_SECONDS,
    )


def http_server(settings: Settings, host: str, *, hosts: Sequence[str] = ()) -> uvicorn.Server:
    """The server of one process, not yet running."""
    return uvicorn.Server(server_config(settings, http_app(settings, hosts=(host, *hosts))))


def run_server(settings: Settings, host: str, door: socket.socket, *, hosts: Sequence[str] = ()) -> None:
    """Serve until interrupted, in this process or in as many workers as the settings say."""
    raise_file_limit()
    if settings.workers > 1:
        from server.workers import run_workers

        run_workers(settings, host, door, hosts=hosts)
    else:
        server = http_server(settings, host, hosts=hosts)
        take_over_logs()
        server.run(sockets=[door])


def serve(settings: Settings, host: str = "127.0.0.1", port: int = 8765, *, hosts: Sequence[str] = ()) -> None:
    """Serve until interrupted; answers under way are finished.

    Raises:
        ConfigError: The address cannot be served.
    """
    keep_pandas_out()
    with listen(host, port) as door, suppress(KeyboardInterrupt):  # uvicorn raises it again once it has stopped
        run_server(settings, host, door, hosts=hosts)
