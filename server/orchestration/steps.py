"""The steps of a build, in order.

    comparison, room, library, overlays, onboarding, land, push, gates, stars, publish, results, notes

    hub writes (land, push: this process) -> stars (a process per tenant, hub read-only) -> publish

The worker pool prefetches the parts of a tenant's first build that do not depend on earlier steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict
from pathlib import Path

from structlog.contextvars import bound_contextvars

from pipeline.config.slug import Slug
from pipeline.config.tenant import Tenant
from pipeline.contracts.contract_lock import check_lock
from pipeline.errors import GataError
from pipeline.gates.landing_gates import enforce, landing_notes
from pipeline.gates.quarantined_now import quarantine_counts
from pipeline.gates.sink_gates import ledger_loads
from pipeline.ingest.deliveries.load_counts import load_counts
from pipeline.ingest.exports import export_targets, routed_blueprints
from pipeline.ingest.land import land_tenant
from pipeline.log import log
from pipeline.publish.run_files import STARS
from pipeline.storage.hub import kept_open, let_go_of_hub
from pipeline.storage.run_counts import StepCounts
from server.orchestration.build_command import BuildCommand
from server.orchestration.build_report import TenantReport
from server.orchestration.comparison.unchanged import compare_all, remember_unchanged
from server.orchestration.gating.gate_steps import judge_landing, judge_sinks, keep_results
from server.orchestration.isolation.room_check import check_room
from server.orchestration.onboarding import is_onboarded, take_phases
from server.orchestration.outputs import output_damage, remember_undamaged, unpublished_star
from server.orchestration.publishing import (
    PublishedStar,
    begin_star,
    finish_star,
    publish_star,
    read_finished,
    read_landed,
    read_published_star,
)
from server.orchestration.replay import replay, unpublished
from server.orchestration.source_states import record_sources
from warehouse.build.hub_library import prepare_hub
from warehouse.build.hub_metadata import HubRecords, collect_waiting, read_hub_records, record_configs
from warehouse.build.inputs import star_inputs
from warehouse.build.push import parse_push, push, pushed_counts, sink_rows
from warehouse.build.star import build_star, parse_star, published_counts
from warehouse.own_models.own_models import read_own_models
from warehouse.projects.star_project import star_tables
from warehouse.run_dbt import Node


def prepare_library(command: BuildCommand) -> bool:
    """Check that published contracts only gained fields, and prepare the hub; return whether dbt had to run."""
    check_lock(command.context.blueprints)

    def prepare() -> tuple[tuple[Node, ...], HubRecords]:
        nodes = prepare_hub(command.context.blueprints, command.context.settings)
        return nodes, read_hub_records(command.context.settings)

    with kept_open(command.context.settings):
        nodes, command.records = command.for_all("library", prepare)
        collect_waiting(command.context.settings, command.records)
        manifest = command.context.manifest
        only = {tenant.slug for tenant in manifest.tenants} if manifest.refused else None
        record_configs(manifest.tenants, command.context.settings, command.records, only=only)
    return bool(nodes)


def skip_offboarded(command: BuildCommand) -> None:
    """Report every offboarded tenant as skipped."""
    for tenant in command.context.manifest.tenants:
        if tenant.status == "offboarded":
            command.reports[tenant.slug] = TenantReport.offboarded(tenant)


def onboard_new(command: BuildCommand) -> None:
    """Run the onboarding phases of every tenant that is not fully onboarded."""
    for tenant in command.open:
        if not is_onboarded(tenant, command.ops):
            with command.step(tenant, "onboard"):
                take_phases(tenant, command.context, command.ops, foundation=lambda: command.records)


def check_overlays(command: BuildCommand) -> None:
    """Check `semantic:`, `models:` and `questions:` of tenants.yaml against the planned star, before a table is built.

    Where a tenant has models of its own, `semantic:` may name what only they bring: it is checked when they are built.
    """
    from semantic.answering.known_answers.ask_known import check_queries
    from semantic.definitions.derive import check_overlay

    for tenant in command.open:
        if tenant.semantic or tenant.models or tenant.questions:
            with command.step(tenant, "words"):
                if not read_own_models(tenant):
                    check_overlay(tenant, star_tables(tenant))
                check_queries(tenant.questions)


def land_all(command: BuildCommand) -> None:
    with kept_open(command.context.settings):
        for tenant in command.open:
            with command.step(tenant, "land") as report:
                command.pool.wait_for(export_targets, [tenant])
                _land(command, tenant, report)


def _land(command: BuildCommand, tenant: Tenant, report: TenantReport) -> None:
    settings, blueprints = command.context.settings, command.context.blueprints
    landing = land_tenant(tenant, blueprints, settings, verifies=command.verifies)
    routed = routed_blueprints(blueprints, tenant)
    report.audit(load_counts(tenant, landing.load_id, routed, settings))
    report.quarantined = sum(table.quarantined for table in landing.tables)
    report.findings += landing_notes(landing)
    if landing.load_id is not None or command.ops.quarantine(tenant.slug):
        kept_out = quarantine_counts(tenant, routed, settings)
        command.ops.set_quarantine(command.run_id, tenant.slug, map(asdict, kept_out))
    judge_landing(command, tenant, landing)


def hold_drifted(command: BuildCommand) -> None:
    """In strict mode fail tenants with a drifted table, after their other tables were landed and pushed."""
    for tenant in command.open:
        if failures := command.drifted.get(tenant.slug):
            with command.step(tenant, "gates"):
                enforce(tenant.slug, failures, strict=command.context.settings.strict)


def push_all(command: BuildCommand) -> None:
    with kept_open(command.context.settings):
        for tenant in command.open:
            with command.step(tenant, "push") as report:
                command.pool.wait_for(parse_push, [tenant])
                _push(command, tenant, report)


def _push(command: BuildCommand, tenant: Tenant, report: TenantReport) -> None:
    settings, blueprints = command.context.settings, command.context.blueprints
    before = ledger_loads(tenant, settings)
    nodes = push(tenant, blueprints, settings)
    report.audit(pushed_counts(tenant, blueprints, settings, began=report.began_at))
    report.rows |= sink_rows(tenant, settings, blueprints)
    record_sources(tenant, command.ops, settings)
    judge_sinks(command, tenant, ledger_loads(tenant, settings) - before if nodes else ())


def changed_inputs(command: BuildCommand, tenant: Tenant) -> str | None:
    """A digest of the inputs of the tenant's next run; None when the last run has the same and is undamaged."""
    settings, report = command.context.settings, command.reports[tenant.slug]
    inputs = star_inputs(tenant, command.context.blueprints, settings)
    built = read_published_star(settings, tenant.slug)
    report.damage = output_damage(settings, tenant.slug)
    for damage in report.damage:
        log.warning("output_damaged", tenant=tenant.slug, what=damage)
    if built is None or built.inputs != inputs or report.damage or command.is_full:
        return inputs
    landed = read_landed(settings, tenant.slug)
    known = tuple(finding.model_copy(update={"since": None}) for finding in built.landed)
    if settings.publish and (known, built.delivered) != (landed.findings, landed.delivered):
        _publish_again(command, tenant, built)
        return None
    remember_undamaged(settings, tenant.slug)
    report.set_unchanged(built)
    command.skip(tenant, "stars", f"Its inputs are those of the published run {built.run_id}, which is undamaged.")
    return None


