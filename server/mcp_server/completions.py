"""Completions while a user types: names of metrics and dimensions, and values, of the caller's own tenant.

Values of personal dimensions are never offered, even where they may be asked for: they must not be browsed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mcp.types import Completion

from server.mcp_server.agency.tenant_arguments import TENANT
from server.mcp_server.guided.analyses import ANALYSES
from server.mcp_server.resources import METRIC

if TYPE_CHECKING:
    from mcp.server import MCPServer
    from mcp.types import (
        CompletionArgument,
        CompletionContext,
        PromptReference,
        ResourceTemplateReference,
    )

    from server.mcp_server.call_handler import McpCallHandler
    from server.serving.call_context import CallContext

MOST = 100
"""Most values of one completion. Source: the protocol."""


def add_completions(app: MCPServer[Any], handler: McpCallHandler) -> None:  # Any: there is no lifespan state
    """Let clients complete the arguments of prompts and the name in `metric://{name}`."""

    @app.completion()  # type: ignore[no-untyped-call, untyped-decorator]  # the SDK's own has no types
    async def complete(
        ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,
    ) -> Completion:
        kind, arguments = _kind(ref, argument.name), (context.arguments if context else None) or {}
        is_agency = handler.caller().agency is not None
        if is_agency and argument.name == TENANT and ref.type == "ref/prompt":
            return Completion(values=_matching(handler.served_tenants(), argument.value)[:MOST])
        if kind is None:
            return Completion(values=[])
        try:
            slug = handler.tenant_of_agency(arguments.get(TENANT)) if is_agency else None
            names, more = await handler.ask(lambda call: _candidates(call, kind, argument.value, arguments), slug=slug)
        except Exception as error:  # noqa: BLE001  # a menu shows no errors: nothing is offered
            handler.refusal(error, "completion")  # a bug is reported
            return Completion(values=[])
        return Completion(values=names[:MOST], total=None if more else len(names), has_more=more or len(names) > MOST)


def _kind(ref: PromptReference | ResourceTemplateReference, argument: str) -> str | None:
    """The kind of an argument: metric, dimension, value or period; None for an unknown one."""
    if ref.type == "ref/resource":
        return "metric" if (ref.uri, argument) == (METRIC, "name") else None
    arguments = next((analysis.arguments for analysis in ANALYSES if analysis.name == ref.name), {})
    return argument if argument in arguments else None


def _candidates(call: CallContext, kind: str, typed: str, arguments: dict[str, str]) -> tuple[list[str], bool]:
    """The names or values that begin with the typed text, then those that contain it; and whether there are more."""
    from semantic.planning.reach import dimensions_for
    from semantic.planning.window import RANGES

    catalog = call.run.model.catalog
    if kind == "value":
        return _values(call, arguments.get("dimension", ""), typed)
    names = {"metric": catalog.askable_metrics, "dimension": catalog.askable_dimensions, "period": RANGES}[kind]
    if kind == "dimension" and (metric := arguments.get("metric")) in catalog.askable_metrics:
        names = tuple(dimensions_for(metric or "", catalog))
    return _matching(names, typed), False


def _values(call: CallContext, dimension: str, typed: str) -> tuple[list[str], bool]:
    from semantic.answering.dimension_values import dimension_values

    definition = call.run.model.catalog.dimensions.get(dimension)
    if definition is None or definition.is_personal or definition.hidden or definition.type != "text":
        return [], False
    result = dimension_values(dimension, call.run.model, call.cursor, search=typed or None, limit=MOST)
    texts = [str(value["value"]) for value in result["values"]]
    return _matching([text for text in texts if text.isprintable()], typed), result["truncated"]


def _matching(names: Sequence[str], typed: str) -> list[str]:
    folded = typed.casefold()
    matching = [name for name in names if folded in name.casefold()]
    return sorted(matching, key=lambda name: not name.casefold().startswith(folded))  # the order stays otherwise
