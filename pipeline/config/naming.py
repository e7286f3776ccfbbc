"""What a name and a line of text may be, so that both are safe in SQL, file names and dbt templates."""

from __future__ import annotations

import re

_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")
_TEMPLATE = ("{{", "{%", "{#")


def identifier(name: str, length: int) -> str | None:
    """What keeps `name` from being an identifier, as the end of a sentence; None when nothing does."""
    if not _IDENTIFIER.fullmatch(name):
        return "is not a safe name"
    return "is too long" if len(name) > length else None


def free_text(text: str, length: int) -> str | None:
    """What keeps `text` from being one line of free text."""
    if not text.strip():
        return "it is blank"
    if len(text) > length:
        return f"it is longer than {length} characters"
    if not text.isprintable():
        return "it has a control character or a line break"
    found = [mark for mark in _TEMPLATE if mark in text]
    return f"it has {found[0]}, which dbt takes for a template" if found else None
