"""Checks a request before it is answered: its names, days, values and currency, and the dimensions to look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import duckdb

from pipeline.errors import QueryError
from semantic.answering.dimension_values import check_values
from semantic.answering.explain.change_request import ChangeRequest
from semantic.answering.explain.compared_coverage import ComparedDays, check_compared_days
from semantic.answering.explain.metric_parts import MetricParts, parts_of
from semantic.answering.run_query import Prepared, prepare_query
from semantic.answering.semantic_model import SemanticModel
from semantic.catalog.catalog import CURRENCY, DATE, Catalog
from semantic.planning.currency_rules import currency_to_choose
from semantic.planning.query import Query

MOST_DIMENSIONS = 24
"""Dimensions that are looked at where the request names none."""


@dataclass(frozen=True)
class CheckedChange:
    """A request that can be answered: its query without dimensions, planned, and the dimensions to look at."""

    query: Query
    prepared: Prepared
    parts: MetricParts
    covered: ComparedDays
    dimensions: tuple[str, ...]
    notes: list[str]
    """On the values of filters."""


def check_change(
    request: ChangeRequest, model: SemanticModel, cursor: duckdb.DuckDBPyConnection, *, today: date
) -> CheckedChange:
    """Plan a request and check its names, days and values; nothing of it is computed.

    Raises:
        QueryError: As for `explain_change`.
    """
    catalog, query = model.catalog, request.query.model_copy(update={"dimensions": ()})
    if code := currency_to_choose(query, catalog):
        raise QueryError(
            f"{request.metric} is in several currencies here, and effects are never added across them.",
            f'Add the filter {{"name": "{CURRENCY}", "op": "=", "value": "{code}"}}.',
        )
    if named := [each.name for each in query.filters if each.name in catalog.askable_metrics]:
        raise QueryError(
            f"A filter on {named[0]} leaves groups out, and effects are of all of them.",
            "Filter by a dimension, or leave it out.",
        )
    prepared = prepare_query(query, model, today=today)
    parts = parts_of(request.metric, catalog)
    for name in request.query.dimensions:
        cut = prepare_query(query.model_copy(update={"dimensions": (name,)}), model, today=today)
        if any(key.type == "date" for key in cut.planned.shape.keys):
            raise QueryError(
                f"{name} has days, and members of a dimension are compared.",
                "Name another dimension: onset says on which day the change began.",
            )
    covered = check_compared_days(request.metric, prepared.planned)
    notes = check_values(prepared.filter_values, model, cursor)
    dimensions = request.query.dimensions or tuple(_reachable(request.metric, query, catalog))
    return CheckedChange(query, prepared, parts, covered, dimensions, notes)


def _reachable(metric: str, query: Query, catalog: Catalog) -> list[str]:
    """The dimensions that may explain a change: no days, flags or ids, nothing personal or fixed by a filter."""
    fixed = {each.name for each in query.filters if each.op == "="} | {DATE, CURRENCY}
    names = [name for name in catalog.dimensions_of(catalog.facts_of(metric)) if name not in fixed]
    entries = [catalog.dimensions[name] for name in names]
    usable = (each for each in entries if each.type == "text" and each.role != "identifier" and not each.is_personal)
    return [each.name for each in usable][:MOST_DIMENSIONS]
