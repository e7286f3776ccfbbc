"""Errors over HTTP as RFC 9457 problem details, with the same two sentences as every interface."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import JSONResponse

from pipeline.errors import AccessError, GataError, QueryError, QueueFull, RequestRefused, RunGone, Taken


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


_STATUSES: tuple[tuple[type[GataError], int], ...] = (
    (AccessError, 404),
    (Taken, 409),
    (RunGone, 410),
    (QueueFull, 429),
    (QueryError, 422),
)
"""The first match applies."""


def status_of(error: GataError) -> int | None:
    """The status of an error that the caller can repair; None for one that only the operator can."""
    if isinstance(error, RequestRefused):
        return error.status
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), None)
