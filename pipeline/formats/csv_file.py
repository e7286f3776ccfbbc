"""CSV files to landing rows: everything is text; a nested field is JSON text, or dotted columns (`customer.id`)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import BufferedIOBase, StringIO
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from pipeline.contracts.fields import Contract
from pipeline.formats.csv_layout import layout_query
from pipeline.formats.file import BYTE_ORDER_MARK, Unreadable, open_file
from pipeline.formats.parallel import converted
from pipeline.formats.wire import LINE, RECORD, WRONG

BLOCK_BYTES = 1 << 25  # of the file; no row is longer
LONGEST_HEADER = 1 << 20  # bytes
DELIMITERS = ",;\t|"
END = b"\xef\xb7\x90 end of file"
"""The first cell of a row of our own, after the last: a quote that is never closed would swallow it."""

Refused = tuple[int, str, str]
"""A row that is no row of the table: its position among the records (from 1), why, and its text."""


def read_csv(
    con: duckdb.DuckDBPyConnection, path: Path, contract: type[Contract], unknown: set[str], workers: int
) -> Iterator[pa.Table]:
    """Landing rows in batches, between them those that do not parse; adds the names of unknown columns to `unknown`.

    Raises:
        Unreadable: It has no usable header, or a quote that is never closed.
    """
    refused: list[Refused] = []
    with open_file(path) as file:
        header, delimiter = _header(file)
        query = layout_query(header, contract, unknown)

        def convert(con: duckdb.DuckDBPyConnection, batch: pa.Table) -> pa.Table:
            con.register("batch", batch)
            return con.execute(query).to_arrow_table()

        for rows in converted(con, _batches(file, delimiter, len(header), refused), convert, workers):
            yield rows
            if refused:
                yield _take(refused)
    if refused:
        yield _take(refused)


def _take(refused: list[Refused]) -> pa.Table:
    """The rows refused so far, as landing rows; `refused` is empty afterwards."""
    columns = [[row[number] for row in refused] for number in range(3)]
    refused.clear()
    types = (pa.int64(), pa.string(), pa.string())
    arrays = [pa.array(column, type_) for column, type_ in zip(columns, types, strict=True)]
    return pa.table(arrays, names=[LINE, WRONG, RECORD])


def _header(file: BufferedIOBase) -> tuple[list[str], str]:
    """The header's names, and the delimiter that parts them; `file` is left where the rows begin."""
    first = file.readline(LONGEST_HEADER).removeprefix(BYTE_ORDER_MARK)
    while first and (not first.strip() or first.count(b'"') % 2) and len(first) < LONGEST_HEADER:
        more = file.readline(LONGEST_HEADER)
        first = first + more if more else b""
    try:
        text = first.decode().lstrip("\r\n")
        delimiter = max(DELIMITERS, key="".join(text.split('"')[::2]).count)
        names = [name.strip() for name in next(csv.reader(StringIO(text, newline=""), delimiter=delimiter), [])]
    except (UnicodeDecodeError, csv.Error) as error:
        raise Unreadable(f"its header is no CSV: {error}") from error
    names = [name or f"column_{number}" for number, name in enumerate(names, 1)] if any(names) else []
    folded = [name.lower() for name in names]
    twice = sorted({name for name in folded if folded.count(name) > 1})
    if not names or twice:
        raise Unreadable(f"its header names {', '.join(twice)} twice" if twice else "its header names no column")
    return names, delimiter


def _batches(file: BufferedIOBase, delimiter: str, width: int, refused: list[Refused]) -> Iterator[pa.Table]:
    """The rows as text columns `c0`, `c1`, ... with their `position`; the rows that are none are added to `refused`."""
    names = [f"c{number}" for number in range(width)]
    before: list[int] = []  # for each row of another width, how many rows of the right width come before it

    def refuse(row: arrow_csv.InvalidRow) -> str:
        before.append(row.number - 1 - len(before))
        found = f"{row.actual_columns} columns, and the header has {row.expected_columns}"
        refused.append((row.number, f"the row has {found}", row.text))
        return "skip"

    reader = arrow_csv.open_csv(
        pa.PythonFile(_Ended(file, END + (delimiter * (width - 1)).encode()), mode="r"),
        arrow_csv.ReadOptions(column_names=names, block_size=BLOCK_BYTES, use_threads=False),
        arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=refuse),
        arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.binary()), strings_can_be_null=True, null_values=[""]
        ),
    )
    count, ended = 0, False
    for batch in reader:
        rows = pa.Table.from_batches([batch])
        ordinals = np.arange(count + 1, count + 1 + rows.num_rows)
        count += rows.num_rows
        positions = pa.array(ordinals + np.searchsorted(np.array(before, np.int64), ordinals))
        rows = rows.append_column("position", positions)
        ended = rows.num_rows > 0 and rows["c0"][-1].as_py() == END
        yield _as_text(rows.slice(0, rows.num_rows - ended), refused)
    if not ended:
        raise Unreadable("a quote is opened and never closed, so where its rows end is unknown")


def _as_text(rows: pa.Table, refused: list[Refused]) -> pa.Table:
    """The rows with their cells as UTF-8 text; those with a cell that is not are refused."""
    text = pa.schema([pa.field(name, pa.string() if name != "position" else pa.int64()) for name in rows.column_names])
    try:
        return rows.cast(text)
    except pa.ArrowInvalid:
        faulty = [number for number, row in enumerate(rows.drop_columns("position").to_pylist()) if not _is_utf8(row)]
        for number in faulty:
            row = rows.slice(number, 1).to_pylist()[0]
            position = row.pop("position")
            cells = [cell.decode(errors="replace") if cell else "" for cell in row.values()]
            refused.append((position, "not UTF-8 text", ",".join(cells)))
        good = np.ones(rows.num_rows, bool)
        good[faulty] = False
        return rows.filter(pa.array(good)).cast(text)


def _is_utf8(row: dict[str, bytes | None]) -> bool:
    try:
        b"".join(cell for cell in row.values() if cell).decode()
    except UnicodeDecodeError:
        return False
    return True


class _Ended:
    """A file with one row more at its end."""

    closed = False

    def __init__(self, file: BufferedIOBase, row: bytes) -> None:
        self._file, self._end = file, b"\n" + row + b"\n"

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        if size < 0 or len(data) < size:
            data, self._end = data + self._end, b""
        return data

    def close(self) -> None:
        self.closed = True
