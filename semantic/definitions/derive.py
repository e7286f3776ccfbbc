"""Derives the definitions of a run, semantic.yml, from a built star and its tenant's overlay.

tables         column types, so that ibis tables are built without a connection
models         Boring Semantic Layer models, as `from_config` takes them: one per fact and dimension table; beside them
               `selections`, the rows that filtered metrics count
facts          the day column of each fact, and its days, currencies and time zones
metrics        a measure of one fact, or arithmetic over metrics, and how each adds up
dimensions     columns to group and filter by, and the join path from each fact
rates          where the tenant has exchange rates: their file, and the columns of money in the reporting currency
relationships  the joins, always many rows to one, with the rows that have no key or an unknown one
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import yaml

from pipeline.config.tenant import Tenant
from semantic.catalog.catalog import AMBIGUOUS, CURRENCY
from semantic.catalog.expression import ADDS_UP, columns_in
from semantic.catalog.formula import metric_names, parse
from semantic.catalog.run_definitions import (
    VERSION,
    DimensionDefinition,
    DimensionRole,
    JoinCandidate,
    MetricDefinition,
    RunDefinitions,
)
from semantic.definitions.custom_metrics import custom_metrics
from semantic.definitions.found.column_meta import TableMeta, read_meta
from semantic.definitions.found.generic import Proposals, generic_dimensions, generic_metrics
from semantic.definitions.found.proposals import propose
from semantic.definitions.introspect import BuiltTable, BuiltTables
from semantic.definitions.join_paths import find_path
from semantic.definitions.metric_filters import MetricInputs
from semantic.definitions.missing_rows.known_rows import known_rows
from semantic.definitions.missing_rows.left_out_money import left_out_money
from semantic.definitions.overlay import Overlay, add_metrics, apply_overlay
from semantic.definitions.rename import rename
from semantic.definitions.reporting_currency import measured_in_reporting, rates_definition, selected_in_reporting
from semantic.definitions.standard_dimensions import (
    DIMENSIONS,
    StandardDimension,
    calendar_dimensions,
    personal_dimensions,
)
from semantic.definitions.standard_metrics import (
    CONVERSION,
    FIRST_OF_HISTORY,
    BaseMetric,
    DerivedMetric,
    base_metrics,
    derived_metrics,
    funnel_metrics,
    funnel_rates,
)
from semantic.definitions.synonyms import SYNONYMS
from semantic.definitions.table_models import DimensionColumns, fact_of, model_of, relationships_of, used_columns
from semantic.definitions.targets import note_targets
from warehouse.star_schema import Table
from warehouse.table_descriptions import TableDescription, TableDescriptions


def derive(
    tenant: Tenant,
    tables: Sequence[Table],
    observed: BuiltTables,
    *,
    descriptions: TableDescriptions | None = None,
    candidates: Sequence[JoinCandidate] = (),
) -> RunDefinitions:
    """Derive the definitions of a tenant's metrics and dimensions. The same input gives the same bytes.

    Args:
        tenant: Whose star it is.
        tables: Of the star, declared and found.
        observed: What was measured of each.
        descriptions: What dbt says of found tables; their `meta` wins over what is inferred.
        candidates: Joins that the rows do not prove, which are only listed.

    Raises:
        ConfigError: `semantic:` of tenants.yaml does not fit the star; names the location, the wrong entry and the
            nearest right one.
    """
    overlay = Overlay(tenant.semantic, tenant.semantic_locations)
    tables = [_as_built(table, observed) for table in tables]
    told = descriptions or {}
    proposals = _proposals(tenant, tables, observed, told)
    specified = (*base_metrics(tenant.sessions.gap, _conversion(tenant)), *funnel_metrics(tenant.funnel_events))
    named = {metric.name for metric in specified} | {metric.name for metric in _derived_metrics(tenant)}
    columns_of = _dimension_columns(tables, tenant.week_start, observed, proposals, named)
    dimensions = _dimensions(overlay, columns_of, tables, observed)
    standard = [metric for metric in specified if _is_built(metric, observed)]
    generic = generic_metrics(
        tables,
        proposals,
        standard,
        [dimension for dimension, _ in columns_of.values()],
        taken=named | columns_of.keys(),
        meta=_table_meta(tables, tenant, told),
    )
    standard += generic.measured
    derived = _standard_derived(tenant, standard) | {metric.name: metric for metric in generic.derived}
    known = MetricInputs(
        standard=standard, derived=derived, dimensions=dimensions, tables=tables, dimension_columns=columns_of
    )
    custom = custom_metrics(overlay, known)
    base = [*standard, *custom.measured]
    metrics = {metric.name: _entry(metric) for metric in base}
    add_metrics(metrics, {**derived, **custom.derived}, overlay)
    known_parts = known_rows(base, {**derived, **custom.derived}, tables, observed)
    left_out = left_out_money(base, tables, observed)
    if hidden := [*known_parts.measured, *left_out.measured]:
        base += hidden
        metrics |= {metric.name: _entry(metric) for metric in hidden}
        add_metrics(metrics, known_parts.derived, overlay)
        metrics = {
            name: left_out.of_metric(name, known_parts.of_metric(name, entry)) for name, entry in metrics.items()
        }
    metrics |= {name: replace(metrics[name], is_cost=True) for name in _costs(base, tables)}
    _note_history(metrics, observed)
    apply_overlay(overlay, "metrics", metrics)
    apply_overlay(overlay, "dimensions", dimensions)
    note_targets(tenant, metrics)
    converted = {table.name: table.converted for table in tables}
    converted_metrics = [measured_in_reporting(metric, converted) for metric in base]
    selections = selected_in_reporting(custom.selections, converted)
    models = {table.name: model_of(table, tenant.slug, columns_of, converted_metrics, selections) for table in tables}
    definitions = RunDefinitions(
        version=VERSION,
        tenant=tenant.slug,
        time_zone=tenant.timezone,
        week_start=tenant.week_start,
        currency=tenant.currency,
        funnel=tuple(tenant.funnel),
        tables={table.table_name(tenant.slug): used_columns(models, table.name, observed) for table in tables},
        models=models,
        facts={table.name: fact_of(table, tenant, observed[table.name]) for table in tables if table.date},
        metrics=metrics,
        dimensions=dimensions,
        relationships=relationships_of(tables, observed),
        candidates=tuple(candidates),
        rates=rates_definition(tenant, converted),
        notes=tuple(tenant.notes),
    )
    return rename(definitions, overlay)


def definitions_yaml(definitions: RunDefinitions) -> str:
    """Write the text of semantic.yml, keys sorted."""
    head = f"# Generated by `gata build` for {definitions.tenant}. Do not edit; write `semantic:` in tenants.yaml.\n"
    tree = definitions.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return head + yaml.dump(tree, Dumper=_Dumper, sort_keys=True, allow_unicode=True, width=120)


class _Dumper(yaml.CSafeDumper):
    """Writes a list that occurs twice in full each time, without YAML anchors: people read the file."""

    def ignore_aliases(self, data: object) -> bool:
        del data
        return True


def check_overlay(tenant: Tenant, tables: Sequence[Table]) -> None:
    """Check that `semantic:` of tenants.yaml fits the specification of the star, before anything is built.

    Raises:
        ConfigError: As for `derive`.
    """
    derive(tenant, tables, {table.name: BuiltTable.from_specification(table) for table in tables})


def _as_built(table: Table, observed: BuiltTables) -> Table:
    """Limit a table to the columns and references that were built."""
    columns = observed[table.name].columns
    built = tuple(
        ref
        for ref in table.references
        if ref.to in observed and ref.column in columns and ref.to_column in observed[ref.to].columns
    )
    return replace(table, columns=tuple(c for c in table.columns if c.name in columns), references=built)


def _is_built(metric: BaseMetric, observed: BuiltTables) -> bool:
    return metric.fact in observed and observed[metric.fact].columns.keys() >= set(columns_in(metric.expression))


def _costs(base: Iterable[BaseMetric], tables: Iterable[Table]) -> list[str]:
    """The sums of what is paid."""
    costs = {(table.name, column.name) for table in tables for column in table.columns if column.is_cost}
    return [m.name for m in base if m.kind == "sum" and {(m.fact, c) for c in columns_in(m.value or "")} & costs]


def _note_history(metrics: dict[str, MetricDefinition], observed: BuiltTables) -> None:
    """Say where the orders of a star begin: whom they call new may have ordered before."""
    for name in FIRST_OF_HISTORY:
        new = metrics.get(name)
        if new and new.fact and (first := observed[new.fact].first_date):
            history = f"{new.fact} begin on {first}: who ordered before counts as new."
            metrics[name] = replace(new, note=f"{new.note} {history}" if new.note else history)


def _entry(metric: BaseMetric) -> MetricDefinition:
    return MetricDefinition(
        description=metric.description,
        type=metric.type,
        unit=metric.unit,
        kind=metric.kind,
        adds_up=ADDS_UP[metric.kind],
        fact=metric.fact,
        label=metric.label,
        hidden=metric.hidden,
        rule=metric.rule,
        currency=metric.currency if metric.unit == CURRENCY else None,
        note=metric.note,
        synonyms=(*SYNONYMS.get(metric.name, ()), *metric.synonyms),
    )


def _standard_derived(tenant: Tenant, base: Iterable[BaseMetric]) -> dict[str, DerivedMetric]:
    """Select the standard derived metrics that have all their inputs."""
    known, derived = {metric.name for metric in base}, {}
    for metric in _derived_metrics(tenant):
        if set(metric_names(parse(metric.expression, metric.name))) <= known:
            known.add(metric.name)
            derived[metric.name] = metric
    return derived


def _derived_metrics(tenant: Tenant) -> tuple[DerivedMetric, ...]:
    return (*derived_metrics(_conversion(tenant)), *funnel_rates(tenant.funnel))


def _conversion(tenant: Tenant) -> str:
    """The events that convert a visit, in words."""
    return " or ".join(tenant.conversion_events) or CONVERSION


def _proposals(
    tenant: Tenant, tables: Sequence[Table], observed: BuiltTables, descriptions: TableDescriptions
) -> Proposals:
    """What the columns of every table are for. Where rates convert all money, what they do not convert is no metric."""
    proposals = {}
    for table in tables:
        built, told = observed[table.name], descriptions.get(table.table_name(tenant.slug), TableDescription())
        proposed = propose(table, built.columns, told.columns)
        if tenant.rates and table.found_as and {*built.currencies} - {tenant.currency}:
            proposed = tuple(replace(each, aggregation="none") if each.role == "money" else each for each in proposed)
        proposals[table.name] = proposed
    return proposals


def _table_meta(tables: Iterable[Table], tenant: Tenant, descriptions: TableDescriptions) -> dict[str, TableMeta]:
    """What the meta of found tables says."""
    named = {table.name: table.table_name(tenant.slug) for table in tables if table.found_as}
    return {
        name: read_meta(descriptions[full].meta, TableMeta, full)
        for name, full in named.items()
        if full in descriptions
    }


def _dimension_columns(
    tables: Sequence[Table], week_start: str, observed: BuiltTables, proposals: Proposals, metrics: Collection[str]
) -> DimensionColumns:
    """Map every dimension to the built tables that hold it, and their columns."""
    standard = (*calendar_dimensions(tables, week_start), *DIMENSIONS, *personal_dimensions(tables))
    dimensions = generic_dimensions(tables, proposals, standard, metrics)
    built = {table.name: observed[table.name].columns for table in tables}
    return {
        dimension.name: (
            dimension,
            {table: column for table, column in dimension.columns.items() if column in built.get(table, {})},
        )
        for dimension in dimensions
    }


def _dimensions(
    overlay: Overlay, columns_of: DimensionColumns, tables: Sequence[Table], observed: BuiltTables
) -> dict[str, DimensionDefinition]:
    """Define every dimension that a fact reaches; of the personal ones only those that the tenant exposes."""
    permitted = overlay.exposed([dimension.name for dimension, _ in columns_of.values() if dimension.personal])
    by_name = {table.name: table for table in tables}
    definitions = {}
    for dimension, columns in columns_of.values():
        paths = {t.name: path for t in tables if t.date and (path := _path(t.name, dimension, columns, by_name))}
        if paths and (dimension.name in permitted or not dimension.personal):
            definitions[dimension.name] = DimensionDefinition(
                description=dimension.description,
                type=dimension.type,
                role=_role(dimension),
                paths=paths,
                personal=dimension.personal,
                meanings=dimension.meanings,
                placed_by=_placed_by(dimension, columns_of, observed),
                values=None if dimension.personal else dimension.values or _values(columns, observed),
                order=dimension.values,
                vocabulary=dimension.vocabulary,
                note=_note(dimension.name, columns, paths, by_name, observed),
                label=dimension.label,
                synonyms=(*SYNONYMS.get(dimension.name, ()), *dimension.synonyms),
            )
    return definitions


def _placed_by(dimension: StandardDimension, columns_of: DimensionColumns, observed: BuiltTables) -> str | None:
    """The dimension that says which rows may have several values of this one, where some rows may.

    A fact with a column of its own may know the value of such rows; one that joins a table by their key never does.
    """
    if dimension.placed_by is None:
        return None
    _, own = columns_of[dimension.name]
    for table, mark in columns_of[dimension.placed_by][1].items():
        is_joined = table not in own
        if observed[table].unplaced.get(own.get(table, "")) or (
            is_joined and AMBIGUOUS in observed[table].values.get(mark, ())
        ):
            return dimension.placed_by
    return None


def _role(dimension: StandardDimension) -> DimensionRole:
    """Classify a dimension: time, ordinal, identifier, name, flag or category."""
    if dimension.is_ordinal:
        return "ordinal"
    if dimension.type == "date":
        return "time"
    if dimension.type == "boolean":
        return "flag"
    if dimension.name.endswith("_id"):
        return "identifier"
    return "name" if dimension.name.endswith("_name") else "category"


def _path(
    fact: str, dimension: StandardDimension, columns: Mapping[str, str], tables: Mapping[str, Table]
) -> str | None:
    """Tables and dimension joined with dots, such as orders.campaigns.campaign_name; None without a join path."""
    path = find_path(fact, columns, tables) if dimension.through_joins or fact in columns else None
    return None if path is None else ".".join((*path, dimension.name))


def _values(columns: Mapping[str, str], observed: BuiltTables) -> tuple[str, ...] | None:
    """List all values of a dimension, when every table that holds it has few."""
    lists = [observed[table].values.get(column) for table, column in columns.items()]
    if any(values is None for values in lists):
        return None
    return tuple(sorted({value for values in lists if values for value in values}))


def _note(
    name: str, columns: Mapping[str, str], paths: Mapping[str, str], tables: Mapping[str, Table], observed: BuiltTables
) -> str | None:
    """Write the note on grouping by a dimension: rows that share a value, and keys that its table lacks."""
    repeated = sum(observed[table].repeated.get(column, 0) for table, column in columns.items())
    notes = [f"Several rows share one {name}: they are added up."] if repeated else []
    for fact, path in sorted(paths.items()):
        table = fact
        for to in path.split(".")[:-1]:
            column = next(ref.column for ref in tables[table].references if ref.to == to)
            if unknown := observed[table].unknown_keys.get(column, 0):
                notes.append(f"{unknown} rows of {table} have a {column} that {to} lacks: there {name} is empty.")
            table = to
    return " ".join(dict.fromkeys(notes)) or None
