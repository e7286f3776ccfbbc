"""A file that somebody sends: its name, and how much it may hold, checked before anything else is done with it."""

from __future__ import annotations

import gzip
import re
import zlib
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from pipeline.errors import QueryError, shorten
from pipeline.ingest.formats.export_file import FORMATS
from pipeline.ingest.recognition.folder import is_meant

LONGEST_NAME = 150
MAX_UNPACKED = 100
"""Largest unpacked size of a packed file, as a multiple of the largest body: what one request may make us read."""
MAX_ROWS = 5_000_000
"""Rows of a Parquet file: a few kilobytes can hold a billion equal ones."""
_NAME = re.compile(r"[^\W_](?:[\w .,+()=@-]*[\w)])?")
_ENDINGS = (*(f".{form}" for form in FORMATS), *(f".{form}.gz" for form in FORMATS if form != "parquet"), ".zip")


def checked_name(name: str) -> str:
    """The name of a file without a folder, as it may lie beside others.

    Raises:
        QueryError: It leads elsewhere, hides the file, or has no ending that is read.
    """
    label = shorten(name, 80)
    if len(name) > LONGEST_NAME or not _NAME.fullmatch(name) or not name.isprintable() or not is_meant(name):
        raise QueryError(
            f"{label!r} is no name of a file here.",
            f"Send letters, digits, spaces and . - _ ( ), at most {LONGEST_NAME}, without a folder: orders_2026.csv.",
        )
    if not name.lower().endswith(_ENDINGS):
        raise QueryError(f"{label!r} has no ending that is read.", f"Send one of {', '.join(_ENDINGS)}.")
    return name


def check_size(path: Path, largest: int) -> None:
    """Check that a file does not unpack to far more than a request may hold; what is damaged passes, to be told later.

    Args:
        largest: The largest body of a request, in bytes.

    Raises:
        QueryError: It does.
    """
    most = MAX_UNPACKED * largest
    size = 0
    try:
        if path.suffix.lower() == ".zip":
            with ZipFile(path) as archive:
                size = sum(entry.file_size for entry in archive.infolist())
        elif path.suffix.lower() == ".gz":
            with gzip.open(path) as packed:
                while size <= most and (part := packed.read(1 << 20)):
                    size += len(part)
        elif path.suffix.lower() == ".parquet":
            _check_rows(path)
    except (OSError, EOFError, zlib.error, BadZipFile, NotImplementedError, ValueError):
        return
    if size > most:
        raise QueryError(f"The file unpacks to more than {most:,} bytes.", "Send it in parts.")


def _check_rows(path: Path) -> None:
    import pyarrow.parquet as pq

    rows = pq.read_metadata(path).num_rows
    if rows > MAX_ROWS:
        raise QueryError(f"The file holds {rows:,} rows, more than {MAX_ROWS:,}.", "Send it in parts.")
