"""One build command at work: under the build lock, with a run of its own in the operations database."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

from structlog.contextvars import bound_contextvars

from pipeline.config.slug import Slug
from pipeline.config.tenant import Tenant
from pipeline.errors import DbtFailed, GataError
from pipeline.extras import require_extra
from pipeline.log import log
from pipeline.publish.pointer import latest_readable
from pipeline.storage.build_lock import build_lock
from pipeline.storage.ops import Ops
from server.orchestration.build_context import BuildContext
from server.orchestration.build_report import BuildReport, TenantReport
from server.orchestration.hub_records import record_in_hub
from server.orchestration.worker_pool import WorkerPool
from warehouse.build.hub_metadata import HubRecords
from warehouse.run_dbt import Node

StepObserver = Callable[[str, str], None]
"""Told of each step as it begins: (tenant or *, step)."""


def unobserved(tenant: str, step: str) -> None:
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
    is_full: bool = False
    """Tenants whose inputs did not change are rebuilt and published too."""
    new: tuple[Tenant, ...] = ()
    """Tenants without a published run when the build began: their work is begun ahead."""

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
def open_command(
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
            if job.books is not None:
                record_in_hub(shop, ops, job.books)
            for report in reports.values():
                report.settle()
            ops.finish_run(job.run_id, "done" if job.report().exit_code == 0 else "failed")
