"""What the ledger says about runs: `gata runs`, audit records as files, and how long they are kept."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.config.slug import slug_of
from pipeline.settings import Settings
from pipeline.storage.ops import Ops
from pipeline.storage.run_counts import StepCounts, TableCounts
from pipeline.storage.run_id import new_run_id
from server.orchestration.run_history.audit_files import write_audit_files
from server.orchestration.run_history.history_files import keep_history, prune_history
from server.orchestration.run_history.recorded_runs import list_runs
from server.orchestration.run_history.tenant_health import health_of, recorded_statuses
from tests.server.cli_run import Terminal

if TYPE_CHECKING:
    from tests.server.published_fixture import PublishedHome

ACME, GLOBEX = slug_of("acme"), slug_of("globex")
ORDERS = TableCounts("landing", "shopify__orders", "account=../x y/ingest_dt=2026-01-31", 10, 9, 1, bytes=2048)
PUSHED = TableCounts("sink", "platform_mm__orders", "ingest_dt=2026-01-31", 9, 6, lost_rows=3, loss="known already")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "state", tenants=tmp_path / "tenants.yaml")


@pytest.fixture
def run_ids(settings: Settings) -> list[str]:
    """Three runs: acme landed and pushed; acme failed; both tenants, of which one was skipped."""
    moments = iter(datetime(2026, 1, 31, tzinfo=UTC) + timedelta(seconds=second) for second in range(100))
    with Ops(settings.ops, now=lambda: next(moments)) as ops:
        first = ops.start_run("*")
        ops.step(first, ACME, step="land", status="done", counts=StepCounts(10, 9, 1, 2048), seconds=0.5)
        ops.add_audit_records(first, ACME, [ORDERS], 0.5)
        ops.step(first, ACME, step="push", status="done", counts=StepCounts(9, 6, 0), attempts=2, seconds=1.25)
        ops.add_audit_records(first, ACME, [PUSHED], 1.25)
        ops.finish_run(first, "done")
        second = ops.start_run("*")
        ops.step(second, ACME, step="land", status="failed", detail="The hub is open elsewhere.", seconds=0.1)
        ops.finish_run(second, "failed")
        third = ops.start_run("*")
        ops.step(third, ACME, step="land", status="done", counts=StepCounts(0, 0, 0), seconds=0.1)
        ops.step(third, GLOBEX, step="stars", status="skipped", seconds=0.0, detail="Its inputs are unchanged.")
        ops.finish_run(third, "done")
    return [first, second, third]


@pytest.fixture
def gata(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], settings: Settings) -> Iterator[Terminal]:
    with Terminal(monkeypatch, capsys) as terminal:
        yield terminal.use(settings)


def test_runs_are_listed_newest_first_with_rows_and_who_failed(gata: Terminal, run_ids: list[str]) -> None:
    listed = json.loads(gata("runs", "--json").out)["runs"]
    assert [run["run_id"] for run in listed] == run_ids[::-1]
    assert [(run["tenants"], run["steps"], run["failed"]) for run in listed] == [
        (2, 2, []),
        (1, 1, ["acme"]),
        (1, 2, []),
    ]
    assert (listed[2]["rows_in"], listed[2]["quarantined"], listed[2]["seconds"]) == (10, 1, 1.75)
    shown = gata("runs").out
    assert all(run_id in shown for run_id in run_ids)


def test_runs_of_a_tenant_are_those_that_did_something_for_it(gata: Terminal, run_ids: list[str]) -> None:
    listed = json.loads(gata("runs", "--tenant", "globex", "--json").out)["runs"]
    assert [(run["run_id"], run["steps"]) for run in listed] == [(run_ids[2], 1)]
    newest = json.loads(gata("runs", "--tenant", "acme", "--limit", "2", "--json").out)["runs"]
    assert [run["run_id"] for run in newest] == run_ids[:0:-1]
    assert json.loads(gata("runs", "--tenant", "initech", "--json").out) == {"runs": []}
    assert "No run is recorded" in gata("runs", "--tenant", "initech").out


def test_a_run_is_shown_with_its_steps_and_what_came_through_each_table(gata: Terminal, run_ids: list[str]) -> None:
    run = json.loads(gata("runs", run_ids[0], "--json").out)
    assert [(step["step"], step["attempts"], step["rows_in"], step["rows_out"]) for step in run["steps"]] == [
        ("land", 1, 10, 9),
        ("push", 2, 9, 6),
    ]
    assert [record["table_name"] for record in run["audit"]] == ["shopify__orders", "platform_mm__orders"]
    shown = gata("runs", run_ids[0]).out
    assert "2,048" in shown
    assert "known already" in shown
    assert "Its inputs are unchanged." in gata("runs", run_ids[2]).out
    assert json.loads(gata("runs", run_ids[2], "--tenant", "globex", "--json").out)["steps"][0]["status"] == "skipped"


def test_a_run_that_is_not_recorded_is_refused_with_those_that_are(gata: Terminal, run_ids: list[str]) -> None:
    done = gata("runs", "20200101T000000000000Z_0a1b2c")
    assert (done.code, done.out) == (2, "")
    assert run_ids[2] in done.err


def test_audit_records_are_files_whose_every_field_is_that_of_the_ledger(
    settings: Settings, run_ids: list[str]
) -> None:
    with Ops(settings.ops) as ops:
        files = write_audit_files(settings, ops, run_ids[0], [ACME, GLOBEX])
        recorded = ops.audit_records(run_ids[0])
    assert [file.parent for file in files] == [settings.home / "runs" / run_ids[0] / "acme" / "audit"] * 2
    assert [json.loads(file.read_text()) | {"audit_id": n} for n, file in enumerate(files, 1)] == recorded
    wanted = ("run_id", "table_name", "partition_value", "input_rows", "output_rows", "quarantine_rows")
    assert recorded[0].keys() >= {*wanted, "quality_checks_passed", "execution_time_seconds", "timestamp"}


def test_files_of_runs_go_after_their_days_but_the_newest_ten_stay(settings: Settings) -> None:
    now = datetime.now(UTC)
    old = [new_run_id(now - timedelta(days=200 - n)) for n in range(12)]
    kept = [new_run_id(now - timedelta(days=n)) for n in (89, 3)]
    for run_id in (*old, *kept):
        settings.run_folder(run_id, ACME).mkdir(parents=True)
    with Ops(settings.ops) as ops:
        for run_id in (*old, *kept):
            ops.connection.execute("insert into runs values (?, '*', 'done', null, '', '')", (run_id,))
            ops.add_audit_records(run_id, ACME, [PUSHED], 0.5)
        assert prune_history(settings, ops) == tuple(old[:4])
        assert [len(ops.audit_records(run_id)) for run_id in (*old, *kept)] == [0] * 4 + [1] * 10
        assert len(ops.runs(limit=99)) == 14
    assert sorted(folder.name for folder in (settings.home / "runs").iterdir()) == [*old[4:], *kept]


def test_a_disk_that_refuses_the_files_of_a_run_fails_nothing(
    settings: Settings, run_ids: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (settings.home / "runs").write_text("a file where the folder belongs")
    with Ops(settings.ops) as ops:
        keep_history(settings, ops, run_ids[0], [ACME])
    assert "run_files_not_written" in "".join(capsys.readouterr())


OUTPUTS: dict[str, object] = {
    "run_id": "r",
    "published_at": "2026-01-31T00:00:00+00:00",
    "findings": [],
    "notes": [],
    "details": [],
    "sources": [
        {"source": "shopify", "delivered_on": "2026-01-20", "ended": None, "due": "2026-01-23"},
        {"source": "stripe", "delivered_on": "2026-01-20", "ended": "2026-01-22", "due": "2026-01-23"},
        {"source": "facebook_ads", "delivered_on": "2026-01-30", "ended": None, "due": "2026-02-02"},
    ],
}


def test_a_status_says_who_failed_is_held_or_stale_and_since_when(settings: Settings, run_ids: list[str]) -> None:
    with Ops(settings.ops) as ops:
        known = recorded_statuses(ops, [ACME, GLOBEX])
        assert (known[ACME].failed, known[GLOBEX].steps[0]["status"]) == ([], "skipped")
        for hour, failure in ((1, "LandError"), (2, "GateFailed")):
            ops.connection.execute(
                "insert into steps (run_id, tenant, step, status, detail, failure, at) values (?, ?, ?, ?, ?, ?, ?)",
                (f"2027_{hour}", ACME, "land", "failed", f"Why {hour}.", failure, f"2027-01-01T0{hour}:00:00Z"),
            )
        known = recorded_statuses(ops, [ACME, GLOBEX])
    status = health_of(ACME, "active", OUTPUTS, known[ACME], date(2026, 1, 31))
    assert [(each["kind"], each["since"], each["cause"]) for each in status["attention"]] == [
        ("held", "2027-01-01T01:00:00Z", "land"),
        ("stale", "2026-01-23", "shopify"),
    ]
    assert (status["last_build"], status["findings"]) == ("failed", ["Why 2."])
    assert health_of(GLOBEX, "active", OUTPUTS, known[GLOBEX], date(2026, 1, 23))["attention"] == []
    gone = health_of(ACME, "offboarded", OUTPUTS, known[ACME], date(2026, 1, 31))
    assert (gone["run_id"], gone["attention"]) == (None, [])


def test_a_status_from_snapshots_is_that_of_the_files_whatever_changes(
    gata: Terminal, fresh_home: PublishedHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    gata.use(fresh_home.settings)

    def both() -> list[dict[str, object]]:
        known = json.loads(gata("status", "--json").out)["tenants"]
        with Ops(fresh_home.settings.ops) as ops, ops.transaction() as database:
            database.execute("delete from snapshots")
        assert known == json.loads(gata("status", "--json").out)["tenants"]
        return [{name: tenant[name] for name in ("tenant", "run_id", "findings")} for tenant in known]

    first = both()
    with monkeypatch.context() as patched:
        patched.setattr("server.orchestration.overview.read_outputs", None)  # no file is read again
        assert [tenant["run_id"] for tenant in json.loads(gata("status", "--json").out)["tenants"]] == [
            tenant["run_id"] for tenant in first
        ]
    fresh_home.publish("alpha", spend=20)
    second = both()
    assert [old["run_id"] == new["run_id"] for old, new in zip(first, second, strict=True)] == [False, True, True]
    run = fresh_home.settings.published(slug_of("alpha")) / str(second[0]["run_id"])
    (run / "semantic.yml").write_text("damaged")
    third = both()
    assert third[0]["run_id"] == first[0]["run_id"]
    assert both() == third
    tenants = fresh_home.settings.tenants
    tenants.write_text(tenants.read_text() + "  - {slug: delta, business_name: Delta, status: pending}\n")
    assert [tenant["tenant"] for tenant in both()] == ["alpha", "beta", "delta", "gamma"]
    other = tenants.with_name("other.yaml")
    other.write_text("tenants:\n  - {slug: beta, business_name: Beta, status: pending}\n")
    gata.set(GATA_TENANTS=str(other))
    assert [tenant["tenant"] for tenant in json.loads(gata("status", "--json").out)["tenants"]] == ["beta"]


def test_a_copy_of_a_home_looks_at_its_own_files(gata: Terminal, fresh_home: PublishedHome, tmp_path: Path) -> None:
    gata.use(fresh_home.settings)
    first = json.loads(gata("status", "--json").out)
    copy = tmp_path / "copy"
    shutil.copytree(fresh_home.settings.home, copy)
    shutil.rmtree(copy / "published" / "alpha")
    gata.set(GATA_HOME=str(copy))
    assert json.loads(gata("status", "--json").out)["tenants"][0]["run_id"] is None
    gata.use(fresh_home.settings)
    assert json.loads(gata("status", "--json").out) == first


def test_a_status_of_many_tenants_shows_those_that_need_somebody_and_says_how_many_there_are(
    gata: Terminal, settings: Settings, run_ids: list[str]
) -> None:
    entries = [f"  - {{slug: tenant_{n}, business_name: T, status: pending}}\n" for n in range(60)]
    settings.tenants.write_text("tenants:\n" + "".join(entries))
    with Ops(settings.ops) as ops:
        ops.step(run_ids[2], "tenant_59", step="land", status="failed", detail="It broke.", failure="LandError")
    lines = gata("status").out.splitlines()
    assert lines[2].split()[:2] == ["tenant_59", "pending"]
    assert lines[-1] == "50 of 60 tenants, of which 1 need attention: --all shows each."
    assert len(gata("status", "--all").out.splitlines()) == len(lines) + 9


def test_a_status_and_a_list_of_runs_look_steps_up_and_read_no_others(settings: Settings, run_ids: list[str]) -> None:
    with Ops(settings.ops) as ops:
        seen: list[str] = []
        ops.connection.set_trace_callback(seen.append)
        recorded_statuses(ops, [ACME])
        list_runs(ops, "acme", 5)
        list_runs(ops, None, 5)
        ops.connection.set_trace_callback(None)
        asked = [sql for sql in seen if "steps" in sql]
        plans = [row["detail"] for sql in asked for row in ops.connection.execute(f"explain query plan {sql}")]
    assert len(asked) >= 3
    assert any("steps_of_tenant" in plan for plan in plans)
    assert [plan for plan in plans if plan.startswith("SCAN steps")] == []
