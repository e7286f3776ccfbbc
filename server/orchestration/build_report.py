"""The report of a build, one entry per tenant, in the shape of `gata build --json`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pipeline.config.tenant import Tenant
from pipeline.config.tenants_file import RefusedEntry
from pipeline.errors import GataError, GateFailed, Unforeseen
from pipeline.gates.finding import Finding
from pipeline.gates.gate_result import GateResult, found
from pipeline.storage.run_counts import StepCounts, TableCounts, step_total
from server.orchestration.publishing import PublishedStar
from server.orchestration.replay import Replayed

DONE, BUG, INPUT, GATE = 0, 1, 2, 3


@dataclass
class TenantReport:
    """The result of one tenant's build; each step adds to it."""

    tenant: str
    """Its slug; of a refused entry that has no valid one, where it stands."""
    status: str = "pending"
    """published, unchanged, failed, unpublished (a run waits), done (a single step), offboarded (skipped), refused (its
    entry in tenants.yaml is wrong), or pending while the build runs."""
    run_id: str | None = None
    """The run that readers see now; for status unpublished, the unpublished run."""
    rows: dict[str, int] = field(default_factory=dict)
    """Rows per sink and per table of the star."""
    quarantined: int = 0
    findings: list[str] = field(default_factory=list)
    details: list[Finding] = field(default_factory=list)
    """Those that gates measured."""
    gates: list[GateResult] = field(default_factory=list)
    """The results of all gates so far."""
    damage: tuple[str, ...] = ()
    """Outputs of earlier builds that were damaged when this one began; not recorded as a finding of the run."""
    error: GataError | None = None
    failed_step: str | None = None
    """The step whose work met the error."""
    counts: StepCounts = StepCounts()  # noqa: RUF009  # frozen
    """Of the current step."""
    audited: tuple[TableCounts, ...] = ()
    """By table and partition, what came through the current step."""
    attempts: int = 1
    """Of the current step, the one under way counted."""
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    """When the current step began."""

    @classmethod
    def offboarded(cls, tenant: Tenant) -> TenantReport:
        """The report of an offboarded tenant, which the build skips."""
        finding = f"It is {tenant.status} in tenants.yaml: neither built nor served, and kept until `gata forget`."
        return cls(tenant.slug, tenant.status, findings=[finding])

    @classmethod
    def refused(cls, entry: RefusedEntry, run_id: str | None) -> TenantReport:
        """The report of a tenant whose entry in tenants.yaml is wrong; readers keep the run they have."""
        return cls(entry.name, "refused", run_id, error=entry.error)

    @property
    def is_open(self) -> bool:
        """Whether the build of the tenant is still in progress."""
        return self.error is None and self.status == "pending"

    def fail(self, error: GataError, *, step: str) -> None:
        self.status, self.error, self.failed_step = "failed", error, step
        if isinstance(error, GateFailed):
            self.gates += error.results
            self.details += found(error.results)

    def set_published(self, built: PublishedStar) -> None:
        self.set_run(built.run_id, built.rows)
        self.gates += built.judged
        self.findings += [each.sentence for each in found(built.judged) if each.sentence not in self.findings]
        self.details = list(built.details)

    def set_run(self, run_id: str, rows: Mapping[str, int]) -> None:
        """Record the run that readers see from now on."""
        self.status, self.run_id = "published", run_id
        self.rows |= rows

    def begin_step(self, attempt: int) -> None:
        """Forget the counts of the step before, or of the attempt before."""
        self.counts, self.audited, self.attempts, self.began_at = StepCounts(), (), attempt, datetime.now(UTC)

    def audit(self, tables: Iterable[TableCounts]) -> None:
        """Set what came through the current step; its counts are the sums."""
        self.audited = tuple(tables)
        self.counts = step_total(self.audited)

    def set_unpublished(self, run: Replayed) -> None:
        """Record an unpublished run: readers do not see it until it is published."""
        self.status, self.run_id = "unpublished", run.run_id
        self.findings += run.findings

    def set_unchanged(self, built: PublishedStar) -> None:
        self.status = "unchanged"
        self.rows |= built.rows
        self.findings += [finding for finding in built.findings if finding not in self.findings]
        self.details = list(built.details)

    def set_as_before(self, rows: Mapping[str, int], findings: Iterable[str], details: Iterable[Finding]) -> None:
        """Report what the last build reported that found nothing new."""
        self.status, self.rows = "unchanged", dict(rows)
        self.findings, self.details = list(findings), list(details)

    def settle(self) -> None:
        """Set `done` where nothing failed: the end of a command that stops before publishing."""
        if self.status == "pending":
            self.status = "done"

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        findings = [*self.damage, *self.findings, *([str(self.error)] if self.error else [])]
        return {
            "tenant": self.tenant,
            "status": self.status,
            "run_id": self.run_id,
            "rows": self.rows,
            "quarantined": self.quarantined,
            "findings": findings,
            "details": [finding.to_dict() for finding in self.details],
        }


@dataclass(frozen=True)
class BuildReport:
    """A build of several tenants."""

    run_id: str
    tenants: tuple[TenantReport, ...]

    @property
    def exit_code(self) -> int:
        """0 all published or unchanged; 1 a tenant met a bug; 2 a tenant's input is wrong; 3 only gates failed."""
        errors = [report.error for report in self.tenants if report.error]
        if not errors:
            return DONE
        if any(isinstance(error, Unforeseen) for error in errors):
            return BUG
        return GATE if all(isinstance(error, GateFailed) for error in errors) else INPUT

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        return {"run_id": self.run_id, "tenants": [report.to_dict() for report in self.tenants]}
