"""Bringing in a tenant over HTTP: from a posted entry to an answer, and what is left when it is refused or fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest

from pipeline.settings import Settings
from pipeline.storage.ops import Ops
from server.orchestration.jobs.tenants_edit import with_tenant
from server.serving.access import Access
from tests.end_to_end.small_shop import ORDERS, write_jsonl, write_shop
from tests.library import with_library
from tests.server.published_fixture import PublishedHome

TENANTS = """\
# Who we serve.   Do not reorder.
defaults: {timezone: Europe/Berlin}   # what most share

tenants:
  - slug: other      # it waits
    business_name: "Other"
    status: pending
    sources: {shopify: {enabled: true},   google_analytics: {enabled: true}}   # odd spaces stay

# the end
"""
READS = {"facebook_insights": "acme/ads/insights*.jsonl", "campaigns": "acme/ads/campaigns*.jsonl"}
ACME: dict[str, Any] = {
    "slug": "acme",
    "business_name": "Acme: 007",
    "currency": "EUR",
    "sources": {
        "facebook_ads": {
            "enabled": True,
            "read": {"kind": "files", "objects": READS},
            "tables": [{"name": "facebook_insights", "logic": {"conversion_event_pattern": "purchase"}}],
        },
        "shopify": {"enabled": True, "read": {"kind": "files", "objects": {"orders": "acme/shop/orders*.jsonl"}}},
        "google_analytics": {"enabled": True, "read": {"kind": "files", "objects": {"events": "acme/web/*.jsonl"}}},
    },
}


MARGIN = {"expression": "order_revenue - spend", "description": "What is left after ads.", "unit": "currency"}


def home_in(tmp_path: Path) -> PublishedHome:
    """Nothing is built, and gates are strict; the exports of acme lie beside tenants.yaml."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "tenants.yaml").write_text(TENANTS, encoding="utf-8")
    write_shop(folder / "acme")
    (tmp_path / "secret.jsonl").write_text("{}\n", encoding="utf-8")
    (folder / "acme" / "link.jsonl").symlink_to(tmp_path / "secret.jsonl")
    settings = Settings(home=folder / "state", tenants=folder / "tenants.yaml", today=date(2026, 11, 21), env="dev")
    with Ops(settings.ops) as ops:
        access = Access(ops)
        tokens = {"admin": access.create(tenant=None, name="admin")[0]}
        tokens["acme"] = access.create(tenant="acme", name="acme")[0]
    return PublishedHome(settings, tokens)


def text_of(home: PublishedHome) -> str:
    return home.settings.tenants.read_bytes().decode()


