"""Quotes text that a caller sent for error messages, and checks that it can be encoded."""

from __future__ import annotations

from pipeline.errors import shorten


def quote_input(value: object) -> str:
    """Quote a value that a caller sent, shortened; describes numbers of thousands of digits and deep nesting."""
    try:
        return shorten(repr(value), 80)
    except ValueError:
        return "a number of too many digits"
    except RecursionError:
        return "something nested too deeply"


def is_text(text: str) -> bool:
    """Whether the text can be encoded as UTF-8: half of a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
