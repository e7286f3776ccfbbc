"""A file that lacks a measure which its contract promises, or has another field in its place, is withheld by name."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from pipeline.contracts.fields import Contract, Leaf, Many, Meaning, Shape, is_date_object, shape_of
from pipeline.contracts.measures import Measure, Sent, always
from pipeline.gates.landing_gates import drift_failures
from pipeline.ingest.drift import DriftedFile, sentences
from pipeline.ingest.formats.reader import Reader
from pipeline.ingest.measure_check import LOOKED_AT, MeasureCheck, place_in
from tests.pipeline.landing_fixture import BLUEPRINTS, LandingFixture, table_of
from tests.pipeline.vendor_records import (
    ad_day,
    amazon_day,
    bing_day,
    changed,
    charge,
    insight,
    jsonl,
    linkedin_day,
    mixpanel_event,
    order,
    pages,
    tiktok_day,
    times,
    without,
)
from tests.pipeline.vendor_records import (
    csv as csv_text,
)

CONTRACTS = {(platform, name): blueprint.contract for (platform, name), blueprint in sorted(BLUEPRINTS.items())}
PROMISES = [(*key, measure) for key, contract in CONTRACTS.items() for measure in contract.measures]
FACTS = {key for key, contract in CONTRACTS.items() if contract.measures}
Fields = dict[str, Any]  # Any: JSON

VALUES: dict[Meaning, object] = {
    Meaning.TEXT: "a",
    Meaning.DECIMAL: "1.50",
    Meaning.MICROS: "1500000",
    Meaning.PERCENT: "1.50%",
    Meaning.INTEGER: "3",
    Meaning.INSTANT: "2026-02-01T09:00:00Z",
    Meaning.UTC_TIME: "2026-02-01 09:00:00",
    Meaning.LOCAL_TIME: "2026-02-01T09:00:00",
    Meaning.RFC_2822: "Sun, 01 Feb 2026 08:00:00 +0000",
    Meaning.DATE: "2026-02-01",
    Meaning.COMPACT_DATE: "20260201",
    Meaning.EPOCH_SECONDS: 1769936400,
    Meaning.EPOCH_MILLIS: 1769936400000,
    Meaning.EPOCH_MICROS: 1769936400000000,
    Meaning.MINOR_UNITS: 150,
    Meaning.FLAG: True,
    Meaning.ANYTHING: {"a": 1},
}


def filled(shape: Shape) -> Any:  # Any: JSON
    """A value of a shape, every field of it present."""
    if isinstance(shape, Leaf):
        value = VALUES[shape.meaning]
        return float(str(value)) if shape.wire == "DOUBLE" else int(str(value)) if shape.wire == "BIGINT" else value
    if isinstance(shape, Many):
        return [filled(shape.of)]
    day = {"year": 2026, "month": 2, "day": 1} if is_date_object(shape) else {}
    return {name: filled(inner) for name, inner in shape} | day


def records_of(contract: type[Contract]) -> list[Fields]:
    """Three records with every field of a contract, told apart by their key's first field of free text."""
    return [filled(shape_of(contract)) for _ in range(3)]


