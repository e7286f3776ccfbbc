"""The tools as HTTP resources, with OpenAPI at /openapi.json and pages to try them at /docs.

Every error is an RFC 9457 problem document. A tenant that is not the caller's answers exactly like one that is not
there.
"""

from __future__ import annotations

from importlib.metadata import version

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.runs import Ops
from server.published import PublishedRuns
from server.routes.catalog import house
from server.routes.doorway import missing, unreadable
from server.routes.handles import Handles
from server.routes.jobs import admins
from server.routes.layer import questions, semantic_layer
from server.routes.observability import observability
from server.routes.openapi import SAMPLES, document, produces
from server.routes.results import whole_results

ABOUT = """Governed marketing and commerce metrics, one tenant per token.

Send `Authorization: Bearer TOKEN`. Errors are problem documents (RFC 9457) whose `fix` names the step that works. What
depends on a published run carries an `ETag`: send it back as `If-None-Match`, and an unchanged answer is a 304. Long
lists come in pages: follow the `Link` header, or send `cursor`.
"""


def rest_app(runs: PublishedRuns, ops: Ops) -> FastAPI:
    """The REST API over published runs. Who may enter is decided around it, by `server.doors.bearer.RequireToken`."""
    app = FastAPI(
        title="gata",
        version=version("gata"),
        description=ABOUT,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        exception_handlers={RequestValidationError: unreadable, HTTPException: missing},
    )
    app.add_api_route(
        "/health", _health, summary="Whether the server answers", tags=["operations"], **produces(SAMPLES["health"])
    )
    app.include_router(admins(runs, ops))  # before the paths that take a tenant: /semantic-layer/update names none
    app.include_router(semantic_layer(runs))
    handles = Handles(ops)
    app.include_router(questions(runs, handles))
    app.include_router(whole_results(runs, handles))
    app.include_router(house(runs, ops))
    app.include_router(observability(runs, ops))
    app.add_middleware(HeadAsGet)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]  # FastAPI's documented way
    return app


class HeadAsGet:
    """Answers HEAD with the headers that GET would have. An event stream has none to tell. Source: RFC 9110, 9.3.2."""

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
