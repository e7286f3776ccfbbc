"""What of a run is shared with other programs: all that can be asked, without anything about persons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import yaml

from semantic.catalog.catalog import Catalog, Metric, read_catalog
from semantic.catalog.expression import columns_in
from semantic.catalog.formula import Name, metric_names
from semantic.catalog.run_definitions import RunDefinitions, SelectionCondition

LINE = 120


@dataclass(frozen=True, kw_only=True)
class SharedRun:
    """The definitions of a run, and the columns of its tables.

    Personal dimensions are in no export, whatever the tenant exposes: access to those is decided per request.
    """

    run_id: str
    definitions: RunDefinitions
    columns: Mapping[str, frozenset[str]]
    """By table: all its columns, also those that no definition uses."""

    @cached_property
    def catalog(self) -> Catalog:
        return read_catalog(self.definitions, expose=frozenset())

    def withheld_columns(self, model: str) -> frozenset[str]:
        """The columns of a model's table that hold personal dimensions, exposed or not."""
        shared = self.catalog.dimensions
        texts = (text for name, text in self.definitions.models[model].dimensions.items() if name not in shared)
        return frozenset(column for text in texts for column in columns_in(text))

    def dimensions_of(self, model: str) -> dict[str, str]:
        """The dimensions of a model that can be asked for, with their expressions, by name."""
        askable = set(self.catalog.askable_dimensions)
        own = self.definitions.models[model].dimensions
        return {name: own[name] for name in sorted(askable & own.keys())}

    def measures_of(self, fact: str) -> dict[str, str]:
        """The measures of a fact that metrics which can be asked for are made of, with their expressions, by name."""
        used = {base for name in self.catalog.askable_metrics for base in self.bases_of(self.catalog.metrics[name])}
        own = self.definitions.measures_of(fact)
        return {name: own[name] for name in sorted(used & own.keys())}

    @staticmethod
    def bases_of(metric: Metric) -> tuple[str, ...]:
        """The measures that a metric is made of, each once."""
        return tuple(dict.fromkeys(metric_names(metric.formula)))

    def formulas_of(self, facts: Iterable[str]) -> dict[str, Metric]:
        """The metrics that can be asked for and are arithmetic over measures of exactly these facts, by name."""
        wanted = set(facts)
        metrics = ((name, self.catalog.metrics[name]) for name in self.catalog.askable_metrics)
        return {
            name: metric
            for name, metric in metrics
            if not isinstance(metric.formula, Name) and set(self.catalog.facts_of(name)) == wanted
        }

    def tables_on_the_way(self, fact: str) -> dict[str, tuple[str, ...]]:
        """The models that a fact joins for its dimensions, the nearest first, each with the path to it."""
        askable = self.catalog.askable_dimensions
        paths = {tuple(self.catalog.dimensions[name].paths.get(fact, "").split(".")[:-1]) for name in askable}
        steps = {path[:length] for path in paths for length in range(1, len(path) + 1)}
        return {path[-1]: path for path in sorted(steps, key=lambda path: (len(path), path))}

    @cached_property
    def joined_tables(self) -> tuple[str, ...]:
        """The models that facts join for their dimensions and that are no facts, by name."""
        joined = {table for fact in self.catalog.facts for table in self.tables_on_the_way(fact)}
        return tuple(sorted(joined - self.catalog.facts.keys()))

    def conditions_of(self, fact: str, flag: str) -> tuple[SelectionCondition, ...] | None:
        """The conditions behind a column that is no column of the table but a flag of rows; None for a column."""
        return self.definitions.models[fact].selections.get(flag)


def yaml_text(head: Iterable[str], tree: Mapping[str, object]) -> str:
    """Write a tree as YAML in its own order, under lines of comment; the same tree gives the same bytes."""
    comment = "".join(f"# {line}".rstrip() + "\n" for line in head)
    return comment + yaml.dump(
        dict(tree), Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=LINE, default_flow_style=False
    )
