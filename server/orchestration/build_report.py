"""What a build did, tenant by tenant, in the shape of `gata build --json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.config.slug import Slug
from pipeline.config.tenant import Tenant
from pipeline.errors import GataError, GateFailed
from server.orchestration.publishing import PublishedStar
from server.orchestration.replay import Replayed

DONE, INPUT, GATE = 0, 2, 3


@dataclass
class TenantReport:
    """How one tenant's build went; filled in step by step."""

    tenant: Slug
    status: str = "pending"
    """published, unchanged, failed, unpublished (a run waits), done (a step alone), offboarded (left out), or pending
    while the build runs."""
    run_id: str | None = None
    """The run that readers see now; of an unpublished one its own."""
    rows: dict[str, int] = field(default_factory=dict)
    """Rows per sink and per table of the star."""
    quarantined: int = 0
    findings: list[str] = field(default_factory=list)
    damage: tuple[str, ...] = ()
    """What the builds before had left behind and was damaged when this one began; not kept as a finding of the run."""
    error: GataError | None = None
    step_rows: int | None = None
    """Rows that the step at work has brought on; None where it has none by its nature, or failed before it knew."""

    @classmethod
    def left_out(cls, tenant: Tenant) -> TenantReport:
        """Of an offboarded tenant."""
        said = f"It is {tenant.status} in tenants.yaml: neither built nor served, and kept until `gata forget`."
        return cls(tenant.slug, tenant.status, findings=[said])

    @property
    def is_open(self) -> bool:
        """Whether there is still something to do for it."""
        return self.error is None and self.status == "pending"

    def fail(self, error: GataError) -> None:
        self.status, self.error = "failed", error

    def published(self, run_id: str, rows: Mapping[str, int]) -> None:
        self.status, self.run_id = "published", run_id
        self.step_rows = sum(rows.values())
        self.rows |= rows

    def waits(self, run: Replayed) -> None:
        """A run was built that nobody sees until it is published."""
        self.status, self.run_id = "unpublished", run.run_id
        self.findings += run.findings

    def unchanged(self, built: PublishedStar) -> None:
        self.status = "unchanged"
        self.rows |= built.rows
        self.findings += [finding for finding in built.findings if finding not in self.findings]

    def settle(self) -> None:
        """A command that stops before publishing is done when it has not failed."""
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
        }


@dataclass(frozen=True)
class BuildReport:
    """A build of several tenants."""

    run_id: str
    tenants: tuple[TenantReport, ...]

    @property
    def exit_code(self) -> int:
        """0 all published or unchanged; 2 a tenant's input is wrong; 3 only gates failed."""
        errors = [report.error for report in self.tenants if report.error]
        if not errors:
            return DONE
        return GATE if all(isinstance(error, GateFailed) for error in errors) else INPUT

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        return {"run_id": self.run_id, "tenants": [report.to_dict() for report in self.tenants]}
