"""The context of every build verb: settings, catalog, tenants and blueprints, read once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.config.connector_catalog import load_catalog
from pipeline.config.tenant import Tenant
from pipeline.config.tenants_file import RefusedEntry, TenantsFile, load_tenants
from pipeline.contracts.bundled import log_shadows
from pipeline.contracts.connector import Connector
from pipeline.contracts.registry import Blueprint, blueprints
from pipeline.errors import ConfigError
from pipeline.retries import Clock, SystemClock
from pipeline.settings import Settings
from server.orchestration.isolation.room import FreeBytes, free_bytes


@dataclass(frozen=True)
class Selection:
    """The tenants that a command is for, and the entries of tenants.yaml that it refuses."""

    tenants: tuple[Tenant, ...]
    refused: tuple[RefusedEntry, ...] = ()


@dataclass(frozen=True)
class BuildContext:
    """The configuration, read once."""

    settings: Settings
    catalog: dict[str, Connector]
    manifest: TenantsFile
    blueprints: dict[tuple[str, str], Blueprint]
    clock: Clock = field(default_factory=SystemClock)
    """By which steps wait for their next attempt."""
    free_bytes: FreeBytes = free_bytes
    """Measures the disk of the state folder."""

    def select(self, slugs: Sequence[str] | None) -> Selection:
        """Select the tenants to build: the named ones, or all active ones.

        Raises:
            ConfigError: A name that is not in tenants.yaml, a tenant that is not active, or each named entry is wrong.
        """
        if not slugs:
            return Selection(self.manifest.active, self.manifest.refused)
        refused = tuple(entry for entry in self.manifest.refused if entry.slug in slugs)
        wrong = {entry.slug for entry in refused}
        tenants = tuple(self.manifest.get(slug) for slug in dict.fromkeys(slugs) if slug not in wrong)
        if not tenants:
            raise refused[0].error
        for tenant in tenants:
            if tenant.status not in ("active", "onboarding"):
                state = "neither built nor served" if tenant.status == "offboarded" else "validated, not built"
                raise ConfigError(
                    f"{tenant.slug} is {tenant.status} in {self.manifest.path}: it is {state}.",
                    "Set its status to active and run the command again.",
                )
        return Selection(tenants, refused)


def open_build_context(settings: Settings) -> BuildContext:
    """Read the catalog and tenants.yaml; log which files of the working directory are used in place of bundled ones.

    Raises:
        ConfigError: One of them is wrong; names file, line and the nearest valid name.
    """
    log_shadows()
    catalog = load_catalog()
    manifest = load_tenants(settings.tenants, catalog)
    return BuildContext(settings, catalog, manifest, blueprints(catalog))