def ended(http: httpx.Client, posted: httpx.Response) -> tuple[dict[str, Any], list[str]]:
    """How a job ended, and its states as they were streamed."""
    assert posted.status_code == 202, posted.text
    assert posted.headers["location"] == f"/jobs/{posted.json()['id']}"
    numbers, states, data = [], [], {}
    with http.stream("GET", f"{posted.headers['location']}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for line in stream.iter_lines():
            name, _, value = line.partition(": ")
            if name == "id":
                numbers.append(int(value))
            if name == "event":
                states.append(value)
            if name == "data":
                data = json.loads(value)
    assert numbers == list(range(1, len(states) + 1))
    polled = http.get(posted.headers["location"]).json()
    assert [event["state"] for event in polled["events"]] == states
    assert polled["state"] == data["state"] == states[-1]
    return data, states


def in_hub(home: PublishedHome, slug: str) -> dict[str, int]:
    """Rows of a tenant by table of the hub, and how many landing schemas it has."""
    with closing(duckdb.connect(str(home.settings.hub), read_only=True)) as hub:
        tables = hub.execute(
            "select table_name from duckdb_columns() where schema_name = 'main' and column_name = 'tenant_slug'"
            " and table_name in (select table_name from duckdb_tables())"
        ).fetchall()
        counts = {
            name: hub.execute(f'select count(*) from "{name}" where tenant_slug = ?', [slug]).fetchall()[0][0]
            for (name,) in tables
        }
        (schemas,) = hub.execute(
            "select count(*) from duckdb_schemas() where schema_name = ?", [f"landing_{slug}"]
        ).fetchall()[0]
    return {name: rows for name, rows in {**counts, "landing": schemas}.items() if rows}


@dataclass(frozen=True)
class Onboarded:
    """A home in which acme was onboarded at the second attempt, and what was seen on the way."""

    home: PublishedHome
    http: httpx.Client
    failed: dict[str, Any]
    failed_states: list[str]
    left: dict[str, Any]
    ready: dict[str, Any]
    ready_states: list[str]

    @property
    def own(self) -> dict[str, str]:
        return self.home.headers("acme")

    @property
    def exports(self) -> Path:
        return self.home.settings.tenants.parent / "acme"

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        """What SQL says about the posted files: {ORDERS}, {INSIGHTS}, {EVENTS}."""
        files = {"ORDERS": "shop/orders.jsonl", "INSIGHTS": "ads/insights.jsonl", "EVENTS": "web/events.jsonl"}
        named = {name: f"read_json_auto('{self.exports / path}')" for name, path in files.items()}
        with closing(duckdb.connect()) as plain:
            return plain.execute(query.format(**named)).fetchall()

    def rows(self, *metrics: str) -> list[list[Any]]:
        answer = self.http.post("/semantic-layer/acme/query", json={"metrics": metrics}, headers=self.own)
        assert answer.status_code == 200, answer.text
        rows: list[list[Any]] = json.loads(answer.text, parse_float=Decimal)["rows"]
        return rows


@pytest.fixture(scope="module")
def onboarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Onboarded]:
    home = home_in(tmp_path_factory.mktemp("onboarded"))
    with_library(home.settings)
    orders = home.settings.tenants.parent / "acme/shop/orders.jsonl"
    with home.serving() as address, httpx.Client(base_url=address, timeout=120) as http:
        http.headers.update(home.headers("admin"))
        write_jsonl(orders, [*ORDERS, *({**order, "total_price": "much"} for order in ORDERS)])
        failed, failed_states = ended(
            http, http.post("/tenants/onboard", json=ACME, headers={"Idempotency-Key": "one"})
        )
        left = {
            "text": text_of(home),
            "hub": in_hub(home, "acme"),
            "folders": [path.name for path in home.settings.home.rglob("acme")],
            "readiness": http.get("/readiness/acme").status_code,
            "same key": http.post("/tenants/onboard", json=ACME, headers={"Idempotency-Key": "one"}).json()["id"],
        }
        write_jsonl(orders, ORDERS)
        posted = http.post("/tenants/onboard", json=ACME, headers={"Idempotency-Key": "two"})
        left["meanwhile"] = http.post("/semantic-layer/update", json={"tenant": "acme", "semantic": {}}).status_code
        ready, ready_states = ended(http, posted)
        yield Onboarded(home, http, failed, failed_states, left, ready, ready_states)


def test_a_first_build_that_fails_says_why_and_leaves_nothing(onboarded: Onboarded) -> None:
    assert onboarded.failed_states == ["queued", "ingesting", "failed"]
    assert "3 of 6 records of shopify.orders" in onboarded.failed["reason"]
    assert "Mend the source" in onboarded.failed["fix"]
    assert onboarded.left == {
        "text": TENANTS,
        "hub": {},
        "folders": [],
        "readiness": 404,
        "same key": onboarded.failed["id"],
        "meanwhile": 409,
    }


def test_a_job_goes_from_queued_to_ready_by_stream_and_by_polling(onboarded: Onboarded) -> None:
    log = onboarded.home.settings.home / "jobs" / f"{onboarded.ready['id']}.log"
    steps = ["queued", "ingesting", "transforming", "validating", "ready"]
    assert onboarded.ready_states == steps, (onboarded.ready, log.read_text())
    late = onboarded.http.get(f"/jobs/{onboarded.ready['id']}/events", headers={"Last-Event-ID": "3"}).text
    assert [line for line in late.splitlines() if line.startswith("event: ")] == ["event: validating", "event: ready"]
    assert onboarded.http.get("/readiness/acme", headers=onboarded.own).json()["state"] == "ready"


def test_every_event_of_a_job_names_the_job_its_tenant_and_its_run(onboarded: Onboarded) -> None:
    log = onboarded.home.settings.home / "jobs" / f"{onboarded.ready['id']}.log"
    events = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
    assert "landed" in {event["event"] for event in events}
    assert {(event["job"], event["tenant"]) for event in events} == {(onboarded.ready["id"], "acme")}
    with Ops(onboarded.home.settings.ops) as ops:
        built = {run["run_id"] for run in ops.runs()}
    assert {event["run_id"] for event in events} <= built


