"""The push of a tenant: landed rows that are not pushed yet go into the sinks, one transaction per object."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.config.tenant import Tenant
from pipeline.contracts.registry import Blueprints
from pipeline.ingest.exports import routed_blueprints
from pipeline.ingest.landing_tables import dataset
from pipeline.settings import Settings
from pipeline.storage.build_memory import duckdb_memory
from pipeline.storage.hub import read_hub
from pipeline.storage.run_counts import TableCounts
from warehouse.build.build_paths import projects_folder
from warehouse.build.models_file import keep_models, push_models_file
from warehouse.compiled.run_project import run_project
from warehouse.projects.hub_projects import push_project
from warehouse.run_dbt import Node, refuse_failures, run_dbt, write_project


def push(tenant: Tenant, blueprints: Blueprints, settings: Settings) -> tuple[Node, ...]:
    """Push the tenant's landed rows that are not pushed yet into the sinks; one transaction per object.

    Raises:
        BuildError: dbt failed; the objects pushed so far are complete, the failed one is untouched.
    """
    folder = projects_folder(settings, tenant.slug) / "push"
    project = push_project(tenant, blueprints)
    write_project(folder, project)
    if not _has_unpushed(tenant, blueprints, settings):
        return ()
    files, memory = {"GATA_HUB_FILE": settings.hub}, duckdb_memory(settings)
    nodes = run_project(folder, ("run",), project=project, files=files, memory=memory)
    refuse_failures(nodes, of=f"push of {tenant.slug}")
    keep_models(push_models_file(settings, tenant.slug), nodes)
    return nodes


def parse_push(tenant: Tenant, blueprints: Blueprints, settings: Settings) -> None:
    """Parse the tenant's push project with dbt ahead of the push, which then starts sooner.

    Raises:
        BuildError: dbt could not parse it; `push` fails likewise.
    """
    folder = projects_folder(settings, tenant.slug) / "push"
    write_project(folder, push_project(tenant, blueprints))
    run_dbt(folder, ("parse",), files={"GATA_HUB_FILE": settings.hub})


@dataclass(frozen=True)
class _PushedObject:
    """The records of one object that a push took, and the loads they are of."""

    platform: str
    object: str
    rows: int
    load_ids: list[str]


def _pushed(tenant: Tenant, settings: Settings, began: datetime) -> list[_PushedObject]:
    """What pushers took from the landing tables since a moment."""
    with read_hub(settings) as hub:
        rows = hub.execute(
            "select source_platform, source_object, max(batch_rows), list(load_id order by load_id)"
            " from platform_ops__push_ledger where tenant_slug = ? and pushed_at >= ? group by all order by all",
            [tenant.slug, began.astimezone(UTC).replace(tzinfo=None)],
        ).fetchall()
    return [_PushedObject(*row) for row in rows]


def pushed_counts(
    tenant: Tenant, blueprints: Blueprints, settings: Settings, *, began: datetime
) -> tuple[TableCounts, ...]:
    """By sink, the records that were pushed since a moment, and those of them that it did not have yet.

    Raises:
        LandError: Another process has the hub open for writing.
    """
    counts, day = [], f"ingest_dt={began.astimezone(UTC):%Y-%m-%d}"
    for pushed in _pushed(tenant, settings, began):
        if not pushed.rows or (blueprint := blueprints.get((pushed.platform, pushed.object))) is None:
            continue
        with read_hub(settings) as hub:
            ((new,),) = hub.execute(
                f"""select count(*) from {blueprint.sink}
                where tenant_slug = $tenant and source_platform = $platform and list_contains($loads, load_id)
                    and payload_hash <> md5_number('tombstone|' || tenant_skey)""",
                {"tenant": tenant.slug, "platform": pushed.platform, "loads": pushed.load_ids},
            ).fetchall()
        known = pushed.rows - new
        loss = "records that the sink had already, or that came twice" if known else None
        counts.append(TableCounts("sink", blueprint.sink, day, pushed.rows, new, lost_rows=known, loss=loss))
    return tuple(counts)


def _has_unpushed(tenant: Tenant, blueprints: Blueprints, settings: Settings) -> bool:
    """Whether a finished load lacks its ledger row for one of the tenant's objects."""
    routed = [(b.platform, b.object) for b in blueprints.values() for s in tenant.enabled if b.platform == s.platform]
    with read_hub(settings) as hub:
        missing = hub.execute(
            f"""select count(*) from (select unnest(?) as platform, unnest(?) as object) as routed
            cross join (select load_id from {dataset(tenant)}._dlt_loads where status = 0) as loads
            where not exists (
                select 1 from platform_ops__push_ledger as pushed
                where pushed.tenant_slug = ? and pushed.source_platform = routed.platform
                    and pushed.source_object = routed.object and pushed.load_id = loads.load_id)""",
            [[platform for platform, _ in routed], [name for _, name in routed], tenant.slug],
        ).fetchall()
    return bool(missing[0][0])


def sink_rows(tenant: Tenant, settings: Settings, blueprints: Blueprints) -> dict[str, int]:
    """The tenant's rows in each sink that its sources route to, all versions counted."""
    sinks = sorted({blueprint.sink for blueprint in routed_blueprints(blueprints, tenant)})
    counts = " union all ".join(
        f"select '{sink}' as sink, count(*) from {sink} where tenant_slug = $slug" for sink in sinks
    )
    with read_hub(settings) as hub:
        return dict(hub.execute(f"{counts} order by sink", {"slug": tenant.slug}).fetchall())
