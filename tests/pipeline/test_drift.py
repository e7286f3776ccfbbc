"""A source that no longer holds to its contract stops its own table, says why in a sentence, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest

from pipeline.config.accounts import Account, Read
from pipeline.config.tenant import Tenant
from pipeline.connectors.shopify.contract import Order
from pipeline.contracts.fields import Contract, DecimalText, Integer, Text
from pipeline.gates.landing_gates import drift_failures, landing_notes
from pipeline.ingest.drift import DRIFT_SHARE, MIN_RECORDS, MIN_RECORDS_OF_RARE, fingerprint
from pipeline.ingest.earlier_shapes import HISTORY
from pipeline.ingest.land import LandedTable, Landing
from tests.pipeline.landing_fixture import BLUEPRINTS, LandingFixture, table_of
from tests.pipeline.vendor_records import (
    Made,
    Record,
    ad_day,
    bing_day,
    changed,
    charge,
    csv,
    google_campaign,
    insight,
    jsonl,
    order,
    pages,
    renamed,
    tiktok_day,
    times,
)


def orders(*numbers: int, **changed: Any) -> str:
    return jsonl([order(number) | changed for number in numbers])


def unpriced(*numbers: int) -> str:
    return orders(*numbers, total_price={"amount": "9.90"})


def tracked(number: int, **properties: Any) -> Record:
    """A Mixpanel event without a purchase, if no property says otherwise."""
    known = {"time": 1769936400 + number, "distinct_id": "ann", "$insert_id": f"i{number}"}
    return {"event": "Page View", "properties": known | properties}


NO_PRICE = "the contract says that total_price is a number below 10^12; an object (amount) came in"
"""How the sentence of `unpriced` orders begins."""

DRIFTS: dict[str, tuple[str, str, Made, Callable[[Record], Record]]] = {
    "id is in every record; none came (new, and unknown to it: order_id)": (
        *("shopify", "orders", order),
        lambda row: renamed(row, "id", "order_id"),
    ),
    "id is a whole number; text such as 'order 0' came": (
        *("shopify", "orders", order),
        lambda row: changed(row, "id", f"order {row['id']}"),
    ),
    "line_items.price is a number below 10^12; an object (amount, currency_code) came": (
        *("shopify", "orders", order),
        lambda row: changed(row, "line_items.price", {"amount": "1", "currency_code": "EUR"}),
    ),
    "created_at is a time with seconds and an offset from UTC; text such as '2026-02-01 09:00:00' came": (
        *("shopify", "orders", order),
        lambda row: changed(row, "created_at", "2026-02-01 09:00:00"),
    ),
    "spend is a number below 10^12; an object (amount, currency) came": (
        *("facebook_ads", "facebook_insights", insight),
        lambda row: changed(row, "spend", {"amount": "5.00", "currency": "EUR"}),
    ),
    "metrics.costMicros is a whole number of millionths, below 10^18; text such as '1.23' came": (
        *("google_ads", "ad_performance", ad_day),
        lambda row: changed(row, "metrics.costMicros", "1.23"),
    ),
    "segments.date is in every record; none came": (
        *("google_ads", "ad_performance", ad_day),
        lambda row: changed(row, "segments", {"week": "2026-01-26"}),
    ),
    "properties.time is seconds since 1970, between 2000 and 2100; a number such as 1769936400000 came": (
        *("mixpanel", "events", tracked),
        lambda row: changed(row, "properties.time", 1769936400000),
    ),
    "metrics.spend is a number below 10^12; a list came": (
        *("tiktok_ads", "ads_reports_daily", tiktok_day),
        lambda row: changed(row, "metrics.spend", ["1.50"]),
    ),
    "created is seconds since 1970, between 2000 and 2100; text such as '2026-02-01T09:00' came": (
        *("stripe", "charges", charge),
        lambda row: changed(row, "created", "2026-02-01T09:00"),
    ),
    "Spend is a number below 10^12; text such as '1,50' came": (
        *("bing_ads", "campaign_performance_report", bing_day),
        lambda row: changed(row, "Spend", "1,50"),
    ),
    "TimePeriod is in every record; none came (new, and unknown to it: Week)": (
        *("bing_ads", "campaign_performance_report", bing_day),
        lambda row: renamed(row, "TimePeriod", "Week"),
    ),
}
FORMS = {"tiktok_ads": ("json", pages), "bing_ads": ("csv", csv)}
"""How exports are written that are not JSON lines."""


@pytest.mark.parametrize("message", DRIFTS)
def test_a_lost_field_or_a_changed_type_keeps_the_table_as_it_is(sandbox: LandingFixture, message: str) -> None:
    platform, name, record, change = DRIFTS[message]
    ending, write = FORMS.get(platform, ("jsonl", jsonl))
    sandbox.write(f"a.{ending}", write([record(number) for number in (7, 8)]))
    sandbox.land_of(platform, **{name: f"*.{ending}"})
    sandbox.write(f"b.{ending}", write([record(9)]))
    sandbox.write(f"c.{ending}", write([change(each) for each in times(3, record)]))
    landing = sandbox.land_of(platform, **{name: f"*.{ending}"})

    table = table_of(landing, name)
    assert table.drift == (f"the contract says that {message} in 3 of 3 records, since c.{ending}",)
    assert (table.rows, table.files, table.quarantined) == (0, 0, 3 + 1)
    assert sandbox.counted(f"{platform}__{name}") == 2
    reasons = sandbox.query("select path, line is null, reason from quarantine order by path, line")
    (waiting, *bad) = [(path.rpartition("/")[2], is_file) for path, is_file, _ in reasons]
    assert (waiting, bad) == ((f"b.{ending}", True), [(f"c.{ending}", False)] * 3)
    assert reasons[0][2] == f"withheld while its table has drifted: {table.drift[0]}"
    assert sandbox.query("select count(*) from landed_files") == [(1,)]


def test_a_parquet_file_whose_column_changed_its_type_has_drifted(sandbox: LandingFixture) -> None:
    def write(name: str, event_timestamp: str) -> None:
        columns = f"{event_timestamp} as event_timestamp, 'page_view' as event_name, '20260201' as event_date"
        duckdb.sql(f"select {columns} from range(4)").write_parquet(str(sandbox.files / name))

    write("a.parquet", "1769936400000000 + range")
    sandbox.land(events="*.parquet")
    write("b.parquet", "timestamp '2026-02-01 09:00:00'::varchar")
    table = table_of(sandbox.land(events="*.parquet"), "events")
    (said,) = table.drift
    assert said == (
        "the contract says that event_timestamp is microseconds since 1970, between 2000 and 2100; text such as "
        "'2026-02-01 09:00:00' came in 4 of 4 records, since b.parquet"
    )
    assert sandbox.counted("google_analytics__events") == 4


def test_optional_fields_come_and_go_on_the_same_route(sandbox: LandingFixture) -> None:
    purchase = tracked(1, revenue=12.5, currency="EUR", order_id="o1", utm_source="facebook")
    sandbox.write("day1.jsonl", jsonl([tracked(2), tracked(3)]))
    sandbox.write("day2.jsonl", jsonl([purchase, tracked(4, **{"$city": "Bonn"})]))
    for number in (1, 2):
        table = table_of(sandbox.land_of("mixpanel", events=f"day{number}.jsonl"), "events")
        assert (table.rows, table.quarantined, table.drift, table.findings) == (2, 0, (), ())
    held = "properties ->> 'revenue' is not null"
    assert sandbox.query(f"select count(*), count(*) filter ({held}) from mixpanel__events") == [(4, 1)]


def remember(
    sandbox: LandingFixture, fields: Sequence[str], unknown: Sequence[str] = (), *, seen: str = "2026-01-01"
) -> None:
    """Write a shape of Shopify orders into the hub's history, as a push would."""
    with duckdb.connect(str(sandbox.settings.hub)) as hub:
        hub.execute(
            f"""create table if not exists {HISTORY} (tenant_slug varchar, source_platform varchar,
            source_account varchar, source_object varchar, source_schema_hash varchar, observed_hash varchar,
            observed_fields varchar[], unknown_fields varchar[], first_seen_at timestamp, last_seen_at timestamp)"""
        )
        typed = [f"{name}:VARCHAR" for name in fields]
        values = ["acme", "shopify", "main", "orders", "", "", typed, list(unknown), seen, seen]
        hub.execute(f"insert into {HISTORY} values ({', '.join('?' * len(values))})", values)


