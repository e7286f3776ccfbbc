"""Microsoft Advertising: reports as they are downloaded, Fivetran's tables of them, and what engines make of them."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.config.accounts import Account
from tests.warehouse.engine_fixture import Answer, run_engine
from tests.warehouse.reading import Read, read_file

Json = dict[str, Any]
MACRO = "engine_bing_ads_ad_performance"
LEVELS = ("account", "campaign", "ad_group", "ad")
CAMPAIGN = "campaign_performance_report"


def row(campaign: int | None = None, group: int | None = None, ad: int | None = None, **more: Any) -> Json:
    """A row of a daily report, of the columns that are given, and 10.50 spent."""
    ids = {"CampaignId": campaign, "AdGroupId": group, "AdId": ad}
    made = {"TimePeriod": "2026-01-05", "AccountId": "150", "Impressions": "100", "Clicks": "5", "Spend": "10.50"}
    return made | {name: str(value) for name, value in ids.items() if value is not None} | more


def performance(**reports: list[Json]) -> Answer:
    """What the engine makes of rows by level, and of the lists of entities."""
    records = {f"{name}_performance_report" if name in LEVELS else name: rows for name, rows in reports.items()}
    return run_engine(MACRO, records, platform="bing_ads")


def counted(rows: Answer) -> Decimal:
    return sum((row["spend"] for row in rows if row["is_counted"]), Decimal(0))


def download(*rows: Json, bare: bool = False) -> bytes:
    """A report as the service writes it: BOM, metadata, header, quoted cells, footer; `bare`: header and rows."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    if bare:
        return text.getvalue().encode()
    metadata = [
        "Report Name: Daily, by campaign",
        "Report Time: 1/5/2026, 1/6/2026",
        "Time Zone: (GMT-08:00) Pacific Time (US & Canada); Tijuana",
        "Last Completed Available Day: 1/7/2026 10:15:00 PM (GMT)",
        "Last Completed Available Hour: 1/7/2026 10:15:00 PM (GMT)",
        "Report Aggregation: Daily",
        "Report Filter: ",
        "Potential Incomplete Data: true",
        f"Rows: {len(rows)}",
    ]
    head = "".join(f'"{line}"\r\n' for line in metadata)
    footer = '\r\n"©2026 Microsoft Corporation. All rights reserved. "\r\n'
    return b"\xef\xbb\xbf" + f"{head}\r\n{text.getvalue()}{footer}".encode()


def read(tmp_path: Path, content: bytes, name: str = CAMPAIGN) -> Read:
    path = tmp_path / "export.csv"
    path.write_bytes(content)
    return read_file("bing_ads", name, path)


# ── what a row says ──


def test_money_is_in_major_units_and_the_day_is_the_report_s() -> None:
    (made,) = performance(campaign=[row(7, Spend="1061.08", Impressions="361324", Clicks="204", CampaignName="Spring")])
    assert (made["spend"], made["impressions"], made["clicks"]) == (Decimal("1061.08"), 361324, 204)
    assert (made["report_date"], made["last_date"]) == (date(2026, 1, 5), date(2026, 1, 5))
    assert (made["source_platform"], made["campaign_id"], made["campaign_name"]) == ("bing_ads", "7", "Spring")


def test_a_column_that_was_not_asked_for_is_unknown_and_no_zero() -> None:
    (made,) = performance(account=[{"TimePeriod": "2026-01-05", "AccountName": "Wayne", "Clicks": "3"}])
    assert (made["spend"], made["impressions"], made["clicks"]) == (None, None, 3)
    assert made["conversions"] is None
    assert [made[name] for name in ("campaign_id", "ad_group_id", "ad_id")] == [None, None, None]


def test_clicks_on_the_impressions_of_another_day_are_kept() -> None:
    (made,) = performance(campaign=[row(7, Impressions="0", Clicks="2")])
    assert (made["impressions"], made["clicks"], made["spend"]) == (0, 2, Decimal("10.5"))


