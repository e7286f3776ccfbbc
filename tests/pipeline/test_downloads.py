"""What people download from web pages is read with its own units and locale, or refused in a sentence that says why."""

from __future__ import annotations

import codecs
import csv
import io
import json
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.config.accounts import Account, Read
from pipeline.config.source import Source
from pipeline.config.tenant import Tenant
from pipeline.contracts.downloads import Download, Language, Locale
from pipeline.contracts.fields import Leaf, Record, shape_of
from pipeline.ingest.downloads.date_styles import DateEvidence, date_evidence_items, day_text, proven_order, split
from pipeline.ingest.downloads.number_styles import NumberEvidence, number_evidence_items, number_text, proven_style
from pipeline.ingest.downloads.recognition import KnownDownloads, incomplete
from pipeline.ingest.formats.csv_file import CsvRules
from pipeline.ingest.formats.reader import Reader, Unreadable
from tests.pipeline.landing_fixture import BLUEPRINTS, CATALOG, LandingFixture, table_of

Row = dict[str, Any]  # Any: a landing row
Reads = Callable[..., list[Row]]
CONNECTORS = sorted({connector.reads_as for connector in CATALOG.values()})
OBJECTS = {platform: name for platform, name in BLUEPRINTS if BLUEPRINTS[platform, name].downloads.read}
DOWNLOADS = [
    (platform, download, language)
    for platform in CONNECTORS
    for download in next(b for (p, _), b in BLUEPRINTS.items() if p == platform).downloads.read
    for language in download.languages
]


def known(platform: str, name: str) -> KnownDownloads:
    blueprint = BLUEPRINTS[platform, name]
    return KnownDownloads(blueprint.downloads, blueprint.other_downloads)


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Reads]:
    """Read a file as an object of a connector; its rows without absent fields, nested ones as values."""
    with duckdb.connect(config={"threads": 1}) as con:
        con.execute("set TimeZone = 'UTC'")

        def read(platform: str, name: str, content: str | bytes, locale: Locale | None = None) -> list[Row]:
            path = tmp_path / "download.csv"
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            contract = BLUEPRINTS[platform, name].contract
            rules = CsvRules(name, known(platform, name), locale or Locale())
            reader = Reader(con, contract, tmp_path, rules=rules)
            rows = []
            for batch in reader.read(path):
                assert not batch.wrong.num_rows, batch.wrong.to_pylist()
                rows += batch.good.to_pylist()
            nested = {field for field, inner in shape_of(contract) if not isinstance(inner, Leaf)}
            rows.sort(key=lambda row: row["_source_line"])
            return [
                {key: json.loads(value) if key in nested else value for key, value in row.items() if value is not None}
                for row in rows
            ]

        yield read


def table(*rows: Sequence[str], delimiter: str = ",") -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return text.getvalue()


def refused(read: Reads, platform: str, name: str, content: str | bytes, locale: Locale | None = None) -> str:
    with pytest.raises(Unreadable) as error:
        read(platform, name, content, locale)
    return error.value.reason


META = ("Campaign name", "Day", "Impressions", "Link clicks", "Amount spent (USD)", "Purchases")
META_DE = ("Name der Kampagne", "Tag", "Impressionen", "Link-Klicks", "Ausgegebener Betrag (EUR)", "Käufe")
GOOGLE = ("Day", "Campaign", "Campaign ID", "Currency code", "Cost", "Impr.", "Clicks", "Conversions")
GOOGLE_DE = ("Tag", "Kampagne", "Kampagnen-ID", "Währungscode", "Kosten", "Impr.", "Klicks", "Conversions")
SHOPIFY = [
    "Name",
    "Email",
    "Financial Status",
    "Paid at",
    "Fulfillment Status",
    "Currency",
    "Subtotal",
    "Shipping",
    "Taxes",
    "Total",
    "Discount Code",
    "Discount Amount",
    "Created at",
    "Lineitem quantity",
    "Lineitem name",
    "Lineitem price",
    "Lineitem sku",
    "Cancelled at",
    "Payment Method",
    "Refunded Amount",
    "Id",
    "Tags",
    "Source",
    "Lineitem discount",
]
STRIPE = [
    "id",
    "Created date (UTC)",
    "Amount",
    "Amount Refunded",
    "Currency",
    "Captured",
    "Status",
    "Mode",
    "Customer Email",
]


