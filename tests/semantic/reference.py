"""The same questions, answered the slow way: plain Python over lists of rows. Imports nothing of ours but Query.

A cell is the raw rows of each fact under one key. Whatever a question asks for, cells are put together first and every
metric is computed from raw rows last, so nothing is ever an aggregate of an aggregate.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from semantic.planning.query import Filter, Query, TimeRange

Row = dict[str, Any]
Rows = dict[str, list[Row]]
Key = tuple[Any, ...]
Cell = dict[str, list[Row]]
Formula = Any  # the name of a measure, one over some of its rows (Among), a number, or (sign, left, right)


@dataclass(frozen=True)
class Measure:
    """One aggregation over the rows of one fact."""

    fact: str
    of: Callable[[list[Row]], Any]
    adds_up: str | None = "sum"
    """How the value of a whole follows from those of its parts: their sum, one of them (`pick`), or not at all."""


@dataclass(frozen=True)
class Among:
    """A measure in a formula, over some of its rows only."""

    name: str
    rows: Measure


@dataclass
class GroundTruth:
    """Rows, and the answers that they mean."""

    rows: Rows
    days: Mapping[str, str]
    """The day column of each fact."""
    measures: Mapping[str, Measure]
    formulas: Mapping[str, Formula]
    dimensions: Mapping[str, Mapping[str, Callable[[Row, Rows], Any]]]
    """By dimension and fact: the value of a row; a fact that is left out does not have the dimension."""
    meanings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    money: frozenset[str] = frozenset()
    """The measures that are money."""
    costs: frozenset[str] = frozenset()
    """The measures of what was paid."""
    flags: frozenset[str] = frozenset()
    """The dimensions that are true or false."""
    dates: frozenset[str] = frozenset({"date"})
    """The dimensions that are days."""
    ordinals: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    """The dimensions along which rows are listed, with their values in order."""
    week_start: int = 0
    covered: Mapping[str, Mapping[str | None, frozenset[date]]] | None = None
    """By fact and platform: the days that a source covers, each live. A fact by the platform None has one for all of
    its rows. Where it is left out, all days are covered."""
    platforms: Mapping[str, str] = field(default_factory=dict)
    """By fact: the dimension that is the platform of its source."""
    today: date = date(2026, 4, 15)

    def formula(self, metric: str) -> Formula:
        return self.formulas.get(metric, metric)

    def parts(self, metric: str) -> list[str]:
        return list(dict.fromkeys(_names(self.formula(metric))))

    def facts(self, metrics: Iterable[str]) -> list[str]:
        return list(dict.fromkeys(self.measures[part].fact for metric in metrics for part in self.parts(metric)))

    def adds_up(self, metric: str) -> bool:
        """Whether the metric of a whole follows from the measures of its parts."""
        return all(self.measures[part].adds_up for part in self.parts(metric))

    def is_sum(self, metric: str) -> bool:
        """Whether the metric of a whole is the sum of the metric of its parts."""
        return metric in self.measures and self.measures[metric].adds_up == "sum"

    def go_together(self, metrics: Iterable[str], dimensions: Iterable[str]) -> bool:
        """Whether every fact of every metric has every dimension, and means the same by it."""
        facts = self.facts(metrics)
        return all(
            set(facts) <= self.dimensions[name].keys()
            and len({self.meanings.get(name, {}).get(fact) for fact in facts}) <= 1
            for name in dimensions
        )

    def members(self, dimension: str) -> set[Any]:
        """The values that a dimension has, in any fact."""
        found = {read(row, self.rows) for fact, read in self.dimensions[dimension].items() for row in self.rows[fact]}
        return found - {None}

    def currencies(self, metrics: Iterable[str]) -> set[str]:
        """The currencies that the money of metrics is in."""
        facts = {self.measures[part].fact for m in metrics for part in self.parts(m) if part in self.money}
        return {row["currency"] for fact in facts for row in self.rows[fact] if row["currency"] is not None}


def _names(formula: Formula) -> Iterator[str]:
    if isinstance(formula, str):
        yield formula
    elif isinstance(formula, Among):
        yield formula.name
    elif isinstance(formula, tuple):
        yield from _names(formula[1])
        yield from _names(formula[2])


def written(formula: Formula) -> str:
    """A formula as tenants.yaml writes it."""
    if isinstance(formula, tuple):
        return f"({written(formula[1])} {formula[0]} {written(formula[2])})"
    return str(formula)


def total(column: str, condition: Callable[[Row], Any] | None = None) -> Callable[[list[Row]], Any]:
    """A sum; nothing known in some rows is unknown, no rows are 0. Rows outside the condition count as 0."""

    def added(rows: list[Row]) -> Any:
        values = [row[column] if condition is None or condition(row) else 0 for row in rows]
        known = [Fraction(Decimal(str(value))) for value in values if value is not None]
        return sum(known, Fraction(0)) if known or not rows else None

    return added


def count(condition: Callable[[Row], Any] = lambda row: True) -> Callable[[list[Row]], Any]:
    return lambda rows: sum(1 for row in rows if condition(row))


def distinct(column: str, condition: Callable[[Row], Any] = lambda row: True) -> Callable[[list[Row]], Any]:
    return lambda rows: len({row[column] for row in rows if condition(row) and row[column] is not None})


def known(column: str, condition: Callable[[Row], Any], pick: Callable[[list[Any]], Any]) -> Callable[[list[Row]], Any]:
    """Something about the values there are, such as the lowest; nothing without any."""

    def picked(rows: list[Row]) -> Any:
        values = [row[column] for row in rows if condition(row) and row[column] is not None]
        return pick([Fraction(Decimal(str(value))) for value in values]) if values else None

    return picked


def percentile(percent: int) -> Callable[[list[Any]], Any]:
    """The value that so many percent of all values lie below, between two neighbours where it falls between them."""

    def found(values: list[Any]) -> Any:
        ordered = sorted(values)
        place = Fraction(percent, 100) * (len(ordered) - 1)
        low = int(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (ordered[high] - ordered[low]) * (place - low)

    return found


def own(column: str) -> Callable[[Row, Rows], Any]:
    return lambda row, rows: row[column]


def via(key: str, table: str, table_key: str, column: Callable[[Row, Rows], Any] | str) -> Callable[[Row, Rows], Any]:
    """The value in the row of another table that the key names."""
    read = own(column) if isinstance(column, str) else column

    def looked_up(row: Row, rows: Rows) -> Any:
        met = [other for other in rows[table] if row[key] is not None and other[table_key] == row[key]]
        return read(met[0], rows) if met else None

    return looked_up


def value(formula: Formula, cell: Cell, truth: GroundTruth) -> Any:
    """A metric from raw rows; nothing where part of it is nothing, or where it is divided by 0."""
    if isinstance(formula, str):
        return _measured(truth.measures[formula], cell)
    if isinstance(formula, Among):
        return _measured(formula.rows, cell)
    if not isinstance(formula, tuple):
        return Fraction(str(formula))
    sign, left, right = formula[0], value(formula[1], cell, truth), value(formula[2], cell, truth)
    if left is None or right is None or (sign == "/" and (right == 0 or _costs_nothing_known(formula, cell, truth))):
        return None
    if sign == "/":
        return float(left) / float(right)
    return {"+": lambda: left + right, "-": lambda: left - right, "*": lambda: left * right}[sign]()


def _measured(measure: Measure, cell: Cell) -> Any:
    """A measure of a cell; unknown without rows where no source covers a day of it."""
    rows = cell.get(measure.fact, [])
    return measure.of(rows) if rows or any(cell.get(_mark(measure.fact), [True])) else None  # type: ignore[arg-type]


def _mark(fact: str) -> str:
    """The place in a cell of whether a source covers it."""
    return f"covers {fact}"


def _costs_nothing_known(formula: Formula, cell: Cell, truth: GroundTruth) -> bool:
    """Whether a quotient divides costs alone, one of which has no rows."""
    names = set(_names(formula[1]))
    is_quotient = any(True for _ in _names(formula[2])) and bool(names) and names <= truth.costs
    return is_quotient and any(not cell.get(truth.measures[name].fact) for name in names)


# ── days ───────────────────────────────────────────────────────────────────────────────────────────────────────────

_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def period_start(day: date, grain: str | None, week_start: int = 0) -> date:
    if grain == "week":
        while day.weekday() != week_start:
            day -= timedelta(days=1)
        return day
    months = _MONTHS.get(grain or "")
    return date(day.year, (day.month - 1) // months * months + 1, 1) if months else day


def months_before(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def days(start: date, end: date) -> list[date]:
    return [start + timedelta(days=n) for n in range((end - start).days + 1)]


def before(start: date, end: date, compare: str) -> tuple[date, date, Callable[[date], date]]:
    """The days that a range is compared with, and the day that each of its days is compared with."""
    months = (end.year - start.year) * 12 + end.month - start.month + 1
    is_whole = start.day == 1 and (end + timedelta(days=1)).day == 1
    if compare == "previous_period" and not is_whole:
        back = timedelta(days=(end - start).days + 1)
        return start - back, start - timedelta(days=1), lambda day: day - back
    months = months if compare == "previous_period" else 12
    last = months_before(end, months)
    last = last.replace(day=monthrange(last.year, last.month)[1]) if is_whole else last
    return months_before(start, months), last, lambda day: months_before(day, months)


# ── conditions ─────────────────────────────────────────────────────────────────────────────────────────────────────


def holds(found: Any, filter_: Filter) -> bool:
    """A filter's condition; an empty value meets none but is_null."""
    op, asked = filter_.op, filter_.value
    if op in ("is_null", "is_not_null"):
        return (found is None) == (op == "is_null")
    if found is None:
        return False
    given = [_as(found, one) for one in (asked if isinstance(asked, tuple) else (asked,))]
    folded = found.casefold() if isinstance(found, str) else found
    return bool(
        {
            "=": lambda: found == given[0],
            "!=": lambda: found != given[0],
            ">": lambda: found > given[0],
            ">=": lambda: found >= given[0],
            "<": lambda: found < given[0],
            "<=": lambda: found <= given[0],
            "in": lambda: found in given,
            "not_in": lambda: found not in given,
            "between": lambda: given[0] <= found <= given[1],
            "contains": lambda: given[0].casefold() in folded,
            "starts_with": lambda: folded.startswith(given[0].casefold()),
        }[op]()
    )


