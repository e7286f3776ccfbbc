"""An answer as it is drawn: its columns with labels, units and the kind of their numbers, and its rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from semantic.catalog.catalog import COMPARED, COMPUTED, CUMULATIVE, SHARE
from server.serving.plain_text import plain_text

if TYPE_CHECKING:
    from semantic.catalog.catalog import Catalog
    from semantic.planning.query import Answer

LONGEST_LABEL = 60
NOTHING, OTHER = "(none)", "(other)"
PREVIOUS, CHANGE, CHANGE_RATIO = COMPARED
CURRENT_SERIES, PREVIOUS_SERIES = "Current", "Previous"
_ACRONYMS = frozenset(
    {"aov", "cac", "cpa", "cpc", "cpm", "ctr", "ga4", "id", "ltv", "mer", "roas", "roi", "url", "utm"}
)
_ADDED = {PREVIOUS: ", previous", SHARE: ", share of total", CUMULATIVE: ", cumulative"}
_FUNNEL_STEP = re.compile(r"funnel_step_\d+")

NumberKind = Literal["money", "percent", "ratio", "count", "other"]


@dataclass(frozen=True)
class DrawnColumn:
    """A column of the answer."""

    index: int
    name: str
    label: str
    unit: str | None
    base: str
    """The metric that it is of; its own name for a dimension."""
    kind: NumberKind = "other"
    facts: tuple[str, ...] = ()
    """The facts that a metric is computed from."""

    @property
    def ending(self) -> str:
        """What its name adds to that of its metric, such as `_previous`."""
        return self.name[len(self.base) :]

    @property
    def is_funnel_step(self) -> bool:
        return _FUNNEL_STEP.fullmatch(self.name) is not None


@dataclass(frozen=True)
class DrawnAnswer:
    """The rows of an answer as they are drawn."""

    metrics: tuple[DrawnColumn, ...]
    day: DrawnColumn | None
    categories: tuple[DrawnColumn, ...]
    currency: DrawnColumn | None
    """The column of the currency, where the rows hold money of several."""
    other: int | None
    """The index of the column that marks the group of all the rest."""
    rows: Sequence[Sequence[Any]]  # Any: as Answer.rows
    grain: str | None
    partial: frozenset[str]
    """The first days of periods that are not counted in full."""

    @property
    def is_compared(self) -> bool:
        return any(metric.ending == PREVIOUS for metric in self.metrics)

    def group_of(self, columns: Sequence[DrawnColumn], row: Sequence[Any]) -> str:  # Any: as Answer.rows
        """The group of a row as text; empty where it has none."""
        if self.other is not None and row[self.other]:
            return OTHER
        return " / ".join(_text(row[column.index]) for column in columns)


def drawn_answer(answer: Answer, catalog: Catalog) -> DrawnAnswer:
    """The answer without its row of totals; of a comparison the two values, not their change."""
    flags = {str(answer.columns[n]["name"]): n for n in _indices(answer, "flag")}
    total = flags.get("is_total")
    rows = [row for row in answer.rows if total is None or not row[total]]
    dimensions = [_dimension(answer, n, catalog) for n in _indices(answer, "dimension")]
    days = [column for column in dimensions if answer.columns[column.index]["type"] == "date"]
    day = next((column for column in days if column.name == "date"), days[0] if days else None)
    is_mixed = any(column["unit"] == "currency" for column in answer.columns)
    currency = next((column for column in dimensions if is_mixed and column.name == "currency"), None)
    return DrawnAnswer(
        metrics=tuple(_shown(answer, rows, catalog)),
        day=day,
        categories=tuple(column for column in dimensions if column not in (day, currency)),
        currency=currency,
        other=flags.get("is_other"),
        rows=rows,
        grain=answer.time_grain,
        partial=frozenset(str(each["start"]) for each in answer.partial),
    )


def _shown(answer: Answer, rows: Sequence[Sequence[Any]], catalog: Catalog) -> list[DrawnColumn]:  # Any: as above
    metrics = [_metric(answer, n, rows, catalog) for n in _indices(answer, "metric")]
    names = {metric.name for metric in metrics}
    return [each for each in metrics if each.ending not in (CHANGE, CHANGE_RATIO) or each.base not in names]


def label_of(text: str) -> str:
    """A label as it stands inside a sentence: acronyms in capitals, all else as it is written."""
    return " ".join(word.upper() if word.lower() in _ACRONYMS else word for word in text.replace("_", " ").split())


def sentence_start(text: str) -> str:
    """The text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def _indices(answer: Answer, role: str) -> list[int]:
    return [n for n, column in enumerate(answer.columns) if column["role"] == role]


def _dimension(answer: Answer, n: int, catalog: Catalog) -> DrawnColumn:
    name = str(answer.columns[n]["name"])
    known = catalog.dimensions.get(name)
    return DrawnColumn(n, name, label_of(known.label if known else name), None, name)


def _metric(answer: Answer, n: int, rows: Sequence[Sequence[Any]], catalog: Catalog) -> DrawnColumn:  # Any: as above
    name, unit = str(answer.columns[n]["name"]), answer.columns[n]["unit"]
    ending = next((each for each in COMPUTED if name.endswith(each) and name not in catalog.metrics), "")
    base = name.removesuffix(ending)
    known = catalog.metrics.get(base)
    label = label_of(plain_text(known.label if known else base, LONGEST_LABEL)) + _ADDED.get(ending, "")
    values = [row[n] for row in rows if row[n] is not None]
    facts = catalog.facts_of(base) if known else ()
    return DrawnColumn(n, name, label, unit, base, _kind(ending, unit, values, facts), facts)


def _kind(ending: str, unit: str | None, values: Sequence[Any], facts: Sequence[str]) -> NumberKind:  # Any: numbers
    """The kind of a column's numbers: a ratio within one fact that is never above 1 is a percentage."""
    if unit == "currency" or is_currency(unit):
        return "money"
    if unit != "ratio":
        return "count" if unit == "count" else "other"
    is_share = len(facts) == 1 and all(-1 <= each <= 1 for each in values)
    return "percent" if ending in (SHARE, CHANGE_RATIO) or is_share else "ratio"


def is_currency(unit: str | None) -> bool:
    """Whether a unit is the code of a currency."""
    return unit is not None and len(unit) == 3 and unit.isupper()


def _text(value: object) -> str:
    return NOTHING if value is None else plain_text(str(value), LONGEST_LABEL)