@pytest.mark.parametrize(
    ("columns", "conversions"),
    [
        ({"Conversions": "2"}, 2.0),
        ({"Conversions": "0", "ConversionsQualified": "0.00"}, 0.0),
        ({"Conversions": "3", "ConversionsQualified": "2.50", "AllConversions": "9"}, 2.5),
        ({"Conversions": "2", "ConversionsQualified": ""}, 2.0),
        ({"ConversionsQualified": "2.50"}, 2.5),
        ({"Conversions": "", "ConversionsQualified": "2.50"}, 2.5),
        ({"AllConversions": "9", "ViewThroughConversions": "4"}, None),
    ],
)
def test_conversions_are_the_qualified_ones_which_have_fractions_else_the_whole_ones(
    columns: Json, conversions: float
) -> None:
    (made,) = performance(campaign=[row(7, **columns)])
    assert made["conversions"] == conversions


def test_currency_is_the_row_s_then_the_account_s_then_the_tenant_s() -> None:
    records = {CAMPAIGN: [row(7, CurrencyCode="chf"), row(8)]}
    made = run_engine(MACRO, records, platform="bing_ads", currency="USD")
    assert {each["campaign_id"]: each["currency"] for each in made} == {"7": "CHF", "8": "USD"}
    made = run_engine(MACRO, records, platform="bing_ads", accounts=[Account(name="main", currency="EUR")])
    assert {each["campaign_id"]: each["currency"] for each in made} == {"7": "CHF", "8": "EUR"}


def test_names_and_parents_come_from_the_lists_else_from_the_row() -> None:
    said = row(None, None, 300, AdGroupName="in the report", AdTitle="in the report")
    lists = {
        "ads": [{"Id": "300", "AdGroupId": "20", "TitlePart1": "Ad", "Type": "ExpandedText"}],
        "ad_groups": [{"Id": "20", "CampaignId": "7", "Name": "now"}],
    }
    (made,) = performance(ad=[said], **lists)
    assert [made[name] for name in ("campaign_id", "ad_group_id", "ad_group_name", "ad_name")] == [
        "7",
        "20",
        "now",
        "Ad",
    ]
    (alone,) = performance(ad=[said])
    assert (alone["campaign_id"], alone["ad_group_name"], alone["ad_name"]) == (None, "in the report", "in the report")


# ── the same spend is counted once ──


def test_of_several_reports_of_one_day_the_finest_counts() -> None:
    rows = [row(), row(7), row(7, 20), row(7, 20, 300)]
    for depth in range(1, 5):
        made = performance(**{name: [each] for name, each in zip(LEVELS[:depth], rows, strict=False)})
        assert len(made) == depth
        assert counted(made) == Decimal("10.5")
        assert [each["ad_id"] for each in made if each["is_counted"]] == ["300" if depth == 4 else None]


def test_the_reports_of_another_day_take_nothing_away() -> None:
    made = performance(account=[row(), row(TimePeriod="2026-01-06")], campaign=[row(7)])
    assert counted(made) == Decimal(21)


def test_a_campaign_that_other_reports_leave_out_counts_by_its_total() -> None:
    """Performance Max has no rows in a report with columns of ads (reporting-service, notes on the report requests)."""
    made = performance(account=[row()], campaign=[row(7), row(9)], ad=[row(7, 20, 300)])
    assert {each["campaign_id"]: each["ad_id"] for each in made if each["is_counted"]} == {"7": "300", "9": None}
    assert counted(made) == Decimal(21)


@pytest.mark.parametrize(
    "reports",
    [
        {"campaign": [row(7), row(9)], "ad": [row(None, 20, 300)]},  # ads of an unknown campaign
        {"campaign": [row(None, CampaignName="Spring")], "ad": [row(7, 20, 300)]},  # a campaign without its id
        {"ad_group": [row(7, 20)], "ad": [row(7, None, 300)]},
        {"ad_group": [row(7, AdGroupName="A")], "ad": [row(7, 20, 300)]},
    ],
)
def test_where_a_parent_is_unknown_no_total_counts_beside_the_ads(reports: dict[str, list[Json]]) -> None:
    made = performance(**reports)
    assert [each["ad_id"] for each in made if each["is_counted"]] == ["300"]


