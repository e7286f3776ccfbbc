"""Backups: whole or not there, restored in one step, elsewhere, and never with whoever was forgotten since."""

from __future__ import annotations

import json
import resource
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.errors import Busy, RecoveryError
from pipeline.privacy.erasure_log import Erasure, add_erasures, new_erasure, read_erasures
from pipeline.privacy.holdings import ERASURES, held_files
from pipeline.storage.bronze.batches import FILE_MODE
from pipeline.storage.build_lock import build_lock
from pipeline.storage.ops import Ops
from server.orchestration.forgetting import erase_with_record
from server.orchestration.overview import plan_builds
from server.orchestration.recovery.backup import Backup, make_backup
from server.orchestration.recovery.backup_manifest import DRAFT, MANIFEST, verified, whole_backups
from server.orchestration.recovery.restore import restore
from server.serving.access import Access
from tests.end_to_end.project_fixture import Project, copy_project
from tests.end_to_end.small_shop import SMALL_TENANT, order, write_jsonl
from tests.end_to_end.whole_homes import files_with, sums
from tests.pipeline.test_publish import flip_a_byte
from tests.server.cli_run import Terminal

SHOP = "small_shop"
DAY = 7


@pytest.fixture
def home(small: Project, tmp_path: Path) -> Project:
    return copy_project(small, tmp_path / "project")


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Terminal]:
    with Terminal(monkeypatch, capsys) as terminal:
        yield terminal


def saved(home: Project, kept: Path, **options: int) -> Backup:
    return make_backup(home.settings, kept, keep=options.get("keep", DAY))


def elsewhere(home: Project, folder: Path) -> Project:
    """The project in another folder, with tenants.yaml and nothing else."""
    folder.mkdir(parents=True)
    shutil.copy(home.settings.tenants, folder)
    paths = {"home": folder / "other_state", "tenants": folder / home.settings.tenants.name}
    return Project(home.settings.model_copy(update=paths))


def test_a_backup_restored_elsewhere_without_home_and_exports_answers_and_builds_nothing_again(
    home: Project, kept: Path, tmp_path: Path
) -> None:
    before = sums(home, SHOP)
    with Ops(home.settings.ops) as ops:
        secret, _ = Access(ops).create(tenant=SHOP, name="kept")
    saved(home, kept)
    other = elsewhere(home, tmp_path / "elsewhere")
    shutil.rmtree(home.settings.tenants.parent)
    done = restore(kept, other.settings)
    assert (done.erasures, len(done.manifest.files) > 20) == (0, True)
    assert len(before) >= 30
    assert sums(other, SHOP) == before
    bronze = [file for file in held_files(other.settings.home) if file.place and file.place.name == "bronze"]
    assert {stat.S_IMODE(file.status.st_mode) for file in bronze} == {FILE_MODE}
    with Ops(other.settings.ops) as ops:
        caller = Access(ops).verify(secret)
    assert caller is not None
    assert caller.tenant == SHOP
    assert [plan["action"] for plan in plan_builds(other.context)] == ["unchanged"]
    assert not list(other.settings.home.parent.glob(".other_state*"))


@pytest.mark.long
def test_the_next_build_after_a_move_finds_nothing_to_do(home: Project, kept: Path, tmp_path: Path) -> None:
    before = sums(home, SHOP)
    saved(home, kept)
    other = elsewhere(home, tmp_path / "elsewhere")
    restore(kept, other.settings)
    assert [tenant.status for tenant in other.build().tenants] == ["unchanged"]
    shutil.copytree(home.settings.tenants.parent / "shop", other.settings.tenants.parent / "shop")
    assert [tenant.status for tenant in other.build().tenants] == ["unchanged"]
    assert sums(other, SHOP) == before


def test_a_second_backup_copies_only_what_changed_and_is_whole_without_the_first(home: Project, kept: Path) -> None:
    first = saved(home, kept)
    second = saved(home, kept)
    assert second.copied_bytes < first.copied_bytes / 20
    assert stat.S_IMODE(kept.stat().st_mode) == stat.S_IMODE(second.folder.stat().st_mode) == 0o700
    assert verified(first.folder) == verified(second.folder) == ()
    third = saved(home, kept, keep=1)
    assert set(third.removed) == {first.folder.name, second.folder.name}
    assert whole_backups(kept) == (third.folder,)
    assert verified(third.folder) == ()


