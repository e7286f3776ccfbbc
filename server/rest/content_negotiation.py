"""Content negotiation: JSON, CSV, Arrow or Parquet, by the Accept header or the parameter `format`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.errors import RequestRefused
from server.serving.result_formats import MEDIA


def choose_format(accept: Sequence[str], named: str | None = None) -> str:
    """The format of an answer: the named one, else the one with the highest quality in the Accept headers.

    Raises:
        RequestRefused: 406, no format is acceptable.
    """
    if named is not None:
        if named in MEDIA:
            return named
        raise _not_acceptable(f"There is no format named {named[:40]!r}.")
    ranges = list(_ranges(",".join(accept)))
    if not ranges:
        return next(iter(MEDIA))
    qualities = {name: _quality(media, ranges) for name, media in MEDIA.items()}
    best = max(qualities, key=lambda name: qualities[name])  # the first of equals
    if qualities[best] <= 0:
        raise _not_acceptable("Nothing that the Accept header takes is offered here.")
    return best


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    """Each media range of an Accept header, lower case, and its quality, 0 to 1. Source: RFC 9110, 12.5.1."""
    for part in accept.split(","):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if not media:
            continue
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                quality = _quality_value(value.strip())
        yield media, quality


def _quality_value(text: str) -> float:
    try:
        return min(1.0, max(0.0, float(text)))
    except ValueError:
        return 0.0


def _quality(media: str, ranges: Sequence[tuple[str, float]]) -> float:
    """The quality of a media type: that of the most precise range that matches it."""
    for pattern in (media, f"{media.partition('/')[0]}/*", "*/*"):
        if matching := [quality for name, quality in ranges if name == pattern]:
            return max(matching)
    return 0.0


def _not_acceptable(what: str) -> RequestRefused:
    return RequestRefused(406, what, f"Accept one of: {', '.join(MEDIA.values())}; or name one of: {', '.join(MEDIA)}.")
