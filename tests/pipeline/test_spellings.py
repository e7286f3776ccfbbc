"""Records in another spelling, of a typed client or a loader, land as the vendor's own do, or are refused by name."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.contracts.connector import contracts_of
from pipeline.contracts.fields import Contract, shape_of
from pipeline.contracts.spellings import AmbiguousNameError, is_respelled, placements
from pipeline.contracts.sql import canonical_record, key_text, parsed_columns
from pipeline.ingest.formats.reader import Reader, Unreadable
from pipeline.ingest.formats.respelling import structure_of
from tests.pipeline.landing_fixture import BLUEPRINTS, LandingFixture, table_of
from tests.pipeline.vendor_records import (
    RECORDS,
    Record,
    ad_day,
    amazon_day,
    changed,
    charge,
    insight,
    jsonl,
    tiktok_day,
    times,
)

Json = Any  # values of JSON
Landed = list[tuple[str, str]]
"""The canonical text and the key of every row."""


@cache
def reading_connection() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(config={"threads": 1})
    con.execute("set global TimeZone = 'UTC'")
    return con


def landed(folder: Path, name: str, content: str | bytes, contract: type[Contract]) -> tuple[Landed, set[str]]:
    """What a file lands as, and its unknown fields; no record of it may be refused.

    Raises:
        Unreadable: The file is refused by name.
    """
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with reading_connection().cursor() as con:
        reader = Reader(con, contract, folder)
        batches = list(reader.read(path))
        assert [row for batch in batches for row in batch.wrong.to_pylist()] == []
        con.register("landed", pa.concat_tables([batch.good for batch in batches]))
        shape = shape_of(contract)
        parsed = ", ".join(["*", *parsed_columns(shape)])
        keyed = f"{canonical_record(shape)}, {key_text(shape, contract.key) if contract.key else 'null'}"
        return con.execute(f"select {keyed} from (select {parsed} from landed) order by 1").fetchall(), reader.unknown


@cache
def landed_as_sent(platform: str, name: str) -> Landed:
    """What three records of an object land as in the vendor's own spelling."""
    contract = contracts_of(BLUEPRINTS[platform, name].contract.__module__.split(".")[2])[name]
    with TemporaryDirectory() as folder:
        return landed(Path(folder), "own.jsonl", jsonl(times(3, RECORDS[platform, name])), contract)[0]


def snake(name: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.lstrip("$")).lower()
    return f"{words}_" if words == "type" else words


def named(value: Json, name: Callable[[str], str]) -> Json:
    """A value with every name in it changed."""
    if isinstance(value, dict):
        return {name(key): named(inner, name) for key, inner in value.items()}
    return [named(each, name) for each in value] if isinstance(value, list) else value


def joined(record: Record, sign: str, name: Callable[[str], str], above: str = "") -> Record:
    """A record whose objects are flattened; its lists keep their form."""
    flat: Record = {}
    for key, value in record.items():
        title = f"{above}{name(key)}"
        flat |= joined(value, sign, name, f"{title}{sign}") if isinstance(value, dict) else {title: value}
    return flat


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(map(str.title, rest))


SPELLINGS: dict[str, Callable[[Record], Record]] = {
    "snake": lambda record: named(record, snake),
    "camel": lambda record: named(record, camel),
    "dotted": lambda record: joined(record, ".", str),
    "dotted snake": lambda record: joined(record, ".", snake),
    "double": lambda record: joined(record, "__", str),
    "double snake": lambda record: joined(record, "__", snake),
    "single": lambda record: joined(record, "_", str),
    "single snake": lambda record: joined(record, "_", snake),
    "shouted": lambda record: joined(record, "__", lambda name: snake(name).upper()),
}


def messages(records: list[Record], stream: str) -> str:
    schema = {"type": "SCHEMA", "stream": stream, "schema": {"properties": {}}, "key_properties": []}
    sent = [{"type": "RECORD", "stream": stream, "record": record} for record in records]
    return jsonl([schema, *sent, {"type": "STATE", "value": {"bookmarks": {}}}])


def raw(records: list[Record], *, as_text: bool = False) -> list[Record]:
    stamps = {
        "_airbyte_raw_id": "00000000-0000",
        "_airbyte_extracted_at": 1767700000000,
        "_airbyte_meta": {"sync_id": 1},
    }
    return [stamps | {"_airbyte_data": json.dumps(record) if as_text else record} for record in records]


