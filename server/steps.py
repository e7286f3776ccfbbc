"""The verbs of a build, one function each, in the order of the way: library, land, push, stars, gates, publish.

    hub writes (land, push: this process) -> stars (a process per tenant, hub read only) -> publish

Each runs under the build lock. A tenant that fails keeps its last published run and never stops the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from structlog.contextvars import bound_contextvars

from pipeline.errors import GataError
from pipeline.gates import enforce, kept_out, landing_failures, landing_notes
from pipeline.land import land
from pipeline.lock import build_lock
from pipeline.log import log
from pipeline.publish import latest, runs, verify
from pipeline.publish import rollback as move_back
from pipeline.runs import Ops
from pipeline.tenants import Tenant, check_ready
from server.publishing import publish_star, read_built
from server.report import BuildReport, TenantReport
from server.workshop import Workshop
from warehouse.build import (
    Star,
    build_stars,
    check_star,
    onboard_files,
    prepare_hub,
    projects,
    push,
    sink_rows,
    star_inputs,
)
from warehouse.run_dbt import write_project

Watch = Callable[[str, str], None]
"""Told of each step as it begins: (tenant or *, step)."""


def _unwatched(tenant: str, step: str) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class Onboarding:
    """The generated files of a tenant's dbt projects, and which of them changed."""

    slug: str
    files: tuple[str, ...]
    changed: tuple[str, ...]


@dataclass
class Job:
    """One command at work: what it may touch, and what it has to say."""

    shop: Workshop
    ops: Ops
    run_id: str
    tenants: tuple[Tenant, ...]
    reports: dict[str, TenantReport]
    watch: Watch

    @property
    def open(self) -> tuple[Tenant, ...]:
        """The tenants that have not failed and are not done."""
        return tuple(tenant for tenant in self.tenants if self.reports[tenant.slug].is_open)

    @contextmanager
    def step(self, tenant: Tenant, name: str) -> Iterator[TenantReport]:
        """One step of one tenant: watched, timed, kept; a GataError fails the tenant and goes no further."""
        report, started = self.reports[tenant.slug], time.monotonic()
        self.watch(tenant.slug, name)
        with bound_contextvars(tenant=tenant.slug, step=name):
            try:
                yield report
            except GataError as error:
                report.fail(error)
                log.error("failed", what=error.what, fix=error.fix)
        status, detail = ("failed", str(report.error)) if report.error else ("done", None)
        seconds = round(time.monotonic() - started, 3)
        self.ops.step(self.run_id, tenant.slug, name, status, seconds=seconds, detail=detail)

    def report(self) -> BuildReport:
        return BuildReport(self.run_id, tuple(self.reports.values()))


@contextmanager
def _job(shop: Workshop, slugs: Sequence[str] | None, wait_seconds: float, watch: Watch) -> Iterator[Job]:
    """A command under the build lock, with its own run in the ledger.

    Raises:
        ConfigError: A named tenant is unknown or not active.
        Busy: Another build holds the lock after `wait_seconds`.
    """
    tenants = shop.chosen(slugs)
    with build_lock(shop.settings.home, wait_seconds=wait_seconds), Ops(shop.settings.ops) as ops:
        ops.close_interrupted()
        reports = {
            tenant.slug: TenantReport(tenant.slug, run_id=latest(shop.settings.published(tenant.slug)))
            for tenant in tenants
        }
        job = Job(shop, ops, ops.start_run("*"), tenants, reports, watch)
        yield job
        for report in reports.values():
            report.settle()
        ops.finish_run(job.run_id, "done" if job.report().exit_code == 0 else "failed")


def build(
    shop: Workshop,
    slugs: Sequence[str] | None = None,
    *,
    full: bool = False,
    wait_seconds: float = 0.0,
    watch: Watch = _unwatched,
) -> BuildReport:
    """Everything, only what changed; `full` rebuilds and publishes also what did not."""
    with _job(shop, slugs, wait_seconds, watch) as job:
        _library(job)
        _land(job)
        _push(job)
        changed = {tenant.slug: _changed(job, tenant, full=full) for tenant in job.open}
        _stars(job, [tenant for tenant in job.open if changed[tenant.slug]], publish=changed)
        return job.report()


def library(shop: Workshop, *, wait_seconds: float = 0.0) -> dict[str, int | bool]:
    """See that every sink and blueprint of the catalog exists in the hub."""
    with build_lock(shop.settings.home, wait_seconds=wait_seconds):
        changed = prepare_hub(shop.blueprints, shop.settings)
    sinks = {blueprint.sink for blueprint in shop.blueprints.values()}
    return {"blueprints": len(shop.blueprints), "sinks": len(sinks), "changed": changed}


def onboard(shop: Workshop, slug: str, *, dry_run: bool = False) -> Onboarding:
    """Write a tenant's generated dbt projects, or only say which files would change.

    Raises:
        ConfigError: The tenant is unknown, lacks a domain, or enables a connector that has no contracts yet.
    """
    tenant = shop.manifest.get(slug)
    check_ready(tenant, shop.catalog, place=shop.manifest.places[tenant.slug])
    folder, files = projects(shop.settings, tenant.slug), onboard_files(tenant, shop.blueprints)
    changed = tuple(path for path, text in files.items() if not _holds(folder / path, text))
    if not dry_run:
        for part in ("push", "stars"):
            own = {path.removeprefix(f"{part}/"): text for path, text in files.items() if path.startswith(f"{part}/")}
            write_project(folder / part, own)
    return Onboarding(tenant.slug, tuple(files), changed)