def test_the_answer_of_a_ready_tenant_is_what_sql_says_of_the_posted_files(onboarded: Onboarded) -> None:
    by_hand = onboarded.sql(
        "select (select count(*) from {ORDERS}), (select sum(total_price::decimal(18, 6)) from {ORDERS}),"
        " (select sum(spend::decimal(18, 6)) from {INSIGHTS}), (select count(*) from {EVENTS})"
    )
    assert onboarded.rows("orders", "order_revenue", "spend", "events") == [list(by_hand[0])]
    assert by_hand[0][:2] == (3, Decimal("60.75"))


def test_the_entry_stands_in_tenants_yaml_and_nothing_else_has_moved(onboarded: Onboarded) -> None:
    before, end = TENANTS.split("\n\n# the end")
    assert text_of(onboarded.home).startswith(f"{before}\n  - slug: acme\n")
    assert text_of(onboarded.home).endswith(f"\n\n# the end{end}")


def test_the_same_content_is_the_same_job_and_other_content_is_refused(onboarded: Onboarded) -> None:
    text, http = text_of(onboarded.home), onboarded.http
    for headers in ({"Idempotency-Key": "two"}, {"Idempotency-Key": "three"}, {}):
        again = http.post("/tenants/onboard", json=dict(reversed(ACME.items())), headers=headers)
        assert (again.status_code, again.json()["id"]) == (202, onboarded.ready["id"])
    other = {**ACME, "currency": "USD"}
    assert http.post("/tenants/onboard", json=other, headers={"Idempotency-Key": "two"}).status_code == 422
    assert http.post("/tenants/onboard", json=other).status_code == 409
    assert text_of(onboarded.home) == text


def test_builds_tests_and_sources_are_seen_as_the_hub_has_them(onboarded: Onboarded) -> None:
    def seen(path: str, **params: Any) -> Any:
        answer = onboarded.http.get(f"/observability/acme{path}", params=params, headers=onboarded.own)
        assert answer.status_code == 200, answer.text
        return answer.json()

    summary, tests, models = seen(""), seen("/tests", limit=1000), seen("/models", limit=1000)
    with closing(duckdb.connect(str(onboarded.home.settings.hub), read_only=True)) as hub:
        ran = hub.execute(
            "select name, status from run_results__history where tenant_slug = 'acme' and run_id = ?"
            " and resource_type in ('test', 'unit_test') order by project, name",
            [tests["run_id"]],
        ).fetchall()
        files = hub.execute(
            "select platform, object, sum(rows)::bigint from landing_acme.landed_files group by all order by all"
        ).fetchall()
        unknown = hub.execute(
            "select source_platform, source_object, len(observed_fields) from platform_sat__source_schema_history"
            " where tenant_slug = 'acme' order by all"
        ).fetchall()
    assert [test["name"] for test in tests["tests"]] == [name for name, _ in ran]
    statuses = [status for _, status in ran]
    assert [test["status"] for test in tests["tests"]] == statuses
    assert summary["tests"] == {status: statuses.count(status) for status in ("pass", "warn", "fail")}
    assert [test["name"] for test in seen("/tests", status="warn")["tests"]] == [
        name for name, status in ran if status == "warn"
    ]
    assert {"fct_acme__orders", "dim_acme__users"} <= {model["name"] for model in models["models"]}
    assert summary["models"] == len(models["models"])
    sources = seen("/freshness")["sources"]
    assert [(source["platform"], source["object"], source["rows"]) for source in sources] == files
    assert {source["newest_file"] for source in sources} >= {"orders.jsonl", "insights.jsonl"}
    shapes = seen("/drift")["drift"]
    assert [(shape["platform"], shape["object"], len(shape["fields"])) for shape in shapes] == unknown
    build, failed = seen("/runs")["runs"]
    assert (build["status"], failed["status"]) == ("done", "failed")
    assert [step["step"] for step in failed["steps"]] == ["onboard", "land"]
    assert [step["step"] for step in build["steps"]] == ["onboard", "land", "push", "stars", "publish"]
    assert seen(f"/runs/{build['run_id']}") == build
    nothing = onboarded.http.get("/observability/acme/runs/20260101T000000000000Z_0a1b2c", headers=onboarded.own)
    assert nothing.status_code == 404


