"""What callers write instead of what is meant: each becomes an error that names the right place and form."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import ValidationError

from pipeline.errors import QueryError, shorten, suggest

_FORMS = {
    "metrics": 'Write "metrics": ["spend", "clicks"].',
    "dimensions": 'Write "dimensions": ["campaign_name"].',
    "time_grain": 'Write "time_grain": "month", and "date" among the dimensions.',
    "time_range": 'Write "time_range": {"start": "2026-01-01", "end": "2026-01-31"}, or a name such as "last_30_days".',
    "filters": 'Write "filters": [{"name": "ad_platform", "op": "=", "value": "google_ads"}].',
    "compare": 'Write "compare": "previous_period" or "previous_year".',
    "cumulative": 'Write "cumulative": {"metric": "spend", "kind": "running"}.',
    "share_of_total": 'Write "share_of_total": ["spend"].',
    "totals": 'Write "totals": true.',
    "fill_gaps": 'Write "fill_gaps": true.',
    "top": 'Write "top": {"by": "spend", "n": 10, "other": true}.',
    "order_by": 'Write "order_by": ["-spend"]; the minus puts the highest first.',
    "limit": 'Write "limit": 100.',
    "cursor": 'Write "cursor": with what the answer before this one gave as cursor.',
    "include_sql": 'Write "include_sql": true.',
    "compile_only": 'Write "compile_only": true.',
}
_MEANT = {
    "metrics": ("metric", "measure", "measures", "select", "fields", "kpis"),
    "dimensions": ("dimension", "group_by", "groupby", "group", "breakdown", "breakdowns", "by_dimension"),
    "time_grain": ("grain", "granularity", "time_granularity", "interval", "time_dimension"),
    "time_range": ("date_range", "dates", "period", "range", "start", "end", "from", "to", "start_date", "end_date"),
    "filters": ("filter", "where", "having", "conditions", "name", "op", "value"),
    "compare": ("comparison", "compare_to", "previous", "period_over_period"),
    "cumulative": ("running_total", "running", "rolling", "kind", "days"),
    "share_of_total": ("share", "percent_of_total", "percentage"),
    "totals": ("total", "include_totals", "grand_total"),
    "top": ("top_n", "topn", "by", "n", "other"),
    "order_by": ("order", "sort", "sort_by", "orderby", "sorting"),
    "limit": ("rows", "max_rows", "page_size", "count", "size"),
    "cursor": ("offset", "page", "page_token", "after", "skip"),
    "include_sql": ("sql", "show_sql", "with_sql"),
    "compile_only": ("dry_run", "explain", "preview"),
}
_PLACES = {mistake: right for right, mistakes in _MEANT.items() for mistake in mistakes}
_PARTS = {
    "filters": {
        **dict.fromkeys(("field", "dimension", "metric", "member", "column", "key"), "name"),
        **dict.fromkeys(("operator", "operation", "comparison", "condition"), "op"),
        **dict.fromkeys(("values", "val", "equals"), "value"),
    },
    "top": {**dict.fromkeys(("metric", "measure", "order_by"), "by"), **dict.fromkeys(("limit", "count", "k"), "n")},
    "cumulative": {**dict.fromkeys(("name", "measure"), "metric"), **dict.fromkeys(("type", "window"), "kind")},
    "time_range": {
        **dict.fromkeys(("from", "start_date", "since", "gte"), "start"),
        **dict.fromkeys(("to", "end_date", "until", "lte"), "end"),
    },
}
_OPERATORS = {
    **dict.fromkeys(("==", "eq", "equals", "is", "equal"), "="),
    **dict.fromkeys(("<>", "ne", "neq", "not_equals", "is_not"), "!="),
    **dict.fromkeys(("gt", "after"), ">"),
    **dict.fromkeys(("gte", "ge", "=>"), ">="),
    **dict.fromkeys(("lt", "before"), "<"),
    **dict.fromkeys(("lte", "le", "=<"), "<="),
    **dict.fromkeys(("notin", "not in", "nin"), "not_in"),
    **dict.fromkeys(("like", "ilike", "matches"), "contains"),
    **dict.fromkeys(("null", "is null", "isnull"), "is_null"),
    **dict.fromkeys(("not_null", "is not null", "notnull"), "is_not_null"),
}

_KNOWN = frozenset(_FORMS) | frozenset(part for parts in _PARTS.values() for part in parts.values())


def look_for_misplaced(sent: Mapping[str, Any], known: Collection[str]) -> None:  # Any: whatever a caller sent
    """See that every key of a query is one.

    Raises:
        QueryError: One is not; names the key that is meant and its form.
    """
    for key in sent:
        if key in known:
            continue
        if key in ("tenant", "tenant_slug", "tenant_id"):
            raise QueryError(f"A query has no key {key!r}.", "Leave it out: the tenant comes from your credential.")
        meant = _PLACES.get(str(key).casefold())
        fix = f"Meant is {meant}: {_FORMS[meant]}" if meant else suggest(str(key), known)
        raise QueryError(f"A query has no key {shorten(str(key), 80)!r}.", fix)


def explain(error: ValidationError) -> QueryError:
    """The first thing that is wrong, with the form that is right."""
    problems = error.errors(include_url=False)
    problem = next((found for found in problems if found["type"] == "extra_forbidden"), problems[0])
    place = [part for part in problem["loc"] if isinstance(part, int) or part in _KNOWN]
    root = str(place[0]) if place else ""
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
    sent, form = shorten(str(problem["input"]), 80), _FORMS.get(root, "Leave it out, or correct it.")
    if problem["type"] == "extra_forbidden":
        key = str(problem["loc"][-1])
        right = _PARTS.get(root, {}).get(key.casefold())
        return QueryError(f"{root} has no key {shorten(key, 80)!r}.", f"Meant is {right}: {form}" if right else form)
    if problem["type"] == "missing":
        return QueryError(f"{where} is missing.", form)
    if problem["type"] == "literal_error" and place[-1] == "op":
        right = _OPERATORS.get(sent.casefold())
        return QueryError(f"There is no operator {sent!r}.", f"Did you mean {right}?" if right else _choices(problem))
    if problem["type"] == "literal_error":
        return QueryError(f"{where} is {sent!r}.", _choices(problem))
    if place[-1:] == ["value"]:
        return QueryError(f"{where} is {sent!r}, not text, a number, true, false or a list of those.", form)
    return QueryError(f"{where} is {sent!r}: {problem['msg'].lower()}.", form)


def _choices(problem: Mapping[str, Any]) -> str:  # Any: pydantic's own
    return f"Choose one of: {str(problem['ctx']['expected']).replace(' or ', ', ')}."
