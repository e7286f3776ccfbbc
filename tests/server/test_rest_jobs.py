"""Jobs whose process dies, and changes of tenants.yaml that meet those of somebody else."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from pipeline.config.connector_catalog import CATALOG, load_catalog
from pipeline.config.slug import slug_of
from pipeline.errors import Busy, QueryError
from pipeline.settings import Settings
from pipeline.storage.build_lock import build_lock
from pipeline.storage.ops import Ops
from server.orchestration.jobs.job import DIED, Jobs, State
from server.orchestration.jobs.process import main
from server.orchestration.jobs.submit import JobService, settings_environment
from server.orchestration.jobs.tenants_edit import with_changes, with_tenant, without_tenant
from server.orchestration.jobs.tenants_edit_file import (
    TenantsFileChange,
    apply_change,
    checked_change,
    locked_tenants_file,
    plan_change,
    undo_change,
)
from server.orchestration.jobs.undo_record import UndoRecord, read_undo_record
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


def test_a_bug_in_the_process_of_a_job_fails_it_under_an_event_that_the_log_names_and_undoes_it(
    home: PublishedHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = "a row of somebody"

    def bug(*_: object, **__: object) -> None:
        raise ValueError(row)

    monkeypatch.setattr("server.orchestration.verbs.build", bug)
    for name, value in settings_environment(home.settings).items():
        monkeypatch.setenv(name, value)
    change = change_of(home)
    apply_change(change)
    undo = UndoRecord(file=change.file, before=change.before, after=change.after).model_dump_json()
    with Ops(home.settings.ops) as ops:
        jobs = Jobs(ops, home.settings.home / "jobs")
        jobs.make("job_1", kind="onboard", tenant="acme", content="c", asked_by="token", key=None, undo=undo)
        with pytest.raises(ValueError, match="somebody"):
            main("job_1")
        job = jobs.find("job_1")
    assert job is not None
    assert (job.state, text_of(home)) == ("failed", TENANTS)
    event_id = str(job.reason).rpartition(" ")[2].rstrip(".")
    log = (home.settings.home / "logs/gata.jsonl").read_text(encoding="utf-8")
    (event,) = [event for event in map(json.loads, log.splitlines()) if event.get("event_id") == event_id]
    assert (event["job"], event["tenant"], "somebody" in str(event)) == ("job_1", "acme", False)


@pytest.mark.parametrize("gone", ["acme/shop", "acme/web/*.jsonl"])
def test_a_tenant_whose_exports_went_while_its_job_waited_is_refused_and_not_published_empty(
    home: PublishedHome, monkeypatch: pytest.MonkeyPatch, gone: str
) -> None:
    folder = home.settings.tenants.parent
    if gone.endswith("shop"):
        entry = {
            **ACME,
            "domains": ["ecommerce"],
            "sources": {"shopify": {"enabled": True, "read": {"kind": "files", "folder": gone}}},
        }
    else:
        entry = ACME
    for name, value in settings_environment(home.settings.model_copy(update={"env": "local"})).items():
        monkeypatch.setenv(name, value)
    change = plan_change(home.settings.tenants, lambda text: with_tenant(text, entry))
    apply_change(change)
    undo = UndoRecord(file=change.file, before=change.before, after=change.after).model_dump_json()
    with Ops(home.settings.ops) as ops:
        jobs = Jobs(ops, home.settings.home / "jobs")
        jobs.make("job_1", kind="onboard", tenant="acme", content="c", asked_by="token", key=None, undo=undo)
        shutil.rmtree(folder / Path(gone).parent if "*" in gone else folder / gone)
        assert main("job_1") == 1
        job = jobs.find("job_1")
    assert job is not None
    kind = "file" if "*" in gone else "folder"
    assert (job.state, job.reason) == ("failed", f"There is no {kind} {gone!r}.")
    assert str(job.fix).endswith("acme was taken out of tenants.yaml: send the request again.")
    assert text_of(home) == TENANTS
    assert not home.settings.published(slug_of("acme")).exists()


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


HIDDEN = {"semantic": {"metrics": {"orders": {"hidden": True}}}}
OTHER = {**ACME, "slug": "fourth"}


def updated(home: PublishedHome, before: str) -> TenantsFileChange:
    """A change of acme's entry, applied."""
    home.settings.tenants.write_text(before, encoding="utf-8")
    change = plan_change(home.settings.tenants, lambda text: with_changes(text, "acme", HIDDEN))
    apply_change(change)
    assert "hidden" in text_of(home)
    return change


