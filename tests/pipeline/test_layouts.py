"""One record, however it is written down: nested JSON, dotted or flat CSV, parquet, a loader's table. One hash."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.connector_catalog import load_catalog
from pipeline.contracts.connector import Connector, contracts_of
from pipeline.contracts.fields import (
    Contract,
    DateText,
    EpochSeconds,
    Instant,
    Integer,
    Layout,
    MicrosText,
    Nested,
    Rfc2822,
    Text,
    UtcTime,
    field_at,
    is_date_object,
    shape_of,
)
from pipeline.contracts.sql import canonical_record, key_text, parsed_columns
from pipeline.ingest.formats.reader import Reader
from pipeline.ingest.quarantine import explain_rejection
from pipeline.ingest.values.meaning_sql import layout_value

CATALOG = load_catalog(Path(__file__).parents[2] / "supported_connectors.yaml")


class Day(Nested):
    year: Integer = None
    month: Integer = None
    day: Integer = None


class Range(Nested):
    start: Day | None = None


class Campaign(Nested):
    id: Text = None
    name: Text = None


class Metrics(Nested):
    costMicros: MicrosText = None
    clicks: Integer = None


class Segments(Nested):
    date: DateText = None


class Stats(Contract):
    """A report row with everything that a layout may have to bring into another spelling."""

    key = ("campaign.id", "segments.date", "range.start")
    required = ("campaign.id", "segments.date")
    date_field = "segments.date"
    daily_slice = True
    layouts = (
        Layout(
            name="loader",
            known_by=("_loaded_at", "campaign_id"),
            columns={
                "campaign": "campaign_json",
                "campaign.id": "campaign_id",
                "campaign.name": "campaign_name",
                "metrics.costMicros": "cost_micros",
                "metrics.clicks": "clicks",
                "segments.date": "day",
                "range.start": "first_day",
                "changed": "changed_at",
            },
            utc=("changed", "created", "mailed", "seen"),
        ),
    )

    campaign: Campaign | None = None
    metrics: Metrics | None = None
    segments: Segments | None = None
    range: Range | None = None
    changed: Instant = None
    created: EpochSeconds = None
    mailed: Rfc2822 = None
    seen: UtcTime = None
    note: Text = None


Rows = list[dict[str, Any]]


def read(name: str, content: bytes, contract: type[Contract] = Stats) -> tuple[Rows, list[str], set[str]]:
    """The landing rows of a file with their `canonical` text and `key`, the reasons of the others, unknown fields."""
    with TemporaryDirectory() as folder, duckdb.connect(config={"threads": 1}) as con:
        con.execute("set TimeZone = 'UTC'")
        path = Path(folder) / name
        path.write_bytes(content)
        reader = Reader(con, contract, Path(folder))
        batches = list(reader.read(path))
        con.register("landed", pa.concat_tables([batch.good for batch in batches]) if batches else None)
        shape = shape_of(contract)
        parsed = ", ".join(["*", *parsed_columns(shape)])
        keyed = f"*, {canonical_record(shape)} as canonical, {key_text(shape, contract.key)} as key"
        rows = con.execute(f"select {keyed} from (select {parsed} from landed) order by _source_line").to_arrow_table()
        wrong = [row for batch in batches for row in batch.wrong.to_pylist()]
    reasons = [explain_rejection(contract, row["_wrong"], row["_record"]) for row in wrong]
    return rows.to_pylist(), reasons, reader.unknown


def lines(records: Iterable[object]) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def table(rows: list[dict[str, Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def parquet(rows: list[dict[str, Any]]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out)
    return out.getvalue()


@st.composite
def stats(draw: st.DrawFn) -> dict[str, Any]:
    """One row's facts, as Python holds them."""
    moments = st.datetimes(datetime(2000, 1, 2), datetime(2099, 1, 1)).map(lambda at: at.replace(microsecond=0))  # noqa: DTZ001
    names = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1).filter(lambda text: bool(text.strip()))
    return {
        "id": str(draw(st.integers(1, 10**12))),
        "name": draw(names),
        "cost": draw(st.integers(0, 10**15)),
        "clicks": draw(st.integers(0, 10**9)),
        "day": draw(st.dates(date(2000, 1, 1), date(2099, 1, 1))),
        "first": draw(st.dates(date(2000, 1, 1), date(2099, 1, 1))),
        "changed": draw(moments) + timedelta(microseconds=draw(st.sampled_from([0, 120000, 1]))),
        "created": draw(moments),
        "mailed": draw(moments),
        "seen": draw(moments),
    }


