"""Converts tables (CSV, parquet) to landing rows: maps columns to contract fields, complete or in dotted parts."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace

from duckdb.sqltypes import VARCHAR, DuckDBPyType

from pipeline.contracts.fields import Contract, Leaf, Meaning, Record, Shape, field_at, shape_of
from pipeline.contracts.layouts import Layout, layout_of
from pipeline.contracts.spellings import is_of_a_loader
from pipeline.contracts.sql import quote
from pipeline.ingest.values.meaning_sql import layout_value
from pipeline.ingest.values.typed_columns import (
    EPOCHS,
    TEXTS,
    TIMES,
    compact,
    faults_of_typed,
    json_of_typed,
    value_of_typed,
)
from pipeline.ingest.values.wire_values import (
    LandingColumn,
    absent_column,
    json_column,
    json_nested,
    json_object,
    json_of_text,
    landing_rows,
    merged,
    parse_nested,
)


@dataclass(frozen=True)
class Cell:
    """One column of a file: its title, its name in the query that reads the file, and its type."""

    title: str
    value: str
    type_: DuckDBPyType = VARCHAR

    @property
    def is_text(self) -> bool:
        return self.type_.id in TEXTS


@dataclass(frozen=True)
class FieldColumns:
    """The columns of one contract field: the complete one, and its parts, each with the rest of its title."""

    complete: Cell | None
    parts: list[tuple[tuple[str, ...], Cell]]

    @property
    def typed(self) -> Cell | None:
        """The column with a type that proves the field; None where JSON is built of text, and checked as in a CSV."""
        return None if self.parts or self.complete is None or self.complete.is_text else self.complete


def table_query(source: str, cells: Sequence[Cell], contract: type[Contract], names: set[str]) -> str:
    """The query of landing rows over `source`, a query with the cells' values and `_source_line`.

    Titles match the contract's names in any case. The file's fields are added to `names`, also those that the
    contract does not know.
    """
    shape = shape_of(contract)
    layout = layout_of(contract.layouts, [cell.title for cell in cells])
    if layout:
        source, cells = _apply_layout(source, cells, layout, shape)
    fields, others = _assign(cells, shape, layout.columns if layout else ())
    names.update(fields, (cell.title for cell in others if not is_of_a_loader(cell.title)))
    present = [(name, inner, fields[name]) for name, inner in shape if name in fields]
    extra = [(cell.title, compact(cell.value, cell.type_)) for cell in others]
    nested = [f"{_json(columns, inner)} as {quote(name)}" for name, inner, columns in present if _is_nested(inner)]
    rows = f"select *, {', '.join([f'{json_object(extra)} as _unknown', *nested])} from ({source})"
    record = [(name, quote(name) if _is_nested(inner) else _json(columns, inner)) for name, inner, columns in present]
    return landing_rows(
        parse_nested(rows, [(name, inner) for name, inner, columns in present if not columns.typed]),
        [_column(name, inner, fields[name]) if name in fields else absent_column(name, inner) for name, inner in shape],
        contract,
        extra="nullif(_unknown, '{}')",
        record=json_object([*record, *extra]),
    )


def _apply_layout(source: str, cells: Sequence[Cell], layout: Layout, shape: Record) -> tuple[str, Sequence[Cell]]:
    """Source and columns of a layout, converted to the contract's own titles and form."""
    by_title = {cell.title: cell for cell in cells}
    mapped, items = [], []
    for number, (title, column) in enumerate(layout.titles(list(by_title), dict(shape.fields))):
        cell = by_title[column]
        inner = field_at(shape, title)[1] if layout.names(title) else None
        is_time = isinstance(inner, Leaf) and inner.meaning in EPOCHS and cell.type_.id in TIMES
        text = cell.value if cell.is_text else f"{cell.value}::varchar"
        rewritten = None if inner is None or is_time else layout_value(inner, text, is_utc=title in layout.utc)
        if rewritten:
            items.append(f"{rewritten} as s{number}")
            cell = Cell(title, f"s{number}")
        mapped.append(replace(cell, title=title))
    return (f"select *, {', '.join(items)} from ({source})" if items else source), mapped


def _assign(cells: Sequence[Cell], shape: Record, placed: Container[str]) -> tuple[dict[str, FieldColumns], list[Cell]]:
    """The columns of each contract field, and the others; parts of a field with its own column count if `placed`."""
    known = {name.lower(): (name, inner) for name, inner in shape}
    by_title = {cell.title.lower(): cell for cell in cells}
    fields: dict[str, FieldColumns] = {}
    others = []
    for cell in cells:
        head, *rest = cell.title.split(".")
        name, inner = known.get(cell.title.lower(), known.get(head.lower(), ("", None)))
        is_part = isinstance(inner, Record) and bool(rest) and (name.lower() not in by_title or cell.title in placed)
        if name and (is_part or cell.title.lower() == name.lower()):
            columns = fields.setdefault(name, FieldColumns(by_title.get(name.lower()), []))
            columns.parts.extend([(tuple(rest), cell)] if is_part else [])
        else:
            others.append(cell)
    return fields, others


def _is_nested(shape: Shape) -> bool:
    return not isinstance(shape, Leaf) or shape.meaning is Meaning.ANYTHING


def _json(columns: FieldColumns, shape: Shape) -> str:
    """JSON text of a field, minified, NULL where it is absent or all its parts are."""
    complete = _json_of_cell(columns.complete, shape) if columns.complete else None
    if complete and not columns.parts:
        return complete
    named = [(*_named(titles, shape), cell) for titles, cell in columns.parts]
    parts = json_nested((names, _json_of_cell(cell, inner)) for names, inner, cell in named)
    return merged(complete, parts) if complete else f"nullif({parts}, '{{}}')"


def _json_of_cell(cell: Cell, shape: Shape) -> str:
    if isinstance(shape, Leaf) and not _is_nested(shape):
        return json_of_typed(shape, cell.value, cell.type_)
    return json_of_text(cell.value) if cell.is_text else compact(cell.value, cell.type_)


def _named(titles: Sequence[str], shape: Shape) -> tuple[tuple[str, ...], Shape]:
    """A dotted title in the contract's names, as far as it knows them, and the shape at its path."""
    names = []
    for title in titles:
        known = {name.lower(): (name, inner) for name, inner in shape} if isinstance(shape, Record) else {}
        name, shape = known.get(title.lower(), (title, Leaf("VARCHAR", Meaning.TEXT)))
        names.append(name)
    return tuple(names), shape


def _column(name: str, shape: Shape, columns: FieldColumns) -> LandingColumn:
    if not isinstance(shape, Leaf):
        return (
            LandingColumn(name, shape, quote(name), _fault(shape, columns.typed))
            if columns.typed
            else json_column(name, shape)
        )
    if columns.complete is None:
        return absent_column(name, shape)
    cell = columns.complete
    value = quote(name) if _is_nested(shape) else value_of_typed(shape, cell.value, cell.type_)
    return LandingColumn(name, shape, value, _fault(shape, cell))


def _fault(shape: Shape, cell: Cell) -> str | None:
    return " or ".join(faults_of_typed(shape, cell.value, cell.type_)) or None
