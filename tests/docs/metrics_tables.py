"""The metrics and dimensions that every tenant has, from their definitions."""

from __future__ import annotations

from pipeline.config.blocks.sessions import SessionRules
from semantic.catalog.formula import metric_names, parse, unit_of
from semantic.definitions.standard_dimensions import DIMENSIONS, date_dimension, personal_dimensions
from semantic.definitions.standard_metrics import (
    BaseMetric,
    base_metrics,
    derived_metrics,
    funnel_metrics,
    funnel_rates,
)
from semantic.definitions.synonyms import SYNONYMS
from tests.docs.markdown import code, codes, table
from warehouse.star_schema import star_schema

FUNNEL = {"<step 1>": ["<its events>"], "<step 2>": ["<its events>"]}
STARS = star_schema()


def metrics() -> str:
    base = [*base_metrics(SessionRules().gap), *funnel_metrics(FUNNEL)]
    derived = [*derived_metrics(), *funnel_rates(list(FUNNEL))]
    units: dict[str, str | None] = {metric.name: metric.unit for metric in base}
    facts = {metric.name: [metric.fact] for metric in base}
    rows = [
        (each.name, _unit(each.unit), _aggregate(each), each.fact, each.description) for each in base if not each.hidden
    ]
    for each in derived:
        formula = parse(each.expression, each.name)
        units[each.name] = each.unit or unit_of(formula, units, each.name)
        facts[each.name] = list(dict.fromkeys(fact for name in metric_names(formula) for fact in facts[name]))
        rows.append(
            (each.name, _unit(units[each.name]), each.expression, ", ".join(facts[each.name]), each.description)
        )
    heads = ("metric", "unit", "formula", "facts", "meaning", "also found by")
    return table(
        heads,
        [
            (code(name), unit, code(formula), fact, text, ", ".join(SYNONYMS.get(name, ())))
            for name, unit, formula, fact, text in rows
        ],
    )


def hidden_metrics() -> str:
    rows = [
        (code(each.name), code(_aggregate(each)), each.fact, each.description)
        for each in base_metrics(SessionRules().gap)
        if each.hidden
    ]
    return table(("metric", "formula", "facts", "meaning"), rows)


def dimensions() -> str:
    every = [date_dimension(STARS), *DIMENSIONS, *personal_dimensions(STARS)]
    rows = [
        (
            code(each.name),
            each.type,
            codes(f"{home}.{column}" for home, column in each.columns.items()),
            each.description + (" (personal: only where `expose` names it)" if each.personal else ""),
            ", ".join(SYNONYMS.get(each.name, ())),
        )
        for each in every
    ]
    return table(("dimension", "type", "columns", "meaning", "also found by"), rows)


def _unit(unit: str | None) -> str:
    return unit or ""


def _aggregate(metric: BaseMetric) -> str:
    """A base metric in words of SQL."""
    value = metric.value.replace("_.", "") if metric.value else "*"
    made = f"p{metric.percent}({value})" if metric.kind == "percentile" else f"{metric.kind}({value})"
    return made + (f" where {metric.where.replace('_.', '')}" if metric.where else "")
