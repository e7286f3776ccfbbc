"""`gata check` says what landing does: the same rows, the same reasons, and lines of tenants.yaml that land them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.config.tenants_file import load_tenants
from pipeline.contracts.registry import Blueprint
from pipeline.ingest.formats.reader import reading_connection
from pipeline.ingest.recognition.checked_file import CheckedFile, check_path
from pipeline.ingest.recognition.report import file_report
from pipeline.ingest.recognition.tenants_lines import tenants_lines
from tests.pipeline.landing_fixture import BLUEPRINTS, CATALOG, LandingFixture, table_of
from tests.pipeline.vendor_records import (
    Record,
    ad_day,
    amplitude_event,
    changed,
    charge,
    insight,
    jsonl,
    order,
    renamed,
    times,
    woo_order,
)


def checked(path: Path, *keys: tuple[str, str]) -> CheckedFile:
    """The check of a file among some contracts."""
    among: dict[tuple[str, str], Blueprint] = {key: BLUEPRINTS[key] for key in keys} or BLUEPRINTS
    with reading_connection(path.parent) as con:
        (file,) = check_path(con, path, among, path.parent)
    return file


def mended(number: int) -> Record:
    return insight(number) | ({"spend": "1,50"} if number == 3 else {})


def twice(number: int) -> Record:
    return insight(0) | {"spend": str(number)} if number < 2 else insight(number)


FILES: dict[str, tuple[tuple[str, str], Sequence[Record]]] = {
    "all of it": (("shopify", "orders"), times(12, order)),
    "but one": (("facebook_ads", "facebook_insights"), times(12, mended)),
    "but a shared key": (("facebook_ads", "facebook_insights"), times(12, twice)),
    "none: a measure renamed": (("google_ads", "ad_performance"), []),
    "none: a date in another form": (("facebook_ads", "facebook_insights"), []),
    "without a date": (("stripe", "charges"), [*times(11, charge), {**charge(11), "created": "yesterday"}]),
}
FILES["none: a measure renamed"] = (
    ("google_ads", "ad_performance"),
    [record | {"metrics": renamed(record["metrics"], "costMicros", "cost_of_micros")} for record in times(3, ad_day)],
)
FILES["none: a date in another form"] = (
    ("facebook_ads", "facebook_insights"),
    [changed(record, "date_start", "1/5/2026") for record in times(3, insight)],
)


@pytest.mark.parametrize("what", FILES)
def test_what_would_land_is_what_lands(tmp_path: Path, what: str) -> None:
    (platform, name), records = FILES[what]
    landing = LandingFixture(tmp_path)
    path = landing.write("export.jsonl", jsonl(records))
    file = checked(path, (platform, name))
    assert file.check is not None
    landed = table_of(landing.land_of(platform, **{name: "export.jsonl"}), name)
    assert file.check.rows == landed.rows
    assert len(file.check.withheld) == len(landed.drift)
    kept = sum(each.records for each in file.check.quarantined)
    assert kept == landing.query("select count(*) from quarantine where line is not null")[0][0]
    assert file.lands_whole == (landed.rows == len(records))


def test_days_sums_accounts_and_currencies_are_those_of_the_records(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    days = [changed(record, "segments.date", f"2026-02-0{day}") for day in (1, 3) for record in times(3, ad_day)]
    path.write_text(jsonl(days), encoding="utf-8")
    report = file_report(checked(path, ("google_ads", "ad_performance")), "a.jsonl")
    assert report["days"] == {"first": "2026-02-01", "last": "2026-02-03", "count": 2}
    assert (report["accounts"], report["currencies"]) == (["1"], ["EUR"])
    sums = {one["field"]: (one["sum"], one["currency"]) for one in report["measures"]}
    assert sums["metrics.costMicros"] == (Decimal(9), "EUR")
    assert sums["metrics.clicks"] == (Decimal(6), None)


def test_money_of_two_currencies_is_summed_apart_and_counts_together(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    others = [{**record, "account_currency": "USD", "ad_id": f"u{record['ad_id']}"} for record in times(2, insight)]
    path.write_text(jsonl([*times(3, insight), *others]), encoding="utf-8")
    report = file_report(checked(path, ("facebook_ads", "facebook_insights")), "a.jsonl")
    sums = {(one["field"], one["currency"]): one["sum"] for one in report["measures"]}
    assert sums["spend", "EUR"], sums["spend", "USD"] == (Decimal("4.5"), Decimal(3))
    assert sums["impressions", None] == 50


def test_minor_units_are_said_to_be_minor_units(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(jsonl(times(2, charge)), encoding="utf-8")
    measures = file_report(checked(path, ("stripe", "charges")), "a.jsonl")["measures"]
    assert {"field": "amount", "currency": "EUR", "sum": Decimal(1980), "in_minor_units": True} in measures


def private(number: int) -> Record:
    """A record whose every faulty or unknown value is a person's."""
    bad = {"total_price": "Ann Smith"} if number < 2 else {}
    where = {"created_at": "ann@example.com"} if number == 2 else {}
    person = {"email": "ann@example.com", "customer": {"id": "Ann-Smith-1", "email": "ann@example.com"}}
    return order(number) | (person if number == 3 else {}) | bad | where | {"ann@example.com": "Ann Smith"}


