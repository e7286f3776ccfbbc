"""A filter as it is typed: `ad_platform=facebook_ads`, `spend>100`, `campaign_name contains spring`."""

from __future__ import annotations

import re
from typing import Any

from pipeline.errors import QueryError, shorten

_SIGN = re.compile(r"\s*(\w+)\s*(==|!=|<>|>=|<=|=|>|<)\s*(.*)", re.DOTALL)
_WORD = re.compile(
    r"\s*(\w+)\s+(is\s+not\s+null|is\s+null|not\s+in|in|contains|starts[\s_]with|between)\b\s*(.*)",
    re.DOTALL | re.IGNORECASE,
)
_AND = re.compile(r"\s+and\s+", re.IGNORECASE)
_ITEM = re.compile(r"""(\s*"[^"]*"\s*|\s*'[^']*'\s*|[^|]*)(?:\||$)""")
_QUOTES = "\"'"
_SAME = {"==": "=", "<>": "!="}
_OF_SEVERAL = {"=": "in", "!=": "not_in"}
_EXAMPLES = "Write one such as 'ad_platform=facebook_ads|google_ads', 'spend>100' or 'campaign_name contains spring'."


def read_filter(text: str) -> dict[str, Any]:  # Any: a filter as callers send it in JSON
    """The filter that a text stands for; `|` stands between the values of a list, quotes keep it in a value.

    Raises:
        QueryError: The text is no condition, or its values do not go with its operator.
    """
    match = _WORD.fullmatch(text) or _SIGN.fullmatch(text)
    if match is None:
        raise QueryError(f"--filter {shorten(text, 80)!r} is not a condition.", _EXAMPLES)
    name, said, rest = match.groups()
    op = "_".join(said.lower().split())
    if op in ("is_null", "is_not_null"):
        if rest:
            raise QueryError(f"--filter {shorten(text, 80)!r} goes on after {said}.", "Leave the rest out.")
        return {"name": name, "op": op}
    if not rest:
        fix = f"Write it behind {said}; for rows without a value write '{name} is null'."
        raise QueryError(f"--filter {shorten(text, 80)!r} has no value.", fix)
    if op == "between":
        return {"name": name, "op": op, "value": [_one(end) for end in _AND.split(rest)]}
    if op in ("in", "not_in"):
        return {"name": name, "op": op, "value": _several(rest)}
    op = _SAME.get(op, op)
    values = _several(rest) if op in _OF_SEVERAL else [_one(rest)]
    if len(values) > 1:
        return {"name": name, "op": _OF_SEVERAL[op], "value": values}
    return {"name": name, "op": op, "value": values[0]}


def _several(text: str) -> list[str]:
    """The values between `|`."""
    found, place = [], 0
    while place < len(text):
        match = _ITEM.match(text, place)
        assert match is not None  # noqa: S101  # the pattern matches any text
        found.append(_one(match[1]))
        place = match.end()
    return found


def _one(text: str) -> str:
    """A value without the quotes around it."""
    text = text.strip()
    is_quoted = len(text) > 1 and text[0] == text[-1] and text[0] in _QUOTES
    return text[1:-1] if is_quoted else text
