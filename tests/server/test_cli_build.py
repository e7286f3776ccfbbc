"""The verbs around a build, where no build is needed; the end-to-end test runs the rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.storage.build_lock import build_lock
from server.cli.build import lock_text
from tests.server.cli_run import Terminal

if TYPE_CHECKING:
    from tests.server.published_fixture import PublishedHome


TENANTS = """
tenants:
  - slug: whole
    business_name: Whole
    sources: {facebook_ads: {enabled: true}, shopify: {enabled: true}, google_analytics: {enabled: true}}
  - {slug: waiting, business_name: Waiting, status: pending, sources: {shopify: {enabled: true}}}
"""


@pytest.fixture
def gata(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Terminal]:
    """Over one tenant that can be built, one that waits, and an empty state folder."""
    (tmp_path / "tenants.yaml").write_text(TENANTS, encoding="utf-8")
    with Terminal(monkeypatch, capsys) as terminal:
        yield terminal.set(GATA_HOME=str(tmp_path / "state"), GATA_TENANTS=str(tmp_path / "tenants.yaml"))


def test_onboarding_writes_the_projects_once(gata: Terminal, tmp_path: Path) -> None:
    planned = json.loads(gata("onboard", "whole", "--dry-run", "--json").out)
    assert planned["changed"] == planned["files"] != []
    assert not (tmp_path / "state").exists()
    first = gata("onboard", "whole")
    assert (first.code, first.out.splitlines()[:-1]) == (0, planned["files"])
    again = json.loads(gata("onboard", "whole", "--json").out)
    assert (again["files"], again["changed"]) == (planned["files"], [])


def test_onboarding_a_tenant_that_lacks_a_domain_names_it(gata: Terminal) -> None:
    done = gata("onboard", "waiting")
    assert (done.code, done.out) == (2, "")
    assert "no enabled ads source" in done.err


@pytest.mark.parametrize("verb", ["build", "land", "transform", "validate", "publish"])
def test_a_misspelt_tenant_ends_every_step_before_it_begins(gata: Terminal, verb: str, tmp_path: Path) -> None:
    done = gata(verb, "--tenant", "whloe")
    assert (done.code, done.out) == (2, "")
    assert "Did you mean whole?" in done.err
    assert not (tmp_path / "state" / "hub.duckdb").exists()


def test_a_pending_tenant_is_not_built(gata: Terminal) -> None:
    done = gata("build", "--tenant", "waiting", "--json")
    assert (done.code, done.out) == (2, "")
    assert "waiting is pending" in done.err


def test_a_second_build_names_the_first_and_how_to_wait(gata: Terminal, tmp_path: Path) -> None:
    with build_lock(tmp_path / "state", wait_seconds=0):
        done = gata("build", "--wait", "0.2")
    assert (done.code, done.out) == (2, "")
    assert "Another build holds" in done.err
    assert "--wait SECONDS" in done.err


def test_the_plan_of_an_empty_folder_is_to_build_what_is_active(gata: Terminal) -> None:
    plans = {line["tenant"]: line for line in json.loads(gata("plan", "--json").out)["tenants"]}
    assert plans["whole"]["action"] == "build"
    assert plans["waiting"]["action"] == "pending"
    shown = gata("plan").out
    assert all(reason in shown for line in plans.values() for reason in line["reasons"])


def test_status_says_what_readers_see(gata: Terminal, fresh_home: PublishedHome) -> None:
    gata.use(fresh_home.settings)
    lines = {line["tenant"]: line for line in json.loads(gata("status", "--json").out)["tenants"]}
    assert lines["gamma"]["run_id"] is None
    assert lines["alpha"]["run_id"] in gata("status").out


def test_a_rollback_gives_the_old_answers_back(gata: Terminal, fresh_home: PublishedHome) -> None:
    gata.use(fresh_home.settings)

    def asked() -> tuple[str, Decimal]:
        answer = json.loads(gata("ask", "--tenant", "alpha", "--metrics", "spend", "--json").out, parse_float=Decimal)
        return answer["run_id"], answer["rows"][0][0]

    first = asked()
    fresh_home.publish("alpha", spend=20)
    second = asked()
    assert second[1] > first[1]
    done = gata("rollback", "--tenant", "alpha")
    assert (done.code, done.out, done.err) == (0, f"{first[0]}\n", "")
    assert asked() == first
    assert gata("rollback", "--tenant", "alpha", "--to", second[0]).out == f"{second[0]}\n"
    assert asked() == second


def test_a_rollback_to_nowhere_lists_the_runs_there_are(gata: Terminal, fresh_home: PublishedHome) -> None:
    gata.use(fresh_home.settings)
    done = gata("rollback", "--tenant", "alpha", "--to", "yesterday")
    assert (done.code, done.out) == (2, "")
    assert "gata rollback --tenant alpha --to" in done.err


def test_a_report_for_people_has_every_tenant_table_and_finding(golden: Callable[[str, str], None]) -> None:
    from server.cli.build import report_text
    from server.orchestration.build_report import BuildReport, TenantReport

    done = TenantReport("alpha", "published", "20260301T000000000000Z_0a1b2c", {"fct_alpha__orders": 12345}, 3)
    failed = TenantReport("beta", "failed", findings=["12 rows of shopify orders are late."])
    golden("cli_build.txt", report_text(BuildReport("20260301T000000000000Z_ffffff", (done, failed)).to_dict()) + "\n")


def test_the_library_says_which_contracts_the_lock_gained_or_why_it_could_not() -> None:
    gained = {"file": "contracts.lock.yaml", "new": ["shop_api_v1 v2"], "is_written": True}
    assert lock_text(gained) == "contracts.lock.yaml holds now: shop_api_v1 v2. Commit it."
    bundled = {"file": "/site/contracts.lock.yaml", "new": ["shop_api_v1 v2"], "is_written": False}
    assert "Copy it here (`cp /site/contracts.lock.yaml .`) and run `gata library` again" in lock_text(bundled)
    assert lock_text({**gained, "new": [], "is_written": False}) == ""
