"""Text that a caller sent: how an error repeats it, and whether it can be written down at all."""

from __future__ import annotations

from pipeline.errors import shorten


def quote_input(value: object) -> str:
    """What a caller sent, as an error repeats it; a number of thousands of digits cannot be written out."""
    try:
        return shorten(repr(value), 80)
    except ValueError:
        return "a number of too many digits"
    except RecursionError:
        return "something nested too deeply"


def is_text(text: str) -> bool:
    """Whether it can be written down: half of a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
