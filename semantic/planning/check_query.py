"""Checks a query against the catalog before any SQL: names exist, and parts go together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pipeline.errors import QueryError
from semantic.catalog.catalog import DATE, Catalog
from semantic.catalog.error_collector import ErrorCollector
from semantic.catalog.formula import is_sum, metric_names
from semantic.catalog.suggestions import unknown_dimension, unknown_metric, unknown_name
from semantic.planning.currency_rules import check_currency_filter
from semantic.planning.query import ROW_BEFORE, Query, Top

_GRAIN_NAME = re.compile(r"(?:date_{0,2})?(day|week|month|quarter|year)(?:_start)?")
_NOT_WITH_DATE_FILTER = ("compare", "cumulative", "fill_gaps")


def check_query(query: Query, catalog: Catalog) -> None:
    """Check that every name of a query exists and that its parts go together.

    Raises:
        UnknownName: A metric, dimension or column does not exist; carries the nearest ones.
        QueryError: Two parts of the query do not go together; names what to add or leave out.
        SeveralErrors: More than one of these.
    """
    errors = ErrorCollector()
    _check_names(query, catalog, errors)
    errors.check()  # what follows reads the entries of the names
    _check_time(query, catalog, errors)
    _check_selected(query, catalog, errors)
    with errors:
        check_currency_filter(query, catalog)
    errors.check()


def _check_names(query: Query, catalog: Catalog, errors: ErrorCollector) -> None:
    for part, chosen in (("metrics", query.metrics), ("dimensions", query.dimensions), ("order_by", query.order_by)):
        with errors:
            _check_once(part, chosen)
    for name in query.metrics:
        with errors:
            _check_metric(name, catalog)
    for name in query.dimensions:
        with errors:
            _check_dimension(name, catalog)
    for filter_ in query.filters:
        with errors:
            if filter_.name not in catalog.askable_metrics and filter_.name not in catalog.askable_dimensions:
                sent = filter_.value[0] if isinstance(filter_.value, tuple) and filter_.value else filter_.value
                raise unknown_name(filter_.name, catalog, is_number=type(sent) in (int, float))
    for name in _selected(query):
        if name not in query.metrics:
            with errors:
                _check_metric(name, catalog)
                raise QueryError(f"{name} is used and not selected.", f'Add "{name}" to metrics.')


def with_wrong_names(error: QueryError, catalog: Catalog) -> QueryError:
    """The error of a query that cannot be read, together with those of the names in the parts that can."""
    if error.readable is None:
        return error
    errors = ErrorCollector()
    errors.errors.append(error)
    _check_names(error.readable, catalog, errors)
    return errors.joined()


def adds_up(name: str, catalog: Catalog) -> bool:
    """Whether the value of a metric for a whole can be computed from the base metrics of its parts."""
    return all(catalog.metrics[base].adds_up for base in metric_names(catalog.metrics[name].formula))


def _check_once(part: str, chosen: Sequence[str]) -> None:
    for name in chosen:
        if chosen.count(name) > 1:
            raise QueryError(f"{part} names {name!r} twice.", "Name it once.")


def _check_metric(name: str, catalog: Catalog) -> None:
    if name in catalog.askable_metrics:
        return
    if name in catalog.askable_dimensions:
        raise QueryError(f"{name} is a dimension, not a metric.", f'Write "dimensions": ["{name}"].')
    raise unknown_metric(name, catalog)


def _check_dimension(name: str, catalog: Catalog) -> None:
    if name in catalog.askable_dimensions:
        return
    if name in catalog.askable_metrics:
        raise QueryError(f"{name} is a metric, not a dimension.", f'Write "metrics": ["{name}"].')
    if match := _GRAIN_NAME.fullmatch(name.casefold()):
        fix = f'Write "dimensions": ["date"] and "time_grain": "{match[1]}".'
        raise QueryError(f"There is no dimension named {name!r}.", fix)
    raise unknown_dimension(name, catalog)


def _check_time(query: Query, catalog: Catalog, errors: ErrorCollector) -> None:
    has_date = DATE in query.dimensions
    with errors:
        if query.time_grain and not any(catalog.dimensions[name].type == "date" for name in query.dimensions):
            raise QueryError(f'time_grain is "{query.time_grain}" and nothing has it.', 'Add "date" to dimensions.')
    for part in ("fill_gaps", "cumulative"):
        with errors:
            if getattr(query, part) and not has_date:
                raise QueryError(f"{part} works along the date.", 'Add "date" to dimensions.')
    for part in ("fill_gaps", "compare"):
        is_needed = part == "fill_gaps" or query.compare != ROW_BEFORE
        with errors:
            if getattr(query, part) and is_needed and query.time_range is None:
                raise QueryError(f"{part} needs the days it is about.", 'Add "time_range".')
    with errors:
        _check_comparison(query)
    if any(filter_.name == DATE for filter_ in query.filters):
        for part in _NOT_WITH_DATE_FILTER:
            with errors:
                if getattr(query, part):
                    raise QueryError(f"A filter on date does not go with {part}.", "Write the days as time_range.")
        with errors:
            if has_date and query.time_grain not in (None, "day"):
                fix = "Write the days as time_range."
                raise QueryError(f"A filter on date is about days, and rows are {query.time_grain}s.", fix)


def _check_comparison(query: Query) -> None:
    if query.align == "whole" and query.compare is None:
        raise QueryError("align is of a comparison, and there is none.", "Add compare, or leave align out.")
    if query.compare != ROW_BEFORE:
        return
    if DATE not in query.dimensions:
        raise QueryError(f"{ROW_BEFORE} compares rows along the date.", 'Add "date" to dimensions.')
    if query.totals:
        fix = "Leave out totals, or compare with previous_period."
        raise QueryError(f"totals does not go with {ROW_BEFORE}: the row of all has no row before it.", fix)


def check_groups(query: Query, catalog: Catalog) -> None:
    """Check that a filter on a metric has groups to keep or drop.

    Raises:
        QueryError: Nothing is grouped.
    """
    tested = [filter_.name for filter_ in query.filters if filter_.name in catalog.metrics]
    if tested and not query.dimensions:
        raise QueryError(
            f"A filter on {tested[0]} keeps groups, and nothing is grouped: it would change no number.",
            "Add a dimension to group by, or filter rows by a dimension.",
        )


def _selected(query: Query) -> list[str]:
    """The metrics that parts of a query name and its metrics have to hold."""
    selected = [*query.share_of_total]
    selected += [query.cumulative.metric] if query.cumulative else []
    return selected + ([query.top.by] if query.top else [])


def _check_selected(query: Query, catalog: Catalog, errors: ErrorCollector) -> None:
    for name in query.share_of_total:
        with errors:
            if not (is_sum(catalog.metrics[name].formula) and _is_summed(name, catalog)):
                fix = "Ask for shares of metrics that add up, such as counts and amounts."
                raise QueryError(f"{name} of the parts does not add up to {name} of the whole.", fix)
    with errors:
        if query.cumulative and not adds_up(query.cumulative.metric, catalog):
            fix = "Choose a metric that adds up over days; counts of different things do not."
            raise QueryError(f"{query.cumulative.metric} cannot be added up over days.", fix)
    with errors:
        if query.cumulative and (query.cumulative.kind == "rolling") != (query.cumulative.days is not None):
            raise QueryError("cumulative has days for rolling, and only then.", 'Write {"kind": "rolling", "days": 7}.')
    with errors:
        if query.top and not query.dimensions:
            raise QueryError("top needs groups.", "Add a dimension, or leave it out.")
    with errors:
        if query.top:
            _check_top(query, query.top, catalog)


def _check_top(query: Query, top: Top, catalog: Catalog) -> None:
    if DATE in query.dimensions and len(query.dimensions) > 1 and not adds_up(top.by, catalog):
        fix = "Rank by a metric that adds up over dates, or leave out the date."
        raise QueryError(f"{top.by} of a group cannot be made from its {top.by} by date.", fix)
    for name in query.metrics if top.other else ():
        if not adds_up(name, catalog):
            raise QueryError(f"{name} of the other groups cannot be made from {name} of each.", 'Write "other": false.')
    if top.other and query.cumulative:
        raise QueryError("cumulative does not go with the group of others.", 'Write "other": false.')


def _is_summed(name: str, catalog: Catalog) -> bool:
    bases: Iterable[str] = metric_names(catalog.metrics[name].formula)
    return all(catalog.metrics[base].adds_up == "SUM" for base in bases)
