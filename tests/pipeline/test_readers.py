"""Every format to the same landing rows, and every value that does not convert to a reason with its place."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from pipeline.contracts.connector import contracts_of
from pipeline.contracts.fields import Contract, DateText, IntegerText, Nested, Text
from pipeline.ingest.formats.reader import Reader, Unreadable
from pipeline.ingest.key_conflicts import Conflicts
from pipeline.ingest.quarantine import explain_rejection

ORDERS = contracts_of("shopify")["orders"]
PRODUCTS = contracts_of("shopify")["products"]
EVENTS = contracts_of("google_analytics")["events"]
INSIGHTS = contracts_of("facebook_ads")["facebook_insights"]

ORDER = {
    "id": 1,
    "created_at": "2026-01-02T10:00:00+01:00",
    "total_price": "12.50",
    "test": False,
    "customer": {"id": 7, "email": "a@b.c"},
    "line_items": [{"id": 70, "quantity": 2, "price": "6.25"}],
}
EVENT = {"event_name": "page_view", "event_timestamp": 1611431281239472, "event_date": "20210123"}


@dataclass
class Read:
    """What was read: good rows without their absent fields, by position; and (position, reason) of the others."""

    good: list[dict[str, Any]]
    wrong: list[tuple[int, str]]
    unknown: set[str]


Reads = Callable[..., Read]


def packed(content: bytes) -> bytes:
    """Gzipped without the time: tests are named after it, and every worker must find the same names."""
    return gzip.compress(content, mtime=0)


@pytest.fixture
def read(tmp_path: Path) -> Reads:
    """Write content under a name and read it by a contract."""

    def read(name: str, content: str | bytes, contract: type[Contract] = ORDERS) -> Read:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_path(path, contract, tmp_path)

    return read


def read_path(path: Path, contract: type[Contract], folder: Path) -> Read:
    with duckdb.connect(config={"threads": 2}) as con:
        con.execute("set TimeZone = 'UTC'")
        reader = Reader(con, contract, folder)
        good, wrong = [], []
        for batch in reader.read(path):
            good += batch.good.to_pylist()
            wrong += batch.wrong.to_pylist()
    rows = sorted(good, key=lambda row: row["_source_line"])
    reasons = sorted((row["_source_line"], explain_rejection(contract, row["_wrong"], row["_record"])) for row in wrong)
    return Read([{name: v for name, v in row.items() if v is not None} for row in rows], reasons, reader.unknown)


def lines(*records: object) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def order(**fields: object) -> dict[str, object]:
    return ORDER | fields


AS_LANDED = {
    "id": 1,
    "created_at": "2026-01-02T10:00:00+01:00",
    "total_price": "12.50",
    "test": False,
    "customer": '{"id":7,"email":"a@b.c"}',
    "line_items": '[{"id":70,"quantity":2,"price":"6.25"}]',
    "_source_line": 1,
}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("o.jsonl", lines(ORDER)),
        ("o.ndjson", lines(ORDER)),
        ("o.jsonl", json.dumps(ORDER)),  # no newline at its end
        ("o.jsonl", "\ufeff" + lines(ORDER)),
        ("o.jsonl", lines(ORDER).replace("\n", "\r\n")),
        ("o.json", json.dumps([ORDER], indent=2)),
        ("o.json", "\ufeff \n" + json.dumps([ORDER]) + "\n\n"),
        ("o.json", json.dumps({"orders": [ORDER]})),
        ("o.json", json.dumps({"order": ORDER}, indent=1)),
        ("o.json", json.dumps({"paging": {}, "data": [ORDER]})),
        ("o.json", json.dumps(ORDER)),
        ("o.json", json.dumps(ORDER, indent=2)),
        ("ORDERS.JSON", json.dumps([ORDER])),
    ],
)
def test_every_form_of_json_gives_the_same_row_also_gzipped(read: Reads, name: str, text: str) -> None:
    assert read(name, text).good == [AS_LANDED]
    assert read(name + ".gz", packed(text.encode())).good == [AS_LANDED]


def test_a_json_file_that_is_really_one_record_per_line_is_read_so(read: Reads) -> None:
    found = read("o.json", "\n" + lines(ORDER) + "oops\n" + lines(order(id=2)))
    assert [row["id"] for row in found.good] == [1, 2]
    assert [line for line, _ in found.wrong] == [3]


def test_csv_holds_nested_fields_as_json_text_or_as_dotted_columns(read: Reads) -> None:
    items = '"[{""id"":70,""quantity"":2,""price"":""6.25""}]"'
    whole = "\ufeffID,Created_At,total_price,test,customer,line_items\n"
    row = f'1,2026-01-02T10:00:00+01:00,12.50,FALSE,"{{""id"": 7, ""email"": ""a@b.c""}}",{items}\n'
    assert read("o.csv", whole + row).good == [AS_LANDED]

    dotted = "id,created_at,total_price,test,customer.id,Customer.Email,line_items\r\n"
    row = f"1,2026-01-02T10:00:00+01:00,12.50,false,7,a@b.c,{items}\r\n"
    (good,) = read("o.csv.gz", packed((dotted + row).encode())).good
    assert good == AS_LANDED | {"customer": '{"id":"7","email":"a@b.c"}'}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_finds_its_delimiter_in_the_header(read: Reads, delimiter: str) -> None:
    text = "id,name,email\n1,a,b\n".replace(",", delimiter)
    assert read("o.csv", text).good == [{"id": 1, "name": "a", "email": "b", "_source_line": 1}]


def test_a_csv_header_may_have_blank_lines_before_it_and_newlines_in_it(read: Reads) -> None:
    text = '\ufeff\n\nid,"name","a\nb"\n1,x,y\n2,z\n'
    found = read("o.csv", text)
    assert found.good == [{"id": 1, "name": "x", "_extra": '{"a\\nb":"y"}', "_source_line": 1}]
    assert found.wrong == [(2, "the row has 2 columns, and the header has 3")]


def write_parquet(path: Path, select: str) -> Path:
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'Europe/Amsterdam'")
        con.execute(f"copy ({select}) to '{path}' (format parquet)")
    return path


def test_parquet_types_become_the_texts_an_api_would_send(tmp_path: Path) -> None:
    path = write_parquet(
        tmp_path / "o[1].parquet",
        """select 1::integer as id, timestamptz '2026-01-02 10:00:00+01' as created_at,
        12.5::decimal(9, 2) as total_price, false as test, {id: 7, email: 'a@b.c', first_name: null} as customer,
        [{id: 70, quantity: 2::smallint, price: 6.25::decimal(9, 2), sku: null}] as line_items, 5 as mystery""",
    )
    found = read_path(path, ORDERS, tmp_path)
    assert found.good == [AS_LANDED | {"created_at": "2026-01-02T09:00:00Z", "_extra": '{"mystery":5}'}]
    assert found.unknown == {"mystery"}


def test_parquet_of_an_event_stream_keeps_absent_members_absent(tmp_path: Path) -> None:
    path = write_parquet(
        tmp_path / "e.parquet",
        """select date '2021-01-23' as event_date, timestamp '2021-01-23 19:48:01.239472' as event_timestamp,
        'x' as event_name, 4242::bigint as stream_id, null::struct(country varchar) as geo,
        [{key: 'a', value: {string_value: null::varchar, int_value: 3::bigint}}, null] as event_params""",
    )
    (row,) = read_path(path, EVENTS, tmp_path).good
    assert row == {
        "event_date": "20210123",
        "event_timestamp": 1611431281239472,
        "event_name": "x",
        "stream_id": "4242",
        "event_params": '[{"key":"a","value":{"int_value":3}},null]',
        "_source_line": 1,
    }


def test_whole_numbers_land_alike_as_text_and_as_numbers(read: Reads) -> None:
    texts = EVENT | {"event_timestamp": "1611431281239472", "stream_id": 77, "event_value_in_usd": "1.5"}
    numbers = EVENT | {"stream_id": "77", "event_value_in_usd": 1.5}
    first, second = read("e.jsonl", lines(texts, numbers), EVENTS).good
    assert first | {"_source_line": 0} == second | {"_source_line": 0}
    assert first["event_timestamp"] == 1611431281239472


def test_empty_text_is_absent_unless_the_field_is_text(read: Reads) -> None:
    blank = {"id": 1, "name": "", "total_price": "", "test": " ", "created_at": "", "customer": "", "order_number": ""}
    assert read("o.jsonl", lines(blank)).good == [{"id": 1, "name": "", "_source_line": 1}]


def test_unknown_fields_are_kept_as_they_came(read: Reads) -> None:
    record = {"id": 1, "Id": 2, "": 3, 'we"ird': {"a": [1.5, None]}, "gone": None, "ünïcode": "x", "_extra": 4}
    found = read("o.jsonl", lines(record))
    assert json.loads(found.good[0]["_extra"]) == {
        "Id": 2,
        "": 3,
        'we"ird': {"a": [1.5, None]},
        "ünïcode": "x",
        "_extra": 4,
    }
    assert found.unknown == set(record) - {"id"}
    assert found.good[0]["id"] == 1


def test_malformed_lines_carry_their_numbers_and_blank_lines_are_no_records(read: Reads) -> None:
    text = b'{"id": 1}\n\n{"id": 2\n[1, 2]\n   \n{"id": 3, "name": "\xff"}\nnull\n{"id": 4}\n"text"'
    found = read("o.jsonl", text)
    assert [(row["id"], row["_source_line"]) for row in found.good] == [(1, 1), (4, 8)]
    assert found.wrong == [
        (3, "not JSON: Expecting ',' delimiter: line 1 column 9 (char 8)"),
        (4, "a record is a JSON object, not [1, 2]"),
        (6, "not UTF-8 text"),
        (7, "a record is a JSON object, not null"),
        (9, 'a record is a JSON object, not "text"'),
    ]


def test_csv_rows_that_do_not_parse_carry_their_place_and_spare_the_others(read: Reads) -> None:
    text = b'id,name\n1,a\n2\n3,"b\nb"\n4,c,d\n5,\xff\n6,"say ""hi"""\n\n7,e'
    found = read("o.csv", text)
    assert [(row["id"], row["_source_line"]) for row in found.good] == [(1, 1), (3, 3), (6, 6), (7, 7)]
    assert found.wrong == [
        (2, "the row has 1 columns, and the header has 2"),
        (4, "the row has 3 columns, and the header has 2"),
        (5, "not UTF-8 text"),
    ]


