"""A running build command: it holds the build lock and records one run in the operations database."""

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
"""Called as each step begins, with (tenant or *, step)."""


def unobserved(tenant: str, step: str) -> None:
    """Do nothing: the observer of a build without a progress display."""


@dataclass
class BuildCommand:
    """The state of one running command: its context, database, worker pool and reports."""

    context: BuildContext
    ops: Ops
    pool: WorkerPool
    run_id: str
    tenants: tuple[Tenant, ...]
    reports: dict[Slug, TenantReport]
    watch: StepObserver
    records: HubRecords | None = None
    """The hub's records when the command began; None until the hub is ready."""
    drifted: dict[Slug, list[str]] = field(default_factory=dict)
    """By tenant, the drift failures: tables that no longer match their contract."""
    is_full: bool = False
    """Rebuild and publish also tenants with unchanged inputs."""
    new: tuple[Tenant, ...] = ()
    """Tenants without a published run when the build began: their work is prefetched."""

    @property
    def open(self) -> tuple[Tenant, ...]:
        """The tenants that have not failed and are not done."""
        return tuple(tenant for tenant in self.tenants if self.reports[tenant.slug].is_open)

    def begin(self, tenant: Tenant, name: str) -> float:
        """Notify the observer that a step begins; return its start time, for the `step` that ends it."""
        self.watch(tenant.slug, name)
        return time.monotonic()

    @contextmanager
    def step(self, tenant: Tenant, name: str, *, since: float | None = None) -> Iterator[TenantReport]:
        """Run one step of one tenant: observed, timed, recorded; a GataError fails the tenant and is not raised.

        The value that the block sets as `step_rows` of the report is recorded with the step.

        Args:
            since: Its start time, if `begin` was called before.
        """
        report, started = self.reports[tenant.slug], since or self.begin(tenant, name)
        report.step_rows = None
        with bound_contextvars(tenant=tenant.slug, step=name):
            try:
                yield report
            except GataError as error:
                report.fail(error)
                if isinstance(error, DbtFailed):
                    self.record_nodes(tenant.slug, error.nodes)
                log.error("failed", what=error.what, fix=error.fix)
        status, detail = ("failed", str(report.error)) if report.error else ("done", None)
        seconds = round(time.monotonic() - started, 3)
        self.ops.step(
            self.run_id, tenant.slug, step=name, status=status, rows=report.step_rows, seconds=seconds, detail=detail
        )

    def record_nodes(self, slug: str, nodes: Sequence[Node]) -> None:
        """Record the dbt nodes that ran for a tenant, or for all (*)."""
        if nodes:
            self.ops.save_artifacts(self.run_id, slug, [asdict(node) for node in nodes])

    def report(self) -> BuildReport:
        return BuildReport(self.run_id, tuple(self.reports.values()))


@contextmanager
def open_command(
    context: BuildContext, tenants: tuple[Tenant, ...], wait_seconds: float, watch: StepObserver
) -> Iterator[BuildCommand]:
    """Open a command under the build lock, with its own run in the operations database.

    Raises:
        Busy: Another build holds the lock after `wait_seconds`.
        MissingExtra: This installation only serves.
    """
    require_extra("build", "Building")
    with (
        build_lock(context.settings.home, wait_seconds=wait_seconds),
        Ops(context.settings.ops) as ops,
        WorkerPool(context.blueprints, context.settings) as pool,
    ):
        ops.close_interrupted()
        reports = {
            tenant.slug: TenantReport(tenant.slug, run_id=latest_readable(context.settings.published(tenant.slug)))
            for tenant in tenants
        }
        command = BuildCommand(context, ops, pool, ops.start_run("*"), tenants, reports, watch)
        with bound_contextvars(run_id=command.run_id):
            try:
                yield command
            except GataError as error:
                ops.finish_run(command.run_id, "failed", str(error))
                raise
            if command.records is not None:
                record_in_hub(context, ops, command.records)
            for report in reports.values():
                report.settle()
            ops.finish_run(command.run_id, "done" if command.report().exit_code == 0 else "failed")
