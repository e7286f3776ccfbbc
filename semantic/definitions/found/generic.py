"""Metrics and dimensions of columns that no standard definition is about, from their proposals.

A number of a fact becomes a metric: its sum, or its average where it does not add up. A text, flag or day becomes a
dimension; one that has the name of a standard column is that standard dimension, so that facts can be compared by it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from semantic.catalog.catalog import COMPUTED, FLAGS
from semantic.catalog.expression import columns_in
from semantic.catalog.run_definitions import DimensionType
from semantic.definitions.found.column_meta import TableMeta
from semantic.definitions.found.proposals import INTEGERS, ColumnProposal, metric_type
from semantic.definitions.standard_dimensions import StandardDimension
from semantic.definitions.standard_metrics import BaseMetric, DerivedMetric, average_of, count_of_rows
from warehouse.star_schema import Table

Proposals = Mapping[str, Sequence[ColumnProposal]]
"""By table."""


@dataclass
class GenericMetrics:
    """Metrics that are derived from columns: measures, and averages as a sum by a count."""

    measured: list[BaseMetric] = field(default_factory=list)
    derived: list[DerivedMetric] = field(default_factory=list)

    def add(self, table: Table, proposal: ColumnProposal, name: str) -> None:
        """Add the metric of a column."""
        about = proposal.description or f"{proposal.column} of {table.name}."
        metric = BaseMetric(
            name=name,
            fact=table.name,
            kind="sum",
            value=f"_.{proposal.column}",
            type=metric_type(proposal.type),
            unit=proposal.unit,
            description=about,
            label=proposal.label,
            synonyms=proposal.synonyms,
        )
        if proposal.aggregation == "average":
            parts, average = average_of(metric, description=f"Average. {about}")
            self.measured += parts
            self.derived.append(average)
        elif proposal.aggregation == "count_distinct":
            self.measured.append(replace(metric, kind="count_distinct", type="integer", unit="count"))
        elif proposal.aggregation == "median":
            self.measured.append(replace(metric, kind="median", type="number"))
        elif proposal.aggregation != "none":
            self.measured.append(replace(metric, kind=proposal.aggregation))


def generic_metrics(
    tables: Iterable[Table],
    proposals: Proposals,
    standard: Sequence[BaseMetric],
    dimensions: Iterable[StandardDimension],
    *,
    taken: Collection[str],
    meta: Mapping[str, TableMeta],
) -> GenericMetrics:
    """Derive the metrics of the facts' columns that no standard metric is about, and the rows of found facts.

    Args:
        tables: Of the star.
        proposals: Of their columns.
        standard: The metrics that are about columns already.
        dimensions: Likewise.
        taken: Names that mean something else.
        meta: Of found tables.
    """
    covered = {(metric.fact, column) for metric in standard for column in _columns_of(metric)}
    covered |= {pair for dimension in dimensions for pair in dimension.columns.items()}
    names, generic = set(taken), GenericMetrics()
    for table in tables:
        if table.date is None:
            continue
        internal = {column.name for column in table.columns if column.internal or column.converts}
        if table.found_as is not None:
            generic.measured.append(_rows_of(table, meta.get(table.name, TableMeta()), names))
        for proposal in proposals[table.name]:
            is_free = (table.name, proposal.column) not in covered and proposal.column not in internal
            if proposal.aggregation != "none" and is_free and not proposal.personal:
                generic.add(table, proposal, _free(proposal.metric or proposal.column, table, names))
    return generic


def generic_dimensions(
    tables: Iterable[Table], proposals: Proposals, standard: Sequence[StandardDimension], metrics: Collection[str]
) -> list[StandardDimension]:
    """Give the standard dimensions the columns of found tables that have their name, and add one for each other.

    Args:
        tables: Of the star.
        proposals: Of their columns.
        standard: The standard dimensions.
        metrics: Names that dimensions must not have.
    """
    dimensions = {dimension.name: dimension for dimension in standard}
    by_column: dict[str, set[str]] = {}
    for dimension in standard:
        for column in dimension.columns.values() if not dimension.computed else ():
            by_column.setdefault(column, set()).add(dimension.name)
    for table in tables:
        for proposal in proposals[table.name] if table.found_as is not None else ():
            type_ = _dimension_type(proposal)
            if type_ is None or proposal.personal or proposal.column == table.date:
                continue
            known = by_column.get(proposal.column, set())
            name = proposal.dimension or (next(iter(known)) if len(known) == 1 else proposal.column)
            same = dimensions.get(name)
            if same is not None and (same.type != type_ or table.name in same.columns or same.personal):
                name, same = f"{table.name}_{proposal.column}", None
            if same is None:
                name = name if name not in metrics else f"{table.name}_{name}"
                dimensions[name] = StandardDimension(
                    name=name,
                    type=type_,
                    description=proposal.description or f"{proposal.column} of {table.name}.",
                    columns={table.name: proposal.column},
                    label=proposal.label,
                    synonyms=proposal.synonyms,
                )
            else:
                dimensions[name] = replace(same, columns={**same.columns, table.name: proposal.column})
    return list(dimensions.values())


def _rows_of(table: Table, meta: TableMeta, names: set[str]) -> BaseMetric:
    """The number of rows of a found fact."""
    name = meta.metric or table.name
    name = name if name not in names else f"{name}_rows"
    names.add(name)
    counted = count_of_rows(name, table.name, description=f"Rows of {table.name}: {table.sentence}")
    return replace(counted, synonyms=meta.synonyms)


def _columns_of(metric: BaseMetric) -> set[str]:
    return {column for text in (metric.value, metric.where) if text for column in columns_in(text)}


def _free(name: str, table: Table, names: set[str]) -> str:
    """A name that nothing else has, nor columns that answers add: the wanted one, else with its table's before it."""
    wanted = re.sub("__+", "_", name.lower())
    wanted = f"{wanted}_value" if wanted.endswith(COMPUTED) or wanted in FLAGS else wanted
    free = wanted if wanted not in names else f"{table.name}_{wanted}"
    names.add(free)
    return free


def _dimension_type(proposal: ColumnProposal) -> DimensionType | None:
    if proposal.role == "flag":
        return "boolean"
    if proposal.role == "date":
        return "date"
    is_id = proposal.role == "key" and not proposal.column.endswith("_key")
    if is_id or proposal.role == "dimension":
        return "text" if proposal.type == "VARCHAR" else "integer" if proposal.type in INTEGERS else None
    return None
