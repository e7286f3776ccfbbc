"""Table logic: a tenant's own words for conversions and funnels, and the rows it does not count, as data and never SQL.

Each key belongs where it is applied; elsewhere it is refused, because logic that nothing reads looks like logic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.config.entry import Entry
from pipeline.connectors import Connector
from pipeline.contracts import CONTRACTS
from pipeline.errors import shorten, suggest

ATTRIBUTION_MODELS = ("first_touch", "last_non_direct")
FUNNEL_STEPS_MOST = 20

_COMPARISONS = ("=", "!=", ">", ">=", "<", "<=")
_LISTS = ("in", "not_in", "between")
_TEXTS = ("contains", "starts_with")
_BARE = ("is_null", "is_not_null")
OPERATORS = (*_COMPARISONS, *_LISTS, *_TEXTS, *_BARE)


def read_tables(entry: Entry, connector: Connector) -> dict[str, dict[str, Any]]:  # Any: values differ by key
    """Logic by object. `funnel_steps` is a map of step to event names in the funnel's order; the rest as written."""
    tables: dict[str, dict[str, Any]] = {}
    for item in entry.items():
        item.fields(("name", "logic"))
        name = item.required("name").choice(connector.objects, f"object of {connector.name}")
        if name in tables:
            raise item.wrong(f"{entry.name} has {name} twice.", "Put all its logic under one of the two.")
        logic = item.mapping().get("logic")
        tables[name] = _logic(logic, connector, name) if logic else {}
    return dict(sorted(tables.items()))


def _logic(entry: Entry, connector: Connector, table: str) -> dict[str, Any]:  # Any: as above
    logic: dict[str, Any] = {}
    for key, value in sorted(entry.fields(_READERS).items()):
        domain = _HOMES.get(key, connector.domain)
        if domain != connector.domain:
            raise value.wrong(
                f"{key} changes nothing for {connector.name}, which is {connector.domain}.",
                f"Move it to a table of an {domain} source.",
            )
        logic[key] = _filters(value, connector, table) if key == "filters" else _READERS[key](value)
    return logic


def _names(entry: Entry) -> list[str]:
    """Event names, each once."""
    names: list[str] = []
    for item in entry.one_or_many():
        name = item.text()
        if name in names:
            raise item.wrong(f"{entry.name} has {name!r} twice.", "Remove one of the two.")
        names.append(name)
    return names


def _funnel(entry: Entry) -> dict[str, list[str]]:
    """Steps in order. A list names steps that are events; a map names each step's event, or list of events."""
    if isinstance(entry.value, dict):
        steps = {name: _names(events) for name, events in entry.value.items()}
        for name, events in entry.value.items():
            events.check_name(name)
    else:
        steps = {name: [name] for name in _names(entry)}
    if not 1 <= len(steps) <= FUNNEL_STEPS_MOST:
        raise entry.wrong(f"{entry.name} has {len(steps)} steps.", f"Name 1 to {FUNNEL_STEPS_MOST} steps.")
    return steps


def _attribution_model(entry: Entry) -> str:
    return entry.choice(ATTRIBUTION_MODELS, "attribution model")


def _target_cpa(entry: Entry) -> int | float:
    return entry.number(0, 10_000_000)


_READERS: dict[str, Callable[[Entry], object]] = {
    "attribution_model": _attribution_model,
    "conversion_event_pattern": Entry.text,
    "conversion_events": _names,
    "filters": Entry.items,
    "funnel_steps": _funnel,
    "goal": Entry.text,
    "target_cpa": _target_cpa,
}
_HOMES = {"conversion_event_pattern": "ads", "conversion_events": "analytics", "funnel_steps": "analytics"}
"""Keys that one domain alone applies."""


def _filters(entry: Entry, connector: Connector, table: str) -> list[dict[str, object]]:
    """Rules that a record must all meet to be counted: `{field, op, value}`."""
    contract = CONTRACTS.get(connector.name, {}).get(table)
    rules = []
    for item in entry.items():
        fields = item.fields(("field", "op", "value"))
        field = item.required("field").text()
        if contract and field not in contract.model_fields:
            raise fields["field"].wrong(
                f"{connector.name} {table} has no field named {shorten(field, 80)!r}.",
                suggest(field, contract.model_fields),
            )
        rules.append({"field": field, **_condition(item)})
    return rules


def _condition(item: Entry) -> dict[str, object]:
    """The `op` of a rule, and the `value` it takes, if it takes one."""
    op = item.required("op").choice(OPERATORS, "operator")
    if op in _BARE:
        if "value" in item.mapping():
            raise item.mapping()["value"].wrong(f"{op} takes no value.", "Remove the line.")
        return {"op": op}
    value = item.required("value")
    if op in _TEXTS:
        return {"op": op, "value": value.text()}
    if op in _COMPARISONS:
        return {"op": op, "value": _scalar(value)}
    values = [_scalar(part) for part in value.items()]
    if not values or (op == "between" and len(values) != 2):
        wanted = "two values, the lower first" if op == "between" else "at least one value"
        raise value.wrong(f"{op} is given a list of {len(values)}.", f"Write {wanted}: [a, b].")
    return {"op": op, "value": values}


def _scalar(entry: Entry) -> str | int | float | bool:
    return entry.value if entry.value == "" or isinstance(entry.value, bool | int | float) else entry.text()
