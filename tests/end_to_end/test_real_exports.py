"""Real exports in, answers out, each checked against plain SQL on the raw files."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

from pipeline.errors import QueryError
from pipeline.storage.ops import Ops
from server.serving.access import Access
from tests.end_to_end.project_fixture import Project
from tests.server.cli_run import environment, start
from tests.server.published_fixture import PublishedHome

pytestmark = pytest.mark.long  # builds the real events and orders

SHOP = "real_shop"
DERIVED = [{"name": "account", "op": "=", "value": "derived"}, {"name": "currency", "op": "=", "value": "GBP"}]

QUESTIONS: list[dict[str, Any]] = [
    {"metrics": ["sessions", "conversion_rate", "session_revenue"], "dimensions": ["date"], "order_by": ["date"]},
    {"metrics": ["orders", "order_revenue"], "dimensions": ["currency", "financial_status"]},
    {"metrics": ["spend", "clicks", "ctr"], "dimensions": ["ad_id", "date"], "order_by": ["-spend"], "limit": 5},
    {"metrics": ["events"], "filters": [{"name": "event_name", "op": "=", "value": "purchase"}]},
]


def raw(sql: str) -> Any:
    """The one value of a query over raw files, in UTC."""
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        return connection.execute(sql).fetchall()[0][0]


@pytest.fixture(scope="session")
def events(real_data: Path) -> str:
    return f"read_parquet('{real_data}/google_analytics/events/*.parquet', filename = true, file_row_number = true)"


@pytest.fixture
def star(real_project: Project) -> Iterator[duckdb.DuckDBPyConnection]:
    """The shop's star as it was built, all columns of it."""
    with duckdb.connect(str(real_project.settings.stars(SHOP)), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


@pytest.fixture(scope="session")
def orders(real_data: Path) -> str:
    path = real_data / "shopify/derived_orders/orders_2011-09.jsonl.gz"
    return f"read_json('{path}', format='newline_delimited', maximum_object_size=33554432)"


def test_money_and_customers_of_the_orders_are_those_of_the_file(real_project: Project, orders: str) -> None:
    names = ("order_revenue", "gross_sales", "discounts", "refunded_amount", "net_order_revenue")
    answer = real_project.ask(SHOP, metrics=list(names), filters=DERIVED)
    [row] = answer["rows"]
    revenue, gross, discounts, refunded, net = (Decimal(str(value)) for value in row[-5:])
    assert revenue == raw(f"select sum(total_price::decimal(18, 6)) from {orders}") == gross - discounts
    assert (discounts, refunded, net) == (
        raw(f"select sum(total_discounts::decimal(18, 6)) from {orders}"),
        raw(f"select sum(len(refunds)) from {orders}"),
        revenue,
    )
    people = f"(select customer.id, count(*) as n from {orders} where customer.id is not null group by 1)"
    for metric, sql in (("repeat_purchase_rate", "avg((n > 1)::int)"), ("orders_per_customer", "avg(n)")):
        expected = raw(f"select {sql} from {people}")
        assert float(real_project.number(SHOP, metric, filters=DERIVED)) == pytest.approx(expected, rel=1e-12)


def test_every_event_lands(real_project: Project) -> None:
    with duckdb.connect(str(real_project.settings.hub), read_only=True) as hub:
        landed = hub.execute(
            f"""select count(*), count(*) filter (event_name = 'purchase'), count(distinct user_pseudo_id),
                sum(json_array_length(items)) > 0, count(distinct _source_file)
            from landing_{SHOP}.google_analytics__events"""
        ).fetchall()
        files = hub.execute(
            f"select count(*), sum(quarantined) from landing_{SHOP}.landed_files where platform = 'google_analytics'"
        ).fetchall()
    assert (landed, files) == ([(339_531, 422, 26_522, True, 9)], [(9, 0)])


def test_every_event_and_every_user_is_counted(real_project: Project, star: duckdb.DuckDBPyConnection) -> None:
    assert real_project.number(SHOP, "events") == 339_531
    assert real_project.number(SHOP, "event_users") == 26_522
    users = star.execute(f"select count(*), sum(total_events) from dim_{SHOP}__users where user_pseudo_id is not null")
    assert users.fetchall() == [(26_522, 339_531)]


def test_purchase_events_and_transactions_are_two_different_numbers(real_project: Project, events: str) -> None:
    purchases = [{"name": "event_name", "op": "=", "value": "purchase"}]
    assert real_project.number(SHOP, "events", filters=purchases) == 422
    (path,) = real_project.settings.published(SHOP).glob("*Z_*/stars.duckdb")
    with duckdb.connect(str(path), read_only=True) as run:
        transactions = run.execute(f"select count(distinct order_id) from fct_{SHOP}__events").fetchall()[0][0]
    assert transactions == 178
    assert transactions == raw(
        f"""select count(distinct ecommerce.transaction_id) from {events}
        where event_name = 'purchase' and ecommerce.transaction_id <> '(not set)'"""
    )


def test_session_revenue_is_what_the_purchases_say(real_project: Project, events: str) -> None:
    expected = raw(
        f"""select sum(revenue) from (
            select any_value(ecommerce.purchase_revenue) as revenue from {events}
            where event_name = 'purchase' and ecommerce.transaction_id <> '(not set)'
            group by ecommerce.transaction_id)"""
    )
    assert real_project.number(SHOP, "session_revenue") == Decimal(str(expected)) > 0


def test_sessions_follow_the_thirty_minute_rule(real_project: Project, events: str) -> None:
    expected = raw(
        f"""select count(*) from (
            select event_timestamp - lag(event_timestamp)
                over (partition by user_pseudo_id order by event_timestamp) as gap
            from {events}) where gap is null or gap > 1800000000"""
    )
    assert real_project.number(SHOP, "sessions") == expected


def test_sessions_are_those_of_an_independent_query(star: duckdb.DuckDBPyConnection, events: str) -> None:
    star.execute(f"""
        create or replace temp table independent as
        with gaps as (
            select
                *,
                event_timestamp - lag(event_timestamp) over (
                    partition by user_pseudo_id order by event_timestamp
                ) as gap
            from {events}
        ),
        numbered as (
            select *, sum((gap is null or gap > 1800000000)::int) over (
                partition by user_pseudo_id order by event_timestamp
            ) as number
            from gaps
        )
        select
            user_pseudo_id, min(event_timestamp) as began, max(event_timestamp) as ended, count(*) as events,
            coalesce(round(sum(ecommerce.purchase_revenue_in_usd) filter (event_name = 'purchase'), 6), 0) as revenue
        from numbered
        group by user_pseudo_id, number
    """)
    ours = f"""
        select user_pseudo_id, epoch_us(started_at), epoch_us(ended_at), events_in_session, session_revenue::double
        from fct_{SHOP}__sessions
    """
    assert star.sql("select count(*) from independent").fetchone() == (32_113,)
    assert star.sql(f"({ours}) except all (from independent)").fetchall() == []
    assert star.sql(f"(from independent) except all ({ours})").fetchall() == []


def test_the_first_touch_is_that_of_an_independent_query(star: duckdb.DuckDBPyConnection, events: str) -> None:
    differing = star.sql(f"""
        with touches as (
            select
                user_pseudo_id,
                make_timestamp(event_timestamp) as occurred_at,
                list_filter(event_params, lambda p: p.key = 'source')[1].value.string_value as source,
                list_filter(event_params, lambda p: p.key = 'medium')[1].value.string_value as medium,
                traffic_source.source as own_source,
                [case event_name when 'session_start' then 0 when 'first_visit' then 1 else 2 end,
                    epoch(strptime(event_date, '%Y%m%d'))::bigint, file_row_number] as position
            from {events}
        ),
        per_session as (
            select
                s.session_id, any_value(s.traffic_source) as ours, any_value(s.traffic_medium) as our_medium,
                first(t.source order by t.occurred_at, t.position) filter (t.source is not null) as source,
                first(t.medium order by t.occurred_at, t.position) filter (t.source is not null) as medium,
                first(t.own_source order by t.occurred_at, t.position) as own_source
            from fct_{SHOP}__sessions as s
            inner join touches as t
                on t.user_pseudo_id = s.user_pseudo_id and t.occurred_at between s.started_at and s.ended_at
            group by s.session_id
        )
        select count(*) from per_session
        where ours is distinct from lower(coalesce(source, own_source))
            or (source is not null and our_medium <> lower(medium))
    """).fetchone()
    assert differing == (0,)


def test_channels_of_sessions_follow_the_published_rules_of_the_default_channel_group(
    real_project: Project, star: duckdb.DuckDBPyConnection
) -> None:
    """Every kind of source of the sample is in the hand-written rules; `<Other>` and deleted data are masks."""
    expected = star.sql(f"""
        select
            case
                when source = '(direct)' and medium in ('(none)', '(not set)') then 'Direct'
                when source is null and medium is null and campaign is null then 'Direct'
                when source = 'google' and regexp_full_match(medium, '.*cp.*|ppc|retargeting|paid.*') then 'Paid Search'
                when regexp_full_match(source, '((l|m)\\.)?facebook\\.com|t\\.co|l\\.messenger\\.com|away\\.vk\\.com')
                    or source in ('reddit.com', 'quora.com', 'medium.com', 'pinterest.com', 'linkedin.com')
                    then 'Organic Social'
                when source in ('youtube.com', 'm.youtube.com') then 'Organic Video'
                when source in ('google', 'ecosia.org', 'startpage.com', 'm.baidu.com') or medium = 'organic'
                    or regexp_full_match(source, 'yandex\\..*|.*search\\.(yahoo|aol|tb\\.ask)\\.com')
                    then 'Organic Search'
                when medium in ('referral', 'app', 'link') then 'Referral'
                when medium = 'email' then 'Email'
                when medium = 'affiliate' then 'Affiliates'
                else 'Unassigned'
            end as channel,
            count(*)
        from (
            select
                lower(traffic_source) as source, lower(traffic_medium) as medium, lower(traffic_campaign) as campaign
            from fct_{SHOP}__sessions
        )
        group by channel
    """).fetchall()
    rows = real_project.ask(SHOP, metrics=["sessions"], dimensions=["channel"])["rows"]
    assert sorted(map(tuple, rows)) == sorted(expected)
    assert {"Direct", "Organic Search", "Paid Search", "Referral", "Unassigned"} <= dict(expected).keys()


def test_revenue_and_transactions_are_those_of_the_raw_files(star: duckdb.DuckDBPyConnection, events: str) -> None:
    ((orders, revenue),) = star.sql(f"""
        select count(*), sum(revenue) from (
            select ecommerce.transaction_id, max(ecommerce.purchase_revenue_in_usd)::decimal(18, 6) as revenue
            from {events}
            where event_name = 'purchase' and ecommerce.transaction_id <> '(not set)'
            group by 1
        )
    """).fetchall()
    assert star.sql(f"select count(distinct order_id) from fct_{SHOP}__events").fetchall() == [(orders,)] == [(178,)]
    summed = "sum(session_revenue), list_distinct(list(currency))"
    sessions = f"fct_{SHOP}__sessions"
    assert star.sql(f"select {summed} from {sessions} where currency is not null").fetchall() == [(revenue, ["USD"])]
    assert star.sql(f"select sum(funnel_conversion_count) from {sessions}").fetchall() == [(422,)]


def test_sessions_by_day_equal_plain_sql(real_project: Project, events: str) -> None:
    with duckdb.connect() as connection:
        expected = connection.execute(
            f"""select make_timestamp(event_timestamp)::date::varchar as day, count(*) from (
                select event_timestamp, event_timestamp - lag(event_timestamp)
                    over (partition by user_pseudo_id order by event_timestamp) as gap
                from {events}) where gap is null or gap > 1800000000 group by day order by day"""
        ).fetchall()
    answer = real_project.ask(SHOP, metrics=["sessions"], dimensions=["date"], time_grain="day", order_by=["date"])
    assert [tuple(row) for row in answer["rows"]] == expected


def test_orders_and_their_revenue_equal_the_files(real_project: Project, orders: str) -> None:
    assert real_project.number(SHOP, "orders", filters=DERIVED) == 1_837
    assert raw(f"select count(*) from {orders}") == 1_837
    revenue = raw(f"select sum(total_price::decimal(18, 6)) from {orders}")
    assert real_project.number(SHOP, "order_revenue", filters=DERIVED) == revenue
    units = raw(f"select sum(line.quantity) from (select unnest(line_items) as line from {orders})")
    assert real_project.number(SHOP, "units_sold", filters=DERIVED) == units
    items = raw(
        f"""select sum(line.quantity * line.price::decimal(18, 6))
        from (select unnest(line_items) as line from {orders})"""
    )
    assert real_project.number(SHOP, "item_revenue", filters=DERIVED) == items


def test_money_of_two_currencies_is_never_added_up(real_project: Project) -> None:
    with pytest.raises(QueryError, match="GBP and USD"):
        real_project.number(SHOP, "order_revenue")


def test_customers_are_distinct_customer_ids_and_guests_are_none(real_project: Project, orders: str) -> None:
    assert real_project.number(SHOP, "customers", filters=DERIVED) == raw(
        f"select count(distinct customer.id) from {orders}"
    )


def test_the_odd_fields_of_the_rest_fixtures_are_kept(real_project: Project) -> None:
    answer = real_project.ask(
        SHOP,
        metrics=["orders", "order_revenue"],
        dimensions=["financial_status", "currency"],
        filters=[{"name": "account", "op": "=", "value": "fixtures"}],
    )
    assert [list(row) for row in answer["rows"]] == [["partially_refunded", "USD", 1, Decimal("598.94")]]


def test_ad_numbers_sent_as_text_add_up(real_project: Project, real_data: Path) -> None:
    lines = (real_data / "facebook_ads/graph_api/adsinsights_rows.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    clicks = [
        sum(int(a["value"]) for a in row["actions"] if a["action_type"] == "link_click" and "action_reaction" not in a)
        for row in rows
    ]
    answer = real_project.ask(SHOP, metrics=["spend", "impressions", "clicks", "ad_conversions"])
    ((spend, impressions, ad_clicks, conversions),) = answer["rows"]
    assert spend == sum(Decimal(row["spend"]) for row in rows)
    assert impressions == sum(int(row["impressions"]) for row in rows)
    assert ad_clicks == sum(int(row["clicks"]) for row in rows)
    assert conversions == sum(clicks) > 0


def test_a_second_build_changes_nothing(real_project: Project) -> None:
    before = real_project.ask(SHOP, metrics=["orders", "sessions", "spend"])["run_id"]
    report = real_project.build()
    assert [tenant.status for tenant in report.tenants] == ["unchanged"]
    assert real_project.ask(SHOP, metrics=["orders"])["run_id"] == before


@pytest.fixture(scope="module")
def home(real_project: Project) -> PublishedHome:
    with Ops(real_project.settings.ops) as ops:
        token, _ = Access(ops).create(tenant=SHOP, name="interfaces")
    return PublishedHome(real_project.settings, {SHOP: token})


@pytest.fixture(scope="module")
def address(home: PublishedHome) -> Iterator[str]:
    with home.serving() as address:
        yield address


@pytest.fixture(scope="module")
def expected(home: PublishedHome) -> list[Any]:
    """The answers of `gata ask --json`."""
    answers = []
    for question in QUESTIONS:
        process = start(
            "ask", "--tenant", SHOP, "--query", json.dumps(question), "--json", env=environment(home.settings)
        )
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        answers.append(json.loads(out))
    return answers


async def answers_of(client: Client) -> list[Any]:
    return [told((await client.call_tool("query", question)).structured_content) for question in QUESTIONS]


def told(answer: Any) -> Any:
    """An answer without the link to the full result, which differs by interface."""
    return {key: value for key, value in answer.items() if key != "full_result"}


def test_every_question_has_the_rows_it_should(expected: list[Any]) -> None:
    assert [answer["row_count"] for answer in expected] == [9, 2, 5, 1]


@pytest.mark.anyio
async def test_mcp_over_stdio_gives_the_same_numbers(home: PublishedHome, expected: list[Any]) -> None:
    run = [
        sys.executable,
        "-c",
        "import sys; from server.cli.app import main; sys.exit(main())",
        "mcp",
        "--tenant",
        SHOP,
    ]
    server = StdioServerParameters(command=run[0], args=run[1:], env=environment(home.settings))
    async with Client(server) as client:
        assert await answers_of(client) == expected


@pytest.mark.anyio
async def test_mcp_over_streamable_http_gives_the_same_numbers(
    home: PublishedHome, address: str, expected: list[Any]
) -> None:
    async with (
        httpx2.AsyncClient(headers=home.headers(SHOP), timeout=120) as http,
        Client(streamable_http_client(f"{address}/mcp", http_client=http)) as client,
    ):
        assert await answers_of(client) == expected


@pytest.mark.anyio
async def test_mcp_over_sse_gives_the_same_numbers(home: PublishedHome, address: str, expected: list[Any]) -> None:
    async with Client(sse_client(f"{address}/sse", headers=home.headers(SHOP)), mode="legacy") as client:
        assert await answers_of(client) == expected


@pytest.mark.anyio
async def test_rest_gives_the_same_numbers(home: PublishedHome, address: str, expected: list[Any]) -> None:
    async with httpx2.AsyncClient(headers=home.headers(SHOP), timeout=120) as http:
        answers = [await http.post(f"{address}/semantic-layer/{SHOP}/query", json=question) for question in QUESTIONS]
    assert [told(answer.json()) for answer in answers] == expected
