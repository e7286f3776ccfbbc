"""A tenant's table logic as values: its hash, and the tenant as it was with an earlier logic.

The logic of a table is what tenants.yaml says under its `logic:`, such as conversion events or filters. Its hash is a
version of it, which the hub's history, the intermediate rows and `gata transform --logic-version` name it by.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pipeline.config.tenant import Tenant
from pipeline.errors import ConfigError

Logic = Mapping[str, Any]  # Any: values differ by logic key; pipeline/config/blocks/table_logic.py checked them
Tables = Mapping[tuple[str, str], Logic]
"""Logic by platform and object."""

ORDERED = "funnel_steps"
"""The one key in which the order of a mapping has a meaning."""
ONE_OF_SOURCE = ("conversion_event_pattern", "conversion_events", "funnel_steps")
ONE_OF_TENANT = ("attribution_model",)


def logic_tables(tenant: Tenant) -> dict[tuple[str, str], Logic]:
    """The logic of every object of the tenant's enabled sources; empty where tenants.yaml says nothing."""
    return {
        (source.platform, name): source.tables.get(name, {}) for source in tenant.enabled for name in source.objects
    }


def canonical_logic(logic: Logic) -> str:
    """The one JSON text of a logic: keys sorted, but for the steps of a funnel."""
    return json.dumps(
        {key: value if key == ORDERED else _sorted(value) for key, value in sorted(logic.items())},
        ensure_ascii=False,
        separators=(",", ":"),
    )


def logic_hash(logic: Logic) -> str:
    """MD5 of the canonical text: equal for equal logic, in any file and at any time."""
    return hashlib.md5(canonical_logic(logic).encode(), usedforsecurity=False).hexdigest()


def with_logic(tenant: Tenant, earlier: Tables) -> Tenant:
    """The tenant with the logic of some of its tables replaced; what is not in `earlier` stays as it is.

    Raises:
        ConfigError: Together they have two values of a key that allows one, which tenants.yaml cannot.
    """
    sources = tuple(
        source.model_copy(
            update={
                "tables": source.tables
                | {name: dict(logic) for (platform, name), logic in earlier.items() if platform == source.platform}
            }
        )
        for source in tenant.sources
    )
    replaced = tenant.model_copy(update={"sources": sources})
    for source in replaced.enabled:
        for key in ONE_OF_SOURCE:
            _refuse_two(f"the tables of {source.platform}", key, source.logic(key))
    for key in ONE_OF_TENANT:
        _refuse_two(tenant.slug, key, [value for source in replaced.enabled for value in source.logic(key)])
    return replaced


def _sorted(value: object) -> object:
    if isinstance(value, dict):
        return {key: _sorted(inner) for key, inner in sorted(value.items())}
    return [_sorted(inner) for inner in value] if isinstance(value, list | tuple) else value


def _refuse_two(owner: str, key: str, values: list[Any]) -> None:  # Any: as Logic
    if any(value != values[0] for value in values[1:]):
        listed = " and ".join(str(value) for value in values)
        raise ConfigError(
            f"With that version {owner} would say {key} twice: {listed}.",
            "Name a version of the tenant's whole logic, which holds all tables as they were together.",
        )
