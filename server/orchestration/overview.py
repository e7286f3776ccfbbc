"""The status of each tenant and the plan of the next build: the data of `gata status` and `gata plan`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import duckdb

from pipeline.config.slug import Slug
from pipeline.config.tenant import Tenant
from pipeline.config.tenants_file import RefusedEntry
from pipeline.errors import GataError, LandError, PublishError
from pipeline.publish.pointer import latest_readable, latest_run_id, run_ids, served_run
from pipeline.publish.run_manifest import read_manifest
from pipeline.settings import Settings
from pipeline.storage.ops import Ops, Row
from server.orchestration.build_context import BuildContext
from server.orchestration.forgetting import last_forgotten
from server.orchestration.isolation.boundary import attempt
from server.orchestration.outputs import output_damage
from server.orchestration.publishing import PublishedStar, read_published_star
from warehouse.build.inputs import star_inputs


def tenant_statuses(context: BuildContext) -> list[dict[str, Any]]:  # Any: JSON values
    """Per tenant: the run that readers see, the result of the last build, and the quarantined records."""
    with Ops(context.settings.ops) as ops:
        found = [_status_or_failure(context, tenant, ops) for tenant in context.manifest.tenants]
    return [*found, *(_refused_status(context, entry) for entry in context.manifest.refused)]


_UNKNOWN: Mapping[str, Any] = {  # Any: JSON values
    "run_id": None,
    "published_at": None,
    "last_build": None,
    "onboarding": [],
    "quarantined": 0,
    "details": [],
}


def _status_or_failure(context: BuildContext, tenant: Tenant, ops: Ops) -> dict[str, Any]:  # Any: JSON values
    """The status of a tenant; of one whose state cannot be read, the reason as its finding."""
    status = attempt(partial(_status, context, tenant, ops), tenant=tenant.slug, step="status")
    if isinstance(status, GataError):
        return {"tenant": tenant.slug, "status": tenant.status, **_UNKNOWN, "findings": [str(status)]}
    return status


def _refused_status(context: BuildContext, entry: RefusedEntry) -> dict[str, Any]:  # Any: JSON values
    """The status of a tenant whose entry in tenants.yaml is wrong: builds refuse it, readers keep the run they have."""
    run_id = latest_readable(context.settings.published(entry.slug)) if entry.slug else None
    findings = [str(entry.error), *(["Builds refuse it; readers keep the run they have."] if run_id else [])]
    return {"tenant": entry.name, "status": "refused", **_UNKNOWN, "run_id": run_id, "findings": findings}


def _status(context: BuildContext, tenant: Tenant, ops: Ops) -> dict[str, Any]:  # Any: JSON values
    folder = context.settings.published(tenant.slug)
    built = read_published_star(context.settings, tenant.slug)
    run_id, published_at, notes = None, None, list(output_damage(context.settings, tenant.slug))
    try:
        if served := served_run(folder):
            run_id = served.run_id
            published_at = read_manifest(folder / run_id).published_at.isoformat()
            notes += served.notes
    except PublishError as error:
        notes.append(str(error))
    steps = _last_steps(tenant, ops)
    failed = [step["detail"] for step in steps if step["status"] == "failed"]
    if tenant.status == "offboarded" and run_id:
        notes.append(f"Readers are refused; run {run_id} is kept until `gata forget --tenant {tenant.slug}`.")
        run_id, published_at = None, None
    elif tenant.status == "offboarded" and (at := last_forgotten(ops, tenant.slug)):
        notes.append(f"It was forgotten on {at[:10]}.")
    return {
        "tenant": tenant.slug,
        "status": tenant.status,
        "run_id": run_id,
        "published_at": published_at,
        "last_build": "failed" if failed else ("done" if steps else None),
        "onboarding": [{key: row[key] for key in _PHASE} for row in ops.onboarding(tenant.slug)],
        "quarantined": sum(row["count"] for row in ops.quarantine(tenant.slug)),
        "findings": [*(built.findings if built else ()), *failed, *notes],
        "details": [finding.to_dict() for finding in (*built.landed, *built.measured)] if built else [],
    }


_PHASE = ("phase", "name", "status", "started_at", "finished_at", "detail")


def _last_steps(tenant: Tenant, ops: Ops) -> list[Row]:
    """The steps of the newest command that ran any step for the tenant."""
    for run in ops.runs("*"):
        if steps := [step for step in ops.steps(run["run_id"]) if step["tenant"] == tenant.slug]:
            return steps
    return []


def onboarded_tenants(records: Sequence[Row]) -> str:
    """The progress of a tenant's onboarding, in a few words; `records` as in its status."""
    if not records:
        return ""
    last = next((record for record in records if record["status"] != "done"), records[-1])
    return (
        "done"
        if last["status"] == "done" and last["phase"] == 5
        else f"{last['phase']} {last['name']}: {last['status']}"
    )


def plan_builds(context: BuildContext) -> list[dict[str, Any]]:  # Any: JSON values
    """Per tenant: the action of the next build, as far as it is known without reading its sources."""
    refused = [
        {"tenant": entry.name, "action": "refused", "reasons": [str(entry.error)]} for entry in context.manifest.refused
    ]
    return [*(_plan(context, tenant) for tenant in context.manifest.tenants), *refused]


def _plan(context: BuildContext, tenant: Tenant) -> dict[str, Any]:  # Any: JSON values
    if tenant.status not in ("active", "onboarding"):
        return {"tenant": tenant.slug, "action": tenant.status, "reasons": [f"its status is {tenant.status}"]}
    reasons = attempt(partial(_reasons, context, tenant), tenant=tenant.slug, step="plan")
    if isinstance(reasons, GataError):
        return {"tenant": tenant.slug, "action": "broken", "reasons": [str(reasons)]}
    return {"tenant": tenant.slug, "action": "build" if reasons else "unchanged", "reasons": reasons}


def _reasons(context: BuildContext, tenant: Tenant) -> list[str]:
    """The reasons to build the tenant: a missing output, else changed inputs and damage."""
    settings, built = context.settings, read_published_star(context.settings, tenant.slug)
    if reason := _missing_output(settings, tenant.slug, built):
        return [reason]
    try:
        inputs = star_inputs(tenant, context.blueprints, settings)
    except LandError as error:
        return [error.what]
    except duckdb.Error as error:
        return [f"the hub cannot be read: {str(error).partition(chr(10))[0]}"]
    is_same = built is not None and inputs == built.inputs
    changed = [] if is_same else ["its configuration, its pushed records or gata itself changed"]
    return [*changed, *(damage.rstrip(".") for damage in output_damage(settings, tenant.slug))]


def _missing_output(settings: Settings, slug: Slug, built: PublishedStar | None) -> str | None:
    """The missing output that makes a build start over; None where all exist, or `output_damage` names it."""
    folder = settings.published(slug)
    try:
        run_id = latest_run_id(folder)
    except PublishError as error:
        return None if built else error.what
    if run_id is None and not (built and run_ids(folder)):
        return f"none of its runs is published: run {built.run_id} is gone" if built else "it has never been published"
    if not settings.hub.exists():
        return "the hub is gone: all its sources are landed again"
    return None if built else f"it is not known what run {run_id} was made of"