def _as(found: Any, given: Any) -> Any:
    """A value that a caller sent, in the type of what it is compared with."""
    if isinstance(found, bool):
        return given.casefold() == "true" if isinstance(given, str) else given
    if isinstance(found, str):
        return str(given)
    if isinstance(found, date):
        return date.fromisoformat(given)
    return float(given) if isinstance(found, float) else Fraction(str(given))


# ── answers ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Line:
    """One row of an answer, as raw rows."""

    key: Key
    now: Cell
    then: Cell | None = None
    """The period before; None where it has no such day."""
    so_far: Cell = field(default_factory=dict)
    is_other: bool = False


def answer(query: Query, truth: GroundTruth) -> tuple[list[Row], Row | None]:
    """All rows of the answer in their order, before limit and cursor, and the row of totals."""
    lines = _kept(query, truth)
    sides = compared_days(query, truth)
    allowed = sides.now.__contains__ if sides else between(*_asked(query))
    kept_all = _with_marks(_merged(line.now for line in lines), (), query, truth, (), allowed)
    shown = _topped(query, truth, lines) if query.top else lines
    rows = [_row(query, truth, line, kept_all) for line in _ordered(query, truth, shown, kept_all)]
    return rows, _totals(query, truth, lines, kept_all) if query.totals else None


