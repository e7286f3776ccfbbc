"""Adds the tenant's ad targets, `goal` and `target_cpa`, to the note of cost_per_conversion; they are never applied."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from pipeline.config.source import Source
from pipeline.config.tenant import Tenant
from semantic.catalog.run_definitions import MetricDefinition

TARGET_METRIC = "cost_per_conversion"
"""The metric that a target is about."""


def note_targets(tenant: Tenant, metrics: dict[str, MetricDefinition]) -> None:
    """Put the tenant's targets into the metric's note, which every answer that uses the metric carries."""
    sentences = [sentence for source in tenant.enabled for sentence in _target_sentences(tenant, source)]
    if sentences and TARGET_METRIC in metrics:
        metrics[TARGET_METRIC] = replace(metrics[TARGET_METRIC], note=" ".join(dict.fromkeys(sentences)))


def _target_sentences(tenant: Tenant, source: Source) -> Iterator[str]:
    for _, logic in sorted(source.tables.items()):
        if "goal" in logic or "target_cpa" in logic:
            yield f"{source.platform} aims at {logic.get('goal', 'conversions')}{_cost_limit(tenant, source, logic)}."


def _cost_limit(tenant: Tenant, source: Source, logic: dict[str, Any]) -> str:  # Any: values differ by logic key
    if "target_cpa" not in logic:
        return ""
    currencies = {account.currency or tenant.currency for account in source.accounts}
    unit = currencies.pop() if len(currencies) == 1 else "in each account's own currency"
    return f" for at most {Decimal(str(logic['target_cpa'])).normalize():f} {unit} each"
