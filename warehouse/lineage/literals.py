"""Texts that a statement compares a column with, or gives it."""

from __future__ import annotations

from sqlglot import exp

from warehouse.lineage.origin import Relation
from warehouse.lineage.relations import Select


def compared_with(relation: Relation, column: str) -> frozenset[str]:
    """The texts that conditions of a query say a column equals."""
    if not isinstance(relation, Select):
        return frozenset()
    pairs = ((each.left, each.right) for each in relation.node.find_all(exp.EQ))
    return frozenset(
        text.name
        for left, text in pairs
        if isinstance(left, exp.Column) and left.name == column and isinstance(text, exp.Literal) and text.is_string
    )


def given(relation: Relation, column: str) -> str | None:
    """The text that a query gives a column in each row; None where it is no constant."""
    if not isinstance(relation, Select):
        return None
    values = (each.unalias() for each in relation.node.expressions if each.alias_or_name == column)
    return next((value.name for value in values if isinstance(value, exp.Literal) and value.is_string), None)
