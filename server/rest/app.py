"""REST API: the tools as HTTP resources, with OpenAPI at /openapi.json and a page to try them at /docs.

Every error is an RFC 9457 problem document. The tenant of another caller answers exactly like one that does not exist.
"""

from __future__ import annotations

from importlib.metadata import version

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.storage.ops import Ops
from server.rest.catalog_routes import catalog_routes
from server.rest.error_responses import not_found, unreadable
from server.rest.examples import EXAMPLES
from server.rest.job_routes import job_routes
from server.rest.observability_routes import observability_routes
from server.rest.openapi import document, produces
from server.rest.owner.replay_routes import replay_routes
from server.rest.owner.source_routes import source_routes
from server.rest.result_routes import result_routes
from server.rest.semantic_layer_routes import explain_routes, query_routes, semantic_layer_routes
from server.serving.result_handles import Handles
from server.serving.runs.published_runs import PublishedRuns

ABOUT = """Governed marketing and commerce metrics, one tenant per token.

Send `Authorization: Bearer TOKEN`. Errors are problem documents (RFC 9457) whose `fix` names the step that works. What
depends on a published run carries an `ETag`: send it back as `If-None-Match`, and an unchanged answer is a 304. Long
lists come in pages: follow the `Link` header, or send `cursor`.
"""


def rest_app(runs: PublishedRuns, ops: Ops) -> FastAPI:
    """The REST API over published runs; `server.asgi.bearer_auth.RequireToken` around it authorizes callers."""
    app = FastAPI(
        title="gata",
        version=version("gata"),
        description=ABOUT,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        exception_handlers={RequestValidationError: unreadable, HTTPException: not_found},
    )
    app.add_api_route(
        "/health", _health, summary="Whether the server answers", tags=["operations"], **produces(EXAMPLES["health"])
    )
    app.include_router(job_routes(runs, ops))  # before the paths that take a tenant: /semantic-layer/update names none
    app.include_router(semantic_layer_routes(runs))
    handles = Handles(ops)
    app.include_router(query_routes(runs, handles))
    app.include_router(explain_routes(runs))
    app.include_router(result_routes(runs, handles))
    app.include_router(catalog_routes(runs, ops))
    app.include_router(observability_routes(runs, ops))
    app.include_router(source_routes(runs, ops))
    app.include_router(replay_routes(runs, ops))
    app.add_middleware(HeadAsGet)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]  # FastAPI's documented way
    return app


class HeadAsGet:
    """Middleware that answers HEAD with the headers of GET, except on event streams. Source: RFC 9110, 9.3.2."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD" or scope["path"].endswith("/events"):
            await self.app(scope, receive, send)
            return

        async def headers_only(message: Message) -> None:
            is_body = message["type"] == "http.response.body"
            await send({**message, "body": b""} if is_body else message)

        await self.app({**scope, "method": "GET"}, receive, headers_only)


async def _health() -> dict[str, str]:
    return {"status": "ok"}
