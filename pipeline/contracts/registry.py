"""Blueprints: a contract's fingerprint and the sink its records go to. All routing happens here, in Python."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.contracts.connector import Connector
from pipeline.contracts.downloads import Downloads, downloads_of
from pipeline.contracts.fields import Contract, Record, shape_of, wire_type


@dataclass(frozen=True)
class Blueprint:
    """One object of one connector: its contract, the contract's fingerprint, and the sink it routes to."""

    platform: str
    object: str
    version: str
    master_model_id: str
    contract: type[Contract]
    columns: tuple[tuple[str, str], ...]  # landing columns without loader columns: name, DuckDB type
    source_schema_hash: str
    downloads: Downloads = field(default_factory=Downloads)
    """What people download from the connector's web pages."""
    other_downloads: Mapping[str, Downloads] = field(default_factory=dict, repr=False)
    """Those of other connectors, by connector."""

    @property
    def sink(self) -> str:
        return f"platform_mm__{self.master_model_id}_{self.object}"

    @property
    def landing_table(self) -> str:
        return f"{self.platform}__{self.object}"

    @property
    def shape(self) -> Record:
        return shape_of(self.contract)


Blueprints = Mapping[tuple[str, str], Blueprint]
"""The blueprints of every connector, by (platform, object)."""


def schema_hash(columns: tuple[tuple[str, str], ...]) -> str:
    """MD5 of the sorted `column:type` list, so that the order of columns does not count."""
    listed = ",".join(sorted(f"{name}:{type_}" for name, type_ in columns))
    return hashlib.md5(listed.encode(), usedforsecurity=False).hexdigest()


def blueprints(catalog: Mapping[str, Connector]) -> dict[tuple[str, str], Blueprint]:
    """The blueprint of every object of every connector that has contracts, by (platform, object)."""
    by_object = {}
    downloads = {connector.reads_as: downloads_of(connector.reads_as) for connector in catalog.values()}
    for connector in catalog.values():
        others = {name: each for name, each in downloads.items() if name != connector.reads_as}
        for name, contract in connector.contracts.items():
            columns = tuple((field, wire_type(shape)) for field, shape in shape_of(contract))
            by_object[connector.name, name] = Blueprint(
                platform=connector.name,
                object=name,
                version=connector.version,
                master_model_id=connector.master_model_id,
                contract=contract,
                columns=columns,
                source_schema_hash=schema_hash(columns),
                downloads=downloads[connector.reads_as],
                other_downloads=others,
            )
    return by_object
