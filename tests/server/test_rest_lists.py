"""Lists over REST: tags and 304, pages, and how builds and data look to a tenant and to an admin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from pipeline.storage.ops import Ops
from server.rest.pagination import read_page_cursor, write_page_cursor
from tests.server.published_fixture import DAYS, PublishedHome, new_published_home

TAGGED = (
    "/semantic-layer/alpha",
    "/semantic-layer/alpha/dimensions",
    "/semantic-layer/alpha/measures",
    "/semantic-layer/alpha/relationships",
    "/semantic-layer/alpha/values/campaign_name",
    "/models",
    "/models/fct_alpha__orders",
    "/catalog",
    "/connectors",
    "/readiness/alpha",
    "/observability/alpha",
    "/observability/alpha/identity-resolution",
)
OF_A_RUN = TAGGED[:8]
SEEN = ("", "/runs", "/tests", "/models", "/drift", "/quarantine", "/freshness", "/identity-resolution")


@pytest.fixture
def http(home: PublishedHome, address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, headers=home.headers("alpha"), timeout=120) as http:
        yield http


@pytest.mark.parametrize("path", TAGGED)
def test_who_has_an_answer_already_is_told_so_without_it(http: httpx.Client, path: str) -> None:
    first = http.get(path)
    etag = first.headers["etag"]
    assert first.headers["cache-control"].startswith("private")
    assert "Authorization" in first.headers["vary"]
    for known in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        again = http.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert http.get(path, headers={"If-None-Match": '"other"'}).json() == first.json()


def test_tags_change_with_the_run_and_with_what_is_exposed(fresh_home: PublishedHome) -> None:
    with fresh_home.serving() as address, httpx.Client(base_url=address, timeout=120) as http:
        http.headers.update(fresh_home.headers("alpha"))

        def tags() -> dict[str, str]:
            return {path: http.get(path).headers["etag"] for path in OF_A_RUN}

        first = tags()
        assert tags() == first
        fresh_home.publish("alpha")
        second = tags()
        assert all(second[path] != first[path] for path in OF_A_RUN if "/models/" not in path)
        file = fresh_home.settings.tenants
        file.write_text(file.read_text(encoding="utf-8").replace("expose: [customer_email]", "expose: []"))
        assert http.get(OF_A_RUN[1]).headers["etag"] != second[OF_A_RUN[1]]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/semantic-layer/alpha/measures", "measures"),
        ("/semantic-layer/alpha/dimensions", "dimensions"),
        ("/models", "models"),
    ],
)
def test_pages_follow_each_other_to_the_end_without_a_gap(http: httpx.Client, path: str, name: str) -> None:
    whole = http.get(path, params={"limit": 1000}).json()
    found, answer = [], http.get(path, params={"limit": 3})
    while True:
        found += answer.json()[name]
        if answer.json()["cursor"] is None:
            break
        assert len(answer.json()[name]) == 3
        answer = http.get(answer.links["next"]["url"])
    assert found == whole[name]
    assert "link" not in answer.headers


@pytest.mark.parametrize("cursor", ["x", "!", "e30", "W10", write_page_cursor(3, of="another list"), "A" * 400])
def test_a_cursor_of_something_else_is_refused(http: httpx.Client, cursor: str) -> None:
    answer = http.get("/models", params={"cursor": cursor})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["fix"].startswith("Ask for the first page")


def test_a_cursor_says_where_a_list_goes_on() -> None:
    assert read_page_cursor(write_page_cursor(7, of="runs"), of="runs") == 7


def test_a_method_that_a_path_does_not_take_is_named_with_those_it_takes(http: httpx.Client) -> None:
    answer = http.put("/connectors")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/health", "/connectors", "/semantic-layer/alpha", "/nothing"])
def test_head_gives_the_headers_of_get_and_no_body(http: httpx.Client, path: str) -> None:
    told, given = http.head(path), http.get(path)
    assert (told.status_code, told.content) == (given.status_code, b"")
    for name in ("content-type", "content-length", "etag"):
        assert told.headers.get(name) == given.headers.get(name)


def test_what_only_the_operator_can_mend_is_told_to_the_operator_alone(fresh_home: PublishedHome) -> None:
    (fresh_home.settings.published("alpha") / "_latest.json").write_text("{", encoding="utf-8")
    for manifest in fresh_home.settings.published("alpha").glob("*/_MANIFEST.json"):
        manifest.unlink()  # no run is left that could answer
    with fresh_home.serving() as address, httpx.Client(base_url=address, timeout=120) as http:
        own = http.get("/readiness/alpha", headers=fresh_home.headers("alpha"))
        assert (own.status_code, "event_id" in own.json(), "pointer" in own.text) == (500, True, False)
        told = http.get("/readiness/alpha", headers=fresh_home.headers("admin"))
        assert (told.status_code, "The pointer to the newest run" in told.json()["detail"]) == (503, True)
        assert told.headers["content-type"] == "application/problem+json"


def test_relationships_are_counted_as_sql_counts_them(http: httpx.Client, home: PublishedHome) -> None:
    joins = http.get("/semantic-layer/alpha/relationships").json()["relationships"]
    assert joins
    for join in joins:
        fact, key, to, to_key = (join[name] for name in ("from", "from_column", "to", "to_column"))
        (counted,) = home.sql(
            "alpha",
            f"select count(*), count(*) filter (f.{key} is null), count(*) filter (f.{key} is not null and d.{to_key}"
            f" is null) from {fact} f left join {to} d on f.{key} = d.{to_key}",
        )
        assert [join[name] for name in ("rows", "rows_without_key", "rows_with_unknown_key")] == list(counted), join
        can_be = bool(home.sql("alpha", f"from (describe {to}) where column_name = 'is_inferred'"))
        inferred = home.sql("alpha", f"select count(*) from {to} where is_inferred") if can_be else [(None,)]
        assert join["to_rows_inferred"] == inferred[0][0]
        rows, without, unknown = counted
        assert join["match_share"] == pytest.approx((rows - without - unknown) / rows)
        assert join["orphan_share"] == (pytest.approx(unknown / (rows - without)) if rows > without else None)


def test_values_of_a_dimension_come_with_their_counts(http: httpx.Client, home: PublishedHome) -> None:
    found = http.get("/semantic-layer/alpha/values/campaign_name", params={"search": "campaign 1"}).json()
    (count,) = home.sql("alpha", "select count(*) from dim_alpha__campaigns where campaign_name ilike '%campaign 1%'")
    assert [value["value"] for value in found["values"]] == [f"{home.canary('alpha')} campaign 1"]
    assert found["values"][0]["count"] >= count[0]
    unknown = http.get("/semantic-layer/alpha/values/campaign_nam")
    assert (unknown.status_code, "campaign_name" in unknown.json()["fix"]) == (422, True)
    assert http.get("/semantic-layer/beta/values/campaign_name").status_code == 404


def test_one_table_is_found_by_its_name_and_a_foreign_one_is_not(http: httpx.Client) -> None:
    assert http.get("/models/fct_alpha__orders").json()["rows"] == DAYS
    foreign, missing = http.get("/models/fct_beta__orders"), http.get("/models/nothing")
    assert (foreign.status_code, foreign.json()) == (404, missing.json())


def test_identity_is_counted_as_sql_counts_it(http: httpx.Client, home: PublishedHome) -> None:
    found = http.get("/observability/alpha/identity-resolution").json()
    counts = {
        "users": "select count(*) from dim_alpha__users",
        "users_with_email": "select count(*) from dim_alpha__users where customer_email is not null",
        "customers": "select count(*) from dim_alpha__users where is_customer",
        "orders": "select count(*) from fct_alpha__orders",
        "orders_with_session": "select count(*) from fct_alpha__orders where session_id is not null",
        "orders_with_customer": "select count(*) from fct_alpha__orders where customer_key is not null",
        "sessions": "select count(*) from fct_alpha__sessions",
        "sessions_with_customer": "select count(*) from fct_alpha__sessions where user_key in"
        " (select user_key from dim_alpha__users where is_customer)",
        "events": "select count(*) from fct_alpha__events",
        "events_without_user": "select count(*) from fct_alpha__events where user_key is null",
    }
    for name, query in counts.items():
        assert found[name] == home.sql("alpha", query)[0][0], name


def test_freshness_says_how_far_each_fact_goes(http: httpx.Client, home: PublishedHome) -> None:
    found = http.get("/observability/alpha/freshness").json()
    days = {fact["fact"]: (fact["first_date"], fact["as_of"]) for fact in found["facts"]}
    (day,) = home.sql("alpha", "select min(order_date)::varchar, max(order_date)::varchar from fct_alpha__orders")
    assert days["orders"] == day
    assert found["hours_since_publish"] >= 0


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PublishedHome, httpx.Client]]:
    """Alpha was built twice, the second time in vain; beta's build failed in between."""
    home = new_published_home(tmp_path_factory.mktemp("busy"), "alpha")
    node = {"node_id": "test.stars.x", "project": "stars", "kind": "test", "seconds": 0.1, "message": "", "failures": 0}
    node |= {"depends_on": [], "sql": "", "definition_hash": "", "config": {}, "test": "unique", "column": "order_key"}
    orders = {"platform": "shopify", "account": "main", "object": "orders"}
    with Ops(home.settings.ops) as ops:
        first, second, third = ops.start_run("*"), ops.start_run("*"), ops.start_run("*")
        ops.step(first, "alpha", step="land", status="done", seconds=1.0)
        checks = {"checks": "model.stars.fct_alpha__orders"}
        ops.save_artifacts(first, "alpha", [{**node, **checks, "name": "unique_x", "status": "pass"}])
        ops.save_artifacts(first, "alpha", [{**node, **checks, "name": "unique_y", "status": "fail", "failures": 3}])
        ops.finish_run(first, "done")
        ops.step(second, "beta", step="land", status="failed", detail=f"{home.canary('beta')} is broken")
        ops.add_quarantine(second, "beta", **orders, path="/x/beta.jsonl", reason=home.canary("beta"), count=7)
        ops.finish_run(second, "failed", home.canary("beta"))
        ops.step(third, "alpha", step="land", status="done")
        ops.step(third, "alpha", step="stars", status="failed", detail="/srv/secret/path is broken")
        orders |= {"path": "/srv/secret/o.jsonl"}
        ops.add_quarantine(third, "alpha", **orders, reason="email: ann@x.io is bad", count=2)
        ops.add_quarantine(third, "alpha", **orders, reason="not JSON: {ann@x.io", count=1)
        ops.finish_run(third, "failed", home.canary("beta"))
    with home.serving() as address, httpx.Client(base_url=address, timeout=120) as http:
        yield home, http


