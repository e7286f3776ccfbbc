"""Reads JSON files as batches of item texts with positions: newline-delimited, a list, or one document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path

import duckdb
import pyarrow as pa

from pipeline.contracts.fields import Contract
from pipeline.ingest.envelopes.api_pages import is_page, wrapper
from pipeline.ingest.envelopes.items import BATCH_ROWS, Texts
from pipeline.ingest.formats.export_file import BYTE_ORDER_MARK, Unreadable, open_file, plain_file, sql_path

BLOCK_BYTES = 1 << 25
LONGEST_RECORD = 1 << 28  # bytes; a longer line is no record
FIRST_LINES = 3  # inspected to tell one document from one record per line
NOT_UTF8 = "\ufffd not UTF-8: "
"""Prefix of a line that is not UTF-8, so that it is no valid record."""


def json_texts(
    source: duckdb.DuckDBPyConnection, path: Path, contract: type[Contract], folder: Path
) -> Iterator[Texts]:
    """The items of a `.json` file in any form: records, or pages that wrap them.

    Raises:
        Unreadable: It is neither a list, nor an object, nor an object on each line.
    """
    match _content(path):
        case "lines":
            yield from line_texts(path)
        case "list":
            with plain_file(path, folder) as plain:
                _check_end(plain)
                size = f"maximum_object_size={LONGEST_RECORD}"
                listed = f"select json::varchar from read_json_objects({sql_path(plain)}, format='array', {size})"
                yield from _stream(source, listed)
        case _:
            yield from _document(source, path, contract)


def line_texts(path: Path) -> Iterator[Texts]:
    """The lines of a file, plain or gzipped, in blocks; blank ones included, so that positions are line numbers."""
    first, rest = 1, b""
    with open_file(path) as file:
        for block in _blocks(file):
            text = rest + block
            cut = text.rfind(b"\n") + 1
            rest = text[cut:]
            if len(rest) > LONGEST_RECORD:
                raise Unreadable(f"a line after line {first} is longer than {LONGEST_RECORD >> 20} MB")
            if cut:
                array = _split(text, cut)
                yield first, array
                first += len(array)
    if rest:
        yield first, _split(rest + b"\n", len(rest) + 1)


def _blocks(file: BufferedIOBase) -> Iterator[bytes]:
    block = file.read(BLOCK_BYTES).removeprefix(BYTE_ORDER_MARK)
    while block:
        yield block
        block = file.read(BLOCK_BYTES)


def _split(text: bytes, end: int) -> pa.Array:
    """The lines of `text[:end]`, which ends with a newline, without copying them; each keeps its newline."""
    import numpy as np

    ends = np.flatnonzero(np.frombuffer(text, np.uint8, count=end) == ord("\n")) + 1
    offsets = np.concatenate((np.zeros(1, np.int32), ends.astype(np.int32)))
    array = pa.Array.from_buffers(pa.string(), len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(text)])
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        return pa.array([_decoded(line) for line in text[: end - 1].split(b"\n")], pa.string())
    return array


def _decoded(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return NOT_UTF8 + line.decode(errors="replace")


def _content(path: Path) -> str:
    """The form of a `.json` file, by its first lines: "list", "lines" (a record on each) or "document"."""
    with open_file(path) as file:
        start = [file.readline(LONGEST_RECORD).removeprefix(BYTE_ORDER_MARK)]
        start += [file.readline(LONGEST_RECORD) for _ in range(FIRST_LINES - 1)]
        head = [line for line in start if line.strip()] or [file.read(BLOCK_BYTES)]
    if head[0].lstrip().startswith(b"["):
        return "list"
    return "lines" if len(head) > 1 and any(map(_is_object, head)) else "document"


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _check_end(path: Path) -> None:
    """Check that a list is closed: DuckDB accepts a list cut after a comma as complete."""
    with path.open("rb") as file:
        end = file.seek(0, 2)
        tail = b""
        while end and not tail.strip():
            start = max(0, end - 4096)
            file.seek(start)
            tail, end = file.read(end - start), start
    if not tail.rstrip().endswith(b"]"):
        raise Unreadable("a JSON list that is cut short: it does not end with ]")


def _document(source: duckdb.DuckDBPyConnection, path: Path, contract: type[Contract]) -> Iterator[Texts]:
    """The item of a JSON document: one record, or a page that wraps records."""
    with open_file(path) as file:
        text = _utf8(file.read())
    source.register("document", pa.table({"text": [text]}))
    try:
        if source.execute("select json_valid(text) from document").fetchall() != [(True,)]:
            raise Unreadable(_json_error(text))
        columns = f"""json_type(text), case when {is_page(contract)} then {wrapper(contract)} end as at_path,
            json_type(json_extract(text, at_path))"""
        kind, at_path, inner = source.execute(f"select {columns} from document").fetchall()[0]
    finally:
        source.unregister("document")
    if kind != "OBJECT":
        raise Unreadable(f"neither a JSON list nor an object, but {kind.lower()}")
    if inner not in (None, "ARRAY", "OBJECT", "NULL"):
        name = at_path.removeprefix("$.").replace('"', "")
        raise Unreadable(f"{name} holds neither a list of records nor one record")
    yield 1, pa.array([text])


def _stream(source: duckdb.DuckDBPyConnection, query: str) -> Iterator[Texts]:
    first = 1
    for batch in source.execute(query).to_arrow_reader(BATCH_ROWS):
        texts = batch.column(0)
        yield first, texts.fill_null("null")
        first += len(texts)


def _utf8(content: bytes) -> str:
    try:
        return content.removeprefix(BYTE_ORDER_MARK).decode()
    except UnicodeDecodeError as error:
        raise Unreadable(f"not UTF-8 text: {error.reason} at byte {error.start}") from error


def _json_error(text: str) -> str:
    try:
        json.loads(text)
    except ValueError as error:
        return f"not JSON: {error}"
    return "not JSON"
