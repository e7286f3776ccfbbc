"""The catalog of connectors: supported_connectors.yaml as data. A connector is a kind of source and how to read it."""

from __future__ import annotations

from pathlib import Path
from typing import cast, get_args

from pipeline.config.entry import Entry
from pipeline.config.yaml_file import read_yaml
from pipeline.contracts.bundled import CATALOG_FILE, bundled_file
from pipeline.contracts.connector import Connector, Domain

CATALOG = Path(CATALOG_FILE)
"""The catalog of the folder that a command runs in, where it has one."""
_KEYS = ("name", "domain", "version", "master_model_id", "like", "objects")


def load_catalog(path: Path = CATALOG) -> dict[str, Connector]:
    """Every connector by name, in the file's order; the bundled catalog where there is no file at `path`.

    Raises:
        ConfigError: The file is not a catalog; names file, line, the wrong value and the nearest valid one.
    """
    root = read_yaml(path if path.exists() else bundled_file(CATALOG_FILE))
    root.fields(["connectors"])
    catalog: dict[str, Connector] = {}
    entries: dict[str, Entry] = {}
    for entry in root.required("connectors").one_or_many():
        connector = _connector(entry)
        if connector.name in catalog:
            first = entries[connector.name].line
            raise entry.wrong(f"The connector {connector.name} is already on line {first}.", "Remove one of the two.")
        catalog[connector.name] = connector
        entries[connector.name] = entry
    for connector in catalog.values():
        if connector.like:
            _check_likeness(connector, catalog, entries[connector.name])
    _refuse_shared_sinks(catalog, entries)
    return catalog


def _check_likeness(connector: Connector, catalog: dict[str, Connector], entry: Entry) -> None:
    """Check that `like` names a connector of the same domain that has contracts of its own."""
    like = entry.mapping()["like"]
    other = catalog.get(like.choice([name for name in catalog if name != connector.name], "connector"))
    if other and (other.like or other.domain != connector.domain):
        raise like.wrong(
            f"{connector.name} is like {other.name}, which is {f'like {other.like}' if other.like else other.domain}.",
            f"Name one of {connector.domain} with contracts of its own.",
        )


def _refuse_shared_sinks(catalog: dict[str, Connector], entries: dict[str, Entry]) -> None:
    """Refuse two contracts with one sink name: `a` + `b_c` and `a_b` + `c` have the same."""
    sinks: dict[str, tuple[str, str]] = {}
    for connector in catalog.values():
        for name in connector.objects:
            model = (connector.master_model_id, name)
            other = sinks.setdefault("_".join(model), model)
            if other != model:
                raise entries[connector.name].wrong(
                    f"{' + '.join(other)} and {' + '.join(model)} name the same sink.", "Rename one master_model_id."
                )


def _connector(entry: Entry) -> Connector:
    entry.fields(_KEYS)
    return Connector(
        name=entry.required("name").identifier(),
        domain=cast("Domain", entry.required("domain").choice(get_args(Domain), "domain")),
        version=entry.required("version").text(length=40),
        master_model_id=entry.required("master_model_id").identifier(),
        objects=_objects(entry.required("objects")),
        like=entry.mapping()["like"].identifier() if "like" in entry.mapping() else None,
    )


def _objects(entry: Entry) -> tuple[str, ...]:
    """The objects, each named once."""
    names: list[str] = []
    for item in entry.one_or_many():
        name = item.identifier(length=60)
        if name in names:
            raise item.wrong(f"The object {name} is listed twice.", "Remove one of the two.")
        names.append(name)
    return tuple(names)
