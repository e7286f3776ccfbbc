"""Parquet files to landing rows: one streaming query per file, and no proof where the file's own type is one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

from pipeline.contracts.fields import Contract
from pipeline.contracts.sql import quote
from pipeline.formats.file import open_file, sql_path
from pipeline.formats.table import Cell, table_query
from pipeline.formats.wire import LINE

BATCH_ROWS = 8 * 2048


def read_parquet(
    con: duckdb.DuckDBPyConnection, path: Path, contract: type[Contract], names: set[str]
) -> Iterator[pa.Table]:
    """Landing rows in batches; adds the names of the fields to `names`."""
    with open_file(path):
        described = con.sql(f"select * from read_parquet({sql_path(path)})")
    cells = [
        Cell(title, f"p{number}", type_)
        for number, (title, type_) in enumerate(zip(described.columns, described.types, strict=True))
    ]
    named = ", ".join(f"{quote(cell.title)} as {cell.value}" for cell in cells)
    rows = f"select {named}, file_row_number + 1 as {LINE} from read_parquet({sql_path(path)}, file_row_number=true)"
    query = table_query(rows, cells, contract, names)
    for batch in con.execute(query).to_arrow_reader(BATCH_ROWS):
        yield pa.Table.from_batches([batch])