def may_refuse(query: Query, truth: GroundTruth) -> str | None:
    """Why a question may not be answered: what its facts do not share, money in several currencies."""
    used = _used(query, truth)
    cuts = [*query.dimensions, *(f.name for f in query.filters if f.name in truth.dimensions)]
    if not truth.go_together(used, cuts):
        return "reach"
    if len(used) > len(query.metrics) and not query.dimensions:
        return "nothing to group"
    if any(f.name.endswith("_id") and f.op in ORDERING and _has_number(f.value) for f in query.filters):
        return "order of names"
    if not _is_mixed(query, truth):
        return None
    if "currency" not in query.dimensions:
        return "currency"
    priced = {metric for metric in query.metrics if truth.money.intersection(truth.parts(metric))}
    top = query.top and (query.top.by in priced or (query.top.other and priced))
    if top or (priced and query.totals) or priced.intersection(query.share_of_total):
        return "mixed"
    return "ranked" if _ranks_money(query, truth) else None


def _is_mixed(query: Query, truth: GroundTruth) -> bool:
    """Whether the money of a question is in several currencies, and it selects none of them."""
    one = [f for f in query.filters if f.name == "currency" and f.op in ("=", "in")]
    selects = any(not isinstance(f.value, tuple) or len(set(f.value)) == 1 for f in one)
    return not selects and len(truth.currencies(_used(query, truth))) > 1