def test_an_unknown_field_is_kept_and_told_the_first_time_it_comes(sandbox: LandingFixture) -> None:
    sandbox.write("a.jsonl", orders(1, loyalty={"points": 3}))
    told = "fields the contract does not know, kept in _extra: loyalty"
    assert table_of(sandbox.land(orders="*.jsonl"), "orders").findings == (told,)
    remember(sandbox, ["id", "total_price"], ["loyalty"])
    sandbox.write("b.jsonl", orders(2, loyalty={"points": 4}) + orders(3, loyalty=None, channel="web"))
    told = "fields the contract does not know, kept in _extra: channel"
    assert table_of(sandbox.land(orders="*.jsonl"), "orders").findings == (told,)
    remember(sandbox, ["id", "total_price"], ["channel", "loyalty"], seen="2026-01-02")
    sandbox.write("c.jsonl", orders(4, loyalty={"points": 5}, channel="web"))
    assert table_of(sandbox.land(orders="*.jsonl"), "orders").findings == ()
    extras = [json.loads(extra or "{}") for (extra,) in sandbox.query("select _extra from shopify__orders order by id")]
    assert [extra.get("loyalty") for extra in extras] == [{"points": 3}, {"points": 4}, None, {"points": 5}]


def test_a_field_that_every_load_held_is_told_when_it_is_gone(sandbox: LandingFixture) -> None:
    sandbox.write("a.jsonl", orders(1))
    sandbox.land(orders="*.jsonl")
    remember(sandbox, ["id", "total_price", "tags", "currency"], seen="2026-01-01")
    remember(sandbox, ["id", "total_price", "currency"], seen="2026-01-02")  # tags come and go
    sandbox.write("b.jsonl", jsonl([renamed(order(2), "currency", "money_of")]))
    table = table_of(sandbox.land(orders="*.jsonl"), "orders")
    assert (table.rows, table.drift) == (1, ())
    assert table.findings == (
        "fields the contract does not know, kept in _extra: money_of",
        "fields that every load held so far are gone: currency",
    )
    remember(sandbox, ["id", "total_price"], ["money_of"], seen="2026-01-03")
    sandbox.write("c.jsonl", jsonl([renamed(order(3), "currency", "money_of")]))
    assert table_of(sandbox.land(orders="*.jsonl"), "orders").findings == ()


