"""Routes for a tenant's own people: check a file, upload it, see what was kept out.

    POST /sources/check?file=NAME     what the file is, what of it would land, what would not and why
    POST /sources/upload?file=NAME    the same, and the file is kept where a source of the tenant reads it
    GET  /quarantine                  what was kept out of the tenant's data, with the values

The body is the file itself. It is written to a folder of its own as it comes, under its name, and removed afterwards.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import anyio
import anyio.to_thread
from fastapi import APIRouter, Query, Request, Response
from starlette.requests import ClientDisconnect

from pipeline.errors import QueryError
from pipeline.settings import Settings
from pipeline.storage.ops import Ops
from server.orchestration.uploads.brought_file import LONGEST_NAME, check_size, checked_name
from server.orchestration.uploads.file_check import report_on_files
from server.orchestration.uploads.upload import upload
from server.rest.dependencies import Owner, OwnerOrAdmin
from server.rest.error_responses import CLIENT_GONE, Guarded
from server.rest.examples import EXAMPLES
from server.rest.json_answers import json_response, tagged_response
from server.rest.openapi import OWNER, OWNER_OR_ADMIN, produces
from server.rest.pagination import Cursor, Limit, link, page
from server.serving.access import tenant_of
from server.serving.runs import observability
from server.serving.runs.published_runs import PublishedRuns

Payload = dict[str, Any]  # Any: JSON values

CHECK, UPLOAD = "/sources/check", "/sources/upload"
FILE_PATHS = (CHECK, UPLOAD)
"""Routes whose body is a file: it is streamed, and never parsed."""
AT_ONCE = 2
"""Files that one process reads at the same time; others wait."""

FileName = Annotated[
    str,
    Query(
        alias="file",
        min_length=1,
        max_length=LONGEST_NAME,
        description="The file's name, whose ending says its format: .json, .jsonl, .csv, .parquet, .gz, .zip.",
        examples=["orders_2026-11.csv"],
    ),
]
_BODY: Payload = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {
                "schema": {"type": "string", "format": "binary", "description": "The file, as it is."},
                "examples": {"example": {"value": "id,created_at,total_price\n"}},
            }
        },
    }
}
_FRESH = {"cache-control": "no-store"}


def source_routes(runs: PublishedRuns, ops: Ops) -> APIRouter:
    """Routes of files that people bring; each needs the scope owner, a check also takes admin."""
    routes = APIRouter(route_class=Guarded)
    limiter = anyio.CapacityLimiter(AT_ONCE)
    settings = runs.settings

    @routes.post(
        CHECK, summary="What a file is", tags=[OWNER_OR_ADMIN], openapi_extra=_BODY, **produces(EXAMPLES["file_check"])
    )
    async def check(request: Request, _: OwnerOrAdmin, *, name: FileName) -> Response:
        """What the file is, what of it would land, what would not and why; nothing is kept.

        `tenants_yaml` has the lines that read it from a folder `exports` beside tenants.yaml.
        """
        try:
            async with _received(request, name, settings) as file:
                base = file.parent.parent
                report = await anyio.to_thread.run_sync(_checked, file, base, limiter=limiter)
        except ClientDisconnect:
            return Response(status_code=CLIENT_GONE)
        return json_response(report, headers=_FRESH)

    @routes.post(
        UPLOAD, summary="Bring a file", tags=[OWNER], openapi_extra=_BODY, **produces(EXAMPLES["upload"], status=201)
    )
    async def bring(request: Request, caller: Owner, *, name: FileName) -> Response:
        """Check a file, and keep it where a source of the tenant reads it; the next build lands it.

        A file of which no record would land is refused with the reason. The same content again changes nothing, and
        gives the name that it has (200).
        """
        slug = tenant_of(caller)
        try:
            async with _received(request, name, settings) as file:
                kept, is_new = await anyio.to_thread.run_sync(upload, file, name, slug, settings, limiter=limiter)
        except ClientDisconnect:
            return Response(status_code=CLIENT_GONE)
        return json_response(kept, 201 if is_new else 200, _FRESH)

    @routes.get("/quarantine", summary="What was kept out", tags=[OWNER], **produces(EXAMPLES["own_quarantine"]))
    def quarantine(request: Request, caller: Owner, *, limit: Limit = 100, cursor: Cursor = None) -> Response:
        """By file and reason, newest first, with the values that the reasons quote."""
        rows = observability.quarantine_of(tenant_of(caller), ops, with_values=caller.sees_values)
        listed, next_cursor = page(rows, limit, cursor, of=f"own quarantine {len(rows)}")
        total = sum(row["count"] for row in rows)
        answer = {"quarantine": listed, "total": total, "cursor": next_cursor}
        return tagged_response(request, answer, link(request, next_cursor))

    return routes


@asynccontextmanager
async def _received(request: Request, name: str, settings: Settings) -> AsyncIterator[Path]:
    """The body as a file under its name, in a folder `exports` that is removed afterwards.

    Raises:
        QueryError: The name is none, the file is empty, or it unpacks to far more than a request may hold.
        RequestRefused: It is too large, or does not come in time.
    """
    checked_name(name)
    with TemporaryDirectory(prefix="gata-file-") as folder:
        file = Path(folder, "exports", name)
        file.parent.mkdir()
        size = 0
        async with await anyio.open_file(file, "wb") as content:
            async for part in request.stream():
                size += await content.write(part)
        if not size:
            raise QueryError("There is no file in the body.", "Send the file itself: curl --data-binary @FILE.")
        await anyio.to_thread.run_sync(check_size, file, settings.body_limit_bytes)
        yield file


def _checked(file: Path, base: Path) -> Payload:
    """The report on a file; it is called by its name, and lies in no folder of the server."""
    report = report_on_files([file], base)
    for each in report["files"]:
        each["file"] = str(Path(each["file"]).relative_to(file.parent))
    return report
