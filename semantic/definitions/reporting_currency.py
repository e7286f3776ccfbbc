"""Switches measures and conditions on money to the columns in the reporting currency, where rates are known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from pipeline.config.tenant import Tenant
from semantic.catalog.run_definitions import RatesDefinition, SelectionCondition
from semantic.definitions.metric_filters import Selections
from semantic.definitions.standard_metrics import BaseMetric

Converted = Mapping[str, Mapping[str, str]]
"""By fact: each column of money with its column in the reporting currency."""

_COLUMN = re.compile(r"(?<=\b_\.)\w+")


def measured_in_reporting(metric: BaseMetric, converted: Converted) -> BaseMetric:
    """Return the metric over amounts in the reporting currency."""
    columns = converted.get(metric.fact, {})
    return replace(metric, value=_with_columns(metric.value, columns), where=_with_columns(metric.where, columns))


def selected_in_reporting(selections: Selections, converted: Converted) -> Selections:
    """Return the conditions of filtered metrics, with amounts compared in the reporting currency."""
    return {
        fact: {
            name: tuple(_condition(each, fact, converted) for each in conditions) for name, conditions in named.items()
        }
        for fact, named in selections.items()
    }


def rates_definition(tenant: Tenant, converted: Converted) -> RatesDefinition | None:
    """Define the rates and the converted columns of a run; None where the tenant has no rates."""
    if tenant.rates is None:
        return None
    columns = {fact: dict(sorted(pairs.items())) for fact, pairs in sorted(converted.items()) if pairs}
    return RatesDefinition(file=tenant.rates.name, columns=columns)


def _with_columns(text: str | None, columns: Mapping[str, str]) -> str | None:
    return text and _COLUMN.sub(lambda match: columns.get(match[0], match[0]), text)


def _condition(condition: SelectionCondition, fact: str, converted: Converted) -> SelectionCondition:
    columns = converted.get([fact, *condition.through][-1], {})
    return replace(condition, column=columns.get(condition.column, condition.column))
