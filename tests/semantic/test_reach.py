"""Reach: which metrics and dimensions go together; no value is spread over a dimension that its fact lacks."""

from __future__ import annotations

import pytest

from pipeline.errors import NoJoinPath
from semantic.planning.reach import dimensions_for
from tests.semantic.hand_star import HandStar


def test_a_dimension_that_a_fact_lacks_is_refused_with_those_that_go_together(shop: HandStar) -> None:
    with pytest.raises(NoJoinPath) as refused:
        shop.ask(metrics=["spend"], dimensions=["geo_country"])
    assert refused.value.what == "spend cannot be cut or filtered by geo_country."
    assert "Cut spend by account, ad_group_id," in refused.value.fix
    assert "ask geo_country with attributed_revenue, average_order_value," in refused.value.fix


def test_a_filter_that_one_fact_of_a_ratio_lacks_is_refused_and_never_ignored(shop: HandStar) -> None:
    with pytest.raises(NoJoinPath, match="roas cannot be cut or filtered by geo_country"):
        shop.ask(metrics=["roas"], filters=[{"name": "geo_country", "op": "=", "value": "DE"}])


def test_a_metric_that_only_a_filter_names_must_have_the_dimensions_too(shop: HandStar) -> None:
    with pytest.raises(NoJoinPath, match="spend cannot be cut"):
        shop.ask(metrics=["sessions"], dimensions=["geo_country"], filters=[{"name": "spend", "op": ">", "value": 1}])


def test_accounts_of_a_shop_and_of_an_ad_platform_never_meet(shop: HandStar) -> None:
    with pytest.raises(
        NoJoinPath, match=r"account is not the same for spend \(ad account\) and orders \(shop account\)"
    ):
        shop.ask(metrics=["spend", "orders"], dimensions=["account"])
    assert [list(row.values()) for row in shop.table(metrics=["orders"], dimensions=["account"])] == [["main", 5]]


def test_every_dimension_listed_for_a_metric_can_be_asked_for(shop: HandStar) -> None:
    catalog = shop.model.catalog
    by_facts: dict[tuple[str, ...], str] = {}
    for name in catalog.askable_metrics:
        by_facts.setdefault(catalog.facts_of(name), name)
    for metric in by_facts.values():
        for dimension in dimensions_for(metric, catalog):
            assert shop.ask(metrics=[metric], dimensions=[dimension]).row_count > 0, (metric, dimension)


def test_every_metric_listed_can_be_asked_for(shop: HandStar) -> None:
    for name in shop.model.catalog.askable_metrics:
        assert shop.ask(metrics=[name]).row_count == 1


def test_order_lines_reach_what_their_order_reaches(shop: HandStar) -> None:
    rows = shop.table(metrics=["units_sold"], dimensions=["campaign_name"])
    assert [list(row.values()) for row in rows] == [["Alpha", 15], [None, 0]]
    rows = shop.table(metrics=["item_revenue"], dimensions=["product_name"])
    assert [list(row.values()) for row in rows] == [["Cap", 250], ["Mug", 200]]
