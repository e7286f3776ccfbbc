"""Plans a query: the facts to aggregate and their keys, the stages after the join, and the values to bind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from pipeline.errors import QueryError
from pipeline.gates.finding import Finding
from semantic.catalog.catalog import COMPARED, CUMULATIVE, CURRENCY, DATE, IS_OTHER, SHARE, Catalog
from semantic.catalog.conditions import Condition, Value, read_values, value_slots
from semantic.catalog.error_collector import ErrorCollector
from semantic.catalog.formula import metric_names
from semantic.catalog.suggestions import unknown
from semantic.catalog.vocabularies import CONFORMED_OPERATORS, conform
from semantic.planning.check_query import adds_up, check_groups, check_query
from semantic.planning.covered import (
    FactCoverage,
    asked_days,
    fact_coverage,
    uncovered_facts,
)
from semantic.planning.currency_rules import money_unit, varies
from semantic.planning.periods import PlannedComparison, comparison, cumulative_column, ends
from semantic.planning.query import Query
from semantic.planning.query_shape import Component, Key, QueryShape, RequestedMetric, Scan, TopGroups
from semantic.planning.reach import check_reach
from semantic.planning.touching_findings import ReadData, facts_of_unknown_size, touching
from semantic.planning.window import Window, week_shift

NOT_COMPARED = "not_compared"
"""The parameter of the days that a comparison leaves out inside its windows; `previous_...` for those before."""

IDENTIFIER = "identifier"
"""The role of a dimension whose values are names of things, though they may look like numbers."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The shape of a query, with its values, days and currency."""

    shape: QueryShape
    facts: tuple[str, ...]
    metrics: tuple[str, ...]
    """All metrics used, also those that only filters name."""
    money: str | None
    """The currency of its money: a code, or `currency` where each row has its own."""
    conditions: tuple[Condition, ...]
    values: tuple[tuple[Value, ...], ...]
    """The values of each condition."""
    window: Window | None
    """The days that count: those of the time range, cut where a comparison cuts them."""
    asked: Window | None
    """The days of the time range."""
    read: Window | None
    """The window, earlier where a cumulative metric needs the days before it."""
    coverage: tuple[FactCoverage, ...]
    """By fact: the sources that its filters leave, and the days that they cover."""
    comparison: PlannedComparison | None = None
    not_compared: tuple[Condition, ...] = ()
    """The condition on days that a comparison leaves out, if it leaves any out inside its windows."""
    findings: tuple[Finding, ...] = ()
    """What gates found in the data that it reads, the heaviest first."""

    @property
    def compared(self) -> Window | None:
        """The days that a comparison is with, before it cuts them."""
        return self.comparison.asked_before if self.comparison else None

    @property
    def previous(self) -> Window | None:
        """The days that a comparison is with."""
        return self.comparison.aligned.previous if self.comparison else None

    @property
    def shift(self) -> int:
        """The distance of the previous window, in months or days."""
        return self.comparison.shift if self.comparison else 0


