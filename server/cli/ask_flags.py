"""Flags of `gata ask` as the query that every other interface takes too."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.errors import QueryError, shorten
from server.cli.filter_text import read_filter

if TYPE_CHECKING:
    from semantic.planning.query import Query

STDIN = "-"
_EXAMPLE = """Write one such as '{"metrics": ["spend"], "dimensions": ["date"]}', or - to read it from stdin."""


def query_of(text: str | None, flags: Mapping[str, Any], *, include_sql: bool) -> Query:  # Any: parts of a query
    """The query of `--query`, or else the one of the other options.

    Args:
        flags: The parts of a query by their names; empty where nothing was typed.

    Raises:
        QueryError: Both were typed, or it is no query; says what to write instead.
    """
    from semantic.planning.query import read_query

    parts = {name: value for name, value in flags.items() if value is not None and value is not False and value != []}
    if text is not None and parts:
        raise QueryError(f"--query is given, and {' and '.join(parts)} beside it.", "Write everything into --query.")
    if text is None and "metrics" not in parts:
        raise QueryError(
            "There is no metric to ask for.", "Name one or more with --metrics; `gata metrics` lists them."
        )
    sent = parts if text is None else _read_json(sys.stdin.read() if text == STDIN else text)
    return read_query({**sent, "include_sql": True} if include_sql else sent)


def split_names(typed: Sequence[str] | None) -> list[str]:
    """The names of an option that may be repeated; each value may hold several, separated by commas."""
    return [name.strip() for text in typed or () for name in text.split(",") if name.strip()]


def filters(typed: Sequence[str] | None) -> list[dict[str, Any]]:  # Any: filters as callers send them in JSON
    """The filters of `--filter`, each read from its text."""
    return [read_filter(text) for text in typed or ()]


def time_range(name: str | None, start: str | None, end: str | None) -> str | dict[str, str | None] | None:
    """The days between `--from` and `--to`, or the ones that `--range` names.

    Raises:
        QueryError: Both were typed.
    """
    if name and (start or end):
        raise QueryError(f"--range {name} is given, and --from or --to beside it.", "Use the one or the other.")
    return name or ({"start": start, "end": end} if start or end else None)


def _read_json(text: str) -> dict[str, Any]:  # Any: whatever was typed; read_query checks it
    try:
        sent = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise QueryError(f"--query is not JSON: {shorten(str(error))}.", _EXAMPLE) from error
    if not isinstance(sent, dict):
        raise QueryError(f"--query is {shorten(text, 80)!r}, which is no JSON object.", _EXAMPLE)
    return sent
