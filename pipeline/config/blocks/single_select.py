"""Checks that a text is one SELECT over the tables of one tenant's star, by parsing it; nothing runs.

A tenant's SQL reads tables by their bare names and calls functions that the parser knows by what they do: no file, no
setting, no other database, no second statement. What runs it bounds its time and memory.
"""

from __future__ import annotations

import logging
import re

from pipeline.config.slug import Slug

LONGEST = 10_000
TODAY = "today"
"""The one parameter: `$today`, the day that named time ranges count from."""

_MORE_FUNCTIONS = frozenset(("list_sum", "list_avg", "list_min", "list_max", "list_count", "isoyear", "weekday"))
"""Functions of DuckDB that the parser does not know, and that read their arguments alone."""


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
    return _problem(statements[0], slug)


def _problem(statement: object, slug: Slug) -> str | None:
    from sqlglot import exp

    if not isinstance(statement, exp.Query) or statement.find(exp.Into, exp.DML, exp.DDL):
        return "is no SELECT"
    own = re.compile(rf"(fct|dim|mart)_{slug}__[a-z0-9_]+")
    named = {each.alias for each in statement.find_all(exp.CTE)}
    for table in statement.find_all(exp.Table):
        if isinstance(table.this, exp.GenerateSeries | exp.Unnest):
            continue
        is_bare = isinstance(table.this, exp.Identifier) and not table.db and not table.catalog
        if not is_bare or (table.name not in named and not own.fullmatch(table.name)):
            return f"reads {table.sql('duckdb')[:80]!r}, which is no table of {slug}"
    for function in statement.find_all(exp.Anonymous):
        if function.name.lower() not in _MORE_FUNCTIONS:
            return f"calls {function.name[:80]}, which is not permitted"
    for parameter in statement.find_all(exp.Parameter, exp.Placeholder):
        if parameter.name != TODAY:
            return f"has the parameter {parameter.sql('duckdb')[:80]}, and there is only ${TODAY}"
    return None
