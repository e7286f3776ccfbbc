"""Rows that do not say a number: counts them for answers, and computes ratios over the rows that say all their parts.

A sum skips the rows whose value is unknown, so a ratio of two sums would divide the spend of all sources by the
conversions of some. Where the star has such rows, each part of a ratio within one fact becomes a hidden measure over
the rows that say every part, and each metric gets a hidden count of the rows that it leaves out. A star without such
rows has none of these, and a ratio is the plain quotient of its sums.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from semantic.catalog.expression import ZERO_WITHOUT_ROWS, columns_in
from semantic.catalog.formula import Formula, Name, Operation, expand, metric_names, parse, to_text
from semantic.catalog.run_definitions import MetricDefinition
from semantic.definitions.introspect import BuiltTables
from semantic.definitions.standard_metrics import BaseMetric, DerivedMetric, count_of_rows
from warehouse.star_schema import Table

UNKNOWN, COUNTED = "__unknown", "__counted"


@dataclass
class KnownRows:
    """What a star's unknown numbers add to its metrics."""

    measured: list[BaseMetric] = field(default_factory=list)
    """Hidden measures: parts of ratios, and counts of unknown rows."""
    derived: dict[str, DerivedMetric] = field(default_factory=dict)
    """All derived metrics, ratios with unknown parts over the rows that say them."""
    unknown_rows: dict[str, str] = field(default_factory=dict)
    """By metric: the measure that counts the rows it leaves out."""
    counted_rows: dict[str, str] = field(default_factory=dict)
    """By filtered metric: the measure that counts the rows it is about."""
    parts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By ratio: the base metrics that some rows do not say."""
    keys: dict[str, str] = field(default_factory=dict)
    """By count of different values, and by sum over some rows: the column that some of them do not have."""

    selected_rows: dict[str, str] = field(default_factory=dict)
    """By metric with filters of its own that is 0 without rows: the measure that counts the rows they leave."""

    def count(self, metric: str, fact: str, where: str) -> None:
        """Count the rows that a metric leaves out."""
        description = f"Rows that {metric} leaves out, because they do not say its value."
        self.measured.append(
            count_of_rows(f"{metric}{UNKNOWN}", fact, where=where, description=description, hidden=True)
        )
        self.unknown_rows[metric] = f"{metric}{UNKNOWN}"

    def count_filtered(self, metric: str, fact: str, where: str) -> None:
        """Count the rows that a filtered metric is about."""
        description = f"Rows that {metric} is about."
        self.measured.append(
            count_of_rows(f"{metric}{COUNTED}", fact, where=where, description=description, hidden=True)
        )
        self.counted_rows[metric] = f"{metric}{COUNTED}"

    def of_metric(self, name: str, entry: MetricDefinition) -> MetricDefinition:
        """A metric's definition with the count of the rows that it leaves out."""
        entry = replace(entry, selected_rows=self.selected_rows.get(name))
        if name not in self.unknown_rows:
            return entry
        return replace(
            entry,
            left_out=None,
            unknown_rows=self.unknown_rows[name],
            counted_rows=self.counted_rows.get(name),
            parts=self.parts.get(name, ()),
            key=self.keys.get(name),
        )


def known_rows(
    base: Sequence[BaseMetric], derived: Mapping[str, DerivedMetric], tables: Iterable[Table], observed: BuiltTables
) -> KnownRows:
    """Find the metrics that some rows of a star do not say, and what answers about them need.

    Of the numbers only columns whose NULL is unknown count (`Column.unknown`), not those whose NULL says that there is
    none. A count of different values, and a sum over some rows, leave out those without one.
    """
    numbers = {table.name: {each.name for each in table.columns if each.unknown} for table in tables}
    unknown = {fact: {name for name in names if observed[fact].nulls.get(name)} for fact, names in numbers.items()}
    sums = {metric.name: metric for metric in base if _sums(metric, numbers)}
    partial = {name: metric for name, metric in sums.items() if _sums(metric, unknown)}
    rows = KnownRows(derived=dict(derived))
    for metric in partial.values():
        _count_rows(rows, metric, metric.where)
    for metric in base:
        if metric.name not in partial and (key := _missing_key(metric, observed)):
            rows.keys[metric.name] = key
            _count_rows(rows, metric, metric.among or metric.where)
        if metric.rule and metric.where and metric.kind in ZERO_WITHOUT_ROWS:
            _count_selected(rows, metric)
    by_name, formulas = {metric.name: metric for metric in base}, _formulas(derived)
    for name in formulas:
        ratio = _Ratio(name, by_name, sums, partial.keys(), formulas)
        formula = ratio.rewritten(formulas[name])
        if ratio.bases:
            _add_ratio(rows, ratio, formula, derived[name])
    return rows


def _count_rows(rows: KnownRows, metric: BaseMetric, among: str | None) -> None:
    """Count the rows without the value of a metric among those that it may count."""
    missing = f"{_in_call(metric)}.isnull()"
    rows.count(metric.name, metric.fact, f"({among}) & {missing}" if among else missing)
    if among:
        rows.count_filtered(metric.name, metric.fact, among)


