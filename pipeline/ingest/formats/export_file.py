"""Opens export files: plain or gzipped, checked to the last byte, with safe paths in SQL."""

from __future__ import annotations

import gzip
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from io import BufferedIOBase
from pathlib import Path

from pipeline.contracts.sql import literal
from pipeline.ingest.values.unreadable import Unreadable

__all__ = ["Unreadable", "format_of", "open_file", "plain_file", "sql_path"]

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
FORMATS = ("json", "jsonl", "ndjson", "csv", "parquet")


def format_of(path: Path) -> str:
    """The format by a file's name, in lower case.

    Raises:
        Unreadable: There is no reader for the name's ending.
    """
    name = path.name.lower()
    ending = name.removesuffix(".gz").rpartition(".")[2]
    if ending not in FORMATS or (ending == "parquet" and name.endswith(".gz")):
        known = ", ".join(f".{known}" for known in FORMATS)
        raise Unreadable(
            f"no reader for the ending of {path.name}; known are {known}, each but .parquet also .gz, and .zip of them"
        )
    return ending


@contextmanager
def open_file(path: Path) -> Iterator[BufferedIOBase]:
    """Open a file for reading, unpacking a gzipped one.

    Raises:
        Unreadable: It is empty, cut short, damaged, missing or not readable by this user.
    """
    try:
        if path.stat().st_size == 0:
            raise Unreadable("the file is empty: zero bytes")
        packed = path.suffix.lower() == ".gz"
        with gzip.open(path) if packed else path.open("rb") as file:
            yield file
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Unreadable(f"damaged gzip: {str(error).rstrip('.').lower()}") from error
    except OSError as error:
        raise Unreadable(f"cannot be read: {(error.strerror or str(error)).lower()}", lasting=False) from error


@contextmanager
def plain_file(path: Path, folder: Path) -> Iterator[Path]:
    """The file itself, or a temporary unpacked copy in `folder`: DuckDB takes a gzip that is cut short as complete."""
    if path.suffix.lower() != ".gz":
        with open_file(path):
            yield path
        return
    copy = folder / path.stem
    try:
        with open_file(path) as packed, copy.open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked, 1 << 20)
        with open_file(copy):
            yield copy
    finally:
        copy.unlink(missing_ok=True)


def sql_path(path: Path) -> str:
    """A path as a SQL literal for exactly this file: DuckDB would read `orders[1].csv` as a pattern."""
    return literal(escape(str(path)))
