"""One table says what a run consists of: whatever is in it is hashed, sealed, checked and found damaged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.errors import DamagedRun, PublishError
from pipeline.publish.damage import fatal, find_damage, stamps
from pipeline.publish.pointer import earlier_runs, latest_run_id, served_run
from pipeline.publish.run_files import CATALOG_JSON, CATALOG_SCHEMA, DEFINITIONS, HASHED, MANIFEST, RUN_FILES, STARS
from pipeline.publish.run_manifest import read_manifest
from pipeline.publish.run_store import Published, commit, move_pointer_back, stage, verify
from pipeline.storage.run_id import new_run_id
from tests.pipeline.test_publish import NOW, TABLES, build_star, flip_a_byte

TEXTS = (DEFINITIONS, CATALOG_JSON, CATALOG_SCHEMA)


def publish(home: Path, mark: int = 1) -> Published:
    """Publish a run that holds every text a run may hold."""
    star = build_star(home / "tenants" / "acme" / "stars.duckdb", mark)
    staged = stage(star, home / "published" / "acme", new_run_id(datetime.now(UTC)), "acme", TABLES)
    for name in (CATALOG_JSON, CATALOG_SCHEMA):
        (staged.path / name).write_text(f'{{"mark": {mark}}}\n')
    return commit(staged, f"mark: {mark}\n", now=NOW)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "published" / "acme"


def rewrite(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


def forget_hashes(run: Path) -> None:
    """Make the run one of a release whose manifest had no `files`."""
    manifest = json.loads((run / MANIFEST).read_text())
    del manifest["files"], manifest["checksum"], manifest["release"]
    manifest["version"] = 1
    rewrite(run / MANIFEST, json.dumps(manifest).encode())


def test_every_file_of_a_run_is_in_the_table_sealed_and_in_the_manifest(tmp_path: Path) -> None:
    run = publish(tmp_path)
    names = {path.name for path in run.path.iterdir()}
    assert names == {STARS, MANIFEST, *TEXTS} <= {file.name for file in RUN_FILES}
    assert {path.stat().st_mode & 0o777 for path in run.path.iterdir()} == {0o444}
    assert {*run.manifest.expected()} == names & HASHED.keys() == names - {MANIFEST}
    assert verify(run.path) == ()
    assert find_damage(run.path) == ()


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_that_was_changed_or_taken_away_is_damage_for_the_quick_look_and_for_the_proof(
    tmp_path: Path, name: str
) -> None:
    run = publish(tmp_path).path
    flip_a_byte(run / name)
    (found,) = find_damage(run)
    assert (found.file, found.is_fatal) == (name, name == DEFINITIONS)
    with pytest.raises(DamagedRun, match=f"{name} has SHA-256"):
        verify(run)
    (run / name).unlink()
    assert [damage.file for damage in find_damage(run)] == [name]
    with pytest.raises(DamagedRun, match=f"{name} cannot be read"):
        verify(run)


def test_a_text_that_was_put_beside_a_run_later_is_no_part_of_it(tmp_path: Path) -> None:
    star = build_star(tmp_path / "tenants" / "acme" / "stars.duckdb")
    staged = stage(star, tmp_path / "published" / "acme", new_run_id(datetime.now(UTC)), "acme", TABLES)
    run = commit(staged, "mark: 1\n", now=NOW).path
    (run / CATALOG_JSON).write_text("{}")
    with pytest.raises(DamagedRun, match=r"semantic\.json is not in the manifest"):
        verify(run)


def test_a_run_of_a_release_that_did_not_hash_them_still_counts_and_what_is_unproved_is_named(
    tmp_path: Path, folder: Path
) -> None:
    first, second = publish(tmp_path, 1), publish(tmp_path, 2)
    forget_hashes(first.path)
    assert read_manifest(first.path).files is None
    assert find_damage(first.path) == ()
    assert verify(first.path) == (CATALOG_JSON, CATALOG_SCHEMA)
    assert latest_run_id(folder) == second.run_id
    assert move_pointer_back(folder, None, now=NOW) == first.run_id


def test_a_manifest_speaks_of_no_file_that_is_not_of_a_run(tmp_path: Path) -> None:
    run = publish(tmp_path).path
    manifest = json.loads((run / MANIFEST).read_text())
    manifest["files"][0]["name"] = "../../hub.duckdb"
    rewrite(run / MANIFEST, json.dumps(manifest).encode())
    with pytest.raises(DamagedRun, match=r"files\.0\.name of _MANIFEST\.json.*'\.\./\.\./hub\.duckdb' is no file of a"):
        verify(run)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "star gone": lambda run: (run / STARS).unlink(),
    "star cut short": lambda run: rewrite(run / STARS, (run / STARS).read_bytes()[:-4096]),
    "star of garbage": lambda run: rewrite(run / STARS, b"x" * (run / STARS).stat().st_size),
    "manifest gone": lambda run: (run / MANIFEST).unlink(),
    "manifest empty": lambda run: rewrite(run / MANIFEST, b""),
    "manifest of garbage": lambda run: rewrite(run / MANIFEST, b"\x00\xff{"),
    "definitions changed": lambda run: flip_a_byte(run / DEFINITIONS),
    "definitions gone": lambda run: (run / DEFINITIONS).unlink(),
    "run gone": shutil.rmtree,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_run_is_named_and_the_one_before_it_is_served(
    tmp_path: Path, folder: Path, damage: Callable[[Path], object]
) -> None:
    first, second = publish(tmp_path, 1), publish(tmp_path, 2)
    damage(second.path)
    assert fatal(find_damage(second.path))
    served = served_run(folder)
    assert served
    assert served.run_id == first.run_id
    assert f"Run {second.run_id} is damaged: " in served.notes[0]
    third = publish(tmp_path, 3)
    assert third.manifest.previous == first.run_id
    assert served_run(folder) == type(served)(third.run_id)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_rollback_passes_over_damaged_runs(tmp_path: Path, folder: Path, damage: Callable[[Path], object]) -> None:
    first, second, third = (publish(tmp_path, mark) for mark in (1, 2, 3))
    if damage is not shutil.rmtree:  # a run that is gone is refused by name
        damage(second.path)
        assert move_pointer_back(folder, None, now=NOW) == first.run_id
        assert move_pointer_back(folder, third.run_id, now=NOW) == third.run_id
    damage(third.path)
    with pytest.raises(PublishError):
        move_pointer_back(folder, third.run_id, now=NOW)
    assert latest_run_id(folder) == third.run_id


def test_a_flipped_bit_in_the_star_is_passed_over_too(tmp_path: Path, folder: Path) -> None:
    first, second, _ = (publish(tmp_path, mark) for mark in (1, 2, 3))
    flip_a_byte(second.path / STARS)
    assert find_damage(second.path) == ()
    assert move_pointer_back(folder, None, now=NOW) == first.run_id


def test_a_flipped_bit_is_seen_by_who_knows_when_the_star_was_written(tmp_path: Path) -> None:
    run = publish(tmp_path).path
    known = stamps(run)
    assert find_damage(run, known) == ()
    flip_a_byte(run / STARS)
    (found,) = find_damage(run, known)
    assert (found.file, found.is_fatal) == (STARS, True)


def test_without_an_undamaged_run_the_error_names_the_damage_and_the_step(tmp_path: Path, folder: Path) -> None:
    run = publish(tmp_path)
    (run.path / STARS).unlink()
    with pytest.raises(
        PublishError, match=r"Run .* is damaged: stars\.duckdb .*Run `gata build --tenant acme`"
    ) as said:
        served_run(folder)
    assert run.run_id in said.value.what


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"run_id": 3}'])
def test_an_unreadable_pointer_serves_the_newest_run(tmp_path: Path, folder: Path, content: bytes) -> None:
    publish(tmp_path, 1)
    second = publish(tmp_path, 2)
    rewrite(folder / "_latest.json", content)
    served = served_run(folder)
    assert served
    assert served.run_id == second.run_id
    assert "The pointer to the newest run cannot be read" in served.notes[0]


def test_a_run_that_readers_were_taken_away_from_is_not_served_again(tmp_path: Path, folder: Path) -> None:
    first, bad = publish(tmp_path, 1), publish(tmp_path, 2)
    move_pointer_back(folder, None, now=NOW)
    third = publish(tmp_path, 3)
    assert [*earlier_runs(folder, third.run_id)] == [first.run_id]
    (third.path / STARS).unlink()
    served = served_run(folder)
    assert served
    assert served.run_id == first.run_id != bad.run_id


def test_before_the_first_run_nothing_is_served(folder: Path) -> None:
    assert served_run(folder) is None
