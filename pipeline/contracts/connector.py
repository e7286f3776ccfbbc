"""A connector: one kind of source, the version of its API, and the parts of its folder, found by name.

`pipeline/connectors/<connector>/` holds all that is special about a vendor: `contract.py` (`OBJECTS`), `synthetic.py`
(`VIEW`), `engine.py` (`ENGINES`), `engine.sql`, `unit_tests.py` (`CASES`), what people download from its web pages in
`downloads.py` (`DOWNLOADS`, `NOT_READ`), where it has one `graphql.py` (`NODES`) and, where fields alone do not tell an
object from its siblings, `recognition.py` (`MARKS`). Nothing imports that folder; each part is looked up here by the
connector's name, so a new connector is a folder and an entry in supported_connectors.yaml.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal

from pipeline.contracts.fields import Contract

Domain = Literal["ads", "ecommerce", "analytics", "payments"]


@cache
def connector_part(connector: str, module: str, name: str) -> Any | None:  # Any: what the part declares under `name`
    """The value declared as `name` in `pipeline/connectors/<connector>/<module>.py`; None without such a file or name.

    Args:
        connector: A name of supported_connectors.yaml, checked by its reader to be an identifier.
    """
    package = f"pipeline.connectors.{connector}"
    if find_spec(package) is None or find_spec(f"{package}.{module}") is None:
        return None
    return getattr(import_module(f"{package}.{module}"), name, None)


def contracts_of(connector: str) -> dict[str, type[Contract]]:
    """The contract of every object of a connector, by object; empty while the connector has no contracts."""
    contracts: dict[str, type[Contract]] = connector_part(connector, "contract", "OBJECTS") or {}
    return contracts


def connector_of(contract: type[Contract]) -> str | None:
    """The connector in whose folder a contract is written; None for a contract from elsewhere."""
    package, _, name = contract.__module__.removesuffix(".contract").rpartition(".")
    return name if package == "pipeline.connectors" else None


def objects_of(contract: type[Contract]) -> tuple[str, ...]:
    """The objects that a contract is of, normally one."""
    connector = connector_of(contract)
    return tuple(name for name, one in contracts_of(connector).items() if one is contract) if connector else ()


@dataclass(frozen=True)
class Connector:
    """One kind of source: the version of its API is data, so that a new one is a line in a file."""

    name: str
    domain: Domain
    version: str
    master_model_id: str
    objects: tuple[str, ...]
    like: str | None = None
    """The connector that it shares contracts and engines with; None where it has its own."""

    @property
    def reads_as(self) -> str:
        """The name under which its contracts, engines and synthetic view are found."""
        return self.like or self.name

    @property
    def contracts(self) -> dict[str, type[Contract]]:
        """The contracts of its objects, as far as they are written."""
        contracts = contracts_of(self.reads_as)
        return {name: contracts[name] for name in self.objects if name in contracts}

    @property
    def is_built(self) -> bool:
        """Every object has a contract, so a tenant may enable it."""
        return self.contracts.keys() == set(self.objects)
