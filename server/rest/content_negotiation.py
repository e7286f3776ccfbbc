"""In which form rows leave: JSON, CSV, Arrow or Parquet, as the caller's Accept header, or `format`, says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.errors import RequestRefused
from server.serving.result_formats import MEDIA


def choose_format(accept: Sequence[str], named: str | None = None) -> str:
    """The format to answer in: the named one, else the one that the Accept headers like best.

    Raises:
        RequestRefused: 406, none of them will do.
    """
    if named is not None:
        if named in MEDIA:
            return named
        raise _none(f"There is no format named {named[:40]!r}.")
    ranges = list(_ranges(",".join(accept)))
    if not ranges:
        return next(iter(MEDIA))
    liked = {name: _liking(media, ranges) for name, media in MEDIA.items()}
    best = max(liked, key=lambda name: liked[name])  # of equals the first
    if liked[best] <= 0:
        raise _none("Nothing that the Accept header takes is offered here.")
    return best


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    """Each media range of an Accept header, lower case, and how much it is liked, 0 to 1. Source: RFC 9110, 12.5.1."""
    for part in accept.split(","):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if not media:
            continue
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                quality = _number(value.strip())
        yield media, quality


def _number(text: str) -> float:
    try:
        return min(1.0, max(0.0, float(text)))
    except ValueError:
        return 0.0


def _liking(media: str, ranges: Sequence[tuple[str, float]]) -> float:
    """How much a media type is liked: as the most precise range that fits says."""
    for fitting in (media, f"{media.partition('/')[0]}/*", "*/*"):
        if found := [quality for name, quality in ranges if name == fitting]:
            return max(found)
    return 0.0


def _none(what: str) -> RequestRefused:
    return RequestRefused(406, what, f"Accept one of: {', '.join(MEDIA.values())}; or name one of: {', '.join(MEDIA)}.")
