"""Readiness of a tenant, from tenants.yaml, the published folder and ops.sqlite, without opening a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.config.slug import Slug
from pipeline.gates.finding import finding_texts, read_findings
from pipeline.publish.pointer import served_run
from pipeline.publish.run_files import FINDINGS
from pipeline.publish.run_manifest import read_manifest
from pipeline.storage.ops import Ops
from server.serving.access import no_such_tenant
from server.serving.runs.published_runs import PublishedRuns
from server.serving.runs.tenant_status import OFFBOARDED

Payload = dict[str, Any]  # Any: JSON values


def readiness(runs: PublishedRuns, ops: Ops, slug: Slug) -> Payload:
    """Whether the tenant can be queried (`ready`), else its state.

    The state is `offboarded`, `building`, `failed` or `not_built`.

    Raises:
        AccessError: The tenant is unknown.
        PublishError: Every run of it is damaged.
    """
    folder = runs.settings.published(slug)
    served = served_run(folder)
    run_id = served.run_id if served else None
    published_at = read_manifest(folder / run_id).published_at.isoformat() if run_id else None
    last_build = _last_build(ops, slug)
    status = runs.tenant_status.status(slug)
    if run_id is None and last_build is None and status is None:
        raise no_such_tenant()
    state = "ready" if run_id else {"running": "building", "failed": "failed"}.get(last_build or "", "not_built")
    if status == OFFBOARDED:
        state = OFFBOARDED
    else:
        runs.tenant_status.check(slug)
    return {
        "tenant": slug,
        "state": state,
        "run_id": run_id,
        "published_at": published_at,
        "last_build": last_build,
        "findings": _findings(folder / run_id) if run_id else [],
    }


def _findings(run_dir: Path) -> list[str]:
    """What gates found in the data of a run; none where an earlier release published it."""
    try:
        return finding_texts(read_findings((run_dir / FINDINGS).read_bytes()))
    except (OSError, ValueError):
        return []


def _last_build(ops: Ops, slug: Slug) -> str | None:
    """The state of the newest build with a step for this tenant: running, done, failed or interrupted."""
    for run in ops.runs(limit=20):
        steps = ops.steps(run["run_id"], slug)
        if any(step["status"] == "failed" for step in steps):
            return "failed"
        if steps:
            return str(run["status"])
    return None
