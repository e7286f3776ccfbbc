"""Staging of one load: reads and checks new files, and writes rows, quarantine and bookkeeping as parts for dlt."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.config.tenant import Tenant
from pipeline.contracts.fields import EXACT
from pipeline.ingest.deliveries.archive import Archive, FileCount, declared_days
from pipeline.ingest.deliveries.delivery import Delivery
from pipeline.ingest.deliveries.event_days import EventDays
from pipeline.ingest.deliveries.overlap import ReadDelivery, ReadFile, carried_files, contradiction, untold
from pipeline.ingest.drift import Drift, DriftedFile, sentences
from pipeline.ingest.exports import ExportFile, ExportTarget
from pipeline.ingest.file_scan import FileScan
from pipeline.ingest.formats.reader import Reader, Unreadable
from pipeline.ingest.landing_tables import LOAD_ID, Columns
from pipeline.ingest.load_plan import LoadPlan, finding_of_incomplete
from pipeline.ingest.part_buffer import ParquetPart, PartBuffer
from pipeline.ingest.quarantine import Rejection, as_table
from pipeline.settings import Settings

ARROW = {
    "VARCHAR": pa.string(),
    "JSON": pa.string(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    EXACT: pa.decimal128(18, 6),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP": pa.timestamp("us"),
}

Constants = dict[str, pa.Scalar]


@dataclass(frozen=True)
class Reading:
    """Result of reading one file: the numbers of good and quarantined records, and its drift from the contract."""

    export: ExportFile
    constants: Constants
    rows: int
    quarantined: int
    names: set[str]
    drifts: tuple[Drift, ...]
    measures: frozenset[str]
    """Names of the contract's measures that it has a value of."""
    nested_unknown: frozenset[str]
    days: frozenset[date]
    """Of its good records: each of them for a daily slice, else the first and the last."""
    is_carried: bool = False
    """Whether it landed before and is read again with the delivery that it belongs to."""


@dataclass
class StagedDelivery:
    """A delivery while it is staged: its batch, and what was read of it."""

    delivery: Delivery
    archive: Archive
    delivered_at: datetime
    readings: list[Reading] = field(default_factory=list)
    drifted: list[Reading] = field(default_factory=list)
    """Files that do not land, of a delivery that lands without them."""
    incomplete: str | None = None
    """Why it does not land; empty where the finding about one of its files says it."""
    refused: str | None = None

    @property
    def landed(self) -> bool:
        has_files = bool(self.readings) or not self.delivery.files
        is_good = self.incomplete is None and self.refused is None
        return has_files and is_good and not any(one.drifts for one in self.readings)

    def as_read(self) -> ReadDelivery:
        files = (ReadFile(one.export, one.days, is_carried=one.is_carried) for one in self.readings)
        return ReadDelivery(self.delivery, tuple(files))


