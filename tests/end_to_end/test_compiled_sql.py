"""A build by the SQL that is kept of dbt leaves what a build through dbt leaves, and fails as it fails."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest
from structlog.testing import capture_logs

from pipeline.config.slug import slug_of
from pipeline.errors import DbtFailed
from pipeline.ingest.land import land_tenant
from pipeline.publish.pointer import latest_run_id
from pipeline.publish.run_files import MODELS
from tests.end_to_end.project_fixture import Project, copy_project
from tests.end_to_end.small_shop import bring_order, event, write_jsonl
from tests.pipeline.landing_fixture import BLUEPRINTS
from warehouse.build.build_paths import projects_folder, star_paths
from warehouse.build.models_file import push_models_file, star_models_file
from warehouse.build.push import push
from warehouse.build.star import StarBuild, build_star, check_star
from warehouse.compiled import run_compiled
from warehouse.compiled.run_project import run_project
from warehouse.projects.star_project import star_project
from warehouse.run_dbt import write_project

SHOP = slug_of("small_shop")
OF_THE_RUN = {
    *("run_id", "invocation_id", "recorded_at", "started_at", "completed_at", "seconds", "compile_seconds", "thread"),
    *("pushed_at", "loaded_at", "first_seen_at", "last_seen_at", "load_id", "first_load_id", "exported_at"),
    *("covered_at", "delivered_at", "node_ids", "valid_from", "valid_to", "registered_at", "changed_ns", "size"),
}
"""Columns with times and ids of a run, or of the load before it."""
NOT_OF_DBT = {
    *("platform_sat__tenant_source_configs", "platform_sat__tenant_source_configs__history"),  # paths of the project
    *("platform_ops__collected_stars", "platform_ops__boring_semantic_layer"),  # sizes of files; names of runs
    *("table_stats__history", "table_stats__current"),  # DuckDB's estimates, which differ between two builds by dbt too
}


def kept_files(shop: Project) -> list[Path]:
    return sorted(projects_folder(shop.settings, SHOP).glob("*.json.gz"))


def forget_sql(shop: Project) -> None:
    """Remove what is kept, so that the next build goes through dbt."""
    for path in kept_files(shop):
        path.unlink()


def rows_of(file: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table and view of a database, but for times and ids."""
    with duckdb.connect(str(file), read_only=True) as database:
        names = database.execute(
            "select table_name from information_schema.tables where table_catalog = ? and table_schema = 'main'",
            [file.stem],
        ).fetchall()
        found = {}
        for (name,) in names:
            if name not in NOT_OF_DBT and not name.startswith(("int_small", "int_platform", "stg_")):
                columns = [column for column, *_ in database.execute(f'describe "{name}"').fetchall()]
                said = ", ".join(f'"{column}"' for column in columns if column not in OF_THE_RUN)
                found[name] = sorted(database.execute(f'select {said} from "{name}"').fetchall(), key=repr)
        return found


def tables_of(file: Path) -> list[tuple[Any, ...]]:
    """Tables and views with their columns and constraints."""
    with duckdb.connect(str(file), read_only=True) as database:
        return database.execute(
            """select table_name, column_name, data_type, is_nullable from duckdb_columns()
            where database_name = ? order by all""",
            [file.stem],
        ).fetchall()


def bring_changes(shop: Project) -> None:
    """One order, one that is restated, one visit, and one event without a user: every push has something to do."""
    folder = shop.settings.tenants.parent
    bring_order(folder / "shop", 4)
    bring_order(folder / "shop", 1)
    write_jsonl(folder / "web/events_2.jsonl", [event("zoe", "session_start", 40), event("ann", "page_view", 45)])


def ran_dbt(events: list[Any]) -> list[tuple[str, str]]:  # Any: as structlog has them
    return [(event["command"], event["why"]) for event in events if event["event"] == "ran_dbt"]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, small: Project) -> tuple[Project, Project]:
    """The small shop after the same second delivery: built by kept SQL, and through dbt."""
    kept = copy_project(small, tmp_path_factory.mktemp("kept"))
    through_dbt = copy_project(small, tmp_path_factory.mktemp("through_dbt"))
    forget_sql(through_dbt)
    for shop in (kept, through_dbt):
        bring_changes(shop)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("run_project.run_dbt", "compile_project.invoke_dbt"):
            patch.setattr(f"warehouse.compiled.{name}", partial(pytest.fail, "dbt ran"))
        kept.build()
    through_dbt.build()
    return kept, through_dbt


