"""A token of several tenants: it names one of them in each call, or several in a query, and reaches no other."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp.types import CallToolResult, TextContent

from pipeline.storage.ops import Ops
from server.mcp_server.agency.tenant_arguments import MOST_TENANTS
from server.mcp_server.token_budget import CHARACTERS
from server.orchestration.forgetting import _clear_tenant
from server.serving.access import Access
from server.serving.audit.read_audit_log import CallFilter, read_calls
from tests.server.published_fixture import PublishedHome, new_published_home

pytestmark = pytest.mark.anyio

MISSING = "There is no such tenant here. Ask for a tenant of your token: get_status lists them."
BOTH = ["alpha", "beta"]


@asynccontextmanager
async def over_http(
    home: PublishedHome, address: str, who: str = "agency", mode: str = "auto"
) -> AsyncIterator[Client]:
    async with (
        httpx2.AsyncClient(headers=home.headers(who), timeout=120) as http,
        Client(streamable_http_client(f"{address}/mcp/", http_client=http), mode=mode) as client,
    ):
        yield client


def over_sse(home: PublishedHome, address: str) -> Client:
    return Client(sse_client(f"{address}/sse", headers=home.headers("agency")), mode="legacy")


def text(result: CallToolResult) -> str:
    content = result.content[0]
    assert isinstance(content, TextContent)
    return content.text


async def answer(client: Client, tool: str = "query", **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text(result)
    assert result.structured_content == json.loads(text(result))
    assert result.structured_content is not None
    return result.structured_content


async def refusal(client: Client, tool: str = "query", **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error, text(result)
    return text(result)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> PublishedHome:
    """Alpha and beta report in one currency, and have campaigns enough for pages; the clicks of many tie."""
    home = new_published_home(tmp_path_factory.mktemp("agency"))
    for slug, shift in (("alpha", 0), ("beta", 3)):
        home.publish(
            slug,
            alter=f"""
            update fct_{slug}__ad_performance set currency = 'EUR';
            insert into fct_{slug}__ad_performance by name
                select * exclude n replace (
                    'many' || n as performance_key, 'c' || n as campaign_key, 'c' || n as campaign_id,
                    case n % 7 when 0 then null else n // 4 + {shift} end as clicks, 100 + n as spend)
                from (from fct_{slug}__ad_performance limit 1), range(60) as many(n);
            insert into dim_{slug}__campaigns by name
                select * exclude n replace (
                    'c' || n as campaign_key, 'c' || n as campaign_id,
                    rpad('{slug} ' || n || ' ', 250, 'x') as campaign_name)
                from (from dim_{slug}__campaigns limit 1), range(60) as many(n);
            """,
        )
    return home


@pytest.fixture(scope="module")
def many_served(many: PublishedHome) -> Iterator[str]:
    with many.serving() as served:
        yield served


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_only_a_token_of_several_tenants_is_shown_and_may_send_the_arguments(
    home: PublishedHome, address: str, mode: str
) -> None:
    async with over_http(home, address, mode=mode) as agency, over_http(home, address, "alpha", mode=mode) as one:
        listed, plain = await agency.list_tools(), await one.list_tools()
        assert agency.instructions is not None
        assert one.instructions is not None
        assert agency.instructions.startswith(one.instructions)
        assert agency.instructions.endswith("begin with a column tenant.")
        assert len(agency.instructions) <= 2048
        size = len(listed.model_dump_json(by_alias=True, exclude_none=True))
        assert size < 9_500
        assert size - len(plain.model_dump_json(by_alias=True, exclude_none=True)) < 500  # as much as 9 kB leave
        for tool, known in zip(listed.tools, plain.tools, strict=True):
            arguments = tool.input_schema["properties"]
            assert next(iter(arguments)) == "tenant"
            assert ("tenants" in arguments) == (tool.name == "query")
            assert ("tenant" in tool.input_schema.get("required", ())) == (tool.name not in {"query", "get_status"})
            added = {name: value for name, value in arguments.items() if name not in ("tenant", "tenants")}
            assert added == known.input_schema["properties"]
            assert all(each["description"] and each["examples"] for each in arguments.values())
            assert "tenant" not in json.dumps(known.input_schema)
        for tool in ("query", "list_metrics", "get_dimension_values", "get_status"):
            for named in ({"tenant": "alpha"}, {"tenants": BOTH}):
                assert "There is no" in await refusal(one, tool, **named) or "Leave it out" in await refusal(
                    one, tool, **named
                )


@pytest.mark.parametrize("mode", ["auto", "legacy", "sse"])
async def test_a_call_is_answered_for_the_tenant_that_it_names_as_its_own_token_is(
    home: PublishedHome, address: str, mode: str
) -> None:
    calls: list[tuple[str, dict[str, Any]]] = [
        ("query", {"metrics": ["spend", "roas"], "dimensions": ["campaign_name"], "include_sql": True}),
        ("list_metrics", {"search": "spend"}),
        ("get_dimension_values", {"dimension_name": "campaign_name"}),
        ("get_status", {}),
    ]
    opened = over_sse(home, address) if mode == "sse" else over_http(home, address, mode=mode)
    async with opened as agency:
        for slug in BOTH:
            async with over_http(home, address, slug) as own:
                for tool, arguments in calls:
                    asked = await agency.call_tool(tool, {**arguments, "tenant": slug})
                    assert text(asked) == text(await own.call_tool(tool, arguments))


async def test_without_a_tenant_a_call_says_which_there_are_and_get_status_lists_them(
    home: PublishedHome, address: str
) -> None:
    async with over_http(home, address) as agency:
        listed = await answer(agency, "get_status")
        assert [each["tenant"] for each in listed["tenants"]] == BOTH
        assert all(each["run_id"] and each["published_at"] for each in listed["tenants"])
        for nothing in ({}, {"tenant": ""}, {"tenant": None}, {"tenant": "null", "tenants": []}):
            for tool in ("list_metrics", "query"):
                said = await refusal(agency, tool, **nothing)
                assert '"tenant" is one of alpha, beta' in said
        with pytest.raises(MCPError, match=r"Name it in a call of a tool"):
            await agency.read_resource("status://runs")
        with pytest.raises(MCPError, match="get_status lists"):
            await agency.get_prompt("weekly_review")


async def test_a_name_outside_the_set_is_answered_like_one_that_nobody_has(home: PublishedHome, address: str) -> None:
    async with over_http(home, address) as agency:
        for name in ("gamma", "nobody", "../beta", "ALPHA", 7, ["alpha"], {"slug": "alpha"}, "alpha,beta"):
            for tool in ("query", "list_metrics", "get_status"):
                assert await refusal(agency, tool, tenant=name) == MISSING
            assert await refusal(agency, metrics=["spend"], tenants=["alpha", name]) == MISSING
        wrong = [
            ({"tenants": BOTH, "tenant": "alpha"}, "Leave one of them out."),
            ({"tenants": ["alpha"] * 2}, "twice"),
        ]
        wrong += [({"tenants": {"a": 1}}, 'Write "tenants"'), ({"tenants": ["x"] * (MOST_TENANTS + 1)}, "at most 20")]
        wrong += [({"tenants": BOTH, "chart": "png"}, 'Write "tenant": "alpha"')]
        for arguments, message in wrong:
            assert message in await refusal(agency, metrics=["clicks"], **arguments)
        assert "about one tenant" in await refusal(agency, "list_metrics", tenants=BOTH)
        assert await refusal(agency, metrics=["clcks"], tenants=BOTH) == (
            "alpha: There is no metric named 'clcks'. Did you mean clicks?"
        )


def test_over_rest_it_reaches_its_tenants_and_no_other(home: PublishedHome, address: str) -> None:
    with httpx.Client(base_url=address, headers=home.headers("agency"), timeout=120) as http:
        for slug in BOTH:
            asked = http.post(
                f"/semantic-layer/{slug}/query", json={"metrics": ["spend"], "dimensions": ["date"], "limit": 2}
            )
            assert asked.status_code == 200
            path = asked.json()["full_result"]["path"]
            assert http.get(path, params={"format": "csv"}).status_code == 200
            for who, status in ((slug, 200), ("gamma", 404), ("admin", 200)):
                assert (
                    httpx.get(f"{address}{path}", params={"format": "csv"}, headers=home.headers(who)).status_code
                    == status
                )
            assert http.get(f"/observability/{slug}").status_code == 200
        foreign = httpx.post(
            f"{address}/semantic-layer/gamma/query", json={"metrics": ["spend"]}, headers=home.headers("gamma")
        )
        assert foreign.status_code == 404  # it is not built
        for path in ("/semantic-layer/{}", "/readiness/{}", "/observability/{}", "/models/fct_{}__orders"):
            other, nobody = http.get(path.format("gamma")), http.get(path.format("nobody"))
            assert (other.status_code, other.json()) == (nobody.status_code, nobody.json())
            assert other.status_code == 404
        assert {tenant["tenant"] for tenant in http.get("/catalog").json()["tenants"]} == set(BOTH)
        assert {model["tenant"] for model in http.get("/models", params={"limit": 1000}).json()["models"]} == set(BOTH)
        sent = {"metrics": ["spend"], "tenants": BOTH}
        assert http.post("/semantic-layer/alpha/query", json=sent).status_code == 422
        for path in ("/quarantine", "/jobs", "/metrics"):
            assert http.get(path).status_code == 403


async def test_prompts_and_completions_work_for_the_tenant_that_they_name(home: PublishedHome, address: str) -> None:
    async with over_http(home, address) as agency:
        (prompt, *_) = (await agency.list_prompts()).prompts
        assert prompt.arguments is not None
        assert (prompt.arguments[0].name, prompt.arguments[0].required) == ("tenant", True)
        written = await agency.get_prompt("weekly_review", {"tenant": "beta"})
        assert 'Write "tenant": "beta" in every call.' in str(written.messages[0].content)
        with pytest.raises(MCPError, match="There is no such tenant here"):
            await agency.get_prompt("weekly_review", {"tenant": "gamma"})


async def test_rows_of_several_tenants_are_those_of_each_under_a_column_tenant(
    many: PublishedHome, many_served: str
) -> None:
    question = {"metrics": ["spend", "clicks"], "dimensions": ["campaign_id"], "limit": 1000}
    async with over_http(many, many_served) as agency:
        both = await answer(agency, **question, tenants=BOTH, include_sql=True)
        apart = {slug: await answer(agency, **question, tenant=slug, include_sql=True) for slug in BOTH}
    assert [column["name"] for column in both["columns"]] == ["tenant", "campaign_id", "spend", "clicks"]
    assert both["columns"][1:] == apart["alpha"]["columns"]
    for slug in BOTH:
        assert [row[1:] for row in both["rows"] if row[0] == slug] == apart[slug]["rows"]
        assert both["by_tenant"][slug]["run_id"] == apart[slug]["run_id"]
    assert both["sql"] == [*apart["alpha"]["sql"], *apart["beta"]["sql"]]
    assert both["row_count"] == len(both["rows"]) == sum(each["row_count"] for each in apart.values())
    spend = [row[2] for row in both["rows"]]
    assert spend == sorted(spend, reverse=True)
    assert (both["truncated"], both["cursor"]) == (False, None)


@pytest.mark.parametrize("order", [["-clicks"], ["clicks", "-campaign_id"], ["campaign_id"], []])
@pytest.mark.parametrize("limit", [7, 50])
async def test_pages_of_several_tenants_follow_each_other_in_the_order_of_the_question(
    many: PublishedHome, many_served: str, order: list[str], limit: int
) -> None:
    question = {
        "metrics": ["clicks"],
        "dimensions": ["campaign_id"],
        "order_by": order,
        "tenants": BOTH,
        "totals": True,
    }
    async with over_http(many, many_served) as agency:
        whole = await answer(agency, **question, limit=1000)
        rows, cursor, pages = [], None, 0
        while pages == 0 or cursor is not None:
            page = await answer(agency, **question, limit=limit, cursor=cursor)
            *given, alpha, beta = page["rows"]
            assert [alpha[-1], beta[-1], alpha[0], beta[0]] == [True, True, *BOTH]  # the totals of each
            rows, cursor, pages = [*rows, *given], page["cursor"], pages + 1
            assert len(given) <= limit
            assert page["truncated"] == (cursor is not None)
    assert rows == whole["rows"][:-2]
    assert pages == -(-len(rows) // limit)
    by_hand = Counter(
        (slug, name)
        for slug in BOTH
        for (name,) in many.sql(slug, f"select distinct campaign_id from fct_{slug}__ad_performance")
    )
    assert Counter((row[0], row[1]) for row in rows) == by_hand
    places = {"clicks": 2, "campaign_id": 1}
    for name in (order or ["-clicks"])[:1]:
        column = [row[places[name.lstrip("-")]] for row in rows]
        values = [value for value in column if value is not None]
        assert values == sorted(values, reverse=name.startswith("-"))
        assert column == [*values, *[None] * (len(column) - len(values))]


async def test_an_answer_of_several_tenants_keeps_within_the_budget_and_goes_on_after_it(
    many: PublishedHome, many_served: str
) -> None:
    question = {"metrics": ["spend"], "dimensions": ["campaign_name"], "tenants": BOTH}
    async with over_http(many, many_served) as agency:
        whole = await answer(agency, **question, limit=1000)
        first = await answer(agency, **question)
        second = await answer(agency, **question, cursor=first["cursor"])
    assert len(json.dumps(first, separators=(",", ":"), ensure_ascii=False)) < CHARACTERS * 1.1
    assert first["row_count"] < 100
    assert f"Only the first {first['row_count']} of these 100 rows" in first["notes"][-1]
    assert [*first["rows"], *second["rows"]] == whole["rows"][: first["row_count"] + second["row_count"]]


async def test_a_cursor_of_several_tenants_is_of_its_question_and_its_tenants(
    many: PublishedHome, many_served: str
) -> None:
    question = {"metrics": ["clicks"], "dimensions": ["campaign_id"], "limit": 5}
    async with over_http(many, many_served) as agency:
        cursor = (await answer(agency, **question, tenants=BOTH, cursor=""))["cursor"]
        single = (await answer(agency, **question, tenant="alpha"))["cursor"]
        wrong: list[tuple[dict[str, Any], str]] = [
            ({**question, "tenants": ["beta", "alpha"], "cursor": cursor}, "belongs to other tenants"),
            ({**question, "tenant": "alpha", "cursor": cursor}, "was not given by an answer"),
            ({**question, "tenants": BOTH, "cursor": single}, "was not given by an answer of several"),
            ({**question, "tenants": BOTH, "cursor": "x" * 20_000}, "was not given by an answer of several"),
            ({**question, "metrics": ["spend"], "tenants": BOTH, "cursor": cursor}, "belongs to another query"),
        ]
        for arguments, message in wrong:
            assert message in await refusal(agency, **arguments)


async def test_money_of_several_tenants_meets_in_one_currency_only(home: PublishedHome, address: str) -> None:
    async with over_http(home, address) as agency:
        refused = await refusal(agency, metrics=["spend"], tenants=BOTH)
        assert refused.startswith(
            "spend is in EUR for alpha and USD for beta, and currencies never meet in one column."
        )
        assert 'Add "currency" to dimensions' in refused
        by_currency = await answer(agency, metrics=["spend", "cpc"], dimensions=["currency"], tenants=BOTH)
        assert [row[:2] for row in by_currency["rows"]] == [["alpha", "EUR"], ["beta", "USD"]]
        assert [column["unit"] for column in by_currency["columns"]] == [None, None, "currency", "currency"]
        assert "Money is in the currency of each row, and tenants are not ranked by it." in by_currency["notes"]
        ranked = {"metrics": ["spend"], "dimensions": ["currency"], "order_by": ["-spend"], "tenants": BOTH}
        assert "tenants are not ranked by it" in await refusal(agency, **ranked)
        no_money = await answer(agency, metrics=["roas", "clicks"], tenants=BOTH)
        assert [row[0] for row in no_money["rows"]] == BOTH
        assert no_money["time_zone"] is None
        assert {slug: part["time_zone"] for slug, part in no_money["by_tenant"].items()} == {
            "alpha": "Europe/Berlin",
            "beta": "UTC",
        }


async def test_each_tenant_of_a_call_has_its_own_line_in_the_audit_log(home: PublishedHome, address: str) -> None:
    before = {call["id"] for call in read_calls(home.settings.audit_folder, CallFilter())}
    async with over_http(home, address) as agency:
        await answer(agency, metrics=["clicks"], dimensions=["campaign_name"], tenants=BOTH)
        await answer(agency, metrics=["clicks"], tenant="beta")
        await refusal(agency, "list_metrics", tenant="gamma")
    calls = [call for call in read_calls(home.settings.audit_folder, CallFilter()) if call["id"] not in before]
    told = [call for call in calls if call["tool"] in ("query", "list_metrics")]
    lines = [(call.get("tenant"), call["tool"], call["outcome"], call.get("rows")) for call in told]
    assert sorted(map(str, lines)) == sorted(
        map(
            str,
            [
                ("alpha", "query", "ok", 2),
                ("beta", "query", "ok", 2),
                ("beta", "query", "ok", 1),
                (None, "list_metrics", "refused", None),
            ],
        )
    )
    for call in told[:2]:
        assert call["arguments"]["tenant"] == call["tenant"]
        assert not set(BOTH) - {call["tenant"]} & set(json.dumps(call))
        assert "tenants" not in call["arguments"]
    run_ids = {call["tenant"]: call["run_id"] for call in told if call["outcome"] == "ok"}
    assert len(set(run_ids.values())) == 2


async def test_the_rate_limit_of_a_token_counts_for_each_tenant(tmp_path: Path) -> None:
    home = new_published_home(tmp_path, "alpha", "beta")
    limited = PublishedHome(home.settings.model_copy(update={"rate_per_minute": 12}), home.tokens)
    with (
        limited.serving() as served,
        httpx.Client(base_url=served, headers=home.headers("agency"), timeout=120) as http,
    ):

        def status(slug: str) -> int:
            return http.get(f"/semantic-layer/{slug}/relationships").status_code

        assert [status("alpha") for _ in range(13)] == [200] * 12 + [429]
        assert [status("beta") for _ in range(4)] == [200] * 4
        async with over_http(home, served) as agency:
            assert "Busy" in await refusal(agency, metrics=["clicks"], tenants=["beta", "alpha"])
            assert (await answer(agency, metrics=["clicks"], tenant="beta"))["row_count"] == 1


async def test_an_offboarded_tenant_is_gone_from_the_next_call_on_and_a_revoked_token_opens_nothing(
    tmp_path: Path,
) -> None:
    home = new_published_home(tmp_path, "alpha", "beta")
    with home.serving() as served:
        async with over_http(home, served) as agency, over_sse(home, served) as stream:
            for client in (agency, stream):
                assert (await answer(client, metrics=["clicks"], tenants=BOTH))["row_count"] == 2
            entry = home.settings.tenants.read_text(encoding="utf-8")
            home.settings.tenants.write_text(entry.replace("pending", "offboarded", 1), encoding="utf-8")  # alpha
            for client in (agency, stream):
                assert [each["tenant"] for each in (await answer(client, "get_status"))["tenants"]] == ["beta"]
                assert await refusal(client, metrics=["clicks"], tenant="alpha") == MISSING
                assert await refusal(client, metrics=["clicks"], tenants=BOTH) == MISSING
                assert (await answer(client, metrics=["clicks"], tenants=["beta"]))["row_count"] == 1
        async with httpx2.AsyncClient(base_url=served, headers=home.headers("agency"), timeout=120) as http:

            async def status(path: str = "/semantic-layer/beta") -> int:
                return (await http.get(path)).status_code

            for path in ("/semantic-layer/{}", "/readiness/{}"):
                gone, nobody = await http.get(path.format("alpha")), await http.get(path.format("nobody"))
                assert (gone.status_code, gone.json()) == (nobody.status_code, nobody.json())
            assert await status() == 200
            home.settings.tenants.write_text(entry.replace("pending", "offboarded"), encoding="utf-8")
            assert (await status(), await status("/catalog")) == (403, 403)
            home.settings.tenants.write_text(entry, encoding="utf-8")
            assert await status() == 200
            with Ops(home.settings.ops) as ops:
                access = Access(ops)
                access.revoke(next(token.id for token in access.tokens() if token.name == "agency"))
            assert await status() == 401


def test_a_forgotten_tenant_is_in_no_token_and_the_last_one_closes_it(fresh_home: PublishedHome) -> None:
    with Ops(fresh_home.settings.ops) as ops:
        access = Access(ops)
        assert (caller := access.verify(fresh_home.tokens["agency"])) is not None
        assert caller.agency == ("alpha", "beta")
        _clear_tenant(ops, "alpha")  # type: ignore[arg-type]  # a slug
        assert (caller := access.verify(fresh_home.tokens["agency"])) is not None
        assert (caller.agency, caller.tenant, caller.sees("alpha")) == (("beta",), None, False)
        assert access.verify(fresh_home.tokens["alpha"]) is None
        _clear_tenant(ops, "beta")  # type: ignore[arg-type]  # a slug
        assert (caller := access.verify(fresh_home.tokens["agency"])) is not None
        assert caller.agency == ()
    with fresh_home.serving() as served:
        refused = httpx.get(f"{served}/catalog", headers=fresh_home.headers("agency"))
    assert (refused.status_code, "None of the tenants of this token" in refused.text) == (403, True)
