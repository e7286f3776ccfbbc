"""Own models from tenants.yaml to the star: the example of docs/own-models.md, built for two tenants side by side."""

from __future__ import annotations

import re
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.config.slug import slug_of
from pipeline.publish.pointer import latest_run_id
from server.orchestration.forgetting import erase_with_record
from server.orchestration.verbs import build
from tests.end_to_end.project_fixture import Project, copy_project, open_project
from tests.end_to_end.small_shop import SMALL_TENANT, order, write_jsonl

PAGE = Path(__file__).resolve().parents[2] / "docs" / "own-models.md"
_BLOCK = re.compile(r"```\w+\n(?:--|#) (?P<path>\S+)\n(?P<text>.*?)```", re.DOTALL)
EXAMPLE = {found["path"]: found["text"] for found in _BLOCK.finditer(PAGE.read_text(encoding="utf-8"))}
MODEL = "models/fct_acme__subscriptions.sql"
TABLE = "fct_{}__subscriptions"
GLOBEX = EXAMPLE["tenants.yaml"].partition("tenants:\n")[2].replace("acme", "globex").replace("Acme", "Globex")


def _write(folder: Path) -> None:
    for slug in ("acme", "globex"):
        for path, text in EXAMPLE.items():
            if path != "tenants.yaml":
                file = folder / slug / path.replace("acme", slug)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text.replace("acme", slug), encoding="utf-8")
    of_acme = [("1", "10.50", "ann"), ("2", "20.00", "ann"), ("3", "30.25", "bob")]
    for slug, orders in (("acme", of_acme), ("globex", [("1", "99.00", "eve")])):
        found = [order(int(number), price, email=f"{name}@example.com") for number, price, name in orders]
        write_jsonl(folder / slug / "shop/orders.jsonl", found)


def recorded(project: Project, slug: str) -> list[tuple[Any, ...]]:
    """The own models and tests that the hub says are there now, with what they came to."""
    with duckdb.connect(str(project.settings.hub), read_only=True) as hub:
        return hub.execute(
            "select name, status, rows from run_results__current where project = ? order by resource_type, name",
            [f"own_models_{slug}"],
        ).fetchall()


def test_the_example_of_the_page_is_built_into_the_star_of_a_shop(small: Project, tmp_path: Path) -> None:
    models = "    models: [own/*.sql, own/*.yml]\n"
    project = copy_project(small, tmp_path, tenants=SMALL_TENANT + models)
    (tmp_path / "own").mkdir()
    for path, text in EXAMPLE.items():
        if path != "tenants.yaml":
            file = tmp_path / "own" / Path(path).name.replace("acme", "small_shop")
            file.write_text(text.replace("acme", "small_shop"), encoding="utf-8")
    project.build()
    sums = "select count(*), sum(renewals), sum(total_amount) from fct_small_shop__subscriptions"
    orders = (
        "select count(distinct customer_key), count(*), sum(total_price) from fct_small_shop__orders where is_valid"
    )
    assert rows(project, "small_shop", sums) == rows(project, "small_shop", orders) == [(3, 3, Decimal("60.75"))]
    asked = project.ask("small_shop", metrics=["subscriptions", "total_amount"])
    assert [[row[0], Decimal(row[1])] for row in asked["rows"]] == [[3, Decimal("60.75")]]
    assert recorded(project, "small_shop") == [
        ("fct_small_shop__subscriptions", "success", 3),
        ("accepted_values_fct_small_shop__subscriptions_currency", "pass", None),
        ("not_null_fct_small_shop__subscriptions_subscription_key", "pass", None),
        ("unique_fct_small_shop__subscriptions_subscription_key", "pass", None),
    ]
    ((in_order, timed, written_behind),) = times(project, "small_shop")
    assert (in_order, timed, written_behind) == (True, 4, True)


