"""Records of commands and published runs, copied from the operations database into the hub."""

from __future__ import annotations

from pipeline.config.slug import Slug
from pipeline.errors import GataError, PublishError
from pipeline.log import log
from pipeline.publish.pointer import run_ids
from pipeline.publish.run_manifest import read_manifest
from pipeline.settings import Settings
from pipeline.storage.ops import Ops
from server.orchestration.build_context import BuildContext
from warehouse.build.hub_metadata import HubRecords, record_build


def record_in_hub(context: BuildContext, ops: Ops, records: HubRecords) -> None:
    """Copy the records of this command, and of earlier ones that were stopped, into the hub.

    A failure here fails no tenant: the next command copies the rest.
    """
    try:
        artifacts = ops.artifacts_since(records.newest_run)
        definitions = _new_definitions(context, records)
        if artifacts or definitions:
            record_build(artifacts, definitions, context.settings)
    except GataError as error:
        log.warning("books_not_kept", what=error.what)


def _new_definitions(context: BuildContext, records: HubRecords) -> list[dict[str, object]]:
    """A row for each published run that the records do not list."""
    missing = [
        (tenant.slug, run_id)
        for tenant in context.manifest.tenants
        for run_id in run_ids(context.settings.published(tenant.slug))
        if (tenant.slug, run_id) not in records.published
    ]
    rows = []
    for slug, run_id in missing:
        try:
            rows.append(_definitions(context.settings, slug, run_id))
        except PublishError as error:  # a damaged run, or one of an older release, must not block the others
            log.warning("run_not_recorded", tenant=slug, what=error.what)
    return rows


def _definitions(settings: Settings, slug: Slug, run_id: str) -> dict[str, object]:
    from semantic.answering.semantic_model import load_model

    folder = settings.published(slug) / run_id
    model = load_model(folder)
    return {
        "tenant_slug": slug,
        "run_id": run_id,
        "definitions_version": model.definitions,
        "metrics": model.catalog.askable_metrics,
        "dimensions": model.catalog.askable_dimensions,
        "published_at": read_manifest(folder).published_at,
    }