class Staging:
    """The rows of one load: landing tables, quarantine and bookkeeping tables, all with one load id."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        folder: Path,
        *,
        tenant: Tenant,
        settings: Settings,
        load_id: str,
        landed_at: datetime,
        tables: Mapping[str, Columns],
        progress: Callable[[str, int], None],
    ) -> None:
        self._con, self._folder, self._progress = con, folder, progress
        self._tenant, self._settings = tenant, settings
        self._landed_at = landed_at.replace(tzinfo=None)
        self._stamps: Constants = {
            LOAD_ID: pa.scalar(load_id),
            "_landed_at": pa.scalar(self._landed_at, pa.timestamp("us")),
        }
        self._workers, self._tables, self._buffers = settings.threads, tables, dict[str, PartBuffer]()
        self._batches = 0

    def stage(self, plan: LoadPlan) -> None:
        """Put the new deliveries of one target into bronze and read them there.

        A file that cannot be read as a whole goes into quarantine by name, and its delivery does not land. Nor does
        that of a drifted file, and with it none of a table that had landed before.
        """
        if not plan.new:
            return
        rows, quarantine = self._buffer(plan.target.blueprint.landing_table), self._buffer("quarantine")
        checkpoints = rows.checkpoint(), quarantine.checkpoint()
        moments = _moments(plan, self._landed_at)
        staged = [self._read_delivery(plan, one, at) for one, at in zip(plan.new, moments, strict=True)]
        readings = [reading for one in staged for reading in one.readings]
        plan.drifted += [DriftedFile(r.export.name, r.drifts, plan.as_of is not None) for r in readings if r.drifts]
        for one in staged:
            if not plan.is_stopped and not plan.is_whole(one.delivery):
                one.drifted = [reading for reading in one.readings if reading.drifts]
                one.readings = [reading for reading in one.readings if not reading.drifts]
        dropped = [] if plan.is_stopped else self._refuse(plan, staged)
        if plan.is_stopped:
            plan.waiting = sum(not (one.drifts or one.is_carried) for one in readings)
        held = [(one.archive.batch_id, r) for one in staged for r in one.readings if plan.is_stopped or not one.landed]
        away = [(batch_id, one) for batch_id, one in [*held, *dropped] if not one.drifts]
        if away:
            rows.rewind(checkpoints[0], keeping=_others(away, "_batch_id", "_source_file"))
            quarantine.rewind(checkpoints[1], keeping=_others(away, "batch_id", "path"))
        for one in staged:
            self._settle(plan, one)

    def _read_delivery(self, plan: LoadPlan, delivery: Delivery, delivered_at: datetime) -> StagedDelivery:
        """Put a delivery into bronze and read its files, then those that landed before and share a day with them."""
        self._batches += 1
        new_id = f"{self._landed_at:%Y%m%dT%H%M%S%f}_{self._batches:06d}_{delivery.identity[:6]}"
        archive = Archive(self._tenant, self._settings, plan.target, delivery, new_id=new_id)
        staged = StagedDelivery(delivery, archive, delivered_at)
        if wrong := archive.problems:
            archive.discard()
            staged.incomplete = f"its batch in bronze is not as its manifest says: {'; '.join(wrong)}"
            return staged
        for export in delivery.files:
            self._read_file(plan, staged, export)
        for export in carried_files(delivery, staged.as_read().days):
            self._read_file(plan, staged, export, is_carried=True)
        return staged

    def _read_file(
        self, plan: LoadPlan, staged: StagedDelivery, export: ExportFile, *, is_carried: bool = False
    ) -> None:
        constants = self._constants(plan.target, export, staged)
        reading, problem = self._try_file(plan, staged.archive, export, constants)
        if reading:
            staged.readings.append(replace(reading, is_carried=is_carried))
        elif problem and not is_carried and (plan.is_whole(staged.delivery) or len(staged.delivery.files) == 1):
            name = f"{export.name} is in quarantine as a whole: {problem.reason}"
            staged.incomplete = name if len(staged.delivery.files) > 1 else ""

    def _refuse(self, plan: LoadPlan, staged: list[StagedDelivery]) -> list[tuple[str, Reading]]:
        """Refuse deliveries that nothing tells apart; returns the carried files that newer ones contradict."""
        contract, dropped = plan.target.blueprint.contract, []
        if not contract.daily_slice:
            return []
        whole = [one for one in staged if one.landed]

        def read(export: ExportFile) -> Iterator[pa.Table]:
            reader = Reader(self._con, contract, self._folder, workers=self._workers, rules=plan.target.rules)
            return (batch.good for batch in reader.read(export.content or export.path))

        for one in whole:
            one.refused = contradiction(self._con, contract, one.as_read(), read)
            if one.refused and any(reading.is_carried for reading in one.readings):
                dropped += [(one.archive.batch_id, reading) for reading in one.readings if reading.is_carried]
                one.readings = [reading for reading in one.readings if not reading.is_carried]
                one.refused = contradiction(self._con, contract, one.as_read(), read)
        for position, why in untold([one.as_read() for one in whole]).items():
            whole[position].refused = whole[position].refused or why
        return dropped

    def _settle(self, plan: LoadPlan, staged: StagedDelivery) -> None:
        """Record a delivery that lands and publish its batch; else record why it does not land."""
        for reading in staged.drifted:
            self._withhold(plan, reading)
        if staged.landed and not plan.is_stopped:
            for reading in staged.readings:
                self._land(plan, reading)
            self._record_delivery(plan, staged)
            counts = (FileCount(one.export, one.rows, one.quarantined, one.days) for one in staged.readings)
            staged.archive.publish(counts, staged.delivered_at, self._landed_at)
            return
        staged.archive.discard()
        for reading in staged.readings:
            if reading.is_carried:
                continue
            if reading.drifts or plan.is_stopped:
                self._withhold(plan, reading)
            elif staged.refused:
                self._quarantine([Rejection(None, f"withheld: {staged.refused}", None)], reading.constants)
                self._buffer("quarantine").keep()
                plan.quarantined += 1
        if staged.refused:
            self._record_delivery(plan, staged)
            plan.findings.append(f"{staged.delivery.name} withheld: {staged.refused}")
        elif staged.incomplete or (len(staged.delivery.files) > 1 and staged.readings and not plan.is_stopped):
            why = staged.incomplete or "; ".join(f"{r.export.name} has drifted" for r in staged.readings if r.drifts)
            plan.findings.append(finding_of_incomplete(staged.delivery, why))

    def _record_delivery(self, plan: LoadPlan, staged: StagedDelivery) -> None:
        delivery, contract = staged.delivery, plan.target.blueprint.contract
        said = declared_days(delivery)
        seen = (day for one in staged.readings for day in (one.export.covers or one.days))
        days = said if said is not None else tuple(sorted(set(seen))) if contract.daily_slice else None
        platform, account, name = plan.target.key
        constants = {
            "platform": pa.scalar(platform),
            "account": pa.scalar(account),
            "object": pa.scalar(name),
            "batch_id": pa.scalar(staged.archive.batch_id),
            "delivered_at": pa.scalar(staged.delivered_at, pa.timestamp("us")),
        }
        self._record(
            "landed_deliveries",
            constants | self._stamps,
            identity=delivery.identity,
            is_dated=delivery.delivered_at is not None,
            name_order=delivery.order,
            days=None if days is None else json.dumps([day.isoformat() for day in days]),
            refused=staged.refused,
        )

    def finish(self) -> dict[str, list[ParquetPart]]:
        """The parts of every table with rows."""
        return {table: buffer.finish() for table, buffer in self._buffers.items()}

    def _try_file(
        self, plan: LoadPlan, archive: Archive, export: ExportFile, constants: Constants
    ) -> tuple[Reading | None, Unreadable | None]:
        """Read a file and keep its rows and rejections, without rows of a drifted one; the problem of a damaged one."""
        if export.unreadable:
            problem = Unreadable(export.unreadable, lasting=False)
        else:
            try:
                return self._read(plan, archive.put(export), constants), None
            except Unreadable as error:
                problem = error
                self._end_file(plan.target, keep=False)
        self._reject_file(plan, export, constants, problem)
        return None, problem

    def _read(self, plan: LoadPlan, export: ExportFile, constants: Constants) -> Reading:
        contract = plan.target.blueprint.contract
        reader = Reader(self._con, contract, self._folder, workers=self._workers, rules=plan.target.rules)
        scan = FileScan(self._con, reader, export.content or export.path)
        buffer, days = self._buffer(plan.target.blueprint.landing_table), EventDays(self._con, contract)
        for good, rejected in scan.batches():
            buffer.write(good, constants)
            days.add(good)
            self._quarantine(rejected, constants)
            self._progress(buffer.table, good.num_rows + len(rejected))
        drifts = scan.drifts(plan.observed, plan.steady_measures)
        conflicts = scan.conflicts() if not drifts else {}
        if conflicts:
            self._quarantine(scan.conflict_rejections(conflicts), constants)
        if drifts:
            buffer.drop()
        self._end_file(plan.target, keep=True, without=pa.array(conflicts, pa.int64()))
        counts = scan.good - len(conflicts), scan.wrong + len(conflicts)
        inside = frozenset(scan.measures.held), frozenset(scan.measures.unknown)
        return Reading(export, constants, *counts, reader.names, drifts, *inside, days=frozenset(days.days))

    def _land(self, plan: LoadPlan, reading: Reading) -> None:
        """Record a file as landed."""
        seen = {"measures": sorted(reading.measures), "nested_unknown": sorted(reading.nested_unknown)}
        texts: dict[str, str | None] = {name: json.dumps(names, ensure_ascii=False) for name, names in seen.items()}
        is_sliced = plan.target.blueprint.contract.daily_slice
        texts["days"] = json.dumps(sorted(day.isoformat() for day in reading.days)) if is_sliced else None
        self._record("landed_files", reading.constants, rows=reading.rows, quarantined=reading.quarantined, **texts)
        plan.files, plan.rows = plan.files + 1, plan.rows + reading.rows
        plan.quarantined += reading.quarantined
        plan.names |= reading.names
        plan.nested_unknown |= reading.nested_unknown
        if not reading.rows and not reading.quarantined:
            plan.findings.append(f"{reading.export.name} holds no records")

    def _withhold(self, plan: LoadPlan, reading: Reading) -> None:
        """Quarantine the good records of a file too, by the file's name; a drifted file is recorded."""
        reason = f"withheld while its table has drifted: {'; '.join(sentences(plan.drifted))}"
        if reading.drifts:
            own = DriftedFile(reading.export.name, reading.drifts, plan.as_of is not None)
            reason = f"withheld with the records that do not convert: {'; '.join(sentences([own]))}"
            plan.quarantined += reading.quarantined
        contract = plan.target.fingerprint
        for drift in reading.drifts:
            self._record(
                "drifted_files", reading.constants, stops=plan.as_of is not None, contract=contract, **asdict(drift)
            )
        if reading.rows or not reading.drifts:
            self._quarantine([Rejection(None, reason, None)], reading.constants)
            self._buffer("quarantine").keep()
            plan.quarantined += 1

    def _reject_file(self, plan: LoadPlan, export: ExportFile, constants: Constants, problem: Unreadable) -> None:
        self._quarantine([Rejection(None, problem.reason, None)], constants)
        self._buffer("quarantine").keep()
        content = export.sha256 if problem.lasting else None
        content = f"{content}/{plan.target.fingerprint}" if content and problem.by_rules else content
        constants |= {"sha256": pa.scalar(content, pa.string())}
        self._record("unreadable_files", constants, reason=problem.reason)
        plan.quarantined += 1
        plan.findings.append(f"{export.name} is in quarantine as a whole: {problem.reason}")

    def _quarantine(self, rejected: list[Rejection], constants: Constants) -> None:
        self._buffer("quarantine").write(as_table(rejected), constants)

    def _record(self, table: str, constants: Constants, **values: object) -> None:
        buffer = self._buffer(table)
        buffer.write(pa.table({name: pa.array([value]) for name, value in values.items()}), constants)
        buffer.keep()

    def _end_file(self, target: ExportTarget, *, keep: bool, without: pa.Array | None = None) -> None:
        rows, quarantine = self._buffer(target.blueprint.landing_table), self._buffer("quarantine")
        if keep:
            rows.keep(without)
            quarantine.keep()
        else:
            rows.drop()
            quarantine.drop()

    def _constants(self, target: ExportTarget, export: ExportFile, staged: StagedDelivery) -> Constants:
        """The values that all rows of a file share, in every table."""
        platform, account, name = target.key
        at = pa.scalar(staged.delivery.delivered_at, pa.timestamp("us"))
        batch_id = pa.scalar(staged.archive.batch_id)
        path, sha256 = pa.scalar(str(export.path)), pa.scalar(export.sha256, pa.string())
        source = {"platform": platform, "account": account, "object": name, "bytes": export.size, "_account": account}
        files = {"path": path, "_source_file": path, "sha256": sha256, "exported_at": at, "_exported_at": at}
        files |= {"batch_id": batch_id, "_batch_id": batch_id}
        return {name: pa.scalar(value) for name, value in source.items()} | files | self._stamps

    def _buffer(self, table: str) -> PartBuffer:
        if table not in self._buffers:
            fields = [pa.field(name, ARROW[type_], nullable=name != LOAD_ID) for name, type_ in self._tables[table]]
            self._buffers[table] = PartBuffer(self._folder, table, pa.schema(fields))
        return self._buffers[table]


