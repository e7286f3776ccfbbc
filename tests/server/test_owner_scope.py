"""Scope owner: what each scope may call; an owner reads, checks, uploads and sees values of its own tenant alone."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from mcp import Client

from pipeline.storage.ops import Ops
from server.mcp_server.app import mcp_app
from server.orchestration.uploads import brought_file
from server.serving.access import Access, Caller
from server.serving.runs.published_runs import PublishedRuns
from tests.pipeline.vendor_records import charge, insight, jsonl, order, times
from tests.server.published_fixture import PublishedHome, new_published_home

SCOPES = ("none", "read", "owner", "admin")
ALLOWED = {
    "/health": set(SCOPES),
    "/sources/check": {"owner", "admin"},
    "/sources/upload": {"owner"},
    "/quarantine": {"owner"},
    "/tenants/onboard": {"admin"},
    "/semantic-layer/update": {"admin"},
    "/jobs": {"admin"},
    "/jobs/{id}": {"owner", "admin"},
    "/jobs/{id}/events": {"owner", "admin"},
    "/quarantine/replay": {"owner", "admin"},
}
"""Who may call a route; those that are not named take read, owner and admin."""
TENANTS = """
tenants:
  - slug: alpha
    business_name: Alpha
    status: pending
    currency: EUR
    domains: [ecommerce, ads]
    sources:
      shopify: {enabled: true, read: {kind: files, folder: exports/alpha}}
      facebook_ads: {enabled: true, read: {kind: files, folder: exports/alpha}}
  - slug: beta
    business_name: Beta
    status: pending
    domains: [ecommerce]
    sources:
      shopify: {enabled: true, read: {kind: files, folder: exports/beta}}
  - {slug: gamma, business_name: Gamma, status: pending}
