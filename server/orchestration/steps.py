"""The steps of a build, in order: library, overlays, onboarding, land, push, gates, stars, publish.

    hub writes (land, push: this process) -> stars (a process per tenant, hub read-only) -> publish

The worker pool begins ahead what a tenant's first build can have ready before its turn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import asdict

from structlog.contextvars import bound_contextvars

from pipeline.config.slug import Slug
from pipeline.config.tenant import Tenant
from pipeline.contracts.contract_lock import check_lock
from pipeline.errors import DbtFailed, GataError
from pipeline.ingest.exports import export_targets
from pipeline.ingest.land import land_tenant
from pipeline.ingest.landing_gates import drift_failures, enforce, landing_failures, landing_notes, quarantine_counts
from pipeline.log import log
from server.orchestration.build_command import BuildCommand
from server.orchestration.build_report import TenantReport
from server.orchestration.onboarding import is_onboarded, take_phases
from server.orchestration.outputs import output_damage, remember_undamaged
from server.orchestration.publishing import (
    PublishedStar,
    begin_star,
    finish_star,
    publish_star,
    read_published_star,
)
from server.orchestration.replay import replay
from server.orchestration.source_states import record_sources
from warehouse.build.hub_library import prepare_hub
from warehouse.build.hub_metadata import read_hub_records, record_configs
from warehouse.build.inputs import star_inputs
from warehouse.build.push import parse_push, push, sink_rows
from warehouse.build.star import build_star, parse_star
from warehouse.projects.star_project import star_tables
from warehouse.run_dbt import Node


def prepare_library(job: BuildCommand) -> bool:
    """See that published contracts only gained fields and that the hub is ready; whether dbt had to run for it."""
    job.watch("*", "library")
    check_lock(job.shop.blueprints)
    try:
        nodes = prepare_hub(job.shop.blueprints, job.shop.settings)
    except DbtFailed as error:
        job.saw("*", error.nodes)
        raise
    job.saw("*", nodes)
    job.books = read_hub_records(job.shop.settings)
    record_configs(job.shop.manifest.tenants, job.shop.settings, job.books)
    return bool(nodes)


def skip_offboarded(job: BuildCommand) -> None:
    """Say of every offboarded tenant that it is left out."""
    for tenant in job.shop.manifest.tenants:
        if tenant.status == "offboarded":
            job.reports[tenant.slug] = TenantReport.left_out(tenant)


def onboard_new(job: BuildCommand) -> None:
    """Take every tenant through the phases that was never onboarded whole."""
    for tenant in job.open:
        if not is_onboarded(tenant, job.ops):
            with job.step(tenant, "onboard"):
                take_phases(tenant, job.shop, job.ops, foundation=lambda: job.books)


def check_overlays(job: BuildCommand) -> None:
    """See that `semantic:` of tenants.yaml fits the star that will be: a wrong word costs no build."""
    from semantic.definitions.derive import check_overlay

    for tenant in job.open:
        if tenant.semantic:
            with job.step(tenant, "words"):
                check_overlay(tenant, star_tables(tenant))


def land_all(job: BuildCommand) -> None:
    settings = job.shop.settings
    for tenant in job.open:
        with job.step(tenant, "land") as report:
            job.crew.finish(export_targets, [tenant])
            landing = land_tenant(tenant, job.shop.blueprints, settings)
            report.step_rows = sum(table.rows for table in landing.tables)
            report.quarantined = sum(table.quarantined for table in landing.tables)
            report.findings += landing_notes(landing)
            for bad in quarantine_counts(tenant, landing.load_id, settings):
                job.ops.add_quarantine(job.run_id, tenant.slug, **asdict(bad))
            report.findings += enforce(tenant.slug, landing_failures(tenant, settings), strict=settings.strict)
            job.drifted[tenant.slug] = drift_failures(landing)


def hold_drifted(job: BuildCommand) -> None:
    """In strict mode refuse tenants of whom a table has drifted; by now their other tables are as far as they go."""
    for tenant in job.open:
        if failures := job.drifted.get(tenant.slug):
            with job.step(tenant, "gates"):
                enforce(tenant.slug, failures, strict=job.shop.settings.strict)


def push_all(job: BuildCommand) -> None:
    for tenant in job.open:
        with job.step(tenant, "push") as report:
            job.crew.finish(parse_push, [tenant])
            nodes = push(tenant, job.shop.blueprints, job.shop.settings)
            report.step_rows = sum(node.rows or 0 for node in nodes)
            job.saw(tenant.slug, nodes)
            report.rows |= sink_rows(tenant, job.shop.settings, job.shop.blueprints)
            record_sources(tenant, job.ops, job.shop.settings)


def changed_inputs(job: BuildCommand, tenant: Tenant, *, full: bool) -> str | None:
    """A digest of what the tenant's next run would be made of; None when the last one was, and is undamaged."""
    settings, report = job.shop.settings, job.reports[tenant.slug]
    inputs, built = star_inputs(tenant, job.shop.blueprints, settings), read_published_star(settings, tenant.slug)
    report.damage = output_damage(settings, tenant.slug)
    for damage in report.damage:
        log.warning("output_damaged", tenant=tenant.slug, what=damage)
    if built is None or built.inputs != inputs or report.damage or full:
        return inputs
    remember_undamaged(settings, tenant.slug)
    report.unchanged(built)
    return None


