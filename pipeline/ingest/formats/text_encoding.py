"""Encodings of text files: UTF-8 as it is; UTF-16, which its byte order mark proves, and declared ones as UTF-8."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from tempfile import TemporaryFile
from typing import cast

from pipeline.contracts.downloads import Encoding
from pipeline.ingest.formats.export_file import Unreadable

CHUNK_BYTES = 1 << 20
_OTHERS = {
    b"PK\x03\x04": "an Excel workbook (.xlsx) or another zip archive, not CSV: save it as CSV UTF-8",
    b"\xd0\xcf\x11\xe0": "an Excel workbook (.xls), not CSV: save it as CSV UTF-8",
    b"<!doctype": "a web page, not CSV: log in and download the file again",
    b"<html": "a web page, not CSV: log in and download the file again",
}
"""First bytes of files that people save under the name of a CSV file, in lower case."""


@contextmanager
def utf8_text(file: BufferedIOBase, declared: Encoding | None) -> Iterator[BufferedIOBase]:
    """A text file as UTF-8, from its start: itself, or a temporary copy of one in another encoding.

    Args:
        declared: The encoding that its account says; a byte order mark wins.

    Raises:
        Unreadable: It is no text, or does not decode.
    """
    start = file.read(9)
    file.seek(0)
    for magic, reason in _OTHERS.items():
        if start.lower().startswith(magic.lower()):
            raise Unreadable(f"it is {reason}")
    encoding = _encoding(start, declared)
    if encoding is None:
        yield file
        return
    with TemporaryFile() as copy:
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            while chunk := file.read(CHUNK_BYTES):
                copy.write(decoder.decode(chunk).encode())
            copy.write(decoder.decode(b"", final=True).encode())
        except UnicodeError as error:
            raise Unreadable(f"it is not {encoding.upper()} text: {error}") from error
        copy.seek(0)
        yield cast("BufferedIOBase", copy)


def _encoding(start: bytes, declared: Encoding | None) -> str | None:
    """The encoding that a file's first bytes or its account say; None for UTF-8."""
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "cp1252" if declared == "windows-1252" and not start.startswith(codecs.BOM_UTF8) else None
