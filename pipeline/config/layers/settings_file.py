"""A YAML file of settings as a layer: gata.yaml, gata.<env>.yaml, or one of specs/."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pipeline.config.entry import Entry
from pipeline.config.layers.layer import Layer, LayerValue, ValuePath, lay_over, names_secret, overlapping
from pipeline.config.layers.substitution import refuse_in_key, substitute
from pipeline.config.yaml_file import read_yaml
from pipeline.errors import ConfigError
from pipeline.settings import Settings

LARGEST_BYTES = 1_000_000
RESERVED = ("base_silver", "dims", "enriched_silver")
"""Sections of specs that describe tables; a later release reads them."""
_IN_NO_FILE = {
    "tenants": "The files of settings are looked for beside tenants.yaml: set GATA_TENANTS, or leave it out."
}
_IN_BASE_ONLY = {"env": "The environment decides which overlays are read: write it in gata.yaml, or set GATA_ENV."}


@dataclass(frozen=True)
class SettingsFile:
    """A file of settings."""

    path: Path
    is_base: bool = False

    def read(self, variables: Mapping[str, str]) -> Layer:
        """What the file sets, its variables replaced.

        Raises:
            ConfigError: It cannot be read, or has a key that is no setting; names file, line and the nearest name.
        """
        self._refuse_other_than_text()
        root = read_yaml(self.path)
        for key, entry in root.mapping().items():
            refuse_in_key(key, entry)
            self._refuse_key(key, entry)
        entries = root.fields(Settings.model_fields)
        return dict(_values((), entries, variables))

    def _refuse_other_than_text(self) -> None:
        """Refuse what no person wrote: a pipe or a device, which may never end, and a file of any size."""
        if not self.path.is_file():
            raise ConfigError(f"{self.path} is no regular file.", "Put a YAML file of settings there, or remove it.")
        if (size := self.path.stat().st_size) > LARGEST_BYTES:
            what = f"{self.path} has {size:,} bytes; a file of settings has at most {LARGEST_BYTES:,}."
            raise ConfigError(what, "Put a YAML file of settings there.")

    def _refuse_key(self, key: str, entry: Entry) -> None:
        misplaced = _IN_NO_FILE if self.is_base else _IN_NO_FILE | _IN_BASE_ONLY
        if key in misplaced:
            raise entry.wrong(f"{key} cannot be set here.", misplaced[key])
        if key in RESERVED:
            raise entry.wrong(
                f"{key} describes tables, which this release does not read from files.",
                "Remove it; tables are those of the enabled sources.",
            )


def read_specs(paths: Iterable[Path], variables: Mapping[str, str]) -> Layer:
    """What the files of specs/ set together; their order says nothing.

    Raises:
        ConfigError: One of them is wrong, or two set the same value.
    """
    together: Layer = {}
    for path in paths:
        layer = SettingsFile(path).read(variables)
        for place, value in layer.items():
            if before := overlapping(together, place):
                name = ".".join(place)
                line = int(value.where.rpartition(":")[2])
                raise Entry(value.value, name, path, line).wrong(
                    f"{name} is set already at {before[0].where}.", "Remove one of the two."
                )
        together = lay_over(together, layer)
    return together


def _values(
    above: ValuePath, entries: Mapping[str, Entry], variables: Mapping[str, str]
) -> Iterator[tuple[ValuePath, LayerValue]]:
    for key, entry in entries.items():
        refuse_in_key(key, entry)
        path = (*above, key)
        if isinstance(entry.value, dict) and entry.value:
            yield from _values(path, entry.value, variables)
        else:
            names: list[str] = []
            value = _plain(entry, variables, names)
            is_secret = any(names_secret(name) for name in (*path, *names))
            yield path, LayerValue(value if above else _as_set(entry, value), entry.location, is_secret)


def _plain(entry: Entry, variables: Mapping[str, str], names: list[str]) -> Any:  # Any: as Entry.value
    """The value of an entry without its places; adds the variables in it to `names`."""
    if isinstance(entry.value, dict):
        for key, part in entry.value.items():
            refuse_in_key(key, part)
        return {key: _plain(part, variables, names) for key, part in entry.value.items()}
    if isinstance(entry.value, list):
        return [_plain(item, variables, names) for item in entry.value]
    if not isinstance(entry.value, str):
        return entry.value
    done = substitute(entry, entry.value, variables)
    names += done.names
    return done.text


def _as_set(entry: Entry, value: Any) -> Any:  # Any: as Entry.value
    """A value as its setting takes it: a path starts from the file that names it, and a flag is no number."""
    annotation = Settings.model_fields[entry.name].annotation
    kinds = {annotation, *get_args(annotation)}
    if Path in kinds and isinstance(value, str):
        return entry.file.parent / value
    return str(value).lower() if isinstance(value, bool) and bool not in kinds else value
