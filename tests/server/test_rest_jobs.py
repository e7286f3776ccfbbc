"""Jobs whose process dies, and changes of tenants.yaml that meet those of somebody else."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from pipeline.config.connector_catalog import load_catalog
from pipeline.errors import Busy, QueryError
from pipeline.storage.build_lock import build_lock
from pipeline.storage.ops import Ops
from server.orchestration.build_context import CATALOG
from server.orchestration.jobs.job import DIED, Jobs, State
from server.orchestration.jobs.tenants_edit import with_changes, with_tenant
from server.orchestration.jobs.tenants_edit_file import (
    TenantsFileChange,
    apply_change,
    checked_change,
    locked_tenants_file,
    plan_change,
    undo_change,
)
from tests.server.published_fixture import PublishedHome
from tests.server.test_rest_onboard import ACME, TENANTS, home_in, text_of


def process_of(job_id: str) -> int | None:
    """The process that was begun for a job."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if job_id.encode() in words:
                return int(entry.name)
    return None


def wait_for(condition: object, *, seconds: float = 120.0) -> None:
    ends_at = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]  # any call
        assert time.monotonic() < ends_at
        time.sleep(0.05)


def test_a_job_waits_for_another_build_and_one_that_is_killed_has_failed_and_is_undone(tmp_path: Path) -> None:
    home = home_in(tmp_path)
    with (
        home.serving() as address,
        httpx.Client(base_url=address, headers=home.headers("admin"), timeout=120) as http,
        build_lock(home.settings.home, wait_seconds=0),
    ):
        with ThreadPoolExecutor() as at_once:
            posted = list(at_once.map(lambda _: http.post("/tenants/onboard", json=ACME).json()["id"], range(4)))
        assert len(set(posted)) == 1
        job = http.get(f"/jobs/{posted[0]}").json()
        assert text_of(home).count("slug: acme") == 1
        wait_for(lambda: process_of(job["id"]))
        assert http.get(f"/jobs/{job['id']}").json()["state"] == "queued"
        assert http.get(f"/jobs/{job['id']}").headers["retry-after"] == "1"
        assert http.get("/readiness/acme").json()["job"] == "queued"
        process = process_of(job["id"])
        assert process is not None
        os.kill(process, signal.SIGKILL)
        wait_for(lambda: http.get(f"/jobs/{job['id']}").json()["state"] == "failed")
        told = http.get(f"/jobs/{job['id']}").json()
        assert (told["reason"], told["fix"]) == (DIED, "Send the request again.")
        assert text_of(home) == TENANTS
        assert http.get("/readiness/acme").status_code == 404
        stream = http.get(f"/jobs/{job['id']}/events").text
        assert [line for line in stream.splitlines() if line.startswith("event")] == ["event: queued", "event: failed"]


def test_an_update_that_somebody_has_taken_back_by_hand_is_made_again(tmp_path: Path) -> None:
    home = home_in(tmp_path)
    before = with_tenant(TENANTS, ACME)
    home.settings.tenants.write_text(before, encoding="utf-8")
    sent = {"tenant": "acme", "semantic": {"metrics": {"orders": {"hidden": True}}}}
    with (
        home.serving() as address,
        httpx.Client(base_url=address, headers=home.headers("admin"), timeout=120) as http,
        build_lock(home.settings.home, wait_seconds=0),
        Ops(home.settings.ops) as ops,
    ):
        jobs, begun = Jobs(ops, home.settings.home / "jobs"), []
        for _ in range(2):
            begun.append(http.post("/semantic-layer/update", json=sent).json()["id"])
            assert http.post("/semantic-layer/update", json=sent).json()["id"] == begun[-1]
            wait_for(lambda: process_of(begun[-1]))
            process, job = process_of(begun[-1]), jobs.find(begun[-1])
            assert process is not None
            assert job is not None
            jobs.move(job, "ready")
            os.kill(process, signal.SIGKILL)
            wait_for(lambda: not jobs.is_alive(begun[-1]))
            assert "hidden: true" in text_of(home)
            home.settings.tenants.write_text(before, encoding="utf-8")
        assert begun[0] != begun[1]


@pytest.fixture
def home(tmp_path: Path) -> PublishedHome:
    return home_in(tmp_path)


def change_of(home: PublishedHome) -> TenantsFileChange:
    return plan_change(home.settings.tenants, lambda text: with_tenant(text, ACME))


def test_a_job_only_ever_goes_forward_and_ends_once(home: PublishedHome) -> None:
    states: tuple[State, ...] = ("ingesting", "queued", "validating", "transforming", "failed", "ready")
    with Ops(home.settings.ops) as ops:
        jobs = Jobs(ops, home.settings.home / "jobs")
        jobs.make("job_1", kind="onboard", tenant="acme", content="c", asked_by="token", key=None, undo="{}")
        job = jobs.find("job_1")
        assert job is not None
        assert [jobs.move(job, state) for state in states] == [True, False, True, False, True, False]
        assert [event["state"] for event in jobs.events("job_1")] == ["queued", "ingesting", "validating", "failed"]


