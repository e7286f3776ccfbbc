"""Dimensions of the trade over generated exports of every connector: each answer against SQL written by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipeline.synthetic.arrays.names import TOWNS
from tests.end_to_end.three_stores import STORES, Stores

pytestmark = pytest.mark.long  # builds stores of all connectors

Groups = dict[Any, int]
ZONES = {"north_store": "America/New_York", "east_store": "Asia/Tokyo", "west_store": "Europe/Berlin"}
OF_A_VISIT = ("channel", "geo_country", "device_category")
OF_AN_ORDER = ("customer_type", "days_since_first_order", "months_since_first_order", "shipping_country")
PARTS = ("day_of_week", "is_weekend", "week_of_year", "month_of_year")
CHANNELS = """
    case
        when source is null and medium is null and campaign is null then 'Direct'
        when source = '(direct)' and coalesce(medium, '(none)') in ('(none)', '(not set)') then 'Direct'
        when campaign like '%cross-network%' then 'Cross-network'
        when (medium like '%cp%' or medium = 'ppc' or medium = 'retargeting' or medium like 'paid%') then
            case
                when source like '%amazon%' or campaign like '%shopping%' or campaign like 'shop%'
                    or regexp_matches(campaign, '[^a-df-z]shop') then 'Paid Shopping'
                when source in ('google', 'bing') then 'Paid Search'
                when regexp_matches(source, 'facebook|instagram|tiktok|linkedin') then 'Paid Social'
                when medium in ('cpm') then 'Display'
                else 'Paid Other'
            end
        when campaign like '%shopping%' or campaign like 'shop%' or regexp_matches(campaign, '[^a-df-z]shop')
            then 'Organic Shopping'
        when source in ('google', 'bing') or medium = 'organic' then 'Organic Search'
        when medium = 'social' or regexp_matches(source, 'facebook|instagram|tiktok|linkedin') then 'Organic Social'
        when medium = 'referral' then 'Referral'
        when medium = 'email' then 'Email'
        else 'Unassigned'
    end"""
"""The channels of the sources that the simulated shop has."""


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def groups(stores: Stores, store: str) -> Callable[..., Groups]:
    """A count by one dimension, as an answer says it."""

    def found(metric: str, dimension: str, **query: Any) -> Groups:
        rows = stores.project.ask(store, metrics=[metric], dimensions=[dimension], limit=10_000, **query)["rows"]
        return dict(rows)

    return found


@pytest.fixture
def by_hand(stores: Stores, store: str) -> Callable[[str], Groups]:
    """Groups from SQL over the star."""
    return lambda sql: dict(stores.star(store, sql))


def test_groups_of_every_new_dimension_add_up_to_the_total(
    groups: Callable[..., Groups], stores: Stores, store: str
) -> None:
    facts = {
        "orders": (*PARTS, "hour_of_day", *OF_A_VISIT, *OF_AN_ORDER, "discount_codes", "order_status_raw"),
        "units_sold": (*PARTS, "hour_of_day", *OF_A_VISIT, *OF_AN_ORDER),
        "sessions": (*PARTS, "hour_of_day", *OF_A_VISIT),
        "events": (*PARTS, "hour_of_day", *OF_A_VISIT),
        "impressions": (*PARTS, "campaign_status", "campaign_status_raw"),
    }
    for metric, dimensions in facts.items():
        total = stores.project.number(store, metric)
        assert total > 0
        for dimension in dimensions:
            assert sum(groups(metric, dimension).values()) == total, (metric, dimension)


def test_an_active_campaign_is_active_whatever_its_platform_calls_it(
    groups: Callable[..., Groups], by_hand: Callable[[str], Groups]
) -> None:
    active = [{"name": "campaign_status", "op": "=", "value": "ACTIVE"}]
    expected = by_hand(
        """select source_platform, sum(impressions)::bigint from fct_ad_performance left join dim_campaigns as c
        using (campaign_key, source_platform)
        where upper(c.campaign_status_raw) in ('ACTIVE', 'ENABLED', 'ENABLE') group by 1"""
    )
    assert groups("impressions", "ad_platform", filters=active) == expected
    assert len(expected) > 1


def test_orders_are_cut_by_what_their_visit_knows_and_those_without_one_stay(
    groups: Callable[..., Groups], by_hand: Callable[[str], Groups]
) -> None:
    for dimension in OF_A_VISIT:
        expected = by_hand(
            f"""select s.{dimension}, count(*) from fct_orders as o left join fct_sessions as s using (session_id)
            group by 1"""
        )
        assert groups("orders", dimension) == expected
        assert len(expected) > 1


def test_a_channel_is_that_of_source_medium_and_campaign(
    groups: Callable[..., Groups], by_hand: Callable[[str], Groups]
) -> None:
    expected = by_hand(
        f"""select {CHANNELS}, count(*) from (select lower(traffic_source) as source, lower(traffic_medium) as medium,
        lower(traffic_campaign) as campaign from fct_sessions) group by 1"""
    )
    assert groups("sessions", "channel") == expected
    assert {"Direct", "Email", "Organic Search"} < expected.keys()


def test_hours_and_weekdays_are_those_of_the_tenants_clock(
    groups: Callable[..., Groups], by_hand: Callable[[str], Groups], store: str
) -> None:
    for metric, fact, moment in (("sessions", "sessions", "started_at"), ("orders", "orders", "ordered_at")):
        local = f"timezone('{ZONES[store]}', timezone('UTC', {moment}))"
        hours = by_hand(f"select hour({local}), count(*) from fct_{fact} group by 1")
        assert groups(metric, "hour_of_day") == hours
        days = by_hand(f"select dayname({local}), count(*) from fct_{fact} group by 1")
        assert groups(metric, "day_of_week") == days


def test_customers_are_new_once_and_then_return(
    groups: Callable[..., Groups], by_hand: Callable[[str], Groups]
) -> None:
    counted = "from fct_orders where is_valid and customer_key is not null"
    number = "row_number() over (partition by customer_key order by ordered_at, order_key)"
    expected = by_hand(
        f"""select customer_type, count(*) from (
            select if({number} = 1, 'new', 'returning') as customer_type {counted}) group by 1"""
    )
    found = groups("orders", "customer_type")
    assert {key: count for key, count in found.items() if key is not None} == expected
    ages = by_hand(
        f"""select age, count(*) from (
            select order_date - min(order_date) over (partition by customer_key) as age {counted}) group by 1"""
    )
    aged = groups("valid_orders", "days_since_first_order")
    assert {age: count for age, count in aged.items() if age is not None} == ages


def test_countries_have_one_english_name_whatever_the_tool_sends(groups: Callable[..., Groups], store: str) -> None:
    countries = {country for country in groups("sessions", "geo_country") if country}
    assert countries <= {town.country for town in TOWNS}
    shipped = groups("orders", "shipping_country")
    assert (shipped.keys() == {None}) == (store == "west_store")  # BigCommerce keeps it apart from the order
    usa = groups("sessions", "geo_country", filters=[{"name": "geo_country", "op": "=", "value": "US"}])
    assert usa.keys() == {"United States"}


def test_codes_of_discounts_are_one_value_per_order(groups: Callable[..., Groups]) -> None:
    codes = groups("orders", "discount_codes")
    assert {None} < codes.keys() <= {None, "BASKET10", "WELCOME10"}
