"""One load in the making: new files read, checked and split into rows, quarantine and ledgers, as parts for dlt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.ingest.drift import Drift, DriftCounter, DriftedFile, fingerprint, holders, lost_keys, sentences
from pipeline.ingest.exports import ExportFile, ExportTarget
from pipeline.ingest.formats.reader import Reader, Unreadable
from pipeline.ingest.key_conflicts import Conflicts
from pipeline.ingest.landing_tables import LOAD_ID, Columns
from pipeline.ingest.load_plan import LoadPlan
from pipeline.ingest.part_buffer import ParquetPart, PartBuffer
from pipeline.ingest.quarantine import Rejection, as_table, rejections

ARROW = {
    "VARCHAR": pa.string(),
    "JSON": pa.string(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP": pa.timestamp("us"),
}

Constants = dict[str, pa.Scalar]


@dataclass(frozen=True)
class Reading:
    """One file as it was read: how many of its records convert, and whether it holds to the contract."""

    export: ExportFile
    about: Constants
    rows: int
    quarantined: int
    names: set[str]
    drifts: tuple[Drift, ...]


class Staging:
    """The rows of one load: landing tables, quarantine and ledgers, all under one load id."""

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
        self._workers, self._tables, self._spools = workers, tables, dict[str, PartBuffer]()

    def stage(self, work: LoadPlan) -> None:
        """Read the new files of one target; a file that cannot be read as a whole goes into quarantine by name.

        So does one that has drifted, and with it all that is new of a table that had landed before.
        """
        if not work.new:
            return
        spools = self._spool(work.target.blueprint.landing_table), self._spool("quarantine")
        marks = [spool.mark() for spool in spools]
        readings = [reading for export in work.new if (reading := self._try_file(work, export))]
        stops = work.as_of is not None
        work.drifted += [DriftedFile(one.export.name, one.drifts, stops) for one in readings if one.drifts]
        withheld = [one for one in readings if one.drifts or work.is_stopped]
        if work.is_stopped:
            work.waiting = sum(not one.drifts for one in withheld)
            waiting = pa.array([str(one.export.path) for one in withheld if not one.drifts], pa.string())
            spools[0].rewind(marks[0])
            spools[1].rewind(marks[1], but=~pc.field("path").isin(waiting))
        for reading in withheld:
            self._withhold(work, reading)
        for reading in readings:
            if reading not in withheld:
                self._land(work, reading)

    def finish(self) -> dict[str, list[ParquetPart]]:
        """The parts of every table that got rows."""
        return {table: spool.finish() for table, spool in self._spools.items()}

    def _try_file(self, work: LoadPlan, export: ExportFile) -> Reading | None:
        """What a file holds, its rows and refusals kept; those of a drifted one dropped, None where it is damaged."""
        about = self._about(work.target, export)
        if export.unreadable:
            problem = Unreadable(export.unreadable, lasting=False)
        else:
            try:
                return self._read(work, export, about)
            except Unreadable as found:
                problem = found
                self._end_file(work.target, keep=False)
        self._refuse_file(work, export, about, problem)
        return None

    def _read(self, work: LoadPlan, export: ExportFile, about: Constants) -> Reading:
        contract = work.target.blueprint.contract
        reader = Reader(self._con, contract, self._folder, workers=self._workers)
        spool, conflicts, tally = (
            self._spool(work.target.blueprint.landing_table),
            Conflicts(contract),
            DriftCounter(contract),
        )
        rows = quarantined = 0
        for batch in reader.read(export.path):
            spool.write(batch.good, about)
            conflicts.add(batch.good)
            refused = rejections(batch.wrong, contract, already=quarantined)
            tally.add(batch.good.num_rows, refused)
            self._quarantine(refused, about)
            rows, quarantined = rows + batch.good.num_rows, quarantined + batch.wrong.num_rows
            self._progress(spool.table, batch.good.num_rows + batch.wrong.num_rows)
        drifts = self._drifts(work, export, reader, tally)
        positions = conflicts.positions() if not drifts else {}
        if positions:
            self._quarantine(conflicts.refusals(positions, reader.read(export.path)), about)
            rows, quarantined = rows - len(positions), quarantined + len(positions)
        if drifts:
            spool.drop()
        self._end_file(work.target, keep=True, without=pa.array(positions, pa.int64()))
        return Reading(export, about, rows, quarantined, reader.names, drifts)

    def _drifts(self, work: LoadPlan, export: ExportFile, reader: Reader, tally: DriftCounter) -> tuple[Drift, ...]:
        """What of a file that was read no longer holds to the contract."""

        def held(path: str) -> int:
            return holders(self._con.cursor(), reader.read(export.path), reader.contract, path)

        drifts = tally.drifts(held, reader.unknown - work.observed.unknown)
        lost = lost_keys(reader.contract, reader.names, work.observed.steady, tally.records)
        return (*drifts, *lost)

    def _land(self, work: LoadPlan, reading: Reading) -> None:
        """Enter a file whose rows are kept."""
        self._enter("landed_files", reading.about, rows=reading.rows, quarantined=reading.quarantined)
        work.files, work.rows = work.files + 1, work.rows + reading.rows
        work.quarantined += reading.quarantined
        work.names |= reading.names
        if not reading.rows and not reading.quarantined:
            work.findings.append(f"{reading.export.name} holds no records")

    def _withhold(self, work: LoadPlan, reading: Reading) -> None:
        """Put what converts of a file into quarantine too, by the file's name; a drifted one is remembered."""
        reason = f"withheld while its table has drifted: {'; '.join(sentences(work.drifted))}"
        if reading.drifts:
            own = DriftedFile(reading.export.name, reading.drifts, work.as_of is not None)
            reason = f"withheld with the records that do not convert: {'; '.join(sentences([own]))}"
            work.quarantined += reading.quarantined
        contract = fingerprint(work.target.blueprint.contract)
        for drift in reading.drifts:
            self._enter(
                "drifted_files", reading.about, stops=work.as_of is not None, contract=contract, **asdict(drift)
            )
        if reading.rows or not reading.drifts:
            self._quarantine([Rejection(None, reason, None)], reading.about)
            self._spool("quarantine").keep()
            work.quarantined += 1

    def _refuse_file(self, work: LoadPlan, export: ExportFile, about: Constants, problem: Unreadable) -> None:
        self._quarantine([Rejection(None, problem.reason, None)], about)
        self._spool("quarantine").keep()
        remembered = about if problem.lasting else about | {"sha256": pa.scalar(None, pa.string())}
        self._enter("unreadable_files", remembered, reason=problem.reason)
        work.quarantined += 1
        work.findings.append(f"{export.name} is in quarantine as a whole: {problem.reason}")

    def _quarantine(self, refused: list[Rejection], about: Constants) -> None:
        self._spool("quarantine").write(as_table(refused), about)

    def _enter(self, ledger: str, about: Constants, **values: object) -> None:
        spool = self._spool(ledger)
        spool.write(pa.table({name: pa.array([value]) for name, value in values.items()}), about)
        spool.keep()

    def _end_file(self, target: ExportTarget, *, keep: bool, without: pa.Array | None = None) -> None:
        rows, quarantine = self._spool(target.blueprint.landing_table), self._spool("quarantine")
        if keep:
            rows.keep(without)
            quarantine.keep()
        else:
            rows.drop()
            quarantine.drop()

    def _about(self, target: ExportTarget, export: ExportFile) -> Constants:
        """The values that all rows of a file share, in whatever table."""
        platform, account, name = target.key
        at = pa.scalar(export.exported_at, pa.timestamp("us"))
        path, sha256 = pa.scalar(str(export.path)), pa.scalar(export.sha256, pa.string())
        ledger = {"platform": platform, "account": account, "object": name, "bytes": export.size, "_account": account}
        files = {"path": path, "_source_file": path, "sha256": sha256, "exported_at": at, "_exported_at": at}
        return {name: pa.scalar(value) for name, value in ledger.items()} | files | self._stamps

    def _spool(self, table: str) -> PartBuffer:
        if table not in self._spools:
            fields = [pa.field(name, ARROW[type_], nullable=name != LOAD_ID) for name, type_ in self._tables[table]]
            self._spools[table] = PartBuffer(self._folder, table, pa.schema(fields))
        return self._spools[table]