def shop_row(**cells: str) -> list[str]:
    return [cells.get(title, "") for title in SHOPIFY]


def test_numbers_of_every_style_are_read_as_they_were_written() -> None:
    chance = random.Random(10)
    amounts = [Decimal(chance.randrange(-(10**9), 10**9)).scaleb(-2) for _ in range(120)]
    amounts += [Decimal(number) for number in (0, 1, 12, 123, 999, 1000, 12345678)]
    signs = {
        "1,234.56": [",", "'", "\u2019", "\u00a0", "\u202f", " ", ""],
        "1.234,56": [".", "'", "\u00a0", "\u202f", " ", ""],
    }
    for style, groups in signs.items():
        for group in groups:
            end = "." if style == "1,234.56" else ","
            written = [f"{amount:,}".translate({ord(","): group, ord("."): end}) for amount in amounts]
            with duckdb.connect() as con:
                con.execute("create table cells as select unnest(?) as t", [written])
                items = ", ".join(number_evidence_items("t", is_whole=False))
                evidence = NumberEvidence(*con.execute(f"select {items} from cells").fetchall()[0])
                read = con.execute(f"select {number_text('t', style)} from cells").fetchall()  # type: ignore[arg-type]
            assert proven_style(evidence, Language("English", (), {})) == style
            assert [Decimal(text) for (text,) in read] == amounts


@pytest.mark.parametrize("numbers", ["1,234.56", "1.234,56"])
def test_a_lone_sign_before_three_digits_groups_them_or_is_not_read(numbers: Any) -> None:
    language = Language("any", (), {}, numbers=numbers)
    grouped, fraction = ("1,234", "1.234") if numbers == "1,234.56" else ("1.234", "1,234")
    for cells, is_read in (([grouped, "5"], True), ([fraction, "5"], False), ([fraction, "0" + fraction[1:]], True)):
        with duckdb.connect() as con:
            con.execute("create table cells as select unnest(?) as t", [cells])
            items = ", ".join(number_evidence_items("t", is_whole=False))
            evidence = NumberEvidence(*con.execute(f"select {items} from cells").fetchall()[0])
        if is_read:
            proven_style(evidence, language)
        else:
            with pytest.raises(ValueError, match="two ways"):
                proven_style(evidence, language)


MONTHS_DE = "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split()  # noqa: SIM905


@pytest.mark.parametrize(
    ("order", "write"),
    [
        ("MDY", lambda day: f"{day.month}/{day.day}/{day.year}"),
        ("MDY", lambda day: f"{day:%m-%d-%Y}"),
        ("DMY", lambda day: f"{day.day}/{day.month}/{day.year}"),
        ("DMY", lambda day: f"{day:%d.%m.%Y}"),
        ("DMY", lambda day: f"{day:%Y-%m-%d}"),
        ("DMY", lambda day: f"{day:%Y/%m/%d}"),
        ("DMY", lambda day: f"{day:%Y%m%d}"),
        ("DMY", lambda day: f"{day:%b} {day.day}, {day.year}"),
        ("DMY", lambda day: f"{day:%A, %B} {day.day}, {day.year}"),
        ("DMY", lambda day: f"{day:%d %b %Y}"),
        ("DMY", lambda day: f"{day.day}. {MONTHS_DE[day.month - 1]} {day.year}"),
        ("DMY", lambda day: f"{day:%Y-%m-%d} 00:00:00"),
    ],
)
def test_days_of_every_style_are_read_as_they_were_written(order: str, write: Callable[[date], str]) -> None:
    days = [date(2025, 12, 20) + timedelta(days=number) for number in range(60)]
    with duckdb.connect() as con:
        con.execute("create table texts as select unnest(?) as t", [[write(day) for day in days]])
        day, clock = split("t")
        con.execute(f"create table cells as select t, {day} as t_day, {clock} as t_clock from texts")
        evidence = DateEvidence(*con.execute(f"select {', '.join(date_evidence_items('t'))} from cells").fetchall()[0])
        proven = proven_order(evidence)
        read = con.execute(f"select {day_text('t', proven)} from cells").fetchall()
    assert proven == order
    assert [text for (text,) in read] == [day.isoformat() for day in days]