def as_the_vendor_sends_it(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "campaign": {"id": row["id"], "name": row["name"]},
        "metrics": {"costMicros": str(row["cost"]), "clicks": row["clicks"]},
        "segments": {"date": str(row["day"])},
        "range": {"start": {"year": row["first"].year, "month": row["first"].month, "day": row["first"].day}},
        "changed": f"{row['changed'].isoformat()}Z",
        "created": int(row["created"].replace(tzinfo=UTC).timestamp()),
        "mailed": f"{row['mailed']:%a, %d %b %Y %H:%M:%S} +0000",
        "seen": row["seen"].isoformat(),
    }


def dotted(record: dict[str, Any], head: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in record.items():
        flat |= dotted(value, f"{head}{name}.") if isinstance(value, dict) else {f"{head}{name}": value}
    return flat


def as_a_loader_lands_it(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "campaign_id": int(row["id"]),
        "campaign_name": row["name"],
        "cost_micros": row["cost"],
        "clicks": row["clicks"],
        "day": row["day"],
        "first_day": datetime(row["first"].year, row["first"].month, row["first"].day),  # noqa: DTZ001
        "changed_at": row["changed"],
        "created": row["created"],
        "mailed": row["mailed"],
        "seen": row["seen"],
        "_loaded_at": datetime(2026, 1, 1),  # noqa: DTZ001
    }


def as_text(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, int) else str(value) for name, value in row.items()}


@settings(max_examples=8)
@given(st.lists(stats(), min_size=1, max_size=6))
def test_a_record_has_one_hash_and_one_key_in_every_format_and_layout(rows: list[dict[str, Any]]) -> None:
    sent = [as_the_vendor_sends_it(row) for row in rows]
    loaded = [as_a_loader_lands_it(row) for row in rows]
    shouted = [{name.upper(): value for name, value in as_text(row).items()} for row in loaded]
    files = {
        "sent.jsonl": lines(sent),
        "dotted.csv": table([dotted(record) for record in sent]),
        "sent.parquet": parquet(sent),
        "loaded.csv": table([as_text(row) for row in loaded]),
        "SHOUTED.csv": table(shouted),
        "loaded.jsonl": lines(as_text(row) for row in loaded),
        "loaded.json": json.dumps([as_text(row) for row in loaded]).encode(),
        "loaded.parquet": parquet(loaded),
        "texts.parquet": parquet([as_text(row) for row in loaded]),
    }
    expected = None
    for name, content in files.items():
        good, wrong, unknown = read(name, content)
        assert wrong == []
        assert (
            unknown == set()
            if name.startswith(("sent", "dotted"))
            else {one.lower() for one in unknown} == {"_loaded_at"}
        )
        found = [(row["canonical"], row["key"]) for row in good]
        expected = expected or found
        assert found == expected, name


LOADED = as_text(
    as_a_loader_lands_it(
        {
            "id": "7",
            "name": "Spring",
            "cost": 19000000,
            "clicks": 10,
            "day": date(2020, 4, 6),
            "first": date(2020, 4, 1),
            "changed": datetime(2020, 4, 7, 2, 20, 51, tzinfo=None),  # noqa: DTZ001
            "created": datetime(2020, 4, 7),  # noqa: DTZ001
            "mailed": datetime(2020, 4, 7),  # noqa: DTZ001
            "seen": datetime(2020, 4, 7),  # noqa: DTZ001
        }
    )
)


def in_every_form(row: dict[str, Any]) -> dict[str, bytes]:
    return {"r.csv": table([row]), "r.jsonl": lines([row]), "r.parquet": parquet([row])}


def test_a_layout_s_columns_become_the_vendor_s_own_record() -> None:
    for name, content in in_every_form(LOADED).items():
        ((row,), wrong, _) = read(name, content)
        assert wrong == []
        assert json.loads(row["campaign"]) in ({"id": "7", "name": "Spring"}, {"id": 7, "name": "Spring"})
        assert json.loads(row["segments"]) == {"date": "2020-04-06"}
        assert json.loads(row["range"]) == {"start": {"year": 2020, "month": 4, "day": 1}}
        assert row["changed"] == "2020-04-07T02:20:51Z"
        assert row["created"] == 1586217600
        assert row["mailed"] == "Tue, 07 Apr 2020 00:00:00 +0000"
        assert row["seen"] == "2020-04-07 00:00:00"
        assert json.loads(row["_extra"])["_loaded_at"] == "2026-01-01 00:00:00"