def test_a_field_that_is_there_and_empty_is_not_gone(sandbox: LandingFixture) -> None:
    sandbox.write("a.jsonl", orders(1))
    sandbox.land(orders="*.jsonl")
    remember(sandbox, ["id", "cancelled_at", "email"])
    sandbox.write("b.jsonl", orders(2, email=None))
    sandbox.write("c.csv", "id,email,cancelled_at,total_price\n3,,,9.90\n")
    for pattern in ("b.jsonl", "c.csv"):
        assert table_of(sandbox.land(orders=pattern), "orders").findings == ()


def test_other_tables_and_other_accounts_go_on(sandbox: LandingFixture) -> None:
    accounts = tuple(
        Account(name=name, read=Read(kind="files", objects={"orders": (str(sandbox.files / f"{name}*.jsonl"),)}))
        for name in ("eu", "uk", "us")
    )
    source = sandbox.source("shopify").model_copy(update={"accounts": accounts})
    tenant = Tenant(
        slug="acme", business_name="Acme", sources=(source, sandbox.source("facebook_ads", facebook_insights="i*"))
    )
    for name in ("eu", "uk", "us"):
        sandbox.write(f"{name}.jsonl", orders(1))
    sandbox.land(tenant)
    sandbox.write("eu_2.jsonl", orders(2))
    sandbox.write("uk_2.jsonl", unpriced(2, 3))
    sandbox.write("uk_3.jsonl", orders(4))
    sandbox.write("us_2.jsonl", orders(2))
    sandbox.write("i.jsonl", jsonl(times(3, insight)))
    landing = sandbox.land(tenant)
    said = {
        (table.account, table.object): (table.rows, len(table.drift))
        for table in landing.tables
        if table.files or table.drift
    }
    assert said == {
        ("eu", "orders"): (1, 0),
        ("uk", "orders"): (0, 1),
        ("us", "orders"): (1, 0),
        ("main", "facebook_insights"): (3, 0),
    }
    assert sandbox.query("select _account, list(id order by id) from shopify__orders group by 1 order by 1") == [
        ("eu", [1, 2]),
        ("uk", [1]),
        ("us", [1, 2]),
    ]


