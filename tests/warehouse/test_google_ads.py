"""Google Ads: rows as googleAds:searchStream sends them, Fivetran's tables of them, and what engines make of both."""

from __future__ import annotations

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
JANUARY_5 = date(2026, 1, 5)


def row(
    customer: int = 1, campaign: int | None = None, group: int | None = None, ad: int | None = None, **more: Any
) -> Json:
    """A row of the finest resource given, with the resource names that the API always adds, and 10.50 spent."""
    owner = f"customers/{customer}"
    made: Json = {"customer": {"resourceName": owner}}
    if campaign is not None:
        made["campaign"] = {"resourceName": f"{owner}/campaigns/{campaign}", "id": str(campaign)}
    if group is not None:
        made["adGroup"] = {"resourceName": f"{owner}/adGroups/{group}", "id": str(group)}
    if ad is not None:
        made["adGroupAd"] = {"resourceName": f"{owner}/adGroupAds/{group}~{ad}", "ad": {"id": str(ad)}}
    metrics = more.pop("metrics", {"costMicros": "10500000", "impressions": "100", "clicks": "5", "conversions": 1})
    segments = {"date": "2026-01-05"} | more.pop("segments", {})
    return made | {"segments": segments, "metrics": metrics} | more


def performance(*rows: Json, **more: Any) -> Answer:
    return run_engine("engine_google_ads_ad_performance", {"ad_performance": rows} | more, platform="google_ads")


def counted(rows: Answer) -> Decimal:
    return sum((row["spend"] for row in rows if row["is_counted"]), Decimal(0))


def read(tmp_path: Path, content: object, name: str = "ad_performance") -> Read:
    path = tmp_path / "export.json"
    path.write_text(json.dumps(content))
    return read_file("google_ads", name, path)


# ── what a row says ──


def test_int64_is_text_and_money_is_millionths() -> None:
    metrics = {"costMicros": "1061083620", "impressions": "9223372036", "clicks": "204", "conversions": 4.416667}
    (made,) = performance(row(campaign=7, metrics=metrics))
    assert made["spend"] == Decimal("1061.083620")
    assert (made["impressions"], made["clicks"], made["conversions"]) == (9223372036, 204, 4.416667)
    assert (made["report_date"], made["last_date"]) == (JANUARY_5, JANUARY_5)


def test_a_metric_that_a_row_does_not_say_is_unknown_and_no_zero() -> None:
    (made,) = performance(row(campaign=7, metrics={"clicks": "3"}))
    assert (made["spend"], made["impressions"], made["clicks"]) == (None, None, 3)
    assert made["conversions"] is None
    (made,) = performance(row(campaign=7, metrics={"conversions": 0}))
    assert made["conversions"] == 0


def test_a_row_of_the_account_or_a_campaign_is_kept_without_what_is_below_it() -> None:
    (account,) = performance(row())
    assert [account[name] for name in ("campaign_id", "ad_group_id", "ad_id")] == [None, None, None]
    (campaign,) = performance(row(campaign=7))
    assert [campaign[name] for name in ("campaign_id", "ad_group_id", "ad_id")] == ["7", None, None]
    assert account["is_counted"]
    assert campaign["is_counted"]


def test_ids_that_were_not_selected_are_in_the_resource_names() -> None:
    bare = {"adGroupAd": {"resourceName": "customers/1/adGroupAds/20~300", "adGroup": "customers/1/adGroups/20"}}
    made = performance(
        {"campaign": {"resourceName": "customers/1/campaigns/7"}, "segments": {"date": "2026-01-05"}} | bare,
        {"adGroup": {"resourceName": "customers/1/adGroups/21", "campaign": "customers/1/campaigns/8"}}
        | {"segments": {"date": "2026-01-05"}},
        {"keywordView": {"resourceName": "customers/1/keywordViews/22~9"}, "segments": {"date": "2026-01-05"}},
    )
    ids = {(each["campaign_id"], each["ad_group_id"], each["ad_id"]) for each in made}
    assert ids == {("7", "20", "300"), ("8", "21", None), (None, "22", None)}


