"""Describes the tables of a star: their BSL models, used columns, fact definitions and joins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pipeline.config.slug import Slug
from pipeline.config.tenant import Tenant
from semantic.catalog.expression import columns_in
from semantic.catalog.run_definitions import (
    FactDefinition,
    ModelJoin,
    RelationshipDefinition,
    TableModel,
    linking_columns,
)
from semantic.definitions.introspect import BuiltTable, BuiltTables
from semantic.definitions.metric_filters import Selections
from semantic.definitions.standard_dimensions import StandardDimension
from semantic.definitions.standard_metrics import BaseMetric
from warehouse.star_schema import Table

DimensionColumns = Mapping[str, tuple[StandardDimension, Mapping[str, str]]]
"""By dimension: the tables that hold it, and in which column."""


def model_of(
    table: Table, slug: Slug, dimension_columns: DimensionColumns, metrics: Iterable[BaseMetric], selections: Selections
) -> TableModel:
    """Create the Boring Semantic Layer model of one table: its dimensions, measures and many-to-one joins."""
    return TableModel(
        table=table.table_name(slug),
        description=table.sentence,
        dimensions={
            d.name: d.expression(table.name) for d, columns in dimension_columns.values() if table.name in columns
        },
        measures={metric.name: metric.expression for metric in metrics if metric.fact == table.name},
        joins={
            ref.to: ModelJoin(model=ref.to, type="one", left_on=ref.column, right_on=ref.to_column)
            for ref in table.references
        },
        selections=selections.get(table.name, {}),
    )


def used_columns(models: Mapping[str, TableModel], name: str, observed: BuiltTables) -> dict[str, str]:
    """Map the columns of a table that models use to their types."""
    model = models[name]
    texts = [*model.dimensions.values(), *model.measures.values()]
    columns = {column for text in texts for column in columns_in(text)} - model.selections.keys()
    columns |= linking_columns(models, name)
    return {column: observed[name].columns[column] for column in sorted(columns)}


def fact_of(table: Table, tenant: Tenant, observed: BuiltTable) -> FactDefinition:
    """Define a fact: its day column, rows, range of days, currencies and time zones."""
    return FactDefinition(
        day_column=table.date or "",
        rows=observed.rows,
        first_date=observed.first_date,
        last_date=observed.last_date,
        currencies=observed.currencies,
        rows_without_currency=observed.rows_without_currency,
        priced=table.priced,
        rows_without_money=observed.rows_without_money if table.priced else None,
        unconverted=observed.unconverted,
        time_zones=_time_zones(table, tenant, observed),
        left_out=(table.domain is not None and table.domain not in tenant.domains)
        or (table.may_be_empty and not observed.rows),
    )


def _time_zones(table: Table, tenant: Tenant, observed: BuiltTable) -> tuple[str, ...]:
    """The time zones of the fact's days: those of its ad accounts where known, else the tenant's."""
    if table.date != "report_date":
        return (tenant.timezone,)
    zones = {
        account.timezone or tenant.timezone
        for source in tenant.sources
        for account in source.accounts
        if (source.platform, account.name) in observed.accounts
    }
    return tuple(sorted(zones or {tenant.timezone}))


def relationships_of(tables: Sequence[Table], observed: BuiltTables) -> tuple[RelationshipDefinition, ...]:
    """List every join with its cardinality, the rows without a key, and those with a key that the other table lacks."""
    return tuple(
        RelationshipDefinition(
            from_model=table.name,
            column=ref.column,
            to=ref.to,
            to_column=ref.to_column,
            cardinality="one_to_one" if ref.column in observed[table.name].unrepeated_keys else "many_to_one",
            rows=observed[table.name].rows,
            rows_without_key=observed[table.name].nulls.get(ref.column, 0),
            rows_with_unknown_key=observed[table.name].unknown_keys.get(ref.column, 0),
            keys=observed[table.name].keys.get(ref.column),
            determines=observed[table.name].determined.get(ref.column, ()),
            groups=observed[table.name].groups.get(ref.column, {}),
        )
        for table in sorted(tables, key=lambda table: table.name)
        for ref in sorted(table.references, key=lambda ref: (ref.to, ref.column))
    )
