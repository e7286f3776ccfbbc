"""Rows and money that an answer could not place without a guess: counted inside its days and filters.

Rows of which a dimension may have several values are in no group of it and pass no filter on it. Purchases in another
currency than their visit's are in no amount.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace

from semantic.answering.left_out.scan_rows import (
    AskedRows,
    WeightedNote,
    money_text,
    names_text,
    rows_text,
    shown_name,
)
from semantic.catalog.catalog import AMBIGUOUS, CURRENCY, Catalog
from semantic.catalog.conditions import Condition
from semantic.planning.query_shape import Key, Scan, row_count_column

_MARK = "ambiguous"


def unplaced_rows(asked: AskedRows) -> Iterator[WeightedNote]:
    """Note the rows that have no value of a dimension of the query because several fit, with their money."""
    for scan in asked.plan.shape.scans:
        for name in _uncertain(scan, asked.model.catalog):
            yield from _unplaced(scan, name, asked)


def left_out_purchases(asked: AskedRows) -> Iterator[WeightedNote]:
    """Note the purchases that no amount of the query has, because they are in a currency of their own."""
    metrics = asked.model.catalog.metrics
    for scan in asked.plan.shape.scans:
        names = [name for name in scan.measures if metrics[name].left_out_count]
        counts = {name: metrics[name].left_out_count or "" for name in names}
        amounts = {name: metrics[name].left_out_amounts for name in names}
        measures = (*counts.values(), *(each for name in names for each in amounts[name].values()))
        found = asked.read(replace(scan, keys=(), measures=tuple(measures)))[0] if names else {}
        said: dict[tuple[int, str], list[str]] = defaultdict(list)
        for name in names:
            if count := int(found[counts[name]] or 0):
                money = {code: found[each] for code, each in amounts[name].items() if found[each]}
                said[count, money_text(money)].append(shown_name(name))
        for (count, money_of), lacking in said.items():
            verb = "purchase is" if count == 1 else "purchases are"
            rest = f": {money_of}" if money_of else ""
            sentence = f"{count} {verb} in another currency than the first of the visit, and not in "
            yield WeightedNote(1.0, f"{sentence}{names_text(lacking)}{rest}.")


def _uncertain(scan: Scan, catalog: Catalog) -> list[str]:
    """The dimensions of a scan that some rows may have several values of; not those whose empty value is asked for."""
    asked_for_none = {condition.name for condition, _ in scan.conditions if condition.op == "is_null"}
    names = dict.fromkeys([*(key.name for key, _ in scan.keys), *(condition.name for condition, _ in scan.conditions)])
    placed_by = {name: catalog.dimensions[name].placed_by for name in names if name not in asked_for_none}
    return [name for name, mark in placed_by.items() if mark and scan.fact in catalog.dimensions[mark].paths]


def _unplaced(scan: Scan, name: str, asked: AskedRows) -> Iterator[WeightedNote]:
    catalog = asked.model.catalog
    dimension = catalog.dimensions[name]
    mark = catalog.dimensions[dimension.placed_by or ""]
    conditions = [each for each in scan.conditions if each[0].name != name]
    for each, op, count in ((mark, "=", 1), (dimension, "is_null", 0)):
        condition = Condition(name=each.name, type=each.type, op=op, count=count, parameter=_MARK)
        conditions.append((condition, each.paths[scan.fact]))
    money = tuple(each for each in scan.measures if catalog.metrics[each].unit == CURRENCY and _adds_up(each, catalog))
    keys = _currency_key(scan, catalog) if money else ()
    unplaced = replace(scan, keys=keys, measures=money, conditions=tuple(conditions))
    found = asked.read(unplaced, {f"{_MARK}_0": AMBIGUOUS})
    count = sum(row[row_count_column(scan.fact)] or 0 for row in found)
    if count:
        amounts = {each: _by_currency(each, found, asked) for each in money}
        listed = [f"{shown_name(each)} of {money_text(sums)}" for each, sums in amounts.items() if sums]
        worth = f", with {' and '.join(listed)}," if listed else ""
        verb = "fits" if count == 1 else "fit"
        sentence = f"{rows_text(count, scan.fact)}{worth} {verb} several values of {name} and {_is_are(count)} in none."
        yield WeightedNote(1.0, sentence)


def _is_are(count: int) -> str:
    return "is" if count == 1 else "are"


def _adds_up(metric: str, catalog: Catalog) -> bool:
    return catalog.metrics[metric].adds_up == "SUM"


def _currency_key(scan: Scan, catalog: Catalog) -> tuple[tuple[Key, str], ...]:
    currency = catalog.dimensions.get(CURRENCY)
    if catalog.rates or currency is None or scan.fact not in currency.paths:
        return ()
    return ((Key(CURRENCY, currency.type), currency.paths[scan.fact]),)


def _by_currency(metric: str, rows: list[dict[str, object]], asked: AskedRows) -> Mapping[str, object]:
    """The money of a metric that is not 0, by its currency."""
    selected = asked.plan.money
    code = selected if selected not in (None, CURRENCY) else asked.model.catalog.currency
    return {str(row.get(CURRENCY) or code): row[metric] for row in rows if row[metric]}
