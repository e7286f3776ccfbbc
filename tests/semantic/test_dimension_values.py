"""The values of dimensions: listed by how often they occur, and looked up when a filter names one."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipeline.errors import QueryError, UnknownName
from semantic.answering.dimension_values import MAX_CACHED_VALUES, dimension_values
from tests.semantic.hand_star import HandStar


def test_values_come_most_frequent_first(shop: HandStar) -> None:
    assert dimension_values("ad_platform", shop.model, shop.cursor) == {
        "dimension": "ad_platform",
        "values": [{"value": "facebook_ads", "count": 4}, {"value": "google_ads", "count": 2}],
        "truncated": False,
        "rows_of": "ad_performance",
    }


def test_a_value_is_counted_in_the_rows_of_one_fact_that_is_named(shop: HandStar) -> None:
    campaigns = dimension_values("campaign_name", shop.model, shop.cursor)
    counted = (
        "select campaign_name, count(*) from fct_shop__ad_performance join dim_shop__campaigns using (campaign_key)"
    )
    assert campaigns["rows_of"] == "ad_performance"
    assert {each["value"]: each["count"] for each in campaigns["values"]} == dict(
        shop.sql(f"{counted} where campaign_name is not null group by all")
    )
    assert dimension_values("geo_country", shop.model, shop.cursor)["rows_of"] == "sessions"


def test_a_search_finds_text_in_any_case_and_a_limit_says_what_it_cut(shop: HandStar) -> None:
    assert [
        v["value"] for v in dimension_values("traffic_source", shop.model, shop.cursor, search="GOO")["values"]
    ] == ["google"]
    cut = dimension_values("traffic_source", shop.model, shop.cursor, limit=1)
    assert (len(cut["values"]), cut["truncated"]) == (1, True)


def test_days_and_flags_are_values_too(shop: HandStar) -> None:
    flags = dimension_values("is_customer", shop.model, shop.cursor)
    by_hand = "select is_customer, count(*) from fct_shop__sessions join dim_shop__users using (user_key) group by all"
    assert flags["rows_of"] == "sessions"
    assert {each["value"]: each["count"] for each in flags["values"]} == dict(shop.sql(by_hand))
    days = dimension_values("date", shop.model, shop.cursor, search="2026-04")
    assert (days["values"], days["rows_of"]) == ([{"value": "2026-04-02", "count": 0}], "ad_performance")  # of an order


def test_another_dimension_or_limit_is_refused(shop: HandStar) -> None:
    with pytest.raises(UnknownName, match="Did you mean ad_platform"):
        dimension_values("adplatform", shop.model, shop.cursor)
    with pytest.raises(QueryError, match="Choose from 1 to 10000"):
        dimension_values("ad_platform", shop.model, shop.cursor, limit=0)


def test_a_value_among_many_is_found_and_a_misspelt_one_is_answered_with_the_nearest(folder: Path) -> None:
    star = HandStar(folder)
    star.add(
        "sessions",
        *(
            {"session_date": date(2026, 1, 1), "user_key": "u", "traffic_campaign": f"campaign {n}"}
            for n in range(MAX_CACHED_VALUES + 10)
        ),
    )
    question = {"metrics": ["sessions"]}
    found = [{"name": "traffic_campaign", "op": "in", "value": ["campaign 17", "campaign 5001"]}]
    assert star.one("sessions", filters=found) == 2
    with pytest.raises(UnknownName, match="Did you mean campaign 4711"):
        star.ask(**question, filters=[{"name": "traffic_campaign", "value": "Campain 4711"}])
    star.close()


def test_a_dimension_with_some_values_is_read_once(folder: Path) -> None:
    star = HandStar(folder)
    star.add(
        "sessions",
        *({"session_date": date(2026, 1, 1), "user_key": "u", "traffic_campaign": f"c{n}"} for n in range(40)),
    )
    for _ in range(2):
        assert star.one("sessions", filters=[{"name": "traffic_campaign", "value": "c17"}]) == 1
    assert len(star.model.known_values["traffic_campaign"]) == 40
    star.close()