def _publish_again(command: BuildCommand, tenant: Tenant, built: PublishedStar) -> None:
    """Publish an unchanged star again: what is known of its files changed, such as a file that is withheld now."""
    with command.step(tenant, "publish") as report:
        let_go_of_hub()  # its buffer is the memory of this work
        findings = [*report.findings, *tenant.notes, *(finding.sentence for finding in built.measured)]
        again = publish_star(tenant, command.context.settings, built.inputs, tuple(findings), measured=built.measured)
        report.findings, report.details = findings, [*report.details, *built.measured]
        record_published(command, tenant, again)


def _publish_finished(command: BuildCommand, tenant: Tenant, inputs: str) -> None:
    """Publish a star that an earlier command finished with the same inputs and did not publish, if there is one."""
    settings, is_suspect = command.context.settings, bool(command.reports[tenant.slug].damage)
    # a damaged published file may be a link to the star's own
    finished = None if command.is_full or is_suspect else unpublished_star(settings, tenant.slug, inputs)
    if finished is None:
        return
    command.skip(tenant, "stars", "An earlier command finished it with the same inputs, and did not publish it.")
    with command.step(tenant, "publish") as report:
        enforce(tenant.slug, finished.failures or (), strict=settings.strict)
        report.findings += [finding for finding in finished.findings if finding not in report.findings]
        report.details += [finding for finding in finished.measured if finding not in report.details]
        built = publish_star(tenant, settings, inputs, tuple(report.findings), finished.measured)
        record_published(command, tenant, built)