def other_spelling(name: str) -> str:
    """The name as another client would write it: snake_case for camelCase and back, else the plural."""
    if re.search("[a-z0-9][A-Z]", name):
        return re.sub("(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    head, *rest = name.split("_")
    return head + "".join(map(str.title, rest)) if rest else f"{name}s"


def respelt(path: str) -> str:
    *place, name = path.split(".")
    return ".".join([*place, other_spelling(name)])


def at(record: Fields, path: str) -> Iterator[tuple[Fields, str]]:
    """The objects that a path leads to, through lists, each with the last name of it."""
    head, _, rest = path.partition(".")
    if not rest:
        yield record, head
        return
    inner = record[head]
    for one in inner if isinstance(inner, list) else [inner]:
        yield from at(one, rest)


def rename(record: Fields, path: str) -> None:
    for holder, name in at(record, path):
        holder[other_spelling(name)] = holder.pop(name)


def empty(record: Fields, path: str) -> None:
    for holder, name in at(record, path):
        holder[name] = None


def remove(record: Fields, path: str) -> None:
    for holder, name in at(record, path):
        del holder[name]


def move(record: Fields, path: str) -> None:
    for holder, name in at(record, path):
        record.setdefault("data", {})[name] = holder.pop(name)


FAULTS = {"renamed": rename, "emptied": empty, "absent": remove, "nested elsewhere": move}


def flat(value: Fields, path: str = "") -> Iterator[tuple[str, object]]:
    """A record as the dotted columns of a CSV; lists as JSON text."""
    for name, inner in value.items():
        if isinstance(inner, dict) and inner:
            yield from flat(inner, f"{path}{name}.")
        else:
            yield f"{path}{name}", json.dumps(inner) if isinstance(inner, list | bool) else inner


def as_csv(records: Iterable[Fields]) -> str:
    rows = [dict(flat(record)) for record in records]
    out = io.StringIO()
    writer = csv.DictWriter(out, list(dict.fromkeys(name for row in rows for name in row)))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


FORMS = {"jsonl": jsonl, "csv": as_csv}
FAULTY = [
    pytest.param(*promise, fault, form, id=f"{'-'.join((*promise[:2], promise[2].name))}-{fault}-{form}", marks=marks)
    for number, promise in enumerate(PROMISES)
    for turn, fault in enumerate(FAULTS)
    for place, form in enumerate(FORMS)
    for marks in [() if (number + turn + place) % 2 else pytest.mark.long]
]
"""Every fault of every measure in each form; `make test` takes the forms in turn, as `bench.faults` does others."""


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as found:
        found.execute("set global TimeZone = 'UTC'")
        yield found


def drifts_of(
    con: duckdb.DuckDBPyConnection, contract: type[Contract], file: Path, steady: Iterable[str] = ()
) -> tuple[str, ...]:
    """What a landing would say of a file's measures."""
    reader, check = Reader(con, contract, file.parent), MeasureCheck(con, contract)
    rows = 0
    for batch in reader.read(file):
        assert not batch.wrong.num_rows, batch.wrong.to_pylist()[:1]
        check.add(batch.good)
        rows += batch.good.num_rows
    assert rows == 3
    found = tuple(check.drifts(reader.names, frozenset(steady)))
    return sentences([DriftedFile(file.name, found, stops=False)])


def test_every_contract_of_a_fact_promises_measures_and_none_of_an_entity_does() -> None:
    assert {name for _, name in CONTRACTS.keys() - FACTS} == {
        *("ad_groups", "ad_sets", "ads", "campaigns", "customers", "people", "products", "users"),
        *(f"sponsored_products_{kind}" for kind in ("ad_groups", "campaigns", "product_ads")),
    }
    assert {platform for platform, _ in FACTS} == {platform for platform, _ in CONTRACTS}


@pytest.mark.parametrize(("platform", "name"), sorted(FACTS))
def test_a_promised_measure_is_a_field_of_its_contract(platform: str, name: str) -> None:
    contract = CONTRACTS[platform, name]
    paths = [path for measure in contract.measures for path in measure.paths]
    assert len(paths) == len(set(paths))
    for path in paths:
        assert place_in(contract, path).column in dict(shape_of(contract).fields)


def test_a_measure_that_is_no_field_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^spent is no field of the contract\.$"):
        place_in(CONTRACTS["facebook_ads", "facebook_insights"], "spent")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("platform", "name"), sorted(FACTS))
def test_a_file_with_every_measure_is_not_withheld(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, platform: str, name: str, form: str
) -> None:
    contract = CONTRACTS[platform, name]
    (file := tmp_path / f"a.{form}").write_text(FORMS[form](records_of(contract)))
    assert drifts_of(con, contract, file, [measure.name for measure in contract.measures]) == ()