def test_names_are_the_current_ones_and_an_entity_that_came_in_two_spellings_doubles_nothing() -> None:
    named = row(campaign=7, group=20, ad=300) | {"adGroup": {"id": "20", "name": "in the report"}}
    groups = [
        {"adGroup": {"resourceName": "customers/1/adGroups/20", "id": "20", "name": "now"}},
        {"adGroup": {"id": "20", "name": "now"}, "updated_at": "2026-01-01T00:00:00"},  # of a table without customers
    ]
    ads = [
        {"adGroupAd": {"resourceName": "customers/1/adGroupAds/20~300", "ad": {"id": "300", "name": "Ad"}}},
        {"adGroup": {"id": "20"}, "adGroupAd": {"ad": {"id": "300", "name": "Ad"}}},
    ]
    (made,) = performance(named, ad_groups=groups, ads=ads)
    assert (made["ad_group_name"], made["ad_name"]) == ("now", "Ad")
    (alone,) = performance(named)
    assert (alone["ad_group_name"], alone["ad_name"]) == ("in the report", None)


def test_the_campaign_of_an_ad_group_is_known_from_the_list_where_the_report_does_not_say_it() -> None:
    listed = {"campaign": {"id": "7"}, "adGroup": {"resourceName": "customers/1/adGroups/20", "id": "20"}}
    (made,) = performance(row(group=20, ad=300), ad_groups=[listed])
    assert made["campaign_id"] == "7"


def test_ids_are_only_unique_within_their_parent(tmp_path: Path) -> None:
    rows = [row(customer, 7, group, 300) for customer in (1, 2) for group in (20, 21)]
    assert len(read(tmp_path, {"results": rows}).keys) == 4
    ads = [
        {"adGroupAd": each["adGroupAd"] | {"ad": {"id": "300", "name": each["adGroupAd"]["resourceName"]}}}
        for each in rows
    ]
    assert len(read(tmp_path, {"results": ads}, "ads").keys) == 4
    made = performance(*rows, ads=ads)
    assert {each["ad_name"] for each in made} == {each["adGroupAd"]["resourceName"] for each in rows}
    assert len(made) == 4
    assert all(each["is_counted"] for each in made)


def test_currency_is_the_row_s_then_the_customer_s_then_the_account_s_then_the_tenant_s() -> None:
    customers = [{"customer": {"id": "2", "currencyCode": "jpy"}}]
    said = row(customer=2)
    said["customer"]["currencyCode"] = "CHF"
    records = {"ad_performance": [said, row(customer=2, campaign=8), row(customer=3)], "customers": customers}
    macro = "engine_google_ads_ad_performance"
    made = run_engine(macro, records, platform="google_ads", currency="USD")
    assert {(each["campaign_id"], each["currency"]) for each in made} == {(None, "CHF"), ("8", "JPY"), (None, "USD")}
    accounts = [Account(name="main", currency="EUR")]
    made = run_engine(macro, records, platform="google_ads", accounts=accounts)
    assert {each["currency"] for each in made} == {"CHF", "JPY", "EUR"}


# ── the same spend is counted once ──


def test_of_several_levels_of_one_day_the_finest_counts() -> None:
    levels = [row(), row(campaign=7), row(campaign=7, group=20), row(campaign=7, group=20, ad=300)]
    for depth in range(1, 5):
        made = performance(*levels[:depth])
        assert len(made) == depth
        assert counted(made) == Decimal("10.5")
        assert [each["ad_id"] for each in made if each["is_counted"]] == ["300" if depth == 4 else None]


def test_the_levels_of_another_day_or_customer_take_nothing_away() -> None:
    tomorrow = row(campaign=7, segments={"date": "2026-01-06"})
    made = performance(row(campaign=7, group=20, ad=300), tomorrow, row(customer=2, campaign=7), row(customer=3))
    assert counted(made) == Decimal(42)


