"""The dbt project of one tenant's star, as {path: text}: from the sinks to the tables of star_schema.py.

Pure: the same tenant gives the same bytes, and they name no machine, no path and no other tenant. dbt reads files and
macros by the environment variables that `warehouse.build.star` sets.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.config.tenant import Tenant
from pipeline.contracts.registry import Blueprint
from pipeline.publish.run_store import STAR_STORAGE_VERSION
from warehouse.projects.canonical_tables import CANONICAL
from warehouse.projects.channel_rules import CHANNEL_RULES, TRAFFIC_SITES, channel_rules
from warehouse.projects.engines import engines_of, has_payments
from warehouse.projects.hub_projects import GENERATED, project_file
from warehouse.projects.rates_table import rates_table, with_rates
from warehouse.projects.star_models import (
    CAMPAIGN_STATUSES,
    COUNTRIES,
    TRAFFIC,
    canonical_models,
    history_views,
    intermediate_views,
    shells,
    traffic_platforms,
)
from warehouse.projects.star_tests import CURRENCIES, canonical_schema_yaml, exposures, generated_yaml, star_schema_yaml
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
    files = {
        "dbt_project.yml": project_file(name, tenant.slug, engines=True),
        "profiles.yml": _profile(name),
        "models/sources.yml": generated_yaml(_sources(own, _references(tenant))),
        "models/intermediate.yml": canonical_schema_yaml(tenant),
        "models/stars.yml": star_schema_yaml(tenant, star_tables(tenant)),
        "models/exposures.yml": exposures(tenant, star_tables(tenant)),
    }
    files |= intermediate_views(tenant, own)
    files |= history_views(tenant, blueprints)
    files |= canonical_models(tenant)
    files |= traffic_platforms(tenant)
    files |= channel_rules(tenant)
    files |= rates_table(tenant)
    files |= shells(tenant, star_tables(tenant))
    return dict(sorted(files.items()))


def _profile(name: str) -> str:
    """profiles.yml: the tenant's own file, the hub attached read-only."""
    return f"""# {GENERATED}
{name}:
  target: stars
  outputs:
    stars:
      type: duckdb
      path: "{{{{ env_var('GATA_STARS_FILE') }}}}"
      attach:
        - path: "{{{{ env_var('GATA_HUB_FILE') }}}}"
          alias: hub
          read_only: true
      threads: "{{{{ env_var('GATA_THREADS', '2') | as_number }}}}"
      config_options: {{storage_compatibility_version: {STAR_STORAGE_VERSION}}}
      settings:
        TimeZone: UTC
        threads: "{{{{ env_var('GATA_THREADS', '2') | as_number }}}}"
        preserve_insertion_order: false
"""


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
