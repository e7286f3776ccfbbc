"""What happened to own models and their tests, as nodes beside those of dbt."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from pipeline.config.tenant import Tenant
from warehouse.own_models.column_tests import failures_query
from warehouse.own_models.own_models import OwnModel
from warehouse.own_models.schema_file import ColumnTest
from warehouse.run_dbt import Node

Event = Mapping[str, Any]  # Any: JSON values


def model_node(tenant: Tenant, model: OwnModel, event: Event) -> Node:
    """The node of a model that was built."""
    sql = model.template.rendered()
    return Node(
        node_id=_node_id(tenant, "model", model.name),
        project=_project(tenant),
        name=model.name,
        kind="model",
        status="success",
        seconds=event["seconds"],
        failures=None,
        message="",
        depends_on=tuple(_node_id(tenant, "model", name) for name in model.depends_on),
        sql=sql,
        definition_hash=hashlib.md5(model.template.sql.encode(), usedforsecurity=False).hexdigest(),
        config={"materialized": model.template.materialized, "tags": list(model.template.tags)},
        materialization="table",
        tags=model.template.tags,
        rows=event["rows"],
    )


def column_test_node(tenant: Tenant, model: OwnModel, test: ColumnTest, event: Event) -> Node:
    """The node of a test that ran."""
    sql, checked = failures_query(model, test), _node_id(tenant, "model", model.name)
    name = f"{test.test}_{model.name}_{test.column}"
    return Node(
        node_id=_node_id(tenant, "test", name),
        project=_project(tenant),
        name=name,
        kind="test",
        status="fail" if event["failures"] else "pass",
        seconds=event["seconds"],
        failures=event["failures"],
        message="",
        depends_on=(checked, *([_node_id(tenant, "model", test.to)] if test.to else [])),
        sql=sql,
        definition_hash=hashlib.md5(sql.encode(), usedforsecurity=False).hexdigest(),
        config={},
        checks=checked,
        test=test.test,
        column=test.column,
        severity="error",
    )


def _project(tenant: Tenant) -> str:
    return f"stars_{tenant.slug}"


def _node_id(tenant: Tenant, kind: str, name: str) -> str:
    return f"{kind}.{_project(tenant)}.{name}"
