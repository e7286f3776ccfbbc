"""Which findings of a run touch a query: those about the facts, columns, sources and days that it reads.

A finding is left out only where a filter surely excludes it: one without a platform, an account or days touches every
query of its facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipeline.gates.finding import WITHHOLDS_FILES, Finding, FindingKind
from semantic.catalog.catalog import DATE, Catalog, SourceColumn
from semantic.catalog.conditions import Condition, Value
from semantic.planning.window import Window

_TEXT: Mapping[str, Callable[[str, Sequence[Any]], bool]] = {  # Any: texts, as the filter's type demands
    "=": lambda text, given: text == given[0],
    "!=": lambda text, given: text != given[0],
    "in": lambda text, given: text in given,
    "not_in": lambda text, given: text not in given,
    "contains": lambda text, given: given[0].lower() in text.lower(),
    "starts_with": lambda text, given: text.lower().startswith(given[0].lower()),
    "is_null": lambda _, __: False,
}
"""Whether a filter keeps a text; operators that are not listed keep every one."""


def keeps_text(op: str, text: str, given: Sequence[Any]) -> bool:  # Any: texts, as the filter's type demands
    """Whether a filter may keep rows with a text."""
    return op not in _TEXT or _TEXT[op](text, given)


@dataclass(frozen=True)
class ReadData:
    """What a query reads: base metrics of facts, the conditions on its rows, and its windows of days."""

    metrics: tuple[str, ...]
    conditions: tuple[Condition, ...]
    values: tuple[tuple[Value, ...], ...]
    windows: tuple[Window, ...]
    """None of them: all days."""


def touching(reading: ReadData, catalog: Catalog) -> tuple[Finding, ...]:
    """The findings that may change an answer, the heaviest first."""
    found = [each for each in catalog.findings if any(_touches(each, fact, reading, catalog) for fact in each.facts)]
    return tuple(sorted(found, key=lambda each: -each.weight))


def facts_of_unknown_size(findings: Iterable[Finding], catalog: Catalog) -> frozenset[str]:
    """The facts of which no rows are an unknown number of rows: records of theirs exist, and are in no table."""
    return frozenset(
        fact
        for finding in findings
        if not finding.columns
        for fact in finding.facts
        if finding.kind in WITHHOLDS_FILES
        or (finding.kind is FindingKind.QUARANTINED_RECORDS and fact in catalog.facts and not catalog.facts[fact].rows)
    )


def sources_named(dimension: str, catalog: Catalog) -> frozenset[str]:
    """The platforms or accounts of findings, which filters may name although no row has them."""
    columns = {columns.get(dimension) for columns in catalog.source_dimensions.values()}
    return frozenset(value for each in catalog.findings for column in columns for value in _sources(each, column))


def _touches(finding: Finding, fact: str, reading: ReadData, catalog: Catalog) -> bool:
    metrics = [catalog.metrics[name] for name in reading.metrics if catalog.metrics[name].fact == fact]
    if not metrics or (finding.columns and not any(metric.columns.intersection(finding.columns) for metric in metrics)):
        return False
    if finding.metrics and not any(metric.name in finding.metrics for metric in metrics):
        return False
    if reading.windows and not any(_overlaps(finding, window.start, window.end) for window in reading.windows):
        return False
    columns = catalog.source_dimensions.get(fact, {})
    for condition, values in zip(reading.conditions, reading.values, strict=True):
        kept = _sources(finding, columns.get(condition.name))
        if kept and not any(keeps_text(condition.op, each, values) for each in kept):
            return False
        if condition.name == DATE and not _may_have_day(finding, condition.op, values):
            return False
    return True


def _sources(finding: Finding, column: SourceColumn | None) -> tuple[str, ...]:
    """The values that a finding's rows may have in a column of their source; none where they are not known."""
    if column == "source_platform":
        return finding.counts_as or ((finding.platform,) if finding.platform else ())
    return (finding.account,) if column == "source_account" and finding.account else ()


def _overlaps(finding: Finding, start: date | None, end: date | None) -> bool:
    begins_after = end is not None and finding.first_day is not None and finding.first_day > end
    ends_before = start is not None and finding.last_day is not None and finding.last_day < start
    return not begins_after and not ends_before


def _may_have_day(finding: Finding, op: str, values: Sequence[Any]) -> bool:  # Any: days, as the filter's type demands
    if op in ("=", "in"):
        return any(_overlaps(finding, day, day) for day in values)
    if op == "between":
        return _overlaps(finding, values[0], values[1])
    if op in (">", ">="):
        return _overlaps(finding, values[0], None)
    return _overlaps(finding, None, values[0]) if op in ("<", "<=") else op != "is_null"
