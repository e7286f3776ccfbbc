"""Catalog of a run, read from its definitions: metrics, dimensions, facts, and which of them combine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Literal

from pipeline.gates.finding import Finding
from semantic.catalog.coverage import SourceCoverage
from semantic.catalog.expression import ZERO_WITHOUT_ROWS, columns_in
from semantic.catalog.formula import Formula, expand, metric_names, parse
from semantic.catalog.run_definitions import FactDefinition, MetricDefinition, RunDefinitions

DATE = "date"
"""The dimension of time: each fact has its own day behind it."""
CURRENCY = "currency"
"""The dimension, and the unit, of money."""
COMPARED = ("_previous", "_change", "_change_ratio")
SHARE = "_share"
CUMULATIVE = "_cumulative"
COMPUTED = (*COMPARED, SHARE, CUMULATIVE)
"""Suffixes of the columns that a query adds beside a metric; no metric name may end with one."""
AMBIGUOUS = "ambiguous"
"""The value of a dimension that marks rows which could not be placed without a guess."""
IS_OTHER, IS_TOTAL = "is_other", "is_total"
FLAGS = (IS_OTHER, IS_TOTAL)
"""Columns that a query adds to mark rows: the group of others, the totals."""

SourceColumn = Literal["source_platform", "source_account"]
_AGGREGATES = {"sum": "SUM", "minimum": "MIN", "maximum": "MAX", "none": None}


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A named aggregation with a unit: a measure of one fact, or a formula over such measures."""

    name: str
    label: str
    description: str
    type: str  # integer, decimal (exact) or number (a double)
    unit: str | None  # currency, count, ratio, seconds, or a word of the tenant's own
    formula: Formula
    """Over base metrics only; its own name for a base metric."""
    fact: str | None = None
    kind: str | None = None
    """The aggregation of rows, listed in `semantic.catalog.expression`; ratio or derived for a formula."""
    adds_up: str | None = None
    """The SQL aggregate that combines the values of parts into that of the whole; None where none does."""
    hidden: bool = False
    note: str | None = None
    synonyms: tuple[str, ...] = ()
    columns: frozenset[str] = frozenset()
    """The columns of the fact that a measure reads, money in the currency of its rows."""
    unknown_rows: str | None = None
    """The measure that counts the rows it leaves out, because they do not say its value."""
    counted_rows: str | None = None
    """The measure that counts the rows it is about, where these are not all rows of its fact."""
    currency: str | None = None
    """Of money: the currency that the metric's own filters select; None where it is that of each row."""
    selected_rows: str | None = None
    """Of a metric with filters of its own that is 0 without rows: the measure that counts the rows they leave."""
    key: str | None = None
    """The column whose different values, or whose sum over some rows, it is, where `unknown_rows` have none."""
    is_cost: bool = False
    """What is paid: a ratio of it is unknown where there are no rows of it, not 0."""
    left_out_count: str | None = None
    """The measure that counts what is in no amount of it, such as purchases in another currency."""
    left_out_amounts: Mapping[str, str] = field(default_factory=dict)
    """By currency, the measure that adds up what those are worth."""
    left_out: str | None = None
    """What it is about and why some of it is left out, as the end of the sentence "it is of 3 of 4"."""
    parts: tuple[str, ...] = ()
    """Of a ratio over the rows that say all of them."""

    @property
    def is_zero_without_rows(self) -> bool:
        """Whether the value over no rows is 0, not unknown."""
        return self.kind in ZERO_WITHOUT_ROWS


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """A column to group and filter by."""

    name: str
    label: str
    description: str
    type: str  # text, date, boolean or integer
    role: str  # time, ordinal, identifier, name, flag or category
    paths: Mapping[str, str]
    """By fact: the tables to join and the dimension's name, joined with dots."""
    meanings: Mapping[str, str]
    """By fact, where facts mean different things by it: only facts with the same meaning are joined on it."""
    placed_by: str | None = None
    """The dimension that says `AMBIGUOUS` of the rows that may have several of its values, of which none is guessed."""
    values: frozenset[str] | None = None
    """All its values, when they are few."""
    order: tuple[str, ...] = ()
    """All its values in the order of their rows, where it is not that of the alphabet."""
    vocabulary: str | None = None
    """How other spellings of a value are read (`semantic.catalog.vocabularies`)."""
    is_personal: bool = False
    hidden: bool = False
    note: str | None = None
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One fact of the star: its rows, days, currencies and time zones."""

    name: str
    day_column: str
    rows: int
    first_date: date | None
    last_date: date | None
    currencies: tuple[str, ...]
    rows_without_currency: int
    time_zones: tuple[str, ...]
    priced: str | None = None
    """The rows that have a currency, where others hold no money: "with a purchase"."""
    rows_without_money: int = 0
    unconverted: Mapping[str, int] = field(default_factory=dict)
    """By currency, the rows with money that is in no amount: no rate is known for it."""
    is_left_out: bool = False
    """It is empty and nothing is missing: the tenant's `domains` exclude it, or there may be none, such as refunds."""


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """Everything a query may name, and nothing else."""

    metrics: Mapping[str, Metric]
    dimensions: Mapping[str, Dimension]
    facts: Mapping[str, Fact]
    time_zone: str
    week_start: str
    currency: str
    notes: tuple[str, ...] = ()
    """Notes on the tenant's sources."""
    rates: str | None = None
    """The file of the rates that converted all money to `currency`; None where money is in the currency of its rows."""
    findings: tuple[Finding, ...] = ()
    """What gates found in the run's data."""
    coverage: tuple[SourceCoverage, ...] = ()
    """The days that each source of each fact covers."""
    source_dimensions: Mapping[str, Mapping[str, SourceColumn]] = field(default_factory=dict)
    """By fact: the dimensions that are the platform or the account that its rows came from."""
    withheld: frozenset[str] = frozenset()
    """Personal dimensions that the tenant does not expose, by name and synonym."""

    @cached_property
    def askable_metrics(self) -> tuple[str, ...]:
        return tuple(sorted(name for name, metric in self.metrics.items() if not metric.hidden))

    @cached_property
    def askable_dimensions(self) -> tuple[str, ...]:
        return tuple(sorted(name for name, dimension in self.dimensions.items() if not dimension.hidden))

    def facts_of(self, metric: str) -> tuple[str, ...]:
        """The facts that a metric is computed from, in the order of its formula."""
        facts = (self.metrics[base].fact or "" for base in metric_names(self.metrics[metric].formula))
        return tuple(dict.fromkeys(facts))

    def is_reached(self, dimension: str, facts: Iterable[str]) -> bool:
        """Whether every fact has the dimension, all in the same meaning."""
        entry, names = self.dimensions[dimension], tuple(facts)
        return all(fact in entry.paths for fact in names) and len({entry.meanings.get(fact) for fact in names}) <= 1

    def dimensions_of(self, facts: Iterable[str]) -> list[str]:
        """The dimensions that these facts can all be grouped by together."""
        names = tuple(facts)
        return [name for name in self.askable_dimensions if self.is_reached(name, names)]


