"""Records of what dbt did and of published runs: into the hub, and from its models to where REST reads them."""

from __future__ import annotations

from functools import partial
from itertools import groupby
from operator import itemgetter

from pipeline.bug_reports import report_bug
from pipeline.config.slug import Slug
from pipeline.errors import GataError, PublishError
from pipeline.log import log
from pipeline.publish.pointer import run_ids
from pipeline.publish.run_manifest import read_manifest
from pipeline.settings import Settings
from pipeline.storage.ops import Ops
from server.orchestration.build_context import BuildContext
from server.orchestration.isolation.boundary import attempt
from warehouse.build.hub_metadata import HubRecords, record_build


def record_in_hub(context: BuildContext, ops: Ops, records: HubRecords) -> dict[Slug, GataError]:
    """Record what dbt did in this command, in earlier ones that were stopped and by hand, and what was published.

    The hub's models say what dbt did; their rows go to the operations database, for the server never opens the hub. The
    next command records what this one cannot.

    Returns:
        By tenant, why its runs cannot be read; a run that is damaged, or of an older release, is only logged.
    """
    rows: list[dict[str, object]] = []
    failures: dict[Slug, GataError] = {}
    for tenant in context.manifest.tenants:
        found = attempt(partial(new_definitions, context, tenant.slug, records), tenant=tenant.slug, step="records")
        if isinstance(found, GataError):
            log.warning("runs_not_recorded", tenant=tenant.slug, what=found.what)
            failures[tenant.slug] = found
        else:
            rows += found
    record = partial(record_build, rows, context.settings, since=ops.newest_artifacts())
    written = attempt(record, tenant="*", step="records")
    if isinstance(written, GataError):
        log.warning("books_not_kept", what=written.what)
    else:
        for (run_id, slug, at), results in groupby(written, key=itemgetter("run_id", "tenant", "at")):
            ops.save_artifacts(run_id, slug, [result["node"] for result in results], at=at)
    return failures


def new_definitions(context: BuildContext, slug: Slug, records: HubRecords) -> list[dict[str, object]]:
    """A row for each published run of a tenant that the records do not list."""
    rows = []
    for run_id in run_ids(context.settings.published(slug)):
        if (slug, run_id) not in records.published:
            try:
                rows.append(_definitions(context.settings, slug, run_id))
            except PublishError as error:  # a damaged run, or one of another release, must not block the others
                log.warning("run_not_recorded", tenant=slug, what=error.what)
            except Exception as error:  # noqa: BLE001  # nor must one that is read in a way nobody foresaw
                report_bug(error, call=f"record run {run_id} of {slug}", run_id=run_id)
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
