"""Token budget of answers to agents: complete rows up to a number of tokens, and how many rows fit.

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
"""An answer of at most so many rows keeps within the budget; a caller that asks for more rows gets them."""


@dataclass(frozen=True)
class Picture:
    """A rendered chart."""

    mime: str
    data: bytes


@dataclass(frozen=True)
class Reply:
    """The result of a tool: compact JSON, the same as a structure, pictures and metadata."""

    text: str
    structured: dict[str, Any]  # Any: JSON values
    pictures: tuple[Picture, ...] = ()
    meta: dict[str, Any] | None = field(default=None)  # Any: JSON values, for the client alone


def reply(payload: Payload, **extras: Any) -> Reply:  # Any: the other fields of Reply
    """Build both halves of a reply from one text, which keeps every digit of a decimal."""
    from pydantic_core import from_json

    from semantic.answering.exact_json import to_json

    text = to_json(payload)
    return Reply(text, from_json(text), **extras)


def plain_payload(payload: Payload) -> Payload:
    """An answer without invisible characters in its texts, with a note where some were changed."""
    rows, changed = plain_rows(payload["columns"], payload["rows"])
    if not changed:
        return payload
    return {**payload, "rows": rows, "notes": [*payload["notes"], changed_note(changed)]}


def length_of_sql(payload: Mapping[str, Any]) -> int:  # Any: JSON values
    """The characters of the SQL in a payload: it comes on top of the budget, so that asking for it costs no rows."""
    from semantic.answering.exact_json import to_json

    return len(to_json(payload["sql"])) if payload.get("sql") else 0


def rows_within(payload: Mapping[str, Any], key: str = "rows") -> int:  # Any: JSON values
    """How many of the payload's rows, from the first and at least one, keep it within the budget; all where it is."""
    from semantic.answering.exact_json import to_json

    rows: Sequence[Any] = payload[key]
    remaining = CHARACTERS + length_of_sql(payload) - len(to_json({**payload, key: []}))
    for n, row in enumerate(rows):
        remaining -= len(to_json(row)) + 1
        if remaining < 0:
            return max(n, 1)
    return len(rows)
