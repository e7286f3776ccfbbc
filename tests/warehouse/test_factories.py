"""Factories that add up numbers, over hand-made canonical rows: every measure is summed, and nothing is added twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from pipeline.config.blocks.channels import ChannelRule
from pipeline.config.slug import slug_of
from pipeline.config.tenant import Tenant
from pipeline.contracts.sql import literal
from tests.warehouse.engine_fixture import add_references, render, render_model
from warehouse.projects.canonical_tables import AD_PERFORMANCE, CAMPAIGNS, CHARGES, EVENTS, NUMBERED, ORDERS, Canonical
from warehouse.projects.channel_rules import channel_rules
from warehouse.projects.unit_tests import typed_rows
from warehouse.star_schema import VALUE_DAYS, star_schema

Row = dict[str, Any]
(SESSIONS,) = (table for table in star_schema(1) if table.name == "sessions")
ACCOUNT: Row = {"source_platform": "facebook_ads", "source_account": "main"}
AD: Row = ACCOUNT | {"campaign_id": "c1", "ad_group_id": "g1", "ad_id": "a1", "report_date": "2026-01-05"}
AD |= {"campaign_name": "Spring", "ad_group_name": "Group", "ad_name": "Ad", "currency": "EUR", "is_counted": True}
AD |= {"spend": 0, "impressions": 0, "clicks": 0}
ORDER: Row = {"source_platform": "shopify", "source_account": "main", "order_id": "1", "currency": "USD"}
ORDER |= {"is_cancelled": False, "is_test": False}
CHARGE: Row = {"source_platform": "stripe", "source_account": "main", "currency": "USD", "status": "succeeded"}
CHARGE |= {"refunded_amount": 0, "disputed_amount": 0, "is_test": False, "charged_at": "2026-01-05 12:00:00"}


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as connection:
        add_references(connection)
        yield connection


def fill(con: duckdb.DuckDBPyConnection, table: Canonical, rows: Sequence[Mapping[str, object]]) -> None:
    con.execute(f"create table int_t__{table.name} as {typed_rows(table, rows)}")


def key(*parts: object) -> str:
    """A key as facts carry it: MD5 of the parts, a unit separator between them."""
    return hashlib.md5("\x1f".join(map(str, parts)).encode()).hexdigest()


def performance(con: duckdb.DuckDBPyConnection, *rows: Row) -> list[tuple[Any, ...]]:
    """Date, ad, its names, currency and sums, of each row of the fact."""
    fill(con, AD_PERFORMANCE, rows)
    columns = "report_date, ad_id, ad_group_name, ad_name, currency, spend, impressions, clicks, conversions"
    query = render("build_fct_ad_performance", {"tenant": "t"})
    assert con.execute(f"select count(*) = count(distinct performance_key) from ({query})").fetchone() == (True,)
    return con.execute(f"select {columns} from ({query}) order by all").fetchall()


def test_every_measure_of_an_ads_day_is_summed_over_its_breakdowns(con: duckdb.DuckDBPyConnection) -> None:
    women: Row = {"spend": "1.25", "impressions": 100, "clicks": 7, "conversions": 1.5}
    men: Row = {"spend": "0.50", "impressions": 40, "clicks": 3, "conversions": 0.25}
    other: Row = {"spend": "9", "impressions": 9, "clicks": 9, "conversions": 9.0, "is_counted": False}
    assert performance(con, AD | women, AD | men, AD | men, AD | other) == [
        (date(2026, 1, 5), "a1", "Group", "Ad", "EUR", Decimal("2.25"), 180, 13, 2.0)
    ]


@pytest.mark.parametrize(
    "other",
    [
        {"source_platform": "instagram_ads"},
        {"source_account": "eu"},
        {"report_date": "2026-01-06"},
        {"campaign_id": "c2"},
        {"campaign_id": None},
        {"ad_group_id": "g2"},
        {"ad_id": "a2"},
        {"ad_id": None},
        {"currency": "USD"},
    ],
)
def test_what_differs_in_a_part_of_the_grain_is_a_row_of_its_own(con: duckdb.DuckDBPyConnection, other: Row) -> None:
    rows = performance(con, AD | {"spend": 1}, AD | other | {"spend": 2})
    assert sorted(row[5] for row in rows) == [1, 2]


def test_names_are_the_newest_of_the_ad_and_of_its_group_in_their_account(con: duckdb.DuckDBPyConnection) -> None:
    now: Row = {"report_date": "2026-01-07", "ad_name": "A new ad", "ad_group_name": "A new group"}
    elsewhere: Row = {"report_date": "2026-01-09", "ad_name": "Zzz", "ad_group_name": "Zzz"}
    rows = performance(
        con,
        AD,
        AD | now,
        AD | elsewhere | {"source_account": "eu"},
        AD | elsewhere | {"source_platform": "instagram_ads"},
    )
    assert [row[2:4] for row in rows[:2]] == [("A new group", "A new ad")] * 2
    assert [row[2:4] for row in rows[2:]] == [("Zzz", "Zzz")] * 2


def test_conversions_of_a_platform_that_reports_none_are_unknown_and_not_none(con: duckdb.DuckDBPyConnection) -> None:
    rows = performance(con, AD, AD | {"ad_id": "a2", "conversions": 0})
    assert [row[-1] for row in rows] == [None, 0]


def test_a_row_of_the_fact_carries_the_key_of_its_campaign_if_it_names_one(con: duckdb.DuckDBPyConnection) -> None:
    fill(con, AD_PERFORMANCE, [AD, AD | {"campaign_id": None}])
    query = render("build_fct_ad_performance", {"tenant": "t"})
    rows = con.execute(f"select tenant_slug, campaign_id, campaign_key from ({query}) order by all").fetchall()
    assert rows == [("t", "c1", key("facebook_ads", "main", "c1")), ("t", None, None)]


def orders(con: duckdb.DuckDBPyConnection, rows: Sequence[Row], *, has_payments: bool = False) -> str:
    """A query of the orders fact, none of whose orders has a visit."""
    fill(con, ORDERS, rows)
    con.execute(
        "create table int_t__order_links"
        " (order_key text, session_id text, way int, is_counted bool, occurred_at timestamp, event_number bigint)"
    )
    columns = ", ".join(f"{column.name} {column.type}" for column in SESSIONS.columns)
    con.execute(f"create table fct_t__sessions ({columns})")
    arguments = {"tenant": "t", "timezone": "UTC", "value_days": list(VALUE_DAYS), "has_payments": has_payments}
    return render("build_fct_orders", arguments)


def paid(con: duckdb.DuckDBPyConnection, rows: Sequence[Row], charges: Sequence[Row]) -> dict[str, tuple[Any, ...]]:
    """Each order's charge_id and net_paid_amount."""
    fill(con, CHARGES, charges)
    query = orders(con, rows, has_payments=True)
    con.execute(f"create table int_t__order_charges as {render('build_int_order_charges', {'tenant': 't'})}")
    found = con.execute(f"select order_id, charge_id, net_paid_amount from ({query})").fetchall()
    return {order_id: (charge, net) for order_id, charge, net in found}


