"""A running build command: it holds the build lock and records one run in the operations database."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property

from structlog.contextvars import bound_contextvars

from pipeline.config.slug import Slug
from pipeline.config.tenant import Tenant
from pipeline.errors import GataError
from pipeline.extras import require_extra
from pipeline.log import log
from pipeline.publish.pointer import latest_readable
from pipeline.retries import Result, RetryQueue, call_with_retries, failure_class
from pipeline.storage.build_lock import build_lock
from pipeline.storage.build_memory import among_processes
from pipeline.storage.ops import Ops
from server.orchestration.alerts.sending import alerts_after
from server.orchestration.build_context import BuildContext, Selection
from server.orchestration.build_report import BuildReport, TenantReport
from server.orchestration.comparison.hub_seen import HubSeen
from server.orchestration.hub_records import record_in_hub
from server.orchestration.isolation.boundary import failure_of
from server.orchestration.run_history.history_files import keep_history
from server.orchestration.worker_pool import WorkerPool, is_parallel
from warehouse.build.hub_metadata import HubRecords

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
    reports: dict[str, TenantReport]
    """By tenant; refused entries without a slug by their place."""
    watch: StepObserver
    hub_seen: HubSeen
    records: HubRecords | None = None
    """The hub's records when the command began; None until the hub is ready."""
    drifted: dict[Slug, list[str]] = field(default_factory=dict)
    """By tenant, the drift failures: tables that no longer match their contract."""
    is_full: bool = False
    """Rebuild and publish also tenants with unchanged inputs."""
    verifies: bool = False
    """Read a share of the exports that look as they did."""
    inputs_seen: dict[str, str] = field(default_factory=dict)
    """By tenant that is built step by step, the digest of what its build looks at, as it was when the command began."""
    new: tuple[Tenant, ...] = ()
    """Tenants without a published run when the build began: their work is prefetched."""
    _at: int | None = None
    """The place of the current step among those that `run` runs; None outside of it, where nobody is tried again."""
    _failed_at: dict[str, int] = field(default_factory=dict)
    """By tenant, the place of the step that it waits to try again."""
    _due: dict[str, int] | None = None
    """In a pass of retries, its tenants, each with the place of the step that it begins at; None in the first pass."""

    @property
    def open(self) -> tuple[Tenant, ...]:
        """The tenants that the current step is for: not failed, not done, and not waiting for their next attempt."""
        return tuple(tenant for tenant in self.tenants if self.goes_on(tenant))

    def goes_on(self, tenant: Tenant) -> bool:
        """Whether the current step is for a tenant."""
        at = self._at or 0
        has_come = self._due is None or self._due.get(tenant.slug, at + 1) <= at
        return has_come and self.reports[tenant.slug].is_open and tenant.slug not in self.retries

    @cached_property
    def retries(self) -> RetryQueue:
        """The tenants that wait for their next attempt."""
        return RetryQueue(self.context.settings.retry_policy, self.context.clock)

    def run(self, steps: Sequence[Callable[[BuildCommand], object]]) -> None:
        """Run steps in order for all tenants; then, when they are due, for those that wait, from the step that failed.

        A tenant that waits holds nobody up: the others go through all steps before anybody sleeps.
        """
        begin = 0
        while True:
            for self._at in range(begin, len(steps)):
                steps[self._at](self)
            due = self.retries.next_due()
            if not due:
                self._at = self._due = None
                return
            self._due = {each.name: self._failed_at[each.name] for each in due}
            begin = min(self._due.values())

    def begin(self, tenant: Tenant, name: str) -> float:
        """Notify the observer that a step begins; return its start time, for the `step` that ends it."""
        self.watch(tenant.slug, name)
        return time.monotonic()

    @contextmanager
    def step(self, tenant: Tenant, name: str, *, since: float | None = None) -> Iterator[TenantReport]:
        """Run one step of one tenant: observed, timed, recorded; an error fails the tenant and is not raised.

        After an error that passes by itself the tenant waits for its next attempt, and nothing is recorded yet. What
        the block sets as counts of the report is recorded with the step.

        Args:
            since: Its start time, if `begin` was called before.
        """
        report, started = self.reports[tenant.slug], since or self.begin(tenant, name)
        report.begin_step(self.retries.attempt(tenant.slug, name))
        with self._bounded(tenant, name):
            yield report
        if tenant.slug not in self.retries:
            self._record(tenant, name, started)

    @contextmanager
    def check(self, tenant: Tenant, name: str) -> Iterator[TenantReport]:
        """Run work of one tenant between its steps; it is recorded where it fails, and then as `step` does."""
        report, started = self.reports[tenant.slug], time.monotonic()
        report.begin_step(self.retries.attempt(tenant.slug, name))
        with self._bounded(tenant, name):
            yield report
        if report.failed_step == name:
            self._record(tenant, name, started)

    @contextmanager
    def _bounded(self, tenant: Tenant, name: str) -> Iterator[TenantReport]:
        """The boundary of a tenant's work: any error but one that concerns everybody is the tenant's failure.

        One that passes by itself is none yet: the tenant waits for its next attempt.
        """
        report = self.reports[tenant.slug]
        with bound_contextvars(tenant=tenant.slug, step=name):
            try:
                self.context.settings.unchanged_note(tenant.slug).unlink(missing_ok=True)
                yield report
            except Exception as error:  # noqa: BLE001  # the boundary: of whatever kind, it is this tenant's
                if self._put_off(tenant, name, error):
                    return
                failure = failure_of(error, tenant=tenant.slug, step=name)
                report.fail(failure, step=name)
                log.error("failed", what=failure.what, fix=failure.fix)

    def _record(self, tenant: Tenant, name: str, started: float) -> None:
        report, seconds = self.reports[tenant.slug], round(time.monotonic() - started, 3)
        status, detail = ("failed", str(report.error)) if report.error else ("done", None)
        self.ops.step(
            self.run_id,
            tenant.slug,
            step=name,
            status=status,
            counts=report.counts,
            attempts=report.attempts,
            seconds=seconds,
            detail=detail,
            failure=type(report.error).__name__ if report.error else None,
        )
        self.ops.add_audit_records(self.run_id, tenant.slug, report.audited, seconds)

    def skip(self, tenant: Tenant, name: str, why: str) -> None:
        """Record that a step was not run, and why not."""
        self.ops.step(self.run_id, tenant.slug, step=name, status="skipped", seconds=0.0, detail=why)

    def _put_off(self, tenant: Tenant, name: str, error: Exception) -> bool:
        """Let a tenant wait for its next attempt, where its error passes by itself; whether it does."""
        attempt = self.retries.attempt(tenant.slug, name)
        seconds = None if self._at is None else self.retries.put_off(tenant.slug, name, error)
        if self._at is None or seconds is None:
            return False
        self._failed_at[tenant.slug] = self._at
        self._announce(tenant.slug, name, attempt, seconds, error)
        return True

    def for_all(self, name: str, work: Callable[[], Result]) -> Result:
        """The result of a step that every tenant needs: all wait for its next attempt, where its error passes."""
        self.watch("*", name)
        return call_with_retries(
            work,
            self.context.settings.retry_policy,
            sleep=self.context.clock.sleep,
            on_retry=lambda attempt, seconds, error: self._announce("*", name, attempt, seconds, error),
        )

    def _announce(self, tenant: str, name: str, attempt: int, seconds: float, error: BaseException) -> None:
        """Say that a step waits, and for how long: to whoever watches, and in the log."""
        self.watch(tenant, f"{name}, again in {seconds:g} s")
        reason = error.what if isinstance(error, GataError) else type(error).__name__
        log.warning(
            "step_waits",
            tenant=tenant,
            step=name,
            attempt=attempt,
            seconds=seconds,
            failure=str(failure_class(error)),
            what=reason,
        )

    def report(self) -> BuildReport:
        return BuildReport(self.run_id, tuple(self.reports.values()))


