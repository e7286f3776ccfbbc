"""Proves that a model is one SELECT over its refs alone, on the syntax tree that DuckDB itself makes of the text.

A tree of another parser would be a proof about another text: where the two differ, what is checked is not what runs.
Everything in the tree that is not known here is refused, so a new kind of DuckDB is refused until somebody looks at it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import duckdb

from pipeline.errors import ConfigError, shorten
from warehouse.own_models.file_line import FileLine
from warehouse.own_models.functions import CHANGING, FUNCTIONS, OF_THE_SESSION, TABLE_FUNCTIONS
from warehouse.own_models.template import Template

Tree = dict[str, Any]  # Any: JSON of DuckDB
Names = frozenset[str]

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
    _Check(template, place).statement()


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    sandbox: dict[str, str | bool | int | float | list[str]] = {
        "enable_external_access": False,
        "autoload_known_extensions": False,
        "autoinstall_known_extensions": False,
        "lock_configuration": True,
        "threads": 1,
    }
    return duckdb.connect(":memory:", config=sandbox)


@dataclass
class _Check:
    template: Template
    place: FileLine
    uses: dict[str, int] = field(default_factory=dict)

    def statement(self) -> None:
        """Check the whole text."""
        parsed = self._parsed()
        if parsed.get("error"):
            raise self._unreadable(parsed)
        statements = parsed.get("statements") or []
        if len(statements) != 1:
            what = f"This is {len(statements)} statements." if statements else "There is no SELECT."
            raise self.place.wrong(what, _ONE_SELECT)
        if statements[0].get("named_param_map"):
            raise self.place.wrong("It has a parameter.", "Write the value itself.")
        self._query(statements[0]["node"], frozenset())
        for placeholder, line in self.template.lines.items():
            if self.uses.get(placeholder, 0) != 1:
                raise self.place.at(line).wrong(
                    f"ref({self.template.refs[placeholder]!r}) stands where no table does.",
                    "Write it behind FROM or JOIN, outside of texts and comments.",
                )

    def _parsed(self) -> Tree:
        try:
            ((text,),) = _parser().cursor().execute("select json_serialize_sql(?)", [self.template.sql]).fetchall()
            parsed: Tree = json.loads(text)
        except (duckdb.Error, ValueError, RecursionError) as error:
            raise self.place.wrong("DuckDB cannot parse it.", "Write it with less nesting.") from error
        return parsed

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

    def _query(self, node: Tree, known: Names) -> None:
        """Check a query; `known` are the CTEs that it sees."""
        if node.get("type") not in QUERIES:
            raise self.place.wrong(f"It holds {node.get('type')}.", _ONE_SELECT)
        for entry in node["cte_map"]["map"]:
            self._walk(entry["value"], known)
            known |= {entry["key"].casefold()}
        if node.get("sample"):
            raise self.place.wrong("It takes a sample, which is another one at each build.", "Choose rows by a WHERE.")
        if node["type"] == "RECURSIVE_CTE_NODE":
            known |= {str(node.get("cte_name") or node.get("ctename")).casefold()}
        for name, value in node.items():
            if name != "cte_map":
                self._walk(value, known)

    def _walk(self, value: Any, known: Names) -> None:  # Any: JSON of DuckDB
        if isinstance(value, list):
            for item in value:
                self._walk(item, known)
        elif isinstance(value, dict):
            self._node(value, known)

    def _node(self, node: Tree, known: Names) -> None:
        kind, of_expressions = node.get("type"), node.get("class")
        if "cte_map" in node:
            self._query(node, known)
        elif isinstance(of_expressions, str):
            self._expression(node, of_expressions, known)
        elif node.keys() <= _VALUE:
            return
        elif kind in TABLES:
            self._table(node, known)
        elif kind is not None and kind not in OTHERS:
            raise self._at(node.get("query_location")).wrong(f"It holds {_words(kind)}.", _ONE_SELECT)
        else:
            self._children(node, known)

    def _children(self, node: Tree, known: Names) -> None:
        for value in node.values():
            self._walk(value, known)

    def _expression(self, node: Tree, kind: str, known: Names) -> None:
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
            self._walk(node["child"], known)
            return
        self._children(node, known)

    def _column(self, node: Tree, place: FileLine) -> None:
        name = str(node["column_names"][0]).casefold()
        if len(node["column_names"]) == 1 and name in CHANGING | OF_THE_SESSION:
            raise _refused_function(name, place)

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

    def _table(self, node: Tree, known: Names) -> None:
        place = self._at(node.get("query_location"))
        if node.get("sample"):
            raise place.wrong("It takes a sample, which is another one at each build.", "Choose rows by a WHERE.")
        if node["type"] == "BASE_TABLE":
            self._base_table(node, place, known)
        elif node["type"] == "TABLE_FUNCTION":
            name = str(node["function"].get("function_name")).casefold()
            if name not in TABLE_FUNCTIONS:
                raise place.wrong(f"It reads from {shorten(name, 60)}(), which is no table of the star.", _BY_REF)
        elif node["type"] == "PIVOT" and any(pivot.get("pivot_enum") for pivot in node.get("pivots", ())):
            raise place.wrong("PIVOT reads its columns from data.", "List them: PIVOT ... IN ('a', 'b').")
        self._children(node, known)

    def _base_table(self, node: Tree, place: FileLine, known: Names) -> None:
        name = str(node["table_name"])
        if node.get("at_clause"):
            raise place.wrong("It asks for another version of a table.", "Remove AT (...).")
        is_plain = not node.get("catalog_name") and not node.get("schema_name")
        if is_plain and name in self.template.refs:
            self.uses[name] = self.uses.get(name, 0) + 1
        elif not is_plain or name.casefold() not in known:
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