def test_a_campaign_without_ads_counts_by_its_total_beside_the_ads_of_others() -> None:
    """Performance Max: developers.google.com/google-ads/api/performance-max/reporting."""
    made = performance(row(), row(campaign=7), row(campaign=7, group=20, ad=300), row(campaign=9))
    assert {each["campaign_id"]: each["ad_id"] for each in made if each["is_counted"]} == {"7": "300", "9": None}


def test_ads_of_an_unknown_campaign_keep_every_total_of_their_day_from_counting() -> None:
    made = performance(row(campaign=7), row(group=20, ad=300))
    assert [each["ad_id"] for each in made if each["is_counted"]] == ["300"]


def test_segments_are_summed_and_a_second_breakdown_of_the_same_ad_does_not_count() -> None:
    ad = {"campaign": 7, "group": 20, "ad": 300}
    by_device = [row(**ad, segments={"device": name, "adNetworkType": "SEARCH"}) for name in ("MOBILE", "DESKTOP")]
    assert counted(performance(*by_device)) == Decimal(21)
    by_hour = [row(**ad, segments={"hour": hour}) for hour in range(3)]
    assert counted(performance(*by_hour)) == Decimal("31.5")
    assert counted(performance(*by_device, *by_hour)) in (Decimal(21), Decimal("31.5"))
    assert counted(performance(*by_device, *by_hour, row(**ad))) == Decimal("10.5")


def test_how_one_thing_is_broken_down_takes_nothing_away_from_another() -> None:
    ads = [row(campaign=7, group=20, ad=ad, segments={"device": "MOBILE"}) for ad in (300, 301)]
    made = performance(*ads, row(campaign=7, group=20, ad=301), row(campaign=9), row(customer=2, campaign=7))
    assert {(each["campaign_id"], each["ad_id"]) for each in made if each["is_counted"]} == {
        ("7", "300"),
        ("7", "301"),
        ("9", None),
        ("7", None),
    }
    assert counted(made) == Decimal(42)
    assert counted(performance(row(customer=3, segments={"device": "MOBILE"}), row(customer=4))) == Decimal(21)


def test_rows_of_one_report_with_and_without_a_keyword_all_count() -> None:
    ad = {"campaign": 7, "group": 20, "ad": 300}
    keyword = {"keyword": {"adGroupCriterion": "customers/1/adGroupCriteria/20~5"}, "device": "MOBILE"}
    made = performance(row(**ad, segments=keyword), row(**ad, segments={"device": "MOBILE"}))
    assert counted(made) == Decimal(21)


def test_a_report_by_keyword_does_not_count_beside_its_ad_groups() -> None:
    keywords = [row(campaign=7, group=20, adGroupCriterion={"criterionId": str(number)}) for number in (1, 2)]
    assert counted(performance(*keywords)) == Decimal(21)
    assert counted(performance(*keywords, row(campaign=7, group=20))) == Decimal("10.5")
    assert counted(performance(*keywords, row(campaign=7, group=20, ad=300))) == Decimal("10.5")


# ── what lands ──


@pytest.mark.parametrize(
    "pages", [lambda one, two: [one, two], lambda one, two: {"results": [*one["results"], *two["results"]]}]
)
def test_the_pages_of_a_stream_are_unwrapped(tmp_path: Path, pages: Any) -> None:
    page = {"fieldMask": "campaign.id,segments.date", "requestId": "V_YzUHhkv35zqntp"}
    one, two = page | {"results": [row(campaign=7), row(campaign=8)]}, page | {"results": [row(campaign=9)]}
    found = read(tmp_path, pages(one, two))
    assert [record["campaign"]["id"] for record in found.good] == ["7", "8", "9"]
    assert found.wrong == []


def test_a_summary_row_is_no_row_of_a_day(tmp_path: Path) -> None:
    summary = {"summaryRow": {"metrics": {"costMicros": "21000000"}}, "fieldMask": "metrics.costMicros"}
    found = read(tmp_path, [{"results": [row(campaign=7)]}, summary])
    assert len(found.good) == 1
    assert found.wrong == ["segments.date is missing"]


