"""A whole result, however long: its rows as Arrow batches, one after the other, in the types of the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import duckdb

from pipeline.errors import TooMuch
from semantic.answering.dimension_values import check_values
from semantic.answering.execute import LESS
from semantic.answering.run_query import Prepared, prepare_query
from semantic.answering.semantic_model import SemanticModel
from semantic.planning.query import Answer, Query

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 10_000


@dataclass
class ResultStream:
    """Rows that come once, in order, and what is to say about them; it is known when the last one has come."""

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]
    """At most the query's `limit` rows, and the row of totals."""
    rows: int = 0
    is_cut: bool = False
    _ready: Prepared = field(kw_only=True, repr=False)
    _said: list[str] = field(kw_only=True, repr=False)

    def answer(self) -> Answer:
        """Columns with units, the days and filters applied, notes, the cursor of more rows: all but the rows."""
        return self._ready.without_rows(is_empty=not self.rows, truncated=self.is_cut, said=self._said)


@contextmanager
def stream_result(
    query: Query, model: SemanticModel, cursor: duckdb.DuckDBPyConnection, *, today: date
) -> Iterator[ResultStream]:
    """The rows of a query as they come. Its `limit` may be higher than that of an answer.

    Nothing limits the time but who watches the cursor.

    Raises:
        TooMuch: It needs more memory than there is.
        QueryError: As for `semantic.answering.run_query.run_query`.
    """
    ready = prepare_query(query, model, today=today)
    said = check_values(ready.given, model, cursor)
    try:
        reader = cursor.execute(ready.compiled.sql, ready.bound).to_arrow_reader(BATCH_ROWS)
        schema = _as_said(reader.schema, ready)
        found = ResultStream(schema, iter(()), _ready=ready, _said=said)
        found.batches = _rows(reader, found, query)
        yield found
    except duckdb.OutOfMemoryException as error:
        raise TooMuch("The query needs more memory than it may have.", LESS) from error


def _as_said(schema: pa.Schema, ready: Prepared) -> pa.Schema:
    """The schema with whole numbers as such: a sum of them comes as a decimal without places."""
    import pyarrow as pa

    described = ready.without_rows(is_empty=False, truncated=False, said=()).columns
    return pa.schema(
        [
            pa.field(
                column["name"],
                pa.int64() if column["type"] == "integer" and pa.types.is_decimal(held.type) else held.type,
                metadata={"unit": column["unit"]} if column["unit"] else None,
            )
            for held, column in zip(schema, described, strict=True)
        ]
    )


def _rows(reader: Any, found: ResultStream, query: Query) -> Iterator[pa.RecordBatch]:  # Any: pyarrow is untyped here
    """The batches as far as the limit goes; the row of totals comes last, and does not count."""
    import pyarrow.compute as pc

    for batch in _read(reader):
        page, totals = batch, None
        if query.totals:
            page, totals = batch.filter(pc.invert(batch.column(-1))), batch.filter(batch.column(-1))
        room = query.limit - found.rows
        found.is_cut = found.is_cut or page.num_rows > room
        found.rows += min(room, page.num_rows)
        for part in (page.slice(0, room), totals):
            if part is not None and part.num_rows:
                yield part.cast(found.schema)


def _read(reader: Any) -> Iterator[pa.RecordBatch]:  # Any: as above
    """The batches of a reader, and DuckDB's own errors: Arrow tells them as text."""
    try:
        yield from reader
    except OSError as error:
        for said, kind in _TOLD.items():
            if said in str(error):
                raise kind(str(error)) from error
        raise


_TOLD = {"INTERRUPT": duckdb.InterruptException, "Out of Memory": duckdb.OutOfMemoryException}
