"""Money that a star holds and no amount of a row has, such as a visit's purchases in a second currency.

A column that lacks some says which columns count it and hold what it is worth (`Column.left_out`). Each metric over
such a column gets a hidden count, and a hidden sum per currency, over the same rows: answers say what they lack.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from semantic.catalog.expression import columns_in
from semantic.catalog.run_definitions import MetricDefinition
from semantic.definitions.introspect import BuiltTables
from semantic.definitions.standard_metrics import BaseMetric
from warehouse.star_schema import Table

LEFT_OUT = "__left_out"
_CODE = re.compile("[A-Z]{3}")


@dataclass
class LeftOutMoney:
    """Hidden measures of what metrics lack."""

    measured: list[BaseMetric] = field(default_factory=list)
    counts: dict[str, str] = field(default_factory=dict)
    """By metric: the measure that counts it."""
    amounts: dict[str, dict[str, str]] = field(default_factory=dict)
    """By metric and currency: the measure of its money."""

    def of_metric(self, name: str, entry: MetricDefinition) -> MetricDefinition:
        """A metric's definition with the measures of what it lacks."""
        if name not in self.counts:
            return entry
        return replace(entry, left_out_count=self.counts[name], left_out_amounts=self.amounts[name])


def left_out_money(base: Sequence[BaseMetric], tables: Iterable[Table], observed: BuiltTables) -> LeftOutMoney:
    """Find the metrics whose columns lack money of the star's rows, and measure that; none where no row has any."""
    columns = {(table.name, column): left_out for table in tables for column, left_out in _left_out(table, observed)}
    found = LeftOutMoney()
    for metric in base:
        for column in columns_in(metric.value or "") if metric.unit == "currency" else ():
            if (metric.fact, column) in columns:
                count, money = columns[metric.fact, column]
                codes = filter(_CODE.fullmatch, observed[metric.fact].left_out_currencies[money])
                _add(found, metric, column, count, {code: f"{money}[{code!r}]" for code in codes})
    return found


def _left_out(table: Table, observed: BuiltTables) -> Iterator[tuple[str, tuple[str, str]]]:
    for column in table.columns:
        if column.left_out and observed[table.name].left_out_currencies.get(column.left_out[1]):
            yield column.name, column.left_out


def _add(found: LeftOutMoney, metric: BaseMetric, column: str, count: str, amounts: Mapping[str, str]) -> None:
    name = f"{metric.name}{LEFT_OUT}"
    over = replace(metric, kind="sum", label=None, hidden=True, note=None, rule=None)
    counted = replace(over, name=name, value=_with(metric, column, count), type="integer", unit="count")
    found.measured.append(replace(counted, description=f"What is in no amount of {metric.name}."))
    found.counts[metric.name] = name
    found.amounts[metric.name] = {code: f"{name}_{code.lower()}" for code in amounts}
    for code, field_ in amounts.items():
        description = f"What is in no amount of {metric.name}, in {code}."
        value = _with(metric, column, field_)
        found.measured.append(
            replace(over, name=f"{name}_{code.lower()}", value=value, type="decimal", description=description)
        )


def _with(metric: BaseMetric, column: str, other: str) -> str:
    """The value of a metric with another column in place of one."""
    return re.sub(rf"\b_\.{column}\b", f"_.{other}", metric.value or "")