def test_all_charges_of_an_order_are_added_less_what_was_paid_back(con: duckdb.DuckDBPyConnection) -> None:
    both = [ORDER | {"charge_ids": "['ch_1', 'ch_2', 'ch_3']"}, ORDER | {"order_id": "2", "charge_ids": "['ch_4']"}]
    charges = [
        CHARGE | {"charge_id": "ch_1", "captured_amount": 30, "charged_at": "2026-01-05 13:00:00"},
        CHARGE | {"charge_id": "ch_2", "captured_amount": 20, "refunded_amount": "5.5"},
        CHARGE | {"charge_id": "ch_3", "captured_amount": 70, "status": "failed", "charged_at": "2026-01-05 11:00:00"},
        CHARGE | {"charge_id": "ch_4", "captured_amount": 8},
    ]
    assert paid(con, both, charges) == {"1": ("ch_2", Decimal("44.5")), "2": ("ch_4", 8)}


def test_charges_of_equal_amounts_are_each_added(con: duckdb.DuckDBPyConnection) -> None:
    one = [ORDER | {"charge_ids": "['ch_1', 'ch_2']"}]
    charges = [CHARGE | {"charge_id": name, "captured_amount": 10} for name in ("ch_1", "ch_2")]
    assert paid(con, one, charges) == {"1": ("ch_1", 20)}


