"""Which columns the value of an expression is made from."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlglot import exp

from warehouse.lineage.origin import ITEM, NOTHING, ROWS, Origin, Path, Relation, together

Expressions = Sequence[exp.Expression | None]
Lambdas = Mapping[str, Callable[[Path], Origin]]
"""The variables of the lambdas around an expression, with the origin of each, or of the field that a path leads to."""

_MEMBER = re.compile(r'"(?:[^"\\]|\\.)*":')
"""How text of a JSON object names a member."""
_JSON = (exp.JSONExtract, exp.JSONExtractScalar, exp.JSONBExtract, exp.JSONBExtractScalar)


class Scope(Protocol):
    """The query that an expression is in."""

    @property
    def sources(self) -> Mapping[str, Relation]: ...

    def named(self, parts: Path, before: exp.Expression) -> Origin: ...

    def subquery(self, node: exp.Expression) -> Relation: ...

    def condition(self, node: exp.Expression) -> Origin: ...

    def says_nothing(self, origin: Origin) -> bool: ...

    def window(self, name: str) -> exp.Window | None: ...


@dataclass(frozen=True)
class ExpressionOrigin:
    """The origins of expressions of one query."""

    scope: Scope

    def of(self, node: exp.Expression, rest: Path, lambdas: Lambdas) -> Origin:
        """What an expression, or the field inside its value that `rest` leads to, is made from."""
        while (step := _step(node)) is not None:
            node, rest = step[0], (*step[1], *rest)
        for kinds, origin in _READERS:
            if isinstance(node, kinds):
                return origin(self, node, rest, lambdas)
        return self._of_operands(node, list(node.iter_expressions()), rest, lambdas)

    def _all(self, nodes: Iterable[exp.Expression | None], rest: Path, lambdas: Lambdas) -> Origin:
        return together(self.of(node, rest, lambdas) for node in nodes if node is not None)

    def named(self, node: exp.Expression, rest: Path, lambdas: Lambdas) -> Origin:
        """Of a column, or of a variable of a lambda."""
        parts = tuple(part.name for part in node.parts) if isinstance(node, exp.Column) else (node.name,)
        if node.is_star:
            return together(each.origin((ROWS,)) for alias, each in self.scope.sources.items() if alias == node.table)
        if (item := lambdas.get(parts[0].lower())) is not None:
            return item((*parts[1:], *rest))
        return self.scope.named((*parts, *rest), node)

    def rows(self, _: exp.Expression, __: Path, ___: Lambdas) -> Origin:
        """Of the star of `count(*)`."""
        return together(source.origin((ROWS,)) for source in list(self.scope.sources.values())[:1])

    def unread(self, node: exp.Expression, _: Path, __: Lambdas) -> Origin:
        """Of what stands for columns that only the data say."""
        return Origin(ends=frozenset({node.sql("duckdb").lower()}))

    def queried(self, node: exp.Expression, rest: Path, _: Lambdas) -> Origin:
        """Of a subquery: its first column."""
        relation = self.scope.subquery(node)
        names = relation.names
        return relation.origin((names[0], *rest)) if names else Origin(ends=frozenset({"a subquery"}))

    def existing(self, node: exp.Expression, _: Path, __: Lambdas) -> Origin:
        """Of a subquery that is only asked for rows: what its condition reads."""
        return self.scope.condition(node.this)

    def chosen(self, node: exp.Expression, rest: Path, lambdas: Lambdas) -> Origin:
        """Of an expression that holds conditions beside values."""
        values, conditions = self._values_and_conditions(node)
        found = self._all(values, rest, lambdas)
        return found | self._all(conditions, (), lambdas) if self.scope.says_nothing(found) else found

    def _values_and_conditions(self, node: exp.Expression) -> tuple[Expressions, Expressions]:
        if isinstance(node, exp.Case):
            ifs = node.args["ifs"]
            return [*(each.args["true"] for each in ifs), node.args.get("default")], [node.this, *(i.this for i in ifs)]
        if isinstance(node, exp.If):
            return [node.args.get("true"), node.args.get("false")], [node.this]
        if isinstance(node, exp.Window):
            over = (self.scope.window(node.alias) if node.alias else None) or node
            return [node.this], [*(over.args.get("partition_by") or ()), over.args.get("order")]
        return [node.this], [] if isinstance(node, exp.Order) else [node.expression]

    def ordered(self, node: exp.Expression, _: Path, lambdas: Lambdas) -> Origin:
        """Of the order of a window, or of what an aggregate collects in an order."""
        return self._all([node.this] if node.this is not None else node.expressions, (), lambdas)

    def struct(self, node: exp.Expression, rest: Path, lambdas: Lambdas) -> Origin:
        """Of an object: the member that the path leads to, or all."""
        members = {each.name.lower(): each.expression for each in node.expressions if isinstance(each, exp.PropertyEQ)}
        at = next((n for n, part in enumerate(rest) if part != ITEM), None)
        if at is not None and rest[at].lower() in members:
            return self.of(members[rest[at].lower()], rest[at + 1 :], lambdas)
        return self._all(members.values(), (), lambdas)

    def listed(self, node: exp.Expression, rest: Path, lambdas: Lambdas) -> Origin:
        """Of a list of values: an item is one of them."""
        return self._all(node.iter_expressions(), rest[1:] if rest[:1] == (ITEM,) else rest, lambdas)

    def flattened(self, node: exp.Expression, rest: Path, lambdas: Lambdas) -> Origin:
        return self.of(node.this, (ITEM, *rest) if rest[:1] == (ITEM,) else rest, lambdas)

    def unnested(self, node: exp.Expression, rest: Path, lambdas: Lambdas) -> Origin:
        return self.of(node.this, (ITEM, *rest), lambdas)

    def called(self, node: exp.Expression, rest: Path, lambdas: Lambdas) -> Origin:
        """Of a function that the parser does not know: JSON that is read keeps its paths."""
        if node.name.lower() in ("from_json", "json_transform"):
            return self.of(node.expressions[0], rest, lambdas)
        return self._of_operands(node, node.expressions, rest, lambdas)

    def _of_operands(
        self, node: exp.Expression, operands: Sequence[exp.Expression], rest: Path, lambdas: Lambdas
    ) -> Origin:
        """Of all operands; of a function that calls a lambda for each item of a list, of what that makes."""
        body = next((each for each in operands if isinstance(each, exp.Lambda)), None)
        if body is None:
            return self._all(operands, rest, lambdas)
        listed = next(each for each in operands if each is not body)
        if "filter" in f"{node.sql_name()} {node.name}".lower():
            return self.of(listed, rest, lambdas)

        def item(path: Path) -> Origin:
            return self.of(listed, (ITEM, *path), lambdas)

        inside = {variable.name.lower(): item for variable in body.expressions}
        made = self.of(body.this, rest[1:] if rest[:1] == (ITEM,) else rest, {**lambdas, **inside})
        return made or (NOTHING if rest else self.of(listed, (), lambdas))

    def text(self, node: exp.Expression, rest: Path, lambdas: Lambdas) -> Origin:
        """Of joined texts; where they write a JSON object, of the member that the path leads to."""
        others: list[exp.Expression] = []
        for operands in _pieces(node):
            first = operands[0]
            if rest and len(operands) > 1 and isinstance(first, exp.Literal) and _MEMBER.fullmatch(first.name):
                if json.loads(first.name[:-1]) == rest[0]:
                    return self._all(operands[1:], rest[1:], lambdas)
            else:
                others += operands
        return self._all(others, rest, lambdas)


_Reader = Callable[[ExpressionOrigin, exp.Expression, Path, Lambdas], Origin]
_READERS: tuple[tuple[tuple[type[exp.Expression], ...], _Reader], ...] = (
    ((exp.Column, exp.Identifier), ExpressionOrigin.named),
    ((exp.Star,), ExpressionOrigin.rows),
    ((exp.Columns,), ExpressionOrigin.unread),
    ((exp.Subquery, exp.Select, exp.SetOperation), ExpressionOrigin.queried),
    ((exp.Exists,), ExpressionOrigin.existing),
    ((exp.Order,), ExpressionOrigin.ordered),
    ((exp.Case, exp.If, exp.Filter, exp.Window, exp.ArgMax, exp.ArgMin), ExpressionOrigin.chosen),
    ((exp.Struct,), ExpressionOrigin.struct),
    ((exp.Array, exp.ArrayAgg), ExpressionOrigin.listed),
    ((exp.Flatten,), ExpressionOrigin.flattened),
    ((exp.Explode,), ExpressionOrigin.unnested),
    ((exp.Concat, exp.ConcatWs, exp.DPipe), ExpressionOrigin.text),
    ((exp.Anonymous,), ExpressionOrigin.called),
)
"""By kinds of expressions, how their origin is read; that of others is that of all their parts."""


def _pieces(node: exp.Expression) -> Iterator[list[exp.Expression]]:
    """The texts that an expression joins, each as the operands that it joins itself."""
    if isinstance(node, exp.Concat | exp.ConcatWs):
        for each in node.expressions:
            yield from _pieces(each)
    elif isinstance(node, exp.Paren | exp.Cast):
        yield from _pieces(node.this)
    elif isinstance(node, exp.DPipe):
        yield list(node.flatten())
    else:
        yield [node]


def _step(node: exp.Expression) -> tuple[exp.Expression, Path] | None:
    """The expression that one takes a part of, with the path of that part; None where it takes none."""
    parts: Path | None = None
    if isinstance(node, exp.Paren | exp.Cast | exp.TryCast | exp.Alias):
        parts = ()
    elif isinstance(node, exp.Dot | exp.StructExtract):
        parts = (node.expression.name,)
    elif isinstance(node, exp.Bracket):
        index = node.expressions[0]
        is_name = isinstance(index, exp.Literal) and index.is_string
        parts = () if isinstance(index, exp.Slice) else (index.name if is_name else ITEM,)
    elif isinstance(node, _JSON):
        parts = _json_path(node.expression)
    return None if parts is None else (node.this, parts)


def _json_path(node: exp.Expression) -> Path | None:
    """The parts of a JSON path; None of one that the text does not spell."""
    if isinstance(node, exp.Literal):
        return (node.name,) if node.is_string else (ITEM,)
    if not isinstance(node, exp.JSONPath):
        return None
    parts: list[str] = []
    for each in node.expressions:
        if isinstance(each, exp.JSONPathKey):
            parts.append(str(each.this))
        elif isinstance(each, exp.JSONPathSubscript):
            parts.append(ITEM if not isinstance(each.this, str) else each.this)
        elif not isinstance(each, exp.JSONPathRoot):
            return None
    return tuple(parts)
