"""Currency rules: money is never added, divided or ranked across currencies.

With exchange rates all money is in the reporting currency; without, a query over several currencies filters one, or
groups by currency. Rows without money have no currency: a filter on it excludes them, and ratios over such rows would
be wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet

from pipeline.errors import QueryError
from semantic.catalog.catalog import COMPUTED, CURRENCY, SHARE, Catalog, Fact, Metric
from semantic.catalog.formula import is_sum, metric_names
from semantic.planning.query import Query

FRACTIONS = ("ratio", "percent")
"""Units of quotients that no currency is in: those of rows in several currencies may be compared."""


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
    used = [name for name in _used(query, catalog) if _money(metric_names(catalog.metrics[name].formula), catalog)]
    fixed = [code for name in used if (code := own_currency(name, catalog))]
    varying = [name for name in used if own_currency(name, catalog) is None]
    currencies = sorted({code for name in varying for code in _currencies_of(name, catalog)})
    if (selected := _selected_currency(query)) is not None:
        return selected
    if len(currencies) <= 1:
        return currencies[0] if currencies else fixed[0] if fixed else catalog.currency
    filter_ = f'add a filter such as {{"name": "currency", "op": "=", "value": "{currencies[0]}"}}'
    if CURRENCY not in query.dimensions:
        name = _mixed(money, varying, catalog)
        raise QueryError(
            f"{name} is in {' and '.join(currencies)} here, and currencies are never added up.",
            f'Add "currency" to dimensions, or {filter_}.',
        )
    priced = set(varying).intersection(query.metrics)
    mixed = priced.intersection(query.share_of_total)
    if (query.totals and priced) or mixed or (query.top and (query.top.by in priced or (query.top.other and priced))):
        raise QueryError(
            f"Totals, shares and top groups would mix {' and '.join(currencies)}.",
            f"{filter_[0].upper()}{filter_[1:]}.",
        )
    _check_ranking(query, {name for name in varying if varies(name, catalog)}, currencies, filter_)
    return CURRENCY


def own_currency(metric: str, catalog: Catalog) -> str | None:
    """The currency of a metric whose own filters select one; None where it is in that of its rows."""
    codes = {catalog.metrics[base].currency for base in _money(metric_names(catalog.metrics[metric].formula), catalog)}
    return codes.pop() if len(codes) == 1 and not catalog.rates else None


def varies(metric: str, catalog: Catalog) -> bool:
    """Whether a metric is an amount in the currency of its rows, or made of such: not a fraction of two amounts."""
    has_money = bool(_money(metric_names(catalog.metrics[metric].formula), catalog))
    return has_money and catalog.metrics[metric].unit not in FRACTIONS and own_currency(metric, catalog) is None


def metric_unit(metric: str, money: str | None, catalog: Catalog) -> str | None:
    """The unit of a metric in an answer whose money is in `money`."""
    unit = catalog.metrics[metric].unit
    return (own_currency(metric, catalog) or money or unit) if unit == CURRENCY else unit


def _check_ranking(query: Query, amounts: AbstractSet[str], currencies: Sequence[str], filter_: str) -> None:
    """Check that rows of several currencies are neither put in one order by their money nor compared with a number."""
    codes = " and ".join(currencies)
    ordered: list[str] = []
    for column in (name.removeprefix("-") for name in query.order_by):
        if CURRENCY not in ordered and any(column in (name, *_amount_columns(name)) for name in amounts):
            fix = f'Put "currency" before it in order_by, or {filter_}.'
            raise QueryError(f"Ordered by {column}, rows in {codes} would be ranked as if they were one.", fix)
        ordered.append(column)
    for each in query.filters:
        if each.name in amounts and each.op not in ("is_null", "is_not_null"):
            fix = f"{filter_[0].upper()}{filter_[1:]}."
            raise QueryError(f"A filter on {each.name} would compare {codes} with one number.", fix)


def _amount_columns(metric: str) -> list[str]:
    """The columns beside a metric that are amounts as it is."""
    return [f"{metric}{ending}" for ending in COMPUTED if not ending.endswith(("_ratio", SHARE))]


def _used(query: Query, catalog: Catalog) -> list[str]:
    """The metrics that a query selects, and those that its filters name."""
    return list(dict.fromkeys((*query.metrics, *(f.name for f in query.filters if f.name in catalog.metrics))))


def _mixed(money: Sequence[str], varying: Iterable[str], catalog: Catalog) -> str:
    """The first base metric with money of several currencies."""
    mixed = {base for name in varying for base in metric_names(catalog.metrics[name].formula)}
    return next(name for name in money if name in mixed)


def currency_to_choose(query: Query, catalog: Catalog) -> str | None:
    """A currency to filter by, where a query without groups would add up money of several; None where it would not."""
    names = (name for name in query.metrics if name in catalog.metrics)
    base = (part for name in names for part in metric_names(catalog.metrics[name].formula))
    currencies = sorted({code for part in base for code in _currencies_of(part, catalog)})
    if catalog.rates or len(currencies) <= 1 or _selected_currency(query) is not None:
        return None
    return catalog.currency if catalog.currency in currencies else currencies[0]


def catalog_unit(metric: Metric, catalog: Catalog) -> str | None:
    """The unit of a metric as a catalog lists it: for money its currency, where it has only one."""
    if metric.unit == CURRENCY and catalog.rates:
        return catalog.currency
    currencies = sorted(_currencies_of(metric.name, catalog))
    if metric.unit != CURRENCY or len(currencies) > 1:
        return metric.unit
    return currencies[0] if currencies else catalog.currency


def check_currency_filter(query: Query, catalog: Catalog) -> None:
    """Check that cutting by currency does not limit a metric to the rows with money, which changes its meaning.

    Raises:
        QueryError: It would, as with the share of visits that convert: those that do not have no currency.
    """
    is_cut = CURRENCY in query.dimensions
    for name in _used(query, catalog) if _filters_currency(query) or is_cut else ():
        if unpriced := unpriced_facts(name, catalog):
            base = metric_names(catalog.metrics[name].formula)
            raise QueryError(
                f"{name} is not known by currency: {unpriced[0].name} have one only {unpriced[0].priced}, and "
                f"{'rows by' if is_cut else 'a filter on'} currency would leave out the others.",
                f"Ask for {name} without {'currency' if is_cut else 'that filter'}, in a query of its own"
                f"{_parts_by_currency(base, catalog)}.",
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


def unpriced_facts(metric: str, catalog: Catalog) -> list[Fact]:
    """The facts with rows without a currency over which a metric means something else than over the others."""
    return [] if _is_amount(metric, catalog) else _without_money(metric_names(catalog.metrics[metric].formula), catalog)


def _parts_by_currency(base: Iterable[str], catalog: Catalog) -> str:
    """What can be asked by currency of a metric that cannot be; empty without money."""
    money = _money(base, catalog)
    return f"; by currency ask for {' and '.join(money)}" if money else ""


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


def _currencies_of(metric: str, catalog: Catalog) -> set[str]:
    """The currencies that the money of a metric may be in."""
    bases = [catalog.metrics[base] for base in _money(metric_names(catalog.metrics[metric].formula), catalog)]
    facts = {base.fact or "" for base in bases if base.currency is None}
    fixed = {base.currency for base in bases if base.currency}
    return fixed | {code for fact in facts for code in catalog.facts[fact].currencies}


def _selected_currency(query: Query) -> str | None:
    """The currency that filters select, if it is only one."""
    for filter_ in query.filters:
        if filter_.name == CURRENCY and filter_.op in ("=", "in"):
            values = filter_.value if isinstance(filter_.value, tuple) else (filter_.value,)
            if len(set(values)) == 1:
                return str(values[0])
    return None
