"""Refusing what cannot be joined: a metric is never spread over a dimension that its facts do not have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.errors import NAMES_SHOWN, NoJoinPath
from semantic.catalog.catalog import Catalog


def check_reach(dimension: str, metrics: Sequence[str], catalog: Catalog) -> None:
    """See that every fact of every metric has the dimension, and means the same by it.

    Raises:
        NoJoinPath: One does not; names the dimensions and the metrics that go together.
    """
    for metric in metrics:
        facts = catalog.facts_of(metric)
        if not catalog.is_reached(dimension, facts):
            partners = [m for m in catalog.askable_metrics if catalog.is_reached(dimension, catalog.facts_of(m))]
            raise NoJoinPath(
                f"{metric} cannot be cut or filtered by {dimension}.",
                f"Cut {metric} by {_listed(catalog.dimensions_of(facts))}; ask {dimension} with {_listed(partners)}.",
            )
    if not catalog.is_reached(
        dimension, dict.fromkeys(fact for metric in metrics for fact in catalog.facts_of(metric))
    ):
        known = catalog.dimensions[dimension]
        said = {metric: known.meanings[catalog.facts_of(metric)[0]] for metric in metrics}
        raise NoJoinPath(
            f"{dimension} is not the same for {' and '.join(f'{m} ({word} {dimension})' for m, word in said.items())}.",
            f"Ask for them one at a time, or leave {dimension} out.",
        )


def _listed(names: Iterable[str]) -> str:
    shown = list(names)
    more = f" and {len(shown) - NAMES_SHOWN} more" if len(shown) > NAMES_SHOWN else ""
    return (", ".join(shown[:NAMES_SHOWN]) or "nothing") + more
