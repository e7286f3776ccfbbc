"""Which rows a filtered metric counts: filters of tenants.yaml become conditions, which are data and never text of SQL.

A filter by a dimension of another table asks whether the row's key is among those of the rows that meet it, so no row
is ever counted twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from pipeline.errors import ConfigError, suggest
from semantic.catalog.conditions import read_values
from semantic.catalog.run_definitions import ComparedType, DimensionDefinition, Selection, SelectionCondition
from semantic.definitions.standard_dimensions import StandardDimension
from semantic.definitions.standard_metrics import BaseMetric, DerivedMetric
from warehouse.star_schema import Table

Selections = Mapping[str, Mapping[str, Selection]]
"""By fact, then by the name under which a measure asks for it."""

_TYPES: Mapping[str, ComparedType] = {"VARCHAR": "text", "BOOLEAN": "boolean", "DATE": "date"}
_SAYS = {"=": "is", "!=": "is not", "in": "is in", "not_in": "is not in", "between": "is between"}
_SAYS |= {"starts_with": "starts with", "is_null": "is empty", "is_not_null": "is not empty"}


@dataclass(frozen=True, kw_only=True)
class MetricInputs:
    """What metrics of a tenant's own may be made of."""

    standard: Sequence[BaseMetric]
    derived: Mapping[str, DerivedMetric]
    dimensions: Mapping[str, DimensionDefinition]
    tables: Sequence[Table]
    """As they are built."""
    homes: Mapping[str, tuple[StandardDimension, Mapping[str, str]]]

    def table(self, name: str) -> Table:
        return next(table for table in self.tables if table.name == name)


@dataclass(frozen=True, kw_only=True)
class SelectedRows:
    """The rows that filters leave, for every fact they are about."""

    conditions: Mapping[str, Selection]
    rule: str
    """In words."""
    note: str | None
    """What to know about it."""


def select_rows(
    metric: str, filters: Iterable[Mapping[str, Any]], facts: Sequence[str], known: MetricInputs
) -> SelectedRows:
    """The rows of facts that meet the filters of a metric. Any: as tenants.yaml writes them, in our names.

    Raises:
        ConfigError: One is by personal data, or by what a fact does not have or means otherwise.
        QueryError: A value is not such as what it is compared with.
    """
    conditions: dict[str, list[SelectionCondition]] = {fact: [] for fact in facts}
    told, notes = [], []
    for said in filters:
        _check_meaning(metric, said["name"], facts, known)
        for fact in facts:
            conditions[fact].append(_condition(metric, said, fact, known))
        told.append(_in_words(said))
        notes += _strange_values(metric, said, known)
    return SelectedRows(
        conditions={fact: tuple(each) for fact, each in conditions.items()},
        rule=f"Only rows where {' and '.join(told)}.",
        note=" ".join(notes) or None,
    )


def _condition(name: str, said: Mapping[str, Any], fact: str, known: MetricInputs) -> SelectionCondition:
    """A filter where a fact finds what it is about: in its own column, or along its joins. Any: as tenants.yaml."""
    of = said["name"]
    if of in {column.name for table in known.tables for column in table.columns if column.personal}:
        raise ConfigError(f"{name} is filtered by {of}, which is personal data.", "Choose another column.")
    through, column, type_ = _place(name, of, fact, known)
    values = tuple(_plain(each) for each in read_values(of, said["op"], _sent(said.get("value")), type_))
    return SelectionCondition(through=through, column=column, type=type_, op=said["op"], values=values)


def _place(name: str, of: str, fact: str, known: MetricInputs) -> tuple[tuple[str, ...], str, ComparedType]:
    """The tables on the way from a fact to what a filter is about, its column, and its type."""
    if (dimension := known.dimensions.get(of)) and fact in dimension.paths:
        *through, _ = dimension.paths[fact].split(".")
        return tuple(through), known.homes[of][1][through[-1] if through else fact], dimension.type
    return (), of, _column_type(name, of, fact, known)


def _column_type(name: str, of: str, fact: str, known: MetricInputs) -> ComparedType:
    """The type of a fact's own column, as filters know types."""
    columns = [column for column in known.table(fact).columns if not column.personal and column.type != "TIMESTAMP"]
    typed: dict[str, ComparedType] = {column.name: _TYPES.get(column.type, "number") for column in columns}
    if of not in typed:
        reached = [each for each, entry in known.dimensions.items() if fact in entry.paths]
        what = f"{name} is filtered by {of!r}, which {fact} does not have."
        raise ConfigError(what, suggest(of, {*reached, *typed} - {"tenant_slug"}))
    return typed[of]


def _sent(value: Any) -> Any:  # Any: as tenants.yaml writes it, to what a caller could send
    """The value of a filter as JSON has it."""
    if isinstance(value, list):
        return tuple(_sent(each) for each in value)
    return value.isoformat() if isinstance(value, date) else value


def _plain(value: str | bool | date | Decimal | float) -> str | bool | float:
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, date) else value


def _check_meaning(name: str, of: str, facts: Sequence[str], known: MetricInputs) -> None:
    meanings = known.dimensions[of].meanings if of in known.dimensions else {}
    if len({meanings.get(fact) for fact in facts}) > 1:
        said = " and ".join(f"{meanings.get(fact)} {of}" for fact in facts)
        raise ConfigError(f"{name} is filtered by {of}, which is the {said}.", "Filter metrics of one fact by it.")


def _in_words(said: Mapping[str, Any]) -> str:  # Any: as tenants.yaml
    value = said.get("value")
    between = " and " if said["op"] == "between" else ", "
    shown = between.join(map(str, value)) if isinstance(value, list) else value
    return " ".join((said["name"], _SAYS.get(said["op"], said["op"]), *(() if shown is None else (str(shown),))))


def _strange_values(name: str, said: Mapping[str, Any], known: MetricInputs) -> list[str]:  # Any: as tenants.yaml
    """Values that no row has now, of a dimension whose values are all known: likely misspelt, perhaps just new."""
    dimension = known.dimensions.get(said["name"])
    values = dimension.values if dimension else None
    if values is None or said["op"] not in ("=", "in"):
        return []
    given = said["value"] if isinstance(said["value"], list) else [said["value"]]
    return [
        f"{name} counts rows whose {said['name']} is {each}, and none is. {suggest(str(each), values)}"
        for each in given
        if str(each) not in values
    ]
