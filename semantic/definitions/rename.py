"""Renames metrics and dimensions to the tenant's own names, as the last step of `derive`, everywhere they are used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from semantic.catalog.catalog import COMPUTED, CURRENCY, DATE, FLAGS
from semantic.catalog.run_definitions import DimensionDefinition, MetricDefinition, RunDefinitions, TableModel
from semantic.definitions.overlay import Definition, Overlay

_NAME = re.compile(r"[a-z][a-z0-9_]*")


def rename(definitions: RunDefinitions, overlay: Overlay) -> RunDefinitions:
    """Rename metrics and dimensions of definitions; the old name becomes a synonym.

    Raises:
        ConfigError: A new name is taken or reserved, or planning relies on the old one.
    """
    if not overlay.renames:
        return definitions
    _check(definitions, overlay)
    names = _NewNames(overlay.renames)
    metrics = {name: names.of_metric(entry) for name, entry in definitions.metrics.items()}
    dimensions = {name: names.of_dimension(entry) for name, entry in definitions.dimensions.items()}
    models = {name: names.of_model(model) for name, model in definitions.models.items()}
    renamed = {"metrics": names.keyed(metrics), "dimensions": names.keyed(dimensions), "models": models}
    return RunDefinitions.model_validate({**dict(definitions), **renamed})


@dataclass(frozen=True)
class _NewNames:
    """The tenant's names by the standard ones."""

    renames: Mapping[str, str]

    def of(self, name: str) -> str:
        return self.renames.get(name, name)

    def of_metric(self, entry: MetricDefinition) -> MetricDefinition:
        if entry.expression is None:
            return entry
        expression = _NAME.sub(lambda match: self.of(match[0]), entry.expression)
        return replace(entry, expression=expression, parts=tuple(map(self.of, entry.parts)))

    def of_dimension(self, entry: DimensionDefinition) -> DimensionDefinition:
        placed_by = entry.placed_by and self.of(entry.placed_by)
        paths = {fact: self._path(path) for fact, path in entry.paths.items()}
        return replace(entry, paths=paths, placed_by=placed_by)

    def of_model(self, model: TableModel) -> TableModel:
        return replace(
            model,
            dimensions={self.of(name): text for name, text in model.dimensions.items()},
            measures={self.of(name): text for name, text in model.measures.items()},
        )

    def keyed(self, entries: Mapping[str, Definition]) -> dict[str, Definition]:
        """The entries under their new names, with the old name as the first synonym of each renamed one."""
        return {self.of(name): self._with_synonym(name, entry) for name, entry in entries.items()}

    def _with_synonym(self, old: str, entry: Definition) -> Definition:
        return replace(entry, synonyms=(old, *entry.synonyms)) if old in self.renames else entry

    def _path(self, path: str) -> str:
        *tables, name = path.split(".")
        return ".".join((*tables, self.of(name)))


def _check(definitions: RunDefinitions, overlay: Overlay) -> None:
    taken = definitions.metrics.keys() | definitions.dimensions.keys()
    personal = {name for name, entry in definitions.dimensions.items() if entry.personal}
    new_names: dict[str, str] = {}
    for kind in ("metrics", "dimensions"):
        for name, entry in overlay.entries(kind).items():
            if "rename" not in entry:
                continue
            new_name = entry["rename"]
            if name in (DATE, CURRENCY) or name in personal:
                raise overlay.error(kind, name, f"{name} keeps its name.", "Give it a label or synonyms instead.")
            if new_name.endswith(COMPUTED) or new_name in FLAGS:
                what = f"{name} is renamed to {new_name}, which answers use for columns of their own."
                raise overlay.error(kind, name, what, f"Choose a name that does not end with {', '.join(COMPUTED)}.")
            if new_name in taken or new_name in new_names:
                raise overlay.error(
                    kind, name, f"{name} is renamed to {new_name}, which is taken.", "Choose another name."
                )
            new_names[new_name] = name
