"""Faults of real exports are quarantined with their reason, or read right; never a 0, never a crash."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.connector_catalog import load_catalog
from pipeline.config.tenants_file import load_tenants
from pipeline.errors import ConfigError
from tests.pipeline.landing_fixture import LandingFixture, table_of
from tests.pipeline.vendor_records import (
    RECORDS,
    Record,
    amazon_day,
    bing_day,
    changed,
    charge,
    csv,
    insight,
    jsonl,
    linkedin_day,
    mixpanel_event,
    order,
    renamed,
    tiktok_day,
    times,
    without,
    woo_order,
)

NO_NUMBERS: list[Any] = [
    *("n/a", "-", "--", "—", "none", "null", "True", "NaN", "Infinity", "1e999", "0x10", "١٢"),
    *("1,234", "1.234,50", "$5", "5 EUR", "1 2", "5-", {"value": 5}, {}, [5], []),
]
BLANKS = ["", "  ", None]

NUMBERS: dict[tuple[str, str], dict[str, Any]] = {
    ("amazon_ads", "sponsored_products_campaign_report"): {"impressions": 10, "cost": 1.5, "purchases7d": 1},
    ("amplitude", "events"): {"event_properties.revenue": 9.9},
    ("bigcommerce", "orders"): {"total_inc_tax": "9.9000"},
    ("bing_ads", "campaign_performance_report"): {"Impressions": "10", "Spend": "1.50"},
    ("facebook_ads", "facebook_insights"): {"impressions": "10", "spend": "1.50", "actions.value": "2"},
    ("google_ads", "ad_performance"): {
        "metrics.impressions": "10",
        "metrics.costMicros": "1500000",
        "metrics.conversions": 0.5,
    },
    ("google_analytics", "events"): {"ecommerce.purchase_revenue": 9.9},
    ("instagram_ads", "facebook_insights"): {"clicks": "1"},
    ("linkedin_ads", "ad_analytics"): {"impressions": 10, "costInLocalCurrency": "1.5"},
    ("mixpanel", "events"): {"properties.revenue": 9.9},
    ("shopify", "orders"): {"total_price": "9.90", "line_items.quantity": 1},
    ("stripe", "charges"): {"amount": 990, "amount_captured": 990},
    ("tiktok_ads", "ads_reports_daily"): {"metrics.impressions": "10", "metrics.spend": "1.50"},
    ("woocommerce", "orders"): {"total": "9.90", "line_items.quantity": 1},
}
"""Fields that are counted and added up, with what the records of `vendor_records` say."""
LENIENT = {
    ("bigcommerce", "orders"): ("items_total", 1),
    ("google_analytics", "events"): ("event_value_in_usd", 9.9),
}
"""Numbers that no star has, with what the records of `vendor_records` say."""

OBJECTS = pytest.mark.parametrize(("platform", "name"), RECORDS, ids=lambda value: value)


def landed(sandbox: LandingFixture, platform: str, name: str) -> list[Record]:
    """The records of a landing table, nested ones parsed, in the order of the file."""
    rows = sandbox.query(f"select to_json(r)::varchar from {platform}__{name} as r order by _source_file, _source_line")
    return [json.loads(row) for (row,) in rows]


def value_at(record: Any, path: str) -> Any:
    """What stands at a path; of a list the first element's."""
    head, _, rest = path.partition(".")
    value = record.get(head) if isinstance(record, dict) else None
    value = value[0] if isinstance(value, list) and rest else value
    return value_at(value, rest) if rest else value


@OBJECTS
def test_what_is_no_number_is_quarantined_by_its_field_and_is_never_a_number(
    sandbox: LandingFixture, platform: str, name: str
) -> None:
    record, numbers = RECORDS[platform, name], NUMBERS[platform, name]
    bad = [(path, value) for path in numbers for value in NO_NUMBERS]
    wrong = [changed(record(number), path, value) for number, (path, value) in enumerate(bad)]
    fine = [record(number) for number in range(100, 200)]
    sandbox.write("r.jsonl", jsonl([*wrong, *fine]))
    table = table_of(sandbox.land_of(platform, **{name: "r.jsonl"}), name)
    assert (table.rows, table.quarantined, table.drift) == (len(fine), len(bad), ())
    reasons = sandbox.query("select line, reason from quarantine order by line")
    assert [line for line, _ in reasons] == list(range(1, len(bad) + 1))
    for (path, _), (_, reason) in zip(bad, reasons, strict=True):
        names = path.split(".")
        assert reason.startswith(names[0]), (path, reason)
        assert names[-1] in reason.partition(": ")[0], (path, reason)
    rows = landed(sandbox, platform, name)
    assert {path: {str(value_at(row, path)) for row in rows} for path in numbers} == {
        path: {str(good)} for path, good in numbers.items()
    }


