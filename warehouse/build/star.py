"""The star of a tenant: rebuilt from the sinks by dbt, checked by its data tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import duckdb

from pipeline.config.tenant import Tenant
from pipeline.contracts.registry import Blueprints
from pipeline.contracts.sql import literal
from pipeline.currency.exchange_rates import write_rates
from pipeline.errors import BuildError
from pipeline.gate_rules.gate_registry import GATES
from pipeline.gates.finding import Finding, FindingKind
from pipeline.gates.gate_result import (
    GateResult,
    GateStatus,
    failed_sentences,
    found,
    result_of_test,
    rules_of,
)
from pipeline.gates.run_measures import TableMeasures
from pipeline.ingest.exports import routed_blueprints
from pipeline.publish.run_history import published_run
from pipeline.settings import Settings
from pipeline.storage.build_memory import duckdb_memory
from pipeline.storage.run_counts import TableCounts
from warehouse.build.build_paths import BuildPaths, star_paths
from warehouse.build.models_file import keep_models, star_models_file
from warehouse.build.own_metadata import record_own_models
from warehouse.build.star_findings import finding_of_row, table_of, writes_findings
from warehouse.build.star_gates import star_results
from warehouse.compiled.run_project import run_project
from warehouse.own_models.own_models import read_own_models
from warehouse.own_models.run_models import build_own_models, check_own_models
from warehouse.projects.rates_table import RATES_FILE
from warehouse.projects.star_project import star_project, star_tables
from warehouse.run_dbt import Node, first_lines, refuse_failures, run_dbt, with_rows, write_project

MOST_FINDINGS = 20  # of one test


@dataclass(frozen=True)
class StarBuild:
    """Result of a star build: nodes of all models and tests, and the results of gates. What failed is no error yet."""

    nodes: tuple[Node, ...]
    notes: tuple[str, ...] = ()
    """Notes on the tenant's sources."""
    results: tuple[GateResult, ...] = ()
    """Of all gates of the star, its tests among them."""
    measures: tuple[TableMeasures, ...] = ()

    @property
    def measured(self) -> tuple[Finding, ...]:
        """The findings of all gates."""
        return found(self.results)

    @property
    def findings(self) -> tuple[str, ...]:
        """The notes, and the findings of gates that only warn, as sentences."""
        return (*self.notes, *(finding.sentence for finding in found(self.results, GateStatus.WARNED)))

    @property
    def failures(self) -> tuple[str, ...]:
        """What stops a publish in strict mode, as sentences."""
        return tuple(failed_sentences(self.results))


def build_star(
    tenant: Tenant, blueprints: Blueprints, settings: Settings, paths: BuildPaths | None = None
) -> StarBuild:
    """Rebuild a star file of the tenant completely from the sinks; the hub is only read.

    Args:
        paths: Of the build; those of the tenant's own star when left out.

    Raises:
        ConfigError: The tenant's rates file, or one of its own models, is wrong. Nothing was touched.
        BuildError: A model failed. The star file is unfinished; published runs are untouched.
    """
    paths, own_models = paths or star_paths(settings, tenant.slug), read_own_models(tenant)
    if tenant.rates:
        write_rates(tenant, paths.rates)
    project = star_project(tenant, blueprints, kind=paths.project.name)
    write_project(paths.project, project)
    paths.file.parent.mkdir(parents=True, exist_ok=True)
    _remove_star(paths)
    skip_tests = ("--exclude-resource-type", "test")
    models = _run(paths, ("build", *skip_tests), project, settings, begin_again=partial(_remove_star, paths))
    refuse_failures(models, of=f"star of {tenant.slug}")
    own = build_own_models(tenant, own_models, paths.file, settings)
    tested = _run_tests(tenant, project, paths, settings)
    record_own_models(tenant, own_models, own, paths.file, settings)
    nodes = (*with_rows(models, _table_rows(paths.file)), *tested.nodes, *own.nodes)
    keep_models(star_models_file(paths.file), nodes, routed_blueprints(blueprints, tenant))
    return replace(tested, nodes=nodes, results=(*tested.results, *own.results))


def _remove_star(paths: BuildPaths) -> None:
    for leftover in (paths.file, paths.file.with_name(paths.file.name + ".wal"), star_models_file(paths.file)):
        leftover.unlink(missing_ok=True)


def parse_star(tenant: Tenant, blueprints: Blueprints, settings: Settings) -> None:
    """Parse the project of the tenant's own star with dbt ahead of the build, which then starts sooner.

    Raises:
        BuildError: dbt could not parse it; `build_star` fails likewise.
    """
    paths = star_paths(settings, tenant.slug)
    write_project(paths.project, star_project(tenant, blueprints))
    run_dbt(paths.project, ("parse",), files=_star_files(paths, settings), threads=settings.threads)


