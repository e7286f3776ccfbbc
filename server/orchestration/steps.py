"""The verbs of a build, one function each, in the order of the way: library, land, push, stars, gates, publish.

    hub writes (land, push: this process) -> stars (a process per tenant, hub read only) -> publish

What a tenant's first build can have ready before its turn comes, a crew of processes begins ahead.

Each runs under the build lock. A tenant that fails keeps its last published run and never stops the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from structlog.contextvars import bound_contextvars

from pipeline.config.slug import Slug
from pipeline.config.tenant import Tenant
from pipeline.contracts.contract_lock import check_lock
from pipeline.errors import ConfigError, DbtFailed, GataError, PublishError
from pipeline.extras import require_extra
from pipeline.ingest.exports import export_targets
from pipeline.ingest.land import land_tenant
from pipeline.ingest.landing_gates import drift_failures, enforce, landing_failures, landing_notes, quarantine_counts
from pipeline.log import log
from pipeline.publish.pointer import latest_readable, latest_run_id, run_ids
from pipeline.publish.run_manifest import read_manifest
from pipeline.publish.run_store import move_pointer_back, verify
from pipeline.settings import Settings
from pipeline.storage.build_lock import build_lock
from pipeline.storage.contract_lock_file import update_lock
from pipeline.storage.ops import Ops
from server.orchestration.build_context import BuildContext
from server.orchestration.build_report import BuildReport, TenantReport
from server.orchestration.onboarding import Onboarding, is_onboarded, planned, take_phases
from server.orchestration.outputs import output_damage, remember_undamaged
from server.orchestration.publishing import (
    PublishedStar,
    begin_star,
    finish_star,
    publish_finished,
    publish_star,
    read_published_star,
    table_rows,
)
from server.orchestration.replay import find_unpublished, publish_replayed, replay
from server.orchestration.source_states import record_sources
from server.orchestration.worker_pool import WorkerPool
from warehouse.build.hub_library import prepare_hub
from warehouse.build.hub_metadata import HubRecords, read_hub_records, record_build, record_configs
from warehouse.build.inputs import star_inputs
from warehouse.build.push import parse_push, push, sink_rows
from warehouse.build.star import build_star, check_star, parse_star
from warehouse.projects.star_project import star_tables
from warehouse.run_dbt import Node

StepObserver = Callable[[str, str], None]
"""Told of each step as it begins: (tenant or *, step)."""


def _unwatched(tenant: str, step: str) -> None:
    """Nobody watches."""


@dataclass
class BuildCommand:
    """One command at work: what it may touch, and what it has to say."""

    shop: BuildContext
    ops: Ops
    crew: WorkerPool
    run_id: str
    tenants: tuple[Tenant, ...]
    reports: dict[Slug, TenantReport]
    watch: StepObserver
    books: HubRecords | None = None
    """What the hub's books held when the command began; None until the hub is ready."""
    drifted: dict[Slug, list[str]] = field(default_factory=dict)
    """By tenant, what no longer holds to its contract."""

    @property
    def open(self) -> tuple[Tenant, ...]:
        """The tenants that have not failed and are not done."""
        return tuple(tenant for tenant in self.tenants if self.reports[tenant.slug].is_open)

    def begin(self, tenant: Tenant, name: str) -> float:
        """Say that a step begins; the moment, for the `step` that ends it."""
        self.watch(tenant.slug, name)
        return time.monotonic()

    @contextmanager
    def step(self, tenant: Tenant, name: str, *, since: float | None = None) -> Iterator[TenantReport]:
        """One step of one tenant: watched, timed, kept; a GataError fails the tenant and goes no further.

        What the block puts into `step_rows` of the report is kept with the step.

        Args:
            since: When it began, if that was said before.
        """
        report, started = self.reports[tenant.slug], since or self.begin(tenant, name)
        report.step_rows = None
        with bound_contextvars(tenant=tenant.slug, step=name):
            try:
                yield report
            except GataError as error:
                report.fail(error)
                if isinstance(error, DbtFailed):
                    self.saw(tenant.slug, error.nodes)
                log.error("failed", what=error.what, fix=error.fix)
        status, detail = ("failed", str(report.error)) if report.error else ("done", None)
        seconds = round(time.monotonic() - started, 3)
        self.ops.step(
            self.run_id, tenant.slug, step=name, status=status, rows=report.step_rows, seconds=seconds, detail=detail
        )

    def saw(self, slug: str, nodes: Sequence[Node]) -> None:
        """Keep what dbt did for a tenant, or for all (*)."""
        if nodes:
            self.ops.save_artifacts(self.run_id, slug, [asdict(node) for node in nodes])

    def report(self) -> BuildReport:
        return BuildReport(self.run_id, tuple(self.reports.values()))


