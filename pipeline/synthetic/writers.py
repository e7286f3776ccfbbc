"""Writers of record files; each file is replaced atomically."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any  # pyarrow is untyped: its tables are Any

import duckdb
import pyarrow.parquet as pq
from pyarrow.csv import WriteOptions, write_csv


@contextmanager
def in_place(path: Path) -> Iterator[Path]:
    """A temporary path to write to; on success it replaces `path` atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.draft")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_records(
    connection: duckdb.DuckDBPyConnection, records: Any, path: Path, *, keeps_nulls: bool = False
) -> None:
    """Write a table of records in the format of the path's suffix; a text is written unchanged.

    Args:
        keeps_nulls: In JSON, a missing value is null; else it is an absent key.
    """
    if isinstance(records, str):
        with in_place(path) as temporary:
            temporary.write_text(records, encoding="utf-8", newline="\n")
    elif path.suffix == ".parquet":
        _write_parquet(records, path)
    else:
        _write_json_lines(connection, records, path, keeps_nulls=keeps_nulls)


def csv_text(records: Any) -> str:
    """A table of texts as a header and rows, every cell in quotes."""
    buffer = BytesIO()
    write_csv(records, buffer, WriteOptions(quoting_style="all_valid"))
    return buffer.getvalue().decode()


def _write_parquet(records: Any, path: Path) -> None:
    """Write nested columns, as exports of warehouses have them."""
    with in_place(path) as temporary:
        pq.write_table(records, temporary, compression="zstd")


def _write_json_lines(connection: duckdb.DuckDBPyConnection, records: Any, path: Path, *, keeps_nulls: bool) -> None:
    """Write one JSON object per line, as an API returns it.

    No records are one blank line: a file of zero bytes would look truncated.
    """
    line = "to_json(records)" if keeps_nulls else "json_merge_patch('{}', to_json(records))"
    connection.register("records", records)
    lines = connection.execute(f"select {line} from records").fetchall()
    with in_place(path) as temporary:
        temporary.write_text("".join(f"{line}\n" for (line,) in lines) or "\n", encoding="utf-8", newline="\n")
