"""Onboarding in six phases: each with a record, and after a failure the next attempt goes on from there."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.errors import BuildError, ConfigError
from pipeline.settings import Settings
from pipeline.storage.ops import Ops
from server.orchestration.build_context import BuildContext, open_build_context
from server.orchestration.onboarding import PHASES
from server.orchestration.run_history.tenant_health import onboarded_tenants
from server.orchestration.verbs import library, onboard_tenant
from tests.library import with_library
from tests.server.cli_run import Terminal, environment
from warehouse.build.build_paths import projects_folder
from warehouse.build.manual.shared_macros import write_shared_macros
from warehouse.projects.profiles import SHARED

TENANTS = """
tenants:
  - slug: whole
    business_name: Whole
    timezone: UTC
    sources: {facebook_ads: {enabled: true}, shopify: {enabled: true}, google_analytics: {enabled: true}}
  - {slug: waiting, business_name: Waiting, status: pending, sources: {shopify: {enabled: true}}}
"""


@dataclass(frozen=True)
class Place:
    """A state folder whose hub is ready, and its tenants.yaml."""

    settings: Settings

    @property
    def context(self) -> BuildContext:
        return open_build_context(self.settings)

    def records(self, slug: str = "whole") -> list[dict[str, Any]]:
        with Ops(self.settings.ops) as ops:
            return ops.onboarding(slug)

    def statuses(self, slug: str = "whole") -> dict[str, str]:
        return {row["name"]: row["status"] for row in self.records(slug)}


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("ready")
    with_library(Settings(home=home))
    return home


@pytest.fixture
def place(ready: Path, tmp_path: Path) -> Place:
    shutil.copytree(ready, tmp_path / "state")
    (tmp_path / "tenants.yaml").write_text(TENANTS, encoding="utf-8")
    return Place(Settings(home=tmp_path / "state", tenants=tmp_path / "tenants.yaml"))


def test_each_phase_leaves_a_record_of_its_start_end_and_result(place: Place) -> None:
    done = onboard_tenant(place.context, "whole")
    records = place.records()
    assert [(row["phase"], row["name"], row["status"]) for row in records] == [
        (number, name, "done") for number, name in enumerate(PHASES)
    ]
    times = [time for row in records for time in (row["started_at"], row["finished_at"])]
    assert times == sorted(times)
    assert done.changed == done.files
    assert all((projects_folder(place.settings, "whole") / path).is_file() for path in done.files)


def test_a_tenant_that_was_onboarded_has_all_that_dbt_will_read(place: Place) -> None:
    onboard_tenant(place.context, "whole")
    with duckdb.connect(str(place.settings.hub), read_only=True) as hub:
        landing = hub.execute("select table_name from duckdb_tables() where schema_name = 'landing_whole'").fetchall()
        configs = hub.execute(
            "select distinct tenant_slug from platform_sat__tenant_source_configs order by 1"
        ).fetchall()
    assert {("shopify__orders",), ("google_analytics__events",), ("facebook_ads__ads",), ("_dlt_loads",)} <= set(
        landing
    )
    assert configs == [("waiting",), ("whole",)]


def test_doing_it_again_writes_no_file(place: Place) -> None:
    first = onboard_tenant(place.context, "whole")
    again = onboard_tenant(place.context, "whole")
    assert (again.files, again.changed) == (first.files, ())


def test_files_that_a_disk_damaged_are_written_again(place: Place) -> None:
    first = onboard_tenant(place.context, "whole")
    write_shared_macros(place.settings)
    generated = [projects_folder(place.settings, "whole") / path for path in first.files]
    files = [*generated, *(place.settings.home / "dbt" / SHARED["GATA_MACROS"]).rglob("*.sql")]
    sound = [file.read_bytes() for file in files]
    for file in files:
        file.write_bytes(b"\x9a" + file.read_bytes()[1:])
    assert set(onboard_tenant(place.context, "whole").changed) == set(first.files)
    write_shared_macros(place.settings)
    assert [file.read_bytes() for file in files] == sound


@pytest.mark.parametrize(
    ("spoilt", "phase"),
    [("stars", "scaffolding"), ("push/properties/build", "sources"), ("push/models/staging", "staging")],
)
def test_after_a_failure_the_next_attempt_goes_on_from_the_phase_that_failed(
    place: Place, spoilt: str, phase: str
) -> None:
    in_the_way = projects_folder(place.settings, "whole") / spoilt
    in_the_way.parent.mkdir(parents=True, exist_ok=True)
    in_the_way.write_text("a file where a folder should be", encoding="utf-8")
    with pytest.raises(BuildError, match="Mend that, then run `gata onboard whole` again"):
        onboard_tenant(place.context, "whole")
    failed = place.records()
    number = PHASES.index(phase)
    assert [row["status"] for row in failed] == ["done"] * number + ["failed"]
    assert str(in_the_way) in failed[-1]["detail"]
    assert onboarded_tenants(failed) == f"{number} {phase}: failed"

    in_the_way.unlink()
    done = onboard_tenant(place.context, "whole")
    assert place.records()[:number] == failed[:number]  # they were not taken again
    assert set(place.statuses().values()) == {"done"}
    assert all((projects_folder(place.settings, "whole") / path).is_file() for path in done.files)


def test_a_phase_whose_process_died_is_taken_again(place: Place) -> None:
    onboard_tenant(place.context, "whole")
    dies = (
        "import os, sys; from pathlib import Path; from pipeline.storage.ops import Ops\n"
        "with Ops(Path(sys.argv[1])).phase"
    )
    phase = f"('whole', 3, 'sources', {place.records()[0]['version']!r}): os._exit(9)"
    died = subprocess.run([sys.executable, "-c", dies + phase, str(place.settings.ops)], env=environment(), check=False)
    before = place.records()
    assert (died.returncode, place.statuses()["sources"]) == (9, "running")
    library(place.context)
    assert place.statuses() == dict.fromkeys(PHASES, "done") | {"sources": "interrupted"}
    onboard_tenant(place.context, "whole")
    assert set(place.statuses().values()) == {"done"}
    assert place.records()[:3] == before[:3]


def test_what_tenants_yaml_says_anew_is_onboarded_from_the_start(place: Place) -> None:
    onboard_tenant(place.context, "whole")
    before = place.records()
    place.settings.tenants.write_text(TENANTS.replace("UTC", "Europe/Berlin"), encoding="utf-8")
    changed = onboard_tenant(place.context, "whole").changed
    assert changed
    assert all("/models/" in path for path in changed)
    assert all(new["started_at"] > old["finished_at"] for new, old in zip(place.records(), before, strict=True))


def test_a_tenant_that_lacks_a_domain_fails_at_its_manifest_and_status_says_so(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Terminal(monkeypatch, capsys) as gata:
        gata.use(place.settings)
        assert gata("onboard", "waiting").code == 2
        assert gata("onboard", "whole").code == 0
        shown = gata("status").out
        listed = {line["tenant"]: line["onboarding"] for line in json.loads(gata("status", "--json").out)["tenants"]}
    assert place.statuses("waiting") == {"manifest": "failed"}
    assert "no enabled ads source" in listed["waiting"][0]["detail"]
    assert [record["phase"] for record in listed["whole"]] == [0, 1, 2, 3, 4, 5]
    assert "0 manifest: failed" in shown


def test_an_offboarded_tenant_is_not_brought_in_again_by_chance(place: Place) -> None:
    place.settings.tenants.write_text(
        TENANTS.replace("business_name: Whole", "business_name: W\n    status: offboarded")
    )
    for dry_run in (True, False):
        with pytest.raises(ConfigError, match=r"whole is offboarded\. Set its status to onboarding first"):
            onboard_tenant(place.context, "whole", dry_run=dry_run)
    assert place.records() == []
    assert not projects_folder(place.settings, "whole").exists()


def test_every_generated_file_belongs_to_one_phase_and_all_phases_have_files(place: Place) -> None:
    from server.orchestration.onboarding import _phase_of
    from warehouse.projects.tenant_files import onboard_files

    files = onboard_files(place.context.manifest.get("whole"), place.context.blueprints)
    phases: dict[str, Callable[[str], bool]] = {
        "scaffolding": lambda path: path.endswith(("dbt_project.yml", "profiles.yml")),
        "sources": lambda path: "sources" in path,
        "staging": lambda path: "/stg_" in path or "/int_" in path,
        "marts": lambda path: (
            "/fct_" in path or "/dim_" in path or "/macros/" in path or path.endswith((".yml", ".md"))
        ),
    }
    for path in files:
        assert phases[_phase_of(path)](path), path
    assert {_phase_of(path) for path in files} == set(phases)