def read(busy: tuple[PublishedHome, httpx.Client], path: str, who: str = "alpha") -> Any:
    home, http = busy
    answer = http.get(f"/observability/alpha{path}", headers=home.headers(who))
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_tenant_sees_its_own_builds_newest_first_and_nobody_elses(busy: tuple[PublishedHome, httpx.Client]) -> None:
    found = read(busy, "/runs")["runs"]
    assert [run["status"] for run in found] == ["failed", "done"]
    assert [[step["step"] for step in run["steps"]] for run in found] == [["land", "stars"], ["land"]]
    first = read(busy, "/runs?limit=1")
    assert first["runs"] == found[:1]
    assert read(busy, f"/runs?limit=1&cursor={first['cursor']}") == {"runs": found[1:], "cursor": None}


def test_tests_are_those_of_the_last_build_that_ran_any(busy: tuple[PublishedHome, httpx.Client]) -> None:
    found = read(busy, "/tests")
    assert [(test["name"], test["status"], test["failures"]) for test in found["tests"]] == [
        ("unique_x", "pass", 0),
        ("unique_y", "fail", 3),
    ]
    assert {test["model"] for test in found["tests"]} == {"fct_alpha__orders"}
    assert [test["name"] for test in read(busy, "/tests?status=fail")["tests"]] == ["unique_y"]
    summary = read(busy, "")
    assert (summary["tests"], summary["quarantined"]) == ({"pass": 1, "warn": 0, "fail": 1}, 3)
    assert summary["last_build"]["status"] == "failed"


