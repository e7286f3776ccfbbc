"""Hand-made hubs and the stars built from them: sinks filled by SQL with records as the vendor sends them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from pipeline.config.accounts import Account
from pipeline.config.connector_catalog import load_catalog
from pipeline.config.source import Source
from pipeline.config.tenant import Tenant
from pipeline.contracts.registry import Blueprint, blueprints
from pipeline.currency.exchange_rates import write_rates
from warehouse.projects.hub_projects import SINK_COLUMNS
from warehouse.projects.rates_table import RATES_FILE
from warehouse.projects.reference_tables import reference_names, reference_rows
from warehouse.projects.star_project import star_project
from warehouse.projects.unit_tests import unit_test_files
from warehouse.run_dbt import BUILD_TARGET, Node, run_dbt, write_project

BLUEPRINTS = blueprints(load_catalog(Path("no such file")))
Record = Mapping[str, Any]


@dataclass
class Hub:
    """A hub file with every sink, and the rows put into them."""

    path: Path
    rows: int = 0
    last_key: str = ""

    def __post_init__(self) -> None:
        columns = ", ".join(f"{name} {type_}" for name, type_ in SINK_COLUMNS)
        with duckdb.connect(str(self.path)) as hub:
            for blueprint in BLUEPRINTS.values():
                hub.execute(f"create table if not exists {blueprint.sink} ({columns})")
            for name in reference_names():
                hub.execute(f"create table {name} as {reference_rows(name)}")

    def add(
        self,
        platform: str,
        name: str,
        records: Sequence[Record],
        *,
        tenant: str = "tyrell_corp",
        account: str = "main",
        exported_at: str = "2026-03-01",
    ) -> None:
        """Push records as they are, each a new row of its sink."""
        blueprint = BLUEPRINTS[platform, name]
        rows = []
        for record in records:
            self.rows += 1
            key = [record.get(name) for name in blueprint.contract.key] or [self.rows]
            self.last_key = hashlib.md5(json.dumps([tenant, account, key]).encode()).hexdigest()
            version = record.get(blueprint.contract.version_field or "")
            rows.append((tenant, account, self.last_key, json.dumps(record), version, exported_at, self.rows))
        self._insert(blueprint, rows)

    def withdraw(self, platform: str, name: str, *, exported_at: str) -> None:
        """Put a tombstone on the record that was pushed last."""
        self.rows += 1
        row = ("tyrell_corp", "main", self.last_key, '{"_tombstone":true}', None, exported_at, 0)
        self._insert(BLUEPRINTS[platform, name], [row])

    def _insert(self, blueprint: Blueprint, rows: Sequence[tuple[object, ...]]) -> None:
        with duckdb.connect(str(self.path)) as hub:
            names = ("slug", "account", "key", "payload", "v", "e", "n")
            hub.register(
                "pushed", pa.table([pa.array(list(column)) for column in zip(*rows, strict=True)], names=names)
            )
            hub.execute(f"""
                insert into {blueprint.sink}
                select
                    slug, '{blueprint.platform}', account, key, 'hash', e::timestamp, payload::json,
                    md5_number(key || payload || {self.rows} || n), e::date, 'load',
                    timezone('UTC', v::varchar::timestamptz), e::timestamp, n
                from pushed
            """)


@dataclass(frozen=True)
class Star:
    """A built star: what each node did, and a connection to read the tables with."""

    nodes: dict[str, Node]
    tables: duckdb.DuckDBPyConnection
    slug: str
    folder: Path

    def rows(self, table: str, columns: str = "*", where: str = "true", order: str = "all") -> list[tuple[Any, ...]]:
        return self.tables.sql(f"select {columns} from {self.name(table)} where {where} order by {order}").fetchall()

    def one(self, table: str, columns: str, where: str = "true") -> tuple[Any, ...]:
        (row,) = self.rows(table, columns, where)
        return row

    def name(self, table: str) -> str:
        kind, _, rest = table.partition("_")
        return f"{kind}_{self.slug}__{rest}"

    def finding(self, test: str) -> list[str]:
        """What a test of the star says, as sentences; empty where it passes."""
        (name,) = [name for name in self.nodes if name.startswith(test)]
        if not self.nodes[name].failures:
            return []
        (compiled,) = self.folder.glob(f"{BUILD_TARGET}/compiled/**/{name}.sql")
        return [row[0] for row in self.tables.sql(compiled.read_text(encoding="utf-8")).fetchall()]


def source(platform: str, **more: Any) -> Source:
    catalog = load_catalog(Path("no such file"))
    return Source(
        platform=platform, domain=catalog[platform].domain, objects=catalog[platform].objects, enabled=True, **more
    )


@pytest.fixture(scope="session")
def tyrell() -> Callable[..., Tenant]:
    """A tenant of the three connectors; arguments replace what it says."""

    def make(*, pattern: str | None = "purchase", analytics: Record | None = None, **more: Any) -> Tenant:
        insights = {"facebook_insights": {"conversion_event_pattern": pattern}} if pattern else {}
        accounts = (Account(name="eu", currency="EUR"), Account(name="main"))
        sources = (
            source("facebook_ads", tables=insights, accounts=accounts),
            source("google_analytics", tables={"events": dict(analytics or {})}),
            source("shopify", accounts=accounts),
        )
        return Tenant(**{"slug": "tyrell_corp", "business_name": "Tyrell", "sources": sources} | more)

    return make


@pytest.fixture(scope="session")
def make_hub(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Hub]:
    return lambda: Hub(tmp_path_factory.mktemp("hub") / "hub.duckdb")


@pytest.fixture(scope="session")
def build_star(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Star]]:
    """Build a tenant's star from a hub; every connection is closed when the session ends."""
    opened = []

    def build(tenant: Tenant, hub: Hub, *commands: tuple[str, ...]) -> Star:
        folder = tmp_path_factory.mktemp(tenant.slug)
        file = folder / "stars.duckdb"
        extra = unit_test_files(tenant, BLUEPRINTS) if any("test_type:unit" in command for command in commands) else {}
        write_project(folder / "project", star_project(tenant, BLUEPRINTS) | extra)
        files = {"GATA_STARS_FILE": file, "GATA_HUB_FILE": hub.path}
        if tenant.rates:
            files[RATES_FILE] = folder / "rates.parquet"
            write_rates(tenant, files[RATES_FILE])
        for command in commands or (("build",),):
            nodes = run_dbt(folder / "project", command, files=files)
        tables = duckdb.connect(str(file), read_only=True)
        tables.execute(f"attach '{hub.path}' as hub (read_only); set TimeZone = 'UTC'")
        opened.append(tables)
        return Star({node.name: node for node in nodes}, tables, tenant.slug, folder / "project")

    yield build
    for connection in opened:
        connection.close()