def test_a_build_by_kept_sql_leaves_the_tables_that_a_build_through_dbt_leaves(both: tuple[Project, Project]) -> None:
    kept, through_dbt = both
    for name in ("hub", "star"):
        files = [shop.settings.hub if name == "hub" else shop.settings.stars(SHOP) for shop in both]
        assert tables_of(files[0]) == tables_of(files[1])
        rows = [rows_of(file) for file in files]
        assert {table for table in rows[0] if rows[0][table] != rows[1].get(table)} == set()
        assert {"model_artifacts__history", "test_artifacts__history", "run_results__history"} <= rows[0].keys()
    assert kept.number(SHOP, "orders") == through_dbt.number(SHOP, "orders") == 4


def test_the_current_results_of_all_nodes_are_those_of_dbt(both: tuple[Project, Project]) -> None:
    found = []
    for shop in both:
        with duckdb.connect(str(shop.settings.hub), read_only=True) as hub:
            found.append(
                hub.execute(
                    """select project, node_id, resource_type, status, rows, failures, message
                    from run_results__current where tenant_slug = ? order by all""",
                    [SHOP],
                ).fetchall()
            )
    assert found[0] == found[1]
    assert {status for _, _, _, status, *_ in found[0]} >= {"success", "pass"}


def test_the_lineage_of_the_run_is_that_of_dbt(both: tuple[Project, Project]) -> None:
    found = []
    for shop in both:
        published = shop.settings.published(SHOP)
        run = published / str(latest_run_id(published)) / MODELS
        star, pushed = star_models_file(shop.settings.stars(SHOP)), push_models_file(shop.settings, SHOP)
        found.append([gzip.decompress(path.read_bytes()) for path in (run, star, pushed)])
    assert found[0] == found[1]


@pytest.fixture
def shop(tmp_path: Path, small: Project) -> Project:
    return copy_project(small, tmp_path / "shop")


def star_of(shop: Project) -> StarBuild:
    context = shop.context
    return build_star(context.manifest.tenants[0], context.blueprints, context.settings)


def said(star: StarBuild) -> tuple[set[Any], Any, Any]:
    """What a star build says, its rows aside: the order of nodes is dbt's own, by chance."""
    return {repr(node) for node in star.nodes}, sorted(star.results, key=repr), star.notes


@pytest.mark.long
def test_tests_that_warn_fail_and_cannot_run_say_what_they_say_through_dbt(shop: Project) -> None:
    with duckdb.connect(str(shop.settings.hub)) as hub:
        hub.execute(
            """update platform_mm__shopify_api_v1_orders
            set raw_data_payload = replace(raw_data_payload::varchar, 'EUR', 'XXQ')"""
        )
    star_of(shop)
    found = set[str]()
    for damage in (
        f"insert into fct_{SHOP}__orders from fct_{SHOP}__orders limit 1",
        f"alter table int_{SHOP}__orders drop column currency",
    ):
        with duckdb.connect(str(shop.settings.stars(SHOP))) as star:
            star.execute(damage)
        context = shop.context
        check = partial(check_star, context.manifest.tenants[0], context.blueprints, context.settings)
        by_kept_sql = check()
        found |= {node.status for node in by_kept_sql.nodes}
        hidden = kept_files(shop)
        for path in hidden:
            path.rename(path.with_suffix(".hidden"))
        assert said(by_kept_sql) == said(check())
        for path in hidden:
            path.with_suffix(".hidden").rename(path)
    assert found == {"pass", "warn", "fail", "error"}


@pytest.mark.long
def test_a_model_that_fails_says_what_dbt_says(shop: Project) -> None:
    with duckdb.connect(str(shop.settings.hub)) as hub:  # orders without the id that their table requires
        hub.execute(
            """update platform_mm__shopify_api_v1_orders
            set raw_data_payload = json_merge_patch(raw_data_payload, '{"id": null}')"""
        )
    errors = []
    for why in (["build"], []):
        with capture_logs() as events, pytest.raises(DbtFailed) as failed:
            star_of(shop)
        assert [command for command, _ in ran_dbt(events)] == why
        errors.append(str(failed.value))
        forget_sql(shop)
    assert errors[0] == errors[1]
    assert "int_small_shop__orders" in errors[0]


@pytest.mark.long
def test_a_push_that_fails_leaves_what_it_leaves_through_dbt(shop: Project, tmp_path: Path) -> None:
    bring_changes(shop)
    land_tenant(shop.context.manifest.tenants[0], shop.context.blueprints, shop.settings)
    with duckdb.connect(str(shop.settings.hub)) as hub:
        hub.execute("alter table platform_mm__shopify_api_v1_orders rename column source_position to position_lost")
    other = copy_project(shop, tmp_path / "other")
    forget_sql(other)
    errors, left = [], []
    for each in (shop, other):
        context = each.context
        with pytest.raises(DbtFailed) as failed:
            push(context.manifest.tenants[0], context.blueprints, context.settings)
        errors.append(str(failed.value))
        left.append(rows_of(each.settings.hub))
    assert errors[0] == errors[1]
    assert {table for table in left[0] if left[0][table] != left[1].get(table)} == set()
    assert not kept_files(other)


