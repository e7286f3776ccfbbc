"""Which column of a CSV is which field of a contract, and the query that brings its rows to landing rows."""

from __future__ import annotations

from pipeline.contracts.fields import Contract, Leaf, Meaning, Record, Shape, shape_of
from pipeline.contracts.sql import quote
from pipeline.formats.wire import (
    LINE,
    Column,
    absent_column,
    json_column,
    json_object,
    json_of_text,
    landing_rows,
    parse_nested,
    text_column,
)

Cells = list[tuple[tuple[str, ...], str]]
"""Columns under one field: the rest of the dotted name, and the SQL name of the column."""


def layout_query(header: list[str], contract: type[Contract], unknown: set[str]) -> str:
    """The query over `batch` (columns `c0`, `c1`, ... in the header's order, and `position`) that gives landing rows.

    Names match the contract's without regard to case. The names it does not know are added to `unknown`.
    """
    shape = shape_of(contract)
    cells, others = _assign(header, shape)
    unknown.update(name for name, _ in others)
    items = [
        f"{_json_of_cells(cells[name], inner)} as {quote(name)}"
        for name, inner in shape
        if _has_json(name, inner, cells)
    ]
    extra = [(name, f"to_json({cell})::varchar") for name, cell in others]
    rows = f"select *, {', '.join([f'position as {LINE}', f'{json_object(extra)} as _unknown', *items])} from batch"
    present = [(name, inner) for name, inner in shape if name in cells]
    record = [
        (name, quote(name) if _has_json(name, inner, cells) else f"to_json({cells[name][0][1]})::varchar")
        for name, inner in present
    ]
    return landing_rows(
        parse_nested(rows, present),
        [_column(name, inner, cells) for name, inner in shape],
        contract,
        extra="nullif(_unknown, '{}')",
        record=json_object([*record, *extra]),
    )


def _assign(header: list[str], shape: Record) -> tuple[dict[str, Cells], list[tuple[str, str]]]:
    """The columns of each contract field, and the columns of none."""
    known = {name.lower(): (name, inner) for name, inner in shape}
    whole = {name.lower() for name in header}
    cells: dict[str, Cells] = {}
    others = []
    for number, title in enumerate(header):
        head, *rest = title.split(".")
        name, inner = known.get(title.lower(), known.get(head.lower(), ("", None)))
        is_whole = title.lower() == name.lower()
        is_part = isinstance(inner, Record) and bool(rest) and name.lower() not in whole
        if is_whole or is_part:
            cells.setdefault(name, []).append((() if is_whole else tuple(rest), f"c{number}"))
        else:
            others.append((title, f"c{number}"))
    return cells, others


def _has_json(name: str, shape: Shape, cells: dict[str, Cells]) -> bool:
    is_scalar = isinstance(shape, Leaf) and shape.meaning is not Meaning.ANYTHING
    return name in cells and not is_scalar


def _json_of_cells(cells: Cells, shape: Shape) -> str:
    """Minified JSON text of a nested field, NULL where all its cells are blank."""
    if cells[0][0] == ():
        return json_of_text(cells[0][1])
    inside: dict[str, Cells] = {}
    shapes = {name.lower(): (name, inner) for name, inner in shape} if isinstance(shape, Record) else {}
    for (head, *rest), cell in cells:
        name, _ = shapes.get(head.lower(), (head, None))
        inside.setdefault(name, []).append((tuple(rest), cell))
    members = []
    for name, parts in inside.items():
        inner = shapes.get(name.lower(), (name, Leaf("VARCHAR", Meaning.TEXT)))[1]
        is_scalar = isinstance(inner, Leaf) and parts[0][0] == ()
        members.append((name, f"to_json({parts[0][1]})::varchar" if is_scalar else _json_of_cells(parts, inner)))
    return f"nullif({json_object(members)}, '{{}}')"


def _column(name: str, shape: Shape, cells: dict[str, Cells]) -> Column:
    if name not in cells:
        return absent_column(name, shape)
    if not isinstance(shape, Leaf):
        return json_column(name, shape)
    if shape.meaning is Meaning.ANYTHING:
        return Column(name, shape, quote(name), None)
    return text_column(name, shape, cells[name][0][1])
