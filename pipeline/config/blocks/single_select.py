"""Checks that a text is one SELECT over the tables of one tenant's star, by parsing it; nothing runs.

A tenant's SQL reads tables by their bare names and calls functions that the parser knows by what they do: no file, no
setting, no other database, no second statement. The tables are looked for in DuckDB's own tree too: where two parsers
differ, it is the one that runs. What runs it bounds its time and memory.
"""

from __future__ import annotations

import logging
import re
from functools import lru_cache

from pipeline.config.blocks.syntax_tree import ROW_FUNCTIONS, syntax_tree, tables_read
from pipeline.config.slug import Slug, star_name

LONGEST = 10_000
TODAY = "today"
"""The one parameter: `$today`, the day that named time ranges count from."""

_MORE_FUNCTIONS = frozenset(("list_sum", "list_avg", "list_min", "list_max", "list_count", "isoyear", "weekday"))
"""Functions of DuckDB that the parser does not know, and that read their arguments alone."""


@lru_cache(maxsize=2_000)
def select_problem(sql: str, slug: Slug) -> str | None:
    """What is wrong with a text that should be one SELECT over a tenant's star, as the end of a sentence."""
    from sqlglot import parse
    from sqlglot.errors import SqlglotError

    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of what it cannot parse, which is refused here
    try:
        statements = [each for each in parse(sql, read="duckdb") if each is not None]
    except (SqlglotError, RecursionError, ValueError) as error:
        line = re.sub(r"\x1b\[\d+m", "", str(error)).partition("\n")[0]
        return f"cannot be parsed: {line.rstrip('. ')}"
    if len(statements) != 1:
        return f"has {len(statements)} statements"
    try:
        return _problem(statements[0], slug) or _problem_of_duckdb(sql, slug)
    except (ValueError, RecursionError):
        return "cannot be run: it is nested too deep"


def _problem_of_duckdb(sql: str, slug: Slug) -> str | None:
    """What DuckDB's own tree of the text reads beside the tenant's tables."""
    tree = syntax_tree(sql)
    if tree["error"]:
        return f"cannot be run: {str(tree['error_message']).partition(chr(10))[0].rstrip('. ')}"
    for table in tables_read(tree["statements"]):
        if table["type"] == "TABLE_FUNCTION":
            function = str(table["function"].get("function_name"))
            if function not in ROW_FUNCTIONS:
                return f"reads the rows of {function[:80]}, which is not permitted"
        elif table["schema_name"] or table["catalog_name"] or not star_name(table["table_name"], slug):
            return f"reads {table['table_name'][:80]!r}, which is no table of {slug}"
    return None


def _problem(statement: object, slug: Slug) -> str | None:
    from sqlglot import exp

    if not isinstance(statement, exp.Query) or statement.find(exp.Into, exp.DML, exp.DDL):
        return "is no SELECT"
    named = {each.alias for each in statement.find_all(exp.CTE)}
    for table in statement.find_all(exp.Table):
        if isinstance(table.this, exp.GenerateSeries | exp.Unnest):
            continue
        is_bare = isinstance(table.this, exp.Identifier) and not table.db and not table.catalog
        if not is_bare or (table.name not in named and not star_name(table.name, slug)):
            return f"reads {table.sql('duckdb')[:80]!r}, which is no table of {slug}"
    for function in statement.find_all(exp.Anonymous):
        if function.name.lower() not in _MORE_FUNCTIONS:
            return f"calls {function.name[:80]}, which is not permitted"
    for parameter in statement.find_all(exp.Parameter, exp.Placeholder):
        if parameter.name != TODAY:
            return f"has the parameter {parameter.sql('duckdb')[:80]}, and there is only ${TODAY}"
    return None
