"""Observability of a tenant: its builds, tests, models and data, from ops.sqlite, the manifest and the published run.

The operator reads everything. A tenant reads the same, except texts that may contain other data: the text of an error
(paths, names of others) and the reason of a quarantine (it quotes the rejected value).
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from pipeline.config.slug import Slug
from pipeline.contracts.sql import quote
from pipeline.gates.finding import Finding, field_of
from pipeline.publish.pointer import served_run
from pipeline.publish.run_manifest import read_manifest
from pipeline.settings import Settings
from pipeline.storage.ops import Ops
from semantic.answering.listing import fact_days
from server.orchestration.source_states import freshness_of, shapes_of
from warehouse.star_schema import table_named

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from server.serving.runs.open_run import OpenRun

Payload = dict[str, Any]  # Any: JSON values

_BUILD = ("run_id", "status", "started_at", "finished_at")
_STEP = ("step", "status", "attempts", "rows_in", "rows_out", "quarantined", "bytes", "seconds", "at")

MOST_BUILDS = 50
"""Newest builds to search for steps of a tenant."""


def summary(slug: Slug, ops: Ops, settings: Settings, *, is_operator: bool) -> Payload:
    """A summary of the tenant: its run, last build, tests, quarantined records and drifted tables."""
    builds = runs_of(slug, ops, MOST_BUILDS, None, is_operator=is_operator)
    _, tests = tests_of(slug, ops)
    _, models = models_of(slug, ops, settings)
    published = settings.published(slug)
    served = served_run(published)
    run_id = served.run_id if served else None
    return {
        "tenant": slug,
        "run_id": run_id,
        "published_at": read_manifest(published / run_id).published_at.isoformat() if run_id else None,
        "last_build": {name: builds[0][name] for name in _BUILD} if builds else None,
        "tests": {status: sum(test["status"] == status for test in tests) for status in ("pass", "warn", "fail")},
        "models": len(models),
        "quarantined": sum(row["count"] for row in ops.quarantine(slug)),
        "drifted": sum(shape["advice"] is not None for shape in shapes_of(slug, ops)),
        "findings": findings_of(slug, settings)
        if is_operator
        else [finding.text for finding in details_of(slug, settings)],
        "details": [finding.to_dict() for finding in details_of(slug, settings)],
    }


def runs_of(slug: Slug, ops: Ops, limit: int, before: int | None, *, is_operator: bool) -> list[Payload]:
    """The builds that took a step for the tenant, newest first, each with those steps.

    Args:
        slug: The tenant.
        ops: The operations database.
        limit: The most builds to return.
        before: Only builds with a lower number of their first step for the tenant.
        is_operator: Whether the text of errors is included.
    """
    builds = ops.connection.execute(
        "select run_id, min(step_id) as number from steps where tenant = ?1 group by run_id"
        " having ?2 is null or min(step_id) < ?2 order by number desc limit ?3",
        (slug, before, limit),
    ).fetchall()
    return [_run(row["run_id"], row["number"], slug, ops, is_operator=is_operator) for row in builds]


def run_of(slug: Slug, run_id: str, ops: Ops, *, is_operator: bool) -> Payload | None:
    """One build with its steps for the tenant; None where it has none."""
    if not ops.steps(run_id, slug):
        return None
    return _run(run_id, 0, slug, ops, is_operator=is_operator)


def _run(run_id: str, number: int, slug: Slug, ops: Ops, *, is_operator: bool) -> Payload:
    """A build from the view of the tenant: failed when one of its own steps failed, independent of other tenants."""
    steps = ops.steps(run_id, slug)
    row = ops.connection.execute("select * from runs where run_id = ?", (run_id,)).fetchone()
    status = "failed" if any(step["status"] == "failed" for step in steps) else "done"
    if row is not None and row["status"] in ("running", "interrupted"):
        status = row["status"]
    return {
        "run_id": run_id,
        "status": status,
        "started_at": row["started_at"] if row else None,
        "finished_at": row["finished_at"] if row else None,
        "steps": [
            {name: step[name] for name in _STEP} | {"detail": step["detail"] if is_operator else None} for step in steps
        ],
        "number": number,
    }


def tests_of(slug: Slug, ops: Ops) -> tuple[str | None, list[Payload]]:
    """The last results of the tenant's dbt tests, and the build that ran them."""
    run_id, nodes = _last_nodes(slug, ops, ("test", "unit_test"))
    return run_id, [
        {
            "name": node["name"],
            "kind": node["kind"],
            "test": node.get("test"),
            "model": _last_part(node.get("checks")),
            "column": node.get("column"),
            "severity": node.get("severity"),
            "status": {"success": "pass", "error": "fail"}.get(node["status"], node["status"]),
            "failures": node["failures"] or 0,
            "seconds": node["seconds"],
            "at": node["at"],
        }
        for node in nodes
    ]