def test_breakdowns_are_summed_and_a_second_one_of_the_same_campaign_does_not_count() -> None:
    by_device = [row(7, DeviceType=name, DeviceOS="Unknown") for name in ("Computer", "Smartphone")]
    assert counted(performance(campaign=by_device)) == Decimal(21)
    by_network = [row(7, Network=name) for name in ("Audience", "Content", "AOL search")]
    assert counted(performance(campaign=by_device + by_network)) in (Decimal(21), Decimal("31.5"))
    assert counted(performance(campaign=[*by_device, *by_network, row(7)])) == Decimal("10.5")


def test_how_one_thing_is_broken_down_takes_nothing_away_from_another() -> None:
    ads = [row(7, 20, ad, DeviceType="Computer") for ad in (300, 301)]
    made = performance(campaign=[row(9)], ad=[*ads, row(7, 20, 301)])
    assert sorted(str(each["ad_id"]) for each in made if each["is_counted"]) == ["300", "301", "None"]
    assert counted(performance(account=[row(), row(AccountId="151", Network="Content")])) == Decimal(21)


def test_rows_of_one_report_with_and_without_a_shared_budget_all_count() -> None:
    made = performance(campaign=[row(7, BudgetName="Shared", BudgetStatus="Active"), row(7)])
    assert counted(made) == Decimal(21)


def test_a_report_by_keyword_does_not_count_beside_its_ads() -> None:
    keywords = [row(7, 20, 300, KeywordId="1"), row(7, 20, 300, KeywordId="2")]
    assert counted(performance(ad=keywords)) == Decimal(21)
    assert counted(performance(ad=[*keywords, row(7, 20, 300)])) == Decimal("10.5")


# ── what lands ──

SHOES = row(7, CampaignName='Shoes, "red"', CurrencyCode="USD", Ctr="4.71%", QualityScore="--", Revenue="1,204.50")


def test_a_download_lands_without_its_metadata_and_its_footer(tmp_path: Path) -> None:
    rows = [SHOES, SHOES | {"CampaignId": "8", "Ctr": "4.71"}]
    found = read(tmp_path, download(*rows))
    assert found.wrong == []
    assert [{name: record[name] for name in SHOES} for record in found.good] == rows
    assert found.good == read(tmp_path, download(*rows, bare=True)).good


def test_the_download_of_the_documentation_is_a_summary_and_has_no_day(real_data: Path) -> None:
    path = real_data / "bing_ads" / "report_download" / "keyword_performance_1.csv"
    found = read_file("bing_ads", "ad_performance_report", path)
    assert (found.good, found.wrong) == ([], ["TimePeriod is missing"] * 5)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"Spend": "-"}, "Spend: '-' is not a number"),
        ({"Spend": "10,50"}, "Spend: '10,50' is not a number"),
        ({"Spend": "1,204.50"}, "Spend: '1,204.50' is not a number"),
        ({"Spend": "$10.50"}, "Spend: '$10.50' is not a number"),
        ({"Impressions": "many"}, "Impressions: 'many' is not a whole number"),
        ({"Impressions": "--"}, "Impressions: '--' is not a whole number"),
        ({"Clicks": "5%"}, "Clicks: '5%' is not a whole number"),
        ({"TimePeriod": "2026-01-05|7"}, "TimePeriod: '2026-01-05|7' is not a date"),
        ({"TimePeriod": "1/5/2026 12:00:00 AM|7"}, "TimePeriod: '1/5/2026 12:00:00 AM|7' is not a date"),
        ({"TimePeriod": "1/5/2026"}, "TimePeriod: '1/5/2026' is not a date"),
        ({"TimePeriod": ""}, "TimePeriod is missing"),
    ],
)
def test_a_row_that_does_not_convert_is_quarantined_with_its_reason(tmp_path: Path, wrong: Json, reason: str) -> None:
    found = read(tmp_path, download(SHOES | wrong, SHOES | {"CampaignId": "8"}))
    assert [record["CampaignId"] for record in found.good] == ["8"]
    assert len(found.wrong) == 1
    assert found.wrong[0].startswith(reason)


