"""Listings of metrics and dimensions, as callers read them."""

from __future__ import annotations

import json

import pytest

from pipeline.errors import QueryError
from semantic.answering.listing import list_briefly, list_metrics
from tests.semantic.hand_star import HandStar


def test_every_metric_comes_with_its_unit_type_and_dimensions(shop: HandStar) -> None:
    listed = list_metrics(shop.model)
    assert list(listed) == ["metrics", "dimensions"]
    by_name = {metric["name"]: metric for metric in listed["metrics"]}
    assert by_name["roas"] == {
        "name": "roas",
        "description": "Return on ad spend: revenue of visits attributed to a campaign, per unit of spend.",
        "unit": "ratio",
        "type": "number",
        "dimensions": [
            *("ad_platform", "campaign_id", "campaign_name", "campaign_status", "campaign_status_raw", "currency"),
            *("date", "day_of_week", "is_weekend", "month_of_year", "week_of_year"),
        ],
    }
    assert (by_name["spend"]["unit"], by_name["cac"]["unit"]) == ("EUR", "EUR")
    assert "session_events" not in by_name


def test_a_search_looks_at_names_and_descriptions(shop: HandStar) -> None:
    listed = list_metrics(shop.model, search="unit of SPEND")
    assert [metric["name"] for metric in listed["metrics"]] == ["blended_roas", "platform_roas", "roas"]
    assert "geo_country" not in [dimension["name"] for dimension in listed["dimensions"]]
    assert list_metrics(shop.model, search="weather") == {"metrics": [], "dimensions": []}


def test_pages_follow_each_other_to_the_end(shop: HandStar) -> None:
    whole = [metric["name"] for metric in list_metrics(shop.model)["metrics"]]
    seen: list[str] = []
    cursor = None
    while True:
        page = list_metrics(shop.model, limit=10, cursor=cursor)
        seen += [metric["name"] for metric in page["metrics"]]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert seen == whole
    for wrong in ("x", "-1", "9999", "²"):
        with pytest.raises(QueryError, match="is no cursor of this list"):
            list_metrics(shop.model, limit=10, cursor=wrong)
    with pytest.raises(QueryError, match="Choose 1 or more"):
        list_metrics(shop.model, limit=0)


def test_the_brief_list_says_all_of_the_long_one_in_a_third_of_the_room(shop: HandStar) -> None:
    long, brief = list_metrics(shop.model), list_briefly(shop.model)
    metrics = {name: said for names in brief["metrics_by_facts"].values() for name, said in names.items()}
    dimensions = {
        name: set(facts.split(", ")) for facts, names in brief["dimensions_by_facts"].items() for name in names
    }
    for metric in long["metrics"]:
        assert metrics[metric["name"]] == f"{metric['unit']}: {metric['description']}"
        [facts] = [set(f.split(", ")) for f, names in brief["metrics_by_facts"].items() if metric["name"] in names]
        assert {name for name, at in dimensions.items() if facts <= at} >= set(metric["dimensions"])
    assert len(metrics) == len(long["metrics"]) >= 70
    assert len(json.dumps(brief, separators=(",", ":"))) / 4 < 2200  # tokens, at four characters each


def test_a_search_describes_what_it_found_and_only_names_the_dimensions_of_its_metrics(shop: HandStar) -> None:
    found = list_briefly(shop.model, search="unit of spend")
    assert found["dimensions_by_facts"] == {}
    searched, named = found["notes"]
    assert searched == "Only what the search found is shown."
    assert named.startswith("Dimensions of these metrics: account, ad_group_id, ad_group_name, ad_id, ")
    country = list_briefly(shop.model, search="country")
    assert [name for named in country["dimensions_by_facts"].values() for name in named] == [
        "geo_country",
        "shipping_country",
    ]