@pytest.mark.parametrize(("platform", "name"), LENIENT, ids=lambda value: value)
def test_what_is_no_number_is_left_out_where_none_rests_on_it(
    sandbox: LandingFixture, platform: str, name: str
) -> None:
    (path, good), record = LENIENT[platform, name], RECORDS[platform, name]
    rows = [changed(record(number), path, value) for number, value in enumerate([*NO_NUMBERS, good])]
    sandbox.write("r.jsonl", jsonl(rows))
    table = table_of(sandbox.land_of(platform, **{name: "r.jsonl"}), name)
    assert (table.rows, table.quarantined, table.drift) == (len(rows), 0, ())
    assert [value_at(row, path) for row in landed(sandbox, platform, name)] == [*(None for _ in NO_NUMBERS), good]


@OBJECTS
def test_a_blank_is_absent_and_no_zero(sandbox: LandingFixture, platform: str, name: str) -> None:
    record, numbers = RECORDS[platform, name], NUMBERS[platform, name]
    rows = [changed(record(number), path, blank) for path in numbers for number, blank in enumerate(BLANKS)]
    for number, row in enumerate(rows):
        sandbox.write(f"{date(2026, 1, 1) + timedelta(number)}.jsonl", jsonl([row]))  # exports of one day
    table = table_of(sandbox.land_of(platform, **{name: "*.jsonl"}), name)
    assert (table.rows, table.quarantined) == (len(rows), 0)
    values = [
        value_at(row, path)
        for path, row in zip([path for path in numbers for _ in BLANKS], landed(sandbox, platform, name), strict=True)
    ]
    assert [value for value in values if str(value or "").strip()] == []
    assert 0 not in values


@pytest.mark.parametrize("blank", ['""', "", '"-"', '"n/a"'])
def test_a_cell_of_a_report_that_is_no_number_is_absent_or_quarantined(sandbox: LandingFixture, blank: str) -> None:
    text = csv(times(12, bing_day))
    (header, first, *others) = text.splitlines()
    sandbox.write("r.csv", "\n".join([header, first.replace('"1.50"', blank), *others]))
    table = table_of(sandbox.land_of("bing_ads", campaign_performance_report="r.csv"), "campaign_performance_report")
    spend = [row["Spend"] for row in landed(sandbox, "bing_ads", "campaign_performance_report")]
    if blank.strip('"'):
        assert (table.rows, table.quarantined, set(spend)) == (11, 1, {"1.50"})
        assert sandbox.query("select line, split_part(reason, ':', 1) from quarantine") == [(1, "Spend")]
    else:
        assert (table.rows, table.quarantined) == (12, 0)
        assert [value for value in spend if value] == ["1.50"] * 11


@OBJECTS
def test_a_record_without_its_key_is_quarantined_and_spares_the_others(
    sandbox: LandingFixture, platform: str, name: str
) -> None:
    record = RECORDS[platform, name]
    from tests.pipeline.landing_fixture import BLUEPRINTS

    required = BLUEPRINTS[platform, name].contract.required
    lost = [without(record(number), path) for number, path in enumerate(required)]
    blank = [changed(record(number), path, "") for number, path in enumerate(required)]
    sandbox.write("r.jsonl", jsonl([*lost, *blank, *(record(number) for number in range(50, 80))]))
    table = table_of(sandbox.land_of(platform, **{name: "r.jsonl"}), name)
    assert (table.rows, table.quarantined, table.drift) == (30, 2 * len(required), ())
    said = [reason for (reason,) in sandbox.query("select reason from quarantine order by line")]
    assert said == [f"{path} is missing" for path in required * 2]


def report(rows: list[Record]) -> str:
    """A download of Microsoft's, with its lines about itself. Shape: data/real/bing_ads/report_download."""
    about = ["Report Name: Campaigns", "Report Time: 2/1/2026", "Time Zone: (GMT-08:00) Mars", f"Rows: {len(rows)}"]
    quoted = "\n".join(f'"{line}"' for line in about)
    table = csv(rows) if rows else '"TimePeriod","CampaignId","Spend"\n'
    return f'{quoted}\n\n{table}\n"@2026 Microsoft Corporation. All rights reserved. "\n'