ORDERING = (">", ">=", "<", "<=", "between")


def _has_number(value: Any) -> bool:
    return any(str(one).isdecimal() for one in (value if isinstance(value, tuple) else (value,)))


def _ranks_money(query: Query, truth: GroundTruth) -> bool:
    """Whether rows of several currencies are ordered by money, or their money is compared with a number."""
    if any(
        f.op != "is_not_null" and truth.money.intersection(truth.parts(f.name))
        for f in query.filters
        if _is_test(f, truth)
    ):
        return True
    names = [name.removeprefix("-") for name in query.order_by]
    before_currency = names[: names.index("currency")] if "currency" in names else names
    amounts = [metric for metric in query.metrics if truth.money.intersection(truth.parts(metric))]
    endings = ("", "_previous", "_change", "_cumulative")
    return any(name == f"{metric}{ending}" for name in before_currency for metric in amounts for ending in endings)


def _is_test(filter_: Filter, truth: GroundTruth) -> bool:
    return filter_.name not in truth.dimensions


def _asked(query: Query) -> tuple[date | None, date | None]:
    span = query.time_range
    return (span.start, span.end) if isinstance(span, TimeRange) else (None, None)


def _window(query: Query, truth: GroundTruth) -> tuple[date | None, date | None]:
    """The days that an answer is about: those asked for, or what a comparison leaves of them."""
    sides = compared_days(query, truth)
    return (min(sides.now), max(sides.now)) if sides and sides.now else _asked(query)


@dataclass
class Sides:
    """The days of a comparison that count on each side, and the day that each of the first is compared with."""

    now: set[date]
    then: set[date]
    back: Callable[[date], date]


def compared_days(query: Query, truth: GroundTruth) -> Sides | None:
    start, end = _asked(query)
    if query.compare == "row_before":
        return _days_before_rows(query, truth)
    if not query.compare or not start or not end:
        return None
    first, last, back = before(start, end, query.compare)
    now, then = set(days(start, end)), set(days(first, last))
    whole_now, whole_then = now & complete(query, truth), then & complete(query, truth)
    if query.align == "whole":
        return Sides(now, then if whole_then else set(), back)
    if (whole_now, whole_then) == (now, then):
        return Sides(now, then, back)
    by_month = query.compare == "previous_year" or (start.day == 1 and (end + timedelta(days=1)).day == 1)
    pairs = {
        (day, back(day)) for day in whole_now if back(day) in whole_then and not (by_month and back(day).day != day.day)
    }
    if not pairs:
        return Sides(now, set(), back)
    return Sides({day for day, _ in pairs}, {day for _, day in pairs}, back)