def test_csv_positions_hold_across_blocks(read: Reads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.ingest.formats.csv_file.BLOCK_BYTES", 64)
    rows = [f"{number}" if number % 7 == 3 else f"{number},{'x' * (number % 9)}" for number in range(1, 200)]
    found = read("o.csv", "\n".join(["id,name", *rows]))
    assert {row["id"] for row in found.good} == {n for n in range(1, 200) if n % 7 != 3}
    assert all(row["id"] == row["_source_line"] for row in found.good)
    assert [line for line, _ in found.wrong] == [n for n in range(1, 200) if n % 7 == 3]


def test_line_numbers_hold_across_blocks(read: Reads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.ingest.formats.json_texts.BLOCK_BYTES", 100)
    found = read("o.jsonl", "".join("\n" if n % 5 == 0 else lines({"id": n, "name": "é" * n}) for n in range(1, 40)))
    assert [(row["id"], row["name"]) for row in found.good] == [(n, "é" * n) for n in range(1, 40) if n % 5]
    assert all(row["id"] == row["_source_line"] for row in found.good)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"id": None}, "id is missing"),
        ({"id": "12.5"}, "id: '12.5' is not a whole number"),
        ({"id": 10**30}, "id: 1000000000000000000000000000000 is not a whole number"),
        ({"id": {"a": 1}}, "id: Input should be a valid integer"),
        ({"name": {"a": 1}}, "name: Input should be a valid string"),
        ({"name": ["a"]}, "name: Input should be a valid string"),
        ({"total_price": "12,50"}, "total_price: '12,50' is not a number"),
        ({"total_price": "1000000000000"}, "total_price: '1000000000000' is not a number below 10^12"),
        ({"total_price": "NaN"}, "total_price: 'NaN' is not a number"),
        ({"test": "perhaps"}, "test: Input should be a valid boolean, unable to interpret input"),
        ({"created_at": "2026-01-02 10:00:00"}, "created_at: '2026-01-02 10:00:00' has no offset from UTC"),
        ({"created_at": "2026-02-30T10:00:00Z"}, "created_at: '2026-02-30T10:00:00Z' is a day of no calendar"),
        (
            {"created_at": "2026-01-02T10:00Z"},
            "created_at: '2026-01-02T10:00Z' is not a time with seconds and an offset from UTC",
        ),
        ({"customer": "someone"}, "customer: Input should be an object"),
        ({"customer": [1]}, "customer: Input should be an object"),
        ({"customer": {"email": {"a": 1}}}, "customer.email: Input should be a valid string"),
        ({"line_items": {"id": 1}}, "line_items: Input should be a valid array"),
        (
            {"line_items": [{"id": 1}, 2]},
            "line_items.1: Input should be an object",
        ),
        ({"line_items": [{"price": "cheap"}]}, "line_items.0.price: 'cheap' is not a number"),
        ({"line_items": [{"id": 1}, {"title": ["x"]}]}, "line_items.1.title: Input should be a valid string"),
        (
            {"refunds": [{"id": 1, "transactions": 5}]},
            "refunds.0.transactions: Input should be a valid array",
        ),
        (
            {"refunds": [{"transactions": [{"amount": "1"}]}, {"transactions": [{"amount": "much"}]}]},
            "refunds.1.transactions.0.amount: 'much' is not a number",
        ),
        (
            {"refunds": [{"transactions": [{"amount": "1"}, "x"]}]},
            "refunds.0.transactions.1: Input should be an object",
        ),
    ],
)
def test_a_value_that_does_not_convert_says_which_and_why(read: Reads, fields: dict[str, Any], reason: str) -> None:
    found = read("o.jsonl", lines(ORDER, order(**fields), order(id=3)))
    assert [row["id"] for row in found.good] == [1, 3]
    assert found.wrong == [(2, reason)]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (
            {"event_timestamp": 1611431281},
            "event_timestamp: 1611431281 is not microseconds since 1970, between 2000 and 2100",
        ),
        ({"event_date": "2021-01-23"}, "event_date: '2021-01-23' is not a date, YYYYMMDD"),
        ({"event_date": "20210230"}, "event_date: '20210230' is a day of no calendar"),
        ({"event_name": ""}, "event_name is missing"),
        (
            {"event_params": [{"key": "a", "value": {"int_value": 1.5}}]},
            "event_params.0.value.int_value: Input should be a valid integer, got a number with a fractional part",
        ),
        (
            {"event_params": [{"key": "a", "value": 7}]},
            "event_params.0.value: Input should be an object",
        ),
        (
            {"event_params": [{"key": "a", "value": {}}, {"key": "b", "value": {"string_value": {"x": 1}}}]},
            "event_params.1.value.string_value: Input should be a valid string",
        ),
        (
            {"session_traffic_source_last_click": {"manual_campaign": []}},
            "session_traffic_source_last_click.manual_campaign: Input should be an object",
        ),
        (
            {"ecommerce": {"purchase_revenue": 1e12}},
            "ecommerce.purchase_revenue: 1000000000000.0 is not a number below 10^12",
        ),
    ],
)
def test_an_event_that_does_not_convert_says_why(read: Reads, fields: dict[str, Any], reason: str) -> None:
    found = read("e.jsonl", lines(EVENT, EVENT | fields), EVENTS)
    assert found.wrong == [(2, reason)]


