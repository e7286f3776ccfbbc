"""Properties of the projects that write the hub, which builds do without: of the library and of a tenant's push."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pipeline.config.tenant import Tenant
from pipeline.contracts.registry import Blueprint
from warehouse.projects.properties.field_descriptions import field_descriptions, object_description
from warehouse.projects.properties.hub_columns import (
    BLUEPRINTS,
    DELIVERIES,
    HASHES,
    LOADER,
    LOADS,
    PUSHED,
    SINK,
    SINKS,
    described,
)
from warehouse.projects.properties.property_file import Tree

MODELS = Path(__file__).parents[2] / "models"
"""The hub's tables that are written by hand; builds read the property files of `observability`, whose tests are few."""
HUB = "The hub, which the push writes: sinks, and the ledgers beside them."


def platform_properties() -> dict[str, str]:
    """The property files written by hand, by file name."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(MODELS.glob("platform/*.yml"))}


def library_properties(blueprints: Iterable[Blueprint]) -> list[Tree]:
    """The sinks and registries of the library, with the keys by which they hang together."""
    sinks = {blueprint.sink: blueprint for blueprint in blueprints}
    known = _relationship("connector_blueprints", "source_schema_hash")
    return [
        *(_sink(sink, blueprint) for sink, blueprint in sorted(sinks.items())),
        {
            "name": "connector_blueprints",
            "description": "One row per object and fingerprint of its contract: the master model it routes to.",
            "columns": described(BLUEPRINTS, dict.fromkeys(BLUEPRINTS, ("not_null",))),
            "data_tests": [
                _unique("source_name", "source_table_name", "source_schema_hash", "version"),
            ],
        },
        {
            "name": "platform_ops__schema_hash_registry",
            "description": "One row per object and fingerprint of its contract: the landing columns behind it.",
            "columns": described(HASHES, {"source_schema_hash": ("not_null", known)}),
            "data_tests": [_unique("source_platform", "source_object", "source_schema_hash", "version")],
        },
        {
            "name": "platform_ops__master_model_registry",
            "description": "One row per sink of the catalog: the connectors whose records it takes.",
            "columns": described(
                SINKS, {"master_model": ("not_null", "unique"), "source_schema_hash": ("not_null", known)}
            ),
        },
    ]


def pusher_properties(tenant: Tenant, blueprints: Sequence[Blueprint]) -> list[Tree]:
    """The pushers of a tenant."""
    return [_pusher(tenant, blueprint) for blueprint in blueprints]


def pushed_and_landed(tenant: Tenant, blueprints: Sequence[Blueprint], pushed_to: Iterable[str]) -> list[Tree]:
    """The sources that pushers write and read.

    Args:
        pushed_to: The tables that a push writes beside the sinks.
    """
    sinks = {blueprint.sink: blueprint for blueprint in blueprints}
    tables: list[Tree] = [
        {"name": sink, "description": f"The sink of {object_description(blueprint)}", "columns": described(SINK)}
        for sink, blueprint in sinks.items()
    ]
    for name in pushed_to:
        sentence, columns = platform_sentences()[name]
        tables.append({"name": name, "description": sentence, "columns": described(columns)})
    hub: Tree = {
        "name": "hub",
        "schema": "main",
        "description": HUB,
        "tables": sorted(tables, key=lambda table: str(table["name"])),
    }
    platforms = dict.fromkeys(blueprint.platform for blueprint in blueprints)
    landed = [_landing(tenant, platform, blueprints) for platform in platforms]
    return [hub, *landed]


@cache
def platform_tables() -> tuple[Mapping[str, Any], ...]:  # Any: a tree of YAML, written by hand and checked by dbt
    """The entries of the tables that are written by hand."""
    return tuple(model for text in platform_properties().values() for model in yaml.safe_load(text)["models"])


def platform_sentences() -> Mapping[str, tuple[str, dict[str, str]]]:
    """By table written by hand: its sentence, and one by column."""
    return {
        model["name"]: (model["description"], {each["name"]: each["description"] for each in model["columns"]})
        for model in platform_tables()
    }


def _sink(name: str, blueprint: Blueprint) -> Tree:
    """A sink: a payload once per account, its key in the registry, its fingerprint a known one."""
    tests = {
        "tenant_slug": ("not_null",),
        "tenant_skey": ("not_null", _relationship("hub_key_registry", "tenant_skey")),
        "source_schema_hash": ("not_null", _relationship("connector_blueprints", "source_schema_hash")),
    }
    return {
        "name": name,
        "description": f"The sink of {object_description(blueprint)} Of all tenants, append-only.",
        "columns": described(SINK, tests),
        "data_tests": [_unique("tenant_slug", "source_platform", "source_account", "payload_hash", "payload_date")],
    }


def _pusher(tenant: Tenant, blueprint: Blueprint) -> Tree:
    platforms = {"accepted_values": {"arguments": {"values": [blueprint.platform]}}}
    return {
        "name": f"stg_{tenant.slug}__{blueprint.platform}_{blueprint.object}",
        "description": f"What was landed and is not pushed yet, as rows of the sink: {object_description(blueprint)}",
        "columns": described(PUSHED, {"tenant_skey": ("not_null",), "source_platform": (platforms,)}),
    }


def _landing(tenant: Tenant, platform: str, blueprints: Sequence[Blueprint]) -> Tree:
    prefix = f"{tenant.slug}_{platform}__"
    objects = [
        {
            "name": f"{prefix}{blueprint.object}",
            "identifier": blueprint.landing_table,
            "description": f"Landed {object_description(blueprint)}",
            "columns": described(field_descriptions(blueprint) | LOADER),
        }
        for blueprint in blueprints
        if blueprint.platform == platform
    ]
    ledgers = [
        {
            "name": f"{prefix}deliveries",
            "identifier": "landed_deliveries",
            "description": "One row per delivery of the tenant that was landed or refused.",
            "columns": described(DELIVERIES),
        },
        {
            "name": f"{prefix}loads",
            "identifier": "_dlt_loads",
            "description": "One row per load of the tenant.",
            "columns": described(LOADS),
        },
    ]
    return {
        "name": f"landing_{platform}",
        "schema": f"landing_{tenant.slug}",
        "description": f"What was landed of {platform}, as it came.",
        "tables": [*objects, *ledgers],
    }


def _relationship(to: str, column: str) -> Tree:
    return {"relationships": {"arguments": {"to": f"ref('{to}')", "field": column}}}


def _unique(*columns: str) -> Tree:
    return {"unique_together": {"arguments": {"columns": list(columns)}}}