def test_no_value_of_a_person_is_in_a_report(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(jsonl(times(30, private)), encoding="utf-8")
    text = json.dumps(file_report(checked(path, ("shopify", "orders")), "a.jsonl"), default=str)
    path.write_text(
        jsonl([order(number) | {"total_price": f"Ann Smith {number}"} for number in range(5)]), encoding="utf-8"
    )
    text += json.dumps(file_report(checked(path, ("shopify", "orders")), "a.jsonl"), default=str)
    assert "Ann" not in text
    assert "ann@" not in text
    assert "total_price: a value is not a number" in text


def test_a_short_number_or_date_that_does_not_convert_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(jsonl(times(12, mended)), encoding="utf-8")
    (kept,) = file_report(checked(path, ("facebook_ads", "facebook_insights")), "a.jsonl")["quarantined"]
    assert kept == {"reason": "spend: a value is not a number", "records": 1, "example": "'1,50'"}


def test_a_file_damaged_after_its_head_is_recognised_and_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = "".join(f"{number},2026-02-01,1.50,10\n" for number in range(30_000))
    path.write_text(f'ad_id,date_start,spend,impressions\n{rows}"9,2026-02-01,1,1\n', encoding="utf-8")
    file = checked(path, ("facebook_ads", "facebook_insights"))
    assert file.recognition.candidates
    assert "never closed" in str(file.reason)


def test_the_lines_of_tenants_yaml_load_and_land_what_was_checked(tmp_path: Path) -> None:
    landing = LandingFixture(tmp_path)
    made = {"the orders [1].jsonl": woo_order, "meta.jsonl": insight, "events.jsonl": amplitude_event}
    keys = (("woocommerce", "orders"), ("facebook_ads", "facebook_insights"), ("instagram_ads", "facebook_insights"))
    for name, record in made.items():
        landing.write(name, jsonl(times(3, record)))
    files = [checked(landing.files / name, *keys, ("amplitude", "events")) for name in made]
    lines = tenants_lines(files, CATALOG, tmp_path)
    assert lines is not None
    assert "instagram_ads in place of facebook_ads" in lines
    (tmp_path / "tenants.yaml").write_text(lines, encoding="utf-8")
    tenant = load_tenants(tmp_path / "tenants.yaml", CATALOG).active[0]
    assert (tenant.domains, tenant.currency) == (("ads", "ecommerce", "analytics"), "EUR")
    landed = landing.land(tenant)
    assert sum(table.rows for table in landed.tables) == 9
    assert not any(table.findings for table in landed.tables if table.rows)


def test_an_archive_of_several_objects_is_brought_by_its_folder(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("orders.jsonl", jsonl(times(2, order)))
        archive.writestr("products.jsonl", jsonl([{"id": 1, "title": "Mug", "handle": "mug", "vendor": "Acme"}]))
    among = {key: BLUEPRINTS[key] for key in (("shopify", "orders"), ("shopify", "products"))}
    with reading_connection(tmp_path) as con:
        files = list(check_path(con, tmp_path / "all.zip", among, tmp_path))
    lines = tenants_lines(files, CATALOG, tmp_path / "elsewhere")
    assert lines is not None
    assert f"          folder: {tmp_path}\n" in lines
    assert tenants_lines([], CATALOG, tmp_path) is None