def test_a_table_that_never_landed_takes_what_holds_to_its_contract(sandbox: LandingFixture) -> None:
    sandbox.write("a.jsonl", orders(1, 2))
    sandbox.write("b.jsonl", unpriced(3, 4))
    table = table_of(sandbox.land(orders="*.jsonl"), "orders")
    assert (table.rows, table.files, table.quarantined) == (2, 1, 2)
    assert table.drift == (f"{NO_PRICE} 2 of 2 records, since b.jsonl",)
    assert table.findings == ("b.jsonl is withheld as a whole until it is mended or gone",)
    sandbox.write("c.jsonl", orders(6))
    table = table_of(sandbox.land(orders="*.jsonl"), "orders")
    assert (table.rows, len(table.drift)) == (1, 1)


def stopped(sandbox: LandingFixture) -> LandedTable:
    """Orders of which one export landed on 1 February, and the next, of two files, has drifted."""
    dated = r"(\d{4}-\d\d-\d\d)"
    sandbox.write("2026-02-01.jsonl", orders(1))
    sandbox.land(orders="*.jsonl", exported_at=dated)
    sandbox.write("2026-02-02.jsonl", unpriced(2, 3))
    sandbox.write("2026-02-03.jsonl", orders(4))
    return table_of(sandbox.land(orders="*.jsonl", exported_at=dated), "orders")


def test_the_report_says_until_when_the_table_is_whole_and_how_it_goes_on(sandbox: LandingFixture) -> None:
    table = stopped(sandbox)
    assert table.drift == (f"{NO_PRICE} 2 of 2 records, since 2026-02-02.jsonl",)
    assert table.findings == (
        "2 new files are withheld until 2026-02-02.jsonl is mended or gone; its rows are as of 2026-02-01",
    )
    landing = Landing(None, (table,))
    name = "shopify.orders of account main"
    assert drift_failures(landing) == [f"{name} has drifted: {table.drift[0]}."]
    assert landing_notes(landing) == [
        f"{name} has drifted: {table.drift[0]}.",
        f"{name}: {table.findings[0]}.",
        f"{name}: 3 records or files went into quarantine.",
    ]


def test_a_table_stands_still_without_reading_and_says_the_same_until_something_changes(
    sandbox: LandingFixture,
) -> None:
    first = stopped(sandbox)
    read: list[tuple[str, int]] = []
    for _ in range(2):
        again = sandbox.land(orders="*.jsonl", progress=lambda *told: read.append(told))
        table = table_of(again, "orders")
        assert (again.load_id, read) == (None, [])
        assert (table.drift, table.quarantined) == (first.drift, 0)
    sandbox.write("2026-02-04.jsonl", orders(5))
    waits = sandbox.land(orders="*.jsonl")
    assert waits.load_id is None
    assert table_of(waits, "orders").findings[0].startswith("3 new files are withheld until 2026-02-02.jsonl")


def test_a_file_that_was_mended_lands_and_all_that_waited_for_it(sandbox: LandingFixture) -> None:
    stopped(sandbox)
    sandbox.write("2026-02-02.jsonl", orders(2, 3))
    table = table_of(sandbox.land(orders="*.jsonl"), "orders")
    assert (table.rows, table.files, table.drift) == (3, 2, ())
    assert sandbox.query("select list(id order by id) from shopify__orders") == [([1, 2, 3, 4],)]


def test_a_file_that_was_taken_away_stops_nothing_any_more(sandbox: LandingFixture) -> None:
    stopped(sandbox)
    (sandbox.files / "2026-02-02.jsonl").unlink()
    table = table_of(sandbox.land(orders="*.jsonl"), "orders")
    assert (table.rows, table.drift) == (1, ())


class Priced(Contract):
    key = ("id",)
    required = ("id",)
    id: Integer = None
    total_price: DecimalText = None