def test_what_the_bank_took_back_is_not_paid_and_what_is_unknown_of_it_makes_the_rest_unknown(
    con: duckdb.DuckDBPyConnection,
) -> None:
    names = [ORDER | {"order_id": order, "charge_ids": f"['ch_{order}', 'ch_both_{order}']"} for order in "123"]
    charges = [CHARGE | {"charge_id": f"ch_both_{order}", "captured_amount": 5} for order in "123"]
    charges += [
        CHARGE
        | {"charge_id": "ch_1", "captured_amount": 10, "disputed_amount": 8, "charged_at": "2026-01-04 12:00:00"},
        CHARGE | {"charge_id": "ch_2", "captured_amount": 10, "disputed_amount": None},
        CHARGE | {"charge_id": "ch_3", "captured_amount": 10, "disputed_amount": None, "status": "failed"},
    ]
    assert {key: amount for key, (_, amount) in paid(con, names, charges).items()} == {"1": 7, "2": None, "3": 5}


def test_a_charge_counts_in_its_orders_currency_alone(con: duckdb.DuckDBPyConnection) -> None:
    one = [ORDER | {"charge_ids": "['ch_1', 'ch_2']"}]
    charges = [CHARGE | {"charge_id": "ch_1", "captured_amount": 10}]
    charges += [CHARGE | {"charge_id": "ch_2", "captured_amount": 9, "currency": "EUR"}]
    assert paid(con, one, charges) == {"1": ("ch_1", 10)}


def test_a_customer_is_their_email_wherever_they_buy_else_their_id_in_one_shop(con: duckdb.DuckDBPyConnection) -> None:
    said: list[Row] = [
        {"customer_email": "bob@x.io", "customer_id": "7"},
        {"customer_email": "bob@x.io", "source_account": "eu"},
        {"customer_id": "7"},
        {"customer_id": "7", "raw_status": "paid"},
        {"customer_id": "8"},
        {"customer_id": "7", "source_account": "eu"},
        {"customer_id": "7", "source_platform": "woocommerce"},
        {},
    ]
    query = orders(con, [ORDER | {"order_id": str(n)} | each for n, each in enumerate(said)])
    keys = [row[0] for row in con.execute(f"select customer_key from ({query}) order by order_id").fetchall()]
    bob, seven = keys[0], keys[2]
    assert keys[:4] == [bob, bob, seven, seven]
    assert len(set(keys)) == 6
    assert keys[-1] is None


def test_an_order_says_whether_its_customer_is_new_and_how_old_the_cohort_is(con: duckdb.DuckDBPyConnection) -> None:
    said: list[Row] = [
        {"ordered_at": "2026-01-31 12:00:00", "is_cancelled": True},
        {"ordered_at": "2026-01-31 13:00:00"},
        {"ordered_at": "2026-01-31 14:00:00"},
        {"ordered_at": "2026-03-01 00:30:00"},
        {"ordered_at": "2026-03-02 12:00:00", "is_test": True},
        {},
        {"ordered_at": "2026-03-02 12:00:00", "customer_email": None},
    ]
    bob: Row = {"customer_email": "bob@x.io"}
    query = orders(con, [ORDER | bob | {"order_id": str(n)} | each for n, each in enumerate(said)])
    columns = "customer_type, days_since_first_order, months_since_first_order"
    assert con.execute(f"select {columns} from ({query}) order by order_id").fetchall() == [
        (None, None, None),  # cancelled
        ("new", 0, 0),
        ("returning", 0, 0),
        ("returning", 29, 2),
        (None, None, None),  # a test
        ("returning", None, None),  # without a time
        (None, None, None),  # a guest's
    ]


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ({"product_id": "1", "sku": "A", "item_name": "Mug"}, ("id", "1")),
        ({"sku": "1", "item_name": "Mug"}, ("sku", "1")),
        ({"item_name": "1"}, ("title", "1")),
    ],
)
def test_a_product_is_its_id_else_its_sku_else_its_title_and_equal_texts_are_no_match(
    con: duckdb.DuckDBPyConnection, line: Row, parts: tuple[str, str]
) -> None:
    struct = {"product_id": None, "sku": None, "item_name": None} | line
    query = f"select {render('product_key', {'line': 'line'})} from (select 'shopify' as source_platform, 'main' as"
    found = con.execute(
        f"{query} source_account, $line::struct(product_id text, sku text, item_name text) as line)", {"line": struct}
    )
    assert found.fetchone() == (key("shopify", "main", *parts),)


