"""Arrow columns built from arrays: texts, numbers, structs, lists. pyarrow is untyped: columns are Any."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.synthetic.arrays.rng import Bools, Ints


def pick_texts(texts: Sequence[str], positions: Ints) -> Any:
    """The text at each position; null where the position is -1."""
    return take_rows(pa.array(texts, pa.string()), positions)


def repeat_text(text: str, rows: Ints) -> Any:
    """One text, repeated for every row."""
    return pick_texts([text], np.zeros_like(rows))


def integers(values: Ints, present: Bools | None = None) -> Any:
    """Integers; null where not present."""
    return pa.array(values, pa.int64(), mask=None if present is None else ~present)


def digits(values: Ints, present: Bools | None = None) -> Any:
    """Integers as text; null where not present."""
    return pc.cast(integers(values, present), pa.string())


def concat_texts(*parts: Any) -> Any:
    """Texts concatenated row by row; null where a part is null."""
    return pc.binary_join_element_wise(*parts, "")


def struct(fields: dict[str, Any], present: Bools | None = None) -> Any:
    """One object per row; null where not present."""
    mask = None if present is None else pa.array(~present)
    return pa.StructArray.from_arrays(list(fields.values()), list(fields), mask=mask)


def lists(counts: Ints, values: Any) -> Any:
    """One list per row: each takes its count of the values, in their order."""
    offsets = np.concatenate([[0], np.cumsum(counts)])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)


def take_numbers(values: Ints, rows: Ints) -> Ints:
    """The value at each row; -1 where the row is -1."""
    result = np.full(len(rows), -1)
    present = rows >= 0
    result[present] = values[rows[present]]
    return result


def take_rows(column: Any, rows: Ints) -> Any:
    """The column's value at each row; null where the row is -1."""
    return column.take(pa.array(rows, mask=rows < 0))