@pytest.mark.parametrize(("platform", "name", "measure", "fault", "form"), FAULTY)
def test_a_measure_that_no_record_has_withholds_its_file_by_name(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, platform: str, name: str, measure: Measure, fault: str, form: str
) -> None:
    contract = CONTRACTS[platform, name]
    records = records_of(contract)
    for record in records:
        for path in measure.paths:
            FAULTS[fault](record, path)
    (file := tmp_path / f"a.{form}").write_text(FORMS[form](records))
    said = drifts_of(con, contract, file)
    near = {
        "renamed": [respelt(path) for path in measure.paths],
        "nested elsewhere": [f"data.{path.rpartition('.')[2]}" for path in measure.paths] + ["data"],
    }.get(fault, [])
    is_named = fault == "emptied" and (form == "jsonl" or "." not in measure.name)  # empty cells make no object
    is_lost = measure.sent is Sent.ALWAYS or (measure.sent is Sent.IF_ASKED and is_named)
    if is_lost or (near and measure.sent is not Sent.BY_SHOP):
        (sentence,) = [each for each in said if each.startswith(f"the contract says that {measure.name} is ")]
        assert sentence.startswith(f"the contract says that {measure.name} is {measure.sent}; none came")
        assert sentence.endswith("in 3 of 3 records, since " + file.name)
        if form == "jsonl" and near:
            assert any(f", and {path}, which it does not know, came" in sentence for path in near), sentence
    else:
        assert said == ()
        steady = drifts_of(con, contract, file, [measure.name])
        assert [each.split("; ")[0] for each in steady] == (
            [f"the contract says that {measure.name} is in every export so far"]
            if measure.sent in (Sent.IF_ASKED, Sent.ON_REQUEST)
            else []
        )


@pytest.mark.parametrize(("platform", "name"), sorted(FACTS))
def test_a_loaders_table_is_not_withheld_for_what_it_never_has(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, platform: str, name: str
) -> None:
    """Its columns are those the layout lists, and what it is known by."""
    contract = CONTRACTS[platform, name]
    shape = shape_of(contract)
    for layout in contract.layouts:
        whole = dict(flat(filled(shape)))
        row = {title: filled(dict(shape.fields)[title]) for title in layout.known_by if title in dict(shape.fields)}
        row |= {column: whole[path] for path, column in layout.columns.items() if path in whole}
        row |= {title: "2026-02-01" for title in layout.known_by if title not in row}
        for path in contract.required:
            row.setdefault(layout.columns.get(path, path), whole.get(path, "2026-02-01"))
        missing = {p for m in contract.measures if m.sent is Sent.ALWAYS and "." not in m.name for p in m.paths}
        row |= {path: whole[path] for path in missing if path not in layout.columns}
        (file := tmp_path / f"{layout.name}.csv").write_text(as_csv([row] * 3))
        assert drifts_of(con, contract, file) == ()


def test_one_record_without_a_measure_does_not_withhold_its_file(sandbox: LandingFixture) -> None:
    sandbox.write("a.jsonl", jsonl([insight(1), without(insight(2), "spend")]))
    table = table_of(sandbox.land(facebook_insights="*.jsonl"), "facebook_insights")
    assert (table.rows, table.drift) == (2, ())


def test_one_record_with_a_blank_measure_is_a_record_and_with_another_name_it_is_withheld(
    sandbox: LandingFixture,
) -> None:
    sandbox.write("a.jsonl", jsonl([changed(ad_day(1), "metrics.costMicros", None)]))
    assert table_of(sandbox.land_of("google_ads", ad_performance="a.jsonl"), "ad_performance").drift == ()
    (metrics,) = [dict(ad_day(2)["metrics"])]
    metrics["cost_micros"] = metrics.pop("costMicros")
    sandbox.write("b.jsonl", jsonl([ad_day(2) | {"metrics": metrics}]))
    (said,) = table_of(sandbox.land_of("google_ads", ad_performance="b.jsonl"), "ad_performance").drift
    assert said == (
        "the contract says that metrics.costMicros is in every export; none came, and metrics.cost_micros, which it "
        "does not know, came in 1 of 1 records, since b.jsonl"
    )


def test_a_report_of_actions_alone_lands(sandbox: LandingFixture) -> None:
    asked = [{name: insight(n)[name] for name in ("ad_id", "date_start", "actions")} for n in (1, 2)]
    sandbox.write("a.jsonl", jsonl(asked))
    assert table_of(sandbox.land(facebook_insights="a.jsonl"), "facebook_insights").drift == ()
    sandbox.write("b.jsonl", jsonl([row | {"clicks": "1"} for row in asked]))
    (said,) = table_of(sandbox.land(facebook_insights="b.jsonl"), "facebook_insights").drift
    assert said.startswith("the contract says that spend is in every export; none came")


