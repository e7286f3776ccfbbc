"""MCP middleware that counts and records every request of every transport."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pipeline.errors import AccessError, AuditError, QueueFull
from server.serving.access import Caller
from server.serving.audit.call_record import CallRecord, agency_tenant, answer_rows, redacted
from server.serving.audit.call_recorder import CallRecorder, interface_of

if TYPE_CHECKING:
    from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

BUSY = -32000
"""JSON-RPC error code: the first of those that servers define themselves."""


class AuditMcpCalls:
    """MCP middleware that records the requests of every transport: tool calls and all others."""

    def __init__(self, recorder: CallRecorder, caller: Callable[[], Caller]) -> None:
        self._recorder, self._caller = recorder, caller

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        if ctx.request_id is None:  # a notification has no answer
            return await call_next(ctx)
        caller, arguments = _caller_or_none(self._caller), _arguments(ctx)
        named = (arguments.get("tenant") or arguments.get("tenants")) if isinstance(arguments, Mapping) else None
        record = CallRecord(
            _interface(ctx),
            _tool(ctx),
            caller,
            arguments,
            tenant=agency_tenant(caller, named),
            traceparent=_traceparent(ctx.meta),
        )
        try:
            with self._recorder.call(record, limited=ctx.method != "subscriptions/listen"):
                result = await call_next(ctx)
                _measure(record, result)
                return result
        except (QueueFull, AuditError) as error:
            return _too_busy(ctx.method, error)


def _caller_or_none(caller: Callable[[], Caller]) -> Caller | None:
    try:
        return caller()
    except AccessError:
        return None


def _interface(ctx: ServerRequestContext[Any, Any]) -> str:
    path = getattr(getattr(ctx.request, "url", None), "path", None)
    return "stdio" if path is None else interface_of(path)


def _traceparent(meta: object) -> str | None:
    traceparent = meta.get("traceparent") if isinstance(meta, Mapping) else None
    return traceparent if isinstance(traceparent, str) else None


def _tool(ctx: ServerRequestContext[Any, Any]) -> str:
    """The name of the tool; of other messages the method, with the name of the prompt."""
    name = ctx.params.get("name") if ctx.params else None
    if ctx.method == "tools/call":
        return _short_name(name)
    return f"{ctx.method} {_short_name(name)}" if ctx.method == "prompts/get" else ctx.method


def _short_name(name: object) -> str:
    return redacted(str(name))[:64]


def _arguments(ctx: ServerRequestContext[Any, Any]) -> object:
    params = ctx.params or {}
    if ctx.method in {"tools/call", "prompts/get"}:
        return params.get("arguments")
    if ctx.method == "resources/read":
        return {"uri": params.get("uri")}
    if ctx.method == "completion/complete":
        argument = params.get("argument")
        return {"argument": argument.get("name") if isinstance(argument, Mapping) else None}
    return None


def _measure(record: CallRecord, result: HandlerResult) -> None:
    """Record the size, and the rows or error, of an answer. The SDK passes models here as they will be sent."""
    if result is None:
        return
    sent = result if isinstance(result, dict) else result.model_dump(by_alias=True, exclude_none=True, mode="python")
    content = sent.get("content") or sent.get("contents") or ()
    record.bytes = sum(len(part["text"].encode()) for part in content if isinstance(part, dict) and "text" in part)
    if sent.get("isError"):
        record.error = record.error or "ToolError"
    elif record.rows is None:
        record.rows = answer_rows(sent.get("structuredContent"))


def _too_busy(method: str, error: QueueFull | AuditError) -> HandlerResult:
    """A tool error that a model can read, or the protocol's own error where there is no tool.

    Raises:
        MCPError: The request was not a tool call.
    """
    if method == "tools/call":
        from mcp.types import CallToolResult, TextContent

        return CallToolResult(content=[TextContent(type="text", text=str(error))], is_error=True)
    from mcp.shared.exceptions import MCPError

    seconds = error.retry_after_seconds if isinstance(error, QueueFull) else 60
    raise MCPError(code=BUSY, message=str(error), data={"retry_after_seconds": seconds}) from error
