"""CSV files to landing rows: everything is text; a nested field is JSON text, or dotted columns (`customer.id`)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BufferedIOBase
from itertools import chain
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.csv as arrow_csv

from pipeline.contracts.downloads import Language, Locale
from pipeline.contracts.fields import Contract
from pipeline.contracts.registry import Blueprint
from pipeline.ingest.downloads.recognition import KnownDownloads, Recognised, incomplete, misplaced
from pipeline.ingest.formats.csv_header import LONGEST_HEADER, first_cells, header_of
from pipeline.ingest.formats.download_file import read_download
from pipeline.ingest.formats.export_file import Unreadable, open_file
from pipeline.ingest.formats.parallel import convert_in_parallel
from pipeline.ingest.formats.table_columns import Cell
from pipeline.ingest.formats.table_texts import form_of_batch, rows_converter
from pipeline.ingest.formats.text_encoding import utf8_text
from pipeline.ingest.values.wire_values import LINE, RECORD, WRONG

BLOCK_BYTES = 1 << 25  # of the file; no row is longer
LONGEST_FOOTER = 1 << 16  # bytes
END = b"\xef\xb7\x90 end of file"
"""The first cell of a sentinel row after the last row: a quote that is never closed would contain it."""


@dataclass(frozen=True)
class CsvRules:
    """How CSV files of one object of an account are read, beside its contract.

    Attributes:
        object: The object whose records are wanted.
        known: The downloads that a file may be; None: no file is taken for one.
    """

    object: str = ""
    known: KnownDownloads | None = None
    locale: Locale = field(default_factory=Locale)

    @classmethod
    def of(cls, blueprint: Blueprint, locale: Locale | None = None, *, others: bool = True) -> CsvRules:
        """The rules of an object; those of other connectors are refused by name where `others` says so."""
        known = KnownDownloads(blueprint.downloads, blueprint.other_downloads if others else {})
        return cls(blueprint.object, known, locale or Locale())


PLAIN = CsvRules()
RejectedRow = tuple[int, str, str]
"""A row that does not parse: its position among the records (from 1), the reason, and its text."""


def read_csv(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    contract: type[Contract],
    names: set[str],
    workers: int,
    *,
    rules: CsvRules = PLAIN,
) -> Iterator[pa.Table]:
    """Landing rows in batches, with rejected rows between them; adds the names of the fields to `names`.

    Raises:
        Unreadable: It has no usable header, or a quote that is never closed; or it is a download that is not read.
    """
    rejected: list[RejectedRow] = []
    with open_file(path) as packed, utf8_text(packed, rules.locale.encoding) as file:
        header, delimiter = header_of(file, contract, rules.known)
        found = _download(file, header, delimiter, rules)
        batches = _batches(file, delimiter, len(header), rejected)
        if found:
            yield from read_download(con, batches, found, contract, names, titles=header, locale=rules.locale)
            rejected = [row for row in rejected if not _is_total(row, found.language)]
        else:
            cells = [Cell(title, f"c{number}") for number, title in enumerate(header)]
            first = next(batches)
            form = form_of_batch(con.cursor(), first, cells, contract)
            convert = rows_converter(cells, contract, names, form)
            for rows in convert_in_parallel(con, chain([first], batches), convert, workers):
                yield rows
                if rejected:
                    yield _take(rejected)
    if rejected:
        yield _take(rejected)


def _download(file: BufferedIOBase, header: list[str], delimiter: str, rules: CsvRules) -> Recognised | None:
    """The download that a file is, by its header and its first row; None for an ordinary file.

    Raises:
        Unreadable: It is a download that is not read.
    """
    if not rules.known:
        return None
    start = file.tell()
    found = rules.known.find(header, first_cells(file.readline(LONGEST_HEADER), delimiter))
    file.seek(start)
    if found and (elsewhere := misplaced(found, rules.object)):
        raise Unreadable(elsewhere, by_rules=True, misplaced=True)
    if reason := incomplete(found, header) if found else rules.known.refusal(header):
        raise Unreadable(reason, by_rules=True)
    return found


def _is_total(row: RejectedRow, language: Language) -> bool:
    """Whether a row of another width than the header is one of totals."""
    labels = tuple(label.lower() for label in language.totals)
    return bool(labels) and row[2].lstrip(' "\t').lower().startswith(labels)


def _take(rejected: list[RejectedRow]) -> pa.Table:
    """The rows rejected so far, as landing rows; `rejected` is empty afterwards."""
    columns = [[row[number] for row in rejected] for number in range(3)]
    rejected.clear()
    types = (pa.int64(), pa.string(), pa.string())
    arrays = [pa.array(column, type_) for column, type_ in zip(columns, types, strict=True)]
    return pa.table(arrays, names=[LINE, WRONG, RECORD])


def _batches(file: BufferedIOBase, delimiter: str, width: int, rejected: list[RejectedRow]) -> Iterator[pa.Table]:
    """The rows as text columns `c0`, `c1`, ... with their `position`; rows that do not parse go to `rejected`."""
    import numpy as np

    names = [f"c{number}" for number in range(width)]
    before: list[int] = []  # for each row of another width, how many rows of the right width come before it
    single: list[RejectedRow] = []  # rows of one cell that no other row follows yet: perhaps the footer

    def reject(row: arrow_csv.InvalidRow) -> str:
        before.append(row.number - 1 - len(before))
        widths = f"{row.actual_columns} columns, and the header has {row.expected_columns}"
        single.append((row.number, f"the row has {widths}", row.text))
        if row.actual_columns > 1:
            settle(row.number)
        return "skip"

    def settle(last: int) -> None:
        while single and single[0][0] <= last:
            rejected.append(single.pop(0))

    source = _FileWithSentinel(file, END + (delimiter * (width - 1)).encode())
    reader = arrow_csv.open_csv(
        pa.PythonFile(source, mode="r"),
        arrow_csv.ReadOptions(column_names=names, block_size=BLOCK_BYTES, use_threads=False),
        arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=reject),
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
        rows = rows.slice(0, rows.num_rows - ended)
        if rows.num_rows:
            settle(rows["position"][-1].as_py())
        yield _as_text(rows, rejected)
    if not ended:
        raise Unreadable("a quote is opened and never closed, so where its rows end is unknown")
    if not _is_footer([text for _, _, text in single], source.tail):
        rejected.extend(single)


def _is_footer(texts: list[str], tail: bytes) -> bool:
    """Whether the last rows of a file, of one cell each, are separated from its table by a blank line.

    A row that was cut short is not.
    """
    filled = [text for text in texts if text.strip()]
    before, match, _ = tail.decode(errors="replace").rpartition(filled[0]) if filled else ("", "", "")
    return not filled or (bool(match) and re.search(r"\n[ \t\r]*\n[ \t\r]*$", before) is not None)


def _as_text(rows: pa.Table, rejected: list[RejectedRow]) -> pa.Table:
    """The rows with their cells as UTF-8 text; rows with a cell that is not are rejected."""
    import numpy as np

    text = pa.schema([pa.field(name, pa.string() if name != "position" else pa.int64()) for name in rows.column_names])
    try:
        return rows.cast(text)
    except pa.ArrowInvalid:
        faulty = [number for number, row in enumerate(rows.drop_columns("position").to_pylist()) if not _is_utf8(row)]
        for number in faulty:
            row = rows.slice(number, 1).to_pylist()[0]
            position = row.pop("position")
            cells = [cell.decode(errors="replace") if cell else "" for cell in row.values()]
            rejected.append((position, "not UTF-8 text", ",".join(cells)))
        good = np.ones(rows.num_rows, bool)
        good[faulty] = False
        return rows.filter(pa.array(good)).cast(text)


def _is_utf8(row: dict[str, bytes | None]) -> bool:
    try:
        b"".join(cell for cell in row.values() if cell).decode()
    except UnicodeDecodeError:
        return False
    return True


class _FileWithSentinel:
    """A file with one more row at its end; `tail` is the last part that was read."""

    closed = False
    tail = b"\n"  # ends the header

    def __init__(self, file: BufferedIOBase, row: bytes) -> None:
        self._file, self._end = file, b"\n" + row + b"\n"

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.tail = (self.tail + data)[-LONGEST_FOOTER:] if len(data) < LONGEST_FOOTER else data[-LONGEST_FOOTER:]
        if size < 0 or len(data) < size:
            data, self._end = data + self._end, b""
        return data

    def close(self) -> None:
        self.closed = True
