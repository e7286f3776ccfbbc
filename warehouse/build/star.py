"""The warehouse half of a build: the hub's library, a tenant's push, a tenant's star.

Each writes its generated project to the state folder and runs it; what is unchanged is not written again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from pipeline.config.slug import Slug
from pipeline.config.tenant import Tenant
from pipeline.contracts.registry import Blueprint
from pipeline.contracts.sql import literal
from pipeline.currency.exchange_rates import rates_digest, write_rates
from pipeline.errors import BuildError
from pipeline.ingest.landing_tables import dataset
from pipeline.settings import Settings
from pipeline.storage.disk import replace_text
from pipeline.storage.hub import read_hub
from warehouse.build.source_digest import source_digest
from warehouse.projects.hub_projects import library_project, push_project
from warehouse.projects.rates_table import RATES_FILE
from warehouse.projects.reference_tables import reference_files
from warehouse.projects.star_project import star_project
from warehouse.run_dbt import Node, first_lines, refuse_failures, run_dbt, write_project

Blueprints = Mapping[tuple[str, str], Blueprint]
PLATFORM_MODELS = Path(__file__).parent.parent / "models" / "platform"
FINDINGS_SHOWN = 5  # of one test


@dataclass(frozen=True)
class StarBuild:
    """A tenant's rebuilt star: what every model and test did. Failed tests are the gates' business, not an error."""

    nodes: tuple[Node, ...]

    findings: tuple[str, ...] = ()
    """What is to be known of its sources, and what tests of severity warn found, as sentences."""
    failures: tuple[str, ...] = ()
    """What the others found: with these, numbers would be wrong."""


@dataclass(frozen=True)
class BuildPaths:
    """Where a star is built: the folder of its dbt project, and its file."""

    project: Path
    file: Path

    @property
    def rates(self) -> Path:
        """What the project reads the tenant's exchange rates from, where it has any."""
        return self.project.with_name(f"{self.project.name}_rates.parquet")


def projects_folder(settings: Settings, slug: Slug) -> Path:
    """Where a tenant's generated dbt projects live."""
    return settings.home / "dbt" / slug


def star_paths(settings: Settings, slug: Slug) -> BuildPaths:
    """Where the star of a tenant is built that builds publish."""
    return BuildPaths(projects_folder(settings, slug) / "stars", settings.stars(slug))


def onboard_files(tenant: Tenant, blueprints: Blueprints) -> dict[str, str]:
    """Every generated file of a tenant, by its path below `projects`."""
    push_files, star_files = push_project(tenant, blueprints), star_project(tenant, blueprints)
    return {f"push/{path}": text for path, text in push_files.items()} | {
        f"stars/{path}": text for path, text in star_files.items()
    }


def prepare_hub(blueprints: Blueprints, settings: Settings) -> tuple[Node, ...]:
    """See that every table of the hub's library exists; what dbt did for it, nothing where all was there.

    Raises:
        LandError: Another process has the hub open.
        BuildError: dbt failed, or a reference table fails a test.
    """
    files = library_project(blueprints, platform_models(), reference_files())
    digest = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()
    folder, done = settings.home / "dbt" / "_library", settings.home / "dbt" / "_library.sha256"
    tables = {Path(path).stem for path in files if path.endswith((".sql", ".csv"))}
    if _has_tables(settings, tables) and done.exists() and done.read_text(encoding="utf-8") == digest:
        return ()
    write_project(folder, files)
    nodes = run_dbt(folder, ("build",), files={"GATA_HUB_FILE": settings.hub})
    refuse_failures(nodes, of="library")
    replace_text(done, digest)
    return nodes


