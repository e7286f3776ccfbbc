"""Answers a query: plans it, compiles its statement or takes it from the cache, binds values, and runs it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import duckdb

from pipeline.errors import QueryError
from semantic.answering.answer_columns import (
    Row,
    applied_filters,
    as_of,
    columns,
    coverage_entries,
    days_of,
    json_values,
    partial_entries,
    with_values,
)
from semantic.answering.cursors import read_offset, write_cursor
from semantic.answering.dimension_values import as_written, check_values, dimension_values
from semantic.answering.execute import execute, with_deadline
from semantic.answering.left_out.emptied_facts import Page, emptied_facts
from semantic.answering.left_out.scan_rows import AskedRows, WeightedNote
from semantic.answering.left_out.unknown_rows import unknown_rows
from semantic.answering.left_out.unplaced_rows import left_out_purchases, unplaced_rows
from semantic.answering.listing import list_metrics
from semantic.answering.notes import notes
from semantic.answering.semantic_model import Compiled, SemanticModel
from semantic.catalog.catalog import Catalog
from semantic.catalog.conditions import Condition, Value
from semantic.planning.plan import Plan, every_error, plan_query
from semantic.planning.query import Answer, Query, TimeRange
from semantic.planning.window import Window, check_days, resolve

__all__ = ["Prepared", "cursor_after", "dimension_values", "list_metrics", "local_day", "prepare_query", "run_query"]


def run_query(
    query: Query,
    model: SemanticModel,
    cursor: duckdb.DuckDBPyConnection,
    *,
    today: date,
    timeout_seconds: float = 30,
) -> Answer:
    """Answer a query from one tenant's run.

    Args:
        query: Names from the catalog.
        model: The run's definitions.
        cursor: On the run's stars.duckdb, used by this call only.
        today: The day that named ranges count from; a moment with an offset is read in the tenant's time zone.
        timeout_seconds: The time limit of all its statements together.

    Returns:
        At most `query.limit` rows (and the row of totals) in the query's order: dimensions, then metrics. Ratios are
        fractions (0.25, not 25), sums divided by sums; money is in major units of the column's unit.

    Raises:
        UnknownName: A name or a filter value does not exist; carries the nearest.
        NoJoinPath: A metric cannot be cut or filtered by a dimension.
        TooMuch: The warehouse worked for `timeout_seconds`. No rows are kept; a narrower time range helps.
        QueryError: The query is wrong in another way; names the way that works.
    """
    rows: list[Row] = []
    filter_notes: list[str] = []
    unknown: list[WeightedNote] = []
    with with_deadline(cursor, timeout_seconds):
        prepared = prepare_query(as_written(query, model, cursor), model, today=today)
        if not query.compile_only:
            filter_notes = check_values(prepared.filter_values, model, cursor)
            rows = execute(cursor, prepared.compiled.sql, prepared.bound)
            unknown = prepared.count_unknown(cursor)
            filter_notes += prepared.name_empty_filters(cursor, rows)
    totals = [row for row in rows if row[-1]] if query.totals else []
    page = [row for row in rows if not row[-1]] if query.totals else rows
    is_empty = not page and not query.compile_only
    truncated = len(page) > query.limit
    answer = prepared.without_rows(
        is_empty=is_empty, truncated=truncated, filter_notes=filter_notes, unknown_rows=unknown
    )
    listed = json_values([*page[: query.limit], *totals], answer.columns)
    return replace(answer, rows=tuple(listed), row_count=len(listed))


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A query and the statement that answers it, its values bound."""

    query: Query
    model: SemanticModel
    planned: Plan
    day: date
    offset: int
    compiled: Compiled
    bound: dict[str, object]

    @property
    def filter_values(self) -> Iterator[tuple[Condition, Sequence[Value]]]:
        """The conditions of the query and the values of each."""
        return zip(self.planned.conditions, self.planned.values, strict=True)

    def count_unknown(self, cursor: duckdb.DuckDBPyConnection) -> list[WeightedNote]:
        """Count what the query asks for and rows do not say, or could not be placed, as notes."""
        asked = self._asked(cursor)
        return [*unplaced_rows(asked), *left_out_purchases(asked), *unknown_rows(asked)]

    def name_empty_filters(self, cursor: duckdb.DuckDBPyConnection, page: Page | None) -> list[str]:
        """Note the filters that leave no row of a fact; `page` are the rows of the answer, where they are known."""
        return list(emptied_facts(self._asked(cursor), page))

    def _asked(self, cursor: duckdb.DuckDBPyConnection) -> AskedRows:
        return AskedRows(plan=self.planned, model=self.model, cursor=cursor, bound=self.bound)

    def without_rows(
        self,
        *,
        is_empty: bool,
        truncated: bool,
        filter_notes: Sequence[str],
        unknown_rows: Sequence[WeightedNote] = (),
    ) -> Answer:
        """Return the answer without its rows.

        Args:
            is_empty: It ran, and there is no row.
            truncated: There are more than `query.limit`.
            filter_notes: Notes on the values of filters.
            unknown_rows: From `count_unknown`.
        """
        query, planned, model = self.query, self.planned, self.model
        about = notes(query, planned, model.catalog, today=self.day, is_empty=is_empty, unknown_rows=unknown_rows)
        sentences = [*about, *filter_notes]
        if truncated:
            sentences.append(more_rows_note(query))
        return Answer(
            columns=columns(query, planned, model.catalog),
            rows=(),
            row_count=0,
            truncated=truncated,
            limit=query.limit,
            cursor=write_cursor(self.offset + query.limit, query, planned.window, model) if truncated else None,
            time_range=days_of(planned.window),
            time_grain=planned.shape.date.grain if planned.shape.date else None,
            time_zone=model.catalog.time_zone,
            filters=applied_filters(query, planned),
            as_of=as_of(planned),
            run_id=model.run_id,
            partial=tuple(partial_entries(query, planned, model.catalog)),
            notes=tuple(dict.fromkeys(sentences)),
            coverage=tuple(coverage_entries(planned, self.day)),
            sql=(with_values(self.compiled.sql, self.bound),) if query.include_sql or query.compile_only else (),
        )


