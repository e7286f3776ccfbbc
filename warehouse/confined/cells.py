"""Values of rows as JSON, with what their type adds: what the process that runs a tenant's SQL says of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

_READERS: Final[Mapping[str, Callable[[str], object]]] = {
    "decimal": Decimal,
    "time": datetime.fromisoformat,
    "day": date.fromisoformat,
}


def cell_json(value: object) -> Any:  # Any: a JSON value
    """A value as JSON; what is no number, text, flag, day or time becomes text."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if isinstance(value, datetime):
        return {"time": value.isoformat()}
    return {"day": value.isoformat()} if isinstance(value, date) else str(value)


def read_cell(cell: Any) -> Any:  # Any: a JSON value; a value of DuckDB
    """The value of a cell."""
    if not isinstance(cell, dict):
        return cell
    ((kind, text),) = cell.items()
    return _READERS[kind](text)
