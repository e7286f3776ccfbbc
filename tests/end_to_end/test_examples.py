"""The examples do what their pages show, and each number is that of SQL on the export files."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.settings import Settings
from tests.end_to_end.project_fixture import Project
from tests.end_to_end.shown_output import commands_and_output, is_shown
from tests.library import with_library
from tests.server.cli_run import ROOT, environment, start

pytestmark = pytest.mark.long  # builds two shops by the commands of their pages

EXAMPLES = ("one_shop", "several_currencies")
Sql = Callable[[str], list[tuple[Any, ...]]]

CURRENT_ORDERS = """(
    select *, total_price::decimal(18, 6) as total
    from read_json('exports/**/orders*.jsonl', columns = {
        id: 'bigint', created_at: 'timestamptz', updated_at: 'timestamptz', cancelled_at: 'timestamptz',
        currency: 'varchar', total_price: 'varchar', refunds: 'json'
    })
    qualify row_number() over (partition by id order by updated_at desc) = 1
)"""
ADS = """(
    select campaign_name, account_currency as currency, date_start as day, spend::decimal(18, 6) as spend
    from read_json('exports/**/insights.jsonl', columns = {
        campaign_name: 'varchar', account_currency: 'varchar', date_start: 'date', spend: 'varchar'
    })
)"""
SESSIONS = """(
    with events as (
        select
            user_pseudo_id,
            event_name,
            make_timestamp(event_timestamp) as happened,
            list_filter(event_params, lambda each: each.key = 'campaign')[1].value.string_value as campaign,
            ecommerce.purchase_revenue::decimal(18, 6) as revenue
        from read_json('exports/events.jsonl', columns = {
            user_pseudo_id: 'varchar', event_name: 'varchar', event_timestamp: 'bigint',
            event_params: 'struct(key varchar, value struct(string_value varchar))[]',
            ecommerce: 'struct(purchase_revenue double)'
        })
    ),

    begun as (
        select *, happened - lag(happened) over by_user > interval 30 minutes as is_later
        from events
        window by_user as (partition by user_pseudo_id order by happened)
    ),

    numbered as (
        select *, count(*) filter (where is_later) over by_user as number
        from begun
        window by_user as (partition by user_pseudo_id order by happened)
    )

    select
        any_value(campaign) as campaign,
        coalesce(sum(revenue), 0) as revenue,
        count(*) filter (where event_name = 'add_to_cart') > 0 as has_cart
    from numbered
    group by user_pseudo_id, number
)"""
EUROS = "case currency when 'EUR' then 1.0000 else rate end"


@pytest.fixture(scope="module", params=EXAMPLES)
def example(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Settings]:
    """A copy of an example, not yet built."""
    folder = tmp_path_factory.mktemp(request.param) / request.param
    shutil.copytree(ROOT / "examples" / request.param, folder, ignore=shutil.ignore_patterns(".gata"))
    settings = Settings(home=folder / ".gata", tenants=folder / "tenants.yaml", threads=1)
    with_library(settings)
    return folder, settings


@pytest.fixture(scope="module")
def printed(example: tuple[Path, Settings]) -> list[tuple[str, str]]:
    """What the page shows, and what its commands print, block by block."""
    folder, settings = example
    blocks = []
    for script, shown in commands_and_output(folder / "README.md"):
        out = ""
        for line in script.splitlines():
            process = start(*shlex.split(line)[1:], env=environment(settings))
            out += (found := process.communicate(timeout=300))[0]
            assert process.returncode == 0, found
        blocks.append((shown, out))
    return blocks


@pytest.fixture
def sql(example: tuple[Path, Settings], monkeypatch: pytest.MonkeyPatch) -> Sql:
    """SQL on the export files of the example."""
    monkeypatch.chdir(example[0])
    con = duckdb.connect()
    con.execute("set TimeZone = 'UTC'")
    return lambda query: con.execute(query).fetchall()


def test_the_page_shows_what_its_commands_print(printed: list[tuple[str, str]]) -> None:
    assert printed
    for shown, out in printed:
        assert is_shown(shown, out), out


def test_the_numbers_are_those_of_the_files(
    example: tuple[Path, Settings], printed: list[tuple[str, str]], sql: Sql
) -> None:
    check = {"one_shop": one_shop, "several_currencies": several_currencies}[example[0].name]
    check(Project(example[1]), sql)


def one_shop(project: Project, sql: Sql) -> None:
    asked = ["orders", "order_revenue", "refunded_amount", "spend", "margin"]
    ((orders, revenue, refunded),) = sql(f"""
        select
            count(*),
            sum(total) filter (where cancelled_at is null),
            sum(coalesce((refunds->>'$[0].transactions[0].amount')::decimal(18, 6), 0))
        from {CURRENT_ORDERS}""")
    ((spend,),) = sql(f"select sum(spend) from {ADS}")
    answer = project.ask("lamp_shop", metrics=asked)["rows"]
    assert [list(row) for row in answer] == [[orders, revenue, refunded, spend, revenue - refunded - spend]]

    by_campaign = sql(f"""
        select sessions.campaign, any_value(ads.spend), sum(sessions.revenue), count(*)
        from {SESSIONS} as sessions
        inner join (select campaign_name, sum(spend) as spend from {ADS} group by all) as ads
            on ads.campaign_name = sessions.campaign
        group by all order by all""")
    answer = project.ask(
        "lamp_shop",
        metrics=["spend", "attributed_revenue", "sessions", "roas"],
        dimensions=["campaign_name"],
        order_by=["campaign_name"],
    )
    rows = [row for row in answer["rows"] if row[0] is not None]
    assert [tuple(row[:4]) for row in rows] == by_campaign
    assert [float(row[4]) for row in rows] == [
        pytest.approx(float(revenue / spend)) for _, spend, revenue, _ in by_campaign
    ]

    ((sessions, carts),) = sql(f"select count(*), count(*) filter (where has_cart) from {SESSIONS}")
    assert project.number("lamp_shop", "sessions") == sessions
    assert project.number("lamp_shop", "funnel_step_3") == carts


def several_currencies(project: Project, sql: Sql) -> None:
    rates = "(select date, rate::decimal(28, 18) as rate from read_csv('rates.csv', header = true) order by date)"
    orders = f"(select *, created_at::date as day from {CURRENT_ORDERS})"
    revenue = sql(f"""
        select currency, sum((total * ({EUROS}))::decimal(18, 6)), count(*)
        from {orders} as orders asof join {rates} as rates on rates.date <= orders.day
        group by all order by currency""")
    ((spend,),) = sql(f"""
        select sum((spend * ({EUROS}))::decimal(18, 6))
        from {ADS} as ads asof join {rates} as rates on rates.date <= ads.day""")
    by_currency = project.ask(
        "notebooks", metrics=["order_revenue", "orders"], dimensions=["currency"], order_by=["currency"]
    )
    assert [tuple(row) for row in by_currency["rows"]] == revenue
    ((answered, spent, ratio),) = project.ask("notebooks", metrics=["order_revenue", "spend", "blended_roas"])["rows"]
    total = sum((amount for _, amount, _ in revenue), Decimal())
    assert (answered, spent) == (total, spend)
    assert float(ratio) == pytest.approx(float(total / spend))
