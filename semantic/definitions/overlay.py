"""What tenants.yaml says under `semantic:`: words for what there is, the tenant's own metrics, personal data allowed.

Its shape was checked when it was read; here its names meet the catalog, and every error says where they stand.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

from pipeline.errors import ConfigError, GataError, suggest
from semantic.catalog.formula import Formula, Number, Operation, expand, is_sum, metric_names, parse, type_of, unit_of
from semantic.catalog.run_definitions import DimensionDefinition, MetricDefinition
from semantic.definitions.standard_metrics import DerivedMetric
from semantic.definitions.synonyms import SYNONYMS

Definition = TypeVar("Definition", MetricDefinition, DimensionDefinition)

_KINDS = ("metrics", "dimensions")


@dataclass(frozen=True)
class Overlay:
    """The `semantic:` block of a tenant, and where each of its names stands."""

    said: Mapping[str, Any]  # Any: a plain tree of text and flags
    places: Mapping[str, str]
    """Such as `metrics.profit` to tenants.yaml:12."""

    def wrong(self, kind: str, name: str, what: str, fix: str) -> ConfigError:
        """The error to raise about a name, with its place."""
        place = self.places.get(f"{kind}.{name}")
        return ConfigError(f"{place}: {what}" if place else what, fix)

    @contextmanager
    def placed(self, name: str) -> Iterator[None]:
        """Errors inside are about this metric, whatever is wrong with it."""
        try:
            yield
        except GataError as error:
            raise self.wrong("metrics", name, error.what, error.fix) from error

    def of(self, kind: str) -> Mapping[str, Mapping[str, Any]]:  # Any: as `said`
        """What is said about metrics or dimensions, by name."""
        found: Mapping[str, Mapping[str, Any]] = self.said.get(kind, {})
        return found

    @cached_property
    def renames(self) -> Mapping[str, str]:
        """Our names to the tenant's, of metrics and dimensions."""
        return {name: said["rename"] for kind in _KINDS for name, said in self.of(kind).items() if "rename" in said}

    @cached_property
    def ours(self) -> Mapping[str, str]:
        """The tenant's names to ours: `semantic:` may use both."""
        return {new: old for old, new in self.renames.items()}

    def exposed(self, personal: Collection[str]) -> frozenset[str]:
        """The personal dimensions that the tenant allows.

        Raises:
            ConfigError: It allows something that is not personal data here.
        """
        allowed = frozenset(self.said.get("expose", ()))
        for name in sorted(allowed - frozenset(personal)):
            what = f"semantic.expose names {name!r}, which is no personal dimension."
            raise self.wrong("expose", name, what, suggest(name, personal))
        return allowed


def add_metrics(metrics: dict[str, MetricDefinition], derived: Mapping[str, DerivedMetric], words: Overlay) -> None:
    """Add metrics made of others, with their type, unit and kind, and how they add up.

    Raises:
        ConfigError: One names a metric that there is not, is made of itself, or adds money and clicks.
    """
    formulas: dict[str, Formula] = {}
    for name, metric in derived.items():
        with words.placed(name):
            formulas[name] = parse(metric.expression, name)
    base = {name: entry for name, entry in metrics.items() if entry.fact is not None}
    types = {name: entry.type for name, entry in base.items()}
    units = {name: entry.unit for name, entry in base.items()}
    known = base.keys() | derived.keys()
    for name, metric in derived.items():
        with words.placed(name):
            for used in metric_names(formulas[name]):
                if used not in known:
                    what = f"The expression of {name} names {used!r}, which is no metric here."
                    raise ConfigError(what, suggest(used, known))
            formula = expand(name, formulas)
            unit = unit_of(formula, units, name)
            sums = is_sum(formula) and all(base[used].adds_up == "sum" for used in metric_names(formula))
            metrics[name] = MetricDefinition(
                description=metric.description,
                type=type_of(formula, types),
                unit=metric.unit or unit,
                kind="ratio" if _is_ratio(formulas[name]) else "derived",
                adds_up="sum" if sums else "none",
                expression=metric.expression,
                label=metric.label,
                rule=metric.rule,
                synonyms=SYNONYMS.get(name, ()),
            )


def _is_ratio(formula: Formula) -> bool:
    return isinstance(formula, Operation) and formula.sign == "/" and not isinstance(formula.right, Number)


def apply_overlay(words: Overlay, kind: str, entries: dict[str, Definition]) -> None:
    """Let the tenant's labels, descriptions, synonyms and `hidden` replace ours, of metrics or of dimensions.

    Raises:
        ConfigError: They are about a metric or dimension that there is not.
    """
    for name, said in words.of(kind).items():
        if name not in entries:
            what = f"semantic.{kind}.{name} names nothing that is here."
            raise words.wrong(kind, name, what, suggest(name, entries))
        entries[name] = _worded(entries[name], said)


def _worded(entry: Definition, said: Mapping[str, Any]) -> Definition:  # Any: text, flags and lists of text
    description = said.get("description", entry.description)
    if isinstance(entry, MetricDefinition) and entry.rule:
        description = f"{description.removesuffix(entry.rule).rstrip()} {entry.rule}"
    return replace(
        entry,
        label=said.get("label", entry.label),
        description=description,
        hidden=said.get("hidden", entry.hidden),
        synonyms=tuple(dict.fromkeys((*said.get("synonyms", ()), *entry.synonyms))),
    )
