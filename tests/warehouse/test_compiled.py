"""What leads back to dbt: other inputs, and SQL that is decided only while dbt runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest
import yaml

from pipeline.config.tenant import Tenant
from tests.pipeline.landing_fixture import BLUEPRINTS
from warehouse.compiled.compile_inputs import compile_inputs
from warehouse.compiled.compile_project import END_HOOKS
from warehouse.compiled.connection import read_profile
from warehouse.compiled.decided_at_run import RunTimeNames
from warehouse.compiled.jinja_renderer import Renderer, macro_texts
from warehouse.projects.hub_projects import push_project
from warehouse.projects.star_project import star_project
from warehouse.run_dbt import MACROS

COMMAND = ("test",)
FILES = {"GATA_HUB_FILE": Path("/a/hub.duckdb"), "GATA_STARS_FILE": Path("/a/stars.duckdb")}
PROJECT = {"models/a.sql": "select 1", "profiles.yml": "a: {}"}


def test_the_same_project_is_compiled_from_the_same_inputs_wherever_it_lies() -> None:
    elsewhere = {name: Path("/b") / path.name for name, path in FILES.items()}
    assert compile_inputs(PROJECT, COMMAND, FILES) == compile_inputs(dict(PROJECT), COMMAND, elsewhere)


def test_another_project_command_or_database_is_compiled_by_dbt() -> None:
    inputs = {
        compile_inputs(PROJECT, COMMAND, FILES),
        compile_inputs(PROJECT | {"models/a.sql": "select 2"}, COMMAND, FILES),
        compile_inputs(PROJECT | {"models/b.sql": ""}, COMMAND, FILES),
        compile_inputs({"models/a.sqlselect": " 1", "profiles.yml": "a: {}"}, COMMAND, FILES),
        compile_inputs(PROJECT, ("build",), FILES),
        compile_inputs(PROJECT, COMMAND, FILES | {"GATA_STARS_FILE": Path("/a/sandbox.duckdb")}),
    }
    assert len(inputs) == 6


@pytest.mark.parametrize("package", ["dbt-core", "dbt-adapters", "dbt-duckdb", "duckdb"])
def test_another_version_of_dbt_or_duckdb_compiles_anew(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    before = compile_inputs(PROJECT, COMMAND, FILES)
    monkeypatch.setattr("warehouse.compiled.compile_inputs.version", lambda name: "99" if name == package else "1")
    with_one = compile_inputs(PROJECT, COMMAND, FILES)
    monkeypatch.setattr("warehouse.compiled.compile_inputs.version", lambda _: "1")
    assert len({before, with_one, compile_inputs(PROJECT, COMMAND, FILES)}) == 3


def test_a_changed_macro_compiles_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.copytree(MACROS, tmp_path / "macros")
    monkeypatch.setattr("warehouse.compiled.compile_inputs.MACROS", tmp_path / "macros")
    before = compile_inputs(PROJECT, COMMAND, FILES)
    with (tmp_path / "macros/utils/md5_key.sql").open("a") as file:
        file.write(" ")
    assert compile_inputs(PROJECT, COMMAND, FILES) != before


MANIFEST = SimpleNamespace(
    macros={
        f"macro.{package}.{name}": SimpleNamespace(
            macro_sql=f"{{% macro {name}() %}}{text}{{% endmacro %}}",
            depends_on=SimpleNamespace(macros=[f"macro.dbt.{each}" for each in behind]),
        )
        for package, name, text, behind in (
            ("shop", "steady", "{{ config.get('alias') }} {{ ref('b') }}", ()),
            ("shop", "counts", "{% set rows = run_query('select 1') %}", ("run_query",)),
            ("shop", "calls", "{{ counts() }}", ()),
            ("dbt", "run_query", "{% call statement('q') %}{% endcall %}{{ load_result('q') }}", ()),
            ("dbt", "is_incremental", "{% if not execute %}{% endif %}", ()),
        )
    }
)


def names_in(text: str, *macros: str) -> list[str]:
    """What `RunTimeNames` finds in a model of MANIFEST's project."""
    node: Any = SimpleNamespace(raw_code=text, depends_on=SimpleNamespace(macros=[f"macro.{each}" for each in macros]))
    jinja = jinja2.Environment(extensions=["jinja2.ext.do"])
    return list(RunTimeNames(MANIFEST, jinja, ["GATA_RATES_FILE"]).of(node))


@pytest.mark.parametrize(
    ("text", "macros", "found"),
    [
        ("{% if is_incremental() %}{% endif %}", ["dbt.is_incremental"], ["execute"]),
        ("{{ counts() }}", ["shop.counts"], ["load_result", "statement"]),
        ("{% if execute %}{% endif %}", [], ["execute"]),
        ("{{ run_started_at }} {{ invocation_id }}", [], ["invocation_id", "run_started_at"]),
        ("{{ adapter.get_relation(this) }}", [], ["adapter.get_relation"]),
        ("{{ steady(adapter) }} {{ adapter['execute'] }}", ["shop.steady"], ["adapter"]),
        ("{{ env_var('HOME') }}", [], ["env_var"]),
        ("{% set read = env_var %}{{ read('HOME') }}", [], ["env_var"]),
        ("{{ modules.datetime }} {{ graph }} {{ flags }}", [], ["flags", "graph", "modules"]),
    ],
)
def test_sql_that_asks_while_dbt_runs_is_found(text: str, macros: list[str], found: list[str]) -> None:
    assert names_in(text, *macros) == found


@pytest.mark.parametrize(
    "text",
    [
        "{{ config(materialized='view') }}{{ steady() }} {{ source('hub', 'a') }} {{ this }} {{ var('tenant_slug') }}",
        "{% set execute = 1 %}{{ execute }} {% for n in range(2) %}{{ loop.index }}{{ n }}{% endfor %}",
        "{{ env_var('GATA_RATES_FILE', '../rates') }} {{ adapter.dispatch('steady')() }}",
        "{{ config(post_hook=['{{ counts() }}']) }} select 1",
    ],
)
def test_sql_that_is_the_same_at_every_run_is_kept(text: str) -> None:
    assert names_in(text, "shop.steady", "shop.counts") == []


def test_hooks_of_our_projects_use_only_what_is_offered(tyrell: Callable[..., Tenant]) -> None:
    for project in (star_project(tyrell(), BLUEPRINTS), push_project(tyrell(), BLUEPRINTS)):
        hooks = yaml.safe_load(project["dbt_project.yml"])[END_HOOKS]
        renderer = Renderer(macro_texts(project), {})
        assert len(hooks) == 5
        assert [renderer.unknown_names(hook) for hook in hooks] == [set()] * 5
    assert renderer.unknown_names("{{ stage_batch() }} {{ load_result('a') }}") == {"load_result"}


def test_a_profile_that_sets_more_than_is_known_is_told(tyrell: Callable[..., Tenant]) -> None:
    text = star_project(tyrell(), BLUEPRINTS)["profiles.yml"]
    environment = {"GATA_STARS_FILE": "/a/stars.duckdb", "GATA_HUB_FILE": "/a/hub.duckdb", "GATA_THREADS": "3"}
    profile = read_profile(text, environment)
    assert (profile.path, profile.output["settings"]["threads"], profile.unknown) == ("/a/stars.duckdb", "3", set())
    assert read_profile(
        text.replace("      settings:", "      extensions: [httpfs]\n      settings:", 1), environment
    ).unknown == {"extensions"}
