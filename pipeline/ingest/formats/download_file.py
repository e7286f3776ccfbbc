"""Rows of a recognised download to landing rows: its locale is proven over the whole file before a value is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import duckdb
import pyarrow as pa

from pipeline.contracts.downloads import DateOrder, Locale, NumberStyle
from pipeline.contracts.fields import Contract
from pipeline.contracts.sql import literal
from pipeline.errors import shorten
from pipeline.ingest.downloads import date_styles, number_styles
from pipeline.ingest.downloads.date_styles import DateEvidence, proven_order
from pipeline.ingest.downloads.download_fields import DAYS, NUMBERS, TIMES
from pipeline.ingest.downloads.download_records import CELLS, ROWS, VALUES, DownloadRows
from pipeline.ingest.downloads.number_styles import NumberEvidence, proven_style
from pipeline.ingest.downloads.recognition import Recognised
from pipeline.ingest.formats.export_file import Unreadable
from pipeline.ingest.formats.table_columns import Cell, table_query
from pipeline.ingest.values.wire_values import LINE

BATCH_ROWS = 100_000


def read_download(
    con: duckdb.DuckDBPyConnection,
    batches: Iterable[pa.Table],
    found: Recognised,
    contract: type[Contract],
    names: set[str],
    *,
    titles: Sequence[str],
    locale: Locale,
) -> Iterator[pa.Table]:
    """Landing rows of a download in batches; adds the names of its fields to `names`.

    Args:
        batches: Its rows as texts c0, c1, ..., and `position`.
        locale: What the account declares of its files.

    Raises:
        Unreadable: Its locale is not proven, a row covers several days, or a value is none that it is known to have.
    """
    own = con.cursor()
    rows = DownloadRows(found, titles, contract)
    _fill(own, ROWS, f"select {_no_cells(titles)}, 0::bigint as position limit 0")
    for batch in batches:
        own.register("batch", batch)
        own.execute(f"insert into {ROWS} select * from batch")
        own.unregister("batch")
    _fill(own, CELLS, rows.cells)
    _check_values(own, rows, found)
    style, order = _style(own, rows, found, locale), _order(own, rows, found, locale)
    _fill(own, VALUES, rows.values(style, order))
    _check_cells(own, rows, found, style, order)
    _check_days(own, rows, found)
    records = rows.records
    cells = [Cell(path, column) for path, column in records.columns]
    wanted = f"select {LINE}, {', '.join(column for _, column in records.columns)} from ({records.sql})"
    query = table_query(wanted, cells, contract, names)
    yield from map(_table_of, own.execute(query).to_arrow_reader(BATCH_ROWS))


def _fill(con: duckdb.DuckDBPyConnection, table: str, query: str) -> None:
    """Make a temporary table, which is of the cursor's connection alone."""
    con.execute(f"create or replace temp table {table} as {query}")


def _table_of(batch: pa.RecordBatch) -> pa.Table:
    return pa.Table.from_batches([batch])


def _no_cells(titles: Sequence[str]) -> str:
    return ", ".join(f"null::varchar as c{number}" for number in range(len(titles)))


def _check_values(con: duckdb.DuckDBPyConnection, rows: DownloadRows, found: Recognised) -> None:
    """Refuse a file with a value that a field is not known to have."""
    for name, known in found.download.values.items():
        if name not in rows.fields:
            continue
        cell = f"lower({rows.fields[name].cell})"
        listed = ", ".join(map(literal, known))
        unknown = con.execute(f"select distinct {cell} from {CELLS} where {cell} not in ({listed}) limit 3").fetchall()
        if unknown:
            said = ", ".join(sorted(str(value) for (value,) in unknown))
            title = found.columns[name]
            raise Unreadable(
                f"this is {found.download.name} whose {title} is {said}, which is not known, so it is withheld: "
                f"download it again without those rows, or report the value",
                by_rules=True,
            )


def _style(con: duckdb.DuckDBPyConnection, rows: DownloadRows, found: Recognised, locale: Locale) -> NumberStyle:
    declared = locale.numbers or found.download.fixed_numbers
    numbers = [field for field in rows.fields.values() if field.meaning in NUMBERS]
    if declared or not numbers:
        return declared or "1,234.56"
    items = [
        item for field in numbers for item in number_styles.number_evidence_items(field.cell, is_whole=field.is_whole)
    ]
    values = con.execute(f"select {', '.join(items)} from {CELLS}").fetchall()[0]
    each = [NumberEvidence(*values[start : start + 4]) for start in range(0, len(values), 4)]
    try:
        return proven_style(NumberEvidence().with_others(each), found.language)
    except ValueError as reason:
        raise _unproven(found, str(reason), "numbers: '1,234.56'", "numbers: '1.234,56'") from reason


def _order(con: duckdb.DuckDBPyConnection, rows: DownloadRows, found: Recognised, locale: Locale) -> DateOrder:
    dates = [field for field in rows.fields.values() if field.meaning in DAYS | TIMES]
    if locale.dates or not dates:
        return locale.dates or "DMY"
    items = [item for field in dates for item in date_styles.date_evidence_items(field.cell)]
    values = con.execute(f"select {', '.join(items)} from {CELLS}").fetchall()[0]
    each = [DateEvidence(*values[start : start + 3]) for start in range(0, len(values), 3)]
    try:
        return proven_order(DateEvidence().with_others(each))
    except ValueError as reason:
        raise _unproven(found, str(reason), "dates: DMY", "dates: MDY") from reason


def _unproven(found: Recognised, reason: str, *settings: str) -> Unreadable:
    either = " or ".join(f"read: {{{setting}}}" for setting in settings)
    return Unreadable(
        f"this is {found.download.name} and {reason}, so it is withheld: say which with {either} for its account",
        by_rules=True,
    )


def _check_cells(
    con: duckdb.DuckDBPyConnection, rows: DownloadRows, found: Recognised, style: NumberStyle, order: DateOrder
) -> None:
    """Refuse a file with a cell that is no number or no date of its locale: somebody or something has changed it."""
    for field, column in rows.checked:
        wrong = rows.faulty(field, column)
        cell = con.execute(wrong).fetchone()
        if cell:
            wanted = f"number written {style}" if field.meaning in NUMBERS else f"date in the order {order}"
            raise Unreadable(
                f"this is {found.download.name} whose {found.columns[field.name]} is {shorten(repr(cell[0]), 40)} in "
                f"row {cell[1]}, no {wanted}, so it is withheld: download it again, and bring it as it is",
                by_rules=True,
            )


def _check_days(con: duckdb.DuckDBPyConnection, rows: DownloadRows, found: Recognised) -> None:
    """Refuse a file with a row that covers several days."""
    spans = con.execute(rows.several_days).fetchone() if rows.several_days else None
    if spans:
        raise Unreadable(
            f"this is {found.download.name} of totals without days (a row covers {spans[0]} to {spans[1]}), so it is "
            f"withheld: {found.download.bring}",
            by_rules=True,
        )
