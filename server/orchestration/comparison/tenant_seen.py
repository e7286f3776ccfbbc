"""What a build would look at of one tenant, as digests, and the note of the last build that found nothing new."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from importlib.metadata import version

from pydantic import BaseModel, ConfigDict

from pipeline.config.tenant import Tenant
from pipeline.gates.finding import Finding
from pipeline.gates.gate_result import found
from pipeline.gates.landing_checks import delivery_results
from pipeline.storage.ops import Ops
from server.orchestration.build_context import BuildContext
from server.orchestration.comparison.files_seen import note_stamps, output_stamps, source_stamps
from server.orchestration.publishing import read_landed
from warehouse.build.source_digest import PACKAGES, code_stamps

ONLY_OF_COST = ("threads", "build_memory")
"""Settings that change no result: a build of several tenants shares its memory out, one of a single tenant does not."""
_OF_OPS = """
    select
        (select group_concat(phase || version || status) from onboarding where onboarding_id in (
            select max(onboarding_id) from onboarding where tenant = ?1 group by phase)),
        (select count(*) from source_freshness where tenant = ?1),
        (select count(*) from source_shapes where tenant = ?1),
        (select count(*) from quarantine where tenant = ?1)
"""


class UnchangedNote(BaseModel):
    """What a build that found nothing new saw of a tenant, and what it reported."""

    model_config = ConfigDict(frozen=True)

    generation: str
    """Of the notes that hold as long as nobody else writes the hub."""
    inputs: str
    """The digest of what the build reads."""
    left: str
    """The digest of what it leaves: notes, and the tenant's rows in ops.sqlite."""
    day: date
    due: tuple[Finding, ...]
    """What is found of days and freshness of deliveries on that day."""
    rows: dict[str, int]
    findings: tuple[str, ...]
    details: tuple[Finding, ...]


@dataclass(frozen=True)
class BuildDigests:
    """Digests of what a command's builds look at."""

    context: BuildContext
    ops: Ops

    def inputs(self, tenant: Tenant) -> str:
        """The digest of what the build of a tenant reads and checks: configuration, code, files, outputs.

        Raises:
            UnsettledFile: A file was just written.
            LandError: A folder may not be read.
        """
        settings = self.context.settings
        is_simulated = any(account.read.kind == "synthetic" for source in tenant.enabled for account in source.accounts)
        return _digest(
            self._common,
            tenant.fingerprint,
            settings.day() if is_simulated else None,
            source_stamps(tenant, settings),
            output_stamps(tenant, settings),
        )

    def left(self, tenant: Tenant) -> str:
        """The digest of what the build of a tenant leaves beside its outputs."""
        rows = self.ops.connection.execute(_OF_OPS, (tenant.slug,)).fetchall()
        return _digest([tuple(row) for row in rows], note_stamps(tenant, self.context.settings))

    def due(self, tenant: Tenant) -> tuple[Finding, ...]:
        """What is found today of days and freshness of what a tenant delivered so far."""
        settings = self.context.settings
        return tuple(found(delivery_results(tenant, read_landed(settings, tenant.slug).delivered, settings)))

    def is_as_left(self, tenant: Tenant, note: UnchangedNote) -> bool:
        """Whether a tenant is as the build of the note left it, and nothing has become due since."""
        if note.left != self.left(tenant):
            return False
        return note.day == self.context.settings.day() or note.due == self.due(tenant)

    @cached_property
    def _common(self) -> str:
        """The digest of what all tenants have in common: settings, contracts, code."""
        settings = sorted(self.context.settings.model_dump(exclude={"today", *ONLY_OF_COST}).items())
        blueprints = [
            (each.sink, each.version, each.source_schema_hash) for _, each in sorted(self.context.blueprints.items())
        ]
        return _digest(version("gata"), settings, blueprints, list(code_stamps((*PACKAGES, "server"))))


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()