def test_what_looks_odd_and_is_right_passes(read: Reads) -> None:
    odd = {
        "name": "{not json",
        "email": '["a"]',
        "total_price": 12.5,
        "subtotal_price": "-0.000001",
        "total_tax": " 1e3 ",
        "order_number": "17850.0",
        "created_at": "2026-01-02T10:00:00.123456-0330",
        "updated_at": "2026-01-02 10:00:00Z",
        "customer": {"email": "{x}", "tags": [{"deep": 1}], "id": None},
        "line_items": [{"title": "[x]", "id": "5"}, {}, None],
        "refunds": [{"transactions": None}, {"transactions": []}],
        "note_attributes": [],
        "shipping_address": {},
        "billing_address": None,
    }
    found = read("o.jsonl", lines(order(**odd)))
    assert found.wrong == []
    assert found.good[0]["order_number"] == 17850
    assert found.good[0]["total_price"] == "12.5"
    assert found.good[0]["customer"] == '{"email":"{x}","tags":[{"deep":1}],"id":null}'


def test_the_same_faults_are_found_in_parquet_by_its_types(tmp_path: Path) -> None:
    path = write_parquet(
        tmp_path / "e.parquet",
        """select * from (values
        ('20210123', 1611431281239472, [{key: 'a', value: {double_value: 1.0::double}}], {purchase_revenue: 1::double}),
        ('20210123', 1611431281, [], null),
        ('2021-01-23', 1611431281239472, [], null),
        ('20210123', 1611431281239472, [{key: 'a', value: {double_value: 'nan'::double}}], null),
        ('20210123', 1611431281239472, [], {purchase_revenue: 'inf'::double}),
        (null, 1611431281239472, [], null))
        t(event_date, event_timestamp, event_params, ecommerce),
        (select 'x' as event_name, 'inf'::double as event_value_in_usd)""",
    )
    found = read_path(path, EVENTS, tmp_path)
    assert [(row["_source_line"], "event_value_in_usd" in row) for row in found.good] == [(1, False)]
    assert [(line, reason.split(" is ")[0].split(":")[0]) for line, reason in found.wrong] == [
        (2, "event_timestamp"),
        (3, "event_date"),
        (4, "event_params.0.value.double_value"),
        (5, "ecommerce.purchase_revenue"),
        (6, "event_date"),
    ]


