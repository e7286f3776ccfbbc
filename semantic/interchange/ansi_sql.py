"""Writes expressions over `_`, a table's row, and formulas over metrics as ANSI SQL.

    _.spend.sum()                               SUM(ads.spend)
    _.is_valid.ifelse(_.total_price, 0).sum()   SUM(CASE WHEN orders.is_valid THEN orders.total_price ELSE 0 END)
    _.customer_key.nunique(where=_.is_valid)    COUNT(DISTINCT CASE WHEN orders.is_valid THEN orders.customer_key END)
    _.total_price.quantile(0.9)                 PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY orders.total_price)

What the standard has no words for, such as the name of a weekday, raises `NotAnsi`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipeline.contracts.sql import literal
from semantic.catalog.formula import Formula, Name, Number

_COMPARISONS: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "=",
    ast.NotEq: "<>",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Lt: "<",
    ast.LtE: "<=",
}
_OPERATORS: Mapping[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.BitAnd: "AND",
    ast.BitOr: "OR",
}
_TYPES = {"float64": "DOUBLE PRECISION", "int64": "BIGINT", "date": "DATE"}
_DATE_PARTS = {"year": "YEAR", "quarter": "QUARTER", "month": "MONTH", "day": "DAY", "hour": "HOUR"}
_AGGREGATES = {"sum": "SUM", "min": "MIN", "max": "MAX", "mean": "AVG"}


class NotAnsi(ValueError):
    """An expression that ANSI SQL has no words for."""


@dataclass(frozen=True)
class AnsiWriter:
    """Writes the expressions of one table.

    `column` names a column of it, or writes what stands for it; `row` is a value that every row has.
    """

    column: Callable[[str], str]
    row: str

    def write(self, expression: str) -> str:
        """Write a dimension or a measure.

        Raises:
            NotAnsi: The standard has no words for it.
        """
        try:
            return self._sql(ast.parse(expression, mode="eval").body)
        except SyntaxError as error:
            raise NotAnsi(expression) from error

    def _sql(self, node: ast.expr) -> str:  # noqa: PLR0911  # one for each form
        match node:
            case ast.Attribute(value=ast.Name(id="_"), attr=name):
                return self.column(name)
            case ast.Constant(value=value):
                return constant(value)
            case ast.Compare(left=left, ops=[operator], comparators=[right]) if type(operator) in _COMPARISONS:
                return f"{self._part(left)} {_COMPARISONS[type(operator)]} {self._part(right)}"
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
                return f"{self._part(left)} {_OPERATORS[type(operator)]} {self._part(right)}"
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return f"CAST({self._sql(left)} AS DOUBLE PRECISION) / NULLIF({self._sql(right)}, 0)"
            case ast.UnaryOp(op=ast.Invert(), operand=operand):
                return f"NOT {self._part(operand)}"
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return f"-{self._part(operand)}"
            case ast.Call(func=ast.Attribute(value=receiver, attr=method), args=args, keywords=keywords):
                named = {keyword.arg: keyword.value for keyword in keywords}
                return self._call(receiver, method, args, named.get("where"), named.keys() - {"where"})
        raise NotAnsi(ast.unparse(node))

    def _part(self, node: ast.expr) -> str:
        """A part of a larger expression, in parentheses where it is one itself."""
        text = self._sql(node)
        is_whole = isinstance(node, ast.Attribute | ast.Constant) or (
            isinstance(node, ast.Call) and text.endswith(")") and " IN (" not in text
        )
        return text if is_whole or text.startswith("CASE ") else f"({text})"

    def _call(
        self, receiver: ast.expr, method: str, args: list[ast.expr], where: ast.expr | None, other: object
    ) -> str:
        if other:
            raise NotAnsi(method)
        match method, args:
            case "count", [] if isinstance(receiver, ast.Name):
                return f"COUNT({self._counted('1', where) if where else self.row})"
            case (("sum" | "min" | "max" | "mean"), []):
                return f"{_AGGREGATES[method]}({self._counted(self._sql(receiver), where)})"
            case "nunique", []:
                return f"COUNT(DISTINCT {self._counted(self._sql(receiver), where)})"
            case "median", []:
                return self._percentile("0.5", receiver, where)
            case "quantile", [ast.Constant(value=float(share))]:
                return self._percentile(f"{share:g}", receiver, where)
        if where is not None:
            raise NotAnsi(method)
        return self._of_row(receiver, method, args)

    def _of_row(  # noqa: PLR0911  # one for each method
        self, receiver: ast.expr, method: str, args: list[ast.expr]
    ) -> str:
        """A method of a value of one row."""
        match method, args:
            case "isnull", []:
                return f"{self._part(receiver)} IS NULL"
            case "notnull", []:
                return f"{self._part(receiver)} IS NOT NULL"
            case (("isin" | "notin"), [ast.List(elts=values)]):
                listed = ", ".join(self._sql(value) for value in values)
                return f"{self._part(receiver)} {'NOT ' if method == 'notin' else ''}IN ({listed})"
            case "ifelse", [then, other]:
                return f"CASE WHEN {self._sql(receiver)} THEN {self._sql(then)} ELSE {self._sql(other)} END"
            case "nullif", [value]:
                return f"NULLIF({self._sql(receiver)}, {self._sql(value)})"
            case "lower", []:
                return f"LOWER({self._sql(receiver)})"
            case "cast", [ast.Constant(value=str(type_))] if type_ in _TYPES:
                return f"CAST({self._sql(receiver)} AS {_TYPES[type_]})"
            case part, [] if part in _DATE_PARTS:
                return f"EXTRACT({_DATE_PARTS[part]} FROM {self._sql(receiver)})"
        raise NotAnsi(method)

    def _counted(self, value: str, where: ast.expr | None) -> str:
        """A value of the rows that count; empty for the others."""
        return value if where is None else f"CASE WHEN {self._sql(where)} THEN {value} END"

    def _percentile(self, share: str, receiver: ast.expr, where: ast.expr | None) -> str:
        return f"PERCENTILE_CONT({share}) WITHIN GROUP (ORDER BY {self._counted(self._sql(receiver), where)})"


def constant(value: object) -> str:
    """Write a constant.

    Raises:
        NotAnsi: It is neither text, a number nor a flag.
    """
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return literal(value)
    raise NotAnsi(repr(value))


def formula_sql(formula: Formula, base: Callable[[str], str]) -> str:
    """Write a formula over metrics, each written by `base`; a quotient with a denominator of 0 is NULL."""
    if isinstance(formula, Name):
        return base(formula.name)
    if isinstance(formula, Number):
        return format(formula.value, "f")
    left, right = formula_sql(formula.left, base), formula_sql(formula.right, base)
    if formula.sign == "/":
        return f"CAST({left} AS DOUBLE PRECISION) / NULLIF({right}, 0)"
    return f"{_nested(formula.left, left)} {formula.sign} {_nested(formula.right, right)}"


def _nested(formula: Formula, text: str) -> str:
    return text if isinstance(formula, Name | Number) else f"({text})"
