"""Landing and push without dbt: its generated pushers rendered by Jinja, on the hub of a landing fixture."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import jinja2

from pipeline.config.tenant import Tenant
from pipeline.contracts.registry import Blueprint
from tests.pipeline.landing_fixture import BLUEPRINTS
from warehouse.projects.hub_projects import PUSHED_TO, SINK_COLUMNS, push_project

ROOT = Path(__file__).resolve().parents[2]


class _Result:
    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self.rows = rows


def push(hub: Path, tenant: Tenant, blueprint: Blueprint) -> None:
    """Push what a tenant landed of one object and has not pushed yet."""
    name = f"stg_{tenant.slug}__{blueprint.platform}_{blueprint.object}"
    model = _models(tenant)[f"models/staging/{name}.sql"]
    hooks: list[str] = []

    def config(*, post_hook: list[str], **_: Any) -> str:
        hooks[:] = post_hook
        return ""

    with duckdb.connect(str(hub)) as con:
        con.execute("set TimeZone = 'UTC'")
        _prepare(con, blueprint)

        def run_query(sql: str) -> _Result:
            return _Result(con.execute(sql).fetchall())

        render = _renderer(tenant, blueprint, name, run_query=run_query, config=config)
        view = render(model)
        con.execute("begin")
        con.execute(f"create or replace view {name} as {view}")
        for hook in hooks:
            con.execute(render(hook))
        con.execute("commit")


def current(hub: Path, blueprint: Blueprint, *fields: str) -> list[tuple[Any, ...]]:
    """Fields of the records that count now, sorted, by a plain reading of the rule."""
    with duckdb.connect(str(hub), read_only=True) as con:
        rows = con.execute(
            f"""select raw_data_payload::varchar from {blueprint.sink} where source_platform = ?
            qualify row_number() over (partition by tenant_skey order by
                version_at desc nulls last, exported_at desc, source_position desc, payload_hash desc) = 1""",
            [blueprint.platform],
        ).fetchall()
    records = [json.loads(text) for (text,) in rows]
    return sorted(tuple(record.get(name) for name in fields) for record in records if record != {"_tombstone": True})


@cache
def _macros() -> str:
    return "\n".join(path.read_text() for path in sorted((ROOT / "warehouse/macros").glob("[ou][nt]*/*.sql")))


def _models(tenant: Tenant) -> dict[str, str]:
    return push_project(tenant, BLUEPRINTS)


def _renderer(tenant: Tenant, blueprint: Blueprint, name: str, **names: Any) -> Callable[[str], str]:
    landing = f"landing_{tenant.slug}"
    tables = {blueprint.object: blueprint.landing_table, "loads": "_dlt_loads", "deliveries": "landed_deliveries"}

    def source(schema: str, table: str) -> str:
        return table if schema == "hub" else f"{landing}.{tables[table.rpartition('__')[2]]}"

    scope = {"source": source, "execute": True, "this": name, **names}
    return lambda text: _template(text).render(scope).strip()


@cache
def _template(text: str) -> jinja2.Template:
    """A text after all macros, compiled once: that takes longer than a push."""
    environment = jinja2.Environment(extensions=["jinja2.ext.do"], undefined=jinja2.StrictUndefined)
    return environment.from_string(_macros() + text)


def _prepare(con: duckdb.DuckDBPyConnection, blueprint: Blueprint) -> None:
    columns = ", ".join(f"{name} {type_}" for name, type_ in SINK_COLUMNS)
    con.execute(f"create table if not exists {blueprint.sink} ({columns})")
    for table in PUSHED_TO:
        text = (ROOT / f"warehouse/models/platform/{table}.sql").read_text()
        query = text[text.index("\nselect") :]
        con.execute(f"create table if not exists {table} as {query}")
