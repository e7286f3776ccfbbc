"""Spans of adjacent days."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

Span = tuple[date, date]
"""The first and the last of adjacent days."""


def joined_spans(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Join spans that overlap or follow each other; sorted."""
    joined: list[Span] = []
    for first, last in sorted(spans):
        if joined and (first - joined[-1][1]).days <= 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return tuple(joined)
