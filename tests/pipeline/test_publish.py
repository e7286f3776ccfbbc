from __future__ import annotations

import importlib.metadata
import json
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.errors import DamagedRun, OtherRelease, PublishError
from pipeline.publish.damage import find_damage
from pipeline.publish.pointer import latest_run_id, run_ids, served_run
from pipeline.publish.run_manifest import describe_tables, read_manifest
from pipeline.publish.run_store import Published, commit, move_pointer_back, prune, stage, verify
from pipeline.storage.run_id import new_run_id

NOW = datetime(2026, 1, 31, 23, 59, tzinfo=UTC)
TABLES = {"fct_acme__orders": ("order_date", "order_id"), "dim_acme__users": ("user_key",)}


def build_star(path: Path, mark: int = 1, rows: int = 500) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with duckdb.connect(path) as star:
        star.execute(
            "CREATE TABLE fct_acme__orders AS SELECT (i * 7919) % 1000 AS order_id, ? AS mark, 1.50::DECIMAL(18,6) AS "
            "total, DATE '2026-01-01' + (hash(i) % 30)::INT AS order_date, NULL::VARCHAR AS note FROM range(?) AS t(i)",
            [mark, rows],
        )
        star.execute("CREATE TABLE dim_acme__users AS SELECT 'u' AS user_key, ? AS mark", [mark])
        star.execute("CREATE VIEW int_acme__orders AS SELECT * FROM fct_acme__orders")
    return path


def publish(home: Path, mark: int = 1) -> Published:
    star = build_star(home / "tenants" / "acme" / "stars.duckdb", mark)
    return republish(home, star, f"mark: {mark}\n")


def republish(home: Path, star: Path, definitions: str = "mark: 1\n") -> Published:
    staged = stage(star, home / "published" / "acme", new_run_id(datetime.now(UTC)), "acme", TABLES)
    return commit(staged, definitions, now=NOW)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "published" / "acme"


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink()
    path.write_bytes(content)


def test_a_run_holds_facts_and_dimensions_sorted_with_its_definitions_and_nothing_else(tmp_path: Path) -> None:
    run = publish(tmp_path).path
    assert sorted(path.name for path in run.iterdir()) == ["_MANIFEST.json", "semantic.yml", "stars.duckdb"]
    assert (run / "semantic.yml").read_text() == "mark: 1\n"
    with duckdb.connect(run / "stars.duckdb", read_only=True) as star:
        assert star.execute("SELECT table_name FROM information_schema.tables ORDER BY 1").fetchall() == [
            ("dim_acme__users",),
            ("fct_acme__orders",),
        ]
        rows = star.execute("SELECT order_date, order_id FROM fct_acme__orders").fetchall()
    assert len(rows) == 500
    assert rows == sorted(rows)


def test_pointer_and_manifest_are_what_other_programs_rely_on(tmp_path: Path, folder: Path) -> None:
    published = publish(tmp_path)
    pointer = json.loads((folder / "_latest.json").read_text())
    assert pointer == {"version": 1, "run_id": published.run_id, "published_at": "2026-01-31T23:59:00Z"}
    manifest = json.loads((published.path / "_MANIFEST.json").read_text())
    assert manifest["version"] == 2
    assert manifest["release"] == importlib.metadata.version("gata")
    assert manifest["tenant"] == "acme"
    assert manifest["file"]["name"] == "stars.duckdb"
    assert manifest["tables"][0]["columns"][1:3] == [
        {"name": "mark", "type": "INTEGER"},
        {"name": "total", "type": "DECIMAL(18,6)"},
    ]
    assert manifest["tables"][0]["rows"] == 500
    assert int(manifest["tables"][0]["row_hash_sum"]) > 0


def test_the_copy_has_the_row_count_and_hash_sum_of_its_source(tmp_path: Path) -> None:
    published = publish(tmp_path)
    with duckdb.connect(tmp_path / "tenants" / "acme" / "stars.duckdb", read_only=True) as star:
        assert tuple(describe_tables(star, name) for name in TABLES) == published.manifest.tables


