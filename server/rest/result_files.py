"""Result files: all rows are written in a format of `server.serving.result_formats` before the first byte is sent.

So the database finishes a query before a slow client has its answer, and an error on the way is a problem document and
not half a file. The file has no name: it is gone once it is closed, however the call ends.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from math import isfinite
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from semantic.answering.exact_json import exact_digits, to_json
from semantic.answering.result_stream import BATCH_ROWS, ResultStream
from semantic.planning.query import Answer

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK_BYTES = 256 * 1024
T = TypeVar("T")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""First characters of texts that a spreadsheet would run as a formula. Source: OWASP, CSV injection."""


@dataclass(frozen=True)
class ResultFile:
    """A written file, its size in bytes, the answer it holds and the number of its rows."""

    file: IO[bytes]
    size: int
    answer: Answer
    rows: int

    def chunks(self) -> Iterator[bytes]:
        """The bytes, once; afterwards the file is gone."""
        with self.file:
            self.file.seek(0)
            while chunk := self.file.read(CHUNK_BYTES):
                yield chunk


def write_rows(result: ResultStream, form: str, folder: Path, *, for_spreadsheet: bool = False) -> ResultFile:
    """Write all rows into an unnamed temporary file on the disk of `folder`.

    Args:
        result: The rows; they are read to their end.
        form: A name of MEDIA.
        folder: Created when it does not exist.
        for_spreadsheet: In CSV, a text that a spreadsheet would run as a formula gets an apostrophe before it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # closed by the sender
    try:
        write = partial(_write_csv, cell=_escaped_cell) if for_spreadsheet and form == "csv" else WRITERS[form]
        write(result, file)
        return ResultFile(file, file.tell(), result.answer(), result.rows)
    except BaseException:
        file.close()
        raise


def _write_json(result: ResultStream, file: IO[bytes]) -> None:
    """Write the JSON of an answer, its rows first: the other fields are known only after the rows."""
    file.write(b'{"rows":[')
    count = 0
    for batch in result.batches:
        rows = [list(row) for row in _rows(batch, lambda value: value)]
        file.write((("," if count else "") + to_json(rows)[1:-1]).encode())
        count += len(rows)
    fields = {**result.answer().to_dict(), "row_count": count}
    del fields["rows"]
    file.write(b"]," + to_json(fields)[1:].encode())


def _write_csv(result: ResultStream, file: IO[bytes], *, cell: Callable[[object], str] | None = None) -> None:
    """Write CSV by RFC 4180: CRLF, quotes where needed, a header line. No value is an empty field, an empty text is "".

    Decimals have every digit, days are ISO, flags true and false.
    """
    file.write((",".join(map(_field, result.schema.names)) + "\r\n").encode())
    empty_row = '""' if len(result.schema.names) == 1 else ""  # an empty line would be no row to many readers
    for batch in result.batches:
        lines = (",".join(row) or empty_row for row in _rows(batch, cell or _cell))
        file.write("".join(f"{line}\r\n" for line in lines).encode())


def _field(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if not text or _QUOTED.search(text) else text


def _escaped_cell(value: object) -> str:
    return _cell(f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value)


def _cell(value: object) -> str:
    if value is None or (isinstance(value, float) and not isfinite(value)):
        return ""
    if isinstance(value, str):
        return _field(value)
    if isinstance(value, Decimal):
        return exact_digits(value)
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _write_arrow(result: ResultStream, file: IO[bytes]) -> None:
    import pyarrow as pa

    with pa.ipc.new_stream(file, result.schema) as stream:
        for batch in result.batches:
            stream.write_batch(batch)


def _write_parquet(result: ResultStream, file: IO[bytes]) -> None:
    from pyarrow import parquet

    with parquet.ParquetWriter(file, result.schema, compression="zstd") as writer:
        for batch in result.batches:
            writer.write_batch(batch, row_group_size=10 * BATCH_ROWS)
        metadata = result.answer().to_dict()
        del metadata["rows"], metadata["row_count"], metadata["sql"]
        writer.add_key_value_metadata({"gata": json.dumps(metadata, default=str)})


_QUOTED = re.compile('[",\r\n]')
WRITERS: Mapping[str, Callable[[ResultStream, IO[bytes]], None]] = {
    "json": _write_json,
    "csv": _write_csv,
    "arrow": _write_arrow,
    "parquet": _write_parquet,
}
"""The function that writes each format of MEDIA."""


def _rows(batch: pa.RecordBatch, cell: Callable[[Any], T]) -> Iterable[tuple[T, ...]]:  # Any: column values
    """The rows of a batch, days as ISO text, each value converted by `cell`."""
    columns = [
        [cell(value.isoformat() if isinstance(value, date) else value) for value in column.to_pylist()]
        for column in batch.columns
    ]
    return zip(*columns, strict=True)
