"""Custom metrics of a tenant, as `semantic: metrics:` of tenants.yaml writes them, checked in shape.

    profit:      {expression: order_revenue - spend}                                        # of metrics
    p95_order:   {fact: orders, column: total_price, aggregate: p95, filters: [...]}        # of a column of a fact
    brand_spend: {metric: spend, filters: [{name: campaign_name, op: contains, value: x}]}  # of some rows of a metric

Whether metrics, facts, columns and dimensions of these names exist is checked against the star.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

from pipeline.config.blocks.filter_rules import BARE, LISTS, OPERATORS
from pipeline.config.entry import Entry
from pipeline.errors import suggest

AGGREGATES = ("sum", "count", "count_distinct", "average", "min", "max", "median", "p90")
"""Aggregates of a column; any percentile from p1 to p99 as well."""

LONGEST = 1000
"""Values of one filter."""

_PERCENTILE = re.compile(r"p[1-9][0-9]?")
_HEADS = {"expression": (), "fact": ("column", "aggregate", "filters", "unit"), "metric": ("filters",)}
"""The three forms of a custom metric, by their first key, and the keys that belong to each."""
FORMS = tuple(dict.fromkeys(key for head, parts in _HEADS.items() for key in (head, *parts)))
_ARITHMETIC = (
    *(ast.Expression, ast.BinOp, ast.UnaryOp, ast.Name, ast.Load, ast.Constant),
    *(ast.Add, ast.Sub, ast.Mult, ast.Div, ast.USub),
)

Form = dict[str, Any]  # Any: text, flags, numbers and lists of maps of those


def is_custom_form(keys: Mapping[str, object]) -> bool:
    """Whether a metric is a custom one, not an overlay of a standard one."""
    return any(head in keys for head in _HEADS)


def read_form(entry: Entry, fields: Mapping[str, Entry]) -> Form:
    """The form of a custom metric; empty for an overlay of a standard one."""
    heads = [head for head in _HEADS if head in fields]
    if len(heads) > 1:
        raise fields[heads[1]].wrong(
            f"{entry.name} has {' and '.join(heads)}.", "Make it in one way: keep one of them."
        )
    if not heads:
        for part in (part for part in FORMS if part in fields):
            fix = "Remove it, or make a metric of your own with expression, with fact and aggregate, or with metric."
            raise fields[part].wrong(f"{entry.name} has {part} and nothing it is about.", fix)
        return {}
    if heads == ["expression"]:
        for part in ("column", "aggregate", "filters"):
            if part in fields:
                raise fields[part].wrong(f"{part} does not go with expression.", "Filter the metrics it is made of.")
        return {"expression": _expression(fields["expression"])}
    if heads == ["metric"]:
        return _filtered(entry, fields)
    return _measured(entry, fields)


def _filtered(entry: Entry, fields: Mapping[str, Entry]) -> Form:
    for part in ("column", "aggregate", "unit"):
        if part in fields:
            raise fields[part].wrong(f"{part} does not go with metric, which has its own.", "Remove the line.")
    return {"metric": fields["metric"].identifier(60), "filters": _filters(entry.required("filters"))}


def _measured(entry: Entry, fields: Mapping[str, Entry]) -> Form:
    aggregate = _aggregate(entry.required("aggregate"))
    form: Form = {"fact": fields["fact"].identifier(), "aggregate": aggregate}
    if aggregate == "count":
        if "column" in fields:
            fix = "Remove the column to count rows, or write aggregate: count_distinct."
            raise fields["column"].wrong("count counts rows and has a column.", fix)
    else:
        form["column"] = entry.required("column").identifier(60)
    if "filters" in fields:
        form["filters"] = _filters(fields["filters"])
    return form


def _aggregate(entry: Entry) -> str:
    name = entry.text()
    if name in AGGREGATES or _PERCENTILE.fullmatch(name):
        return name
    raise entry.wrong(f"There is no aggregate {entry.excerpt}.", suggest(name, AGGREGATES))


def _expression(entry: Entry) -> str:
    """Arithmetic over metric names: + - * / and parentheses."""
    text = entry.text()
    fix = "Write arithmetic over metrics, such as spend / converting_sessions."
    try:
        tree = ast.parse(text, mode="eval")
    except SyntaxError as error:
        raise entry.wrong(f"{entry.name} is {entry.excerpt}, which does not parse.", fix) from error
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            entry.check_name(node.id, length=60)
        is_text = isinstance(node, ast.Constant) and type(node.value) not in (int, float)
        if is_text or not isinstance(node, _ARITHMETIC):
            raise entry.wrong(f"{entry.name} is {entry.excerpt}, which is more than arithmetic.", fix)
    return text


def _filters(entry: Entry) -> list[Form]:
    """Conditions that a row must all meet to be counted; `name` is a dimension or a column, `op` is = if left out."""
    if not entry.items():
        raise entry.wrong(f"{entry.name} is an empty list.", "Give it at least one filter.")
    return [_filter(item) for item in entry.items()]


def _filter(entry: Entry) -> Form:
    fields = entry.fields(("name", "op", "value"))
    name = entry.required("name").identifier(60)
    op = fields["op"].choice(OPERATORS, "operator") if "op" in fields else "="
    if op in BARE:
        if "value" in fields:
            raise fields["value"].wrong(f"{op} takes no value.", "Remove the line.")
        return {"name": name, "op": op}
    value = entry.required("value")
    if op not in LISTS:
        return {"name": name, "op": op, "value": _scalar(value)}
    if len(value.items()) > LONGEST:
        raise value.wrong(f"{op} is given a list of {len(value.items())}.", f"Name at most {LONGEST} values.")
    if not value.items() or (op == "between" and len(value.items()) != 2):
        expected = "two values, the lower first" if op == "between" else "at least one value"
        raise value.wrong(f"{op} is given a list of {len(value.items())}.", f"Write {expected}: [a, b].")
    return {"name": name, "op": op, "value": [_scalar(item) for item in value.items()]}


def _scalar(entry: Entry) -> object:
    return entry.value if isinstance(entry.value, bool | int | float) else entry.text(length=1000)
