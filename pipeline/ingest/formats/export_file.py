"""Opens export files: plain or gzipped, checked to the last byte, with safe paths in SQL."""

from __future__ import annotations

import gzip
import os
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from io import BufferedIOBase
from pathlib import Path

from pipeline.contracts.sql import literal
from pipeline.ingest.admission.limits import most_unpacked, refusal_of_size
from pipeline.ingest.values.unreadable import Unreadable
from pipeline.regular_file import open_regular, reason_of

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
def open_file(path: Path, *, inside: Path | None = None) -> Iterator[BufferedIOBase]:
    """Open a file for reading, unpacking a gzipped one as it is read.

    Args:
        inside: The folder that it must lie in, whatever links lead to it; None: anywhere.

    Raises:
        Unreadable: It is empty, cut short, damaged, missing, no regular file or not readable by this user, or unpacks
            to too much.
    """
    try:
        with open_regular(path, inside=inside) as plain:
            size = os.fstat(plain.fileno()).st_size
            if size == 0:
                raise Unreadable("the file is empty: zero bytes")
            if path.suffix.lower() != ".gz":
                yield plain
                return
            with Gunzipped(plain, size) as unpacked:
                yield unpacked
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Unreadable(f"damaged gzip: {str(error).rstrip('.').lower()}") from error
    except OSError as error:
        raise Unreadable(reason_of(error), lasting=False) from error


class Gunzipped(gzip.GzipFile):
    """The content of a gzipped file, as far as a file of its packed size may unpack to.

    `read` and `readline` raise Unreadable once there is more, and never hold more than was asked for.
    """

    def __init__(self, file: BufferedIOBase, packed: int) -> None:
        super().__init__(fileobj=file, mode="rb")
        self._packed, self._most = packed, most_unpacked(packed)

    def read(self, size: int | None = -1) -> bytes:
        return self._checked(super().read(self._most + 1 if size is None or size < 0 else size))

    def readline(self, size: int | None = -1) -> bytes:
        return self._checked(super().readline(self._most + 1 if size is None or size < 0 else size))

    def _checked(self, data: bytes) -> bytes:
        if self.tell() > self._most:
            raise Unreadable(refusal_of_size(self._packed))
        return data


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


def opened_path(file: BufferedIOBase, path: Path) -> Path:
    """A path that leads to an open file whatever is at its own by now, where the system has one."""
    own = Path(f"/proc/self/fd/{file.fileno()}")
    return own if own.exists() else path


def sql_path(path: Path) -> str:
    """A path as a SQL literal for exactly this file: DuckDB would read `orders[1].csv` as a pattern."""
    return literal(escape(str(path)))
