"""A finding of a published run is said wherever its numbers are: command line, REST, files, MCP, charts and status."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import httpx
import pytest
from mcp import Client

from pipeline.gates.finding import Finding, FindingKind
from server.mcp_server.token_budget import CHARACTERS
from server.stdio import stdio_app
from tests.server.cli_run import Terminal
from tests.server.published_fixture import PublishedHome, new_published_home

pytestmark = pytest.mark.anyio

RANGE = Finding(
    kind=FindingKind.ROWS_OF_SEVERAL_DAYS,
    sentence="2 rows of facebook_ads main cover several days and count on the first. Export one row per day.",
    facts=("ad_performance",),
    platform="facebook_ads",
    first_day=date(2026, 1, 1),
    last_day=date(2026, 1, 31),
    weight=0.5,
)
ASKED: dict[str, Any] = {"metrics": ["spend"], "dimensions": ["campaign_name"]}
QUERY = "/semantic-layer/alpha/query"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> PublishedHome:
    home = new_published_home(tmp_path_factory.mktemp("found"))
    home.publish("alpha", findings=[RANGE])
    return home


@pytest.fixture(scope="module")
def url(found: PublishedHome) -> Iterator[str]:
    with found.serving() as address:
        yield address


def test_the_command_line_says_it(
    found: PublishedHome, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Terminal(monkeypatch, capsys) as terminal:
        said = terminal.use(found.settings)("ask", "--tenant", "alpha", "--metrics", "spend")
    assert f"Note: {RANGE.sentence}" in said.out.replace("\n", " ")


@pytest.mark.parametrize("form", ["json", "csv", "parquet", "arrow"])
def test_every_form_of_an_answer_over_rest_says_it(found: PublishedHome, url: str, form: str) -> None:
    with httpx.Client(base_url=url, headers=found.headers("alpha"), timeout=120) as http:
        answer = http.post(QUERY, json=ASKED, params={"format": form})
    assert answer.status_code == 200, answer.text
    notes = answer.json()["notes"] if form == "json" else json.loads(answer.headers["gata-notes"])
    assert notes[0] == RANGE.sentence


def test_the_catalog_the_layer_and_the_readiness_of_a_tenant_say_it(found: PublishedHome, url: str) -> None:
    with httpx.Client(base_url=url, headers=found.headers("alpha"), timeout=120) as http:
        [catalog] = http.get("/catalog").json()["tenants"]
        layer, readiness = (http.get(path).json() for path in ("/semantic-layer/alpha", "/readiness/alpha"))
    assert catalog["findings"] == layer["findings"] == readiness["findings"] == [RANGE.sentence]


async def test_an_agent_hears_it_with_the_answer_its_chart_and_the_status(found: PublishedHome) -> None:
    async with Client(stdio_app(found.settings, "alpha")) as client:
        answer = await client.call_tool("query", ASKED)
        chart = await client.call_tool("query", {**ASKED, "chart": "vega"})
        status = await client.call_tool("get_status", {})
        other = await client.call_tool("query", {"metrics": ["sessions"]})
    for result in (answer, chart, status):
        assert RANGE.sentence in result.structured_content["notes"]
    assert RANGE.sentence not in other.structured_content["notes"]
    assert len(json.dumps(answer.structured_content)) < CHARACTERS