def table(records: list[Record]) -> str:
    """A CSV with what is nested as JSON text."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(dict.fromkeys(name for record in records for name in record)))
    writer.writeheader()
    for record in records:
        writer.writerow({k: json.dumps(v) if isinstance(v, dict | list) else v for k, v in record.items()})
    return out.getvalue()


def parquet(records: list[Record]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(records), out)
    return out.getvalue()


FILES: dict[str, Callable[[list[Record]], str | bytes]] = {
    "a.jsonl": jsonl,
    "a.json": json.dumps,
    "a.csv": table,
    "a.parquet": parquet,
    "airbyte.jsonl": lambda records: jsonl(raw(records)),
    "airbyte.csv": lambda records: table(raw(records)),
    "airbyte.parquet": lambda records: parquet(raw(records, as_text=True)),
    "singer.jsonl": lambda records: messages(records, "a_stream"),
}


FILES_IN_TURN = [file for file in FILES if file != "a.jsonl"]
"""Every spelling and every contract meets each of them, and every pair of them meets one."""


@pytest.mark.parametrize("spelling", [None, *SPELLINGS])
@pytest.mark.parametrize(("platform", "name"), sorted(RECORDS))
def test_records_land_alike_in_every_spelling_and_envelope_or_are_refused_by_name(
    tmp_path: Path, platform: str, name: str, spelling: str | None
) -> None:
    contract = contracts_of(BLUEPRINTS[platform, name].contract.__module__.split(".")[2])[name]
    own, expected = times(3, RECORDS[platform, name]), landed_as_sent(platform, name)
    records = [SPELLINGS[spelling](record) for record in own] if spelling else own
    turn = sorted(RECORDS).index((platform, name)) + [None, *SPELLINGS].index(spelling)
    for file in ("a.jsonl", FILES_IN_TURN[turn % len(FILES_IN_TURN)]):
        reason, found, unknown = "", expected, set[str]()
        try:
            found, unknown = landed(tmp_path, file, FILES[file](records), contract)
        except Unreadable as refused:
            reason = refused.reason
        assert (found, unknown) == (expected, set()), file
        assert not reason or " may be " in reason, (file, reason)


def test_a_name_that_fits_two_fields_is_refused_with_both() -> None:
    shape = shape_of(contracts_of("amplitude")["events"])
    with pytest.raises(AmbiguousNameError, match=r"^event_properties_revenue may be event_properties\.\$revenue or "):
        placements({"event_properties_revenue": 1}, shape)
    assert [each.target for each in placements({"event_properties__$revenue": 1}, shape)] == [
        ("event_properties", "$revenue")
    ]


def test_two_names_that_fit_one_field_are_refused_with_both() -> None:
    shape = shape_of(contracts_of("google_ads")["ad_performance"])
    with pytest.raises(AmbiguousNameError, match=r"^metrics_clicks and metrics__clicks may both be metrics\.clicks$"):
        placements({"metrics_clicks": 1, "metrics__clicks": 2}, shape)


def test_a_field_under_its_own_name_is_never_replaced() -> None:
    shape = shape_of(contracts_of("google_ads")["ad_performance"])
    found = placements({"metrics": {"clicks": 1}, "metrics_clicks": 2}, shape)
    assert [(each.source, each.shape is None) for each in found] == [
        (("metrics", "clicks"), False),
        (("metrics_clicks",), True),
    ]


def test_names_of_the_shop_beside_the_vendors_own_stay_the_shops() -> None:
    contract = contracts_of("mixpanel")["events"]
    event = {"event": "a", "properties": {"time": 1, "$insert_id": "a", "city": "Rome", "Revenue": 5, "user_id": "u"}}
    assert not is_respelled(structure_of([event]), contract)
    del event["properties"]["$insert_id"]  # type: ignore[attr-defined]  # an object of JSON
    lost = event | {"properties": event["properties"] | {"insert_id": "a", "$city": "Rome"}}  # type: ignore[operator]
    assert not is_respelled(structure_of([lost]), contract)


def test_a_field_that_the_vendor_renamed_among_its_own_is_not_a_spelling() -> None:
    record = changed(ad_day(1), "metrics", {"cost_micros": "5", "impressions": "1", "clicks": "1"})
    assert not is_respelled(structure_of([record]), contracts_of("google_ads")["ad_performance"])
    amazon = {("campaign_id" if name == "campaignId" else name): value for name, value in amazon_day(1).items()}
    contract = contracts_of("amazon_ads")["sponsored_products_campaign_report"]
    assert not is_respelled(structure_of([amazon]), contract)
    assert is_respelled(structure_of([named(amazon_day(1), snake)]), contract)


def test_a_message_of_a_typed_client_has_numbers_for_enums_and_empty_texts_for_what_was_not_asked_for(
    sandbox: LandingFixture,
) -> None:
    row = {
        "customer": {"resource_name": "customers/1", "id": 1},
        "campaign": {"resource_name": "", "id": 7, "status": 3, "advertising_channel_type": 10, "serving_status": 0},
        "segments": {"date": "2026-02-01", "device": 2, "ad_network_type": 0, "slot": 0, "click_type": 0},
        "metrics": {"cost_micros": 1500000, "impressions": 10, "clicks": 1, "conversions": 0.5},
    }
    sandbox.write("a.jsonl", jsonl([row, row | {"campaign": {"id": 8, "status": 99}}]))
    table_ = table_of(sandbox.land_of("google_ads", ad_performance="a.jsonl"), "ad_performance")
    assert (table_.rows, table_.drift) == (2, ())
    rows = sandbox.query("select campaign, segments, metrics from google_ads__ad_performance order by _source_line")
    campaign, segments, metrics = (json.loads(text) for text in rows[0])
    assert campaign == {"id": 7, "status": "PAUSED", "advertisingChannelType": "PERFORMANCE_MAX"}
    assert segments == {"date": "2026-02-01", "device": "MOBILE"}
    assert metrics["costMicros"] == 1500000
    assert json.loads(rows[1][0])["status"] == 99


def test_a_loaders_times_are_read_as_the_vendors_own(tmp_path: Path) -> None:
    contract = contracts_of("stripe")["charges"]
    own, _ = landed(tmp_path, "own.jsonl", jsonl(times(2, charge)), contract)
    for at in ("2026-02-01T09:00:00Z", "2026-02-01T10:00:00+01:00", "2026-02-01T09:00:00.000000Z"):
        rows = [record | {"created": at} for record in times(2, charge)]
        assert landed(tmp_path, "a.jsonl", jsonl(rows), contract)[0] == own
        assert landed(tmp_path, "a.csv", table(rows), contract)[0] == own
    naive = [record | {"created": "2026-02-01 09:00:00", "_sdc_batched_at": "x"} for record in times(2, charge)]
    assert landed(tmp_path, "b.csv", table(naive), contract)[0] == own
    shipped = [{"id": 1, "total_inc_tax": "5", "date_created": "2026-02-01T08:00:00Z", "_sdc_sequence": 1}]
    found, unknown = landed(tmp_path, "c.jsonl", jsonl(shipped), contracts_of("bigcommerce")["orders"])
    assert '"date_created":"2026-02-01T08:00:00.000000Z"' in found[0][0]
    assert unknown == set()


def test_a_day_is_read_as_text_for_an_object_and_as_an_object_for_text(tmp_path: Path) -> None:
    linkedin = contracts_of("linkedin_ads")["ad_analytics"]
    counted = {"pivotValues": ["urn:li:sponsoredCreative:1"], "impressions": 1, "clicks": 1, "costInLocalCurrency": "2"}
    day = {"year": 2026, "month": 2, "day": 1}
    own, _ = landed(tmp_path, "own.jsonl", jsonl([counted | {"dateRange": {"start": day, "end": day}}]), linkedin)
    flat = {"dateRange": {"start": "2026-02-01", "end": "2026-02-01T00:00:00.000000Z"}}
    assert landed(tmp_path, "a.jsonl", jsonl([counted | flat]), linkedin)[0] == own
    google = contracts_of("google_ads")["ad_performance"]
    expected, _ = landed(tmp_path, "own.jsonl", jsonl([ad_day(1)]), google)
    assert landed(tmp_path, "b.jsonl", jsonl([changed(ad_day(1), "segments.date", day)]), google)[0] == expected


@pytest.mark.parametrize("at", ["2026-02-01T00:00:00.000000Z", "2026-02-01 00:00:00+00:00", "2026-02-01T00:00:00Z"])
def test_a_midnight_in_utc_is_its_day_in_every_format(tmp_path: Path, at: str) -> None:
    contract = contracts_of("facebook_ads")["facebook_insights"]
    own, _ = landed(tmp_path, "own.jsonl", jsonl(times(2, insight)), contract)
    rows = [record | {"date_start": at} for record in times(2, insight)]
    for file in ("a.jsonl", "a.csv", "a.parquet", "singer.jsonl"):
        assert landed(tmp_path, file, FILES[file](rows), contract)[0] == own, file


def test_columns_of_a_loader_are_no_unknown_fields(sandbox: LandingFixture) -> None:
    stamps = {
        "_sdc_batched_at": "2026-02-02T00:00:00Z",
        "_dlt_id": "a",
        "_fivetran_synced": "b",
        "_airbyte_raw_id": "c",
    }
    sandbox.write("a.jsonl", jsonl([insight(1) | stamps, insight(2) | stamps]))
    found = table_of(sandbox.land(facebook_insights="a.jsonl"), "facebook_insights")
    assert (found.rows, found.findings) == (2, ())


def test_a_tap_that_merges_the_dimensions_and_metrics_of_tiktok_is_read(tmp_path: Path) -> None:
    contract = contracts_of("tiktok_ads")["ads_reports_daily"]
    own, _ = landed(tmp_path, "own.jsonl", jsonl(times(2, tiktok_day)), contract)
    merged = [record["dimensions"] | record["metrics"] for record in times(2, tiktok_day)]
    merged = [record | {"stat_time_day": "2026-02-01T00:00:00.000000Z"} for record in merged]
    assert landed(tmp_path, "a.jsonl", messages(merged, "ad_insights"), contract)[0] == own
    assert landed(tmp_path, "a.csv", table(merged), contract)[0] == own
