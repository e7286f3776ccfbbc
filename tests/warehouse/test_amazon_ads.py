"""Amazon: lists that are no reports, reports of three grains, windows in names, and the real bodies and seeds."""

from __future__ import annotations

import gzip
import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.config.accounts import Account
from pipeline.connectors.amazon_ads.unit_tests import CASES
from tests.warehouse.ads_reports import by_sql, case_and_answer, counted, landed
from tests.warehouse.engine_fixture import Answer, run_engine

REPORT = "engine_amazon_ads_ad_performance"
CAMPAIGNS = "sponsored_products_campaigns"
AD_GROUPS = "sponsored_products_ad_groups"
ADS = "sponsored_products_product_ads"
BY_CAMPAIGN = "sponsored_products_campaign_report"
BY_AD = "sponsored_products_advertised_product_report"
BRANDS = "sponsored_brands_campaign_report"
DISPLAY = "sponsored_display_campaign_report"
Json = dict[str, Any]


def row(cost: float = 1.5, *, on: str = "2022-07-05", **more: Any) -> Json:
    """A report row as GZIP_JSON has it: numbers are numbers, ids too."""
    return {"date": on, "cost": cost, "impressions": 100, "clicks": 3} | more


def report(**records: list[Json]) -> Answer:
    return run_engine(REPORT, records, platform="amazon_ads", currency="USD")


@pytest.mark.parametrize("macro", CASES)
def test_engines_make_of_their_cases_what_is_said(macro: str) -> None:
    expected, answer = case_and_answer("amazon_ads", macro)
    assert answer == expected


def test_lists_of_ad_groups_and_ads_are_no_reports() -> None:
    ad = {"adId": "8108", "adGroupId": "501", "campaignId": "5555", "state": "ENABLED", "sku": "A-1"}
    group = {"adGroupId": "501", "campaignId": "5555", "state": "ENABLED", "name": "All"}
    assert report(**{ADS: [ad], AD_GROUPS: [group]}) == []


def test_numbers_of_a_report_meet_texts_of_a_list() -> None:
    (one,) = report(
        **{
            BY_AD: [row(adId=8108)],
            ADS: [{"adId": "8108", "adGroupId": "501", "campaignId": "5555", "asin": "B0ABC"}],
            AD_GROUPS: [{"adGroupId": 501, "campaignId": 5555, "name": "All"}],
        }
    )
    assert [one[name] for name in ("campaign_id", "ad_group_id", "ad_group_name", "ad_id", "ad_name")] == [
        "5555",
        "501",
        "All",
        "8108",
        "B0ABC",
    ]


def test_a_large_id_keeps_all_its_digits() -> None:
    (one,) = report(**{BY_CAMPAIGN: [row(campaignId=276748589410145)]})
    assert one["campaign_id"] == "276748589410145"


def test_an_ad_group_report_without_campaigns_finds_them_in_the_list_of_ad_groups() -> None:
    (one,) = report(**{BY_CAMPAIGN: [row(adGroupId=501)], AD_GROUPS: [{"adGroupId": "501", "campaignId": "5555"}]})
    assert (one["campaign_id"], one["ad_group_id"], one["ad_id"]) == ("5555", "501", None)


def test_without_lists_what_the_report_says_is_kept() -> None:
    (one,) = report(**{BY_AD: [row(adId=8, adGroupId=7, adGroupName="Red", advertisedSku="A-1")]})
    assert [one[name] for name in ("campaign_id", "ad_group_name", "ad_name")] == [None, "Red", "A-1"]


def test_the_list_of_ads_says_what_an_ad_belongs_to_and_shows_in_its_own_account() -> None:
    rows = run_engine(
        REPORT,
        {
            BY_AD: [row(adId=8), row(adId=8, _account="uk")],
            ADS: [{"adId": "8", "campaignId": "5", "sku": "A-1"}, {"adId": "8", "campaignId": "6", "_account": "uk"}],
        },
        platform="amazon_ads",
        accounts=(Account(), Account(name="uk")),
    )
    assert sorted((one["source_account"], one["campaign_id"], one["ad_name"]) for one in rows) == [
        ("main", "5", "A-1"),
        ("uk", "6", None),
    ]