def times(project: Project, slug: str) -> list[tuple[Any, ...]]:
    """Of own models: did the run begin before its nodes, how many of these say when, and was that told behind it."""
    with duckdb.connect(str(project.settings.hub), read_only=True) as hub:
        return hub.execute(
            "select bool_and(ran.started_at <= node.started_at and node.started_at <= node.completed_at),"
            " count(node.completed_at), bool_and(node.completed_at <= node.recorded_at)"
            " from run_results__current as node join invocations__history as ran using (invocation_id)"
            " where node.project = ?",
            [f"own_models_{slug}"],
        ).fetchall()


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Two tenants with the example of the page. Read only: tests that change it take a copy."""
    folder = tmp_path_factory.mktemp("own_models")
    _write(folder)
    tenants = EXAMPLE["tenants.yaml"] + GLOBEX
    for slug in ("acme", "globex"):
        begin, _, rest = tenants.partition(f"slug: {slug}\n")
        rest = rest.replace("'shop/", f"'{slug}/shop/", 1).replace("[models/", f"[{slug}/models/", 1)
        tenants = f"{begin}slug: {slug}\n{rest.replace(', models/*.yml', f', {slug}/models/*.yml', 1)}"
    project = open_project(folder, tenants)
    project.build()
    return project


def rows(project: Project, slug: str, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(project.settings.stars(slug_of(slug))), read_only=True) as star:
        return star.execute(sql).fetchall()


@pytest.mark.long
def test_the_example_of_the_page_makes_a_table_with_the_rows_of_its_own_tenant(two: Project) -> None:
    sql = "select renewals, total_amount, currency from {} order by all"
    assert rows(two, "acme", sql.format(TABLE.format("acme"))) == [
        (1, Decimal("30.25"), "EUR"),
        (2, Decimal("30.50"), "EUR"),
    ]
    assert rows(two, "globex", sql.format(TABLE.format("globex"))) == [(1, Decimal("99.00"), "EUR")]
    for slug, other in (("acme", "globex"), ("globex", "acme")):
        tables = [name for (name,) in rows(two, slug, "select table_name from duckdb_tables()")]
        assert TABLE.format(slug) in tables
        assert not [name for name in tables if other in name]


@pytest.mark.long
def test_a_model_comes_changes_and_goes_with_its_file_and_a_broken_one_stops_its_tenant_alone(
    two: Project, tmp_path: Path
) -> None:
    project = copy_project(two, tmp_path)
    file = tmp_path / "acme" / MODEL
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("is_valid and", "total_price > 20 and"), encoding="utf-8")
    changed = project.build()
    assert {each.tenant: each.status for each in changed.tenants} == {"acme": "published", "globex": "unchanged"}
    assert rows(project, "acme", "select total_amount from fct_acme__subscriptions") == [(Decimal("30.25"),)]

    before = latest_run_id(project.settings.published(slug_of("acme")))
    file.write_text("select *\nfrom read_csv('/etc/passwd')\n", encoding="utf-8")
    report = build(project.context)
    acme, globex = report.tenants
    assert (str(acme.error).partition(": ")[0], globex.error) == (f"acme/{MODEL}:2", None)
    assert report.exit_code == 2
    file.write_text(text.replace("min(order_date)", "min(no_such)"), encoding="utf-8")
    (acme, globex) = build(project.context).tenants
    assert str(acme.error).startswith(f"acme/{MODEL}:7: fct_acme__subscriptions failed: Binder Error")
    assert globex.error is None
    assert latest_run_id(project.settings.published(slug_of("acme"))) == before

    shutil.rmtree(file.parent)
    file.parent.mkdir()
    project.build()
    assert rows(project, "acme", "select 1 from duckdb_tables() where table_name like '%subscriptions'") == []
    assert recorded(project, "acme") == []
    assert len(recorded(project, "globex")) == 4


@pytest.mark.long
def test_who_is_forgotten_is_in_no_own_table_either(two: Project, tmp_path: Path) -> None:
    project = copy_project(two, tmp_path)
    file = tmp_path / "acme" / MODEL
    file.write_text("select customer_email, count(*) as orders from {{ ref('fct_acme__orders') }} group by all")
    (file.parent / "subscriptions.yml").unlink()
    project.build()
    emails = "select orders from fct_acme__subscriptions where customer_email = 'ann@example.com'"
    assert rows(project, "acme", emails) == [(2,)]
    erase_with_record(project.context, "acme", "ann@example.com")
    assert rows(project, "acme", emails) == []
    assert rows(project, "acme", "select sum(orders) from fct_acme__subscriptions") == [(3,)]
    assert b"ann@example.com" not in project.settings.stars(slug_of("acme")).read_bytes()