@contextmanager
def _job(
    shop: BuildContext, tenants: tuple[Tenant, ...], wait_seconds: float, watch: StepObserver
) -> Iterator[BuildCommand]:
    """A command under the build lock, with its own run in the ledger.

    Raises:
        Busy: Another build holds the lock after `wait_seconds`.
        MissingExtra: This installation only serves.
    """
    require_extra("build", "Building")
    with (
        build_lock(shop.settings.home, wait_seconds=wait_seconds),
        Ops(shop.settings.ops) as ops,
        WorkerPool(shop.blueprints, shop.settings) as crew,
    ):
        ops.close_interrupted()
        reports = {
            tenant.slug: TenantReport(tenant.slug, run_id=latest_readable(shop.settings.published(tenant.slug)))
            for tenant in tenants
        }
        job = BuildCommand(shop, ops, crew, ops.start_run("*"), tenants, reports, watch)
        with bound_contextvars(run_id=job.run_id):
            try:
                yield job
            except GataError as error:
                ops.finish_run(job.run_id, "failed", str(error))
                raise
            _keep_books(job)
            for report in reports.values():
                report.settle()
            ops.finish_run(job.run_id, "done" if job.report().exit_code == 0 else "failed")


def build(
    shop: BuildContext,
    slugs: Sequence[str] | None = None,
    *,
    full: bool = False,
    wait_seconds: float = 0.0,
    watch: StepObserver = _unwatched,
) -> BuildReport:
    """Everything, only what changed; `full` rebuilds and publishes also what did not."""
    with _job(shop, shop.chosen(slugs), wait_seconds, watch) as job:
        if not slugs:
            _skip_offboarded(job)
        new = [tenant for tenant in job.open if read_published_star(shop.settings, tenant.slug) is None]
        job.crew.begin(export_targets, new)
        _library(job)
        _check_words(job)
        _onboard(job)
        job.crew.begin(parse_push, new)
        job.crew.begin(parse_star, new)
        _land(job)
        _push(job)
        _hold(job)
        changed = {tenant.slug: _changed(job, tenant, full=full) for tenant in job.open}
        _stars(job, [tenant for tenant in job.open if changed[tenant.slug]], publish=changed)
        return job.report()


def library(shop: BuildContext, *, wait_seconds: float = 0.0) -> dict[str, Any]:  # Any: JSON values
    """See that every sink and blueprint of the catalog exists in the hub, and its books say what tenants.yaml says."""
    with _job(shop, (), wait_seconds, _unwatched) as job:
        changed = _library(job)
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
    with _job(shop, (tenant,), 0.0, _unwatched) as job:
        return take_phases(tenant, shop, job.ops, foundation=lambda: _library(job))


def land_only(
    shop: BuildContext,
    slugs: Sequence[str] | None = None,
    *,
    wait_seconds: float = 0.0,
    watch: StepObserver = _unwatched,
) -> BuildReport:
    """Bring new files into the landing tables, and no further."""
    with _job(shop, shop.chosen(slugs), wait_seconds, watch) as job:
        _library(job)
        _land(job)
        _hold(job)
        return job.report()


def transform(
    shop: BuildContext,
    slugs: Sequence[str] | None = None,
    *,
    logic_version: str | None = None,
    wait_seconds: float = 0.0,
    watch: StepObserver = _unwatched,
) -> BuildReport:
    """Push what has landed and rebuild the stars; nothing is published.

    With a `logic_version` the star is built apart, as an unpublished run with the logic of that version.

    Raises:
        ConfigError: A logic version is named, and not the one tenant that it belongs to.
    """
    if logic_version is not None and len(slugs or ()) != 1:
        raise ConfigError("A logic version belongs to one tenant.", "Name it: --tenant SLUG --logic-version HASH.")
    with _job(shop, shop.chosen(slugs), wait_seconds, watch) as job:
        _library(job)
        _push(job)
        if logic_version is None:
            _stars(job, job.open, publish={})
        else:
            _replay(job, logic_version)
        return job.report()


