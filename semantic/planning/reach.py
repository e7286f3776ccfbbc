"""Checks join paths: a metric is never grouped or filtered by a dimension that its facts do not have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.errors import NAMES_SHOWN, NoJoinPath
from semantic.catalog.catalog import CURRENCY, Catalog
from semantic.planning.currency_rules import unpriced_facts


def check_reach(dimension: str, metrics: Sequence[str], catalog: Catalog) -> None:
    """Check that every fact of every metric has the dimension, all in the same meaning.

    Raises:
        NoJoinPath: One does not; names the dimensions and the metrics that go together.
    """
    for metric in metrics:
        facts = catalog.facts_of(metric)
        if not catalog.is_reached(dimension, facts):
            own = _listed(dimensions_for(metric, catalog))
            partners = [m for m in catalog.askable_metrics if catalog.is_reached(dimension, catalog.facts_of(m))]
            raise NoJoinPath(
                f"{metric} cannot be cut or filtered by {dimension}.",
                f"Cut {metric} by {own}; ask {dimension} with {_listed(partners)}.",
            )
    if not catalog.is_reached(
        dimension, dict.fromkeys(fact for metric in metrics for fact in catalog.facts_of(metric))
    ):
        entry = catalog.dimensions[dimension]
        meanings = [f"{metric} ({entry.meanings[catalog.facts_of(metric)[0]]} {dimension})" for metric in metrics]
        raise NoJoinPath(
            f"{dimension} is not the same for {' and '.join(meanings)}.",
            f"Ask for them one at a time, or leave {dimension} out.",
        )


def dimensions_for(metric: str, catalog: Catalog) -> list[str]:
    """The dimensions that a metric can be grouped by: those of its facts, without `currency` where rows lack it."""
    names = catalog.dimensions_of(catalog.facts_of(metric))
    return names if unpriced_facts(metric, catalog) == [] else [name for name in names if name != CURRENCY]


def _listed(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - NAMES_SHOWN} more" if len(listed) > NAMES_SHOWN else ""
    return (", ".join(listed[:NAMES_SHOWN]) or "nothing") + more