DAYS = times(12, bing_day)
FORMS: dict[str, tuple[str | bytes, int, int]] = {
    "lines about the report.csv": (report(DAYS), 12, 0),
    "a report of no rows.csv": (report([]), 0, 0),
    "CRLF.csv": (report(DAYS).replace("\n", "\r\n"), 12, 0),
    "a BOM.csv": (b"\xef\xbb\xbf" + report(DAYS).encode(), 12, 0),
    "a BOM and gzip.csv.gz": (gzip.compress(b"\xef\xbb\xbf" + report(DAYS).encode()), 12, 0),
    "a BOM.jsonl": (b"\xef\xbb\xbf" + jsonl(DAYS).encode(), 12, 0),
    "a BOM.json": (b"\xef\xbb\xbf" + json.dumps(DAYS).encode(), 12, 0),
    "semicolons.csv": (csv(DAYS).replace('","', '";"'), 12, 0),
    "a row of totals.csv": (csv([*DAYS, dict.fromkeys(DAYS[0], "18.00") | {"TimePeriod": "Total"}]), 12, 1),
    "a row of totals without a day.csv": (csv([*DAYS, dict.fromkeys(DAYS[0], "18.00") | {"TimePeriod": ""}]), 12, 1),
    "a row cut short.csv": (csv(DAYS).rstrip("\n")[:-20], 11, 1),
    "a cell of another encoding.csv": (csv([*DAYS, bing_day(9) | {"CampaignId": "ü"}]).encode("latin-1"), 12, 1),
    "UTF-16.csv": (csv(DAYS).encode("utf-16"), 12, 0),
    "UTF-16 without a BOM.csv": (csv(DAYS).encode("utf-16-le"), 0, 1),
    "CR alone.csv": (csv(DAYS).replace("\n", "\r"), 0, 1),
    "a workbook.csv": (b"PK\x03\x04\x14\x00\x06\x00\x08\x00" * 20, 0, 1),
    "a page of an error.json": ("<html><body>502 Bad Gateway</body></html>", 0, 1),
    "an error of the API.json": ('{"errors": "Invalid API key or access token"}', 0, 1),
    "two documents.json": (json.dumps(DAYS[0]) + json.dumps(DAYS[1]), 0, 1),
    "zero bytes.csv": ("", 0, 1),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_file_of_an_odd_form_is_read_right_or_quarantined_and_the_next_lands(
    sandbox: LandingFixture, form: str
) -> None:
    content, rows, quarantined = FORMS[form]
    sandbox.write(form, content)
    sandbox.write("next.jsonl", jsonl([bing_day(99)]))
    landing = sandbox.land_of("bing_ads", campaign_performance_report=(form, "next.jsonl"))
    table = table_of(landing, "campaign_performance_report")
    assert (table.rows, table.quarantined) == (rows + 1, quarantined)
    sums = (
        "select sum(Spend::decimal(18, 6)), count(*) filter (Ctr = '10.00%') from bing_ads__campaign_performance_report"
    )
    ((spend, percents),) = sandbox.query(sums)
    assert (float(spend), percents) == (1.5 * (rows + 1), rows + 1)


@pytest.mark.parametrize("percent", ["12.5%", "12.5 %", "12.5", "0%", "-3%"])
def test_a_percentage_lands_as_it_is_written_where_one_is_meant_and_is_no_amount(
    sandbox: LandingFixture, percent: str
) -> None:
    days = [bing_day(number) | {"Ctr": percent} for number in range(5)]
    sandbox.write("r.csv", csv([*days, bing_day(5) | {"Spend": "12.5%"}]))
    table = table_of(sandbox.land_of("bing_ads", campaign_performance_report="r.csv"), "campaign_performance_report")
    assert (table.rows, table.quarantined) == (5, 1)
    assert sandbox.query("select distinct Ctr from bing_ads__campaign_performance_report") == [(percent,)]
    assert sandbox.query("select reason from quarantine") == [("Spend: '12.5%' is not a number",)]


def test_an_export_that_came_twice_lands_once_under_whatever_name(sandbox: LandingFixture) -> None:
    for name in ("a.jsonl", "a (1).jsonl", "copy of a.jsonl"):
        sandbox.write(name, jsonl(times(3, order)))
    table = table_of(sandbox.land_of("shopify", orders="*.jsonl"), "orders")
    assert (table.rows, table.files, table.known_files) == (3, 1, 2)
    sandbox.write("b.jsonl", jsonl(times(3, order)))
    assert sandbox.land_of("shopify", orders="*.jsonl").load_id is None


VERSIONS: dict[str, tuple[str, str, Record, Record, str]] = {
    "Amazon v2 and v3: budget a number, then an object": (
        *("amazon_ads", "sponsored_products_campaigns"),
        {"campaignId": 1, "state": "enabled", "startDate": "20260201", "budget": 5.0},
        {"campaignId": "2", "state": "ENABLED", "startDate": "2026-02-01", "budget": {"budget": 5.0}},
        "",
    ),
    "Stripe: before and after amount_captured, intents as ids and whole": (
        *("stripe", "charges", without(charge(1), "amount_captured")),
        charge(2) | {"payment_intent": {"id": "pi_2", "object": "payment_intent"}},
        "",
    ),
    "LinkedIn: pivotValue, then pivotValues": (
        *("linkedin_ads", "ad_analytics"),
        without(linkedin_day(1), "pivotValues") | {"pivot": "CREATIVE", "pivotValue": "urn:li:sponsoredCreative:1"},
        linkedin_day(2),
        "",
    ),
    "Meta: a metric less and a breakdown more": (
        *("facebook_ads", "facebook_insights", insight(1)),
        without(insight(2), "actions") | {"country": "DE", "quality_ranking": "AVERAGE"},
        "quality_ranking",
    ),
    "Amazon reports: purchases of another window": (
        *("amazon_ads", "sponsored_products_campaign_report", amazon_day(1)),
        renamed(amazon_day(2), "purchases7d", "purchases14d"),
        "",
    ),
    "WooCommerce: times by the store's clock alone": (
        *("woocommerce", "orders", woo_order(1), without(woo_order(2), "date_created_gmt")),
        "",
    ),
    "TikTok: dimensions of another level": (
        *("tiktok_ads", "ads_reports_daily", tiktok_day(1)),
        tiktok_day(2) | {"dimensions": {"campaign_id": "5", "stat_time_day": "2026-02-01"}},
        "",
    ),
}


@pytest.mark.parametrize("versions", VERSIONS)
def test_files_of_two_versions_side_by_side_land_both(sandbox: LandingFixture, versions: str) -> None:
    platform, name, old, new, unknown = VERSIONS[versions]
    sandbox.write("old.jsonl", jsonl([old]))
    sandbox.write("new.jsonl", jsonl([new]))
    table = table_of(sandbox.land_of(platform, **{name: "*.jsonl"}), name)
    assert (table.rows, table.quarantined, table.drift) == (2, 0, ())
    told = (f"fields the contract does not know, kept in _extra: {unknown}",) if unknown else ()
    assert table.findings == told
    kept = [row | (row["_extra"] or {}) for row in landed(sandbox, platform, name)]
    for row, sent in zip(kept, (new, old), strict=True):
        for field, value in sent.items():
            assert row[field] == value or str(row[field]) == str(value), field


REFUSED: dict[str, tuple[str, str, Callable[[int], Record], Callable[[Record], Record], str]] = {
    "Shopify's order names as ids": (
        *("shopify", "orders", order),
        lambda row: changed(row, "id", f"#{row['id']}"),
        "id is a whole number",
    ),
    "Mixpanel's time_in_ms": (
        *("mixpanel", "events", mixpanel_event),
        lambda row: changed(row, "properties.time", row["properties"]["time"] * 1000),
        "properties.time is seconds since 1970",
    ),
    "Stripe's amounts in major units": (
        *("stripe", "charges", charge),
        lambda row: changed(row, "amount", "9.90"),
        "amount is a whole number of minor units",
    ),
    "Amazon's reports by SUMMARY": (
        *("amazon_ads", "sponsored_products_campaign_report", amazon_day),
        lambda row: without(row, "date"),
        "date is in every record",
    ),
    "Microsoft's hours": (
        *("bing_ads", "campaign_performance_report", bing_day),
        lambda row: changed(row, "TimePeriod", "2026-02-01|7"),
        "TimePeriod is a date",
    ),
}


@pytest.mark.parametrize("version", REFUSED)
def test_a_version_that_means_something_else_is_withheld_and_the_other_lands(
    sandbox: LandingFixture, version: str
) -> None:
    platform, name, record, change, said = REFUSED[version]
    sandbox.write("a.jsonl", jsonl(times(5, record)))
    sandbox.write("b.jsonl", jsonl([change(record(number)) for number in range(5, 10)]))
    table = table_of(sandbox.land_of(platform, **{name: "*.jsonl"}), name)
    assert (table.rows, table.quarantined) == (5, 5)
    assert len(table.drift) == 1
    assert f"the contract says that {said}" in table.drift[0]


CURRENCIES = {
    ("amazon_ads", "sponsored_products_campaign_report"): "campaignBudgetCurrencyCode",
    ("bigcommerce", "orders"): "default_currency_code",
    ("bing_ads", "campaign_performance_report"): "CurrencyCode",
    ("facebook_ads", "facebook_insights"): "account_currency",
    ("google_ads", "ad_performance"): "customer.currencyCode",
    ("shopify", "orders"): "currency",
    ("stripe", "charges"): "currency",
    ("tiktok_ads", "ads_reports_daily"): "metrics.currency",
    ("woocommerce", "orders"): "currency",
}


@pytest.mark.parametrize(("platform", "name"), CURRENCIES, ids=lambda value: value)
def test_an_unknown_currency_stays_beside_its_amount(sandbox: LandingFixture, platform: str, name: str) -> None:
    path, record = CURRENCIES[platform, name], RECORDS[platform, name]
    codes = ["XXQ", "EURO", "€", "eur", "Euro (EUR)"]
    sandbox.write("r.jsonl", jsonl([changed(record(number), path, code) for number, code in enumerate(codes)]))
    table = table_of(sandbox.land_of(platform, **{name: "r.jsonl"}), name)
    assert (table.rows, table.quarantined) == (5, 0)
    rows = landed(sandbox, platform, name)
    assert [value_at(row, path) for row in rows] == codes
    for amount, good in NUMBERS[platform, name].items():
        assert {str(value_at(row, amount)) for row in rows} == {str(good)}


def test_a_time_in_no_known_zone_is_quarantined_and_never_taken_for_utc(sandbox: LandingFixture) -> None:
    times_of_day = [
        f"2026-02-01T23:30:00{offset}" for offset in ("", " CET", " Europe/Berlin", "+25:00", "+1", " (GMT+1)", "Mars")
    ]
    late = [changed(order(number), "created_at", at) for number, at in enumerate(times_of_day)]
    sandbox.write("r.jsonl", jsonl([*late, *(order(number) for number in range(100, 130))]))
    table = table_of(sandbox.land_of("shopify", orders="r.jsonl"), "orders")
    assert (table.rows, table.quarantined) == (30, len(late))
    said = [reason for (reason,) in sandbox.query("select reason from quarantine order by line")]
    assert all(reason.startswith(f"created_at: '{at}'") for reason, at in zip(said, times_of_day, strict=True)), said


def test_the_name_of_an_unknown_zone_in_a_record_is_kept_as_it_is(sandbox: LandingFixture) -> None:
    row = changed(RECORDS["google_ads", "ad_performance"](1), "customer.timeZone", "Mars/Olympus")
    sandbox.write("r.jsonl", jsonl([row]))
    assert table_of(sandbox.land_of("google_ads", ad_performance="r.jsonl"), "ad_performance").rows == 1
    assert landed(sandbox, "google_ads", "ad_performance")[0]["customer"]["timeZone"] == "Mars/Olympus"


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        ("timezone: Europe/Berlim", "timezone is 'Europe/Berlim', which is no IANA time zone"),
        ("currency: EURO", "currency is 'EURO'"),
        ("sources: {shopify: {enabled: true, accounts: {eu: {timezone: CET+1}}}}", "timezone is 'CET\\+1'"),
        ("sources: {shopify: {enabled: true, accounts: {eu: {currency: XXQ}}}}", "currency is 'XXQ'"),
    ],
)
def test_an_unknown_zone_or_currency_of_a_tenant_is_refused_with_its_line(
    tmp_path: Path, words: str, wrong: str
) -> None:
    path = tmp_path / "tenants.yaml"
    path.write_text(f"tenants:\n  - slug: acme\n    business_name: Acme\n    status: pending\n    {words}\n")
    catalog = load_catalog(Path(__file__).parents[2] / "supported_connectors.yaml")
    with pytest.raises(ConfigError, match=f"tenants.yaml:5.*{wrong}"):
        load_tenants(path, catalog)
