"""Gives metrics and dimensions the tenant's own names: the last thing done to definitions, and done everywhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from semantic.catalog.catalog import COMPUTED, CURRENCY, DATE, FLAGS
from semantic.catalog.run_definitions import DimensionDefinition, MetricDefinition, RunDefinitions, TableModel
from semantic.definitions.overlay import Definition, Overlay

_NAME = re.compile(r"[a-z][a-z0-9_]*")


def rename(definitions: RunDefinitions, words: Overlay) -> RunDefinitions:
    """The definitions with every renamed metric and dimension under its new name; the old one becomes a synonym.

    Raises:
        ConfigError: A new name is taken or reserved, or what is renamed is what planning relies on.
    """
    if not words.renames:
        return definitions
    _check(definitions, words)
    names = _NewNames(words.renames)
    metrics = {name: names.of_metric(entry) for name, entry in definitions.metrics.items()}
    dimensions = {name: names.of_dimension(entry) for name, entry in definitions.dimensions.items()}
    models = {name: names.of_model(model) for name, model in definitions.models.items()}
    changed = {"metrics": names.keyed(metrics), "dimensions": names.keyed(dimensions), "models": models}
    return RunDefinitions.model_validate({**dict(definitions), **changed})


@dataclass(frozen=True)
class _NewNames:
    """The names that a tenant gives, by ours."""

    renames: Mapping[str, str]

    def of(self, name: str) -> str:
        return self.renames.get(name, name)

    def of_metric(self, entry: MetricDefinition) -> MetricDefinition:
        if entry.expression is None:
            return entry
        return replace(entry, expression=_NAME.sub(lambda found: self.of(found[0]), entry.expression))

    def of_dimension(self, entry: DimensionDefinition) -> DimensionDefinition:
        return replace(entry, paths={fact: self._path(path) for fact, path in entry.paths.items()})

    def of_model(self, model: TableModel) -> TableModel:
        return replace(
            model,
            dimensions={self.of(name): text for name, text in model.dimensions.items()},
            measures={self.of(name): text for name, text in model.measures.items()},
        )

    def keyed(self, entries: Mapping[str, Definition]) -> dict[str, Definition]:
        """The entries under their new names, the old one the first synonym of each that has another."""
        return {self.of(name): self._known_as(name, entry) for name, entry in entries.items()}

    def _known_as(self, old: str, entry: Definition) -> Definition:
        return replace(entry, synonyms=(old, *entry.synonyms)) if old in self.renames else entry

    def _path(self, path: str) -> str:
        *tables, name = path.split(".")
        return ".".join((*tables, self.of(name)))


def _check(definitions: RunDefinitions, words: Overlay) -> None:
    taken = definitions.metrics.keys() | definitions.dimensions.keys()
    personal = {name for name, entry in definitions.dimensions.items() if entry.personal}
    seen: dict[str, str] = {}
    for kind in ("metrics", "dimensions"):
        for name, said in words.of(kind).items():
            if "rename" not in said:
                continue
            to = said["rename"]
            if name in (DATE, CURRENCY) or name in personal:
                raise words.wrong(kind, name, f"{name} keeps its name.", "Give it a label or synonyms instead.")
            if to.endswith(COMPUTED) or to in FLAGS:
                what = f"{name} is renamed to {to}, which answers use for columns of their own."
                raise words.wrong(kind, name, what, f"Choose a name that does not end with {', '.join(COMPUTED)}.")
            if to in taken or to in seen:
                raise words.wrong(kind, name, f"{name} is renamed to {to}, which is taken.", "Choose another name.")
            seen[to] = name