def test_two_equal_rows_do_not_cancel_out_in_the_hash_sum() -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS i FROM range(2)")
        twice = describe_tables(connection, "t")
        connection.execute("CREATE TABLE u AS SELECT 2 AS i FROM range(2)")
        assert describe_tables(connection, "u").row_hash_sum != twice.row_hash_sum


def test_rows_that_are_only_in_the_write_ahead_log_are_published(tmp_path: Path, folder: Path) -> None:
    star = build_star(tmp_path / "stars.duckdb")
    first = republish(tmp_path, star)
    with duckdb.connect(star) as writer:
        writer.execute("PRAGMA disable_checkpoint_on_shutdown")
        writer.execute("INSERT INTO dim_acme__users VALUES ('v', 2)")
    assert star.with_name("stars.duckdb.wal").exists()
    second = republish(tmp_path, star)
    assert [run.manifest.tables[1].rows for run in (first, second)] == [1, 2]


def test_a_half_made_run_that_a_killed_publish_left_is_replaced(tmp_path: Path, folder: Path) -> None:
    first = publish(tmp_path, 1)
    star = build_star(tmp_path / "tenants" / "acme" / "stars.duckdb", 2)
    left = stage(star, folder, new_run_id(datetime.now(UTC)), "acme", TABLES).path
    (left / "stars.duckdb").write_bytes(b"half of it")
    assert latest_run_id(folder) == first.path.name
    again = republish(tmp_path, star, "mark: 2\n")
    assert not left.exists()
    assert latest_run_id(folder) == again.path.name
    verify(again.path)
    assert set(run_ids(folder)) == {first.path.name, again.path.name}


def test_an_unchanged_star_is_linked_and_new_definitions_still_arrive(tmp_path: Path) -> None:
    first = publish(tmp_path)
    second = republish(tmp_path, tmp_path / "tenants" / "acme" / "stars.duckdb", "mark: curated\n")
    assert second.linked
    assert (second.path / "stars.duckdb").samefile(first.path / "stars.duckdb")
    assert second.manifest.tables == first.manifest.tables
    assert (second.path / "semantic.yml").read_text() == "mark: curated\n"
    verify(second.path)


def test_an_unchanged_star_is_copied_again_when_the_earlier_copy_is_damaged(tmp_path: Path) -> None:
    first = publish(tmp_path)
    flip_a_byte(first.path / "stars.duckdb")
    second = republish(tmp_path, tmp_path / "tenants" / "acme" / "stars.duckdb")
    assert not second.linked
    verify(second.path)


def test_files_of_a_published_run_are_read_only(tmp_path: Path) -> None:
    run = publish(tmp_path).path
    assert {path.stat().st_mode & 0o777 for path in run.iterdir()} == {0o444}


@pytest.mark.parametrize("name", ["stars.duckdb", "semantic.yml"])
def test_a_flipped_byte_is_found_and_refuses_the_rollback(tmp_path: Path, folder: Path, name: str) -> None:
    first, second = publish(tmp_path, 1), publish(tmp_path, 2)
    flip_a_byte(first.path / name)
    with pytest.raises(PublishError, match=f"{name} has SHA-256"):
        verify(first.path)
    with pytest.raises(PublishError, match="gata rollback --tenant acme --to"):
        move_pointer_back(folder, first.run_id, now=NOW)
    assert latest_run_id(folder) == second.run_id


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda manifest: manifest["tables"][0].update(rows=501), r"has other columns or rows \(500, not 501\)"),
        (lambda manifest: manifest["tables"][0].update(row_hash_sum="1"), "has other columns or rows"),
        (lambda manifest: manifest["tables"][0]["columns"][0].update(type="DATE"), "has other columns or rows"),
        (lambda manifest: manifest["tables"].pop(), "stars.duckdb holds the tables dim_acme__users, fct_acme__orders"),
        (lambda manifest: manifest["file"].update(bytes=1), "does not have 1 bytes"),
        (lambda manifest: manifest.update(tenant="globex"), "of globex"),
        (lambda manifest: manifest.update(version=0), "version of _MANIFEST.json"),
        (lambda manifest: manifest.update(previous="20260101T000000000000Z_000000"), None),
    ],
)
def test_a_manifest_that_says_anything_else_is_refused(
    tmp_path: Path, edit: Callable[[dict[str, Any]], object], message: str | None
) -> None:
    run = publish(tmp_path).path
    manifest = json.loads((run / "_MANIFEST.json").read_text())
    edit(manifest)
    rewrite_manifest(run, manifest)
    with pytest.raises(DamagedRun):
        read_manifest(run)
    assert [damage.file for damage in find_damage(run)] == ["_MANIFEST.json"]
    if message is None:
        return
    del manifest["checksum"], manifest["release"]  # as format 1, which had neither
    rewrite_manifest(run, {**manifest, "version": min(1, manifest["version"])})
    with pytest.raises(PublishError, match=message):
        verify(run)


