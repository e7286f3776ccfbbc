"""Errors over HTTP as RFC 9457 problem details: the same two sentences every door gives."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import JSONResponse

from pipeline.errors import AccessError, GataError, QueryError, QueueFull


class ProblemResponse(JSONResponse):
    media_type = "application/problem+json"


def problem(
    status: int, detail: str, fix: str, *, headers: Mapping[str, str] | None = None, **extra: object
) -> ProblemResponse:
    """A problem document: `detail` says what is wrong, `fix` names the step that works."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "fix": fix,
        **extra,
    }
    return ProblemResponse(body, status, dict(headers or {}))


def status_of(error: GataError) -> int | None:
    """The status of an error the caller can repair; None for one that only the operator can."""
    if isinstance(error, AccessError):
        return 404
    if isinstance(error, QueueFull):
        return 429
    return 422 if isinstance(error, QueryError) else None
