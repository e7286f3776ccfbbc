"""Tables (CSV, parquet) to landing rows: which column is which field of a contract, whole or in dotted parts."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace

from duckdb.sqltypes import VARCHAR, DuckDBPyType

from pipeline.contracts.fields import Contract, Leaf, Meaning, Record, Shape, place_of, shape_of
from pipeline.contracts.layouts import Layout, layout_of
from pipeline.contracts.sql import quote
from pipeline.ingest.formats.meaning_sql import layout_value
from pipeline.ingest.formats.typed_columns import (
    EPOCHS,
    TEXTS,
    TIMES,
    compact,
    faults_of_typed,
    json_of_typed,
    value_of_typed,
)
from pipeline.ingest.formats.wire_values import (
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
class Held:
    """The columns of one contract field: the one that is all of it, and its parts, each with the rest of its title."""

    whole: Cell | None
    parts: list[tuple[tuple[str, ...], Cell]]

    @property
    def typed(self) -> Cell | None:
        """The column whose own type proves the field; None where JSON is made of text, and proved like a CSV's."""
        return None if self.parts or self.whole is None or self.whole.is_text else self.whole


def table_query(source: str, cells: Sequence[Cell], contract: type[Contract], names: set[str]) -> str:
    """The query over `source`, which gives the cells' values and `_source_line`, that gives landing rows.

    Titles match the contract's names in any case. `names` gains the fields that the file has, also those that the
    contract does not know.
    """
    shape = shape_of(contract)
    layout = layout_of(contract.layouts, [cell.title for cell in cells])
    if layout:
        source, cells = _laid_out(source, cells, layout, shape)
    held, others = _assign(cells, shape, layout.columns if layout else ())
    names.update(held, (cell.title for cell in others))
    present = [(name, inner, held[name]) for name, inner in shape if name in held]
    extra = [(cell.title, compact(cell.value, cell.type_)) for cell in others]
    nested = [f"{_json(found, inner)} as {quote(name)}" for name, inner, found in present if _is_nested(inner)]
    rows = f"select *, {', '.join([f'{json_object(extra)} as _unknown', *nested])} from ({source})"
    record = [(name, quote(name) if _is_nested(inner) else _json(found, inner)) for name, inner, found in present]
    return landing_rows(
        parse_nested(rows, [(name, inner) for name, inner, found in present if not found.typed]),
        [_column(name, inner, held[name]) if name in held else absent_column(name, inner) for name, inner in shape],
        contract,
        extra="nullif(_unknown, '{}')",
        record=json_object([*record, *extra]),
    )


def _laid_out(source: str, cells: Sequence[Cell], layout: Layout, shape: Record) -> tuple[str, Sequence[Cell]]:
    """Source and columns of a layout with the contract's own titles and spelling."""
    by_title = {cell.title: cell for cell in cells}
    found, items = [], []
    for number, (title, column) in enumerate(layout.titles(list(by_title), dict(shape.fields))):
        cell = by_title[column]
        inner = place_of(shape, title)[1] if layout.names(title) else None
        is_time = isinstance(inner, Leaf) and inner.meaning in EPOCHS and cell.type_.id in TIMES
        text = cell.value if cell.is_text else f"{cell.value}::varchar"
        respelled = None if inner is None or is_time else layout_value(inner, text, is_utc=title in layout.utc)
        if respelled:
            items.append(f"{respelled} as s{number}")
            cell = Cell(title, f"s{number}")
        found.append(replace(cell, title=title))
    return (f"select *, {', '.join(items)} from ({source})" if items else source), found


def _assign(cells: Sequence[Cell], shape: Record, placed: Container[str]) -> tuple[dict[str, Held], list[Cell]]:
    """The columns of each contract field, and the columns of none; parts of a field count beside it where `placed`."""
    known = {name.lower(): (name, inner) for name, inner in shape}
    whole = {cell.title.lower(): cell for cell in cells}
    held: dict[str, Held] = {}
    others = []
    for cell in cells:
        head, *rest = cell.title.split(".")
        name, inner = known.get(cell.title.lower(), known.get(head.lower(), ("", None)))
        is_part = isinstance(inner, Record) and bool(rest) and (name.lower() not in whole or cell.title in placed)
        if name and (is_part or cell.title.lower() == name.lower()):
            found = held.setdefault(name, Held(whole.get(name.lower()), []))
            found.parts.extend([(tuple(rest), cell)] if is_part else [])
        else:
            others.append(cell)
    return held, others


def _is_nested(shape: Shape) -> bool:
    return not isinstance(shape, Leaf) or shape.meaning is Meaning.ANYTHING


def _json(held: Held, shape: Shape) -> str:
    """JSON text of a field, minified, NULL where it is absent or all its parts are."""
    whole = _json_of_cell(held.whole, shape) if held.whole else None
    if whole and not held.parts:
        return whole
    named = [(*_named(titles, shape), cell) for titles, cell in held.parts]
    parts = json_nested((names, _json_of_cell(cell, inner)) for names, inner, cell in named)
    return merged(whole, parts) if whole else f"nullif({parts}, '{{}}')"


def _json_of_cell(cell: Cell, shape: Shape) -> str:
    if isinstance(shape, Leaf) and not _is_nested(shape):
        return json_of_typed(shape, cell.value, cell.type_)
    return json_of_text(cell.value) if cell.is_text else compact(cell.value, cell.type_)


def _named(titles: Sequence[str], shape: Shape) -> tuple[tuple[str, ...], Shape]:
    """A dotted title by the contract's names, as far as it knows them, and what it says there."""
    names = []
    for title in titles:
        known = {name.lower(): (name, inner) for name, inner in shape} if isinstance(shape, Record) else {}
        name, shape = known.get(title.lower(), (title, Leaf("VARCHAR", Meaning.TEXT)))
        names.append(name)
    return tuple(names), shape


def _column(name: str, shape: Shape, held: Held) -> LandingColumn:
    if not isinstance(shape, Leaf):
        return (
            LandingColumn(name, shape, quote(name), _fault(shape, held.typed))
            if held.typed
            else json_column(name, shape)
        )
    if held.whole is None:
        return absent_column(name, shape)
    cell = held.whole
    value = quote(name) if _is_nested(shape) else value_of_typed(shape, cell.value, cell.type_)
    return LandingColumn(name, shape, value, _fault(shape, cell))


def _fault(shape: Shape, cell: Cell) -> str | None:
    return " or ".join(faults_of_typed(shape, cell.value, cell.type_)) or None