def plan_query(query: Query, catalog: Catalog, window: Window | None, today: date) -> Plan:
    """Plan a query over the days of `window`, as of `today` in the tenant's time zone.

    Raises:
        UnknownName: It uses a name that does not exist.
        NoJoinPath: A metric cannot be cut or filtered by a dimension; names those that go together.
        QueryError: It asks for a result that cannot be correct; names the way that works.
    """
    check_query(query, catalog)
    used = tuple(dict.fromkeys((*query.metrics, *(f.name for f in query.filters if f.name in catalog.metrics))))
    base = tuple(dict.fromkeys(part for name in used for part in metric_names(catalog.metrics[name].formula)))
    facts = tuple(dict.fromkeys(catalog.metrics[name].fact or "" for name in base))
    conditions, values = _conditions(query, catalog)
    on_rows = [(each, given) for each, given in zip(conditions, values, strict=True) if each.name in catalog.dimensions]
    row_filters, row_values = tuple(each for each, _ in on_rows), tuple(given for _, given in on_rows)
    for name in dict.fromkeys((*query.dimensions, *(condition.name for condition in row_filters))):
        check_reach(name, used, catalog)
    _check_order(query)
    coverage = fact_coverage(facts, row_filters, row_values, catalog, today)
    compared = comparison(query, window, coverage, catalog.week_start)
    previous = compared.aligned.previous if compared else None
    asked_window, window = window, compared.aligned.current if compared else window
    if query.fill_gaps:
        ends(window, "fill_gaps")
    cumulative, read = cumulative_column(query, window, catalog.week_start)
    keys = tuple(_key(name, query, catalog) for name in query.dimensions)
    not_compared = _not_compared(compared)
    scanned = (*row_filters, *not_compared)
    windows = tuple(each for each in (read, previous) if each is not None)
    asked = [asked_days(each, row_filters, row_values) for each in windows or (None,)]
    findings = touching(ReadData(base, conditions, values, windows), catalog)
    of_unknown_size = facts_of_unknown_size(findings, catalog)
    money = money_unit(query, base, catalog)
    check_groups(query, catalog)
    shape = QueryShape(
        keys=keys,
        scans=tuple(_scan(fact, catalog, base=base, keys=keys, conditions=scanned, window=read) for fact in facts),
        components=tuple(_component(name, catalog, of_unknown_size) for name in base),
        metrics=tuple(RequestedMetric(name, catalog.metrics[name].formula) for name in query.metrics),
        having=tuple((c, catalog.metrics[c.name].formula) for c in conditions if c.name in catalog.metrics),
        comparison=compared.join if compared else None,
        cumulative=cumulative,
        shares=query.share_of_total,
        totals=_totals(query, used, catalog) if query.totals else None,
        fill_gaps=query.fill_gaps,
        top=TopGroups(query.top.by, query.top.other) if query.top else None,
        order=_order(query, catalog, is_mixed=money == CURRENCY and varies(_first(query), catalog)),
        week_shift=week_shift(catalog.week_start),
        coverage=uncovered_facts(coverage, keys, asked, catalog, is_cut=bool(not_compared)),
    )
    return Plan(
        shape=shape,
        facts=facts,
        metrics=used,
        money=money,
        conditions=conditions,
        values=values,
        window=window,
        asked=asked_window,
        read=read,
        coverage=coverage,
        comparison=compared,
        not_compared=not_compared,
        findings=findings,
    )


def every_error(first: QueryError, query: Query, catalog: Catalog) -> QueryError:
    """The error that ended the planning of a query, together with those of its other names, values and paths."""
    errors = ErrorCollector()
    errors.errors.append(first)
    with errors:
        check_query(query, catalog)
    for filter_ in query.filters:
        with errors:
            if filter_.name in catalog.askable_metrics or filter_.name in catalog.askable_dimensions:
                _conditions(query.model_copy(update={"filters": (filter_,)}), catalog)
    used = [name for name in query.metrics if name in catalog.askable_metrics]
    filtered = [filter_.name for filter_ in query.filters]
    for name in dict.fromkeys((*query.dimensions, *filtered)):
        with errors:
            if name in catalog.askable_dimensions:
                check_reach(name, used, catalog)
    for name in query.order_by:
        with errors:
            _check_order(query.model_copy(update={"order_by": (name,)}))
    return errors.joined()


def _conditions(query: Query, catalog: Catalog) -> tuple[tuple[Condition, ...], tuple[tuple[Value, ...], ...]]:
    conditions, values = [], []
    for n, filter_ in enumerate(query.filters):
        dimension = catalog.dimensions.get(filter_.name)
        type_ = dimension.type if dimension else "number"
        is_id = dimension is not None and dimension.role == IDENTIFIER
        read = read_values(filter_.name, filter_.op, filter_.value, type_, is_identifier=is_id)
        if dimension and filter_.op in CONFORMED_OPERATORS:
            known = dimension.vocabulary, dimension.values
            read = tuple(conform(value, *known) if isinstance(value, str) else value for value in read)
        count = value_slots(filter_.op, len(read))
        conditions.append(Condition(name=filter_.name, type=type_, op=filter_.op, count=count, parameter=f"filter_{n}"))
        values.append(read)
    return tuple(conditions), tuple(values)


