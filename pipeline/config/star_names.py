"""Names of the tables of a tenant's star that others read: `<kind>_<slug>__<name>`, whoever built them."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from pipeline.config.slug import Slug

PUBLISHED = ("fct", "dim", "mart")
"""Kinds of tables that are published, and that the semantic layer finds."""


class StarName(NamedTuple):
    """A table's name, taken apart."""

    full: str
    kind: str
    """One of `PUBLISHED`."""
    short: str
    """Without its kind and the tenant's slug, such as orders."""


def star_name(table: str, slug: Slug) -> StarName | None:
    """The name of a published table of a tenant; None where it is another tenant's, or a step between."""
    match = _pattern(slug).fullmatch(table)
    return StarName(table, match[1], match[2]) if match else None


def published_names(slug: Slug, name: str, word: str) -> str:
    """The full names of a table of each kind as a part of a sentence; `word` is and, or or."""
    *first, last = (f"{kind}_{slug}__{name}" for kind in PUBLISHED)
    return f"{', '.join(first)} {word} {last}"


@cache
def _pattern(slug: Slug) -> re.Pattern[str]:
    return re.compile(rf"({'|'.join(PUBLISHED)})_{re.escape(slug)}__(\w+)")