def test_a_damaged_file_of_an_earlier_backup_is_not_linked_into_the_next(home: Project, kept: Path) -> None:
    first = saved(home, kept)
    flip_a_byte(first.folder / "files" / "hub.duckdb")
    second = saved(home, kept)
    assert verified(first.folder) == ("files/hub.duckdb has another SHA-256 than its manifest says",)
    assert verified(second.folder) == ()


@pytest.mark.parametrize("damage", ["flipped", "gone", "more", "manifest", "version"])
def test_a_damaged_backup_is_found_and_not_restored(home: Project, kept: Path, tmp_path: Path, damage: str) -> None:
    backup = saved(home, kept).folder
    file = backup / "files" / "ops.sqlite"
    manifest = backup / MANIFEST
    match damage:
        case "flipped":
            flip_a_byte(file)
        case "gone":
            file.unlink()
        case "more":
            (backup / "files" / "more").touch()
        case "manifest":
            manifest.write_bytes(manifest.read_bytes()[:-9])
        case _:
            manifest.write_text(manifest.read_text().replace('"format_version": 1', '"format_version": 2'))
    (found,) = verified(backup)
    assert {"manifest": "is no manifest", "version": "has format version 2"}.get(damage, "files/") in found
    other = elsewhere(home, tmp_path / "elsewhere")
    if damage == "more":
        return  # it is not in the manifest, so it is not restored
    with pytest.raises(RecoveryError):
        restore(kept, other.settings)
    assert [path.name for path in other.settings.home.parent.iterdir()] == ["tenants.yaml"]


