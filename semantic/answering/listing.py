"""What may be asked for, as callers read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.errors import QueryError, shorten
from semantic.answering.semantic_model import SemanticModel
from semantic.catalog.catalog import Dimension, Fact, Metric
from semantic.planning.currency_rules import unit_shown

PAGE = 60
"""Metrics of a brief list: what two thousand tokens hold, and what most tenants have."""


def list_metrics(
    model: SemanticModel, *, search: str | None = None, limit: int | None = None, cursor: str | None = None
) -> dict[str, Any]:  # Any: the shape of `gata metrics --json`
    """Every metric with the dimensions it can be cut by, and every dimension; fewer with `search` or `limit`.

    Args:
        model: The run's definitions.
        search: Words; a metric is listed when each is in its name, label, synonyms or description, and of the
            dimensions those of the metrics listed.
        limit: At most so many metrics; then `cursor` is in the answer, None when these were the last.
        cursor: Of the answer before.

    Raises:
        QueryError: The limit or the cursor is none.
    """
    catalog = model.catalog
    found = [catalog.metrics[name] for name in catalog.askable_metrics if _is_meant(catalog.metrics[name], search)]
    begin = _begin(cursor, len(found))
    if limit is not None and limit < 1:
        raise QueryError(f"limit is {limit}.", "Choose 1 or more.")
    shown = found[begin:] if limit is None else found[begin : begin + limit]
    reach = {metric.name: catalog.dimensions_of(catalog.facts_of(metric.name)) for metric in shown}
    used = {name for names in reach.values() for name in names}
    dimensions = [catalog.dimensions[name] for name in catalog.askable_dimensions if name in used or not search]
    listed = {
        "metrics": [
            {
                "name": metric.name,
                "description": metric.description,
                "unit": unit_shown(metric, catalog),
                "type": metric.type,
                "dimensions": reach[metric.name],
            }
            for metric in shown
        ],
        "dimensions": [{"name": d.name, "description": d.description, "type": d.type} for d in dimensions],
    }
    if limit is None:
        return listed
    end = begin + len(shown)
    return {**listed, "cursor": str(end) if end < len(found) else None}


def list_briefly(
    model: SemanticModel, *, search: str | None = None, limit: int = PAGE, cursor: str | None = None
) -> dict[str, Any]:  # Any: maps of text
    """The same list for a reader who pays for every word: names under the facts they are of, each said in one line.

    A metric goes with the dimensions whose facts include all of its own. Fifty metrics take less than 2,000 tokens.
    With `search` a dimension that is meant itself is listed too. What is left out is said in `notes`.

    Raises:
        QueryError: As for `list_metrics`.
    """
    catalog, listed = model.catalog, list_metrics(model, search=search, limit=limit, cursor=cursor)
    metrics: dict[str, dict[str, str]] = {}
    for metric in listed["metrics"]:
        facts = ", ".join(sorted(catalog.facts_of(metric["name"])))
        metrics.setdefault(facts, {})[metric["name"]] = f"{metric['unit'] or 'number'}: {metric['description']}"
    used = {dimension["name"] for dimension in listed["dimensions"]}
    dimensions: dict[str, dict[str, str]] = {}
    for dimension in (catalog.dimensions[name] for name in catalog.askable_dimensions):
        if dimension.name in used or (search and _is_meant(dimension, search)):
            apart = " Not across kinds of fact." if dimension.meanings else ""
            said = f"{dimension.type}: {dimension.description}{apart}"
            dimensions.setdefault(", ".join(sorted(dimension.paths)), {})[dimension.name] = said
    return {
        "metrics_by_facts": metrics,
        "dimensions_by_facts": dimensions,
        "cursor": listed["cursor"],
        "notes": _left_out(listed, model, search),
    }


def _left_out(
    listed: Mapping[str, Any], model: SemanticModel, search: str | None
) -> list[str]:  # Any: as `list_metrics` gives
    """What a brief list does not hold, and the way to it."""
    if listed["cursor"]:
        found = sum(_is_meant(model.catalog.metrics[name], search) for name in model.catalog.askable_metrics)
        more = f"{found - int(listed['cursor'])} more metrics are not shown"
        return [f"{more}: send the cursor for the next ones, or search for what you need."]
    if search and not listed["metrics"]:
        return ["No metric is named or described with all these words: search for fewer or others, or leave it out."]
    return ["Only what the search found is shown."] if search else []


def _is_meant(named: Metric | Dimension, search: str | None) -> bool:
    text = " ".join((named.name, named.label, named.description, *named.synonyms)).casefold()
    return all(word in text for word in (search or "").casefold().split())


def _begin(cursor: str | None, count: int) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 9 and int(cursor) < count):
        raise QueryError(f"{shorten(cursor, 80)!r} is no cursor of this list.", "Ask again without a cursor.")
    return int(cursor)


def fact_days(fact: Fact) -> dict[str, Any]:  # Any: JSON values
    """How many rows a fact has, and from which day to which."""
    return {
        "fact": fact.name,
        "rows": fact.rows,
        "first_date": fact.first_date and fact.first_date.isoformat(),
        "as_of": fact.last_date and fact.last_date.isoformat(),
    }
