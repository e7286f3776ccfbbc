"""What is in quarantine of tenants, and its replay: everything that is kept out is read again and built.

After a fix of ours (a new release) records that now convert land from bronze; after one of theirs the mended file does.
Doing it twice gives the same rows: the sink knows the good records of a batch that is read again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.config.tenant import Tenant
from pipeline.contracts.registry import Blueprints
from pipeline.errors import QueryError, shorten, suggest
from pipeline.gates.quarantined_now import QuarantinedRecord, quarantined_records
from pipeline.ingest.deliveries.reread import Reread, reread
from pipeline.ingest.exports import routed_blueprints
from pipeline.storage.build_lock import build_lock
from server.orchestration.build_command import StepObserver, open_command, unobserved
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
    from server.orchestration.steps import BUILD_STEPS  # steps import this folder

    selection = context.select([slug])
    (tenant,) = selection.tenants
    with build_lock(context.settings.home, wait_seconds=wait_seconds):
        if not in_quarantine(context, tenant, choice):
            return QuarantineReplay(tenant, Reread(0, 0, 0), 0, 0, None)
    with open_command(context, selection, wait_seconds, watch) as command:  # one lock: nobody builds what is half done
        before = in_quarantine(context, tenant, choice)
        again = reread(
            tenant,
            routed_blueprints(context.blueprints, tenant),
            context.settings,
            batches=sorted(_batches(before)),
            targets=sorted({(each.platform, each.account, each.object) for each in before if each.is_file}),
        )
        command.run(BUILD_STEPS)
    after = in_quarantine(context, tenant, choice)
    return QuarantineReplay(tenant, again, len(before), len(after), command.report())


def choose_sources(tenant: Tenant, blueprints: Blueprints, names: Mapping[str, object]) -> SourceChoice:
    """The choice of `names`, by platform, account and object.

    Raises:
        QueryError: A name is of something else, or no source of the tenant has it.
    """
    known, chosen = _names_of_sources(tenant, blueprints), dict[str, str]()
    for key, name in names.items():
        if key not in known:
            raise QueryError(f"Sources have no {shorten(key, 80)!r} to choose by.", suggest(key, known))
        if not isinstance(name, str) or name not in known[key]:
            label = shorten(str(name), 80)
            raise QueryError(f"There is no {key} named {label!r} here.", suggest(label, known[key]))
        chosen[key] = name
    return SourceChoice(**chosen)


def _names_of_sources(tenant: Tenant, blueprints: Blueprints) -> dict[str, set[str]]:
    accounts = {account.name for source in tenant.enabled for account in source.accounts}
    routed = routed_blueprints(blueprints, tenant)
    platforms, objects = ({getattr(each, key) for each in routed} for key in ("platform", "object"))
    return {"platform": platforms, "account": accounts, "object": objects}


def _batches(records: Sequence[QuarantinedRecord]) -> set[tuple[str, str, str, str]]:
    listed = (each for each in records if not each.is_file and each.batch_id)
    return {(each.platform, each.account, each.object, each.batch_id or "") for each in listed}
