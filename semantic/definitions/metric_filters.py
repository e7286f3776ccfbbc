"""Turns the filters of a metric in tenants.yaml into conditions on rows, which are data and never SQL text.

A filter on a dimension of another table tests whether the row's key is among those of the rows that meet it, so no row
is counted twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from pipeline.errors import ConfigError, suggest
from semantic.catalog.catalog import CURRENCY
from semantic.catalog.conditions import Value, read_values
from semantic.catalog.run_definitions import ComparedType, DimensionDefinition, Selection, SelectionCondition
from semantic.catalog.vocabularies import CONFORMED_OPERATORS, conform
from semantic.definitions.standard_dimensions import StandardDimension
from semantic.definitions.standard_metrics import BaseMetric, DerivedMetric
from warehouse.star_schema import Table

Selections = Mapping[str, Mapping[str, Selection]]
"""By fact, then by the name that a measure uses."""

_TYPES: Mapping[str, ComparedType] = {"VARCHAR": "text", "BOOLEAN": "boolean", "DATE": "date"}
_OPERATOR_TEXTS = {"=": "is", "!=": "is not", "in": "is in", "not_in": "is not in", "between": "is between"}
_OPERATOR_TEXTS |= {"starts_with": "starts with", "is_null": "is empty", "is_not_null": "is not empty"}


@dataclass(frozen=True, kw_only=True)
class MetricInputs:
    """The metrics, dimensions and tables that custom metrics may use."""

    standard: Sequence[BaseMetric]
    derived: Mapping[str, DerivedMetric]
    dimensions: Mapping[str, DimensionDefinition]
    tables: Sequence[Table]
    """As they are built."""
    dimension_columns: Mapping[str, tuple[StandardDimension, Mapping[str, str]]]

    def table(self, name: str) -> Table:
        return next(table for table in self.tables if table.name == name)


@dataclass(frozen=True, kw_only=True)
class SelectedRows:
    """The rows that pass filters, for every fact of a metric."""

    conditions: Mapping[str, Selection]
    rule: str
    """In words."""
    note: str | None
    """A warning about its values."""
    currency: str | None
    """The only currency that they leave."""


def select_rows(
    metric: str, filters: Sequence[Mapping[str, Any]], facts: Sequence[str], known: MetricInputs
) -> SelectedRows:
    """Select the rows of facts that meet the filters of a metric. Any: as in tenants.yaml, with standard names.

    Raises:
        ConfigError: One is on personal data, on a column that a fact does not have, or with another meaning per fact.
        QueryError: A value does not fit the type of what it is compared with.
    """
    conditions: dict[str, list[SelectionCondition]] = {fact: [] for fact in facts}
    rules, notes = [], []
    for filter_ in filters:
        _check_meaning(metric, filter_["name"], facts, known)
        for fact in facts:
            conditions[fact].append(_condition(metric, filter_, fact, known))
        rules.append(_rule_text(filter_))
        notes += _unknown_value_notes(metric, filter_, known)
    return SelectedRows(
        conditions={fact: tuple(each) for fact, each in conditions.items()},
        rule=f"Only rows where {' and '.join(rules)}.",
        note=" ".join(notes) or None,
        currency=next((code for each in filters if (code := _only_currency(each))), None),
    )


def check_meaning_by_currency(
    metric: str,
    filters: Sequence[Mapping[str, Any]],
    parts: Iterable[BaseMetric],
    known: MetricInputs,
    *,
    adds_up: bool,
) -> None:
    """Check that filters do not limit a metric to the rows with money, which changes its meaning. Any: see above.

    Args:
        metric: Its name.
        filters: In standard names.
        parts: The measures that it is computed from.
        known: The tables.
        adds_up: Whether it is a count or a sum, which over fewer rows is smaller but means the same.

    Raises:
        ConfigError: They do.
    """
    if adds_up or not any(each["name"] == CURRENCY and each["op"] != "is_null" for each in filters):
        return
    for part in parts:
        if (priced := known.table(part.fact).priced) and part.unit != CURRENCY:
            what = f"{metric} is filtered by currency, and {part.fact} have one only {priced}: the others are left out."
            raise ConfigError(what, "Filter counts and amounts by currency, and no ratio of them.")


def _only_currency(filter_: Mapping[str, Any]) -> str | None:  # Any: as in tenants.yaml
    """The currency that a filter selects, if it is only one."""
    if filter_["name"] != CURRENCY or filter_["op"] not in ("=", "in"):
        return None
    values = filter_["value"] if isinstance(filter_["value"], list) else [filter_["value"]]
    return str(values[0]) if len(set(values)) == 1 else None


def _condition(metric: str, filter_: Mapping[str, Any], fact: str, known: MetricInputs) -> SelectionCondition:
    """Resolve a filter for a fact: to its own column, or one along its joins. Any: as in tenants.yaml."""
    filtered = filter_["name"]
    if filtered in {column.name for table in known.tables for column in table.columns if column.personal}:
        raise ConfigError(f"{metric} is filtered by {filtered}, which is personal data.", "Choose another column.")
    through, column, expression, type_ = _find_column(metric, filtered, fact, known)
    sent = _json_value(filter_.get("value"))
    read = read_values(filtered, filter_["op"], sent, type_, is_identifier=column.endswith("_id"))
    values = tuple(_plain_value(_conformed(each, filter_, known)) for each in read)
    return SelectionCondition(
        through=through, column=column, expression=expression, type=type_, op=filter_["op"], values=values
    )


def _conformed(value: Value, filter_: Mapping[str, Any], known: MetricInputs) -> Value:  # Any: as in tenants.yaml
    """The value of a dimension that a text means, as in a question."""
    dimension = known.dimensions.get(filter_["name"])
    if dimension is None or not isinstance(value, str) or filter_["op"] not in CONFORMED_OPERATORS:
        return value
    return conform(value, dimension.vocabulary, dimension.values)


def _find_column(
    metric: str, filtered: str, fact: str, known: MetricInputs
) -> tuple[tuple[str, ...], str, str | None, ComparedType]:
    """Find the tables to join from a fact to the filtered column, the column, what is computed of it, and its type."""
    if (dimension := known.dimensions.get(filtered)) and fact in dimension.paths:
        *through, _ = dimension.paths[fact].split(".")
        standard, columns = known.dimension_columns[filtered]
        holder = through[-1] if through else fact
        expression = standard.expression(holder) if standard.computed else None
        return tuple(through), columns[holder], expression, dimension.type
    return (), filtered, None, _column_type(metric, filtered, fact, known)


def _column_type(metric: str, filtered: str, fact: str, known: MetricInputs) -> ComparedType:
    """The filter type of a fact's own column."""
    columns = [column for column in known.table(fact).columns if not column.personal and column.type != "TIMESTAMP"]
    types: dict[str, ComparedType] = {column.name: _TYPES.get(column.type, "number") for column in columns}
    if filtered not in types:
        reachable = [each for each, entry in known.dimensions.items() if fact in entry.paths]
        what = f"{metric} is filtered by {filtered!r}, which {fact} does not have."
        raise ConfigError(what, suggest(filtered, {*reachable, *types} - {"tenant_slug"}))
    return types[filtered]


