"""Load plans: the new deliveries of each object of each account, and the result of landing them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from pipeline.ingest.deliveries.choosing import choose, replays
from pipeline.ingest.deliveries.delivery import Delivery
from pipeline.ingest.deliveries.grouping import Grouped, group
from pipeline.ingest.deliveries.ledger import Ledger
from pipeline.ingest.drift import DriftedFile
from pipeline.ingest.earlier_shapes import EarlierShapes, Key
from pipeline.ingest.exports import ExportFile, ExportTarget
from pipeline.ingest.landing_tables import Known, SeenInside
from pipeline.storage.bronze.batches import BatchFolder


@dataclass
class LoadPlan:
    """The new deliveries of one target, and the result of landing them."""

    target: ExportTarget
    observed: EarlierShapes
    as_of: datetime | None
    """Time of its newest landed export; None where no row of it has landed."""
    ledger: Ledger = field(default_factory=Ledger)
    new: list[Delivery] = field(default_factory=list)
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

    def is_whole(self, delivery: Delivery) -> bool:
        """Whether a delivery lands whole or not at all.

        Files that only their names put together need not, as long as no row of the table has landed: then half of a
        day would replace the whole one.
        """
        return delivery.is_declared or self.as_of is not None


def plan_loads(
    targets: Iterable[ExportTarget],
    known: Known,
    ledgers: Mapping[Key, Ledger],
    batches_of: Callable[[ExportTarget], BatchFolder],
) -> list[LoadPlan]:
    """Plan the new deliveries of each target, and those of bronze that did not land.

    Damaged files are not read again, drifted ones only by another contract; a stopped table reads none.

    Raises:
        LandError: A manifest of bronze is damaged.
    """
    plans = []
    for target in targets:
        inside = known.inside.get(target.key, SeenInside())
        plan = LoadPlan(
            target,
            known.observed.get(target.key, EarlierShapes()),
            known.as_of.get(target.key),
            ledgers.get(target.key) or Ledger(),
            findings=[*target.findings],
            steady_measures=inside.steady_measures,
            nested_before=inside.nested_unknown,
        )
        plans.append(plan)
        kept = replays(batches_of(target), plan.ledger)
        grouped = group(target)
        plan.findings += [*grouped.findings, *_changed_unseen(target, grouped)]
        chosen = choose(grouped.deliveries, plan.ledger)
        plan.known_files = chosen.known_files
        planned = [_to_land(plan, one, known) for one in (*kept, *chosen.new)]
        plan.new = [one for one in planned if one is not None]
        if plan.is_stopped:
            plan.waiting, plan.new = sum(len(one.files) for one in plan.new), []
    return plans


def _changed_unseen(target: ExportTarget, grouped: Grouped) -> Iterator[str]:
    """The findings about files that changed and look as they did."""
    own = {file.path for delivery in grouped.deliveries for file in delivery.files}
    for path in sorted(own & target.contents.changed_unseen):
        yield f"{path.name} has another content than before, though its size, times and inode are the same"


def _to_land(plan: LoadPlan, delivery: Delivery, known: Known) -> Delivery | None:
    """A delivery as it is to be read, None where it is not; the plan says why."""
    if delivery.incomplete:
        plan.findings.append(finding_of_incomplete(delivery, delivery.incomplete))
        return None
    if reason := plan.ledger.refused.get(delivery.identity):
        plan.findings.append(f"{delivery.name} still withheld: {reason}")
        return None
    reasons = {file: _held_back(plan, file, known) for file in delivery.files}
    held_back = [why for why in reasons.values() if why is not None]
    if not held_back:
        return delivery
    if len(delivery.files) > 1 and plan.is_whole(delivery):
        plan.findings.append(finding_of_incomplete(delivery, next(filter(None, held_back), "a file of it has drifted")))
        return None
    plan.findings += filter(None, held_back)
    rest = tuple(file for file, why in reasons.items() if why is None)
    return replace(delivery, files=rest) if rest else None


def finding_of_incomplete(delivery: Delivery, why: str) -> str:
    """The finding about a delivery that is not complete."""
    return f"the delivery of {delivery.name} is not complete and does not land, what landed before it counts: {why}"


def _held_back(plan: LoadPlan, export: ExportFile, known: Known) -> str | None:
    """Why a file is not read again, empty where its drift says it; None for a file to read."""
    key = plan.target.key
    if export.unreadable and (*key, str(export.path), export.sha256, export.unreadable) in known.unreadable:
        return f"{export.name} still {export.unreadable}"
    rules = plan.target.fingerprint
    contents = (export.sha256, f"{export.sha256}/{rules}")  # the second where the rules of reading refused it
    if failed := next(filter(None, (known.failed.get((*key, str(export.path), each)) for each in contents)), None):
        return f"{export.name} is still in quarantine as a whole: {failed}"
    if drifted := known.drifted.get((*key, export.sha256 or "", rules)):
        plan.drifted.append(replace(drifted, name=export.name))
        return ""
    return None
