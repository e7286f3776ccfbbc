"""References to the full result of an answer that was cut for an agent."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from semantic.planning.query import Query
    from server.serving.result_handles import Handles
    from server.serving.runs.open_run import OpenRun

FullResult = Callable[["OpenRun", "Query"], dict[str, Any]]  # Any: JSON values


def full_result_by_handle(handles: Handles) -> FullResult:
    """Over HTTP: a path of this server, readable with the tenant's token, for an hour."""
    return lambda run, query: handles.make(run.slug, run.run_id, _query_json(query)).to_dict()


def full_result_by_command(settings: Settings) -> FullResult:
    """Without an HTTP server: the command that writes the same rows to a file."""

    def full_result(run: OpenRun, query: Query) -> dict[str, Any]:  # Any: JSON values
        largest = query.model_copy(update={"limit": settings.query_rows})
        arguments = ["gata", "ask", "--tenant", run.slug, "--json", "--query", _query_json(largest, keep="limit")]
        return {"command": f"{shlex.join(arguments)} > answer.json", "most_rows": settings.query_rows}

    return full_result


def _query_json(query: Query, *, keep: str = "") -> str:
    """The query as JSON, without the fields about one page of its answer."""
    from semantic.planning.query import ABOUT_THE_ANSWER

    return query.model_dump_json(exclude=set(ABOUT_THE_ANSWER - {keep}), exclude_defaults=True)
