"""Which columns of its inputs each column of a statement is made from, read from the SQL.

What gives a value counts; what only chooses rows (joins, filters, the order and partitions of windows) does not. A
condition counts where what it chooses between says nothing of the data: constants, or words of a reference table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import sqlglot
from sqlglot import exp

from warehouse.lineage.expression_origin import ExpressionOrigin
from warehouse.lineage.origin import (
    ITEM,
    NOTHING,
    ROWS,
    Computed,
    Origin,
    Path,
    Relation,
    Renamed,
    Stored,
    Tables,
    place,
    together,
    untraceable,
)

Ctes = Mapping[str, Relation]


def read_relation(sql: str, tables: Tables) -> Relation:
    """The relation that a SELECT in DuckDB's dialect gives; one that cannot be read ends every trail.

    Args:
        sql: One statement.
        tables: What is known of the stored tables that it reads.
    """
    try:
        parsed = sqlglot.parse_one(sql, read="duckdb")
    except sqlglot.errors.SqlglotError as error:
        return untraceable(f"SQL that the parser does not read ({str(error).splitlines()[0][:100]})")
    return relation_of(parsed, {}, None, tables)


def branches(relation: Relation) -> tuple[Relation, ...]:
    """The parts of a union, each under the column names of the whole, in the order of the text."""
    if not isinstance(relation, Union):
        return (relation,)
    return (*branches(relation.left), *(_Aligned(part, relation) for part in branches(relation.right)))


def relation_of(node: exp.Expression, ctes: Ctes, outer: Select | None, tables: Tables) -> Relation:
    """The relation of a query, a parenthesis around one, or a part of it."""
    known: dict[str, Relation] = dict(ctes)
    for cte in node.args["with_"].expressions if node.args.get("with_") else ():
        name = cte.alias.lower()
        if node.args["with_"].args.get("recursive"):
            known[name] = untraceable(f"{cte.alias}, which is recursive")
        relation = relation_of(cte.this, dict(known), outer, tables)
        known[name] = _renamed(relation, cte.args.get("alias"))
    if isinstance(node, exp.Select):
        return Select(node, known, outer, tables)
    if isinstance(node, exp.SetOperation):
        left, right = (relation_of(side, known, outer, tables) for side in (node.left, node.right))
        return Union(left, right, is_by_name=bool(node.args.get("by_name")))
    if isinstance(node, exp.Subquery) and not node.args.get("joins") and not node.args.get("pivots"):
        return relation_of(node.this, known, outer, tables)
    if isinstance(node, exp.Values):
        return Computed(tuple(f"col{n}" for n, _ in enumerate(_first_row(node))), lambda _: NOTHING)
    if isinstance(node, exp.Table):  # a parenthesis around a table
        return Select(exp.select("*").from_(node), known, outer, tables)
    return untraceable(f"a {node.key.upper()}")


def _first_row(node: exp.Values) -> list[exp.Expression]:
    first = node.expressions[0] if node.expressions else None
    return list(first.expressions) if isinstance(first, exp.Tuple) else [first] if first is not None else []


def _renamed(relation: Relation, alias: exp.Expression | None) -> Relation:
    given = tuple(each.name for each in alias.args.get("columns") or ()) if alias is not None else ()
    return Renamed(relation, given) if given else relation


@dataclass(frozen=True)
class Union:
    """Two relations, one under the other: columns meet by position, or by name."""

    left: Relation
    right: Relation
    is_by_name: bool

    @cached_property
    def names(self) -> tuple[str, ...] | None:
        left, right = self.left.names, self.right.names
        if not self.is_by_name or left is None or right is None:
            return left
        return (*left, *(name for name in right if place(left, name) is None))

    def origin(self, path: Path) -> Origin:
        return self.of_part(self.left, path) | self.of_part(self.right, path)

    def of_part(self, part: Relation, path: Path) -> Origin:
        """What a column of the union is made from in a part of it."""
        if path[0] == ROWS:
            return part.origin(path)
        if self.is_by_name or self.left.names is None:
            return part.origin(path) if part.names is None or place(part.names, path[0]) is not None else NOTHING
        at = place(self.left.names, path[0])
        if at is None or part.names is None:
            return Origin(ends=frozenset({f"{path[0]}, whose position in a union is not known"}))
        return part.origin((part.names[at], *path[1:])) if at < len(part.names) else NOTHING


@dataclass(frozen=True)
class _Aligned:
    """A part of the right side of a union, under the names of the union."""

    part: Relation
    union: Union

    @property
    def names(self) -> tuple[str, ...] | None:
        return self.union.names

    def origin(self, path: Path) -> Origin:
        return self.union.of_part(self.part, path)


@dataclass(eq=False)
class Select:
    """One SELECT, with the common table expressions that it sees and the query around it."""

    node: exp.Select
    ctes: Ctes
    outer: Select | None
    tables: Tables
    _known: dict[Path, Origin] = field(default_factory=dict)
    _asked: set[object] = field(default_factory=set)
    """What is being followed: names that lead to each other do so once."""

    @cached_property
    def sources(self) -> Mapping[str, Relation]:
        """What it reads, by alias in lower case."""
        found: dict[str, Relation] = {}
        clauses = [
            self.node.args.get("from_"),
            *(self.node.args.get("joins") or ()),
            *(self.node.args.get("laterals") or ()),
        ]
        for clause in clauses:
            if clause is not None:
                node = clause if isinstance(clause, exp.Lateral) else clause.this
                found[node.alias_or_name.lower() or f"_{len(found)}"] = self._source(node)
        return found

    def _source(self, node: exp.Expression) -> Relation:
        if node.args.get("pivots"):
            return untraceable("a PIVOT")
        relation: Relation
        if isinstance(node, exp.Table):
            if not isinstance(node.this, exp.Identifier):
                return untraceable(f"the table function {node.this.sql_name().lower() or node.this.name}")
            own = None if node.args.get("db") else self.ctes.get(node.name.lower())
            relation = own or Stored(node.name, self.tables)
        elif isinstance(node, exp.Unnest):
            given = tuple(each.name for each in (node.args.get("alias") or exp.TableAlias()).args.get("columns") or ())
            return Computed(given or None, self._unnested(node))
        elif isinstance(node, exp.Lateral):
            relation = relation_of(node.this, self.ctes, self, self.tables)
        else:
            relation = relation_of(node, self.ctes, self.outer, self.tables)
        return _renamed(relation, node.args.get("alias"))

    def _unnested(self, node: exp.Unnest) -> Callable[[Path], Origin]:
        def origin(path: Path) -> Origin:
            return together(self.value(each, (ITEM, *path[1:])) for each in node.expressions)

        return origin

    @cached_property
    def names(self) -> tuple[str, ...] | None:
        listed: list[str] = []
        for each in self.node.expressions:
            if each.is_star:
                inner = self._starred(each)
                if inner is None:
                    return None
                listed += [name for name in inner if place(tuple(listed), name) is None]
            elif isinstance(each, exp.Explode | exp.Columns | exp.Unnest):
                return None  # as many columns as its value has fields
            else:
                listed.append(each.alias_or_name)
        return tuple(listed)

    def _starred(self, star: exp.Expression) -> list[str] | None:
        """The columns that a star stands for."""
        inside = star.this if isinstance(star, exp.Column) else star
        left_out = {each.name.lower() for each in inside.args.get("except_") or ()}
        renames = {each.this.name.lower(): each.alias for each in inside.args.get("rename") or ()}
        found: list[str] = []
        for alias, source in self.sources.items():
            if not isinstance(star, exp.Column) or star.table.lower() == alias:
                if source.names is None:
                    return None
                found += [renames.get(name.lower(), name) for name in source.names if name.lower() not in left_out]
        return found

    def origin(self, path: Path) -> Origin:
        if path not in self._known:
            self._known[path] = NOTHING  # a column that is made from itself adds nothing
            self._known[path] = self._rows() if path[0] == ROWS else self._column(path)
        return self._known[path]

    def _rows(self) -> Origin:
        """What its rows are those of: its first source, or the items of the list that it unnests."""
        unnested = [each.find(exp.Explode) for each in self.node.expressions]
        lists = together(self.value(each, ()) for each in unnested if each is not None)
        first = next(iter(self.sources.values()), None)
        return lists or (NOTHING if first is None else first.origin((ROWS,)))

    def _column(self, path: Path) -> Origin:
        name, rest = path[0].lower(), path[1:]
        for each in self.node.expressions:
            if not each.is_star and each.alias_or_name.lower() == name:
                return self.value(each.unalias(), rest)
        found = [self._in_star(each, path) for each in self.node.expressions if each.is_star]
        for each in self.node.expressions:
            if isinstance(each, exp.Explode | exp.Unnest):  # an object's fields as columns
                found.append(self.value(each.this if isinstance(each, exp.Explode) else each.expressions[0], path))
            elif isinstance(each, exp.Columns):
                found.append(Origin(ends=frozenset({each.sql("duckdb").lower()})))
        return together(found)

    def _in_star(self, star: exp.Expression, path: Path) -> Origin:
        inside = star.this if isinstance(star, exp.Column) else star
        name = path[0].lower()
        for replaced in inside.args.get("replace") or ():
            if replaced.alias.lower() == name:
                return self.value(replaced.this, path[1:])
        renamed = {each.alias.lower(): each.this.name for each in inside.args.get("rename") or ()}
        if any(each.name.lower() == name for each in inside.args.get("except_") or ()):
            return NOTHING
        original = (renamed.get(name, path[0]), *path[1:])
        if isinstance(star, exp.Column):
            return self.in_source(star.table, original)
        having = self._having(original[0]) or [alias for alias, each in self.sources.items() if each.names is None]
        return together(self.in_source(alias, original) for alias in having)

    def value(self, node: exp.Expression, rest: Path) -> Origin:
        """What the value of an expression of this query is made from, or the field inside it that `rest` leads to."""
        return ExpressionOrigin(self).of(node, rest, {})

    def subquery(self, node: exp.Expression) -> Relation:
        """A query inside an expression of this one."""
        return relation_of(node, self.ctes, self, self.tables)

    def condition(self, node: exp.Expression) -> Origin:
        """What the condition of a query inside an expression of this one is made from."""
        inside = self.subquery(node)
        where = node.args.get("where")
        return inside.value(where.this, ()) if isinstance(inside, Select) and where is not None else NOTHING

    def in_source(self, alias: str, path: Path) -> Origin:
        """What a column of one of its inputs is made from; of a word of a reference table, what it is looked up by."""
        if (source := self.sources.get(alias.lower())) is None:
            return Origin(ends=frozenset({f"the input {alias}, which the query does not have"}))
        found = source.origin(path)
        is_word = found.columns and not found.ends and all(self.tables.is_reference(path[0]) for path in found.columns)
        return found | self.looked_up_by(alias) if is_word and path[0] != ROWS else found

    def window(self, name: str) -> exp.Window | None:
        """The window that the query names."""
        return next((each for each in self.node.args.get("windows") or () if each.name.lower() == name.lower()), None)

    def says_nothing(self, origin: Origin) -> bool:
        """Whether a value is a constant, a word of a reference table, or a count of rows."""
        return not origin.ends and all(path[1] == ROWS or self.tables.is_reference(path[0]) for path in origin.columns)

    def looked_up_by(self, alias: str) -> Origin:
        """What the conditions that place rows of an input beside those of others read of the others."""
        if alias.lower() in self._asked:
            return NOTHING  # words that are looked up by each other
        self._asked.add(alias.lower())
        conditions = [column for each in self._conditions() for column in _columns_of(each, alias.lower())]
        found = together(self.value(column, ()) for column in conditions)
        self._asked.remove(alias.lower())
        return found

    def _conditions(self) -> Iterator[exp.Expression]:
        for join in self.node.args.get("joins") or ():
            if (on := join.args.get("on")) is not None:
                yield on
        if (where := self.node.args.get("where")) is not None:
            yield from where.this.flatten() if isinstance(where.this, exp.And) else (where.this,)

    def named(self, parts: Path, before: exp.Expression) -> Origin:
        """What a name in an expression of this query stands for: a column of an input, or one beside it in the list."""
        is_qualified = len(parts) > 1 and parts[0].lower() in self.sources
        having = [parts[0]] if is_qualified else self._having(parts[0])
        inside = parts[1:] if is_qualified else parts
        if not having and (beside := self._beside(before, parts[0])) is not None and id(beside) not in self._asked:
            self._asked.add(id(beside))
            found = self.value(beside, parts[1:])
            self._asked.remove(id(beside))
            return found
        having = having or [alias for alias, each in self.sources.items() if each.names is None]
        if having:
            return together(self.in_source(alias, inside) for alias in having)
        if (row := self.sources.get(parts[0].lower())) is not None:  # a whole row as one value
            return together(row.origin((name,)) for name in row.names or ())
        if self.outer is not None:
            return self.outer.named(parts, before)
        return Origin(ends=frozenset({f"the name {'.'.join(parts)}, which no input has"}))

    def _having(self, name: str) -> list[str]:
        """The inputs that are known to have a column."""
        return [alias for alias, each in self.sources.items() if place(each.names, name) is not None]

    def _beside(self, node: exp.Expression, name: str) -> exp.Expression | None:
        """The expression of the list, other than the one that `node` is in, that a name stands for."""
        for each in self.node.expressions:
            is_around = any(parent is each for parent in (node, *_parents(node)))
            if isinstance(each, exp.Alias) and each.alias.lower() == name.lower() and not is_around:
                return each.this
        return None


def _columns_of(condition: exp.Expression, alias: str) -> Iterator[exp.Expression]:
    """The columns in a condition about an input that are not of it."""
    columns = list(condition.find_all(exp.Column))
    if any(column.parts[0].name.lower() == alias for column in columns):
        yield from (column for column in columns if column.parts[0].name.lower() != alias)


def _parents(node: exp.Expression) -> Iterator[exp.Expression]:
    while (parent := node.parent) is not None:
        yield parent
        node = parent
