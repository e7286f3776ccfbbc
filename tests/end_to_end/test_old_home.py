"""A home of the oldest supported release (tests/fixtures/home_v1) works with today's code: nothing of it is lost."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.config.slug import slug_of
from pipeline.publish.pointer import latest_run_id
from pipeline.publish.run_store import verify
from pipeline.settings import Settings
from pipeline.storage.hub import read_hub
from pipeline.storage.ops import Ops
from pipeline.storage.ops_migrations import LATEST
from server.orchestration.jobs.job import Jobs
from server.orchestration.run_history.tenant_health import recorded_statuses
from server.orchestration.source_states import freshness_of, shapes_of
from server.serving.access import Access, Caller
from server.serving.result_handles import Handles
from tests.end_to_end.old_homes import SHOP, served_numbers, unpack_home
from tests.end_to_end.small_shop import write_shop
from tests.server.cli_run import Terminal, environment, start

GONE = slug_of("gone_shop")
TOKEN = "gata_0bc9fb6dff85_PCMUy19NS-h8ST9NiuFuI73GI_W4CebAWIjX1eBYqNs"
RUN = "20261121T225458406660Z_6afcf8"
MADE_AT = datetime(2026, 11, 29, 23, 0, tzinfo=UTC)


@pytest.fixture
def old(tmp_path: Path) -> Settings:
    """A copy of the home, unpacked, that no code of today has opened yet."""
    unpack_home("home_v1", tmp_path)
    return Settings(home=tmp_path / "state", tenants=tmp_path / "tenants.yaml")


@pytest.fixture
def gata(old: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Terminal]:
    with Terminal(monkeypatch, capsys) as terminal:
        yield terminal.use(old)


def version_of(settings: Settings) -> int:
    with closing(sqlite3.connect(settings.ops)) as ops:
        version: int = ops.execute("PRAGMA user_version").fetchone()[0]
    return version


def test_its_status_is_that_of_its_last_build(gata: Terminal, old: Settings) -> None:
    assert version_of(old) == 2
    done = gata("status", "--json")
    (tenant,) = json.loads(done.out)["tenants"]
    assert (done.code, tenant["run_id"], tenant["last_build"], tenant["quarantined"]) == (0, RUN, "done", 1)
    assert [phase["status"] for phase in tenant["onboarding"]] == ["done"] * 6
    assert version_of(old) == LATEST


def test_its_published_run_is_whole_and_answers(gata: Terminal, old: Settings) -> None:
    verify(old.published(SHOP) / RUN)
    done = gata("ask", "--tenant", SHOP, "--metrics", "orders,order_revenue,spend,roas", "--json")
    answer = json.loads(done.out, parse_float=str)
    assert (done.code, done.err, answer["run_id"]) == (0, "", RUN)
    assert [str(value) for value in answer["rows"][0][:3]] == ["3", "60.75", "18.25"]
    assert float(answer["rows"][0][3]) == pytest.approx(30.5 / 18.25)


def test_its_token_is_valid_and_can_be_revoked(gata: Terminal, old: Settings) -> None:
    with Ops(old.ops) as ops:
        assert Access(ops).verify(TOKEN) == Caller(SHOP, "read", "0bc9fb6dff85", SHOP)
    assert [token["id"] for token in json.loads(gata("token", "list", "--json").out)["tokens"]] == ["0bc9fb6dff85"]
    assert gata("token", "revoke", "0bc9fb6dff85").code == 0
    with Ops(old.ops) as ops:
        assert Access(ops).verify(TOKEN) is None


def test_everything_that_was_noted_is_still_there(old: Settings) -> None:
    with Ops(old.ops) as ops:
        (run,) = ops.runs()
        assert run["status"] == "done"
        assert [step["step"] for step in ops.steps(run["run_id"])] == [
            *("words", "onboard", "land", "push", "stars", "publish")
        ]
        assert [row["count"] for row in ops.quarantine(SHOP)] == [1]
        assert len(ops.artifacts(run["run_id"])) == 3
        job = Jobs(ops, old.home / "jobs").find("job_0123456789abcdef")
        assert job is not None
        assert (job.state, job.run_id) == ("ready", RUN)
        handle = Handles(ops, lambda: MADE_AT).find(SHOP, "ohuBQi4VpLgLVFkuDX7G0g")
        assert handle is not None
        assert handle.run_id == RUN
        assert len(freshness_of(SHOP, ops)) == len(shapes_of(SHOP, ops)) == 5
        assert recorded_statuses(ops, [GONE])[GONE].forgotten_at == "2026-11-29T22:56:48+00:00"


@pytest.mark.parametrize("command", [("status",), ("token", "list"), ("token", "create", "--tenant", SHOP)])
def test_a_home_of_a_later_release_is_refused_by_both_versions(
    gata: Terminal, old: Settings, command: tuple[str, ...]
) -> None:
    with closing(sqlite3.connect(old.ops)) as ops:
        ops.execute(f"PRAGMA user_version = {LATEST + 1}")
    done = gata(*command)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"{old.ops} has schema version {LATEST + 1}, made by a later release of gata; this one knows versions up to"
        f" {LATEST}. Upgrade gata to the release that made it, or set GATA_HOME to another folder.\n"
    )
    assert version_of(old) == LATEST + 1


@pytest.mark.long
def test_it_is_upgraded_under_a_running_server_which_answers_before_meanwhile_after_and_across_a_rollback(
    old: Settings,
) -> None:
    write_shop(old.tenants.parent)
    folder, seen = old.published(SHOP), set[str]()
    with served_numbers(old, TOKEN) as numbers:

        def ask() -> str:
            run_id, rows = numbers()
            assert rows == [[3, 60.75, 18.25]]
            seen.add(run_id)
            return run_id

        assert ask() == RUN
        with start("build", "--tenant", SHOP, env=environment(old)) as build:
            while build.poll() is None:
                ask()
            out, err = build.communicate()
        assert build.returncode == 0, out + err
        built = str(latest_run_id(folder))
        assert ask() == built != RUN
        assert seen == {RUN, built}
        with Ops(old.ops) as ops:
            assert "run_not_recorded" not in err
            assert len(ops.runs("*")) == 2
        for target in (RUN, built):  # back over the upgrade, and forward again
            back = start("rollback", "--tenant", SHOP, "--to", target, env=environment(old))
            assert back.communicate()[0] == f"{target}\n"
            assert ask() == target
    with read_hub(old) as hub:
        recorded = hub.execute("SELECT DISTINCT run_id FROM platform_ops__boring_semantic_layer").fetchall()
        assert {run for (run,) in recorded} == {RUN, built}
