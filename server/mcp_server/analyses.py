"""Guided analyses: each is a task and the queries that answer it, written for the calling tenant.

They use the metrics and dimensions that the tenant has, and every query can be sent as it stands.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.errors import QueryError

if TYPE_CHECKING:
    from semantic.catalog.catalog import Catalog

AnalysisArguments = Mapping[str, str]
"""The arguments that a client sent, by name; none is empty."""
QueryArguments = dict[str, Any]  # Any: a query as a caller sends it


@dataclass(frozen=True)
class Analysis:
    """One guided analysis: `write` makes its text for a tenant."""

    name: str
    title: str
    description: str
    arguments: Mapping[str, str]
    """Its arguments, all optional, each with a description."""
    write: Callable[[Catalog, AnalysisArguments], str]


def _weekly_review(catalog: Catalog, arguments: AnalysisArguments) -> str:
    dimension = _dimension(arguments.get("dimension"), catalog) or _first(catalog, "ad_platform", "traffic_source")
    main = _known(catalog, "spend", "order_revenue", "valid_orders", "sessions", "conversion_rate", "blended_roas")
    last_week: QueryArguments = {"time_range": "last_week", "compare": "previous_period"}
    steps = [
        ("How the week went, against the week before", _query(catalog, main, [], **last_week)),
        (
            "The eight weeks up to it",
            _query(catalog, main[:3], ["date"], time_grain="week", time_range="last_8_weeks"),
        ),
    ]
    if dimension:
        cut = [name for name in main if catalog.is_reached(dimension, catalog.facts_of(name))]
        steps.append((f"Where the change comes from, by {dimension}", _query(catalog, cut, [dimension], **last_week)))
    return _text(
        "Write the weekly review of this business for its owner.",
        steps,
        "Say first what changed and by how much, then what it comes from, then what to look at next week. Give each"
        " number with its unit and the week it is of. Name what the notes of the answers say is missing.",
    )


def _why_did_it_change(catalog: Catalog, arguments: AnalysisArguments) -> str:
    metric = _metric(arguments.get("metric"), catalog) or _first_metric(
        catalog, "roas", "blended_roas", "order_revenue"
    )
    period = arguments.get("period", "last_month")
    facts = catalog.facts_of(metric)
    dimension = _dimension(arguments.get("dimension"), catalog)
    from semantic.planning.reach import dimensions_for

    cuts = dimensions_for(metric, catalog)
    if dimension and dimension not in cuts:
        raise QueryError(f"{metric} cannot be cut by {dimension}.", f"Choose one of: {', '.join(cuts)}.")
    filters = _filters(arguments, dimension)
    parts = _parts(metric, catalog)
    compared: QueryArguments = {"time_range": period, "compare": "previous_period", **filters}
    steps = [(f"How {metric} changed", _query(catalog, [metric], [], **compared))]
    if len(parts) > 1:
        steps.append(("What it is made of, each by itself", _query(catalog, parts, [], **compared)))
    steps.append(
        (
            "When it began",
            _query(catalog, [metric, *parts][:3], ["date"], time_grain="week", time_range=period, **filters),
        )
    )
    usual = ("ad_platform", "campaign_name", "traffic_source", "device_category", "geo_country", "shop_platform")
    cuts = [name for name in usual if name in catalog.askable_dimensions and catalog.is_reached(name, facts)]
    cuts = [dimension] if dimension and not filters else [name for name in cuts if name != dimension][:3]
    steps += [
        (f"Which {cut} it comes from", _query(catalog, [metric, *parts], [cut], limit=20, **compared)) for cut in cuts
    ]
    return _text(
        f"Find out why {metric} changed.",
        steps,
        f"A part explains the change only when it is large and moved: a {metric} of few rows says little. Tell a change"
        " of the mix (more of the weak parts) from a change inside the parts. End with the two or three causes, each"
        " with its numbers, and with what the data cannot tell.",
    )


def _channel_comparison(catalog: Catalog, arguments: AnalysisArguments) -> str:
    dimension = _dimension(arguments.get("dimension"), catalog) or _first(
        catalog, "ad_platform", "traffic_source", "account"
    )
    if dimension is None:
        raise QueryError("There is no dimension to compare by.", "Name one of list_metrics as dimension.")
    period = arguments.get("period", "last_30_days")
    usual = _known(
        catalog, "spend", "impressions", "clicks", "ctr", "cpc", "sessions", "attributed_revenue", "roas", "cac"
    )
    cut = [name for name in usual if catalog.is_reached(dimension, catalog.facts_of(name))]
    if not cut:
        cut = [name for name in _counted(catalog) if catalog.is_reached(dimension, catalog.facts_of(name))][:5]
    sums = [name for name in cut if catalog.metrics[name].adds_up == "SUM"][:2]
    steps = [
        (f"Every {dimension} side by side", _query(catalog, cut, [dimension], time_range=period)),
        (
            "How each went, week by week",
            _query(catalog, cut[:1], [dimension, "date"], time_grain="week", time_range=period, limit=200),
        ),
    ]
    if sums and not _is_mixed(catalog, sums):
        shares = _query(catalog, sums, [dimension], time_range=period, share_of_total=sums)
        steps.insert(1, ("What share each has", shares))
    return _text(
        f"Compare the channels of this business by {dimension}.",
        steps,
        "Rank them by what they return, not by what they cost. Rows without a name are visits or orders that no"
        " channel claims: keep them in sight. Say where too few rows make a ratio unsteady.",
    )


_DIMENSION = "What to cut by, such as ad_platform; a name of list_metrics."
_PERIOD = "Days by name, such as last_month, last_30_days or this_quarter."
ANALYSES = (
    Analysis(
        "weekly_review",
        "Weekly review",
        "What changed last week, and where it comes from.",
        {"dimension": _DIMENSION},
        _weekly_review,
    ),
    Analysis(
        "why_did_roas_change",
        "Why did ROAS change?",
        "Takes a change of ROAS, or of another metric, apart: its parts, its days, its campaigns.",
        {
            "metric": "What changed; roas when left out.",
            "period": _PERIOD,
            "dimension": _DIMENSION,
            "value": "Only this value of the dimension.",
        },
        _why_did_it_change,
    ),
    Analysis(
        "channel_comparison",
        "Compare channels",
        "Spend and return of each channel side by side, with shares and weeks.",
        {"dimension": _DIMENSION, "period": _PERIOD},
        _channel_comparison,
    ),
)


def _text(task: str, steps: Sequence[tuple[str, QueryArguments]], ending: str) -> str:
    """A task, the queries to send, and how to answer."""
    listed = "\n".join(
        f"{n}. {title}:\n   {json.dumps(query, ensure_ascii=False)}" for n, (title, query) in enumerate(steps, 1)
    )
    return (
        f"{task}\nSend each of these to the tool query as it stands; follow up with queries of your own where an answer"
        f" asks for it.\n\n{listed}\n\n{ending}"
    )


def _query(
    catalog: Catalog,
    metrics: Sequence[str],
    dimensions: Sequence[str],
    **more: Any,  # Any: as QueryArguments
) -> QueryArguments:
    """A query that can be answered: cut by currency where it holds money of several currencies."""
    from semantic.planning.reach import dimensions_for

    mixed = ["currency"] if _is_mixed(catalog, metrics) and "currency" not in dimensions else []
    if mixed:
        metrics = [name for name in metrics if "currency" in dimensions_for(name, catalog)] or metrics
    cut = [*dimensions, *mixed]
    return {"metrics": list(metrics), **({"dimensions": cut} if cut else {}), **more}


def _is_mixed(catalog: Catalog, metrics: Sequence[str]) -> bool:
    """Whether the metrics hold money of several currencies, which a query has to keep apart."""
    from semantic.catalog.formula import metric_names
    from semantic.planning.currency_rules import money_unit
    from semantic.planning.query import Query

    try:
        money_unit(
            Query(metrics=tuple(metrics)),
            dict.fromkeys(part for name in metrics for part in metric_names(catalog.metrics[name].formula)),
            catalog,
        )
    except QueryError:
        return True
    return False


def _parts(metric: str, catalog: Catalog) -> list[str]:
    """The metrics in the formula of a ratio, as far as they can be asked for."""
    from semantic.catalog.formula import metric_names

    parts = dict.fromkeys(metric_names(catalog.metrics[metric].formula))
    return [name for name in parts if name in catalog.askable_metrics and name != metric]


def _filters(arguments: AnalysisArguments, dimension: str | None) -> QueryArguments:
    if "value" not in arguments:
        return {}
    if dimension is None:
        raise QueryError("value is given, and no dimension that has it.", "Name the dimension too.")
    return {"filters": [{"name": dimension, "op": "=", "value": arguments["value"]}]}


def _metric(name: str | None, catalog: Catalog) -> str | None:
    from semantic.catalog.suggestions import unknown_metric

    if name is not None and name not in catalog.askable_metrics:
        raise unknown_metric(name, catalog)
    return name


def _dimension(name: str | None, catalog: Catalog) -> str | None:
    from semantic.catalog.suggestions import unknown_dimension

    if name is not None and name not in catalog.askable_dimensions:
        raise unknown_dimension(name, catalog)
    return name


def _known(catalog: Catalog, *names: str) -> list[str]:
    """The names that can be asked for and are counted; the first three metrics where none is."""
    counted = _counted(catalog)
    return [name for name in names if name in counted] or counted[:3]


def _counted(catalog: Catalog) -> list[str]:
    """The metrics that can be asked for, except those of domains that the tenant declares it does not have."""
    return [
        name
        for name in catalog.askable_metrics
        if not any(catalog.facts[fact].is_left_out for fact in catalog.facts_of(name))
    ]


def _first_metric(catalog: Catalog, *names: str) -> str:
    return _known(catalog, *names)[0]


def _first(catalog: Catalog, *names: str) -> str | None:
    return next((name for name in names if name in catalog.askable_dimensions), None)
