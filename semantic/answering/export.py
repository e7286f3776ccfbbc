"""Exports the catalog as JSON with a JSON Schema for other programs, without any SQL.

The files lie beside semantic.yml in a published run. They have no personal dimensions: access to those is decided per
request.
"""

from __future__ import annotations

import json
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.config.slug import Slug
from semantic.answering.semantic_model import SemanticModel
from semantic.planning.currency_rules import catalog_unit
from semantic.planning.reach import dimensions_for


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ExportedMetric(_Part):
    """What may be measured."""

    name: str
    label: str
    description: str
    synonyms: tuple[str, ...]
    type: Literal["integer", "decimal", "number"] = Field(description="decimal is exact, number a double.")
    unit: str | None = Field(
        description="currency (major units of the row's), count, ratio, percent, seconds, or another word."
    )
    kind: str = Field(description="sum, count, count_distinct, minimum, maximum, median, percentile, ratio or derived.")
    adds_up: Literal["sum", "minimum", "maximum", "none"] = Field(
        description="How values of parts become the value of a whole; none: the rows are needed again."
    )
    facts: tuple[str, ...]
    dimensions: tuple[str, ...] = Field(description="What it can be cut and filtered by.")
    note: str | None


class ExportedDimension(_Part):
    """What metrics are cut and filtered by."""

    name: str
    label: str
    description: str
    synonyms: tuple[str, ...]
    type: Literal["text", "date", "boolean", "integer"]
    role: Literal["time", "ordinal", "identifier", "name", "flag", "category"]
    facts: tuple[str, ...] = Field(description="Those that have it.")
    values: tuple[str, ...] | None = Field(description="All its values when they are few, else null.")
    note: str | None


class ExportedFact(_Part):
    """Rows that metrics are made from, and what they hold."""

    name: str
    day_column: str
    rows: int
    first_date: str | None
    last_date: str | None
    currencies: tuple[str, ...]
    time_zones: tuple[str, ...]


class ExportedRelationship(_Part):
    """A join: many rows of the one table, one of the other."""

    from_table: str
    from_column: str
    to_table: str
    to_column: str
    cardinality: Literal["many_to_one", "one_to_one"]
    rows: int
    rows_without_key: int
    rows_with_unknown_key: int = Field(description="Their key is none of the other table's.")


class ExportedCatalog(_Part):
    """Everything that can be asked of one tenant."""

    schema_: Literal["semantic.schema.json"] = Field(default="semantic.schema.json", alias="$schema")
    version: Literal[1] = 1
    tenant: Slug
    run_id: str
    time_zone: str
    week_start: str
    currency: str
    metrics: tuple[ExportedMetric, ...]
    dimensions: tuple[ExportedDimension, ...]
    facts: tuple[ExportedFact, ...]
    relationships: tuple[ExportedRelationship, ...]


def export_catalog(model: SemanticModel, *, run_id: str) -> str:
    """Export the catalog of a run as JSON text; the same run gives the same bytes."""
    catalog = model.catalog
    exported = ExportedCatalog(
        tenant=model.tenant,
        run_id=run_id,
        time_zone=catalog.time_zone,
        week_start=catalog.week_start,
        currency=catalog.currency,
        metrics=tuple(_metric(name, model) for name in catalog.askable_metrics),
        dimensions=tuple(_dimension(name, model) for name in _without_personal(model, catalog.askable_dimensions)),
        facts=tuple(_fact(name, model) for name in sorted(catalog.facts)),
        relationships=tuple(
            ExportedRelationship(
                from_table=each.table,
                from_column=each.column,
                to_table=each.to,
                to_column=each.to_column,
                cardinality=each.cardinality,
                rows=each.rows,
                rows_without_key=each.rows_without_key,
                rows_with_unknown_key=each.rows_with_unknown_key,
            )
            for each in model.relationships
        ),
    )
    return exported.model_dump_json(by_alias=True, indent=2) + "\n"


def catalog_json_schema() -> str:
    """Return the JSON Schema of the export (draft 2020-12)."""
    schema = ExportedCatalog.model_json_schema(by_alias=True)
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, indent=2) + "\n"


def _without_personal(model: SemanticModel, names: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return tuple(name for name in names if not model.catalog.dimensions[name].is_personal)


def _metric(name: str, model: SemanticModel) -> ExportedMetric:
    metric, facts = model.catalog.metrics[name], model.catalog.facts_of(name)
    adds_up = {"SUM": "sum", "MIN": "minimum", "MAX": "maximum"}
    return ExportedMetric.model_validate(
        {
            "name": name,
            "label": metric.label,
            "description": metric.description,
            "synonyms": metric.synonyms,
            "type": metric.type,
            "unit": catalog_unit(metric, model.catalog) if model.catalog.rates else metric.unit,
            "kind": metric.kind,
            "adds_up": adds_up.get(metric.adds_up or "", "none"),
            "facts": facts,
            "dimensions": _without_personal(model, dimensions_for(name, model.catalog)),
            "note": metric.note,
        }
    )


def _dimension(name: str, model: SemanticModel) -> ExportedDimension:
    dimension = model.catalog.dimensions[name]
    return ExportedDimension.model_validate(
        {
            "name": name,
            "label": dimension.label,
            "description": dimension.description,
            "synonyms": dimension.synonyms,
            "type": dimension.type,
            "role": dimension.role,
            "facts": tuple(sorted(dimension.paths)),
            "values": None if dimension.values is None else tuple(sorted(dimension.values)),
            "note": dimension.note,
        }
    )


def _fact(name: str, model: SemanticModel) -> ExportedFact:
    fact = model.catalog.facts[name]
    return ExportedFact(
        name=name,
        day_column=fact.day_column,
        rows=fact.rows,
        first_date=fact.first_date.isoformat() if fact.first_date else None,
        last_date=fact.last_date.isoformat() if fact.last_date else None,
        currencies=fact.currencies,
        time_zones=fact.time_zones,
    )
