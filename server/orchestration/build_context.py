"""The context of every build verb: settings, catalog, tenants and blueprints, read once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.config.connector_catalog import load_catalog
from pipeline.config.tenant import Tenant
from pipeline.config.tenants_file import TenantsFile, load_tenants
from pipeline.contracts.bundled import CATALOG_FILE, log_shadows
from pipeline.contracts.connector import Connector
from pipeline.contracts.registry import Blueprint, blueprints
from pipeline.errors import ConfigError
from pipeline.retries import Clock, SystemClock
from pipeline.settings import Settings

CATALOG = Path(CATALOG_FILE)


@dataclass(frozen=True)
class BuildContext:
    """The configuration, read once."""

    settings: Settings
    catalog: dict[str, Connector]
    manifest: TenantsFile
    blueprints: dict[tuple[str, str], Blueprint]
    clock: Clock = field(default_factory=SystemClock)
    """By which steps wait for their next attempt."""

    def selected_tenants(self, slugs: Sequence[str] | None) -> tuple[Tenant, ...]:
        """Select the tenants to build: the named ones, or all active ones.

        Raises:
            ConfigError: A name that is not in tenants.yaml, or a tenant that is not active.
        """
        if not slugs:
            return self.manifest.active
        tenants = tuple(self.manifest.get(slug) for slug in dict.fromkeys(slugs))
        for tenant in tenants:
            if tenant.status not in ("active", "onboarding"):
                state = "neither built nor served" if tenant.status == "offboarded" else "validated, not built"
                raise ConfigError(
                    f"{tenant.slug} is {tenant.status} in {self.manifest.path}: it is {state}.",
                    "Set its status to active and run the command again.",
                )
        return tenants


def open_build_context(settings: Settings) -> BuildContext:
    """Read the catalog and tenants.yaml; log which files of the working directory are used in place of bundled ones.

    Raises:
        ConfigError: One of them is wrong; names file, line and the nearest valid name.
    """
    log_shadows()
    catalog = load_catalog(CATALOG)
    manifest = load_tenants(settings.tenants, catalog)
    return BuildContext(settings, catalog, manifest, blueprints(catalog))
