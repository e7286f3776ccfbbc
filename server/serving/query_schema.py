"""The schema of a query for callers, with an example of each part."""

from __future__ import annotations

from semantic.planning.query import Query
from server.serving.arguments import Schema, input_schema

EXAMPLES: dict[str, object] = {
    "metrics": ["spend", "roas"],
    "dimensions": ["campaign_name", "date"],
    "time_grain": "month",
    "time_range": {"start": "2026-01-01", "end": "2026-03-31"},
    "filters": [{"name": "ad_platform", "op": "in", "value": ["google_ads"]}],
    "compare": "previous_period",
    "align": "whole",
    "cumulative": {"metric": "spend", "kind": "running"},
    "share_of_total": ["spend"],
    "totals": True,
    "fill_gaps": True,
    "top": {"by": "spend", "n": 10, "other": True},
    "order_by": ["-roas"],
    "limit": 100,
    "cursor": "as it came",
    "include_sql": True,
    "compile_only": True,
}
QUERY_TITLE = "Ask for metrics"
QUERY_DESCRIPTION = (
    "Answer a question from governed metrics: call list_metrics first and use its names. Metrics of several facts"
    " (ads, orders, sessions) may stand together; they meet on the dimensions they share. A trend needs the"
    " dimension date and a time_grain. Ratios are sums divided by sums, given as fractions. The answer has columns"
    " (with units) and rows; when it is truncated, narrow the question, send its cursor with the same query, or take"
    " full_result. Notes say what an answer does not hold."
)
EXPLAIN_TITLE = "Explain why a metric changed"
EXPLAIN_DESCRIPTION = (
    "Why a metric moved between two windows: the exact effect of each member of a dimension (of ratios mix and rate)"
    " and when it began. For sums and ratios of sums."
)
_EXPLAINED: dict[str, Schema] = {
    "metric": {"type": "string", "description": "One metric.", "examples": ["roas"]},
    "time_range": {"description": "As in query.", "examples": ["last_week"]},
    "compare": {
        "enum": ["previous_period", "previous_year"],
        "description": "previous_period when left out.",
        "examples": ["previous_year"],
    },
    "dimensions": {
        "type": "array",
        "description": "Where to look; all when left out. Shown is the one that explains most.",
        "examples": [["campaign_name"]],
    },
    "filters": {
        "type": "array",
        "description": "As in query.",
        "examples": [[{"name": "ad_platform", "value": "google_ads"}]],
    },
}
EXTRA_DESCRIPTIONS = {
    "compare": "Adds <metric>_previous, _change, _change_ratio.",
    "align": "to_date compares days complete on both sides.",
    "share_of_total": "Adds <metric>_share, of the total before limit.",
    "limit": "Most rows to give.",
}


def query_schema() -> Schema:
    """The JSON Schema of a query as MCP and OpenAPI advertise it."""
    schema = input_schema(Query)
    return {**schema, "properties": {name: _described(name, part) for name, part in schema["properties"].items()}}


def explain_schema() -> Schema:
    """The JSON Schema of a request of explain_change, whose parts are read as those of a query."""
    required = ["metric", "time_range"]
    return {"type": "object", "properties": _EXPLAINED, "required": required, "additionalProperties": False}


def _described(name: str, argument: Schema) -> Schema:
    """An argument with a description and an example; the description of its items moves to the argument."""
    items = dict(argument.get("items", {}))
    description = argument.get("description") or items.pop("description", None) or EXTRA_DESCRIPTIONS[name]
    return {**argument, **({"items": items} if items else {}), "description": description, "examples": [EXAMPLES[name]]}


def answer_schema() -> Schema:
    """The JSON Schema of an answer.

    Shallow on purpose: a client that validates 1,000 rows cell by cell takes 45 ms for it.
    """
    properties: dict[str, Schema] = {
        "columns": {"type": "array"},
        "rows": {
            "type": "array",
            "items": {"type": "array"},
            "description": "One array per row, in the order of columns.",
        },
        "row_count": {"type": "integer"},
        "truncated": {"type": "boolean"},
        "run_id": {"type": "string"},
        "notes": {"type": "array"},
    }
    return {"type": "object", "properties": properties, "required": list(properties)}
