"""Recorded runs: the newest of a home or of one tenant, and one run with its steps and audit records."""

from __future__ import annotations

from typing import Any

from pipeline.errors import ConfigError, shorten
from pipeline.storage.ops import Ops, Row

NEAR_RUNS = 5


def list_runs(ops: Ops, tenant: str | None, limit: int) -> list[Row]:
    """The newest runs, each with its steps counted; with a tenant those that took a step for it, and only those steps.

    `failed` names the tenants with a failed step, `rows_in` and `rows_out` are those of the landing and the publishing.
    """
    found = ops.connection.execute(_LISTED, (tenant, limit)).fetchall()
    return [{**dict(row), "failed": sorted(filter(None, (row["failed"] or "").split(",")))} for row in found]


_LISTED = """
    with listed as (
        select run_id, status, started_at, finished_at, detail from runs
        where ?1 is null order by run_id desc limit ?2
    ),
    of_tenant as (
        select distinct steps.run_id from steps where steps.tenant = ?1 order by steps.run_id desc limit ?2
    ),
    chosen as (
        select * from listed
        union all
        select runs.run_id, runs.status, runs.started_at, runs.finished_at, runs.detail
        from of_tenant inner join runs on runs.run_id = of_tenant.run_id where ?1 is not null
    )
    select chosen.run_id, chosen.status, chosen.started_at, chosen.finished_at, chosen.detail,
        count(distinct case when steps.tenant <> '*' then steps.tenant end) as tenants, count(steps.step_id) as steps,
        sum(case when steps.step = 'land' then steps.rows_in end) as rows_in,
        sum(case when steps.step = 'publish' then steps.rows_out end) as rows_out,
        sum(steps.quarantined) as quarantined, round(coalesce(sum(steps.seconds), 0), 3) as seconds,
        group_concat(distinct case when steps.status = 'failed' then steps.tenant end) as failed
    from chosen left join steps on steps.run_id = chosen.run_id and (?1 is null or steps.tenant = ?1)
    group by chosen.run_id order by chosen.run_id desc
"""


def find_run(ops: Ops, run_id: str, tenant: str | None) -> dict[str, Any]:  # Any: JSON values
    """One run, its steps and its audit records; those of one tenant where one is named.

    Raises:
        ConfigError: There is no such run; names the newest ones.
    """
    rows = ops.connection.execute("select * from runs where run_id = ?", (run_id,)).fetchall()
    if not rows:
        known = ", ".join(row["run_id"] for row in ops.runs(limit=NEAR_RUNS))
        raise ConfigError(
            f"There is no recorded run {shorten(run_id, 60)!r}.",
            f"Choose one that `gata runs` lists: {known}." if known else "Run `gata build` first: none is recorded.",
        )
    steps = [_without_keys(step) for step in ops.steps(run_id, tenant)]
    audit = [_without_keys(record) for record in ops.audit_records(run_id, tenant)]
    return {**dict(rows[0]), "steps": steps, "audit": audit}


def _without_keys(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in ("step_id", "audit_id", "run_id")}
