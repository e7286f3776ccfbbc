"""Landing twice is landing once, whatever happens in between."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.config.accounts import Account, Read
from pipeline.config.source import Source
from pipeline.config.tenant import Tenant
from pipeline.contracts.fields import Contract, Integer, Text
from pipeline.errors import LandError
from pipeline.ingest.exports import exported_at
from tests.pipeline.landing_fixture import BLUEPRINTS, CATALOG, LandingFixture, table_of


def lines(*ids: int, **fields: object) -> str:
    return "".join(json.dumps({"id": number, "total_price": "9.90"} | fields) + "\n" for number in ids)


def utc(*parts: int) -> datetime:
    """A time as landing columns hold it: UTC, without a zone."""
    return datetime(*parts, tzinfo=UTC).replace(tzinfo=None)  # type: ignore[misc, arg-type]  # six parts at most


def test_rows_land_with_where_they_came_from_and_a_load_that_counts(sandbox: LandingFixture) -> None:
    path = sandbox.write("orders_2026-02-03.jsonl", lines(1, 2, total_price="9.90", tags="new"))
    landing = sandbox.land(orders="orders_*.jsonl", exported_at=r"orders_(\d{4}-\d\d-\d\d)")
    rows = sandbox.query(
        """select id, total_price, _extra, _account, _source_file, _source_line, _exported_at,
        abs(epoch_us(_landed_at) - _dlt_load_id::double * 1000000) <= 1
        from shopify__orders order by id"""
    )
    extra = '{"tags":"new"}'
    made = utc(2026, 2, 3)
    assert rows == [(number, "9.90", extra, "main", str(path), number, made, True) for number in (1, 2)]
    assert sandbox.query("select load_id, status from _dlt_loads") == [(landing.load_id, 0)]
    assert sandbox.query("select distinct _dlt_load_id from shopify__orders") == [(landing.load_id,)]
    table = table_of(landing, "orders")
    assert (table.rows, table.files, table.known_files, table.quarantined) == (2, 1, 0, 0)
    assert table.findings == ("fields the contract does not know, kept in _extra: tags",)


def test_a_later_load_has_landed_later_also_under_a_still_clock(sandbox: LandingFixture) -> None:
    sandbox.write("a.jsonl", lines(1))
    sandbox.land(orders="*.jsonl")
    sandbox.write("b.jsonl", lines(2))
    sandbox.land(orders="*.jsonl")
    ((first, second),) = sandbox.query("select min(_landed_at), max(_landed_at) from shopify__orders")
    assert first < second
    assert sandbox.query("select id from shopify__orders order by _landed_at") == [(1,), (2,)]


def test_the_ledger_of_files_says_what_each_brought(sandbox: LandingFixture) -> None:
    path = sandbox.write("o.jsonl", lines(1) + "oops\n")
    landing = sandbox.land(orders="*.jsonl")
    (row,) = sandbox.query("select * exclude (sha256, measures, nested_unknown, batch_id) from landed_files")
    assert row == ("shopify", "main", "orders", str(path), path.stat().st_size, 1, 1, None, None, landing.load_id)


def test_nothing_new_is_no_run(sandbox: LandingFixture) -> None:
    sandbox.write("o.jsonl", lines(1))
    assert sandbox.land(orders="*.jsonl").load_id
    again = sandbox.land(orders="*.jsonl")
    assert again.load_id is None
    assert table_of(again, "orders").known_files == 1
    assert sandbox.query("select count(*) from _dlt_loads") == [(1,)]


def test_a_file_is_known_by_its_content_whatever_its_name(sandbox: LandingFixture) -> None:
    first = sandbox.write("a.jsonl", lines(1))
    sandbox.land(orders="*.jsonl")
    first.rename(sandbox.files / "b.jsonl")
    assert sandbox.land(orders="*.jsonl").load_id is None
    sandbox.write("b.jsonl", lines(1, 2))
    table = table_of(sandbox.land(orders="*.jsonl"), "orders")
    assert (table.rows, table.files) == (2, 1)
    sandbox.write("copy.jsonl", lines(9))
    sandbox.write("copy2.jsonl", lines(9))
    table = table_of(sandbox.land(orders="*.jsonl"), "orders")
    assert (table.rows, table.files, table.known_files) == (1, 1, 2)


def test_the_same_content_counts_for_each_object_and_account(sandbox: LandingFixture) -> None:
    sandbox.write("same.jsonl", lines(1))
    landing = sandbox.land(orders="*.jsonl", products="*.jsonl")
    assert (table_of(landing, "orders").rows, table_of(landing, "products").rows) == (1, 1)


def test_patterns_that_overlap_read_a_file_once(sandbox: LandingFixture) -> None:
    sandbox.write("a.jsonl", lines(1))
    assert table_of(sandbox.land(orders=("*.jsonl", "a*")), "orders").rows == 1


def test_every_table_exists_with_its_types_before_and_after_rows_come(sandbox: LandingFixture) -> None:
    def columns() -> dict[str, list[tuple[str, str]]]:
        listed = sandbox.query(
            """select table_name, column_name, data_type from information_schema.columns
            where table_schema = 'landing_acme' and not starts_with(table_name, '_dlt')
            order by table_name, ordinal_position"""
        )
        tables: dict[str, list[tuple[str, str]]] = {}
        for table, name, type_ in listed:
            tables.setdefault(table, []).append((name, type_))
        return tables

    assert sandbox.land(orders="none*").load_id is None
    empty = columns()
    platforms = {source.platform for source in sandbox.tenant().sources}
    for blueprint in (each for each in BLUEPRINTS.values() if each.platform in platforms):
        names = [name for name, _ in empty[blueprint.landing_table]]
        assert empty[blueprint.landing_table][: len(blueprint.columns)] == list(blueprint.columns)
        assert names[len(blueprint.columns) :] == [
            "_extra",
            "_account",
            "_source_file",
            "_source_line",
            "_exported_at",
            "_landed_at",
            "_batch_id",
            "_dlt_load_id",
        ]
    sandbox.write("o.jsonl", lines(1) + "oops\n")
    assert sandbox.land(orders="*.jsonl").load_id
    assert columns() == empty
    assert (sandbox.counted("shopify__orders"), sandbox.counted("quarantine")) == (1, 1)


class Before(Contract):
    required = ("id",)
    id: Integer = None
    name: Text = None


class After(Contract):
    required = ("id",)
    id: Integer = None
    note: Text = None
    name: Text = None


def test_a_field_that_a_contract_gains_becomes_a_column(sandbox: LandingFixture) -> None:
    old = replace(BLUEPRINTS["shopify", "orders"], contract=Before, columns=(("id", "BIGINT"), ("name", "VARCHAR")))
    new = replace(old, contract=After, columns=(("id", "BIGINT"), ("note", "VARCHAR"), ("name", "VARCHAR")))
    sandbox.write("a.jsonl", '{"id": 1, "name": "a", "note": "x"}\n')
    sandbox.land(blueprints=BLUEPRINTS | {("shopify", "orders"): old}, orders="*.jsonl")
    for name, number in (("none", 0), ("b.jsonl", 2), ("c.jsonl", 3)):
        if number:
            sandbox.write(name, f'{{"id": {number}, "name": "a", "note": "y"}}\n')
        sandbox.land(blueprints=BLUEPRINTS | {("shopify", "orders"): new}, orders="*.jsonl")
        sandbox.query("select note from shopify__orders")
    assert sandbox.query("select id, name, note, _extra from shopify__orders order by id") == [
        (1, "a", None, '{"note":"x"}'),
        (2, "a", "y", None),
        (3, "a", "y", None),
    ]


def test_what_does_not_convert_is_kept_with_its_place_and_reason(sandbox: LandingFixture) -> None:
    path = sandbox.write("o.jsonl", lines(1) + '{"id": 2, "total_price": "much"}\n' + "x" * 20_000 + "\n")
    table = table_of(sandbox.land(orders="*.jsonl"), "orders")
    assert (table.rows, table.quarantined, table.files) == (1, 2, 1)
    rows = sandbox.query("select * exclude (batch_id, _dlt_load_id, record), len(record) from quarantine order by line")
    about = ("shopify", "main", "orders", str(path))
    assert rows == [
        (*about, 2, "total_price: 'much' is not a number", 32),
        (*about, 3, "not JSON: Expecting value: line 1 column 1 (char 0)", 10_000),
    ]


def test_a_damaged_file_is_quarantined_by_name_once_and_stops_nothing(sandbox: LandingFixture) -> None:
    whole = gzip.compress(lines(1, 2, 3).encode())
    path = sandbox.write("a.jsonl.gz", whole[:-9])
    sandbox.write("b.jsonl", lines(4))
    table = table_of(sandbox.land(orders="*"), "orders")
    assert (table.rows, table.files, table.quarantined) == (1, 1, 1)
    assert sandbox.query("select path, line, record from quarantine") == [(str(path), None, None)]
    assert [finding.split(":")[0] for finding in table.findings] == ["a.jsonl.gz is in quarantine as a whole"]

    again = sandbox.land(orders="*")
    assert again.load_id is None
    assert (
        table_of(again, "orders").findings[0].startswith("a.jsonl.gz is still in quarantine as a whole: damaged gzip")
    )
    assert sandbox.counted("quarantine") == 1

    sandbox.write("a.jsonl.gz", whole)
    assert table_of(sandbox.land(orders="*"), "orders").rows == 3
    assert sandbox.counted("shopify__orders") == 4


def test_a_large_file_that_breaks_off_leaves_no_row(sandbox: LandingFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.ingest.part_buffer.PART_BYTES", 2_000)
    monkeypatch.setattr("pipeline.ingest.formats.json_texts.BLOCK_BYTES", 1_000)
    whole = gzip.compress(lines(*range(500), name="x").encode())
    sandbox.write("a.jsonl.gz", whole[:-9])
    sandbox.write("b.jsonl", "oops\n" + lines(*range(1000, 1400)))
    sandbox.write("c.jsonl", lines(2000))
    table = table_of(sandbox.land(orders="*"), "orders")
    assert (table.rows, table.quarantined) == (401, 2)
    assert sandbox.query("select count(*), min(id), max(id) from shopify__orders") == [(401, 1000, 2000)]
    assert sandbox.query("select count(*) from quarantine where line is null") == [(1,)]


def test_a_file_out_of_reach_is_tried_again_and_told_once(sandbox: LandingFixture) -> None:
    link = sandbox.files / "a.jsonl"
    link.symlink_to(sandbox.files / "elsewhere")
    assert table_of(sandbox.land(orders="a*"), "orders").quarantined == 1
    again = sandbox.land(orders="a*")
    assert again.load_id is None
    assert table_of(again, "orders").findings == ("a.jsonl still cannot be read: no such file or directory",)
    sandbox.write("elsewhere", lines(1))
    assert table_of(sandbox.land(orders="a*"), "orders").rows == 1
    assert sandbox.counted("quarantine") == 1


def test_what_is_missing_or_empty_is_said(sandbox: LandingFixture) -> None:
    sandbox.write("o.csv", "id,name\n")
    table = table_of(sandbox.land(orders=("*.csv", "*.jsonl"), exported_at=r"_(\d{8})"), "orders")
    assert table.findings == (
        f"no file matches {sandbox.files}/*.jsonl",
        r"exported_at (_(\d{8})) finds no time in the name o.csv",
        "o.csv holds no records",
    )
    assert (table.files, table.rows, table.quarantined) == (1, 0, 0)
    assert sandbox.land(orders="*.csv").load_id is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("o_2026-02-03.csv", utc(2026, 2, 3)),
        ("o_20260203.csv", utc(2026, 2, 3)),
        ("o_2026-02-03T04-05-06.csv", utc(2026, 2, 3, 4, 5, 6)),
        ("o_2026-02-03_04-05-06.csv", utc(2026, 2, 3, 4, 5, 6)),
        ("o_20260203T040506Z.csv", utc(2026, 2, 3, 4, 5, 6)),
        ("o_1770091506.csv", utc(2026, 2, 3, 4, 5, 6)),
        ("o_99999999.csv", None),
        ("o_latest.csv", None),
        ("other.csv", None),
    ],
)
def test_the_time_of_an_export_is_read_from_its_name(name: str, expected: datetime | None) -> None:
    assert exported_at(name, r"^o_(.*)\.csv") == expected


def test_one_key_with_two_contents_is_a_breakdown_nobody_declared(sandbox: LandingFixture) -> None:
    ad = {"ad_id": "1", "date_start": "2026-02-01", "spend": "5", "impressions": "7"}
    rows = [ad | {"dma": "NY"}, ad | {"dma": "LA"}, ad | {"ad_id": "2"}, ad | {"ad_id": "2"}, ad | {"ad_id": "3"}]
    rows += [ad | {"ad_id": "4", "actions": [{"action_type": "x", "value": n}]} for n in ("1", "2", "1")]
    sandbox.write("i.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    table = table_of(sandbox.land(facebook_insights="*.jsonl"), "facebook_insights")
    assert (table.rows, table.quarantined) == (3, 5)
    assert sandbox.query("select ad_id, _source_line from facebook_ads__facebook_insights order by 2") == [
        ("2", 3),
        ("2", 4),
        ("3", 5),
    ]
    why = "the export has a breakdown the contract does not know"
    assert sandbox.query("select line, reason from quarantine order by line") == [
        (1, f"2 records share the key (ad_id=1, date_start=2026-02-01): {why}"),
        (2, f"2 records share the key (ad_id=1, date_start=2026-02-01): {why}"),
        *((line, f"3 records share the key (ad_id=4, date_start=2026-02-01): {why}") for line in (6, 7, 8)),
    ]
    records = [json.loads(record) for (record,) in sandbox.query("select record from quarantine order by line")]
    assert records == [rows[0], rows[1], *rows[5:]]
    assert sandbox.query("select rows, quarantined from landed_files") == [(3, 5)]


def test_a_conflict_in_a_file_with_a_part_of_its_own_is_taken_out_of_it(
    sandbox: LandingFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.ingest.part_buffer.PART_BYTES", 500)
    monkeypatch.setattr("pipeline.ingest.formats.json_texts.BLOCK_BYTES", 500)
    numbers = ((str(n // 2 if n < 4 else n), str(n)) for n in range(100))
    ad = {"date_start": "2026-02-01", "impressions": "7"}
    rows = [ad | {"ad_id": name, "spend": spend} for name, spend in numbers]
    sandbox.write("i.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    table = table_of(sandbox.land(facebook_insights="*.jsonl"), "facebook_insights")
    assert (table.rows, table.quarantined) == (96, 4)
    assert sandbox.query("select count(*), min(_source_line) from facebook_ads__facebook_insights") == [(96, 5)]


def test_progress_tells_the_table_and_the_records_read(sandbox: LandingFixture) -> None:
    sandbox.write("o.jsonl", lines(1, 2) + "oops\n")
    told: list[tuple[str, int]] = []
    sandbox.land(orders="*.jsonl", progress=lambda table, records: told.append((table, records)))
    assert told == [("shopify__orders", 3)]


def test_accounts_of_a_platform_share_its_tables_and_keep_apart(sandbox: LandingFixture) -> None:
    sandbox.write("eu.jsonl", lines(1))
    sandbox.write("us.jsonl", lines(1))
    accounts = tuple(
        Account(name=name, read=Read(kind="files", objects={"orders": (str(sandbox.files / f"{name}.jsonl"),)}))
        for name in ("eu", "us")
    )
    source = Source(platform="shopify", domain="ecommerce", objects=CATALOG["shopify"].objects, enabled=True)
    tenant = Tenant(slug="acme", business_name="A", sources=(source.model_copy(update={"accounts": accounts}),))
    sandbox.land(tenant)
    assert sandbox.query("select _account, id from shopify__orders order by 1") == [("eu", 1), ("us", 1)]
    assert sandbox.query("select account, object from landed_files order by 1") == [("eu", "orders"), ("us", "orders")]
    assert sandbox.land(tenant).load_id is None


def test_a_synthetic_source_lands_like_any_files(sandbox: LandingFixture) -> None:
    source = Source(platform="shopify", domain="ecommerce", objects=CATALOG["shopify"].objects, enabled=True)
    tenant = Tenant(slug="acme", business_name="A", sources=(source,))
    landing = sandbox.land(tenant)
    assert table_of(landing, "orders").rows > 0
    assert table_of(landing, "orders").quarantined == 0
    assert sandbox.land(tenant).load_id is None


def test_a_source_behind_an_api_is_refused_before_anything_is_touched(sandbox: LandingFixture) -> None:
    accounts = (Account(read=Read(kind="api")),)
    source = Source(platform="shopify", domain="ecommerce", objects=CATALOG["shopify"].objects, enabled=True)
    tenant = Tenant(slug="acme", business_name="A", sources=(source.model_copy(update={"accounts": accounts}),))
    with pytest.raises(LandError, match="reads shopify from an API"):
        sandbox.land(tenant)
    assert not sandbox.settings.hub.exists()


def test_a_hub_that_cannot_be_written_says_so(sandbox: LandingFixture) -> None:
    sandbox.write("o.jsonl", lines(1))
    sandbox.settings.home.write_text("a file, where the state folder should be")
    with pytest.raises(LandError, match=r"hub.duckdb cannot be used: .*or set GATA_HOME"):
        sandbox.land(orders="*.jsonl")
    sandbox.settings.home.unlink()
    sandbox.settings.home.mkdir()
    sandbox.settings.hub.write_text("no database" * 1000)
    with pytest.raises(LandError, match=r"hub.duckdb is damaged: "):
        sandbox.land(orders="*.jsonl")


def test_real_exports_land_whole(sandbox: LandingFixture, real_data: Path) -> None:
    shop, ads = real_data / "shopify", real_data / "facebook_ads/graph_api"
    landing = sandbox.land(
        orders=tuple(str(shop / name) for name in ("derived_orders/*.jsonl.gz", "rest/orders.json", "rest/order.json")),
        products=str(shop / "rest/products.json"),
        facebook_insights=str(ads / "adsinsights_rows.jsonl"),
    )
    counts = {table.object: (table.rows, table.quarantined) for table in landing.tables if table.files}
    assert counts == {"orders": (1839, 0), "products": (4, 0), "facebook_insights": (36, 0)}
    assert sandbox.query("select sum(total_price::decimal(18, 2)) > 0, count(distinct id) from shopify__orders") == [
        (True, 1838)
    ]


def test_real_events_land_whole(sandbox: LandingFixture, real_data: Path) -> None:
    """One day of them: tests/end_to_end/test_real_exports.py lands all."""
    path = real_data / "google_analytics/events/events_20210131.parquet"
    table = table_of(sandbox.land(events=str(path)), "events")
    sql = "select count(*), count(*) filter (event_name = 'purchase'), count(distinct user_pseudo_id), sum({}) from {}"
    (there,) = sandbox.query(sql.format("len(items)", f"read_parquet('{path}')"))
    assert min(there) > 0
    assert (table.rows, table.quarantined, table.files) == (there[0], 0, 1)
    assert sandbox.query(sql.format("json_array_length(items)", "google_analytics__events")) == [there]


def test_a_flattened_table_that_no_layout_knows_is_withheld_with_the_measure_that_it_lacks(
    sandbox: LandingFixture, real_data: Path
) -> None:
    table = table_of(sandbox.land(orders=str(real_data / "shopify/fivetran/shopify_gql_order_data.csv")), "orders")
    assert (table.rows, table.quarantined) == (0, 1)
    assert table.drift[0].startswith(
        "the contract says that total_price or total_price_set.shop_money.amount is in every "
    )
