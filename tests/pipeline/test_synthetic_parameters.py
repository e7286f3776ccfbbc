"""The parameters of every connector: each does what it says, alone and beside others."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.synthetic.generate import generate
from tests.pipeline.raw_shop import (
    AD_GROUPS,
    ADS,
    ANALYTICS,
    CAMPAIGNS,
    DAYS,
    EVENTS,
    ORDERS,
    SHOPS,
    UNTIL,
    Parameters,
    Raw,
    tenant,
)

MOVED: Parameters = {
    **{name: {"daily_spend_mean": 200, "avg_ctr": 0.05, "cpc_mean": 4.0} for name in ADS},
    **{name: {"daily_orders_mean": 12 + 6 * place, "aov_mean": 40} for place, name in enumerate(SHOPS)},
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Raw:
    return Raw(tenant(*ADS, *SHOPS), tmp_path_factory.mktemp("plain"), days=21)


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Raw:
    """The same tenant, but for parameters of every ads platform and every shop."""
    return Raw(tenant(*ADS, *SHOPS, parameters=MOVED), tmp_path_factory.mktemp("moved"), days=21)


@pytest.fixture(scope="module")
def fewer(tmp_path_factory: pytest.TempPathFactory) -> Raw:
    """A day of the same tenant with fewer things of every kind."""
    parameters = {name: {"campaign_count": 3, "ad_group_count": 7} for name in ADS} | {
        name: {"product_count": 9 + place} for place, name in enumerate(SHOPS)
    }
    return Raw(tenant(*ADS, *SHOPS, parameters=parameters), tmp_path_factory.mktemp("fewer"), days=1)


@pytest.mark.parametrize("platform", ADS)
def test_parameters_of_every_ads_platform_do_what_they_say(platform: str, moved: Raw, plain: Raw, fewer: Raw) -> None:
    spend = f"select sum(spend) / count(distinct day) from {platform}"
    assert plain.one(spend) == pytest.approx(100, rel=0.12)
    assert 1.9 < moved.one(spend) / plain.one(spend) < 2.1
    ctr = f"select sum(clicks) / sum(impressions) from {platform}"
    assert (plain.one(ctr), moved.one(ctr)) == (pytest.approx(0.015, rel=0.15), pytest.approx(0.05, rel=0.15))
    assert moved.one(f"select sum(spend) / sum(clicks) from {platform}") == pytest.approx(4, rel=0.15)
    campaigns = f"select count(distinct id) from ({CAMPAIGNS[platform]})"
    assert (plain.one(campaigns), fewer.one(campaigns)) == (5, 3)
    if platform in AD_GROUPS:
        assert [raw.one(f"select count(*) from {AD_GROUPS[platform]}") for raw in (plain, fewer)] == [10, 7]


@pytest.mark.parametrize("platform", SHOPS)
def test_parameters_of_every_shop_do_what_they_say(platform: str, moved: Raw, plain: Raw, fewer: Raw) -> None:
    orders = f"select count(*) / 21 from ({ORDERS[platform]})"
    assert moved.one(orders) == pytest.approx(MOVED[platform]["daily_orders_mean"], rel=0.15)
    value = f"select avg(total) from ({ORDERS[platform]})"
    assert float(plain.one(value)) == pytest.approx(75, rel=0.25)
    assert float(moved.one(value)) == pytest.approx(40, rel=0.15)
    products = f"select count(distinct id) from {platform}__products"
    assert (plain.one(products), fewer.one(products)) == (50, 9 + SHOPS.index(platform))


def test_amazon_advertises_the_share_of_products_that_is_asked_for(tmp_path: Path) -> None:
    parameters = {"amazon_ads": {"sponsored_product_ratio": 0.8}, "woocommerce": {"product_count": 40}}
    raw = Raw(tenant("amazon_ads", "woocommerce", "mixpanel", parameters=parameters), tmp_path, days=1)
    assert raw.one("select count(distinct sku) from amazon_ads__sponsored_products_product_ads") == 32
    skus = "select sku from amazon_ads__sponsored_products_product_ads except select sku from woocommerce__products"
    assert not raw.ask(skus)


ANALYTICS_PARAMETERS = {
    "organic_traffic_ratio": 0.8,
    "conversion_rate": 0.1,
    "daily_event_count": 1000,
    "tracking_loss": 0.25,
    "funnel": {"return_after_purchase": 0.0},
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Raw]:
    """The shop that one analytics platform alone describes."""

    @cache
    def make(platform: str) -> Raw:
        one = tenant("facebook_ads", "shopify", platform, parameters={platform: ANALYTICS_PARAMETERS})
        return Raw(one, tmp_path_factory.mktemp(platform))

    return make


@pytest.mark.parametrize("platform", ANALYTICS)
def test_parameters_of_every_analytics_platform_do_what_they_say(platform: str, seen: Callable[[str], Raw]) -> None:
    raw, events = seen(platform), EVENTS[platform]
    by_name = dict(raw.ask(f"select name, count(*) from ({events}) group by all"))
    paid = raw.one(f"select count(*) from ({events}) where name = 'session_start' and medium = 'paid_social'")
    assert paid / by_name["session_start"] == pytest.approx(0.2, rel=0.1)
    assert by_name["purchase"] / by_name["session_start"] == pytest.approx(0.1, rel=0.15)
    assert sum(by_name.values()) / DAYS == pytest.approx(1000 * 0.75, rel=0.1)
    assert by_name["purchase"] / raw.one(f"select count(*) from ({ORDERS['shopify']})") == pytest.approx(0.75, rel=0.1)
    after = f"select count(*) from ({events}) as later semi join ({events}) as bought on bought.device = later.device"
    assert not raw.one(f"{after} and bought.name = 'purchase' and bought.moment + interval 31 minutes < later.moment")


def test_clicks_and_orders_asked_for_together_decide_how_many_visits_buy(tmp_path: Path) -> None:
    parameters = {"google_ads": {"daily_spend_mean": 500, "cpc_mean": 2.5}, "shopify": {"daily_order_count": 20}}
    raw = Raw(tenant("google_ads", "shopify", "google_analytics", parameters=parameters), tmp_path, days=28)
    assert raw.one("select sum(clicks) / 28 from google_ads") == pytest.approx(200, rel=0.08)
    assert raw.one(f"select count(*) / 28 from ({ORDERS['shopify']})") == pytest.approx(20, rel=0.1)


def test_analytics_sources_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    parameters = {"amplitude": {"conversion_rate": 0.1}, "mixpanel": {"conversion_rate": 0.2, "tracking_loss": 0.1}}
    with pytest.raises(ConfigError, match=r"acme gives conversion_rate twice, under amplitude and mixpanel.* Keep one"):
        generate(tenant("amplitude", "mixpanel", parameters=parameters), tmp_path, until=UNTIL)
    assert not list(tmp_path.iterdir())