def test_words_that_fit_nothing_leave_the_old_ones_and_words_that_fit_are_asked_for(onboarded: Onboarded) -> None:
    text, http = text_of(onboarded.home), onboarded.http
    wrong = {"tenant": "acme", "semantic": {"metrics": {"margin": {**MARGIN, "expression": "revenu - spend"}}}}
    failed, states = ended(http, http.post("/semantic-layer/update", json=wrong))
    assert (states[-1], "revenu" in failed["reason"], text_of(onboarded.home)) == ("failed", True, text)
    right = {"tenant": "acme", "semantic": {"metrics": {"margin": MARGIN}}}
    job, states = ended(http, http.post("/semantic-layer/update", json=right))
    assert states[-1] == "ready", (job["reason"], job)
    by_hand = onboarded.sql(
        "select (select sum(total_price::decimal(18, 6)) from {ORDERS})"
        " - (select sum(spend::decimal(18, 6)) from {INSIGHTS})"
    )
    assert onboarded.rows("margin") == [list(by_hand[0])]
    assert http.post("/semantic-layer/update", json=right).json()["id"] == job["id"]
    kinds = [job["kind"] for job in http.get("/jobs").json()["jobs"]]
    assert kinds == ["update", "update", "onboard", "onboard"]
    first = http.get("/jobs", params={"limit": 3})
    following = http.get(first.links["next"]["url"])
    assert [job["id"] for job in (*first.json()["jobs"], *following.json()["jobs"])] == [
        job["id"] for job in http.get("/jobs").json()["jobs"]
    ]


def without(*path: str) -> dict[str, Any]:
    """The posted tenant without a part."""
    entry = json.loads(json.dumps(ACME))
    node = entry
    for name in path[:-1]:
        node = node[name]
    del node[path[-1]]
    return entry


def reading(pattern: str) -> dict[str, Any]:
    """The posted tenant, its orders read from elsewhere."""
    entry: dict[str, Any] = json.loads(json.dumps(ACME))
    entry["sources"]["shopify"]["read"]["objects"]["orders"] = pattern
    return entry