class PricedEitherWay(Contract):
    key = ("id",)
    required = ("id",)
    id: Integer = None
    total_price: Text = None


def test_a_contract_that_was_widened_reads_the_file_again(sandbox: LandingFixture) -> None:
    def land(contract: type[Contract]) -> Landing:
        columns = (("id", "BIGINT"), ("total_price", "VARCHAR"))
        blueprint = replace(BLUEPRINTS["shopify", "orders"], contract=contract, columns=columns)
        return sandbox.land(blueprints=BLUEPRINTS | {("shopify", "orders"): blueprint}, orders="*.jsonl")

    sandbox.write("a.jsonl", jsonl([{"id": 1, "total_price": "1"}]))
    land(Priced)
    sandbox.write("b.jsonl", jsonl([{"id": number, "total_price": "1 EUR"} for number in (2, 3)]))
    assert table_of(land(Priced), "orders").drift
    assert land(Priced).load_id is None
    table = table_of(land(PricedEitherWay), "orders")
    assert (table.rows, table.drift) == (2, ())


class NamedByText(Contract):
    key = ("id",)
    required = ("id",)
    id: Text = None
    total_price: Integer = None


def test_a_new_version_that_types_fields_otherwise_lands_in_the_same_table(sandbox: LandingFixture) -> None:
    def land(contract: type[Contract], *columns: tuple[str, str], name: str) -> Landing:
        blueprint = replace(BLUEPRINTS["shopify", "orders"], contract=contract, columns=columns)
        return sandbox.land(blueprints=BLUEPRINTS | {("shopify", "orders"): blueprint}, orders=name)

    sandbox.write("a.jsonl", jsonl([{"id": 1, "total_price": "1"}, {"id": 2, "total_price": "1.50"}]))
    land(Priced, ("id", "BIGINT"), ("total_price", "VARCHAR"), name="a.jsonl")
    sandbox.write("b.jsonl", jsonl([{"id": "gid://shopify/Order/3", "total_price": 3}]))
    landing = land(NamedByText, ("id", "VARCHAR"), ("total_price", "BIGINT"), name="b.jsonl")
    assert table_of(landing, "orders").rows == 1
    rows = sandbox.query("select id, total_price from shopify__orders order by id")
    assert [row[0] for row in rows] == ["1", "2", "gid://shopify/Order/3"]
    assert [row[1] for row in rows] == [1, None, 3]


def test_the_fingerprint_of_a_contract_follows_what_decides_how_files_are_read() -> None:
    class Wider(Order):
        loyalty: Text = None

    class Laxer(Order):
        date_field = "updated_at"

    prints = [fingerprint(contract) for contract in (Order, Wider, Laxer)]
    assert len(set(prints)) == 3
    assert fingerprint(Order) == prints[0]


@pytest.mark.parametrize(("bad", "good"), [(1, 0), (1, 1), (8, 2), (17, 2)])
def test_below_nine_tenths_records_are_quarantined_one_by_one(sandbox: LandingFixture, bad: int, good: int) -> None:
    assert bad < max(MIN_RECORDS, DRIFT_SHARE * (bad + good))
    sandbox.write("a.jsonl", orders(1000))
    sandbox.land(orders="*.jsonl")
    sandbox.write("b.jsonl", unpriced(*range(bad)) + orders(*range(bad, bad + good)))
    table = table_of(sandbox.land(orders="*.jsonl"), "orders")
    assert (table.rows, table.quarantined, table.drift) == (good, bad, ())


@pytest.mark.parametrize(("bad", "good"), [(2, 0), (9, 1), (18, 2)])
def test_from_nine_tenths_on_it_is_drift_and_no_half_of_a_file_lands(
    sandbox: LandingFixture, bad: int, good: int
) -> None:
    sandbox.write("a.jsonl", orders(1000))
    sandbox.land(orders="*.jsonl")
    sandbox.write("b.jsonl", unpriced(*range(bad)) + orders(*range(bad, bad + good)))
    table = table_of(sandbox.land(orders="*.jsonl"), "orders")
    assert table.drift == (f"{NO_PRICE} {bad} of {bad + good} records, since b.jsonl",)
    assert (table.rows, table.quarantined) == (0, bad + bool(good))
    assert sandbox.counted("shopify__orders") == 1