def test_a_backup_that_was_killed_is_none_and_the_next_one_removes_it(home: Project, kept: Path) -> None:
    class Killed(BaseException):
        pass

    def kill(path: str, number: int, count: int) -> None:
        if number == count // 2:
            raise Killed

    with pytest.raises(Killed):
        make_backup(home.settings, kept, keep=DAY, progress=kill)
    assert whole_backups(kept) == ()
    (kept / f"{DRAFT}20260301T000000000000Z_0a1b2c" / "files").mkdir(parents=True)
    made = saved(home, kept)
    assert sorted(path.name for path in kept.iterdir()) == sorted([made.folder.name])


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """A disk that is full as soon as a file would be larger."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_no_half_backup_and_no_half_home(home: Project, kept: Path, tmp_path: Path) -> None:
    with file_size_limit(1_000_000), pytest.raises(RecoveryError, match="File too large"):
        saved(home, kept)
    assert list(kept.iterdir()) == []
    saved(home, kept)
    other = elsewhere(home, tmp_path / "elsewhere")
    with file_size_limit(1_000_000), pytest.raises(RecoveryError, match="File too large"):
        restore(kept, other.settings)
    assert [path.name for path in other.settings.home.parent.iterdir()] == ["tenants.yaml"]


@pytest.mark.long
def test_a_restore_refuses_a_home_that_is_there_and_replaces_it_whole_when_asked(home: Project, kept: Path) -> None:
    before = sums(home, SHOP)
    saved(home, kept)
    write_jsonl(home.settings.tenants.parent / "shop/orders_9.jsonl", [order(9, "99.00")])
    home.build()
    assert sums(home, SHOP) != before
    with pytest.raises(RecoveryError, match="--replace"):
        restore(kept, home.settings)
    with build_lock(home.settings.home, wait_seconds=0), pytest.raises(Busy):
        restore(kept, home.settings, replace=True)
    restore(kept, home.settings, replace=True)
    assert sums(home, SHOP) == before
    assert not list(home.settings.home.parent.glob(".state*"))
    home.build()  # what came since lands again
    assert home.number(SHOP, "orders") == 4


@pytest.mark.long
def test_who_was_forgotten_after_a_backup_is_not_in_what_is_restored(home: Project, kept: Path, tmp_path: Path) -> None:
    before = sums(home, SHOP)
    saved(home, kept)
    erase_with_record(home.context, SHOP, "1@example.com")
    assert files_with(home.settings.home, "1@example.com") == set()
    other = elsewhere(home, tmp_path / "elsewhere")
    restored = restore(kept, other.settings)
    assert (restored.erasures, bool(files_with(other.settings.home, "1@example.com"))) == (0, True)  # nobody knows
    shutil.rmtree(other.settings.home)
    restored = restore(kept, other.settings, erasures=[home.settings.home])
    assert (restored.erasures, restored.erased) == (1, 1)
    assert files_with(other.settings.home, "1@example.com") == set()
    assert sums(other, SHOP) == before
    with Ops(other.settings.ops) as ops:
        (record,) = ops.connection.execute("SELECT tenant, rows > 0 FROM erasures").fetchall()
    assert tuple(record) == (SHOP, 1)
    replaced = restore(kept, home.settings, replace=True)  # which knows by itself
    assert (replaced.erasures, replaced.erased) == (1, 1)
    assert files_with(home.settings.home, "1@example.com") == set()


def test_a_tenant_that_was_forgotten_after_a_backup_is_not_restored(home: Project, kept: Path, tmp_path: Path) -> None:
    neighbour = SMALL_TENANT.partition("tenants:\n")[2].replace("small_shop", "neighbour")
    first = saved(home, kept)
    home.settings.tenants.write_text(
        SMALL_TENANT.replace("slug: small_shop", "slug: small_shop\n    status: offboarded")
        + neighbour.replace("slug: neighbour", "slug: neighbour\n    status: pending")
    )
    erase_with_record(home.context, SHOP)
    later = saved(home, kept)  # its log of erasures is that of the whole folder
    assert first.folder in whole_backups(kept)
    other = elsewhere(home, tmp_path / "elsewhere")
    done = restore(first.folder, other.settings)
    assert (done.erasures, done.erased) == (1, 1)
    assert files_with(other.settings.home, SHOP) == {"ops.sqlite", ERASURES}
    shutil.rmtree(other.settings.home)
    assert restore(later.folder, other.settings).erasures == 0


def test_the_command_line_backs_up_verifies_and_restores(
    home: Project, kept: Path, tmp_path: Path, terminal: Terminal
) -> None:
    terminal.use(home.settings)
    made = json.loads(terminal("backup", str(kept), "--json").out)
    assert made["copied"]["files"] == made["files"] > 20
    assert json.loads(terminal("backup", str(kept), "--verify", "--json").out)["backups"][0]["damage"] == []
    done = terminal("restore", str(kept), "--home", str(tmp_path / "new"), "--json")
    assert (done.code, json.loads(done.out)["files"]) == (0, made["files"])
    refused = terminal("restore", str(kept))
    assert (refused.code, "--replace" in refused.err) == (2, True)
    flip_a_byte(Path(made["backup"]) / "files" / "hub.duckdb")
    failed = terminal("backup", str(kept), "--verify")
    assert (failed.code, "hub.duckdb" in failed.out) == (2, True)
    inside = terminal("backup", str(home.settings.home / "backups"))
    assert (inside.code, "lies in the state folder" in inside.err) == (2, True)
    usage = json.loads(terminal("du", "--json").out)
    assert (usage["unknown"], usage["bytes"] > 100_000) == ([], True)


def test_a_log_of_erasures_is_only_added_to_and_a_damaged_line_is_not_left_out(tmp_path: Path) -> None:
    log = tmp_path / ERASURES
    ada = new_erasure("acme", "2026-03-01T00:00:00+00:00", "ada@example.com")  # type: ignore[arg-type]
    whole: Erasure = new_erasure("acme", "2026-03-02T00:00:00+00:00", None)  # type: ignore[arg-type]
    add_erasures(log, [ada])
    add_erasures(log, [whole, ada])
    assert read_erasures(log) == (ada, whole)
    assert (ada.is_of("ada@example.com"), ada.is_of("bob@example.com"), whole.is_of("ada@example.com")) == (
        True,
        False,
        False,
    )
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    log.write_text(log.read_text()[:-9], encoding="utf-8")
    with pytest.raises(Exception, match="Line 2"):
        read_erasures(log)
