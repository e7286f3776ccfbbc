"""Hand-made records, each with one way in which analytics lies, and what the star says about them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from pipeline.config.tenant import Tenant

NOON = datetime.fromisoformat("2026-01-05T12:00:00+00:00")
Json = dict[str, Any]


def event(user: str | None, at: datetime | str, name: str = "page_view", **more: Any) -> Json:
    """A GA4 event; `params` are event parameters, texts and numbers."""
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    params = [
        {"key": key, "value": {"string_value": value} if isinstance(value, str) else {"double_value": value}}
        for key, value in more.pop("params", {}).items()
    ]
    own = {"user_pseudo_id": user} if user else {}
    stamp = {"event_timestamp": int(moment.timestamp() * 1_000_000), "event_date": moment.strftime("%Y%m%d")}
    return {"event_name": name, "event_params": params} | stamp | own | more


def purchase(user: str, at: datetime | str, transaction: str | None, value: float, currency: str = "USD") -> Json:
    params = {"value": value, "currency": currency} | ({"transaction_id": transaction} if transaction else {})
    return event(user, at, "purchase", params=params)


def from_ad(user: str, at: str, campaign: str, **more: Any) -> Json:
    return event(user, at, params={"source": "Facebook", "medium": " CPC", "campaign": campaign} | more)


def minutes(*steps: float) -> list[datetime]:
    """Noon, and then each moment so many minutes after the one before."""
    moments = [NOON]
    for step in steps:
        moments.append(moments[-1] + timedelta(minutes=step))
    return moments


EVENTS: list[Json] = [
    *(event("gaps", at) for at in minutes(29 + 59 / 60, 30, 30 + 1 / 60)),
    event("tie", NOON, params={"source": "second"}),
    event("tie", NOON, "first_visit", params={"source": "first_visit"}),
    event("tie", NOON, "session_start", params={"source": "session_start"}),
    event("touch", NOON, traffic_source={"source": "years ago", "medium": "email", "name": "old"}),
    event("touch", minutes(1)[-1], params={"source": "google", "medium": "organic"}),
    event("touch", minutes(2)[-1], params={"source": "facebook", "medium": "cpc", "campaign": "late"}),
    event("own", NOON, traffic_source={"source": "newsletter", "medium": "email", "name": "May"}),
    event("own", minutes(1)[-1], params={"source": "(not set)"}),
    *(purchase("repeat", at, "T1", 100) for at in minutes(1, 60 * 24)),
    purchase("someone else", minutes(5)[-1], "T1", 100),
    *(
        purchase("no ids", at, text, 10)
        for at, text in zip(minutes(1, 1, 1, 1), (None, "(not set)", "N/A", "", "(none)"), strict=True)
    ),
    purchase("two currencies", NOON, "E1", 10, "EUR"),
    purchase("two currencies", minutes(1)[-1], "U1", 5, "USD"),
    event("equal", NOON),
    event("equal", NOON),
    event(None, NOON, "page_view"),
    event("winter", "2026-03-28T23:30:00+00:00"),
    event("summer", "2026-03-29T22:30:00+00:00"),
    from_ad("spring in January", "2026-01-15T12:00:00+00:00", " SPRING  sale"),
    from_ad("spring in February", "2026-02-05T12:00:00+00:00", "spring sale"),
    from_ad("spring in March", "2026-03-01T12:00:00+00:00", "spring sale"),
    from_ad("twin", "2026-03-01T12:00:00+00:00", "Twin"),
    from_ad("by id", "2026-03-01T12:00:00+00:00", "Twin", campaign_id="c3"),
    from_ad("by utm_id", "2026-03-01T12:00:00+00:00", "Twin", page_location="https://shop/?utm_id=c4&x=1"),
    from_ad("id as name", "2026-03-01T12:00:00+00:00", "c1"),
    from_ad("reported", "2026-03-01T12:00:00+00:00", "only in reports"),
    from_ad("unknown", "2026-03-01T12:00:00+00:00", "no such campaign"),
    event(
        "other platform", "2026-03-01T12:00:00+00:00", params={"source": "bing", "medium": "cpc", "campaign": "Twin"}
    ),
    from_ad("buyer", "2026-01-20T10:00:00+00:00", "spring sale"),
    purchase("buyer", "2026-01-20T10:05:00+00:00", "501", 50),
    purchase("late buyer", "2026-01-20T11:00:00+00:00", "501", 50),
    purchase("by name", "2026-01-20T12:00:00+00:00", "#1002", 20),
    purchase("by number", "2026-01-20T12:00:00+00:00", "1003", 30),
    purchase("by a shared name", "2026-01-20T12:00:00+00:00", "#7", 30),
]
CAMPAIGNS: list[Json] = [
    {"id": "c1", "name": "Spring Sale", "status": "ACTIVE", "created_time": "2026-01-01T00:00:00+0000"}
    | {"updated_time": "2026-01-01T00:00:00+0000"},
    {"id": "c1", "name": "Summer Sale", "status": "PAUSED", "created_time": "2026-01-01T00:00:00+0000"}
    | {"updated_time": "2026-02-01T00:00:00+0000"},
    {"id": "c2", "name": "spring sale", "status": "ACTIVE", "created_time": "2026-02-10T00:00:00+0000"},
    {"id": "c3", "name": "Twin", "status": "ACTIVE", "created_time": "2026-01-01T00:00:00+0000"},
    {"id": "c4", "name": "Twin", "status": "ACTIVE", "created_time": "2026-01-01T00:00:00+0000"},
]


def insight(ad: str, day: str, campaign: str = "c1", **more: Any) -> Json:
    return {"account_id": "1", "campaign_id": campaign, "ad_id": ad, "date_start": day, "date_stop": day} | more


ACTIONS = [
    {"action_type": "purchase", "value": "2"},
    {"action_type": "omni_purchase", "value": "2"},
    {"action_type": "offsite_conversion.fb_pixel_purchase", "value": "2"},
]
LIKES = [
    {"action_type": "purchase", "action_reaction": "like", "value": "4"},
    {"action_type": "purchase", "action_reaction": "love", "value": "1"},
]
INSIGHTS: list[Json] = [
    insight("a1", "2026-01-05", spend="10", impressions="100", clicks="3", actions=ACTIONS),
    insight("a2", "2026-01-05", publisher_platform="facebook", age="18-24", spend="1.5", actions=LIKES),
    insight("a2", "2026-01-05", publisher_platform="facebook", age="25-34", spend="2.5"),
    insight("a2", "2026-01-05", publisher_platform="instagram", age="25-34", spend="4"),
    insight("a3", "2026-01-05", country="DE", spend="7"),
    insight("a3", "2026-01-05", age="18-24", spend="3"),
    insight("a3", "2026-01-05", age="25-34", spend="4"),
    insight("a4", "2026-01-05", "c9", campaign_name="Only in reports", ad_name="Then"),
    insight("a4", "2026-01-06", "c9", campaign_name="Only in reports", ad_name="Now"),
    {"date_start": "2026-01-07", "date_stop": "2026-01-07", "spend": "1"},
    insight("a4", "2026-01-07", "c9", date_stop="2026-01-09", spend="6"),
]


def order(number: int, at: str, total: str, **more: Any) -> Json:
    named = {"id": number, "name": f"#{number + 500}", "order_number": number + 500}
    return named | {"created_at": at, "total_price": total, "currency": "USD", "financial_status": "paid"} | more


BOB = {"email": "Bob@x.io", "customer": {"id": 1}}
REPAID = [{"transactions": [{"kind": "refund", "status": "success", "amount": "5.10", "currency": "USD"}]}]
ABROAD = [{"transactions": [{"kind": "refund", "status": "success", "amount": "4", "currency": "EUR"}]}]
LINES = [
    {"id": 11, "product_id": 1, "title": "Mug (old name)", "quantity": 2, "price": "10.00", "total_discount": "1.50"},
    {"id": 11, "product_id": 1, "title": "Mug (old name)", "quantity": 1, "price": "10.00"},
    {"sku": "S1", "title": "Deleted", "quantity": 1, "price": "3"},
]
ORDERS: list[Json] = [
    order(501, "2026-01-20T23:30:00-05:00", "50.00", line_items=LINES, **BOB),
    order(502, "2026-01-19T10:00:00Z", "20", test=True, **BOB),
    order(503, "2026-01-18T10:00:00Z", "30", cancelled_at="2026-01-19T00:00:00Z", **BOB),
    order(504, "2026-01-22T10:00:00Z", "40", refunds=REPAID, financial_status="refunded", email="bob@x.io "),
    order(505, "2026-01-22T10:00:00Z", "40", refunds=ABROAD, customer={"id": 9}),
    order(506, "2026-01-22T10:00:00Z", "9", customer={"id": 0}, financial_status="on the moon"),
    order(507, "2026-01-22T10:00:00Z", "9", name="#7"),
    {"id": 508, "total_price": "8"},
]


@pytest.fixture(scope="session")
def star(tyrell: Callable[..., Tenant], make_hub: Callable[[], Any], build_star: Callable[..., Any]) -> Any:
    hub = make_hub()
    hub.add("google_analytics", "events", EVENTS)
    withdrawn = event("withdrawn", NOON)
    hub.add("google_analytics", "events", [withdrawn])
    hub.withdraw("google_analytics", "events", exported_at="2026-03-02")
    hub.add("facebook_ads", "campaigns", CAMPAIGNS)
    hub.add("facebook_ads", "ads", [{"id": "a1", "name": "First"}, {"id": "a1", "name": "Renamed"}])
    hub.add("facebook_ads", "facebook_insights", INSIGHTS)
    hub.add("facebook_ads", "facebook_insights", [INSIGHTS[0] | {"spend": "12"}], exported_at="2026-03-02")
    hub.add("facebook_ads", "facebook_insights", [INSIGHTS[0] | {"spend": "11"}], exported_at="2026-02-20")
    hub.add("shopify", "orders", ORDERS)
    hub.add("shopify", "orders", [order(607, "2026-01-22T10:00:00Z", "9", name="#7", currency=None)], account="eu")
    hub.add("shopify", "products", [{"id": 1, "title": "Mug", "product_type": "Kitchen"}])
    hub.add("google_analytics", "events", [event("stranger", NOON)], tenant="wayne")
    return build_star(tyrell(timezone="Europe/Berlin"), hub)


def session(star: Any, user: str, columns: str) -> tuple[Any, ...]:
    row: tuple[Any, ...] = star.one("fct_sessions", columns, f"user_pseudo_id = '{user}'")
    return row


def test_nothing_fails_on_records_that_lie(star: Any) -> None:
    assert {
        name: node.message for name, node in star.nodes.items() if node.status in ("fail", "error", "skipped")
    } == {}


def test_a_gap_of_thirty_minutes_stays_in_the_session_and_one_second_more_does_not(star: Any) -> None:
    sessions = star.rows(
        "fct_sessions", "events_in_session, session_duration_seconds", "user_pseudo_id = 'gaps'", "started_at"
    )
    assert sessions == [(3, 59 * 60 + 59), (1, 0)]


def test_events_of_one_moment_start_with_session_start(star: Any) -> None:
    assert session(star, "tie", "traffic_source, events_in_session") == ("session_start", 3)


def test_source_medium_and_campaign_come_from_one_event(star: Any) -> None:
    assert session(star, "touch", "traffic_source, traffic_medium, traffic_campaign") == ("google", "organic", None)


def test_a_session_without_a_source_takes_the_users_own_first(star: Any) -> None:
    expected = ("newsletter", "email", "May")
    assert session(star, "own", "traffic_source, traffic_medium, traffic_campaign") == expected


def test_the_last_non_direct_source_wins_where_the_tenant_says_so(
    tyrell: Callable[..., Tenant], make_hub: Callable[[], Any], build_star: Callable[..., Any]
) -> None:
    hub = make_hub()
    visits = [("google", 0), ("facebook", 1), ("(direct)", 2)]
    hub.add("google_analytics", "events", [event("u", minutes(n)[-1], params={"source": s}) for s, n in visits])
    hub.add("google_analytics", "events", [event("d", NOON, params={"source": "(direct)"})])
    funnel = {"look": ["page_view", "view_item"], "buy": ["purchase"]}
    rules = {"attribution_model": "last_non_direct", "funnel_steps": funnel, "conversion_events": ["page_view"]}
    star = build_star(tyrell(analytics=rules, pattern=None), hub)
    assert session(star, "u", "traffic_source") == ("facebook",)
    assert session(star, "d", "traffic_source") == ("(direct)",)
    steps = "funnel_step_1, funnel_step_2, funnel_max_step, funnel_conversion_count, is_conversion_session"
    assert session(star, "u", steps) == (3, 0, 1, 3, True)


def test_a_transaction_counts_once_in_the_session_of_its_first_occurrence(star: Any) -> None:
    where = "user_pseudo_id in ('repeat', 'someone else')"
    rows = star.rows("fct_sessions", "user_pseudo_id, session_revenue, transaction_id", where, "started_at")
    assert rows == [("repeat", 100, "T1"), ("someone else", 0, None), ("repeat", 0, None)]


def test_purchases_without_a_real_transaction_id_each_count(star: Any) -> None:
    assert session(star, "no ids", "session_revenue, currency, transaction_id") == (50, "USD", None)


def test_money_of_two_currencies_is_never_added(star: Any) -> None:
    assert session(star, "two currencies", "session_revenue, currency") == (10, "EUR")
    (finding,) = star.finding("purchases_in_the_sessions_currency")
    assert finding.startswith("1 purchases of google_analytics are in another currency")


def test_equal_events_are_two_and_a_withdrawn_one_is_none(star: Any) -> None:
    assert star.one("fct_events", "count(*)", "user_pseudo_id = 'equal'") == (2,)
    assert star.one("fct_events", "count(*)", "user_pseudo_id = 'withdrawn'") == (0,)


def test_an_event_without_a_user_is_kept_in_no_session_and_said(star: Any) -> None:
    assert star.one("fct_events", "count(*), count(session_id)", "user_key is null") == (1, 0)
    assert star.finding("every_event_has_a_user") == [
        "1 events of google_analytics have no user and are in no session."
    ]


def test_days_follow_the_tenants_zone_through_the_change_of_clocks(star: Any) -> None:
    assert session(star, "winter", "session_date") == (date(2026, 3, 29),)
    assert session(star, "summer", "session_date") == (date(2026, 3, 30),)
    assert star.one("fct_orders", "order_date", "order_id = '501'") == (date(2026, 1, 21),)


@pytest.mark.parametrize(
    ("user", "campaign", "attribution"),
    [
        ("spring in January", "c1", "matched"),  # the name c1 had then
        ("spring in February", None, "ambiguous"),  # nobody's then; two campaigns had it once
        ("spring in March", "c2", "matched"),  # c1 has another name now
        ("twin", None, "ambiguous"),
        ("by id", "c3", "matched"),
        ("by utm_id", "c4", "matched"),
        ("id as name", "c1", "matched"),
        ("reported", "c9", "matched"),
        ("unknown", None, "none"),
        ("other platform", None, "none"),
    ],
)
def test_a_visit_is_attributed_by_id_then_by_the_name_in_force_then_by_any_name(
    star: Any, user: str, campaign: str | None, attribution: str
) -> None:
    found = star.tables.sql(f"""
        select c.campaign_id, s.attribution
        from {star.name("fct_sessions")} as s
        left join {star.name("dim_campaigns")} as c on c.campaign_key = s.campaign_key
        where s.user_pseudo_id = '{user}'
    """).fetchall()
    assert found == [(campaign, attribution)]


def test_one_action_type_counts_and_another_never_stands_in(star: Any) -> None:
    rows = star.rows("fct_ad_performance", "ad_id, sum(conversions)", "ad_id in ('a1', 'a2', 'a3') group by ad_id")
    assert rows == [("a1", 2.0), ("a2", 5.0), ("a3", 0.0)]


def test_a_pattern_that_resembles_several_action_types_is_refused_with_their_names(
    tyrell: Callable[..., Tenant], make_hub: Callable[[], Any], build_star: Callable[..., Any]
) -> None:
    hub = make_hub()
    hub.add("facebook_ads", "facebook_insights", [INSIGHTS[0]])
    star = build_star(tyrell(pattern="urchas"), hub)
    (test,) = [node for name, node in star.nodes.items() if name.startswith("one_action_type")]
    assert test.status == "fail"
    (finding,) = star.finding("one_action_type")
    assert "urchas is no action_type" in finding
    assert "offsite_conversion.fb_pixel_purchase, omni_purchase, purchase" in finding
    assert star.nodes["fct_tyrell_corp__ad_performance"].status == "skipped"


def test_breakdowns_are_summed_to_the_ad_and_a_second_breakdown_is_not_added(star: Any) -> None:
    rows = star.rows("fct_ad_performance", "ad_id, source_platform, spend", "ad_id in ('a2', 'a3')")
    assert rows == [("a2", "facebook_ads", 4), ("a2", "instagram_ads", 4), ("a3", "facebook_ads", 7)]
    assert star.finding("one_breakdown")[0].startswith("1 rows of facebook_ads main repeat days")


def test_the_newest_export_of_a_report_row_counts_whenever_it_was_landed(star: Any) -> None:
    assert star.one("fct_ad_performance", "spend, impressions, clicks, currency", "ad_id = 'a1'") == (12, 100, 3, "USD")


def test_metrics_that_no_row_of_an_export_has_are_unknown_and_absent_campaigns_are_kept(star: Any) -> None:
    assert star.one("fct_ad_performance", "spend, impressions", "campaign_id is null") == (1, None)


def test_a_row_of_several_days_counts_on_none_and_is_said_with_its_money(star: Any) -> None:
    assert star.rows("fct_ad_performance", "spend", "report_date = '2026-01-07'") == [(1,)]
    (said,) = star.finding("rows_of_one_day")
    assert said == (
        "1 rows of facebook_ads main cover several days between 2026-01-07 and 2026-01-09 and are not counted, with "
        "6.00 USD of spend. Export one row per day (time_increment=1 of Meta, timeGranularity=DAILY of LinkedIn)."
    )


def test_names_are_the_newest_on_every_day(star: Any) -> None:
    assert star.rows("fct_ad_performance", "distinct ad_name", "ad_id = 'a1'") == [("Renamed",)]
    assert star.rows("fct_ad_performance", "distinct ad_name", "ad_id = 'a4'") == [("Now",)]


def test_a_campaign_that_only_reports_name_is_inferred_with_its_name(star: Any) -> None:
    rows = star.rows("dim_campaigns", "campaign_id, source_platform, campaign_name, campaign_status, is_inferred")
    assert ("c1", "facebook_ads", "Summer Sale", "paused", False) in rows
    assert ("c1", "instagram_ads", "Summer Sale", "paused", False) in rows
    assert ("c9", "facebook_ads", "Only in reports", None, True) in rows


def test_no_pattern_means_no_conversions_rather_than_none(
    tyrell: Callable[..., Tenant], make_hub: Callable[[], Any], build_star: Callable[..., Any]
) -> None:
    hub = make_hub()
    hub.add("facebook_ads", "facebook_insights", [INSIGHTS[0]])
    assert build_star(tyrell(pattern=None), hub).one("fct_ad_performance", "conversions") == (None,)


def test_an_order_takes_the_session_of_the_earliest_purchase_event_with_its_id(star: Any) -> None:
    users = star.tables.sql(f"""
        select o.order_id, u.user_pseudo_id, o.traffic_campaign, o.attribution
        from {star.name("fct_orders")} as o
        left join {star.name("dim_users")} as u on u.user_key = o.user_key
        order by o.order_id, o.source_account
    """).fetchall()
    assert users == [
        ("501", "buyer", "spring sale", "matched"),
        ("502", "by name", None, "none"),
        ("503", "by number", None, "none"),
        ("504", None, None, "none"),
        ("505", None, None, "none"),
        ("506", None, None, "none"),
        ("507", None, None, "none"),  # two orders have the name #7
        ("508", None, None, "none"),
        ("607", None, None, "none"),
    ]


def test_a_user_is_the_customer_of_the_first_linked_order(star: Any) -> None:
    assert star.one("dim_users", "is_customer, customer_email", "user_pseudo_id = 'buyer'") == (True, "bob@x.io")
    assert star.one("dim_users", "is_customer, customer_email", "user_pseudo_id = 'late buyer'") == (False, None)


def test_refunds_are_what_was_repaid_in_the_orders_own_currency(star: Any) -> None:
    rows = star.rows("fct_orders", "order_id, refunded_amount, financial_status", "order_id in ('504', '505')")
    assert rows == [("504", Decimal("5.10"), "refunded"), ("505", None, "paid")]
    assert star.finding("refunds_in_the_orders_currency")[0].startswith(
        "1 refunds of shopify main do not say their amount in the currency of their order"
    )


def test_the_first_order_is_the_first_valid_one_of_a_customer(star: Any) -> None:
    rows = star.rows("fct_orders", "order_id, is_valid, is_first_order", "customer_email = 'bob@x.io'")
    assert rows == [("501", True, True), ("502", False, False), ("503", False, False), ("504", True, False)]


def test_every_order_of_a_customer_has_the_day_of_the_first_valid_one(star: Any) -> None:
    first = star.one("fct_orders", "order_date", "order_id = '501'")
    assert star.rows("fct_orders", "distinct first_order_date", "customer_email = 'bob@x.io'") == [first]
    assert star.one("fct_orders", "first_order_date", "order_id = '506'") == (None,)  # a guest's
    assert star.rows("fct_orders", "order_id", "is_first_order <> coalesce(order_date = first_order_date, false)") == []


def test_every_user_has_the_day_of_the_first_session(star: Any) -> None:
    days = star.tables.sql(f"""
        select count(*), count(*) filter (where u.first_seen_date = s.first_date)
        from {star.name("dim_users")} as u
        join (select user_key, min(session_date) as first_date from {star.name("fct_sessions")} group by all) as s
            on s.user_key = u.user_key
    """).fetchall()
    assert days[0][0] == days[0][1] > 0


def test_guests_are_no_customers(star: Any) -> None:
    keys = "customer_key is null, customer_id, is_first_order"
    assert star.one("fct_orders", keys, "order_id = '506'") == (True, None, False)
    assert star.one("fct_orders", keys, "order_id = '505'") == (False, "9", True)


def test_an_unknown_status_is_kept_raw_and_said(star: Any) -> None:
    assert star.one("fct_orders", "financial_status, raw_status", "order_id = '506'") == (None, "on the moon")
    assert star.finding("every_status_is_known") == [
        "1 orders of shopify have the unknown financial status on the moon."
    ]


def test_an_order_without_a_time_is_kept_in_no_day_and_said(star: Any) -> None:
    assert star.one("fct_orders", "order_date, total_price, currency", "order_id = '508'") == (None, 8, "USD")
    assert star.finding("every_order_has_a_time") == ["1 orders of shopify main have no time and belong to no day."]


def test_money_without_a_currency_is_in_the_accounts_own(star: Any) -> None:
    assert star.one("fct_orders", "currency", "source_account = 'eu'") == ("EUR",)


def test_equal_line_ids_are_lines_of_their_own(star: Any) -> None:
    lines = star.rows(
        "fct_order_items", "order_item_id, quantity, item_amount", order="quantity desc, item_amount desc"
    )
    assert lines == [("11", 2, Decimal("18.5")), ("11", 1, 10), ("3", 1, 3)]


def test_a_product_only_lines_name_is_inferred(star: Any) -> None:
    rows = star.rows("dim_products", "product_id, sku, product_name, product_category, is_inferred")
    assert rows == [("1", None, "Mug", "Kitchen", False), (None, "S1", "Deleted", None, True)]


def test_a_tenant_of_one_source_has_every_table(
    tyrell: Callable[..., Tenant], make_hub: Callable[[], Any], build_star: Callable[..., Any]
) -> None:
    hub = make_hub()
    hub.add("shopify", "orders", [order(1, "2026-01-20T00:00:00Z", "5", line_items=LINES)])
    template = {"source": "{{ env_var('HOME') }}", "medium": "cpc", "ad_platform": "facebook_ads"}
    shop_only = tuple(source for source in tyrell().sources if source.platform == "shopify")
    star = build_star(tyrell(sources=shop_only, attribution={"platforms": [template]}), hub)
    assert star.rows("int_traffic_platforms", "traffic_source", "traffic_source like '%env_var%'") == [
        ("{{ env_var('home') }}",)
    ]
    assert {node.status for node in star.nodes.values()} <= {"success", "pass", "warn", "no-op"}
    tables = ("ad_performance", "orders", "order_items", "sessions", "events")
    assert [star.one(f"fct_{table}", "count(*)")[0] for table in tables] == [0, 1, 3, 0, 0]


def test_no_row_of_another_tenant_is_read(star: Any) -> None:
    assert star.one("fct_events", "count(*)", "user_pseudo_id = 'stranger'") == (0,)