def _days_before_rows(query: Query, truth: GroundTruth) -> Sides:
    """Each period with the one before it: an unfinished one with the same days, none where these are not complete."""
    start, end = _asked(query)
    every = {day for fact in truth.facts(_used(query, truth)) for day in _covered(fact, query, truth)}
    oldest = date(1970, 1, 2)
    start, end = start or min(every, default=oldest), end or max(every, default=oldest)
    shown, good, then = set(days(start, end)), complete(query, truth), set()
    for first in {period_start(day, query.time_grain, truth.week_start) for day in shown}:
        own = _days_of_period(first, query, truth)
        previous = _days_of_period(_period_before(first, query), query, truth)
        kept = set(previous)
        if query.align == "whole":
            then |= kept
            continue
        if not own <= (shown & good):
            kept = {same for day in own & shown & good if (same := _same_day_before(day, query)) in previous}
        then |= kept if kept and kept <= good else set()
    return Sides(shown, then, lambda day: _period_before(day, query))


def _days_of_period(first: date, query: Query, truth: GroundTruth) -> set[date]:
    last = first
    while period_start(last + timedelta(days=1), query.time_grain, truth.week_start) == first:
        last += timedelta(days=1)
    return set(days(first, last))


def _period_before(day: date, query: Query) -> date:
    if query.time_grain in _MONTHS:
        return months_before(day, _MONTHS[query.time_grain])
    return day - timedelta(days=7 if query.time_grain == "week" else 1)


def _same_day_before(day: date, query: Query) -> date | None:
    back = _period_before(day, query)
    return back if query.time_grain not in _MONTHS or back.day == day.day else None


def _sources(fact: str, query: Query, truth: GroundTruth) -> Mapping[str | None, frozenset[date]]:
    """The days of each source of a fact that filters on its platform leave; of all where they leave none."""
    sources = (truth.covered or {}).get(fact, {})
    own = [f for f in query.filters if f.name == truth.platforms.get(fact) and f.op != "is_not_null"]
    left = {
        name: found
        for name, found in sources.items()
        if name is None or all(f.op != "is_null" and holds(name, f) for f in own if f.op in _NARROWING)
    }
    return left or sources


_NARROWING = ("=", "!=", "in", "not_in", "contains", "starts_with", "is_null")


def _covered(fact: str, query: Query, truth: GroundTruth) -> set[date]:
    return {day for found in _sources(fact, query, truth).values() for day in found}


def complete(query: Query, truth: GroundTruth) -> set[date]:
    """The days before today that all sources cover which began before them, of every fact that has any."""
    if truth.covered is None:
        return set(days(date(2020, 1, 1), truth.today - timedelta(days=1)))
    every: set[date] | None = None
    for fact in truth.facts(_used(query, truth)):
        sources = _sources(fact, query, truth)
        covered = {day for found in sources.values() for day in found}
        good = {day for day in covered if all(day in found or day < min(found) for found in sources.values() if found)}
        if covered:
            every = good if every is None else every & good
    return {day for day in every or set() if day < truth.today}


_CALENDAR = [date(2023, 1, 1) + timedelta(days=number) for number in range(1500)]


