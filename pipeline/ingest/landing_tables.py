"""Landing tables of a tenant in the hub, which exist from the first landing on: columns and completed loads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from pathlib import Path

import duckdb

from pipeline.config.tenant import Tenant
from pipeline.contracts.fields import EXACT
from pipeline.contracts.registry import Blueprint
from pipeline.contracts.sql import quote
from pipeline.ingest.drift import Drift, DriftedFile
from pipeline.ingest.earlier_shapes import EarlierShapes, Key, earlier_shapes

LOAD_ID = "_dlt_load_id"

Columns = tuple[tuple[str, str], ...]
"""Names and DuckDB types, in order."""

LOADER_COLUMNS = (
    ("_extra", "JSON"),
    ("_account", "VARCHAR"),
    ("_source_file", "VARCHAR"),
    ("_source_line", "BIGINT"),
    ("_exported_at", "TIMESTAMP"),
    ("_landed_at", "TIMESTAMP"),
    ("_batch_id", "VARCHAR"),
    (LOAD_ID, "VARCHAR"),
)

_FILE = (("platform", "VARCHAR"), ("account", "VARCHAR"), ("object", "VARCHAR"), ("path", "VARCHAR"))

LOAD_TABLES: dict[str, Columns] = {
    "landed_files": (
        *_FILE,
        ("sha256", "VARCHAR"),
        ("bytes", "BIGINT"),
        ("rows", "BIGINT"),
        ("quarantined", "BIGINT"),
        ("exported_at", "TIMESTAMP"),
        ("measures", "JSON"),
        ("nested_unknown", "JSON"),
        ("days", "JSON"),
        ("batch_id", "VARCHAR"),
        (LOAD_ID, "VARCHAR"),
    ),
    "landed_deliveries": (
        *_FILE[:3],
        ("batch_id", "VARCHAR"),
        ("identity", "VARCHAR"),
        ("delivered_at", "TIMESTAMP"),
        ("is_dated", "BOOLEAN"),
        ("name_order", "VARCHAR"),
        ("days", "JSON"),
        ("refused", "VARCHAR"),
        ("_landed_at", "TIMESTAMP"),
        (LOAD_ID, "VARCHAR"),
    ),
    "quarantine": (
        *_FILE,
        ("line", "BIGINT"),
        ("reason", "VARCHAR"),
        ("record", "VARCHAR"),
        ("batch_id", "VARCHAR"),
        (LOAD_ID, "VARCHAR"),
    ),
    "unreadable_files": (*_FILE, ("sha256", "VARCHAR"), ("reason", "VARCHAR"), (LOAD_ID, "VARCHAR")),
    "drifted_files": (
        *_FILE,
        ("sha256", "VARCHAR"),
        ("contract", "VARCHAR"),
        ("field", "VARCHAR"),
        ("says", "VARCHAR"),
        ("came", "VARCHAR"),
        ("failing", "BIGINT"),
        ("records", "BIGINT"),
        ("holders", "BIGINT"),
        ("stops", "BOOLEAN"),
        (LOAD_ID, "VARCHAR"),
    ),
}
"""Bookkeeping tables of a load. `unreadable_files` and `drifted_files` list the whole files that are in quarantine
already, the latter by the contract they were read with. `landed_deliveries` lists the deliveries with the days that
each covers, and those that were refused, with the reason."""

_LOADS = (
    "load_id VARCHAR NOT NULL, schema_name VARCHAR, status BIGINT NOT NULL, "
    "inserted_at TIMESTAMP WITH TIME ZONE NOT NULL, schema_version_hash VARCHAR"
)
"""dlt's own table of completed loads, as dlt would create it; every reader of landing tables joins it."""


def dataset(tenant: Tenant) -> str:
    """The schema of the hub that holds a tenant's landing tables."""
    return f"landing_{tenant.slug}"


def landing_columns(blueprint: Blueprint) -> Columns:
    return (*blueprint.columns, *LOADER_COLUMNS)


def prepare_landing_tables(hub: duckdb.DuckDBPyConnection, tenant: Tenant, tables: Mapping[str, Columns]) -> None:
    """Create missing landing tables of a tenant, and migrate columns to those of the current contracts.

    A column with a new type in a new version of a contract keeps the values that convert; sinks have them all.
    """
    schema = quote(dataset(tenant))
    hub.execute("begin")
    hub.execute(f"create schema if not exists {schema}")
    hub.execute(f"create table if not exists {schema}._dlt_loads ({_LOADS})")
    for table, columns in tables.items():
        listed = ", ".join(f"{quote(name)} {type_}" for name, type_ in columns)
        hub.execute(f"create table if not exists {schema}.{quote(table)} ({listed})")
        existing = {name: type_ for name, type_, *_ in hub.execute(f"describe {schema}.{quote(table)}").fetchall()}
        for name, type_ in columns:
            if name not in existing:
                hub.execute(f"alter table {schema}.{quote(table)} add column {quote(name)} {type_}")
            elif existing[name] != type_:
                hub.execute(
                    f"alter table {schema}.{quote(table)} alter column {quote(name)} set data type {type_}"
                    f" using {_unchanged(quote(name), type_)}"
                )
    hub.execute("commit")


