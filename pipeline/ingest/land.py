"""`land`: new export files of one tenant into its landing tables. Safe to repeat, and to kill at any time."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from pipeline.config.tenant import Tenant
from pipeline.contracts.registry import Blueprint
from pipeline.ingest.dlt_load import load
from pipeline.ingest.drift import sentences
from pipeline.ingest.earlier_shapes import differences
from pipeline.ingest.exports import export_targets
from pipeline.ingest.landing_tables import LEDGERS, known, landing_columns, prepare_landing_tables
from pipeline.ingest.load_plan import LoadPlan, plan_loads
from pipeline.ingest.part_buffer import ParquetPart
from pipeline.ingest.staging import Staging
from pipeline.log import log
from pipeline.settings import Settings
from pipeline.storage.hub import write_hub

Progress = Callable[[str, int], None]
"""Called with a landing table's name and the number of records just read."""


@dataclass(frozen=True)
class LandedTable:
    """What one run did for one object of one account."""

    platform: str
    account: str
    object: str
    rows: int
    quarantined: int
    """Records, and files that could not be read as a whole."""
    files: int
    """Files landed by this run."""
    known_files: int
    """Files whose content had landed before, under whatever name."""
    findings: tuple[str, ...]
    drift: tuple[str, ...] = ()
    """What no longer holds to the contract, one sentence for each field; as long as the files stay as they are."""


@dataclass(frozen=True)
class Landing:
    """What one run landed; `load_id` is None when there was nothing new."""

    load_id: str | None
    tables: tuple[LandedTable, ...]


def land_tenant(
    tenant: Tenant,
    blueprints: Mapping[tuple[str, str], Blueprint],
    settings: Settings,
    *,
    progress: Progress | None = None,
) -> Landing:
    """Land every file whose content has not landed yet, and put into quarantine what does not convert.

    Every table of an enabled source exists afterwards, with or without rows.

    Raises:
        LandError: The hub is open elsewhere or cannot be written, or a source cannot be read at all. What landed before
            is safe; of this run, nothing counts.
    """
    folder = settings.home / "landing" / tenant.slug
    todo = export_targets(tenant, blueprints, settings)
    tables = {target.blueprint.landing_table: landing_columns(target.blueprint) for target in todo} | LEDGERS
    load_id = None
    with write_hub(settings) as hub, _fresh(folder):
        prepare_landing_tables(hub, tenant, tables)
        work = plan_loads(todo, known(hub, tenant))
        if any(one.new for one in work):
            with _reading_connection(folder) as con:

                def stage(load_id: str) -> Mapping[str, list[ParquetPart]]:
                    staging = Staging(
                        con,
                        folder,
                        load_id=load_id,
                        landed_at=moment_of(load_id),
                        tables=tables,
                        workers=settings.threads,
                        progress=progress or (lambda *_: None),
                    )
                    for one in work:
                        staging.stage(one)
                    return staging.finish()

                load_id = load(hub, tenant, settings, tables, stage)
    landing = Landing(load_id, tuple(_landed(one) for one in work))
    _report(tenant, landing)
    return landing


def moment_of(load_id: str) -> datetime:
    """When a load began, UTC, by the real clock also under GATA_TODAY: later loads are newer versions."""
    return datetime.fromtimestamp(float(load_id), UTC)


@contextmanager
def _fresh(folder: Path) -> Iterator[None]:
    """An empty folder for a load's parts, gone afterwards; a killed process may have left one."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _reading_connection(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory to read files with, in UTC whatever the machine's zone.

    One thread per query: two share a file badly and spin, for 1.5 times the CPU. Batches are converted side by side.
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": 1,
        "temp_directory": str(folder),
        "autoinstall_known_extensions": False,
    }
    with duckdb.connect(config=config) as con:
        con.execute("set global TimeZone = 'UTC'")
        yield con


def _landed(work: LoadPlan) -> LandedTable:
    findings = [*work.findings, *_withheld(work)]
    if work.rows:
        fields = dict(work.target.blueprint.shape.fields)
        findings += differences(work.observed, work.names & fields.keys(), work.names - fields.keys())
    counts = work.rows, work.quarantined, work.files, work.known_files
    return LandedTable(*work.target.key, *counts, tuple(findings), sentences(work.drifted))


def _withheld(work: LoadPlan) -> Iterator[str]:
    """What drift kept out, and the way on."""
    if not work.drifted:
        return
    others = len(work.drifted) - 1
    names = work.drifted[0].name + (f" and {others} more" if others else "")
    if work.is_stopped and work.as_of:
        count = len(work.drifted) + work.waiting
        files = f"{count} new files are" if count > 1 else "1 new file is"
        yield f"{files} withheld until {names} is mended or gone; its rows are as of {work.as_of:%Y-%m-%d}"
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