WRITTEN = {
    "en": (META, GOOGLE, lambda amount: f"{amount:,.2f}", "Total: Account"),
    "de": (META_DE, GOOGLE_DE, lambda amount: f"{amount:,.2f}".translate({44: ".", 46: ","}), "Gesamt: Konto"),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_generated_google_download_gives_the_sum_of_its_rows(read: Reads, language: str, seed: int) -> None:
    chance = random.Random(seed)
    _, titles, money, total = WRITTEN[language]
    amounts = [Decimal(chance.randrange(0, 300_000)).scaleb(-2) for _ in range(40)] + [Decimal("1234.56")]
    rows = []
    for number, amount in enumerate(amounts):
        cells = (f"2026-01-{number % 28 + 1:02}", f"Camp {number % 7}", str(number), "EUR", money(amount))
        rows.append((*cells, money(Decimal(10_000 + number))[:-3], str(number), " --" if number % 3 else money(amount)))
    rows += [(total, " --", " --", "EUR", money(sum(amounts)), "9", "9", " --")] * 2
    shuffled = chance.sample(range(len(titles)), len(titles))
    keep = [0, *[number for number in shuffled if number]]  # the label of a row of totals is in its first cell
    text = 'Report\n"January 1, 2026 - January 31, 2026"\n' + table(
        *[[row[number] for number in keep] for row in (titles, *rows)], delimiter="\t" if seed == 2 else ","
    )
    encoded = codecs.BOM_UTF16_LE + text.encode("utf-16-le") if seed == 2 else text.encode()
    landed = read("google_ads", "ad_performance", encoded)
    assert len(landed) == len(amounts)
    assert sum(int(row["metrics"]["costMicros"]) for row in landed) == sum(amounts) * 10**6
    assert sum(int(row["metrics"]["impressions"]) for row in landed) == sum(10_000 + n for n in range(len(amounts)))
    assert sum("conversions" not in row["metrics"] for row in landed) == sum(bool(n % 3) for n in range(len(amounts)))


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_generated_meta_download_gives_the_sum_of_its_rows(read: Reads, language: str) -> None:
    titles, _, money, _ = WRITTEN[language]
    amounts = [Decimal(number * 777).scaleb(-2) for number in range(1, 25)]
    rows = [
        (f"Camp {n % 3}", f"2026-01-{n + 1:02}", "1000", "5", money(amount), "" if n % 2 else "3")
        for n, amount in enumerate(amounts)
    ]
    summary = ("", "", "24000", "120", money(sum(amounts)), "36")
    landed = read("facebook_ads", "facebook_insights", table(titles, summary, *rows))
    assert sum(Decimal(row["spend"]) for row in landed) == sum(amounts)
    assert {row["account_currency"] for row in landed} == {"USD" if language == "en" else "EUR"}
    assert {row["campaign_id"] for row in landed} == {"Camp 0", "Camp 1", "Camp 2"}
    assert sum(int(row["actions"][0]["value"]) for row in landed if "actions" in row) == 36


def test_the_numbers_of_a_file_decide_against_the_language_of_its_titles(read: Reads) -> None:
    rows = [("A", "2026-01-05", "1,000", "20", "12.34", ""), ("A", "2026-01-06", "500", "10", "7.66", "")]
    assert [row["spend"] for row in read("facebook_ads", "facebook_insights", table(META_DE, *rows))] == [
        "12.34",
        "7.66",
    ]


def test_numbers_and_dates_that_can_be_read_in_two_ways_are_refused_with_the_setting_that_decides(read: Reads) -> None:
    doubtful = table(GOOGLE, ("1/5/2026", "A", "1", "USD", "12.30", "10", "1", ""))
    reason = refused(read, "google_ads", "ad_performance", doubtful)
    assert "1/5/2026" in reason
    assert "read: {dates: DMY}" in reason
    assert "withheld" in reason
    for dates, day in (("DMY", "2026-05-01"), ("MDY", "2026-01-05")):
        (row,) = read("google_ads", "ad_performance", doubtful, Locale(dates=dates))  # type: ignore[arg-type]
        assert row["segments"]["date"] == day
    thousandths = table(GOOGLE, ("2026-01-05", "A", "1", "USD", "1.234", "10", "1", ""))
    reason = refused(read, "google_ads", "ad_performance", thousandths)
    assert "1.234" in reason
    assert "read: {numbers: '1,234.56'}" in reason
    for numbers, micros in (("1,234.56", "1234000"), ("1.234,56", "1234000000")):
        (row,) = read("google_ads", "ad_performance", thousandths, Locale(numbers=numbers))  # type: ignore[arg-type]
        assert row["metrics"]["costMicros"] == micros
    proven = table(
        GOOGLE,
        ("1/5/2026", "A", "1", "USD", "1.234", "1.000", "1", ""),
        ("1/13/2026", "A", "1", "USD", "2", "1", "1", ""),
    )
    first, _ = read("google_ads", "ad_performance", proven)
    assert (first["segments"]["date"], first["metrics"]["costMicros"]) == ("2026-01-05", "1234000000")


def test_a_file_with_two_orders_of_dates_or_two_styles_of_numbers_is_refused(read: Reads) -> None:
    dates = table(GOOGLE, *[(day, "A", "1", "USD", "1", "10", "1", "") for day in ("13/1/2026", "1/14/2026")])
    assert "two orders, 13/1/2026 and 1/14/2026" in refused(read, "google_ads", "ad_performance", dates)
    numbers = table(
        GOOGLE, *[("2026-01-05", "A", str(n), "USD", cost, "1", "1", "") for n, cost in enumerate(("1.5", "1,5"))]
    )
    assert "two ways, 1.5 and 1,5" in refused(read, "google_ads", "ad_performance", numbers)
    dirt = table(
        GOOGLE,
        ("2026-01-05", "A", "1", "USD", "12.30", "10", "1", ""),
        ("2026-01-06", "A", "1", "USD", "x7", "1", "1", ""),
    )
    assert "whose Cost is 'x7' in row 2" in refused(read, "google_ads", "ad_performance", dirt)


def test_totals_without_days_are_refused_with_where_to_click(read: Reads) -> None:
    without = table(GOOGLE[1:], ("A", "1", "USD", "12.30", "10", "1", ""))
    reason = refused(read, "google_ads", "ad_performance", without)
    assert "a Google Ads report download of totals without days (no Day)" in reason
    assert "Segment > Time > Day" in reason
    titles = (
        "Campaign name",
        "Impressions",
        "Clicks (all)",
        "Amount spent (USD)",
        "Reporting starts",
        "Reporting ends",
    )
    span = table(titles, ("A", "10", "1", "12.30", "2026-01-01", "2026-01-31"))
    reason = refused(read, "facebook_ads", "facebook_insights", span)
    assert "a row covers 2026-01-01 to 2026-01-31" in reason
    assert "Breakdown > By time > Day" in reason
    one_day = table(
        titles,
        ("A", "10", "1", "12.30", "2026-01-05", "2026-01-05"),
        ("", "10", "1", "12.30", "2026-01-05", "2026-01-05"),
    )
    assert [row["spend"] for row in read("facebook_ads", "facebook_insights", one_day)] == ["12.30"]


NOT_READ = """
facebook_ads facebook_insights | in a language that is not read | Início dos relatórios,Valor usado (BRL),Impressões
google_ads ad_performance | in a language that is not read | Jour,Campagne,Code de la devise,Coût,Impr.,Clics
google_ads ad_performance | a Google Ads search terms report | Search term,Match type,Campaign,Day,Cost,Impr.
shopify orders | a Shopify customers export | First Name,Last Name,Email,Accepts Email Marketing,Total Spent
shopify products | a Shopify products export | Handle,Title,Body (HTML),Vendor,Variant Price
stripe charges | a Stripe balance or payouts report | balance_transaction_id,created_utc,gross,reporting_category
woocommerce orders | net sales and no order totals | Date,Order #,N. Revenue (formatted),Status,Customer,Net Sales
bing_ads campaign_performance_report | titles of its own | Gregorian date,Account name,Campaign,Impr.,Clicks,Spend
linkedin_ads ad_analytics_by_campaign | without End Date | Start Date (in UTC),Campaign ID,Total Spent,Clicks
shopify orders | a file of stripe | id,Created date (UTC),Amount,Amount Refunded,Currency,Status
shopify products | its records are orders, not products | Name,Lineitem name,Lineitem price,Lineitem quantity
tiktok_ads ads_reports_daily | of totals without days | Campaign name,Cost,Impressions,Clicks (destination)
"""


@pytest.mark.parametrize("line", NOT_READ.split("\n")[1:-1])
def test_a_file_that_is_not_read_is_refused_by_what_it_is(read: Reads, line: str) -> None:
    source, says, titles = line.split(" | ")
    platform, name = source.split()
    reason = refused(read, platform, name, titles + "\n" + ",".join("1" for _ in titles.split(",")) + "\n")
    assert says in reason, reason
    assert "withheld" in reason


def first_titles(download: Download, language: Language) -> dict[str, str]:
    """A title for each field of a download, as a file may have them."""
    titles = {name: wanted[0].replace("{currency}", "EUR") for name, wanted in language.titles.items()}
    return {
        name: title for name, title in titles.items() if name != download.last_day or title not in titles.values()
    } | titles


def test_a_renamed_title_is_refused_by_name_and_never_read_as_absent() -> None:
    tried = 0
    for platform, download, language in DOWNLOADS:
        titles = first_titles(download, language)
        for group in download.needs:
            chosen = {one.replace("{currency}", "EUR") for name in group for one in language.titles[name]}
            for renamed in (lambda title: f"{title}s", lambda title: f"My {title}", lambda title: "Etwas"):
                header = [renamed(title) if title in chosen else title for title in dict.fromkeys(titles.values())]
                finder = KnownDownloads(next(b for (p, _), b in BLUEPRINTS.items() if p == platform).downloads)
                found = finder.find(header)
                if found:
                    reason = incomplete(found, header)
                    assert "withheld" in str(reason), (download.name, group, header)
                tried += bool(found)
    assert tried > 140


def test_the_order_of_titles_does_not_matter() -> None:
    for platform, download, language in DOWNLOADS:
        titles = list(dict.fromkeys(first_titles(download, language).values()))
        finder = known(*next(key for key in BLUEPRINTS if key[0] == platform))
        found = [finder.find(header) for header in (titles, titles[::-1], [title.upper() for title in titles])]
        assert all(one and one.download is download and one.language is language for one in found)
        assert found[0]
        assert found[1]
        assert found[0].columns == found[1].columns
        assert incomplete(found[0], titles) is None


def dotted(shape: Record, path: str = "") -> Iterator[str]:
    for name, inner in shape:
        yield f"{path}{name}"
        if isinstance(inner, Record):
            yield from dotted(inner, f"{path}{name}.")


def test_the_vendors_own_records_are_never_taken_for_a_download() -> None:
    for (platform, name), blueprint in BLUEPRINTS.items():
        headers = [[field for field, _ in blueprint.shape], list(dotted(blueprint.shape))]
        headers += [[*layout.columns.values(), *layout.known_by] for layout in blueprint.contract.layouts]
        for header in headers:
            finder = known(platform, name)
            assert finder.refusal(header) is None, (platform, name)
            assert finder.find(header, ["2026-01-05"] * len(header)) is None, (platform, name)


def test_a_thing_without_an_id_is_identified_by_its_name_and_rows_of_one_name_count_both(read: Reads) -> None:
    rows = [("A", "2026-01-05", "10", "1", cost, "") for cost in ("1.50", "1.50", "2.00")]
    first = read("facebook_ads", "facebook_insights", table(META, *rows, ("B", "2026-01-05", "10", "1", "4.00", "")))
    assert [row["campaign_id"] for row in first] == ["A", "A (2)", "A (3)", "B"]
    titled = (*META, "Campaign ID")
    known_id = read("facebook_ads", "facebook_insights", table(titled, (*rows[0], "77")))
    assert [row["campaign_id"] for row in known_id] == ["77"]


def test_orders_of_the_admin_have_their_lines_refunds_and_the_ids_of_the_api(read: Reads) -> None:
    shared = {"Name": "#1", "Email": "a@example.com"}
    first = {"Financial Status": "partially_refunded", "Currency": "USD", "Subtotal": "80.00", "Total": "90.00"}
    first |= {
        "Discount Code": "SPRING, WELCOME",
        "Discount Amount": "20.00",
        "Refunded Amount": "15.50",
        "Created at": "2026-01-05 09:00:00 -0500",
        "Id": "5001",
    }
    mug = {"Lineitem quantity": "2", "Lineitem name": "Mug", "Lineitem price": "30.00", "Lineitem discount": "0.00"}
    tee = {"Lineitem quantity": "1", "Lineitem name": "Tee", "Lineitem price": "40.00", "Lineitem discount": "0.00"}
    second = {"Name": "#2", "Financial Status": "paid", "Currency": "USD", "Subtotal": "40.00", "Total": "40.00"}
    second |= {
        "Discount Amount": "0.00",
        "Refunded Amount": "0.00",
        "Created at": "2026-01-06 09:00:00 -0500",
        "Id": "5002",
    }
    rows = [shop_row(**shared, **first, **mug), shop_row(**shared, **tee), shop_row(**second, **tee)]
    one, other = read("shopify", "orders", table(SHOPIFY, *rows))
    assert (one["id"], one["created_at"], one["total_price"]) == (5001, "2026-01-05T09:00:00-0500", "90.00")
    assert [(line["title"], Decimal(line["total_discount"])) for line in one["line_items"]] == [
        ("Mug", Decimal(12)),
        ("Tee", Decimal(8)),
    ]
    assert one["refunds"][0]["transactions"][0] == {
        "kind": "refund",
        "status": "success",
        "amount": "15.50",
        "currency": "USD",
    }
    assert (other["id"], "refunds" in other, len(other["line_items"])) == (5002, False, 1)
    assert (one["discount_codes"], "discount_codes" in other) == ([{"code": "SPRING, WELCOME"}], False)


def test_amounts_of_the_dashboard_become_minor_units_by_their_currency(read: Reads) -> None:
    rows = [
        (f"ch_{currency}", "2026-01-05 09:00:10", amount, "0", currency, "true", "Paid", "Live", "")
        for currency, amount in (("usd", "1,290.50"), ("jpy", "1290"), ("kwd", "1.290"))
    ]
    landed = read("stripe", "charges", table(STRIPE, *rows))
    assert [row["amount"] for row in landed] == [129050, 1290, 1290]
    assert {row["status"] for row in landed} == {"succeeded"}
    assert {row["created"] for row in landed} == {1767603610}
    failed = ("ch_1", "2026-01-05 09:00", "5.00", "0.00", "usd", "", "Failed", "Live", "")
    held = ("ch_2", "2026-01-05 09:00", "5.00", "0.00", "usd", "false", "Uncaptured", "Live", "")
    paid_back = ("ch_3", "1/5/2026 9:00 PM", "5.00", "2.50", "usd", "TRUE", "Refunded", "Test", "")
    landed = read("stripe", "charges", table(STRIPE, failed, held, paid_back), Locale(dates="MDY"))
    assert [(row["status"], row.get("captured"), row["amount_refunded"]) for row in landed] == [
        ("failed", None, 0),
        ("succeeded", False, 0),
        ("succeeded", True, 250),
    ]
    unknown = table(STRIPE, ("ch_1", "2026-01-05 09:00", "5.00", "0.00", "usd", "true", "Bezahlt", "Live", ""))
    assert "whose Status is bezahlt, which is not known" in refused(read, "stripe", "charges", unknown)


def test_the_exponents_of_the_dashboard_are_those_of_the_reference_table() -> None:
    (payments,) = BLUEPRINTS["stripe", "charges"].downloads.read
    with Path("warehouse/seeds/platform_ref__currencies.csv").open(encoding="utf-8") as file:
        listed = {row["currency"]: int(row["stripe_exponent"]) for row in csv.DictReader(file)}
    assert {code: exponent for code, exponent in listed.items() if exponent != 2} == dict(payments.minor_units)


def test_orders_of_a_woocommerce_plugin_have_their_lines_and_refunds(read: Reads) -> None:
    titles = [
        "Order Number",
        "Order Status",
        "Order Date",
        "Email (Billing)",
        "Order Total Amount",
        "Order Refund Amount",
        "SKU",
        "Item Name",
        "Quantity",
        "Item Cost",
        "Order Line (w/o tax)",
        "Currency",
    ]
    rows = [
        ("17", "Completed", "2026-01-05 10:15", "a@b.c", "70.00", "10.00", "M", "Mug", "2", "20.00", "40.00", "EUR"),
        ("17", "Completed", "2026-01-05 10:15", "a@b.c", "70.00", "10.00", "T", "Tee", "1", "30.00", "30.00", "EUR"),
        ("18", "On hold", "2026-01-06 10:15", "", "5.00", "", "T", "Tee", "1", "5.00", "5.00", "EUR"),
    ]
    one, other = read("woocommerce", "orders", table(titles, *rows))
    assert (one["id"], one["status"], one["date_created"], one["total"]) == (
        17,
        "completed",
        "2026-01-05 10:15:00",
        "70.00",
    )
    assert [line["total"] for line in one["line_items"]] == ["40.00", "30.00"]
    assert one["refunds"] == [{"total": "10.00"}]
    assert (other["status"], "refunds" in other) == ("on-hold", False)


def test_a_tiktok_download_and_a_localized_microsoft_report_are_read(read: Reads) -> None:
    titles = [
        "By Day",
        "Campaign name",
        "Ad group name",
        "Ad name",
        "Cost",
        "Impressions",
        "Clicks (destination)",
        "Conversions",
        "Currency",
    ]
    rows = [
        ("2026-01-05", "C", "G", "A", "1,008.50", "5000", "70", "1", "USD"),
        ("Total", "", "", "", "1,008.50", "5000", "70", "1", "USD"),
    ]
    (row,) = read("tiktok_ads", "ads_reports_daily", table(titles, *rows))
    assert row["metrics"]["spend"] == "1008.50"
    assert row["dimensions"]["ad_id"] == "A"
    report = '"Report Name: x"\n\n"TimePeriod","CampaignId","CurrencyCode","Impressions","Clicks","Spend"\n'
    report += '"1/15/2026","7","USD","10,000","20","1,012.34"\n\n"©2026 Microsoft Corporation. All rights reserved."\n'
    (row,) = read("bing_ads", "campaign_performance_report", report)
    assert (row["TimePeriod"], row["Spend"], row["Impressions"]) == ("2026-01-15", "1012.34", "10000")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "windows-1252"])