def publish_only(
    shop: BuildContext,
    slugs: Sequence[str] | None = None,
    *,
    run_id: str | None = None,
    wait_seconds: float = 0.0,
    watch: StepObserver = _unwatched,
) -> BuildReport:
    """Publish the stars as they were last built, or one unpublished run.

    Raises:
        PublishError: There is no unpublished run of that id.
    """
    waiting = find_unpublished(shop, shop.chosen(slugs), run_id) if run_id is not None else None
    with _job(shop, (waiting.tenant,) if waiting else shop.chosen(slugs), wait_seconds, watch) as job:
        _library(job)
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
    watch: StepObserver = _unwatched,
) -> BuildReport:
    """Run every test on the stars as they were last built; `full` also proves the published runs byte by byte."""
    with _job(shop, shop.chosen(slugs), wait_seconds, watch) as job:
        _library(job)
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


def _library(job: BuildCommand) -> bool:
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


def _skip_offboarded(job: BuildCommand) -> None:
    """Say of every offboarded tenant that it is left out."""
    for tenant in job.shop.manifest.tenants:
        if tenant.status == "offboarded":
            job.reports[tenant.slug] = TenantReport.left_out(tenant)


def _onboard(job: BuildCommand) -> None:
    """Take every tenant through the phases that was never onboarded whole."""
    for tenant in job.open:
        if not is_onboarded(tenant, job.ops):
            with job.step(tenant, "onboard"):
                take_phases(tenant, job.shop, job.ops, foundation=lambda: job.books)


def _check_words(job: BuildCommand) -> None:
    """See that `semantic:` of tenants.yaml fits the star that will be: a wrong word costs no build."""
    from semantic.definitions.derive import check_overlay

    for tenant in job.open:
        if tenant.semantic:
            with job.step(tenant, "words"):
                check_overlay(tenant, star_tables(tenant))


def _land(job: BuildCommand) -> None:
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


def _hold(job: BuildCommand) -> None:
    """In strict mode refuse tenants of whom a table has drifted; by now their other tables are as far as they go."""
    for tenant in job.open:
        if failures := job.drifted.get(tenant.slug):
            with job.step(tenant, "gates"):
                enforce(tenant.slug, failures, strict=job.shop.settings.strict)


def _push(job: BuildCommand) -> None:
    for tenant in job.open:
        with job.step(tenant, "push") as report:
            job.crew.finish(parse_push, [tenant])
            nodes = push(tenant, job.shop.blueprints, job.shop.settings)
            report.step_rows = sum(node.rows or 0 for node in nodes)
            job.saw(tenant.slug, nodes)
            report.rows |= sink_rows(tenant, job.shop.settings, job.shop.blueprints)
            record_sources(tenant, job.ops, job.shop.settings)


def _changed(job: BuildCommand, tenant: Tenant, *, full: bool) -> str | None:
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


def _stars(job: BuildCommand, tenants: Sequence[Tenant], *, publish: dict[Slug, str | None]) -> None:
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


def _replay(job: BuildCommand, logic_version: str) -> None:
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


def _keep_books(job: BuildCommand) -> None:
    """Copy what this command, and those before it that were stopped, left behind into the hub's books.

    What fails here fails no tenant: the next command copies it.
    """
    if job.books is None:
        return
    try:
        artifacts = job.ops.artifacts_since(job.books.newest_run)
        definitions = _new_definitions(job.shop, job.books)
        if artifacts or definitions:
            record_build(artifacts, definitions, job.shop.settings)
    except GataError as error:
        log.warning("books_not_kept", what=error.what)


def _new_definitions(shop: BuildContext, books: HubRecords) -> list[dict[str, object]]:
    """A row for each published run that the books do not list."""
    new = [
        (tenant.slug, run_id)
        for tenant in shop.manifest.tenants
        for run_id in run_ids(shop.settings.published(tenant.slug))
        if (tenant.slug, run_id) not in books.published
    ]
    found = []
    for slug, run_id in new:
        try:
            found.append(_definitions(shop.settings, slug, run_id))
        except PublishError as error:  # a damaged run, or one of an older release, keeps no other out of the books
            log.warning("run_not_recorded", tenant=slug, what=error.what)
    return found


def _definitions(settings: Settings, slug: Slug, run_id: str) -> dict[str, object]:
    from semantic.answering.semantic_model import load_model

    folder = settings.published(slug) / run_id
    model = load_model(folder)
    return {
        "tenant_slug": slug,
        "run_id": run_id,
        "definitions_version": model.definitions,
        "metrics": model.catalog.askable_metrics,
        "dimensions": model.catalog.askable_dimensions,
        "published_at": read_manifest(folder).published_at,
    }
