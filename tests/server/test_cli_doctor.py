"""`gata doctor`: what is missing is named, with the step that works."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.storage.build_lock import build_lock
from server.cli.doctor.access_checks import check_clock
from tests.server.cli_run import ROOT, Terminal

if TYPE_CHECKING:
    from tests.server.published_fixture import PublishedHome


@pytest.fixture
def gata(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fresh_home: PublishedHome
) -> Iterator[Terminal]:
    with Terminal(monkeypatch, capsys) as terminal:
        yield terminal.use(fresh_home.settings)


def checks(gata: Terminal, *, code: int = 0) -> dict[str, dict[str, Any]]:
    done = gata("doctor", "--json")
    assert done.code == code, done.out
    found = json.loads(done.out)
    assert found["ok"] == (code == 0)
    return {line["check"]: line for line in found["checks"]}


def test_a_whole_installation_has_nothing_to_mend(gata: Terminal) -> None:
    found = checks(gata)
    needed = ("python", "duckdb", "dbt-core", "dbt-duckdb", "dlt", "state folder", "build lock", "ledger", "tenants")
    needed += ("clock", "tokens", "audit")
    assert {name: found[name]["state"] for name in needed} == dict.fromkeys(needed, "ok")
    assert found["run of alpha"]["state"] == "ok"


def test_people_see_one_line_per_check(gata: Terminal) -> None:
    done = gata("doctor")
    assert (done.code, done.err) == (0, "")
    assert len(done.out.splitlines()) == 2 + len(checks(gata))


def test_a_damaged_run_fails_and_names_the_way_back(gata: Terminal, fresh_home: PublishedHome) -> None:
    run_id = fresh_home.publish("alpha", spend=20)
    stars = fresh_home.settings.published("alpha") / run_id / "stars.duckdb"
    stars.chmod(0o644)
    stars.write_bytes(stars.read_bytes()[:-1] + b"x")
    line = checks(gata, code=2)["run of alpha"]
    assert line["state"] == "fail"
    assert run_id in line["what"]
    assert "gata rollback --tenant alpha" in line["fix"]


def test_a_tenant_that_is_built_and_has_no_run_names_the_build(gata: Terminal, fresh_home: PublishedHome) -> None:
    tenants = Path(__file__).resolve().parents[2] / "tenants.yaml"
    gata.set(GATA_TENANTS=str(tenants))
    line = checks(gata)["run of tyrell_corp"]
    assert (line["state"], line["fix"]) == ("warn", "Run `gata build --tenant tyrell_corp`.")


def test_a_wrong_tenants_file_fails_with_its_line(gata: Terminal, fresh_home: PublishedHome) -> None:
    fresh_home.settings.tenants.write_text("tenants:\n  - {slug: alpha}\n", encoding="utf-8")
    line = checks(gata, code=2)["tenants"]
    assert line["state"] == "fail"
    assert "tenants.yaml:2" in line["what"]


@pytest.mark.parametrize("name", ["supported_connectors.yaml", "contracts.lock.yaml"])
def test_a_file_that_is_used_in_place_of_a_bundled_one_is_noticed(
    gata: Terminal, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert checks(gata)[name]["state"] == "ok"
    shutil.copy(ROOT / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    line = checks(gata)[name]
    assert (line["state"], str(tmp_path / name) in line["what"]) == ("warn", True)
    shown = {file["name"]: file for file in json.loads(gata("config", "show", "--json").out)["files"]}
    assert (shown[name]["source"], shown[name]["path"]) == ("working directory", str(tmp_path / name))
    (event,) = map(json.loads, gata("status").err.splitlines())
    assert (event["event"], event["what"]) == ("bundled_file_shadowed", line["what"])


def test_a_misspelt_variable_is_noticed(gata: Terminal) -> None:
    line = checks(gata.set(GATA_HOEM="elsewhere"))["environment"]
    assert line["state"] == "warn"
    assert "GATA_HOME" in line["fix"]


def test_a_tenant_in_the_environment_that_does_not_exist_fails(gata: Terminal) -> None:
    assert checks(gata.set(GATA_TENANT="alpah"), code=2)["tenants"]["fix"] == "Did you mean alpha?"


def test_a_running_build_is_named(gata: Terminal, fresh_home: PublishedHome) -> None:
    with build_lock(fresh_home.settings.home, wait_seconds=0):
        line = checks(gata)["build lock"]
    assert line["state"] == "warn"
    assert "process" in line["what"]


def test_programs_for_mcp_dev_are_missed_with_the_way_to_get_them(gata: Terminal, tmp_path: Path) -> None:
    line = checks(gata.set(PATH=str(tmp_path)))["npx"]
    assert (line["state"], line["fix"]) == ("warn", "Install Node.js 20 or newer.")


def test_a_state_folder_that_is_not_there_yet_is_no_trouble_and_is_not_made(gata: Terminal, tmp_path: Path) -> None:
    home = tmp_path / "not" / "yet"
    assert checks(gata.set(GATA_HOME=str(home)))["state folder"]["state"] == "ok"
    assert not home.exists()


def test_a_token_that_ends_soon_is_named_with_the_way_to_another(gata: Terminal, fresh_home: PublishedHome) -> None:
    gata("token", "create", "--tenant", "alpha", "--name", "agent", "--expires", "3d")
    gata("token", "create", "--tenant", "alpha", "--name", "later", "--expires", "30d")
    line = checks(gata)["tokens"]
    assert line["state"] == "warn"
    assert "agent" in line["what"]
    assert "gata token create --tenant alpha" in line["fix"]


def test_a_clock_before_the_newest_run_fails(fresh_home: PublishedHome) -> None:
    line = check_clock(fresh_home.settings, datetime.now(UTC) - timedelta(days=1))
    assert (line.state, "alpha was published" in line.what) == ("fail", True)


def test_a_still_clock_in_prod_is_noticed(gata: Terminal) -> None:
    assert checks(gata.set(GATA_ENV="prod"))["clock"]["fix"] == "Unset GATA_TODAY in prod."


def test_a_provider_that_cannot_be_reached_fails(gata: Terminal) -> None:
    nobody = "http://127.0.0.1:9"  # the port that discards: nobody listens
    gata.set(GATA_OAUTH_ISSUER=nobody, GATA_OAUTH_AUDIENCE="gata", GATA_OAUTH_JWKS_URL=f"{nobody}/keys")
    line = checks(gata, code=2)["oauth"]
    assert nobody in line["what"]
    assert "GATA_OAUTH_JWKS_URL" in line["fix"]


def test_a_file_of_settings_that_no_environment_has_fails_and_that_of_another_one_is_fine(
    gata: Terminal, fresh_home: PublishedHome
) -> None:
    folder = fresh_home.settings.tenants.parent
    (folder / "gata.prod.yaml").write_text("threads: 4\n", encoding="utf-8")
    assert checks(gata)["configuration"]["state"] == "ok"
    (folder / "gata.production.yaml").write_text("threads: 4\n", encoding="utf-8")
    done = gata("doctor", "--json")
    lines = [line for line in json.loads(done.out)["checks"] if line["check"] == "configuration"]
    assert (done.code, [line["state"] for line in lines]) == (2, ["fail", "ok"])
    assert "gata.production.yaml is there, and nothing reads it." in lines[0]["what"]
    assert "gata.prod.yaml" in lines[0]["fix"]