def test_columns_beside_the_layout_s_are_fields_of_their_name_or_unknown_and_never_stand_for_another_field() -> None:
    row = LOADED | {"note": "kept", "mystery": 5, "range": "a text called like a field that other columns fill"}
    for name, content in in_every_form(row).items():
        ((found,), wrong, unknown) = read(name, content)
        assert wrong == []
        assert found["note"] == "kept"
        assert unknown == {"_loaded_at", "mystery", "loader.range"}
        assert json.loads(found["_extra"])["loader.range"].startswith("a text")
        assert json.loads(found["range"]) == {"start": {"year": 2020, "month": 4, "day": 1}}


def test_parts_of_an_object_lie_over_the_json_that_holds_the_rest_of_it() -> None:
    row = LOADED | {"campaign_json": '{"id": 1, "name": "Old", "more": {"a": [1]}}'}
    for name in ("r.csv", "r.parquet"):
        ((found,), wrong, _) = read(name, in_every_form(row)[name])
        assert wrong == []
        assert found["key"].startswith('["7","2020-04-06"')
        campaign = json.loads(found["campaign"])
        assert (campaign["name"], campaign["more"]) == ("Spring", {"a": [1]})
    ((found,), _, _) = read("r.jsonl", lines([LOADED | {"campaign_json": {"id": 1, "more": 2}}]))
    assert json.loads(found["campaign"]) == {"id": 7, "name": "Spring", "more": 2}
    for name, content in in_every_form(LOADED | {"campaign_json": "no object"}).items():
        assert read(name, content)[1] == ["campaign: Input should be an object"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"campaign_id": None}, "campaign.id is missing"),
        ({"day": "someday"}, "segments.date: 'someday' is not a date, YYYY-MM-DD"),
        ({"first_day": "2020-02-31"}, "range.start: Input should be an object"),
        ({"changed_at": "2020-02-31 10:00:00"}, "changed: '2020-02-31 10:00:00' has no offset from UTC"),
        ({"created": "yesterday"}, "created: 'yesterday' is not seconds since 1970, between 2000 and 2100"),
        ({"mailed": "2020"}, "mailed: '2020' is not a time such as Sat, 03 Mar 2018 02:35:28 +0000"),
        ({"cost_micros": "-"}, "metrics.costMicros: '-' is not a whole number of millionths, below 10^18"),
    ],
)
def test_a_bad_value_of_a_layout_is_quarantined_under_the_contract_s_name(fields: dict[str, Any], reason: str) -> None:
    row = {name: None if value is None else str(value) for name, value in (LOADED | fields).items()}
    for name, content in in_every_form(row).items():
        good, wrong, _ = read(name, content)
        assert (good, wrong) == ([], [reason]), name


def test_times_that_carry_an_offset_keep_it() -> None:
    row = LOADED | {
        "changed_at": "2020-04-07T04:20:51+02:00",
        "created": 1586217600,
        "seen": "2020-04-07T02:00:00+02:00",
    }
    for name, content in in_every_form(row).items():
        ((found,), wrong, _) = read(name, content)
        assert wrong == []
        assert (found["changed"], found["created"]) == ("2020-04-07T04:20:51+02:00", 1586217600)
        assert '"seen":"2020-04-07T00:00:00.000000Z"' in found["canonical"]


def test_a_file_without_the_columns_a_layout_is_known_by_is_the_vendor_s_own() -> None:
    row = {name: value for name, value in LOADED.items() if name != "_loaded_at"}
    for name, content in in_every_form(row).items():
        good, wrong, unknown = read(name, content)
        assert (good, wrong) == ([], ["campaign.id is missing"])
        assert {"campaign_id", "day"} <= unknown


def test_records_of_a_layout_and_of_the_vendor_may_stand_in_one_json_file() -> None:
    own = {"campaign": {"id": "8"}, "segments": {"date": "2020-04-06"}}
    good, wrong, _ = read("both.jsonl", lines([own, LOADED]) + b"oops\n")
    assert [json.loads(row["key"])[0] for row in good] == ["8", "7"]
    assert [reason.split(":")[0] for reason in wrong] == ["not JSON"]


def test_utc_may_be_said_of_instants_alone() -> None:
    with pytest.raises(TypeError, match="does not make it an instant"):
        layout_value(dict(shape_of(Stats))["note"], "x", is_utc=True)