def test_of_a_day_the_finest_report_counts_and_every_row_is_kept() -> None:
    rows = report(
        **{
            BY_CAMPAIGN: [
                row(10, campaignId=1),
                row(4, campaignId=1, adGroupId=7),
                row(6, campaignId=1, adGroupId=8),
                row(9, campaignId=1, on="2022-07-06"),
                row(9, campaignId=1, on="2022-07-06", placementClassification="Top of Search on-Amazon"),
                row(5, campaignId=1, on="2022-07-07", placementClassification="Top of Search on-Amazon"),
                row(3, campaignId=1, on="2022-07-07", placementClassification="Other on-Amazon"),
                row(2, campaignId=1, on="2022-07-08", adGroupId=7),
                row(2, campaignId=1, on="2022-07-08"),
            ],
            BY_AD: [row(7, campaignId=1, adId=11), row(3, campaignId=1, adId=12)],
        }
    )
    assert len(rows) == 11
    assert {key: sums[0] for key, sums in counted(rows, "report_date", "ad_group_id", "ad_id").items()} == {
        (date(2022, 7, 5), None, "11"): 7,
        (date(2022, 7, 5), None, "12"): 3,
        (date(2022, 7, 6), None, None): 9,
        (date(2022, 7, 7), None, None): 8,
        (date(2022, 7, 8), "7", None): 2,
    }


def test_a_day_of_one_account_says_nothing_about_another_account() -> None:
    rows = run_engine(
        REPORT,
        {BY_AD: [row(7, adId=1)], BY_CAMPAIGN: [row(7, campaignId=1), row(5, campaignId=2, _account="uk")]},
        platform="amazon_ads",
        accounts=(Account(), Account(name="uk", currency="GBP")),
    )
    assert {key: sums[0] for key, sums in counted(rows, "source_account", "currency").items()} == {
        ("main", "USD"): 7,
        ("uk", "GBP"): 5,
    }


@pytest.mark.parametrize(
    ("purchases", "conversions"),
    [
        ({"purchases1d": 1, "purchases7d": 2, "purchases14d": 3, "purchases30d": 4}, 2),
        ({"purchases1d": 1, "purchases14d": 3, "purchases30d": 4}, 3),
        ({"purchases30d": 4}, 4),
        ({"purchases7d": 0, "purchases30d": 4}, 0),
        ({"purchases1d": 1}, None),
        ({"purchases": 5, "purchasesClicks": 3}, 3),
        ({"purchases": 5}, 5),
        ({}, None),
    ],
)
def test_the_shortest_window_from_seven_days_counts(purchases: dict[str, int], conversions: float | None) -> None:
    (one,) = report(**{BY_CAMPAIGN: [row(campaignId=1, **purchases)]})
    assert one["conversions"] == conversions


def test_spend_is_another_name_of_cost_and_is_not_added_to_it() -> None:
    both = {"campaignId": 1, "cost": 2.5, "spend": 2.5}
    named = {"campaignId": 2, "date": "2022-07-05", "spend": 3.25}
    rows = report(**{BY_CAMPAIGN: [row() | both, named]})
    assert sorted(one["spend"] for one in rows) == [Decimal("2.5"), Decimal("3.25")]


def test_the_currency_is_the_rows_else_the_accounts() -> None:
    rows = run_engine(
        REPORT,
        {BY_CAMPAIGN: [row(campaignId=1, campaignBudgetCurrencyCode="jpy"), row(campaignId=2)]},
        platform="amazon_ads",
        accounts=(Account(currency="GBP"),),
    )
    assert {one["campaign_id"]: one["currency"] for one in rows} == {"1": "JPY", "2": "GBP"}


def test_a_downloaded_report_is_a_gzipped_list(tmp_path: Path) -> None:
    path = tmp_path / "report.json.gz"
    path.write_bytes(gzip.compress(json.dumps([row(12.34, campaignId=111, purchases7d=3)]).encode()))
    (one,) = run_engine(REPORT, platform="amazon_ads", files={BY_CAMPAIGN: [path]})
    assert (one["campaign_id"], one["spend"], one["conversions"]) == ("111", Decimal("12.34"), 3)


def test_brands_and_display_count_beside_products_whichever_object_they_came_as() -> None:
    brand, display = row(5, campaignId=2, purchases=1), row(3, campaignId=3, purchasesClicks=2)
    product = row(10, campaignId=1, adId=7, purchases7d=4)
    for found in (
        report(**{BY_AD: [product], BY_CAMPAIGN: [brand, display]}),
        report(**{BY_AD: [product], BRANDS: [brand], DISPLAY: [display]}),
        report(**{BY_AD: [row(10, adId=7, purchases7d=4)], BRANDS: [brand], DISPLAY: [display]}),
    ):
        assert {sums[0]: sums[3] for sums in counted(found, "campaign_id").values()} == {10: 4, 5: 1, 3: 2}


