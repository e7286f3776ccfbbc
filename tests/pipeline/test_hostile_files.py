"""What is no export, or would take more than an export needs, is in quarantine by its name, and the rest lands."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import re
import socket
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import LandError
from pipeline.ingest.admission.limits import DOCUMENT_BYTES, RECORD_BYTES, SAFE_BYTES
from pipeline.ingest.deliveries.archive import Archive
from pipeline.ingest.deliveries.delivery import Delivery
from pipeline.ingest.exports import export_targets
from pipeline.ingest.formats.reader import Unreadable, reading_connection
from pipeline.ingest.recognition.checked_file import check_path
from pipeline.ingest.recognition.folder import folder_files
from tests.pipeline.landing_fixture import BLUEPRINTS, LandingFixture, table_of
from tests.rights import may_not_read

GOOD = json.dumps({"id": 1, "total_price": "9.90"}) + "\n"


def land(sandbox: LandingFixture) -> str:
    """Land the folder beside one good order, which lands; the findings about orders."""
    sandbox.write("orders_good.jsonl", GOOD)
    orders = table_of(sandbox.land(orders="**/orders*"), "orders")
    assert orders.rows == 1
    return "\n".join(orders.findings)


def bind(path: Path) -> None:
    """Make a socket, whose path may be no longer than some hundred characters."""
    with socket.socket(socket.AF_UNIX) as opened, contextlib.chdir(path.parent):
        opened.bind(path.name)


LEADS_OUT = "not read: it is a link that leads out of its folder"
KINDS: dict[str, tuple[Callable[[Path], object], str]] = {
    "orders_theirs.jsonl": (lambda path: path.symlink_to(path.parents[1] / "theirs.jsonl"), LEADS_OUT),
    "orders_system.csv": (lambda path: path.symlink_to("/etc/passwd"), LEADS_OUT),
    "orders_device.jsonl": (lambda path: path.symlink_to("/dev/zero"), LEADS_OUT),
    "orders_fifo.jsonl": (os.mkfifo, "not read: it is no regular file but a FIFO"),
    "orders_fifo.zip": (os.mkfifo, "not read: it is no regular file but a FIFO"),
    "orders_socket.jsonl": (bind, "not read: it is no regular file but a socket"),
    "orders_nothing.jsonl": (lambda path: path.symlink_to("nowhere.jsonl"), "cannot be read: no such file"),
    "orders_itself.jsonl": (lambda path: path.symlink_to(path.name), "cannot be read: "),
    "orders_linked/orders.jsonl": (lambda path: path.parent.symlink_to(path.parents[2] / "theirs"), LEADS_OUT),
}


def write_hostile(sandbox: LandingFixture) -> None:
    theirs = sandbox.files.parent / "theirs"
    theirs.mkdir()
    for path in (theirs / "orders.jsonl", theirs.with_suffix(".jsonl")):
        path.write_text(GOOD.replace("1", "2"), encoding="utf-8")
    for name, (make, _) in KINDS.items():
        make(sandbox.files / name)


def test_what_is_no_regular_file_of_the_folder_is_never_opened(sandbox: LandingFixture) -> None:
    write_hostile(sandbox)
    findings = land(sandbox)
    for name, (_, reason) in KINDS.items():
        assert f"{Path(name).name} is in quarantine as a whole: {reason}" in findings
    assert "root:" not in findings
    assert sandbox.counted("shopify__orders") == 1
    for name in KINDS:
        if not (sandbox.files / name).parent.is_symlink():
            (sandbox.files / name).unlink()
    (sandbox.files / "orders_fifo.jsonl").write_text(GOOD.replace("1", "3"), encoding="utf-8")
    assert table_of(sandbox.land(orders="**/orders*"), "orders").rows == 1, "what was mended lands"


def test_a_folder_that_is_read_file_by_file_and_a_check_of_it_refuse_the_same(sandbox: LandingFixture) -> None:
    write_hostile(sandbox)
    sandbox.write("orders_good.jsonl", GOOD)
    (sandbox.files / os.fsdecode(b"orders_f\xfcr.jsonl")).write_text(GOOD, encoding="utf-8")
    refused = {file.path.name: file.refused for file in folder_files(sandbox.files)}
    with reading_connection(sandbox.files) as con:
        checked = {file.path.name: file.reason for file in check_path(con, sandbox.files, BLUEPRINTS, sandbox.files)}
    assert refused.pop("orders_good.jsonl") is None
    assert refused.pop("orders_f\\xfcr.jsonl") == "not read: its name is not UTF-8; rename it"
    for name, (_, reason) in KINDS.items():
        if name != "orders_linked/orders.jsonl":
            assert str(refused.pop(name)).startswith(reason)
            assert str(checked[name]).startswith(reason)
    assert refused == {"orders_linked": LEADS_OUT}


def test_a_link_to_a_file_of_the_same_folder_is_read(sandbox: LandingFixture) -> None:
    (sandbox.files / "kept").mkdir()
    sandbox.write("kept/orders.jsonl", GOOD)
    (sandbox.files / "orders_latest.jsonl").symlink_to("kept/orders.jsonl")
    assert table_of(sandbox.land(orders="orders*"), "orders").rows == 1


def test_a_link_that_takes_the_place_of_a_file_between_finding_and_reading_is_not_followed(
    sandbox: LandingFixture,
) -> None:
    path = sandbox.write("orders.jsonl", GOOD)
    (sandbox.files.parent / "theirs.jsonl").write_text(GOOD, encoding="utf-8")
    tenant = sandbox.tenant(orders="orders*")
    (target,) = (each for each in export_targets(tenant, BLUEPRINTS, sandbox.settings) if each.paths)
    (export,) = target.exports()
    path.unlink()
    path.symlink_to(sandbox.files.parent / "theirs.jsonl")
    archive = Archive(tenant, sandbox.settings, target, Delivery((export,)), new_id="20260301T000000000000_000001_0")
    with pytest.raises(Unreadable, match="it is a link that leads out of its folder"):
        archive.put(export)


def test_a_name_that_is_no_utf_8_is_refused_by_its_name_with_escapes(sandbox: LandingFixture) -> None:
    name = os.fsdecode(b"orders_f\xfcr.jsonl")
    (sandbox.files / name).write_text(GOOD.replace("1", "2"), encoding="utf-8")
    assert "orders_f\\xfcr.jsonl is in quarantine as a whole: not read: its name is not UTF-8" in land(sandbox)
    kept = sandbox.query("select path from quarantine")
    assert kept == [(f"{sandbox.files}/orders_f\\xfcr.jsonl",)]


@pytest.mark.parametrize("pattern", ["orders*.jsonl", "*/orders*.jsonl", "**/orders*.jsonl"])
def test_a_folder_that_may_not_be_read_is_no_folder_without_files(pattern: str) -> None:
    with tempfile.TemporaryDirectory(prefix="gata-rights-") as name:
        Path(name).chmod(0o777)
        sandbox = LandingFixture(Path(name))
        (sandbox.files / "sub").mkdir()
        sandbox.write("sub/orders_1.jsonl", GOOD)
        closed = sandbox.files if pattern == "orders*.jsonl" else sandbox.files / "sub"
        with (
            may_not_read(closed),
            pytest.raises(LandError, match=rf"The folder {re.escape(str(closed))} cannot be read: permission denied"),
        ):
            export_targets(sandbox.tenant(orders=pattern), BLUEPRINTS, sandbox.settings)


def test_a_folder_of_a_source_that_may_not_be_read_is_said() -> None:
    with tempfile.TemporaryDirectory(prefix="gata-rights-") as name:
        Path(name).chmod(0o777)
        with may_not_read(Path(name)), pytest.raises(LandError, match="cannot be read: permission denied"):
            folder_files(Path(name))


def bomb(unpacked: bytes, times: int) -> bytes:
    """A gzip file of `times` the same megabytes."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as file:
        for _ in range(times):
            file.write(unpacked)
    return packed.getvalue()


