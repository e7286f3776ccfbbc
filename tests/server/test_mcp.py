"""The tools over MCP: the same answers in both eras and over every transport, and refusals that help."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, TextContent

from pipeline.errors import TooMuch
from server.mcp_server.tool_specs import TOOLS
from server.serving import tools
from server.serving.runs.published_runs import PublishedRuns
from server.serving.runs.run_call import run_call
from server.stdio import stdio_app
from tests.server.cli_run import Terminal
from tests.server.published_fixture import PublishedHome

pytestmark = pytest.mark.anyio

ENTRY = Path(__file__).resolve().parents[2] / "server" / "mcp_entry.py"
TOOL_NAMES = ["list_metrics", "get_dimension_values", "query", "explain_change", "get_status"]
QUESTION = {
    "metrics": ["spend", "roas", "order_revenue"],
    "dimensions": ["campaign_name", "date"],
    "time_grain": "month",
    "order_by": ["date", "campaign_name"],
}


def text(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


def rows(result: CallToolResult) -> list[list[Any]]:
    assert not result.is_error, text(result)
    assert result.structured_content is not None
    found: list[list[Any]] = result.structured_content["rows"]
    return found


def child(home: PublishedHome, slug: str = "alpha", **extra: str) -> dict[str, str]:
    own = {"GATA_HOME": str(home.settings.home), "GATA_TENANTS": str(home.settings.tenants), "GATA_TENANT": slug}
    return {**os.environ, **own, "GATA_TODAY": "2026-03-01", **extra}


@asynccontextmanager
async def inside(home: PublishedHome, mode: str = "auto") -> AsyncIterator[Client]:
    async with Client(stdio_app(home.settings, "alpha"), mode=mode) as client:
        yield client


@asynccontextmanager
async def over_stdio(home: PublishedHome, *command: str, mode: str = "auto") -> AsyncIterator[Client]:
    program, *args = command or (sys.executable, str(ENTRY))
    async with Client(StdioServerParameters(command=program, args=args, env=child(home)), mode=mode) as client:
        yield client


@asynccontextmanager
async def over_http(home: PublishedHome, address: str, who: str = "alpha", mode: str = "auto") -> AsyncIterator[Client]:
    async with (
        httpx2.AsyncClient(headers=home.headers(who), timeout=120) as http,
        Client(streamable_http_client(f"{address}/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


@asynccontextmanager
async def over_sse(home: PublishedHome, address: str, who: str = "alpha") -> AsyncIterator[Client]:
    async with Client(sse_client(f"{address}/sse", headers=home.headers(who)), mode="legacy") as client:
        yield client


def asked_by_hand(home: PublishedHome) -> list[list[object]]:
    """The answer to QUESTION, by SQL over the star."""
    return [
        list(row)
        for row in home.sql(
            "alpha",
            """
            with spent as (
                select campaign_name, date_trunc('month', report_date)::date as month, sum(spend) as spend
                from fct_alpha__ad_performance join dim_alpha__campaigns using (campaign_key) group by all
            ), earned as (
                select campaign_name, date_trunc('month', session_date)::date as month,
                    sum(session_revenue) filter (attribution <> 'none') as revenue
                from fct_alpha__sessions group by all
            ), sold as (
                select campaign_name, date_trunc('month', order_date)::date as month, sum(total_price) as total
                from fct_alpha__orders group by all
            )
            select campaign_name, month::varchar, coalesce(spend, 0)::double,
                coalesce(revenue, 0)::double / nullif(coalesce(spend, 0), 0)::double, coalesce(total, 0)::double
            from spent full join earned using (campaign_name, month) full join sold using (campaign_name, month)
            where campaign_name is not null
            order by month, campaign_name
            """,
        )
    ]


def test_the_tools_and_their_schemas_are_as_reviewed(golden: Callable[[str, str], None]) -> None:
    listed = [
        {
            "name": t.name,
            "title": t.title,
            "description": t.description,
            "takes": t.input_schema,
            "gives": t.output_schema,
        }
        for t in TOOLS
    ]
    golden("mcp_tools.json", json.dumps(listed, indent=2, ensure_ascii=False) + "\n")


async def test_the_list_of_tools_fits_what_hosts_read(home: PublishedHome) -> None:
    async with inside(home) as client:
        listed = await client.list_tools()
        assert client.instructions is not None
        assert len(client.instructions) <= 2048
    assert len(listed.model_dump_json(by_alias=True, exclude_none=True)) < 9000
    assert [tool.name for tool in listed.tools] == TOOL_NAMES
    for tool in listed.tools:
        assert tool.description is not None
        assert len(tool.description) <= 2048
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint
        assert tool.annotations.idempotent_hint
        assert not tool.annotations.destructive_hint
        assert not tool.annotations.open_world_hint
        assert tool.input_schema["additionalProperties"] is False
        for name, argument in tool.input_schema["properties"].items():
            assert argument["description"], name
            assert argument["examples"], name


async def test_the_server_says_who_it_is_and_keeps_lists_private(home: PublishedHome) -> None:
    async with inside(home) as client:
        assert client.server_info is not None
        assert client.server_info.name == "gata"
        assert client.server_info.version
        listed = await client.list_tools()
        assert (listed.cache_scope, listed.ttl_ms) == ("private", 60_000)
        status = await client.read_resource("status://runs")
        assert (status.cache_scope, status.ttl_ms) == ("private", 0)  # a new run is seen at once


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_an_answer_is_what_sql_says(home: PublishedHome, mode: str) -> None:
    async with inside(home, mode) as client:
        result = await client.call_tool("query", QUESTION)
    named = [row for row in rows(result) if row[0] is not None]
    by_hand = asked_by_hand(home)
    assert [row[:2] for row in named] == [row[:2] for row in by_hand]
    for row, wanted in zip(named, by_hand, strict=True):
        assert row[2:] == pytest.approx(wanted[2:], rel=1e-9)


async def test_both_halves_of_an_answer_are_complete_and_equal(home: PublishedHome) -> None:
    async with inside(home) as client:
        for name, arguments in (
            ("query", QUESTION),
            ("list_metrics", {}),
            ("get_dimension_values", {"dimension_name": "campaign_name"}),
            ("get_status", {}),
        ):
            result = await client.call_tool(name, arguments)
            assert json.loads(text(result)) == result.structured_content
            assert "\n" not in text(result)


async def test_the_text_keeps_every_digit_of_money(home: PublishedHome) -> None:
    async with inside(home) as client:
        result = await client.call_tool("query", {"metrics": ["spend"]})
    ((spend,),) = json.loads(text(result), parse_float=Decimal)["rows"]
    assert spend == home.sql("alpha", "select sum(spend) from fct_alpha__ad_performance")[0][0]


async def test_the_same_question_has_the_same_answer_at_every_interface(home: PublishedHome, address: str) -> None:
    async with inside(home) as client:
        expected = (await client.call_tool("query", QUESTION)).structured_content
    interfaces = {
        "stdio": over_stdio(home),
        "stdio, initialize": over_stdio(home, mode="legacy"),
        "mcp run": over_stdio(home, str(Path(sys.executable).with_name("mcp")), "run", str(ENTRY)),
        "streamable http": over_http(home, address),
        "streamable http, initialize": over_http(home, address, mode="legacy"),
        "sse": over_sse(home, address),
    }
    for interface, opened in interfaces.items():
        async with opened as client:
            assert (await client.call_tool("query", QUESTION)).structured_content == expected, interface
    async with httpx2.AsyncClient(headers=home.headers("alpha"), timeout=120) as http:
        answer = await http.post(f"{address}/semantic-layer/alpha/query", json=QUESTION)
    assert answer.json() == expected


@pytest.mark.parametrize(
    ("tool", "arguments", "message"),
    [
        ("query", {"metrics": ["spnd"]}, "Did you mean spend?"),
        ("query", {"metrics": ["spend"], "filter": []}, "Meant is filters"),
        ("query", {"metrics": ["spend"], "tenant": "beta"}, "the tenant comes from your credential"),
        ("query", {}, "metrics is missing"),
        ("query", {"metrics": ["spend"], "limit": 10**12}, "limit"),
        ("query", {"metrics": ["spend"] * 51}, "metrics"),
        ("query", {"metrics": ["order_revenue"], "dimensions": ["ad_name"]}, "cannot be cut or filtered by ad_name"),
        ("get_dimension_values", {"dimension_name": "campain_name"}, "Did you mean campaign_name"),
        ("get_dimension_values", {"dimension": "campaign_name", "sarch": "x"}, "Did you mean search?"),
        ("get_dimension_values", {}, "The argument dimension_name is missing."),
        ("get_dimension_values", {"dimension_name": "campaign_name", "limit": 0}, "The argument limit is 0"),
        ("list_metrics", {"serch": "x"}, "Did you mean search?"),
        ("get_status", {"tenant": "beta"}, "Leave it out."),
        ("get_stats", {}, "Unknown tool"),
    ],
)
async def test_a_mistake_comes_back_as_a_tool_error_that_repairs_it(
    home: PublishedHome, tool: str, arguments: dict[str, Any], message: str
) -> None:
    async with inside(home) as client:
        result = await client.call_tool(tool, arguments)
    assert result.is_error
    assert message in text(result)
    assert "pydantic" not in text(result)


async def test_what_a_client_adds_or_leaves_empty_changes_no_answer(home: PublishedHome) -> None:
    added = {"toolCallId": "call_1", "sessionId": "abc", "action": "sendMessage", "chatInput": "spend?", "_meta": {}}
    empty = {"search": "", "limit": "null", "cursor": None}
    calls: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("query", {"metrics": ["spend"]}, {"compare": "", "time_range": {"start": None, "end": ""}, "chart": "null"}),
        ("list_metrics", {}, empty),
        ("get_dimension_values", {"dimension_name": "campaign_name"}, {"search": "", "limit": ""}),
        ("get_status", {}, {}),
    ]
    async with inside(home) as client:
        for tool, asked, more in calls:
            plain, spoilt = (
                await client.call_tool(tool, asked),
                await client.call_tool(tool, {**asked, **added, **more}),
            )
            assert not plain.is_error
            assert text(spoilt) == text(plain), tool
        for words in ("[2026]", '{"a": 1}', "[]"):
            found = await client.call_tool("get_dimension_values", {"dimension_name": "campaign_name", "search": words})
            assert found.structured_content is not None
            assert found.structured_content["values"] == []  # looked for as it is
        refused = await client.call_tool("get_dimension_values", {"sarch": "x", "limit": 0})
    for part in ("Did you mean search?", "The argument dimension_name is missing", "The argument limit is 0"):
        assert part in text(refused)


async def test_wrong_keys_and_wrong_names_of_one_question_are_said_together_at_every_interface(
    home: PublishedHome, address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = {
        "metrics": ["spnd"],
        "dimensions": ["medium"],
        "filters": [{"field": "ad_platform", "value": "x"}],
        "limit": 0,
    }
    expected = ("Meant is name", "limit is 0", "Did you mean spend?", "traffic_medium")
    async with inside(home) as client:
        said = [text(await client.call_tool("query", wrong))]
    async with httpx2.AsyncClient(headers=home.headers("alpha"), timeout=120) as http:
        for accept in ("application/json", "text/csv"):
            refused = await http.post(
                f"{address}/semantic-layer/alpha/query",
                json=wrong,
                headers={"accept": f"{accept}, application/problem+json"},
            )
            said.append(refused.json()["detail"] + refused.json()["fix"])
    with Terminal(monkeypatch, capsys) as gata:
        said.append(gata.use(home.settings)("ask", "--tenant", "alpha", "--query", json.dumps(wrong)).err)
    for one in said:
        for part in expected:
            assert part in one


async def test_lists_and_objects_may_come_as_json_text(home: PublishedHome) -> None:
    spelled = {key: json.dumps(value) if isinstance(value, list) else value for key, value in QUESTION.items()}
    async with inside(home) as client:
        assert rows(await client.call_tool("query", spelled)) == rows(await client.call_tool("query", QUESTION))


async def test_long_input_is_never_echoed_whole(home: PublishedHome) -> None:
    async with inside(home) as client:
        for arguments in ({"metrics": ["x" * 200]}, {"metrics": ["spend"], "y" * 5000: 1}, {"metrics": [["z" * 9000]]}):
            result = await client.call_tool("query", arguments)
            assert result.is_error
            assert len(text(result)) < 1500


async def test_a_tenant_that_is_not_built_says_what_to_run(home: PublishedHome) -> None:
    async with Client(stdio_app(home.settings, "gamma")) as client:
        result = await client.call_tool("get_status", {})
    assert result.is_error
    assert text(result) == "gamma is not built yet. Run `gata build --tenant gamma`."


async def test_a_bug_gives_an_event_id_and_keeps_its_frames_on_stderr(
    home: PublishedHome, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(" ".join(("duckdb:", "secret", "row")))  # frames show this line as it stands

    monkeypatch.setattr(tools, "query", fail)
    async with inside(home) as client:
        result = await client.call_tool("query", {"metrics": ["spend"]})
    assert result.is_error
    event = re.search(r"event: ([0-9a-f]{12})\.$", text(result))
    assert event is not None
    assert "duckdb" not in text(result).lower()
    logged = capsys.readouterr()
    assert event[1] in logged.err
    assert "answer_reply.py" in logged.err
    assert "secret row" not in logged.err
    assert logged.out == ""


async def test_a_call_given_up_stops_its_statement(home: PublishedHome) -> None:
    endless = "select count(*) from range(1000000) a, range(1000000) b where a.range + b.range = -1"
    with closing(PublishedRuns(home.settings)) as runs:
        with anyio.move_on_after(0.2) as scope:
            await run_call(runs, "alpha", lambda _, cursor: cursor.execute(endless).fetchall())
        assert scope.cancelled_caught
        assert await run_call(runs, "alpha", lambda _, cursor: cursor.execute("select 1").fetchall()) == [(1,)]


async def test_a_call_over_the_deadline_is_too_much(home: PublishedHome) -> None:
    hurried = home.settings.model_copy(update={"query_timeout": 0.05})
    endless = "select count(*) from range(1000000) a, range(1000000) b where a.range + b.range = -1"
    with closing(PublishedRuns(hurried)) as runs, pytest.raises(TooMuch, match=r"within 0\.05 seconds"):
        await run_call(runs, "alpha", lambda _, cursor: cursor.execute(endless).fetchall())


async def test_an_admin_token_has_no_tenant_to_ask_for(home: PublishedHome, address: str) -> None:
    async with over_http(home, address, "admin") as client:
        result = await client.call_tool("get_status", {})
    assert result.is_error
    assert "gata token create --tenant" in text(result)


async def test_calls_of_two_tenants_at_once_never_mix(home: PublishedHome, address: str) -> None:
    seen: dict[str, set[str]] = {"alpha": set(), "beta": set()}

    async def many(who: str) -> None:
        async with over_http(home, address, who) as client, over_sse(home, address, who) as legacy:
            for _ in range(10):
                for one in (client, legacy):
                    result = await one.call_tool("query", {"metrics": ["spend"], "dimensions": ["campaign_name"]})
                    seen[who].add(text(result))

    async with anyio.create_task_group() as group:
        for who in seen:
            group.start_soon(many, who)
            group.start_soon(many, who)
    for who, other in (("alpha", "beta"), ("beta", "alpha")):
        (answer,) = seen[who]
        assert home.canary(who) in answer
        assert home.canary(other) not in answer


async def test_no_tool_shows_a_token_of_alpha_anything_of_beta(home: PublishedHome, address: str) -> None:
    told: list[str] = []
    async with over_http(home, address) as client:
        told.append(text(await client.call_tool("get_status", {})))
        listed = await client.call_tool("list_metrics", {})
        told.append(text(listed))
        assert listed.structured_content is not None
        brief = listed.structured_content
        facts = {name: set(at.split(", ")) for at, names in brief["dimensions_by_facts"].items() for name in names}
        metrics = {name: set(at.split(", ")) for at, names in brief["metrics_by_facts"].items() for name in names}
        for name in facts:
            told.append(text(await client.call_tool("get_dimension_values", {"dimension_name": name, "limit": 1000})))
            wrong = {"metrics": ["spend"], "filters": [{"name": name, "value": home.canary("beta")[:-1]}]}
            told.append(text(await client.call_tool("query", wrong)))
        for metric in metrics:
            told.append(text(await client.call_tool("query", {"metrics": [metric], "include_sql": True})))
        reached = {name: metric for metric, made in metrics.items() for name, at in facts.items() if made <= at}
        for name, metric in reached.items():
            question = {"metrics": [metric], "dimensions": [name], "include_sql": True}
            told.append(text(await client.call_tool("query", question)))
    assert sum(home.canary("alpha") in answer for answer in told) > 20
    for answer in told:
        assert home.canary("beta") not in answer
        assert "_beta__" not in answer


async def test_a_session_of_one_token_is_not_there_for_another(home: PublishedHome, address: str) -> None:
    initialize = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    }
    ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
    accept = {"Accept": "application/json, text/event-stream"}
    async with httpx2.AsyncClient(base_url=address, headers=accept, timeout=120) as http:
        begun = await http.post("/mcp", json=initialize, headers=home.headers("alpha"))
        session = {"Mcp-Session-Id": begun.headers["mcp-session-id"], "Mcp-Protocol-Version": "2025-11-25"}
        own = await http.post("/mcp", json=ping, headers={**session, **home.headers("alpha")})
        other = await http.post("/mcp", json=ping, headers={**session, **home.headers("beta")})
        assert (own.status_code, other.status_code) == (200, 404)
        async with http.stream("GET", "/sse", headers=home.headers("alpha")) as stream:
            lines = stream.aiter_lines()
            while not (line := await anext(lines)).startswith("data: /messages/"):
                pass
            path = line.removeprefix("data: ")
            other = await http.post(path, json=initialize, headers=home.headers("beta"))
            own = await http.post(path, json=initialize, headers=home.headers("alpha"))
            assert (own.status_code, other.status_code) == (202, 404)


def test_stdout_holds_the_protocol_and_nothing_else(home: PublishedHome) -> None:
    sent = [
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "initialize",
            "params": {
                "protocolVersion": "2025-11-25",
                "capabilities": {},
                "clientInfo": {"name": "t", "version": "1"},
            },
        },
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
        {"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {"name": "query", "arguments": QUESTION}},
        {"jsonrpc": "2.0", "id": 4, "method": "tools/call", "params": {"name": "query", "arguments": {"x": 1}}},
        {"jsonrpc": "2.0", "id": 5, "method": "no/such/method"},
    ]
    process = subprocess.Popen(
        [sys.executable, str(ENTRY)],
        env=child(home),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
    )
    assert process.stdin is not None
    assert process.stdout is not None
    answers = {}
    with process:
        process.stdin.write("this is not json\n")
        for message in sent:
            process.stdin.write(json.dumps(message) + "\n")
        process.stdin.flush()
        while len(answers) < 5:
            answer = json.loads(process.stdout.readline())
            assert answer["jsonrpc"] == "2.0"
            if answer.get("id") is not None:
                answers[answer["id"]] = answer
        process.stdin.close()
        assert process.stdout.read() == ""
        assert process.wait(10) == 0
        assert "Traceback" not in process.stderr.read() if process.stderr else True
    assert answers[3]["result"]["structuredContent"]["row_count"] == 6
    assert answers[4]["result"]["isError"]
    assert "error" in answers[5]


def test_a_server_without_a_tenant_says_so_and_ends_with_2(home: PublishedHome) -> None:
    for slug, said in (("", "No tenant is named. Name it"), ("../beta", "There is no such tenant")):
        ended = subprocess.run(
            [sys.executable, str(ENTRY)],
            env=child(home, slug),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (ended.returncode, ended.stdout) == (2, "")
        assert said in ended.stderr
        assert "Traceback" not in ended.stderr


def test_nothing_heavy_is_loaded_before_the_first_question(home: PublishedHome) -> None:
    program = (
        "import sys, runpy; runpy.run_path(sys.argv[1], run_name='server_module');"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program, str(ENTRY)],
        env=child(home),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout.split()
    heavy = {
        "dbt",
        "dlt",
        "duckdb",
        "ibis",
        "boring_semantic_layer",
        "numpy",
        "pyarrow",
        "sqlglot",
        "structlog",
        "vl_convert",
    }
    assert heavy.isdisjoint(loaded)
    assert {"fastapi", "typer"}.isdisjoint(loaded)