def test_a_job_lives_as_long_as_somebody_holds_its_file(home: PublishedHome) -> None:
    with Ops(home.settings.ops) as ops:
        jobs = Jobs(ops, home.settings.home / "jobs")
        assert not jobs.is_alive("job_1")
        with jobs.hold_lock("job_1") as lifeline:
            heir = os.dup(lifeline)
            assert jobs.is_alive("job_1")
        assert jobs.is_alive("job_1")
        os.close(heir)
        assert not jobs.is_alive("job_1")


def test_an_edit_by_hand_between_reading_and_writing_is_not_lost(home: PublishedHome) -> None:
    change = change_of(home)
    home.settings.tenants.write_text(TENANTS + "# by hand\n", encoding="utf-8")
    with pytest.raises(Busy, match="edited just now"):
        apply_change(change)
    assert text_of(home) == TENANTS + "# by hand\n"


def test_undoing_takes_out_the_entry_alone_when_somebody_has_edited_the_file_since(home: PublishedHome) -> None:
    change = change_of(home)
    apply_change(change)
    edited = text_of(home).replace("it waits", "it waits long")
    home.settings.tenants.write_text(edited, encoding="utf-8")
    assert undo_change(change, "acme", is_new=True)
    assert text_of(home) == TENANTS.replace("it waits", "it waits long")


def test_undoing_an_update_leaves_what_somebody_has_edited_since(home: PublishedHome) -> None:
    before = with_tenant(TENANTS, ACME)
    home.settings.tenants.write_text(before, encoding="utf-8")
    words = {"semantic": {"metrics": {"orders": {"hidden": True}}}}
    change = plan_change(home.settings.tenants, lambda text: with_changes(text, "acme", words))
    apply_change(change)
    home.settings.tenants.write_text(text_of(home) + "# by hand\n", encoding="utf-8")
    assert not undo_change(change, "acme", is_new=False)
    assert text_of(home) == change.after + "# by hand\n"


def test_a_change_keeps_the_file_s_mode_and_the_link_to_it(home: PublishedHome) -> None:
    link = home.settings.tenants
    real = link.rename(link.with_name("real.yaml"))
    link.symlink_to(real)
    real.chmod(0o640)
    apply_change(change_of(home))
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert "slug: acme" in real.read_text(encoding="utf-8")


def test_a_tenant_of_an_included_file_is_changed_there_and_checked_with_all_others(home: PublishedHome) -> None:
    folder = home.settings.tenants.parent
    (folder / "more").mkdir()
    own = with_tenant("tenants: []\n", {**ACME, "sources": {name: {"enabled": True} for name in ACME["sources"]}})
    (folder / "more/acme.yaml").write_text(own, encoding="utf-8")
    home.settings.tenants.write_text(TENANTS + "include: ['more/*.yaml']\n", encoding="utf-8")
    catalog = load_catalog(CATALOG)
    file = folder / "more/acme.yaml"
    for words, is_right in (({"metrics": {"orders": {"hidden": True}}}, True), ({"metrix": {"a": 1}}, False)):
        change = plan_change(file, lambda text, words=words: with_changes(text, "acme", {"semantic": words}))  # type: ignore[misc]
        if is_right:
            assert checked_change(change, home.settings, catalog, "acme").get("acme").semantic == words
        else:
            with pytest.raises(QueryError, match="metrix"):
                checked_change(change, home.settings, catalog, "acme")
    assert sorted(path.name for path in (folder / "more").iterdir()) == ["acme.yaml"]
    assert file.read_text(encoding="utf-8") == own


def test_a_part_that_tenants_share_is_not_changed_for_one_of_them(home: PublishedHome) -> None:
    shared = (
        "tenants:\n- {slug: a, business_name: A, status: pending, semantic: &s {metrics: {orders: {hidden: true}}}}\n"
    )
    shared += "- {slug: b, business_name: B, status: pending, semantic: *s}\n"
    home.settings.tenants.write_text(shared, encoding="utf-8")
    words = {"semantic": {"metrics": {"spend": {"hidden": True}}}}
    change = plan_change(home.settings.tenants, lambda text: with_changes(text, "a", words))
    with pytest.raises(QueryError, match="shares a part"):
        checked_change(change, home.settings, load_catalog(CATALOG), "a")


def test_two_requests_change_the_file_one_after_the_other(home: PublishedHome) -> None:
    order: list[str] = []

    def second() -> None:
        with locked_tenants_file(home.settings):
            order.append("second")

    with locked_tenants_file(home.settings), locked_tenants_file(home.settings):
        waiting = threading.Thread(target=second)
        waiting.start()
        waiting.join(0.2)
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]
