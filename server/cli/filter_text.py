"""Filters as they are typed: `ad_platform=facebook_ads`, `spend>100`, `campaign_name contains spring`."""

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
    name, sign, rest = match.groups()
    op = "_".join(sign.lower().split())
    if op in ("is_null", "is_not_null"):
        if rest:
            raise QueryError(f"--filter {shorten(text, 80)!r} goes on after {sign}.", "Leave the rest out.")
        return {"name": name, "op": op}
    if not rest:
        fix = f"Write it behind {sign}; for rows without a value write '{name} is null'."
        raise QueryError(f"--filter {shorten(text, 80)!r} has no value.", fix)
    if op == "between":
        return {"name": name, "op": op, "value": [_unquote(end) for end in _AND.split(rest)]}
    if op in ("in", "not_in"):
        return {"name": name, "op": op, "value": _split_values(rest)}
    op = _SAME.get(op, op)
    values = _split_values(rest) if op in _OF_SEVERAL else [_unquote(rest)]
    if len(values) > 1:
        return {"name": name, "op": _OF_SEVERAL[op], "value": values}
    return {"name": name, "op": op, "value": values[0]}


def _split_values(text: str) -> list[str]:
    """Split a list into its values at `|`."""
    values, position = [], 0
    while position < len(text):
        match = _ITEM.match(text, position)
        assert match is not None  # noqa: S101  # the pattern matches any text
        values.append(_unquote(match[1]))
        position = match.end()
    return values


def _unquote(text: str) -> str:
    """Remove the quotes around a value."""
    text = text.strip()
    is_quoted = len(text) > 1 and text[0] == text[-1] and text[0] in _QUOTES
    return text[1:-1] if is_quoted else text
