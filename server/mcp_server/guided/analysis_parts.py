"""The parts of guided analyses: names that a tenant has, and calls that it can be sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.errors import QueryError
from server.mcp_server.guided.guide import Arguments, GuideStep

if TYPE_CHECKING:
    from semantic.catalog.catalog import Catalog

AnalysisArguments = Mapping[str, str]
"""The arguments that a client sent, by name; none is empty."""


def query_arguments(
    catalog: Catalog,
    metrics: Sequence[str],
    dimensions: Sequence[str],
    **more: Any,  # Any: as Arguments
) -> Arguments:
    """A query that can be answered: cut by currency where it holds money of several currencies."""
    from semantic.planning.reach import dimensions_for

    mixed = ["currency"] if is_in_several_currencies(catalog, metrics) and "currency" not in dimensions else []
    if mixed:
        metrics = [name for name in metrics if "currency" in dimensions_for(name, catalog)] or metrics
    cut = [*dimensions, *mixed]
    return {"metrics": list(metrics), **({"dimensions": cut} if cut else {}), **more}


def explain_step(
    catalog: Catalog,
    metric: str,
    period: str,
    title: str,
    dimension: str | None,
    *,
    is_optional: bool = False,
    filters: Sequence[Arguments] = (),
) -> GuideStep:
    """A call of explain_change that can be answered: of one currency where there are several."""
    from semantic.planning.currency_rules import currency_to_choose
    from semantic.planning.query import Query

    code = currency_to_choose(Query(metrics=(metric,)), catalog)
    chosen = [*filters, *([{"name": "currency", "op": "=", "value": code}] if code else [])]
    arguments: Arguments = {"metric": metric, "time_range": period}
    arguments |= {"dimensions": [dimension]} if dimension else {}
    arguments |= {"filters": chosen} if chosen else {}
    return GuideStep(title, arguments, "explain_change", is_optional)


def can_be_explained(metric: str, catalog: Catalog) -> bool:
    from semantic.answering.explain.metric_parts import parts_of

    try:
        parts_of(metric, catalog)
    except QueryError:
        return False
    return True


def is_in_several_currencies(catalog: Catalog, metrics: Sequence[str]) -> bool:
    """Whether the metrics hold money of several currencies, which a query has to keep apart."""
    from semantic.planning.currency_rules import currency_to_choose
    from semantic.planning.query import Query

    return currency_to_choose(Query(metrics=tuple(metrics)), catalog) is not None


def askable_parts(metric: str, catalog: Catalog) -> list[str]:
    """The metrics in the formula of a ratio, as far as they can be asked for."""
    from semantic.catalog.formula import metric_names

    parts = dict.fromkeys(metric_names(catalog.metrics[metric].formula))
    return [name for name in parts if name in catalog.askable_metrics and name != metric]


def usual_cuts(metric: str, used: str | None, catalog: Catalog) -> list[str]:
    usual = ("ad_platform", "campaign_name", "traffic_source", "device_category", "geo_country", "shop_platform")
    names = [name for name in usual if name in catalog.askable_dimensions and reaches_dimension(metric, name, catalog)]
    return [name for name in names if name != used][:2]


def value_filter(arguments: AnalysisArguments, dimension: str | None) -> Arguments:
    if "value" not in arguments:
        return {}
    if dimension is None:
        raise QueryError("value is given, and no dimension that has it.", "Name the dimension too.")
    return {"filters": [{"name": dimension, "op": "=", "value": arguments["value"]}]}


def named_metric(name: str | None, catalog: Catalog) -> str | None:
    from semantic.catalog.suggestions import unknown_metric

    if name is not None and name not in catalog.askable_metrics:
        raise unknown_metric(name, catalog)
    return name


def named_dimension(name: str | None, catalog: Catalog) -> str | None:
    from semantic.catalog.suggestions import unknown_dimension

    if name is not None and name not in catalog.askable_dimensions:
        raise unknown_dimension(name, catalog)
    return name


def reaches_dimension(metric: str, dimension: str | None, catalog: Catalog) -> bool:
    return dimension is None or catalog.is_reached(dimension, catalog.facts_of(metric))


def metrics_reaching(names: Sequence[str], dimension: str, catalog: Catalog) -> list[str]:
    """The metrics of these names that are counted and can be cut by the dimension."""
    if dimension not in catalog.askable_dimensions:
        return []
    return [name for name in names if name in counted_metrics(catalog) and reaches_dimension(name, dimension, catalog)]


def known_metrics(catalog: Catalog, *names: str) -> list[str]:
    """The names that can be asked for and are counted; the first three metrics where none is."""
    counted = counted_metrics(catalog)
    return [name for name in names if name in counted] or counted[:3]


def counted_metrics(catalog: Catalog) -> list[str]:
    """The metrics that can be asked for, except those of domains that the tenant declares it does not have."""
    return [
        name
        for name in catalog.askable_metrics
        if not any(catalog.facts[fact].is_left_out for fact in catalog.facts_of(name))
    ]


def first_metric(catalog: Catalog, *names: str) -> str:
    return known_metrics(catalog, *names)[0]
