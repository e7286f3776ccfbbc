"""Creates the custom metrics of tenants.yaml: over a column of a fact, some rows of a metric, or other metrics.

Like standard metrics, they become measures of one fact, and arithmetic over those.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

from pipeline.config.blocks.custom_metric_forms import is_custom_form
from pipeline.errors import ConfigError, suggest
from semantic.catalog.catalog import COMPUTED, FLAGS
from semantic.catalog.expression import ZERO_WITHOUT_ROWS, MetricKind
from semantic.catalog.formula import Formula, MetricType, Name, expand, is_sum, metric_names, parse, to_text
from semantic.catalog.run_definitions import Selection
from semantic.definitions.found.proposals import is_number, metric_type
from semantic.definitions.metric_filters import (
    MetricInputs,
    SelectedRows,
    check_meaning_by_currency,
    select_rows,
)
from semantic.definitions.overlay import Overlay
from semantic.definitions.standard_metrics import BaseMetric, DerivedMetric, average_of
from warehouse.star_schema import Column, Table

MetricEntry = Mapping[str, Any]  # Any: text, flags, and lists of maps of those, as in tenants.yaml

_KINDS: Mapping[str, MetricKind | Literal["average"]] = {
    "sum": "sum",
    "count": "count",
    "count_distinct": "count_distinct",
    "average": "average",
    "min": "minimum",
    "max": "maximum",
    "median": "median",
}
"""By `aggregate` of tenants.yaml; an average becomes a sum by a count."""


@dataclass
class CustomMetrics:
    """The tenant's custom metrics: measures, derived metrics, and by fact and name the conditions on rows."""

    measured: list[BaseMetric] = field(default_factory=list)
    derived: dict[str, DerivedMetric] = field(default_factory=dict)
    selections: dict[str, dict[str, Selection]] = field(default_factory=dict)

    def select(self, name: str, selected: SelectedRows) -> str:
        """Add the rows selected for a metric; returns the condition under which a measure counts them."""
        for fact, conditions in selected.conditions.items():
            self.selections.setdefault(fact, {})[f"selected_by_{name}"] = conditions
        return f"_.selected_by_{name}"


def custom_metrics(overlay: Overlay, known: MetricInputs) -> CustomMetrics:
    """Create the custom metrics of a tenant.

    Raises:
        ConfigError: A name is taken or reserved, or a metric is made of something unknown, of personal data, or of a
            column that such an aggregate does not take.
    """
    custom = CustomMetrics()
    entries = {name: entry for name, entry in overlay.entries("metrics").items() if is_custom_form(entry)}
    for name, entry in entries.items():
        with overlay.located(name):
            _check_name(name, known)
            if "fact" in entry:
                _measure(name, _in_standard_names(entry, overlay), known, custom)
            elif "expression" in entry:
                expression = _expression(entry["expression"], name, overlay)
                about = f"{entry['expression']}."
                custom.derived[name] = DerivedMetric(
                    name=name, expression=expression, description=about, unit=entry.get("unit")
                )
    filtered = {name: _in_standard_names(entry, overlay) for name, entry in entries.items() if "metric" in entry}
    for name in filtered:
        with overlay.located(name):
            _filter(name, filtered, known, custom)
    return custom


def _check_name(name: str, known: MetricInputs) -> None:
    taken = {metric.name for metric in known.standard} | known.derived.keys() | known.dimensions.keys()
    if name in taken:
        raise ConfigError(f"semantic.metrics.{name} has a name that is taken.", "Choose another name for it.")
    if name.endswith(COMPUTED) or name in FLAGS or "__" in name:
        raise ConfigError(
            f"semantic.metrics.{name} has a name that answers use for columns of their own.",
            f"Choose a name without __ that does not end with {', '.join(COMPUTED)}.",
        )


