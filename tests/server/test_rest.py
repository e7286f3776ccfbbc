"""The REST API: who may enter, what is there, and errors as problem documents."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import anyio
import httpx
import pytest
from starlette.requests import Request
from starlette.types import Message

from pipeline.storage.ops import Ops
from server.rest.error_responses import while_connected
from server.serving.access import Access
from tests.server.published_fixture import DAYS, PublishedHome

TENANT_PATHS = ("/semantic-layer/{}", "/semantic-layer/{}/dimensions", "/semantic-layer/{}/measures")
TENANT_PATHS += ("/semantic-layer/{}/relationships", "/readiness/{}")
PATHS = {*(path.format("{tenant}") for path in TENANT_PATHS)}
PATHS |= {"/semantic-layer/{tenant}/query", "/semantic-layer/{tenant}/explain"}
PATHS |= {"/connectors", "/models", "/models/{name}", "/catalog", "/health", "/results/{id}"}
PATHS |= {"/semantic-layer/{tenant}/values/{dimension}", "/semantic-layer/update", "/tenants/onboard"}
PATHS |= {"/jobs", "/jobs/{id}", "/jobs/{id}/events", "/quarantine", "/quarantine/replay"}
PATHS |= {"/sources/check", "/sources/upload", "/catalog/{tenant}/lineage"}
SEEN = ("", "/runs", "/runs/{run_id}", "/tests", "/models", "/drift", "/quarantine", "/freshness")
PATHS |= {f"/observability/{{tenant}}{path}" for path in (*SEEN, "/identity-resolution")}
EVERYWHERE = (
    "/health",
    "/docs",
    "/openapi.json",
    "/catalog",
    "/semantic-layer/alpha",
    "/mcp",
    "/sse",
    "/messages/",
    "/x",
)
QUESTION = {"metrics": ["spend"], "dimensions": ["campaign_name"], "order_by": ["campaign_name"]}


@pytest.fixture
def http(home: PublishedHome, address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, headers=home.headers("alpha"), timeout=120) as http:
        yield http


@pytest.fixture
def stranger(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=120) as stranger:
        yield stranger


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert {"type", "title", "detail", "fix"} <= body.keys()
    return body


def test_health_is_open_and_names_nobody(stranger: httpx.Client) -> None:
    answer = stranger.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_the_paths_are_those_that_are_promised(stranger: httpx.Client) -> None:
    document = stranger.get("/openapi.json").json()
    assert document["paths"].keys() == PATHS
    asked = document["paths"]["/semantic-layer/{tenant}/query"]["post"]["requestBody"]["content"]["application/json"]
    assert asked["schema"]["required"] == ["metrics"]
    assert stranger.get("/docs").status_code == 200


def test_nothing_else_answers_without_a_token(stranger: httpx.Client) -> None:
    closed = [path for path in (*PATHS, *EVERYWHERE) if path not in {"/health", "/docs", "/openapi.json"}]
    for path in closed:
        for method in ("GET", "POST", "DELETE", "OPTIONS"):
            answer = stranger.request(method, path.replace("{tenant}", "alpha"))
            assert "gata token create" in problem(answer, 401)["fix"]
            assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer x", "Basic YTpi", "bearer gata_000000000000_" + "A" * 43, "Bearer " + "A" * 9000],
)
def test_what_is_no_token_opens_nothing(stranger: httpx.Client, header: str) -> None:
    problem(stranger.get("/catalog", headers={"Authorization": header}), 401)


def test_a_token_in_the_address_is_not_read(stranger: httpx.Client, home: PublishedHome) -> None:
    problem(stranger.get("/catalog", params={"token": home.tokens["alpha"], "access_token": home.tokens["alpha"]}), 401)


def test_an_ended_or_revoked_token_is_refused_from_the_next_call_on(fresh_home: PublishedHome) -> None:
    with (
        fresh_home.serving() as address,
        Ops(fresh_home.settings.ops) as ops,
        httpx.Client(base_url=address, timeout=120) as http,
    ):
        access = Access(ops)
        ended, _ = access.create(tenant="alpha", name="ended", expires=timedelta(microseconds=1))
        text, token = access.create(tenant="alpha", name="revoked")
        problem(http.get("/catalog", headers={"Authorization": f"Bearer {ended}"}), 401)
        assert http.get("/catalog", headers={"Authorization": f"Bearer {text}"}).status_code == 200
        access.revoke(token.id)
        problem(http.get("/catalog", headers={"Authorization": f"Bearer {text}"}), 401)


@pytest.mark.parametrize("path", EVERYWHERE)
def test_every_route_checks_the_name_it_is_called_by(http: httpx.Client, path: str) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "evil.example:8765", ""):
        problem(http.get(path, headers={"Host": host}), 421)
    for origin in ("https://evil.example", "null", "http://localhost.evil.example", "file://localhost", "//localhost"):
        problem(http.get(path, headers={"Origin": origin}), 403)


def test_pages_of_this_machine_may_ask(http: httpx.Client) -> None:
    for origin in ("http://localhost:3000", "http://127.0.0.1", "https://[::1]:8443"):
        assert http.get("/health", headers={"Origin": origin}).status_code == 200
    for host in ("localhost:1", "LOCALHOST", "[::1]:8765"):
        assert http.get("/health", headers={"Host": host}).status_code == 200


def test_a_tenant_of_somebody_else_answers_exactly_like_one_that_is_not_there(http: httpx.Client) -> None:
    for path in TENANT_PATHS:
        foreign, missing = (http.get(path.format(slug)) for slug in ("beta", "nobody"))
        assert problem(foreign, 404) == problem(missing, 404)
        assert foreign.headers.keys() == missing.headers.keys()
    foreign, missing = (http.post(f"/semantic-layer/{slug}/query", json=QUESTION) for slug in ("beta", "nobody"))
    assert problem(foreign, 404) == problem(missing, 404)
    foreign, missing = (
        http.post(f"/semantic-layer/{slug}/query", json={"metrics": ["x"]}) for slug in ("beta", "nobody")
    )
    assert problem(foreign, 404) == problem(missing, 404)


@pytest.mark.parametrize("slug", ["Alpha", "alpha%2F..%2Fbeta", "..", "%2e%2e", "alpha%00", "a" * 300])
def test_a_path_that_is_no_slug_reaches_nothing(http: httpx.Client, home: PublishedHome, slug: str) -> None:
    for who in ("alpha", "admin"):
        problem(http.get(f"/semantic-layer/{slug}", headers=home.headers(who)), 404)


def test_an_admin_sees_every_tenant(http: httpx.Client, home: PublishedHome) -> None:
    admin = home.headers("admin")
    for slug in ("alpha", "beta"):
        assert http.get(f"/semantic-layer/{slug}", headers=admin).json()["tenant"] == slug
    assert [found["tenant"] for found in http.get("/catalog", headers=admin).json()["tenants"]] == ["alpha", "beta"]
    assert "gata build --tenant gamma" in problem(http.get("/semantic-layer/gamma", headers=admin), 404)["fix"]


def test_no_route_shows_a_token_of_alpha_anything_of_beta(http: httpx.Client, home: PublishedHome) -> None:
    paths = [*(path.format("alpha") for path in TENANT_PATHS), "/models", "/catalog", "/connectors"]
    for text in [http.get(path).text for path in paths]:
        assert home.canary("beta") not in text
        assert "beta" not in text


def test_an_answer_is_what_sql_says_to_the_last_digit(http: httpx.Client, home: PublishedHome) -> None:
    answer = http.post("/semantic-layer/alpha/query", json=QUESTION)
    assert answer.status_code == 200
    rows = json.loads(answer.text, parse_float=Decimal)["rows"]
    by_hand = home.sql(
        "alpha",
        "select campaign_name, sum(spend) from fct_alpha__ad_performance"
        " join dim_alpha__campaigns using (campaign_key) group by all order by all",
    )
    assert rows == [list(row) for row in by_hand]


def test_the_sql_that_is_shown_gives_the_same_rows_by_hand(http: httpx.Client, home: PublishedHome) -> None:
    question = {**QUESTION, "filters": [{"name": "campaign_name", "op": "contains", "value": "CAMPAIGN 1"}]}
    answer = http.post("/semantic-layer/alpha/query", json={**question, "include_sql": True}).json()
    (statement,) = answer["sql"]
    rows = [[row[0], float(row[1])] for row in home.sql("alpha", statement)]
    assert rows == answer["rows"]
    assert len(rows) == 1


def test_what_can_be_asked_is_listed_with_its_descriptions(http: httpx.Client) -> None:
    measures = http.get("/semantic-layer/alpha/measures").json()["measures"]
    dimensions = http.get("/semantic-layer/alpha/dimensions").json()["dimensions"]
    assert {"spend", "roas", "orders"} <= {measure["name"] for measure in measures}
    assert {"date", "campaign_name"} <= {dimension["name"] for dimension in dimensions}
    assert all(each["description"] for each in (*measures, *dimensions))
    layer = http.get("/semantic-layer/alpha").json()
    assert (layer["metrics"], layer["dimensions"]) == (measures, dimensions)


def test_every_metric_that_is_listed_can_be_asked_for(http: httpx.Client) -> None:
    for measure in http.get("/semantic-layer/alpha/measures").json()["measures"]:
        answer = http.post("/semantic-layer/alpha/query", json={"metrics": [measure["name"]]})
        assert answer.status_code == 200, answer.text
        assert answer.json()["columns"][0]["name"] == measure["name"]


def test_relationships_are_joins_that_hold_in_the_star(http: httpx.Client, home: PublishedHome) -> None:
    found = http.get("/semantic-layer/alpha/relationships").json()["relationships"]
    pairs = {(join["from"], join["to"]) for join in found}
    assert ("fct_alpha__ad_performance", "dim_alpha__campaigns") in pairs
    assert ("fct_alpha__order_items", "dim_alpha__products") in pairs
    for join in found:
        key, to = join["to_column"], join["to"]
        assert join["cardinality"] in ("many_to_one", "one_to_one")
        assert home.sql("alpha", f"select count(*) - count(distinct {key}) from {to}") == [(0,)]


def test_the_catalog_of_connectors_has_their_domains(http: httpx.Client) -> None:
    found = {connector["name"]: connector for connector in http.get("/connectors").json()["connectors"]}
    assert found["shopify"]["domain"] == "ecommerce"
    assert found["shopify"]["is_built"]
    assert {connector["domain"] for connector in found.values()} <= {"ads", "ecommerce", "analytics", "payments"}


def test_models_are_the_published_tables_and_their_columns(http: httpx.Client) -> None:
    found = {model["name"]: model for model in http.get("/models").json()["models"]}
    orders = found["fct_alpha__orders"]
    assert (orders["rows"], orders["description"], orders["grain"]) == (
        DAYS,
        "One row per order of a shop.",
        ["order_key"],
    )
    assert {"name": "order_date", "type": "DATE"}.items() <= next(
        column for column in orders["columns"] if column["name"] == "order_date"
    ).items()
    assert all(column["description"] for model in found.values() for column in model["columns"])


def test_readiness_says_how_far_a_tenant_is(http: httpx.Client, home: PublishedHome) -> None:
    ready = http.get("/readiness/alpha").json()
    assert (ready["tenant"], ready["state"]) == ("alpha", "ready")
    assert ready["run_id"] == http.get("/semantic-layer/alpha").json()["run_id"]
    assert http.get("/readiness/gamma", headers=home.headers("gamma")).json()["state"] == "not_built"
    problem(http.get("/readiness/nobody", headers=home.headers("admin")), 404)


def test_readiness_follows_a_build(fresh_home: PublishedHome) -> None:
    gamma = fresh_home.headers("gamma")
    with (
        fresh_home.serving() as address,
        Ops(fresh_home.settings.ops) as ops,
        httpx.Client(base_url=address, timeout=120) as http,
    ):
        run_id = ops.start_run("*")
        ops.step(run_id, "gamma", step="land", status="done")
        assert http.get("/readiness/gamma", headers=gamma).json()["state"] == "building"
        ops.step(run_id, "gamma", step="stars", status="failed", detail="dbt says no")
        ops.finish_run(run_id, "failed")
        assert http.get("/readiness/gamma", headers=gamma).json()["state"] == "failed"


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ('{"metrics": ["spnd"]}', 422, "Did you mean spend?"),
        ('{"metrics": ["spend"], "filter": []}', 422, "Meant is filters"),
        ("{}", 422, "metrics"),
        ("[]", 422, "dict"),
        ("", 422, "/docs"),
        ("{not json", 400, "/docs"),
        ("[" * 50_000, 400, "flatter"),
        ('{"metrics": ' + "[" * 300 + "]" * 300 + "}", 400, "flatter"),
        ('{"metrics": ' + "[" * 30 + "]" * 30 + "}", 422, "metrics"),
    ],
)
def test_a_question_that_cannot_be_read_or_answered_is_a_problem_with_its_repair(
    http: httpx.Client, body: str, status: int, message: str
) -> None:
    answer = http.post("/semantic-layer/alpha/query", content=body, headers={"Content-Type": "application/json"})
    found = problem(answer, status)
    assert message in f"{found['detail']} {found['fix']}"
    assert len(answer.content) < 2000


def test_a_body_that_is_too_large_is_refused_on_every_route(http: httpx.Client) -> None:
    for path in ("/semantic-layer/alpha/query", "/mcp", "/messages/", "/catalog"):
        assert http.post(path, content=b" " * (1024 * 1024 + 1)).status_code == 413


def test_what_is_not_there_is_a_problem_too(http: httpx.Client) -> None:
    problem(http.get("/nothing"), 404)
    assert problem(http.delete("/catalog"), 405)["title"] == "Method Not Allowed"


def test_a_bug_gives_an_event_id_and_nothing_else(fresh_home: PublishedHome, capfd: pytest.CaptureFixture[str]) -> None:
    (run,) = fresh_home.settings.published("alpha").glob("2*")
    (run / "stars.duckdb").chmod(0o644)
    (run / "stars.duckdb").write_bytes(b"secret row" * 5000)
    with fresh_home.serving() as address:
        answer = httpx.post(
            f"{address}/semantic-layer/alpha/query", json=QUESTION, headers=fresh_home.headers("alpha"), timeout=120
        )
    found = problem(answer, 500)
    assert re.fullmatch(r"[0-9a-f]{12}", found["event_id"])
    assert "duckdb" not in answer.text.lower()
    logged = capfd.readouterr()
    assert found["event_id"] in logged.err
    assert "secret row" not in logged.err + logged.out
    assert fresh_home.tokens["alpha"] not in logged.err + logged.out


def test_a_new_run_is_served_without_a_restart(fresh_home: PublishedHome) -> None:
    with fresh_home.serving() as address, httpx.Client(base_url=address, timeout=120) as http:
        http.headers.update(fresh_home.headers("alpha"))
        before = http.post("/semantic-layer/alpha/query", json={"metrics": ["spend"]}).json()
        run_id = fresh_home.publish("alpha", spend=20)
        after = http.post("/semantic-layer/alpha/query", json={"metrics": ["spend"]}).json()
    assert after["run_id"] == run_id != before["run_id"]
    assert after["rows"][0][0] == pytest.approx(2 * before["rows"][0][0], rel=1e-6)


@pytest.mark.anyio
async def test_work_is_given_up_when_the_caller_hangs_up() -> None:
    ended: list[str] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def work() -> str:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append("given up")
        return "answer"

    with anyio.fail_after(60):
        assert await while_connected(Request({"type": "http"}, receive), work()) is None
    assert ended == ["given up"]
