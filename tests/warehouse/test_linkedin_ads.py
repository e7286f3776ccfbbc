"""LinkedIn: URNs, nested dates, costs as text, two reports of one day, and the real seeds."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.config.accounts import Account
from pipeline.connectors.linkedin_ads.unit_tests import CASES
from tests.warehouse.ads_reports import by_sql, case_and_answer, counted, landed
from tests.warehouse.engine_fixture import Answer, run_engine

REPORT = "engine_linkedin_ads_ad_performance"
DAY = (2020, 3, 28)
Json = dict[str, Any]
BUDGET: Json = {"id": 1, "totalBudget": {"amount": "1", "currencyCode": "EUR"}}


def day(year: int, month: int, of_month: int) -> Json:
    return {"month": month, "day": of_month, "year": year}


def row(*pivots: str, on: tuple[int, int, int] = DAY, cost: str | None = "10.5", **more: Any) -> Json:
    """A row of ad analytics; `pivots` are URNs without their beginning."""
    dates = {"dateRange": {"start": day(*on), "end": day(*on)}}
    costs = {} if cost is None else {"costInLocalCurrency": cost}
    return {"pivotValues": [f"urn:li:{pivot}" for pivot in pivots]} | dates | costs | more


def report(**records: list[Json]) -> Answer:
    return run_engine(REPORT, records, platform="linkedin_ads", currency="USD")


@pytest.mark.parametrize("macro", CASES)
def test_engines_make_of_their_cases_what_is_said(macro: str) -> None:
    expected, answer = case_and_answer("linkedin_ads", macro)
    assert answer == expected


def test_a_campaign_and_a_creative_are_known_by_their_urns_in_any_order() -> None:
    both = row("sponsoredCreative:7", "sponsoredCampaign:123")
    (one,) = report(ad_analytics=[both])
    assert (one["campaign_id"], one["ad_id"], one["ad_group_id"]) == ("123", "7", None)


def test_the_unversioned_api_says_one_pivot_without_a_list() -> None:
    old = {"pivot": "CAMPAIGN", "pivotValue": "urn:li:sponsoredCampaign:123"}
    (one,) = report(ad_analytics=[row() | {"pivotValues": None} | old])
    assert (one["campaign_id"], one["ad_id"]) == ("123", None)


def test_a_bare_id_is_a_campaigns_in_the_report_by_campaign_and_a_creatives_in_the_other() -> None:
    bare = {"pivotValues": None, "pivotValue": "55"}
    (one,) = report(ad_analytics_by_campaign=[row() | bare])
    (other,) = report(ad_analytics=[row() | bare])
    assert (one["campaign_id"], one["ad_id"]) == ("55", None)
    assert (other["campaign_id"], other["ad_id"]) == (None, "55")


def test_a_row_about_an_account_is_kept_without_a_campaign() -> None:
    for pivots in (("sponsoredAccount:1",), ()):
        (one,) = report(ad_analytics=[row(*pivots)])
        assert (one["campaign_id"], one["ad_id"], one["is_counted"]) == (None, None, True)


def test_of_a_day_only_the_report_by_campaign_counts_and_the_other_one_on_days_without_it() -> None:
    rows = report(
        ad_analytics_by_campaign=[row("sponsoredCampaign:1", cost="3"), row("sponsoredCampaign:2", cost="4")],
        ad_analytics=[row("sponsoredCreative:1", cost="7"), row("sponsoredCreative:1", on=(2020, 3, 29), cost="5")],
    )
    assert {key: sums[0] for key, sums in counted(rows, "report_date", "campaign_id", "ad_id").items()} == {
        (date(2020, 3, 28), "1", None): 3,
        (date(2020, 3, 28), "2", None): 4,
        (date(2020, 3, 29), None, "1"): 5,
    }
    assert len(rows) == 4


def test_the_report_by_campaign_counts_before_rows_by_campaign_of_the_other_one_and_beside_other_campaigns() -> None:
    rows = report(
        ad_analytics_by_campaign=[row("sponsoredCampaign:1", cost="3")],
        ad_analytics=[row("sponsoredCampaign:1", cost="3"), row("sponsoredCampaign:2", cost="9")],
    )
    assert {key: sums[0] for key, sums in counted(rows, "campaign_id").items()} == {("1",): 3, ("2",): 9}


def test_the_two_reports_meet_by_account() -> None:
    other = {"_account": "other"}
    rows = run_engine(
        REPORT,
        {
            "ad_analytics_by_campaign": [row("sponsoredCampaign:1", cost="3")],
            "ad_analytics": [row("sponsoredCreative:1", cost="7") | other, row("sponsoredCreative:1", cost="3")],
        },
        platform="linkedin_ads",
        accounts=(Account(), Account(name="other", currency="EUR")),
    )
    assert {key: sums[0] for key, sums in counted(rows, "source_account", "currency").items()} == {
        ("main", "USD"): 3,
        ("other", "EUR"): 7,
    }


def test_the_pivot_that_says_most_counts_when_a_day_was_reported_by_several() -> None:
    by_campaign = [row("sponsoredCampaign:1", cost="10")]
    by_creative = [row("sponsoredCreative:1", cost="4"), row("sponsoredCreative:2", cost="6")]
    coarser = [row("sponsoredAccount:1", cost="10"), row("sponsoredCampaignGroup:1", cost="10")]
    by_member = [row("title:12", cost="2"), row("geo:103644278", cost="9")]
    for pivots, ids in (
        ([*by_member, *coarser, *by_creative, *by_campaign], {("1", None)}),
        ([*by_member, *coarser, *by_creative], {(None, "1"), (None, "2")}),
        ([*by_member, *coarser], {(None, None)}),
    ):
        rows = report(ad_analytics=pivots)
        assert counted(rows) == {(): (Decimal(10), None, None, None)}
        assert {(one["campaign_id"], one["ad_id"]) for one in rows if one["is_counted"]} == ids


def test_rows_by_member_are_only_a_share_so_the_whole_account_counts_before_them() -> None:
    rows = report(ad_analytics=[row("title:12", "sponsoredCampaign:1", cost="2"), row("sponsoredAccount:1", cost="10")])
    assert counted(rows, "campaign_id") == {(None,): (Decimal(10), None, None, None)}


def test_costs_are_text_of_up_to_eighteen_decimals() -> None:
    (one,) = report(ad_analytics=[row(cost="576.049999999999648674", costInUsd="600.1")])
    assert (one["spend"], one["currency"]) == (Decimal("576.050000"), "USD")


def test_a_report_that_asked_for_dollars_alone_is_in_dollars() -> None:
    rows = run_engine(
        REPORT,
        {"ad_analytics": [row(cost=None, costInUsd="7.25")], "campaigns": [BUDGET]},
        platform="linkedin_ads",
        currency="CHF",
    )
    assert [(one["spend"], one["currency"]) for one in rows] == [(Decimal("7.25"), "USD")]


def test_metrics_that_were_not_asked_for_are_unknown_and_no_zero() -> None:
    for asked in ({}, {"impressions": 7}):
        (one,) = report(ad_analytics=[row(cost=None, **asked)])
        assert [one[name] for name in ("spend", "impressions", "clicks", "conversions")] == [
            *(None, asked.get("impressions"), None, None)
        ]


def test_a_metric_that_a_loader_leaves_empty_is_zero_beside_others_of_its_export() -> None:
    rows = report(
        ad_analytics=[row("sponsoredCreative:1", cost=None, impressions=9), row("sponsoredCreative:2", clicks=1)],
        ad_analytics_by_campaign=[row("sponsoredCampaign:1", on=(2020, 3, 29))],
    )
    assert counted(rows, "ad_id") == {
        ("1",): (0, 9, 0, None),
        ("2",): (Decimal("10.5"), 0, 1, None),
        (None,): (Decimal("10.5"), None, None, None),
    }


@pytest.mark.parametrize(
    ("said", "conversions"),
    [
        ({"externalWebsiteConversions": 2, "oneClickLeads": 5}, 7.0),
        ({"externalWebsiteConversions": 2}, 2.0),
        ({"oneClickLeads": 5}, 5.0),
        ({}, None),
    ],
)
def test_conversions_are_those_on_the_website_and_leads_of_forms(said: Json, conversions: float | None) -> None:
    (one,) = report(ad_analytics=[row(**said)])
    assert one["conversions"] == conversions


def test_a_row_of_several_days_is_not_counted_and_hides_no_daily_one() -> None:
    long = row() | {"dateRange": {"start": day(2020, 3, 1), "end": day(2020, 3, 31)}}
    open_ended = row() | {"dateRange": {"start": day(*DAY)}}
    coarse = row(on=(2020, 3, 1)) | {"pivotValues": ["urn:li:sponsoredAccount:1"]}
    rows = report(ad_analytics=[long, open_ended, coarse])
    assert sorted((one["report_date"], one["last_date"], one["is_counted"]) for one in rows) == [
        (date(2020, 3, 1), date(2020, 3, 1), True),
        (date(2020, 3, 1), date(2020, 3, 31), False),
        (date(2020, 3, 28), date(2020, 3, 28), True),
    ]


@pytest.mark.parametrize(
    ("campaigns", "currency"),
    [
        ([("1", "dailyBudget", "eur"), ("2", "totalBudget", "GBP")], "EUR"),
        ([("urn:li:sponsoredCampaign:1", "unitCost", "EUR"), ("2", "unitCost", "GBP")], "EUR"),
        ([("1", "totalBudget", "EUR"), ("2", "unitCost", "GBP")], "EUR"),
        ([("2", "unitCost", "EUR"), ("3", "dailyBudget", "EUR")], "EUR"),
        ([("2", "unitCost", "EUR"), ("3", "dailyBudget", "GBP")], "CHF"),
        ([], "CHF"),
    ],
    ids=[
        "its campaign's",
        "its campaign's, by URN",
        "its campaign's, of any budget",
        "that of the account's others",
        "several: the setting",
        "none",
    ],
)
def test_the_currency_is_the_campaigns_else_the_accounts(campaigns: list[tuple[str, str, str]], currency: str) -> None:
    known = [{"id": id_, field: {"amount": "50", "currencyCode": code}} for id_, field, code in campaigns]
    rows = run_engine(
        REPORT,
        {"ad_analytics_by_campaign": [row("sponsoredCampaign:1")], "campaigns": known},
        platform="linkedin_ads",
        accounts=(Account(currency="CHF"),),
    )
    assert [one["currency"] for one in rows] == [currency]


def test_the_currency_of_a_campaign_is_that_of_its_account() -> None:
    rows = run_engine(
        REPORT,
        {
            "ad_analytics_by_campaign": [row("sponsoredCampaign:1"), row("sponsoredCampaign:1", _account="other")],
            "campaigns": [BUDGET, {"id": 1, "unitCost": {"currencyCode": "GBP"}, "_account": "other"}],
        },
        platform="linkedin_ads",
        accounts=(Account(), Account(name="other")),
    )
    assert sorted((one["source_account"], one["currency"]) for one in rows) == [("main", "EUR"), ("other", "GBP")]


def test_a_campaign_is_the_same_by_its_urn() -> None:
    rows = run_engine(
        "engine_linkedin_ads_campaigns",
        platform="linkedin_ads",
        history={"campaigns": [{"id": 123}, {"id": "urn:li:sponsoredCampaign:123"}]},
    )
    assert [one["campaign_id"] for one in rows] == ["123", "123"]


def test_an_answer_is_unwrapped_and_one_without_activity_has_no_records(tmp_path: Path) -> None:
    path = tmp_path / "analytics.json"
    path.write_text(json.dumps({"paging": {"start": 0, "count": 10}, "elements": [row("sponsoredCampaign:1")]}))
    read = landed("linkedin_ads", "ad_analytics_by_campaign", path)
    assert (read.good, read.wrong) == ([row("sponsoredCampaign:1")], [])
    path.write_text(json.dumps({"paging": {"start": 0, "count": 10}, "elements": []}))
    read = landed("linkedin_ads", "ad_analytics_by_campaign", path)
    assert (read.good, read.wrong) == ([], [])


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"dateRange": {"start": {"year": 2020, "month": 13, "day": 1}}}, "dateRange"),
        ({"dateRange": {"start": {"year": 2020, "month": 2, "day": 30}}}, "dateRange"),
        ({"dateRange": {"start": {"year": 2020, "month": 2}}}, "dateRange.start.day is missing"),
        ({"dateRange": None}, "dateRange.start.year is missing"),
        ({"costInLocalCurrency": "12,50"}, "costInLocalCurrency is not a number"),
        ({"clicks": "-"}, "clicks is not a whole number"),
    ],
)
def test_what_does_not_convert_is_quarantined_with_its_reason(tmp_path: Path, wrong: Json, reason: str) -> None:
    path = tmp_path / "analytics.json"
    path.write_text(json.dumps({"elements": [row("sponsoredCampaign:1"), row("sponsoredCampaign:2") | wrong]}))
    read = landed("linkedin_ads", "ad_analytics", path)
    assert len(read.good) == 1
    (said,) = read.wrong
    assert reason in said


SEEDS = "linkedin_ads/fivetran/linkedin_{}_data.csv"


def seed_totals(path: Path, key: str) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    return by_sql(f"""
        select
            day::date, {key}::varchar, sum(coalesce(cost_in_local_currency::varchar::decimal(18, 6), 0)),
            sum(coalesce(impressions, 0)), sum(coalesce(clicks, 0)),
            sum(external_website_conversions + coalesce(one_click_leads, 0))::double
        from read_csv('{path}')
        group by all
    """)


@pytest.mark.parametrize(
    ("name", "seed", "key", "column"),
    [
        ("ad_analytics_by_campaign", "ad_analytics_by_campaign", "campaign_id", "campaign_id"),
        ("ad_analytics", "ad_analytics_by_creative", "creative_id", "ad_id"),
    ],
)
def test_real_reports_sum_as_their_file_does(real_data: Path, name: str, seed: str, key: str, column: str) -> None:
    path = real_data / SEEDS.format(seed)
    rows = run_engine(REPORT, platform="linkedin_ads", files={name: [path]})
    assert counted(rows, "report_date", column) == seed_totals(path, key)
    assert all(row["is_counted"] for row in rows)


def test_real_reports_of_one_day_are_never_both_counted(real_data: Path) -> None:
    by_campaign = real_data / SEEDS.format("ad_analytics_by_campaign")
    by_creative = real_data / SEEDS.format("ad_analytics_by_creative")
    shifted = [
        {**record, "dateRange": {"start": day(2020, 3, 28), "end": day(2020, 3, 28)}}
        for record in landed("linkedin_ads", "ad_analytics", by_creative).good
    ]
    rows = run_engine(
        REPORT, {"ad_analytics": shifted}, platform="linkedin_ads", files={"ad_analytics_by_campaign": [by_campaign]}
    )
    assert len(rows) == len(shifted) + 20
    assert counted(rows, "report_date", "campaign_id") == seed_totals(by_campaign, "campaign_id")


def test_real_campaigns_keep_names_and_the_milliseconds_of_their_changes(real_data: Path) -> None:
    path = real_data / SEEDS.format("campaign_history")
    read = landed("linkedin_ads", "campaigns", path)
    assert read.wrong == []
    with duckdb.connect() as con:
        raw = con.execute(f"""
            select id::varchar, name, account_id::varchar, epoch_ms(created_time::timestamp),
                epoch_ms(last_modified_time::timestamp)
            from read_csv('{path}') order by all
        """).fetchall()
    stamps = [record["changeAuditStamps"] for record in read.good]
    assert raw == sorted(
        (
            record["id"],
            record["name"],
            record["account"],
            *(int(stamp[name]["time"]) for name in ("created", "lastModified")),
        )
        for record, stamp in zip(read.good, stamps, strict=True)
    )
    rows = run_engine("engine_linkedin_ads_campaigns", platform="linkedin_ads", history={"campaigns": read.good})
    assert sorted((one["campaign_id"], one["campaign_name"], one["in_force_from"]) for one in rows) == sorted(
        (id_, name, datetime.fromtimestamp(created / 1000, UTC).replace(tzinfo=None))
        for id_, name, _, created, _ in raw
    )
