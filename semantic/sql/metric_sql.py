"""Metrics over the columns of a stage: formulas whose counts and sums are 0 where there was nothing to count."""

from __future__ import annotations

from pipeline.contracts.sql import quote
from semantic.catalog.formula import Formula, to_sql
from semantic.planning.query_shape import QueryShape, row_count_column


def metric_sql(
    shape: QueryShape, formula: Formula, *, ending: str = "", added: bool = False, sparse: bool = False
) -> str:
    """A formula as SQL.

    Args:
        shape: Says how each component adds up.
        formula: Over components.
        ending: Of the columns to read, such as `_previous`.
        added: Over the rows of a group, each component added up as it does.
        sparse: The row may lack a fact although the shape's rows do not.
    """
    components = {part.name: part for part in shape.components}

    def value(name: str) -> str:
        part = components[name]
        number, seen = quote(f"{name}{ending}"), quote(f"{row_count_column(part.fact)}{ending}")
        if added:
            number, seen = f"{part.adds_up}({number})", f"SUM({seen})"
        if not part.is_zero_without_rows or not (sparse or shape.is_sparse):
            return number
        return f"CASE WHEN {seen} > 0 THEN {number} ELSE 0 END"

    return to_sql(formula, value)