def test_any_byte_of_a_manifest_that_changes_its_meaning_is_damage(tmp_path: Path) -> None:
    run = publish(tmp_path).path
    text, seed = (run / "_MANIFEST.json").read_bytes(), random.Random(3)
    written = read_manifest(run)
    for _ in range(200):
        changed = bytearray(text)
        changed[seed.randrange(len(text))] ^= 1 << seed.randrange(8)
        (run / "_MANIFEST.json").unlink()
        (run / "_MANIFEST.json").write_bytes(changed)
        try:
            assert read_manifest(run).model_dump() == written.model_dump()  # a space was changed
        except DamagedRun:
            assert find_damage(run)


def test_a_run_of_a_later_format_is_of_another_release_and_an_earlier_one_answers(tmp_path: Path, folder: Path) -> None:
    first, second = publish(tmp_path, 1), publish(tmp_path, 2)
    later = {"version": 3, "release": "7.1.0", "of": "what nobody knows yet"}
    rewrite_manifest(second.path, later)
    sentence = r"is of another release: _MANIFEST\.json is of format 3, which gata 7\.1\.0 reads and this one, .* not"
    with pytest.raises(OtherRelease, match=rf"Run {second.run_id} of acme {sentence}\. Upgrade to gata 7\.1\.0, or"):
        verify(second.path)
    served = served_run(folder)
    assert served is not None
    assert served.run_id == first.run_id
    assert re.search(rf"Run {second.run_id} {sentence}", served.notes[0])


def rewrite_manifest(run: Path, manifest: object) -> None:
    (run / "_MANIFEST.json").unlink()
    (run / "_MANIFEST.json").write_text(json.dumps(manifest))


def test_a_run_of_one_tenant_is_refused_in_the_folder_of_another(tmp_path: Path, folder: Path) -> None:
    run = publish(tmp_path)
    shutil.copytree(run.path, tmp_path / "published" / "globex" / run.run_id)
    with pytest.raises(PublishError, match=r"of globex does not match its manifest: it is run .* of acme"):
        move_pointer_back(tmp_path / "published" / "globex", run.run_id, now=NOW)


def test_a_staged_file_that_changed_never_becomes_a_run(tmp_path: Path, folder: Path) -> None:
    first = publish(tmp_path)
    staged = stage(build_star(tmp_path / "s.duckdb", 2), folder, new_run_id(NOW), "acme", TABLES)
    flip_a_byte(staged.path / "stars.duckdb")
    with pytest.raises(PublishError, match="does not match its manifest"):
        commit(staged, "mark: 2\n", now=NOW)
    assert run_ids(folder) == (first.run_id,)
    assert latest_run_id(folder) == first.run_id
    assert not list(folder.glob(".staging-*"))


def test_rollback_returns_to_what_readers_saw_before_and_forward_again(tmp_path: Path, folder: Path) -> None:
    first, second, third = (publish(tmp_path, mark).run_id for mark in (1, 2, 3))
    assert move_pointer_back(folder, None, now=NOW) == second
    assert move_pointer_back(folder, None, now=NOW) == first
    assert move_pointer_back(folder, third, now=NOW) == third == latest_run_id(folder)


