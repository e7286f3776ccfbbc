"""Suggestions for unknown names: a misspelling, synonym or near miss has the real name among the first three."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.errors import QueryError, UnknownName
from semantic.answering.dimension_values import dimension_values
from semantic.catalog.suggestions import nearest_values
from tests.semantic.hand_star import HandStar

METRICS = """
spent spend
cost spend
ad_spend spend
adSpend spend
total_spend spend
advertising_cost spend
ad_cost spend
media_budget spend
SPEND spend
spnd spend
impresions impressions
imps impressions
views impressions
click clicks
link_clicks clicks
conversions ad_conversions
conversion ad_conversions
total_conversions ad_conversions
leads ad_conversions
click_through_rate ctr
clickthrough_rate ctr
CTR_pct ctr
cost_per_click cpc
avg_cpc cpc
cost_per_mille cpm
cost_per_thousand_impressions cpm
cost_per_acquisition cost_per_conversion
cost_per_conv cost_per_conversion
CostPerConversion cost_per_conversion
cpa cost_per_conversion
revenue order_revenue
total_revenue order_revenue
sales order_revenue
umsatz order_revenue
turnover order_revenue
gmv order_revenue
net_revenue net_order_revenue
net_sales net_order_revenue
refunds_total refunded_amount
lifetime_value ltv_365
clv ltv_365
repeat_rate repeat_purchase_rate
customer_acquisition_cost cost_per_new_customer
conversion_value platform_conversion_value
refund_amount refunded_amount
aov average_order_value
avg_order_value average_order_value
average_basket_value average_order_value
order orders
order_count orders
purchases orders
transactions orders
number_of_orders orders
paid_orders valid_orders
customer_count customers
unique_customers customers
buyers customers
first_time_customers new_customers
new_buyers new_customers
quantity_sold units_sold
items_sold units_sold
units units_sold
product_revenue item_revenue
visits sessions
session_count sessions
sesions sessions
conversion_rates conversion_rate
conv_rate conversion_rate
cvr conversion_rate
session_conversion_rate conversion_rate
converted_sessions converting_sessions
users session_users
visitors session_users
unique_users session_users
avg_session_duration average_session_seconds
session_duration average_session_seconds
events_per_visit events_per_session
return_on_ad_spend roas
ROAS_total roas
blendedRoas blended_roas
mer blended_roas
event_count events
ads.spend spend
metrics.clicks clicks
"""
DIMENSIONS = """
campaign campaign_name
campaigns campaign_name
campaignName campaign_name
campaign_title campaign_name
campaigns.campaign_name campaign_name
campaing_name campaign_name
campaignid campaign_id
status campaign_status
platform ad_platform
adplatform ad_platform
ad_network ad_platform
network ad_platform
provider ad_platform
adset ad_group_name
ad_set_name ad_group_name
adgroup ad_group_name
source traffic_source
utm_source traffic_source
referrer traffic_source
medium traffic_medium
utm_medium traffic_medium
utm_campaign traffic_campaign
country geo_country
geo geo_country
visitor_country geo_country
region geo_country
device device_category
device_type device_category
product product_name
products.name product_name
category product_category
product_type product_category
order_status financial_status
payment_status financial_status
event event_name
weekday day_of_week
hour hour_of_day
coupon_code discount_codes
new_vs_returning customer_type
default_channel_group channel
delivery_country shipping_country
cohort_age months_since_first_order
event_type event_name
currency_code currency
day date
order_date date
created_at date
timestamp date
shop shop_platform
store_platform shop_platform
analytics_tool analytics_platform
account_name account
ad_account account
returning_customer is_customer
customer is_customer
"""
VALUES = [
    ("ad_platform", "google", "google_ads"),
    ("ad_platform", "Google Ads", "google_ads"),
    ("ad_platform", "googleads", "google_ads"),
    ("ad_platform", "GOOGLE_ADS", "google_ads"),
    ("ad_platform", "facebook", "facebook_ads"),
    ("ad_platform", "faceboook_ads", "facebook_ads"),
    ("ad_platform", "Facebook-Ads", "facebook_ads"),
    ("campaign_name", "alpha", "Alpha"),
    ("campaign_name", "Alfa", "Alpha"),
    ("campaign_name", "Alpha ", "Alpha"),
    ("campaign_name", "Alpha campaign", "Alpha"),
    ("traffic_source", "google.com", "google"),
    ("traffic_source", "direct", "(direct)"),
    ("traffic_source", "newsletters", "newsletter"),
    ("traffic_source", "news letter", "newsletter"),
    ("traffic_medium", "none", "(none)"),
    ("traffic_medium", "e-mail", "email"),
    ("attribution", "unmatched", "matched"),
    ("currency", "eur", "EUR"),
    ("product_name", "mug", "Mug"),
    ("product_name", "Caps", "Cap"),
]


def pairs(text: str) -> list[tuple[str, str]]:
    """What is asked for, and what is meant."""
    return [(asked, meant) for asked, meant in map(str.split, text.strip().splitlines())]


def offered(refused: QueryError) -> list[str]:
    """The names in `Did you mean a or b or c?`."""
    text = refused.fix.removeprefix("Did you mean ").removesuffix("?")
    return text.split(" or ")


@pytest.mark.parametrize(("asked", "meant"), pairs(METRICS))
def test_a_metric_by_another_name_is_in_the_first_three(shop: HandStar, asked: str, meant: str) -> None:
    with pytest.raises(UnknownName) as refused:
        shop.ask(metrics=[asked])
    assert meant in offered(refused.value)


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("revenue", "order_revenue"),
        ("umsatz", "order_revenue"),
        ("sales", "order_revenue"),
        ("conversions", "converting_sessions"),
        ("ltv", "ltv_365"),
        ("net_revenue", "net_order_revenue"),
        ("customer_acquisition_cost", "cost_per_new_customer"),
    ],
)
def test_the_words_that_people_use_first_lead_to_their_commonest_meaning(
    shop: HandStar, asked: str, meant: str
) -> None:
    with pytest.raises(UnknownName) as refused:
        shop.ask(metrics=[asked])
    assert offered(refused.value)[0] == meant


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("bounce_rate", "no source of the tenant says it. Nearest is events_per_session or average_session_seconds."),
        (
            "ROI",
            "it takes all costs, and only those of ads are known. Nearest is roas or platform_roas or gross_profit.",
        ),
        ("budget", "no source of the tenant says it. Nearest is spend."),
    ],
)
def test_a_metric_that_there_is_none_of_says_why_and_what_is_nearest(shop: HandStar, asked: str, said: str) -> None:
    with pytest.raises(UnknownName, match=f"There is no metric named '{asked}': {said}"):
        shop.ask(metrics=[asked])
    with pytest.raises(QueryError, match="Nearest is"):
        shop.ask(metrics=["orders"], filters=[{"name": asked, "op": ">", "value": 1}])


@pytest.mark.parametrize(("asked", "meant"), pairs(DIMENSIONS))
def test_a_dimension_by_another_name_is_in_the_first_three(shop: HandStar, asked: str, meant: str) -> None:
    with pytest.raises(QueryError) as refused:
        shop.ask(metrics=["orders"], dimensions=[asked])
    assert meant in offered(refused.value) or f'"dimensions": ["{meant}"]' in refused.value.fix
    with pytest.raises(QueryError) as refused:
        shop.ask(metrics=["orders"], filters=[{"name": asked, "op": "is_null"}])
    assert meant in offered(refused.value) or f'"dimensions": ["{meant}"]' in refused.value.fix
    with pytest.raises(UnknownName) as unlisted:
        dimension_values(asked, shop.model, shop.cursor)
    assert meant in offered(unlisted.value)


@pytest.mark.parametrize(("dimension", "asked", "meant"), VALUES)
@pytest.mark.parametrize("op", ["=", "in", "!=", "not_in"])
def test_a_value_written_otherwise_is_in_the_first_three(
    shop: HandStar, dimension: str, op: str, asked: str, meant: str
) -> None:
    metric = {"product_name": "units_sold", "currency": "spend", "geo_country": "sessions"}.get(dimension, "orders")
    value: Any = [asked] if op in ("in", "not_in") else asked
    with pytest.raises(UnknownName) as refused:
        shop.ask(metrics=[metric], filters=[{"name": dimension, "op": op, "value": value}])
    assert meant in offered(refused.value)


COUNTRIES = ("Australia", "Austria", "United States", "Spain", "Russia", "Cyprus", "Switzerland", "Netherlands")


@pytest.mark.parametrize("asked", ["US", "USA", "UK", "xx", "de", "ES"])
def test_a_code_is_never_taken_for_a_name_that_holds_its_letters(asked: str) -> None:
    assert nearest_values(asked, COUNTRIES) == []


@pytest.mark.parametrize(("asked", "meant"), [("Austira", "Austria"), ("the Netherlands", "Netherlands")])
def test_a_name_is_offered_for_one_that_is_near(asked: str, meant: str) -> None:
    assert meant in nearest_values(asked, COUNTRIES)


@pytest.mark.parametrize(("asked", "meant"), [("eu", "shop eu"), ("alphab", "alpha"), ("cap", "Caps"), ("CPc", "cpc")])
def test_short_values_are_found_whole_or_nearly(asked: str, meant: str) -> None:
    assert nearest_values(asked, ["shop eu", "alpha", "Caps", "cpc", "zeta"]) == [meant]


def test_values_that_differ_in_case_only_are_all_offered() -> None:
    assert nearest_values("ALPHA", ["alpha", "Alpha", "alpha 2", "zeta"]) == ["Alpha", "alpha", "alpha 2"]


def test_a_name_like_no_other_is_answered_with_a_list(shop: HandStar) -> None:
    with pytest.raises(UnknownName, match=r"Choose one of: .*spend|Choose one of: ad_conversions"):
        shop.ask(metrics=["zzzzqqq"])
