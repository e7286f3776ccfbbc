"""`land`: lands new export files of one tenant in its landing tables. Safe to repeat, and to kill at any time."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from pipeline.config.tenant import Tenant
from pipeline.contracts.registry import Blueprint
from pipeline.ingest.admission.known_contents import KnownContents
from pipeline.ingest.deliveries.archive import batches_of
from pipeline.ingest.deliveries.delivered_days import DeliveredDays, read_delivered_days
from pipeline.ingest.deliveries.ledger import read_ledgers
from pipeline.ingest.deliveries.outdated_targets import OutdatedTargets
from pipeline.ingest.dlt_load import load
from pipeline.ingest.drift import sentences
from pipeline.ingest.earlier_shapes import differences, nested_differences
from pipeline.ingest.exports import ExportTarget, export_targets
from pipeline.ingest.formats.reader import reading_connection
from pipeline.ingest.landing_tables import LOAD_TABLES, known, landing_columns, prepare_landing_tables
from pipeline.ingest.load_plan import LoadPlan, plan_loads
from pipeline.ingest.part_buffer import ParquetPart
from pipeline.ingest.staging import Staging
from pipeline.log import log
from pipeline.settings import Settings
from pipeline.storage.bronze.batches import BatchFolder
from pipeline.storage.build_memory import duckdb_memory
from pipeline.storage.hub import write_hub

Progress = Callable[[str, int], None]
"""Called with a landing table's name and the number of records just read."""


@dataclass(frozen=True)
class LandedTable:
    """Result of one landing for one object of one account."""

    platform: str
    account: str
    object: str
    rows: int
    quarantined: int
    """Records, and files that could not be read as a whole."""
    files: int
    """Files landed by this run."""
    known_files: int
    """Files with content that had landed before, under any name."""
    findings: tuple[str, ...]
    drift: tuple[str, ...] = ()
    """Drift from the contract, one sentence for each field; reported as long as the files are unchanged."""


@dataclass(frozen=True)
class Landing:
    """Result of one landing; `load_id` is None when there was nothing new."""

    load_id: str | None
    tables: tuple[LandedTable, ...]
    delivered: tuple[DeliveredDays, ...] = ()
    """The days of all deliveries that landed so far."""


def land_tenant(
    tenant: Tenant,
    blueprints: Mapping[tuple[str, str], Blueprint],
    settings: Settings,
    *,
    progress: Progress | None = None,
    verifies: bool = False,
) -> Landing:
    """Land every file with new content, and quarantine records that do not convert.

    Every table of an enabled source exists afterwards, with or without rows. A file is read where its size, times or
    inode are not those of its known content.

    Args:
        tenant: Whose files they are.
        blueprints: Of the catalog.
        settings: With the hub.
        progress: Told about records that were read.
        verifies: Some of the files that are known by their stamps are read nonetheless.

    Raises:
        LandError: The hub is open elsewhere or cannot be written, or a source cannot be read at all. What landed before
            is safe; of this run, nothing counts.
    """
    with KnownContents.of_tenant(settings, tenant.slug, verifies=verifies) as contents:
        targets = export_targets(tenant, blueprints, settings, contents)
        landing = _land(tenant, targets, settings, progress or (lambda *_: None))
    _report(tenant, landing)
    return landing


def _land(tenant: Tenant, targets: Sequence[ExportTarget], settings: Settings, progress: Progress) -> Landing:
    folder = settings.home / "landing" / tenant.slug
    tables = {target.blueprint.landing_table: landing_columns(target.blueprint) for target in targets} | LOAD_TABLES
    load_id = None
    batches = partial(batches_of, tenant, settings)
    with write_hub(settings) as hub, _empty_folder(folder), _no_drafts([batches(target) for target in targets]):
        prepare_landing_tables(hub, tenant, tables)
        outdated = OutdatedTargets(hub, tenant, settings)
        if anew := outdated.find(targets, read_ledgers(hub, tenant)):
            outdated.remove(anew, batches)
            log.info("landing_anew", tenant=tenant.slug, targets=[list(target.key) for target in anew])
        plans = plan_loads(targets, known(hub, tenant), read_ledgers(hub, tenant), batches)
        if any(plan.new for plan in plans):
            with reading_connection(folder, duckdb_memory(settings)) as con:

                def stage(load_id: str) -> Mapping[str, list[ParquetPart]]:
                    staging = Staging(
                        con,
                        folder,
                        tenant=tenant,
                        settings=settings,
                        load_id=load_id,
                        landed_at=load_time(load_id),
                        tables=tables,
                        progress=progress,
                    )
                    for plan in plans:
                        staging.stage(plan)
                    return staging.finish()

                load_id = load(hub, tenant, settings, tables, stage)
        delivered = read_delivered_days(hub, tenant)
    return Landing(load_id, tuple(_landed_table(plan) for plan in plans), delivered)


def load_time(load_id: str) -> datetime:
    """Start of a load, UTC, by the real clock even under GATA_TODAY: later loads are newer versions."""
    return datetime.fromtimestamp(float(load_id), UTC)


@contextmanager
def _empty_folder(folder: Path) -> Iterator[None]:
    """An empty folder for a load's parts, removed afterwards; a killed process may have left one."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _no_drafts(batches: Sequence[BatchFolder]) -> Iterator[None]:
    """No draft of a batch is there before, nor after: whoever left one has ended, for the hub has one writer."""
    for folder in batches:
        folder.remove_superseded()
    try:
        yield
    finally:
        for folder in batches:
            folder.remove_superseded()


def _landed_table(plan: LoadPlan) -> LandedTable:
    findings = [*plan.findings, *_withheld_findings(plan)]
    if plan.rows:
        fields = dict(plan.target.blueprint.shape.fields)
        findings += differences(plan.observed, plan.names & fields.keys(), plan.names - fields.keys())
        findings += nested_differences(plan.nested_before, plan.nested_unknown)
    counts = plan.rows, plan.quarantined, plan.files, plan.known_files
    return LandedTable(*plan.target.key, *counts, tuple(findings), sentences(plan.drifted))


def _withheld_findings(plan: LoadPlan) -> Iterator[str]:
    """The finding about files withheld because of drift, and until when."""
    if not plan.drifted:
        return
    others = len(plan.drifted) - 1
    names = plan.drifted[0].name + (f" and {others} more" if others else "")
    if plan.is_stopped and plan.as_of:
        count = len(plan.drifted) + plan.waiting
        files = f"{count} new files are" if count > 1 else "1 new file is"
        yield f"{files} withheld until {names} is mended or gone; its rows are as of {plan.as_of:%Y-%m-%d}"
    else:
        yield f"{names} is withheld as a whole until it is mended or gone"


def _report(tenant: Tenant, landing: Landing) -> None:
    for table in landing.tables:
        if table.files or table.quarantined:
            log.info(
                "landed",
                tenant=tenant.slug,
                platform=table.platform,
                account=table.account,
                object=table.object,
                rows=table.rows,
                files=table.files,
                quarantined=table.quarantined,
            )
