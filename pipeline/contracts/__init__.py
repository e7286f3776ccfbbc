"""Contracts, found by their connector's name: `pipeline/contracts/<connector>.py` declares each object in `OBJECTS`.

There is no list to keep: what supported_connectors.yaml names is looked up here. Instagram ads are Meta ads and say so
there (`like: facebook_ads`).
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec

from pipeline.contracts.fields import Contract


@cache
def contracts_of(connector: str) -> dict[str, type[Contract]]:
    """The contract of every object of a connector, by object; empty while the connector has no contracts."""
    name = f"{__name__}.{connector}"
    found: dict[str, type[Contract]] = getattr(import_module(name), "OBJECTS", {}) if find_spec(name) else {}
    return found
