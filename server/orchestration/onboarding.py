"""Onboarding of a tenant in six phases; ops.sqlite records the start, end and result of each.

    0 manifest     its entry in tenants.yaml is complete: a source for each of its domains, only existing connectors
    1 foundation   the hub has a sink and a blueprint for every object, and knows the tenant's configuration
    2 scaffolding  the dbt projects of push and stars
    3 sources      their inputs: landing tables and sinks
    4 staging      pushers into the sinks, and the views over them
    5 marts        facts, dimensions, their tests and exposures: the tenant can be built

A phase can be repeated at any time. After a failure the next attempt continues from the failed phase.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from pipeline.config.slug import Slug
from pipeline.config.tenant import Tenant
from pipeline.config.tenants_file import check_ready
from pipeline.errors import BuildError, ConfigError
from pipeline.ingest.landing_tables import LOAD_TABLES, landing_columns, prepare_landing_tables
from pipeline.storage.disk import holds
from pipeline.storage.hub import write_hub
from pipeline.storage.ops import Ops
from server.orchestration.build_context import BuildContext
from warehouse.build.build_paths import projects_folder
from warehouse.projects.tenant_files import onboard_files
from warehouse.run_dbt import write_files, write_project

PHASES = ("manifest", "foundation", "scaffolding", "sources", "staging", "marts")
PARTS = ("push", "stars")


@dataclass(frozen=True)
class Onboarding:
    """The generated files of a tenant's dbt projects, and which of them changed."""

    slug: Slug
    files: tuple[str, ...]
    changed: tuple[str, ...]


def plan_onboarding(tenant: Tenant, context: BuildContext) -> Onboarding:
    """Plan the files that onboarding would write, without writing them.

    Raises:
        ConfigError: The tenant is offboarded, lacks a domain, or enables a connector that has no contracts yet.
    """
    _refuse_offboarded(tenant, context)
    _check(tenant, context)
    return _difference(tenant, context, onboard_files(tenant, context.blueprints))


def take_phases(tenant: Tenant, context: BuildContext, ops: Ops, *, foundation: Callable[[], object]) -> Onboarding:
    """Run the open phases: all of them, or those from the last failed one on.

    Args:
        foundation: Prepares the hub.

    Raises:
        ConfigError: As for `plan_onboarding`; recorded for phase 0, unless the tenant is offboarded.
        LandError, BuildError: The error of a phase.
    """
    _refuse_offboarded(tenant, context)
    files = onboard_files(tenant, context.blueprints)
    version = sha256(repr(sorted(files.items())).encode()).hexdigest()
    difference = _difference(tenant, context, files)
    work: tuple[Callable[[], object], ...] = (
        lambda: _check(tenant, context),
        foundation,
        lambda: _write(tenant, context, files, "scaffolding"),
        lambda: _write_sources(tenant, context, files),
        lambda: _write(tenant, context, files, "staging"),
        lambda: _write_all(tenant, context, files),
    )
    for number in range(_first_open(ops, tenant, version), len(PHASES)):
        with ops.phase(tenant.slug, number, PHASES[number], version):
            work[number]()
    return difference


def is_onboarded(tenant: Tenant, ops: Ops) -> bool:
    """Whether every phase is done; builds apply later changes of the configuration."""
    records = ops.onboarding(tenant.slug)
    return len(records) == len(PHASES) and all(record["status"] == "done" for record in records)


def _first_open(ops: Ops, tenant: Tenant, version: str) -> int:
    """The first phase that is not done for this version; 0 when all are, because repeating them is safe."""
    done = {row["phase"] for row in ops.onboarding(tenant.slug) if (row["status"], row["version"]) == ("done", version)}
    return next((number for number in range(len(PHASES)) if number not in done), 0)


def _refuse_offboarded(tenant: Tenant, context: BuildContext) -> None:
    if tenant.status == "offboarded":
        raise ConfigError(
            f"{context.manifest.locations[tenant.slug]}: {tenant.slug} is offboarded.",
            "Set its status to onboarding first.",
        )


def _check(tenant: Tenant, context: BuildContext) -> None:
    check_ready(tenant, context.catalog, location=context.manifest.locations[tenant.slug])


def _difference(tenant: Tenant, context: BuildContext, files: Mapping[str, str]) -> Onboarding:
    folder = projects_folder(context.settings, tenant.slug)
    changed = tuple(path for path, text in files.items() if not holds(folder / path, text))
    return Onboarding(tenant.slug, tuple(files), changed)


def _phase_of(path: str) -> str:
    """The phase that writes a generated file."""
    if path.endswith(("dbt_project.yml", "profiles.yml")):
        return "scaffolding"
    if path.endswith("sources.yml"):
        return "sources"
    return "staging" if "/staging/" in path or "/intermediate/" in path else "marts"


def _write(tenant: Tenant, context: BuildContext, files: Mapping[str, str], phase: str) -> None:
    own = {path: text for path, text in files.items() if _phase_of(path) == phase}
    try:
        write_files(projects_folder(context.settings, tenant.slug), own)
    except OSError as error:
        raise _unwritable(tenant, error) from error


def _write_sources(tenant: Tenant, context: BuildContext, files: Mapping[str, str]) -> None:
    """Write the source definitions of the projects and create the landing tables."""
    _write(tenant, context, files, "sources")
    platforms = {source.platform for source in tenant.enabled}
    own = [blueprint for blueprint in context.blueprints.values() if blueprint.platform in platforms]
    with write_hub(context.settings) as hub:
        prepare_landing_tables(
            hub, tenant, {blueprint.landing_table: landing_columns(blueprint) for blueprint in own} | LOAD_TABLES
        )


def _write_all(tenant: Tenant, context: BuildContext, files: Mapping[str, str]) -> None:
    """Write the last files and remove those of an earlier configuration."""
    try:
        for part in PARTS:
            own = {path.removeprefix(f"{part}/"): text for path, text in files.items() if path.startswith(f"{part}/")}
            write_project(projects_folder(context.settings, tenant.slug) / part, own)
    except OSError as error:
        raise _unwritable(tenant, error) from error


def _unwritable(tenant: Tenant, error: OSError) -> BuildError:
    return BuildError(
        f"{error.filename} cannot be written: {error.strerror}.",
        f"Mend that, then run `gata onboard {tenant.slug}` again: it goes on from here.",
    )
