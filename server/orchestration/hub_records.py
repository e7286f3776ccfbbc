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
    """Copy into the hub what this command, and those before it that were stopped, did.

    A failure here fails no tenant: the next command copies the rest.
    """
    try:
        artifacts = ops.artifacts_since(records.newest_run)
        definitions = _new_definitions(context, records)
        if artifacts or definitions:
            record_build(artifacts, definitions, context.settings)
    except GataError as error:
        log.warning("books_not_kept", what=error.what)


def _new_definitions(shop: BuildContext, books: HubRecords) -> list[dict[str, object]]:
    """A row for each published run that the books do not list."""
    new = [
        (tenant.slug, run_id)
        for tenant in shop.manifest.tenants
        for run_id in run_ids(shop.settings.published(tenant.slug))
        if (tenant.slug, run_id) not in books.published
    ]
    found = []
    for slug, run_id in new:
        try:
            found.append(_definitions(shop.settings, slug, run_id))
        except PublishError as error:  # a damaged run, or one of an older release, keeps no other out of the books
            log.warning("run_not_recorded", tenant=slug, what=error.what)
    return found


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
