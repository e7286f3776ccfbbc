"""Building blocks of DuckDB SQL: a statement of stages, SELECT lists, key joins, periods, conditions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline.contracts.sql import quote
from semantic.catalog.conditions import Condition

_CONDITIONS = {
    "!=": "{0} <> {1}",
    "in": "{0} IN ({all})",
    "not_in": "{0} NOT IN ({all})",
    "between": "{0} BETWEEN {1} AND {2}",
    "is_null": "{0} IS NULL",
    "is_not_null": "{0} IS NOT NULL",
}


@dataclass
class Statement:
    """A statement built stage by stage; each stage is a named SELECT."""

    stages: list[tuple[str, str]] = field(default_factory=list)

    def add(self, name: str, select: str) -> str:
        """Add a stage and return its name."""
        self.stages.append((name, select))
        return name

    def ending_with(self, select: str) -> str:
        """Write the full statement, with `select` after its stages."""
        bodies = ((quote(name), text.replace("\n", "\n  ")) for name, text in self.stages)
        return "WITH " + ",\n".join(f"{name} AS (\n  {text}\n)" for name, text in bodies) + "\n" + select


def column(table: str, name: str) -> str:
    return f"{quote(table)}.{quote(name)}"


def select(columns: Iterable[str], rest: str) -> str:
    return "SELECT\n  " + ",\n  ".join(columns) + "\n" + rest


def same_keys(left: str, right: str, keys: Iterable[str]) -> str:
    """Write the condition that rows of two stages have the same keys; NULL equals NULL."""
    return " AND ".join(f"{column(left, key)} IS NOT DISTINCT FROM {column(right, key)}" for key in keys)


def period(expression: str, grain: str, week_shift: int) -> str:
    """Write the first day of the period that contains a date."""
    if grain == "day":
        return f"CAST({expression} AS DATE)"
    if grain == "week" and week_shift:
        return f"CAST(DATE_TRUNC('week', {expression} + {week_shift}) AS DATE) - {week_shift}"
    return f"CAST(DATE_TRUNC('{grain}', {expression}) AS DATE)"


def condition_sql(expression: str, condition: Condition) -> str:
    """Write a condition on a number; its values are parameters."""
    values = [f"${parameter}" for parameter in condition.parameters]
    template = _CONDITIONS.get(condition.op, f"{{0}} {condition.op} {{1}}")
    return template.format(expression, *values, all=", ".join(values))