def test_a_flattened_row_of_a_csv_with_a_byte_order_mark_is_the_same_row(tmp_path: Path) -> None:
    said = row(campaign=7, segments={"device": "MOBILE", "hour": 0})
    parts = [(f"{outer}.{inner}", value) for outer, object_ in said.items() for inner, value in object_.items()]
    path = tmp_path / "export.csv"
    lines = [",".join(f'"{cell}"' for cell in cells) for cells in zip(*parts, strict=True)]
    path.write_text("\ufeff" + "\r\n".join(lines) + "\r\n")
    found = read_file("google_ads", "ad_performance", path)
    assert found.wrong == []
    assert performance(found.good[0]) == performance(said)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"metrics": {"costMicros": "-"}}, "metrics.costMicros: '-' is not a whole number of millionths"),
        ({"metrics": {"costMicros": "10.5"}}, "metrics.costMicros: '10.5' is not a whole number of millionths"),
        ({"metrics": {"impressions": "1,204"}}, "metrics.impressions: '1,204' is not a whole number"),
        ({"metrics": {"impressions": "many"}}, "metrics.impressions: 'many' is not a whole number"),
        ({"metrics": {"clicks": "--"}}, "metrics.clicks: '--' is not a whole number"),
        ({"metrics": {"conversions": "12%"}}, "metrics.conversions: Input should be a valid number"),
        ({"metrics": "none"}, "metrics: Input should be an object"),
        ({"segments": {"date": "2026-02-30"}}, "segments.date: '2026-02-30' is "),
        ({"segments": {"date": None}}, "segments.date is missing"),
        ({"segments": {"date": ""}}, "segments.date is missing"),
        ({"segments": {"hour": "noon"}}, "segments.hour: 'noon' is not a whole number"),
    ],
)
def test_a_row_that_does_not_convert_is_quarantined_with_its_reason(tmp_path: Path, wrong: Json, reason: str) -> None:
    found = read(tmp_path, {"results": [row(campaign=7, **wrong), row(campaign=8)]})
    assert [record["campaign"]["id"] for record in found.good] == ["8"]
    assert len(found.wrong) == 1
    assert found.wrong[0].startswith(reason)


def test_an_entity_without_its_id_is_quarantined(tmp_path: Path) -> None:
    unnamed = {"campaign": {"resourceName": "customers/1/campaigns/7", "name": "Spring"}}
    assert read(tmp_path, {"results": [unnamed]}, "campaigns").wrong == ["campaign.id is missing"]
    assert read(tmp_path, {"results": [{"customer": {}}]}, "customers").wrong == ["customer.id is missing"]


def test_a_segment_that_the_contract_does_not_know_is_found(tmp_path: Path) -> None:
    cities = [row(campaign=7, segments={"geoTargetCity": f"geoTargetConstants/{number}"}) for number in (1, 2)]
    assert read(tmp_path, {"results": cities}).ambiguous == 2
    hours = [row(campaign=7, segments={"hour": number}) for number in (1, 2)]
    assert read(tmp_path, {"results": hours}).ambiguous == 0


# ── names in force ──


def test_a_campaign_has_every_name_it_had_with_its_time() -> None:
    versions = [
        {"campaign": {"id": "7", "name": "Spring", "status": "PAUSED"}, "in_force_to": "2026-02-01 00:00:00"},
        {"campaign": {"id": "7", "name": "Summer", "status": "ENABLED"}, "in_force_from": "2026-02-01 00:00:00"},
    ]
    made = run_engine("engine_google_ads_campaigns", platform="google_ads", history={"campaigns": versions})
    named = {each["campaign_name"]: each for each in made}
    assert {name: each["campaign_status"] for name, each in named.items()} == {"Spring": "PAUSED", "Summer": "ENABLED"}
    assert named["Spring"]["in_force_to"] == named["Summer"]["in_force_from"]
    assert named["Summer"]["in_force_to"] is None
    assert {each["campaign_id"] for each in made} == {"7"}


# ── real data: Fivetran's tables ──

TABLES = {  # table: the SQL of its campaign id
    "account_stats": "null",
    "campaign_stats": "id",
    "ad_group_stats": "campaign_id",
    "ad_stats": "campaign_id",
    "keyword_stats": "campaign_id",
}


