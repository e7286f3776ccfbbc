"""The buffer of one landing table: parquet parts for dlt to import, with all rows of a file or none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.ingest.formats.reader import LINE

PART_BYTES = 1 << 26
"""Small files share a part of about this size; a larger one has its own."""


@dataclass(frozen=True)
class ParquetPart:
    """A finished parquet file."""

    path: Path
    rows: int


class PartBuffer:
    """Collects one table's rows file by file: `write`, `write`, ... then `keep` or `drop` the rows of the file."""

    def __init__(self, folder: Path, table: str, schema: pa.Schema) -> None:
        self.table, self.schema = table, schema
        self.parts: list[ParquetPart] = []
        self._folder = folder
        self._opened = 0
        self._file: list[pa.Table] = []
        self._kept: list[pa.Table] = []
        self._own: _Writer | None = None  # of a file too large for memory

    def write(self, rows: pa.Table, constants: dict[str, pa.Scalar]) -> None:
        """Add rows of the current file, with values that are the same for all of them."""
        if not rows.num_rows:
            return
        arrays = [
            pa.repeat(constants[field.name], rows.num_rows) if field.name in constants else rows[field.name]
            for field in self.schema
        ]
        self._file.append(pa.table(arrays, names=self.schema.names).cast(self.schema))
        if _bytes(self._file) > PART_BYTES:
            self._own = self._own or self._open()
            self._own.write(self._file)
            self._file = []

    def keep(self, without: pa.Array | None = None) -> None:
        """Keep the rows of the current file, except the records at the positions `without`."""
        if self._own:
            self._own.write(self._file)
            self._keep_own(self._own, without)
        else:
            self._kept += [_without(rows, without) for rows in self._file]
        self._own, self._file = None, []
        if _bytes(self._kept) > PART_BYTES:
            self._flush()

    def drop(self) -> None:
        """Discard the rows of the current file."""
        if self._own:
            self._own.close().path.unlink()
        self._own, self._file = None, []

    def checkpoint(self) -> int:
        """A position between two files to `rewind` to."""
        self._flush()
        return len(self.parts)

    def rewind(self, checkpoint: int, *, keeping: pc.Expression | None = None) -> None:
        """Discard the rows since `checkpoint`, except those that match the expression `keeping`."""
        self._flush()
        later, self.parts = self.parts[checkpoint:], self.parts[:checkpoint]
        for part in later:
            if keeping is not None:
                self._kept.append(pq.read_table(part.path, filters=keeping).cast(self.schema))
            part.path.unlink()

    def finish(self) -> list[ParquetPart]:
        """All parts, once the last file is kept or dropped."""
        self._flush()
        return self.parts

    def _open(self) -> _Writer:
        self._opened += 1
        return _Writer(self._folder / f"{self.table}.{self._opened}.parquet", self.schema)

    def _keep_own(self, own: _Writer, without: pa.Array | None) -> None:
        part = own.close()
        if without is not None and len(without):
            filtered = self._open()
            for batch in pq.ParquetFile(part.path).iter_batches():
                filtered.write([_without(pa.Table.from_batches([batch]).cast(self.schema), without)])
            part.path.unlink()
            part = filtered.close()
        self.parts.append(part)

    def _flush(self) -> None:
        if _rows(self._kept):
            writer = self._open()
            writer.write(self._kept)
            self.parts.append(writer.close())
        self._kept = []


class _Writer:
    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._path, self._rows = path, 0
        self._writer = pq.ParquetWriter(path, schema, compression="lz4")

    def write(self, tables: list[pa.Table]) -> None:
        if tables:
            together = pa.concat_tables(tables)
            self._writer.write_table(together)
            self._rows += together.num_rows

    def close(self) -> ParquetPart:
        self._writer.close()
        return ParquetPart(self._path, self._rows)


def _without(rows: pa.Table, positions: pa.Array | None) -> pa.Table:
    if positions is None or not len(positions):
        return rows
    return rows.filter(pc.invert(pc.is_in(rows[LINE], positions)))


def _rows(tables: list[pa.Table]) -> int:
    return sum(table.num_rows for table in tables)


def _bytes(tables: list[pa.Table]) -> int:
    return sum(table.nbytes for table in tables)