def more_rows_note(query: Query) -> str:
    """The note of an answer that has not all rows: cut by the limit that the caller asked for, or by our own."""
    if "limit" in query.model_fields_set:
        rows = "row is" if query.limit == 1 else f"{query.limit} rows are"
        return f"The first {rows} given, as limit asks; the same query with this cursor gives the next."
    return "There are more rows: send the same query with this cursor."


def prepare_query(query: Query, model: SemanticModel, *, today: date) -> Prepared:
    """Plan a query, compile its statement and bind its values; nothing runs.

    Raises:
        QueryError: As for `run_query`.
    """
    day = local_day(today, model.catalog)
    try:
        window = _window(query, model.catalog, day)
        planned = plan_query(query, model.catalog, window, day)
    except QueryError as error:
        raise every_error(error, query, model.catalog) from error
    offset = read_offset(query, planned.window, model)
    compiled = model.statement(planned.shape)
    return Prepared(
        query=query,
        model=model,
        planned=planned,
        day=day,
        offset=offset,
        compiled=compiled,
        bound=_bind(query, planned, compiled, offset),
    )


def cursor_after(rows: int, query: Query, model: SemanticModel, *, today: date) -> str:
    """Write the cursor after the first `rows` of an answer, for interfaces that return fewer than it has."""
    prepared = prepare_query(query, model, today=today)
    return write_cursor(prepared.offset + rows, query, prepared.planned.window, model)


def local_day(today: date, catalog: Catalog) -> date:
    """The day in the tenant's time zone; a moment with an offset is converted to it."""
    return today.astimezone(ZoneInfo(catalog.time_zone)).date() if isinstance(today, datetime) else today


def _window(query: Query, catalog: Catalog, today: date) -> Window | None:
    if query.time_range is None:
        return None
    if isinstance(query.time_range, TimeRange):
        if query.time_range.start is None and query.time_range.end is None:
            raise QueryError("time_range has no days.", 'Give it "start", "end" or both, or leave it out.')
        return check_days(Window(query.time_range.start, query.time_range.end))
    return check_days(resolve(query.time_range, today, catalog.week_start))


def _bind(query: Query, planned: Plan, compiled: Compiled, offset: int) -> dict[str, object]:
    """Map the parameters of a statement to their values."""
    available: dict[str, object] = {"limit": query.limit + 1, "offset": offset, "shift": planned.shift}
    available["top"] = query.top.n if query.top else None
    both = Window(planned.previous.start, planned.read.end) if planned.previous and planned.read else None
    windows = {"": planned.read, "shown_": planned.window, "previous_": planned.previous, "both_": both}
    for prefix, window in windows.items():
        available |= {f"{prefix}{end}": day for end, day in (days_of(window) or {}).items()}
    for condition, values in zip(planned.conditions, planned.values, strict=True):
        available |= condition.bind(values)
    for condition in planned.not_compared:
        left_out, before = planned.comparison.days_left_out if planned.comparison else ((), ())
        available |= condition.bind(left_out)
        available |= replace(condition, parameter=f"previous_{condition.parameter}").bind(before)
    return {name: available[name] for name in compiled.parameters}
