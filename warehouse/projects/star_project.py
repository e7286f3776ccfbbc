"""The dbt project of one tenant's star, as {path: text}: from the sinks to the tables of star_schema.py.

Pure: the same tenant gives the same bytes, and they name no machine, no path and no other tenant. dbt finds
files and macros by environment variables that a build sets, or relative to the project.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.config.tenant import Tenant
from pipeline.contracts.registry import Blueprint
from warehouse.projects.canonical_tables import CANONICAL
from warehouse.projects.channel_rules import CHANNEL_RULES, TRAFFIC_SITES, channel_rules
from warehouse.projects.engines import engines_of, has_payments
from warehouse.projects.hub_projects import project_file
from warehouse.projects.profiles import BRIEF, FULL, star_profile
from warehouse.projects.properties.first_page import first_page
from warehouse.projects.properties.node_descriptions import described_nodes
from warehouse.projects.properties.property_file import generated_yaml
from warehouse.projects.properties.star_views import hub_source, reference_views, view_properties
from warehouse.projects.rates_table import rates_table, with_rates
from warehouse.projects.star_models import (
    CAMPAIGN_STATUSES,
    COUNTRIES,
    TRAFFIC,
    canonical_models,
    history_objects,
    history_views,
    intermediate_views,
    shells,
    traffic_platforms,
)
from warehouse.projects.star_tests import CURRENCIES, canonical_schema, exposures, star_schema_yaml
from warehouse.star_schema import Table, star_schema


def star_tables(tenant: Tenant) -> tuple[Table, ...]:
    """The tables of the tenant's star."""
    tables = star_schema(len(tenant.funnel), has_payments=has_payments(tenant), gap=tenant.sessions.gap)
    return tuple(with_rates(table, tenant.currency) for table in tables) if tenant.rates else tables


def star_project(
    tenant: Tenant, blueprints: Mapping[tuple[str, str], Blueprint], kind: str = "stars"
) -> dict[str, str]:
    """Every file of the tenant's star project.

    Args:
        tenant: Its enabled sources are read; a source whose connector has no contracts yet adds nothing.
        blueprints: Of every connector, by (platform, object); says which sink holds which records.
        kind: The project's name begins with it, so that the results of another star are told apart.
    """
    name = f"{kind}_{tenant.slug}"
    own = [blueprints[key] for source in tenant.enabled for key in sorted(blueprints) if key[0] == source.platform]
    canonical = canonical_schema(tenant, in_full=True)
    files = {
        "dbt_project.yml": project_file(name, tenant.slug, projects="../..", engines=True),
        "profiles.yml": star_profile(name, tenant.slug, home="../../.."),
        f"{BRIEF}/sources.yml": generated_yaml(_sources(own, _references(tenant))),
        f"{BRIEF}/intermediate.yml": generated_yaml({"models": canonical_schema(tenant)}),
        f"{FULL}/overview.md": first_page(
            name,
            "Facts and dimensions of one tenant: records of the hub, then canonical tables, then stars.",
            {table.table_name(tenant.slug): table.sentence for table in star_tables(tenant)},
        ),
        f"{FULL}/sources.yml": generated_yaml({"sources": [hub_source(own, _references(tenant))]}),
        f"{FULL}/intermediate.yml": generated_yaml({"models": canonical}),
        "models/stars.yml": star_schema_yaml(tenant, star_tables(tenant)),
        "models/exposures.yml": exposures(tenant, star_tables(tenant)),
    }
    histories = history_objects(tenant, blueprints)
    views = view_properties(tenant, own, histories) + reference_views(tenant, CHANNEL_RULES, TRAFFIC)
    files |= {f"{FULL}/views.yml": generated_yaml({"models": views})}
    files |= described_nodes([*canonical, *views], properties=FULL)
    files |= intermediate_views(tenant, own)
    files |= history_views(tenant, histories)
    files |= canonical_models(tenant)
    files |= traffic_platforms(tenant)
    files |= channel_rules(tenant)
    files |= rates_table(tenant)
    files |= shells(tenant, star_tables(tenant))
    return dict(sorted(files.items()))


def _references(tenant: Tenant) -> set[str]:
    """The reference tables that the tenant's engines join, and those of every tenant."""
    return {TRAFFIC, CURRENCIES, CAMPAIGN_STATUSES, COUNTRIES, CHANNEL_RULES, TRAFFIC_SITES} | {
        name
        for canonical in CANONICAL
        for engine, _ in engines_of(tenant, canonical.name)
        for name in engine.references
    }


def _sources(blueprints: list[Blueprint], references: set[str]) -> dict[str, object]:
    tables = sorted({blueprint.sink for blueprint in blueprints} | references)
    hub = {"name": "hub", "database": "hub", "schema": "main", "tables": [{"name": table} for table in tables]}
    return {"sources": [hub]}
