"""Converts Parquet files to landing rows: streaming queries, without checks that the file's own types make needless."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

from pipeline.contracts.fields import Contract
from pipeline.contracts.sql import quote
from pipeline.ingest.admission.limits import FILE_COLUMNS, most_unpacked, refusal_of_size
from pipeline.ingest.formats.export_file import Unreadable, open_file, sql_path
from pipeline.ingest.formats.table_columns import Cell, table_query
from pipeline.ingest.formats.table_texts import Convert, form_of_table, rows_converter
from pipeline.ingest.values.wire_values import LINE

BATCH_ROWS = 8 * 2048
ROWS_OF_A_STREAM = 4 * BATCH_ROWS
"""Minimum rows of a stream; a query of its own costs as much as reading some thousand rows."""


def read_parquet(
    con: duckdb.DuckDBPyConnection, path: Path, contract: type[Contract], names: set[str], workers: int
) -> list[Iterator[pa.Table]]:
    """Landing rows, in one stream of batches per worker where the file is long; adds the fields' names to `names`.

    A stream reads a range of rows; rows before and after it are skipped at little cost.
    """
    with open_file(path):
        described = con.sql(f"select * from read_parquet({sql_path(path)})")
    if len(described.columns) > FILE_COLUMNS:
        raise Unreadable(f"it has {len(described.columns):,} columns, and no more than {FILE_COLUMNS:,} are read")
    cells = [
        Cell(title, f"p{number}", type_)
        for number, (title, type_) in enumerate(zip(described.columns, described.types, strict=True))
    ]
    named = ", ".join(f"{quote(cell.title)} as {cell.value}" for cell in cells)
    source = f"from read_parquet({sql_path(path)}, file_row_number=true)"
    rows = con.execute(f"select count(*) {source}").fetchall()[0][0]
    packed = path.stat().st_size
    if rows * len(cells) > most_unpacked(packed):  # a byte for each value, at the least
        raise Unreadable(f"with {rows:,} rows of {len(cells)} columns {refusal_of_size(packed)}")
    each = max(-(-rows // workers), ROWS_OF_A_STREAM)
    form = form_of_table(con, f"select {named} {source}", cells, contract)
    runs = [
        f"select {named}, file_row_number + 1 as {LINE} {source} where file_row_number between {first} and {last}"
        for first, last in ((first, first + each - 1) for first in range(0, max(rows, 1), each))
    ]
    if form is not None:
        convert = rows_converter(cells, contract, names, form)
        return [_converted(con, run, convert) for run in runs]
    return [_batches(con.cursor(), table_query(run, cells, contract, names)) for run in runs]


def _converted(con: duckdb.DuckDBPyConnection, query: str, convert: Convert) -> Iterator[pa.Table]:
    read, write = con.cursor(), con.cursor()
    for batch in read.execute(query.replace(f" as {LINE}", " as position")).to_arrow_reader(BATCH_ROWS):
        yield convert(write, pa.Table.from_batches([batch]))


def _batches(con: duckdb.DuckDBPyConnection, query: str) -> Iterator[pa.Table]:
    for batch in con.execute(query).to_arrow_reader(BATCH_ROWS):
        yield pa.Table.from_batches([batch])