CAME: dict[tuple[str | None, str | None, str | None], str] = {
    (None, None, None): "Direct",
    ("(direct)", "(none)", "(direct)"): "Direct",
    ("(Direct)", "(not set)", None): "Direct",
    ("(direct)", "cpc", None): "Paid Other",
    (None, None, "spring"): "Unassigned",
    ("google", "cpc", "Spring"): "Paid Search",
    ("Google", "CPC", "spring sale"): "Paid Search",
    ("google", "cpc", "pmax | Cross-Network"): "Cross-network",
    ("google", "cpc", "Shopping - DE"): "Paid Shopping",
    ("google", "cpc", "brand e-shop"): "Paid Shopping",
    ("google", "cpc", "workshop"): "Paid Search",
    ("amazon.de", "ppc", None): "Paid Shopping",
    ("m.facebook.com", "paid_social", None): "Paid Social",
    ("ig", "cpm", None): "Paid Social",
    ("youtube.com", "paid-video", None): "Paid Video",
    ("partner.example", "banner", None): "Display",
    ("partner.example", "paid", None): "Paid Other",
    ("partner.example", "cpa", None): "Paid Other",
    ("www.etsy.com", "referral", None): "Organic Shopping",
    ("l.instagram.com", "referral", None): "Organic Social",
    ("partner.example", "social media", None): "Organic Social",
    ("vimeo.com", "referral", None): "Organic Video",
    ("partner.example", "video-ad", None): "Organic Video",
    ("google.co.uk", "organic", None): "Organic Search",
    ("de.search.yahoo.com", "referral", None): "Organic Search",
    ("intranet", "organic", None): "Organic Search",
    ("mail.google.com", "referral", None): "Referral",
    ("partner.example", "referral", None): "Referral",
    ("newsletter", "Email", None): "Email",
    ("e-mail", "october", None): "Email",
    ("partner.example", "affiliate", None): "Affiliates",
    ("podcast", "audio", None): "Audio",
    ("sms", "blast", None): "SMS",
    ("app", "web-push", None): "Mobile Push Notifications",
    ("firebase", None, None): "Mobile Push Notifications",
    ("<Other>", "<Other>", None): "Unassigned",
    ("our partner", "creator fund", "Spring 26"): "Partners",
    ("google", "organic", "spring x"): "Brand",
    ("google", "cpc", "SPRING.x"): "Paid Search",
}
"""How visits came, source, medium and campaign, and the channel that GA4 or the tenant's own rules put them in."""


def test_each_visit_has_the_channel_of_the_first_rule_that_fits(con: duckdb.DuckDBPyConnection) -> None:
    own = (
        ChannelRule(channel="Partners", source=("our partner", "x*"), medium=("creator*",)),
        ChannelRule(channel="Brand", medium=("organic",), campaign=("spring*",)),
    )
    tenant = Tenant(slug=slug_of("t"), business_name="T", channels=own)
    (model,) = channel_rules(tenant).values()
    con.execute(f"create view int_t__channel_rules as {render_model(model)}")
    values = ", ".join(f"({', '.join('null' if each is None else literal(each) for each in came)})" for came in CAME)
    con.execute(
        f"create table visits as from (values {values}) as v (traffic_source, traffic_medium, traffic_campaign)"
    )
    query = f"with {render('channels_of_visits', {'tenant': 't'})} select columns(visits.*), channel from visits"
    keys = ("traffic_source", "traffic_medium", "traffic_campaign")
    on = " and ".join(f"channels.{name} is not distinct from visits.{name}" for name in keys)
    rows = con.execute(f"{query} left join channels on {on}").fetchall()
    assert {row[:3]: row[3] for row in rows} == CAME
    assert len(rows) == len(CAME)


