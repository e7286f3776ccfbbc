"""Broken definitions stop before readers get them: what is missing, what repeats, what is circular, what cannot run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.errors import BuildError
from semantic.answering.validate import every_scan, validate_run
from semantic.definitions.derive import definitions_yaml, derive
from semantic.definitions.introspect import introspect
from tests.semantic.hand_star import HandStar, hand_shop

Tree = dict[str, Any]  # Any: a tree of YAML
FILTERED = {
    "brand_spend": {"metric": "spend", "filters": [{"name": "campaign_name", "op": "contains", "value": "alp"}]},
    "average_line": {"fact": "order_items", "column": "item_amount", "aggregate": "average"},
}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hand_shop(tmp_path_factory.mktemp("validate"), semantic={"metrics": FILTERED}).write()


def changed(published: Path, folder: Path, change: Callable[[Tree], object]) -> Path:
    """The run with other definitions and the same star."""
    definitions = yaml.safe_load((published / "semantic.yml").read_text(encoding="utf-8"))
    change(definitions)
    run_dir = folder / "20260415T000000000000Z_abcdef"
    run_dir.mkdir()
    (run_dir / "stars.duckdb").hardlink_to(published / "stars.duckdb")
    (run_dir / "semantic.yml").write_text(yaml.safe_dump(definitions), encoding="utf-8")
    return run_dir


def test_a_whole_catalog_is_let_through_with_every_metric_compiled(published: Path) -> None:
    model = validate_run(published)
    assert {"spend", "roas", "brand_spend", "average_line"} <= set(model.catalog.askable_metrics)


def test_every_measure_and_every_way_to_a_dimension_is_compiled_once_in_statements_of_bounded_size(
    published: Path,
) -> None:
    catalog = validate_run(published).catalog
    scans = list(every_scan(catalog))
    keys = [(scan.fact, key.name, path) for scan in scans for key, path in scan.keys]
    measures = [(scan.fact, measure) for scan in scans for measure in scan.measures]
    paths = [(fact, each.name, path) for each in catalog.dimensions.values() for fact, path in each.paths.items()]
    assert sorted(keys) == sorted(paths)
    assert sorted(measures) == sorted((str(each.fact), name) for name, each in catalog.metrics.items() if each.fact)
    assert max(max(len(scan.keys), len(scan.measures)) for scan in scans) == 12


def test_a_star_without_a_row_is_let_through(folder: Path) -> None:
    assert validate_run(HandStar(folder).write())


def _measure(fact: str, name: str, text: str) -> Callable[[Tree], object]:
    return lambda tree: tree["models"][fact]["measures"].__setitem__(name, text)


def _joined(tree: Tree, table: str, to: str) -> Tree:
    found: Tree = tree["models"][table]["joins"][to]
    return found


BROKEN: dict[str, tuple[Callable[[Tree], object], str]] = {
    "a measure of a column that is not there": (
        _measure("ad_performance", "spend", "_.spent.sum()"),
        "spend of ad_performance needs the column spent, which fct_shop__ad_performance does not have.",
    ),
    "a measure that ibis does not know": (
        _measure("ad_performance", "spend", "_.spend.summ()"),
        "spend does not compile",
    ),
    "a measure that DuckDB does not bind": (
        _measure("sessions", "session_users", "_.user_key.sum()"),
        "session_users does not compile",
    ),
    "a metric without its measure": (
        lambda tree: tree["models"]["orders"]["measures"].pop("orders"),
        "orders has no measure in orders.",
    ),
    "a metric made of another that is gone": (
        lambda tree: tree["metrics"].pop("clicks"),
        "which is no metric here.",
    ),
    "a metric made of itself": (
        lambda tree: tree["metrics"]["ctr"].update(expression="ctr / clicks"),
        "ctr is made of itself: ctr -> ctr.",
    ),
    "a metric that says it adds up and does not": (
        lambda tree: tree["metrics"]["customers"].update(adds_up="sum"),
        "customers is a count_distinct and says it adds up by sum.",
    ),
    "a name of a metric and a dimension": (
        lambda tree: tree["dimensions"].update(spend=tree["dimensions"]["ad_name"]),
        "spend is a metric and a dimension.",
    ),
    "a name that answers use": (
        lambda tree: tree["metrics"].update(x_share={**tree["metrics"]["ctr"]}),
        "x_share has a name that answers use",
    ),
    "a table that the star lacks": (
        lambda tree: tree["tables"].update(fct_shop__gone={"a": "VARCHAR"}),
        "The star has no table fct_shop__gone.",
    ),
    "a column of another type": (
        lambda tree: tree["tables"]["fct_shop__ad_performance"].update(clicks="DOUBLE"),
        "clicks of fct_shop__ad_performance is to be DOUBLE and is BIGINT.",
    ),
    "a join to nothing": (
        lambda tree: tree["models"]["orders"]["joins"].update(
            shops={"model": "shops", "type": "one", "left_on": "order_key", "right_on": "shop_key"}
        ),
        "orders joins shops, which is no model here.",
    ),
    "a join by a column that is not there": (
        lambda tree: _joined(tree, "orders", "campaigns").update(left_on="campaign"),
        "orders joins campaigns by campaign and campaign_key, which are not both there.",
    ),
    "joins in a circle": (
        lambda tree: tree["models"]["users"].update(
            joins={"orders": {"model": "orders", "type": "one", "left_on": "user_key", "right_on": "order_key"}}
        ),
        "Joins lead in a circle: users -> orders -> users.",
    ),
    "a way that does not exist": (
        lambda tree: tree["dimensions"]["campaign_name"]["paths"].update(ad_performance="users.campaign_name"),
        "campaign_name is not reached from ad_performance by users.campaign_name: ad_performance does not join users.",
    ),
    "a way to a table that lacks the dimension": (
        lambda tree: tree["dimensions"]["campaign_name"]["paths"].update(sessions="users.campaign_name"),
        "campaign_name is not reached from sessions by users.campaign_name.",
    ),
    "a selection over a column that is not there": (
        lambda tree: tree["models"]["ad_performance"]["selections"]["selected_by_brand_spend"][0].update(
            column="brand"
        ),
        "selected_by_brand_spend needs the column brand of campaigns, which is not there.",
    ),
    "a fact without a day": (
        lambda tree: tree["facts"]["orders"].update(date="customer_key"),
        "The fact orders has no day in customer_key.",
    ),
    "a join whose sides never meet": (
        lambda tree: next(r for r in tree["relationships"] if (r["from"], r["to"]) == ("orders", "campaigns")).update(
            rows_with_unknown_key=3
        ),
        "No campaign_key of orders is a campaign_key of campaigns: they do not join.",
    ),
    "definitions without metrics": (lambda tree: tree.pop("metrics"), "cannot be read"),
    "definitions of another version": (lambda tree: tree.update(version=99), "cannot be read"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_definitions_are_refused(published: Path, folder: Path, name: str) -> None:
    change, said = BROKEN[name]
    with pytest.raises(BuildError) as refused:
        validate_run(changed(published, folder, change))
    assert said in refused.value.what


@pytest.mark.parametrize("key", ["k1", None])
def test_a_join_key_that_repeats_or_is_empty_is_refused(folder: Path, key: str | None) -> None:
    star = hand_shop(folder)
    star.add("campaigns", {"campaign_key": key, "campaign_id": "1", "campaign_name": "Twice"})
    with pytest.raises(BuildError, match="campaign_key of dim_shop__campaigns is empty or repeated in 1 rows"):
        validate_run(star.write())


def test_a_key_that_the_other_table_lacks_is_counted_and_said(folder: Path) -> None:
    star = hand_shop(folder)
    star.rows["orders"][0]["campaign_key"] = "k9"
    assert validate_run(star.write())
    star = hand_shop(folder / "asked")
    star.rows["orders"][0]["campaign_key"] = "k9"
    said = "1 rows of orders have a campaign_key that campaigns lacks: there campaign_id is empty."
    assert said in star.ask(metrics=["orders"], dimensions=["campaign_id"]).notes[0]
    assert star.ask(metrics=["orders"], dimensions=["shop_platform"]).notes == ()
    star.close()


def test_definitions_derived_again_are_the_published_ones(published: Path, folder: Path) -> None:
    star = hand_shop(folder, semantic={"metrics": FILTERED})
    tables = tuple(star.tables.values())
    observed = introspect(published / "stars.duckdb", tables, "shop")
    assert definitions_yaml(derive(star.tenant, tables, observed)) == (published / "semantic.yml").read_text(
        encoding="utf-8"
    )