@pytest.mark.parametrize("place", ["last", "first"])
@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text + "# by hand\n",
        lambda text: "# by hand\n" + text,
        lambda text: text.replace("it waits", "it waits long"),
        lambda text: with_tenant(text, OTHER),
        lambda text: without_tenant(text, "third"),
    ],
)
def test_undoing_an_update_restores_the_entry_and_keeps_what_else_was_edited_since(
    home: PublishedHome, edit: Callable[[str], str], place: str
) -> None:
    names = ("third", "acme") if place == "last" else ("acme", "third")
    before = TENANTS
    for name in names:
        before = with_tenant(before, {**ACME, "slug": name})
    change = updated(home, before)
    home.settings.tenants.write_text(edit(text_of(home)), encoding="utf-8")
    assert undo_change(change, "acme", is_new=False)
    lines, expected = text_of(home).splitlines(), edit(before).splitlines()
    assert sorted(lines) == sorted(expected)  # a comment behind the list may stand before a tenant that came since
    assert [line for line in lines if "slug" in line] == [line for line in expected if "slug" in line]


def test_a_failed_update_is_undone_though_another_job_was_accepted_and_undone_meanwhile(home: PublishedHome) -> None:
    acme = with_tenant(TENANTS, ACME)
    home.settings.tenants.write_text(acme, encoding="utf-8")
    onboarding = plan_change(home.settings.tenants, lambda text: with_tenant(text, OTHER))
    apply_change(onboarding)
    update = updated(home, onboarding.after)
    assert undo_change(onboarding, "fourth", is_new=True)
    assert undo_change(update, "acme", is_new=False)
    assert text_of(home) == acme


def test_undoing_an_update_leaves_an_entry_that_somebody_has_edited_since(home: PublishedHome) -> None:
    change = updated(home, with_tenant(TENANTS, ACME))
    edited = text_of(home).replace("hidden: true", "hidden: false")
    home.settings.tenants.write_text(edited, encoding="utf-8")
    assert not undo_change(change, "acme", is_new=False)
    assert text_of(home) == edited


def test_undoing_an_update_in_a_list_of_one_line_restores_the_entry(home: PublishedHome) -> None:
    before = "tenants: [{slug: acme, status: pending, semantic: {expose: [customer_email]}}]\n"
    change = updated(home, before)
    home.settings.tenants.write_text(f"{text_of(home)}# by hand\n", encoding="utf-8")
    assert undo_change(change, "acme", is_new=False)
    assert "hidden" not in text_of(home)
    assert text_of(home).endswith("# by hand\n")


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        ('{"version": 2, "steps": []}', "is of format 2; this release reads up to 1. Upgrade gata to the release"),
        ("{}", "cannot be read. Undo its change in tenants.yaml by hand."),
        ("no json", "cannot be read. Undo its change in tenants.yaml by hand."),
    ],
)
def test_an_undo_record_of_another_release_leaves_the_file_and_says_what_remains(
    home: PublishedHome, record: str, sentence: str
) -> None:
    with Ops(home.settings.ops) as ops:
        service = JobService(home.settings, ops)
        service.jobs.make("job_2", kind="update", tenant="acme", content="c", asked_by="t", key=None, undo=record)
        job = service.jobs.find("job_2")
        assert job is not None
        ended = service.reap(job)
    assert ended.state == "failed"
    assert sentence in str(ended.fix)
    assert text_of(home) == TENANTS


def test_an_undo_record_without_a_format_is_of_the_first_one(home: PublishedHome) -> None:
    change = TenantsFileChange(home.settings.tenants, "a", "b")
    record = {"file": str(change.file), "before": "a", "after": "b", "leftovers": "yes"}
    assert (read_undo_record(json.dumps(record)).change, read_undo_record(json.dumps(record)).leftovers) == (
        change,
        "yes",
    )


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


def test_a_job_has_exactly_the_settings_of_its_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATA_TENANT", "alpha")  # a layer above has unset it
    settings = Settings(tenant=None, threads=7, env="dev", retries=0, rollups=False)
    variables = settings_environment(settings)
    for name in [name for name in os.environ if name.startswith("GATA_")]:
        monkeypatch.delenv(name)
    for name in [name for name in variables if name.startswith("GATA_")]:
        monkeypatch.setenv(name, variables[name])
    absolute = {"home": settings.home.absolute(), "tenants": settings.tenants.absolute()}
    assert Settings() == settings.model_copy(update=absolute)
