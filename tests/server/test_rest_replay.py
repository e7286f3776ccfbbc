"""Replay of the quarantine over REST: whose it is, which job a request gives, and what an owner sees of it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from pipeline.storage.build_lock import build_lock
from pipeline.storage.ops import Ops
from server.orchestration.jobs.job import DIED, REPLAY_FAILED, Job, Jobs
from server.orchestration.jobs.process import job_folder
from server.serving.access import Access
from tests.server.published_fixture import PublishedHome, new_published_home
from tests.server.test_rest_jobs import process_of, wait_for

SHOP = "sources: {shopify: {enabled: true}}, domains: [ecommerce]"
TENANTS = f"""
tenants:
  - {{slug: alpha, business_name: Alpha, {SHOP}}}
  - {{slug: beta, business_name: Beta, {SHOP}}}
  - {{slug: gamma, business_name: Gamma, status: pending}}
  - {{slug: delta, business_name: Delta, currency: XXQ, {SHOP}}}
"""


@dataclass(frozen=True)
class Waiting:
    """A served home whose build lock somebody holds: jobs wait in their queue."""

    home: PublishedHome
    http: httpx.Client
    jobs: Jobs

    def send(self, who: str, path: str = "/quarantine/replay", **more: Any) -> httpx.Response:
        """POST as somebody; GET another path."""
        headers = {**self.home.headers(who), **more.pop("headers", {})}
        if path == "/quarantine/replay":
            return self.http.post(path, headers=headers, json=more.pop("json", {}), **more)
        return self.http.get(path, headers=headers)

    def end(self, job_id: str) -> None:
        """Kill the process of a job."""
        wait_for(lambda: process_of(job_id))
        process = process_of(job_id)
        assert process is not None
        os.kill(process, signal.SIGKILL)
        wait_for(lambda: not self.jobs.is_alive(job_id))

    def job(self, job_id: str) -> Job:
        found = self.jobs.find(job_id)
        assert found is not None
        return found


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Waiting]:
    home = new_published_home(tmp_path_factory.mktemp("replayed"))
    home.settings.tenants.write_text(TENANTS, encoding="utf-8")
    with Ops(home.settings.ops) as ops:
        owners = {
            f"{slug} owner": Access(ops).create(tenant=slug, name=slug, owner=True)[0]
            for slug in ("alpha", "beta", "gamma", "delta", "erased")
        }
        served = PublishedHome(home.settings, {**home.tokens, **owners})
        with (
            served.serving() as address,
            httpx.Client(base_url=address, timeout=120) as http,
            build_lock(home.settings.home, wait_seconds=0),
        ):
            yield Waiting(served, http, Jobs(ops, job_folder(home.settings)))


def test_a_tenant_of_another_is_not_there_and_no_job_begins(waiting: Waiting) -> None:
    for slug in ("alpha", "nobody", "../x", 7, None, {"a": 1}):
        answer = waiting.send("beta owner", json={"tenant": slug})
        assert (answer.status_code, answer.json()["detail"]) == (404, "There is no such tenant here."), slug
    assert len({waiting.send("beta owner", json={"tenant": slug}).text for slug in ("alpha", "nobody")}) == 1
    assert waiting.send("admin", json={"tenant": "nobody"}).status_code == 404
    assert (
        waiting.send("erased owner").status_code == 403
    )  # as every route answers a tenant that is not served any more
    assert waiting.jobs.page(9, None) == []


@pytest.mark.parametrize("who", ["alpha", "agency"])
def test_a_reader_and_an_agency_are_told_which_scope_a_replay_needs(waiting: Waiting, who: str) -> None:
    other = waiting.send(who, "/quarantine")
    for answer in (waiting.send(who), waiting.send(who, "/jobs/job_1"), waiting.send(who, "/jobs/job_1/events")):
        assert (answer.status_code, answer.text) == (403, other.text)
        assert answer.headers["www-authenticate"] == other.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("who", "sent", "says"),
    [
        ("alpha owner", {"platform": "shopfy"}, "Did you mean shopify?"),
        ("alpha owner", {"object": "../orders"}, "Did you mean orders?"),
        ("alpha owner", {"account": None}, "There is no account named 'None' here."),
        ("alpha owner", {"file": "a"}, "Sources have no 'file' to choose by."),
        ("admin", {}, "An admin token belongs to no tenant."),
        ("gamma owner", {}, "gamma is pending, and not built."),
        ("delta owner", {}, "The entry of delta in tenants.yaml is wrong."),
    ],
)
def test_what_cannot_be_replayed_is_refused_with_its_reason_and_no_path(
    waiting: Waiting, who: str, sent: dict[str, Any], says: str
) -> None:
    answer = waiting.send(who, json=sent)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), answer.text
    assert says in f"{answer.json()['detail']} {answer.json()['fix']}"
    assert str(waiting.home.settings.home.parent) not in answer.text
    assert waiting.jobs.page(9, None) == []


def test_a_replay_is_one_job_until_it_is_over_and_only_its_owner_and_admins_see_it(waiting: Waiting) -> None:
    first = waiting.send("alpha owner")
    assert (first.status_code, first.json()["kind"], first.json()["tenant"]) == (202, "replay", "alpha")
    place = first.headers["location"]
    assert waiting.send("alpha owner").json()["id"] == first.json()["id"]
    assert waiting.send("alpha owner", json={"tenant": "alpha"}).json()["id"] == first.json()["id"]
    assert waiting.send("admin", json={"tenant": "alpha"}).json()["id"] == first.json()["id"]
    other = waiting.send("alpha owner", json={"platform": "shopify"})
    assert (other.status_code, other.json()["fix"]) == (409, "Wait for its end, then send this again.")
    for path in (place, f"{place}/events"):
        foreign, missing = (waiting.send("beta owner", each) for each in (path, path.replace(first.json()["id"], "x")))
        assert (foreign.status_code, foreign.text) == (missing.status_code, missing.text) == (404, missing.text)
    assert waiting.send("alpha owner", place).json() == waiting.send("admin", place).json()
    assert waiting.send("alpha owner", "/jobs").status_code == 403
    beta = waiting.send("beta owner").json()["id"]
    assert beta != first.json()["id"]
    waiting.end(first.json()["id"])
    ended = waiting.send("alpha owner", place).json()
    assert (ended["state"], ended["reason"], ended["fix"]) == ("failed", DIED, "Send the request again.")
    assert waiting.home.settings.tenants.read_text(encoding="utf-8") == TENANTS
    again = waiting.send("alpha owner").json()["id"]
    assert again != first.json()["id"]  # a file may be mended since
    for job_id in (again, beta):
        waiting.end(job_id)


def test_a_key_gives_the_job_that_it_gave_also_after_its_end(waiting: Waiting) -> None:
    named = {"Idempotency-Key": "monday"}
    first = waiting.send("alpha owner", headers=named).json()["id"]
    waiting.end(first)
    assert waiting.send("alpha owner", headers=named).json()["id"] == first
    assert waiting.send("alpha owner", headers=named, json={"platform": "shopify"}).status_code == 422
    own = waiting.send("beta owner", headers=named).json()
    assert (own["tenant"], own["id"] != first) == ("beta", True)  # keys are those of a token
    waiting.end(own["id"])


def test_the_reason_of_a_failure_is_for_the_operator(waiting: Waiting) -> None:
    job = waiting.job(waiting.send("alpha owner").json()["id"])
    waiting.jobs.move(job, "failed", reason="/srv/exports/alpha: SECRET", fix="Run `gata doctor`.")
    waiting.end(job.id)
    for path in (f"/jobs/{job.id}", f"/jobs/{job.id}/events"):
        told = waiting.send("alpha owner", path).text
        assert REPLAY_FAILED in told
        assert "SECRET" not in told
        assert "gata doctor" not in told
        assert "SECRET" in waiting.send("admin", path).text


def test_an_owner_sees_no_job_of_another_kind_of_its_own_tenant(waiting: Waiting) -> None:
    waiting.jobs.make("job_own", kind="update", tenant="alpha", content="c", asked_by="t", key=None, undo=None)
    waiting.jobs.move(waiting.job("job_own"), "failed", reason="SECRET")
    assert waiting.send("alpha owner", "/jobs/job_own").text == waiting.send("alpha owner", "/jobs/none").text
    assert waiting.send("admin", "/jobs/job_own").json()["reason"] == "SECRET"
