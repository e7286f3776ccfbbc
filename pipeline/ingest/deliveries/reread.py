"""Reads again what is in quarantine: forgets that batches and files of it were read, so that the next landing does.

A batch is read again as a whole from bronze, under its own id and time: the sink has its good records already and takes
only those that now convert. A process that dies in between loses nothing, for a landing reads every batch of bronze
that is not recorded as landed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import duckdb

from pipeline.config.tenant import Tenant
from pipeline.contracts.registry import Blueprint
from pipeline.contracts.sql import quote
from pipeline.ingest.landing_tables import dataset
from pipeline.settings import Settings
from pipeline.storage.bronze.batches import batch_folder, bronze_folder
from pipeline.storage.hub import write_hub

Target = tuple[str, str, str]
"""Platform, account, object."""
Batch = tuple[str, str, str, str]
"""Platform, account, object, batch id."""


@dataclass(frozen=True)
class Reread:
    """What the next landing reads again."""

    batches: int
    files: int
    """Files that were kept out as a whole."""
    left: int
    """Batches that cannot be: not in bronze, or a file of theirs has newer content that landed."""


def reread(
    tenant: Tenant,
    blueprints: Collection[Blueprint],
    settings: Settings,
    *,
    batches: Collection[Batch],
    targets: Collection[Target],
) -> Reread:
    """Forget that batches were read, and that files of some targets were refused as a whole.

    Raises:
        LandError: Another process has the hub open, or it cannot be written; nothing was changed.
    """
    schema = quote(dataset(tenant))
    tables = {(blueprint.platform, blueprint.object): blueprint.landing_table for blueprint in blueprints}
    again = [batch for batch in batches if batch[3] in _in_bronze(tenant, settings, batch)]
    with write_hub(settings) as hub:
        hub.execute("begin")
        again = [batch for batch in again if not _is_superseded(hub, schema, batch[3])]
        for platform, _, object_, batch_id in again:
            table = tables[platform, object_]
            hub.execute(f"delete from {schema}.{quote(table)} where _batch_id = ?", [batch_id])
            for kept in ("landed_files", "landed_deliveries", "quarantine"):
                hub.execute(f"delete from {schema}.{kept} where batch_id = ?", [batch_id])
        files = sum(_forget_refusals(hub, schema, target) for target in targets)
        hub.execute("commit")
    return Reread(len(again), files, len(batches) - len(again))


def _in_bronze(tenant: Tenant, settings: Settings, batch: Batch) -> list[str]:
    platform, account, object_, _ = batch
    return batch_folder(bronze_folder(settings, tenant.slug), platform, account, object_).batch_ids()


def _is_superseded(hub: duckdb.DuckDBPyConnection, schema: str, batch_id: str) -> bool:
    """Whether a file of a batch landed again later: read now, the old content would count as the newer one."""
    found = hub.execute(
        f"""select 1 from {schema}.landed_files as old
        inner join {schema}.landed_files as new using (platform, account, object, path)
        where old.batch_id = ? and new.batch_id is distinct from old.batch_id
            and new._dlt_load_id > old._dlt_load_id limit 1""",
        [batch_id],
    )
    return found.fetchone() is not None


def _forget_refusals(hub: duckdb.DuckDBPyConnection, schema: str, target: Target) -> int:
    """Forget the files of a target that were kept out as a whole; returns how many."""
    of_target = "platform = ? and account = ? and object = ?"
    whole = f"{of_target} and line is null and record is null"
    row = hub.execute(f"select count(distinct path) from {schema}.quarantine where {whole}", target).fetchone()
    hub.execute(
        f"""delete from {schema}.quarantine where {of_target} and (platform, account, object, path, _dlt_load_id) in (
            select platform, account, object, path, _dlt_load_id from {schema}.drifted_files)""",
        target,
    )
    hub.execute(f"delete from {schema}.quarantine where {whole}", target)
    for table in ("unreadable_files", "drifted_files"):
        hub.execute(f"delete from {schema}.{table} where {of_target}", target)
    hub.execute(f"delete from {schema}.landed_deliveries where {of_target} and refused is not null", target)
    return int(row[0]) if row else 0
