"""Definitions of a run as typed values, the content of semantic.yml.

`derive` creates and writes them, `read_definitions` reads and checks them. The parts are frozen dataclasses, so that
mypy checks every `replace`; pydantic reads, writes and describes them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, ClassVar, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from semantic.catalog.earlier.definitions_version_1 import from_version_1
from semantic.catalog.expression import AddsUp, MetricKind
from semantic.catalog.formula import MetricType

VERSION = 2
"""Version of the format of semantic.yml that this release writes."""
EARLIER: Mapping[int, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {1: from_version_1}
"""By version, how definitions of it become those of the next one. Any: what YAML can hold."""

ROWS_OF_A_GROUP = 8
"""A fact is grouped by the keys of its joins before it is joined where at least so many rows fall into a group: with
fewer, a second grouping costs what it saves."""

DimensionType = Literal["text", "date", "boolean", "integer"]
DimensionRole = Literal["time", "ordinal", "identifier", "name", "flag", "category"]
"""ordinal: a place in an order, such as a weekday or an hour; rows are listed along it as along a date."""
ComparedType = Literal["text", "date", "boolean", "integer", "number"]
"""The type as which a filter compares the values of a column."""
Vocabulary = Literal["folded", "listed", "country", "campaign_status"]
"""How other spellings of a value are read: in lower case; as a listed value in any case; as a country; as a status."""
_CONFIG = ConfigDict(extra="forbid")


@dataclass(frozen=True, kw_only=True)
class ModelJoin:
    """A join to another model, many rows to one."""

    __pydantic_config__: ClassVar = _CONFIG

    model: str
    type: Literal["one"]
    left_on: str
    right_on: str


@dataclass(frozen=True, kw_only=True)
class SelectionCondition:
    """One condition of a filtered metric, on a column of the fact or of a table that it joins."""

    __pydantic_config__: ClassVar = _CONFIG

    through: tuple[str, ...]
    """The models to join on the way to the column, in order."""
    column: str
    expression: str | None = None
    """Over `_`, the table, where the condition is on what is computed from the column, such as its weekday."""
    type: ComparedType
    op: str
    values: tuple[str | bool | int | float, ...]

    def holder(self, fact: str) -> str:
        """The model that has the column, where the condition is on rows of `fact`."""
        return [fact, *self.through][-1]


Selection = tuple[SelectionCondition, ...]
"""The conditions that a row must all meet."""


@dataclass(frozen=True, kw_only=True)
class TableModel:
    """A Boring Semantic Layer model of one table, and beside it the rows that filtered metrics count."""

    __pydantic_config__: ClassVar = _CONFIG

    table: str
    description: str
    dimensions: Mapping[str, str]
    """Name to expression over `_`, the table."""
    measures: Mapping[str, str] = field(default_factory=dict)
    """Likewise."""
    joins: Mapping[str, ModelJoin] = field(default_factory=dict)
    selections: Mapping[str, Selection] = field(default_factory=dict)
    """By the name that a measure uses."""


def linking_columns(models: Mapping[str, TableModel], name: str) -> set[str]:
    """The columns of a model by which it joins, is joined, and by which rows are selected."""
    columns = {join.left_on for join in models[name].joins.values()}
    columns |= {join.right_on for model in models.values() for to, join in model.joins.items() if to == name}
    for fact, model in models.items():
        for conditions in model.selections.values():
            columns |= {each.column for each in conditions if each.holder(fact) == name}
    return columns


@dataclass(frozen=True, kw_only=True)
class FactDefinition:
    """What a fact holds: its day column, and which days, currencies and time zones."""

    __pydantic_config__: ClassVar = _CONFIG

    day_column: Annotated[str, Field(validation_alias="date", serialization_alias="date")]
    rows: int
    first_date: date | None
    last_date: date | None
    currencies: tuple[str, ...]
    rows_without_currency: int
    """Rows that hold money and do not say of which currency."""
    priced: str | None = None
    """The rows that have a currency, where others hold no money: "with a purchase"."""
    rows_without_money: int | None = None
    """Counted where `priced` says that there may be such rows."""
    unconverted: Mapping[str, int] = field(default_factory=dict)
    """By currency, the rows with money that is in no amount: no rate is known for it."""
    time_zones: tuple[str, ...]
    left_out: bool = False
    """It is empty and nothing is missing: the tenant's `domains` exclude it, or there may be none, such as refunds."""


@dataclass(frozen=True, kw_only=True)
class MetricDefinition:
    """A metric: a measure of one fact, or arithmetic over metrics."""

    __pydantic_config__: ClassVar = _CONFIG

    description: str
    type: MetricType
    unit: str | None
    """currency, count, ratio, percent, seconds or a word of the tenant's own; null where a quotient has no name."""
    kind: Literal[MetricKind, "ratio", "derived"]
    adds_up: AddsUp
    """The aggregation of values of parts to that of the whole."""
    fact: str | None = None
    """The fact with the measure of this name."""
    expression: str | None = None
    """The arithmetic over other metrics, where it is of no single fact."""
    label: str | None = None
    hidden: bool = False
    rule: str | None = None
    """The rows that a filtered metric counts, in words."""
    note: str | None = None
    synonyms: tuple[str, ...] = ()
    unknown_rows: str | None = None
    """The measure that counts the rows it leaves out because they do not say its value; None where there are none."""
    counted_rows: str | None = None
    """Of a filtered metric: the measure that counts the rows it adds up, with those that do not say its value."""
    currency: str | None = None
    """Of money: the currency that the metric's own filters select; None where it is that of each row."""
    selected_rows: str | None = None
    """Of a metric with filters of its own that is 0 without rows: the measure that counts the rows they leave."""
    key: str | None = None
    """The column whose different values, or whose sum over some rows, it is; `unknown_rows` are those without one."""
    is_cost: bool = False
    """What is paid: a ratio of it is unknown where there are no rows of it, not 0."""
    left_out_count: str | None = None
    """The measure that counts what is in no amount of it, such as purchases in another currency."""
    left_out_amounts: Mapping[str, str] = field(default_factory=dict)
    """By currency, the measure that adds up what those are worth."""
    left_out: str | None = None
    """What the metric is about and why some of it is left out, as the end of the sentence "it is of 3 of 4"."""
    parts: tuple[str, ...] = ()
    """Of a ratio that is computed over the rows that say all of them: the base metrics that some rows do not say."""


