"""Guided analyses: each is a task and the calls that answer it, written for the calling tenant.

They use the metrics and dimensions that the tenant has. Channels of ads are asked for what ads have (spend, clicks, the
revenue that is attributed to them), channels of visits for what visits have: a metric that a channel cannot hold would
be 0 in it, and rank it last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import QueryError
from server.mcp_server.guided.analysis_parts import (
    AnalysisArguments,
    askable_parts,
    can_be_explained,
    counted_metrics,
    explain_step,
    first_metric,
    is_in_several_currencies,
    known_metrics,
    metrics_reaching,
    named_dimension,
    named_metric,
    query_arguments,
    reaches_dimension,
    usual_cuts,
    value_filter,
)
from server.mcp_server.guided.guide import Arguments, Guide, GuideStep

if TYPE_CHECKING:
    from semantic.catalog.catalog import Catalog

_OF_ADS = ("spend", "impressions", "clicks", "ctr", "cpc", "attributed_revenue", "roas")
_OF_VISITS = ("sessions", "converting_sessions", "conversion_rate", "session_revenue")
_OF_ORDERS = ("valid_orders", "order_revenue", "average_order_value")


@dataclass(frozen=True)
class Analysis:
    """One guided analysis: `write` makes its guide for a tenant."""

    name: str
    title: str
    description: str
    arguments: Mapping[str, str]
    """Its arguments, all optional, each with a description."""
    write: Callable[[Catalog, AnalysisArguments], Guide]


def _weekly_review(catalog: Catalog, arguments: AnalysisArguments) -> Guide:
    dimension = named_dimension(arguments.get("dimension"), catalog)
    main = known_metrics(
        catalog, "spend", "order_revenue", "valid_orders", "sessions", "conversion_rate", "blended_roas"
    )
    last_week: Arguments = {"time_range": "last_week", "compare": "previous_period"}
    trend = query_arguments(catalog, main[:3], ["date"], time_grain="week", time_range="last_8_weeks")
    steps = [
        GuideStep("The week against the week before", query_arguments(catalog, main, [], **last_week)),
        GuideStep("The eight weeks up to it", trend),
    ]
    moved = [
        name
        for name in known_metrics(catalog, "order_revenue", "roas", "sessions")
        if reaches_dimension(name, dimension, catalog)
    ]
    steps += [
        explain_step(catalog, name, "last_week", f"Why {name} moved", dimension, is_optional=True) for name in moved[:2]
    ]
    return Guide(
        "Write the weekly review of this business for its owner.",
        tuple(steps),
        "Say what changed and by how much, then which members drove it, then what to look at next week; with units,"
        " and with what the notes say is missing.",
    )


def _why_did_it_change(catalog: Catalog, arguments: AnalysisArguments) -> Guide:
    from semantic.planning.reach import check_reach

    metric = named_metric(arguments.get("metric"), catalog) or first_metric(
        catalog, "roas", "blended_roas", "order_revenue"
    )
    period = arguments.get("period")
    dimension = named_dimension(arguments.get("dimension"), catalog)
    if dimension:
        check_reach(dimension, [metric], catalog)
    filters = value_filter(arguments, dimension)
    parts = [metric, *askable_parts(metric, catalog)][:3]
    weeks = query_arguments(catalog, parts, ["date"], time_grain="week", time_range="last_12_weeks", **filters)
    by = None if filters else dimension
    if can_be_explained(metric, catalog):
        periods, is_optional = ([period], False) if period else (["last_month", "last_week"], True)
        steps = [
            explain_step(catalog, metric, each, f"What drove {each}", by, is_optional=is_optional, **filters)
            for each in periods
        ]
        ending = (
            "Name the two or three largest effects with their numbers, mix and rate apart, and when they began. Call"
            " explain_change again with a filter on a leading member to see what is inside it. Say what the data"
            " cannot tell."
        )
    else:
        compared: Arguments = {"time_range": period or "last_month", "compare": "previous_period", **filters}
        steps = _cuts_of_change(metric, [by] if by else usual_cuts(metric, dimension, catalog), compared, catalog)
        ending = (
            f"{metric} of members does not add up to that of all: say which members moved, not how much of the change"
            " each is."
        )
    return Guide(f"Find out why {metric} changed.", (*steps, GuideStep("Week by week", weeks)), ending)


def _cuts_of_change(metric: str, cuts: Sequence[str], compared: Arguments, catalog: Catalog) -> list[GuideStep]:
    """Queries of a change that cannot be split into effects."""
    cut_up = [GuideStep(f"By {cut}", query_arguments(catalog, [metric], [cut], limit=20, **compared)) for cut in cuts]
    return [GuideStep("The change", query_arguments(catalog, [metric], [], **compared)), *cut_up]


def _channel_comparison(catalog: Catalog, arguments: AnalysisArguments) -> Guide:
    named = named_dimension(arguments.get("dimension"), catalog)
    period = arguments.get("period", "last_30_days")
    dimensions = [named] if named else _channels(catalog)
    if not dimensions:
        raise QueryError("There is no dimension to compare by.", "Name one of list_metrics as dimension.")
    steps = tuple(step for dimension in dimensions for step in _compared_channels(dimension, period, catalog))
    return Guide(
        f"Compare the channels of this business by {' and by '.join(dimensions)}.",
        steps,
        "Rank ad channels by roas and channels of visits by session_revenue and conversion_rate, never one kind by a"
        " metric of the other. Say where few rows make a ratio unsteady.",
    )


def _channels(catalog: Catalog) -> list[str]:
    """A dimension of ad channels and one of channels of visits, as far as the tenant has them; else one of shops."""
    ads = [name for name in ("ad_platform", "account") if metrics_reaching(_OF_ADS[:1], name, catalog)]
    visits = [name for name in ("channel", "traffic_source") if metrics_reaching(_OF_VISITS[:1], name, catalog)]
    shops = [name for name in ("shop_platform", "account") if metrics_reaching(_OF_ORDERS, name, catalog)]
    return [*ads[:1], *visits[:1]] or shops[:1]


def _compared_channels(dimension: str, period: str, catalog: Catalog) -> list[GuideStep]:
    is_of_ads = bool(metrics_reaching(_OF_ADS[:1], dimension, catalog))
    kinds = (_OF_ADS,) if is_of_ads else (_OF_VISITS, _OF_ORDERS)
    metrics = next((found for names in kinds if (found := metrics_reaching(names, dimension, catalog))), [])
    metrics = metrics or [name for name in counted_metrics(catalog) if reaches_dimension(name, dimension, catalog)][:5]
    by = next((name for name in ("roas", "session_revenue", "order_revenue") if name in metrics), metrics[0])
    # visits and orders that no ad brought are in no ad channel, and have no name there
    only: Arguments = {"filters": [{"name": dimension, "op": "is_not_null"}]} if is_of_ads else {}
    shared = [name for name in metrics if catalog.metrics[name].adds_up == "SUM" and name != "impressions"]
    shares = [] if is_in_several_currencies(catalog, metrics) else [name for name in ("spend", by) if name in shared]
    order: Arguments = {} if is_in_several_currencies(catalog, metrics) else {"order_by": [f"-{by}"]}
    more: Arguments = {**order, **({"share_of_total": shares} if shares else {}), **only}
    weeks = query_arguments(catalog, [by], [dimension, "date"], time_grain="week", time_range=period, limit=200, **only)
    return [
        GuideStep(
            f"Every {dimension} side by side", query_arguments(catalog, metrics, [dimension], time_range=period, **more)
        ),
        GuideStep(f"{by} week by week", weeks),
    ]


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
        "Takes a change of ROAS, or of another metric, apart: the effect of each campaign, and when it began.",
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
        "Spend and return of each ad channel, visits and revenue of each channel of visits, with shares and weeks.",
        {"dimension": _DIMENSION, "period": _PERIOD},
        _channel_comparison,
    ),
)
