"""The fifth tool: the same explanation at every interface, within its tokens, and refused with a repair."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.types import TextContent

from server.serving.explanation_budget import CHARACTERS, LONGEST_NAME
from server.stdio import stdio_app
from tests.server.cli_run import Terminal
from tests.server.published_fixture import PublishedHome, new_published_home

pytestmark = pytest.mark.anyio

FEBRUARY = {"start": "2026-02-01", "end": "2026-02-28"}
CHANGE = {"metric": "roas", "time_range": FEBRUARY, "dimensions": ["campaign_name"]}
CAMPAIGNS = 11_000
NAME = "Summer\\u202eelas " + "long " * 60


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Terminal]:
    with Terminal(monkeypatch, capsys) as terminal:
        yield terminal


async def call(home: PublishedHome, **arguments: Any) -> tuple[bool, str]:
    async with Client(stdio_app(home.settings, "alpha")) as client:
        result = await client.call_tool("explain_change", arguments)
    (content,) = result.content
    assert isinstance(content, TextContent)
    if not result.is_error:
        assert json.loads(content.text) == result.structured_content
    return bool(result.is_error), content.text


async def test_the_same_change_has_the_same_explanation_at_every_interface(
    home: PublishedHome, address: str, terminal: Terminal
) -> None:
    failed, over_mcp = await call(home, **CHANGE)
    assert not failed
    async with httpx2.AsyncClient(headers=home.headers("alpha"), timeout=60) as http:
        over_rest = await http.post(f"{address}/semantic-layer/alpha/explain", json=CHANGE)
        foreign = await http.post(f"{address}/semantic-layer/beta/explain", json=CHANGE)
        wrong = await http.post(f"{address}/semantic-layer/alpha/explain", json={**CHANGE, "metric": "customers"})
    gata = terminal.use(home.settings)
    days = ("--from", "2026-02-01", "--to", "2026-02-28")
    asked = ("explain", "--tenant", "alpha", "--metric", "roas", *days, "--dimensions", "campaign_name")
    typed = gata(*asked, "--json")
    assert json.loads(over_mcp) == over_rest.json() == json.loads(typed.out)
    assert (foreign.status_code, wrong.status_code) == (404, 422)
    assert "which members do not add up to" in wrong.text
    people = gata(*asked)
    assert "Effects add up to change." in people.out
    assert "ALPHAXCANARY campaign 1" in people.out
    refused = gata("explain", "--tenant", "alpha", "--metric", "roas")
    assert (refused.code, refused.err.count("There are no days to explain.")) == (2, 1)


async def test_effects_are_what_sql_says(home: PublishedHome) -> None:
    _, said = await call(home, metric="spend", time_range=FEBRUARY, dimensions=["campaign_name"])
    told = json.loads(said, parse_float=Decimal)
    by_hand = home.sql(
        "alpha",
        """
        select campaign_name, sum(spend) filter (month(report_date) = 2) as now,
            sum(spend) filter (month(report_date) = 1) as before, now - before
        from fct_alpha__ad_performance join dim_alpha__campaigns using (campaign_key) group by all
        order by abs(now - before) desc
        """,
    )
    assert [tuple(row[:4]) for row in told["rows"]] == by_hand
    assert sum(row[3] for row in told["rows"]) == told["change"]


async def test_an_explanation_keeps_within_its_tokens_however_many_members_there_are(tmp_path: Any) -> None:
    many = new_published_home(tmp_path)
    many.publish(
        "alpha",
        alter=f"""
        insert into fct_alpha__ad_performance by name
            select * exclude n replace ('many' || n as performance_key, 'c' || n as campaign_key,
                'c' || n as campaign_id, 1000 + n as spend, date '2026-01-01' + (n % 59)::int as report_date)
            from (from fct_alpha__ad_performance limit 1), range({CAMPAIGNS}) as many(n);
        insert into dim_alpha__campaigns by name
            select * exclude n replace (
                'c' || n as campaign_key, 'c' || n as campaign_id, n || '{NAME}' as campaign_name)
            from (from dim_alpha__campaigns limit 1), range({CAMPAIGNS}) as many(n);
        """,
    )
    for metric in ("spend", "ctr"):
        failed, said = await call(many, metric=metric, time_range=FEBRUARY, dimensions=["campaign_name"])
        assert not failed, said
        assert len(said) <= CHARACTERS
        told = json.loads(said, parse_float=Decimal)
        assert len(told["rows"]) >= 5
        assert all(len(row[0]) <= LONGEST_NAME and row[0].isprintable() for row in told["rows"])
        effects = sum(row[3] for row in told["rows"]) + told["other"]["effect"]
        assert abs(effects - told["change"]) < Decimal("1e-9")
    assert told["other"]["members"] > 10_000


async def test_money_in_two_currencies_is_explained_in_one(fresh_home: PublishedHome) -> None:
    fresh_home.publish("alpha", alter="update fct_alpha__ad_performance set currency = 'USD' where spend < 11")
    failed, said = await call(fresh_home, metric="spend", time_range=FEBRUARY)
    assert failed
    assert 'Add the filter {"name": "currency", "op": "=", "value": "EUR"}.' in said
    repaired = [{"name": "currency", "op": "=", "value": "EUR"}]
    failed, said = await call(fresh_home, metric="spend", time_range=FEBRUARY, filters=repaired)
    assert not failed, said
    assert json.loads(said)["unit"] == "EUR"


async def test_a_wrong_request_is_refused_with_the_repair(home: PublishedHome) -> None:
    assert await call(home, metric="roas", time_range="last_mnth") == (
        True,
        "There is no time range named 'last_mnth'. Did you mean last_month or last_30_days or this_month?",
    )
    failed, said = await call(home, metric="roas", time_range=FEBRUARY, tenant="beta")
    assert failed
    assert said == "A query has no key 'tenant'. Leave it out: the tenant comes from your credential."