@dataclass(frozen=True, kw_only=True)
class DimensionDefinition:
    """A dimension: what metrics are grouped and filtered by."""

    __pydantic_config__: ClassVar = _CONFIG

    description: str
    type: DimensionType
    role: DimensionRole
    paths: Mapping[str, str]
    """By fact: the models to join and the dimension's name, joined with dots."""
    personal: bool = False
    meanings: Mapping[str, str] = field(default_factory=dict)
    """By fact, where facts mean different things by it."""
    placed_by: str | None = None
    """The dimension that says which rows may have several of its values; None where no row has."""
    values: tuple[str, ...] | None = None
    """All its values, when they are few."""
    order: tuple[str, ...] = ()
    """All its values in the order of their rows, where it is not that of the alphabet."""
    vocabulary: Vocabulary | None = None
    label: str | None = None
    hidden: bool = False
    note: str | None = None
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class JoinColumns:
    """The models and columns of a join."""

    __pydantic_config__: ClassVar = _CONFIG

    from_model: Annotated[str, Field(validation_alias="from", serialization_alias="from")]
    column: str
    to: str
    to_column: str


@dataclass(frozen=True, kw_only=True)
class RelationshipDefinition(JoinColumns):
    """A join between two models, and how much of its keys was found when it was counted."""

    cardinality: Literal["many_to_one", "one_to_one"]
    """one_to_one where no two rows have the same key."""
    rows: int
    rows_without_key: int
    rows_with_unknown_key: int
    keys: int | None = None
    """About how many different keys the rows have; None where an earlier release counted none."""
    determines: tuple[str, ...] = ()
    """Columns of these rows that have one value for each key, and one where there is none.

    Of those that the joined table has too, and where keys repeat often: grouped by key, the rows are grouped by them.
    """
    groups: Mapping[str, int] = field(default_factory=dict)
    """The others of these columns, each with its different pairs of key and value."""


@dataclass(frozen=True, kw_only=True)
class JoinCandidate(JoinColumns):
    """A join that names suggest and that the rows do not prove: it is listed, and joins nothing."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class RatesDefinition:
    """Exchange rates: their file, and by fact each column of money with its column in the reporting currency."""

    __pydantic_config__: ClassVar = _CONFIG

    file: str
    columns: Mapping[str, Mapping[str, str]]


class RunDefinitions(BaseModel):
    """All that answering needs to know of a run beside its tables."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[2]
    tenant: str
    time_zone: str
    week_start: str
    currency: str
    funnel: tuple[str, ...]
    tables: Mapping[str, Mapping[str, str]] = Field(description="By table: the columns in use, and their DuckDB types.")
    models: Mapping[str, TableModel]
    facts: Mapping[str, FactDefinition]
    metrics: Mapping[str, MetricDefinition]
    dimensions: Mapping[str, DimensionDefinition]
    relationships: tuple[RelationshipDefinition, ...] = ()
    candidates: tuple[JoinCandidate, ...] = Field(default=(), description="Joins that the rows do not prove.")
    rates: RatesDefinition | None = None
    notes: tuple[str, ...] = Field(default=(), description="What there is to know of the tenant's sources.")

    def measures_of(self, fact: str | None) -> Mapping[str, str]:
        """The measures of a fact; empty for an unknown fact."""
        return self.models[fact].measures if fact and fact in self.models else {}

    def types_of(self, model: str) -> Mapping[str, str]:
        """The columns of a model's table with their types; empty for an unknown model or table."""
        return self.tables.get(self.models[model].table, {}) if model in self.models else {}


class OtherVersion(ValueError):
    """Definitions of a version that this release does not read; `found` is what they say."""

    def __init__(self, found: object) -> None:
        super().__init__(f"version is {found!r}, and this release reads {VERSION}")
        self.found = found


def read_definitions(text: bytes) -> RunDefinitions:
    """Read the definitions from the text of semantic.yml; those of an earlier version become those of this one.

    Raises:
        OtherVersion: They are of a version that this release does not read.
        ValueError: They are of another form; names the entry.
        yaml.YAMLError: It is not YAML.
    """
    tree = yaml.load(text, Loader=yaml.CSafeLoader)  # the safe loader, in C
    version = tree.get("version") if isinstance(tree, dict) else None
    while isinstance(version, int) and version in EARLIER:
        tree = EARLIER[version](tree)
        version = tree["version"]
    if not isinstance(version, int):
        raise ValueError(f"version is {version!r}, which is no number")  # noqa: TRY004  # what readers of damaged files catch
    if version != VERSION:
        raise OtherVersion(version)
    try:
        return RunDefinitions.model_validate(tree)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def definitions_schema() -> str:
    """Return the JSON Schema of semantic.yml (draft 2020-12)."""
    schema: dict[str, Any] = RunDefinitions.model_json_schema(by_alias=True)  # Any: a tree of JSON
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, indent=2) + "\n"
