"""A tenant's slug: the name in its tables, files, folders and tokens. `slug_of` is the only constructor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NewType

from pipeline.config.naming import identifier
from pipeline.errors import ConfigError, shorten

Slug = NewType("Slug", str)
"""Text that went through `slug_of`: safe in SQL, in paths and in dbt's templates."""

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