def test_an_empty_cell_of_a_loader_is_zero_where_its_table_has_the_metric() -> None:
    blank, asked = {"date": "2022-07-05", "campaignId": 1, "clicks": 2}, row(campaignId=2)
    rows = report(**{BY_CAMPAIGN: [blank, asked], BY_AD: [{"date": "2022-07-06", "campaignId": 3, "cost": 1.5}]})
    assert counted(rows, "campaign_id") == {
        ("1",): (0, 0, 2, None),
        ("2",): (Decimal("1.5"), 100, 3, None),
        ("3",): (Decimal("1.5"), None, None, None),
    }


def test_a_summary_has_no_day_and_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    summary = {"startDate": "2022-07-05", "endDate": "2022-07-10", "campaignId": 1, "cost": 9.5}
    path.write_text(json.dumps([summary, row(campaignId=1)]))
    read = landed("amazon_ads", BY_CAMPAIGN, path)
    assert (len(read.good), read.wrong) == (1, ["date is missing"])


def test_blanks_around_a_column_of_a_table_are_not_of_its_name(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_text(
        "ad_id,campaign_id,date,_fivetran_synced,clicks,cost, advertised_asin, purchases_7_d \n"
        "8108,5555,2022-12-10,2022-12-13 17:17:13,2,2.53,B0ABC,4\n"
    )
    (one,) = run_engine(REPORT, platform="amazon_ads", files={BY_AD: [path]})
    assert (one["ad_name"], one["conversions"], one["impressions"]) == ("B0ABC", 4, None)


def test_lists_are_unwrapped_and_a_state_is_the_same_in_either_case(tmp_path: Path) -> None:
    for name, wrapper, key in ((AD_GROUPS, "adGroups", "adGroupId"), (ADS, "productAds", "adId")):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps({wrapper: [{key: "1"}, {key: 2}], "totalResults": 2}))
        assert landed("amazon_ads", name, path).good == [{key: "1"}, {key: "2"}]
    rows = run_engine(
        "engine_amazon_ads_campaigns",
        platform="amazon_ads",
        history={CAMPAIGNS: [{"campaignId": "1", "state": "ENABLED"}, {"campaignId": 2, "state": "enabled"}]},
    )
    assert [(one["campaign_id"], one["campaign_status"]) for one in rows] == [("1", "ENABLED"), ("2", "ENABLED")]


@pytest.mark.parametrize(
    "body",
    [
        "first_call_list_sp_campaigns_success",
        "first_call_list_sb_campaigns_success",
        "first_call_list_sd_campaigns_multiple_campaigns",
    ],
)
def test_real_lists_of_campaigns_are_read_whatever_their_api(real_data: Path, body: str) -> None:
    path = real_data / "amazon_ads/api" / f"{body}.json"
    raw = json.loads(path.read_text())
    campaigns = raw if isinstance(raw, list) else raw["campaigns"]
    read = landed("amazon_ads", CAMPAIGNS, path)
    assert read.wrong == []
    rows = run_engine("engine_amazon_ads_campaigns", platform="amazon_ads", history={CAMPAIGNS: read.good})
    assert [(one["campaign_id"], one["campaign_name"], one["campaign_status"]) for one in rows] == [
        (str(one["campaignId"]), one["name"], "ENABLED") for one in campaigns
    ]


@pytest.mark.parametrize("name", [BY_CAMPAIGN, BY_AD])
def test_real_answers_about_the_making_of_a_report_are_no_report(real_data: Path, name: str) -> None:
    bodies = sorted((real_data / "amazon_ads/api").glob("sponsored_ads_v3_*.json"))
    assert len(bodies) == 9
    for body in bodies:
        read = landed("amazon_ads", name, body)
        assert (read.good, read.wrong) == ([], ["date is missing"])


SEEDS = {
    "campaign_level_report": (BY_CAMPAIGN, "campaign_id::varchar, null::varchar, null::varchar", "purchases_30_d"),
    "ad_group_level_report": (BY_CAMPAIGN, "null::varchar, ad_group_id::varchar, null::varchar", "null"),
    "advertised_product_report": (BY_AD, "campaign_id::varchar, ad_group_id::varchar, ad_id::varchar", "null"),
}


