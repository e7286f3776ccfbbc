"""The health of tenants for an operator: failed, held, stale or damaged, and since when.

It is read from the ledger for all tenants at once, and from what `read_outputs` found in a tenant's files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pipeline.config.slug import Slug
from pipeline.storage.ops import Ops, Row

HELD = "GateFailed"
"""The failure of a step that a gate stopped, as the ledger names it."""

Payload = dict[str, Any]  # Any: JSON values


@dataclass
class RecordedStatus:
    """What the ledger says about one tenant."""

    steps: list[Row] = field(default_factory=list)
    """Those of the newest command that did anything for it."""
    failing_since: str | None = None
    """Of the first of the commands in a row that failed."""
    onboarding: list[Row] = field(default_factory=list)
    quarantined: int = 0
    forgotten_at: str | None = None

    @property
    def failed(self) -> list[Row]:
        return [step for step in self.steps if step["status"] == "failed"]


def recorded_statuses(ops: Ops, slugs: Sequence[Slug]) -> dict[Slug, RecordedStatus]:
    """What the ledger says about tenants: two indexed look-ups for each, whatever the number of runs."""
    found = {slug: RecordedStatus() for slug in slugs}
    run = ops.connection.execute
    for slug, status in found.items():
        rows = run(_LAST_STEPS, (slug,)).fetchall()
        status.steps = [dict(row) for row in rows]
        if status.failed:
            status.failing_since = _failing_since(ops, slug)
    for row in run(_PHASES).fetchall():
        if row["tenant"] in found:
            found[row["tenant"]].onboarding.append({name: row[name] for name in _PHASE})
    for tenant, count in run("select tenant, sum(count) from quarantine group by tenant").fetchall():
        if tenant in found:
            found[tenant].quarantined = count
    for tenant, at in run("select tenant, max(at) from erasures where person is null group by tenant").fetchall():
        if tenant in found:
            found[tenant].forgotten_at = at
    return found


_PHASE = ("phase", "name", "status", "started_at", "finished_at", "detail")
_LAST_STEPS = """
    select step, status, detail, failure, at, seconds from steps
    where tenant = ?1 and run_id = (select max(run_id) from steps where tenant = ?1) order by step_id
"""
_PHASES = f"""
    select tenant, {", ".join(_PHASE)} from onboarding
    where onboarding_id in (select max(onboarding_id) from onboarding group by tenant, phase) order by tenant, phase
"""
_RUNS = """
    select min(at) as began, max(status = 'failed') as is_failed from steps where tenant = ?
    group by run_id order by run_id desc
"""


def _failing_since(ops: Ops, slug: Slug) -> str | None:
    since = None
    for run in ops.connection.execute(_RUNS, (slug,)):
        if not run["is_failed"]:
            break
        since = run["began"]
    return since


def health_of(slug: Slug, status: str, outputs: Mapping[str, Any], recorded: RecordedStatus, today: date) -> Payload:
    """A tenant's entry of `gata status`; `outputs` as `read_outputs` gives them. Any: JSON values."""
    run_id, published_at, notes = outputs["run_id"], outputs["published_at"], list(outputs["notes"])
    if status == "offboarded" and run_id:
        notes.append(f"Readers are refused; run {run_id} is kept until `gata forget --tenant {slug}`.")
        run_id, published_at = None, None
    elif status == "offboarded" and recorded.forgotten_at:
        notes.append(f"It was forgotten on {recorded.forgotten_at[:10]}.")
    return {
        "tenant": slug,
        "status": status,
        "run_id": run_id,
        "published_at": published_at,
        "last_build": "failed" if recorded.failed else ("done" if recorded.steps else None),
        "onboarding": recorded.onboarding,
        "quarantined": recorded.quarantined,
        "attention": [] if status == "offboarded" else list(_attention(outputs, recorded, today)),
        "findings": [*outputs["findings"], *(step["detail"] for step in recorded.failed), *notes],
        "details": outputs["details"],
    }


def _attention(outputs: Mapping[str, Any], recorded: RecordedStatus, today: date) -> Iterable[Payload]:
    """What an operator has to look at, each with its kind, a sentence, and since when."""
    for step in recorded.failed:
        kind = "held" if step["failure"] == HELD else "failed"
        yield {"kind": kind, "cause": step["step"], "text": step["detail"], "since": recorded.failing_since}
    for note in outputs["notes"]:
        yield {"kind": "damaged", "cause": note, "text": note, "since": None}
    for source in outputs["sources"]:
        is_over = source["ended"] is not None and source["ended"] < today.isoformat()
        if source["due"] < today.isoformat() and not is_over:
            text = (
                f"{source['source']} is not live: its last delivery is of {source['delivered_on']},"
                f" and the next was due by {source['due']}."
            )
            yield {"kind": "stale", "cause": source["source"], "text": text, "since": source["due"]}


def onboarded_tenants(records: Sequence[Row]) -> str:
    """The progress of a tenant's onboarding, in a few words; `records` as in its status."""
    if not records:
        return ""
    last = next((record for record in records if record["status"] != "done"), records[-1])
    return (
        "done"
        if last["status"] == "done" and last["phase"] == 5
        else f"{last['phase']} {last['name']}: {last['status']}"
    )
