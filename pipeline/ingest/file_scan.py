"""The scan of one file: its records by contract, with the checks that every reading of a file makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path

import duckdb
import pyarrow as pa

from pipeline.ingest.drift import Drift, DriftCounter, holders, lost_keys
from pipeline.ingest.earlier_shapes import EarlierShapes
from pipeline.ingest.formats.reader import Reader
from pipeline.ingest.key_conflicts import Conflicts
from pipeline.ingest.measure_check import MeasureCheck
from pipeline.ingest.quarantine import Rejection, rejections

NOTHING_BEFORE = EarlierShapes()


class FileScan:
    """Reads a file once, batch by batch; its drift and key conflicts are known after the last batch.

    Attributes:
        measures: What its good records hold.
        good: Records that convert, those of conflicting keys among them.
        wrong: Records that do not.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, reader: Reader, path: Path) -> None:
        self.reader, self.measures = reader, MeasureCheck(con, reader.contract)
        self._con, self._path = con, path
        self._counter, self._conflicts = DriftCounter(reader.contract), Conflicts(reader.contract)
        self.good = self.wrong = 0

    def batches(self) -> Iterator[tuple[pa.Table, list[Rejection]]]:
        """The good records of each batch, and the rejections of the others.

        Raises:
            Unreadable: The file is damaged, or no file of its contract.
        """
        for batch in self.reader.read(self._path):
            rejected = rejections(batch.wrong, self.reader.contract, already=self.wrong)
            self._conflicts.add(batch.good)
            self.measures.add(batch.good)
            self._counter.add(batch.good.num_rows, rejected)
            self.good, self.wrong = self.good + batch.good.num_rows, self.wrong + batch.wrong.num_rows
            yield batch.good, rejected

    @property
    def unknown(self) -> set[str]:
        """The names that the contract does not have, nested ones as dotted paths."""
        return self.reader.unknown | self.measures.unknown

    def drifts(
        self,
        before: EarlierShapes = NOTHING_BEFORE,
        steady_measures: AbstractSet[str] = frozenset(),
        *,
        counts_rare_fields: bool = True,
    ) -> tuple[Drift, ...]:
        """The drift of the file from its contract.

        Args:
            before: What earlier loads had.
            steady_measures: Measures that every earlier file held.
            counts_rare_fields: Otherwise no field that most records lack has drifted, and the file is not read again.
        """
        names, contract = self.reader.names, self.reader.contract
        count = self._holders if counts_rare_fields else _many
        drifted = self._counter.drifts(count, self.reader.unknown - before.unknown)
        lost = lost_keys(contract, names, before.steady, self._counter.records)
        return (*drifted, *lost, *self.measures.drifts(names, steady_measures))

    def conflicts(self) -> dict[int, int]:
        """The good records of conflicting keys: position to the number of records with that key."""
        return self._conflicts.positions()

    def conflict_rejections(self, positions: dict[int, int]) -> list[Rejection]:
        """The rejections of the records at `positions`; the file is read again."""
        return self._conflicts.rejections(positions, self.reader.read(self._path))

    def _holders(self, path: str) -> int:
        return holders(self._con.cursor(), self.reader.read(self._path), self.reader.contract, path)


def _many(_: str) -> int:
    """More records than a file has."""
    return 1 << 62