TOO_MUCH = (SAFE_BYTES >> 20) + 1


@pytest.mark.long  # packs and unpacks a quarter of a gigabyte
def test_a_gzip_of_more_than_any_export_is_refused_and_not_held_in_memory(sandbox: LandingFixture) -> None:
    lines = (GOOD.strip() + " " * ((1 << 20) - len(GOOD)) + "\n").encode()
    sandbox.write("orders_bad.jsonl.gz", bomb(lines, TOO_MUCH))
    assert "orders_bad.jsonl.gz is in quarantine as a whole: it unpacks to more than 256 MB" in land(sandbox)


@pytest.mark.long  # packs and unpacks a quarter of a gigabyte
def test_a_gzip_inside_of_a_zip_has_the_limit_of_the_zip(sandbox: LandingFixture) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.jsonl.gz", bomb(b"\n" * (1 << 20), TOO_MUCH))
        archive.writestr("b.jsonl.gz", bomb(b"\n" * (1 << 20), TOO_MUCH // 2 + 1))
        archive.writestr("c.jsonl.gz", bomb(b" \n" * (1 << 19), TOO_MUCH // 2 + 1))
    sandbox.write("orders_bad.zip", packed.getvalue())
    findings = land(sandbox)
    assert "orders_bad.zip/a.jsonl.gz is in quarantine as a whole: it unpacks to more than 256 MB" in findings
    assert "orders_bad.zip/b.jsonl.gz holds no records" in findings
    assert "orders_bad.zip/c.jsonl.gz is in quarantine as a whole: orders_bad.zip: it unpacks to more than" in findings


def test_blank_lines_cost_nothing_and_lines_keep_their_numbers(sandbox: LandingFixture) -> None:
    blank = b"\n" * 5_000_000 + b" \r\n" * 1_000_000
    sandbox.write("orders.jsonl.gz", gzip.compress(GOOD.encode() + blank + b"oops\n" + GOOD.replace("1", "2").encode()))
    orders = table_of(sandbox.land(orders="orders*"), "orders")
    assert (orders.rows, orders.quarantined) == (2, 1)
    assert sandbox.query("select line from quarantine") == [(6_000_002,)]


def test_one_giant_object_is_refused(sandbox: LandingFixture) -> None:
    giant = b'{"id":2,"note":"' + b"x" * RECORD_BYTES + b'"}'
    sandbox.write("orders_a.json.gz", gzip.compress(giant, 1))
    sandbox.write("orders_b.json.gz", gzip.compress(giant + b" " * DOCUMENT_BYTES, 1))
    sandbox.write("orders_c.jsonl.gz", gzip.compress(GOOD.encode() + giant + b"\n", 1))
    findings = land(sandbox)
    assert "orders_a.json.gz is in quarantine as a whole: one record of more than 16 MB" in findings
    assert "orders_b.json.gz is in quarantine as a whole: one JSON object of more than 64 MB" in findings
    assert "orders_c.jsonl.gz is in quarantine as a whole: line 2 is longer than 16 MB" in findings


def test_a_record_of_more_fields_than_any_contract_is_in_quarantine_and_the_others_land(
    sandbox: LandingFixture,
) -> None:
    wide = {"id": 2, "total_price": "9.90", **{f"key_{number}": number for number in range(20_000)}}
    sandbox.write("orders.jsonl", GOOD + json.dumps(wide) + "\n")
    orders = table_of(sandbox.land(orders="orders*"), "orders")
    assert (orders.rows, orders.quarantined) == (1, 1)
    assert sandbox.query("select reason, length(record) from quarantine") == [
        ("the record has 20,002 fields, and no more than 1,000 are read", 10_000)
    ]


def test_many_records_with_a_field_of_their_own_each_land_and_few_are_named(sandbox: LandingFixture) -> None:
    records = [{"id": number, "total_price": "9.90", f'key "{number}/~': {"a": number}} for number in range(3_000)]
    sandbox.write("orders.jsonl", "".join(json.dumps(record) + "\n" for record in records))
    orders = table_of(sandbox.land(orders="orders*"), "orders")
    assert (orders.rows, orders.quarantined) == (3_000, 0)
    (finding,) = (each for each in orders.findings if "does not know" in each)
    assert finding.endswith(" more")
    assert len(finding) < 2_000
    kept = sandbox.query("select id, _extra::varchar from shopify__orders order by id")
    assert [(str(number), json.loads(text)) for number, text in kept[:2]] == [
        ("0", {'key "0/~': {"a": 0}}),
        ("1", {'key "1/~': {"a": 1}}),
    ]


def test_a_table_of_more_columns_than_any_export_is_refused(sandbox: LandingFixture) -> None:
    names = ["id", "total_price", *(f"c{number}" for number in range(20_000))]
    sandbox.write("orders_bad.csv", ",".join(names) + "\n" + ",".join("1" for _ in names) + "\n")
    table = pa.table({f"c{number}": pa.array([1]) for number in range(2_001)})
    pq.write_table(table, sandbox.files / "orders_bad.parquet")
    findings = land(sandbox)
    assert "orders_bad.csv is in quarantine as a whole: its header has 20,002 columns, and no more than" in findings
    assert "orders_bad.parquet is in quarantine as a whole: it has 2,001 columns, and no more than" in findings


@pytest.mark.long  # writes a quarter of a thousand million values
def test_a_parquet_file_of_one_value_many_times_has_the_limit_of_all_that_is_packed(sandbox: LandingFixture) -> None:
    path = sandbox.files / "orders_bad.parquet"
    rows = pa.table({"id": pa.repeat(1, 1 << 20), "total_price": pa.repeat("9.90", 1 << 20)})
    with pq.ParquetWriter(path, rows.schema) as writer:
        for _ in range((SAFE_BYTES >> 21) + 1):
            writer.write_table(rows)
    assert "rows of 2 columns it unpacks to more than 256 MB" in land(sandbox)


def test_a_landing_that_fails_leaves_no_draft_of_a_batch_and_the_next_clears_those_of_a_killed_one(
    sandbox: LandingFixture,
) -> None:
    def fails(*_: object) -> None:
        raise LandError("The disk is full.", "Make room.")

    sandbox.write("orders.jsonl", GOOD)
    with pytest.raises(LandError, match="The disk is full"):
        sandbox.land(progress=fails, orders="orders*")
    bronze = sandbox.settings.home / "bronze"
    assert not list(bronze.rglob(".draft_*"))
    killed = bronze / "acme/shopify/main/orders/.draft_20260301T000000000000_000001_0"
    killed.mkdir(parents=True)
    assert table_of(sandbox.land(orders="orders*"), "orders").rows == 1
    assert not list(bronze.rglob(".draft_*"))