def _in_standard_names(entry: MetricEntry, overlay: Overlay) -> MetricEntry:
    """Replace the tenant's names in the entry of a metric by the standard ones."""
    of = {"metric": overlay.standard_names.get(entry["metric"], entry["metric"])} if "metric" in entry else {}
    filters = [
        {**each, "name": overlay.standard_names.get(each["name"], each["name"])} for each in entry.get("filters", ())
    ]
    return {**entry, **of, "filters": filters}


def _expression(text: str, name: str, overlay: Overlay) -> str:
    """Write an expression in standard names; unchanged where it uses no name of the tenant."""
    formula = parse(text, name)
    if not overlay.standard_names.keys() & set(metric_names(formula)):
        return text
    return to_text(formula, lambda used: overlay.standard_names.get(used, used))


def _measure(name: str, entry: MetricEntry, known: MetricInputs, custom: CustomMetrics) -> None:
    """Add a metric over a column of a fact; an average becomes a sum by a count, which can be combined from parts."""
    table = _fact(entry["fact"], name, known)
    selected = select_rows(name, entry["filters"], [table.name], known) if entry["filters"] else None
    where = custom.select(name, selected) if selected else None
    metric_of = partial(BaseMetric, fact=table.name)
    if entry["aggregate"] == "count":
        description = f"Rows of {table.name}."
        metric = metric_of(name=name, kind="count", where=where, type="integer", unit="count", description=description)
        custom.measured.append(_with_rule(metric, selected))
        return
    column = _column(entry, name, table)
    kind, percent = _kind(entry["aggregate"])
    description = f"{entry['aggregate']} of {column.name} of {table.name}: {column.description}"
    column_metric = partial(
        metric_of, value=f"_.{column.name}", type=_type(column, kind), unit=_unit(entry, name, column, kind)
    )
    part = column_metric(name=name, kind="sum", description=description)
    check_meaning_by_currency(name, entry["filters"], [part], known, adds_up=kind in ZERO_WITHOUT_ROWS)
    if kind != "average":
        metric = column_metric(name=name, kind=kind, description=description, where=where, percent=percent)
        custom.measured.append(_with_rule(metric, selected))
        return
    part = replace(part, where=where, currency=selected.currency if selected else None)
    parts, custom.derived[name] = average_of(part, description=description, rule=selected.rule if selected else None)
    custom.measured += parts


def _fact(fact: str, name: str, known: MetricInputs) -> Table:
    facts = {table.name: table for table in known.tables if table.date}
    if fact not in facts:
        raise ConfigError(f"{name} is about {fact!r}, which is no fact here.", suggest(fact, facts))
    return facts[fact]


def _column(entry: MetricEntry, name: str, table: Table) -> Column:
    """Find the column: not personal, of a type that the aggregate takes."""
    columns = {column.name: column for column in table.columns if not column.personal}
    if entry["column"] in {column.name for column in table.columns if column.personal}:
        raise ConfigError(f"{name} is made of {entry['column']}, which is personal data.", "Choose another column.")
    if entry["column"] not in columns:
        what = f"{name} is made of {entry['column']!r}, which is no column of {table.name}."
        raise ConfigError(what, suggest(entry["column"], columns))
    column = columns[entry["column"]]
    if entry["aggregate"] != "count_distinct" and not is_number(column.type):
        numbers = ", ".join(each.name for each in columns.values() if is_number(each.type))
        raise ConfigError(
            f"{entry['aggregate']} of {column.name} of {table.name} is no number.",
            f"Write aggregate: count_distinct, or choose one of: {numbers}.",
        )
    return column


def _kind(aggregate: str) -> tuple[MetricKind | Literal["average"], int]:
    """Read the kind of metric, and the percent of a percentile."""
    if aggregate[0] == "p" and aggregate[1:].isdigit():
        return "percentile", int(aggregate[1:])
    return _KINDS[aggregate], 50


