"""The warehouse half of a build: the hub's library, a tenant's push, a tenant's star.

Each writes its generated project to the state folder and runs it; what is unchanged is not written again.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import signal
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from pipeline.contracts.sql import literal
from pipeline.disk import replace_text
from pipeline.errors import BuildError, GataError
from pipeline.hub import read_hub
from pipeline.landing import dataset
from pipeline.registry import Blueprint
from pipeline.settings import Settings
from pipeline.tenants import Tenant
from warehouse.hub_projects import OPS_TABLES, library_project, push_project
from warehouse.run_dbt import Node, first_lines, refuse_failures, run_dbt, write_project
from warehouse.star_project import star_project

Blueprints = Mapping[tuple[str, str], Blueprint]
PLATFORM_MODELS = Path(__file__).parent / "models" / "platform"
HOUSE = Path(__file__).resolve().parent.parent
SOURCES = ("pipeline", "warehouse", "semantic")
FINDINGS_SHOWN = 5  # of one test


@dataclass(frozen=True)
class Star:
    """A tenant's rebuilt star: what every model and test did. Failed tests are the gates' business, not an error."""

    nodes: tuple[Node, ...]

    findings: tuple[str, ...] = ()
    """What tests of severity warn found, as sentences."""
    failures: tuple[str, ...] = ()
    """What the others found: with these, numbers would be wrong."""


def projects(settings: Settings, slug: str) -> Path:
    """Where a tenant's generated dbt projects live."""
    return settings.home / "dbt" / slug


def onboard_files(tenant: Tenant, blueprints: Blueprints) -> dict[str, str]:
    """Every generated file of a tenant, by its path below `projects`."""
    push_files, star_files = push_project(tenant, blueprints), star_project(tenant, blueprints)
    return {f"push/{path}": text for path, text in push_files.items()} | {
        f"stars/{path}": text for path, text in star_files.items()
    }


def prepare_hub(blueprints: Blueprints, settings: Settings) -> bool:
    """See that every sink, ledger and blueprint row of the hub exists; whether dbt had to run for it.

    Raises:
        LandError: Another process has the hub open.
        BuildError: dbt failed.
    """
    models = {path.name: path.read_text(encoding="utf-8") for path in sorted(PLATFORM_MODELS.glob("*.sql"))}
    files = library_project(blueprints, models)
    digest = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()
    folder, done = settings.home / "dbt" / "_library", settings.home / "dbt" / "_library.sha256"
    has_tables = _has_tables(settings, {*OPS_TABLES, *(b.sink for b in blueprints.values())})
    if has_tables and done.exists() and done.read_text(encoding="utf-8") == digest:
        return False
    write_project(folder, files)
    refuse_failures(run_dbt(folder, ("run",), files={"GATA_HUB_FILE": settings.hub}), of="library")
    replace_text(done, digest)
    return True


def push(tenant: Tenant, blueprints: Blueprints, settings: Settings) -> tuple[Node, ...]:
    """Push what the tenant landed and has not pushed into the sinks; one transaction per object.

    Raises:
        BuildError: dbt failed; the objects pushed so far are whole, the failed one is untouched.
    """
    folder = projects(settings, tenant.slug) / "push"
    write_project(folder, push_project(tenant, blueprints))
    if not _has_unpushed(tenant, blueprints, settings):
        return ()
    nodes = run_dbt(folder, ("run",), files={"GATA_HUB_FILE": settings.hub})
    refuse_failures(nodes, of=f"push of {tenant.slug}")
    return nodes


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


def build_star(tenant: Tenant, blueprints: Blueprints, settings: Settings) -> Star:
    """Rebuild the tenant's own star file from the sinks, whole; the hub is only read.

    Raises:
        BuildError: A model failed. The star file is unfinished; published runs are untouched.
    """
    folder, stars = projects(settings, tenant.slug) / "stars", settings.stars(tenant.slug)
    write_project(folder, star_project(tenant, blueprints))
    stars.parent.mkdir(parents=True, exist_ok=True)
    for leftover in (stars, stars.with_name(stars.name + ".wal")):
        leftover.unlink(missing_ok=True)
    skip_tests = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
    models = run_dbt(folder, ("build", *skip_tests), files=_star_files(tenant, settings), threads=settings.threads)
    refuse_failures(models, of=f"star of {tenant.slug}")
    checked = check_star(tenant, blueprints, settings)
    return replace(checked, nodes=models + checked.nodes)