def _moments(plan: LoadPlan, landed_at: datetime) -> list[datetime]:
    """The time from which each new delivery counts: its own, that of its batch, or its place among those that landed.

    Deliveries without a time follow each other in their order, a millisecond and one microsecond for each of their
    files apart, so that an older one that comes later finds a place between two.
    """
    moments, microseconds = [], 0
    for delivery in plan.new:
        microseconds += 1000 + len(delivery.files) + len(delivery.carried)
        before = None
        if delivery.order and not delivery.is_rewritten and plan.target.blueprint.contract.daily_slice:
            before = plan.ledger.moment_before(delivery.order)
        if delivery.batch:
            moments.append(delivery.batch[1].delivered_at)
        else:
            moments.append(delivery.delivered_at or before or landed_at + timedelta(microseconds=microseconds))
        if delivery.delivered_at is None and not delivery.batch:
            plan.ledger.moments[f"new {microseconds}"] = (delivery.order, moments[-1])
    return moments


def _others(files: Iterable[tuple[str, Reading]], batch_id: str, path: str) -> pc.Expression:
    """An expression that is true for the rows of all but some files."""
    named: dict[str, list[str]] = {}
    for batch, reading in files:
        named.setdefault(batch, []).append(str(reading.export.path))
    expressions = [(pc.field(batch_id) == each) & pc.field(path).isin(paths) for each, paths in named.items()]
    return ~reduce(or_, expressions)
