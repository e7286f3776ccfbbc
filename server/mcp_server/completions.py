"""What a client offers while somebody types: names of metrics and dimensions, and values; of the caller's own tenant.

Values of personal dimensions are never offered, also where they may be asked for: nobody is to leaf through them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcp.types import Completion

from server.mcp_server.analyses import ANALYSES
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
"""As the protocol says."""


def add_completions(app: MCPServer[Any], door: McpCallHandler) -> None:  # Any: there is no lifespan state
    """Let clients complete the arguments of prompts and the name in `metric://{name}`."""

    @app.completion()  # type: ignore[no-untyped-call, untyped-decorator]  # the SDK's own has no types
    async def complete(
        ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,
    ) -> Completion:
        kind, known = _kind(ref, argument.name), (context.arguments if context else None) or {}
        if kind is None:
            return Completion(values=[])
        try:
            found, more = await door.ask(lambda desk: _offered(desk, kind, argument.value, known))
        except Exception as error:  # noqa: BLE001  # a menu is no place for an error: there is nothing to offer
            door.refusal(error, "completion")  # a bug is reported
            return Completion(values=[])
        return Completion(values=found[:MOST], total=None if more else len(found), has_more=more or len(found) > MOST)


def _kind(ref: PromptReference | ResourceTemplateReference, argument: str) -> str | None:
    """What an argument takes: metric, dimension, value or period; None for one that nobody has."""
    if ref.type == "ref/resource":
        return "metric" if (ref.uri, argument) == (METRIC, "name") else None
    takes = next((guide.takes for guide in ANALYSES if guide.name == ref.name), {})
    return argument if argument in takes else None


def _offered(desk: CallContext, kind: str, typed: str, known: dict[str, str]) -> tuple[list[str], bool]:
    """What goes on from the typed text, or else holds it; and whether there is more of it."""
    from semantic.planning.window import RANGES

    catalog = desk.run.model.catalog
    if kind == "value":
        return _values(desk, known.get("dimension", ""), typed)
    names = {"metric": catalog.askable_metrics, "dimension": catalog.askable_dimensions, "period": RANGES}[kind]
    if kind == "dimension" and (metric := known.get("metric")) in catalog.askable_metrics:
        names = tuple(catalog.dimensions_of(catalog.facts_of(metric or "")))
    return _matching(names, typed), False


def _values(desk: CallContext, dimension: str, typed: str) -> tuple[list[str], bool]:
    from semantic.answering.dimension_values import dimension_values

    known = desk.run.model.catalog.dimensions.get(dimension)
    if known is None or known.is_personal or known.hidden or known.type != "text":
        return [], False
    found = dimension_values(dimension, desk.run.model, desk.cursor, search=typed or None, limit=MOST)
    texts = [str(value["value"]) for value in found["values"]]
    return _matching([text for text in texts if text.isprintable()], typed), found["truncated"]


def _matching(names: tuple[str, ...] | list[str], typed: str) -> list[str]:
    folded = typed.casefold()
    found = [name for name in names if folded in name.casefold()]
    return sorted(found, key=lambda name: not name.casefold().startswith(folded))  # the order stays otherwise