def check_star(tenant: Tenant, blueprints: Blueprints, settings: Settings) -> Star:
    """Run every data test on the tenant's star file as it is.

    Raises:
        BuildError: There is no star file, or dbt could not run.
    """
    folder = projects(settings, tenant.slug) / "stars"
    if not settings.stars(tenant.slug).exists():
        raise BuildError(f"{tenant.slug} has no star yet.", f"Run `gata build --tenant {tenant.slug}` first.")
    write_project(folder, star_project(tenant, blueprints))
    command = ("test", "--exclude-resource-type", "unit_test")
    nodes = run_dbt(folder, command, files=_star_files(tenant, settings), threads=settings.threads)
    said = {"warn": list[str](), "fail": list[str]()}
    for node in nodes:
        if node.status in ("warn", "fail", "error"):
            said["warn" if node.status == "warn" else "fail"] += _sentences(node, tenant, settings)
    return Star(nodes, tuple(said["warn"]), tuple(said["fail"]))


def _sentences(node: Node, tenant: Tenant, settings: Settings) -> list[str]:
    """What a test found: its own findings where it writes sentences, else its name and how many rows failed."""
    if node.status != "error":
        with duckdb.connect(str(settings.stars(tenant.slug)), read_only=True) as star:
            star.execute(f"attach {literal(str(settings.hub))} as hub (read_only)")
            found = star.execute(node.sql)
            if [column[0] for column in found.description or ()] == ["finding"]:
                return [row[0] for row in found.fetchmany(FINDINGS_SHOWN)]
    rows = f" {node.failures} rows fail." if node.failures else ""
    return [f"The test {node.name} says {node.status}.{rows} {first_lines(node.message)}"]


def _star_files(tenant: Tenant, settings: Settings) -> dict[str, Path]:
    return {"GATA_HUB_FILE": settings.hub, "GATA_STARS_FILE": settings.stars(tenant.slug)}


def build_stars(
    tenants: Sequence[Tenant],
    blueprints: Blueprints,
    settings: Settings,
    *,
    done: Callable[[Tenant, Star | GataError], None],
) -> None:
    """Rebuild several tenants' stars, each in a process of its own when there are several; tell `done` of each.

    dbt's adapter is global to a process, so threads would mix tenants up (facts: joints.md 1).
    """
    if len(tenants) == 1 or settings.threads == 1:
        for tenant in tenants:
            done(tenant, _star_or_error(tenant, blueprints, settings))
        return
    spawn = multiprocessing.get_context("spawn")
    workers = min(settings.threads, len(tenants))
    with ProcessPoolExecutor(workers, mp_context=spawn, initializer=_leave_interrupts) as pool:
        running = [(tenant, pool.submit(_star_or_error, tenant, blueprints, settings)) for tenant in tenants]
        for tenant, future in running:
            done(tenant, future.result())


def _leave_interrupts() -> None:
    """Ctrl-C reaches every process of a terminal; the one that began the build ends it, and its children with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _star_or_error(tenant: Tenant, blueprints: Blueprints, settings: Settings) -> Star | GataError:
    try:
        return build_star(tenant, blueprints, settings)
    except GataError as error:
        return error


def star_inputs(tenant: Tenant, blueprints: Blueprints, settings: Settings) -> str:
    """A digest of everything a published run of the tenant is made of: its projects, its pushed loads, our own code."""
    digest = hashlib.sha256(house_digest().encode())
    digest.update(tenant.fingerprint.encode())
    for path, text in star_project(tenant, blueprints).items():
        digest.update(f"{path}\0{text}\0".encode())
    with read_hub(settings) as hub:
        loads = hub.execute(
            "select source_platform, source_object, load_id from platform_ops__push_ledger"
            " where tenant_slug = ? order by all",
            [tenant.slug],
        ).fetchall()
    digest.update(repr(loads).encode())
    return digest.hexdigest()


def house_digest() -> str:
    """A digest of the code that turns records into stars and definitions, so that a new version rebuilds."""
    digest = hashlib.sha256()
    for folder in SOURCES:
        for path in sorted((HOUSE / folder).rglob("*")):
            if path.suffix in (".py", ".sql", ".csv"):
                digest.update(str(path.relative_to(HOUSE)).encode() + path.read_bytes())
    return digest.hexdigest()


def sink_rows(slug: str, settings: Settings, blueprints: Blueprints) -> dict[str, int]:
    """Rows per sink of one tenant, all versions counted."""
    counted = {}
    with read_hub(settings) as hub:
        for sink in sorted({blueprint.sink for blueprint in blueprints.values()}):
            rows = hub.execute(f'select count(*) from "{sink}" where tenant_slug = ?', [slug]).fetchone()
            counted[sink] = rows[0] if rows else 0
    return counted


def _has_tables(settings: Settings, names: set[str]) -> bool:
    if not settings.hub.exists():
        return False
    with read_hub(settings) as hub:
        found = hub.execute("select table_name from information_schema.tables where table_schema = 'main'").fetchall()
    return names <= {name for (name,) in found}