def campaign_statuses(con: duckdb.DuckDBPyConnection, *campaigns: Row) -> list[tuple[Any, ...]]:
    fill(con, AD_PERFORMANCE, ())
    fill(con, CAMPAIGNS, [ACCOUNT | {"campaign_id": str(n)} | each for n, each in enumerate(campaigns)])
    query = render("build_dim_campaigns", {"tenant": "t"})
    return con.execute(f"select campaign_status, campaign_status_raw from ({query}) order by campaign_id").fetchall()


def test_a_status_is_one_word_for_all_platforms_and_an_unknown_one_stays(con: duckdb.DuckDBPyConnection) -> None:
    rows = campaign_statuses(
        con,
        {"campaign_status": "ACTIVE"},
        {"source_platform": "google_ads", "campaign_status": "ENABLED"},
        {"source_platform": "bing_ads", "campaign_status": "Active"},
        {"source_platform": "tiktok_ads", "campaign_status": "CAMPAIGN_STATUS_DISABLE"},
        {"source_platform": "linkedin_ads", "campaign_status": "COMPLETED"},
        {"campaign_status": "ARCHIVED"},
        {"campaign_status": "New_State"},
        {"campaign_status": None},
        {"source_platform": "google_ads", "campaign_status": "ACTIVE"},
    )
    assert rows == [
        ("active", "ACTIVE"),
        ("active", "ENABLED"),
        ("active", "Active"),
        ("paused", "CAMPAIGN_STATUS_DISABLE"),
        ("ended", "COMPLETED"),
        ("removed", "ARCHIVED"),
        ("New_State", "New_State"),
        (None, None),
        ("ACTIVE", "ACTIVE"),  # a word of another platform is none of this one's
    ]


def test_an_order_carries_the_country_it_is_sent_to_and_its_hour(con: duckdb.DuckDBPyConnection) -> None:
    said = ["DE", "deutschland", " Germany ", "GB", "Atlantis", None]
    rows = [ORDER | {"order_id": str(n), "shipping_country": each} for n, each in enumerate(said)]
    rows[0]["ordered_at"] = "2026-01-05 23:30:00"
    found = con.execute(f"select shipping_country, hour_of_day from ({orders(con, rows)}) order by order_id").fetchall()
    assert [country for country, _ in found] == ["Germany"] * 3 + ["United Kingdom", "Atlantis", None]
    assert [hour for _, hour in found] == [23, *[None] * 5]


EVENT: Row = {"source_platform": "mixpanel", "source_account": "main", "user_pseudo_id": "D1", "session_id": "s"}
EVENT |= {"event_name": "page_view", "is_purchase": False, "user_key": "k", "occurred_at": "2026-01-05 12:00:00"}
PURCHASE: Row = EVENT | {"event_name": "purchase", "is_purchase": True}