def read_catalog(
    definitions: RunDefinitions,
    *,
    expose: frozenset[str],
    findings: tuple[Finding, ...] = (),
    coverage: tuple[SourceCoverage, ...] = (),
) -> Catalog:
    """Build the catalog of a run, without metrics that lack a measure and personal dimensions not in `expose`."""
    return Catalog(
        metrics=_metrics(definitions),
        dimensions={
            name: Dimension(
                name=name,
                label=_spaced(name) if entry.label is None else entry.label,
                description=entry.description,
                type=entry.type,
                role=entry.role,
                paths=entry.paths,
                meanings=entry.meanings,
                placed_by=entry.placed_by,
                values=None if entry.values is None else frozenset(entry.values),
                order=entry.order,
                vocabulary=entry.vocabulary,
                is_personal=entry.personal,
                hidden=entry.hidden,
                note=entry.note,
                synonyms=entry.synonyms,
            )
            for name, entry in definitions.dimensions.items()
            if name in expose or not entry.personal
        },
        facts={name: _fact(name, entry) for name, entry in definitions.facts.items()},
        time_zone=definitions.time_zone,
        week_start=definitions.week_start,
        currency=definitions.currency,
        notes=definitions.notes,
        rates=definitions.rates.file if definitions.rates else None,
        findings=findings,
        coverage=coverage,
        source_dimensions={fact: _source_dimensions(definitions, fact) for fact in definitions.facts},
        withheld=frozenset(
            known
            for name, entry in definitions.dimensions.items()
            if entry.personal and name not in expose
            for known in (name, *entry.synonyms)
        ),
    )


