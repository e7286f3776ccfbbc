"""The verbs of a build: the full build, or a single step. Each runs under the build lock.

A tenant that fails keeps its last published run and never stops the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.config.slug import Slug
from pipeline.errors import ConfigError, LandError, PublishError
from pipeline.publish.pointer import latest_run_id, run_ids
from pipeline.publish.run_store import move_pointer_back, verify
from pipeline.settings import Settings
from pipeline.storage.bronze.batch_checks import damaged_batches
from pipeline.storage.bronze.batches import bronze_folder
from pipeline.storage.contract_lock_file import update_lock
from pipeline.storage.run_counts import StepCounts
from server.orchestration.build_command import BuildCommand, StepObserver, open_command, unobserved
from server.orchestration.build_context import BuildContext, Selection
from server.orchestration.build_report import BuildReport
from server.orchestration.gating.gate_steps import judge_again, keep_results
from server.orchestration.isolation.room_check import check_room
from server.orchestration.onboarding import Onboarding, plan_onboarding, take_phases
from server.orchestration.publishing import publish_finished, table_rows
from server.orchestration.recovery.hub_renewal import HubRenewal
from server.orchestration.replay import UnpublishedRun, find_unpublished, publish_replayed
from server.orchestration.steps import (
    BUILD_STEPS,
    hold_drifted,
    land_all,
    prepare_library,
    push_all,
    rebuild_open,
    record_published,
    replay_stars,
    skip_offboarded,
)


def build(
    context: BuildContext,
    slugs: Sequence[str] | None = None,
    *,
    full: bool = False,
    verifies: bool = False,
    from_bronze: bool = False,
    wait_seconds: float = 0.0,
    watch: StepObserver = unobserved,
) -> BuildReport:
    """Run every build step for the changed tenants; `full` rebuilds and publishes also unchanged ones.

    Args:
        context: The configuration.
        slugs: Only these tenants.
        full: Also those with unchanged inputs.
        verifies: A share of the exports that look as they did is read nonetheless.
        from_bronze: The hub is made anew from bronze, whatever state it is in.
        wait_seconds: How long to wait for another build.
        watch: Told about each step.

    Raises:
        ConfigError: A new hub is made for all tenants, and `slugs` names some.
    """
    if from_bronze and slugs:
        raise ConfigError("The hub is made anew for all tenants at once.", "Leave --tenant out.")
    with open_command(context, context.select(slugs), wait_seconds, watch) as command:
        command.is_full, command.verifies = full, verifies
        renewal = HubRenewal.begin(context.settings, command.tenants) if from_bronze else None
        if not slugs:
            skip_offboarded(command)
        command.run(BUILD_STEPS)
        if renewal:
            renewal.end({tenant.slug: command.reports[tenant.slug] for tenant in command.tenants})
        return command.report()


def library(context: BuildContext, *, wait_seconds: float = 0.0) -> dict[str, Any]:  # Any: JSON values
    """Create missing sinks and blueprints in the hub, and record the configuration of tenants.yaml there."""
    with open_command(context, Selection(()), wait_seconds, unobserved) as command:
        changed = prepare_library(command)
        lock = update_lock(context.blueprints)
    sinks = {blueprint.sink for blueprint in context.blueprints.values()}
    return {"blueprints": len(context.blueprints), "sinks": len(sinks), "changed": changed, "lock": asdict(lock)}


def onboard_tenant(context: BuildContext, slug: str, *, dry_run: bool = False) -> Onboarding:
    """Run the onboarding phases of a tenant; with `dry_run` only list the files that would change.

    Raises:
        ConfigError: The tenant is unknown, lacks a domain, or enables a connector that has no contracts yet.
        BuildError: A phase failed; the same command continues from it.
    """
    tenant = context.manifest.get(slug)
    if dry_run:
        return plan_onboarding(tenant, context)
    with open_command(context, Selection((tenant,)), 0.0, unobserved) as command:
        return take_phases(tenant, context, command.ops, foundation=lambda: prepare_library(command))


def land_only(
    context: BuildContext,
    slugs: Sequence[str] | None = None,
    *,
    wait_seconds: float = 0.0,
    watch: StepObserver = unobserved,
) -> BuildReport:
    """Land new files, and stop there."""
    with open_command(context, context.select(slugs), wait_seconds, watch) as command:
        command.run((check_room, prepare_library, land_all, hold_drifted, keep_results))
        return command.report()


def transform(
    context: BuildContext,
    slugs: Sequence[str] | None = None,
    *,
    logic_version: str | None = None,
    wait_seconds: float = 0.0,
    watch: StepObserver = unobserved,
) -> BuildReport:
    """Push landed records and rebuild the stars; nothing is published.

    With a `logic_version` the star is built separately, as an unpublished run with the logic of that version.

    Raises:
        ConfigError: A logic version is named without its one tenant.
    """
    if logic_version is not None and len(slugs or ()) != 1:
        raise ConfigError("A logic version belongs to one tenant.", "Name it: --tenant SLUG --logic-version HASH.")
    with open_command(context, context.select(slugs), wait_seconds, watch) as command:
        rebuild = rebuild_open if logic_version is None else partial(replay_stars, logic_version=logic_version)
        command.run((prepare_library, push_all, rebuild, keep_results))
        return command.report()


def publish_only(
    context: BuildContext,
    slugs: Sequence[str] | None = None,
    *,
    run_id: str | None = None,
    wait_seconds: float = 0.0,
    watch: StepObserver = unobserved,
) -> BuildReport:
    """Publish the last built stars, or one unpublished run.

    Raises:
        PublishError: There is no unpublished run of that id.
    """
    unpublished = find_unpublished(context, context.select(slugs).tenants, run_id) if run_id is not None else None
    with open_command(
        context, Selection((unpublished.tenant,)) if unpublished else context.select(slugs), wait_seconds, watch
    ) as command:
        command.run((prepare_library, partial(_publish_open, unpublished=unpublished), keep_results))
        return command.report()


def _publish_open(command: BuildCommand, *, unpublished: UnpublishedRun | None) -> None:
    """Publish the last built star of every tenant, or one unpublished run."""
    for tenant in command.open:
        with command.step(tenant, "publish") as report:
            if unpublished:
                run = publish_replayed(unpublished, command.context)
                report.set_run(run.run_id, table_rows(run))
                report.counts = StepCounts(rows_out=sum(table_rows(run).values()))
            else:
                record_published(command, tenant, publish_finished(tenant, command.context))


def validate(
    context: BuildContext,
    slugs: Sequence[str] | None = None,
    *,
    full: bool = False,
    wait_seconds: float = 0.0,
    watch: StepObserver = unobserved,
) -> BuildReport:
    """Judge deliveries, sinks, last built stars and published runs; `full` also compares bytes of runs and bronze."""
    with open_command(context, context.select(slugs), wait_seconds, watch) as command:
        prepare_library(command)
        for tenant in command.open:
            with command.step(tenant, "validate") as report:
                judge_again(command, tenant)
                if full:
                    report.findings += _verify_runs(context.settings.published(tenant.slug))
                    _verify_bronze(context.settings, tenant.slug)
        keep_results(command)
        return command.report()


def _verify_runs(folder: Path) -> list[str]:
    """Verify the published runs of a tenant; return findings about those that readers do not see.

    Raises:
        PublishError: The run that readers see is damaged.
    """
    current, findings = latest_run_id(folder), []
    for run_id in run_ids(folder):
        try:
            if unhashed := verify(folder / run_id):
                findings.append(f"Run {run_id} is of a release that did not hash {', '.join(unhashed)}.")
        except PublishError as error:
            if run_id == current:
                raise
            findings.append(f"{error.what} Readers do not see it.")
    if current is not None and current not in run_ids(folder):
        verify(folder / current)
    return findings


def _verify_bronze(settings: Settings, slug: Slug) -> None:
    """Compare every byte of a tenant's bronze with its manifests.

    Raises:
        LandError: A batch is damaged; names each.
    """
    if damage := list(damaged_batches(bronze_folder(settings, slug))):
        raise LandError(
            f"Bronze of {slug} is damaged. {' '.join(damage)}",
            "Put the files back from a backup; or remove the folder of the batch and run `gata build --from bronze`.",
        )


def rollback(context: BuildContext, slug: str, to: str | None = None) -> str:
    """Point readers of a tenant to an earlier run from which this release can answer; return its id.

    Raises:
        ConfigError: The tenant is unknown.
        PublishError: There is no such run, or it cannot be answered from; readers keep the run they have.
    """
    from semantic.answering.validate import prove_answerable

    folder, now = context.settings.published(context.manifest.get(slug).slug), context.settings.now()
    return move_pointer_back(folder, to, now=now, prove=prove_answerable)