def _unchanged(column: str, type_: str) -> str:
    """SQL giving a value in another type, NULL where the value would change: 1.5 is no integer."""
    cast, text = f"try_cast({column} as {type_})", f"cast({column} as varchar)"
    same = f"({text}, {text} || '.000000')" if type_ == EXACT else f"({text})"
    return f"case when cast({cast} as varchar) in {same} then {cast} end"


DriftKey = tuple[str, str, str, str, str]
"""Platform, account, object, SHA-256 of the content, fingerprint of the contract it was read with."""


@dataclass(frozen=True)
class SeenInside:
    """What the landed files of one table held below their top-level fields."""

    steady_measures: frozenset[str] = frozenset()
    """Names of the contract's measures that every file with records held."""
    nested_unknown: frozenset[str] = frozenset()
    """Nested fields that any file held and the contract does not know."""


@dataclass(frozen=True)
class Known:
    """The content of completed loads, beside the ledgers of deliveries."""

    unreadable: frozenset[tuple[str, str, str, str, str | None, str]]
    """(platform, account, object, path, SHA-256 or None, reason)"""
    failed: Mapping[tuple[str, str, str, str, str | None], str] = field(default_factory=dict)
    """Of these, the reasons of files whose content is at fault, by the rest."""
    drifted: Mapping[DriftKey, DriftedFile] = field(default_factory=dict)
    as_of: Mapping[Key, datetime] = field(default_factory=dict)
    """Time of the newest export with rows, UTC, else of its landing; absent where no row has landed."""
    observed: Mapping[Key, EarlierShapes] = field(default_factory=dict)
    inside: Mapping[Key, SeenInside] = field(default_factory=dict)


def known(hub: duckdb.DuckDBPyConnection, tenant: Tenant) -> Known:
    schema = quote(dataset(tenant))
    completed = f"{LOAD_ID} in (select load_id from {schema}._dlt_loads where status = 0)"
    refused = f"select platform, account, object, path, sha256, reason from {schema}.unreadable_files where {completed}"
    newest = f"""select platform, account, object,
            max(coalesce(exported_at, to_timestamp({LOAD_ID}::double) at time zone 'UTC'))
        from {schema}.landed_files where rows > 0 and {completed} group by all"""
    unreadable = frozenset(hub.execute(refused).fetchall())
    return Known(
        unreadable,
        {entry[:5]: entry[5] for entry in unreadable if entry[4] is not None},
        _drifted(hub, schema, completed),
        {(platform, account, name): at for platform, account, name, at in hub.execute(newest).fetchall()},
        earlier_shapes(hub, tenant),
        _seen_inside(hub, schema, completed),
    )


def _seen_inside(hub: duckdb.DuckDBPyConnection, schema: str, completed: str) -> dict[Key, SeenInside]:
    """By table; nothing of the files that landed before their measures were noted."""
    rows = hub.execute(
        f"""select platform, account, object, measures::varchar, nested_unknown::varchar
        from {schema}.landed_files where rows > 0 and measures is not null and {completed}
        group by all"""
    ).fetchall()
    found: dict[Key, SeenInside] = {}
    for platform, account, name, measures, unknown in rows:
        held, nested, key = frozenset(json.loads(measures)), frozenset(json.loads(unknown)), (platform, account, name)
        before = found.get(key, SeenInside(held))
        found[key] = SeenInside(before.steady_measures & held, before.nested_unknown | nested)
    return found


def _drifted(hub: duckdb.DuckDBPyConnection, schema: str, completed: str) -> dict[DriftKey, DriftedFile]:
    rows = hub.execute(
        f"""select platform, account, object, sha256, contract, path, stops,
            field, says, came, failing, records, holders
        from {schema}.drifted_files where {completed} order by all"""
    ).fetchall()
    return {
        file[:5]: DriftedFile(Path(file[5]).name, tuple(Drift(*row[7:]) for row in of_file), stops=file[6])
        for file, of_file in groupby(rows, key=lambda row: row[:7])
    }