def test_every_column_that_groups_rows_is_part_of_the_key(tmp_path: Path) -> None:
    goals = [SHOES | {"Goal": "Buy"}, SHOES | {"Goal": "Sign up"}]
    assert read(tmp_path, download(*goals)).ambiguous == 0
    unknown = [SHOES | {"Gender": "Female"}, SHOES | {"Gender": "Male", "Clicks": "6"}]
    assert read(tmp_path, download(*unknown)).ambiguous == 2


def test_entities_arrive_in_the_answers_of_the_service_and_need_their_id(tmp_path: Path) -> None:
    path = tmp_path / "campaigns.json"
    listed = [{"Id": 9007199254740993, "Name": "Spring", "Status": "Active", "DailyBudget": 5}, {"Name": "No id"}]
    path.write_text(json.dumps({"Campaigns": listed, "PartialErrors": []}))
    found = read_file("bing_ads", "campaigns", path)
    assert [(record["Id"], record["Name"]) for record in found.good] == [("9007199254740993", "Spring")]
    assert found.wrong == ["Id is missing"]


# ── names in force ──


def test_a_campaign_has_every_name_it_had_with_its_time() -> None:
    versions = [
        {"Id": "7", "Name": "Spring", "Status": "Paused", "in_force_to": "2026-02-01 00:00:00"},
        {"Id": "7", "Name": "Summer", "Status": "Active", "in_force_from": "2026-02-01 00:00:00"},
    ]
    made = run_engine("engine_bing_ads_campaigns", platform="bing_ads", history={"campaigns": versions})
    named = {each["campaign_name"]: each for each in made}
    assert {name: each["campaign_status"] for name, each in named.items()} == {"Spring": "Paused", "Summer": "Active"}
    assert named["Spring"]["in_force_to"] == named["Summer"]["in_force_from"]
    assert named["Summer"]["in_force_to"] is None
    assert {each["campaign_id"] for each in made} == {"7"}


# ── real data: Fivetran's tables ──

TABLES = {  # table: the object it feeds
    "account_performance_daily_report": "account_performance_report",
    "campaign_performance_daily_report": "campaign_performance_report",
    "ad_group_performance_daily_report": "ad_group_performance_report",
    "ad_performance_daily_report": "ad_performance_report",
    "keyword_performance_daily_report": "ad_performance_report",
}


@pytest.fixture(scope="session")
def fivetran(real_data: Path) -> Path:
    return real_data / "bing_ads" / "fivetran"


def seed(fivetran: Path, table: str) -> Path:
    return fivetran / f"microsoft_ads_{table}_data.csv"


@pytest.mark.parametrize("table", TABLES)
def test_sums_by_day_and_campaign_equal_those_of_the_raw_table(fivetran: Path, table: str) -> None:
    path = seed(fivetran, table)
    raw = duckdb.execute(
        f"""
        select
            date::date, {"null" if table.startswith("account") else "campaign_id"}, sum(spend::decimal(18, 6)),
            sum(impressions::bigint), sum(clicks::bigint),
            sum(coalesce(conversions_qualified, conversions)::double), count(*)
        from read_csv(?, all_varchar = true)
        group by all
        """,
        [str(path)],
    ).fetchall()
    made = run_engine(MACRO, platform="bing_ads", files={TABLES[table]: [path]}, currency="XXX")
    found: dict[tuple[Any, Any], list[Any]] = {}
    for each in made:
        sums = found.setdefault((each["report_date"], each["campaign_id"]), [Decimal(0), 0, 0, None, 0])
        sums[0] += each["spend"]
        sums[1] += each["impressions"]
        sums[2] += each["clicks"]
        if each["conversions"] is not None:
            sums[3] = (sums[3] or 0) + each["conversions"]
        sums[4] += 1
    assert {key: tuple(sums) for key, sums in found.items()} == {
        (day, campaign): tuple(rest) for day, campaign, *rest in raw
    }
    assert {each["currency"] for each in made} == {"USD"}
    assert all(each["is_counted"] for each in made)


