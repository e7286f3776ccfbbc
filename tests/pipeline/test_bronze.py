"""Bronze: every delivery as it was received, once, and the landing tables rebuilt from it."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import pytest

from pipeline.config.accounts import Account, Read
from pipeline.config.tenant import Tenant
from pipeline.errors import LandError
from pipeline.privacy.forget_bronze import Redaction, redact_bronze
from pipeline.storage.bronze.batches import FILE_MODE, BatchFolder, batch_folder, bronze_folder, problems
from pipeline.storage.bronze.manifest import BatchManifest, read_batch_manifest
from tests.pipeline.landing_fixture import BLUEPRINTS, LandingFixture, table_of
from tests.rights import as_owner

ORDERS = ("shopify", "main", "orders")


def lines(*ids: int) -> str:
    return "".join(
        json.dumps({"id": n, "total_price": "9.90", "created_at": f"2026-02-0{n}T10:00:00Z"}) + "\n" for n in ids
    )


def batches_of(sandbox: LandingFixture) -> BatchFolder:
    return batch_folder(bronze_folder(sandbox.settings, sandbox.tenant().slug), *ORDERS)


def batches(sandbox: LandingFixture) -> list[tuple[Path, BatchManifest]]:
    return list(batches_of(sandbox).manifests(batches_of(sandbox).batch_ids()))


def test_a_delivery_lies_in_bronze_as_it_came_with_what_was_read_of_it(sandbox: LandingFixture) -> None:
    path = sandbox.write("o.jsonl", lines(1, 3) + "oops\n")
    sandbox.land(orders="*.jsonl")
    ((folder, manifest),) = batches(sandbox)
    assert folder.relative_to(sandbox.settings.home).parts[:-2] == ("bronze", "acme", *ORDERS)
    assert folder.parent.name == manifest.partition == f"ingest_dt={manifest.created_at:%Y-%m-%d}"
    assert (folder / "o.jsonl").read_bytes() == path.read_bytes()
    assert sorted(each.name for each in folder.iterdir()) == ["_MANIFEST.json", "_SUCCESS", "o.jsonl"]
    (entry,) = manifest.files
    assert (entry.file, entry.source, entry.rows, entry.quarantined) == ("o.jsonl", str(path), 3, 1)
    assert (manifest.total_rows, manifest.table, manifest.complete) == (3, "shopify__orders", True)
    assert (str(manifest.min_event_dt), str(manifest.max_event_dt)) == ("2026-02-01", "2026-02-03")
    assert sandbox.query("select distinct _batch_id, _source_file from shopify__orders") == [
        (manifest.batch_id, str(path))
    ]


def test_the_same_delivery_again_adds_no_batch_and_a_rewritten_file_adds_one(sandbox: LandingFixture) -> None:
    sandbox.write("o.jsonl", lines(1))
    sandbox.land(orders="*.jsonl")
    sandbox.land(orders="*.jsonl")
    assert len(batches(sandbox)) == 1
    ((folder, manifest),) = batches(sandbox)
    sandbox.write("o.jsonl", lines(2))
    sandbox.land(orders="*.jsonl")
    assert len(batches(sandbox)) == 2
    assert problems(folder, manifest) == []


def files_of(batch: Path) -> dict[Path, tuple[int, int, int, bytes]]:
    """Each file of a batch: its permissions, inode, time of the last write and bytes."""
    found = {}
    for path in batch.rglob("*"):
        if path.is_file():
            status = path.stat()
            found[path] = (stat.S_IMODE(status.st_mode), status.st_ino, status.st_mtime_ns, path.read_bytes())
    return found


def test_a_file_of_a_whole_batch_may_not_be_written_and_no_landing_tries(
    sandbox: LandingFixture, tmp_path: Path
) -> None:
    sandbox.write("o.jsonl", lines(1))
    with as_owner(tmp_path):
        sandbox.land(orders="o*")
        ((first, _),) = batches(sandbox)
        before = files_of(first)
        assert {mode for mode, *_ in before.values()} == {FILE_MODE}
        assert sorted(path.name for path in before) == ["_MANIFEST.json", "_SUCCESS", "o.jsonl"]
        for path in before:
            with pytest.raises(PermissionError):
                path.open("ab")
        sandbox.write("o.jsonl", lines(1, 2))  # another delivery of the same file
        sandbox.land(orders="o*")
        shutil.rmtree(sandbox.files)
        sandbox.query("delete from landed_deliveries returning 1")
        sandbox.query("delete from landed_files returning 1")
        sandbox.land(orders="o*")  # from bronze
        assert files_of(first) == before
        assert len(batches(sandbox)) == 2


def test_a_read_only_batch_is_superseded_and_removed_by_its_owner(sandbox: LandingFixture, tmp_path: Path) -> None:
    sandbox.write("o.jsonl", lines(1, 2))
    with as_owner(tmp_path):
        sandbox.land(orders="o*")
        ((first, _),) = batches(sandbox)
        ids = frozenset({"1"})
        redaction = Redaction(
            blueprint=BLUEPRINTS["shopify", "orders"],
            change=lambda record: {**record, "id": 9} if str(record["id"]) in ids else record,
            mentions=lambda text: False,
            renamed={},
        )
        (new_id,) = redact_bronze(sandbox.tenant(), sandbox.settings, redaction).values()
        ((second, manifest),) = batches(sandbox)
        assert (manifest.batch_id, first.exists()) == (new_id, False)
        assert {mode for mode, *_ in files_of(second).values()} == {FILE_MODE}
        assert problems(second, manifest) == []


def test_landing_tables_that_were_emptied_are_rebuilt_from_bronze_without_the_files(sandbox: LandingFixture) -> None:
    for content in (lines(1), lines(1, 2), lines(1)):
        path = sandbox.write("o.jsonl", content)
        sandbox.land(orders="*.jsonl")
    of_files = "select id, _source_file, _source_line, _batch_id from shopify__orders order by all"
    of_deliveries = "select batch_id, identity, delivered_at, is_dated, days from landed_deliveries order by all"
    before = sandbox.query(of_files), sandbox.query(of_deliveries)
    for table in ("shopify__orders", "landed_files", "landed_deliveries"):
        sandbox.query(f"delete from {table} returning 1")
    path.unlink()
    sandbox.land(orders="*.jsonl")
    assert (sandbox.query(of_files), sandbox.query(of_deliveries)) == before
    assert len(batches(sandbox)) == 3


def test_a_half_made_batch_that_a_killed_landing_left_is_replaced(sandbox: LandingFixture) -> None:
    draft = batches_of(sandbox).draft("1.5")
    (draft / "o.jsonl").write_text(lines(1)[:20], encoding="utf-8")
    sandbox.write("o.jsonl", lines(1, 2))
    sandbox.land(orders="*.jsonl")
    ((folder, _),) = batches(sandbox)
    assert (folder / "o.jsonl").read_text(encoding="utf-8") == lines(1, 2)
    assert not draft.exists()
    assert sandbox.query("select count(*) from shopify__orders") == [(2,)]


@pytest.mark.parametrize("damage", ["changed", "missing", "extra"])
def test_a_batch_that_is_not_as_its_manifest_says_is_refused_by_name(sandbox: LandingFixture, damage: str) -> None:
    sandbox.write("o.jsonl", lines(1))
    sandbox.land(orders="*.jsonl")
    ((folder, _),) = batches(sandbox)
    for table in ("shopify__orders", "landed_files", "landed_deliveries"):
        sandbox.query(f"delete from {table} returning 1")
    match damage:
        case "changed":
            (folder / "o.jsonl").write_text(lines(2))
        case "missing":
            (folder / "o.jsonl").unlink()
        case _:
            (folder / "more.jsonl").write_text(lines(2))
    table = table_of(sandbox.land(orders="*.jsonl"), "orders")
    said = {
        "changed": "o.jsonl has another checksum than its manifest says",
        "missing": "o.jsonl is in the manifest and missing",
        "extra": "more.jsonl is not in the manifest",
    }
    assert table.rows == 0
    assert said[damage] in table.findings[0]


@pytest.mark.parametrize("name", ["../o.jsonl", "/o.jsonl", "link.jsonl"])
def test_a_manifest_that_leads_out_of_its_batch_is_refused(sandbox: LandingFixture, name: str) -> None:
    sandbox.write("o.jsonl", lines(1))
    sandbox.land(orders="*.jsonl")
    ((folder, manifest),) = batches(sandbox)
    (folder / "link.jsonl").symlink_to(sandbox.files / "o.jsonl")
    (entry,) = manifest.files
    leading = manifest.model_copy(update={"files": (entry.model_copy(update={"file": name}),)})
    assert problems(folder, leading)[0] == f"{name} is in the manifest and leads out of the batch"


def test_a_published_batch_is_never_rewritten(sandbox: LandingFixture) -> None:
    sandbox.write("o.jsonl", lines(1))
    sandbox.land(orders="*.jsonl")
    ((folder, manifest),) = batches(sandbox)
    draft = batches_of(sandbox).draft(manifest.batch_id)
    with pytest.raises(LandError, match="never rewritten"):
        batches_of(sandbox).publish(draft, manifest)
    assert read_batch_manifest(folder) == manifest


def test_what_does_not_land_is_not_in_bronze(sandbox: LandingFixture) -> None:
    sandbox.write("o.jsonl", "")
    sandbox.land(orders="*.jsonl")
    assert batches(sandbox) == []
    assert [path for path in sandbox.settings.home.glob("bronze/**/*") if path.is_file()] == []


def test_deliveries_that_another_installation_put_into_bronze_are_read_by_their_manifests(
    sandbox: LandingFixture, tmp_path: Path
) -> None:
    sandbox.write("o.jsonl", lines(1, 2))
    sandbox.land(orders="*.jsonl")
    (tmp_path / "other").mkdir()
    other = LandingFixture(tmp_path / "other")
    source = other.source("shopify")
    read = Read(kind="bronze", folder=str(sandbox.settings.home / "bronze"))
    accounts = (Account(read=read),)
    tenant = Tenant(slug="acme", business_name="A", sources=(source.model_copy(update={"accounts": accounts}),))
    assert table_of(other.land(tenant), "orders").rows == 2
    assert other.land(tenant).load_id is None
    assert len(batches(other)) == 1


def test_a_generated_file_takes_no_room_twice(sandbox: LandingFixture) -> None:
    source = sandbox.source("shopify").model_copy(update={"accounts": (Account(),)})
    tenant = Tenant(slug="acme", business_name="A", sources=(source,))
    sandbox.land(tenant)
    ((folder, manifest), *_) = batches(sandbox)
    assert (folder / manifest.files[0].file).stat().st_nlink == 2


def test_what_landed_before_there_was_a_bronze_stays_known(sandbox: LandingFixture) -> None:
    for name in ("o_20260201.jsonl", "p.jsonl"):
        sandbox.write(name, lines(1 if name[0] == "o" else 2))
    patterns: dict[str, str] = {"orders": "*.jsonl", "exported_at": r"_(\d{8})"}
    sandbox.land(**patterns)
    sandbox.query("drop table landed_deliveries; alter table landed_files drop column days; select 1")
    sandbox.query("alter table landed_files drop column batch_id; select 1")
    sandbox.query("alter table shopify__orders drop column _batch_id; select 1")
    shutil.rmtree(sandbox.settings.home / "bronze")
    again = sandbox.land(**patterns)
    assert (again.load_id, table_of(again, "orders").known_files) == (None, 2)
    sandbox.write("p.jsonl", lines(3))
    assert table_of(sandbox.land(**patterns), "orders").rows == 1
