"""Header detection in CSV files: in a report the header follows lines about the report itself."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedIOBase, StringIO

from pipeline.contracts.fields import Contract, shape_of
from pipeline.ingest.admission.limits import FILE_COLUMNS
from pipeline.ingest.downloads.recognition import KnownDownloads
from pipeline.ingest.formats.export_file import BYTE_ORDER_MARK, Unreadable

LONGEST_HEADER = 1 << 20  # bytes
DELIMITERS = ",;\t|"
LONGEST_PREAMBLE = 50
"""Lines of a file that are searched for its header."""


def header_of(
    file: BufferedIOBase, contract: type[Contract], known: KnownDownloads | None = None
) -> tuple[list[str], str]:
    """The header's names, and their delimiter; `file` is read from its start and left where the rows begin.

    The header is the first line that names the contract's required fields, or the columns that identify a layout,
    and has more cells than each line before it, or that has the titles of a known download; else the first line of
    several cells, if it names a field; else the first line. Blank lines are ignored.

    Raises:
        Unreadable: There is no usable header.
    """
    seen: list[_Line] = []
    for line in _lines(file):
        if line.is_wider_than(seen) and _names_a_record(line.names, contract):
            return _checked(line), line.delimiter
        if known and line.is_utf8 and known.names_of(line.cells):
            return _checked(line), line.delimiter
        seen.append(line)
    first = seen[0] if seen else _Line("", 0, is_utf8=True)
    table = next((line for line in seen if len(line.cells) > 1), first)
    header = table if _names_a_field(table.names, contract) else first
    file.seek(header.end)
    return _checked(header), header.delimiter


@dataclass(frozen=True)
class _Line:
    """A line that is not blank, and its end position in the file; a quoted cell may hold line breaks."""

    text: str
    end: int
    is_utf8: bool

    @property
    def delimiter(self) -> str:
        return max(DELIMITERS, key="".join(self.text.split('"')[::2]).count)

    @property
    def cells(self) -> list[str]:
        return _split(self.text, self.delimiter)

    @property
    def names(self) -> set[str]:
        return {cell.lower() for cell in self.cells}

    def is_wider_than(self, others: list[_Line]) -> bool:
        """Whether every other line has fewer cells: a row of the table has as many as its header."""
        return all(len(_split(other.text, self.delimiter)) < len(self.cells) for other in others)


def first_cells(line: bytes, delimiter: str) -> list[str]:
    """The cells of a line of a file."""
    return _split(line.decode(errors="replace"), delimiter)


def _split(text: str, delimiter: str) -> list[str]:
    """The cells of a line; empty where it is no CSV."""
    return [cell.strip() for cell in next(iter(_rows(text, delimiter)), [])]


def _rows(text: str, delimiter: str) -> list[list[str]]:
    """The rows of a line, normally one; empty where it is no CSV."""
    with suppress(csv.Error):
        return list(csv.reader(StringIO(text, newline=""), delimiter=delimiter))
    return []


def _lines(file: BufferedIOBase) -> Iterator[_Line]:
    for number in range(LONGEST_PREAMBLE):
        line = file.readline(LONGEST_HEADER)
        line = line.removeprefix(BYTE_ORDER_MARK) if number == 0 else line
        while line and (not line.strip() or line.count(b'"') % 2) and len(line) < LONGEST_HEADER:
            more = file.readline(LONGEST_HEADER)
            line = line + more if more else b""
        if not line:
            return
        yield _decoded(line, file.tell())


def _decoded(line: bytes, end: int) -> _Line:
    try:
        return _Line(line.decode().lstrip("\r\n"), end, is_utf8=True)
    except UnicodeDecodeError:
        return _Line(line.decode(errors="replace").lstrip("\r\n"), end, is_utf8=False)


def _names_a_record(names: set[str], contract: type[Contract]) -> bool:
    """Whether a header names the required fields, in the vendor's form or in a layout's."""
    known = [list(contract.required), *(list(layout.known_by) for layout in contract.layouts)]
    return any(columns and all(_names(names, column.lower()) for column in columns) for columns in known)


def _names(names: set[str], path: str) -> bool:
    """Whether a header has a field: by its path, as an object that contains it, or as its parts."""
    return path in names or path.partition(".")[0] in names or any(name.startswith(f"{path}.") for name in names)


def _names_a_field(names: set[str], contract: type[Contract]) -> bool:
    return any(name.lower() in names for name, _ in shape_of(contract))


def _checked(line: _Line) -> list[str]:
    """A header's names; a column without one is named by its number.

    Raises:
        Unreadable: It is not UTF-8 text, does not end, or names a column twice, or no column.
    """
    if "\0" in line.text:
        raise Unreadable("its header is not UTF-8 text: it may be UTF-16 without a byte order mark; save it as UTF-8")
    if not line.is_utf8:
        raise Unreadable(
            "its header is not UTF-8 text: save it as UTF-8 (in Excel: CSV UTF-8), or say read: {encoding: "
            "windows-1252} for its account if that is what it is",
            by_rules=True,
        )
    if len(line.cells) > FILE_COLUMNS:
        raise Unreadable(f"its header has {len(line.cells):,} columns, and no more than {FILE_COLUMNS:,} are read")
    if len(_rows(line.text, line.delimiter)) > 1:
        raise Unreadable("its lines end in CR alone, and are told apart by LF only")
    names = line.cells
    names = [name or f"column_{number}" for number, name in enumerate(names, 1)] if any(names) else []
    folded = [name.lower() for name in names]
    twice = sorted({name for name in folded if folded.count(name) > 1})
    if not names or twice:
        raise Unreadable(f"its header names {', '.join(twice)} twice" if twice else "its header names no column")
    return names