@pytest.mark.parametrize(
    ("platform", "name", "record", "column", "stand_in"),
    [
        ("amazon_ads", "sponsored_products_campaign_report", amazon_day, "clicks", "click"),
        ("bing_ads", "campaign_performance_report", bing_day, "Impressions", "impressions"),
        ("google_ads", "ad_performance", ad_day, "metrics.clicks", "metrics.click"),
        ("linkedin_ads", "ad_analytics", linkedin_day, "impressions", "impression"),
        ("tiktok_ads", "ads_reports_daily", tiktok_day, "metrics.impressions", "metrics.impression"),
    ],
)
def test_a_report_that_did_not_ask_for_a_column_lands_and_one_that_lost_it_does_not(
    sandbox: LandingFixture, platform: str, name: str, record: Callable[[int], Fields], column: str, stand_in: str
) -> None:
    def drift_of(file: str, rows: list[Fields]) -> tuple[str, ...]:
        sandbox.write(file, jsonl(rows))
        return table_of(sandbox.land_of(platform, **{name: file}), name).drift

    assert drift_of("a.jsonl", [without(row, column) for row in times(2, record)]) == ()
    (said,) = drift_of("b.jsonl", [changed(row, column, None) for row in times(2, record)])
    assert said.startswith(f"the contract says that {column} is in every report that asks for it; none came")
    replaced = [changed(without(row, column), stand_in, 1) for row in times(2, record)]
    if platform != "bing_ads":  # its columns are known in any case
        (said,) = drift_of("c.jsonl", replaced)
        assert f"none came, and {stand_in}, which it does not know, came" in said


TOTAL = "total_price or total_price_set.shop_money.amount"


def test_an_order_whose_total_gives_way_to_another_object_is_withheld(sandbox: LandingFixture) -> None:
    totals = {"total_price_v2": {"amount": "9.90"}}
    sandbox.write("a.jsonl", jsonl([without(order(2), "total_price") | totals]))
    (said,) = table_of(sandbox.land(orders="*.jsonl"), "orders").drift
    assert f"{TOTAL} is in every export; none came, and total_price_v2.amount, which it does not know" in said


def test_an_order_whose_total_is_in_its_set_alone_is_read(sandbox: LandingFixture) -> None:
    totals = {"total_price_set": {"shop_money": {"amount": "9.90"}}}
    sandbox.write("a.jsonl", jsonl([without(order(2), "total_price") | totals]))
    table = table_of(sandbox.land(orders="*.jsonl"), "orders")
    assert (table.rows, table.drift) == (1, ())


def test_a_measure_deep_in_a_large_batch_is_seen() -> None:
    contract = CONTRACTS["facebook_ads", "facebook_insights"]
    with duckdb.connect() as con:
        check = MeasureCheck(con, contract)
        spend = pa.array([None] * LOOKED_AT + ["1.50"], pa.string())
        columns = {name: pa.nulls(len(spend), pa.string()) for name, _ in shape_of(contract)} | {"spend": spend}
        check.add(pa.table(columns | {"_extra": pa.nulls(len(spend), pa.string())}))
        assert check.held == {"spend"}


def test_a_withheld_file_leaves_the_earlier_days_as_they_were_and_fails_the_gate(sandbox: LandingFixture) -> None:
    sandbox.write("a.json", pages(times(2, tiktok_day)))
    sandbox.land_of("tiktok_ads", ads_reports_daily="*.json")
    other = [changed(without(row, "metrics.spend"), "metrics.budget", "30.00") for row in times(2, tiktok_day)]
    sandbox.write("b.json", pages(other))
    landing = sandbox.land_of("tiktok_ads", ads_reports_daily="*.json")
    table = table_of(landing, "ads_reports_daily")
    said = (
        "the contract says that metrics.spend or metrics.cost is in every export; none came (unknown to it: "
        "metrics.budget) in 2 of 2 records, since b.json"
    )
    assert (table.rows, table.drift) == (0, (said,))
    assert any("its rows are as of" in finding for finding in table.findings)
    assert drift_failures(landing) == [f"tiktok_ads.ads_reports_daily of account main has drifted: {said}."]
    assert sandbox.counted("tiktok_ads__ads_reports_daily") == 2


