"""Source freshness and shapes, copied from the hub to ops.sqlite by every build: the server never opens the hub.

Two tables, each with one row per account and object: the time and file of the last landing, and the last observed
shape of its records.
"""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import Any

from pipeline.config.slug import Slug
from pipeline.config.tenant import Tenant
from pipeline.ingest.landing_tables import dataset
from pipeline.settings import Settings
from pipeline.storage.hub import read_hub
from pipeline.storage.ops import Ops

Row = dict[str, Any]  # Any: JSON values

_FRESHNESS = """
    with newest as (
        select files.*, loads.inserted_at
        from {schema}.landed_files as files
        inner join {schema}._dlt_loads as loads on files._dlt_load_id = loads.load_id
        where loads.status = 0
        qualify row_number() over (partition by platform, account, object, path order by files._dlt_load_id desc) = 1
    )
    select platform, account, object, count(*), sum(rows)::bigint, sum(quarantined)::bigint,
        arg_max(path, (coalesce(exported_at, inserted_at::timestamp), inserted_at, path)),
        strftime(max(exported_at), '%Y-%m-%dT%H:%M:%S+00:00'),
        strftime(max(inserted_at) at time zone 'UTC', '%Y-%m-%dT%H:%M:%S+00:00')
    from newest group by all order by all
"""
_SHAPES = """
    with seen as (
        select source_platform as platform, source_account as account, source_object as object,
            arg_max(observed_fields, last_seen_at) as fields_now,
            arg_max(unknown_fields, last_seen_at) as unknown_now,
            list_distinct(flatten(list(observed_fields))) as fields_ever,
            count(*) as shapes, min(first_seen_at) as first_seen_at, max(last_seen_at) as last_seen_at
        from platform_sat__source_schema_history where tenant_slug = ? group by all
    )
    select platform, account, object, to_json(list_sort(fields_now))::varchar, to_json(list_sort(unknown_now))::varchar,
        to_json(list_sort(list_filter(fields_ever, lambda f: not list_contains(fields_now, f))))::varchar, shapes,
        strftime(first_seen_at, '%Y-%m-%dT%H:%M:%S+00:00'), strftime(last_seen_at, '%Y-%m-%dT%H:%M:%S+00:00')
    from seen order by all
"""


def record_sources(tenant: Tenant, ops: Ops, settings: Settings) -> None:
    """Replace the copied source states of the tenant by those of the hub.

    Raises:
        LandError: Another process has the hub open for writing.
    """
    with read_hub(settings) as hub:
        hub.execute("set TimeZone = 'UTC'")
        landed = hub.execute(_FRESHNESS.format(schema=dataset(tenant))).fetchall()
        shapes = hub.execute(_SHAPES, [tenant.slug]).fetchall()
    named = [(*row[:6], PurePath(row[6]).name, *row[7:]) for row in landed]
    with ops.transaction() as database:
        for table, rows in (("source_freshness", named), ("source_shapes", shapes)):
            database.execute(f"delete from {table} where tenant = ?", (tenant.slug,))
            for row in rows:  # none where every export is empty
                marks = ", ".join("?" * (len(row) + 1))
                database.execute(f"insert into {table} values ({marks})", (tenant.slug, *row))


def freshness_of(slug: Slug, ops: Ops) -> list[Row]:
    """Per account and object: files, rows, and when the newest were exported and landed (UTC)."""
    return _read("source_freshness", slug, ops)


def shapes_of(slug: Slug, ops: Ops) -> list[Row]:
    """Per account and object: the fields of its newest records, those unknown to the contract, those now missing.

    `advice` as in platform_ops__source_table_candidate_registry: INVESTIGATE unknown fields, MONITOR missing ones.
    """
    shapes = []
    for row in _read("source_shapes", slug, ops):
        lists = {name: json.loads(row[name] or "[]") or [] for name in ("fields", "unknown_fields", "missing_fields")}
        advice = "INVESTIGATE" if lists["unknown_fields"] else "MONITOR" if lists["missing_fields"] else None
        shapes.append({**row, **lists, "advice": advice})
    return shapes


def _read(table: str, slug: Slug, ops: Ops) -> list[Row]:
    rows = ops.connection.execute(
        f"select * from {table} where tenant = ? order by platform, account, object", (slug,)
    ).fetchall()
    return [{name: row[name] for name in row.keys() if name != "tenant"} for row in rows]  # noqa: SIM118  # sqlite's