@pytest.mark.parametrize("connector", CATALOG.values(), ids=lambda connector: connector.name)
def test_every_layout_of_a_contract_fills_fields_that_it_declares_and_is_known_by_columns(connector: Connector) -> None:
    for contract in connector.contracts.values():
        shape = shape_of(contract)
        for layout in contract.layouts:
            assert layout.known_by
            vendors_own = {name.lower() for name, _ in shape}
            assert not {name.lower() for name in layout.known_by} <= vendors_own, "a file of the vendor looks like it"
            for path in {*layout.columns, *layout.utc}:
                _, found = field_at(shape, path)
                layout_value(found, "x", is_utc=path in layout.utc)


@pytest.mark.parametrize("connector", CATALOG.values(), ids=lambda connector: connector.name)
def test_every_path_of_a_contract_leads_to_a_field(connector: Connector) -> None:
    for contract in connector.contracts.values():
        shape = shape_of(contract)
        for path in filter(None, (*contract.key, *contract.required, contract.date_field, contract.version_field)):
            field_at(shape, path)


def test_real_charges_of_a_loader_have_the_amounts_and_moments_of_their_table(real_data: Path) -> None:
    path = real_data / "stripe" / "fivetran" / "charge_data.csv"
    good, wrong, _ = read(path.name, path.read_bytes(), contracts_of("stripe")["charges"])
    assert wrong == []
    with path.open(newline="", encoding="utf-8-sig") as file:
        expected = [
            (row["id"], int(row["amount"]), datetime.fromisoformat(row["created"]).replace(tzinfo=UTC).timestamp())
            for row in csv.DictReader(file)
        ]
    assert [(row["id"], row["amount"], row["created"]) for row in good] == expected


@pytest.mark.parametrize("sign", ["mp_reserved_", ""], ids=["singer", "airbyte"])
def test_an_event_of_mixpanel_whose_properties_a_loader_moved_beside_it_is_the_vendor_s_own(sign: str) -> None:
    moved = {
        f"{sign}insert_id": "i1",
        f"{sign}os": "iOS",
        "event": "purchase",
        "time": "2026-01-05T08:00:00Z",
        "distinct_id": "u1",
        "revenue": 40,
        "utm_source": "google",
    }
    own = {"$insert_id": "i1", "$os": "iOS", "time": "1767600000"}
    expected = own | {"distinct_id": "u1", "revenue": "40", "utm_source": "google"}
    for time in ("2026-01-05T08:00:00Z", "2026-01-05T09:00:00+01:00", "2026-01-05 08:00:00"):
        for name, content in in_every_form(moved | {"time": time}).items():
            ((row,), wrong, unknown) = read(name, content, contracts_of("mixpanel")["events"])
            assert (row["event"], wrong, unknown) == ("purchase", [], set())
            assert {path: str(value) for path, value in json.loads(row["properties"]).items()} == expected


@pytest.mark.parametrize(
    "pivot",
    [
        {"string_of_pivot_values": "urn:li:sponsoredCampaign:2"},
        {"pivot": "CAMPAIGN", "pivotValue": "urn:li:sponsoredCampaign:2"},
    ],
)
def test_a_report_of_linkedin_with_the_days_of_airbyte_is_the_vendor_s_own(pivot: dict[str, str]) -> None:
    moved = {"start_date": "2026-01-05", "end_date": "2026-01-05", "costInLocalCurrency": "12.5", "impressions": 100}
    for name, content in in_every_form(moved | pivot).items():
        ((row,), wrong, unknown) = read(name, content, contracts_of("linkedin_ads")["ad_analytics_by_campaign"])
        assert (row["pivotValue"], wrong, unknown) == ("urn:li:sponsoredCampaign:2", [], set())
        day = {"year": 2026, "month": 1, "day": 5}
        assert json.loads(row["dateRange"]) == {"start": day, "end": day}


@pytest.mark.parametrize("sign", ["mp_reserved_", ""], ids=["singer", "airbyte"])
def test_a_profile_of_mixpanel_that_a_loader_flattened_is_the_vendor_s_own(sign: str) -> None:
    moved = {"distinct_id": "u1", f"{sign}email": "a@example.com", f"{sign}last_seen": "2026-01-05T08:00:00"}
    for name, content in in_every_form(moved).items():
        ((row,), wrong, unknown) = read(name, content, contracts_of("mixpanel")["people"])
        assert (row["$distinct_id"], wrong, unknown) == ("u1", [], set())
        assert json.loads(row["$properties"]) == {"$email": "a@example.com", "$last_seen": "2026-01-05T08:00:00"}


def test_a_date_object_is_told_by_its_three_parts() -> None:
    assert is_date_object(field_at(shape_of(Stats), "range.start")[1])
    assert not is_date_object(field_at(shape_of(Stats), "range")[1])
