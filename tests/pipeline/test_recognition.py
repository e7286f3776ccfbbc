"""A file is recognised by what it holds, whatever its name; what no contract reads is refused with what it lacks."""

from __future__ import annotations

import gzip
import json
import random
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.contracts.registry import Blueprint
from pipeline.contracts.sql import quote
from pipeline.ingest.formats.reader import reading_connection
from pipeline.ingest.recognition.checked_file import CheckedFile, check_path
from pipeline.ingest.recognition.head import HEAD_BYTES, HEAD_RECORDS, head_of
from pipeline.ingest.recognition.recognise import Recognition, recognise
from tests.pipeline.landing_fixture import BLUEPRINTS, CATALOG
from tests.pipeline.vendor_records import (
    RECORDS,
    Record,
    ad_day,
    amazon_day,
    charge,
    csv,
    insight,
    jsonl,
    linkedin_day,
    order,
    pages,
    renamed,
    tiktok_day,
    times,
    without,
)

FACTS = {key: blueprint for key, blueprint in BLUEPRINTS.items() if blueprint.contract.measures}
SHOPS = {key: BLUEPRINTS[key] for key in BLUEPRINTS if key[0] in ("shopify", "woocommerce", "stripe")}
META = {key: BLUEPRINTS[key] for key in BLUEPRINTS if key[0] in ("facebook_ads", "instagram_ads", "tiktok_ads")}
INSIGHTS = (("facebook_ads", "facebook_insights"), ("instagram_ads", "facebook_insights"))

Recognised = Callable[..., Recognition]


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with reading_connection(tmp_path) as opened:
        yield opened


@pytest.fixture
def recognised(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> Recognised:
    """What a file of that content is, among some contracts."""

    def of(
        content: str | bytes, name: str = "export.jsonl", among: dict[tuple[str, str], Blueprint] = FACTS
    ) -> Recognition:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return recognise(con, path, among, tmp_path)

    return of


@pytest.mark.parametrize("key", [key for key in RECORDS if key[0] != "instagram_ads"], ids="-".join)
def test_records_of_every_vendor_are_recognised_by_their_content_alone(
    recognised: Recognised, key: tuple[str, str]
) -> None:
    domain = CATALOG[key[0]].domain
    among = {other: blueprint for other, blueprint in FACTS.items() if CATALOG[other[0]].domain == domain}
    found = recognised(jsonl(times(3, RECORDS[key])), "x.jsonl", among)
    assert found.reason() is None
    assert found.candidates[0] == key


def _list(records: list[Record]) -> bytes:
    return json.dumps(records, indent=1).encode()


def _packed(records: list[Record]) -> bytes:
    return gzip.compress(csv(records).encode())


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.csv", csv),
        ("a.json", _list),
        ("a.csv.gz", _packed),
        ("a.json", lambda records: json.dumps({"data": records})),
    ],
)
def test_every_format_is_recognised(
    recognised: Recognised, name: str, write: Callable[[list[Record]], str | bytes]
) -> None:
    found = recognised(write(times(3, insight)), name, META)
    assert (found.candidates, found.shared, found.reason()) == (INSIGHTS, True, None)