def test_a_parquet_column_of_another_kind_is_named(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "o.parquet", "select 1 as id, {a: 1} as name, 5 as customer, 'x' as line_items")
    found = read_path(path, ORDERS, tmp_path)
    assert found.wrong == [(1, "name: Input should be a valid string")]
    path = write_parquet(
        tmp_path / "p.parquet", """select 1 as id, '[{"id": 5}]' as line_items, '{"id":' as customer"""
    )
    assert read_path(path, ORDERS, tmp_path).wrong[0][1].startswith("customer: Input should be an object")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("o.jsonl", b"", "the file is empty: zero bytes"),
        ("o.jsonl.gz", b"", "the file is empty: zero bytes"),
        ("o.csv", b"", "the file is empty: zero bytes"),
        ("o.json", b"", "the file is empty: zero bytes"),
        ("o.parquet", b"", "the file is empty: zero bytes"),
        ("o.csv.gz", packed(b""), "its header names no column"),
        ("o.csv", b"\n\n", "its header names no column"),
        ("o.csv", b"id,name,ID\n1,2,3\n", "its header names id twice"),
        ("o.csv", b'id,name\n1,"open\n2,b\n', "a quote is opened and never closed"),
        ("o.jsonl.gz", packed(b'{"id": 1}\n' * 999)[:-20], "damaged gzip: compressed file ended before"),
        ("o.jsonl.gz", b"not gzip", "damaged gzip: not a gzipped file"),
        ("o.csv.gz", packed(b"id,name\n" + b"1,a\n" * 999)[:-20], "damaged gzip: compressed file ended"),
        ("o.json.gz", packed(b'[{"id": 1}]' + b" " * 999)[:-20], "damaged gzip: compressed file ended"),
        ("o.json", b'{"orders": [{"id": 1}', "not JSON: Expecting ',' delimiter"),
        ("o.json", b'[{"id": 1}, {"id": 2}, ', "a JSON list that is cut short"),
        ("o.json", b'[{"id": 1}, {"id": ', "a JSON list that is cut short"),
        ("o.json", b'[{"id": 1} {"id": 2}]', "Malformed JSON"),
        ("o.json", b"7", "neither a JSON list nor an object, but"),
        ("o.json", b'{"orders": 7}', "orders holds neither a list of records nor one record"),
        ("o.json", b'{"id": "\xff"}', "not UTF-8 text"),
        ("o.parquet", b"PAR1 nonsense", "No magic bytes found"),
        ("o.xlsx", b"PK", "no reader for the ending of o.xlsx"),
        ("o.parquet.gz", b"x", "no reader for the ending of o.parquet.gz"),
    ],
)
def test_a_file_that_cannot_be_read_as_a_whole_says_why(read: Reads, name: str, content: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(name, content)
    assert reason in caught.value.reason
    assert caught.value.lasting


@pytest.mark.parametrize("workers", [1, 3, 40])
def test_however_many_read_a_parquet_file_each_record_comes_once_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setattr("pipeline.ingest.formats.parquet_file.ROWS_OF_A_STREAM", 300)
    path = write_parquet(
        tmp_path / "o.parquet",
        "select 10 * range as id, if(range % 1000 = 299, 'much', '1') as total_price from range(5003)",
    )
    with duckdb.connect(config={"threads": 1}) as con:
        con.execute("set TimeZone = 'UTC'")
        batches = list(Reader(con, ORDERS, tmp_path, workers=workers).read(path))
    good = sorted((row["_source_line"], row["id"]) for batch in batches for row in batch.good.to_pylist())
    wrong = sorted(row["_source_line"] for batch in batches for row in batch.wrong.to_pylist())
    assert wrong == [300, 1300, 2300, 3300, 4300]
    assert good == [(line, 10 * (line - 1)) for line in range(1, 5004) if line not in wrong]


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_parquet_file_is_unreadable_and_never_a_crash(tmp_path: Path, seed: int) -> None:
    whole = write_parquet(tmp_path / "o.parquet", "select range as id, 'name ' || range as name from range(5000)")
    content = bytearray(whole.read_bytes())
    cut = len(content) * (seed + 1) // 14
    whole.write_bytes(content[:cut] if seed % 2 else content[:cut] + b"\xff" * 60 + content[cut + 60 :])
    with suppress(Unreadable):
        assert len(read_path(whole, ORDERS, tmp_path).good) <= 5000


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("o.csv", "id,name\n"),
        ("o.csv", "id,name"),
        ("o.json", "[]"),
        ("o.json", '{"orders": []}'),
        ("o.json", '{"orders": null}'),
        ("o.jsonl", "\n"),
        ("o.jsonl.gz", packed(b"")),
    ],
)
def test_an_export_without_records_is_no_fault(read: Reads, name: str, content: str | bytes) -> None:
    assert read(name, content) == Read([], [], set())


