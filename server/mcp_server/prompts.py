"""MCP prompts of the guided analyses, which clients offer their users by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from mcp.server.mcpserver.prompts.base import Message, Prompt, PromptArgument, UserMessage
from mcp.shared.exceptions import MCPError
from mcp.types import INTERNAL_ERROR, INVALID_PARAMS
from pydantic import Field

from pipeline.errors import AccessError, QueryError, shorten, suggest
from server.mcp_server.agency.tenant_arguments import prompt_tenant
from server.mcp_server.guided.analyses import ANALYSES, Analysis
from server.mcp_server.guided.analysis_parts import AnalysisArguments
from server.mcp_server.guided.guide import checked_guide

if TYPE_CHECKING:
    from mcp.server import MCPServer
    from mcp.server.mcpserver.context import Context

    from server.mcp_server.call_handler import McpCallHandler
    from server.serving.call_context import CallContext


def add_prompts(app: MCPServer[Any], handler: McpCallHandler) -> None:  # Any: there is no lifespan state
    """Offer the guided analyses to clients."""
    for analysis in ANALYSES:
        app.add_prompt(_prompt(analysis, handler))


class _TenantPrompt(Prompt):
    """A prompt with a text of its own for each tenant."""

    write: Callable[[AnalysisArguments], Awaitable[str]] = Field(exclude=True)

    async def render(
        self,
        arguments: dict[str, Any] | None,  # Any: whatever a client sent; the protocol says text
        context: Context[Any, Any],  # Any: there is no lifespan state
    ) -> list[Message]:
        del context
        return [UserMessage(await self.write({name: str(value) for name, value in (arguments or {}).items() if value}))]


def _prompt(analysis: Analysis, handler: McpCallHandler) -> _TenantPrompt:
    async def write(arguments: AnalysisArguments) -> str:
        slug = None
        try:
            if handler.caller().agency is not None:
                tenant, arguments = prompt_tenant(arguments)
                slug = handler.tenant_of_agency(tenant)
            _check_names(analysis, arguments)
            text = await handler.ask(lambda call: _text(analysis, arguments, call), slug=slug)
        except Exception as error:
            code = INVALID_PARAMS if isinstance(error, AccessError | QueryError) else INTERNAL_ERROR
            raise MCPError(code, handler.refusal(error, analysis.name)) from error
        return f'{text}\n\nWrite "tenant": "{slug}" in every call.' if slug else text

    return _TenantPrompt(
        name=analysis.name,
        title=analysis.title,
        description=analysis.description,
        arguments=[PromptArgument(name=name, description=text) for name, text in analysis.arguments.items()],
        fn=write,
        write=write,
    )


def _text(analysis: Analysis, arguments: AnalysisArguments, call: CallContext) -> str:
    return checked_guide(analysis.write(call.run.model.catalog, arguments), call).text()


def _check_names(analysis: Analysis, arguments: AnalysisArguments) -> None:
    for name in arguments:
        if name not in analysis.arguments:
            fix = suggest(name, analysis.arguments)
            raise QueryError(f"{analysis.name} has no argument named {shorten(name, 80)!r}.", fix)
