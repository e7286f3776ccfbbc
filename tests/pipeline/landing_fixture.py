"""A landing fixture: a tenant whose export files tests write, and its hub."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from pipeline.config.accounts import Account, Read
from pipeline.config.connector_catalog import load_catalog
from pipeline.config.source import Source
from pipeline.config.tenant import Tenant
from pipeline.contracts.connector import contracts_of
from pipeline.contracts.registry import Blueprint, blueprints
from pipeline.ingest.land import LandedTable, Landing, land_tenant
from pipeline.settings import Settings

CATALOG = load_catalog(Path(__file__).parents[2] / "supported_connectors.yaml")
BLUEPRINTS = blueprints(CATALOG)


class LandingFixture:
    """A folder of export files, a tenant that reads them, and its hub."""

    def __init__(self, folder: Path) -> None:
        self.files = folder / "files"
        self.files.mkdir(exist_ok=True)
        self.settings = Settings(home=folder / "home", today=date(2026, 3, 1))

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.files / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def tenant(self, exported_at: str | None = None, **patterns: str | tuple[str, ...]) -> Tenant:
        """A tenant that reads objects, by name, from patterns relative to the folder of files."""
        sources = tuple(
            self.source(platform, exported_at, **{n: p for n, p in patterns.items() if n in contracts_of(platform)})
            for platform in ("facebook_ads", "google_analytics", "shopify")
        )
        return Tenant(slug="acme", business_name="Acme", sources=sources)

    def source(self, platform: str, exported_at: str | None = None, **patterns: str | tuple[str, ...]) -> Source:
        """A source of one account that reads objects from patterns."""
        objects = {
            name: tuple(str(self.files / one) for one in ((pattern,) if isinstance(pattern, str) else pattern))
            for name, pattern in patterns.items()
        }
        return Source(
            platform=platform,
            domain=CATALOG[platform].domain,
            objects=CATALOG[platform].objects,
            enabled=True,
            accounts=(Account(read=Read(kind="files", objects=objects, exported_at=exported_at)),),
        )

    def land_of(self, platform: str, **patterns: Any) -> Landing:
        """Land what one source reads."""
        return self.land(Tenant(slug="acme", business_name="Acme", sources=(self.source(platform, **patterns),)))

    def land(
        self,
        tenant: Tenant | None = None,
        blueprints: Mapping[tuple[str, str], Blueprint] = BLUEPRINTS,
        progress: Callable[[str, int], None] | None = None,
        **patterns: Any,  # Any: as `tenant` takes them
    ) -> Landing:
        return land_tenant(tenant or self.tenant(**patterns), blueprints, self.settings, progress=progress)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the hub; table names are those of the tenant's landing tables."""
        with duckdb.connect(self.settings.hub) as con:
            con.execute("set TimeZone = 'UTC'; set schema = 'landing_acme'")
            return con.execute(sql).fetchall()

    def counted(self, table: str) -> int:
        """The rows of a table that count: those of completed loads."""
        completed = "_dlt_load_id in (select load_id from _dlt_loads where status = 0)"
        return int(self.query(f"select count(*) from {table} where {completed}")[0][0])


def table_of(landing: Landing, name: str) -> LandedTable:
    """What a run did for one object."""
    (table,) = [table for table in landing.tables if table.object == name]
    return table
