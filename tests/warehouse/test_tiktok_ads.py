"""TikTok: metrics as text inside `metrics`, days and hours, four levels, and the real hourly seeds."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.config.accounts import Account
from pipeline.connectors.tiktok_ads.contract import Level
from pipeline.connectors.tiktok_ads.unit_tests import CASES
from tests.warehouse.ads_reports import by_sql, case_and_answer, counted, landed
from tests.warehouse.engine_fixture import Answer, run_engine

REPORT = "engine_tiktok_ads_ad_performance"
IDS = {"advertiser_id", "campaign_id", "adgroup_id", "ad_id"}
Json = dict[str, Any]


def daily(spend: str = "1.5", *, on: str = "2020-10-17", said: Json | None = None, **dimensions: str) -> Json:
    """A daily row; `said` are attributes among the metrics."""
    metrics = {"spend": spend, "impressions": "100", "clicks": "3"} | (said or {})
    return {"dimensions": {"stat_time_day": f"{on} 00:00:00"} | dimensions, "metrics": metrics}


def hourly(spend: str = "0.5", *, at: str = "2020-10-17 05:00:00", said: Json | None = None, **dimensions: str) -> Json:
    metrics = {"spend": spend, "impressions": "10", "clicks": "1"} | (said or {})
    return {"dimensions": {"stat_time_hour": at} | dimensions, "metrics": metrics}


def report(**records: list[Json]) -> Answer:
    return run_engine(REPORT, records, platform="tiktok_ads", currency="USD")


@pytest.mark.parametrize("macro", CASES)
def test_engines_make_of_their_cases_what_is_said(macro: str) -> None:
    expected, answer = case_and_answer("tiktok_ads", macro)
    assert answer == expected


def test_text_is_numbers_and_a_midnight_is_its_day() -> None:
    (one,) = report(ads_reports_daily=[daily("76.73", ad_id="1678604629756978", said={"conversion": "12"})])
    assert [one[name] for name in ("report_date", "ad_id", "spend", "impressions", "clicks", "conversions")] == [
        date(2020, 10, 17),
        "1678604629756978",
        Decimal("76.73"),
        100,
        3,
        12.0,
    ]


def test_a_count_that_is_written_with_a_decimal_is_a_whole_number(tmp_path: Path) -> None:
    # Source: business-api.tiktok.com/portal/docs?id=1740302848100353, example response.
    path = tmp_path / "report.json"
    path.write_text(json.dumps([daily(ad_id="1", said={"impressions": "10505.0", "clicks": "116.0"})]))
    assert landed("tiktok_ads", "ads_reports_daily", path).wrong == []
    (one,) = run_engine(REPORT, platform="tiktok_ads", files={"ads_reports_daily": [path]})
    assert (one["impressions"], one["clicks"]) == (10505, 116)


def test_metrics_that_were_not_asked_for_are_unknown_and_no_zero() -> None:
    bare = {"dimensions": {"ad_id": "1", "stat_time_day": "2020-10-17 00:00:00"}}
    for row in (bare, bare | {"metrics": {}}):
        (one,) = report(ads_reports_daily=[row])
        assert [one[name] for name in ("spend", "impressions", "clicks", "conversions")] == [None] * 4


def test_the_metrics_say_what_an_ad_belongs_to_where_they_were_asked() -> None:
    said = {"campaign_id": "c", "campaign_name": "C", "adgroup_id": "g", "adgroup_name": "G", "ad_name": "A"}
    (one,) = report(ads_reports_daily=[daily(ad_id="1", said=said)], ads=[{"ad_id": "1", "campaign_id": "other"}])
    names = ("campaign_id", "campaign_name", "ad_group_id", "ad_group_name", "ad_id", "ad_name")
    assert [one[name] for name in names] == ["c", "C", "g", "G", "1", "A"]


def test_else_the_lists_say_it() -> None:
    ads = [{"ad_id": "1", "adgroup_id": "g", "campaign_id": "c", "ad_name": "A"}]
    groups = [{"adgroup_id": "g", "campaign_id": "c", "adgroup_name": "G"}]
    rows = report(
        ads_reports_daily=[daily(ad_id="1"), daily(on="2020-10-18", adgroup_id="g"), daily(on="2020-10-19", ad_id="2")],
        ads=ads,
        ad_groups=groups,
    )
    names = ("campaign_id", "ad_group_id", "ad_group_name", "ad_id", "ad_name")
    assert [[one[name] for name in names] for one in sorted(rows, key=lambda one: one["report_date"])] == [
        ["c", "g", "G", "1", "A"],
        ["c", "g", "G", None, None],
        [None, None, None, "2", None],
    ]


def test_hours_and_days_of_one_day_are_never_both_counted_and_a_day_is_never_cut_short() -> None:
    rows = report(
        ads_reports_hourly=[hourly("1", ad_id="1"), hourly("2", ad_id="1", at="2020-10-17 6:00:00")],
        ads_reports_daily=[daily("5", ad_id="1"), daily("4", ad_id="1", on="2020-10-18")],
    )
    assert {key: sums[0] for key, sums in counted(rows, "report_date").items()} == {
        (date(2020, 10, 17),): 5,
        (date(2020, 10, 18),): 4,
    }
    assert len(rows) == 4


def test_the_finest_level_of_a_day_counts_be_it_by_the_hour_or_the_day() -> None:
    rows = report(
        ads_reports_hourly=[hourly("9", campaign_id="c"), hourly("9", advertiser_id="v")],
        ads_reports_daily=[daily("4", ad_id="1"), daily("5", ad_id="2"), daily("9", adgroup_id="g")],
    )
    assert counted(rows, "ad_id").keys() == {("1",), ("2",)}
    assert counted(rows)[()][0] == 9
    rows = report(
        ads_reports_hourly=[hourly("9", campaign_id="c"), hourly("9", advertiser_id="v")],
        ads_reports_daily=[daily("9", adgroup_id="g")],
    )
    assert counted(rows, "ad_group_id").keys() == {("g",)}


def test_ids_beside_the_finest_one_do_not_make_a_row_another_report() -> None:
    rows = report(ads_reports_daily=[daily("4", ad_id="1"), daily("5", ad_id="2", adgroup_id="g", campaign_id="c")])
    assert counted(rows)[()][0] == 9


def gmv_max(cost: str = "30.00", **more: Any) -> Json:
    """A row of a GMV Max report. Source: business-api.tiktok.com/portal/docs?id=1824721673497601."""
    metrics = {"cost": cost, "net_cost": cost, "orders": "3", "gross_revenue": "150.00", "currency": "USD"}
    return daily(**more) | {"metrics": metrics}


def test_a_gmv_max_campaign_counts_by_its_cost_and_orders_beside_every_basic_report() -> None:
    for basic in (
        daily("10", ad_id="1", said={"campaign_id": "c"}),
        daily("10", ad_id="1"),
        daily("10", campaign_id="c"),
        daily("10", advertiser_id="v"),
    ):
        rows = report(ads_reports_daily=[basic, gmv_max(campaign_id="g"), gmv_max(campaign_id="g", on="2020-10-18")])
        assert {key: sums[0] for key, sums in counted(rows, "report_date").items()} == {
            (date(2020, 10, 17),): 40,
            (date(2020, 10, 18),): 30,
        }
        assert counted(rows, "campaign_id")["g",] == (60, None, None, 6)


def test_a_campaign_that_both_reports_have_counts_once() -> None:
    rows = report(ads_reports_daily=[daily("10", campaign_id="g"), gmv_max("10", campaign_id="g")])
    assert counted(rows, "campaign_id") == {("g",): (10, 100, 3, None)}


def test_a_campaign_that_has_a_coarser_report_alone_keeps_it() -> None:
    rows = report(
        ads_reports_daily=[
            daily("4", ad_id="1", said={"campaign_id": "c"}),
            daily("9", campaign_id="c"),
            daily("7", campaign_id="other"),
            daily("20", advertiser_id="v"),
        ]
    )
    assert {key: sums[0] for key, sums in counted(rows, "campaign_id").items()} == {("c",): 4, ("other",): 7}


def test_where_ads_do_not_name_their_campaign_the_finest_report_alone_counts() -> None:
    rows = report(ads_reports_daily=[daily("4", ad_id="1"), daily("9", campaign_id="c")])
    assert counted(rows)[()][0] == 4


@pytest.mark.parametrize("breakdown", sorted(Level.model_fields.keys() - IDS))
def test_a_report_by_audience_counts_only_where_there_is_no_basic_one(breakdown: str) -> None:
    rows = report(
        ads_reports_daily=[
            daily("9", campaign_id="c"),
            daily("4", ad_id="1", country_code="US"),
            daily("5", ad_id="1", country_code="CA"),
            daily("9", ad_id="1", **{breakdown: "any"}),
            daily("5", campaign_id="c", gender="FEMALE", age="AGE_25_34", on="2020-10-18"),
            daily("3", campaign_id="c", gender="MALE", age="AGE_25_34", on="2020-10-18"),
        ]
    )
    assert {key: sums[0] for key, sums in counted(rows, "report_date", "ad_id").items()} == {
        (date(2020, 10, 17), None): 9,
        (date(2020, 10, 18), None): 8,
    }


def test_a_day_of_one_account_says_nothing_about_another_account() -> None:
    rows = run_engine(
        REPORT,
        {
            "ads_reports_hourly": [hourly("7", ad_id="1")],
            "ads_reports_daily": [daily("7", ad_id="1"), daily("5", campaign_id="c") | {"_account": "uk"}],
        },
        platform="tiktok_ads",
        accounts=(Account(), Account(name="uk", currency="GBP")),
    )
    assert {key: sums[0] for key, sums in counted(rows, "source_account", "currency").items()} == {
        ("main", "USD"): 7,
        ("uk", "GBP"): 5,
    }


def test_the_currency_is_the_rows_else_the_accounts() -> None:
    rows = report(ads_reports_daily=[daily(ad_id="1", said={"currency": "eur"}), daily(ad_id="2")])
    assert {one["ad_id"]: one["currency"] for one in rows} == {"1": "EUR", "2": "USD"}


def test_the_last_hour_of_a_day_belongs_to_the_advertisers_day() -> None:
    rows = run_engine(
        REPORT,
        {"ads_reports_hourly": [hourly(ad_id="1", at="2020-10-17 23:00:00")]},
        platform="tiktok_ads",
        timezone="Asia/Tokyo",
    )
    assert [one["report_date"] for one in rows] == [date(2020, 10, 17)]


def answer(*rows: Json) -> str:
    """An answer of the API."""
    return json.dumps({"code": 0, "message": "OK", "data": {"list": list(rows), "page_info": {"page": 1}}})


def test_an_answer_is_unwrapped_and_so_is_a_page_without_its_envelope(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    for text in (answer(daily(ad_id="1")), json.dumps({"list": [daily(ad_id="1")]})):
        path.write_text(text)
        read = landed("tiktok_ads", "ads_reports_daily", path)
        assert ([record["metrics"]["spend"] for record in read.good], read.wrong) == (["1.5"], [])
    path.write_text(answer())
    assert landed("tiktok_ads", "ads_reports_daily", path).good == []


def test_an_answer_that_is_an_error_is_no_report(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps({"code": 40105, "message": "Access token is incorrect", "data": {}}))
    read = landed("tiktok_ads", "ads_reports_daily", path)
    assert (read.good, read.wrong) == ([], ["dimensions.stat_time_day is missing"])


@pytest.mark.parametrize(
    ("metric", "text"),
    [("spend", "-"), ("impressions", "-"), ("clicks", "-"), ("conversion", "-"), ("spend", "1,5"), ("clicks", "1.5")],
)
def test_a_metric_that_is_no_number_is_quarantined_and_never_zero(tmp_path: Path, metric: str, text: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(answer(daily(ad_id="1"), daily(ad_id="2", said={metric: text})))
    read = landed("tiktok_ads", "ads_reports_daily", path)
    assert [record["dimensions"]["ad_id"] for record in read.good] == ["1"]
    assert len(read.wrong) == 1
    assert read.wrong[0].startswith("metrics")


def test_metrics_that_the_contract_does_not_name_may_be_a_dash_and_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(answer(daily(ad_id="1", said={"secondary_goal_result": "-"})))
    assert landed("tiktok_ads", "ads_reports_daily", path).good[0]["metrics"]["secondary_goal_result"] == "-"


def test_a_time_that_is_no_midnight_is_no_day(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    late = {"dimensions": {"ad_id": "1", "stat_time_day": "2020-10-17 05:00:00"}, "metrics": {"spend": "1"}}
    path.write_text(answer(late))
    assert landed("tiktok_ads", "ads_reports_daily", path).good == []


def test_campaigns_have_a_status_by_either_name_and_times_in_utc() -> None:
    rows = run_engine(
        "engine_tiktok_ads_campaigns",
        platform="tiktok_ads",
        timezone="Asia/Tokyo",
        history={
            "campaigns": [
                {"campaign_id": "1", "campaign_name": "A", "operation_status": "ENABLE", "secondary_status": "X"},
                {"campaign_id": "2", "campaign_name": "B", "secondary_status": "CAMPAIGN_STATUS_ENABLE"},
                {"campaign_id": "3", "create_time": "2021-08-16 20:40:15"},
            ]
        },
    )
    names = ("campaign_name", "campaign_status", "in_force_from")
    assert {one["campaign_id"]: [one[name] for name in names] for one in rows} == {
        "1": ["A", "ENABLE", None],
        "2": ["B", "CAMPAIGN_STATUS_ENABLE", None],
        "3": [None, None, datetime.fromisoformat("2021-08-16 20:40:15")],
    }


LEVELS = {"ad": "ad_id", "adgroup": "ad_group_id", "campaign": "campaign_id"}


def seed(real_data: Path, name: str) -> Path:
    return real_data / "tiktok_ads/fivetran" / f"tiktok_{name}_data.csv"


def seed_totals(path: Path, key: str) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    return by_sql(f"""
        select
            strptime(stat_time_hour, '%Y-%m-%d %-H:%M:%S')::date, {key},
            sum(spend::decimal(18, 6)), sum(impressions::bigint), sum(clicks::bigint), sum(conversion::double)
        from read_csv('{path}', all_varchar = true)
        group by all
    """)


@pytest.mark.parametrize("level", LEVELS)
def test_real_hourly_reports_sum_as_their_file_does(real_data: Path, level: str) -> None:
    path = seed(real_data, f"{level}_report_hourly")
    rows = run_engine(REPORT, platform="tiktok_ads", files={"ads_reports_hourly": [path]})
    assert len(rows) == 4
    assert counted(rows, "report_date", LEVELS[level]) == seed_totals(path, f"{level}_id")


def test_real_reports_of_three_levels_count_once_by_ad_and_for_campaigns_without_ads_at_their_own_level(
    real_data: Path,
) -> None:
    paths = [seed(real_data, f"{level}_report_hourly") for level in LEVELS]
    lists = {name: landed("tiktok_ads", name, seed(real_data, f"{level}_history")) for name, level in LISTS.items()}
    assert [read.wrong for read in lists.values()] == [[], [], []]
    rows = run_engine(
        REPORT,
        {name: lists[name].good for name in ("ads", "ad_groups")},
        platform="tiktok_ads",
        files={"ads_reports_hourly": paths},
    )
    assert len(rows) == 12
    assert counted(rows, "report_date", "campaign_id") == by_sql(f"""
        with reports as (
            select 1 as level, ads.campaign_id as campaign, reports.*
            from read_csv('{paths[0]}', all_varchar = true) as reports
            join read_csv('{seed(real_data, "ad_history")}', all_varchar = true) as ads using (ad_id)
            union all by name
            select 2 as level, groups.campaign_id as campaign, reports.*
            from read_csv('{paths[1]}', all_varchar = true) as reports
            join read_csv('{seed(real_data, "adgroup_history")}', all_varchar = true) as groups using (adgroup_id)
            union all by name
            select 3 as level, campaign_id as campaign, * from read_csv('{paths[2]}', all_varchar = true)
        ),
        days as (select *, strptime(stat_time_hour, '%Y-%m-%d %-H:%M:%S')::date as day from reports)
        select
            day, campaign, sum(spend::decimal(18, 6)), sum(impressions::bigint), sum(clicks::bigint),
            sum(conversion::double)
        from (select * from days qualify level = min(level) over (partition by day, campaign))
        group by all
    """)
    assert {one["ad_name"] for one in rows if one["is_counted"]} == {
        "ad name one",
        "ad name two",
        "ad name three",
        "ad name four",
        None,
    }


LISTS = {"ads": "ad", "ad_groups": "adgroup", "campaigns": "campaign"}


def test_real_daily_rows_by_country_sum_as_their_file_does(real_data: Path) -> None:
    path = seed(real_data, "campaign_country_report")
    rows = run_engine(REPORT, platform="tiktok_ads", files={"ads_reports_daily": [path]})
    assert counted(rows, "report_date", "campaign_id") == by_sql(f"""
        select
            stat_time_day::date, campaign_id, sum(spend::decimal(18, 6)), sum(impressions::bigint),
            sum(clicks::bigint), sum(conversion::double)
        from read_csv('{path}', all_varchar = true)
        group by all
    """)


def test_real_campaigns_keep_names_and_the_times_of_their_changes(real_data: Path) -> None:
    path = seed(real_data, "campaign_history")
    read = landed("tiktok_ads", "campaigns", path)
    with duckdb.connect() as con:
        raw = con.execute(f"""
            select campaign_id, campaign_name, operation_status, create_time::timestamp, updated_at::timestamp
            from read_csv('{path}', all_varchar = true) order by all
        """).fetchall()
    assert read.wrong == []
    assert [datetime.fromisoformat(record["modify_time"]).replace(tzinfo=None) for record in read.good] == [
        updated for *_, updated in raw
    ]
    rows = run_engine("engine_tiktok_ads_campaigns", platform="tiktok_ads", history={"campaigns": read.good})
    names = ("campaign_id", "campaign_name", "campaign_status", "in_force_from")
    assert sorted(tuple(one[name] for name in names) for one in rows) == [tuple(row[:4]) for row in raw]
