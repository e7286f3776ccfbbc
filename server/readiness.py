"""How far a tenant is: what the published folder and the ledger of runs say, without opening anything."""

from __future__ import annotations

from typing import Any

from pipeline.connectors import load_catalog
from pipeline.manifest import read_manifest
from pipeline.pointer import latest
from pipeline.runs import Ops
from pipeline.settings import Settings
from pipeline.tenants import load_tenants
from server.access import no_such_tenant
from server.workshop import CATALOG

Payload = dict[str, Any]  # Any: JSON values


def readiness(settings: Settings, ops: Ops, slug: str) -> Payload:
    """Whether the tenant can be asked (`ready`), and else whether it is being built, has failed or was never built.

    Raises:
        AccessError: Nobody has heard of the tenant.
        PublishError: Its pointer or manifest is damaged.
        ConfigError: tenants.yaml cannot be read.
    """
    folder = settings.published(slug)
    run_id = latest(folder)
    published_at = read_manifest(folder / run_id).published_at.isoformat() if run_id else None
    last_build = _last_build(ops, slug)
    if run_id is None and last_build is None and not _is_configured(settings, slug):
        raise no_such_tenant()
    state = "ready" if run_id else {"running": "building", "failed": "failed"}.get(last_build or "", "not_built")
    return {
        "tenant": slug,
        "state": state,
        "run_id": run_id,
        "published_at": published_at,
        "last_build": last_build,
    }


def _is_configured(settings: Settings, slug: str) -> bool:
    return any(tenant.slug == slug for tenant in load_tenants(settings.tenants, load_catalog(CATALOG)).tenants)


def _last_build(ops: Ops, slug: str) -> str | None:
    """How the newest build that took a step for this tenant went: running, done, failed or interrupted."""
    for run in ops.runs(limit=20):
        steps = [step for step in ops.steps(run["run_id"]) if step["tenant"] == slug]
        if any(step["status"] == "failed" for step in steps):
            return "failed"
        if steps:
            return str(run["status"])
    return None
