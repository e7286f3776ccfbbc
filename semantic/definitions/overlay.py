"""Overlay: the `semantic:` block of tenants.yaml with labels, custom metrics, and the personal dimensions it permits.

Its shape was checked when it was read; here its names are checked against the catalog, and errors carry file and line.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

from pipeline.errors import ConfigError, GataError, suggest
from semantic.catalog.formula import Formula, expand, is_ratio, is_sum, metric_names, parse, type_of, unit_of
from semantic.catalog.run_definitions import DimensionDefinition, MetricDefinition
from semantic.definitions.standard_metrics import DerivedMetric
from semantic.definitions.synonyms import SYNONYMS

Definition = TypeVar("Definition", MetricDefinition, DimensionDefinition)

_KINDS = ("metrics", "dimensions")


@dataclass(frozen=True)
class Overlay:
    """The `semantic:` block of a tenant, with the location of each of its names."""

    block: Mapping[str, Any]  # Any: a plain tree of text and flags
    locations: Mapping[str, str]
    """Such as `metrics.profit` to tenants.yaml:12."""

    def error(self, kind: str, name: str, what: str, fix: str) -> ConfigError:
        """Create an error about a name, with its location."""
        location = self.locations.get(f"{kind}.{name}")
        return ConfigError(f"{location}: {what}" if location else what, fix)

    @contextmanager
    def located(self, name: str) -> Iterator[None]:
        """Raise errors of the block as errors about this metric, with its location."""
        try:
            yield
        except GataError as cause:
            raise self.error("metrics", name, cause.what, cause.fix) from cause

    def entries(self, kind: str) -> Mapping[str, Mapping[str, Any]]:  # Any: as `block`
        """The entries for metrics or dimensions, by name."""
        entries: Mapping[str, Mapping[str, Any]] = self.block.get(kind, {})
        return entries

    @cached_property
    def renames(self) -> Mapping[str, str]:
        """Standard names to the tenant's, of metrics and dimensions."""
        return {
            name: entry["rename"] for kind in _KINDS for name, entry in self.entries(kind).items() if "rename" in entry
        }

    @cached_property
    def standard_names(self) -> Mapping[str, str]:
        """The tenant's names to the standard ones: `semantic:` may use both."""
        return {new: old for old, new in self.renames.items()}

    def exposed(self, personal: Collection[str]) -> frozenset[str]:
        """Return the personal dimensions that the tenant permits.

        Raises:
            ConfigError: It permits something that is no personal dimension here.
        """
        permitted = frozenset(self.block.get("expose", ()))
        for name in sorted(permitted - frozenset(personal)):
            what = f"semantic.expose names {name!r}, which is no personal dimension."
            raise self.error("expose", name, what, suggest(name, personal))
        return permitted


def add_metrics(metrics: dict[str, MetricDefinition], derived: Mapping[str, DerivedMetric], overlay: Overlay) -> None:
    """Add derived metrics, with their type, unit and kind, and how they add up.

    Raises:
        ConfigError: One names an unknown metric, is made of itself, or adds different units such as money and clicks.
    """
    formulas: dict[str, Formula] = {}
    for name, metric in derived.items():
        with overlay.located(name):
            formulas[name] = parse(metric.expression, name)
    base = {name: entry for name, entry in metrics.items() if entry.fact is not None}
    types = {name: entry.type for name, entry in base.items()}
    units = {name: entry.unit for name, entry in base.items()}
    known = base.keys() | derived.keys()
    for name, metric in derived.items():
        with overlay.located(name):
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
                kind="ratio" if is_ratio(formulas[name]) else "derived",
                adds_up="sum" if sums else "none",
                expression=metric.expression,
                label=metric.label,
                rule=metric.rule,
                synonyms=(*SYNONYMS.get(name, ()), *metric.synonyms),
                unknown_rows=metric.unknown_rows,
                counted_rows=metric.counted_rows,
                left_out=metric.left_out,
            )


def apply_overlay(overlay: Overlay, kind: str, entries: dict[str, Definition]) -> None:
    """Apply the tenant's labels, descriptions, synonyms and `hidden` to metrics or dimensions.

    Raises:
        ConfigError: They are about an unknown metric or dimension.
    """
    for name, entry in overlay.entries(kind).items():
        if name not in entries:
            what = f"semantic.{kind}.{name} names nothing that is here."
            raise overlay.error(kind, name, what, suggest(name, entries))
        entries[name] = _with_texts(entries[name], entry)


def _with_texts(definition: Definition, entry: Mapping[str, Any]) -> Definition:  # Any: text, flags and lists of text
    description = entry.get("description", definition.description)
    if isinstance(definition, MetricDefinition) and definition.rule:
        description = f"{description.removesuffix(definition.rule).rstrip()} {definition.rule}"
    return replace(
        definition,
        label=entry.get("label", definition.label),
        description=description,
        hidden=entry.get("hidden", definition.hidden),
        synonyms=tuple(dict.fromkeys((*entry.get("synonyms", ()), *definition.synonyms))),
    )
