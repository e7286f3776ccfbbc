"""Lists the metrics and dimensions of a catalog for callers, in full or briefly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.errors import QueryError, shorten
from semantic.answering.semantic_model import SemanticModel
from semantic.catalog.catalog import Dimension, Fact, Metric
from semantic.planning.currency_rules import catalog_unit
from semantic.planning.query import read_query
from semantic.planning.reach import dimensions_for

PAGE = 80
"""Metrics of a brief list: as most tenants have; seventy take about two thousand tokens."""


VERIFIED_SHOWN = 3
"""Verified questions that a search shows."""


def list_metrics(
    model: SemanticModel, *, search: str | None = None, limit: int | None = None, cursor: str | None = None
) -> dict[str, Any]:  # Any: the shape of `gata metrics --json`
    """List every metric with its dimensions, and every dimension; fewer with `search` or `limit`.

    With `search` also `verified`: questions of the tenant's own that the run was verified to answer right, with their
    queries; only where there are any.

    Args:
        model: The run's definitions.
        search: Words; a metric is listed when each is in its name, label, synonyms or description, and a dimension
            when a listed metric has it.
        limit: The most metrics to list; the result then has a `cursor`, None after the last.
        cursor: From the previous result.

    Raises:
        QueryError: The limit or the cursor is not valid.
    """
    catalog = model.catalog
    matching = [catalog.metrics[name] for name in catalog.askable_metrics if _matches(catalog.metrics[name], search)]
    offset = _read_offset(cursor, len(matching))
    if limit is not None and limit < 1:
        raise QueryError(f"limit is {limit}.", "Choose 1 or more.")
    page = matching[offset:] if limit is None else matching[offset : offset + limit]
    dimensions_of = {metric.name: dimensions_for(metric.name, catalog) for metric in page}
    reached = {name for names in dimensions_of.values() for name in names}
    dimensions = [catalog.dimensions[name] for name in catalog.askable_dimensions if name in reached or not search]
    listed = {
        "metrics": [
            {
                "name": metric.name,
                "description": metric.description,
                "unit": catalog_unit(metric, catalog),
                "type": metric.type,
                "dimensions": dimensions_of[metric.name],
            }
            for metric in page
        ],
        "dimensions": [{"name": d.name, "description": d.description, "type": d.type} for d in dimensions],
    }
    if search and (verified := _verified(model, search)):
        listed["verified"] = verified
    if limit is None:
        return listed
    end = offset + len(page)
    return {**listed, "cursor": str(end) if end < len(matching) else None}


def list_briefly(
    model: SemanticModel, *, search: str | None = None, limit: int = PAGE, cursor: str | None = None
) -> dict[str, Any]:  # Any: maps of text
    """List metrics and dimensions in few tokens: names grouped by their facts, one line each.

    A metric goes with the dimensions that have all of its facts. Seventy metrics take less than 2,200 tokens.
    With `search` only dimensions that match themselves are described, and a note names those of the metrics found.
    `notes` say what is left out.

    Raises:
        QueryError: As for `list_metrics`.
    """
    catalog, listed = model.catalog, list_metrics(model, search=search, limit=limit, cursor=cursor)
    metrics: dict[str, dict[str, str]] = {}
    for metric in listed["metrics"]:
        facts = ", ".join(sorted(catalog.facts_of(metric["name"])))
        metrics.setdefault(facts, {})[metric["name"]] = f"{metric['unit'] or 'number'}: {metric['description']}"
    reached = {dimension["name"] for dimension in listed["dimensions"]}
    dimensions: dict[str, dict[str, str]] = {}
    for dimension in (catalog.dimensions[name] for name in catalog.askable_dimensions):
        if _matches(dimension, search) if search else dimension.name in reached:
            caution = " Not across kinds of fact." if dimension.meanings else ""
            line = f"{dimension.type}: {dimension.description}{caution}"
            dimensions.setdefault(", ".join(sorted(dimension.paths)), {})[dimension.name] = line
    verified = {"verified": listed["verified"]} if "verified" in listed else {}
    return {
        "metrics_by_facts": metrics,
        "dimensions_by_facts": dimensions,
        **verified,
        "cursor": listed["cursor"],
        "notes": _left_out(listed, model, search),
    }


def _verified(model: SemanticModel, search: str) -> list[dict[str, Any]]:  # Any: parts of a query
    """The verified questions that a search finds by their own words, or by those of their metrics; a few.

    One that names a dimension which is withheld now is left out.
    """
    words, catalog, found = search.casefold().split(), model.catalog, []
    for each in model.verified:
        query = read_query(each.query)
        metrics = [catalog.metrics[name] for name in query.metrics if name in catalog.metrics]
        text = " ".join([each.question, *map(_searched_text, metrics)]).casefold()
        is_withheld = catalog.withheld & {*query.dimensions, *(filter_.name for filter_ in query.filters)}
        if all(word in text for word in words) and not is_withheld:
            found.append({"question": each.question, "query": each.query})
    return found[:VERIFIED_SHOWN]


def _left_out(
    listed: Mapping[str, Any], model: SemanticModel, search: str | None
) -> list[str]:  # Any: as from `list_metrics`
    """Write notes on what a brief list leaves out, and how to get it."""
    if listed["cursor"]:
        matching = sum(_matches(model.catalog.metrics[name], search) for name in model.catalog.askable_metrics)
        hidden = f"{matching - int(listed['cursor'])} more metrics are not shown"
        return [f"{hidden}: send the cursor for the next ones, or search for what you need."]
    if search and not listed["metrics"]:
        return ["No metric is named or described with all these words: search for fewer or others, or leave it out."]
    if not search:
        return []
    names = ", ".join(dimension["name"] for dimension in listed["dimensions"])
    cut = [f"Dimensions of these metrics: {names}."] if names else []
    return ["Only what the search found is shown.", *cut]


def _matches(entry: Metric | Dimension, search: str | None) -> bool:
    text = _searched_text(entry).casefold()
    return all(word in text for word in (search or "").casefold().split())


def _searched_text(entry: Metric | Dimension) -> str:
    return " ".join((entry.name, entry.label, entry.description, *entry.synonyms))


def _read_offset(cursor: str | None, count: int) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 9 and int(cursor) < count):
        raise QueryError(f"{shorten(cursor, 80)!r} is no cursor of this list.", "Ask again without a cursor.")
    return int(cursor)


def fact_days(fact: Fact) -> dict[str, Any]:  # Any: JSON values
    """Describe a fact: its rows, first day and last day."""
    return {
        "fact": fact.name,
        "rows": fact.rows,
        "first_date": fact.first_date and fact.first_date.isoformat(),
        "as_of": fact.last_date and fact.last_date.isoformat(),
    }