def rebuild_stars(job: BuildCommand, tenants: Sequence[Tenant], *, publish: dict[Slug, str | None]) -> None:
    """Rebuild stars, the largest first, and publish each whose inputs are in `publish` as soon as it is there."""
    settings = job.shop.settings
    inputs = {
        tenant.slug: publish.get(tenant.slug) or star_inputs(tenant, job.shop.blueprints, settings)
        for tenant in tenants
    }

    began = {tenant.slug: job.begin(tenant, "stars") for tenant in tenants}
    for tenant in tenants:
        begin_star(settings, tenant.slug)
    job.crew.finish(parse_star, tenants)
    by_size = sorted(tenants, key=lambda tenant: -sum(job.reports[tenant.slug].rows.values()))
    publishing: list[tuple[Tenant, float, Future[PublishedStar | GataError]]] = []
    for tenant, star in job.crew.each(build_star, by_size, "stars"):
        with job.step(tenant, "stars", since=began[tenant.slug]) as report:
            if isinstance(star, GataError):
                raise star
            report.step_rows = _star_rows(tenant, star.nodes)
            job.saw(tenant.slug, star.nodes)
            report.findings += [*star.findings, *enforce(tenant.slug, star.failures, strict=settings.strict)]
            finish_star(settings, tenant.slug, inputs[tenant.slug], tuple(report.findings))
        if report.is_open and publish.get(tenant.slug):
            since = job.begin(tenant, "publish")
            with bound_contextvars(tenant=tenant.slug, step="publish"):
                future = job.crew.submit(publish_star, tenant, settings, inputs[tenant.slug], tuple(report.findings))
            publishing.append((tenant, since, future))
    for tenant, since, future in publishing:
        with job.step(tenant, "publish", since=since) as report:
            if isinstance(built := future.result(), GataError):
                raise built
            report.published(built.run_id, built.rows)


def replay_stars(job: BuildCommand, logic_version: str) -> None:
    for tenant in job.open:
        with job.step(tenant, "stars") as report:
            run, nodes = replay(tenant, job.shop, logic_version)
            report.step_rows = _star_rows(tenant, nodes)
            job.saw(tenant.slug, nodes)
            report.waits(run)


def _star_rows(tenant: Tenant, nodes: Sequence[Node]) -> int:
    """Rows of the facts and dimension tables that a build of the star made; its intermediate tables left out."""
    tables = {table.table_name(tenant.slug) for table in star_tables(tenant)}
    return sum(node.rows or 0 for node in nodes if node.name in tables)


def begin_exports(job: BuildCommand) -> None:
    """Have the worker pool look up and hash the exports of new tenants ahead."""
    job.new = tuple(tenant for tenant in job.open if read_published_star(job.shop.settings, tenant.slug) is None)
    job.crew.begin(export_targets, job.new)


def begin_parsing(job: BuildCommand) -> None:
    """Have the worker pool parse the dbt projects of new tenants ahead."""
    job.crew.begin(parse_push, job.new)
    job.crew.begin(parse_star, job.new)


def publish_changed(job: BuildCommand) -> None:
    """Rebuild and publish the stars of tenants whose inputs changed or whose outputs are damaged."""
    changed = {tenant.slug: changed_inputs(job, tenant, full=job.is_full) for tenant in job.open}
    rebuild_stars(job, [tenant for tenant in job.open if changed[tenant.slug]], publish=changed)


BUILD_STEPS: tuple[Callable[[BuildCommand], object], ...] = (
    begin_exports,
    prepare_library,
    check_overlays,
    onboard_new,
    begin_parsing,
    land_all,
    push_all,
    hold_drifted,
    publish_changed,
)
"""The steps of `gata build`, in order."""