def test_a_shops_list_of_orders_without_a_known_total_is_withheld_from_the_first_file_on(
    sandbox: LandingFixture,
) -> None:
    sandbox.write("orders_export.csv", csv_text([{"Id": "1", "Currency": "EUR", "Total": "9.90"}]))
    table = table_of(sandbox.land(orders="*.csv"), "orders")
    assert table.rows == 0
    assert table.drift[0].startswith(f"the contract says that {TOTAL} is in every export; none came")
    assert table.findings == ("orders_export.csv is withheld as a whole until it is mended or gone",)


def test_an_export_without_records_stays_an_export(sandbox: LandingFixture) -> None:
    sandbox.write("a.json", '{"data": {"list": []}}')
    table = table_of(sandbox.land_of("tiktok_ads", ads_reports_daily="*.json"), "ads_reports_daily")
    assert (table.drift, table.findings) == ((), ("a.json holds no records",))


def test_a_field_beside_a_measure_that_is_there_takes_nobodys_place(sandbox: LandingFixture) -> None:
    sandbox.write(
        "a.jsonl", jsonl([charge(number) | {"Amount Refunded": 5, "amount_refunded": 5} for number in (1, 2)])
    )
    assert table_of(sandbox.land_of("stripe", charges="*.jsonl"), "charges").drift == ()
    sandbox.write("b.jsonl", jsonl([charge(number) | {"Amount Refunded": 5} for number in (3, 4)]))
    (said,) = table_of(sandbox.land_of("stripe", charges="*.jsonl"), "charges").drift
    assert said.startswith("the contract says that amount_refunded is left out at zero only; none came, and Amount Ref")


def test_a_window_of_other_days_stands_in_a_measures_place(sandbox: LandingFixture) -> None:
    renamed = [without(row, "purchases7d") | {"purchases60d": 1} for row in times(2, amazon_day)]
    sandbox.write("a.jsonl", jsonl(renamed))
    landing = sandbox.land_of("amazon_ads", sponsored_products_campaign_report="*.jsonl")
    (said,) = table_of(landing, "sponsored_products_campaign_report").drift
    assert "none came, and purchases60d, which it does not know, came in 2 of 2 records" in said


def test_a_nested_measure_that_every_file_held_is_missed(sandbox: LandingFixture) -> None:
    sandbox.write("a.jsonl", jsonl(times(2, ad_day)))
    sandbox.land_of("google_ads", ad_performance="*.jsonl")
    sandbox.write("b.jsonl", jsonl([without(row, "metrics.conversions") for row in times(2, ad_day)]))
    table = table_of(sandbox.land_of("google_ads", ad_performance="*.jsonl"), "ad_performance")
    said = "the contract says that metrics.conversions is in every export so far; none came in 2 of 2 records"
    assert table.drift == (f"{said}, since b.jsonl",)


def test_nested_fields_that_a_contract_does_not_know_are_told_once(sandbox: LandingFixture) -> None:
    def with_duties(number: int) -> Fields:
        return changed(order(number), "line_items.duties", [])

    told = "nested fields the contract does not know, kept in place: line_items.duties"
    sandbox.write("a.jsonl", jsonl(times(2, with_duties)))
    assert told in table_of(sandbox.land(orders="*.jsonl"), "orders").findings
    sandbox.write("b.jsonl", jsonl([with_duties(5)]))
    assert told not in table_of(sandbox.land(orders="*.jsonl"), "orders").findings


def test_a_shops_own_property_takes_nobodys_place(sandbox: LandingFixture) -> None:
    own = [changed(without(row, "properties.revenue"), "properties.Revenue", 9.9) for row in times(2, mixpanel_event)]
    sandbox.write("a.jsonl", jsonl(own))
    assert table_of(sandbox.land_of("mixpanel", events="*.jsonl"), "events").drift == ()


def test_an_alternative_is_enough() -> None:
    assert always("cost", "spend").name == "cost or spend"
