"""Result files: rows written whole in a format of `server.serving.result_formats` before the first byte is sent.

So the database is done with a question before a slow client has its answer, and what goes wrong on the way is a problem
document and not half a file. The file has no name: it is gone when nobody reads it any more, however that comes.
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
"""How a text begins that a spreadsheet would run. Source: OWASP, CSV injection."""


@dataclass(frozen=True)
class ResultFile:
    """A written file, and what there is to say about its rows."""

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


def write_rows(found: ResultStream, form: str, folder: Path, *, for_spreadsheet: bool = False) -> ResultFile:
    """Write all rows into a nameless file on the disk of `folder`.

    Args:
        found: The rows; they are read to their end.
        form: A name of MEDIA.
        folder: Made when it is not there.
        for_spreadsheet: In CSV, a text that a spreadsheet would run as a formula gets an apostrophe before it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # closed by whoever sends it
    try:
        write = partial(_write_csv, cell=_guarded) if for_spreadsheet and form == "csv" else WRITERS[form]
        write(found, file)
        return ResultFile(file, file.tell(), found.answer(), found.rows)
    except BaseException:
        file.close()
        raise


def _write_json(found: ResultStream, file: IO[bytes]) -> None:
    """The shape of an answer, its rows first: what is said about them is known when they have passed."""
    file.write(b'{"rows":[')
    count = 0
    for batch in found.batches:
        rows = [list(row) for row in _rows(batch, lambda value: value)]
        file.write((("," if count else "") + to_json(rows)[1:-1]).encode())
        count += len(rows)
    said = {**found.answer().to_dict(), "row_count": count}
    del said["rows"]
    file.write(b"]," + to_json(said)[1:].encode())


def _write_csv(found: ResultStream, file: IO[bytes], *, cell: Callable[[object], str] | None = None) -> None:
    """RFC 4180: CRLF, quotes where needed, a line of names. No value is an empty field, an empty text is "".

    Decimals have every digit, days are ISO, flags true and false.
    """
    file.write((",".join(map(_field, found.schema.names)) + "\r\n").encode())
    alone = '""' if len(found.schema.names) == 1 else ""  # an empty line would be no row to many readers
    for batch in found.batches:
        lines = (",".join(row) or alone for row in _rows(batch, cell or _cell))
        file.write("".join(f"{line}\r\n" for line in lines).encode())


def _field(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if not text or _QUOTED.search(text) else text


def _guarded(value: object) -> str:
    return _cell(f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value)


def _cell(value: object) -> str:
    if value is None or (isinstance(value, float) and not isfinite(value)):
        return ""
    if isinstance(value, str):
        return _field(value)
    if isinstance(value, Decimal):
        return exact_digits(value)
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _write_arrow(found: ResultStream, file: IO[bytes]) -> None:
    import pyarrow as pa

    with pa.ipc.new_stream(file, found.schema) as stream:
        for batch in found.batches:
            stream.write_batch(batch)


def _write_parquet(found: ResultStream, file: IO[bytes]) -> None:
    from pyarrow import parquet

    with parquet.ParquetWriter(file, found.schema, compression="zstd") as writer:
        for batch in found.batches:
            writer.write_batch(batch, row_group_size=10 * BATCH_ROWS)
        about = found.answer().to_dict()
        del about["rows"], about["row_count"], about["sql"]
        writer.add_key_value_metadata({"gata": json.dumps(about, default=str)})


_QUOTED = re.compile('[",\r\n]')
WRITERS: Mapping[str, Callable[[ResultStream, IO[bytes]], None]] = {
    "json": _write_json,
    "csv": _write_csv,
    "arrow": _write_arrow,
    "parquet": _write_parquet,
}
"""How each format of MEDIA is written."""


def _rows(batch: pa.RecordBatch, cell: Callable[[Any], T]) -> Iterable[tuple[T, ...]]:  # Any: column values
    """The rows of a batch, days as ISO text, each value as `cell` makes it."""
    columns = [
        [cell(value.isoformat() if isinstance(value, date) else value) for value in column.to_pylist()]
        for column in batch.columns
    ]
    return zip(*columns, strict=True)