def platform_models() -> dict[str, str]:
    """The models of the hub that are written by hand, by file name."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(PLATFORM_MODELS.glob("*.sql"))}


def push(tenant: Tenant, blueprints: Blueprints, settings: Settings) -> tuple[Node, ...]:
    """Push what the tenant landed and has not pushed into the sinks; one transaction per object.

    Raises:
        BuildError: dbt failed; the objects pushed so far are whole, the failed one is untouched.
    """
    folder = projects_folder(settings, tenant.slug) / "push"
    write_project(folder, push_project(tenant, blueprints))
    if not _has_unpushed(tenant, blueprints, settings):
        return ()
    began = datetime.now(UTC)
    nodes = run_dbt(folder, ("run",), files={"GATA_HUB_FILE": settings.hub})
    refuse_failures(nodes, of=f"push of {tenant.slug}")
    return _with_rows(nodes, _pushed_rows(tenant, settings, began))


def parse_push(tenant: Tenant, blueprints: Blueprints, settings: Settings) -> None:
    """Have dbt read the project of a tenant's push, so that it need not when it runs.

    Raises:
        BuildError: It could not; `push` says so, too.
    """
    folder = projects_folder(settings, tenant.slug) / "push"
    write_project(folder, push_project(tenant, blueprints))
    run_dbt(folder, ("parse",), files={"GATA_HUB_FILE": settings.hub})


def _pushed_rows(tenant: Tenant, settings: Settings, began: datetime) -> dict[str, int]:
    """The records that each pusher took from the landing tables since a moment, by its name."""
    with read_hub(settings) as hub:
        rows = hub.execute(
            "select source_platform, source_object, max(batch_rows) from platform_ops__push_ledger"
            " where tenant_slug = ? and pushed_at >= ? group by all",
            [tenant.slug, began.replace(tzinfo=None)],
        ).fetchall()
    return {f"stg_{tenant.slug}__{platform}_{name}": count for platform, name, count in rows}


def _with_rows(nodes: tuple[Node, ...], rows: Mapping[str, int]) -> tuple[Node, ...]:
    return tuple(replace(node, rows=rows.get(node.name)) for node in nodes)


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


def build_star(
    tenant: Tenant, blueprints: Blueprints, settings: Settings, place: BuildPaths | None = None
) -> StarBuild:
    """Rebuild a star file of the tenant from the sinks, whole; the hub is only read.

    Args:
        place: Where; the tenant's own star when left out.

    Raises:
        ConfigError: The tenant's rates file is wrong. Nothing was touched.
        BuildError: A model failed. The star file is unfinished; published runs are untouched.
    """
    at = place or star_paths(settings, tenant.slug)
    if tenant.rates:
        write_rates(tenant, at.rates)
    write_project(at.project, star_project(tenant, blueprints))
    at.file.parent.mkdir(parents=True, exist_ok=True)
    for leftover in (at.file, at.file.with_name(at.file.name + ".wal")):
        leftover.unlink(missing_ok=True)
    skip_tests = ("--exclude-resource-type", "test")
    models = run_dbt(at.project, ("build", *skip_tests), files=_star_files(at, settings), threads=settings.threads)
    refuse_failures(models, of=f"star of {tenant.slug}")
    checked = _checked(tenant, at, settings)
    return replace(checked, nodes=_with_rows(models, _table_rows(at.file)) + checked.nodes)


def parse_star(tenant: Tenant, blueprints: Blueprints, settings: Settings) -> None:
    """Have dbt read the project of the tenant's own star, so that it need not when it builds it.

    Raises:
        BuildError: It could not; `build_star` says so, too.
    """
    at = star_paths(settings, tenant.slug)
    write_project(at.project, star_project(tenant, blueprints))
    run_dbt(at.project, ("parse",), files=_star_files(at, settings), threads=settings.threads)


def _table_rows(file: Path) -> dict[str, int]:
    """Rows of each table of a file that was just written: DuckDB knows them without looking."""
    with duckdb.connect(str(file), read_only=True) as star:
        return dict(star.execute("select table_name, estimated_size from duckdb_tables()").fetchall())


def check_star(tenant: Tenant, blueprints: Blueprints, settings: Settings) -> StarBuild:
    """Run every data test on the tenant's own star file as it is.

    Raises:
        BuildError: There is no star file, or dbt could not run.
    """
    at = star_paths(settings, tenant.slug)
    if not at.file.exists():
        raise BuildError(f"{tenant.slug} has no star yet.", f"Run `gata build --tenant {tenant.slug}` first.")
    write_project(at.project, star_project(tenant, blueprints))
    return _checked(tenant, at, settings)


def _checked(tenant: Tenant, at: BuildPaths, settings: Settings) -> StarBuild:
    """What the data tests of a project say of its star file."""
    command = ("test",)
    nodes = run_dbt(at.project, command, files=_star_files(at, settings), threads=settings.threads)
    said = {"warn": list[str](), "fail": list[str]()}
    for node in nodes:
        if node.status in ("warn", "fail", "error"):
            said["warn" if node.status == "warn" else "fail"] += _sentences(node, at, settings)
    return StarBuild(nodes, (*tenant.notes, *said["warn"]), tuple(said["fail"]))


def _sentences(node: Node, at: BuildPaths, settings: Settings) -> list[str]:
    """What a test found: its own findings where it writes sentences, else its name and how many rows failed."""
    if node.status != "error":
        with duckdb.connect(str(at.file), read_only=True) as star:
            star.execute(f"attach {literal(str(settings.hub))} as hub (read_only)")
            found = star.execute(node.sql)
            if [column[0] for column in found.description or ()] == ["finding"]:
                return [row[0] for row in found.fetchmany(FINDINGS_SHOWN)]
    rows = f" {node.failures} rows fail." if node.failures else ""
    return [f"The test {node.name} says {node.status}.{rows} {first_lines(node.message)}"]


def _star_files(at: BuildPaths, settings: Settings) -> dict[str, Path]:
    return {"GATA_HUB_FILE": settings.hub, "GATA_STARS_FILE": at.file, RATES_FILE: at.rates}


def star_inputs(tenant: Tenant, blueprints: Blueprints, settings: Settings) -> str:
    """A digest of all that a published run of the tenant is made of: its configuration and rates, its loads, our code.

    The star project is a function of these, so it need not be generated to know whether it changed.
    """
    digest = hashlib.sha256(source_digest().encode())
    digest.update(tenant.fingerprint.encode() + rates_digest(tenant).encode())
    for _, blueprint in sorted(blueprints.items()):
        digest.update(f"{blueprint.sink} {blueprint.version} {blueprint.source_schema_hash}\n".encode())
    with read_hub(settings) as hub:
        loads = hub.execute(
            "select source_platform, source_object, load_id from platform_ops__push_ledger"
            " where tenant_slug = ? order by all",
            [tenant.slug],
        ).fetchall()
    digest.update(repr(loads).encode())
    return digest.hexdigest()


def sink_rows(tenant: Tenant, settings: Settings, blueprints: Blueprints) -> dict[str, int]:
    """The tenant's rows in each sink that its sources route to, all versions counted."""
    platforms = {source.platform for source in tenant.enabled}
    sinks = sorted({blueprint.sink for blueprint in blueprints.values() if blueprint.platform in platforms})
    counts = " union all ".join(
        f"select '{sink}' as sink, count(*) from {sink} where tenant_slug = $slug" for sink in sinks
    )
    with read_hub(settings) as hub:
        return dict(hub.execute(f"{counts} order by sink", {"slug": tenant.slug}).fetchall())


def _has_tables(settings: Settings, names: set[str]) -> bool:
    if not settings.hub.exists():
        return False
    with read_hub(settings) as hub:
        found = hub.execute("select table_name from information_schema.tables where table_schema = 'main'").fetchall()
    return names <= {name for (name,) in found}
