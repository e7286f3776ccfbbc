"""Sanitizing of business text for agents: removes invisible and control characters, and cuts long values.

A value may hold control characters, direction marks or invisible letters, inserted to hide text from people and show
it to a model. Source: Unicode Technical Report 36.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

LONGEST = 500
"""Characters of one value."""
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Control, format (zero width, direction, tags), surrogates, private use, unassigned, line and paragraph separators."""
_WHITE_SPACE = frozenset("\t\n\r\x0b\x0c\x85\u2028\u2029")


def plain_text(text: str, longest: int = LONGEST) -> str:
    """The text without invisible characters, cut to `longest` characters."""
    if not text.isprintable():
        visible = (
            " " if character in _WHITE_SPACE else character
            for character in text
            if character in _WHITE_SPACE or _is_visible(character)
        )
        text = "".join(visible)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def plain_rows(
    columns: Sequence[Mapping[str, str | None]], rows: Sequence[Sequence[Any]]
) -> tuple[list[Sequence[Any]], int]:  # Any: what a column holds
    """Sanitize every text of the rows; return them and the count of changed values."""
    plain, changed = list(rows), 0
    for index in (n for n, column in enumerate(columns) if column["type"] == "text"):
        for n, row in enumerate(plain):
            value = row[index]
            if not isinstance(value, str) or (value.isprintable() and len(value) <= LONGEST):
                continue
            if (text := plain_text(value)) != value:
                plain[n] = [*row[:index], text, *row[index + 1 :]]
                changed += 1
    return plain, changed


def changed_note(count: int) -> str:
    """The note about sanitized values for the reader of an answer."""
    return (
        f"{count} values hold invisible characters or are longer than {LONGEST}: these were left out."
        " Filter by such a value with contains or starts_with."
    )


def _is_visible(character: str) -> bool:
    return unicodedata.category(character) not in _HIDDEN