def _type(column: Column, kind: str) -> MetricType:
    if kind == "count_distinct":
        return "integer"
    return "number" if kind in ("median", "percentile") else metric_type(column.type)


def _unit(entry: MetricEntry, name: str, column: Column, kind: str) -> str:
    if kind == "count_distinct":
        return str(entry.get("unit", "count"))
    if column.is_amount:
        if "unit" in entry:
            raise ConfigError(f"{name} has a unit and is money.", "Remove it: money is in the currency of its rows.")
        return "currency"
    return str(entry.get("unit", "seconds" if column.name.endswith("_seconds") else "count"))


def _with_rule(metric: BaseMetric, selected: SelectedRows | None) -> BaseMetric:
    """Add the rule of the selected rows to a metric, after its own."""
    if selected is None:
        return metric
    rule = f"{metric.rule or ''} {selected.rule}".strip()
    currency = selected.currency or metric.currency
    return replace(metric, rule=rule, note=selected.note or metric.note, currency=currency)


def _filter(
    name: str,
    filtered: Mapping[str, MetricEntry],
    known: MetricInputs,
    custom: CustomMetrics,
    *,
    path: tuple[str, ...] = (),
) -> None:
    """Add a metric over selected rows of another: each measure in it counts only those."""
    if name in path:
        circle = " -> ".join([*path[path.index(name) :], name])
        raise ConfigError(f"{name} is made of itself: {circle}.", f"Make {path[-1]} of another metric.")
    if name in custom.derived or name in {metric.name for metric in custom.measured}:
        return
    base_name = filtered[name]["metric"]
    for each in metric_names(_formula(base_name, known, custom)):
        if each in filtered:
            _filter(each, filtered, known, custom, path=(*path, name))
    formula = _formula(base_name, known, custom)
    measures = _measures(name, base_name, formula, known, custom)
    facts = list(dict.fromkeys(metric.fact for metric in measures.values()))
    selected = select_rows(name, filtered[name]["filters"], facts, known)
    adds_up = is_sum(formula) and all(measure.kind in ZERO_WITHOUT_ROWS for measure in measures.values())
    check_meaning_by_currency(name, filtered[name]["filters"], measures.values(), known, adds_up=adds_up)
    where = custom.select(name, selected)
    narrowed = {
        each: replace(
            _with_rule(metric, selected),
            where=f"({metric.where}) & {where}" if metric.where else where,
            among=metric.among and f"({metric.among}) & {where}",
        )
        for each, metric in measures.items()
    }
    if isinstance(formula, Name):
        custom.measured.append(replace(narrowed[formula.name], name=name, label=None, hidden=False))
        return
    base = {**known.derived, **custom.derived}[base_name]
    custom.measured += [replace(metric, name=f"{name}__{each}", hidden=True) for each, metric in narrowed.items()]
    custom.derived[name] = DerivedMetric(
        name=name,
        expression=to_text(formula, lambda each: f"{name}__{each}"),
        description=base.description,
        rule=f"{base.rule or ''} {selected.rule}".strip(),
    )


def _measures(
    name: str, base_name: str, formula: Formula, known: MetricInputs, custom: CustomMetrics
) -> dict[str, BaseMetric]:
    """The measures in the formula of the metric that another filters."""
    base = {metric.name: metric for metric in (*known.standard, *custom.measured)}
    for each in metric_names(formula):
        if each not in base:
            problem = f"{name} is made of {base_name!r}" if each == base_name else f"{base_name} is made of {each!r}"
            raise ConfigError(
                f"{problem}, which is no metric here.", suggest(each, {*base, *known.derived, *custom.derived})
            )
    return {each: base[each] for each in metric_names(formula)}


def _formula(name: str, known: MetricInputs, custom: CustomMetrics) -> Formula:
    """Expand the formula of a metric over measures, as far as they are known."""
    derived = {**known.derived, **custom.derived}
    return expand(name, {each: parse(metric.expression, each) for each, metric in derived.items()})
