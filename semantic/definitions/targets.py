"""What ads are to bring (`goal`) and may cost (`target_cpa`): said beside cost_per_conversion, never applied."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from pipeline.config.source import Source
from pipeline.config.tenant import Tenant
from semantic.catalog.run_definitions import MetricDefinition

ABOUT = "cost_per_conversion"
"""The metric that a target is about."""


def note_targets(tenant: Tenant, metrics: dict[str, MetricDefinition]) -> None:
    """Let the metric's note, which goes with every answer that uses it, say what the tenant aims at."""
    sentences = [sentence for source in tenant.enabled for sentence in _sentences(tenant, source)]
    if sentences and ABOUT in metrics:
        metrics[ABOUT] = replace(metrics[ABOUT], note=" ".join(dict.fromkeys(sentences)))


def _sentences(tenant: Tenant, source: Source) -> Iterator[str]:
    for _, logic in sorted(source.tables.items()):
        if "goal" in logic or "target_cpa" in logic:
            yield f"{source.platform} aims at {logic.get('goal', 'conversions')}{_at_most(tenant, source, logic)}."


def _at_most(tenant: Tenant, source: Source, logic: dict[str, Any]) -> str:  # Any: values differ by logic key
    if "target_cpa" not in logic:
        return ""
    currencies = {account.currency or tenant.currency for account in source.accounts}
    unit = currencies.pop() if len(currencies) == 1 else "in each account's own currency"
    return f" for at most {Decimal(str(logic['target_cpa'])).normalize():f} {unit} each"
