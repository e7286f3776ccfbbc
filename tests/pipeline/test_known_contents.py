"""Deliveries are known by the stamps of their files: what is read again, and that no change is missed."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.ingest.admission import known_contents
from pipeline.ingest.admission.known_contents import STEP_NS, KnownContents, is_settled, stamp_of
from pipeline.ingest.deliveries.grouping import group
from pipeline.ingest.exports import export_targets
from pipeline.ingest.land import land_tenant
from tests.pipeline.landing_fixture import BLUEPRINTS, LandingFixture, table_of

LONG_AGO = 1_700_000_000


@pytest.fixture
def landing(tmp_path: Path) -> LandingFixture:
    return LandingFixture(tmp_path)


@pytest.fixture
def is_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that were just written count as still: the times of change cannot be set back as a test would need it."""
    monkeypatch.setattr(known_contents, "STEP_NS", 0)


@pytest.fixture
def read_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of export files that are opened, in order."""
    opened: list[str] = []
    open_ = os.open

    def watched(path: str | Path, *rest: int, **more: int) -> int:
        if str(path).endswith((".jsonl", ".zip")):
            opened.append(Path(path).name)
        return open_(path, *rest, **more)

    monkeypatch.setattr(os, "open", watched)
    return opened


def order(number: int, price: str = "10.00") -> str:
    known = {"currency": "EUR", "financial_status": "paid", "line_items": []}
    times = dict.fromkeys(("created_at", "updated_at"), "2026-02-02T09:00:00+01:00")
    return json.dumps({"id": number, "total_price": price, **known, **times}) + "\n"


def new_files(landing: LandingFixture) -> int:
    return table_of(landing.land(orders="orders*"), "orders").files


@pytest.mark.usefixtures("is_still")
def test_a_file_that_stayed_is_not_opened_again(landing: LandingFixture, read_files: list[str]) -> None:
    landing.write("orders_1.jsonl", order(1))
    with zipfile.ZipFile(landing.files / "orders_2.zip", "w") as archive:
        archive.writestr("orders_2.jsonl", order(2))
    assert new_files(landing) == 2
    new_files(landing)
    read_files.clear()
    assert new_files(landing) == 0
    assert read_files == []


@pytest.mark.usefixtures("is_still")
def test_a_new_file_among_many_is_the_only_one_that_is_opened(landing: LandingFixture, read_files: list[str]) -> None:
    for number in range(20):
        landing.write(f"orders_{number}.jsonl", order(number))
    new_files(landing)
    landing.write("orders_new.jsonl", order(99))
    read_files.clear()
    assert new_files(landing) == 1
    assert set(read_files) == {"orders_new.jsonl"}


@pytest.mark.usefixtures("is_still")
def test_the_same_size_with_a_newer_time_is_another_content(landing: LandingFixture) -> None:
    landing.write("orders.jsonl", order(1, "10.00"))
    new_files(landing)
    landing.write("orders.jsonl", order(1, "99.00"))
    assert new_files(landing) == 1


@pytest.mark.usefixtures("is_still")
def test_a_file_that_was_replaced_by_one_of_the_same_size_and_time_is_read(landing: LandingFixture) -> None:
    path = landing.write("orders.jsonl", order(1, "10.00"))
    os.utime(path, (LONG_AGO, LONG_AGO))
    new_files(landing)
    other = landing.write("other.tmp", order(1, "99.00"))
    os.utime(other, (LONG_AGO, LONG_AGO))
    other.replace(path)
    assert new_files(landing) == 1


@pytest.mark.usefixtures("is_still")
def test_a_file_written_in_place_with_its_old_time_restored_is_read(landing: LandingFixture) -> None:
    path = landing.write("orders.jsonl", order(1, "10.00"))
    os.utime(path, (LONG_AGO, LONG_AGO))
    new_files(landing)
    landing.write("orders.jsonl", order(1, "99.00"))
    os.utime(path, (LONG_AGO, LONG_AGO))
    assert new_files(landing) == 1


@pytest.mark.usefixtures("is_still")
def test_a_touched_file_with_the_same_content_is_no_new_delivery(
    landing: LandingFixture, read_files: list[str]
) -> None:
    path = landing.write("orders.jsonl", order(1))
    new_files(landing)
    path.touch()
    read_files.clear()
    assert new_files(landing) == 0
    assert set(read_files) == {"orders.jsonl"}
    read_files.clear()
    assert new_files(landing) == 0
    assert read_files == []


def test_a_file_just_written_is_read_again(landing: LandingFixture, read_files: list[str]) -> None:
    landing.write("orders.jsonl", order(1))
    new_files(landing)
    read_files.clear()
    assert new_files(landing) == 0
    assert read_files != []


def test_a_change_within_one_step_of_the_file_system_is_seen(landing: LandingFixture) -> None:
    path = landing.write("orders.jsonl", order(1, "10.00"))
    status = path.stat()
    contents = KnownContents(landing.files / "kept.sqlite", now=lambda: status.st_ctime_ns + STEP_NS // 2)
    with contents:
        contents.content(path, lambda: ("first", 1))
    with KnownContents(landing.files / "kept.sqlite") as again:
        assert again.content(path, lambda: ("second", 1)) == ("second", 1)


def test_a_file_is_settled_when_both_its_times_are_older_than_a_step(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    os.utime(tmp_path / "file", (LONG_AGO, LONG_AGO))
    status = (tmp_path / "file").stat()
    assert not is_settled(status, status.st_ctime_ns + STEP_NS)
    assert is_settled(status, status.st_ctime_ns + STEP_NS + 1)


@pytest.mark.usefixtures("is_still")
def test_a_file_that_changes_while_it_is_read_is_not_known(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("before")

    def read() -> tuple[str, int]:
        path.write_text("after, and longer")
        return "digest of before", 6

    with KnownContents(tmp_path / "kept.sqlite") as contents:
        contents.content(path, read)
    with KnownContents(tmp_path / "kept.sqlite") as again:
        assert not again.is_known(path)


@pytest.mark.usefixtures("is_still")
def test_verifying_finds_a_content_that_changed_under_its_stamp(landing: LandingFixture) -> None:
    path = landing.write("orders.jsonl", order(1, "10.00"))
    new_files(landing)
    landing.write("orders.jsonl", order(1, "99.00"))
    kept = landing.settings.home / "recognised/acme/contents.sqlite"
    with closing(sqlite3.connect(kept)) as database, database:  # as a file system does that counts no times
        database.execute("update contents set stamp = ?", (stamp_of(path.stat()),))
    assert new_files(landing) == 0
    tenant = landing.tenant(orders="orders*")
    orders = table_of(land_tenant(tenant, BLUEPRINTS, landing.settings, verifies=True), "orders")
    assert orders.files == 1
    assert any("orders.jsonl has another content than before" in finding for finding in orders.findings)
    assert table_of(land_tenant(tenant, BLUEPRINTS, landing.settings, verifies=True), "orders").findings == ()


@pytest.mark.usefixtures("is_still")
def test_verifying_reads_a_share_at_a_time_and_all_in_twenty_runs(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.jsonl" for number in range(1000)]
    for path in paths:
        path.touch()
    read: list[Path] = []

    def run(*, verifies: bool) -> None:
        with KnownContents(tmp_path / "kept.sqlite", verifies=verifies) as contents:
            for path in paths:
                contents.content(path, lambda path=path: (read.append(path), ("digest", 0))[1])  # type: ignore[misc]

    run(verifies=False)
    read.clear()
    run(verifies=True)
    assert len(read) == 50
    for _ in range(19):
        run(verifies=True)
    assert sorted(read) == sorted(paths)


@pytest.mark.usefixtures("is_still")
def test_a_damaged_record_of_contents_costs_a_reading(landing: LandingFixture) -> None:
    landing.write("orders.jsonl", order(1))
    new_files(landing)
    kept = landing.settings.home / "recognised/acme/contents.sqlite"
    kept.write_bytes(b"no database" * 100)
    assert new_files(landing) == 0
    with closing(sqlite3.connect(kept)) as database:
        assert database.execute("select count(*) from contents").fetchone() == (1,)


@pytest.mark.usefixtures("is_still")
def test_files_that_are_gone_are_forgotten(landing: LandingFixture) -> None:
    path = landing.write("orders_1.jsonl", order(1))
    landing.write("orders_2.jsonl", order(2))
    new_files(landing)
    path.unlink()
    new_files(landing)
    with closing(sqlite3.connect(landing.settings.home / "recognised/acme/contents.sqlite")) as database:
        names = [Path(name).name for (name,) in database.execute("select path from contents").fetchall()]
    assert names == ["orders_2.jsonl"]


@pytest.mark.usefixtures("is_still")
def test_a_known_content_that_proves_wrong_is_read_anew(landing: LandingFixture) -> None:
    path = landing.write("orders.jsonl", order(1, "10.00"))
    tenant = landing.tenant(orders="orders*")
    with KnownContents.of_tenant(landing.settings, tenant.slug) as contents:
        contents.content(path, lambda: ("0" * 64, 1))
    assert table_of(landing.land(tenant), "orders").files == 0
    assert table_of(landing.land(tenant), "orders").files == 1


@pytest.mark.usefixtures("is_still")
def test_the_files_of_an_archive_are_known_by_the_archive(landing: LandingFixture, read_files: list[str]) -> None:
    def pack(price: str) -> None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("orders_1.jsonl", order(1, price))
            archive.writestr("orders_2.jsonl", order(2, price))
        landing.write("orders.zip", packed.getvalue())

    def found() -> Iterator[str | None]:
        with KnownContents.of_tenant(landing.settings, tenant.slug) as contents:
            for target in export_targets(tenant, BLUEPRINTS, landing.settings, contents):
                for delivery in group(target).deliveries:
                    yield from (file.sha256 for file in delivery.files)

    tenant = landing.tenant(orders="orders*")
    pack("10.00")
    first = list(found())
    read_files.clear()
    assert list(found()) == first
    assert read_files == []
    pack("99.00")
    assert set(first).isdisjoint(found())
    assert set(read_files) == {"orders.zip"}