def filling(folder: str) -> dict[str, Any]:
    """The posted tenant, its shop read from a folder."""
    entry: dict[str, Any] = json.loads(json.dumps(ACME))
    entry["sources"]["shopify"]["read"] = {"kind": "files", "folder": folder}
    return entry


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "no analytics": (without("sources", "google_analytics"), 422, "acme has no enabled analytics source."),
    "no slug": (without("slug"), 422, "slug is missing"),
    "no name": (without("business_name"), 422, "has no business_name"),
    "a path as slug": ({**ACME, "slug": "../acme"}, 422, "not a safe name"),
    "a slug that is taken": ({**ACME, "slug": "other"}, 409, "There is a tenant named 'other' already."),
    "a key that is misspelt": ({**ACME, "sorces": {}}, 422, "Did you mean sources or"),
    "an unknown connector": ({**ACME, "sources": {"shoppify": {"enabled": True}}}, 422, "Did you mean shopify?"),
    "another status": ({**ACME, "status": "pending"}, 422, "status is not active."),
    "nobody's time zone": ({**ACME, "timezone": "Berlin"}, 422, "Did you mean Europe/Berlin?"),
    "an absolute path": (reading("/etc/passwd"), 422, "not in the folder of tenants.yaml"),
    "a path upwards": (reading("../secret.jsonl"), 422, "not in the folder of tenants.yaml"),
    "a path down and up": (reading("acme/../../secret.jsonl"), 422, "not in the folder of tenants.yaml"),
    "a link that leads out": (reading("acme/link.jsonl"), 422, "not in the folder of tenants.yaml"),
    "a pattern that leads out": (reading("*/../../*.jsonl"), 422, "not in the folder of tenants.yaml"),
    "the state folder": (reading("state/ops.sqlite"), 422, "not in the folder of tenants.yaml"),
    "an address": (reading("https://example.com/x.jsonl"), 422, "an address"),
    "a folder elsewhere": (filling("/etc"), 422, "not in the folder of tenants.yaml"),
    "the folder itself": (filling("."), 422, "not in the folder of tenants.yaml"),
    "a folder upwards": (filling("acme/../.."), 422, "not in the folder of tenants.yaml"),
    "a folder of the state": (filling("state"), 422, "not in the folder of tenants.yaml"),
    "a folder that is not there": (filling("acme/gone"), 422, "There is no folder 'acme/gone'."),
    "a file that is not there": (reading("acme/shop/order.jsonl"), 422, "There is no file 'acme/shop/order.jsonl'."),
    "a template": ({**ACME, "business_name": "{{ env_var('X') }}"}, 422, "takes for a template"),
    "a line break": ({**ACME, "business_name": "A\nB"}, 422, "control character"),
    "half a character": ({**ACME, "business_name": "\ud800"}, 422, "cannot be written"),
    "a deep tree": ({**ACME, "semantic": json.loads("[" * 40 + "]" * 40)}, 422, "nested more than 12 levels"),
}


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PublishedHome, httpx.Client]]:
    """One home for all that is refused: nothing changes it."""
    home = home_in(tmp_path_factory.mktemp("refusing"))
    with home.serving() as address, httpx.Client(base_url=address, timeout=120) as http:
        http.headers.update(home.headers("admin"))
        yield home, http


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_says_why_and_changes_nothing(refusing: tuple[PublishedHome, httpx.Client], case: str) -> None:
    home, http = refusing
    entry, status, said = REFUSED[case]
    before = sorted(path.name for path in home.settings.tenants.parent.iterdir())
    answer = http.post("/tenants/onboard", content=json.dumps(entry), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    body = answer.json()
    assert said in f"{body['detail']} {body['fix']}"
    assert str(home.settings.home) not in answer.text
    assert ".check-" not in answer.text
    assert text_of(home) == TENANTS
    assert sorted(path.name for path in home.settings.tenants.parent.iterdir()) == before
    assert http.get("/jobs").json() == {"jobs": [], "cursor": None}


UPDATES: dict[str, tuple[dict[str, Any], int, str]] = {
    "nobody": ({"tenant": "acmes", "semantic": {}}, 422, "There is no tenant named 'acmes'."),
    "no tenant": ({"semantic": {}}, 422, "tenant is missing"),
    "nothing": ({"tenant": "acme"}, 422, "There is nothing to change."),
    "a section of another kind": ({"tenant": "acme", "sources": {}}, 422, "There is no section named 'sources'."),
    "no mapping": ({"tenant": "acme", "logic": []}, 422, "logic is no mapping."),
    "a source it has not": ({"tenant": "acme", "logic": {"stripe": {}}}, 422, "has no source named 'stripe'"),
    "an object that is not": ({"tenant": "acme", "logic": {"shopify": {"order": {"filters": []}}}}, 422, "orders"),
    "a logic that is not": ({"tenant": "acme", "logic": {"shopify": {"orders": {"sql": "x"}}}}, 422, "sql"),
    "words that are not": ({"tenant": "acme", "semantic": {"metric": {"a": {}, "b": 1}}}, 422, "Did you mean metrics?"),
    "one that waits": ({"tenant": "other", "semantic": {"metrics": {}}}, 422, "other is pending, and not built."),
}


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PublishedHome, httpx.Client]]:
    """Acme stands in tenants.yaml by hand, and was never built."""
    home = home_in(tmp_path_factory.mktemp("declared"))
    home.settings.tenants.write_text(with_tenant(TENANTS, ACME), encoding="utf-8")
    with home.serving() as address, httpx.Client(base_url=address, timeout=120) as http:
        http.headers.update(home.headers("admin"))
        yield home, http


@pytest.mark.parametrize("case", UPDATES)
def test_an_update_that_is_refused_changes_nothing(declared: tuple[PublishedHome, httpx.Client], case: str) -> None:
    home, http = declared
    sent, status, said = UPDATES[case]
    before = text_of(home)
    answer = http.post("/semantic-layer/update", json=sent)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    assert said in f"{answer.json()['detail']} {answer.json()['fix']}"
    assert text_of(home) == before
    assert http.get("/jobs").json() == {"jobs": [], "cursor": None}


def test_a_tenant_of_the_same_slug_that_was_here_before_is_not_mixed_with_a_new_one(
    declared: tuple[PublishedHome, httpx.Client],
) -> None:
    home, http = declared
    earlier = home.settings.published("bolt")
    earlier.mkdir(parents=True)
    answer = http.post("/tenants/onboard", json={**ACME, "slug": "bolt"})
    assert (answer.status_code, "gata forget --tenant bolt" in answer.json()["fix"]) == (409, True)
