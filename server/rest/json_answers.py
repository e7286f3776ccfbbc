"""JSON answers of REST routes with entity tags: an unchanged answer is a 304."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING

from fastapi import Request, Response

from pipeline.config.slug import Slug
from server.rest.error_responses import CLIENT_GONE, while_connected
from server.serving.runs.open_run import OpenRun
from server.serving.runs.published_runs import PublishedRuns
from server.serving.runs.run_call import Work, run_call

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def json_response(payload: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response that keeps every digit of a decimal."""
    from semantic.answering.exact_json import to_json

    return Response(to_json(payload), status, dict(headers or {}), media_type="application/json")


def etag_of(*parts: object) -> str:
    """The entity tag of a response that depends on these parts and on this version of the program."""
    text = json.dumps([version("gata"), *parts], default=str)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:24]}"'


def run_etag(run: OpenRun, *parts: object) -> str:
    """The entity tag of a response that depends on a run, its definitions and the personal names it shows."""
    return etag_of(run.slug, run.run_id, run.model.definitions, sorted(run.exposed), run.note, *parts)


def is_known_tag(request: Request, etag: str) -> bool:
    """Whether the caller already holds the response with this tag. Source: RFC 9110, 13.1.2."""
    known = [part.strip().removeprefix("W/") for part in ",".join(request.headers.getlist("if-none-match")).split(",")]
    return etag in known or "*" in known


def tagged_response(request: Request, payload: object, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response tagged by its own content; 304 without a body when the caller has it."""
    from semantic.answering.exact_json import to_json

    text = to_json(payload)
    etag = etag_of(text)
    if is_known_tag(request, etag):
        return unchanged(etag)
    return Response(text, headers={**(headers or {}), **_revalidated(etag)}, media_type="application/json")


def unchanged(etag: str) -> Response:
    """A 304 response: what the caller holds is current."""
    return Response(status_code=304, headers=_revalidated(etag))


def _revalidated(etag: str) -> dict[str, str]:
    return {"etag": etag, "cache-control": "private, no-cache", "vary": "Authorization, Accept"}


async def answer_of_run(request: Request, runs: PublishedRuns, slug: Slug, work: Work[object]) -> Response:
    """The result of `work` on the tenant's newest run, tagged by that run; 304, and no work, when the caller has it."""

    def unless_known(run: OpenRun, cursor: DuckDBPyConnection) -> tuple[str, object]:
        etag = run_etag(run)
        return etag, None if is_known_tag(request, etag) else work(run, cursor)

    result = await while_connected(request, run_call(runs, slug, unless_known))
    if result is None:
        return Response(status_code=CLIENT_GONE)
    etag, payload = result
    if payload is None:
        return unchanged(etag)
    answer = payload if isinstance(payload, Response) else json_response(payload)
    answer.headers.update(_revalidated(etag))
    return answer