def test_all_levels_together_count_each_campaign_s_day_once_by_its_finest_report(fivetran: Path) -> None:
    """The tables are samples, so levels differ in what they spent: the sum tells which of them was counted."""
    files = {name: [seed(fivetran, table)] for table, name in TABLES.items() if not table.startswith("keyword")}
    made = run_engine(MACRO, platform="bing_ads", files=files)
    ((spend, rows),) = duckdb.execute(
        """
        with reports as (
            select 3 as level, date, campaign_id, ad_group_id, spend from read_csv(?, all_varchar = true)
            union all by name
            select 2 as level, date, campaign_id, ad_group_id, spend from read_csv(?, all_varchar = true)
            union all by name
            select 1 as level, date, campaign_id, spend from read_csv(?, all_varchar = true)
            union all by name
            select 0 as level, date, spend from read_csv(?, all_varchar = true)
        )
        select sum(spend::decimal(18, 6)), count(*)
        from reports as total
        where not exists (
            select 1
            from reports as part
            where
                part.level > total.level and part.date = total.date
                and (total.level = 0 or part.campaign_id = total.campaign_id)
                and (total.level < 2 or part.ad_group_id = total.ad_group_id)
        )
        """,
        [str(seed(fivetran, f"{name}_performance_daily_report")) for name in ("ad", "ad_group", "campaign", "account")],
    ).fetchall()
    assert counted(made) == spend
    assert sum(each["is_counted"] for each in made) == rows
    assert rows < len(made) == 10 + 2630 + 229 + 401


@pytest.mark.parametrize("table", TABLES)
def test_no_two_rows_of_the_raw_table_share_a_key(fivetran: Path, table: str) -> None:
    path = seed(fivetran, table)
    ((rows,),) = duckdb.execute("select count(*) from read_csv(?, all_varchar = true)", [str(path)]).fetchall()
    found = read_file("bing_ads", TABLES[table], path)
    assert (len(found.good), len(found.keys), found.wrong, found.ambiguous) == (rows, rows, [], 0)


@pytest.mark.parametrize("name", ["campaign", "ad_group", "ad"])
def test_every_version_of_a_history_table_lands_with_its_time(fivetran: Path, name: str) -> None:
    path = seed(fivetran, f"{name}_history")
    title = "title" if name == "ad" else "name"
    raw = duckdb.execute(
        f"select id, status, modified_time, {title} from read_csv(?, all_varchar = true)", [str(path)]
    ).fetchall()
    found = read_file("bing_ads", f"{name}s", path)
    assert found.wrong == []
    columns = ("Id", "Status", "ModifiedTime", title.title())
    assert [tuple(record[column] for column in columns) for record in found.good] == raw


def test_ad_groups_and_ads_of_the_report_are_named_by_their_tables(fivetran: Path) -> None:
    files = {
        "ad_performance_report": [seed(fivetran, "ad_performance_daily_report")],
        "ad_groups": [seed(fivetran, "ad_group_history")],
        "ads": [seed(fivetran, "ad_history")],
    }
    made = run_engine(MACRO, platform="bing_ads", files=files)
    raw = duckdb.execute(
        """
        select distinct report.ad_id, ad_group.name, ad.title
        from read_csv(?, all_varchar = true) as report
        left join read_csv(?, all_varchar = true) as ad_group on ad_group.id = report.ad_group_id
        left join read_csv(?, all_varchar = true) as ad on ad.id = report.ad_id
        """,
        [str(file) for (file,) in files.values()],
    ).fetchall()
    assert {(each["ad_id"], each["ad_group_name"], each["ad_name"]) for each in made} == set(raw)
    assert len(made) == 401
