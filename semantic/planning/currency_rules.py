"""Currency rules: money is never added, divided or ranked across currencies.

With exchange rates all money is in the reporting currency; without, a query over several currencies filters one, or
groups by currency. Rows without money have no currency: a filter on it excludes them, and ratios over such rows would
be wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.errors import QueryError
from semantic.catalog.catalog import CURRENCY, Catalog, Fact, Metric
from semantic.catalog.formula import is_sum, metric_names
from semantic.planning.query import Query


def money_unit(query: Query, base: Iterable[str], catalog: Catalog) -> str | None:
    """The currency of a query's money: a code, `currency` where each row has its own, None without money.

    Raises:
        QueryError: Its money is in several currencies and the query neither selects nor filters `currency`.
    """
    money = _money(base, catalog)
    if not money:
        return None
    if catalog.rates:
        return catalog.currency
    currencies = _currencies(money, catalog)
    if (selected := _selected_currency(query)) is not None:
        return selected
    if len(currencies) <= 1:
        return currencies[0] if currencies else catalog.currency
    filter_ = f'add a filter such as {{"name": "currency", "op": "=", "value": "{currencies[0]}"}}'
    if CURRENCY not in query.dimensions:
        raise QueryError(
            f"{money[0]} is in {' and '.join(currencies)} here, and currencies are never added up.",
            f'Add "currency" to dimensions, or {filter_}.',
        )
    priced = {name for name in query.metrics if set(money).intersection(metric_names(catalog.metrics[name].formula))}
    mixed = priced.intersection(query.share_of_total)
    if (query.totals and priced) or mixed or (query.top and (query.top.by in priced or (query.top.other and priced))):
        raise QueryError(
            f"Totals, shares and top groups would mix {' and '.join(currencies)}.",
            f"{filter_[0].upper()}{filter_[1:]}.",
        )
    return CURRENCY


def catalog_unit(metric: Metric, catalog: Catalog) -> str | None:
    """The unit of a metric as a catalog lists it: for money its currency, where it has only one."""
    if metric.unit == CURRENCY and catalog.rates:
        return catalog.currency
    currencies = _currencies(metric_names(metric.formula), catalog)
    if metric.unit != CURRENCY or len(currencies) > 1:
        return metric.unit
    return currencies[0] if currencies else catalog.currency


def check_currency_filter(query: Query, catalog: Catalog) -> None:
    """Check that a filter on the currency does not limit a metric to the rows with money, which changes its meaning.

    Raises:
        QueryError: It would, as with the share of visits that convert: those that do not have no currency.
    """
    used = (*query.metrics, *(filter_.name for filter_ in query.filters if filter_.name in catalog.metrics))
    for name in used if _filters_currency(query) else ():
        base = list(metric_names(catalog.metrics[name].formula))
        unpriced = _without_money(base, catalog)
        if unpriced and not _money(base, catalog) and not _is_amount(name, catalog):
            raise QueryError(
                f"{name} is not known by currency: {unpriced[0].name} have one only {unpriced[0].priced}, and a filter "
                "on currency would leave out the others.",
                f"Ask for {name} without that filter, in a query of its own.",
            )


def currency_notes(query: Query, base: Iterable[str], catalog: Catalog) -> Iterator[str]:
    """Yield notes on the money in an answer, and on its rows without money."""
    used = list(base)
    money = _money(used, catalog)
    if money:
        facts = [catalog.facts[name] for name in dict.fromkeys(catalog.metrics[name].fact or "" for name in money)]
        yield from _conversion_notes(query, facts, catalog) if catalog.rates else ()
        if not catalog.rates and money_unit(query, used, catalog) == CURRENCY:
            yield "Money is in the currency of each row."
    checked = used if _filters_currency(query) else money
    for name in dict.fromkeys(catalog.metrics[name].fact or "" for name in checked):
        if missing := catalog.facts[name].rows_without_currency:
            lost = ": it is in no amount." if catalog.rates else "."
            yield f"{missing} rows of {name} hold money without saying its currency{lost}"
    for fact in _without_money(used, catalog):
        rows = f"{fact.rows_without_money} of {fact.rows} {fact.name}"
        note = f"{rows} have no currency: only those {fact.priced} have one"
        if _filters_currency(query):
            yield f"{note}, and the filter on currency leaves out the others."
        elif CURRENCY in query.dimensions:
            yield f"{note}."


def _is_amount(name: str, catalog: Catalog) -> bool:
    """Whether a metric is a count or a sum, so that over fewer rows it is smaller but means the same."""
    formula = catalog.metrics[name].formula
    return is_sum(formula) and all(catalog.metrics[base].is_zero_without_rows for base in metric_names(formula))


def _without_money(base: Iterable[str], catalog: Catalog) -> list[Fact]:
    """The facts with rows without money that metrics without a currency count."""
    counted = (catalog.metrics[name] for name in base)
    facts = dict.fromkeys(metric.fact or "" for metric in counted if metric.unit != CURRENCY)
    return [fact for fact in map(catalog.facts.__getitem__, facts) if fact.priced and fact.rows_without_money]


def _conversion_notes(query: Query, facts: Iterable[Fact], catalog: Catalog) -> Iterator[str]:
    selected, used = _selected_currency(query), list(facts)
    codes = {selected} if selected else {code for fact in used for code in fact.currencies}
    if foreign := sorted(codes - {catalog.currency}):
        from_ = " and ".join(foreign)
        yield f"Money is in {catalog.currency}, converted from {from_} by the rates of {catalog.rates} by day."
        if CURRENCY in query.dimensions:
            yield "The column currency is that of the money before."
    for fact in used:
        for code, rows in sorted(fact.unconverted.items()):
            if code in codes:
                lost = f"{rows} rows of {fact.name} in {code} have no rate on or before their day"
                yield f"{lost}: they are in no amount."


def _filters_currency(query: Query) -> bool:
    return any(filter_.name == CURRENCY and filter_.op != "is_null" for filter_ in query.filters)


def _money(base: Iterable[str], catalog: Catalog) -> list[str]:
    return [name for name in base if catalog.metrics[name].unit == CURRENCY]


def _currencies(base: Iterable[str], catalog: Catalog) -> list[str]:
    """The currencies of the money among base metrics."""
    facts = {catalog.metrics[name].fact or "" for name in base if catalog.metrics[name].unit == CURRENCY}
    return sorted({code for fact in facts for code in catalog.facts[fact].currencies})


def _selected_currency(query: Query) -> str | None:
    """The currency that filters select, if it is only one."""
    for filter_ in query.filters:
        if filter_.name == CURRENCY and filter_.op in ("=", "in"):
            values = filter_.value if isinstance(filter_.value, tuple) else (filter_.value,)
            if len(set(values)) == 1:
                return str(values[0])
    return None