def _table_rows(file: Path) -> dict[str, int]:
    """Rows of each table of a file that was just written: DuckDB knows them without looking."""
    with duckdb.connect(str(file), read_only=True) as star:
        return dict(star.execute("select table_name, estimated_size from duckdb_tables()").fetchall())


def published_counts(
    tenant: Tenant, settings: Settings, run_id: str, published: Mapping[str, int]
) -> tuple[TableCounts, ...]:
    """By table of the tenant's star, its rows there and in the run that was published from it."""
    rows = _table_rows(star_paths(settings, tenant.slug).file)
    return tuple(
        TableCounts("published", name, f"run_id={run_id}", rows.get(name, 0), count)
        for name, count in published.items()
    )


def check_star(tenant: Tenant, blueprints: Blueprints, settings: Settings) -> StarBuild:
    """Run every data test on the tenant's own star file as it is.

    Raises:
        ConfigError: One of the tenant's own models is wrong.
        BuildError: There is no star file, or dbt could not run.
    """
    paths = star_paths(settings, tenant.slug)
    if not paths.file.exists():
        raise BuildError(f"{tenant.slug} has no star yet.", f"Run `gata build --tenant {tenant.slug}` first.")
    own = check_own_models(tenant, read_own_models(tenant), paths.file, settings)
    project = star_project(tenant, blueprints)
    write_project(paths.project, project)
    tested = _run_tests(tenant, project, paths, settings)
    return replace(tested, nodes=(*tested.nodes, *own.nodes), results=(*tested.results, *own.results))


def _run_tests(tenant: Tenant, project: Mapping[str, str], paths: BuildPaths, settings: Settings) -> StarBuild:
    """Run the data tests of a project on its star file."""
    nodes = _run(paths, ("test",), project, settings)
    rules, results = rules_of(tenant, settings), list[GateResult]()
    rows = _table_rows(paths.file)
    for node in nodes:
        gate = node.test or node.name
        if node.kind == "test" and (gate not in GATES or rules.is_on(gate)):
            has_findings = node.status in ("warn", "fail", "error")
            said = _findings(node, tenant, rows, paths, settings) if has_findings else []
            findings: list[Finding | None] = [*said] or [None]
            table = table_of(node)
            failed = node.status in ("fail", "error")
            results += [result_of_test(rules, gate, table, finding, failed=failed) for finding in findings]
    with duckdb.connect(
        str(paths.file), read_only=True, config={"threads": settings.threads, **duckdb_memory(settings)}
    ) as star:
        before = published_run(settings, tenant.slug).measures.tables
        judged, measures = star_results(star, tenant, star_tables(tenant), rules, today=settings.day(), before=before)
    return StarBuild(nodes, tuple(tenant.notes), (*results, *judged), tuple(measures))


def _findings(
    node: Node, tenant: Tenant, rows: Mapping[str, int], paths: BuildPaths, settings: Settings
) -> list[Finding]:
    """The findings of one test: its own where it writes sentences, else its name and how many rows failed."""
    if node.status != "error":
        with duckdb.connect(str(paths.file), read_only=True) as star:
            star.execute(f"attach {literal(str(settings.hub))} as hub (read_only)")
            found = star.execute(node.sql)
            names = [column[0] for column in found.description or ()]
            if writes_findings(names):
                listed = (dict(zip(names, row, strict=True)) for row in found.fetchmany(MOST_FINDINGS))
                return [finding_of_row(row, node, tenant, rows) for row in listed]
    failed = f" {node.failures} rows fail." if node.failures else ""
    sentence = f"The test {node.name} says {node.status}.{failed} {first_lines(node.message)}"
    return [Finding(kind=FindingKind.OTHER, sentence=sentence, rule=node.test, table=table_of(node))]


def _run(
    paths: BuildPaths,
    command: tuple[str, ...],
    project: Mapping[str, str],
    settings: Settings,
    *,
    begin_again: Callable[[], None] = lambda: None,
) -> tuple[Node, ...]:
    return run_project(
        paths.project,
        command,
        project=project,
        files=_star_files(paths, settings),
        threads=settings.threads,
        memory=duckdb_memory(settings),
        begin_again=begin_again,
    )


def _star_files(paths: BuildPaths, settings: Settings) -> dict[str, Path]:
    return {"GATA_HUB_FILE": settings.hub, "GATA_STARS_FILE": paths.file, RATES_FILE: paths.rates}
