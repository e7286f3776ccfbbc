"""Where the whole of an answer is to be had of which an agent was shown a part."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from semantic.planning.query import Query
    from server.serving.result_handles import Handles
    from server.serving.runs.published_runs import OpenRun

FullResult = Callable[["OpenRun", "Query"], dict[str, Any]]  # Any: JSON values


def full_result_by_handle(handles: Handles) -> FullResult:
    """Over HTTP: a path of this server, for whoever holds the tenant's token, for an hour."""
    return lambda run, query: handles.make(run.slug, run.run_id, _all_of(query)).to_dict()


def full_result_by_command(settings: Settings) -> FullResult:
    """Where there is no server to fetch it from: the command that writes the same rows to a file."""

    def whole(run: OpenRun, query: Query) -> dict[str, Any]:  # Any: JSON values
        asked = query.model_copy(update={"limit": settings.query_rows})
        words = ["gata", "ask", "--tenant", run.slug, "--json", "--query", _all_of(asked, keep="limit")]
        return {"command": f"{shlex.join(words)} > answer.json", "most_rows": settings.query_rows}

    return whole


def _all_of(query: Query, *, keep: str = "") -> str:
    """The question as JSON, without what is about one page of its answer."""
    from semantic.planning.query import ABOUT_THE_ANSWER

    return query.model_dump_json(exclude=set(ABOUT_THE_ANSWER - {keep}), exclude_defaults=True)
