"""What there is to land for each object of each account, and what was done about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from pipeline.ingest.drift import DriftedFile, fingerprint
from pipeline.ingest.earlier_shapes import EarlierShapes
from pipeline.ingest.exports import ExportFile, ExportTarget
from pipeline.ingest.landing_tables import Known


@dataclass
class LoadPlan:
    """What there is to do for one target, and what was done."""

    target: ExportTarget
    observed: EarlierShapes
    as_of: datetime | None
    """When the newest of its landed exports was made; None where no row of it has landed."""
    new: list[ExportFile] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    known_files: int = 0
    files: int = 0
    rows: int = 0
    quarantined: int = 0
    names: set[str] = field(default_factory=set)
    """Fields that the landed files had."""
    drifted: list[DriftedFile] = field(default_factory=list)
    waiting: int = 0
    """Files with which nothing is wrong but that their table stands still."""

    @property
    def is_stopped(self) -> bool:
        return any(file.stops for file in self.drifted)


def plan_loads(targets: Iterable[ExportTarget], ledger: Known) -> list[LoadPlan]:
    """What of each target's files is new by its content; files alike are one.

    Damaged files are not read again, drifted ones only by another contract; and while a table stands still, none is.
    """
    landed = set(ledger.landed)
    failed = {entry[:5]: entry[5] for entry in ledger.unreadable if entry[4] is not None}
    plans = []
    for target in targets:
        work = LoadPlan(
            target,
            ledger.observed.get(target.key, EarlierShapes()),
            ledger.as_of.get(target.key),
            findings=[*target.findings],
        )
        plans.append(work)
        contract = fingerprint(target.blueprint.contract)
        for export in target.exports():
            identity = (*target.key, str(export.path), export.sha256)
            drifted = ledger.drifted.get((*target.key, export.sha256 or "", contract))
            if export.unreadable and (*identity, export.unreadable) in ledger.unreadable:
                work.findings.append(f"{export.name} still {export.unreadable}")
            elif identity in failed:
                work.findings.append(f"{export.name} is still in quarantine as a whole: {failed[identity]}")
            elif export.sha256 and (*target.key, export.sha256) in landed:
                work.known_files += 1
            elif drifted:
                work.drifted.append(replace(drifted, name=export.name))
            else:
                work.new.append(export)
                landed.add((*target.key, export.sha256 or str(export.path)))
        if work.is_stopped:
            work.waiting, work.new = len(work.new), []
    return plans
