"""Makes the metrics of tenants.yaml: of a column of a fact, of some rows of a metric, or of other metrics.

What they are made into is what ours are: measures of one fact, and arithmetic over those.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

from pipeline.config.blocks.custom_metric_forms import is_custom_form
from pipeline.errors import ConfigError, suggest
from semantic.catalog.catalog import COMPUTED, FLAGS
from semantic.catalog.expression import MetricKind
from semantic.catalog.formula import Formula, MetricType, Name, expand, metric_names, parse, to_text
from semantic.catalog.run_definitions import Selection
from semantic.definitions.metric_filters import MetricInputs, SelectedRows, select_rows
from semantic.definitions.overlay import Overlay
from semantic.definitions.standard_metrics import BaseMetric, DerivedMetric
from warehouse.star_schema import CONVERSIONS, MONEY, Column, Table

Said = Mapping[str, Any]  # Any: text, flags, and lists of maps of those, as tenants.yaml

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
    """The tenant's own metrics: measures, arithmetic, and by fact and name the rows that measures count."""

    measured: list[BaseMetric] = field(default_factory=list)
    derived: dict[str, DerivedMetric] = field(default_factory=dict)
    selections: dict[str, dict[str, Selection]] = field(default_factory=dict)

    def select(self, name: str, selected: SelectedRows) -> str:
        """The condition under which a measure counts the rows selected for a metric."""
        for fact, conditions in selected.conditions.items():
            self.selections.setdefault(fact, {})[f"selected_by_{name}"] = conditions
        return f"_.selected_by_{name}"


def custom_metrics(words: Overlay, known: MetricInputs) -> CustomMetrics:
    """The metrics that a tenant makes.

    Raises:
        ConfigError: A name is taken or reserved, or a metric is made of what there is not, of personal data, or of a
            column that such an aggregate does not take.
    """
    own = CustomMetrics()
    said = {name: entry for name, entry in words.of("metrics").items() if is_custom_form(entry)}
    for name, entry in said.items():
        with words.placed(name):
            _check_name(name, known)
            if "fact" in entry:
                _measure(name, _in_our_names(entry, words), known, own)
            elif "expression" in entry:
                expression = _expression(entry["expression"], name, words)
                about = f"{entry['expression']}."
                own.derived[name] = DerivedMetric(
                    name=name, expression=expression, description=about, unit=entry.get("unit")
                )
    filtered = {name: _in_our_names(entry, words) for name, entry in said.items() if "metric" in entry}
    for name in filtered:
        with words.placed(name):
            _filter(name, filtered, known, own)
    return own


def _check_name(name: str, known: MetricInputs) -> None:
    taken = {metric.name for metric in known.standard} | known.derived.keys() | known.dimensions.keys()
    if name in taken:
        raise ConfigError(f"semantic.metrics.{name} has a name that is taken.", "Choose another name for it.")
    if name.endswith(COMPUTED) or name in FLAGS or "__" in name:
        raise ConfigError(
            f"semantic.metrics.{name} has a name that answers use for columns of their own.",
            f"Choose a name without __ that does not end with {', '.join(COMPUTED)}.",
        )


def _in_our_names(said: Said, words: Overlay) -> Said:
    """What is said about a metric, with the tenant's names for our metrics and dimensions replaced by ours."""
    of = {"metric": words.ours.get(said["metric"], said["metric"])} if "metric" in said else {}
    filters = [{**each, "name": words.ours.get(each["name"], each["name"])} for each in said.get("filters", ())]
    return {**said, **of, "filters": filters}


def _expression(text: str, name: str, words: Overlay) -> str:
    """An expression as it was written, or in our names."""
    formula = parse(text, name)
    if not words.ours.keys() & set(metric_names(formula)):
        return text
    return to_text(formula, lambda used: words.ours.get(used, used))


def _measure(name: str, said: Said, known: MetricInputs, own: CustomMetrics) -> None:
    """A metric of a column of a fact; an average is a sum by a count, so that it can be made of those of parts."""
    table = _fact(said["fact"], name, known)
    selected = select_rows(name, said["filters"], [table.name], known) if said["filters"] else None
    where = own.select(name, selected) if selected else None
    of = partial(BaseMetric, fact=table.name)
    if said["aggregate"] == "count":
        about = f"Rows of {table.name}."
        metric = of(name=name, kind="count", where=where, type="integer", unit="count", description=about)
        own.measured.append(_ruled(metric, selected))
        return
    column = _column(said, name, table)
    kind, percent = _kind(said["aggregate"])
    about = f"{said['aggregate']} of {column.name} of {table.name}: {column.description}"
    made = partial(of, value=f"_.{column.name}", type=_type(column, kind), unit=_unit(said, name, column, kind))
    if kind != "average":
        metric = made(name=name, kind=kind, description=about, where=where, percent=percent)
        own.measured.append(_ruled(metric, selected))
        return
    there = f"_.{column.name}.notnull()" + (f" & {where}" if where else "")
    own.measured.append(made(name=f"{name}__sum", kind="sum", description=about, where=where, hidden=True))
    counted = replace(own.measured[-1], name=f"{name}__count", kind="count", type="integer", unit="count", where=there)
    own.measured.append(counted)
    own.derived[name] = DerivedMetric(
        name=name,
        expression=f"{name}__sum / {name}__count",
        description=about,
        unit=own.measured[-2].unit,
        rule=selected.rule if selected else None,
    )


