"""One ASGI application for every interface over HTTP: /mcp, /sse and /messages/, the REST API, /health, /docs.

A request passes this middleware, in this order: one length, one address of MCP, response headers, the check of Host and
Origin, CORS, authentication, counting and recording of calls, authorization, streams, sessions, and the body. No route
can be reached around it.
"""

from __future__ import annotations

import gc
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
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
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.settings import Settings
from pipeline.storage.ops import Ops
from pipeline.storage.private_folder import private_files
from server.asgi.audit_middleware import AuditHttpCalls
from server.asgi.bearer_auth import Credentials, RequireToken, caller_of_request, is_open
from server.asgi.body_limit import BodyCheck
from server.asgi.connections import OneLength
from server.asgi.host_check import HostCheck
from server.asgi.metrics import Meters, metrics_route
from server.asgi.oauth import METADATA_PATH, OAuth, oauth_of
from server.asgi.response_headers import AnswerHeaders, cors
from server.asgi.server import listen, server_config
from server.asgi.session_limit import SessionLimit
from server.asgi.stream_watch import StreamGuard
from server.mcp_server.app import mcp_app
from server.mcp_server.audit_middleware import AuditMcpCalls
from server.mcp_server.tool_specs import TOOLS
from server.orchestration.alerts.sending import AlertThread
from server.rest.app import rest_app
from server.rest.docs_page import docs_routes
from server.rest.error_responses import not_found
from server.rest.owner.source_routes import FILE_PATHS
from server.serving.access import Access
from server.serving.audit.call_recorder import open_call_recorder
from server.serving.full_results import full_result_by_handle
from server.serving.process.library_logs import route_library_logs
from server.serving.process.setup import keep_pandas_out, raise_file_limit, settle_memory
from server.serving.process.tracing import tracing
from server.serving.result_handles import Handles
from server.serving.runs.published_runs import PublishedRuns

_CHECKED_ALREADY = TransportSecuritySettings(enable_dns_rebinding_protection=False)  # HostCheck covers every route


def http_app(settings: Settings, *, hosts: Sequence[str] = (), oauth: OAuth | None = None) -> Starlette:
    """The application over the published runs and tokens of one state folder.

    It answers to the loopback names, to the host of the public address, and to `hosts`, such as gata.example.com.
    """
    AppStatus.disable_automatic_graceful_drain()  # type: ignore[no-untyped-call]  # it would cut answers in two; `StreamWatch` ends streams
    ops = Ops(settings.ops)
    runs = PublishedRuns(settings)
    access, oauth = Access(ops), oauth or oauth_of(settings)
    meters = Meters(runs, (tool.name for tool in TOOLS))
    recorder = open_call_recorder(settings, (meters, *tracing()))
    mcp = mcp_app(runs, caller_of_request, full_result_by_handle(Handles(ops)))
    mcp.middleware.append(AuditMcpCalls(recorder, caller_of_request))
    streamable = mcp.streamable_http_app(transport_security=_CHECKED_ALREADY, max_sessions=settings.sessions)
    sse = mcp.sse_app(transport_security=_CHECKED_ALREADY)
    opens = partial(is_open, docs=settings.rest_docs)
    names = [*hosts, urlsplit(settings.public_url).hostname or ""] if settings.public_url else hosts

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        alerts = AlertThread(settings)
        try:
            async with mcp.session_manager.run():
                settle_memory()
                alerts.start()
                yield
        finally:
            alerts.stop()
            gc.unfreeze()
            recorder.close()
            runs.close()
            ops.close()

    return Starlette(
        routes=[
            *_metadata(oauth),
            *docs_routes(),
            Route("/metrics", metrics_route(meters, recorder)),
            *streamable.routes,
            *sse.routes,
            Mount("/", rest_app(runs, ops)),
        ],
        middleware=[
            Middleware(OneLength),
            Middleware(OneMcpAddress),
            Middleware(AnswerHeaders),
            Middleware(HostCheck, names=names, origins=settings.allowed_origins),
            *([Middleware(cors, origins=settings.allowed_origins)] if settings.allowed_origins else []),
            Middleware(AuthenticationMiddleware, backend=Credentials(access, runs.tenant_status, oauth)),
            Middleware(AuthContextMiddleware),
            Middleware(AuditHttpCalls, recorder=recorder, is_open=opens),
            Middleware(RequireToken, tenant_status=runs.tenant_status, opens=opens, oauth=oauth),
            Middleware(StreamGuard, access=access, tenant_status=runs.tenant_status, recorder=recorder),
            Middleware(SessionLimit, manager=mcp.session_manager, most=settings.sessions_of_token),
            Middleware(BodyCheck, largest=settings.body_limit_bytes, streamed=FILE_PATHS),
        ],
        exception_handlers={HTTPException: not_found},  # a path with a line break in it reaches no mount
        lifespan=lifespan,
    )


class OneMcpAddress:
    """ASGI middleware, the outermost: `/mcp/` is `/mcp`, without a redirect, which would lose a body or a token.

    All that follows sees one address: authentication, limits, sessions, the audit log.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in {"/mcp/", f"{METADATA_PATH}/mcp/"}:
            path = scope["path"].rstrip("/")
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await self.app(scope, receive, send)


def _metadata(oauth: OAuth | None) -> list[Route]:
    """Routes of RFC 9728: the issuer of tokens for this server, and for each of its addresses that MCP clients use."""
    if oauth is None:
        return []

    async def metadata(request: Request) -> Response:
        return JSONResponse(oauth.metadata(request.scope), headers={"cache-control": "public, max-age=300"})

    return [Route(METADATA_PATH + suffix, metadata, methods=["GET"]) for suffix in ("", "/mcp", "/sse")]


def http_server(settings: Settings, host: str, *, hosts: Sequence[str] = ()) -> uvicorn.Server:
    """The server of one process, not yet running."""
    return uvicorn.Server(server_config(settings, http_app(settings, hosts=(host, *hosts))))


def run_server(settings: Settings, host: str, listener: socket.socket, *, hosts: Sequence[str] = ()) -> None:
    """Serve until interrupted, in this process or in as many workers as the settings say."""
    raise_file_limit()
    with private_files():
        if settings.workers > 1:
            from server.asgi.workers import run_workers

            run_workers(settings, listener, partial(http_app, settings, hosts=(host, *hosts)))
        else:
            server = http_server(settings, host, hosts=hosts)
            route_library_logs()
            server.run(sockets=[listener])


def serve(settings: Settings, host: str = "127.0.0.1", port: int = 8765, *, hosts: Sequence[str] = ()) -> None:
    """Serve until interrupted; answers under way are finished.

    Raises:
        ConfigError: The address cannot be served.
    """
    keep_pandas_out()
    with listen(host, port) as listener, suppress(KeyboardInterrupt):  # uvicorn raises it again once it has stopped
        run_server(settings, host, listener, hosts=hosts)