def models_of(slug: Slug, ops: Ops, settings: Settings) -> tuple[str | None, list[Payload]]:
    """The last results of the tenant's dbt models, with rows from the published run where it has them."""
    run_id, nodes = _last_nodes(slug, ops, ("model", "seed", "snapshot"))
    published = settings.published(slug)
    served = served_run(published)
    rows = {table.name: table.rows for table in read_manifest(published / served.run_id).tables} if served else {}
    return run_id, [
        {
            "name": node["name"],
            "kind": node["kind"],
            "project": node["project"],
            "materialization": node.get("materialization"),
            "status": node["status"],
            "seconds": node["seconds"],
            "rows": rows.get(node["name"], node.get("rows")),
            "depends_on": [_last_part(name) for name in node["depends_on"]],
            "at": node["at"],
        }
        for node in nodes
    ]


def _last_nodes(slug: Slug, ops: Ops, kinds: tuple[str, ...]) -> tuple[str | None, list[Payload]]:
    """The dbt nodes of these kinds in the newest run that had any: of a build, or of dbt by hand."""
    for run_id in ops.artifact_runs(slug, limit=MOST_BUILDS):
        artifacts = ops.artifacts(run_id, slug)
        nodes = [{**row["node"], "at": row["at"]} for row in artifacts if row["node"]["kind"] in kinds]
        if nodes:
            return run_id, sorted(nodes, key=lambda node: (node["project"], node["name"]))
    return None, []


def _last_part(node_id: str | None) -> str | None:
    """The name in a dbt node id, which is kind, project and name."""
    return node_id and node_id.split(".")[2 if node_id.count(".") >= 2 else -1]


def quarantine_of(slug: Slug, ops: Ops, *, with_values: bool) -> list[Payload]:
    """The quarantined records of the tenant, newest first: by file and reason."""
    return [
        {
            "run_id": row["run_id"],
            "platform": row["platform"],
            "account": row["account"],
            "object": row["object"],
            "file": PurePath(row["path"]).name,
            "field": field_of(row["reason"]),
            "reason": row["reason"] if with_values else None,
            "count": row["count"],
            "at": row["at"],
        }
        for row in ops.quarantine(slug)
    ]


def drift_of(slug: Slug, ops: Ops, settings: Settings, *, is_operator: bool) -> Payload:
    """The observed shapes of the tenant's sources, and the drift findings of the last build."""
    findings = [finding for finding in findings_of(slug, settings) if "drifted" in finding] if is_operator else []
    return {"drift": shapes_of(slug, ops), "findings": findings}


def findings_of(slug: Slug, settings: Settings) -> list[str]:
    """The findings of the last published build."""
    from server.orchestration.publishing import read_published_star

    built = read_published_star(settings, slug)
    return list(built.findings) if built else []


def details_of(slug: Slug, settings: Settings) -> tuple[Finding, ...]:
    """What gates found in the data of the last published build: written for the tenant's readers too."""
    from server.orchestration.publishing import read_published_star

    built = read_published_star(settings, slug)
    return built.details if built else ()


def freshness(run: OpenRun, ops: Ops) -> Payload:
    """Freshness: the age of the run, the last day of each fact, the newest export of each source."""
    published_at = run.manifest.published_at
    facts = [fact_days(fact) for fact in run.model.catalog.facts.values()]
    return {
        "run_id": run.run_id,
        "published_at": published_at.isoformat(),
        "hours_since_publish": max(0.0, round((datetime.now(UTC) - published_at).total_seconds() / 3600, 2)),
        "facts": facts,
        "sources": freshness_of(run.slug, ops),
    }


def identity(run: OpenRun, cursor: DuckDBPyConnection) -> Payload:
    """Identity resolution: counts of users, orders, sessions and events linked to customers, in the published run."""
    tables = {name: quote(table_named(name).table_name(run.slug)) for name in _COUNTED}
    row = cursor.execute(_IDENTITY.format(**tables)).fetchall()[0]
    counts = dict(zip(_COUNTS, row, strict=True))
    return {
        "run_id": run.run_id,
        **counts,
        "customer_share": _share(counts["customers"], counts["users"]),
        "order_session_share": _share(counts["orders_with_session"], counts["orders"]),
    }


def inferred(run: OpenRun, cursor: DuckDBPyConnection) -> dict[str, int]:
    """Rows per dimension table that no vendor sent: facts refer to them, and only their key is known."""
    tables = [table.name for table in run.manifest.tables if any(c.name == "is_inferred" for c in table.columns)]
    if not tables:
        return {}
    counts = ", ".join(f"(select count(*) from {quote(name)} where is_inferred)" for name in tables)
    return dict(zip(tables, cursor.execute(f"select {counts}").fetchall()[0], strict=True))


def _share(part: int, total: int) -> float | None:
    return round(part / total, 6) if total else None


_COUNTED = ("users", "orders", "sessions", "events")
_COUNTS = (
    *("users", "users_with_email", "customers"),
    *("orders", "orders_with_session", "orders_with_customer"),
    *("sessions", "sessions_with_customer", "events", "events_without_user"),
)
_IDENTITY = """
    select u.*, o.*, s.*, e.*
    from (select count(*), count(customer_email), count(*) filter (is_customer) from {users}) as u,
        (select count(*), count(session_id), count(customer_key) from {orders}) as o,
        (select count(*), count(*) filter (who.is_customer)
            from {sessions} as visits left join {users} as who using (user_key)) as s,
        (select count(*), count(*) filter (user_key is null) from {events}) as e
"""
