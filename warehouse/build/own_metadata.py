"""Writes what own models and their tests did beside the rows of dbt metadata, in the star file, where they wait.

The hooks of dbt write the rows of what dbt runs; own models are run by warehouse/own_models. They are a project of
their own, so that the views of what is so now leave out a model that the tenant has no more.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
from structlog.contextvars import get_contextvars

from pipeline.config.tenant import Tenant
from pipeline.contracts.sql import quote
from pipeline.settings import Settings
from pipeline.storage.hub import read_hub
from pipeline.storage.run_id import new_run_id
from warehouse.own_models.own_models import OwnModel
from warehouse.own_models.run_models import Outcome, OwnBuild
from warehouse.own_models.schema_file import ColumnTest

Row = dict[str, Any]  # Any: as the columns of artifact_tables in warehouse/macros/dbt_metadata


def record_own_models(
    tenant: Tenant, models: Sequence[OwnModel], own: OwnBuild, star: Path, settings: Settings
) -> None:
    """Write the rows of a build of own models; a build without any says so once, after one that had some."""
    project = f"own_models_{tenant.slug}"
    if not models and not _is_known(project, tenant, settings):
        return
    by_name = {model.name: model for model in models}
    of_dbt = f"model.stars_{tenant.slug}."
    ids = {name: f"model.{project}.{name}" for name in by_name}
    built = [each for each in own.outcomes if each.test is None]
    tested = [each for each in own.outcomes if each.test]
    rows: Mapping[str, Sequence[Row]] = {
        "model_artifacts__history": [
            _definition(by_name[each.node.name], ids, of_dbt, built_as=each.node.sql) for each in built
        ],
        "test_artifacts__history": [_test(each.test, each, ids, project) for each in tested if each.test],
        "run_results__history": [_result(each, project) for each in own.outcomes],
        "invocations__history": [
            {
                "command": "build",
                "target": "own models",
                "started_at": own.started_at.replace(tzinfo=None),
                "node_ids": [*ids.values(), *(_test_id(each, project) for each in tested)],
            }
        ],
    }
    stamp = {
        "run_id": get_contextvars().get("run_id") or new_run_id(settings.now()),
        "tenant_slug": tenant.slug,
        "project": project,
        "invocation_id": str(uuid4()),
        "recorded_at": datetime.now(UTC).replace(tzinfo=None),
    }
    with duckdb.connect(str(star)) as connection:
        connection.execute("begin")
        for table, listed in rows.items():
            for row in listed:
                _insert(connection, table, stamp | row)
        connection.execute("commit")


def _is_known(project: str, tenant: Tenant, settings: Settings) -> bool:
    """Whether the hub has models of the project that are there now."""
    with read_hub(settings) as hub:
        known = hub.execute(
            "select 1 from model_artifacts__current where tenant_slug = ? and project = ? limit 1",
            [tenant.slug, project],
        )
        return bool(known.fetchall())


def _insert(connection: duckdb.DuckDBPyConnection, table: str, row: Row) -> None:
    columns, marks = ", ".join(map(quote, row)), ", ".join("?" * len(row))
    connection.execute(f"insert into {table} ({columns}) values ({marks})", [*row.values()])


def _definition(model: OwnModel, ids: Mapping[str, str], of_dbt: str, *, built_as: str) -> Row:
    words = model.words.description if model.words else None
    columns = [
        {"name": name, "description": column.description, "meta": column.meta}
        for name, column in (words.columns.items() if words else ())
    ]
    return _hashed(
        {
            "node_id": ids[model.name],
            "name": model.name,
            "resource_type": "model",
            "materialization": "table",
            "depends_on": [ids.get(name, of_dbt + name) for name in model.depends_on],
            "tags": list(model.template.tags),
            "config": json.dumps({"materialized": model.template.materialized, "tags": model.template.tags}),
            "relation": f'"main".{quote(model.name)}',
            "path": model.place.file,
            "description": words.description if words else "",
            "columns": json.dumps(columns),
            "meta": json.dumps(words.meta if words else {}),
            "text_hash": hashlib.md5(built_as.encode(), usedforsecurity=False).hexdigest(),
        }
    )


def _test(test: ColumnTest, outcome: Outcome, ids: Mapping[str, str], project: str) -> Row:
    node = outcome.node
    said = {"values": test.values, "to": test.to, "field": test.to_column}
    arguments = {name: value for name, value in said.items() if value}
    return _hashed(
        {
            "node_id": _test_id(outcome, project),
            "name": node.name,
            "resource_type": "test",
            "test_name": test.test,
            "tested_node": ids[node.checks or ""],
            "column_name": test.column,
            "depends_on": [ids[node.checks or ""]],
            "severity": "error",
            "arguments": json.dumps(arguments),
            "tags": [],
            "config": "{}",
            "path": test.place.file,
            "description": "",
        }
    )


def _result(outcome: Outcome, project: str) -> Row:
    node = outcome.node
    return {
        "node_id": f"{node.kind}.{project}.{node.name}",
        "name": node.name,
        "resource_type": node.kind,
        "status": node.status,
        "seconds": outcome.seconds,
        "rows": node.rows,
        "failures": node.failures,
        "message": node.message,
        "started_at": outcome.started_at.replace(tzinfo=None),
        "completed_at": (outcome.started_at + timedelta(seconds=outcome.seconds)).replace(tzinfo=None),
    }


def _test_id(outcome: Outcome, project: str) -> str:
    return f"test.{project}.{outcome.node.name}"


def _hashed(row: Row) -> Row:
    text = json.dumps(row, sort_keys=True)
    return row | {"definition_hash": hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()}
