"""Token budget of an explanation: fewer members are listed one by one until all of it fits; none is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from server.serving.plain_text import plain_text

if TYPE_CHECKING:
    from semantic.answering.explain.explanation import Explanation

TOKENS = 1_500
CHARACTERS = 3 * TOKENS
"""JSON of names and numbers has three characters a token."""
MOST_NOTES = 4
LONGEST_TEXT = 300
"""Characters of a note or of a filter's value."""
LONGEST_NAME = 60
_STEPS = ((10, MOST_NOTES), (7, MOST_NOTES), (5, 3), (3, 2), (3, 1), (1, 0))
"""Members and notes that are listed, the first that fit."""


def explanation_within(explained: Explanation, *, note: str | None = None) -> dict[str, Any]:  # Any: JSON values
    """The explanation for callers: its texts without invisible characters, and as many members as fit the budget."""
    from semantic.answering.exact_json import to_json

    payload: dict[str, Any] = {}  # Any: as above
    for members, notes in _STEPS:
        payload = _plain(explained.to_dict(members, notes))
        if note:
            payload["notes"] = [note, *payload["notes"]]
        if len(to_json(payload)) <= CHARACTERS:
            return payload
    payload["filters"] = f"{len(payload['filters'])} filters, as sent"
    return payload


def _plain(payload: dict[str, Any]) -> dict[str, Any]:  # Any: as above
    rows = [[_shown(row[0], LONGEST_NAME), *row[1:]] for row in payload["rows"]]
    notes = [plain_text(text, LONGEST_TEXT) for text in payload["notes"]]
    filters = [{**each, "value": _shown_values(each["value"])} for each in payload["filters"]]
    return {**payload, "rows": rows, "notes": notes, "filters": filters}


def _shown(value: object, longest: int) -> object:
    return plain_text(value, longest) if isinstance(value, str) else value


def _shown_values(value: object) -> object:
    return [_shown(each, LONGEST_TEXT) for each in value] if isinstance(value, list) else _shown(value, LONGEST_TEXT)
