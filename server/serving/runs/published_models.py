"""The published tables of a tenant from its manifest, with the descriptions of the star schema."""

from __future__ import annotations

from typing import Any

from pipeline.config.slug import Slug
from pipeline.publish.pointer import served_run
from pipeline.publish.run_manifest import PublishedTable, read_manifest
from pipeline.settings import Settings
from warehouse.star_schema import Table, star_schema

Payload = dict[str, Any]  # Any: JSON values


def published_models(settings: Settings, slug: Slug) -> list[Payload]:
    """Every table of the published run: its grain, columns and row count; empty before the first run.

    Raises:
        PublishError: Every run is damaged.
    """
    folder = settings.published(slug)
    served = served_run(folder)
    if served is None:
        return []
    tables = read_manifest(folder / served.run_id).tables
    declared = {table.table_name(slug): table for table in _star(tables)}
    return [_model(slug, served.run_id, table, declared.get(table.name)) for table in tables]


def _model(slug: Slug, run_id: str, table: PublishedTable, declaration: Table | None) -> Payload:
    described = {column.name: column.description for column in declaration.columns} if declaration else {}
    return {
        "tenant": slug,
        "run_id": run_id,
        "name": table.name,
        "description": declaration.sentence if declaration else "",
        "grain": list(declaration.grain) if declaration else [],
        "rows": table.rows,
        "columns": [
            {"name": column.name, "type": column.type, "description": described.get(column.name, "")}
            for column in table.columns
        ],
    }


def _star(tables: tuple[PublishedTable, ...]) -> tuple[Table, ...]:
    """The star schema of published tables, found by their optional columns."""
    names = [column.name for table in tables for column in table.columns]
    return star_schema(sum(name.startswith("funnel_step_") for name in names), has_payments="net_paid_amount" in names)
