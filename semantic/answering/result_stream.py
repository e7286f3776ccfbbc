"""Streams the full result of a query, of any length, as Arrow batches in the types of the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import duckdb

from pipeline.errors import TooMuch
from semantic.answering.dimension_values import as_written, check_values
from semantic.answering.execute import NARROWER
from semantic.answering.left_out.scan_rows import WeightedNote
from semantic.answering.run_query import Prepared, prepare_query
from semantic.answering.semantic_model import SemanticModel
from semantic.planning.query import Answer, Query

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 10_000


@dataclass
class ResultStream:
    """Rows that are read once, in order; `answer` describes them after the last one."""

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]
    """At most the query's `limit` rows, and the row of totals."""
    rows: int = 0
    is_cut: bool = False
    _prepared: Prepared = field(kw_only=True, repr=False)
    _filter_notes: list[str] = field(kw_only=True, repr=False)
    _unknown_rows: list[WeightedNote] = field(kw_only=True, repr=False)

    def answer(self) -> Answer:
        """The answer without its rows: columns with units, applied days and filters, notes, the cursor of more rows."""
        return self._prepared.without_rows(
            is_empty=not self.rows,
            truncated=self.is_cut,
            filter_notes=self._filter_notes,
            unknown_rows=self._unknown_rows,
        )


@contextmanager
def stream_result(
    query: Query, model: SemanticModel, cursor: duckdb.DuckDBPyConnection, *, today: date
) -> Iterator[ResultStream]:
    """Stream the rows of a query. Its `limit` may be higher than that of an answer.

    There is no deadline of its own; the caller sets one on the cursor.

    Raises:
        TooMuch: It needs more memory than there is.
        QueryError: As for `semantic.answering.run_query.run_query`.
    """
    prepared = prepare_query(as_written(query, model, cursor), model, today=today)
    filter_notes = check_values(prepared.filter_values, model, cursor)
    try:
        unknown = prepared.count_unknown(cursor)  # before the reader: a cursor has one result at a time
        filter_notes += prepared.name_empty_filters(cursor, None)
        reader = cursor.execute(prepared.compiled.sql, prepared.bound).to_arrow_reader(BATCH_ROWS)
        schema = _typed_schema(reader.schema, prepared)
        stream = ResultStream(schema, iter(()), _prepared=prepared, _filter_notes=filter_notes, _unknown_rows=unknown)
        stream.batches = _rows(reader, stream, query)
        yield stream
    except duckdb.OutOfMemoryException as error:
        raise TooMuch("The query needs more memory than it may have.", NARROWER) from error


def _typed_schema(schema: pa.Schema, prepared: Prepared) -> pa.Schema:
    """Set integer columns to int64: DuckDB returns their sums as decimals without places."""
    import pyarrow as pa

    described = prepared.without_rows(is_empty=False, truncated=False, filter_notes=()).columns
    return pa.schema(
        [
            pa.field(
                column["name"],
                pa.int64() if column["type"] == "integer" and pa.types.is_decimal(typed.type) else typed.type,
                metadata={"unit": column["unit"]} if column["unit"] else None,
            )
            for typed, column in zip(schema, described, strict=True)
        ]
    )


def _rows(reader: Any, stream: ResultStream, query: Query) -> Iterator[pa.RecordBatch]:  # Any: pyarrow is untyped here
    """Yield the batches up to the limit; the row of totals comes last, and does not count."""
    import pyarrow.compute as pc

    for batch in _read(reader):
        page, totals = batch, None
        if query.totals:
            page, totals = batch.filter(pc.invert(batch.column(-1))), batch.filter(batch.column(-1))
        remaining = query.limit - stream.rows
        stream.is_cut = stream.is_cut or page.num_rows > remaining
        stream.rows += min(remaining, page.num_rows)
        for part in (page.slice(0, remaining), totals):
            if part is not None and part.num_rows:
                yield part.cast(stream.schema)


def _read(reader: Any) -> Iterator[pa.RecordBatch]:  # Any: as above
    """Yield the batches of a reader, and raise DuckDB's own errors, which Arrow wraps as text."""
    try:
        yield from reader
    except OSError as error:
        for text, kind in _ERRORS.items():
            if text in str(error):
                raise kind(str(error)) from error
        raise


_ERRORS = {"INTERRUPT": duckdb.InterruptException, "Out of Memory": duckdb.OutOfMemoryException}