def test_pages_of_an_api_and_a_parquet_file_are_recognised(
    recognised: Recognised, con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    assert recognised(pages(times(3, tiktok_day)), "a.json", META).candidates == (("tiktok_ads", "ads_reports_daily"),)
    (tmp_path / "orders.jsonl").write_text(jsonl(times(3, order)), encoding="utf-8")
    source, table = tmp_path / "orders.jsonl", tmp_path / "table.parquet"
    con.execute(f"copy (from read_json('{source}')) to '{table}' (format parquet)")
    assert recognise(con, table, SHOPS, tmp_path).candidates == (("shopify", "orders"),)


def test_a_table_of_a_registered_structure_routes_by_its_hash_and_column_order_does_not_count(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    blueprint = BLUEPRINTS["shopify", "orders"]
    loader = [("_dlt_id", "VARCHAR"), ("_airbyte_raw_id", "VARCHAR")]
    columns = random.Random(1).sample([*blueprint.columns, *loader], k=len(blueprint.columns) + 2)
    values = {"id": "1::bigint", "total_price": "'9.90'", "_dlt_id": "'x'"}
    items = ", ".join(f"cast({values.get(name, 'null')} as {type_}) as {quote(name)}" for name, type_ in columns)
    path = tmp_path / "table.parquet"
    con.execute(f"copy (select {items}) to '{path}' (format parquet)")
    found = recognise(con, path, BLUEPRINTS, tmp_path)
    assert (found.candidates, found.by) == ((("shopify", "orders"),), "structure")
    con.execute(
        f"copy (select * rename (id as order_id) from '{path}') to '{tmp_path / 'other.parquet'}' (format parquet)"
    )
    assert recognise(con, tmp_path / "other.parquet", SHOPS, tmp_path).by != "structure"


def campaign_day(number: int) -> Record:
    return linkedin_day(number) | {"pivotValues": [f"urn:li:sponsoredCampaign:{number}"]}


def test_reports_with_the_same_fields_are_told_apart_by_the_marks_of_their_records(recognised: Recognised) -> None:
    linkedin = {key: BLUEPRINTS[key] for key in BLUEPRINTS if key[0] == "linkedin_ads"}
    found = [recognised(jsonl(times(2, made)), among=linkedin).candidates for made in (linkedin_day, campaign_day)]
    assert found == [(("linkedin_ads", "ad_analytics"),), (("linkedin_ads", "ad_analytics_by_campaign"),)]


@pytest.mark.parametrize(
    ("made", "more", "looks_like"),
    [
        (charge, {"charge": "ch_1", "reason": "fraudulent"}, "charges of stripe"),
        (order, {"invoice_url": "https://example.com/1"}, "orders of shopify"),
        (order, {"abandoned_checkout_url": "https://example.com/1"}, "orders of shopify"),
    ],
)
def test_a_sibling_with_the_fields_of_a_fact_is_not_taken_for_it(
    recognised: Recognised, made: Callable[[int], Record], more: Record, looks_like: str
) -> None:
    found = recognised(jsonl([record | more for record in times(2, made)]), among=SHOPS)
    assert not found.candidates
    assert f"it looks like {looks_like}, and by its field {min(more)} it is something else" in str(found.reason())


@pytest.mark.parametrize(
    ("connector", "header", "row", "reason"),
    [
        (
            "shopify",
            "Name,Financial Status,Currency,Total,Created at,Lineitem quantity,Lineitem name,Lineitem price,Id",
            "#1,paid,USD,30,2026-01-05 08:00:00 +0000,1,Tee,25,5001",
            "this is a Shopify orders export (orders_export.csv) without ",
        ),
        (
            "facebook_ads",
            "Campaign name,Amount spent (USD),Impressions,Link clicks,Reporting starts,Reporting ends",
            "C,12.50,1000,5,2026-01-01,2026-01-31",
            "this is a Meta Ads Manager download of totals without days",
        ),
    ],
)
def test_a_download_is_refused_for_what_it_lacks_and_not_for_the_objects_that_it_is_not_of(
    recognised: Recognised, connector: str, header: str, row: str, reason: str
) -> None:
    own = {key: BLUEPRINTS[key] for key in BLUEPRINTS if key[0] == connector}
    assert str(recognised(f"{header}\n{row}\n", "export.csv", own).reason()).startswith(reason)


def test_a_list_of_another_kind_is_named_by_the_kind_that_it_says(recognised: Recognised) -> None:
    found = recognised(jsonl([record | {"object": "refund"} for record in times(2, charge)]), among=SHOPS)
    assert not found.candidates
    assert str(found.reason()).startswith("its records are refund objects, and not charge objects")


def test_a_report_of_a_sibling_is_told_by_the_fields_that_only_it_has(recognised: Recognised) -> None:
    amazon = {key: BLUEPRINTS[key] for key in BLUEPRINTS if key[0] == "amazon_ads"}
    without_window = [without(row, "purchases7d") for row in times(2, amazon_day)]
    brands = [row | {"purchases": 1, "purchasesClicks": 1} for row in without_window]
    found = [recognised(jsonl(rows), among=amazon).candidates[0][1] for rows in (without_window, brands)]
    assert found == ["sponsored_products_campaign_report", "sponsored_brands_campaign_report"]


def test_a_file_that_fits_several_objects_is_of_none_and_all_are_named(recognised: Recognised) -> None:
    found = recognised("id,name,status\n1,Spring,ACTIVE\n2,Fall,ACTIVE\n", "a.csv", META)
    assert {name for _, name in found.candidates} == {"ads", "ad_sets", "campaigns"}
    assert "ad_sets and campaigns of facebook_ads" in str(found.reason())
    assert "equally well" in str(found.reason())


def test_a_report_that_lost_a_measure_is_still_that_report_and_no_entity_of_the_same_ids(
    recognised: Recognised,
) -> None:
    google = {key: BLUEPRINTS[key] for key in BLUEPRINTS if key[0] == "google_ads"}
    found = recognised(jsonl([without(record, "metrics.costMicros") for record in times(3, ad_day)]), among=google)
    assert found.candidates == (("google_ads", "ad_performance"),)


def test_what_is_not_recognised_says_what_it_lacks_and_its_nearest_spelling(recognised: Recognised) -> None:
    rows = [{"Reporting starts": "2026-02-01", "Spend amount": "1.50", "Impressions shown": "10", "Reach": "3"}] * 2
    found = recognised(csv(rows), "a.csv", META)
    assert found.reason() == (
        "not recognised: it is most like facebook_insights of facebook_ads, and lacks date_start, spend; "
        "it has Impressions shown, Reporting starts, Spend amount, "
        "which that does not know"
    )
    near = recognised(csv([renamed(row, "Spend amount", "Spent") for row in rows]), "b.csv", META).nearest
    assert near is not None
    assert dict(near.missing)["spend"] == "Spent"


def test_a_download_that_several_objects_share_is_of_the_one_that_knows_its_columns(recognised: Recognised) -> None:
    microsoft = {key: BLUEPRINTS[key] for key in BLUEPRINTS if key[0] == "bing_ads"}
    days = "1/5/2026,9,2,{id}100,5,12.50\n1/13/2026,9,2,{id}100,5,12.50\n"
    found = [
        recognised(
            f"TimePeriod,AccountId,CampaignId,{title}Impressions,Clicks,Spend\n{days.format(id=value)}",
            "a.csv",
            microsoft,
        )
        for title, value in (("", ""), ("AdGroupId,", "3,"))
    ]
    names = [[name for _, name in each.candidates] for each in found]
    assert names == [["campaign_performance_report"], ["ad_group_performance_report"]]


@pytest.mark.parametrize(
    ("name", "content"), [("a.json", "[]"), ("a.jsonl", "\n"), ("a.csv", "date_start,spend,impressions\n")]
)
def test_a_file_without_records_is_of_no_object_until_it_is_named_under_one(
    recognised: Recognised, con: duckdb.DuckDBPyConnection, tmp_path: Path, name: str, content: str
) -> None:
    assert recognised(content, name).reason() == "not read: it holds no records"
    (checked,) = check_path(con, tmp_path / name, FACTS, tmp_path)
    assert "name it under the object" in str(checked.fix)


def test_a_table_without_a_header_names_none_of_its_values(recognised: Recognised) -> None:
    reason = str(
        recognised("ann@example.com,Ann Smith,2026-02-01\nbob@example.com,Bob Jones,2026-02-02\n", "a.csv").reason()
    )
    assert "Ann" not in reason
    assert "example" not in reason
    assert "header is missing" in reason


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", b"", "the file is empty: zero bytes"),
        ("a.xlsx", b"PK", "no reader for the ending of a.xlsx"),
        ("a.jsonl.gz", b"no gzip", "damaged gzip"),
    ],
)
def test_what_cannot_be_read_at_all_says_why(recognised: Recognised, name: str, content: bytes, reason: str) -> None:
    assert str(recognised(content, name).reason()).startswith(reason)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.json", "a.csv.gz", "utf16.csv", "a.parquet"])