def rebuild_stars(command: BuildCommand, tenants: Sequence[Tenant], *, publish: dict[Slug, str | None]) -> None:
    """Rebuild stars, the largest first, and publish each one with inputs in `publish` as soon as it is built."""
    settings = command.context.settings
    inputs: dict[Slug, str] = {}
    started = {tenant.slug: command.begin(tenant, "stars") for tenant in tenants}
    for tenant in tenants:
        with command.check(tenant, "stars"):
            known = publish.get(tenant.slug)
            inputs[tenant.slug] = known or star_inputs(tenant, command.context.blueprints, settings)
            begin_star(settings, tenant.slug)
    tenants = [tenant for tenant in tenants if command.goes_on(tenant)]
    command.pool.wait_for(parse_star, tenants)
    by_size = sorted(tenants, key=lambda tenant: -sum(command.reports[tenant.slug].rows.values()))
    publishing: list[tuple[Tenant, float, Future[PublishedStar | GataError]]] = []
    for tenant, star in command.pool.each(build_star, by_size, "stars"):
        with command.step(tenant, "stars", since=started[tenant.slug]) as report:
            if isinstance(star, GataError):
                raise star
            report.counts = _star_counts(tenant, star.nodes, settings.stars(tenant.slug))
            report.gates += star.results
            report.findings += [*star.findings, *enforce(tenant.slug, star.failures, strict=settings.strict)]
            report.details += star.measured
            finish_star(settings, tenant.slug, inputs[tenant.slug], tuple(report.findings), star)
        if command.goes_on(tenant) and publish.get(tenant.slug):
            since = command.begin(tenant, "publish")
            with bound_contextvars(tenant=tenant.slug, step="publish"):
                future = command.pool.submit(
                    publish_star, tenant, settings, inputs[tenant.slug], tuple(report.findings), star.measured
                )
            publishing.append((tenant, since, future))
    for tenant, since, future in publishing:
        with command.step(tenant, "publish", since=since):
            if isinstance(built := command.pool.outcome(future), GataError):
                raise built
            record_published(command, tenant, built)


def rebuild_open(command: BuildCommand) -> None:
    """Rebuild the star of every tenant; publish none."""
    rebuild_stars(command, command.open, publish={})


def replay_stars(command: BuildCommand, logic_version: str) -> None:
    for tenant in command.open:
        with command.step(tenant, "stars") as report:
            run, nodes = replay(tenant, command.context, logic_version)
            folder = unpublished(command.context.settings, tenant.slug) / run.run_id
            report.counts = _star_counts(tenant, nodes, folder / STARS)
            report.set_unpublished(run)


def _star_counts(tenant: Tenant, nodes: Sequence[Node], file: Path) -> StepCounts:
    """Rows of the fact and dimension tables that a build of the star made, without its intermediate tables."""
    tables = {table.table_name(tenant.slug) for table in star_tables(tenant)}
    rows = sum(node.rows or 0 for node in nodes if node.name in tables)
    return StepCounts(rows_out=rows, bytes=file.stat().st_size)


def record_published(command: BuildCommand, tenant: Tenant, built: PublishedStar) -> None:
    """Report the run that a tenant's star was published as, with the rows that came through."""
    report = command.reports[tenant.slug]
    report.set_published(built)
    report.audit(published_counts(tenant, command.context.settings, built.run_id, built.rows))


def prefetch_exports(command: BuildCommand) -> None:
    """Prefetch the exports of new tenants: the worker pool finds and hashes them."""
    command.new = tuple(
        tenant for tenant in command.open if read_published_star(command.context.settings, tenant.slug) is None
    )
    command.pool.prefetch(export_targets, command.new)


def prefetch_parsing(command: BuildCommand) -> None:
    """Prefetch the parsed dbt projects of new tenants in the worker pool."""
    command.pool.prefetch(parse_push, command.new)
    command.pool.prefetch(parse_star, command.new)


def publish_changed(command: BuildCommand) -> None:
    """Rebuild and publish the stars of tenants with changed inputs or damaged outputs.

    A star that was finished and not published, by an earlier command or attempt, is published as it is. Without
    `publish` of the settings stars are rebuilt and checked, and stay as they are until `gata publish`.
    """
    changed: dict[Slug, str | None] = {}
    with kept_open(command.context.settings):
        for tenant in command.open:
            with command.check(tenant, "compare"):
                changed[tenant.slug] = changed_inputs(command, tenant)
    if not command.context.settings.publish:
        _rebuild_unpublished(command, changed)
        return
    for tenant in command.open:
        if inputs := changed.get(tenant.slug):
            _publish_finished(command, tenant, inputs)
    rebuild_stars(command, [tenant for tenant in command.open if changed.get(tenant.slug)], publish=changed)


def _rebuild_unpublished(command: BuildCommand, changed: Mapping[Slug, str | None]) -> None:
    """Rebuild the stars that changed since they were last built, and say that readers do not see them."""
    waiting = [tenant for tenant in command.open if changed.get(tenant.slug)]
    finished = {tenant.slug: read_finished(command.context.settings, tenant.slug) for tenant in waiting}
    due = [t for t in waiting if (note := finished[t.slug]) is None or note.inputs != changed[t.slug]]
    rebuild_stars(command, due, publish={})
    for tenant in filter(command.goes_on, waiting):
        command.reports[tenant.slug].findings.append(
            f"Publishing is off here: readers see its stars after `gata publish --tenant {tenant.slug}`."
        )


BUILD_STEPS: tuple[Callable[[BuildCommand], object], ...] = (
    compare_all,
    check_room,
    prefetch_exports,
    prepare_library,
    check_overlays,
    onboard_new,
    prefetch_parsing,
    land_all,
    push_all,
    hold_drifted,
    publish_changed,
    keep_results,
    remember_unchanged,
)
"""The steps of `gata build`, in order."""
