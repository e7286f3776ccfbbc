"""Check of a whole file: what of it would land as records of one contract, what would not, and why. Nothing is written.

It scans a file as a landing does, and keeps counts in place of rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contracts.registry import Blueprint
from pipeline.ingest.drift import Drift
from pipeline.ingest.file_scan import FileScan
from pipeline.ingest.formats.csv_file import CsvRules
from pipeline.ingest.formats.reader import LINE, Reader
from pipeline.ingest.quarantine import Rejection
from pipeline.ingest.recognition.contents import Contents
from pipeline.ingest.recognition.reasons import drift_without_values, example_of, without_values

Progress = Callable[[int], None]
"""Called with the number of records just read."""


@dataclass(frozen=True)
class Kept:
    """Records that would go into quarantine for one reason, and a value of one of them where it can be of no person."""

    reason: str
    records: int
    example: str | None


@dataclass(frozen=True)
class FileCheck:
    """What would become of a file.

    Attributes:
        rows: Records that would land; 0 where the file is withheld.
        quarantined: Records that would not, by reason, most frequent first.
        withheld: Why no record of the file would land, one sentence for each field; empty where they would.
        unknown: Names that the file has and its contract does not.
    """

    rows: int
    quarantined: tuple[Kept, ...]
    withheld: tuple[str, ...]
    unknown: tuple[str, ...]
    contents: Contents

    @property
    def lands_whole(self) -> bool:
        return not self.withheld and not self.quarantined and self.rows > 0


class _Tally:
    """Counts the rejected records of a file by reason."""

    def __init__(self, blueprint: Blueprint) -> None:
        self._contract = blueprint.contract
        self._counts, self._examples = Counter[str](), dict[str, str]()

    def add(self, rejected: Iterable[Rejection]) -> None:
        for each in rejected:
            reason = without_values(each.reason)
            self._counts[reason] += 1
            if example := example_of(self._contract, each.reason):
                self._examples.setdefault(reason, example)

    def kept(self) -> tuple[Kept, ...]:
        return tuple(Kept(reason, count, self._examples.get(reason)) for reason, count in self._counts.most_common())


def check_file(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    blueprint: Blueprint,
    folder: Path,
    *,
    workers: int = 1,
    progress: Progress = lambda _: None,
) -> FileCheck:
    """Read one file as one object's records, and say what would land.

    Args:
        folder: For temporary copies.

    Raises:
        Unreadable: It is damaged.
    """
    contract = blueprint.contract
    reader = Reader(con, contract, folder, workers=workers, rules=CsvRules.of(blueprint))
    scan, contents, tally = FileScan(con, reader, path), Contents(contract), _Tally(blueprint)
    for good, rejected in scan.batches():
        tally.add(rejected)
        contents.add(con.cursor(), good)
        progress(good.num_rows + len(rejected))
    if conflicts := scan.conflicts():
        tally.add(scan.conflict_rejections(conflicts))
        contents = _without(con, reader, path, contents, conflicts)
    withheld = tuple(_sentence(drift_without_values(contract, drift)) for drift in scan.drifts())
    rows = 0 if withheld else scan.good - len(conflicts)
    return FileCheck(rows, tally.kept(), withheld, tuple(sorted(scan.unknown)), contents)


def _without(
    con: duckdb.DuckDBPyConnection, reader: Reader, path: Path, contents: Contents, positions: dict[int, int]
) -> Contents:
    """The contents of a file without the records of conflicting keys."""
    fewer = Contents(contents.contract)
    conflicting = pa.array(positions, pa.int64())
    for batch in reader.read(path):
        fewer.add(con.cursor(), batch.good.filter(pc.invert(pc.is_in(batch.good[LINE], conflicting))))
    return fewer


def _sentence(drift: Drift) -> str:
    """What a file lacks or has instead, about the file."""
    came = drift.came.replace("which it does not know", "which is unknown").replace("new, and unknown to it", "unknown")
    came = came.replace("unknown to it", "unknown")
    return f"{drift.field} should be {drift.says}: {came} in {drift.failing} of {drift.records} records"
