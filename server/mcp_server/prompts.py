"""The guided analyses as prompts of MCP, which clients offer their users by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from mcp.server.mcpserver.prompts.base import Message, Prompt, PromptArgument, UserMessage
from mcp.shared.exceptions import MCPError
from mcp.types import INTERNAL_ERROR, INVALID_PARAMS
from pydantic import Field

from pipeline.errors import AccessError, QueryError, shorten, suggest
from server.mcp_server.analyses import ANALYSES, Analysis, AnalysisArguments

if TYPE_CHECKING:
    from mcp.server import MCPServer
    from mcp.server.mcpserver.context import Context

    from server.mcp_server.call_handler import McpCallHandler


def add_prompts(app: MCPServer[Any], door: McpCallHandler) -> None:  # Any: there is no lifespan state
    """Offer the guided analyses to clients."""
    for guide in ANALYSES:
        app.add_prompt(_prompt(guide, door))


class _Written(Prompt):
    """A prompt that is written for the tenant that asks."""

    say: Callable[[AnalysisArguments], Awaitable[str]] = Field(exclude=True)

    async def render(
        self,
        arguments: dict[str, Any] | None,  # Any: whatever a client sent; the protocol says text
        context: Context[Any, Any],  # Any: there is no lifespan state
    ) -> list[Message]:
        del context
        return [UserMessage(await self.say({name: str(said) for name, said in (arguments or {}).items() if said}))]


def _prompt(guide: Analysis, door: McpCallHandler) -> _Written:
    async def say(given: AnalysisArguments) -> str:
        try:
            _check_names(guide, given)
            return await door.ask(lambda desk: guide.write(desk.run.model.catalog, given))
        except Exception as error:
            code = INVALID_PARAMS if isinstance(error, AccessError | QueryError) else INTERNAL_ERROR
            raise MCPError(code, door.refusal(error, guide.name)) from error

    return _Written(
        name=guide.name,
        title=guide.title,
        description=guide.description,
        arguments=[PromptArgument(name=name, description=said) for name, said in guide.takes.items()],
        fn=say,
        say=say,
    )


def _check_names(guide: Analysis, given: AnalysisArguments) -> None:
    for name in given:
        if name not in guide.takes:
            fix = suggest(name, guide.takes)
            raise QueryError(f"{guide.name} has no argument named {shorten(name, 80)!r}.", fix)
