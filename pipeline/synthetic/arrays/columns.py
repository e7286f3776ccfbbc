"""Arrow columns, built whole: texts chosen from a few, numbers, structs, lists. pyarrow is untyped: columns are Any."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.synthetic.arrays.rng import Bools, Ints


def chosen(texts: Sequence[str], places: Ints) -> Any:
    """The text at each place; -1 is none."""
    return taken(pa.array(texts, pa.string()), places)


def same(text: str, rows: Ints) -> Any:
    """One text, as often as there are rows."""
    return chosen([text], np.zeros_like(rows))


def whole(values: Ints, present: Bools | None = None) -> Any:
    """Whole numbers, none where not present."""
    return pa.array(values, pa.int64(), mask=None if present is None else ~present)


def digits(values: Ints, present: Bools | None = None) -> Any:
    """Whole numbers as text."""
    return pc.cast(whole(values, present), pa.string())


def joined(*parts: Any) -> Any:
    """Texts end to end; none where a part is none."""
    return pc.binary_join_element_wise(*parts, "")


def struct(fields: dict[str, Any], present: Bools | None = None) -> Any:
    """One object per row."""
    mask = None if present is None else pa.array(~present)
    return pa.StructArray.from_arrays(list(fields.values()), list(fields), mask=mask)


def lists(counts: Ints, values: Any) -> Any:
    """One list per row, of that many of the values in turn."""
    offsets = np.concatenate([[0], np.cumsum(counts)])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)


def at(values: Ints, rows: Ints) -> Ints:
    """The value of each row; -1 where the row is -1, for none."""
    found = np.full(len(rows), -1)
    some = rows >= 0
    found[some] = values[rows[some]]
    return found


def taken(column: Any, rows: Ints) -> Any:
    """The column's value for each row; none where the row is -1."""
    return column.take(pa.array(rows, mask=rows < 0))
