"""Trails of columns through the models of a run, and how these are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.hand_models import CONTRACT, SINK, run_models
from warehouse.lineage.built_models import (
    BuiltModel,
    BuiltModels,
    RunModels,
    read_built_models,
    read_run_models,
    write_models,
)
from warehouse.lineage.column_trail import ColumnTrail
from warehouse.lineage.graph import Graph
from warehouse.run_dbt import macros_called

FIELD = "field:facebook_ads.facebook_insights.spend"


def with_model(model: BuiltModel) -> RunModels:
    """The models behind a hand-made star, and one more."""
    models = run_models("t")
    star = models.star.model_copy(update={"models": (*models.star.models, model)})
    return models.model_copy(update={"star": star})


def followed(models: RunModels, table: str, column: str) -> Graph:
    graph = Graph()
    ColumnTrail(models, graph).column(table, column)
    return graph


def test_a_table_of_a_tenants_own_leads_through_the_star_to_the_payload() -> None:
    own = BuiltModel(name="fct_t__weeks", sql="select sum(spend) as cost from fct_t__ad_performance")
    assert FIELD in followed(with_model(own), "fct_t__weeks", "cost").upstream("column:fct_t__weeks.cost")


def test_a_count_of_rows_leads_to_the_records_of_an_object() -> None:
    own = BuiltModel(name="fct_t__weeks", sql="select count(*) as n from fct_t__ad_performance")
    nodes = followed(with_model(own), "fct_t__weeks", "n").nodes
    assert [node.name for node in nodes.values()] == [
        "fct_t__weeks.n",
        "fct_t__ad_performance (rows)",
        "int_t__facebook_ads_facebook_insights (rows)",
        f"{SINK}[facebook_ads] (rows)",
        "facebook_ads.facebook_insights (records)",
    ]


def test_each_part_of_a_union_goes_through_its_own_engine() -> None:
    view = "int_t__facebook_ads_facebook_insights"
    union = BuiltModel(
        name="int_t__both",
        sql=f"select spend as n from {view} union all select clicks from {view}",
        reads=(view,),
        macros=("engine_one", "engine_two"),
    )
    sources = followed(with_model(union), "int_t__both", "n").sources["column:int_t__both.n"]
    assert sources == {f"column:{view}.spend": {"engine_one"}, f"column:{view}.clicks": {"engine_two"}}


def test_a_word_of_a_reference_table_leads_to_what_it_is_looked_up_by() -> None:
    rules = BuiltModel(name="int_t__rules", sql="select * from platform_ref__rules", reads=("platform_ref__rules",))
    fact = BuiltModel(
        name="fct_t__words",
        sql="select r.word from fct_t__ad_performance as a join int_t__rules as r on r.spend = a.spend",
        reads=("fct_t__ad_performance", "int_t__rules"),
    )
    models = with_model(rules)
    star = models.star.model_copy(update={"models": (*models.star.models, fact)})
    found = followed(models.model_copy(update={"star": star}), "fct_t__words", "word").upstream(
        "column:fct_t__words.word"
    )
    assert {FIELD, "reference:platform_ref__rules.word"} <= found


def test_a_sink_that_two_connectors_share_leads_to_the_one_whose_records_are_read() -> None:
    models = run_models("t")
    assert models.push is not None
    (pusher,) = models.push.models
    other = pusher.model_copy(
        update={
            "name": "stg_t__instagram_ads_facebook_insights",
            "sql": pusher.sql.replace("facebook_ads", "instagram_ads"),
        }
    )
    both = models.model_copy(update={"push": BuiltModels(models=(pusher, other))})
    nodes = followed(both, "fct_t__ad_performance", "spend").nodes
    (sink,) = (node for node in nodes.values() if node.kind == "sink_field")
    assert sink.name == f"{SINK}[facebook_ads].raw_data_payload.spend"
    assert sink.about["pushed_by"] == [pusher.name]


def test_a_field_that_no_contract_declares_is_a_column_of_the_loader() -> None:
    models = run_models("t")
    fields = {name: field for name, field in CONTRACT.fields.items() if name != "spend"}
    star = models.star.model_copy(update={"contracts": (CONTRACT.model_copy(update={"fields": fields}),)})
    nodes = followed(models.model_copy(update={"star": star}), "fct_t__ad_performance", "spend").nodes
    assert "landing:facebook_ads__facebook_insights.spend" in nodes


@pytest.mark.parametrize(
    ("text", "macros"),
    [
        ("{{ build_fct_orders(tenant='t') }}", ("build_fct_orders",)),
        (
            "{{ in_reporting_currency(fact=build_fct_orders(tenant='t')) }}",
            ("in_reporting_currency", "build_fct_orders"),
        ),
        (
            "select 1 from (\n    {{ engine_b() }}\n)\nunion all\nfrom (\n    {{ engine_a() }}\n)",
            ("engine_b", "engine_a"),
        ),
        ("select x from y order by {{ version_order('y') }}", ()),
        ("{{ config(post_hook=['{{ engine_a() }}']) }}\n{{ engine_b() }}", ("engine_b",)),
        ("{{ ref('engine_a') }}", ()),
    ],
)
def test_the_macros_of_a_model_are_those_that_make_its_select(text: str, macros: tuple[str, ...]) -> None:
    names = ("build_fct_orders", "in_reporting_currency", "engine_a", "engine_b", "version_order")
    assert macros_called(text, [f"macro.stars_t.{name}" for name in names]) == macros


def test_models_are_kept_in_the_same_bytes_and_a_damaged_file_holds_none(tmp_path: Path) -> None:
    one, two = tmp_path / "one.gz", tmp_path / "two.gz"
    for path in (one, two):
        write_models(path, run_models("t"))
    assert one.read_bytes() == two.read_bytes()
    assert read_run_models(one) == run_models("t")
    one.write_bytes(two.read_bytes()[:100])
    assert read_run_models(one) is None
    assert read_run_models(tmp_path / "none.gz") is None
    assert read_built_models(two) is None  # of another form