def test_a_record_that_carries_a_wrapper_s_name_is_still_a_record(read: Reads) -> None:
    (row,) = read("o.json", json.dumps({"id": 1, "data": [{"id": 2}]})).good
    assert (row["id"], row["_extra"]) == (1, '{"data":[{"id":2}]}')


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pages.json", json.dumps([{"orders": [ORDER, order(id=2)]}, {"orders": []}, {"order": order(id=3)}])),
        ("pages.json", "\n".join(json.dumps({"orders": [order(id=number)]}) for number in (1, 2, 3))),
        ("pages.jsonl", lines({"orders": [ORDER, order(id=2)], "next": "x"}) + "\n" + lines({"orders": [order(id=3)]})),
        ("pages.jsonl", lines({"orders": None}, {"orders": [ORDER, order(id=2)]}, order(id=3))),
    ],
)
def test_pages_in_a_list_or_one_per_line_are_unwrapped_and_positions_count_records(
    read: Reads, name: str, text: str
) -> None:
    for found in (read(name, text), read(name + ".gz", packed(text.encode()))):
        assert found.wrong == []
        assert [(row["id"], row["_source_line"]) for row in found.good] == [(1, 1), (2, 2), (3, 3)]


def test_what_is_no_page_among_pages_is_judged_as_a_record(read: Reads) -> None:
    found = read("pages.jsonl", lines({"orders": [ORDER, None, 7]}) + "oops\n" + lines({"orders": 7}, order(id=2)))
    assert [(row["id"], row["_source_line"]) for row in found.good] == [(1, 1), (2, 6)]
    assert found.wrong == [
        (2, "a record is a JSON object, not null"),
        (3, "a record is a JSON object, not 7"),
        (4, "not JSON: Expecting value: line 1 column 1 (char 0)"),
        (5, "id is missing"),
    ]


