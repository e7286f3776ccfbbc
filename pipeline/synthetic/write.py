"""Files of records, in place whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any  # pyarrow is untyped: its tables are Any

import duckdb
import pyarrow.parquet as pq


@contextmanager
def in_place(path: Path) -> Iterator[Path]:
    """A path to write to; what is there at the end becomes `path`, at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    try:
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def write_parquet(records: Any, path: Path) -> None:
    """Nested columns, as exports of warehouses have them."""
    with in_place(path) as draft:
        pq.write_table(records, draft, compression="zstd")


def write_json_lines(connection: duckdb.DuckDBPyConnection, records: Any, path: Path, *, keep_nulls: bool) -> None:
    """One JSON object per line, as an API returns it; without `keep_nulls`, a missing value is an absent key.

    No records are one blank line: a file of zero bytes would say that it was cut short.
    """
    line = "to_json(records)" if keep_nulls else "json_merge_patch('{}', to_json(records))"
    connection.register("records", records)
    lines = connection.execute(f"select {line} from records").fetchall()
    with in_place(path) as draft:
        draft.write_text("".join(f"{line}\n" for (line,) in lines) or "\n", encoding="utf-8", newline="\n")