def _with_marks(
    cell: Cell, key: Key, query: Query, truth: GroundTruth, names: tuple[str, ...], allowed: Callable[[date], bool]
) -> Cell:
    """A cell that says of each fact whether a source covers a day of it."""
    if truth.covered is None:
        return cell
    at = dict(zip(names, key, strict=True))
    marked = dict(cell)
    for fact in truth.facts(_used(query, truth)):
        platform = truth.platforms.get(fact)
        sources = _sources(fact, query, truth)
        is_cut = at.get(platform or "") is not None and None not in sources
        found = sources.get(at[platform], frozenset()) if is_cut and platform else _covered(fact, query, truth)
        on_date = [f for f in query.filters if f.name == "date"]
        asked = [day for day in found if allowed(day) and all(holds(day, f) for f in on_date)]
        if "date" in at:
            asked = [day for day in asked if period_start(day, query.time_grain, truth.week_start) == at["date"]]
        nothing = on_date and not any(allowed(day) and all(holds(day, f) for f in on_date) for day in _CALENDAR)
        marked[_mark(fact)] = [bool(asked or nothing)]  # type: ignore[list-item]
    return marked


def _used(query: Query, truth: GroundTruth) -> list[str]:
    return [*query.metrics, *(f.name for f in query.filters if f.name not in truth.dimensions)]


Allowed = Callable[[date], bool]


def between(start: date | None, end: date | None) -> Allowed:
    return lambda day: (start is None or day >= start) and (end is None or day <= end)


def cells(query: Query, truth: GroundTruth, allowed: Allowed, names: tuple[str, ...] | None = None) -> dict[Key, Cell]:
    """The raw rows of every key, of the facts that the question is about, inside the days and filters on dimensions."""
    names = query.dimensions if names is None else names
    cuts = [f for f in query.filters if f.name in truth.dimensions]
    found: dict[Key, Cell] = {} if names else {(): {}}
    for fact in truth.facts(_used(query, truth)):
        for row in truth.rows[fact]:
            day = row[truth.days[fact]]
            if not allowed(day):
                continue
            if not all(holds(truth.dimensions[f.name][fact](row, truth.rows), f) for f in cuts):
                continue
            read = (truth.dimensions[name][fact](row, truth.rows) for name in names)
            key = tuple(
                period_start(part, query.time_grain, truth.week_start) if isinstance(part, date) else part
                for part in read
            )
            found.setdefault(key, {}).setdefault(fact, []).append(row)
    return found


def _merged(parts: Iterable[Cell]) -> Cell:
    whole: Cell = {}
    for cell in parts:
        for fact, rows in cell.items():
            whole.setdefault(fact, []).extend(rows)
    return whole


def _kept(query: Query, truth: GroundTruth) -> list[Line]:
    """The lines of the answer before it is cut to the highest groups."""
    start, end = _window(query, truth)
    sides = compared_days(query, truth)
    allowed = sides.now.__contains__ if sides else between(start, end)
    lines = {key: Line(key, cell) for key, cell in cells(query, truth, allowed).items()}
    then = _then(query, truth)
    shown = _periods(query, truth)
    at = query.dimensions.index("date") if "date" in query.dimensions else None
    for key in then.found if then else ():
        for moved in [key] if at is None else [_with(_without(key, at), at, day) for day in shown]:
            if then and then.has(moved):
                lines.setdefault(moved, Line(moved, {}))
    if query.fill_gaps and at is not None:
        read = cells(query, truth, between(_first(query, start) if query.cumulative and start else start, end))
        groups = {_without(key, at) for key in (*lines, *read)} if len(query.dimensions) > 1 else {()}
        for moved in [_with(group, at, day) for group in groups for day in shown]:
            lines.setdefault(moved, Line(moved, {}))
    for line in lines.values():
        line.now = _with_marks(line.now, line.key, query, truth, query.dimensions, allowed)
        line.then = then(line.key) if then else None
        line.so_far = _so_far(query, truth, line.key, at) if query.cumulative and at is not None else {}
    tests = [f for f in query.filters if f.name not in truth.dimensions]
    return [
        line for line in lines.values() if all(holds(value(truth.formula(f.name), line.now, truth), f) for f in tests)
    ]


def _without(key: Key, at: int) -> Key:
    return (*key[:at], *key[at + 1 :])


def _with(key: Key, at: int, day: date) -> Key:
    return (*key[:at], day, *key[at:])


