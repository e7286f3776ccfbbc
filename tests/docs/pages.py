"""Pages of docs/reference: text by hand, and blocks between markers that are generated from the code.

`pytest tests/docs --update-golden` writes the blocks again; the text around them is edited in the page itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.docs import (
    command_line,
    gate_table,
    mcp_offers,
    metrics_tables,
    rest_routes,
    settings_table,
    star_columns,
    tenant_keys,
    transformation_tables,
)

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
BLOCKS: Mapping[str, Callable[[], str]] = {
    "settings": settings_table.settings,
    "environments": settings_table.environments,
    "verbs": command_line.verbs,
    "routes": rest_routes.routes,
    "errors": rest_routes.errors,
    "mcp instructions": mcp_offers.instructions,
    "mcp tools": mcp_offers.tools,
    "mcp prompts": mcp_offers.prompts,
    "mcp resources": mcp_offers.resources,
    "tenants.yaml": tenant_keys.keys,
    "star tables": star_columns.star_tables,
    "raw fields": star_columns.reading,
    "metrics": metrics_tables.metrics,
    "hidden metrics": metrics_tables.hidden_metrics,
    "dimensions": metrics_tables.dimensions,
    "gates": gate_table.gates,
    "checks": gate_table.checks,
    "engines": transformation_tables.engines,
    "canonical tables": transformation_tables.canonical_tables,
    "factories": transformation_tables.factories,
    "onboarding macros": transformation_tables.onboarding_macros,
    "shared macros": transformation_tables.shared_macros,
}
_BLOCK = re.compile(r"(<!-- generated: (?P<name>[\w. ]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def regenerated(text: str) -> str:
    """A page with each of its blocks as the code has it now."""
    return _BLOCK.sub(lambda found: f"{found[1]}\n{BLOCKS[found['name']]().strip()}\n\n{found[3]}", text)


def blocks_of(text: str) -> list[str]:
    """The names of the blocks of a page."""
    return [found["name"] for found in _BLOCK.finditer(text)]
