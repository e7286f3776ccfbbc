"""The places of the state folder: every file is of one, and what is forgotten is in none of them."""

from __future__ import annotations

import json
import shlex
import stat
import subprocess
from pathlib import Path

import pytest

from pipeline.privacy.disk_usage import disk_usage
from pipeline.privacy.forget_audit import blank_audit, names_tenant
from pipeline.privacy.holdings import (
    ERASURES,
    PLACES,
    REPLACED_HUB,
    held_files,
    open_to_others,
    place_of,
    tenant_paths,
    writable_files,
)
from server.cli.doctor.place_checks import check_places
from server.orchestration.forgetting import erase_with_record
from tests.end_to_end.project_fixture import Project, copy_project
from tests.end_to_end.whole_homes import ask_over_http, files_with

SHOP = "small_shop"
CANARY = "Umbrella"


@pytest.fixture(scope="module")
def used(small: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A shop whose one product is the canary; built, asked over HTTP, with leftovers of kills."""
    home = copy_project(small, tmp_path_factory.mktemp("places"))
    is_named = [{"name": "product_name", "op": "=", "value": CANARY}]
    ask_over_http(home, SHOP, metrics=["units_sold"], filters=is_named)
    for leftover in (REPLACED_HUB, ".hub.duckdb.fresh", f"landing/{SHOP}/part", f"dlt/land_{SHOP}/x"):
        path = home.settings.home / leftover
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(CANARY, encoding="utf-8")
    return home


def test_every_file_after_a_build_and_a_server_is_of_a_place(used: Project) -> None:
    files = list(held_files(used.settings.home))
    assert [file.relative for file in files if file.place is None] == []
    assert {file.tenant for file in files} == {SHOP, None}
    assert {"hub", "operations", "bronze", "published runs", "stars", "audit"} <= {
        file.place.name for file in files if file.place
    }


def test_a_new_state_folder_is_closed_to_other_users(used: Project) -> None:
    assert open_to_others(used.settings.home) == ()


def test_what_is_not_written_again_may_not_be_written_and_doctor_says_where_it_may(
    used: Project, tmp_path: Path
) -> None:
    home = copy_project(used, tmp_path)
    modes = {
        file.place.file_mode for file in held_files(home.settings.home) if file.place and file.place.name == "bronze"
    }
    bronze = [file for file in held_files(home.settings.home) if file.place and file.place.name == "bronze"]
    assert len(bronze) >= 15  # five objects, each with its file, its manifest and its mark
    assert {stat.S_IMODE(file.status.st_mode) for file in bronze} == modes == {0o400}
    assert {line.check: line.state for line in check_places(home.settings)}["bronze"] == "ok"
    bronze[0].path.chmod(0o600)
    line = next(line for line in check_places(home.settings) if line.check == "bronze")
    assert (line.state, bronze[0].relative in line.what) == ("warn", True)
    subprocess.run(shlex.split(line.fix.partition("`")[2].partition("`")[0]), check=True)  # the step works
    assert writable_files(home.settings.home) == ()


def test_du_counts_each_byte_once_and_doctor_names_what_is_not_ours(used: Project, tmp_path: Path) -> None:
    home = copy_project(used, tmp_path)
    (home.settings.home / "notes.txt").write_text("mine", encoding="utf-8")
    (home.settings.home / "bronze").rename(tmp_path / "bronze")
    (home.settings.home / "bronze").symlink_to(tmp_path / "bronze")
    home.settings.home.chmod(0o755)
    usage = disk_usage(home.settings.home)
    unknown = [file.relative for file in usage.unknown]
    inodes = {(file.status.st_ino): file.status.st_size for file in held_files(home.settings.home)}
    assert (unknown, usage.bytes) == (["bronze", "notes.txt"], sum(inodes.values()))
    assert sum(one.bytes for one in usage.places if one.tenant == SHOP) > 0
    lines = {line.check: line for line in check_places(home.settings)}
    assert "notes.txt" in lines["places"].what
    assert lines["permissions"].state == "warn"
    assert f"chmod -R go= {home.settings.home}" in lines["permissions"].fix


def test_the_canary_of_a_forgotten_tenant_is_in_no_file_any_more(used: Project, tmp_path: Path) -> None:
    home = copy_project(used, tmp_path)
    before = files_with(home.settings.home, CANARY)
    places = {place.name for name in before if (place := place_of(name)[0])}
    assert {"hub", "bronze", "stars", "published runs", "audit", "replaced hub", "landing parts"} <= places
    path = home.settings.tenants
    path.write_text(path.read_text().replace("slug: small_shop", "slug: small_shop\n    status: offboarded"))
    done = erase_with_record(home.context, SHOP)
    assert done.erased["audit"] > 0
    assert files_with(home.settings.home, CANARY) == set()
    assert files_with(home.settings.home, SHOP) == {"ops.sqlite", ERASURES}  # the records that it happened
    assert tenant_paths(home.settings.home, done.tenant) == ()
    lines = [line for path in home.settings.audit_folder.iterdir() for line in path.read_text().splitlines()]
    assert [json.loads(line)["outcome"] for line in lines] == ["ok"]


def test_a_line_of_the_audit_is_blanked_where_it_is_and_others_stay(tmp_path: Path) -> None:
    lines = [
        json.dumps({"at": "1", "id": "a", "tenant": "acme", "tool": "query", "arguments": {"x": "é" * 9}}),
        json.dumps({"at": "2", "id": "b", "tenant": "globex", "tool": "query", "arguments": {"search": "acme"}}),
        json.dumps({"at": "3", "id": "c", "tenant": "globex", "tool": "GET /semantic-layer/acme/query"}),
        json.dumps({"at": "4", "id": "d", "tenant": "globex", "tool": "query", "arguments": {"search": "pacme"}}),
        '{"at": "5", "tenant": "acme", "argu',
    ]
    file = tmp_path / "2026-03-01_1.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8")
    size = file.stat().st_size
    assert blank_audit(tmp_path, names_tenant("acme")) == 4  # type: ignore[arg-type]  # a literal slug
    after = file.read_text(encoding="utf-8").split("\n")
    assert file.stat().st_size == size
    assert [json.loads(line) for line in after[:3]] == [
        {"at": "1", "id": "a", "tool": "query"},
        {"at": "2", "id": "b", "tool": "query"},
        {"at": "3", "id": "c"},
    ]
    assert after[3] == lines[3]
    assert after[4].strip() == ""


def test_the_first_place_that_fits_a_path_is_its_place() -> None:
    assert place_of("published/acme/.staging-x/stars.duckdb")[0].name == "staged runs"  # type: ignore[union-attr]
    assert place_of("published/acme/x/stars.duckdb")[1] == "acme"
    assert place_of("dbt/_library/models/a.sql") == (next(place for place in PLACES if place.pattern == "dbt/"), None)
    assert place_of("bronze/Not A Slug/x") == (None, None)
    assert place_of("hub.duckdb.bak") == (None, None)
