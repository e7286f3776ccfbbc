"""What dbt did reaches the hub and REST, whoever ran it: a build, a build that was killed, a person."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.config.slug import slug_of
from pipeline.publish.pointer import latest_run_id
from pipeline.storage.ops import Ops
from server.orchestration.verbs import library
from server.serving.runs import observability
from tests.end_to_end.project_fixture import Project, copy_project
from tests.server.cli_run import ROOT, environment
from warehouse.build.build_paths import star_paths
from warehouse.build.dbt_metadata import KEYS
from warehouse.run_dbt import ENGINES, MACROS

SHOP = slug_of("small_shop")
Rows = list[tuple[Any, ...]]
KILLED = """
import os, signal
from pipeline.config.layers.configuration import read_settings
from server.orchestration.verbs import build
from server.orchestration.build_context import open_build_context
context = open_build_context(read_settings())
def watch(tenant, step):
    if step == "publish":
        os.kill(os.getpid(), signal.SIGKILL)
build(context, full=True, watch=watch)
"""


def hub_rows(shop: Project, query: str, *values: object) -> Rows:
    with duckdb.connect(str(shop.settings.hub), read_only=True) as hub:
        return hub.execute(query, values).fetchall()


def counts(shop: Project) -> dict[str, int]:
    """The rows of each table of dbt metadata; none twice."""
    found = {}
    for table, key in KEYS.items():
        ((found[table], different),) = hub_rows(
            shop, f"select count(*), count(distinct ({', '.join(key)})) from {table}"
        )
        assert different == found[table], table
    return found


def by_hand(shop: Project, project: Path, *command: str) -> None:
    """Run the dbt command line in a generated project, as a person would."""
    files = {"GATA_HUB_FILE": shop.settings.hub, "GATA_STARS_FILE": shop.settings.stars(SHOP)}
    variables = {"GATA_MACROS": MACROS, "GATA_ENGINES": ENGINES} | files
    run = subprocess.run(
        [Path(sys.executable).with_name("dbt"), *command],
        cwd=project,
        env=os.environ | {name: str(path) for name, path in variables.items()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, small: Project) -> Project:
    return copy_project(small, tmp_path_factory.mktemp("metadata"))


def test_a_build_leaves_the_rows_of_every_project_under_its_own_run_id(shop: Project) -> None:
    run_id = latest_run_id(shop.settings.published(SHOP))
    assert hub_rows(
        shop,
        """select project, tenant_slug, list(command order by started_at), count(distinct run_id)
        from invocations__history where project <> 'gata_library' group by all order by all""",
    ) == [("push_small_shop", SHOP, ["run"], 1), ("stars_small_shop", SHOP, ["build", "test"], 1)]
    ((command,),) = hub_rows(shop, "select distinct run_id from invocations__history where tenant_slug = ?", SHOP)
    with Ops(shop.settings.ops) as ops:
        assert [run["run_id"] for run in ops.runs()] == [command]
    assert run_id is not None
    orders = int(shop.number(SHOP, "orders"))
    assert hub_rows(
        shop,
        """select name, rows from int_platform_observability__run_results
        where name in ('fct_small_shop__orders', 'stg_small_shop__shopify_orders') order by all""",
    ) == [("fct_small_shop__orders", orders), ("stg_small_shop__shopify_orders", orders)]
    assert hub_rows(
        shop,
        """select distinct layer from int_platform_observability__model_definitions
        where tenant_slug = ? order by all""",
        SHOP,
    ) == [("dimension",), ("fact",), ("intermediate",), ("staging",)]
    silent = "select node_id from model_artifacts__current where description = '' or columns::varchar = '[]'"
    assert hub_rows(shop, silent) == []


def test_the_statistics_of_a_star_and_of_its_sinks_are_those_of_their_tables(shop: Project) -> None:
    stats = {
        name: (rows, size, {column["name"]: column for column in columns})
        for name, rows, size, columns in hub_rows(
            shop, "select table_name, rows, bytes, columns from int_platform_observability__md_table_stats"
        )
    }
    with duckdb.connect(str(shop.settings.stars(SHOP)), read_only=True) as star:
        for name in (f"fct_{SHOP}__orders", f"fct_{SHOP}__events", f"dim_{SHOP}__users"):
            rows, size, columns = stats[name]
            assert star.execute(f"select count(*) from {name}").fetchall() == [(rows,)]
            assert size >= 262_144
            for column, known in columns.items():
                ((nulls,),) = star.execute(f'select count(*) - count("{column}") from {name}').fetchall()
                assert known["nulls"] == nulls, column
                assert known["has_nulls"] == (nulls > 0), column
        ((first, last),) = star.execute(f"select min(order_date), max(order_date) from fct_{SHOP}__orders").fetchall()
    ordered = stats[f"fct_{SHOP}__orders"][2]["order_date"]
    assert (ordered["smallest"], ordered["largest"]) == (str(first), str(last))
    emails = stats[f"dim_{SHOP}__users"][2]["customer_email"]
    assert (emails["smallest"], emails["largest"]) == (None, None)
    ((pushed,),) = hub_rows(shop, "select count(*) from platform_mm__shopify_api_v1_orders")
    assert stats["platform_mm__shopify_api_v1_orders"][0] == pushed
    assert hub_rows(
        shop, "select landing_table, master_model, recommendation from int_platform_observability__source_candidate_map"
        " where landing_table = 'shopify__orders'",
    ) == [("shopify__orders", "platform_mm__shopify_api_v1_orders", "ROUTED")]  # fmt: skip


def test_rest_shows_what_the_observability_models_say(shop: Project) -> None:
    with Ops(shop.settings.ops) as ops:
        _, tests = observability.tests_of(SHOP, ops)
        _, models = observability.models_of(SHOP, ops, shop.settings)
    assert [(test["name"], test["model"], test["status"]) for test in tests] == hub_rows(
        shop,
        """select name, tested_model, if(status = 'error', 'fail', status) from int_platform_observability__test_results
        where tenant_slug = ? order by project, name""",
        SHOP,
    )
    assert [(model["project"], model["name"], model["materialization"]) for model in models] == hub_rows(
        shop,
        """select project, name, materialization from int_platform_observability__run_results
        where tenant_slug = ? order by project, name""",
        SHOP,
    )


def test_a_dbt_run_by_hand_leaves_its_rows_beside_its_tables_and_the_next_command_collects_them_once(
    shop: Project, tmp_path: Path
) -> None:
    shop = copy_project(shop, tmp_path)
    before, project = counts(shop), star_paths(shop.settings, SHOP).project
    by_hand(shop, project, "run", "--select", f"fct_{SHOP}__orders")
    with duckdb.connect(str(shop.settings.stars(SHOP)), read_only=True) as star:
        ((run_id, invocation),) = star.execute(
            f"select run_id, invocation_id from run_results__current where name = 'fct_{SHOP}__orders'"
        ).fetchall()
    assert counts(shop) == before
    for _ in range(2):
        library(shop.context)
        assert counts(shop) == before | {
            table: before[table] + 1
            for table in ("invocations__history", "run_results__history", "table_stats__history")
        }
    seen = "select run_id from int_platform_observability__run_results where invocation_id = ?"
    assert hub_rows(shop, seen, invocation) == [(run_id,)]
    with Ops(shop.settings.ops) as ops:
        assert [row["node"]["name"] for row in ops.artifacts(run_id)] == [f"fct_{SHOP}__orders"]


@pytest.mark.long  # starts dbt
def test_a_push_by_hand_writes_its_rows_into_the_hub(shop: Project, tmp_path: Path) -> None:
    shop = copy_project(shop, tmp_path)
    before = counts(shop)
    by_hand(shop, star_paths(shop.settings, SHOP).project.with_name("push"), "run")
    now = counts(shop)
    assert now["invocations__history"] == before["invocations__history"] + 1
    for table in ("model_artifacts__history", "test_artifacts__history"):
        assert now[table] == before[table], table


@pytest.mark.long  # kills a build
def test_what_a_killed_build_did_is_collected_by_the_next_which_does_not_double_it(
    shop: Project, tmp_path: Path
) -> None:
    shop = copy_project(shop, tmp_path)
    before = counts(shop)
    killed = subprocess.run([sys.executable, "-c", KILLED], env=environment(shop.settings), cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    with Ops(shop.settings.ops) as ops:
        (run,) = ops.runs(limit=1)
    assert run["status"] == "running"
    of_run = "select count(*) from run_results__history where run_id = ? and project = 'stars_small_shop'"
    assert hub_rows(shop, of_run, run["run_id"]) == [(0,)]
    library(shop.context)
    ((nodes,),) = hub_rows(shop, of_run, run["run_id"])
    ((known,),) = hub_rows(shop, "select count(*) from run_results__current where project = 'stars_small_shop'")
    assert nodes == known
    shop.build()
    after = counts(shop)
    assert hub_rows(shop, of_run, run["run_id"]) == [(nodes,)]
    assert after["model_artifacts__history"] == before["model_artifacts__history"]
    with Ops(shop.settings.ops) as ops:
        assert len(ops.artifacts(run["run_id"], SHOP)) == nodes