def _periods(query: Query, truth: GroundTruth) -> list[date]:
    """The first days of the periods of the range."""
    start, end = _window(query, truth)
    shown = days(start, end) if start and end else []
    return list(dict.fromkeys(period_start(day, query.time_grain, truth.week_start) for day in shown))


class _Then:
    """The raw rows of the period before, found by the keys they are compared with."""

    def __init__(self, query: Query, truth: GroundTruth, sides: Sides, start: date, end: date) -> None:
        self.query, self.truth, self.back = query, truth, sides.back
        self.allowed = sides.then.__contains__
        self.found = cells(query, truth, self.allowed)
        self.at = query.dimensions.index("date") if "date" in query.dimensions else None
        is_whole = start.day == 1 and (end + timedelta(days=1)).day == 1
        self.drops = is_whole and query.compare == "previous_period" and query.time_grain in (None, "day")

    def __call__(self, key: Key) -> Cell | None:
        """None where the month before has no such day."""
        if self.at is None:
            return self._marked(key)
        day = self.back(key[self.at])
        if self.drops and day.day != key[self.at].day:
            return None
        return self._marked(_with(_without(key, self.at), self.at, day))

    def has(self, key: Key) -> bool:
        """Whether there are rows to compare those of a key with."""
        then = self(key)
        return any(rows for fact, rows in (then or {}).items() if not fact.startswith(_mark("")))

    def _marked(self, key: Key) -> Cell:
        found = self.found.get(key, {})
        return _with_marks(found, key, self.query, self.truth, self.query.dimensions, self.allowed)


def _then(query: Query, truth: GroundTruth) -> _Then | None:
    sides, (start, end) = compared_days(query, truth), _asked(query)
    if sides is None:
        return None
    if not sides.now:
        return None
    return _Then(query, truth, sides, start or min(sides.now), end or max(sides.now))


def _first(query: Query, day: date) -> date:
    """The first day that is added up for `day`."""
    assert query.cumulative is not None
    kind = query.cumulative.kind
    if kind == "rolling":
        return day - timedelta(days=(query.cumulative.days or 1) - 1)
    if kind == "running":
        return _asked(query)[0] or date.min
    return period_start(day, kind.removesuffix("_to_date"))


def _so_far(query: Query, truth: GroundTruth, key: Key, at: int) -> Cell:
    """The raw rows of a key's group from the first day that is added up to the end of its period."""
    last, end = key[at], _window(query, truth)[1]
    while period_start(last + timedelta(days=1), query.time_grain, truth.week_start) == key[at]:
        last += timedelta(days=1)
    last = min(last, end) if end else last
    names = _without(query.dimensions, at)
    return cells(query, truth, between(_first(query, key[at]), last), names).get(_without(key, at), {})


def _topped(query: Query, truth: GroundTruth, lines: list[Line]) -> list[Line]:
    """The lines of the highest groups, and the others as one more group."""
    assert query.top is not None
    at = [n for n, name in enumerate(query.dimensions) if name != "date" or len(query.dimensions) == 1]
    groups: dict[Key, list[Line]] = {}
    for line in lines:
        groups.setdefault(tuple(line.key[n] for n in at), []).append(line)
    formula = truth.formula(query.top.by)
    ranks = {group: value(formula, _merged(line.now for line in found), truth) for group, found in groups.items()}
    order = sorted(groups, key=lambda group: (_down(ranks[group]), *map(_up, group)))
    highest = [line for group in order[: query.top.n] for line in groups[group]]
    if not query.top.other:
        return highest
    others: dict[Key, list[Line]] = {}
    for group in order[query.top.n :]:
        for line in groups[group]:
            key = tuple(_other(query.dimensions[n], truth) if n in at else part for n, part in enumerate(line.key))
            others.setdefault(key, []).append(line)
    for key, found in others.items():
        then = [line.then for line in found if line.then is not None]
        beside = _merged(then) if then else None
        highest.append(Line(key, _merged(line.now for line in found), beside, is_other=True))
    return highest


