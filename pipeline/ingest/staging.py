"""Staging of one load: reads and checks new files, and writes rows, quarantine and bookkeeping as parts for dlt."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contracts.fields import EXACT
from pipeline.ingest.drift import Drift, DriftCounter, DriftedFile, fingerprint, holders, lost_keys, sentences
from pipeline.ingest.exports import ExportFile, ExportTarget
from pipeline.ingest.formats.reader import Reader, Unreadable
from pipeline.ingest.key_conflicts import Conflicts
from pipeline.ingest.landing_tables import LOAD_ID, Columns
from pipeline.ingest.load_plan import LoadPlan
from pipeline.ingest.measure_check import MeasureCheck
from pipeline.ingest.part_buffer import ParquetPart, PartBuffer
from pipeline.ingest.quarantine import Rejection, as_table, rejections

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


class Staging:
    """The rows of one load: landing tables, quarantine and bookkeeping tables, all with one load id."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        folder: Path,
        *,
        load_id: str,
        landed_at: datetime,
        tables: Mapping[str, Columns],
        workers: int,
        progress: Callable[[str, int], None],
    ) -> None:
        self._con, self._folder, self._progress = con, folder, progress
        self._stamps: Constants = {
            LOAD_ID: pa.scalar(load_id),
            "_landed_at": pa.scalar(landed_at.replace(tzinfo=None), pa.timestamp("us")),
        }
        self._workers, self._tables, self._buffers = workers, tables, dict[str, PartBuffer]()

    def stage(self, plan: LoadPlan) -> None:
        """Read the new files of one target; a file that cannot be read as a whole goes into quarantine by name.

        So does a drifted file, and with it all new files of a table that had landed before.
        """
        if not plan.new:
            return
        buffers = self._buffer(plan.target.blueprint.landing_table), self._buffer("quarantine")
        checkpoints = [buffer.checkpoint() for buffer in buffers]
        readings = [reading for export in plan.new if (reading := self._try_file(plan, export))]
        stops = plan.as_of is not None
        plan.drifted += [DriftedFile(one.export.name, one.drifts, stops) for one in readings if one.drifts]
        withheld = [one for one in readings if one.drifts or plan.is_stopped]
        if plan.is_stopped:
            plan.waiting = sum(not one.drifts for one in withheld)
            waiting = pa.array([str(one.export.path) for one in withheld if not one.drifts], pa.string())
            buffers[0].rewind(checkpoints[0])
            buffers[1].rewind(checkpoints[1], keeping=~pc.field("path").isin(waiting))
        for reading in withheld:
            self._withhold(plan, reading)
        for reading in readings:
            if reading not in withheld:
                self._land(plan, reading)

    def finish(self) -> dict[str, list[ParquetPart]]:
        """The parts of every table with rows."""
        return {table: buffer.finish() for table, buffer in self._buffers.items()}

    def _try_file(self, plan: LoadPlan, export: ExportFile) -> Reading | None:
        """Read a file and keep its rows and rejections, without rows of a drifted one; None for a damaged file."""
        constants = self._constants(plan.target, export)
        if export.unreadable:
            problem = Unreadable(export.unreadable, lasting=False)
        else:
            try:
                return self._read(plan, export, constants)
            except Unreadable as error:
                problem = error
                self._end_file(plan.target, keep=False)
        self._reject_file(plan, export, constants, problem)
        return None

    def _read(self, plan: LoadPlan, export: ExportFile, constants: Constants) -> Reading:
        contract = plan.target.blueprint.contract
        reader = Reader(self._con, contract, self._folder, workers=self._workers)
        buffer, conflicts, counter = (
            self._buffer(plan.target.blueprint.landing_table),
            Conflicts(contract),
            DriftCounter(contract),
        )
        measures = MeasureCheck(self._con, contract)
        rows = quarantined = 0
        for batch in reader.read(export.path):
            buffer.write(batch.good, constants)
            conflicts.add(batch.good)
            measures.add(batch.good)
            rejected = rejections(batch.wrong, contract, already=quarantined)
            counter.add(batch.good.num_rows, rejected)
            self._quarantine(rejected, constants)
            rows, quarantined = rows + batch.good.num_rows, quarantined + batch.wrong.num_rows
            self._progress(buffer.table, batch.good.num_rows + batch.wrong.num_rows)
        drifts = self._drifts(plan, export, reader, counter, measures)
        positions = conflicts.positions() if not drifts else {}
        if positions:
            self._quarantine(conflicts.rejections(positions, reader.read(export.path)), constants)
            rows, quarantined = rows - len(positions), quarantined + len(positions)
        if drifts:
            buffer.drop()
        self._end_file(plan.target, keep=True, without=pa.array(positions, pa.int64()))
        inside = frozenset(measures.held), frozenset(measures.unknown)
        return Reading(export, constants, rows, quarantined, reader.names, drifts, *inside)

    def _drifts(
        self, plan: LoadPlan, export: ExportFile, reader: Reader, counter: DriftCounter, measures: MeasureCheck
    ) -> tuple[Drift, ...]:
        """The drift of a file that was read from its contract."""

        def count_holders(path: str) -> int:
            return holders(self._con.cursor(), reader.read(export.path), reader.contract, path)

        drifts = counter.drifts(count_holders, reader.unknown - plan.observed.unknown)
        lost = lost_keys(reader.contract, reader.names, plan.observed.steady, counter.records)
        return (*drifts, *lost, *measures.drifts(reader.names, plan.steady_measures))

    def _land(self, plan: LoadPlan, reading: Reading) -> None:
        """Record a file as landed."""
        seen = {"measures": sorted(reading.measures), "nested_unknown": sorted(reading.nested_unknown)}
        texts = {name: json.dumps(names, ensure_ascii=False) for name, names in seen.items()}
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
        contract = fingerprint(plan.target.blueprint.contract)
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
        constants = constants if problem.lasting else constants | {"sha256": pa.scalar(None, pa.string())}
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

    def _constants(self, target: ExportTarget, export: ExportFile) -> Constants:
        """The values that all rows of a file share, in every table."""
        platform, account, name = target.key
        at = pa.scalar(export.exported_at, pa.timestamp("us"))
        path, sha256 = pa.scalar(str(export.path)), pa.scalar(export.sha256, pa.string())
        source = {"platform": platform, "account": account, "object": name, "bytes": export.size, "_account": account}
        files = {"path": path, "_source_file": path, "sha256": sha256, "exported_at": at, "_exported_at": at}
        return {name: pa.scalar(value) for name, value in source.items()} | files | self._stamps

    def _buffer(self, table: str) -> PartBuffer:
        if table not in self._buffers:
            fields = [pa.field(name, ARROW[type_], nullable=name != LOAD_ID) for name, type_ in self._tables[table]]
            self._buffers[table] = PartBuffer(self._folder, table, pa.schema(fields))
        return self._buffers[table]
