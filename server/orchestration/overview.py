"""What the files of each tenant say, for `gata status`, and the plan of the next build, for `gata plan`."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from pipeline.config.slug import Slug
from pipeline.config.tenant import Tenant
from pipeline.config.tenants_file import RefusedEntry
from pipeline.errors import GataError, LandError, PublishError
from pipeline.publish.pointer import latest_readable, latest_run_id, run_ids, served_run
from pipeline.publish.run_files import COVERAGE
from pipeline.publish.run_manifest import read_manifest
from pipeline.settings import Settings
from pipeline.storage.hub import kept_open
from server.orchestration.build_context import BuildContext
from server.orchestration.isolation.boundary import attempt
from server.orchestration.outputs import output_damage
from server.orchestration.publishing import PublishedStar, read_published_star
from warehouse.build.inputs import star_inputs


def refused_status(context: BuildContext, entry: RefusedEntry) -> dict[str, Any]:  # Any: JSON values
    """The status of a tenant whose entry in tenants.yaml is wrong: builds refuse it, readers keep the run they have."""
    folder = context.settings.published(entry.slug) if entry.slug else None
    run_id = attempt(partial(latest_readable, folder), tenant=entry.name, step="status") if folder else None
    findings = [str(entry.error)]
    if isinstance(run_id, GataError):
        findings, run_id = [*findings, str(run_id)], None
    elif run_id:
        findings.append("Builds refuse it; readers keep the run they have.")
    return {
        "tenant": entry.name,
        "status": "refused",
        "run_id": run_id,
        "published_at": None,
        "last_build": None,
        "onboarding": [],
        "quarantined": 0,
        "attention": [{"kind": "refused", "cause": entry.location, "text": str(entry.error), "since": None}],
        "findings": findings,
        "details": [],
    }


def read_outputs(settings: Settings, slug: Slug) -> dict[str, Any]:  # Any: JSON values
    """What the files of a tenant's builds say: the run that readers see, findings, damage, deliveries of sources."""
    folder = settings.published(slug)
    built = read_published_star(settings, slug)
    run_id, published_at, notes = None, None, list(output_damage(settings, slug))
    sources: list[dict[str, Any]] = []  # Any: JSON values
    try:
        if served := served_run(folder):
            run_id = served.run_id
            published_at = read_manifest(folder / run_id).published_at.isoformat()
            notes += served.notes
            sources = _deliveries(folder / run_id)
    except PublishError as error:
        notes.append(str(error))
    return {
        "run_id": run_id,
        "published_at": published_at,
        "findings": list(built.findings) if built else [],
        "notes": notes,
        "details": [finding.to_dict() for finding in built.details] if built else [],
        "sources": sources,
    }


def _deliveries(run: Path) -> list[dict[str, Any]]:  # Any: JSON values
    """Per source of a run, its last delivery, and the last day on which the next one is in time."""
    from semantic.catalog.coverage import MISSED_DELIVERIES, read_coverage

    try:
        covered = read_coverage((run / COVERAGE).read_bytes())
    except (OSError, ValueError):  # of an earlier release, or damaged, which is said elsewhere
        return []
    late: dict[str, dict[str, Any]] = {}  # Any: JSON values
    for source in covered:
        if source.delivered_on is not None:
            due = source.delivered_on + timedelta(days=MISSED_DELIVERIES * source.every_days)
            ended = source.ended.isoformat() if source.ended else None
            entry = {"source": source.name, "delivered_on": source.delivered_on.isoformat(), "ended": ended}
            entry["due"] = due.isoformat()
            late[source.name] = max(late.get(source.name, entry), entry, key=lambda each: each["due"])
    return list(late.values())


def plan_builds(context: BuildContext) -> list[dict[str, Any]]:  # Any: JSON values
    """Per tenant: the action of the next build, as far as it is known without reading its sources."""
    refused = [
        {"tenant": entry.name, "action": "refused", "reasons": [str(entry.error)]} for entry in context.manifest.refused
    ]
    with kept_open(context.settings):
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