def _count_selected(rows: KnownRows, metric: BaseMetric) -> None:
    """Count the rows that the filters of a metric leave; a count is that already."""
    if metric.kind != "count" and metric.name not in rows.counted_rows:
        rows.count_filtered(metric.name, metric.fact, metric.where or "")
    rows.selected_rows[metric.name] = rows.counted_rows.get(metric.name, metric.name)


def _missing_key(metric: BaseMetric, observed: BuiltTables) -> str | None:
    """The column whose different values, or whose sum over some rows, a metric is, where some rows have none."""
    if metric.kind != "count_distinct" and not (metric.kind == "sum" and metric.where):
        return None
    column = columns_in(metric.value or "")[-1]
    return column if observed[metric.fact].nulls.get(column) else None


def _sums(metric: BaseMetric, columns: Mapping[str, set[str]]) -> bool:
    """Whether a metric adds up one of these columns of its fact."""
    added = columns.get(metric.fact, set())
    return metric.kind == "sum" and not added.isdisjoint(columns_in(metric.value or ""))


def _formulas(derived: Mapping[str, DerivedMetric]) -> dict[str, Formula]:
    return {name: parse(metric.expression, name) for name, metric in derived.items()}


class _Ratio:
    """Rewrites the quotients of one derived metric; `bases` are the base metrics in those that it changed."""

    def __init__(
        self,
        name: str,
        by_name: Mapping[str, BaseMetric],
        sums: Mapping[str, BaseMetric],
        partial: AbstractSet[str],
        formulas: Mapping[str, Formula],
    ) -> None:
        self.name, self._by_name, self._partial, self._formulas = name, by_name, partial, formulas
        self.sums = sums
        self.bases: dict[str, BaseMetric] = {}

    def rewritten(self, formula: Formula) -> Formula:
        """The formula, with the names of parts in quotients of one fact replaced."""
        if not isinstance(formula, Operation):
            return formula
        if formula.sign == "/" and (bases := self._bases(formula)):
            self.bases |= bases
            return _renamed(self._expanded(formula), self.part)
        return Operation(formula.sign, self.rewritten(formula.left), self.rewritten(formula.right))

    def part(self, base: str) -> str:
        """The name of a base metric over the rows that say every part."""
        return f"{self.name}__{base}"

    def _bases(self, quotient: Operation) -> dict[str, BaseMetric]:
        """The sums and counts of one fact that a quotient divides, where some are partial and not all alike."""
        sides = [list(metric_names(self._expanded(side))) for side in (quotient.left, quotient.right)]
        names = dict.fromkeys([*sides[0], *sides[1]])
        bases = {name: self._by_name[name] for name in names if name in self._by_name}
        is_known = all(sides) and len(bases) == len(names)
        if not is_known or len({metric.fact for metric in bases.values()}) != 1:
            return {}
        if self._partial.isdisjoint(bases) or any(each.kind not in ("sum", "count") for each in bases.values()):
            return {}
        values = {metric.value if name in self.sums else None for name, metric in bases.items()}
        return bases if len(values) > 1 else {}

    def _expanded(self, formula: Formula) -> Formula:
        if isinstance(formula, Name):
            return expand(formula.name, self._formulas)
        if isinstance(formula, Operation):
            return Operation(formula.sign, self._expanded(formula.left), self._expanded(formula.right))
        return formula


def _renamed(formula: Formula, rename: Callable[[str], str]) -> Formula:
    if isinstance(formula, Name):
        return Name(rename(formula.name))
    if isinstance(formula, Operation):
        return Operation(formula.sign, _renamed(formula.left, rename), _renamed(formula.right, rename))
    return formula


def _add_ratio(rows: KnownRows, ratio: _Ratio, formula: Formula, metric: DerivedMetric) -> None:
    """Add a ratio's parts over the rows that say all of them, and the count of rows that say some."""
    parts = tuple(name for name in ratio.bases if name in ratio.sums)
    values = list(dict.fromkeys(_in_call(ratio.sums[name]) for name in parts))
    said = " & ".join(f"{value}.notnull()" for value in values)
    for name, base in ratio.bases.items():
        where = f"({base.where}) & {said}" if base.where else said
        part = replace(base, name=ratio.part(name), where=where, note=None, hidden=True, label=None)
        rows.measured.append(part)
    left_out = " | ".join(f"{value}.isnull()" for value in values)
    if len(values) == len(ratio.bases) and len(values) > 1:  # a row that says none of them is in no part anyway
        left_out = f"({left_out}) & ({' | '.join(f'{value}.notnull()' for value in values)})"
    rows.count(ratio.name, next(iter(ratio.bases.values())).fact, left_out)
    rows.parts[ratio.name] = parts
    rule = f"Only rows that say {' and '.join(parts)}."
    rows.derived[ratio.name] = replace(
        metric,
        expression=to_text(formula, str),
        description=f"{metric.description.removesuffix(metric.rule or '').rstrip()} {rule}",
        rule=f"{metric.rule or ''} {rule}".strip(),
    )


def _in_call(metric: BaseMetric) -> str:
    """The value of a metric as text before a method of its."""
    value = metric.value or ""
    return value if value.removeprefix("_.").isidentifier() else f"({value})"
