"""A tenant that tenants.yaml calls offboarded, or no longer names, is refused at every interface from then on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
from mcp import Client
from mcp.types import TextContent

from pipeline.errors import AccessError
from server.serving.runs import tenant_status
from server.serving.runs.published_runs import PublishedRuns
from server.stdio import stdio_app
from tests.server.cli_run import Terminal
from tests.server.published_fixture import PublishedHome, new_published_home

ALPHA = "  - {slug: alpha, business_name: Alpha, status: pending, timezone: Europe/Berlin, currency: EUR,\n"
ALPHA += "     semantic: {expose: [customer_email]}}\n"
SAID = "alpha is offboarded: nothing of it is answered any more."
ASKED = {"metrics": ["spend"]}
TENANT_PATHS = ("/semantic-layer/alpha", "/semantic-layer/alpha/dimensions", "/semantic-layer/alpha/relationships")


def say(home: PublishedHome, alpha: str) -> None:
    """tenants.yaml with another entry for alpha."""
    path = home.settings.tenants
    text = path.read_text(encoding="utf-8")
    assert ALPHA in text
    path.write_text(text.replace(ALPHA, alpha), encoding="utf-8")


def offboard(home: PublishedHome) -> None:
    say(home, ALPHA.replace("pending", "offboarded"))


@pytest.fixture
def two(tmp_path: Any) -> PublishedHome:
    """Alpha and beta are published."""
    return new_published_home(tmp_path, "alpha", "beta")


@pytest.fixture
def served(two: PublishedHome) -> Iterator[httpx.Client]:
    with two.serving() as address, httpx.Client(base_url=address, timeout=120) as http:
        yield http


def asked(http: httpx.Client, home: PublishedHome, who: str, slug: str = "alpha") -> httpx.Response:
    return http.post(f"/semantic-layer/{slug}/query", json=ASKED, headers=home.headers(who))


def test_its_token_opens_nothing_from_the_next_call_on_and_the_others_still_do(
    two: PublishedHome, served: httpx.Client
) -> None:
    assert asked(served, two, "alpha").status_code == 200
    offboard(two)
    own = two.headers("alpha")
    for refused in (
        asked(served, two, "alpha"),
        *(served.get(path, headers=own) for path in (*TENANT_PATHS, "/readiness/alpha", "/connectors", "/models")),
        served.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, headers=own),
        served.get("/sse", headers=own),
    ):
        assert (refused.status_code, refused.json()["detail"]) == (403, SAID)
        assert "fix" in refused.json()
    assert served.get("/health", headers=own).status_code == 200
    assert asked(served, two, "beta", "beta").status_code == 200
    assert asked(served, two, "beta").json()["detail"] == "There is no such tenant here."


def test_the_operator_is_told_too_and_no_list_holds_it(two: PublishedHome, served: httpx.Client) -> None:
    admin = two.headers("admin")
    assert {tenant["tenant"] for tenant in served.get("/catalog", headers=admin).json()["tenants"]} == {"alpha", "beta"}
    offboard(two)
    for path in TENANT_PATHS:
        refused = served.get(path, headers=admin)
        assert (refused.status_code, refused.json()["detail"]) == (404, SAID)
    assert {tenant["tenant"] for tenant in served.get("/catalog", headers=admin).json()["tenants"]} == {"beta"}
    assert {model["tenant"] for model in served.get("/models", headers=admin).json()["models"]} == {"beta"}
    assert served.get("/readiness/alpha", headers=admin).json()["state"] == "offboarded"


def test_when_it_is_active_again_it_answers_again(two: PublishedHome, served: httpx.Client) -> None:
    offboard(two)
    assert asked(served, two, "alpha").status_code == 403
    text = two.settings.tenants.read_text(encoding="utf-8")
    two.settings.tenants.write_text(text.replace("status: offboarded", "status: pending"), encoding="utf-8")
    assert asked(served, two, "alpha").status_code == 200


def test_a_tenant_that_is_named_no_longer_is_not_there(two: PublishedHome, served: httpx.Client) -> None:
    assert asked(served, two, "alpha").status_code == 200
    say(two, "")
    refused = asked(served, two, "alpha")
    assert (refused.status_code, refused.json()["detail"]) == (403, "There is no such tenant here.")
    assert asked(served, two, "admin").json()["detail"] == "There is no such tenant here."
    assert served.get("/readiness/alpha", headers=two.headers("admin")).status_code == 404


@pytest.mark.anyio
async def test_a_stdio_server_that_runs_already_refuses_every_tool(fresh_home: PublishedHome) -> None:
    async with Client(stdio_app(fresh_home.settings, "alpha")) as client:
        assert not (await client.call_tool("query", ASKED)).is_error
        offboard(fresh_home)
        calls = {"query": ASKED, "list_metrics": {}, "get_status": {}}
        calls |= {"get_dimension_values": {"dimension_name": "campaign_name"}}
        for tool, arguments in calls.items():
            result = await client.call_tool(tool, arguments)
            assert result.is_error
            assert isinstance(result.content[0], TextContent)
            assert result.content[0].text.startswith(SAID)


def test_the_command_line_refuses_shows_and_makes_no_token(
    fresh_home: PublishedHome, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    offboard(fresh_home)
    with Terminal(monkeypatch, capsys) as gata:
        gata.use(fresh_home.settings)
        for verb in (["ask", "--metrics", "spend"], ["metrics"], ["values", "campaign_name"]):
            done = gata(*verb, "--tenant", "alpha")
            assert (done.code, done.out) == (2, "")
            assert SAID in done.err
        done = gata("token", "create", "--tenant", "alpha")
        assert (done.code, done.out) == (2, "")
        assert "alpha is offboarded: its tokens open nothing." in done.err
        for verb in ("build", "land", "transform", "publish", "validate"):
            done = gata(verb, "--tenant", "alpha")
            assert (done.code, done.out) == (2, "")
            assert "it is neither built nor served" in done.err
        (shown,) = [line for line in json.loads(gata("status", "--json").out)["tenants"] if line["tenant"] == "alpha"]
        assert (shown["status"], shown["run_id"]) == ("offboarded", None)
        assert "gata forget --tenant alpha" in shown["findings"][-1]
        assert "Readers are refused" in gata("status").out
        plans = {line["tenant"]: line for line in json.loads(gata("plan", "--json").out)["tenants"]}
        assert plans["alpha"]["action"] == "offboarded"


def test_whoever_was_refused_stays_refused_while_tenants_yaml_cannot_be_read(
    two: PublishedHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tenant_status, "RETRY_SECONDS", 0.0)
    with closing(PublishedRuns(two.settings)) as runs:
        offboard(two)
        with pytest.raises(AccessError, match=SAID):
            runs.tenant_status.check("alpha")
        two.settings.tenants.write_text("tenants: [", encoding="utf-8")
        with pytest.raises(AccessError, match=SAID), runs.run("alpha"):
            pass
        with runs.run("beta"):
            pass


def test_published_runs_without_any_tenants_yaml_are_served(fresh_home: PublishedHome) -> None:
    fresh_home.settings.tenants.unlink()
    with closing(PublishedRuns(fresh_home.settings)) as runs, runs.run("alpha") as run:
        assert run.slug == "alpha"
