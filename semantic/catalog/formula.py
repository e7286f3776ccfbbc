"""Parses arithmetic over metric names, such as `spend / clicks * 1000`, checks it, and writes it as SQL."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal

from pipeline.errors import ConfigError, shorten

MetricType = Literal["integer", "decimal", "number"]
"""decimal is exact, number a double."""

_SIGNS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}


@dataclass(frozen=True)
class Name:
    """The value of a metric."""

    name: str


@dataclass(frozen=True)
class Number:
    """A constant, exactly as it was written."""

    value: Decimal


@dataclass(frozen=True)
class Operation:
    """Two formulas with + - * or / between them."""

    sign: str
    left: Formula
    right: Formula


Formula = Name | Number | Operation


def parse(text: str, metric: str) -> Formula:
    """Parse the formula in `text`; errors name `metric`.

    Raises:
        ConfigError: It holds more than + - * / and parentheses over names and numbers, or no name at all.
    """
    fix = f"Write {metric} as arithmetic over metrics, such as spend / clicks."
    try:
        formula = _read(ast.parse(text.strip(), mode="eval").body, text.strip())
    except (SyntaxError, ValueError, InvalidOperation, RecursionError, MemoryError) as error:
        raise ConfigError(f"The expression {shorten(text)!r} of {metric} cannot be read.", fix) from error
    if next(metric_names(formula), None) is None:
        raise ConfigError(f"The expression {shorten(text)!r} of {metric} names no metric.", fix)
    return formula


def _read(node: ast.expr, text: str) -> Formula:
    if isinstance(node, ast.Name):
        return Name(node.id)
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        number = Number(Decimal(ast.get_source_segment(text, node) or ""))
        if abs(number.value) < Decimal(10) ** 18:
            return number
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return Operation("-", Number(Decimal(0)), _read(node.operand, text))
    if isinstance(node, ast.BinOp) and type(node.op) in _SIGNS:
        return Operation(_SIGNS[type(node.op)], _read(node.left, text), _read(node.right, text))
    raise ValueError(ast.dump(node))


def metric_names(formula: Formula) -> Iterator[str]:
    """Yield the metrics that a formula names, in the order of the text, with repetitions."""
    if isinstance(formula, Name):
        yield formula.name
    elif isinstance(formula, Operation):
        yield from metric_names(formula.left)
        yield from metric_names(formula.right)


def expand(name: str, formulas: Mapping[str, Formula], *, path: tuple[str, ...] = ()) -> Formula:
    """Expand a metric to a formula over base metrics: replaces each name in `formulas` with its formula.

    Raises:
        ConfigError: The metric is made of itself; names the cycle.
    """
    if name in path:
        circle = " -> ".join([*path[path.index(name) :], name])
        raise ConfigError(f"{name} is made of itself: {circle}.", f"Remove one of these from the expression of {name}.")
    if name not in formulas:
        return Name(name)

    def replaced(formula: Formula) -> Formula:
        if isinstance(formula, Name):
            return expand(formula.name, formulas, path=(*path, name))
        if isinstance(formula, Operation):
            return Operation(formula.sign, replaced(formula.left), replaced(formula.right))
        return formula

    return replaced(formulas[name])


def to_text(formula: Formula, rename: Callable[[str], str], *, divisor: Callable[[str], str] = str) -> str:
    """Write the formula as text for `parse`, its names replaced; `divisor` writes what may be 0 and is divided by."""
    if isinstance(formula, Name):
        return rename(formula.name)
    if isinstance(formula, Number):
        return format(formula.value, "f")
    left, right = (to_text(side, rename, divisor=divisor) for side in (formula.left, formula.right))
    if isinstance(formula.left, Operation):
        left = f"({left})"
    if isinstance(formula.right, Operation):
        right = f"({right})"
    return f"{left} {formula.sign} {divisor(right) if is_ratio(formula) else right}"


@dataclass(frozen=True)
class Divided:
    """Metrics that are written in another way where a quotient divides nothing but them."""

    names: AbstractSet[str]
    column: Callable[[str], str]


def to_sql(formula: Formula, column: Callable[[str], str], *, divided: Divided | None = None) -> str:
    """Write the formula as a DuckDB expression; a quotient with a denominator of 0 is NULL."""
    if isinstance(formula, Name):
        return column(formula.name)
    if isinstance(formula, Number):
        return format(formula.value, "f")
    is_quotient = formula.sign == "/" and not (isinstance(formula.right, Number) and formula.right.value)
    dividend = column
    if is_quotient and divided and set(metric_names(formula.left)) <= divided.names:
        dividend = divided.column
    left, right = _nested(formula.left, dividend, divided), _nested(formula.right, column, divided)
    if is_quotient:
        return f"{left} / NULLIF({to_sql(formula.right, column, divided=divided)}, 0)"
    if formula.sign == "*" and not isinstance(formula.left, Number) and not isinstance(formula.right, Number):
        return f"CAST({left} AS DOUBLE) * CAST({right} AS DOUBLE)"  # a product of two decimals may not fit in one
    return f"{left} {formula.sign} {right}"


def _nested(formula: Formula, column: Callable[[str], str], divided: Divided | None) -> str:
    text = to_sql(formula, column, divided=divided)
    return f"({text})" if isinstance(formula, Operation) else text


def is_ratio(formula: Formula) -> bool:
    """Whether a formula divides one metric by another."""
    return isinstance(formula, Operation) and formula.sign == "/" and not isinstance(formula.right, Number)


def is_sum(formula: Formula) -> bool:
    """Whether the formula adds up: its value for the whole is the sum of those of the parts if its metrics add up."""
    if isinstance(formula, Operation):
        sides = (formula.left, formula.right)
        if formula.sign in "+-":
            return all((is_sum(side) and not isinstance(side, Number)) or _is_zero(side) for side in sides)
        constant = isinstance(formula.right, Number) or (formula.sign == "*" and isinstance(formula.left, Number))
        return constant and all(is_sum(side) for side in sides)
    return True


def _is_zero(formula: Formula) -> bool:
    return isinstance(formula, Number) and formula.value == 0


def type_of(formula: Formula, types: Mapping[str, MetricType]) -> MetricType:
    """Infer the type of a formula over metrics of these types: integer, decimal (exact) or number (a double)."""
    if isinstance(formula, Name):
        return types[formula.name]
    if isinstance(formula, Number):
        return "integer" if formula.value == formula.value.to_integral_value() else "decimal"
    left, right = type_of(formula.left, types), type_of(formula.right, types)
    is_product = formula.sign == "*" and not any(isinstance(side, Number) for side in (formula.left, formula.right))
    if formula.sign == "/" or is_product or "number" in (left, right):
        return "number"
    return "decimal" if "decimal" in (left, right) else "integer"


PERCENT = Decimal(100)
"""What a fraction is multiplied by to be percent."""


@dataclass(frozen=True)
class _Scaled:
    """A unit, the constant that it was multiplied by, and that of the percentages in it."""

    unit: str | None
    constant: Decimal = Decimal(1)
    percent: Decimal = Decimal(1)

    @property
    def name(self) -> str | None:
        """A fraction times 100 is percent; what was multiplied by percent and not divided by 100 has no unit."""
        factor = self.constant * self.percent
        if self.unit == "ratio":
            return "percent" if factor == PERCENT else "ratio"
        return self.unit if self.percent == 1 or factor == 1 else None


def unit_of(formula: Formula, units: Mapping[str, str | None], metric: str) -> str | None:
    """Infer the unit of a formula over metrics of these units; None where it has no name.

    Raises:
        ConfigError: Different units are added, such as money and clicks.
    """
    return _scaled(formula, units, metric).name


def _scaled(formula: Formula, units: Mapping[str, str | None], metric: str) -> _Scaled:
    if isinstance(formula, Name):
        unit = units[formula.name]
        return _Scaled("ratio", percent=PERCENT) if unit == "percent" else _Scaled(unit)
    if isinstance(formula, Number):
        return _Scaled("ratio", formula.value)
    left, right = _scaled(formula.left, units, metric), _scaled(formula.right, units, metric)
    if formula.sign in "+-":
        is_shifted = any(isinstance(side, Number) for side in (formula.left, formula.right))
        if left.name != right.name and not is_shifted:
            what = f"{metric} puts {left.name} and {right.name} together with {formula.sign}."
            raise ConfigError(what, "Add only metrics of one unit.")
        return right if isinstance(formula.left, Number) else left
    if formula.sign == "*":
        unit = left.unit if right.unit == "ratio" else right.unit if left.unit == "ratio" else None
        return _Scaled(unit, left.constant * right.constant, left.percent * right.percent)
    quotient = "ratio" if left.unit == right.unit else left.unit if right.unit in ("ratio", "count") else None
    by = right.constant or Decimal(1)
    return _Scaled(quotient, left.constant / by, left.percent / right.percent)
