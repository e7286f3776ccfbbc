"""Archives: each file in a zip is a file of its own, and what is wrong with one says so by `archive.zip/member`."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.admission.limits import MAX_MEMBERS, SAFE_BYTES
from pipeline.ingest.formats.reader import Unreadable
from pipeline.ingest.formats.zip_file import extracted, members, open_member
from pipeline.ingest.land import LandedTable
from tests.pipeline.landing_fixture import LandingFixture, table_of

CENTRAL_HEADER, CENTRAL_SIZE, CENTRAL_FLAGS = b"PK\x01\x02", 24, 8  # source: PKWARE's APPNOTE.TXT, 4.3.12


def jsonl(*ids: int) -> bytes:
    return b"".join(json.dumps({"id": number, "total_price": "9.90"}).encode() + b"\n" for number in ids)


def csv(*ids: int) -> bytes:
    return b"id,total_price\n" + b"".join(f"{number},9.90\n".encode() for number in ids)


def a_list(*ids: int) -> bytes:
    return json.dumps([{"id": number, "total_price": "9.90"} for number in ids]).encode()


def parquet(*ids: int) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"id": ids, "total_price": ["9.90"] * len(ids)}), buffer)
    return buffer.getvalue()


def zipped(entries: Mapping[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", how) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def forged(archive: bytes, offset: int, form: str, value: int) -> bytes:
    """An archive whose first directory entry says something else."""
    place = archive.index(CENTRAL_HEADER) + offset
    return archive[:place] + struct.pack(form, value) + archive[place + struct.calcsize(form) :]


def orders(sandbox: LandingFixture, **options: Any) -> LandedTable:
    return table_of(sandbox.land(orders="*", **options), "orders")


def quarantined(sandbox: LandingFixture) -> list[tuple[str, int | None, str]]:
    """The paths from the archive on, lines and reasons."""
    rows = sandbox.query("select path, line, reason from quarantine order by all")
    return [(str(Path(path).relative_to(sandbox.files)), line, reason) for path, line, reason in rows]


FILES: dict[str, bytes] = {
    "orders.jsonl": jsonl(1, 2),
    "orders.jsonl.gz": gzip.compress(jsonl(3, 4)),
    "deep/folder/ORDERS.JSON": a_list(5, 6),
    "orders.json.gz": gzip.compress(a_list(7, 8)),
    "orders.csv": csv(9, 10),
    "orders.csv.gz": gzip.compress(csv(11, 12)),
    "orders.parquet": parquet(13, 14),
}


@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_file_in_an_archive_lands_as_it_does_outside(sandbox: LandingFixture, how: int) -> None:
    path = sandbox.write("export.zip", zipped(FILES, how))
    table = orders(sandbox)
    assert (table.rows, table.quarantined, table.files, table.findings) == (14, 0, len(FILES), ())
    rows = sandbox.query("select id, total_price, _source_file, _source_line from shopify__orders order by id")
    expected = [(f"{path}/{name}", line) for name in FILES for line in (1, 2)]
    assert rows == [(number, "9.90", *place) for number, place in enumerate(expected, 1)]


def test_all_files_of_an_archive_land_beside_those_outside(sandbox: LandingFixture) -> None:
    sandbox.write("a.ZIP", zipped({"one.jsonl": jsonl(1), "more/two.csv": csv(2, 3), "more/": b""}))
    sandbox.write("b.jsonl", jsonl(4))
    table = orders(sandbox)
    assert (table.rows, table.files, table.quarantined) == (4, 3, 0)


def test_what_an_archive_holds_is_known_by_its_content(sandbox: LandingFixture) -> None:
    sandbox.write("monday.zip", zipped({"one.jsonl": jsonl(1), "two.jsonl": jsonl(2)}))
    assert orders(sandbox).files == 2
    assert (orders(sandbox).files, orders(sandbox).known_files) == (0, 2)
    sandbox.write("tuesday.zip", zipped({"renamed.jsonl": jsonl(2), "new.jsonl": jsonl(3)}, zipfile.ZIP_STORED))
    sandbox.write("one.jsonl", jsonl(1))
    table = orders(sandbox)
    assert (table.rows, table.files, table.known_files) == (1, 1, 4)
    assert sandbox.counted("shopify__orders") == 3


def test_an_export_of_amplitude_is_read_as_it_is_downloaded(sandbox: LandingFixture) -> None:
    """Source: amplitude.com/docs/apis/analytics/export: a zip of gzipped JSON lines, one file an hour and part."""
    event = {"event_type": "view", "event_time": "2026-02-01 05:00:01.500000", "user_id": "u-1"}
    hours = {
        f"187520/187520_2026-02-01_{hour}#{part}.json.gz": gzip.compress(
            json.dumps(event | {"uuid": f"{hour}-{part}"}).encode()
        )
        for hour in (5, 6)
        for part in (0, 1)
    }
    sandbox.write("187520.zip", zipped(hours))
    source = sandbox.land_of("amplitude", events="*.zip", exported_at=r"187520_(\d{4}-\d\d-\d\d_\d\d?)#")
    table = table_of(source, "events")
    assert (table.rows, table.quarantined, table.files) == (4, 0, 4)


def test_the_time_of_an_export_is_in_the_name_of_the_file_or_of_its_archive(sandbox: LandingFixture) -> None:
    sandbox.write("orders_2026-02-01.zip", zipped({"a.jsonl": jsonl(1), "orders_2026-02-03.jsonl": jsonl(2)}))
    sandbox.write("orders.zip", zipped({"orders_2026-02-04.jsonl": jsonl(3)}))
    sandbox.write("some.zip", zipped({"orders_2026-02-05.jsonl": jsonl(4), "b.jsonl": jsonl(5)}))
    table = orders(sandbox, exported_at=r"orders_(\d{4}-\d\d-\d\d)")
    days = dict(sandbox.query("select id, _exported_at from shopify__orders"))
    told = {number: datetime(2026, 2, day, tzinfo=UTC).replace(tzinfo=None) for number, day in [(1, 1), (2, 3), (3, 4)]}
    assert {number: days[number] for number in told} == told
    assert days[5] is None
    assert [finding.rpartition(" ")[2] for finding in table.findings] == ["some.zip"]


def test_a_record_in_an_archive_is_quarantined_with_its_file_and_line(sandbox: LandingFixture) -> None:
    sandbox.write("export.zip", zipped({"part/a.jsonl": jsonl(1) + b'{"id": 2, "total_price": "-"}\n' + jsonl(3)}))
    table = orders(sandbox)
    assert (table.rows, table.quarantined) == (2, 1)
    ((path, line, reason),) = quarantined(sandbox)
    assert (path, line) == ("export.zip/part/a.jsonl", 2)
    assert reason.startswith("total_price: ")


def test_a_damaged_file_of_an_archive_is_quarantined_alone(sandbox: LandingFixture) -> None:
    archive = zipped({"bad.jsonl": jsonl(1), "good.jsonl": jsonl(2), "readme.txt": b"Hello"}, zipfile.ZIP_STORED)
    sandbox.write("export.zip", archive.replace(jsonl(1), jsonl(7), 1))
    table = orders(sandbox)
    assert (table.rows, table.files, table.quarantined) == (1, 1, 2)
    bad, readme = quarantined(sandbox)
    assert bad[:2] == ("export.zip/bad.jsonl", None)
    assert bad[2].startswith("damaged zip: bad crc-32")
    assert readme[0] == "export.zip/readme.txt"
    assert readme[2].startswith("no reader for the ending of readme.txt; known are .json")
    assert [finding.partition(" ")[0] for finding in table.findings] == [
        "export.zip/bad.jsonl",
        "export.zip/readme.txt",
    ]
    again = orders(sandbox)
    assert (again.rows, again.quarantined, len(again.findings)) == (0, 0, 2)
    assert all("still" in finding for finding in again.findings)


ARCHIVES: dict[str, tuple[bytes, str]] = {
    "no archive": (b"id,total_price\n1,9.90\n", "damaged zip: file is not a zip file"),
    "an archive cut short": (zipped({"a.jsonl": jsonl(1)})[:-30], "damaged zip: file is not a zip file"),
    "nothing at all": (b"", "damaged zip: file is not a zip file"),
    "an archive of nothing": (zipped({}), "the archive holds no files"),
    "an archive of folders": (zipped({"orders/": b""}), "the archive holds no files"),
    "an archive with a password": (
        forged(zipped({"a.jsonl": jsonl(1)}), CENTRAL_FLAGS, "<H", 1),
        "encrypted: the archive asks for a password",
    ),
    "a bomb": (
        forged(zipped({"a.jsonl": jsonl(1)}), CENTRAL_SIZE, "<I", SAFE_BYTES + 1),
        "the archive: it unpacks to more than 256 MB",
    ),
    "one name for two files": (
        zipped({"a.jsonl": jsonl(1), "./a.jsonl": jsonl(2)}),
        "the archive holds a.jsonl twice",
    ),
    "too many files": (
        zipped({f"{number}.jsonl": b"" for number in range(MAX_MEMBERS + 1)}, zipfile.ZIP_STORED),
        f"the archive holds {MAX_MEMBERS + 1} files, more than {MAX_MEMBERS}",
    ),
    "an archive in an archive": (
        zipped({"inner.zip": zipped({"a.jsonl": jsonl(1)})}),
        "no reader for the ending of inner.zip",
    ),
    "a rare compression": (
        zipped({"a.jsonl": jsonl(1)}, zipfile.ZIP_LZMA),
        "compressed in a way that no reader is known for (method 14)",
    ),
    "an empty file": (zipped({"a.jsonl": b""}), "the file is empty: zero bytes"),
    "a gzip cut short": (zipped({"a.jsonl.gz": gzip.compress(jsonl(1))[:-9]}), "damaged gzip: "),
}


def test_archives_that_cannot_be_read_are_named_and_stop_no_other_file(sandbox: LandingFixture) -> None:
    for what, (content, _) in ARCHIVES.items():
        sandbox.write(f"{what}.zip", content)
    sandbox.write("good.jsonl", jsonl(99))
    table = orders(sandbox)
    assert (table.rows, table.files, table.quarantined) == (1, 1, len(ARCHIVES))
    said = {Path(path).parts[0].removesuffix(".zip"): reason for path, _, reason in quarantined(sandbox)}
    assert {what: reason[: len(ARCHIVES[what][1])] for what, reason in said.items()} == {
        what: reason for what, (_, reason) in ARCHIVES.items()
    }
    again = orders(sandbox)
    assert (again.quarantined, len(again.findings)) == (0, len(ARCHIVES))


def test_a_mended_archive_lands(sandbox: LandingFixture) -> None:
    sandbox.write("export.zip", b"not yet written")
    assert orders(sandbox).quarantined == 1
    sandbox.write("export.zip", zipped({"a.jsonl": jsonl(1)}))
    assert orders(sandbox).rows == 1


def test_a_name_that_leads_elsewhere_leads_nowhere(sandbox: LandingFixture) -> None:
    names = ["../../outside.jsonl", "/outside.jsonl", "a/../../../outside.jsonl", "C:\\outside.jsonl"]
    sandbox.write("export.zip", zipped({name: jsonl(number) for number, name in enumerate(names)}))
    assert orders(sandbox).rows == len(names)
    assert not list(sandbox.files.parent.rglob("*outside.jsonl"))
    assert not Path("/outside.jsonl").exists()


def test_what_a_mac_adds_to_an_archive_is_no_file_of_it(sandbox: LandingFixture) -> None:
    entries = {"a.jsonl": jsonl(1), "__MACOSX/._a.jsonl": b"\0\5\x16\7", "orders/.DS_Store": b"\0"}
    sandbox.write("export.zip", zipped(entries))
    table = orders(sandbox)
    assert (table.rows, table.files, table.quarantined) == (1, 1, 0)


def test_a_folder_whose_name_ends_like_an_archive_is_a_folder(sandbox: LandingFixture) -> None:
    (sandbox.files / "orders.zip").mkdir()
    path = sandbox.write("orders.zip/a.jsonl", jsonl(1))
    table = table_of(sandbox.land(orders="*/*.jsonl"), "orders")
    assert (table.rows, table.quarantined) == (1, 0)
    assert sandbox.query("select distinct _source_file from shopify__orders") == [(str(path),)]


def test_an_archive_that_goes_while_it_is_read_is_no_crash(tmp_path: Path) -> None:
    archive = tmp_path / "export.zip"
    archive.write_bytes(zipped({"a.jsonl": jsonl(1)}))
    (inside,) = members(archive)
    archive.write_bytes(zipped({"b.jsonl": jsonl(1)}))
    with pytest.raises(Unreadable, match=r"export.zip no longer holds it"), open_member(inside):
        pass
    archive.unlink()
    with pytest.raises(Unreadable, match="cannot be read"), open_member(inside):
        pass


def test_the_copy_that_a_reader_works_on_is_gone_afterwards(tmp_path: Path) -> None:
    archive = tmp_path / "export.zip"
    archive.write_bytes(zipped({"deep/a.jsonl.gz": gzip.compress(jsonl(1))}))
    (inside,) = members(archive)
    folder = tmp_path / "unpacked"
    folder.mkdir()
    with extracted(inside, folder) as copy:
        assert copy.name == "member.jsonl.gz"
        assert gzip.decompress(copy.read_bytes()) == jsonl(1)
        assert copy.is_relative_to(folder)
    assert not list(folder.iterdir())


def test_an_archive_in_which_a_file_has_no_name_is_damaged(tmp_path: Path) -> None:
    archive = tmp_path / "export.zip"
    archive.write_bytes(zipped({"a.jsonl": jsonl(1)}).replace(b"a.jsonl", b"\0.jsonl"))
    with pytest.raises(Unreadable, match="damaged zip: a file in it has no name"):
        members(archive)


ENTRIES = {"größe.jsonl": jsonl(1, 2, 3), "b.csv": csv(4)}
PACKED = [zipped(ENTRIES, how) for how in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)]


@given(st.data())
def test_whatever_byte_is_wrong_an_archive_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(data.draw(st.sampled_from(PACKED)))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=3)):
        content[place] = data.draw(st.integers(0, 255))
    archive = tmp_path_factory.mktemp("flipped") / "export.zip"
    archive.write_bytes(content)
    with suppress(Unreadable):
        for inside in members(archive):
            with suppress(Unreadable), open_member(inside) as member:
                member.read()