def purchases(count: int, revenue: Any) -> list[Record]:
    return [tracked(1000 + number, revenue=revenue) for number in range(count)]


def test_a_field_that_few_records_have_drifts_by_its_own_values(sandbox: LandingFixture) -> None:
    sandbox.write("a.jsonl", jsonl(times(300, tracked) + purchases(MIN_RECORDS_OF_RARE, 9.5)))
    sandbox.land_of("mixpanel", events="*.jsonl")
    sandbox.write("b.jsonl", jsonl(times(300, tracked) + purchases(MIN_RECORDS_OF_RARE, "EUR 9.50")))
    table = table_of(sandbox.land_of("mixpanel", events="*.jsonl"), "events")
    (said,) = table.drift
    assert said == (
        "the contract says that properties.revenue is a number below 10^12; text such as 'EUR 9.50' came in "
        "10 of 310 records, of which 10 hold it, since b.jsonl"
    )
    assert table.rows == 0


@pytest.mark.parametrize(("bad", "good"), [(MIN_RECORDS_OF_RARE - 1, 0), (MIN_RECORDS_OF_RARE, 2)])
def test_few_values_or_a_part_of_them_are_bad_records(sandbox: LandingFixture, bad: int, good: int) -> None:
    records = times(300, tracked) + purchases(bad, "EUR 9.50") + purchases(good, 9.5)
    sandbox.write("a.jsonl", jsonl([tracked(5000)]))
    sandbox.land_of("mixpanel", events="a.jsonl")
    sandbox.write("b.jsonl", jsonl(records))
    table = table_of(sandbox.land_of("mixpanel", events="*.jsonl"), "events")
    assert (table.rows, table.quarantined, table.drift) == (300 + good, bad, ())


def test_the_values_of_a_list_count_where_any_element_has_one(sandbox: LandingFixture) -> None:
    sandbox.write("a.jsonl", orders(1))
    sandbox.land(orders="*.jsonl")
    bad = [changed(order(number), "line_items.price", "free") for number in range(MIN_RECORDS_OF_RARE)]
    without = [order(number) | {"line_items": [{"id": 1, "quantity": 1}]} for number in range(100, 150)]
    some = [order(200) | {"line_items": [{"id": 1}, {"id": 2, "price": "1"}]}]
    sandbox.write("b.jsonl", jsonl(bad + without + some))
    table = table_of(sandbox.land(orders="*.jsonl"), "orders")
    (said,) = table.drift
    assert said == (
        "the contract says that line_items.price is a number below 10^12; text such as 'free' came in "
        "10 of 61 records, of which 11 hold it, since b.jsonl"
    )


def test_every_field_that_drifted_has_its_sentence_and_files_are_counted_together(sandbox: LandingFixture) -> None:
    sandbox.write("a.jsonl", orders(1))
    sandbox.land(orders="*.jsonl")
    sandbox.write("b.jsonl", unpriced(2, 3))
    sandbox.write(
        "c.jsonl", jsonl([order(n) | {"id": None, "total_price": {"amount": "1"}, "test": "maybe"} for n in (4, 5, 6)])
    )
    assert table_of(sandbox.land(orders="*.jsonl"), "orders").drift == (
        f"{NO_PRICE} 5 of 5 records, since b.jsonl",
        "the contract says that id is in every record; none came in 3 of 3 records, since c.jsonl",
        "the contract says that test is true or false; text such as 'maybe' came in 3 of 3 records, since c.jsonl",
    )