def test_rollback_skips_a_run_that_was_itself_rolled_back(tmp_path: Path, folder: Path) -> None:
    good = publish(tmp_path, 1).run_id
    publish(tmp_path, 2)
    move_pointer_back(folder, None, now=NOW)
    publish(tmp_path, 3)
    assert move_pointer_back(folder, None, now=NOW) == good


@pytest.mark.parametrize("wanted", ["20260101T000000000000Z_abcdef", "../globex", "", "x" * 5000])
def test_an_unknown_run_is_refused_with_the_runs_there_are(tmp_path: Path, folder: Path, wanted: str) -> None:
    known = [publish(tmp_path, mark).run_id for mark in (1, 2)]
    with pytest.raises(PublishError, match="has no run") as refused:
        move_pointer_back(folder, wanted, now=NOW)
    assert all(run_id in str(refused.value) for run_id in known)
    assert len(str(refused.value)) < 1000
    assert latest_run_id(folder) == known[1]


def test_there_is_nothing_before_the_first_run(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(PublishError, match=r"has no published run. Run `gata build --tenant acme` first"):
        move_pointer_back(folder, None, now=NOW)
    first = publish(tmp_path)
    with pytest.raises(PublishError, match="is the first one"):
        move_pointer_back(folder, None, now=NOW)
    assert latest_run_id(folder) == first.run_id


def test_a_damaged_pointer_is_named_and_repaired_by_rollback_or_by_the_next_publish(
    tmp_path: Path, folder: Path
) -> None:
    first, second = publish(tmp_path, 1), publish(tmp_path, 2)
    for damage in ("{", "[]", '{"run_id": "../../globex"}', '{"run_id": null}'):
        (folder / "_latest.json").write_text(damage)
        with pytest.raises(PublishError, match=f"_latest.json cannot be read.*{second.run_id}, {first.run_id}"):
            latest_run_id(folder)
    assert move_pointer_back(folder, first.run_id, now=NOW) == latest_run_id(folder)
    (folder / "_latest.json").write_text("{")
    assert publish(tmp_path, 3).run_id == latest_run_id(folder)


def test_prune_keeps_the_newest_the_current_and_the_one_before_it(tmp_path: Path, folder: Path) -> None:
    known = [publish(tmp_path, mark).run_id for mark in range(5)]
    move_pointer_back(folder, known[2], now=NOW)
    assert prune(folder, keep=1) == (known[0], known[3])
    assert run_ids(folder) == (known[1], known[2], known[4])
    assert move_pointer_back(folder, None, now=NOW) == known[1]
    with pytest.raises(PublishError, match=f"Run {known[0]}, which acme served before {known[1]}, is gone"):
        move_pointer_back(folder, None, now=NOW)


def test_prune_keeps_a_linked_copy_of_a_removed_run_whole(tmp_path: Path, folder: Path) -> None:
    first = publish(tmp_path)
    for _ in range(2):
        last = republish(tmp_path, tmp_path / "tenants" / "acme" / "stars.duckdb")
    assert prune(folder, keep=1) == (first.run_id,)
    assert last.linked
    verify(last.path)


@pytest.mark.parametrize(
    ("run_id", "slug", "table"),
    [
        ("../x", "acme", "fct_acme__orders"),
        ("20260101T000000000000Z_abcdeg", "acme", "fct_acme__orders"),
        ("20260101T000000000000Z_abcdef\n", "acme", "fct_acme__orders"),
        ("20260101T000000000000Z_abcdef", "../acme", "fct_acme__orders"),
        ("20260101T000000000000Z_abcdef", "Acme", "fct_acme__orders"),
        ("20260101T000000000000Z_abcdef", "acme", "fct_globex__orders"),
        ("20260101T000000000000Z_abcdef", "acme", "int_acme__orders"),
        ("20260101T000000000000Z_abcdef", "acme", 'fct_acme__"; drop table x; --'),
        ("20260101T000000000000Z_abcdef", "globex", "fct_globex__orders"),
    ],
)
def test_no_unchecked_name_reaches_a_path_or_sql(tmp_path: Path, run_id: str, slug: str, table: str) -> None:
    star = build_star(tmp_path / "stars.duckdb")
    with pytest.raises(PublishError):
        stage(star, tmp_path / "published" / "acme", run_id, slug, {table: ()})
    assert not (tmp_path / "published").exists()


def test_a_missing_star_and_a_missing_table_say_what_to_run(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(PublishError, match=r"has no star file .* Run `gata build --tenant acme` first"):
        stage(tmp_path / "none.duckdb", folder, new_run_id(NOW), "acme", TABLES)
    star = build_star(tmp_path / "stars.duckdb")
    with pytest.raises(PublishError, match=r"fct_acme__sessions does not exist.*gata build --tenant acme --full"):
        stage(star, folder, new_run_id(NOW), "acme", {**TABLES, "fct_acme__sessions": ()})
    assert not list(folder.glob(".staging-*"))


def test_a_star_that_is_open_elsewhere_is_refused(tmp_path: Path, folder: Path) -> None:
    star = build_star(tmp_path / "stars.duckdb")
    with duckdb.connect(star), pytest.raises(PublishError, match=r"is open elsewhere.*Close it there"):
        stage(star, folder, new_run_id(NOW), "acme", TABLES)


def test_a_run_that_a_server_has_open_can_be_verified_and_pointed_to(tmp_path: Path, folder: Path) -> None:
    first = publish(tmp_path, 1)
    publish(tmp_path, 2)
    config: dict[str, str | bool | int | float | list[str]] = {
        "access_mode": "READ_ONLY",
        "enable_external_access": "false",
        "lock_configuration": "true",
    }
    with duckdb.connect(first.path / "stars.duckdb", config=config) as reader:
        assert move_pointer_back(folder, first.run_id, now=NOW) == first.run_id
        assert reader.execute("SELECT DISTINCT mark FROM fct_acme__orders").fetchall() == [(1,)]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    star = build_star(tmp_path / "stars.duckdb")
    (tmp_path / "published").write_text("a file where a folder should be")
    with pytest.raises(PublishError, match=r"published/acme cannot be written: Not a directory\. Make .* GATA_HOME"):
        stage(star, tmp_path / "published" / "acme", new_run_id(NOW), "acme", TABLES)


def test_a_pointer_that_cannot_move_leaves_no_run_that_nobody_was_told_of(tmp_path: Path, folder: Path) -> None:
    (folder / "_latest.json").mkdir(parents=True)
    with pytest.raises(PublishError, match=r"_latest.json cannot be written"):
        publish(tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "_latest.json"]


FILL_THE_DISK = """
import resource, sys
from datetime import UTC, datetime
from pathlib import Path
from pipeline.errors import PublishError
from pipeline.publish.run_store import commit, stage
star, folder, run_id, limit = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
tables = {"fct_acme__orders": (), "dim_acme__users": ()}
if limit > 1000:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    staged = stage(star, folder, run_id, "acme", tables)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    commit(staged, "mark: 2\\n" * 100, now=datetime.now(UTC))
except PublishError as error:
    sys.exit(str(error))
"""


@pytest.mark.parametrize("limit", [100, 900, 200_000])
def test_a_full_disk_publishes_nothing_and_leaves_nothing_behind(tmp_path: Path, folder: Path, limit: int) -> None:
    first = publish(tmp_path)
    star = build_star(tmp_path / "big.duckdb", 2, rows=200_000)
    child = [sys.executable, "-c", FILL_THE_DISK, str(star), str(folder), new_run_id(NOW), str(limit)]
    ended = subprocess.run(child, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 1
    assert f"There is no room left under {folder}" in ended.stderr
    assert "Free some, then run `gata publish --tenant acme`" in ended.stderr
    assert run_ids(folder) == (first.run_id,)
    assert latest_run_id(folder) == first.run_id
    assert not list(folder.glob(".staging-*"))
