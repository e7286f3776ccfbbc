"""What is typed behind `gata ask`, as the query that every other door takes too."""

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
    """The query of `--query`, or else the one that the other options make.

    Args:
        flags: The parts of a query by their names; empty where nothing was typed.

    Raises:
        QueryError: Both were typed, or it is no query; says what to write instead.
    """
    from semantic.planning.query import read_query

    given = {name: value for name, value in flags.items() if value is not None and value is not False and value != []}
    if text is not None and given:
        raise QueryError(f"--query is given, and {' and '.join(given)} beside it.", "Write everything into --query.")
    if text is None and "metrics" not in given:
        raise QueryError(
            "There is no metric to ask for.", "Name one or more with --metrics; `gata metrics` lists them."
        )
    sent = given if text is None else _read_json(sys.stdin.read() if text == STDIN else text)
    return read_query({**sent, "include_sql": True} if include_sql else sent)


def split_names(typed: Sequence[str] | None) -> list[str]:
    """The names of an option that may be repeated, and whose every value may hold several between commas."""
    return [name.strip() for text in typed or () for name in text.split(",") if name.strip()]


def filters(typed: Sequence[str] | None) -> list[dict[str, Any]]:  # Any: filters as callers send them in JSON
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
