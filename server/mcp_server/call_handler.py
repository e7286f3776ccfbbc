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

    from pipeline.config.slug import Slug
    from pipeline.settings import Settings
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
        *,
        slug: Slug | None = None,
    ) -> T:
        """Run `work` on the newest run of the caller's tenant, through the fair queue; cancelled with the request.

        An agency names the tenant as `slug`, from `tenant_of_agency`.

        Raises:
            GataError: As for `server.serving.runs.run_call.run_call`.
        """
        tenant, runs = slug or tenant_of(self.caller()), self._runs

        async def run_work(on_start: OnStart | None) -> T:
            def with_context(run: OpenRun, cursor: DuckDBPyConnection) -> T:
                return work(CallContext(run, cursor, runs.settings, self._full_result))

            return await run_call(runs, tenant, with_context, on_start=on_start)

        if context is None:
            return await run_work(None)
        return await with_progress(context, run_work, runs.settings.query_timeout, self._progress_seconds)

    def tenant_of_agency(self, name: object) -> Slug:
        """The tenant of the caller, an agency, with this name.

        Raises:
            AccessError: It is none of its own, as for a name that nobody has.
        """
        return self._runs.tenant_status.tenant_of_agency(self.caller(), name)

    def served_tenants(self) -> tuple[Slug, ...]:
        """The tenants of the caller, an agency, that are served now."""
        return self._runs.tenant_status.served(self.caller()).agency or ()

    @property
    def settings(self) -> Settings:
        return self._runs.settings

    def refusal(self, error: Exception, call: str) -> str:
        """The message for the caller: how to fix the error, or the id of the event that the operator can look up."""
        is_for_caller = isinstance(error, AccessError | QueryError)
        if is_for_caller or (isinstance(error, GataError) and self.caller().is_operator):
            return plain_text(str(error), LONGEST_ERROR)  # it may name values of the business
        return internal_error_message(report_call_bug(error, call=call))