def _not_compared(compared: PlannedComparison | None) -> tuple[Condition, ...]:
    """The condition that leaves out days without a comparable counterpart, which lie inside the windows."""
    if compared is None or not compared.aligned.has_gaps:
        return ()
    sides = (compared.aligned.left_out, compared.aligned.previous_left_out)
    count = value_slots("not_in", max(len(days) for days in sides))
    return (Condition(name=DATE, type="date", op="not_in", count=count, parameter=NOT_COMPARED),)


def _key(name: str, query: Query, catalog: Catalog) -> Key:
    """Make a dimension a key to group by; every date has the query's grain."""
    dimension = catalog.dimensions[name]
    grain = (query.time_grain or "day") if dimension.type == "date" else None
    return Key(name, dimension.type, grain, dimension.order)


def _scan(
    fact: str,
    catalog: Catalog,
    *,
    base: Iterable[str],
    keys: Iterable[Key],
    conditions: Iterable[Condition],
    window: Window | None,
) -> Scan:
    return Scan(
        fact=fact,
        keys=tuple((key, catalog.dimensions[key.name].paths[fact]) for key in keys),
        measures=tuple(name for name in base if catalog.metrics[name].fact == fact),
        conditions=tuple((c, catalog.dimensions[c.name].paths[fact]) for c in conditions),
        has_start=window is not None and window.start is not None,
        has_end=window is not None and window.end is not None,
        week_shift=week_shift(catalog.week_start),
    )


def _component(name: str, catalog: Catalog, of_unknown_size: frozenset[str]) -> Component:
    metric = catalog.metrics[name]
    fact = metric.fact or ""
    return Component(
        name=name,
        fact=fact,
        adds_up=metric.adds_up,
        is_zero_without_rows=metric.is_zero_without_rows and fact not in of_unknown_size,
        is_unknown_without_rows=fact in of_unknown_size,
        is_cost=metric.is_cost,
    )


def _totals(query: Query, used: Iterable[str], catalog: Catalog) -> Literal["rows", "facts"]:
    """Choose the source of totals: the rows where metrics add up and each compared day has a row, else the facts."""
    by_day = DATE in query.dimensions and query.time_grain in (None, "day")
    if all(adds_up(name, catalog) for name in used) and not (query.compare and by_day):
        return "rows"
    if any(filter_.name in catalog.metrics for filter_ in query.filters):
        raise QueryError(
            "The total over the groups that a metric filter leaves cannot be made here.",
            "Leave out totals, or the filter on a metric.",
        )
    return "facts"


def _check_order(query: Query) -> None:
    """Check that `order_by` names columns of the answer.

    Raises:
        UnknownName: It names another one.
    """
    columns = [*query.dimensions, *answer_columns(query)]
    for name in (each.removeprefix("-") for each in query.order_by):
        if name not in columns:
            raise unknown("column to order by", name, dict.fromkeys(columns, ()))


def _order(query: Query, catalog: Catalog, *, is_mixed: bool) -> tuple[tuple[str, bool], ...]:
    """Order by `order_by`, else along the date and ordinals, then from the highest first metric; then by dimensions.

    Money of several currencies is ranked within each (`is_mixed`).
    """
    order = [(name.removeprefix("-"), name.startswith("-")) for name in query.order_by]
    others_last = [(IS_OTHER, False)] if query.top and query.top.other else []
    if order:
        order += others_last
    else:
        along = [] if query.top else [name for name in query.dimensions if catalog.dimensions[name].role == "ordinal"]
        order = [(name, False) for name in ([DATE] if DATE in query.dimensions else []) + along]
        order += [*others_last, *([(CURRENCY, False)] if is_mixed else []), (_first(query), True)]
    rest = [(name, False) for name in query.dimensions if name not in dict(order)]
    return (*order, *rest)


def _first(query: Query) -> str:
    """The metric that rows are ranked by where the query does not say."""
    return query.top.by if query.top else query.metrics[0]


def answer_columns(query: Query) -> list[str]:
    """List the columns of an answer after its dimensions: each metric, then what is computed from it."""
    columns = []
    for name in query.metrics:
        columns.append(name)
        columns += [f"{name}{ending}" for ending in COMPARED] if query.compare else []
        columns += [f"{name}{SHARE}"] if name in query.share_of_total else []
        columns += [f"{name}{CUMULATIVE}"] if query.cumulative and query.cumulative.metric == name else []
    return columns
