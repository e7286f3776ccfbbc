"""One load in the making: new files read, checked and split into rows, quarantine and ledgers, as parts for dlt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from pipeline.conflicts import Conflicts
from pipeline.exports import Export, Target
from pipeline.formats import Reader, Unreadable
from pipeline.landing import LOAD_ID, Columns, Known
from pipeline.quarantine import Refusal, as_table, refusals
from pipeline.spool import Part, Spool

ARROW = {
    "VARCHAR": pa.string(),
    "JSON": pa.string(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP": pa.timestamp("us"),
}

Constants = dict[str, pa.Scalar]


@dataclass
class Work:
    """What there is to do for one target, and what was done."""

    target: Target
    new: list[Export] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    known_files: int = 0
    files: int = 0
    rows: int = 0
    quarantined: int = 0
    unknown: set[str] = field(default_factory=set)


def plan(targets: Iterable[Target], ledger: Known) -> list[Work]:
    """What of each target's files is new by its content; files alike are one, damaged ones are not read again."""
    landed = set(ledger.landed)
    failed = {entry[:5]: entry[5] for entry in ledger.unreadable if entry[4] is not None}
    plans = []
    for target in targets:
        work = Work(target, findings=list(target.findings))
        plans.append(work)
        for export in target.exports():
            identity = (*target.key, str(export.path), export.sha256)
            if export.unreadable and (*identity, export.unreadable) in ledger.unreadable:
                work.findings.append(f"{export.path.name} still {export.unreadable}")
            elif identity in failed:
                work.findings.append(f"{export.path.name} is still in quarantine as a whole: {failed[identity]}")
            elif export.sha256 and (*target.key, export.sha256) in landed:
                work.known_files += 1
            else:
                work.new.append(export)
                landed.add((*target.key, export.sha256 or str(export.path)))
    return plans


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
        self._workers, self._tables, self._spools = workers, tables, dict[str, Spool]()

    def stage(self, work: Work) -> None:
        """Read the new files of one target; a file that cannot be read as a whole goes into quarantine by name."""
        for export in work.new:
            about = self._about(work.target, export)
            problem = self._try_file(work, export, about)
            if problem:
                self._refuse_file(work, export, about, problem)

    def finish(self) -> dict[str, list[Part]]:
        """The parts of every table that got rows."""
        return {table: spool.finish() for table, spool in self._spools.items()}

    def _try_file(self, work: Work, export: Export, about: Constants) -> Unreadable | None:
        if export.unreadable:
            return Unreadable(export.unreadable, lasting=False)
        try:
            self._stage_file(work, export, about)
        except Unreadable as problem:
            self._end_file(work.target, keep=False)
            return problem
        return None

    def _stage_file(self, work: Work, export: Export, about: Constants) -> None:
        blueprint = work.target.blueprint
        reader = Reader(self._con, blueprint.contract, self._folder, workers=self._workers)
        spool, conflicts = self._spool(blueprint.landing_table), Conflicts(blueprint.contract)
        rows = quarantined = 0
        for batch in reader.read(export.path):
            spool.write(batch.good, about)
            conflicts.add(batch.good)
            self._quarantine(refusals(batch.wrong, blueprint.contract, already=quarantined), about)
            rows, quarantined = rows + batch.good.num_rows, quarantined + batch.wrong.num_rows
            self._progress(blueprint.landing_table, batch.good.num_rows + batch.wrong.num_rows)
        positions = conflicts.positions()
        if positions:
            self._quarantine(conflicts.refusals(positions, reader.read(export.path)), about)
            rows, quarantined = rows - len(positions), quarantined + len(positions)
        self._end_file(work.target, keep=True, without=pa.array(positions, pa.int64()))
        self._enter("landed_files", about, rows=rows, quarantined=quarantined)
        work.files, work.rows, work.quarantined = work.files + 1, work.rows + rows, work.quarantined + quarantined
        work.unknown |= reader.unknown
        if not rows and not quarantined:
            work.findings.append(f"{export.path.name} holds no records")

    def _refuse_file(self, work: Work, export: Export, about: Constants, problem: Unreadable) -> None:
        self._quarantine([Refusal(None, problem.reason, None)], about)
        self._spool("quarantine").keep()
        remembered = about if problem.lasting else about | {"sha256": pa.scalar(None, pa.string())}
        self._enter("unreadable_files", remembered, reason=problem.reason)
        work.quarantined += 1
        work.findings.append(f"{export.path.name} is in quarantine as a whole: {problem.reason}")

    def _quarantine(self, refused: list[Refusal], about: Constants) -> None:
        self._spool("quarantine").write(as_table(refused), about)

    def _enter(self, ledger: str, about: Constants, **values: object) -> None:
        spool = self._spool(ledger)
        spool.write(pa.table({name: pa.array([value]) for name, value in values.items()}), about)
        spool.keep()

    def _end_file(self, target: Target, *, keep: bool, without: pa.Array | None = None) -> None:
        rows, quarantine = self._spool(target.blueprint.landing_table), self._spool("quarantine")
        if keep:
            rows.keep(without)
            quarantine.keep()
        else:
            rows.drop()
            quarantine.drop()

    def _about(self, target: Target, export: Export) -> Constants:
        """The values that all rows of a file share, in whatever table."""
        platform, account, name = target.key
        at = pa.scalar(export.exported_at, pa.timestamp("us"))
        path, sha256 = pa.scalar(str(export.path)), pa.scalar(export.sha256, pa.string())
        ledger = {"platform": platform, "account": account, "object": name, "bytes": export.size, "_account": account}
        files = {"path": path, "_source_file": path, "sha256": sha256, "exported_at": at, "_exported_at": at}
        return {name: pa.scalar(value) for name, value in ledger.items()} | files | self._stamps

    def _spool(self, table: str) -> Spool:
        if table not in self._spools:
            fields = [pa.field(name, ARROW[type_], nullable=name != LOAD_ID) for name, type_ in self._tables[table]]
            self._spools[table] = Spool(self._folder, table, pa.schema(fields))
        return self._spools[table]