@pytest.fixture(scope="session")
def fivetran(real_data: Path) -> Path:
    return real_data / "google_ads" / "fivetran"


@pytest.mark.parametrize("table", TABLES)
def test_sums_by_day_and_campaign_equal_those_of_the_raw_table(fivetran: Path, table: str) -> None:
    path = fivetran / f"{table}_data.csv"
    raw = duckdb.execute(
        f"""
        select
            date::date, {TABLES[table]}, sum(cost_micros::bigint) / 1::decimal(38, 0), sum(impressions::bigint),
            sum(clicks::bigint), {"null" if table == "ad_stats" else "sum(conversions::double)"}, count(*)
        from read_csv(?, all_varchar = true)
        group by all
        """,
        [str(path)],
    ).fetchall()
    wanted = {(day, campaign): (Decimal(micros) / 10**6, *rest) for day, campaign, micros, *rest in raw}
    made = run_engine(
        "engine_google_ads_ad_performance", platform="google_ads", files={"ad_performance": [path]}, currency="XXX"
    )
    found: dict[tuple[Any, Any], list[Any]] = {}
    for each in made:
        sums = found.setdefault((each["report_date"], each["campaign_id"]), [Decimal(0), 0, 0, None, 0])
        sums[0] += each["spend"]
        sums[1] += each["impressions"]
        sums[2] += each["clicks"]
        if each["conversions"] is not None:
            sums[3] = (sums[3] or 0) + each["conversions"]
        sums[4] += 1
    assert {key: tuple(sums) for key, sums in found.items()} == wanted
    assert all(each["is_counted"] for each in made)


@pytest.mark.parametrize("table", TABLES)
def test_no_two_rows_of_the_raw_table_share_a_key(fivetran: Path, table: str) -> None:
    path = fivetran / f"{table}_data.csv"
    ((rows,),) = duckdb.execute("select count(*) from read_csv(?, all_varchar = true)", [str(path)]).fetchall()
    found = read_file("google_ads", "ad_performance", path)
    assert (len(found.good), len(found.keys), found.wrong, found.ambiguous) == (rows, rows, [], 0)


def test_the_ad_group_of_an_ad_is_read_out_of_its_resource_name(fivetran: Path) -> None:
    made = run_engine(
        "engine_google_ads_ad_performance",
        platform="google_ads",
        files={"ad_performance": [fivetran / "ad_stats_data.csv"], "ads": [fivetran / "ad_history_data.csv"]},
    )
    assert {(each["ad_group_id"], each["ad_id"]) for each in made} == {("100031227574", "514818869462")}
    assert len(made) == 10


def test_the_currency_of_a_customer_comes_from_the_account_s_table(fivetran: Path) -> None:
    made = run_engine(
        "engine_google_ads_ad_performance",
        platform="google_ads",
        files={
            "ad_performance": [fivetran / "account_stats_data.csv"],
            "customers": [fivetran / "account_history_data.csv"],
        },
        currency="JPY",
    )
    assert {each["currency"] for each in made} == {"USD"}
    assert len(made) == 19


@pytest.mark.parametrize(
    ("table", "name", "keys"),
    [
        ("account_history", "customers", {("2121450128",)}),
        ("campaign_history", "campaigns", {("2121450128", None, "9935249409")}),
        ("ad_group_history", "ad_groups", {(None, None, "23289504013")}),
        ("ad_history", "ads", {(None, "100031227574", None, "514818869462")}),
    ],
)
def test_every_version_of_a_history_table_lands_with_its_time(
    fivetran: Path, table: str, name: str, keys: set[tuple[str | None, ...]]
) -> None:
    path = fivetran / f"{table}_data.csv"
    raw = duckdb.execute("select updated_at from read_csv(?, all_varchar = true)", [str(path)]).fetchall()
    found = read_file("google_ads", name, path)
    assert found.wrong == []
    assert [record["updated_at"] for record in found.good] == [updated_at for (updated_at,) in raw]
    assert found.keys == keys