def land_only(
    shop: Workshop, slugs: Sequence[str] | None = None, *, wait_seconds: float = 0.0, watch: Watch = _unwatched
) -> BuildReport:
    """Bring new files into the landing tables, and no further."""
    with _job(shop, slugs, wait_seconds, watch) as job:
        _library(job)
        _land(job)
        return job.report()


def transform(
    shop: Workshop, slugs: Sequence[str] | None = None, *, wait_seconds: float = 0.0, watch: Watch = _unwatched
) -> BuildReport:
    """Push what has landed and rebuild the stars; nothing is published."""
    with _job(shop, slugs, wait_seconds, watch) as job:
        _library(job)
        _push(job)
        _stars(job, job.open, publish={})
        return job.report()


def publish_only(
    shop: Workshop, slugs: Sequence[str] | None = None, *, wait_seconds: float = 0.0, watch: Watch = _unwatched
) -> BuildReport:
    """Publish the stars as they were last built."""
    with _job(shop, slugs, wait_seconds, watch) as job:
        for tenant in job.open:
            with job.step(tenant, "publish") as report:
                inputs = star_inputs(tenant, shop.blueprints, shop.settings)
                report.published(publish_star(tenant, shop, inputs))
        return job.report()


def validate(
    shop: Workshop,
    slugs: Sequence[str] | None = None,
    *,
    full: bool = False,
    wait_seconds: float = 0.0,
    watch: Watch = _unwatched,
) -> BuildReport:
    """Run every test on the stars as they were last built; `full` also proves the published runs byte by byte."""
    with _job(shop, slugs, wait_seconds, watch) as job:
        for tenant in job.open:
            with job.step(tenant, "validate") as report:
                star = check_star(tenant, shop.blueprints, shop.settings)
                report.findings += [*star.findings, *enforce(tenant.slug, star.failures, strict=shop.settings.strict)]
                if full:
                    folder = shop.settings.published(tenant.slug)
                    for run_id in runs(folder):
                        verify(folder / run_id)
        return job.report()


def rollback(shop: Workshop, slug: str, to: str | None = None) -> str:
    """Point readers of a tenant to an earlier run; its id.

    Raises:
        ConfigError: The tenant is unknown.
        PublishError: There is no such run.
    """
    tenant = shop.manifest.get(slug)
    return move_back(shop.settings.published(tenant.slug), to, now=shop.settings.now())


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def _library(job: Job) -> None:
    job.watch("*", "library")
    prepare_hub(job.shop.blueprints, job.shop.settings)


def _land(job: Job) -> None:
    settings = job.shop.settings
    for tenant in job.open:
        with job.step(tenant, "land") as report:
            landing = land(tenant, job.shop.blueprints, settings)
            report.quarantined = sum(table.quarantined for table in landing.tables)
            report.findings += landing_notes(landing)
            for bad in kept_out(tenant, landing.load_id, settings):
                job.ops.add_quarantine(job.run_id, tenant.slug, **asdict(bad))
            report.findings += enforce(tenant.slug, landing_failures(tenant, settings), strict=settings.strict)


def _push(job: Job) -> None:
    for tenant in job.open:
        with job.step(tenant, "push") as report:
            nodes = push(tenant, job.shop.blueprints, job.shop.settings)
            job.ops.save_artifacts(job.run_id, tenant.slug, [asdict(node) for node in nodes])
            report.rows |= sink_rows(tenant.slug, job.shop.settings, job.shop.blueprints)


def _changed(job: Job, tenant: Tenant, *, full: bool) -> str | None:
    """A digest of what the tenant's next run would be made of; None when the last one was made of the same."""
    settings = job.shop.settings
    inputs, built = star_inputs(tenant, job.shop.blueprints, settings), read_built(settings, tenant.slug)
    is_served = latest(settings.published(tenant.slug)) is not None
    if built and built.inputs == inputs and is_served and not full:
        job.reports[tenant.slug].unchanged(built)
        return None
    return inputs


def _stars(job: Job, tenants: Sequence[Tenant], *, publish: dict[str, str | None]) -> None:
    """Rebuild stars, and publish each whose inputs are in `publish` as soon as it is there."""

    def done(tenant: Tenant, star: Star | GataError) -> None:
        with job.step(tenant, "stars") as report:
            if isinstance(star, GataError):
                raise star
            job.ops.save_artifacts(job.run_id, tenant.slug, [asdict(node) for node in star.nodes])
            report.findings += [*star.findings, *enforce(tenant.slug, star.failures, strict=job.shop.settings.strict)]
        if job.reports[tenant.slug].is_open and (inputs := publish.get(tenant.slug)):
            with job.step(tenant, "publish") as report:
                report.published(publish_star(tenant, job.shop, inputs, tuple(report.findings)))

    for tenant in tenants:
        job.watch(tenant.slug, "stars")
    if tenants:
        build_stars(tenants, job.shop.blueprints, job.shop.settings, done=done)
