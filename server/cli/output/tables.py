"""Tables for people, as text: as wide as the terminal, or as wide as they need to be elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from server.cli.output.rounding import heading, round_value

if TYPE_CHECKING:
    from semantic.planning.query import Answer

UNBOUND = 100_000
"""Characters of a line that is written to a file or a pipe: nothing is cut and nothing wraps."""


def table(*headings: str, right: Sequence[str] = (), one_line: Sequence[str] = ()) -> Table:
    """An empty table. Columns in `right` hold numbers; those and the ones in `one_line` keep each cell on one line."""
    empty = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for name in headings:
        is_number = name in right
        empty.add_column(
            Text(name),
            justify="right" if is_number else "left",
            no_wrap=is_number or name in one_line,
            overflow="fold",
        )
    return empty


def add_row(rows: Table, *cells: object) -> None:
    """Add cells as they are: a bracket in a campaign's name is not markup."""
    rows.add_row(*(Text("" if cell is None else str(cell)) for cell in cells))


def render(*parts: RenderableType) -> str:
    """Tables and lines as one text, with colour only for a terminal; never narrower than a table can be."""
    page, is_terminal = StringIO(), sys.stdout.isatty()
    console = Console(file=page, force_terminal=is_terminal or None, highlight=False, markup=False)
    tables = [part for part in parts if isinstance(part, Table)]
    unbound = console.options.update(width=UNBOUND)
    needed = max((console.measure(part, options=unbound).minimum for part in tables), default=0)
    console.width = max(console.width, needed) if is_terminal else UNBOUND
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, str))
    return "\n".join(line.rstrip() for line in page.getvalue().rstrip("\n").split("\n"))


def answer_text(answer: Answer, *, sql: bool) -> str:
    """An answer as a table, its notes, and the SQL that ran."""
    parts: list[RenderableType] = []
    if answer.rows or not answer.sql:
        parts += [_rows(answer.columns, answer.rows), ""]
    parts += [f"Note: {note}" for note in answer.notes]
    parts.append(_provenance(answer))
    if answer.cursor:
        parts.append(f"For the next rows add to the same command: --cursor {answer.cursor}")
    if sql:
        parts += ["", *answer.sql]
    return render(*parts)


def _rows(columns: Sequence[Mapping[str, str | None]], rows: Iterable[Sequence[Any]]) -> Table:  # Any: see Answer.rows
    headings = [heading(column) for column in columns]
    numbers = [heading(column) for column in columns if column["role"] == "metric"]
    dates = [heading(column) for column in columns if column["type"] == "date"]
    answer_table = table(*headings, right=numbers, one_line=dates)
    for row in rows:
        add_row(answer_table, *(_cell(value, column) for value, column in zip(row, columns, strict=True)))
    return answer_table


def _cell(value: object, column: Mapping[str, str | None]) -> str:
    """A value of a row; a flag is shown only where it is set."""
    return "" if column["role"] == "flag" and not value else round_value(value, column)


def _provenance(answer: Answer) -> str:
    rows = f"{answer.row_count:,} row{'' if answer.row_count == 1 else 's'}"
    as_of = f" as of {answer.as_of}" if answer.as_of else ""
    return f"{rows}{as_of}, days in {answer.time_zone}, run {answer.run_id}."