def _metrics(definitions: RunDefinitions) -> dict[str, Metric]:
    entries = definitions.metrics
    measured = {name for name, entry in entries.items() if name in definitions.measures_of(entry.fact)}
    formulas = {name: parse(entry.expression, name) for name, entry in entries.items() if entry.expression is not None}
    metrics = {}
    for name, entry in entries.items():
        formula = expand(name, formulas)
        if measured.issuperset(metric_names(formula)):
            metrics[name] = _metric(name, entry, formula, _columns(name, entry.fact, definitions))
    return metrics


def _columns(measure: str, fact: str | None, definitions: RunDefinitions) -> frozenset[str]:
    """The columns of its fact that a measure reads, each amount as the column that it was converted from."""
    if fact is None:
        return frozenset()
    rates = definitions.rates.columns.get(fact, {}) if definitions.rates else {}
    original = {converted: amount for amount, converted in rates.items()}
    return frozenset(original.get(each, each) for each in columns_in(definitions.measures_of(fact)[measure]))


def _source_dimensions(definitions: RunDefinitions, fact: str) -> dict[str, SourceColumn]:
    own = {name for name, entry in definitions.dimensions.items() if entry.paths.get(fact, "").count(".") == 0}
    columns: dict[str, SourceColumn] = {"_.source_platform": "source_platform", "_.source_account": "source_account"}
    dimensions = definitions.models[fact].dimensions if fact in definitions.models else {}
    return {name: columns[text] for name, text in sorted(dimensions.items()) if text in columns and name in own}


def _metric(name: str, entry: MetricDefinition, formula: Formula, columns: frozenset[str]) -> Metric:
    return Metric(
        name=name,
        label=_spaced(name) if entry.label is None else entry.label,
        description=entry.description,
        type=entry.type,
        unit=entry.unit,
        formula=formula,
        fact=entry.fact,
        kind=entry.kind,
        adds_up=_AGGREGATES[entry.adds_up],
        hidden=entry.hidden,
        note=entry.note,
        synonyms=entry.synonyms,
        columns=columns,
        unknown_rows=entry.unknown_rows,
        counted_rows=entry.counted_rows,
        currency=entry.currency,
        selected_rows=entry.selected_rows,
        key=entry.key,
        is_cost=entry.is_cost,
        left_out_count=entry.left_out_count,
        left_out_amounts=entry.left_out_amounts,
        left_out=entry.left_out,
        parts=entry.parts,
    )


def _fact(name: str, entry: FactDefinition) -> Fact:
    return Fact(
        name=name,
        day_column=entry.day_column,
        rows=entry.rows,
        first_date=entry.first_date,
        last_date=entry.last_date,
        currencies=entry.currencies,
        rows_without_currency=entry.rows_without_currency,
        time_zones=entry.time_zones,
        priced=entry.priced,
        rows_without_money=entry.rows_without_money or 0,
        unconverted=entry.unconverted,
        is_left_out=entry.left_out,
    )


def _spaced(name: str) -> str:
    return name.replace("_", " ")
