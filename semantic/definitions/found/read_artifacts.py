"""Reads what dbt wrote of its own run into a star: the descriptions, meta and tested references of its models."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import duckdb

from warehouse.star_schema import Reference
from warehouse.table_descriptions import ColumnDescription, TableDescription, TableDescriptions

ARTIFACTS = ("model_artifacts__history", "test_artifacts__history")
_REF = re.compile(r"ref\(\s*['\"](\w+)['\"]\s*\)")
_LATEST = "QUALIFY row_number() OVER (PARTITION BY node_id ORDER BY recorded_at DESC, run_id DESC) = 1"


def read_descriptions(connection: duckdb.DuckDBPyConnection) -> TableDescriptions:
    """Read what dbt says of the models of a star, by the name of their tables; nothing of a star without artifacts.

    Raises:
        duckdb.Error: The star cannot be read.
    """
    names = {name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    if not names.issuperset(ARTIFACTS):
        return {}
    references: dict[str, list[Reference]] = {}
    for table, reference in _references(connection):
        references.setdefault(table, []).append(reference)
    models = f"FROM {ARTIFACTS[0]} WHERE resource_type = 'model' {_LATEST}"
    sql = f"SELECT name, description, columns, meta {models} ORDER BY name"
    return {
        name: TableDescription(
            description=description or "",
            meta=json.loads(meta or "{}"),
            columns={
                column["name"]: ColumnDescription(
                    description=column.get("description") or "", meta=column.get("meta") or {}
                )
                for column in json.loads(columns or "[]")
            },
            references=tuple(references.get(name, ())),
        )
        for name, description, columns, meta in connection.execute(sql).fetchall()
    }


def _references(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, Reference]]:
    """The table of each `relationships` test, and what it refers to."""
    sql = f"SELECT tested_node, column_name, arguments FROM {ARTIFACTS[1]} WHERE test_name = 'relationships' {_LATEST}"
    for node, column, arguments in sorted(connection.execute(sql).fetchall()):
        given = json.loads(arguments or "{}")
        given = given.get("arguments") or given
        to = _REF.search(str(given.get("to", "")))
        if to and column and given.get("field"):
            yield str(node).rpartition(".")[2], Reference(column, to[1], str(given["field"]))
