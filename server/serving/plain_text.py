"""Text of the business as an agent may read it: what is invisible or steers a screen is left out, what is long is cut.

A value is data: it may hold control characters, marks that turn the direction of text, or letters nobody sees, put
there to hide words from people and show them to a model. Source: Unicode Technical Report 36.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

LONGEST = 500
"""Characters of one value."""
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Control, format (zero width, direction, tags), surrogates, private use, unassigned, line and paragraph separators."""
_SPACES = frozenset("\t\n\r\x0b\x0c\x85\u2028\u2029")


def plain_text(text: str, longest: int = LONGEST) -> str:
    """The text without what nobody sees; cut where it is longer than `longest`."""
    if not text.isprintable():
        kept = (" " if sign in _SPACES else sign for sign in text if sign in _SPACES or _is_seen(sign))
        text = "".join(kept)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def plain_rows(
    columns: Sequence[Mapping[str, str | None]], rows: Sequence[Sequence[Any]]
) -> tuple[list[Sequence[Any]], int]:  # Any: what a column holds
    """The rows with every text made plain, and how many values that changed."""
    found, changed = list(rows), 0
    for place in (n for n, column in enumerate(columns) if column["type"] == "text"):
        for n, row in enumerate(found):
            value = row[place]
            if not isinstance(value, str) or (value.isprintable() and len(value) <= LONGEST):
                continue
            if (said := plain_text(value)) != value:
                found[n] = [*row[:place], said, *row[place + 1 :]]
                changed += 1
    return found, changed


def changed_note(count: int) -> str:
    """What to tell whoever reads values that were made plain."""
    return (
        f"{count} values hold invisible characters or are longer than {LONGEST}: these were left out."
        " Filter by such a value with contains or starts_with."
    )


def _is_seen(sign: str) -> bool:
    return unicodedata.category(sign) not in _HIDDEN