def visits(
    con: duckdb.DuckDBPyConnection, columns: str, events: Sequence[Row], campaigns: Sequence[Row] = (), **said: object
) -> list[tuple[Any, ...]]:
    """Columns of the sessions star over events, in their order."""
    fill(con, CAMPAIGNS, campaigns)
    fill(con, AD_PERFORMANCE, ())
    con.execute(f"create table dim_t__campaigns as {render('build_dim_campaigns', {'tenant': 't'})}")
    con.execute("create table int_t__traffic_platforms (traffic_source text, traffic_medium text, ad_platform text)")
    con.execute("create view int_t__channel_rules as from platform_ref__channel_rules")
    con.execute("insert into int_t__traffic_platforms values ('google', 'cpc', 'google_ads')")
    sent = [each | {"event_number": n, "event_key": str(n)} for n, each in enumerate(events)]
    fill(con, replace(EVENTS, columns=(*EVENTS.columns, *NUMBERED)), sent)
    con.execute(f"create table int_t__purchases as {render('build_int_purchases', {'tenant': 't'})}")
    said |= {"attribution_model": "first_touch", "funnel": [["page_view"]], "conversion_events": ["purchase"]}
    query = render("build_fct_sessions", {"tenant": "t", "timezone": "Europe/Berlin"} | said)
    if "reporting" in said:
        added = {"session_revenue": "other_revenue"}
        call = {"fact": query, "tenant": "t", "day": "session_date", "money": list(added), "added": added}
        query = render("in_reporting_currency", call | {"reporting": said["reporting"]})
    return con.execute(f"select {columns} from ({query}) order by session_id").fetchall()


def test_a_visit_over_midnight_is_of_the_day_it_began(con: duckdb.DuckDBPyConnection) -> None:
    moments = ("2026-01-05 22:50:00", "2026-01-05 23:10:00")  # 23:50 and 00:10 in Berlin
    columns = "session_date, hour_of_day, started_at, session_duration_seconds, events_in_session, channel"
    assert visits(con, columns, [EVENT | {"occurred_at": at} for at in moments]) == [
        (date(2026, 1, 5), 23, datetime.fromisoformat(moments[0]), 1200, 2, "Direct")
    ]


SOLD = [
    PURCHASE | {"transaction_id": name, "order_total": total, "currency": currency}
    for name, total, currency in [
        ("a", 40, "USD"),
        ("b", 30, "EUR"),
        ("c", 5, "EUR"),
        ("d", 700, "JPY"),
        ("e", 1, "USD"),
    ]
]


def test_purchases_of_another_currency_are_left_out_and_counted_with_their_money(
    con: duckdb.DuckDBPyConnection,
) -> None:
    other = EVENT | {"session_id": "t"}
    columns = "session_revenue, currency, left_out_purchases, left_out_revenue"
    assert visits(con, columns, [*SOLD, other]) == [
        (41, "USD", 3, {"EUR": Decimal(35), "JPY": Decimal(700)}),
        (0, None, 0, None),
    ]


def test_with_rates_they_count_and_only_those_without_a_rate_are_left_out(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("create table int_t__rates (currency text, rate_date date, rate decimal(28, 18))")
    con.execute("insert into int_t__rates values ('EUR', '2026-01-01', 2), ('JPY', '2026-02-01', 0.01)")
    in_eur = [each | {"session_id": "t", "transaction_id": f"t{n}"} for n, each in enumerate(reversed(SOLD[:2]))]
    columns = "session_revenue, currency, session_revenue_converted, left_out_purchases, left_out_revenue"
    assert visits(con, columns, [*SOLD, *in_eur], reporting="USD") == [
        (41, "USD", 41 + 2 * 35, 1, {"JPY": Decimal(700)}),
        (30, "EUR", 2 * 30 + 40, 0, None),
    ]


def test_campaigns_of_one_name_leave_the_name_known_and_those_of_several_do_not(
    con: duckdb.DuckDBPyConnection,
) -> None:
    campaign = {"source_platform": "google_ads", "source_account": "main"}
    named = [("1", "Twin"), ("2", "Twin"), ("3", "Solo"), ("4", "Odd"), ("5", "ODD")]
    campaigns = [campaign | {"campaign_id": id_, "campaign_name": name} for id_, name in named]
    came = EVENT | {"traffic_source": "google", "traffic_medium": "cpc"}
    events = [came | {"session_id": text, "traffic_campaign": text} for text in ("odd", "solo", "twin", "unknown")]
    columns = "session_id, attribution, campaign_key is not null, campaign_name, ad_platform"
    assert visits(con, columns, events, campaigns) == [
        ("odd", "ambiguous", False, None, "google_ads"),
        ("solo", "matched", True, "Solo", "google_ads"),
        ("twin", "ambiguous", False, "Twin", "google_ads"),
        ("unknown", "none", False, None, "google_ads"),
    ]