def test_words_of_errors_and_values_of_records_are_for_admins_alone(busy: tuple[PublishedHome, httpx.Client]) -> None:
    home, http = busy
    for path in SEEN:
        own = http.get(f"/observability/alpha{path}", headers=home.headers("alpha")).text
        for word in ("/srv/secret", "ann@x.io", "is broken", home.canary("beta"), "beta", str(home.settings.home)):
            assert word not in own, path
    kept = read(busy, "/quarantine")
    assert [(row["file"], row["field"], row["reason"]) for row in kept["quarantine"]] == [
        ("o.jsonl", None, None),
        ("o.jsonl", "email", None),
    ]
    assert kept["total"] == 3
    told = read(busy, "/quarantine", "admin")["quarantine"]
    assert [row["reason"] for row in told] == ["not JSON: {ann@x.io", "email: ann@x.io is bad"]
    assert read(busy, "/runs", "admin")["runs"][0]["steps"][1]["detail"] == "/srv/secret/path is broken"


@pytest.mark.parametrize("path", SEEN)
def test_a_foreign_tenant_is_observed_exactly_like_a_missing_one(http: httpx.Client, path: str) -> None:
    foreign, missing = (http.get(f"/observability/{slug}{path}") for slug in ("beta", "nobody"))
    assert (foreign.status_code, foreign.json()) == (404, missing.json())
