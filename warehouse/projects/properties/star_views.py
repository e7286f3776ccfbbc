"""Properties of a star project that builds do without: of its sources, views and small tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.config.tenant import Tenant
from pipeline.contracts.registry import Blueprint
from warehouse.projects.properties.field_descriptions import object_description
from warehouse.projects.properties.hub_columns import SINK, described
from warehouse.projects.properties.property_file import Tree
from warehouse.projects.properties.star_columns import RATES, view_columns
from warehouse.projects.reference_tables import reference_properties

HUB = "The hub: whole payloads of every tenant, append-only, and reference tables. A star only reads it."


def hub_source(blueprints: Sequence[Blueprint], references: set[str]) -> Tree:
    """The hub as a source, each table and column with a sentence."""
    sinks = {blueprint.sink: blueprint for blueprint in blueprints}
    tables = [
        {"name": sink, "description": f"The sink of {object_description(blueprint)}", "columns": described(SINK)}
        for sink, blueprint in sinks.items()
    ]
    for name in references:
        sentence, columns = reference_properties(name)
        tables.append({"name": name, "description": sentence, "columns": described(columns)})
    return {
        "name": "hub",
        "database": "hub",
        "schema": "main",
        "description": HUB,
        "tables": sorted(tables, key=lambda table: str(table["name"])),
    }


def view_properties(tenant: Tenant, blueprints: Sequence[Blueprint], histories: Mapping[str, Blueprint]) -> list[Tree]:
    """The views over sinks: current records are unique by key.

    Args:
        blueprints: Of the objects with a view of current records.
        histories: By name of a view of all versions: its object.
    """
    models: list[Tree] = []
    for blueprint in blueprints:
        columns = described(view_columns(blueprint), {"tenant_skey": ("not_null", "unique")})
        sentence = f"The current version of {object_description(blueprint)}"
        name = f"int_{tenant.slug}__{blueprint.platform}_{blueprint.object}"
        models.append({"name": name, "description": sentence, "columns": columns})
    for name, blueprint in histories.items():
        columns = described(view_columns(blueprint, is_history=True), {"tenant_skey": ("not_null",)})
        sentence = f"Every version of {object_description(blueprint)}"
        models.append({"name": name, "description": sentence, "columns": columns})
    return models


def reference_views(tenant: Tenant, rules: str, traffic: str) -> list[Tree]:
    """The tenant's rows before those of the hub's reference tables `rules` and `traffic`, and its exchange rates."""
    models: list[Tree] = []
    for name, reference, key in (
        ("channel_rules", rules, ["position"]),
        ("traffic_platforms", traffic, ["traffic_source", "traffic_medium"]),
    ):
        sentence, columns = reference_properties(reference)
        models.append(
            {
                "name": f"int_{tenant.slug}__{name}",
                "description": f"{sentence} Here with the rows of tenants.yaml.",
                "columns": described(columns),
                "data_tests": [{"unique_together": {"arguments": {"columns": key}}}],
            }
        )
    if tenant.rates:
        models.append(
            {
                "name": f"int_{tenant.slug}__rates",
                "description": f"One row per currency and day with a rate: a unit's worth in {tenant.currency}.",
                "columns": described(RATES, dict.fromkeys(RATES, ("not_null",))),
                "data_tests": [{"unique_together": {"arguments": {"columns": ["currency", "rate_date"]}}}],
            }
        )
    return models
