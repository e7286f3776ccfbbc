"""Offers of MCP beside the tools: resources, prompts, completions, and the page that shows a chart."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp.client import advertise
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID
from mcp.types import (
    INVALID_PARAMS,
    PromptReference,
    ResourceTemplateReference,
    TextContent,
    TextResourceContents,
)

from semantic.planning.window import RANGES
from server.stdio import stdio_app
from tests.server.published_fixture import PublishedHome
from tests.server.test_mcp import TOOL_NAMES

pytestmark = pytest.mark.anyio

METRIC = ResourceTemplateReference(type="ref/resource", uri="metric://{name}")
WHY = PromptReference(type="ref/prompt", name="why_did_roas_change")


@asynccontextmanager
async def inside(
    home: PublishedHome, slug: str = "alpha", *, mode: str = "auto", pages: bool = False
) -> AsyncIterator[Client]:
    shown = {"extensions": [advertise(EXTENSION_ID, {"mimeTypes": [APP_MIME_TYPE]})]} if pages else {}
    async with Client(stdio_app(home.settings, slug), mode=mode, **shown) as client:
        yield client


async def read(client: Client, uri: str) -> dict[str, Any]:
    (content,) = (await client.read_resource(uri)).contents
    assert isinstance(content, TextResourceContents)
    assert content.mime_type == "application/json"
    found: dict[str, Any] = json.loads(content.text, parse_float=Decimal)
    return found


async def prompt(client: Client, name: str, arguments: dict[str, str]) -> str:
    (message,) = (await client.get_prompt(name, arguments)).messages
    assert isinstance(message.content, TextContent)
    return message.content.text


def calls(text: str) -> list[tuple[str, dict[str, Any]]]:
    """The tool and the arguments of each call of a guided analysis."""
    found = re.findall(r"^\d+\. .* \((\w+)\):\n +(\{.*\})$", text, re.MULTILINE)
    return [(tool, json.loads(arguments)) for tool, arguments in found]


async def offered(client: Client, ref: Any, name: str, typed: str, known: dict[str, str] | None = None) -> list[str]:
    answer = await client.complete(ref, {"name": name, "value": typed}, context_arguments=known)
    return answer.completion.values


async def test_what_is_offered_is_as_reviewed(home: PublishedHome, golden: Callable[[str, str], None]) -> None:
    async with inside(home, pages=True) as client:
        lists = {
            "tools": (await client.list_tools()).tools,
            "resources": (await client.list_resources()).resources,
            "resource_templates": (await client.list_resource_templates()).resource_templates,
            "prompts": (await client.list_prompts()).prompts,
        }
    said = {
        name: [
            each.model_dump(by_alias=True, exclude_none=True, exclude={"input_schema"}, mode="json") for each in found
        ]
        for name, found in lists.items()
    }
    golden("mcp_offers.json", json.dumps(said, indent=2, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_metric_is_defined_down_to_sql_that_gives_its_value(home: PublishedHome, mode: str) -> None:
    async with inside(home, mode=mode) as client:
        roas = await read(client, "metric://roas")
        result = await client.call_tool("query", {"metrics": ["roas"]})
    assert (roas["unit"], roas["formula"]) == ("ratio", "attributed_revenue / spend")
    assert roas["dimensions"] == [
        *("ad_platform", "campaign_id", "campaign_name", "campaign_status", "campaign_status_raw", "currency"),
        *("date", "day_of_week", "is_weekend", "month_of_year", "week_of_year"),
    ]
    parts = {
        name: home.sql("alpha", f'select {made["expression"]} from "{made["table"]}"')[0][0]
        for name, made in roas["sql"].items()
    }
    assert result.structured_content is not None
    expected = float(parts["attributed_revenue"]) / float(parts["spend"])
    assert result.structured_content["rows"] == [[pytest.approx(expected, rel=1e-12)]]


async def test_every_metric_that_is_listed_can_be_read(home: PublishedHome) -> None:
    async with inside(home) as client:
        listed = (await client.call_tool("list_metrics", {})).structured_content or {}
        names = [name for group in listed["metrics_by_facts"].values() for name in group]
        for name in names:
            found = await read(client, f"metric://{name}")
            assert found["name"] == name
            assert found["sql"], name
    assert len(names) == 72


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("metric://roaz", "Did you mean roas"),
        ("metric://session_events", "There is no metric"),  # a hidden one
        ("metric://customer_email", "There is no metric"),
        ("metric://../roas", "Unknown resource"),
        ("metric://%2e%2e%2froas", "Unknown resource"),
        ("status://alpha", "Unknown resource"),
        ("file:///etc/passwd", "Unknown resource"),
    ],
)
async def test_what_cannot_be_read_is_not_found(home: PublishedHome, uri: str, message: str) -> None:
    async with inside(home) as client:
        with pytest.raises(MCPError) as refused:
            await client.read_resource(uri)
    assert refused.value.error.code == INVALID_PARAMS
    assert message in refused.value.error.message


async def test_the_status_says_which_run_answers_and_how_far_each_source_goes(fresh_home: PublishedHome) -> None:
    first = fresh_home.settings.published("alpha")
    second = fresh_home.publish("alpha", spend=20)
    async with inside(fresh_home) as client:
        status = await read(client, "status://runs")
        told = (await client.call_tool("get_status", {})).structured_content or {}
    assert [run["answers"] for run in status["runs"]] == [True, False]
    assert status["runs"][0]["run_id"] == second == status["run_id"]
    assert sorted(run["run_id"] for run in status["runs"]) == sorted(path.name for path in first.glob("2*"))
    assert status["sources"] == told["sources"]
    by_hand = fresh_home.sql(
        "alpha",
        "select source_platform, source_account, count(*), min(report_date)::varchar, max(report_date)::varchar"
        " from fct_alpha__ad_performance group by all",
    )
    ads = [source for source in told["sources"] if source["fact"] == "ad_performance"]
    names = ("source", "account", "rows", "first_date", "as_of")
    assert [tuple(source[name] for name in names) for source in ads] == by_hand
    assert {source["fact"] for source in told["sources"]} == {fact["fact"] for fact in told["facts"]}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("weekly_review", {}),
        ("why_did_roas_change", {}),
        ("why_did_roas_change", {"metric": "order_revenue", "dimension": "ad_platform", "value": "facebook_ads"}),
        ("why_did_roas_change", {"metric": "sessions", "dimension": "geo_country", "period": "last_30_days"}),
        ("channel_comparison", {}),
        ("why_did_roas_change", {"metric": "customers"}),
        ("channel_comparison", {"dimension": "traffic_source"}),
        ("channel_comparison", {"dimension": "product_name"}),
    ],
)
async def test_every_call_of_a_guided_analysis_is_answered_as_it_stands(
    home: PublishedHome, name: str, arguments: dict[str, str]
) -> None:
    async with inside(home) as client:
        text = await prompt(client, name, arguments)
        asked = calls(text)
        assert len(asked) >= 2
        for tool, sent in asked:
            result = await client.call_tool(tool, sent)
            assert not result.is_error, (sent, result.content)
    assert len(text) < 2400  # about 600 tokens


async def test_channels_are_compared_by_what_they_can_hold(home: PublishedHome) -> None:
    async with inside(home) as client:
        both = calls(await prompt(client, "channel_comparison", {}))
        rows = (await client.call_tool("query", both[0][1])).structured_content or {}
    asked = {query["dimensions"][0]: query for _, query in both if "date" not in query["dimensions"]}
    assert list(asked) == ["ad_platform", "channel"]
    assert {"spend", "roas"} <= set(asked["ad_platform"]["metrics"])
    assert not {"sessions", "session_revenue"} & set(asked["ad_platform"]["metrics"])
    assert {"sessions", "session_revenue"} <= set(asked["channel"]["metrics"])
    assert not {"spend", "attributed_revenue", "roas", "cac"} & set(asked["channel"]["metrics"])
    assert asked["channel"]["order_by"] == ["-session_revenue"]
    assert [row[0] for row in rows["rows"]] == ["facebook_ads"]  # no row without a name, which no ad channel is


async def test_why_a_ratio_changed_is_asked_of_the_tool_that_splits_it(home: PublishedHome) -> None:
    async with inside(home) as client:
        asked = calls(await prompt(client, "why_did_roas_change", {"period": "last_30_days"}))
        counted = calls(await prompt(client, "why_did_roas_change", {"metric": "customers"}))
    assert asked[0] == ("explain_change", {"metric": "roas", "time_range": "last_30_days"})
    assert {tool for tool, _ in counted} == {"query"}  # counts of different people are not split


async def test_a_guided_analysis_of_money_in_two_currencies_keeps_them_apart(fresh_home: PublishedHome) -> None:
    fresh_home.publish(
        "alpha", alter="update fct_alpha__ad_performance set currency = 'USD' where day(report_date) < 9"
    )
    async with inside(fresh_home) as client:
        asked = calls(await prompt(client, "channel_comparison", {}))
        asked += calls(await prompt(client, "why_did_roas_change", {"metric": "spend"}))
        for tool, query in asked:
            result = await client.call_tool(tool, query)
            assert not result.is_error, (query, result.content)
    of_ads = [query for tool, query in asked if tool == "query" and {"spend", "roas"} & set(query["metrics"])]
    assert all("currency" in query["dimensions"] for query in of_ads)
    assert not any("share_of_total" in query for query in of_ads)  # of a total in two currencies


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("weekly_revue", {}, "Did you mean weekly_review?"),
        ("weekly_review", {"dimension": "ad_platfrom"}, "Did you mean ad_platform"),
        ("weekly_review", {"dimention": "ad_platform"}, "Did you mean dimension?"),
        ("why_did_roas_change", {"metric": "ROI of ads"}, "There is no metric"),
        ("why_did_roas_change", {"value": "x"}, "Name the dimension too."),
        ("why_did_roas_change", {"dimension": "product_name"}, "roas cannot be cut or filtered by product_name"),
        ("why_did_roas_change", {"period": "last_mnth"}, "Did you mean last_month"),
        ("channel_comparison", {"period": "Q1"}, "There is no time range named 'Q1'."),
        ("why_did_roas_change", {"dimension": "ad_platform", "value": "facebook"}, "Did you mean facebook_ads?"),
        ("why_did_roas_change", {"period": "last_year"}, "There are no data of roas for 2025-01-01 to 2025-12-31"),
    ],
)
async def test_a_guided_analysis_of_what_is_not_there_says_what_is(
    home: PublishedHome, name: str, arguments: dict[str, str], message: str
) -> None:
    async with inside(home) as client:
        with pytest.raises(MCPError) as refused:
            await client.get_prompt(name, arguments)
    assert refused.value.error.code == INVALID_PARAMS
    assert message in refused.value.error.message


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_names_and_values_are_completed_from_what_is_typed(home: PublishedHome, mode: str) -> None:
    async with inside(home, mode=mode) as client:
        assert (await offered(client, METRIC, "name", "ro"))[0] == "roas"
        assert "blended_roas" in await offered(client, METRIC, "name", "ROAS")
        assert await offered(client, WHY, "metric", "spen") == ["spend"]
        assert await offered(client, WHY, "dimension", "camp", {"metric": "roas"}) == [
            "campaign_id",
            "campaign_name",
            "campaign_status",
            "campaign_status_raw",
        ]
        assert "last_month" in await offered(client, WHY, "period", "last_")
        assert await offered(client, WHY, "period", "") == list(RANGES)
        campaigns = await offered(client, WHY, "value", "campaign", {"dimension": "campaign_name"})
        assert campaigns == [f"{home.canary('alpha')} campaign {n}" for n in (1, 2)]
        assert await offered(client, WHY, "value", "", {"dimension": "no_such"}) == []
        assert await offered(client, WHY, "value", "", {}) == []
        assert await offered(client, WHY, "tenant", "a") == []
        assert await offered(client, METRIC, "other", "a") == []


async def test_nobody_leafs_through_personal_values(home: PublishedHome) -> None:
    """Alpha exposes customer_email: it can be asked for, by whoever knows what to ask."""
    async with inside(home) as client:
        assert "customer_email" in await offered(client, WHY, "dimension", "customer_e")
        assert await offered(client, WHY, "value", "", {"dimension": "customer_email"}) == []
        assert await offered(client, WHY, "value", "@", {"dimension": "customer_email"}) == []
    async with inside(home, "beta") as client:
        assert await offered(client, WHY, "dimension", "customer_e") == []


async def test_what_is_read_written_and_completed_for_alpha_holds_nothing_of_beta(home: PublishedHome) -> None:
    told: list[str] = []
    async with inside(home) as client:
        told.append(json.dumps(await read(client, "status://runs"), default=str))
        told.append(json.dumps(await read(client, "metric://roas"), default=str))
        for name in ("weekly_review", "why_did_roas_change", "channel_comparison"):
            told.append(await prompt(client, name, {}))
        for dimension in await offered(client, WHY, "dimension", ""):
            told += await offered(client, WHY, "value", "", {"dimension": dimension})
            told += await offered(client, WHY, "value", home.canary("beta")[:4], {"dimension": dimension})
    assert any(home.canary("alpha") in text for text in told)
    for text in told:
        assert home.canary("beta") not in text
        assert "_beta__" not in text


async def test_a_tenant_that_is_not_built_offers_nothing_and_says_why(home: PublishedHome) -> None:
    async with inside(home, "gamma") as client:
        assert await offered(client, METRIC, "name", "") == []
        with pytest.raises(MCPError, match="gamma is not built yet"):
            await client.read_resource("status://runs")
        with pytest.raises(MCPError, match="gamma is not built yet"):
            await client.get_prompt("weekly_review", {})


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_only_a_client_that_shows_pages_is_told_of_the_tool_that_has_one(home: PublishedHome, mode: str) -> None:
    async with inside(home, mode=mode) as client:
        plain = [tool.name for tool in (await client.list_tools()).tools]
        resources = [str(each.uri) for each in (await client.list_resources()).resources]
    async with inside(home, mode=mode, pages=True) as client:
        listed = await client.list_tools()
        (page,) = (await client.read_resource("ui://gata/answer.html")).contents
    *others, show = listed.tools
    assert [tool.name for tool in others] == plain == TOOL_NAMES
    assert resources == ["status://runs"]
    assert (show.name, show.meta) == ("show_chart", {"ui": {"resourceUri": "ui://gata/answer.html"}})
    assert all(tool.meta is None for tool in others)
    assert isinstance(page, TextResourceContents)
    assert page.mime_type == APP_MIME_TYPE
    assert "http" not in page.text  # it fetches nothing
