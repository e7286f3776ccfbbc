"""Which columns of its inputs each column of a query is made from, read from the SQL itself.

Only expressions of the select list count: conditions of joins and filters choose rows, they give no value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import sqlglot
from sqlglot import exp

Path = tuple[str, ...]
"""A table, then the parts of a column's path in it; `[]` stands for each item of a list."""
Lambdas = Mapping[str, frozenset[Path]]
"""The variables of the lambdas around an expression, with what each stands for."""
ITEM = "[]"
LOOKUP = "platform_ref__"
"""How tables of references begin: a value of theirs is made from what they are joined by."""


@dataclass(frozen=True)
class Lineage:
    """One statement: what its columns are made from."""

    statement: exp.Query

    @classmethod
    def of(cls, sql: str) -> Lineage:
        parsed = sqlglot.parse_one(sql, read="duckdb")
        assert isinstance(parsed, exp.Query)
        return cls(parsed)

    def column(self, *path: str) -> frozenset[Path]:
        """The columns of tables that a column, or a field of its objects, is made from; empty for a constant."""
        return frozenset().union(*(self._output(query, path) for query in self._branches(self.statement)))

    @cached_property
    def _ctes(self) -> Mapping[str, exp.Query]:
        return {cte.alias: cte.this for cte in self.statement.find_all(exp.CTE)}

    def _branches(self, query: exp.Expression) -> Iterator[exp.Select]:
        """The selects of a query: several where it is a union."""
        if isinstance(query, exp.Select):
            yield query
        elif isinstance(query, exp.Subquery):
            yield from self._branches(query.this)
        elif isinstance(query, exp.SetOperation):
            yield from self._branches(query.left)
            yield from self._branches(query.right)

    def _output(self, select: exp.Select, path: Path) -> frozenset[Path]:
        """What a column of a select is made from; the rest of the path leads into an object."""
        name, rest = path[0].lower(), path[1:]
        for each in select.expressions:
            if not each.is_star and each.alias_or_name.lower() == name:
                return self._inside(each.unalias(), rest, select)
        found: frozenset[Path] = frozenset()
        for each in select.expressions:
            if isinstance(each, exp.Explode):  # an object's fields as columns
                found |= self._inside(each.this, path, select)
            if each.is_star:
                star = each.this if isinstance(each, exp.Column) else each
                for replaced in star.args.get("replace") or ():
                    if replaced.alias.lower() == name:
                        return self._inside(replaced.this, rest, select)
                found |= self._in_sources(select, path, each.table if isinstance(each, exp.Column) else None)
        return found

    def _inside(self, node: exp.Expression, rest: Path, select: exp.Select) -> frozenset[Path]:
        """What a field inside the value of an expression is made from."""
        if isinstance(node, exp.Explode):
            return self._inside(node.this, (ITEM, *rest), select)
        return self._made_of(node, select, {}, rest)

    def _sources(self, select: exp.Select) -> dict[str, exp.Expression]:
        clauses = [select.args.get("from_") or select.args.get("from"), *select.args.get("joins", ())]
        return {clause.this.alias_or_name: clause.this for clause in clauses if clause is not None}

    def _in_sources(self, select: exp.Select, path: Path, table: str | None = None) -> frozenset[Path]:
        """What a column of the inputs of a select is made from, in the one named or in all that have it."""
        found: frozenset[Path] = frozenset()
        for alias, source in self._sources(select).items():
            if table is None or alias == table:
                found |= self._in_source(source, path)
            if alias == table and source.name.startswith(LOOKUP):
                found |= self._joined_by(select, alias)
        return found

    def _joined_by(self, select: exp.Select, alias: str) -> frozenset[Path]:
        """What the condition that joins a table reads of the other inputs."""
        conditions = [join.args.get("on") for join in select.args.get("joins", ()) if join.this.alias_or_name == alias]
        columns = [each for on in conditions if on is not None for each in on.find_all(exp.Column, exp.Dot)]
        chains = [each for each in columns if not isinstance(each.parent, exp.Dot) and _parts(each)[:1] != (alias,)]
        return frozenset[Path]().union(*(self._made_of(each, select, {}) for each in chains))

    def _in_source(self, source: exp.Expression, path: Path) -> frozenset[Path]:
        if isinstance(source, exp.Table) and source.name not in self._ctes:
            return frozenset({(source.name, *path)})
        query = self._ctes[source.name] if isinstance(source, exp.Table) else source
        return frozenset().union(*(self._output(branch, path) for branch in self._branches(query)))

    def _made_of(self, node: exp.Expression, select: exp.Select, lambdas: Lambdas, rest: Path = ()) -> frozenset[Path]:
        """What an expression, or the field inside it that `rest` leads to, is made from."""
        if isinstance(node, exp.Column | exp.Dot) and (parts := _parts(node)):
            return self._named(node, (*parts, *rest), select, lambdas)
        if isinstance(node, exp.Select | exp.SetOperation):
            return frozenset().union(*(self._first(branch) for branch in self._branches(node)))
        if isinstance(node, exp.Struct):
            field = next((part for part in rest if part != ITEM), None)
            packed = {each.name: each.expression for each in node.expressions if isinstance(each, exp.PropertyEQ)}
            if field in packed:
                return self._made_of(packed[field], select, lambdas)
        if body := next((child for child in node.iter_expressions() if isinstance(child, exp.Lambda)), None):
            items = self._made_of(_list_of(node, body), select, lambdas)
            if "filter" in f"{node.sql_name()} {node.name}".lower():
                return frozenset((*path, *rest) for path in items)
            inside = {variable.name: frozenset((*path, ITEM) for path in items) for variable in body.expressions}
            made = self._made_of(body.this, select, {**lambdas, **inside}, rest[1:])
            return made or (frozenset() if rest else items)
        children = (self._made_of(child, select, lambdas, rest) for child in node.iter_expressions())
        return frozenset[Path]().union(*children)

    def _first(self, select: exp.Select) -> frozenset[Path]:
        return frozenset().union(*(self._made_of(each.unalias(), select, {}) for each in select.expressions))

    def _named(self, node: exp.Expression, parts: Path, select: exp.Select, lambdas: Lambdas) -> frozenset[Path]:
        if parts[0] in lambdas:
            return frozenset((*path, *parts[1:]) for path in lambdas[parts[0]])
        if len(parts) > 1 and parts[0] in self._sources(select):
            return self._in_sources(select, parts[1:], parts[0])
        beside = _beside(node, select, parts[0]) if len(_parts(node)) == 1 else None
        return self._in_sources(select, parts) if beside is None else self._made_of(beside, select, {}, parts[1:])