@pytest.mark.long
@pytest.mark.parametrize("stops_at", [1, 4, 9])
def test_an_interrupted_push_goes_on_where_it_stopped(
    shop: Project, both: tuple[Project, Project], monkeypatch: pytest.MonkeyPatch, stops_at: int
) -> None:
    bring_changes(shop)
    steps: Iterator[int] = iter(range(stops_at))
    execute = run_compiled.Run.execute

    def interrupted(run: run_compiled.Run, sql: str) -> duckdb.DuckDBPyConnection:
        if next(steps, None) is None:
            raise KeyboardInterrupt
        return execute(run, sql)

    monkeypatch.setattr(run_compiled.Run, "execute", interrupted)
    with pytest.raises(KeyboardInterrupt):
        shop.build()
    monkeypatch.undo()
    shop.build()
    built, whole = rows_of(shop.settings.stars(SHOP)), rows_of(both[1].settings.stars(SHOP))
    tables = [table for table in whole if table.startswith(("fct_", "dim_"))]
    assert [built[table] for table in tables] == [whole[table] for table in tables]


@pytest.mark.long
@pytest.mark.parametrize("damage", ["cut off", "another byte", "no JSON", "of another project"])
def test_a_damaged_kept_file_leads_back_to_dbt_and_is_written_anew(shop: Project, damage: str) -> None:
    path = projects_folder(shop.settings, SHOP) / "stars_test.json.gz"
    whole = path.read_bytes()
    content = bytearray(whole)
    content[len(whole) // 2] ^= 0x10
    path.write_bytes(
        {
            "cut off": whole[: len(whole) // 2],
            "another byte": bytes(content),
            "no JSON": gzip.compress(b'{"nodes": ['),
            "of another project": (path.parent / "stars_build.json.gz").read_bytes(),
        }[damage]
    )
    with capture_logs() as events:
        star = star_of(shop)
    ((command, why),) = ran_dbt(events)
    assert command == "test"
    assert why in ("what is kept of it is damaged", "the project, the macros or the packages changed")
    with capture_logs() as events:
        assert said(star_of(shop)) == said(star)
    assert not ran_dbt(events)


@pytest.mark.long
def test_another_configuration_is_compiled_by_dbt(shop: Project) -> None:
    text = shop.settings.tenants.read_text().replace(
        "conversion_event_pattern: purchase", "conversion_event_pattern: lead"
    )
    shop.settings.tenants.write_text(text)
    with capture_logs() as events:
        star_of(shop)
    assert {why for _, why in ran_dbt(events)} == {"the project, the macros or the packages changed"}


@pytest.mark.long
def test_a_table_of_the_hub_with_other_columns_is_compared_with_its_contract_by_dbt(shop: Project) -> None:
    with duckdb.connect(str(shop.settings.hub)) as hub:
        hub.execute("alter table platform_mm__shopify_api_v1_orders alter column source_position type integer")
    with capture_logs() as events:
        star_of(shop)
    changed = '"hub"."main"."platform_mm__shopify_api_v1_orders"'
    assert ran_dbt(events) == [("build", f"{changed} has other columns than it had")]


@pytest.mark.long
def test_a_project_with_a_model_that_asks_while_dbt_runs_always_goes_through_dbt(shop: Project) -> None:
    paths = star_paths(shop.settings, SHOP)
    asks = (
        "{% if execute %}{% set found = run_query('select 41 + 1').rows[0][0] %}{% endif %}select {{ found or 0 }} as n"
    )
    project = star_project(shop.context.manifest.tenants[0], BLUEPRINTS) | {"models/asks.sql": asks}
    write_project(paths.project, project)
    files = {"GATA_HUB_FILE": shop.settings.hub, "GATA_STARS_FILE": paths.file}
    told = []
    for _ in range(2):
        with capture_logs() as events:
            nodes = run_project(paths.project, ("build", "--select", "asks"), project=project, files=files)
        told += ran_dbt(events)
        assert [(node.name, node.status) for node in nodes] == [("asks", "success")]
        with duckdb.connect(str(paths.file), read_only=True) as star:
            assert star.execute("from asks").fetchall() == [(42,)]
    changed, decided = (why for _, why in told)
    assert changed == "the project, the macros or the packages changed"
    assert decided == "asks is decided at run time by execute"
