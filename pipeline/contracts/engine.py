"""An engine: the macro that turns the rows of one connector's objects into rows of a canonical table.

`pipeline/connectors/<connector>/engine.py` declares them in `ENGINES`; the macros stand beside it in `engine.sql`.
A macro is one select; its arguments are literals or SQL, computed in Python from the tenant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.contracts.connector import connector_part
from pipeline.contracts.sql import literal


@dataclass(frozen=True)
class Engine:
    """One engine: the rows of `objects` of a platform, as rows of the canonical table `fills`."""

    fills: str
    macro: str
    objects: tuple[str, ...]
    history: tuple[str, ...] = ()  # objects read with all versions of each record
    canonical: tuple[str, ...] = ()  # canonical tables read beside them
    references: tuple[str, ...] = ()  # reference tables of the hub that it joins
    arguments: Callable[[Any, Any], Mapping[str, object]] | None = None
    """From a Tenant and its Source to the macro's arguments. Any: both are types of pipeline.config, a folder above."""

    def call(self, tenant: Any, source: Any) -> Mapping[str, object]:  # Any: as for `arguments`
        """All arguments of the macro for one source of a tenant."""
        own = self.arguments(tenant, source) if self.arguments else {}
        return {"tenant": tenant.slug, "platform": source.platform} | dict(own)


def engines_like(connector: str) -> tuple[Engine, ...]:
    """The engines of a connector; none while they are not written."""
    engines: tuple[Engine, ...] = connector_part(connector, "engine", "ENGINES") or ()
    return engines


PURCHASES = ("purchase", "Purchase", "order_completed", "Order Completed")
"""Names of a purchase in shops and in Segment's e-commerce events, for tools without a purchase event of their own."""


def resembling(expression: str, pattern: str) -> str:
    """SQL condition: the text contains the pattern, or matches it where it is a regular expression of DuckDB."""
    contains = f"contains({expression}, {literal(pattern)})"
    if not re.search(r"[*+?|^$()\[\]]", pattern) or re.search(r"\(\?|\\\d", pattern):
        return contains
    try:
        re.compile(pattern)
    except re.error:
        return contains
    return f"{contains} or regexp_matches({expression}, {literal(pattern)})"
