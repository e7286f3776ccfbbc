"""Counts of one load by table and partition: records read, rows landed, and records in quarantine.

The records read are those that the readers counted; landed rows and records in quarantine are counted in their tables,
so that a record that was lost between them shows.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.config.tenant import Tenant
from pipeline.contracts.registry import Blueprint
from pipeline.contracts.sql import quote
from pipeline.gate_rules.gate_settings import GateRules
from pipeline.ingest.landing_tables import LOAD_ID, dataset
from pipeline.settings import Settings
from pipeline.storage.hub import read_hub
from pipeline.storage.run_counts import TableCounts


def load_counts(
    tenant: Tenant, load_id: str | None, blueprints: Iterable[Blueprint], settings: Settings
) -> list[TableCounts]:
    """The counts of a load by landing table, account and day of bronze; none where nothing landed.

    Raises:
        LandError: Another process has the hub open for writing.
    """
    if load_id is None:
        return []
    counts, rules = [], GateRules.of(settings.gates, tenant.gates)
    with read_hub(settings) as hub:
        schema = quote(dataset(tenant))
        for blueprint in blueprints:
            most = rules.threshold("quarantine_share", blueprint.object)
            rows = hub.execute(
                _COUNTS.format(schema=schema, table=quote(blueprint.landing_table)),
                {"load": load_id, "platform": blueprint.platform, "object": blueprint.object},
            ).fetchall()
            for account, day, read, landed, quarantined, size in rows:
                counts.append(
                    TableCounts(
                        layer="landing",
                        table_name=blueprint.landing_table,
                        partition_value=f"account={account}/ingest_dt={day}",
                        input_rows=read,
                        output_rows=landed,
                        quarantine_rows=quarantined,
                        bytes=size,
                        is_within_gates=quarantined == 0 or quarantined < most * read,
                    )
                )
    return counts


_DAY = "coalesce(strftime(try_strptime(batch_id[:8], '%Y%m%d'), '%Y-%m-%d'), 'unknown')"
_COUNTS = f"""
    with files as (
        select account, path, batch_id, {_DAY} as day, rows + quarantined as read, bytes
        from {{schema}}.landed_files where {LOAD_ID} = $load and platform = $platform and object = $object
    ),

    landed as (
        select _account as account, {_DAY.replace("batch_id", "_batch_id")} as day, count(*) as landed
        from {{schema}}.{{table}} where {LOAD_ID} = $load group by all
    ),

    kept as (
        select files.account, files.day, count(*) as quarantined
        from {{schema}}.quarantine as bad
        inner join files on bad.account = files.account and bad.path = files.path and bad.batch_id = files.batch_id
        where bad.{LOAD_ID} = $load and bad.platform = $platform and bad.object = $object group by all
    )

    select
        files.account, files.day, sum(read)::bigint, coalesce(any_value(landed), 0),
        coalesce(any_value(quarantined), 0), sum(bytes)::bigint
    from files left join landed using (account, day) left join kept using (account, day)
    group by files.account, files.day order by all
"""