def seed(real_data: Path, name: str) -> Path:
    return real_data / "amazon_ads/fivetran" / f"{name}_data.csv"


def seed_totals(path: Path, ids: str, purchases: str) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    return by_sql(f"""
        select
            date::date, {ids}, sum(cost::varchar::decimal(18, 6)), sum(coalesce(impressions, 0)),
            sum(coalesce(clicks, 0)), sum({purchases})::double
        from read_csv('{path}')
        group by all
    """)


@pytest.mark.parametrize("name", SEEDS)
def test_real_reports_sum_as_their_file_does(real_data: Path, name: str) -> None:
    object_name, ids, purchases = SEEDS[name]
    path = seed(real_data, name)
    rows = run_engine(REPORT, platform="amazon_ads", files={object_name: [path]})
    totals = counted(rows, "report_date", "campaign_id", "ad_group_id", "ad_id")
    assert totals == seed_totals(path, ids, purchases)
    assert len(rows) == 10


def test_real_reports_of_different_days_all_count_together(real_data: Path) -> None:
    files: dict[str, list[Path]] = {}
    for name, (object_name, _, _) in SEEDS.items():
        files.setdefault(object_name, []).append(seed(real_data, name))
    groups = landed("amazon_ads", AD_GROUPS, seed(real_data, "ad_group_history"))
    ads = landed("amazon_ads", ADS, seed(real_data, "product_ad_history"))
    assert groups.wrong + ads.wrong == []
    rows = run_engine(REPORT, {AD_GROUPS: groups.good, ADS: ads.good}, platform="amazon_ads", files=files)
    tables = {name: f"read_csv('{seed(real_data, name)}')" for name in (*SEEDS, "ad_group_history")}
    expected = by_sql(f"""
        select
            date, campaign_id::varchar, sum(cost::varchar::decimal(18, 6)), sum(coalesce(impressions, 0)),
            sum(coalesce(clicks, 0)), sum(purchases_30_d)::double
        from (
            select date, campaign_id, cost, impressions, clicks, purchases_30_d from {tables["campaign_level_report"]}
            union all by name
            select date, campaign_id, cost, impressions, clicks from {tables["advertised_product_report"]}
            union all by name
            select reports.date, ad_groups.campaign_id, reports.cost, reports.impressions, reports.clicks
            from {tables["ad_group_level_report"]} as reports
            join {tables["ad_group_history"]} as ad_groups on ad_groups.id = reports.ad_group_id
        )
        group by all
    """)
    assert counted(rows, "report_date", "campaign_id") == expected
    assert {one["ad_name"] for one in rows if one["ad_id"]} == {"ABC123", "DEF456", "GHI789"}


def test_the_real_ad_report_of_a_day_counts_before_the_real_campaign_report_of_it(real_data: Path) -> None:
    ads = landed("amazon_ads", BY_AD, seed(real_data, "advertised_product_report")).good
    campaigns = landed("amazon_ads", BY_CAMPAIGN, seed(real_data, "campaign_level_report")).good
    same_days = [record | {"date": "2022-07-12"} for record in campaigns]
    rows = report(**{BY_AD: ads, BY_CAMPAIGN: same_days})
    assert counted(rows) == counted(report(**{BY_AD: ads}))
    assert len(rows) == len(ads) + len(campaigns) == 20


def test_real_versions_of_a_campaign_carry_their_names_states_and_times(real_data: Path) -> None:
    path = seed(real_data, "campaign_history")
    read = landed("amazon_ads", CAMPAIGNS, path)
    assert read.wrong == []
    with duckdb.connect() as con:
        raw = con.execute(f"""
            select
                id::varchar, name, state, creation_date::timestamp at time zone 'UTC',
                last_updated_date::timestamp at time zone 'UTC'
            from read_csv('{path}') order by all
        """).fetchall()
    assert raw == sorted(
        (
            record["campaignId"],
            record["name"],
            record["state"],
            *(
                datetime.fromisoformat(record["extendedData"][name])
                for name in ("creationDateTime", "lastUpdateDateTime")
            ),
        )
        for record in read.good
    )
    rows = run_engine("engine_amazon_ads_campaigns", platform="amazon_ads", history={CAMPAIGNS: read.good})
    assert {one["campaign_name"] for one in rows} == {"Red Leader", "Gold Leader"}
    assert {one["campaign_status"] for one in rows} == {"ENABLED", "PAUSED"}
