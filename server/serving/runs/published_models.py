"""The published tables of a tenant as its manifest lists them, with the sentences of the star's promise."""

from __future__ import annotations

from typing import Any

from pipeline.config.slug import Slug
from pipeline.publish.pointer import latest_run_id
from pipeline.publish.run_manifest import PublishedTable, read_manifest
from pipeline.settings import Settings
from warehouse.star_schema import Table, star_schema

Payload = dict[str, Any]  # Any: JSON values


def published_models(settings: Settings, slug: Slug) -> list[Payload]:
    """Every table of the tenant's newest run: what a row is, its columns, how many rows; none before the first run.

    Raises:
        PublishError: The pointer or the manifest is damaged.
    """
    folder = settings.published(slug)
    run_id = latest_run_id(folder)
    if run_id is None:
        return []
    tables = read_manifest(folder / run_id).tables
    promised = {table.table_name(slug): table for table in _star(tables)}
    return [_model(slug, run_id, table, promised.get(table.name)) for table in tables]


def _model(slug: Slug, run_id: str, table: PublishedTable, promise: Table | None) -> Payload:
    described = {column.name: column.description for column in promise.columns} if promise else {}
    return {
        "tenant": slug,
        "run_id": run_id,
        "name": table.name,
        "description": promise.sentence if promise else "",
        "grain": list(promise.grain) if promise else [],
        "rows": table.rows,
        "columns": [
            {"name": column.name, "type": column.type, "description": described.get(column.name, "")}
            for column in table.columns
        ],
    }


def _star(tables: tuple[PublishedTable, ...]) -> tuple[Table, ...]:
    """The star that published tables are of, by the columns that not every star has."""
    names = [column.name for table in tables for column in table.columns]
    return star_schema(sum(name.startswith("funnel_step_") for name in names), has_payments="net_paid_amount" in names)