def test_the_head_of_a_large_file_is_short_and_ends_with_a_whole_record(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, name: str
) -> None:
    rows: list[dict[str, Any]] = [{"id": str(number), "text": 'two\nlines, "quoted"' * 20} for number in range(3_000)]
    path = tmp_path / name
    if name == "a.parquet":
        con.execute(f"copy (select range as id from range(100000)) to '{path}' (format parquet)")
    else:
        text = jsonl(rows) if "jsonl" in name else json.dumps(rows) if "json" in name else csv(rows)
        encoded = text.encode("utf-16" if "utf16" in name else "utf-8")
        path.write_bytes(gzip.compress(encoded) if name.endswith(".gz") else encoded)
    with head_of(con, path, tmp_path) as head:
        assert head != path
        content = head.read_bytes()
        if name == "a.parquet":
            assert con.execute(f"select count(*) from '{head}'").fetchall() == [(HEAD_RECORDS,)]
        elif name == "a.json":
            assert len(json.loads(content)) == HEAD_RECORDS
        else:
            assert len(content) <= HEAD_BYTES + 1
            assert content.decode("utf-16" if "utf16" in name else "utf-8").endswith(("}\n", '"\n'))
    assert not head.exists()


def test_every_member_of_an_archive_is_checked_by_itself(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("orders.jsonl", jsonl(times(2, order)))
        archive.writestr("charges.jsonl", jsonl(times(3, charge)))
        archive.writestr("notes.txt", "hello")
    files = list(check_path(con, tmp_path / "all.zip", SHOPS, tmp_path))
    assert [(file.name, file.check.rows if file.check else None) for file in files] == [
        ("all.zip/charges.jsonl", 3),
        ("all.zip/notes.txt", None),
        ("all.zip/orders.jsonl", 2),
    ]
    assert isinstance(files[0], CheckedFile)
    assert files[1].reason
    assert "no reader" in files[1].reason