def test_encodings_are_read_where_they_are_proven_or_declared(read: Reads, encoding: str) -> None:
    text = table(META_DE, ("Frühling", "2026-01-05", "10", "1", "1,50", ""))
    mark = codecs.BOM_UTF16_BE if encoding == "utf-16-be" else b""
    content = mark + text.encode(encoding)
    if encoding == "windows-1252":
        assert "read: {encoding: windows-1252}" in refused(read, "facebook_ads", "facebook_insights", content)
    (row,) = read("facebook_ads", "facebook_insights", content, Locale(encoding="windows-1252"))
    assert row["campaign_name"] == "Frühling"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PK\x03\x04rest", "Excel workbook"),
        (b"<!DOCTYPE html><html>", "a web page"),
        ("Tag;Kosten\n".encode("utf-16-le"), "UTF-16 without a byte order mark"),
        (codecs.BOM_UTF16_LE + b"a\x00b", "not UTF-16 text"),
    ],
)
def test_what_is_no_csv_text_is_refused_by_what_it_is(read: Reads, content: bytes, says: str) -> None:
    assert says in refused(read, "google_ads", "ad_performance", content)


def test_a_refused_download_is_told_once_and_read_once_its_setting_is_made(tmp_path: Path) -> None:
    fixture = LandingFixture(tmp_path)
    fixture.write("report.csv", table(GOOGLE, ("1/5/2026", "A", "1", "USD", "12.30", "10", "1", "")))

    def tenant(**said: Any) -> Tenant:  # Any: settings of a locale
        read = Read(kind="files", objects={"ad_performance": (str(fixture.files / "report.csv"),)}, **said)
        account = Account(read=read)
        source = Source(
            platform="google_ads",
            domain="ads",
            objects=CATALOG["google_ads"].objects,
            enabled=True,
            accounts=(account,),
        )
        return Tenant(slug="acme", business_name="Acme", sources=(source,))

    first = table_of(fixture.land(tenant()), "ad_performance")
    assert (first.rows, first.quarantined) == (0, 1)
    assert "withheld" in first.findings[0]
    again = fixture.land(tenant())
    assert again.load_id is None
    assert "read: {dates: DMY}" in table_of(again, "ad_performance").findings[0]
    assert table_of(fixture.land(tenant(dates="MDY")), "ad_performance").rows == 1
    assert fixture.query("select segments->>'date' from google_ads__ad_performance") == [("2026-01-05",)]
