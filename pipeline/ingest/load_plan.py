"""Load plans: the new files of each object of each account, and the result of landing them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from pipeline.ingest.drift import DriftedFile, fingerprint
from pipeline.ingest.earlier_shapes import EarlierShapes
from pipeline.ingest.exports import ExportFile, ExportTarget
from pipeline.ingest.landing_tables import Known, SeenInside


@dataclass
class LoadPlan:
    """The new files of one target, and the result of landing them."""

    target: ExportTarget
    observed: EarlierShapes
    as_of: datetime | None
    """Time of its newest landed export; None where no row of it has landed."""
    new: list[ExportFile] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    known_files: int = 0
    files: int = 0
    rows: int = 0
    quarantined: int = 0
    names: set[str] = field(default_factory=set)
    """Fields of the landed files."""
    steady_measures: frozenset[str] = frozenset()
    """Measures that every landed file held."""
    nested_before: frozenset[str] = frozenset()
    """Nested fields that the contract does not know and a landed file had; `nested_unknown` are those of this load."""
    nested_unknown: set[str] = field(default_factory=set)
    drifted: list[DriftedFile] = field(default_factory=list)
    waiting: int = 0
    """Good files that wait because their table is stopped."""

    @property
    def is_stopped(self) -> bool:
        return any(file.stops for file in self.drifted)


def plan_loads(targets: Iterable[ExportTarget], known: Known) -> list[LoadPlan]:
    """Plan the files of each target with new content; files with the same content count once.

    Damaged files are not read again, drifted ones only by another contract; a stopped table reads none.
    """
    landed = set(known.landed)
    failed = {entry[:5]: entry[5] for entry in known.unreadable if entry[4] is not None}
    plans = []
    for target in targets:
        inside = known.inside.get(target.key, SeenInside())
        plan = LoadPlan(
            target,
            known.observed.get(target.key, EarlierShapes()),
            known.as_of.get(target.key),
            findings=[*target.findings],
            steady_measures=inside.steady_measures,
            nested_before=inside.nested_unknown,
        )
        plans.append(plan)
        contract = fingerprint(target.blueprint.contract)
        for export in target.exports():
            identity = (*target.key, str(export.path), export.sha256)
            drifted = known.drifted.get((*target.key, export.sha256 or "", contract))
            if export.unreadable and (*identity, export.unreadable) in known.unreadable:
                plan.findings.append(f"{export.name} still {export.unreadable}")
            elif identity in failed:
                plan.findings.append(f"{export.name} is still in quarantine as a whole: {failed[identity]}")
            elif export.sha256 and (*target.key, export.sha256) in landed:
                plan.known_files += 1
            elif drifted:
                plan.drifted.append(replace(drifted, name=export.name))
            else:
                plan.new.append(export)
                landed.add((*target.key, export.sha256 or str(export.path)))
        if plan.is_stopped:
            plan.waiting, plan.new = len(plan.new), []
    return plans
