"""Writes metrics as SQL over the columns of a stage: over no rows a sum is 0, or unknown where records are withheld."""

from __future__ import annotations

from pipeline.contracts.sql import quote
from semantic.catalog.formula import Formula, to_sql
from semantic.planning.query_shape import QueryShape, row_count_column


def metric_sql(
    shape: QueryShape, formula: Formula, *, suffix: str = "", added: bool = False, sparse: bool = False
) -> str:
    """Write a formula as SQL.

    Args:
        shape: Holds how each component adds up.
        formula: Over components.
        suffix: Of the columns to read, such as `_previous`.
        added: Aggregate the rows of a group, each component by its own aggregate.
        sparse: The row may lack a fact although the shape's rows do not.
    """
    components = {part.name: part for part in shape.components}

    def value(name: str) -> str:
        part = components[name]
        number, row_count = quote(f"{name}{suffix}"), quote(f"{row_count_column(part.fact)}{suffix}")
        if added:
            number, row_count = f"{part.adds_up}({number})", f"SUM({row_count})"
        if not (sparse or shape.is_sparse):
            return number
        if part.is_unknown_without_rows:
            return f"CASE WHEN {row_count} > 0 THEN {number} END"
        if not part.is_zero_without_rows:
            return number
        return f"CASE WHEN {row_count} > 0 THEN {number} ELSE 0 END"

    return to_sql(formula, value)