def _other(name: str, truth: GroundTruth) -> Any:
    is_number = isinstance(truth.ordinals.get(name, ("",))[0], int)
    return None if name in truth.dates or name in truth.flags or is_number else "other"


def _up(found: Any) -> tuple[Any, ...]:
    """Low before high, nothing last."""
    return (found is None, 0 if found is None else found)


def _down(found: Any) -> tuple[Any, ...]:
    """High before low, nothing last."""
    if isinstance(found, str | date):
        number = found if isinstance(found, str) else found.isoformat()
        return (False, [-ord(letter) for letter in number] + [1])
    return (found is None, 0 if found is None else -found)


def _ordered(query: Query, truth: GroundTruth, lines: list[Line], whole: Cell) -> list[Line]:
    """What is asked for; else along dates and ordinals, then by the highest first metric; ties by the dimensions."""
    asked = [(name.removeprefix("-"), name.startswith("-")) for name in query.order_by]
    others = [("is_other", False)] if query.top and query.top.other else []
    if asked:
        asked += others
    else:
        by_date = [("date", False)] if "date" in query.dimensions else []
        by_date += [(name, False) for name in query.dimensions if name in truth.ordinals and not query.top]
        first = query.top.by if query.top else query.metrics[0]
        mixed = _is_mixed(query, truth) and truth.money.intersection(truth.parts(first))
        asked = [*by_date, *others, *([("currency", False)] if mixed else []), (first, True)]
    asked += [(name, False) for name in query.dimensions if name not in dict(asked)]

    def place(line: Line) -> list[Any]:
        row = {**_row(query, truth, line, whole), "is_other": line.is_other}
        for name in truth.ordinals.keys() & row.keys():
            known = row[name] in truth.ordinals[name]
            row[name] = truth.ordinals[name].index(row[name]) if known else None
        return [_down(row[name]) if highest else _up(row[name]) for name, highest in asked]

    return sorted(lines, key=place)


def _row(query: Query, truth: GroundTruth, line: Line, whole: Cell, *, is_total: bool = False) -> Row:
    row: Row = dict(zip(query.dimensions, line.key, strict=True))
    for metric in query.metrics:
        formula = truth.formula(metric)
        now = row[metric] = value(formula, line.now, truth)
        if query.compare:
            then = None if line.then is None else value(formula, line.then, truth)
            change = None if now is None or then is None else now - then
            row[f"{metric}_previous"], row[f"{metric}_change"] = then, change
            row[f"{metric}_change_ratio"] = float(change) / abs(float(then)) if change is not None and then else None
        if metric in query.share_of_total:
            all_of_it = value(formula, whole, truth)
            row[f"{metric}_share"] = float(now) / float(all_of_it) if now is not None and all_of_it else None
        if query.cumulative and query.cumulative.metric == metric:
            row[f"{metric}_cumulative"] = None if is_total else value(formula, line.so_far, truth)
    if query.top and query.top.other:
        row["is_other"] = line.is_other
    return {**row, "is_total": is_total} if query.totals else row


def _totals(query: Query, truth: GroundTruth, lines: list[Line], whole: Cell) -> Row:
    """Everything as one group: all raw rows, or those of the groups that filters on metrics leave."""
    sides, then = compared_days(query, truth), None
    allowed = sides.now.__contains__ if sides else between(*_asked(query))
    if any(f.name not in truth.dimensions for f in query.filters):
        now = whole
        then = _merged(line.then for line in lines if line.then is not None)
    else:
        now = cells(query, truth, allowed, ())[()]
        if sides:
            then = cells(query, truth, sides.then.__contains__, ())[()]
    now = _with_marks(now, (), query, truth, (), allowed)
    then = _with_marks(then or {}, (), query, truth, (), sides.then.__contains__ if sides else allowed)
    return _row(query, truth, Line((None,) * len(query.dimensions), now, then), whole, is_total=True)
