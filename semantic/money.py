"""Money has one currency: nothing is added, divided or ranked across currencies."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.errors import QueryError
from semantic.catalog import CURRENCY, Catalog, Metric
from semantic.formula import names
from semantic.query import Query


def money_unit(query: Query, base: Iterable[str], catalog: Catalog) -> str | None:
    """The currency of a query's money: a code, `currency` where each row says it, None without money.

    Raises:
        QueryError: Its money is in several currencies and the query neither selects nor filters `currency`.
    """
    money = [name for name in base if catalog.metrics[name].unit == CURRENCY]
    if not money:
        return None
    currencies = _currencies(money, catalog)
    if (chosen := _chosen(query)) is not None:
        return chosen
    if len(currencies) <= 1:
        return currencies[0] if currencies else catalog.currency
    filter_ = f'add a filter such as {{"name": "currency", "op": "=", "value": "{currencies[0]}"}}'
    if CURRENCY not in query.dimensions:
        raise QueryError(
            f"{money[0]} is in {' and '.join(currencies)} here, and currencies are never added up.",
            f'Add "currency" to dimensions, or {filter_}.',
        )
    priced = {name for name in query.metrics if set(money).intersection(names(catalog.metrics[name].formula))}
    mixed = priced.intersection(query.share_of_total)
    if (query.totals and priced) or mixed or (query.top and (query.top.by in priced or (query.top.other and priced))):
        raise QueryError(
            f"Totals, shares and top groups would mix {' and '.join(currencies)}.",
            f"{filter_[0].upper()}{filter_[1:]}.",
        )
    return CURRENCY


def unit_shown(metric: Metric, catalog: Catalog) -> str | None:
    """The unit of a metric as a catalog lists it: money by its currency, where all of it has one."""
    currencies = _currencies(names(metric.formula), catalog)
    if metric.unit != CURRENCY or len(currencies) > 1:
        return metric.unit
    return currencies[0] if currencies else catalog.currency


def _currencies(base: Iterable[str], catalog: Catalog) -> list[str]:
    """The currencies of the money among base metrics."""
    facts = {catalog.metrics[name].fact or "" for name in base if catalog.metrics[name].unit == CURRENCY}
    return sorted({code for fact in facts for code in catalog.facts[fact].currencies})


def _chosen(query: Query) -> str | None:
    """The one currency that a filter leaves."""
    for filter_ in query.filters:
        if filter_.name == CURRENCY and filter_.op in ("=", "in"):
            values = filter_.value if isinstance(filter_.value, tuple) else (filter_.value,)
            if len(set(values)) == 1:
                return str(values[0])
    return None
