"""Turns common mistakes in queries into errors that name the right key and form."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from pipeline.errors import QueryError, shorten, suggest
from semantic.catalog.error_collector import ErrorCollector
from semantic.catalog.input_text import quote_input

if TYPE_CHECKING:
    from semantic.planning.query import Query

_FORMS = {
    "metrics": 'Write "metrics": ["spend", "clicks"].',
    "dimensions": 'Write "dimensions": ["campaign_name"].',
    "time_grain": 'Write "time_grain": "month", and "date" among the dimensions.',
    "time_range": 'Write "time_range": {"start": "2026-01-01", "end": "2026-01-31"}, or a name such as "last_30_days".',
    "filters": 'Write "filters": [{"name": "ad_platform", "op": "=", "value": "google_ads"}].',
    "compare": 'Write "compare": "previous_period", "previous_year" or "row_before".',
    "align": 'Write "align": "to_date" or "whole".',
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
_KEY_ALIASES = {
    "metrics": ("metric", "measure", "measures", "select", "fields", "kpis"),
    "dimensions": ("dimension", "group_by", "groupby", "group", "breakdown", "breakdowns", "by_dimension"),
    "time_grain": ("grain", "granularity", "time_granularity", "interval", "time_dimension", "date_grain", "bucket"),
    "time_range": (
        *("date_range", "dates", "period", "range", "start", "end", "from", "to", "start_date", "end_date", "since"),
        *("until", "date_from", "date_to", "daterange", "timeframe", "time_frame", "time_window", "time_period"),
    ),
    "filters": ("filter", "where", "having", "conditions", "name", "op", "value", "segment", "segments"),
    "compare": ("comparison", "compare_to", "previous", "period_over_period", "compare_with", "time_comparison"),
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
_KEY_OF_ALIAS = {alias: key for key, aliases in _KEY_ALIASES.items() for alias in aliases}
_PART_KEY_ALIASES: dict[str, dict[str, str]] = {
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
_VALUE_ALIASES: dict[str, dict[str, tuple[str, ...]]] = {
    "op": {
        "=": ("==", "===", "eq", "equals", "equal", "is", "equal_to", "on"),
        "!=": ("<>", "ne", "neq", "not_equals", "not_equal", "is_not", "isnt", "not", "does_not_equal"),
        ">": ("gt", "after", "greater_than", "above", "more_than", "over"),
        ">=": ("gte", "ge", "=>", "greater_than_or_equal", "greater_or_equal", "at_least", "since", "from"),
        "<": ("lt", "before", "less_than", "below", "under"),
        "<=": ("lte", "le", "=<", "less_than_or_equal", "less_or_equal", "at_most", "until", "up_to"),
        "in": ("one_of", "any_of", "is_in", "any", "isin", "in_list"),
        "not_in": ("notin", "nin", "none_of", "is_not_in", "not_one_of", "exclude", "excludes"),
        "contains": ("like", "ilike", "matches", "match", "regex", "substring", "includes", "icontains", "search"),
        "starts_with": ("startswith", "prefix", "begins_with", "beginswith", "istartswith"),
        "is_null": ("null", "isnull", "empty", "is_empty", "not_set", "missing", "not_exists", "is_none"),
        "is_not_null": ("not_null", "notnull", "set", "is_set", "exists", "not_empty", "is_not_none"),
        "between": ("range", "in_range", "inrange", "inbetween", "in_date_range"),
    },
    "time_grain": {
        "day": ("daily", "days", "date", "d", "1d"),
        "week": ("weekly", "weeks", "isoweek", "iso_week", "w", "1w"),
        "month": ("monthly", "months", "m", "1m", "yearmonth", "year_month", "mon"),
        "quarter": ("quarterly", "quarters", "q", "qtr"),
        "year": ("yearly", "years", "annual", "annually", "y", "1y"),
    },
    "compare": {
        "previous_period": (
            *("period_over_period", "pop", "prior_period", "last_period", "previous", "prev", "prev_period", "wow"),
            *("mom", "month_over_month", "week_over_week", "qoq", "dod", "previous_month", "last_month"),
        ),
        "previous_year": (
            "yoy",
            "year_over_year",
            "last_year",
            "prior_year",
            "same_period_last_year",
            "prev_year",
            "ly",
        ),
    },
    "kind": {
        "running": ("running_total", "cumulative", "total", "all_time", "cumsum", "running_sum", "accumulated"),
        "month_to_date": ("mtd", "month"),
        "year_to_date": ("ytd", "year"),
        "rolling": ("rolling_window", "moving", "moving_average", "trailing", "window", "rolling_sum"),
    },
}
"""For each key with a fixed list of values: their aliases."""

OPERATORS = tuple(_VALUE_ALIASES["op"])
_KNOWN = frozenset(_FORMS) | frozenset(part for parts in _PART_KEY_ALIASES.values() for part in parts.values())


KNOWN_KEYS = frozenset(_FORMS) | frozenset(_KEY_OF_ALIAS) | {"tenant", "tenants", "tenant_slug", "tenant_id"}
"""Keys that a caller of ours sends, the misplaced ones too: none is a key of a transport."""


class QueryErrors(ErrorCollector):
    """The errors of a query as it was sent: unknown keys, and values of another form."""

    readable: Query | None = None
    """The query without the parts that cannot be read: its names can still be checked."""

    def check(self) -> None:
        """Raise the errors; their `readable` is that of these."""
        try:
            super().check()
        except QueryError as error:
            error.readable = self.readable
            raise

    def is_key(self, key: str, known: Collection[str]) -> bool:
        """Whether a query has the key; one that it does not have becomes an error with the intended key and form."""
        if key in known:
            return True
        if key in ("tenant", "tenants", "tenant_slug", "tenant_id"):
            error = QueryError(f"A query has no key {key!r}.", "Leave it out: the tenant comes from your credential.")
        else:
            right = _KEY_OF_ALIAS.get(str(key).casefold())
            fix = f"Meant is {right}: {_FORMS[right]}" if right else suggest(str(key), known)
            error = QueryError(f"A query has no key {shorten(str(key), 80)!r}.", fix)
        self.errors.append(error)
        return False

    def add(self, error: ValidationError) -> None:
        """Add an error for each part of the query that could not be read."""
        problems = error.errors(include_url=False)
        extra = [each for each in problems if each["type"] == "extra_forbidden"]
        meant = {(*_part(each), _meant(each)) for each in extra}
        paths = {_path(each) for each in problems}
        seen = set(meant)
        self.errors += [_explained(each) for each in extra]
        for each in problems:
            path = _path(each)
            is_outer = any(other[: len(path)] == path != other for other in paths)
            if each["type"] != "extra_forbidden" and path not in seen and not is_outer:
                seen.add(path)
                self.errors.append(_explained(each))
        self.errors += [wrong for each in extra if (wrong := _wrong_operator(each)) is not None]


def _part(problem: Mapping[str, Any]) -> tuple[Any, ...]:  # Any: pydantic's own
    """The part of a query that a problem is in: its key, and its place in a list of objects."""
    return tuple(problem["loc"][:2] if problem["loc"][0] == "filters" else problem["loc"][:1])


def _meant(problem: Mapping[str, Any]) -> str:  # Any: as above
    """The key that an unknown one stands for."""
    aliases = _PART_KEY_ALIASES.get(str(problem["loc"][0]), {})
    return aliases.get(str(problem["loc"][-1]).casefold(), "name")


def _path(problem: Mapping[str, Any]) -> tuple[Any, ...]:  # Any: as above
    """The path of a problem, without pydantic's names of the arms of a union, and not into the value of a filter."""
    path = [part for part in problem["loc"] if isinstance(part, int) or part in _KNOWN]
    if problem["type"] == "extra_forbidden":
        path.append(problem["loc"][-1])
    return tuple(path[: path.index("value") + 1] if "value" in path else path)