"""
ORDERS = jsonl(times(3, order)).encode()


@pytest.fixture(scope="module")
def owned(tmp_path_factory: pytest.TempPathFactory) -> PublishedHome:
    """A home whose tenants have owners, and folders to upload into."""
    home = new_published_home(tmp_path_factory.mktemp("owned"), "alpha")
    home.settings.tenants.write_text(TENANTS, encoding="utf-8")
    with Ops(home.settings.ops) as ops:
        owners = {
            f"{slug} owner": Access(ops).create(tenant=slug, name=f"{slug} owner", owner=True)[0]
            for slug in ("alpha", "beta", "gamma")
        }
        for slug, value in (("alpha", "ALPHA-VALUE"), ("beta", "BETA-VALUE")):
            ops.add_quarantine(
                "20260301T000000000000Z_0a1b2c",
                slug,
                platform="shopify",
                account="main",
                object="orders",
                path=f"/srv/{slug}.jsonl",
                reason=f"total_price: '{value}' is not a number",
                count=2,
            )
    return PublishedHome(home.settings, {**home.tokens, **owners})


@pytest.fixture(scope="module")
def served(owned: PublishedHome) -> Iterator[str]:
    with owned.serving() as address:
        yield address


@pytest.fixture
def call(owned: PublishedHome, served: str) -> Iterator[Any]:
    """Call a route as somebody."""
    with httpx.Client(base_url=served, timeout=120) as http:

        def send(who: str, method: str, path: str, **more: Any) -> httpx.Response:
            return http.request(method, path, headers=owned.headers(who) if who in owned.tokens else {}, **more)

        yield send


def upload(call: Any, who: str, name: str, content: bytes, to: str = "upload") -> httpx.Response:
    answer: httpx.Response = call(who, "POST", f"/sources/{to}", params={"file": name}, content=content)
    return answer


def exports(home: PublishedHome, slug: str) -> Path:
    return home.settings.tenants.parent / "exports" / slug


def test_every_route_takes_the_scopes_that_it_says_and_no_other(served: str, call: Any) -> None:
    document = httpx.get(f"{served}/openapi.json", timeout=60).json()
    who = {"none": "nobody", "read": "alpha", "owner": "alpha owner", "admin": "admin"}
    wrong = []
    for path, methods in document["paths"].items():
        for method in methods:
            for scope in SCOPES:
                filled = path.replace("{tenant}", "alpha").replace("{id}", "no_such_id").replace("{name}", "no_such")
                body = {"json": {}} if method == "post" and not path.startswith("/sources") else {}
                status = call(who[scope], method, filled, **body).status_code
                is_let_in = status not in (401, 403)
                if is_let_in != (scope in ALLOWED.get(path, {"read", "owner", "admin"})):
                    wrong.append((method, path, scope, status))
    assert wrong == []
    assert set(ALLOWED) <= set(document["paths"])


def test_the_refusal_names_the_scope_that_is_needed(call: Any) -> None:
    answer = call("alpha", "GET", "/quarantine")
    assert answer.status_code == 403
    assert answer.headers["www-authenticate"].endswith('error="insufficient_scope", scope="owner"')
    assert "--owner" in answer.json()["fix"]


def test_a_tenant_of_another_is_not_there_for_an_owner_either(served: str, call: Any) -> None:
    document = httpx.get(f"{served}/openapi.json", timeout=60).json()
    for path, methods in document["paths"].items():
        if "{tenant}" in path:
            for method, operation in methods.items():
                body: dict[str, Any] = {"json": {"metrics": ["spend"]}} if method == "post" else {}
                asked = [
                    each["name"]
                    for each in operation.get("parameters", ())
                    if each["in"] == "query" and each["required"]
                ]
                body["params"] = dict.fromkeys(asked, "spend")
                there, missing = (
                    call("alpha owner", method, path.replace("{tenant}", slug).replace("{id}", "x"), **body)
                    for slug in ("beta", "nobody")
                )
                assert (there.status_code, there.text) == (missing.status_code, missing.text) == (404, missing.text)


@pytest.mark.anyio
async def test_over_mcp_an_owner_has_what_a_reader_has(owned: PublishedHome) -> None:
    seen = []
    for scope in ("read", "owner"):
        caller = Caller("alpha", scope, "t", "t")  # type: ignore[arg-type]  # a slug
        async with Client(mcp_app(PublishedRuns(owned.settings), lambda caller=caller: caller)) as client:
            tools = [tool.model_dump() for tool in (await client.list_tools()).tools]
            resources = [str(each.uri) for each in (await client.list_resources()).resources]
            status = await client.call_tool("get_status", {})
            seen.append((tools, resources, status.structured_content))
    assert seen[0] == seen[1]


def test_an_owner_sees_the_values_kept_out_of_its_own_tenant_alone(call: Any) -> None:
    own = call("alpha owner", "GET", "/quarantine").json()
    assert [row["reason"] for row in own["quarantine"]] == ["total_price: 'ALPHA-VALUE' is not a number"]
    assert (own["total"], own["quarantine"][0]["file"]) == (2, "alpha.jsonl")
    assert "ALPHA" not in call("beta owner", "GET", "/quarantine").text
    told = {
        who: call(who, "GET", "/observability/alpha/quarantine").json() for who in ("alpha", "alpha owner", "admin")
    }
    assert told["alpha"]["quarantine"][0]["reason"] is None
    assert told["alpha owner"] == told["admin"]
    assert call("alpha owner", "GET", "/observability/alpha").json()["findings"] == []


@pytest.mark.parametrize("who", ["alpha owner", "admin"])
def test_a_check_says_what_the_command_says_and_keeps_nothing(owned: PublishedHome, call: Any, who: str) -> None:
    answer = upload(call, who, "june (1).jsonl", ORDERS, to="check")
    assert answer.status_code == 200
    (file,) = answer.json()["files"]
    assert (file["file"], file["lands"], file["rows"]) == ("june (1).jsonl", "whole", 3)
    assert 'orders: ["exports/june (1).jsonl"]' in answer.json()["tenants_yaml"]
    damaged = upload(call, who, "a.parquet", b"PAR1 no parquet", to="check").json()["files"][0]
    assert damaged["lands"] == "nothing"
    assert "/" not in damaged["reason"]
    assert not exports(owned, "alpha").exists() or not list(exports(owned, "alpha").glob("june*"))


def test_an_upload_is_checked_kept_once_and_read_by_the_tenants_own_source(owned: PublishedHome, call: Any) -> None:
    first = upload(call, "beta owner", "orders.jsonl", ORDERS)
    assert (first.status_code, first.json()["is_new"], first.json()["report"][0]["rows"]) == (201, True, 3)
    assert (exports(owned, "beta") / "orders.jsonl").read_bytes() == ORDERS
    again = upload(call, "beta owner", "renamed.jsonl", ORDERS)
    assert (again.status_code, again.json()["file"], again.json()["is_new"]) == (200, "orders.jsonl", False)
    other = upload(call, "beta owner", "orders.jsonl", jsonl(times(4, order)).encode())
    assert (other.status_code, "another file named" in other.json()["detail"]) == (409, True)
    assert [path.name for path in exports(owned, "beta").iterdir()] == ["orders.jsonl"]
    assert (exports(owned, "beta") / "orders.jsonl").read_bytes() == ORDERS
    ours = upload(call, "alpha owner", "insights.jsonl.gz", gzip.compress(jsonl(times(2, insight)).encode()))
    assert ours.status_code == 201
    assert [path.name for path in exports(owned, "alpha").iterdir()] == ["insights.jsonl.gz"]


@pytest.mark.parametrize(
    ("who", "content", "says"),
    [
        (
            "beta owner",
            jsonl([{**charge(1), "object": "refund"}]).encode(),
            "a.jsonl is not taken: its records are refund",
        ),
        ("beta owner", jsonl(times(2, insight)).encode(), "no source here reads files of it"),
        ("gamma owner", ORDERS, "There is no folder for uploads here."),
        ("beta owner", b"", "There is no file in the body."),
    ],
)
def test_what_would_not_land_is_refused_with_its_reason_and_not_kept(
    owned: PublishedHome, call: Any, who: str, content: bytes, says: str
) -> None:
    answer = upload(call, who, "a.jsonl", content)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert says in answer.json()["detail"]
    assert str(owned.settings.tenants.parent) not in answer.text
    assert not list(exports(owned, "beta").parent.rglob("a.jsonl"))


@pytest.mark.parametrize(
    "name",
    [
        "../a.csv",
        "/etc/a.csv",
        "a/b.csv",
        "a\\b.csv",
        ".hidden.csv",
        "..",
        "a.csv.part",
        "a.exe",
        "a\n.csv",
        "a\0.csv",
        "_MANIFEST.json",
        "x" * 160 + ".csv",
        "",
        "csv",
        " a.csv",
        "CON\u202e.csv",
    ],
)
def test_a_name_that_leads_elsewhere_or_hides_a_file_is_refused(call: Any, owned: PublishedHome, name: str) -> None:
    for to in ("check", "upload"):
        assert upload(call, "beta owner", name, ORDERS, to=to).status_code == 422
    assert not list(owned.settings.tenants.parent.glob("*.csv"))


def test_a_name_that_is_taken_by_a_link_is_not_written_through(call: Any, owned: PublishedHome, tmp_path: Path) -> None:
    target = tmp_path / "target.jsonl"
    exports(owned, "beta").mkdir(parents=True, exist_ok=True)
    (exports(owned, "beta") / "link.jsonl").symlink_to(target)
    assert upload(call, "beta owner", "link.jsonl", jsonl(times(5, order)).encode()).status_code == 409
    assert not target.exists()
    (exports(owned, "beta") / "link.jsonl").unlink()


def test_a_file_is_bounded_packed_and_unpacked(call: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    large = upload(call, "beta owner", "a.csv", b"x" * 1_000_001)
    assert (large.status_code, large.json()["detail"]) == (413, "The body is larger than 1,000,000 bytes.")

    def parts() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x" * 100_000

    unannounced = call("beta owner", "POST", "/sources/check", params={"file": "a.csv"}, content=parts())
    assert unannounced.status_code == 413
    bomb = gzip.compress(b"x" * 120_000_000, compresslevel=9)
    assert "unpacks to more than" in upload(call, "beta owner", "a.csv.gz", bomb, to="check").json()["detail"]
    monkeypatch.setattr(brought_file, "MAX_ROWS", 10)
    pq.write_table(pa.table({"id": list(range(11))}), tmp_path / "a.parquet")
    rows = upload(call, "beta owner", "a.parquet", (tmp_path / "a.parquet").read_bytes(), to="check")
    assert rows.json()["detail"] == "The file holds 11 rows, more than 10."


def test_a_call_with_a_file_is_recorded_without_its_content(call: Any, owned: PublishedHome) -> None:
    upload(call, "beta owner", "recorded.jsonl", jsonl([{**order(1), "email": "ann@example.com"}]).encode(), to="check")
    recorded: list[dict[str, Any]] = []
    ends_at = time.monotonic() + 60
    while not recorded and time.monotonic() < ends_at:  # the line is written after the answer is sent
        texts = [file.read_text("utf-8") for file in owned.settings.audit_folder.glob("*")]
        lines = [line for text in texts for line in text.splitlines()]
        recorded = [json.loads(line) for line in lines if "recorded.jsonl" in line]
    assert [each["tool"] for each in recorded] == ["POST /sources/check"]
    assert "ann@example.com" not in json.dumps(recorded)
