"""References to the full result of an answer that was cut for an agent."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pipeline.bug_reports import event_logger
from pipeline.errors import ConfigError, StateError

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from semantic.planning.query import Query
    from server.serving.result_handles import Handles
    from server.serving.runs.open_run import OpenRun

FullResult = Callable[["OpenRun", "Query"], dict[str, Any]]  # Any: JSON values
"""The part of an answer that says where all its rows are: under `full_result`; empty where that cannot be had now."""


def full_result_by_handle(handles: Handles) -> FullResult:
    """Over HTTP: a path of this server, readable with the tenant's token, for an hour.

    Without room or access to ops.sqlite the answer goes out without it: the rows that were asked for are there.
    """

    def full_result(run: OpenRun, query: Query) -> dict[str, Any]:  # Any: JSON values
        try:
            handle = handles.make(run.slug, run.run_id, _query_json(query))
        except (StateError, ConfigError) as error:
            event_logger().warning("full_result_left_out", tenant=run.slug, reason=error.what)
            return {}
        return {"full_result": handle.to_dict()}

    return full_result


def full_result_by_command(settings: Settings) -> FullResult:
    """Without an HTTP server: the command that writes the same rows to a file."""

    def full_result(run: OpenRun, query: Query) -> dict[str, Any]:  # Any: JSON values
        largest = query.model_copy(update={"limit": settings.query_rows})
        arguments = ["gata", "ask", "--tenant", run.slug, "--json", "--query", _query_json(largest, keep="limit")]
        command = f"{shlex.join(arguments)} > answer.json"
        return {"full_result": {"command": command, "most_rows": settings.query_rows}}

    return full_result


def _query_json(query: Query, *, keep: str = "") -> str:
    """The query as JSON, without the fields about one page of its answer."""
    from semantic.planning.query import ABOUT_THE_ANSWER

    return query.model_dump_json(exclude=set(ABOUT_THE_ANSWER - {keep}), exclude_defaults=True)
