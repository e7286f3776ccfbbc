"""The arguments `tenant` and `tenants`: only a token of several tenants is shown them, and may send them.

What is listed for other tokens is not touched: they are bytes of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pipeline.errors import QueryError
from semantic.catalog.input_text import quote_input
from semantic.catalog.sent_values import absent, unpacked

if TYPE_CHECKING:
    from mcp.server.context import CallNext, HandlerResult, ServerMiddleware, ServerRequestContext

    from server.mcp_server.tool_specs import ToolSpec
    from server.serving.access import Caller

TENANT, TENANTS = "tenant", "tenants"
MOST_TENANTS = 20
"""Most tenants of one answer."""
INSTRUCTIONS = """
This token is of several tenants. Call get_status without arguments first: it lists them. Every other call names one \
as tenant; query takes several as tenants, and its rows then begin with a column tenant."""

_TENANT = {"type": "string", "description": "One of get_status.", "examples": ["acme"]}
_TENANTS = {
    "type": "array",
    "items": {"type": "string"},
    "description": "Several, instead of tenant.",
    "examples": [["acme", "globex"]],
}
_PROMPT_ARGUMENT = {"name": TENANT, "description": "The tenant, one of get_status.", "required": True}


def list_tenant_arguments(
    caller: Callable[[], Caller], specs: Mapping[str, ToolSpec]
) -> ServerMiddleware[Any]:  # Any: there is no lifespan state
    """Middleware that adds the arguments to what a token of several tenants is shown of tools and prompts."""

    async def answer(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        result = await call_next(ctx)
        if ctx.method not in _SHOWN or not isinstance(result, dict) or caller().agency is None:
            return result
        if ctx.method == "tools/list":
            return {**result, "tools": [_with_tenant(tool, specs[tool["name"]]) for tool in result["tools"]]}
        if ctx.method == "prompts/list":
            prompts = result["prompts"]
            added = [{**each, "arguments": [_PROMPT_ARGUMENT, *(each.get("arguments") or ())]} for each in prompts]
            return {**result, "prompts": added}
        return {**result, "instructions": result["instructions"] + INSTRUCTIONS} if "instructions" in result else result

    return answer


_SHOWN = frozenset({"tools/list", "prompts/list", "initialize", "server/discover"})


def _with_tenant(tool: dict[str, Any], spec: ToolSpec) -> dict[str, Any]:  # Any: JSON values
    """A tool as an agency sees it. One that lists the tenants gives either the list or the status of one."""
    schema = tool["inputSchema"]
    added = {TENANT: _TENANT, **({TENANTS: _TENANTS} if spec.takes_tenants else {})}
    required = schema.get("required", [])
    if not (spec.takes_tenants or spec.lists_tenants):
        required = [TENANT, *required]
    schema = {**schema, "properties": {**added, **schema["properties"]}, **({"required": required} if required else {})}
    output = {"outputSchema": {"type": "object"}} if spec.lists_tenants and "outputSchema" in tool else {}
    return {**tool, "inputSchema": schema, **output}


def take_tenants(
    arguments: Mapping[str, Any], spec: ToolSpec
) -> tuple[str | None, tuple[Any, ...] | None, dict[str, Any]]:  # Any: whatever a caller sent
    """The tenant or the tenants that a call names, and its other arguments.

    Raises:
        QueryError: It names both, or several where the tool takes one, one twice, or too many.
    """
    rest = {name: value for name, value in arguments.items() if name not in (TENANT, TENANTS)}
    tenant, tenants = arguments.get(TENANT), unpacked(arguments.get(TENANTS))
    if absent(tenants):
        return (None if absent(tenant) else tenant), None, rest
    if not spec.takes_tenants:
        raise QueryError(f"{spec.name} is about one tenant.", 'Write "tenant": "acme", with one of yours.')
    if not absent(tenant):
        raise QueryError("tenant and tenants are given.", "Leave one of them out.")
    named = tuple(part.strip() for part in tenants.split(",")) if isinstance(tenants, str) else tenants
    if not isinstance(named, list | tuple):
        raise QueryError(f"tenants is {quote_input(tenants)}.", 'Write "tenants": ["acme", "globex"].')
    if len(named) > MOST_TENANTS:
        raise QueryError(f"tenants names {len(named)}.", f"Name at most {MOST_TENANTS}, and ask again for the others.")
    for name in named:
        if named.count(name) > 1:
            raise QueryError(f"tenants names {quote_input(name)} twice.", "Name it once.")
    return None, tuple(named), rest


def prompt_tenant(arguments: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The tenant that a prompt is asked for, and its other arguments.

    Raises:
        QueryError: It names none.
    """
    rest = {name: value for name, value in arguments.items() if name != TENANT}
    if not arguments.get(TENANT):
        raise QueryError("The argument tenant is missing.", "Name one of those that get_status lists.")
    return arguments[TENANT], rest
