"""Rows of tables as the texts of JSON records, for tables that are in another form than the vendor's own.

A loader's table flattens records (`metrics__cost_micros`), or holds each as JSON in one column (`_airbyte_data`). Both
become records as a JSON file has them, and are read like these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import duckdb
import pyarrow as pa

from pipeline.contracts.fields import Contract, Leaf, Meaning, Record, shape_of
from pipeline.contracts.layouts import layout_of
from pipeline.ingest.envelopes.airbyte import RAW_DATA
from pipeline.ingest.formats.json_file import first_records, rows_of_lines
from pipeline.ingest.formats.respelling import FIRST_RECORDS, OWN, RecordForm, form_of
from pipeline.ingest.formats.table_columns import Cell, table_query
from pipeline.ingest.values.typed_columns import compact
from pipeline.ingest.values.wire_values import LINE, json_object, json_of_text

Convert = Callable[[duckdb.DuckDBPyConnection, pa.Table], pa.Table]


def form_of_table(
    con: duckdb.DuckDBPyConnection, source: str, cells: Sequence[Cell], contract: type[Contract]
) -> RecordForm | None:
    """The form of a table's rows, by the first of `source`; None where its own columns are read.

    Raises:
        Unreadable: Its records are another kind of object than the contract's.
    """
    titles = [cell.title for cell in cells]
    is_raw = RAW_DATA in titles
    if not is_raw and layout_of(contract.layouts, titles):
        return None
    rows = con.execute(f"select {record_text(cells, contract)} from ({source}) limit {FIRST_RECORDS}").to_arrow_table()
    records = first_records(rows.column(0))
    if is_raw:
        return form_of(records, contract)
    written = {name for title in titles for name in title.split(".")}
    form = form_of([_own_titles(each, shape_of(contract)) for each in records], contract, written)
    return None if form == OWN else form


def form_of_batch(
    con: duckdb.DuckDBPyConnection, batch: pa.Table, cells: Sequence[Cell], contract: type[Contract]
) -> RecordForm | None:
    """The form of a table, by its first batch of rows; as `form_of_table`."""
    con.register("first_batch", batch.slice(0, FIRST_RECORDS))
    return form_of_table(con, "select * from first_batch", cells, contract)


def record_text(cells: Sequence[Cell], contract: type[Contract]) -> str:
    """SQL for the JSON text of a row: of the record in it, else an object of its columns."""
    shape = shape_of(contract)
    for cell in cells:
        if cell.title == RAW_DATA:
            return cell.value if cell.is_text else compact(cell.value, cell.type_)
    return json_object([(cell.title, _cell_text(cell, shape)) for cell in cells])


def rows_converter(
    cells: Sequence[Cell], contract: type[Contract], names: set[str], form: RecordForm | None
) -> Convert:
    """Converts a batch of a table's rows, with their positions, to landing rows."""
    if form is None:
        query = table_query(f"select *, position as {LINE} from batch", cells, contract, names)

        def own(con: duckdb.DuckDBPyConnection, batch: pa.Table) -> pa.Table:
            con.register("batch", batch)
            return con.execute(query).to_arrow_table()

        return own
    text = record_text(cells, contract)

    def respelled(con: duckdb.DuckDBPyConnection, batch: pa.Table) -> pa.Table:
        con.register("rows_of_table", batch)
        lines = con.execute(f"select {text} as line, position from rows_of_table").to_arrow_table()
        return rows_of_lines(con, lines, contract, names, form)

    return respelled


def _cell_text(cell: Cell, shape: Record) -> str:
    """SQL for a cell's JSON text: what looks like JSON is JSON, unless the column is a scalar of the contract."""
    inner = dict(shape.fields).get(cell.title)
    if not cell.is_text:
        return compact(cell.value, cell.type_)
    text = f"to_json({cell.value})::varchar"
    if isinstance(inner, Leaf) and inner.meaning is not Meaning.ANYTHING:
        return text
    opens = f"starts_with(ltrim({cell.value}), '{{') or starts_with(ltrim({cell.value}), '[')"
    return f"case when {opens} then {json_of_text(cell.value)} else {text} end"


def _own_titles(record: dict[str, object], shape: Record) -> dict[str, object]:
    """A row with the columns that are the contract's own, in any case and dotted, as the contract nests them."""
    own: dict[str, object] = {}
    for title, value in record.items():
        place, inner, names = own, shape, title.split(".")
        path = _names_of(names, inner)
        *above, last = path or [title]
        for name in above:
            below = place.setdefault(name, {})
            place = below if isinstance(below, dict) else {}
        place[last] = value
    return own


def _names_of(names: Sequence[str], shape: Record) -> list[str] | None:
    """A dotted title in the contract's names; None where the contract does not know it."""
    path: list[str] = []
    inner: object = shape
    for title in names:
        known = {name.lower(): (name, below) for name, below in inner} if isinstance(inner, Record) else {}
        if title.lower() not in known:
            return None
        name, inner = known[title.lower()]
        path.append(name)
    return path
