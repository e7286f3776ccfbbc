"""Twenty tenants are posted, most of them hostile: the others are published and answered, and these are named."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.config.connector_catalog import CATALOG, load_catalog
from pipeline.config.slug import slug_of
from pipeline.config.tenants_file import load_tenants
from pipeline.settings import Settings
from pipeline.storage.build_lock import build_lock
from pipeline.storage.ops import Ops
from server.orchestration.forgetting import is_known
from server.serving.access import Access
from tests.end_to_end.hostile_tenants import (
    FAILING,
    HEALTHY_ORDERS,
    HEALTHY_REVENUE,
    IN_FILES,
    Kind,
    posted_entry,
)
from tests.end_to_end.small_shop import ORDERS, write_jsonl
from tests.library import with_library
from tests.server.published_fixture import PublishedHome
from tests.server.test_rest_onboard import ended

pytestmark = pytest.mark.long  # builds seven tenants

Json = dict[str, Any]  # Any: JSON values

HEALTHY = tuple(f"healthy_{number}" for number in range(4))
AT_THE_DOOR: Mapping[str, str] = {
    "name": "not UTF-8",
    "fifo": "'orders_fifo.jsonl' is not read: it is no regular file but a FIFO",
    "neighbour": "'orders_theirs.jsonl' is not read: it is a link that leads out of its folder",
    "device": "'orders_device.jsonl' is not in the folder of tenants.yaml",
    "system": "'orders_system.csv' is not in the folder of tenants.yaml",
}
"""Exports that a request is refused for, with what it says. Put there while a job waits, they are in quarantine."""
WRONG: Mapping[str, tuple[Json, str]] = {
    "a currency": ({"currency": "XXQ"}, "currency is 'XXQ'"),
    "a slug": ({"slug": "../wrong"}, "is not a safe name"),
    "a file of the system": (
        {"sources": {"shopify": {"enabled": True, "read": {"kind": "files", "objects": {"orders": "/etc/passwd"}}}}},
        "'passwd' is not in the folder of tenants.yaml",
    ),
    "its depth": ({"semantic": json.loads("[" * 40 + "]" * 40)}, "nested more than 12 levels deep"),
}
LATE = {
    "hostile_late": [IN_FILES[kind] for kind in AT_THE_DOOR],
    **{f"hostile_{name}": [FAILING[name]] for name in FAILING},
}
"""What becomes of tenants' folders while their jobs wait."""
INSIDE = {kind: IN_FILES[kind] for kind in IN_FILES if kind not in AT_THE_DOOR}
"""Hostile in what the files hold, which no request looks at."""


@dataclass(frozen=True)
class Served:
    """A served home without tenants, as an operator with an admin token sees it."""

    home: PublishedHome
    http: httpx.Client

    @property
    def folder(self) -> Path:
        return self.home.settings.tenants.parent

    def post(self, slug: str, /, *kinds: Kind, **more: object) -> httpx.Response:
        """Post a tenant whose folder holds the orders of a healthy one, and what `kinds` say."""
        write_jsonl(self.folder / slug / "orders.jsonl", ORDERS)
        for kind in kinds:
            kind.spoil(self.folder / slug)
        return self.http.post("/tenants/onboard", json={**posted_entry(slug), **more})

    def end_of(self, posted: httpx.Response) -> Json:
        """How a job ended; the server answers meanwhile, and the tenant as soon as it is ready."""
        job, states = ended(self.http, posted)
        assert self.http.get("/health").json() == {"status": "ok"}
        if states[-1] == "ready":
            assert self.answer(job["tenant"]) == [HEALTHY_ORDERS, Decimal(HEALTHY_REVENUE)]
        return job

    def answer(self, slug: str) -> list[object]:
        asked = {"metrics": ["valid_orders", "order_revenue"]}
        answer = self.http.post(f"/semantic-layer/{slug}/query", json=asked)
        assert answer.status_code == 200, answer.text
        (row,) = json.loads(answer.text, parse_float=Decimal)["rows"]
        return list(row)

    def findings(self, slug: str) -> str:
        """What builds and gates found in the tenant's data, as one text."""
        seen = self.http.get(f"/observability/{slug}").json()
        return json.dumps([seen["findings"], seen["details"]], ensure_ascii=False)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "tenants.yaml").write_text("tenants: []\n", encoding="utf-8")
    settings = Settings(
        home=tmp_path / "state",
        tenants=tmp_path / "tenants.yaml",
        today=date(2026, 11, 21),
        threads=1,
        rate_per_minute=0,
    )
    with_library(settings)
    with Ops(settings.ops) as ops:
        home = PublishedHome(settings, {"admin": Access(ops).create(tenant=None, name="admin")[0]})
    with home.serving() as address, httpx.Client(base_url=address, headers=home.headers("admin"), timeout=300) as http:
        yield Served(home, http)


def test_hostile_tenants_that_are_posted_are_named_and_the_others_are_published_and_answered(served: Served) -> None:
    settings = served.home.settings
    posted: dict[str, httpx.Response] = {}
    with build_lock(settings.home, wait_seconds=0):  # every job waits: their folders change between door and build
        posted[HEALTHY[0]] = served.post(HEALTHY[0])
        for kind, said in AT_THE_DOOR.items():
            refused = served.post(f"refused_{kind}", IN_FILES[kind])
            assert (refused.status_code, said in refused.json()["detail"]) == (422, True), refused.text
        for what, (more, said) in WRONG.items():
            refused = served.post("refused_entry", **more)
            assert (refused.status_code, said in refused.json()["detail"]) == (422, True), (what, refused.text)
        posted |= {slug: served.post(slug) for slug in LATE}
        posted["hostile_inside"] = served.post("hostile_inside", *INSIDE.values())
        posted |= {slug: served.post(slug) for slug in HEALTHY[1:]}
        assert served.post(HEALTHY[1], currency="USD").status_code == 409
        (settings.home / "published").mkdir(exist_ok=True)
        for slug, kinds in LATE.items():
            for kind in kinds:
                kind.spoil(served.folder / slug)
    jobs = {slug: served.end_of(answer) for slug, answer in posted.items()}
    published = {*HEALTHY, "hostile_late", "hostile_inside"}
    assert {slug for slug, job in jobs.items() if job["state"] == "ready"} == published, jobs
    for kinds, slug in ((AT_THE_DOOR, "hostile_late"), (INSIDE, "hostile_inside")):
        findings = served.findings(slug)
        assert [kind for kind in kinds if IN_FILES[kind].said not in findings] == [], findings
    log = (settings.home / "logs/gata.jsonl").read_text(encoding="utf-8")
    failures = [event for event in map(json.loads, log.splitlines()) if event["event"] == "failed"]
    named = {event["tenant"]: event["job"] for event in failures}
    assert named == {slug: jobs[slug]["id"] for slug in jobs.keys() - published}
    for slug in named:
        assert slug in jobs[slug]["reason"], jobs[slug]
        assert f"{slug} was taken out of tenants.yaml: send the request again." in jobs[slug]["fix"]
        assert served.http.get(f"/readiness/{slug}").status_code == 404
        assert not is_known(slug_of(slug), settings)
    entries = load_tenants(settings.tenants, load_catalog(CATALOG))
    assert ({tenant.slug for tenant in entries.tenants}, entries.refused) == (published, ())
    mended = served.end_of(served.post("hostile_note"))  # the queue goes on, and a failure is not for ever
    assert mended["state"] == "ready", mended