class Listed(ORDERS):  # type: ignore[misc, valid-type]
    """Orders whose answers wrap them two levels deep."""

    wrappers = ("data.list", "list")


@pytest.mark.parametrize(
    "wrapped", [{"data": {"list": [ORDER], "page": 1}}, {"data": {"list": ORDER}}, {"list": [ORDER]}]
)
def test_a_wrapper_may_lie_inside_another_object(read: Reads, wrapped: dict[str, Any]) -> None:
    for name, text in [("o.json", json.dumps(wrapped)), ("o.json", json.dumps([wrapped])), ("o.jsonl", lines(wrapped))]:
        assert read(name, text, Listed).good == [AS_LANDED]


def test_recorded_answers_of_an_api_give_the_records_of_all_their_pages(real_data: Path, tmp_path: Path) -> None:
    class Recorded(contracts_of("facebook_ads")["ads"]):  # type: ignore[misc]
        wrappers = ("body.data",)

    path = real_data / "facebook_ads" / "graph_api" / "ads_pages.jsonl"
    answers = [json.loads(line) for line in path.read_text().splitlines()]
    pages = [answer["body"]["data"] for answer in answers if "data" in answer["body"]]
    found = read_path(path, Recorded, tmp_path)
    assert [row["id"] for row in found.good] == [ad["id"] for page in pages for ad in page]
    assert [reason for _, reason in found.wrong] == ["id is missing"] * (len(answers) - len(pages))
    assert len(found.good) > len(pages) > 1


