"""Metadata tables of the hub: configuration of tenants, results of dbt, published definitions; each one short write."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb

from pipeline.config.tenant import Tenant
from pipeline.errors import ConfigError
from pipeline.settings import Settings
from pipeline.storage.hub import read_hub, write_hub
from warehouse.build.dbt_metadata import StarFile, collect, collected_stars, prune_metadata, results_since, star_files
from warehouse.projects.logic_versions import canonical_logic, logic_hash, logic_tables

Rows = Sequence[Mapping[str, Any]]  # Any: what JSON can carry

HISTORY = "platform_sat__tenant_config_history"
CONFIGS = "platform_sat__tenant_source_configs"
CONFIG_HISTORY = "platform_sat__tenant_source_configs__history"
VERSIONS = "platform_sat__tenant_logic_versions"
DEFINITIONS = "platform_ops__boring_semantic_layer"
VERSIONS_SHOWN = 10

_LOGIC = ("tenant_slug", "source_platform", "source_object", "logic_hash")
_CONFIG = (
    *("tenant_slug", "tenant_status", "source_platform", "source_domain", "source_account", "source_object"),
    *("read_kind", "read_paths", "currency", "timezone", "logic_hash"),
)
"""As the columns of platform_sat__tenant_source_configs."""


@dataclass(frozen=True)
class HubRecords:
    """The rows that the hub's metadata tables hold so far."""

    configs: frozenset[tuple[object, ...]]
    """The recorded configuration of tenants: rows of platform_sat__tenant_source_configs."""
    logic: frozenset[tuple[object, ...]]
    """The recorded logic in force: tenant, platform, object, hash."""
    stars: frozenset[StarFile]
    """The star files whose rows of dbt metadata the hub has, as they were then."""
    published: frozenset[tuple[object, ...]]
    """Tenant and id of every published run with recorded definitions."""


def read_hub_records(settings: Settings) -> HubRecords:
    """Read the current rows of the hub's metadata tables.

    Raises:
        LandError: Another process has the hub open for writing.
    """
    with read_hub(settings) as hub:

        def rows(query: str) -> frozenset[tuple[object, ...]]:
            return frozenset(_hashable(row) for row in hub.execute(query).fetchall())

        return HubRecords(
            configs=rows(f"select {', '.join(_CONFIG)} from {CONFIGS}"),
            logic=rows(f"select {', '.join(_LOGIC)} from {HISTORY} where valid_to is null"),
            stars=collected_stars(hub),
            published=rows(f"select tenant_slug, run_id from {DEFINITIONS}"),
        )


def record_configs(
    tenants: Iterable[Tenant], settings: Settings, recorded: HubRecords, *, only: Collection[str] | None = None
) -> None:
    """Update the satellites to tenants.yaml: a change opens a version, a removed entry closes its own.

    Args:
        tenants: All of tenants.yaml; one that is offboarded has no configuration any more.
        recorded: The current rows; nothing is written where they are the same.
        only: Where some entries of tenants.yaml are wrong, the tenants that it can be asked about: the records of
            others stay as they are.

    Raises:
        LandError: Another process has the hub open.
    """
    known = [tenant for tenant in tenants if tenant.status != "offboarded"]
    logic = [row for tenant in known for row in _logic_rows(tenant)]
    configs = [row for tenant in known for row in _config_rows(tenant)]
    before = [{row for row in rows if only is None or row[0] in only} for rows in (recorded.logic, recorded.configs)]
    is_same_logic = {tuple(row[column] for column in _LOGIC) for row in logic} == before[0]
    if is_same_logic and {_hashable(row.values()) for row in configs} == before[1]:
        return
    with write_hub(settings) as hub:
        hub.execute("begin")
        _version(hub, HISTORY, logic, by=_LOGIC, only=only)
        _version(hub, CONFIG_HISTORY, configs, by=_CONFIG, only=only)
        hub.execute("commit")


def _version(
    hub: duckdb.DuckDBPyConnection, history: str, rows: Rows, *, by: Iterable[str], only: Collection[str] | None
) -> None:
    """Close the open versions of a satellite that `rows` lack, and open those that are new, at one moment.

    Args:
        by: The columns that make a version: rows that agree in all of them are the same one.
        only: As for `record_configs`.
    """
    same = " and ".join(f"staged.{column} is not distinct from open.{column}" for column in by)
    _stage(hub, history, rows)
    hub.execute(
        f"""
        update {history} as open set valid_to = now() at time zone 'UTC'
        where valid_to is null and not exists (select 1 from staged where {same})
            and ($only is null or list_contains($only, tenant_slug))
        """,
        {"only": None if only is None else sorted(only)},
    )
    hub.execute(f"""
        insert into {history} by name
        select * replace (now() at time zone 'UTC' as valid_from) from staged
        where not exists (select 1 from {history} as open where open.valid_to is null and {same})
    """)


def _hashable(row: Iterable[object]) -> tuple[object, ...]:
    return tuple(tuple(value) if isinstance(value, list) else value for value in row)


