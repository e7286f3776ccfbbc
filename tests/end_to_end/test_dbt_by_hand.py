"""A tenant's dbt projects as a person uses them: bare in their folder, by `gata dbt` from anywhere, and documented."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.config.slug import slug_of
from pipeline.contracts.sql import quote
from pipeline.errors import Busy
from pipeline.settings import Settings
from pipeline.storage.build_lock import build_lock
from server.orchestration.build_context import open_build_context
from tests.end_to_end.project_fixture import Project, copy_project
from tests.end_to_end.whole_homes import files_with
from tests.server.cli_run import CommandResult, Terminal, environment, start
from warehouse.build.hub_library import platform_models
from warehouse.build.manual.by_hand import PROJECTS, write_by_hand
from warehouse.build.manual.shared_macros import write_shared_macros
from warehouse.projects.hub_projects import library_project
from warehouse.projects.reference_tables import reference_files
from warehouse.run_dbt import write_project

SHOP = slug_of("small_shop")
ROOT = Path(__file__).resolve().parents[2]
OFFLINE = ("--no-populate-cache", "--no-introspect", "--target", "dev", "--quiet")
TOKEN = "motherduck-token-of-a-test"  # it opens nothing
BUNDLED = ("tyrell_corp", "wayne_enterprises", "stark_industries")


@pytest.fixture
def gata(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    with Terminal(monkeypatch, capsys) as terminal:
        yield terminal


def tables_of(file: Path, hub: Path) -> dict[str, tuple[int, int]]:
    """By table of a star file: its rows, and the sum of their hashes."""
    with duckdb.connect(str(file), read_only=True) as star:
        star.execute(f"attach '{hub}' as hub (read_only)")
        names = star.execute(
            "select table_name from duckdb_tables()"
            " where regexp_matches(table_name, '^(int|fct|dim)_') and database_name <> 'hub'"
        ).fetchall()
        return {
            name: star.execute(f"select count(*), sum(hash(t)::hugeint) from {quote(name)} as t").fetchall()[0]
            for (name,) in names
        }


def bare(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The `dbt` of a person who works in the project's folder, and has set no variable."""
    command = [sys.executable, "-P", "-m", "dbt.cli.main", *arguments]
    env = {name: value for name, value in environment().items() if name != "PYTHONPATH"}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def gata_process(settings: Settings, *words: str) -> CommandResult:
    process = start("dbt", *words, env=environment(settings))
    out, err = process.communicate()
    return CommandResult(process.returncode, out, err)


@pytest.mark.long
def test_a_build_by_hand_gives_the_tables_of_the_build_and_leaves_these_alone(tmp_path: Path, small: Project) -> None:
    shop = copy_project(small, tmp_path)
    settings = shop.settings
    built = settings.stars(SHOP).read_bytes()
    done = gata_process(settings, SHOP, "stars", "--", "build")
    assert done.code == 0, done.out + done.err
    assert "Completed" in done.out
    tables = tables_of(settings.sandbox(SHOP), settings.hub)
    assert tables == tables_of(settings.stars(SHOP), settings.hub)
    assert sum(rows for rows, _ in tables.values()) > 0
    assert settings.stars(SHOP).read_bytes() == built
    assert shop.build().to_dict()["tenants"][0]["status"] == "unchanged"
    with duckdb.connect(str(settings.sandbox(SHOP))) as sandbox:
        sandbox.execute(f"drop table dim_{SHOP}__products")
    failed = gata_process(settings, SHOP, "--", "test", "--select", f"dim_{SHOP}__products")
    assert (failed.code, "does not exist" in failed.out) == (1, True), failed.out + failed.err
    assert gata_process(settings, SHOP, "--", "ls", "--no-such-option").code == 2


@pytest.mark.long
def test_a_project_runs_bare_in_its_folder_wherever_the_state_folder_went(tmp_path: Path, small: Project) -> None:
    copy_project(small, tmp_path / "before")
    (tmp_path / "before/state").rename(tmp_path / "moved")
    projects = tmp_path / "moved/dbt" / SHOP
    for project, commands in {"stars": ("ls", "build", "test"), "push": ("ls", "build", "test")}.items():
        for command in (*commands, "docs generate"):
            ran = bare(projects / project, *command.split())
            assert ran.returncode == 0, ran.stdout + ran.stderr
        manifest, catalog = (
            json.loads((projects / project / "target" / name).read_text(encoding="utf-8"))
            for name in ("manifest.json", "catalog.json")
        )
        found = catalog["nodes"] | catalog["sources"]
        assert len(found) > 5
        for node_id, node in found.items():
            columns = (manifest["nodes"] | manifest["sources"])[node_id]["columns"]
            assert {name.lower() for name in node["columns"]} == {name.lower() for name in columns}, node_id
    assert (tmp_path / "moved/tenants" / SHOP / "sandbox.duckdb").exists()


