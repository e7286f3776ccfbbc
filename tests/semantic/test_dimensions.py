"""Dimensions of the trade: parts of a date, whose values are read in any spelling, and groups that sum to the total."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest

from pipeline.errors import QueryError, UnknownName
from semantic.answering.dimension_values import dimension_values
from semantic.catalog.vocabularies import conform
from tests.semantic.hand_star import HandStar, hand_shop
from tests.semantic.random_star import WEEKDAYS

SPEND = {"2026-01-10": 100, "2026-01-20": 50, "2026-02-05": 200, "2026-02-06": 0, "2026-02-07": 7, "2026-03-01": 3}
"""Of the hand-written shop, by day: Saturday, Tuesday, Thursday, Friday, Saturday, Sunday."""


def groups(shop: HandStar, metric: str, dimension: str, **query: Any) -> dict[Any, Any]:
    """The metric by group, in the order of the rows."""
    return {row[dimension]: row[metric] for row in shop.table(metrics=[metric], dimensions=[dimension], **query)}


def test_weekdays_are_listed_in_the_order_of_the_week_and_not_of_the_alphabet(shop: HandStar) -> None:
    by_day = {"Tuesday": 50, "Thursday": 200, "Friday": 0, "Saturday": 107, "Sunday": 3}
    assert list(groups(shop, "spend", "day_of_week").items()) == list(by_day.items())
    assert list(groups(shop, "spend", "day_of_week", order_by=["-day_of_week"])) == list(reversed(by_day))
    assert list(groups(shop, "spend", "day_of_week", order_by=["-spend"])) == [
        *("Thursday", "Saturday", "Tuesday", "Sunday", "Friday")
    ]


def test_a_week_that_begins_on_sunday_lists_sunday_first(folder: Any) -> None:
    shop = hand_shop(folder, week_start="sunday")
    assert list(groups(shop, "spend", "day_of_week")) == ["Sunday", "Tuesday", "Thursday", "Friday", "Saturday"]
    shop.close()


def test_the_other_parts_of_a_date_are_numbers_and_flags(shop: HandStar) -> None:
    assert list(groups(shop, "spend", "month_of_year").items()) == [(1, 150), (2, 207), (3, 3)]
    assert list(groups(shop, "spend", "week_of_year").items()) == [(2, 100), (4, 50), (6, 207), (9, 3)]
    assert groups(shop, "spend", "is_weekend") == {False: 250, True: 110}


@pytest.mark.parametrize(
    ("filter_", "spend"),
    [
        ({"name": "day_of_week", "op": "=", "value": "saturday"}, 107),
        ({"name": "day_of_week", "op": "not_in", "value": ["Saturday", "SUNDAY"]}, 250),
        ({"name": "is_weekend", "op": "=", "value": True}, 110),
        ({"name": "month_of_year", "op": "between", "value": [2, 3]}, 210),
        ({"name": "month_of_year", "op": "=", "value": "1"}, 150),
        ({"name": "week_of_year", "op": ">", "value": 5}, 210),
    ],
)
def test_a_filter_on_a_part_of_the_date_counts_its_days(shop: HandStar, filter_: dict[str, Any], spend: int) -> None:
    assert shop.one("spend", filters=[filter_]) == spend


@pytest.mark.parametrize("value", [1.5, "May", True])
def test_a_number_of_a_month_is_a_whole_one(shop: HandStar, value: Any) -> None:
    with pytest.raises(QueryError, match="month_of_year is a"):
        shop.one("spend", filters=[{"name": "month_of_year", "op": "=", "value": value}])


def test_the_parts_meet_across_facts_and_with_the_date_itself(shop: HandStar) -> None:
    rows = shop.table(metrics=["spend", "sessions"], dimensions=["day_of_week"])
    assert {row["day_of_week"]: (row["spend"], row["sessions"]) for row in rows}["Thursday"] == (200, 1)
    rows = shop.table(metrics=["spend"], dimensions=["date", "day_of_week"], time_grain="month")
    assert [(row["date"], row["day_of_week"]) for row in rows][:2] == [
        ("2026-01-01", "Tuesday"),
        ("2026-01-01", "Saturday"),
    ]


def test_a_metric_of_the_tenants_own_counts_the_days_of_its_filter(folder: Any) -> None:
    weekend = {"metric": "spend", "filters": [{"name": "day_of_week", "op": "in", "value": ["saturday", "Sunday"]}]}
    shop = hand_shop(folder, semantic={"metrics": {"weekend_spend": weekend}})
    assert shop.one("weekend_spend") == 110
    assert shop.model.catalog.metrics["weekend_spend"].note is None
    shop.close()


def test_the_values_of_a_part_are_those_that_the_data_have(shop: HandStar) -> None:
    listed = dimension_values("day_of_week", shop.model, shop.cursor)["values"]
    ads = Counter(WEEKDAYS[day] for day in (5, 1, 3, 4, 5, 6))
    assert {each["value"]: each["count"] for each in listed}.keys() >= ads.keys()
    months = dimension_values("month_of_year", shop.model, shop.cursor)["values"]
    assert sorted(each["value"] for each in months) == [1, 2, 3, 4]


def test_groups_of_any_dimension_add_up_to_the_total(shop: HandStar) -> None:
    catalog = shop.model.catalog
    for metric in ("spend", "orders", "order_revenue", "sessions", "session_revenue", "events", "units_sold"):
        total = shop.one(metric)
        for dimension in catalog.dimensions_of(catalog.facts_of(metric)):
            assert sum(groups(shop, metric, dimension).values()) == total, (metric, dimension)


@pytest.mark.parametrize(
    ("text", "country"),
    [
        *(
            ("US", "United States"),
            ("usa", "United States"),
            ("U.S.", "United States"),
            ("United states", "United States"),
        ),
        *(("UK", "United Kingdom"), ("GB", "United Kingdom"), ("Great  Britain", "United Kingdom")),
        *(("Deutschland", "Germany"), ("DEU", "Germany"), ("Alemania", "Germany"), ("Österreich", "Austria")),
        *(("Ivory Coast", "Côte d’Ivoire"), ("Cote d'Ivoire", "Côte d’Ivoire"), ("Turkey", "Türkiye")),
        *(("Czech Republic", "Czechia"), ("Bosnia and Herzegovina", "Bosnia & Herzegovina")),
        *(("Hong Kong SAR China", "Hong Kong"), ("Atlantis", "Atlantis"), ("(not set)", "(not set)")),
    ],
)
def test_a_country_is_known_by_code_name_and_common_name(text: str, country: str) -> None:
    assert conform(text, "country", None) == country


@pytest.mark.parametrize(
    ("text", "status"),
    [("ACTIVE", "active"), ("Enabled", "active"), ("enable", "active"), ("ARCHIVED", "removed"), ("on air", "on air")],
)
def test_a_status_is_known_by_our_word_and_by_the_platforms(text: str, status: str) -> None:
    assert conform(text, "campaign_status", None) == status


def test_what_is_in_the_data_is_never_read_as_something_else() -> None:
    assert conform("US", "country", ["US", "Spain"]) == "US"
    assert conform("us", "country", ["US", "Spain"]) == "US"
    assert conform("USA", "country", ["Spain"]) == "USA"  # an error names what was sent
    assert conform("ACTIVE", "campaign_status", ["ACTIVE", "active"]) == "ACTIVE"
    assert conform("paid search", "listed", ["Paid Search", "Direct"]) == "Paid Search"
    assert conform("Google", "folded", None) == "google"


@pytest.fixture
def world(folder: Any) -> HandStar:
    """A shop with conformed values of countries, channels and statuses."""
    world = HandStar(folder)
    world.add(
        "campaigns",
        {"campaign_key": "k1", "campaign_status": "active", "campaign_status_raw": "ENABLED"},
        {"campaign_key": "k2", "campaign_status": "active", "campaign_status_raw": "ACTIVE"},
        {"campaign_key": "k3", "campaign_status": "paused", "campaign_status_raw": "PAUSED"},
    )
    day = {"report_date": date(2026, 1, 10), "currency": "EUR"}
    world.add(
        "ad_performance", *({**day, "campaign_key": f"k{n}", "spend": spend} for n, spend in ((1, 5), (2, 7), (3, 11)))
    )
    visits = [
        ("United States", "Paid Search", "google"),
        ("Australia", "Direct", "(direct)"),
        (None, "Email", "letter"),
    ]
    world.add(
        "sessions",
        *(
            {"session_date": date(2026, 1, 10), "geo_country": country, "channel": channel, "traffic_source": source}
            for country, channel, source in visits
        ),
    )
    return world


@pytest.mark.parametrize(
    ("metric", "dimension", "value", "answer"),
    [
        ("spend", "campaign_status", "ACTIVE", 12),
        ("spend", "campaign_status", "enabled", 12),
        ("spend", "campaign_status_raw", "ENABLED", 5),
        ("sessions", "geo_country", "US", 1),
        ("sessions", "geo_country", "usa", 1),
        ("sessions", "geo_country", ["AU", "Vereinigte Staaten"], 2),
        ("sessions", "channel", "paid search", 1),
        ("sessions", "traffic_source", "Google", 1),
    ],
)
def test_a_filter_finds_a_value_in_any_spelling_and_says_which_one(
    world: HandStar, metric: str, dimension: str, value: Any, answer: int
) -> None:
    op = "in" if isinstance(value, list) else "="
    asked = world.ask(metrics=[metric], filters=[{"name": dimension, "op": op, "value": value}])
    assert asked.rows == ([answer],)
    (applied,) = asked.filters
    assert applied["value"] != value or dimension == "campaign_status_raw"


def test_a_search_for_a_code_finds_the_country_and_nothing_that_holds_its_letters(world: HandStar) -> None:
    def found(search: str) -> list[str]:
        listed = dimension_values("geo_country", world.model, world.cursor, search=search)["values"]
        return [each["value"] for each in listed]

    assert found("US") == ["United States"]
    assert found("usa") == ["United States"]
    assert found("aus") == ["Australia"]
    assert found("united") == ["United States"]


def test_a_country_without_a_row_is_refused_without_a_far_fetched_guess(world: HandStar) -> None:
    with pytest.raises(UnknownName) as refused:
        world.ask(metrics=["sessions"], filters=[{"name": "geo_country", "op": "=", "value": "UK"}])
    assert refused.value.near == ()
    assert refused.value.what == "There is no value of geo_country named 'UK'."
