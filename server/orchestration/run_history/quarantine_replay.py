"""What is in quarantine of tenants, and its replay: everything that is kept out is read again and built.

After a fix of ours (a new release) records that now convert land from bronze; after one of theirs the mended file does.
Doing it twice gives the same rows: the sink knows the good records of a batch that is read again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.config.tenant import Tenant
from pipeline.gates.quarantined_now import QuarantinedRecord, quarantined_records
from pipeline.ingest.deliveries.reread import Reread, reread
from pipeline.ingest.exports import routed_blueprints
from pipeline.storage.build_lock import build_lock
from server.orchestration.build_command import StepObserver, unobserved
from server.orchestration.build_context import BuildContext
from server.orchestration.build_report import BuildReport


@dataclass(frozen=True)
class SourceChoice:
    """Which sources of a tenant are meant; None stands for all."""

    platform: str | None = None
    account: str | None = None
    object: str | None = None

    def has(self, record: QuarantinedRecord) -> bool:
        asked, of_record = (self.platform, self.account, self.object), (record.platform, record.account, record.object)
        return all(one in (None, other) for one, other in zip(asked, of_record, strict=True))


@dataclass(frozen=True)
class QuarantineReplay:
    """A replay: what was read again, the build, and the records in quarantine before and after."""

    tenant: Tenant
    reread: Reread
    before: int
    after: int
    build: BuildReport | None
    """None where nothing was in quarantine."""


def in_quarantine(
    context: BuildContext, tenant: Tenant, choice: SourceChoice, *, with_records: bool = False
) -> list[QuarantinedRecord]:
    """What of a tenant's sources is in quarantine now; without `with_records` as `quarantined_records` gives it.

    Raises:
        LandError: A build has the hub open.
    """
    if not context.settings.hub.exists():
        return []
    routed = routed_blueprints(context.blueprints, tenant)
    found = quarantined_records(tenant, routed, context.settings, with_records=with_records)
    return [record for record in found if choice.has(record)]


def replay_quarantine(
    context: BuildContext,
    slug: str,
    choice: SourceChoice,
    *,
    wait_seconds: float = 0.0,
    watch: StepObserver = unobserved,
) -> QuarantineReplay:
    """Read again what is in quarantine of a tenant's sources, and build the tenant.

    Raises:
        ConfigError: The tenant is unknown, or not active.
        Busy: Another build holds the lock.
        LandError: The hub cannot be opened; nothing was changed.
    """
    from server.orchestration.verbs import build  # verbs import the steps, and those this folder

    (tenant,) = context.select([slug]).tenants
    with build_lock(context.settings.home, wait_seconds=wait_seconds):
        before = in_quarantine(context, tenant, choice)
        if not before:
            return QuarantineReplay(tenant, Reread(0, 0, 0), 0, 0, None)
        again = reread(
            tenant,
            routed_blueprints(context.blueprints, tenant),
            context.settings,
            batches=sorted(_batches(before)),
            targets=sorted({(each.platform, each.account, each.object) for each in before if each.is_file}),
        )
    report = build(context, [slug], wait_seconds=wait_seconds, watch=watch)
    after = in_quarantine(context, tenant, choice)
    return QuarantineReplay(tenant, again, len(before), len(after), report)


def _batches(records: Sequence[QuarantinedRecord]) -> set[tuple[str, str, str, str]]:
    listed = (each for each in records if not each.is_file and each.batch_id)
    return {(each.platform, each.account, each.object, each.batch_id or "") for each in listed}
