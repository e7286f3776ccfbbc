"""Writes metrics as SQL over the columns of a stage: a sum over no rows is 0 in covered days, and else unknown.

A ratio of costs is unknown where these have no rows: what cost nothing known has no cost per anything.
"""

from __future__ import annotations

from pipeline.contracts.sql import quote
from semantic.catalog.formula import Divided, Formula, to_sql
from semantic.planning.query_shape import QueryShape, covered_column, row_count_column


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
    covered = {each.fact for each in shape.coverage}

    def value(name: str, *, is_divided: bool = False) -> str:
        part = components[name]
        number, row_count = quote(f"{name}{suffix}"), quote(f"{row_count_column(part.fact)}{suffix}")
        if added:
            number, row_count = f"{part.adds_up}({number})", f"SUM({row_count})"
        if not (sparse or shape.is_sparse):
            return number
        if part.is_unknown_without_rows or is_divided:
            return f"CASE WHEN {row_count} > 0 THEN {number} END"
        if not part.is_zero_without_rows:
            return number
        if part.fact in covered:
            is_covered = quote(f"{covered_column(part.fact)}{suffix}")
            is_covered = f"BOOL_OR({is_covered})" if added else is_covered
            return f"CASE WHEN {row_count} > 0 THEN {number} WHEN {is_covered} THEN 0 END"
        return f"CASE WHEN {row_count} > 0 THEN {number} ELSE 0 END"

    costs = {name for name, part in components.items() if part.is_cost}
    return to_sql(formula, value, divided=Divided(costs, lambda name: value(name, is_divided=True)))
