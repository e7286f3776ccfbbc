"""Where every call of MCP comes in: who asks, on which run, and what they are told when it goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from pipeline.bug_reports import internal_error_message
from pipeline.errors import AccessError, GataError, QueryError
from server.mcp_server.progress import OnStart, with_progress
from server.serving.access import Caller, tenant_of
from server.serving.audit.call_record import report_call_bug
from server.serving.call_context import CallContext
from server.serving.full_results import FullResult, full_result_by_command
from server.serving.plain_text import plain_text
from server.serving.runs.published_runs import PublishedRuns
from server.serving.runs.run_call import run_call

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from mcp.server.mcpserver.context import Context

    from server.serving.runs.published_runs import OpenRun

T = TypeVar("T")

LONGEST_ERROR = 2_000
"""Characters: names of a long list are cut before."""


class McpCallHandler:
    """Published runs, behind whoever a request says that it is from."""

    def __init__(
        self, runs: PublishedRuns, caller: Callable[[], Caller], whole: FullResult | None, progress_seconds: float
    ) -> None:
        self._runs, self.caller, self._progress_seconds = runs, caller, progress_seconds
        self._whole = whole or full_result_by_command(runs.settings)

    async def ask(
        self,
        work: Callable[[CallContext], T],
        context: Context[Any, Any] | None = None,  # Any: there is no lifespan state
    ) -> T:
        """Do `work` on the newest run of the caller's tenant, in its turn; cancelled with the request.

        Raises:
            GataError: As for `server.serving.runs.run_call.run_call`.
        """
        slug, runs = tenant_of(self.caller()), self._runs

        async def asked(on_start: OnStart | None) -> T:
            def at_desk(run: OpenRun, cursor: DuckDBPyConnection) -> T:
                return work(CallContext(run, cursor, runs.settings, self._whole))

            return await run_call(runs, slug, at_desk, on_start=on_start)

        if context is None:
            return await asked(None)
        return await with_progress(context, asked, runs.settings.query_timeout, self._progress_seconds)

    def refusal(self, error: Exception, call: str) -> str:
        """What the caller is told: how to repair it, or the id of the event of which the operator has the rest."""
        is_theirs = isinstance(error, AccessError | QueryError)
        if is_theirs or (isinstance(error, GataError) and self.caller().is_operator):
            return plain_text(str(error), LONGEST_ERROR)  # it may name values of the business
        return internal_error_message(report_call_bug(error, call=call))
