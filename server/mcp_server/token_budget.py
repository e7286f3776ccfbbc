"""An answer within an agent's budget: whole rows up to so many tokens, and a sentence about what was left out.

Both halves of a tool's result are made here, off the event loop and from one text, so that they cannot differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from server.serving.plain_text import changed_note, plain_rows

if TYPE_CHECKING:
    from server.serving.tools import Payload

TOKENS = 8_000
CHARACTERS = 3 * TOKENS
"""JSON of names and numbers has three characters a token; prose has four."""
ROWS = 100
"""An answer of at most so many rows keeps within the budget; whoever asks for more rows gets them."""


@dataclass(frozen=True)
class Picture:
    """A chart, drawn."""

    mime: str
    data: bytes


@dataclass(frozen=True)
class Reply:
    """What a tool gives: compact JSON, the same as a structure, and what stands beside them."""

    text: str
    structured: dict[str, Any]  # Any: JSON values
    pictures: tuple[Picture, ...] = ()
    meta: dict[str, Any] | None = field(default=None)  # Any: JSON values, for the client's own eyes


def reply(payload: Payload, **beside: Any) -> Reply:  # Any: the other fields of Reply
    """Both halves from one text, which keeps every digit of a decimal."""
    from pydantic_core import from_json

    from semantic.answering.exact_json import to_json

    text = to_json(payload)
    return Reply(text, from_json(text), **beside)


def plain_payload(payload: Payload) -> Payload:
    """An answer whose texts hold nothing invisible, and say so where they did."""
    rows, changed = plain_rows(payload["columns"], payload["rows"])
    if not changed:
        return payload
    return {**payload, "rows": rows, "notes": [*payload["notes"], changed_note(changed)]}


def rows_within(payload: Mapping[str, Any], key: str = "rows") -> int:  # Any: JSON values
    """How many of the payload's rows, from the first and at least one, keep it within the budget; all where it is."""
    from semantic.answering.exact_json import to_json

    rows: Sequence[Any] = payload[key]
    left = CHARACTERS - len(to_json({**payload, key: []}))
    for n, row in enumerate(rows):
        left -= len(to_json(row)) + 1
        if left < 0:
            return max(n, 1)
    return len(rows)
