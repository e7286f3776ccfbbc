"""The star of a tenant: rebuilt from the sinks by dbt, checked by its data tests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from pipeline.config.tenant import Tenant
from pipeline.contracts.registry import Blueprints
from pipeline.contracts.sql import literal
from pipeline.currency.exchange_rates import write_rates
from pipeline.errors import BuildError
from pipeline.settings import Settings
from warehouse.build.build_paths import BuildPaths, star_paths
from warehouse.projects.rates_table import RATES_FILE
from warehouse.projects.star_project import star_project
from warehouse.run_dbt import Node, first_lines, refuse_failures, run_dbt, with_rows, write_project

FINDINGS_SHOWN = 5  # of one test


@dataclass(frozen=True)
class StarBuild:
    """A tenant's rebuilt star: what every model and test did. Failed tests are the gates' business, not an error."""

    nodes: tuple[Node, ...]

    findings: tuple[str, ...] = ()
    """What is to be known of its sources, and what tests of severity warn found, as sentences."""
    failures: tuple[str, ...] = ()
    """What the others found: with these, numbers would be wrong."""


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
    return replace(checked, nodes=with_rows(models, _table_rows(at.file)) + checked.nodes)


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
