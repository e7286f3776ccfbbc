"""DuckDB's own syntax tree of a text that a tenant wrote, as JSON; nothing of the text runs.

A tree of another parser would be a proof about another text: where the two differ, what is checked is not what runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import duckdb

Tree = dict[str, Any]  # Any: JSON of DuckDB

ROW_FUNCTIONS: Final = frozenset(("generate_series", "range", "unnest"))
"""Functions that may stand for a table: they read their arguments alone."""


def syntax_tree(sql: str) -> Tree:
    """The tree of a text: its `statements`, or `error` with its message where it is not made of SELECTs.

    Raises:
        ValueError: DuckDB cannot take the text.
        RecursionError: It is nested deeper than this process can look at.
    """
    with _parser().cursor() as cursor:
        try:
            ((text,),) = cursor.execute("select json_serialize_sql(?::varchar)", [sql]).fetchall()
        except duckdb.Error as error:
            raise ValueError(str(error)) from error
    tree: Tree = json.loads(text)
    return tree


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    """An empty database: opening one takes longer than parsing. It has no threads, so that a fork may use it."""
    sandbox: dict[str, str | bool | int | float | list[str]] = {
        "enable_external_access": False,
        "autoload_known_extensions": False,
        "autoinstall_known_extensions": False,
        "lock_configuration": True,
        "threads": 1,
    }
    return duckdb.connect(":memory:", config=sandbox)


def tables_read(tree: Any, known: frozenset[str] = frozenset()) -> Iterator[Tree]:  # Any: JSON of DuckDB
    """The nodes of what is read as a table: BASE_TABLE by name, without the CTEs that are seen there; TABLE_FUNCTION.

    Args:
        tree: Of a text, or a part of one.
        known: Names of CTEs that are seen from outside of it, in lower case.
    """
    if isinstance(tree, list):
        for item in tree:
            yield from tables_read(item, known)
    if not isinstance(tree, dict):
        return
    if tree.get("type") == "BASE_TABLE":
        is_plain = not tree.get("catalog_name") and not tree.get("schema_name")
        if not is_plain or str(tree["table_name"]).casefold() not in known:
            yield tree
    if tree.get("type") == "TABLE_FUNCTION":
        yield tree
    for entry in tree.get("cte_map", {}).get("map", ()):
        yield from tables_read(entry["value"], known)
        known |= {entry["key"].casefold()}
    if tree.get("type") == "RECURSIVE_CTE_NODE":
        known |= {str(tree.get("cte_name") or tree.get("ctename")).casefold()}
    for name, value in tree.items():
        if name != "cte_map":
            yield from tables_read(value, known)