def _json_value(value: Any) -> Any:  # Any: from a value of tenants.yaml to one that a caller could send
    """Convert the value of a filter to JSON types."""
    if isinstance(value, list):
        return tuple(_json_value(each) for each in value)
    return value.isoformat() if isinstance(value, date) else value


def _plain_value(value: str | bool | date | Decimal | float) -> str | bool | float:
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, date) else value


def _check_meaning(metric: str, filtered: str, facts: Sequence[str], known: MetricInputs) -> None:
    meanings = known.dimensions[filtered].meanings if filtered in known.dimensions else {}
    if len({meanings.get(fact) for fact in facts}) > 1:
        listed = " and ".join(f"{meanings.get(fact)} {filtered}" for fact in facts)
        raise ConfigError(
            f"{metric} is filtered by {filtered}, which is the {listed}.", "Filter metrics of one fact by it."
        )


def _rule_text(filter_: Mapping[str, Any]) -> str:  # Any: as in tenants.yaml
    value = filter_.get("value")
    between = " and " if filter_["op"] == "between" else ", "
    listed = between.join(map(str, value)) if isinstance(value, list) else value
    return " ".join(
        (
            filter_["name"],
            _OPERATOR_TEXTS.get(filter_["op"], filter_["op"]),
            *(() if listed is None else (str(listed),)),
        )
    )


def _unknown_value_notes(
    metric: str, filter_: Mapping[str, Any], known: MetricInputs
) -> list[str]:  # Any: as in tenants.yaml
    """Warn of values that no row has, where all values of the dimension are known: likely misspelt, perhaps new."""
    dimension = known.dimensions.get(filter_["name"])
    known_values = dimension.values if dimension else None
    if known_values is None or filter_["op"] not in ("=", "in"):
        return []
    values = filter_["value"] if isinstance(filter_["value"], list) else [filter_["value"]]
    return [
        f"{metric} counts rows whose {filter_['name']} is {each}, and none is. {suggest(str(each), known_values)}"
        for each in values
        if str(_conformed(str(each), filter_, known)) not in known_values
    ]
