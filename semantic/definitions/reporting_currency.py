"""With exchange rates, money is measured in the reporting currency: the same measures over other columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from pipeline.config.tenant import Tenant
from semantic.catalog.run_definitions import RatesDefinition, SelectionCondition
from semantic.definitions.metric_filters import Selections
from semantic.definitions.standard_metrics import BaseMetric

Converted = Mapping[str, Mapping[str, str]]
"""By fact: each column of money with the column of the same in the reporting currency."""

_COLUMN = re.compile(r"(?<=\b_\.)\w+")


def measured_in_reporting(metric: BaseMetric, converted: Converted) -> BaseMetric:
    """The metric over amounts in the reporting currency."""
    columns = converted.get(metric.fact, {})
    return replace(metric, value=_renamed(metric.value, columns), where=_renamed(metric.where, columns))


def selected_in_reporting(selections: Selections, converted: Converted) -> Selections:
    """The conditions of filtered metrics, those about amounts over amounts in the reporting currency."""
    return {
        fact: {
            name: tuple(_condition(each, fact, converted) for each in conditions) for name, conditions in named.items()
        }
        for fact, named in selections.items()
    }


def described(tenant: Tenant, converted: Converted) -> RatesDefinition | None:
    """What definitions say about rates; None where the tenant has none."""
    if tenant.rates is None:
        return None
    columns = {fact: dict(sorted(pairs.items())) for fact, pairs in sorted(converted.items()) if pairs}
    return RatesDefinition(file=tenant.rates.name, columns=columns)


def _renamed(text: str | None, columns: Mapping[str, str]) -> str | None:
    return text and _COLUMN.sub(lambda found: columns.get(found[0], found[0]), text)


def _condition(condition: SelectionCondition, fact: str, converted: Converted) -> SelectionCondition:
    columns = converted.get([fact, *condition.through][-1], {})
    return replace(condition, column=columns.get(condition.column, condition.column))
