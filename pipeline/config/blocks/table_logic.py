"""Table logic: a tenant's definition of conversions and funnels, and filters of rows, as data and never SQL.

A key that a connector does not apply is refused: logic that nothing reads would look effective.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.config.blocks.filter_rules import read_filters
from pipeline.config.entry import Entry
from pipeline.contracts.connector import Connector

ATTRIBUTION_MODELS = ("first_touch", "last_non_direct")
FUNNEL_STEPS_MOST = 20


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
        _check_applies(key, value, connector)
        logic[key] = read_filters(value, connector, table) if key == "filters" else _READERS[key](value)
    return logic


def _check_applies(key: str, entry: Entry, connector: Connector) -> None:
    """Check that a key is applied to the connector's tables."""
    domain = _DOMAINS.get(key, connector.domain)
    if domain != connector.domain:
        raise entry.wrong(
            f"{key} changes nothing for {connector.name}, which is {connector.domain}.",
            f"Move it to a table of an {domain} source.",
        )
    field, lack = _NEEDED_FIELDS.get(key, ("", ""))
    if field and not any(field in contract.model_fields for contract in connector.contracts.values()):
        raise entry.wrong(f"{key} changes nothing for {connector.name}, whose {lack}.", "Remove it.")


def _names(entry: Entry) -> list[str]:
    """Names of events or attributes, each once."""
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
    "charge_id_attributes": _names,
    "conversion_event_pattern": Entry.text,
    "conversion_events": _names,
    "filters": Entry.items,
    "funnel_steps": _funnel,
    "goal": Entry.text,
    "purchase_events": _names,
    "target_cpa": _target_cpa,
}
_DOMAINS = {
    "charge_id_attributes": "ecommerce",
    "conversion_event_pattern": "ads",
    "conversion_events": "analytics",
    "funnel_steps": "analytics",
    "goal": "ads",
    "purchase_events": "analytics",
    "target_cpa": "ads",
}
"""Keys that one domain alone applies."""
_NEEDED_FIELDS = {
    "charge_id_attributes": ("note_attributes", "orders have no note_attributes"),
    "conversion_event_pattern": ("actions", "reports count conversions without naming them"),
}
"""Keys that choose among the items of a field: the field, and the reason why a connector without it is refused."""