REPORT = """"Report Name: Mine"
"Report Time: 2/7/2020"
"Time Zone: (GMT-08:00) Pacific Time (US & Canada); Tijuana"

"Id","Name","Total_Price"
"1","a","5"
"2","@2020 b",""
"""


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize(
    "footer", ["", "\n", '\n"@2020 Some, Corporation. All rights reserved. "\n', "\n\nRows: 2\n\n  \nEnd"]
)
def test_a_report_has_lines_about_itself_before_its_header_and_after_its_rows(
    read: Reads, mark: str, footer: str
) -> None:
    for text in (mark + REPORT + footer, (mark + REPORT + footer).replace("\n", "\r\n")):
        found = read("report.csv", text)
        assert [(row["id"], row["_source_line"]) for row in found.good] == [(1, 1), (2, 2)]
        assert found.wrong == []


def test_a_row_that_was_cut_short_is_no_footer(read: Reads) -> None:
    assert read("o.csv", "id,name\n1,a\n\n2,b\n3").wrong == [(3, "the row has 1 columns, and the header has 2")]
    found = read("o.csv", "id,name\n1,a\n\nSum\n2,b\n")
    assert [row["id"] for row in found.good] == [1, 2]
    assert found.wrong == [(2, "the row has 1 columns, and the header has 2")]
    found = read("o.csv", "id,name\n1,a\n\nSum,1,1\nEnd\n")
    assert found.wrong == [
        (2, "the row has 3 columns, and the header has 2"),
        (3, "the row has 1 columns, and the header has 2"),
    ]


def test_no_row_is_taken_for_a_header_or_for_a_line_before_it(read: Reads) -> None:
    assert read("o.csv", "name,email\nid,a@b.c\n").wrong == [(1, "id is missing")]
    assert read("o.csv", "name\nx\nid\n").wrong == [(1, "id is missing"), (2, "id is missing")]
    assert [row["name"] for row in read("o.csv", "id,name\n1,id\n2,x\n").good] == ["id", "x"]
    assert read("o.csv", "a,b\n1,2\n").wrong == [(1, "id is missing")]
    assert read("o.csv", "Currency,USD\nid,name,currency\n1,a,EUR\n").good[0]["currency"] == "EUR"


def test_a_report_without_a_required_column_still_has_its_header_found(read: Reads) -> None:
    found = read("o.csv", REPORT.replace('"Id"', '"Order"'))
    assert found.wrong == [(1, "id is missing"), (2, "id is missing")]
    assert found.unknown == {"Order"}


