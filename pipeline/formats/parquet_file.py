"""Parquet files to landing rows: one streaming query per file, and no proof where the file's own type is one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
from duckdb.sqltypes import DuckDBPyType

from pipeline.contracts.fields import Contract, Leaf, Meaning, Shape, shape_of
from pipeline.contracts.sql import quote
from pipeline.formats.file import open_file, sql_path
from pipeline.formats.typed import TEXTS, compact, faults_of_typed, value_of_typed
from pipeline.formats.wire import (
    LINE,
    Column,
    absent_column,
    json_column,
    json_object,
    json_of_text,
    landing_rows,
    parse_nested,
)

BATCH_ROWS = 8 * 2048


def read_parquet(
    con: duckdb.DuckDBPyConnection, path: Path, contract: type[Contract], unknown: set[str]
) -> Iterator[pa.Table]:
    """Landing rows in batches; adds the names of unknown columns to `unknown`."""
    with open_file(path):
        described = con.sql(f"select * from read_parquet({sql_path(path)})")
    columns = dict(zip(described.columns, described.types, strict=True))
    query = _query(f"read_parquet({sql_path(path)}, file_row_number=true)", columns, contract, unknown)
    for batch in con.execute(query).to_arrow_reader(BATCH_ROWS):
        yield pa.Table.from_batches([batch])


def _query(source: str, columns: dict[str, DuckDBPyType], contract: type[Contract], unknown: set[str]) -> str:
    shape = shape_of(contract)
    names = {name.lower(): name for name, _ in shape}
    held: dict[str, tuple[str, DuckDBPyType]] = {}  # contract field -> alias of its column, type
    record, extra, items = [], [], []
    for number, (title, type_) in enumerate(columns.items()):
        alias = f"p{number}"
        items.append(f"{quote(title)} as {alias}")
        name = names.get(title.lower(), title)
        record.append((name, compact(alias, type_)))
        if title.lower() in names:
            held[name] = alias, type_
        else:
            extra.append((title, compact(alias, type_)))
            unknown.add(title)
    aliased = f"select {', '.join(items)}, file_row_number + 1 as {LINE} from {source}"
    texts = [(name, inner) for name, inner in shape if name in held and _is_json_text(inner, held[name][1])]
    nested = [f"{_json(*held[name])} as {quote(name)}" for name, inner in shape if name in held and _is_nested(inner)]
    rows = f"select *, {', '.join([f'{json_object(extra)} as _unknown', *nested])} from ({aliased})"
    return landing_rows(
        parse_nested(rows, texts),
        [_column(name, inner, held) for name, inner in shape],
        contract,
        extra="nullif(_unknown, '{}')",
        record=json_object(record),
    )


def _is_nested(shape: Shape) -> bool:
    return not isinstance(shape, Leaf) or shape.meaning is Meaning.ANYTHING


def _is_json_text(shape: Shape, type_: DuckDBPyType) -> bool:
    """A nested field that was written as JSON text is proved like one of a CSV."""
    return not isinstance(shape, Leaf) and type_.id in TEXTS


def _json(alias: str, type_: DuckDBPyType) -> str:
    return json_of_text(alias) if type_.id in TEXTS else compact(alias, type_)


def _column(name: str, shape: Shape, held: dict[str, tuple[str, DuckDBPyType]]) -> Column:
    if name not in held:
        return absent_column(name, shape)
    alias, type_ = held[name]
    faults = " or ".join(faults_of_typed(shape, alias, type_)) or None
    if isinstance(shape, Leaf) and not _is_nested(shape):
        return Column(name, shape, value_of_typed(shape, alias, type_), faults)
    if not isinstance(shape, Leaf) and _is_json_text(shape, type_):
        return json_column(name, shape)
    return Column(name, shape, quote(name), faults)