def _beside(node: exp.Expression, select: exp.Select, name: str) -> exp.Expression | None:
    """The column before this one in the same select that a name stands for; none where it is made from that name.

    A column of an input goes before it, but only a contract knows which those are.
    """
    for each in select.expressions:
        if each is node or any(each is parent for parent in _parents(node)):
            return None
        if isinstance(each, exp.Alias) and each.alias == name:
            names = {_parts(column)[0] for column in each.find_all(exp.Column) if _parts(column)}
            return None if name in names else each.this
    return None


def _parents(node: exp.Expression) -> Iterator[exp.Expression]:
    while (parent := node.parent) is not None:
        yield parent
        node = parent


def _list_of(node: exp.Expression, body: exp.Lambda) -> exp.Expression:
    """The list that a function with a lambda goes over: its other argument."""
    return next(child for child in node.iter_expressions() if child is not body)


def _parts(node: exp.Expression) -> Path:
    """The path that a column or a chain of dots spells; empty where it begins with something else."""
    if isinstance(node, exp.Column):
        return tuple(part.name for part in node.parts)
    if isinstance(node, exp.Identifier):
        return (node.name,)
    if isinstance(node, exp.Dot):
        before = _parts(node.this)
        return (*before, node.expression.name) if before else ()
    return ()