def _fact(fact: str, name: str, known: MetricInputs) -> Table:
    facts = {table.name: table for table in known.tables if table.date}
    if fact not in facts:
        raise ConfigError(f"{name} is about {fact!r}, which is no fact here.", suggest(fact, facts))
    return facts[fact]


def _column(said: Said, name: str, table: Table) -> Column:
    """The column, not personal, of a type that the aggregate takes."""
    shown = {column.name: column for column in table.columns if not column.personal}
    if said["column"] in {column.name for column in table.columns if column.personal}:
        raise ConfigError(f"{name} is made of {said['column']}, which is personal data.", "Choose another column.")
    if said["column"] not in shown:
        what = f"{name} is made of {said['column']!r}, which is no column of {table.name}."
        raise ConfigError(what, suggest(said["column"], shown))
    column = shown[said["column"]]
    if said["aggregate"] != "count_distinct" and not _is_number(column):
        numbers = ", ".join(each.name for each in shown.values() if _is_number(each))
        raise ConfigError(
            f"{said['aggregate']} of {column.name} of {table.name} is no number.",
            f"Write aggregate: count_distinct, or choose one of: {numbers}.",
        )
    return column


def _is_number(column: Column) -> bool:
    return column.type in ("BIGINT", "DOUBLE", MONEY, CONVERSIONS)


def _kind(aggregate: str) -> tuple[MetricKind | Literal["average"], int]:
    """The kind of metric, and the percent of a percentile."""
    if aggregate[0] == "p" and aggregate[1:].isdigit():
        return "percentile", int(aggregate[1:])
    return _KINDS[aggregate], 50


def _type(column: Column, kind: str) -> MetricType:
    if kind == "count_distinct":
        return "integer"
    if column.type == "DOUBLE" or kind in ("median", "percentile"):
        return "number"
    return "decimal" if column.type in (MONEY, CONVERSIONS) else "integer"


def _unit(said: Said, name: str, column: Column, kind: str) -> str:
    if kind == "count_distinct":
        return str(said.get("unit", "count"))
    if column.type == MONEY:
        if "unit" in said:
            raise ConfigError(f"{name} has a unit and is money.", "Remove it: money is in the currency of its rows.")
        return "currency"
    return str(said.get("unit", "seconds" if column.name.endswith("_seconds") else "count"))


def _ruled(metric: BaseMetric, selected: SelectedRows | None) -> BaseMetric:
    """The metric with the rule it follows, after any it follows already."""
    if selected is None:
        return metric
    return replace(metric, rule=f"{metric.rule or ''} {selected.rule}".strip(), note=selected.note or metric.note)


def _filter(
    name: str, filtered: Mapping[str, Said], known: MetricInputs, own: CustomMetrics, *, path: tuple[str, ...] = ()
) -> None:
    """A metric over some of its rows: each measure in it counts only those."""
    if name in path:
        circle = " -> ".join([*path[path.index(name) :], name])
        raise ConfigError(f"{name} is made of itself: {circle}.", f"Make {path[-1]} of another metric.")
    if name in own.derived or name in {metric.name for metric in own.measured}:
        return
    of = filtered[name]["metric"]
    for each in metric_names(_formula(of, known, own)):
        if each in filtered:
            _filter(each, filtered, known, own, path=(*path, name))
    formula = _formula(of, known, own)
    measures = _measures(name, of, formula, known, own)
    facts = list(dict.fromkeys(metric.fact for metric in measures.values()))
    selected = select_rows(name, filtered[name]["filters"], facts, known)
    where = own.select(name, selected)
    narrowed = {
        each: replace(_ruled(metric, selected), where=f"({metric.where}) & {where}" if metric.where else where)
        for each, metric in measures.items()
    }
    if isinstance(formula, Name):
        own.measured.append(replace(narrowed[formula.name], name=name, label=None, hidden=False))
        return
    made = {**known.derived, **own.derived}[of]
    own.measured += [replace(metric, name=f"{name}__{each}", hidden=True) for each, metric in narrowed.items()]
    own.derived[name] = DerivedMetric(
        name=name,
        expression=to_text(formula, lambda each: f"{name}__{each}"),
        description=made.description,
        rule=f"{made.rule or ''} {selected.rule}".strip(),
    )


def _measures(name: str, of: str, formula: Formula, known: MetricInputs, own: CustomMetrics) -> dict[str, BaseMetric]:
    """The measures in the formula of the metric that another is made of."""
    base = {metric.name: metric for metric in (*known.standard, *own.measured)}
    for each in metric_names(formula):
        if each not in base:
            about = f"{name} is made of {of!r}" if each == of else f"{of} is made of {each!r}"
            raise ConfigError(
                f"{about}, which is no metric here.", suggest(each, {*base, *known.derived, *own.derived})
            )
    return {each: base[each] for each in metric_names(formula)}


def _formula(name: str, known: MetricInputs, own: CustomMetrics) -> Formula:
    """The formula of a metric over measures, as far as they are known."""
    derived = {**known.derived, **own.derived}
    return expand(name, {each: parse(metric.expression, each) for each, metric in derived.items()})
