"""What is there and what a build would do: the answers of `gata status` and `gata plan`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb

from pipeline.config.slug import Slug
from pipeline.config.tenant import Tenant
from pipeline.errors import LandError, PublishError
from pipeline.publish.pointer import latest_run_id, run_ids, served_run
from pipeline.publish.run_manifest import read_manifest
from pipeline.settings import Settings
from pipeline.storage.ops import Ops, Row
from server.orchestration.build_context import BuildContext
from server.orchestration.forgetting import last_forgotten
from server.orchestration.outputs import output_damage
from server.orchestration.publishing import PublishedStar, read_published_star
from warehouse.build.inputs import star_inputs


def tenant_statuses(shop: BuildContext) -> list[dict[str, Any]]:  # Any: JSON values
    """Per tenant: what readers see, how its last build went, and what was kept out."""
    with Ops(shop.settings.ops) as ops:
        return [_status(shop, tenant, ops) for tenant in shop.manifest.tenants]


def _status(shop: BuildContext, tenant: Tenant, ops: Ops) -> dict[str, Any]:  # Any: JSON values
    folder = shop.settings.published(tenant.slug)
    built = read_published_star(shop.settings, tenant.slug)
    run_id, published_at, notes = None, None, list(output_damage(shop.settings, tenant.slug))
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
    }


_PHASE = ("phase", "name", "status", "started_at", "finished_at", "detail")


def _last_steps(tenant: Tenant, ops: Ops) -> list[Row]:
    """What the newest command did for the tenant, of those that did something for it."""
    for run in ops.runs("*"):
        if steps := [step for step in ops.steps(run["run_id"]) if step["tenant"] == tenant.slug]:
            return steps
    return []


def onboarded_tenants(records: Sequence[Row]) -> str:
    """How far a tenant's onboarding is, in a word or two; `records` as in its status."""
    if not records:
        return ""
    last = next((record for record in records if record["status"] != "done"), records[-1])
    return (
        "done"
        if last["status"] == "done" and last["phase"] == 5
        else f"{last['phase']} {last['name']}: {last['status']}"
    )


def plan_builds(shop: BuildContext) -> list[dict[str, Any]]:  # Any: JSON values
    """Per tenant: what the next build would do, as far as can be said without reading its sources."""
    return [_plan(shop, tenant) for tenant in shop.manifest.tenants]


def _plan(shop: BuildContext, tenant: Tenant) -> dict[str, Any]:  # Any: JSON values
    if tenant.status not in ("active", "onboarding"):
        return {"tenant": tenant.slug, "action": tenant.status, "reasons": [f"its status is {tenant.status}"]}
    reasons = _reasons(shop, tenant)
    return {"tenant": tenant.slug, "action": "build" if reasons else "unchanged", "reasons": reasons}


def _reasons(shop: BuildContext, tenant: Tenant) -> list[str]:
    """Why a build would do something for the tenant: what is gone, else what has changed."""
    settings, built = shop.settings, read_published_star(shop.settings, tenant.slug)
    if reason := _what_is_gone(settings, tenant.slug, built):
        return [reason]
    try:
        inputs = star_inputs(tenant, shop.blueprints, settings)
    except LandError as error:
        return [error.what]
    except duckdb.Error as error:
        return [f"the hub cannot be read: {str(error).partition(chr(10))[0]}"]
    is_same = built is not None and inputs == built.inputs
    changed = [] if is_same else ["its configuration, its pushed records or gata itself changed"]
    return [*changed, *(damage.rstrip(".") for damage in output_damage(settings, tenant.slug))]


def _what_is_gone(settings: Settings, slug: Slug, built: PublishedStar | None) -> str | None:
    """The thing whose loss makes a build start over; None where all is there, or `output_damage` names it."""
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
