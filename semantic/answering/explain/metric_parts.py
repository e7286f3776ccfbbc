"""Splits a metric's formula into a numerator and a denominator that add up over members, or refuses it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.errors import QueryError
from semantic.catalog.catalog import Catalog, Metric
from semantic.catalog.formula import Formula, Number, Operation, is_sum, metric_names

MOST_SUGGESTED = 3
_KINDS = {
    "count_distinct": "a count of different values",
    "minimum": "the least value",
    "maximum": "the greatest value",
    "median": "a median",
    "percentile": "a percentile",
}


@dataclass(frozen=True)
class MetricParts:
    """A metric as a sum, or as a quotient of two sums; both add up over the members of a dimension."""

    numerator: Formula
    denominator: Formula | None = None


def parts_of(name: str, catalog: Catalog) -> MetricParts:
    """Split a metric.

    Raises:
        QueryError: It is no sum and no quotient of sums, so effects of members cannot add up to its change.
    """
    metric = catalog.metrics[name]
    if (parts := _parts_or_none(metric, catalog)) is not None:
        return parts
    bases = [catalog.metrics[base] for base in metric_names(metric.formula)]
    other = next((base for base in bases if base.adds_up != "SUM"), None)
    why = f"{other.name} is {_KINDS.get(other.kind or '', 'no sum')}" if other else "it is no sum and no ratio of sums"
    near = list(_explainable(metric, catalog))
    instead = f"Explain {' or '.join(near)}, or ask" if near else "Ask"
    raise QueryError(
        f"The change of {name} cannot be split by member: {why}, which members do not add up to.",
        f'{instead} query for it: "metrics": ["{name}"], with compare and a dimension.',
    )


def _parts_or_none(metric: Metric, catalog: Catalog) -> MetricParts | None:
    if any(catalog.metrics[base].adds_up != "SUM" for base in metric_names(metric.formula)):
        return None
    return split_formula(metric.formula)


def split_formula(formula: Formula) -> MetricParts | None:
    """Split a formula over sums; None where it is no quotient of two sums."""
    if isinstance(formula, Number):
        return None
    if not isinstance(formula, Operation) or is_sum(formula):
        return MetricParts(formula)
    if formula.sign in "+-":
        return _added(formula.sign, formula.left, formula.right)
    for side, number in ((formula.left, formula.right), (formula.right, formula.left)):
        if isinstance(number, Number) and (formula.sign == "*" or number is formula.right):
            parts = split_formula(side)
            return parts and MetricParts(Operation(formula.sign, parts.numerator, number), parts.denominator)
    is_quotient = formula.sign == "/" and _is_amount(formula.left) and _is_amount(formula.right)
    return MetricParts(formula.left, formula.right) if is_quotient else None


def _is_amount(formula: Formula) -> bool:
    return is_sum(formula) and not isinstance(formula, Number)


def _added(sign: str, left: Formula, right: Formula) -> MetricParts | None:
    """Add two quotients of one denominator, or a constant and a quotient: 1 - a / b is (b * 1 - a) / b."""
    first, second = split_formula(left), split_formula(right)
    by = {parts.denominator for parts in (first, second) if parts}
    denominator = by.pop() if len(by) == 1 else None
    is_split = all(parts or isinstance(side, Number) for parts, side in ((first, left), (second, right)))
    if denominator is None or not is_split:
        return None
    numerators = [
        parts.numerator if parts else Operation("*", denominator, side)
        for parts, side in ((first, left), (second, right))
    ]
    return MetricParts(Operation(sign, *numerators), denominator)


def _explainable(metric: Metric, catalog: Catalog) -> Iterator[str]:
    """The metrics over the same facts that can be explained, those of the same unit first."""
    facts = set(catalog.facts_of(metric.name))
    names = [name for name in catalog.askable_metrics if set(catalog.facts_of(name)) <= facts and name != metric.name]
    fitting = [name for name in names if _parts_or_none(catalog.metrics[name], catalog)]
    yield from sorted(fitting, key=lambda name: catalog.metrics[name].unit != metric.unit)[:MOST_SUGGESTED]
