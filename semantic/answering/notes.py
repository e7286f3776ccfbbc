"""Notes of an answer: sentences that a reader needs to interpret its rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from pipeline.gates.finding import COUNTED_BY_ANSWERS, Finding
from semantic.answering.left_out.scan_rows import WeightedNote
from semantic.catalog.catalog import DATE, Catalog
from semantic.catalog.formula import is_sum, metric_names
from semantic.planning.coverage_notes import coverage_notes, leaves_days_unmatched, period_notes
from semantic.planning.currency_rules import currency_notes
from semantic.planning.plan import Plan
from semantic.planning.query import Query

MOST_FINDINGS = 5
"""Notes on findings and unknown rows in one answer; the others are counted."""


def notes(
    query: Query,
    plan: Plan,
    catalog: Catalog,
    *,
    today: date,
    is_empty: bool,
    unknown_rows: Sequence[WeightedNote] = (),
) -> Iterator[str]:
    """Yield the notes of an answer; `unknown_rows` are those on rows that do not say its numbers."""
    yield from finding_notes(plan.findings, unknown_rows)
    yield from _day_notes(query, plan, catalog, today)
    if plan.comparison:
        yield from filter(None, [plan.comparison.aligned.note])
        if leaves_days_unmatched(query, plan):
            yield "Days that only one of the two periods has are compared with nothing."
    yield from currency_notes(query, [component.name for component in plan.shape.components], catalog)
    for name in dict.fromkeys(
        base for metric in plan.metrics for base in (metric, *metric_names(catalog.metrics[metric].formula))
    ):
        if note := catalog.metrics[name].note:
            yield note
    grouped = [name for name in query.dimensions if name != DATE]
    filtered = [each.name for each in query.filters if each.name in catalog.dimensions and each.op != "is_null"]
    for name in dict.fromkeys([*(grouped if len(grouped) == 1 else ()), *filtered]):
        if note := catalog.dimensions[name].note:
            yield note
    for filter_ in query.filters:
        if filter_.name in catalog.dimensions and filter_.op in ("!=", "not_in"):
            yield f"Rows without {filter_.name} are left out by {filter_.op}."
    yield from _rank_notes(query, catalog)
    if is_empty and query.filters:
        yield f"No row is left by the filters on {' and '.join(dict.fromkeys(f.name for f in query.filters))}."


def _rank_notes(query: Query, catalog: Catalog) -> Iterator[str]:
    """Yield a note where groups are ranked by the change of a ratio: a small group moves most and weighs least."""
    first = query.order_by[0].removeprefix("-") if query.order_by else ""
    for name in query.metrics if any(each != DATE for each in query.dimensions) else ():
        if first in (f"{name}_change", f"{name}_change_ratio") and not is_sum(catalog.metrics[name].formula):
            yield f"{first} ranks by the change of each group, not by its weight: explain_change ranks by contribution."


def finding_notes(findings: Iterable[Finding], unknown_rows: Sequence[WeightedNote] = ()) -> Iterator[str]:
    """Yield the sentences of the heaviest findings and counts of unknown rows, and the number of the others."""
    said = [WeightedNote(each.weight, each.text) for each in findings if each.kind not in COUNTED_BY_ANSWERS]
    found = sorted([*said, *unknown_rows], key=lambda note: -note.weight)
    yield from (note.sentence for note in found[:MOST_FINDINGS])
    if (more := len(found) - MOST_FINDINGS) > 0:
        yield f"And {more} more findings: get_status (`gata status`) lists them."


def _day_notes(query: Query, plan: Plan, catalog: Catalog, today: date) -> Iterator[str]:
    yield from coverage_notes(plan, catalog, today)
    window, by_date = plan.window, DATE in query.dimensions
    for fact in (catalog.facts[name] for name in plan.facts):
        zones = [zone for zone in fact.time_zones if zone != catalog.time_zone]
        if zones and (by_date or window):
            yield f"The days of {fact.name} are those of {' and '.join(fact.time_zones)}, not of {catalog.time_zone}."
    yield from period_notes(query, plan, catalog.week_start, today)
    if query.fill_gaps and window and window.end and window.end > today:
        yield f"Days after {today} are still to come: their rows are only filled in."
