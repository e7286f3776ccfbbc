"""Notes of an answer: sentences that a reader needs to interpret its rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta

from pipeline.gates.finding import COUNTED_BY_ANSWERS, LEAVES_ROWS_OUT, Finding
from semantic.answering.unknown_rows import WeightedNote
from semantic.catalog.catalog import DATE, Catalog, Fact
from semantic.catalog.formula import metric_names
from semantic.planning.currency_rules import currency_notes
from semantic.planning.plan import Plan
from semantic.planning.query import Query
from semantic.planning.window import Window, period_end, period_start

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
    facts = [catalog.facts[name] for name in plan.facts]
    yield from finding_notes(plan.findings, unknown_rows)
    yield from _day_notes(query, plan, catalog, facts, today)
    if plan.previous:
        yield f"Compared with {plan.previous.start} to {plan.previous.end}."
        if plan.shape.comparison and plan.shape.comparison.drops_unmatched:
            yield "Days that only one of the two periods has are compared with nothing."
    yield from currency_notes(query, [component.name for component in plan.shape.components], catalog)
    for name in dict.fromkeys(
        base for metric in plan.metrics for base in (metric, *metric_names(catalog.metrics[metric].formula))
    ):
        if note := catalog.metrics[name].note:
            yield note
    grouped = [name for name in query.dimensions if name != DATE]
    if len(grouped) == 1 and (note := catalog.dimensions[grouped[0]].note):
        yield note
    for filter_ in query.filters:
        if filter_.name in catalog.dimensions and filter_.op in ("!=", "not_in"):
            yield f"Rows without {filter_.name} are left out by {filter_.op}."
    if is_empty and query.filters:
        yield f"No row is left by the filters on {' and '.join(dict.fromkeys(f.name for f in query.filters))}."


def finding_notes(findings: Iterable[Finding], unknown_rows: Sequence[WeightedNote] = ()) -> Iterator[str]:
    """Yield the sentences of the heaviest findings and counts of unknown rows, and the number of the others."""
    said = [WeightedNote(each.weight, each.text) for each in findings if each.kind not in COUNTED_BY_ANSWERS]
    found = sorted([*said, *unknown_rows], key=lambda note: -note.weight)
    yield from (note.sentence for note in found[:MOST_FINDINGS])
    if (more := len(found) - MOST_FINDINGS) > 0:
        yield f"And {more} more findings: get_status (`gata status`) lists them."


def _day_notes(query: Query, plan: Plan, catalog: Catalog, facts: list[Fact], today: date) -> Iterator[str]:
    window, by_date = plan.window, DATE in query.dimensions
    start, end = (window.start, window.end) if window else (None, None)
    for fact in facts:
        if fact.first_date is None or fact.last_date is None:
            if not any(fact.name in each.facts and each.kind in LEAVES_ROWS_OUT for each in catalog.findings):
                yield f"{fact.name} has no rows yet."
        elif end is not None and fact.last_date < min(end, today - timedelta(days=1)):
            yield f"{fact.name} has data until {fact.last_date}."
        if start is not None and fact.first_date is not None and fact.first_date > start:
            yield f"{fact.name} has data from {fact.first_date} on."
        zones = [zone for zone in fact.time_zones if zone != catalog.time_zone]
        if zones and (by_date or window):
            yield f"The days of {fact.name} are those of {' and '.join(fact.time_zones)}, not of {catalog.time_zone}."
    if by_date and window:
        yield from _partial_period_notes(window, query.time_grain or "day", catalog.week_start)
    last = end or max((fact.last_date for fact in facts if fact.last_date), default=None)
    grain = (query.time_grain or "day") if by_date else "day"
    if last and period_end(last, grain, catalog.week_start) >= today and (start is None or start <= today):
        unfinished = period_start(min(last, today), grain, catalog.week_start)
        yield f"The {grain} of {unfinished} is not over: its numbers will change."
    if query.fill_gaps and end is not None and end > today:
        yield f"Days after {today} are still to come: their rows are only filled in."


def _partial_period_notes(window: Window, grain: str, week_start: str) -> Iterator[str]:
    """Yield notes on the first and last period of a range where it covers only a part of their days."""
    start, end = window.start, window.end
    if start is not None and (first_period := period_start(start, grain, week_start)) != start:
        yield f"The {grain} of {first_period} is counted from {start} on."
    if end is not None and period_end(end, grain, week_start) != end:
        yield f"The {grain} of {period_start(end, grain, week_start)} is counted until {end}."