def test_a_real_report_download_has_a_row_for_each_it_announces(real_data: Path, tmp_path: Path) -> None:
    class KeywordReport(Contract):
        required = ("AccountId", "KeywordId")

        AccountId: Text = None
        KeywordId: Text = None
        DeviceType: Text = None
        Clicks: IntegerText = None

    path = real_data / "bing_ads" / "report_download" / "keyword_performance_1.csv"
    found = read_path(path, KeywordReport, tmp_path)
    (announced,) = re.findall(r"Rows: (\d+)", path.read_text(encoding="utf-8-sig"))
    assert found.wrong == []
    assert len(found.good) == int(announced)
    assert [row["Clicks"] for row in found.good] == ["35", "50", "1", "80", "5"]


class Row(Contract):
    """A daily export whose grain lies inside an object."""

    class Grain(Nested):
        ad: Text = None
        day: DateText = None

    key = ("grain.ad", "grain.day")
    required = ("grain.ad",)
    date_field = "grain.day"
    daily_slice = True

    grain: Grain | None = None
    clicks: IntegerText = None


def test_a_nested_key_with_two_contents_is_a_conflict_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    rows = [
        ({"ad": "a", "day": "2020-04-06"}, 1),
        ({"day": "2020-04-06", "ad": "a"}, 2),
        ({"ad": "b"}, 3),
        ({"ad": "b"}, 3),
    ]
    path.write_text(lines(*({"grain": grain, "clicks": clicks} for grain, clicks in rows)))
    with duckdb.connect(config={"threads": 1}) as con:
        batches = list(Reader(con, Row, tmp_path).read(path))
    conflicts = Conflicts(Row)
    for batch in batches:
        conflicts.add(batch.good)
    assert conflicts.positions() == {1: 2, 2: 2}
    (first, second) = conflicts.rejections(conflicts.positions(), batches)
    assert first.reason.startswith("2 records share the key (grain.ad=a, grain.day=2020-04-06): ")
    assert json.loads(str(second.record)) == {"grain": {"day": "2020-04-06", "ad": "a"}, "clicks": "2"}


def test_a_batch_is_arrow_with_the_contract_s_columns_in_order(tmp_path: Path) -> None:
    path = tmp_path / "o.jsonl"
    path.write_text(lines({"id": 1}))
    with duckdb.connect() as con:
        (batch,) = Reader(con, ORDERS, tmp_path).read(path)
    assert batch.good.column_names == [*ORDERS.model_fields, "_extra", "_source_line"]
    assert batch.good.schema.field("id").type == pa.int64()
    assert batch.good.schema.field("customer").type == pa.string()


def test_real_events_land_alike_from_parquet_and_from_json(real_data: Path, tmp_path: Path) -> None:
    folder = real_data / "google_analytics"
    from_json = read_path(folder / "bq_json/events_20210131_first4000.jsonl.gz", EVENTS, tmp_path)
    from_parquet = read_path(folder / "events/events_20210131.parquet", EVENTS, tmp_path)
    assert len(from_json.good) == 4000
    assert not from_json.wrong
    assert not from_parquet.wrong
    moments = {row["event_timestamp"] for row in from_json.good}
    alike = [row for row in from_parquet.good if row["event_timestamp"] in moments]
    known = {json.dumps(canonical(row), sort_keys=True) for row in alike}
    assert all(json.dumps(canonical(row), sort_keys=True) in known for row in from_json.good)


def canonical(row: dict[str, Any]) -> dict[str, Any]:
    """A row by what its contract reads out of it: numbers however spelled, and nothing absent."""

    def plain(value: Any) -> Any:  # Any: JSON
        if isinstance(value, dict):
            return {name: plain(inner) for name, inner in value.items() if inner is not None}
        if isinstance(value, list):
            return [plain(inner) for inner in value]
        return value

    record = {name: json.loads(v) if isinstance(v, str) and v[:1] in "[{" else v for name, v in row.items()}
    return plain(EVENTS.model_validate(record).model_dump(mode="json", include=set(EVENTS.model_fields)))  # type: ignore[no-any-return]