@contextmanager
def open_command(
    context: BuildContext, selection: Selection, wait_seconds: float, watch: StepObserver
) -> Iterator[BuildCommand]:
    """Open a command under the build lock, with its own run in the operations database.

    Raises:
        Busy: Another build holds the lock after `wait_seconds`.
        MissingExtra: This installation only serves.
    """
    require_extra("build", "Building")
    with (
        alerts_after(context.settings),
        build_lock(context.settings.home, wait_seconds=wait_seconds),
        Ops(context.settings.ops) as ops,
        WorkerPool(context.blueprints, context.settings) as pool,
    ):
        ops.close_interrupted()
        if is_parallel(selection.tenants, context.settings):
            own, _ = among_processes(context.settings, context.settings.threads)
            context = replace(context, settings=own)
        reports, seen = _first_reports(context, selection), HubSeen(context.settings)
        command = BuildCommand(context, ops, pool, ops.start_run("*"), selection.tenants, reports, watch, seen)
        with bound_contextvars(run_id=command.run_id):
            try:
                yield command
                if command.records is not None:
                    for slug, failure in record_in_hub(context, ops, command.records).items():
                        if slug in reports and reports[slug].error is None:
                            reports[slug].fail(failure, step="records")
                seen.remember()
                for report in reports.values():
                    report.settle()
                ops.finish_run(command.run_id, "done" if command.report().exit_code == 0 else "failed")
            except Exception as error:
                is_ours = isinstance(error, GataError)
                ops.finish_run(
                    command.run_id, "failed", str(error) if is_ours else f"A bug in gata: {type(error).__name__}."
                )
                raise
            finally:
                keep_history(context.settings, ops, command.run_id, [tenant.slug for tenant in selection.tenants])


def _first_reports(context: BuildContext, selection: Selection) -> dict[str, TenantReport]:
    """The reports before any step: of tenants with the run that readers see, of refused entries with the error."""

    def served(slug: Slug) -> str | None:
        return latest_readable(context.settings.published(slug))

    reports = {str(tenant.slug): TenantReport(tenant.slug, run_id=served(tenant.slug)) for tenant in selection.tenants}
    for entry in selection.refused:
        reports[entry.name] = TenantReport.refused(entry, served(entry.slug) if entry.slug else None)
        log.error("entry_refused", tenant=entry.name, what=entry.error.what, fix=entry.error.fix)
    return reports
