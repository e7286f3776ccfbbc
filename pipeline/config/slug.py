"""A tenant's slug: the name in its tables, files, folders and tokens. `slug_of` is the only constructor.

Tables of a star that others read are named `<kind>_<slug>__<name>`, whoever built them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from typing import NamedTuple, NewType

from pipeline.config.naming import identifier
from pipeline.errors import ConfigError, shorten

Slug = NewType("Slug", str)
"""Text that went through `slug_of`: safe in SQL, in paths and in dbt's templates."""

PUBLISHED = ("fct", "dim", "mart")
"""Kinds of tables that are published, and that the semantic layer finds."""
LENGTH = 40
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}


def slug_of(text: str) -> Slug:
    """The text as a slug.

    Raises:
        ConfigError: It is no valid slug; gives the reason.
    """
    quoted = repr(shorten(text, 80))
    if problem := identifier(text, LENGTH):
        raise ConfigError(
            f"slug {quoted} {problem}.",
            f"Use lower-case letters, digits and _, a letter first, at most {LENGTH} of them.",
        )
    if text in _DEVICES:
        raise ConfigError(f"slug {quoted} is the name of a device on Windows.", "Choose another slug.")
    if text.endswith("_staging"):
        raise ConfigError(f"slug {quoted} ends in _staging, as a schema of the loader does.", "Choose another slug.")
    return Slug(text)


def slugs_among(texts: Iterable[str]) -> Iterator[Slug]:
    """The valid slugs among texts, such as the names of a folder's entries."""
    for text in texts:
        with suppress(ConfigError):
            yield slug_of(text)


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
