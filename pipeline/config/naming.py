"""Rules for names and lines of text, so that both are safe in SQL, file names and dbt templates."""

from __future__ import annotations

import re

_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")
_TEMPLATE = ("{{", "{%", "{#")


def identifier(name: str, length: int) -> str | None:
    """The reason why `name` is no identifier, as the end of a sentence; None when it is one."""
    if not _IDENTIFIER.fullmatch(name):
        return "is not a safe name"
    return "is too long" if len(name) > length else None


def free_text(text: str, length: int) -> str | None:
    """The reason why `text` is not one line of free text; None when it is."""
    if not text.strip():
        return "it is blank"
    if len(text) > length:
        return f"it is longer than {length} characters"
    if not text.isprintable():
        return "it has a control character or a line break"
    openings = [opening for opening in _TEMPLATE if opening in text]
    return f"it has {openings[0]}, which dbt takes for a template" if openings else None
