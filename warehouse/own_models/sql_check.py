"""Proves that a model is one SELECT over its refs alone, on the syntax tree that DuckDB itself makes of the text.

Everything in the tree that is not known here is refused, so a new kind of DuckDB is refused until somebody looks at it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from pipeline.config.blocks.syntax_tree import ROW_FUNCTIONS, Tree, syntax_tree, tables_read
from pipeline.errors import ConfigError, shorten
from warehouse.own_models.file_line import FileLine
from warehouse.own_models.functions import CHANGING, FUNCTIONS, WITHOUT_PARENTHESES
from warehouse.own_models.template import Template

QUERIES: Final = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE"})
TABLES: Final = frozenset({"BASE_TABLE", "EMPTY", "EXPRESSION_LIST", "JOIN", "PIVOT", "SUBQUERY", "TABLE_FUNCTION"})
EXPRESSIONS: Final = frozenset(
    {
        *("BETWEEN", "CASE", "CAST", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION", "LAMBDA"),
        *("OPERATOR", "STAR", "SUBQUERY", "WINDOW"),
    }
)
OTHERS: Final = frozenset(
    {
        *("ORDER_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "DISTINCT_MODIFIER"),
        *("ORDER_DEFAULT", "ASCENDING", "DESCENDING"),
    }
)
"""Kinds of nodes beside queries, tables and expressions; those of types are looked at by `_type`."""
_ONE_SELECT = "Write one SELECT, with commas and CTEs as you like, and no other statement."
_BY_REF = "Read tables by {{ ref('name') }}: the tenant's facts and dimensions, and its own models."
_NOWHERE = 1 << 62
_VALUE = frozenset({"type", "is_null", "value"})
"""The keys of a value, whose type is no kind of a node."""


def check_sql(template: Template, place: FileLine) -> None:
    """Check the SQL of a model.

    Raises:
        ConfigError: It is not one SELECT, calls a function that is not allowed, or reads what is no ref(); names the
            line.
    """
    try:
        _Check(template, place).statement()
    except (ValueError, RecursionError) as error:
        raise place.wrong("DuckDB cannot parse it.", "Write it with less nesting.") from error


@dataclass
class _Check:
    template: Template
    place: FileLine
    uses: dict[str, int] = field(default_factory=dict)

    def statement(self) -> None:
        """Check the whole text."""
        parsed = syntax_tree(self.template.sql)
        if parsed.get("error"):
            raise self._unreadable(parsed)
        statements = parsed.get("statements") or []
        if len(statements) != 1:
            what = f"This is {len(statements)} statements." if statements else "There is no SELECT."
            raise self.place.wrong(what, _ONE_SELECT)
        if statements[0].get("named_param_map"):
            raise self.place.wrong("It has a parameter.", "Write the value itself.")
        for table in tables_read(statements[0]["node"]):
            self._read(table)
        self._query(statements[0]["node"])
        for placeholder, line in self.template.lines.items():
            if self.uses.get(placeholder, 0) != 1:
                raise self.place.at(line).wrong(
                    f"ref({self.template.refs[placeholder]!r}) stands where no table does.",
                    "Write it behind FROM or JOIN, outside of texts and comments.",
                )

    def _unreadable(self, parsed: Tree) -> ConfigError:
        position = str(parsed.get("position") or "")
        place = self._at(int(position)) if position.isdigit() else self.place
        message = self._said(str(parsed.get("error_message")))
        if parsed.get("error_type") == "not implemented":
            return place.wrong("It is no SELECT that DuckDB can take apart.", f"{_ONE_SELECT} PIVOT needs IN (...).")
        return place.wrong(f"It is no SQL that DuckDB reads: {message}.", _ONE_SELECT)

    def _said(self, message: str) -> str:
        for placeholder, name in self.template.refs.items():
            message = message.replace(placeholder, name)
        return shorten(" ".join(message.split()).rstrip(".!"), 200)

    def _at(self, offset: object) -> FileLine:
        if not isinstance(offset, int) or offset >= _NOWHERE:
            return self.place
        return self.place.at(self.template.sql.encode()[:offset].count(b"\n") + 1)

    def _query(self, node: Tree) -> None:
        if node.get("type") not in QUERIES:
            raise self.place.wrong(f"It holds {node.get('type')}.", _ONE_SELECT)
        if node.get("sample"):
            raise self.place.wrong("It takes a sample, which is another one at each build.", "Choose rows by a WHERE.")
        self._children(node)

    def _walk(self, value: Any) -> None:  # Any: JSON of DuckDB
        if isinstance(value, list):
            for item in value:
                self._walk(item)
        elif isinstance(value, dict):
            self._node(value)

    def _node(self, node: Tree) -> None:
        kind, of_expressions = node.get("type"), node.get("class")
        if "cte_map" in node:
            self._query(node)
        elif isinstance(of_expressions, str):
            self._expression(node, of_expressions)
        elif node.keys() <= _VALUE:
            return
        elif kind in TABLES:
            self._table(node)
        elif kind is not None and kind not in OTHERS:
            raise self._at(node.get("query_location")).wrong(f"It holds {_words(kind)}.", _ONE_SELECT)
        else:
            self._children(node)

    def _children(self, node: Tree) -> None:
        for value in node.values():
            self._walk(value)

    def _expression(self, node: Tree, kind: str) -> None:
        place = self._at(node.get("query_location"))
        if kind not in EXPRESSIONS:
            raise place.wrong(f"It holds {_words(kind)}.", "Write it with columns, values and functions.")
        if kind == "CONSTANT":
            return
        if kind == "COLUMN_REF":
            self._column(node, place)
        if kind in ("FUNCTION", "WINDOW"):
            self._function(node, place)
        if kind == "CAST":
            self._type(node["cast_type"], place)
            self._walk(node["child"])
            return
        self._children(node)

    def _column(self, node: Tree, place: FileLine) -> None:
        name = str(node["column_names"][0]).casefold()
        if len(node["column_names"]) == 1 and name in WITHOUT_PARENTHESES:
            what = _refused_function(name, place).what
            fix = f"Where it is a column, write it with its table, such as o.{name}; a day or time comes from the data."
            raise ConfigError(what, fix)

    def _function(self, node: Tree, place: FileLine) -> None:
        name = str(node["function_name"]).casefold()
        if node.get("catalog") or node.get("schema") not in ("", "main"):
            raise place.wrong(f"The function {shorten(name, 60)} has a prefix.", "Write it as f(x), and not as x.f().")
        if name not in FUNCTIONS:
            raise _refused_function(name, place)

    def _type(self, cast: Any, place: FileLine) -> None:  # Any: JSON of DuckDB
        """Refuse types of other schemas; the names of types that are unknown fail when the model runs."""
        if isinstance(cast, list):
            for item in cast:
                self._type(item, place)
        if isinstance(cast, dict):
            if cast.get("schema") or cast.get("catalog") or cast.get("class") not in (None, "CONSTANT", "TYPE"):
                raise place.wrong("It names a type of another schema.", "Write a type of DuckDB, such as varchar.")
            for item in cast.values():
                self._type(item, place)

    def _table(self, node: Tree) -> None:
        place = self._at(node.get("query_location"))
        if node.get("sample"):
            raise place.wrong("It takes a sample, which is another one at each build.", "Choose rows by a WHERE.")
        if node.get("at_clause"):
            raise place.wrong("It asks for another version of a table.", "Remove AT (...).")
        if node["type"] == "PIVOT" and any(pivot.get("pivot_enum") for pivot in node.get("pivots", ())):
            raise place.wrong("PIVOT reads its columns from data.", "List them: PIVOT ... IN ('a', 'b').")
        self._children(node)

    def _read(self, node: Tree) -> None:
        """Check what is read as a table, and count the uses of refs."""
        place = self._at(node.get("query_location"))
        if node["type"] == "TABLE_FUNCTION":
            name = str(node["function"].get("function_name")).casefold()
            if name not in ROW_FUNCTIONS:
                raise place.wrong(f"It reads from {shorten(name, 60)}(), which is no table of the star.", _BY_REF)
            return
        name = str(node["table_name"])
        is_plain = not node.get("catalog_name") and not node.get("schema_name")
        if is_plain and name in self.template.refs:
            self.uses[name] = self.uses.get(name, 0) + 1
            return
        parts = (node.get("catalog_name"), node.get("schema_name"), self.template.refs.get(name, name))
        said = ".".join(str(part) for part in parts if part)
        raise place.wrong(f"It reads {shorten(said, 80)!r} without ref().", _BY_REF)


def _refused_function(name: str, place: FileLine) -> ConfigError:
    if name in CHANGING:
        return place.wrong(
            f"{name} gives another value at each build.", "Take it from the data, such as max(order_date) of a fact."
        )
    fix = "Use the functions that docs/own-models.md lists: arithmetic, text, time, lists, aggregates and windows."
    return place.wrong(f"The function {shorten(name, 60)} is not allowed.", fix)


def _words(kind: str) -> str:
    return f"{kind.replace('_', ' ').lower()}"