def test_tenants_and_projects_that_there_are_not_are_refused(gata: Terminal, small: Project) -> None:
    run, file = gata.use(small.settings), small.settings.tenants
    tenant, project = run("dbt", "small_shp", "--", "ls"), run("dbt", SHOP, "marts", "--", "ls")
    assert (tenant.code, project.code) == (2, 2)
    assert tenant.err == f"{file} has no tenant named 'small_shp'. Did you mean small_shop?\n"
    assert project.err == "small_shop has no dbt project named 'marts'. Choose one of: push, stars.\n"


def test_a_run_by_hand_waits_for_a_build(tmp_path: Path, small: Project, gata: Terminal) -> None:
    shop = copy_project(small, tmp_path)
    with build_lock(shop.settings.home, wait_seconds=0):
        refused = gata.use(shop.settings)("dbt", SHOP, "stars", "--", "ls")
    assert (refused.code, "Another build holds" in refused.err) == (2, True)


@pytest.mark.long
def test_a_build_waits_for_a_run_by_hand(
    tmp_path: Path, small: Project, gata: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = copy_project(small, tmp_path)
    ends = list[int]()

    def build_meanwhile(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        with pytest.raises(Busy, match=r"dbt small_shop stars -- ls"):
            shop.build()
        ends.append(0)
        return subprocess.CompletedProcess([], 7)

    monkeypatch.setattr("warehouse.build.manual.by_hand.subprocess.run", build_meanwhile)
    monkeypatch.setattr(sys, "argv", ["gata", "dbt", SHOP, "stars", "--", "ls"])
    assert gata.use(shop.settings)("dbt", SHOP, "stars", "--", "ls").code == 7
    assert ends == [0]


def parse(folder: Path, *words: str) -> dict[str, Any]:
    """What dbt makes of a project folder: its manifest."""
    from dbt.cli.main import dbtRunner

    where = ("--project-dir", str(folder), "--profiles-dir", str(folder))
    done = dbtRunner().invoke([*(words or ("parse",)), "--quiet", "--log-level-file", "none", *where])
    assert done.success, done.exception
    return dict(json.loads((folder / "target/manifest.json").read_text(encoding="utf-8")))


@pytest.mark.long
def test_the_dev_target_compiles_without_a_database_and_writes_no_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MOTHERDUCK_TOKEN", "motherduck_token"):
        monkeypatch.setenv(name, TOKEN)
    settings = Settings(home=tmp_path, tenants=ROOT / "tenants.yaml")
    context = open_build_context(settings)
    for project, model in (("stars", "fct_tyrell_corp__orders"), ("push", "stg_tyrell_corp__shopify_orders")):
        folder = write_by_hand(context.manifest.get("tyrell_corp"), project, context.blueprints, settings)
        parse(folder, "parse", "--target", "dev")
        manifest = parse(folder, "compile", *OFFLINE)
        name = {"stars": "stars_tyrell_corp", "push": "hub"}[project]
        assert manifest["nodes"][f"model.{project}_tyrell_corp.{model}"]["database"] == name
        (compiled,) = (folder / "target/compiled").rglob(f"{model}.sql")
        assert f'"{name}"."' in compiled.read_text(encoding="utf-8")
    assert not settings.hub.exists()
    assert files_with(tmp_path, TOKEN) == set()


@pytest.mark.parametrize("slug", [BUNDLED[0], *(pytest.param(slug, marks=pytest.mark.long) for slug in BUNDLED[1:])])
def test_all_of_a_tenants_projects_is_described_and_each_model_is_tested(slug: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, tenants=ROOT / "tenants.yaml")
    context = open_build_context(settings)
    for project in PROJECTS:
        folder = write_by_hand(context.manifest.get(slug), project, context.blueprints, settings)
        assert undescribed(parse(folder)) == []


@pytest.mark.long
def test_all_of_the_library_is_described_and_each_model_is_tested(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, tenants=ROOT / "tenants.yaml")
    write_shared_macros(settings)
    folder = tmp_path / "dbt/_library"
    known = open_build_context(settings).blueprints
    write_project(folder, library_project(known, platform_models(), reference_files()))
    assert undescribed(parse(folder)) == []


def undescribed(manifest: dict[str, Any]) -> list[str]:
    """What of a parsed project has no description, and the models and seeds without a test."""
    own = manifest["metadata"]["project_name"]
    tables = {
        node_id: node
        for node_id, node in (manifest["nodes"] | manifest["sources"]).items()
        if node["resource_type"] in ("model", "seed", "source")
    }
    macros = {macro_id: macro for macro_id, macro in manifest["macros"].items() if macro["package_name"] == own}
    assert tables
    assert macros
    tested = {node.get("attached_node") for node in manifest["nodes"].values() if node["resource_type"] == "test"}
    described = tables | macros | manifest["exposures"]
    silent = [item_id for item_id, item in described.items() if not item["description"].strip()]
    silent += [source["source_name"] for source in manifest["sources"].values() if not source["source_description"]]
    for node_id, node in tables.items():
        if not node["columns"] and node.get("source_name") != "dbt_metadata":  # docs/reference/dbt-metadata.md has them
            silent.append(f"{node_id}: no columns")
        silent += [f"{node_id}.{name}" for name, column in node["columns"].items() if not column["description"].strip()]
        if node["resource_type"] != "source" and node_id not in tested:
            silent.append(f"{node_id}: no test")
    return silent
