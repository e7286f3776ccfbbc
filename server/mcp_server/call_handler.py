"""MCP call handler: finds the caller, runs work on the newest run of its tenant, and writes its error messages."""

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

    from server.serving.runs.open_run import OpenRun

T = TypeVar("T")

LONGEST_ERROR = 2_000
"""Characters; a long list of names is shortened before it comes to this."""


class McpCallHandler:
    """Handles calls over MCP on the published runs of the tenant that a request comes from."""

    def __init__(
        self, runs: PublishedRuns, caller: Callable[[], Caller], full_result: FullResult | None, progress_seconds: float
    ) -> None:
        self._runs, self.caller, self._progress_seconds = runs, caller, progress_seconds
        self._full_result = full_result or full_result_by_command(runs.settings)

    async def ask(
        self,
        work: Callable[[CallContext], T],
        context: Context[Any, Any] | None = None,  # Any: there is no lifespan state
    ) -> T:
        """Run `work` on the newest run of the caller's tenant, through the fair queue; cancelled with the request.

        Raises:
            GataError: As for `server.serving.runs.run_call.run_call`.
        """
        slug, runs = tenant_of(self.caller()), self._runs

        async def run_work(on_start: OnStart | None) -> T:
            def with_context(run: OpenRun, cursor: DuckDBPyConnection) -> T:
                return work(CallContext(run, cursor, runs.settings, self._full_result))

            return await run_call(runs, slug, with_context, on_start=on_start)

        if context is None:
            return await run_work(None)
        return await with_progress(context, run_work, runs.settings.query_timeout, self._progress_seconds)

    def refusal(self, error: Exception, call: str) -> str:
        """The message for the caller: how to fix the error, or the id of the event that the operator can look up."""
        is_for_caller = isinstance(error, AccessError | QueryError)
        if is_for_caller or (isinstance(error, GataError) and self.caller().is_operator):
            return plain_text(str(error), LONGEST_ERROR)  # it may name values of the business
        return internal_error_message(report_call_bug(error, call=call))
