"""The head of a file as a small file of the same format, so that recognition reads a bounded part of a large one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from pipeline.ingest.admission.limits import DOCUMENT_BYTES
from pipeline.ingest.formats.export_file import Unreadable, format_of, open_file, opened_path, sql_path

HEAD_BYTES = 1 << 18
"""A file of at most this size is its own head."""
HEAD_RECORDS = 200
DEEPEST_LIST = 3
"""Levels of objects below which a list of a document is no list of records."""
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@contextmanager
def head_of(con: duckdb.DuckDBPyConnection, path: Path, folder: Path, *, inside: Path | None = None) -> Iterator[Path]:
    """The first records of a file, as a temporary file in `folder` with the same ending; a short file itself.

    Args:
        inside: The folder that the file must lie in: then a copy of it is given, which no link takes the place of.

    Raises:
        Unreadable: It is empty, damaged or of an unknown format.
    """
    form = format_of(path)
    if form == "parquet":
        with open_file(path, inside=inside) as file, TemporaryDirectory(dir=folder) as own:
            yield _head_of_parquet(con, opened_path(file, path), Path(own, "head.parquet"))
        return
    with open_file(path, inside=inside) as file:
        text = file.read(HEAD_BYTES + 1)
        whole = len(text) <= HEAD_BYTES
        head = text if whole else _head_of_text(text, file, form)
    if not text:
        raise Unreadable("the file is empty: it unpacks to zero bytes")
    if whole and inside is None and path.suffix.lower() != ".gz":
        yield path
        return
    with TemporaryDirectory(dir=folder) as own:
        copy = Path(own, f"head.{form}")
        copy.write_bytes(head)
        yield copy


def _head_of_parquet(con: duckdb.DuckDBPyConnection, path: Path, copy: Path) -> Path:
    damage = (duckdb.InvalidInputException, duckdb.IOException)
    rows = f"select * from read_parquet({sql_path(path)}) limit {HEAD_RECORDS}"
    try:
        con.execute(f"copy ({rows}) to {sql_path(copy)} (format parquet)")
    except damage as error:
        raise Unreadable(f"no Parquet file, or a damaged one: {str(error).partition(chr(10))[0]}") from error
    return copy


def _head_of_text(text: bytes, file: BufferedIOBase, form: str) -> bytes:
    """The start of a text file, cut after a record."""
    if form == "csv":
        return _whole_rows(text)
    if form == "json" and not _is_json_lines(text):
        return _head_of_document(text + file.read(DOCUMENT_BYTES))
    return text[: text.rfind(b"\n") + 1] or text + file.read(DOCUMENT_BYTES)


def _whole_rows(text: bytes) -> bytes:
    """The start of a table, cut after a row: at a line break that no open quote surrounds."""
    end = b"\n\0" if text[:2] == UTF16_MARKS[0] else b"\0\n" if text[:2] == UTF16_MARKS[1] else b"\n"
    cut = text.rfind(end)
    while cut > 0 and text.count(b'"', 0, cut) % 2:
        cut = text.rfind(end, 0, cut)
    return text[: cut + len(end)] if cut > 0 else text


def _is_json_lines(text: bytes) -> bool:
    try:
        return isinstance(json.loads(text.partition(b"\n")[0]), dict)
    except (ValueError, RecursionError):
        return False


def _head_of_document(text: bytes) -> bytes:
    """A JSON document with at most HEAD_RECORDS items in each of its lists; the text itself where it is no JSON."""
    try:
        return json.dumps(_shortened(json.loads(text.decode("utf-8-sig")), 0)).encode()
    except (ValueError, RecursionError):
        return text


def _shortened(value: Any, depth: int) -> Any:  # Any: JSON
    if isinstance(value, list):
        return value[:HEAD_RECORDS]
    if isinstance(value, dict) and depth < DEEPEST_LIST:
        return {name: _shortened(inner, depth + 1) for name, inner in value.items()}
    return value
