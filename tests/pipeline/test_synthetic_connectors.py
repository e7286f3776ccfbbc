"""One simulated shop as every connector shows it: the views agree with each other, each is in its vendor's shape."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipeline.config.accounts import Account
from pipeline.config.tenant import Tenant
from pipeline.contracts.connector import Connector
from pipeline.errors import ConfigError
from pipeline.synthetic.arrays.money import decimals_of, minor_units
from pipeline.synthetic.generate import generate
from pipeline.synthetic.model.view import find_view
from tests.pipeline.raw_shop import (
    ADS,
    ANALYTICS,
    CAMPAIGNS,
    CATALOG,
    DAYS,
    EVENTS,
    ORDERS,
    ROOT,
    SHOPS,
    UNTIL,
    Raw,
    source,
    tenant,
)


@pytest.fixture(scope="module")
def mart(tmp_path_factory: pytest.TempPathFactory) -> Raw:
    """A tenant that has everything."""
    return Raw(tenant(), tmp_path_factory.mktemp("mart"))


@pytest.mark.parametrize("platform", sorted(CATALOG))
def test_every_object_of_every_connector_is_made_and_satisfies_its_contract(platform: str, mart: Raw) -> None:
    connector = CATALOG[platform]
    assert {name for each, _, name in mart.files if each == platform} == set(connector.objects)
    for name in connector.objects:
        if not mart.files[platform, "main", name][0].name.endswith(".jsonl"):
            continue
        sample = mart.records(platform, name)
        assert sample
        for record in sample[:: len(sample) // 200 + 1]:
            parsed = connector.contracts[name].model_validate(record)
            assert not parsed.model_extra


@pytest.mark.parametrize("platform", ADS)
@pytest.mark.parametrize("analytics", ANALYTICS)
def test_clicks_of_a_campaign_are_the_visits_it_brought(platform: str, analytics: str, mart: Raw) -> None:
    view = find_view(platform)
    assert view
    assert view.channel
    visits = f"""
        select campaigns.id, count(*) from ({EVENTS[analytics]}) as events
        join ({CAMPAIGNS[platform]}) as campaigns on campaigns.name = events.campaign
        where events.name = 'session_start' and source = '{view.channel.source}' and medium = '{view.channel.medium}'
        group by all order by all
    """
    clicks = f"select campaign_id, sum(clicks) as clicks from {platform} group by all having clicks > 0 order by all"
    assert mart.ask(clicks) == mart.ask(visits)
    assert len(mart.ask(clicks)) == 5


def test_the_pairs_that_links_say_are_those_that_attribution_knows() -> None:
    known = (ROOT / "warehouse/seeds/platform_ref__traffic_platforms.csv").read_text(encoding="utf-8").splitlines()
    for platform in ADS:
        view = find_view(platform)
        assert view
        assert view.channel
        assert f"{view.channel.source},{view.channel.medium},{platform}" in known


def test_analytics_platforms_see_the_same_visits(mart: Raw) -> None:
    seen = {
        name: mart.ask(f"""
            select name, count(*), count(distinct device), count(distinct person), count(order_id),
                sum(revenue::decimal(18, 2)), date_trunc('second', min(moment))
            from ({sql}) where name in ('session_start', 'view_item', 'add_to_cart', 'begin_checkout', 'purchase')
            group by all order by all
        """)
        for name, sql in EVENTS.items()
    }
    assert len(seen["google_analytics"]) == 5
    assert seen["google_analytics"] == seen["amplitude"]
    assert [row[:6] for row in seen["mixpanel"]] == [row[:6] for row in seen["amplitude"]]


def test_orders_of_all_shops_are_the_purchases_that_analytics_saw(mart: Raw) -> None:
    orders = " union all ".join(f"select id, total from ({ORDERS[name]})" for name in SHOPS)
    wanted = mart.ask(f"select count(*), sum(total), count(distinct id) from ({orders})")[0]
    assert wanted[0] > 100
    for sql in EVENTS.values():
        bought = f"select order_id, revenue::decimal(18, 2) as revenue from ({sql}) where name = 'purchase'"
        assert mart.ask(f"select count(*), sum(revenue), count(distinct order_id) from ({bought})")[0] == wanted
        assert (
            mart.one(f"select count(*) from ({orders}) join ({bought}) on id = order_id and total = revenue")
            == wanted[0]
        )


@pytest.mark.parametrize("platform", SHOPS)
def test_what_stripe_took_and_gave_back_is_what_the_orders_say(platform: str, mart: Raw) -> None:
    """By the ids that the orders keep: of a charge, or of a payment intent."""
    sql = f"""
        with orders as ({ORDERS[platform]}),
        charges as (select * from stripe__charges where status = 'succeeded')
        select count(*), count(charges.id), bool_and(orders.total = charges.amount_captured / 100),
            bool_and(orders.refunded = charges.amount_refunded / 100),
            bool_and(orders.is_paid = (charges.id is not null)),
            sum(case when is_paid then orders.total - orders.refunded end),
            sum(charges.amount_captured - charges.amount_refunded) / 100
        from orders left join charges on orders.payment in (charges.id, charges.payment_intent)
    """
    orders, charges, same_total, same_refund, paid_are_charged, kept, captured = mart.ask(sql)[0]
    assert 0 < charges <= orders == mart.one(f"select count(*) from ({ORDERS[platform]})")
    assert (same_total, same_refund, paid_are_charged) == (True, True, True)
    assert float(kept) == pytest.approx(captured)


def test_some_payments_fail_before_one_succeeds(mart: Raw) -> None:
    attempts = mart.ask("""
        select list(status order by created), sum(amount_captured) / any_value(amount), count(distinct id) = count(*),
            bool_and((failure_code is not null) = (status = 'failed')), bool_and(paid = (status = 'succeeded'))
        from stripe__charges group by payment_intent
    """)
    ways = {tuple(statuses) for statuses, *_ in attempts}
    assert {("succeeded",), ("failed", "succeeded")} <= ways <= {("succeeded",), ("failed", "succeeded"), ("failed",)}
    for statuses, captured, *right in attempts:
        assert captured == statuses.count("succeeded")
        assert all(right)


def test_woocommerce_keeps_the_payment_in_three_ways(mart: Raw) -> None:
    ways = {
        (*(meta["key"] for meta in order["meta_data"]), order["transaction_id"][:3])
        for order in mart.records("woocommerce", "orders")
        if order["transaction_id"]
    }
    assert ways == {("_stripe_charge_id", "ch_"), ("_stripe_intent_id", "pi_"), ("ch_",)}


def test_reports_of_one_platform_agree_with_each_other(mart: Raw) -> None:
    numbers = "sum(spend::decimal(18, 2)), sum(impressions::bigint), sum(clicks::bigint), sum(conversions::double)"
    bing = "select sum(Spend::decimal(18, 2)), sum(Impressions::bigint), sum(Clicks::bigint), sum(Conversions::double)"
    levels = ("account", "campaign", "ad_group", "ad")
    sums = [mart.ask(f"{bing} from bing_ads__{level}_performance_report") for level in levels]
    assert sums == [mart.ask(f"select {numbers} from bing_ads")] * 4
    amazon = "select sum(cost)::decimal(18, 2), sum(impressions), sum(clicks), sum(purchases7d)::double"
    assert mart.ask(f"{amazon} from amazon_ads__sponsored_products_campaign_report") == mart.ask(
        f"{amazon} from amazon_ads__sponsored_products_advertised_product_report"
    )
    linkedin = """
        select sum(costInLocalCurrency::decimal(18, 2)), sum(impressions), sum(clicks), sum(externalWebsiteConversions)
        from linkedin_ads__ad_analytics"""
    assert mart.ask(linkedin) == mart.ask(linkedin + "_by_campaign")
    tiktok = """
        select left({0}, 10) as day, dimensions.ad_id, sum(metrics.spend::decimal(18, 2)),
            sum(metrics.impressions::bigint), sum(metrics.clicks::bigint), sum(metrics.conversion::bigint)
        from tiktok_ads__ads_reports_{1} where {0} >= '2026-02-21' group by all order by all"""
    hours = mart.ask(tiktok.format("dimensions.stat_time_hour::varchar", "hourly"))
    assert hours == mart.ask(tiktok.format("dimensions.stat_time_day::varchar", "daily"))
    assert len({day for day, *_ in hours}) == 8


def test_a_bigcommerce_orders_lines_are_its_total(mart: Raw) -> None:
    lines = """
        select order_id,
            sum(total_ex_tax::decimal(18, 4) - coalesce(applied_discounts[1].amount::decimal(18, 4), 0)) as worth
        from bigcommerce__order_products group by all"""
    apart = f"""
        select count(*) filter (worth is distinct from total_ex_tax::decimal(18, 4)), count(*)
        from bigcommerce__orders as orders left join ({lines}) as lines on lines.order_id = orders.id"""
    wrong, orders = mart.ask(apart)[0]
    assert wrong == 0 < orders


# What vendors say differently


def test_a_bing_report_has_lines_around_its_rows_and_shares_in_percent(mart: Raw) -> None:
    text = mart.files["bing_ads", "main", "campaign_performance_report"][0].read_text(encoding="utf-8")
    lines = text.splitlines()
    assert lines[0] == '\ufeff"Report Name: campaign_performance_report"'
    assert (lines[9], lines[-2]) == ("", "")
    assert lines[-1] == '"@2026 Microsoft Corporation. All rights reserved. "'
    assert lines[10].startswith('"TimePeriod","AccountId"')
    assert f'"Rows: {len(lines) - 13}"' in lines
    row = dict(zip(lines[10].split(","), lines[11].split(","), strict=True))
    shown, clicked = (int(row[f'"{name}"'].strip('"')) for name in ("Impressions", "Clicks"))
    assert row['"Ctr"'] == f'"{clicked / shown:.2%}"'


def test_ids_are_in_the_vendors_form(mart: Raw) -> None:
    (customer,) = mart.records("google_ads", "customers")
    assert len(customer["customer"]["id"]) == 10
    ad = mart.records("google_ads", "ads")[0]
    group, name = ad["adGroup"]["id"], ad["adGroupAd"]["ad"]["id"]
    assert ad["adGroupAd"]["resourceName"] == f"customers/{customer['customer']['id']}/adGroupAds/{group}~{name}"
    assert len(mart.records("tiktok_ads", "ads")[0]["ad_id"]) == 19
    creative, campaign = (
        mart.records("linkedin_ads", name)[0]["pivotValues"] for name in ("ad_analytics", "ad_analytics_by_campaign")
    )
    assert creative[0].startswith("urn:li:sponsoredCreative:")
    assert campaign[0].startswith("urn:li:sponsoredCampaign:")
    listed = mart.records("amazon_ads", "sponsored_products_product_ads")[0]
    reported = mart.records("amazon_ads", "sponsored_products_advertised_product_report")[0]
    assert isinstance(listed["adId"], str)
    assert isinstance(reported["adId"], int)


def test_conversions_of_google_ads_have_fractions_while_some_are_not_told_yet(mart: Raw) -> None:
    told = mart.ask("select day, bool_and(conversions = round(conversions)) from google_ads group by all order by all")
    assert [is_whole for _, is_whole in told[:-7]] == [True] * (DAYS - 7)
    assert not all(is_whole for _, is_whole in told[-7:])


def test_before_they_are_known_visitors_are_their_device(mart: Raw) -> None:
    people = {person["$distinct_id"] for person in mart.records("mixpanel", "people")}
    events = mart.records("mixpanel", "events")
    named = [event["properties"] for event in events if "$user_id" in event["properties"]]
    assert named
    assert all(each["distinct_id"] == each["$user_id"] for each in named)
    assert {each["$user_id"] for each in named} <= people
    others = [event["properties"] for event in events if "$user_id" not in event["properties"]]
    assert {each["distinct_id"] for each in others} == {
        f"$device:{each['$device_id']}" if "$device_id" in each else "" for each in others
    }
    assert any("revenue" in event["properties"] for event in events)
    assert all(("order_id" in event["properties"]) == (event["event"] == "purchase") for event in events)
    users = mart.records("amplitude", "users")
    assert mart.one("select count(distinct amplitude_id) from amplitude__events") == len(users)
    assert any(user.get("properties", {}).get("email", "").endswith("@mail.example") for user in users)
    assert len({event["uuid"] for event in mart.records("amplitude", "events")}) == len(
        {event["$insert_id"] for event in mart.records("amplitude", "events")}
    )


# Zones and currencies


def test_every_vendor_tells_time_its_own_way(tmp_path: Path) -> None:
    zone = ZoneInfo("Asia/Tokyo")
    platforms = ("bigcommerce", "woocommerce", "mixpanel", "amplitude", "tiktok_ads", "linkedin_ads")
    accounts = {name: (Account(timezone="Asia/Tokyo"),) for name in platforms}
    raw = Raw(tenant(*platforms, accounts=accounts, zone="America/New_York"), tmp_path, days=7)
    for order in raw.records("woocommerce", "orders"):
        site, gmt = (datetime.fromisoformat(order[name]) for name in ("date_created", "date_created_gmt"))
        assert gmt.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None) == site
    placed = {
        order["id"]: parsedate_to_datetime(order["date_created"]) for order in raw.records("bigcommerce", "orders")
    }
    bought = {
        int(event["properties"]["order_id"]): datetime.fromtimestamp(event["properties"]["time"], UTC)
        for event in raw.records("mixpanel", "events")
        if event["event"] == "purchase"
    }
    assert placed.keys() & bought.keys()
    for number in placed.keys() & bought.keys():  # an old project: its seconds are those of its own clock
        assert bought[number].replace(tzinfo=None) == placed[number].astimezone(zone).replace(tzinfo=None)
    events = f"select max(moment), min(moment) from ({EVENTS['amplitude']})"
    last, first = raw.ask(events)[0]
    assert timedelta(0) < datetime.fromisoformat("2026-02-28 15:00:00") - last < timedelta(hours=3)  # midnight in Tokyo
    assert first >= datetime.fromisoformat("2026-02-21 15:00:00")
    days = "select count(distinct day), min(day), max(day) from {}"
    expected = [(7, date(2026, 2, 22), date(2026, 2, 28))]
    assert raw.ask(days.format("tiktok_ads")) == raw.ask(days.format("linkedin_ads")) == expected
    clicks = "select sum(clicks) from {} where day = '2026-02-25'"
    visits = f"""
        select count(*) from ({EVENTS["amplitude"]})
        where name = 'session_start' and source = '{{}}' and {{}}::date = '2026-02-25'
    """
    assert raw.one(clicks.format("linkedin_ads")) == raw.one(visits.format("linkedin", "moment"))
    assert raw.one(clicks.format("tiktok_ads")) == raw.one(visits.format("tiktok", "(moment + interval 9 hour)"))


def test_amounts_are_those_that_each_currency_has(tmp_path: Path) -> None:
    stores = (Account(name="jp", currency="JPY"), Account(name="kw", currency="KWD"))
    accounts = {
        "woocommerce": stores,
        "tiktok_ads": (Account(currency="JPY"),),
        "google_ads": (Account(currency="EUR"),),
    }
    names = ("woocommerce", "tiktok_ads", "google_ads", "stripe", "google_analytics")
    raw = Raw(tenant(*names, accounts=accounts, parameters={"woocommerce": {"aov_mean": 9000}}), tmp_path, days=10)
    for order in raw.records("woocommerce", "orders", "jp"):
        amounts = [order["total"], order["total_tax"], *(line["total"] for line in order["line_items"])]
        assert all(amount.isdecimal() for amount in [*amounts, *(each["total"][1:] for each in order["refunds"])])
    assert all(len(order["total"].split(".")[1]) == 3 for order in raw.records("woocommerce", "orders", "kw"))
    charged = f"""
        select orders.currency, count(*),
            bool_and(amount = total * case orders.currency when 'JPY' then 1 else 1000 end)
        from stripe__charges join ({ORDERS["woocommerce"]}) as orders
        on orders.id = stripe__charges.metadata.order_id::varchar and lower(orders.currency) = stripe__charges.currency
        group by all order by all
    """
    (_, in_yen, yen_right), (_, in_dinars, dinars_right) = raw.ask(charged)
    assert in_yen + in_dinars == raw.one("select count(*) from stripe__charges")
    assert (yen_right, dinars_right) == (True, True)
    assert raw.one("select bool_and(metrics.spend::varchar not like '%.%') from tiktok_ads__ads_reports_daily")
    assert raw.one("select customer.currencyCode from google_ads__customers") == "EUR"
    both = raw.ask(f"""
        select count(*), sum(total), sum(revenue::decimal(18, 2)) from ({ORDERS["woocommerce"]}) as orders
        join ({EVENTS["google_analytics"]}) as events on orders.id = events.order_id where events.name = 'purchase'""")[
        0
    ]
    assert both[0] == raw.one(f"select count(*) from ({ORDERS['woocommerce']})")
    assert both[1] == both[2]


def test_currencies_have_the_decimals_of_the_seed_that_engines_read() -> None:
    rows = (ROOT / "warehouse/seeds/platform_ref__currencies.csv").read_text(encoding="utf-8").split()[1:]
    for currency, exponent, stripe_exponent in (row.split(",") for row in rows):
        if currency not in ("BYR", "MGA"):  # the first is no more; the second has fifths, which nobody writes
            assert decimals_of(currency) == int(exponent), currency
            assert int(minor_units(100, currency)) == 10 ** int(stripe_exponent), currency  # type: ignore[arg-type]  # one number will do


# Tenants and sources


def test_tenants_share_no_id_on_any_platform(mart: Raw, tmp_path: Path) -> None:
    other = Raw(tenant(slug="umbrella"), tmp_path, days=2)
    ids = {
        **{platform: f"select id from ({sql})" for platform, sql in CAMPAIGNS.items()},
        **{platform: f"select id from ({sql})" for platform, sql in ORDERS.items()},
        **{platform: f"select device from ({sql})" for platform, sql in EVENTS.items()},
        "stripe": "select id from stripe__charges",
    }
    for sql in ids.values():
        assert not set(mart.ask(sql)) & set(other.ask(sql))


def test_two_shops_take_their_own_orders_and_two_accounts_share_them(tmp_path: Path) -> None:
    two = (Account(name="eu", currency="EUR"), Account(name="us"))
    parameters = {"bigcommerce": {"daily_order_count": 30}, "woocommerce": {"daily_order_count": 10}}
    names = ("bigcommerce", "woocommerce", "amplitude", "bing_ads")
    raw = Raw(
        tenant(*names, accounts={"bigcommerce": two, "amplitude": two, "bing_ads": two}, parameters=parameters),
        tmp_path,
    )
    counts = raw.ask(f"select currency, count(*) / {DAYS} from ({ORDERS['bigcommerce']}) group by all order by all")
    assert [(currency, pytest.approx(count, rel=0.25)) for currency, count in counts] == [("EUR", 15), ("USD", 15)]
    assert raw.one(f"select count(*) / {DAYS} from ({ORDERS['woocommerce']})") == pytest.approx(10, rel=0.25)
    of_account = "(device, split_part(filename, '/', -2))"
    devices = f"select count(distinct device), count(distinct {of_account}) from ({EVENTS['amplitude']})"
    assert len(set(raw.ask(devices)[0])) == 1
    clicks = raw.one("select sum(clicks) from bing_ads")
    assert clicks == raw.one(
        f"select count(*) from ({EVENTS['amplitude']}) where name = 'session_start' and source = 'bing'"
    )


def test_a_connector_without_a_synthetic_view_has_to_read_files(tmp_path: Path) -> None:
    connector = Connector("toy_ads", "ads", "v1", "toy_api_v1", ("spend",))
    toy = Tenant(slug="acme", business_name="A", sources=(source(connector, (Account(),), {}),))
    with pytest.raises(ConfigError, match=r"no synthetic toy_ads\. Write `read: \{kind: files\}`"):
        generate(toy, tmp_path, until=UNTIL)
    assert not list(tmp_path.iterdir())
