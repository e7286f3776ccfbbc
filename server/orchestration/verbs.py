"""The verbs of a build: everything, or one step alone. Each runs under the build lock.

A tenant that fails keeps its last published run and never stops the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.errors import ConfigError, PublishError
from pipeline.ingest.landing_gates import enforce
from pipeline.publish.pointer import latest_run_id, run_ids
from pipeline.publish.run_store import move_pointer_back, verify
from pipeline.storage.contract_lock_file import update_lock
from server.orchestration.build_command import StepObserver, open_command, unobserved
from server.orchestration.build_context import BuildContext
from server.orchestration.build_report import BuildReport
from server.orchestration.onboarding import Onboarding, planned, take_phases
from server.orchestration.publishing import (
    publish_finished,
    table_rows,
)
from server.orchestration.replay import find_unpublished, publish_replayed
from server.orchestration.steps import (
    BUILD_STEPS,
    hold_drifted,
    land_all,
    prepare_library,
    push_all,
    rebuild_stars,
    replay_stars,
    skip_offboarded,
)
from warehouse.build.star import check_star


def build(
    shop: BuildContext,
    slugs: Sequence[str] | None = None,
    *,
    full: bool = False,
    wait_seconds: float = 0.0,
    watch: StepObserver = unobserved,
) -> BuildReport:
    """Everything, only what changed; `full` rebuilds and publishes also what did not."""
    with open_command(shop, shop.chosen(slugs), wait_seconds, watch) as job:
        job.is_full = full
        if not slugs:
            skip_offboarded(job)
        for step in BUILD_STEPS:
            step(job)
        return job.report()


def library(shop: BuildContext, *, wait_seconds: float = 0.0) -> dict[str, Any]:  # Any: JSON values
    """See that every sink and blueprint of the catalog exists in the hub, and its books say what tenants.yaml says."""
    with open_command(shop, (), wait_seconds, unobserved) as job:
        changed = prepare_library(job)
        lock = update_lock(shop.blueprints)
    sinks = {blueprint.sink for blueprint in shop.blueprints.values()}
    return {"blueprints": len(shop.blueprints), "sinks": len(sinks), "changed": changed, "lock": asdict(lock)}


def onboard_tenant(shop: BuildContext, slug: str, *, dry_run: bool = False) -> Onboarding:
    """Take a tenant through the phases of onboarding, or only say which files would change.

    Raises:
        ConfigError: The tenant is unknown, lacks a domain, or enables a connector that has no contracts yet.
        BuildError: A phase failed; the same command goes on from it.
    """
    tenant = shop.manifest.get(slug)
    if dry_run:
        return planned(tenant, shop)
    with open_command(shop, (tenant,), 0.0, unobserved) as job:
        return take_phases(tenant, shop, job.ops, foundation=lambda: prepare_library(job))


def land_only(
    shop: BuildContext,
    slugs: Sequence[str] | None = None,
    *,
    wait_seconds: float = 0.0,
    watch: StepObserver = unobserved,
) -> BuildReport:
    """Bring new files into the landing tables, and no further."""
    with open_command(shop, shop.chosen(slugs), wait_seconds, watch) as job:
        prepare_library(job)
        land_all(job)
        hold_drifted(job)
        return job.report()


def transform(
    shop: BuildContext,
    slugs: Sequence[str] | None = None,
    *,
    logic_version: str | None = None,
    wait_seconds: float = 0.0,
    watch: StepObserver = unobserved,
) -> BuildReport:
    """Push what has landed and rebuild the stars; nothing is published.

    With a `logic_version` the star is built apart, as an unpublished run with the logic of that version.

    Raises:
        ConfigError: A logic version is named, and not the one tenant that it belongs to.
    """
    if logic_version is not None and len(slugs or ()) != 1:
        raise ConfigError("A logic version belongs to one tenant.", "Name it: --tenant SLUG --logic-version HASH.")
    with open_command(shop, shop.chosen(slugs), wait_seconds, watch) as job:
        prepare_library(job)
        push_all(job)
        if logic_version is None:
            rebuild_stars(job, job.open, publish={})
        else:
            replay_stars(job, logic_version)
        return job.report()


def publish_only(
    shop: BuildContext,
    slugs: Sequence[str] | None = None,
    *,
    run_id: str | None = None,
    wait_seconds: float = 0.0,
    watch: StepObserver = unobserved,
) -> BuildReport:
    """Publish the stars as they were last built, or one unpublished run.

    Raises:
        PublishError: There is no unpublished run of that id.
    """
    waiting = find_unpublished(shop, shop.chosen(slugs), run_id) if run_id is not None else None
    with open_command(shop, (waiting.tenant,) if waiting else shop.chosen(slugs), wait_seconds, watch) as job:
        prepare_library(job)
        for tenant in job.open:
            with job.step(tenant, "publish") as report:
                if waiting:
                    run = publish_replayed(waiting, shop)
                    report.published(run.run_id, table_rows(run))
                else:
                    built = publish_finished(tenant, shop)
                    report.published(built.run_id, built.rows)
        return job.report()


def validate(
    shop: BuildContext,
    slugs: Sequence[str] | None = None,
    *,
    full: bool = False,
    wait_seconds: float = 0.0,
    watch: StepObserver = unobserved,
) -> BuildReport:
    """Run every test on the stars as they were last built; `full` also proves the published runs byte by byte."""
    with open_command(shop, shop.chosen(slugs), wait_seconds, watch) as job:
        prepare_library(job)
        for tenant in job.open:
            with job.step(tenant, "validate") as report:
                star = check_star(tenant, shop.blueprints, shop.settings)
                job.saw(tenant.slug, star.nodes)
                report.findings += [*star.findings, *enforce(tenant.slug, star.failures, strict=shop.settings.strict)]
                if full:
                    report.findings += _proved(shop.settings.published(tenant.slug))
        return job.report()


def _proved(folder: Path) -> list[str]:
    """Prove the published runs of a tenant; what is to be known of those that readers do not see.

    Raises:
        PublishError: The run that readers see is damaged.
    """
    current, found = latest_run_id(folder), []
    for run_id in run_ids(folder):
        try:
            if unproved := verify(folder / run_id):
                found.append(f"Run {run_id} is of a release that did not hash {', '.join(unproved)}.")
        except PublishError as error:
            if run_id == current:
                raise
            found.append(f"{error.what} Readers do not see it.")
    if current is not None and current not in run_ids(folder):
        verify(folder / current)
    return found


def rollback(shop: BuildContext, slug: str, to: str | None = None) -> str:
    """Point readers of a tenant to an earlier run; its id.

    Raises:
        ConfigError: The tenant is unknown.
        PublishError: There is no such run.
    """
    tenant = shop.manifest.get(slug)
    return move_pointer_back(shop.settings.published(tenant.slug), to, now=shop.settings.now())