def test_records_beyond_those_that_are_explained_count_too(
    sandbox: LandingFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.ingest.quarantine.MAX_EXPLAINED", 3)
    sandbox.write("a.jsonl", orders(1))
    sandbox.land(orders="*.jsonl")
    sandbox.write("b.jsonl", jsonl([changed(order(n), "line_items.price", []) for n in range(20)]))
    (said,) = table_of(sandbox.land(orders="*.jsonl"), "orders").drift
    assert said.endswith("line_items.price is a number below 10^12; a list came in 20 of 20 records, since b.jsonl")


def test_a_large_table_is_withheld_whole_and_the_account_before_it_stays(
    sandbox: LandingFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.ingest.part_buffer.PART_BYTES", 2_000)
    monkeypatch.setattr("pipeline.ingest.formats.json_texts.BLOCK_BYTES", 1_000)
    accounts = tuple(
        Account(name=name, read=Read(kind="files", objects={"orders": (str(sandbox.files / f"{name}*.jsonl"),)}))
        for name in ("eu", "us")
    )
    source = sandbox.source("shopify").model_copy(update={"accounts": accounts})
    tenant = Tenant(slug="acme", business_name="Acme", sources=(source,))
    for name in ("eu", "us"):
        sandbox.write(f"{name}.jsonl", orders(1))
    sandbox.land(tenant)
    sandbox.write("eu_2.jsonl", orders(*range(100, 140)) + "oops\n")
    sandbox.write("us_2.jsonl", orders(*range(100, 140)) + "oops\n")
    sandbox.write("us_3.jsonl", unpriced(*range(200, 240)))
    sandbox.write("us_4.jsonl.gz", b"no gzip")
    landing = sandbox.land(tenant)
    assert [(table.account, table.rows, table.quarantined) for table in landing.tables if table.object == "orders"] == [
        ("eu", 40, 1),
        ("us", 0, 1 + 40),
    ]
    assert sandbox.query("select _account, count(*) from shopify__orders group by 1 order by 1") == [
        ("eu", 41),
        ("us", 1),
    ]
    assert sandbox.query("select account, count(*) from quarantine group by 1 order by 1") == [
        ("eu", 1),
        ("us", 1 + 40),
    ]
    assert not list((sandbox.settings.home / "landing").rglob("*.parquet"))


def test_a_part_of_the_key_that_every_load_held_is_not_given_up_in_silence(sandbox: LandingFixture) -> None:
    sandbox.write("a.jsonl", jsonl(times(3, google_campaign)))
    sandbox.land_of("google_ads", campaigns="*.jsonl")
    remember(sandbox, [])
    with duckdb.connect(str(sandbox.settings.hub)) as hub:
        hub.execute(
            f"""update {HISTORY} set source_platform = 'google_ads', source_object = 'campaigns',
            observed_fields = ['customer:JSON', 'campaign:JSON']"""
        )
    sandbox.write("b.jsonl", jsonl([{"campaign": google_campaign(number)["campaign"]} for number in range(3)]))
    table = table_of(sandbox.land_of("google_ads", campaigns="*.jsonl"), "campaigns")
    (said,) = table.drift
    assert said == (
        "the contract says that customer.id is part of the key, as every load held it so far; none came in "
        "3 of 3 records, since b.jsonl"
    )


def test_a_required_part_of_the_key_is_told_once(sandbox: LandingFixture) -> None:
    sandbox.write("a.jsonl", orders(1))
    sandbox.land(orders="*.jsonl")
    remember(sandbox, ["id"])
    sandbox.write("b.jsonl", jsonl([renamed(order(number), "id", "order_id") for number in (2, 3)]))
    (said,) = table_of(sandbox.land(orders="*.jsonl"), "orders").drift
    assert said.endswith("in 2 of 2 records, since b.jsonl")


def test_nobodys_address_is_repeated_in_a_finding(sandbox: LandingFixture) -> None:
    sandbox.write("a.jsonl", orders(1))
    sandbox.land(orders="*.jsonl")
    sandbox.write(
        "b.jsonl", jsonl([order(n) | {"id": "ann@example.com", "customer": "Ann, ann@example.com"} for n in (1, 2)])
    )
    drift = table_of(sandbox.land(orders="*.jsonl"), "orders").drift
    assert len(drift) == 2
    assert not any("ann" in sentence.lower() for sentence in drift)


def test_when_an_export_says_no_time_the_table_is_as_of_its_landing(sandbox: LandingFixture) -> None:
    sandbox.write("a.jsonl", orders(1))
    landed = sandbox.land(orders="*.jsonl")
    sandbox.write("b.jsonl", unpriced(2, 3))
    (finding,) = table_of(sandbox.land(orders="*.jsonl"), "orders").findings
    day = datetime.fromtimestamp(float(landed.load_id or 0), UTC).date()
    assert finding == f"1 new file is withheld until b.jsonl is mended or gone; its rows are as of {day}"