def _wrong_operator(problem: Mapping[str, Any]) -> QueryError | None:  # Any: as above
    """The error for an operator that does not exist, under a key that does not exist either."""
    if _meant(problem) != "op" or not isinstance(problem["input"], str) or problem["input"] in OPERATORS:
        return None
    expected = ", ".join(map(repr, OPERATORS))
    fix = _choices("op", {"input": problem["input"], "ctx": {"expected": expected}})
    return QueryError(f"There is no operator {quote_input(problem['input'])}.", fix)


def _explained(problem: Mapping[str, Any]) -> QueryError:  # Any: as above
    """Create the error for one problem, with the right form."""
    if isinstance(own := problem.get("ctx", {}).get("error"), QueryError):
        return own
    path = [part for part in problem["loc"] if isinstance(part, int) or part in _KNOWN]
    root = str(path[0]) if path else ""
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    sent, form = quote_input(problem["input"]), _FORMS.get(root, "Leave it out, or correct it.")
    if problem["type"] == "extra_forbidden":
        return _misplaced(root, str(problem["loc"][-1]), problem["input"])
    if problem["type"] == "missing":
        return QueryError(f"{name} is missing.", form)
    if problem["type"] == "literal_error":
        kind = "There is no operator" if path[-1] == "op" else f"{name} is"
        return QueryError(f"{kind} {sent}.", _choices(str(path[-1]), problem))
    if path[-1:] == ["value"]:
        return QueryError(f"{name} is {sent}, not text, a number, true, false or a list of those.", form)
    return QueryError(f"{name} is {sent}: {problem['msg'].lower()}.", form)


def _misplaced(root: str, key: str, sent: object) -> QueryError:
    """Create the error for an unknown key in a part of a query: it belongs to another part, or has another name."""
    what = f"{root} has no key {shorten(key, 80)!r}."
    folded = key.casefold()
    if right := _PART_KEY_ALIASES.get(root, {}).get(folded):
        return QueryError(what, f"Meant is {right}: {_FORMS[root]}")
    if (owner := key if key in _FORMS else _KEY_OF_ALIAS.get(folded)) and owner != root:
        return QueryError(what, f"Put it beside {root}, not inside: {_FORMS[owner]}")
    if root == "filters" and isinstance(sent, str | int | float | bool):
        example = json.dumps(
            {"name": shorten(key, 80), "op": "=", "value": sent if len(quote_input(sent)) < 80 else "..."}
        )
        return QueryError(what, f'Write "filters": [{example}].')
    return QueryError(what, _FORMS.get(root, "Leave it out."))


def _choices(key: str, problem: Mapping[str, Any]) -> str:  # Any: pydantic's own
    """Suggest the nearest values of a key with a fixed list, else all of them."""
    aliases = _VALUE_ALIASES.get(key, {})
    sent = re.sub(r"[\s-]+", "_", str(problem["input"]).strip().casefold()) if type(problem["input"]) is str else ""
    exact = [value for value, others in aliases.items() if sent == value or sent in others]
    near = exact or get_close_matches(sent, aliases, n=3, cutoff=0.6)
    if near:
        return f"Did you mean {' or '.join(near)}?"
    return f"Choose one of: {str(problem['ctx']['expected']).replace(' or ', ', ')}."
