"""Reads JSON files as batches of item texts with positions: newline-delimited, a list, or one document."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path

import duckdb
import pyarrow as pa

from pipeline.contracts.fields import Contract
from pipeline.ingest.admission.limits import DOCUMENT_BYTES, RECORD_BYTES
from pipeline.ingest.envelopes.api_pages import is_page, wrapper
from pipeline.ingest.envelopes.items import BATCH_ROWS, Texts
from pipeline.ingest.formats.export_file import BYTE_ORDER_MARK, Unreadable, open_file, plain_file, sql_path

BLOCK_BYTES = 1 << 25
FIRST_LINES = 3  # inspected to tell one document from one record per line
_BLANKS = re.compile(rb"\n[ \t\r\n]{1024,}")
"""A stretch of blank lines, which cost as much to convert as records and are none."""
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
                size = f"maximum_object_size={RECORD_BYTES}"
                listed = f"select json::varchar from read_json_objects({sql_path(plain)}, format='array', {size})"
                yield from _stream(source, listed)
        case _:
            yield from _document(source, path, contract)


def line_texts(path: Path) -> Iterator[Texts]:
    """The lines of a file, plain or gzipped, in blocks, with the number of the first; long blank stretches left out.

    Raises:
        Unreadable: A line is longer than a record may be.
    """
    first, rest = 1, b""
    with open_file(path) as file:
        for block in _blocks(file):
            text = rest + block
            cut = text.rfind(b"\n") + 1
            rest = text[cut:]
            if len(rest) > RECORD_BYTES:
                raise _too_long(first + text.count(b"\n"))
            for skipped, lines in _filled(text, cut):
                first += skipped
                if lines:
                    array = _split(lines, len(lines), first)
                    yield first, array
                    first += len(array)
    if rest:
        yield first, _split(rest + b"\n", len(rest) + 1, first)


def _filled(text: bytes, end: int) -> Iterator[tuple[int, bytes]]:
    """The stretches of `text[:end]` that are not blank, each after the number of blank lines that is left out."""
    begin = 0
    for blank in _BLANKS.finditer(text, 0, end):
        start, stop = blank.start() + 1, text.rfind(b"\n", 0, blank.end()) + 1
        yield 0, text[begin:start]
        yield text.count(b"\n", start, stop), b""
        begin = stop
    yield 0, text[begin:end] if begin or end < len(text) else text


def _too_long(line: int) -> Unreadable:
    return Unreadable(f"line {line} is longer than {RECORD_BYTES >> 20} MB, and no record is")


def _blocks(file: BufferedIOBase) -> Iterator[bytes]:
    block = file.read(BLOCK_BYTES).removeprefix(BYTE_ORDER_MARK)
    while block:
        yield block
        block = file.read(BLOCK_BYTES)


def _split(text: bytes, end: int, first: int) -> pa.Array:
    """The lines of `text[:end]`, which ends with a newline, without copying them; each keeps its newline."""
    import numpy as np

    ends = np.flatnonzero(np.frombuffer(text, np.uint8, count=end) == ord("\n")) + 1
    offsets = np.concatenate((np.zeros(1, np.int32), ends.astype(np.int32)))
    longest = int(np.argmax(np.diff(offsets))) if len(ends) else 0
    if len(ends) and offsets[longest + 1] - offsets[longest] > RECORD_BYTES:
        raise _too_long(first + longest)
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
        start = [file.readline(RECORD_BYTES).removeprefix(BYTE_ORDER_MARK)]
        start += [file.readline(RECORD_BYTES) for _ in range(FIRST_LINES - 1)]
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
        content = file.read(DOCUMENT_BYTES + 1)
    if len(content) > DOCUMENT_BYTES:
        raise Unreadable(
            f"one JSON object of more than {DOCUMENT_BYTES >> 20} MB; bring a list of records, or one on each line"
        )
    text = _utf8(content)
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
    if inner is None and len(content) > RECORD_BYTES:
        raise Unreadable(f"one record of more than {RECORD_BYTES >> 20} MB, and no record is that long")
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