def _logic_rows(tenant: Tenant) -> Rows:
    return [
        {
            "tenant_slug": tenant.slug,
            "source_platform": platform,
            "source_object": name,
            "logic": canonical_logic(logic),
            "logic_hash": logic_hash(logic),
        }
        for (platform, name), logic in logic_tables(tenant).items()
    ]


def _config_rows(tenant: Tenant) -> Rows:
    hashes = {table: logic_hash(logic) for table, logic in logic_tables(tenant).items()}
    return [
        {
            "tenant_slug": tenant.slug,
            "tenant_status": tenant.status,
            "source_platform": source.platform,
            "source_domain": source.domain,
            "source_account": account.name,
            "source_object": name,
            "read_kind": account.read.kind,
            "read_paths": account.read.objects.get(name, (account.read.folder,) if account.read.folder else ()),
            "currency": account.currency or tenant.currency,
            "timezone": account.timezone or tenant.timezone,
            "logic_hash": hashes[source.platform, name],
        }
        for source in tenant.enabled
        for account in source.accounts
        for name in source.objects
    ]


def earlier_logic(tenant: Tenant, version: str, settings: Settings) -> dict[tuple[str, str], dict[str, Any]]:
    """The logic that a version names, by platform and object. Any: as `Logic`.

    Args:
        version: The hash of one table's logic: every table of the tenant that ever had it. Or the version of the
            tenant's whole logic: all its tables as they were together.

    Raises:
        ConfigError: The tenant never had it; names the versions there are.
    """
    with read_hub(settings) as hub:
        rows = hub.execute(
            f"""select source_platform, source_object, any_value(logic)
            from {HISTORY} where tenant_slug = $slug and logic_hash = $version group by all
            union all
            select logic.source_platform, logic.source_object, logic.logic
            from {HISTORY} as logic
            inner join (
                select max(valid_from) as moment from {VERSIONS} where tenant_slug = $slug and logic_version = $version
            ) as whole
                on logic.valid_from <= whole.moment and (logic.valid_to is null or logic.valid_to > whole.moment)
            where logic.tenant_slug = $slug""",
            {"slug": tenant.slug, "version": version},
        ).fetchall()
        known = hub.execute(
            f"select logic_version, valid_from from {VERSIONS} where tenant_slug = ? order by valid_from desc limit ?",
            [tenant.slug, VERSIONS_SHOWN],
        ).fetchall()
    if not rows:
        versions = ", ".join(f"{name} (since {moment:%Y-%m-%d %H:%M} UTC)" for name, moment in known)
        raise ConfigError(
            f"{tenant.slug} never had the logic version {version[:40]!r}.",
            f"Name a logic_hash of its tables, or one of: {versions}." if known else "It has never been built.",
        )
    return {(platform, name): json.loads(logic) for platform, name, logic in rows}


def collect_waiting(settings: Settings, recorded: HubRecords | None = None) -> None:
    """Copy the rows of dbt metadata that wait in star files into the hub; nothing is written where there are none.

    Args:
        settings: Of the state folder.
        recorded: The current rows, where they are known: the hub is not opened where no star file changed.

    Raises:
        LandError: Another process has the hub open.
    """
    if recorded is None or not recorded.stars.issuperset(star_files(settings)):
        with write_hub(settings) as hub:
            collect(hub, settings)


def record_build(definitions: Rows, settings: Settings, *, since: str) -> Rows:
    """Copy what dbt did and what was published into the observability tables, and remove what is older than is kept.

    Args:
        definitions: The columns of platform_ops__boring_semantic_layer.
        settings: Of the state folder.
        since: A run id.

    Returns:
        The results of the runs after `since`, as `results_since`.

    Raises:
        LandError: Another process has the hub open.
    """
    with write_hub(settings) as hub:
        collect(hub, settings)
        hub.execute("begin")
        prune_metadata(hub, settings, datetime.now(UTC))
        _stage(hub, DEFINITIONS, definitions)
        hub.execute(f"insert into {DEFINITIONS} from staged")
        hub.execute("commit")
        return results_since(hub, since)


def _stage(hub: duckdb.DuckDBPyConnection, table: str, rows: Rows) -> None:
    """Rows as the temporary table `staged`, columns and types as in `table`; what a row lacks is NULL."""
    columns = {name: type_ for name, type_, *_ in hub.execute(f"describe {table}").fetchall()}
    read = {name: _structure(type_) for name, type_ in columns.items()}
    hub.execute(
        f"create or replace temp table staged as from {table} where false;"
        "insert into staged select unnest(from_json(?::json, ?), max_depth := 2)",
        [json.dumps(rows, default=str), json.dumps([read])],
    )


def _structure(type_: str) -> object:
    """A column's type as `from_json` takes it; JSON arrives as text, which keeps it byte by byte."""
    if type_.endswith("[]"):
        return [type_.removesuffix("[]")]
    return "VARCHAR" if type_ == "JSON" else type_
