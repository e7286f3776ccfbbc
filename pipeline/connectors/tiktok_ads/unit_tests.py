"""TikTok's records and the expected results of its engines."""

from __future__ import annotations

from pipeline.config.engine_cases import Case, Cases, Row, main_currency

NAMES: Row = {"campaign_name": "Spring", "adgroup_name": "Group then", "ad_name": "Ad then", "currency": "eur"}
SUMS: Row = {"spend": "76.73", "impressions": "10505", "clicks": "12", "conversion": "3"}
BREAKDOWNS: tuple[Row, ...] = (
    {"country_code": "DE"},
    {"province_id": "2950157"},
    {"gender": "FEMALE"},
    {"age": "AGE_25_34"},
    {"language": "de"},
    {"platform": "ANDROID"},
    {"placement": "TikTok"},
    {"ac": "WIFI"},
    {"interest_category": "26"},
)

EXPECTED: Row = {
    "source_platform": "tiktok_ads",
    "source_account": "main",
    "report_date": None,
    "last_date": None,
    "campaign_id": None,
    "campaign_name": "Spring",
    "ad_group_id": None,
    "ad_group_name": "Group then",
    "ad_id": None,
    "ad_name": "Ad then",
    "spend": None,
    "currency": "EUR",
    "impressions": None,
    "clicks": None,
    "conversions": None,
    "conversion_value": None,
    "conversion_types": None,
    "is_counted": True,
}
SPENT: Row = {"spend": 76.73, "impressions": 10505, "clicks": 12, "conversions": 3.0}
NOT_COUNTED: Row = {"is_counted": False}
GMV_MAX: Row = {"cost": "30.00", "net_cost": "28.00", "orders": "4", "gross_revenue": "150.00"}
SOLD: Row = {"spend": 30, "conversions": 4.0, "conversion_value": 150}
AD_GROUP: Row = {"campaign_id": "c1", "ad_group_id": "g1", "ad_group_name": "Group now"}
AD: Row = AD_GROUP | {"ad_id": "a1", "ad_name": "Ad now"}

DAILY, HOURLY = "ads_reports_daily", "ads_reports_hourly"
Example = tuple[str, Row, Row, Row]
"""An example: a report, a row's dimensions, its metrics beside NAMES, the differences of its result from EXPECTED."""
DAYS: tuple[tuple[Example, ...], ...] = (
    # Of a campaign's day the finest report counts, and a day before its hours.
    (
        (DAILY, {"ad_id": "a1"}, SUMS, AD | SPENT),
        (HOURLY, {"ad_id": "a1"}, {"spend": "38.36", "clicks": "6"}, AD | NOT_COUNTED | {"spend": 38.36, "clicks": 6}),
        (DAILY, {"adgroup_id": "g1"}, {}, AD_GROUP | NOT_COUNTED),
    ),
    (
        (DAILY, {"adgroup_id": "g1"}, {}, AD_GROUP),
        (DAILY, {"campaign_id": "c1"}, {}, {"campaign_id": "c1"} | NOT_COUNTED),
    ),
    (
        (DAILY, {"campaign_id": "c1"}, {}, {"campaign_id": "c1"}),
        (DAILY, {"advertiser_id": "6974"}, {}, NOT_COUNTED),
    ),
    ((HOURLY, {"ad_id": "a1"}, SUMS, AD | SPENT), (HOURLY, {"adgroup_id": "g1"}, {}, AD_GROUP | NOT_COUNTED)),
    # A basic report counts before one by audience; another account changes nothing.
    *(
        (
            (DAILY, {"ad_id": "a1"}, {}, AD),
            (DAILY, {"ad_id": "a1"} | audience, SUMS, AD | SPENT | NOT_COUNTED),
        )
        for audience in BREAKDOWNS
    ),
    tuple((DAILY, {"ad_id": "a1", "gender": gender}, {}, AD) for gender in ("FEMALE", "MALE", "NONE")),
    (
        (DAILY, {"ad_id": "a1"}, {}, AD),
        (
            DAILY,
            {"ad_id": "a1", "gender": "FEMALE", "_account": "eu"},
            {},
            AD | {"source_account": "eu", "ad_group_name": "EU group", "ad_name": "EU ad"},
        ),
    ),
    # A campaign that has a coarser report alone keeps it; where ads do not name their campaign, they alone count.
    (
        (DAILY, {"ad_id": "a1"}, SUMS, AD | SPENT),
        (DAILY, {"campaign_id": "c5"}, {}, {"campaign_id": "c5"}),
        (DAILY, {"campaign_id": "c1"}, {}, {"campaign_id": "c1"} | NOT_COUNTED),
        (DAILY, {"advertiser_id": "6974"}, {}, NOT_COUNTED),
    ),
    (
        (DAILY, {"ad_id": "a4"}, {}, {"ad_id": "a4"}),
        (DAILY, {"campaign_id": "c5"}, {}, {"campaign_id": "c5"} | NOT_COUNTED),
    ),
    # A GMV Max report has cost and orders, and counts beside every basic report that lacks its campaign.
    (
        (DAILY, {"ad_id": "a4"}, SUMS, {"ad_id": "a4"} | SPENT),
        (DAILY, {"campaign_id": "c7"}, GMV_MAX, {"campaign_id": "c7"} | SOLD),
        (DAILY, {"campaign_id": "c7", "gender": "MALE"}, GMV_MAX, {"campaign_id": "c7"} | SOLD | NOT_COUNTED),
    ),
    (
        (DAILY, {"campaign_id": "c7"}, SUMS, {"campaign_id": "c7"} | SPENT),
        (DAILY, {"campaign_id": "c7", "ac": "WIFI"}, GMV_MAX, {"campaign_id": "c7"} | SOLD | NOT_COUNTED),
        (DAILY, {"campaign_id": "c8"}, GMV_MAX | {"spend": ""}, {"campaign_id": "c8"} | SOLD),
    ),
    ((DAILY, {"advertiser_id": "6974"}, GMV_MAX, SOLD), (DAILY, {"advertiser_id": "6974", "ac": "4G"}, SUMS, SPENT)),
    ((DAILY, {"ad_id": "a1"}, {"spend": "2.5", "cost": "9", "orders": "1"}, AD | {"spend": 2.5, "conversions": 1.0}),),
    (
        (DAILY, {"ad_id": "a1"}, {"spend": "2.5", "cost": "9"}, AD | {"spend": 2.5}),
        (DAILY, {"campaign_id": "c1"}, SUMS | {"orders": "5"}, {"campaign_id": "c1"} | SPENT | NOT_COUNTED),
    ),
    (
        (DAILY, {"ad_id": "a4"}, SUMS, {"ad_id": "a4"} | SPENT),
        (DAILY, {"campaign_id": "c7"}, {"cost": "30.00"}, {"campaign_id": "c7", "spend": 30}),
        (DAILY, {"campaign_id": "c7", "_account": "eu"}, SUMS, {"campaign_id": "c7", "source_account": "eu"} | SPENT),
    ),
    (
        (
            DAILY,
            {"ad_id": "a1"},
            {"spend": "2.5", "conversion": "2", "total_purchase_value": "80.50", "gross_revenue": "9"},
            AD | {"spend": 2.5, "conversions": 2.0, "conversion_value": 80.5},
        ),
    ),
    (
        (
            DAILY,
            {"ad_id": "a1"},
            {"spend": "2.5", "conversion": "0"},
            AD | {"spend": 2.5, "conversions": 0.0, "conversion_value": 0},
        ),
    ),
    # A parent in the row is right, in its dimensions before its metrics; others are in the lists.
    (
        (
            DAILY,
            {"ad_id": "a1"},
            {"adgroup_id": "g2", "campaign_id": "c2"},
            AD | {"campaign_id": "c2", "ad_group_id": "g2", "ad_group_name": "Group two"},
        ),
        (DAILY, {"ad_id": "a2"}, {}, AD | {"ad_id": "a2", "ad_name": "Ad two"}),
        (DAILY, {"ad_id": "a3"}, {}, {"campaign_id": "c3", "ad_group_id": "g3", "ad_id": "a3", "ad_name": "Ad three"}),
        (DAILY, {"ad_id": "a4"}, {}, {"ad_id": "a4"}),
    ),
    ((DAILY, {"adgroup_id": "g1"}, {"adgroup_id": "g2"}, AD_GROUP),),
    (
        (
            DAILY,
            {"campaign_id": "c1"},
            {"campaign_id": "c2", "currency": None},
            {"campaign_id": "c1", "currency": main_currency},
        ),
    ),
)


def _report(_pattern: str | None) -> Case:
    sent: dict[str, list[Row]] = {DAILY: [], HOURLY: []}
    expected = []
    for number, day in enumerate(DAYS, 1):
        date = f"2020-10-{number:02}"
        times = {DAILY: {"stat_time_day": f"{date} 00:00:00"}, HOURLY: {"stat_time_hour": f"{date} 23:00:00"}}
        for report, dimensions, metrics, changes in day:
            account = {"_account": dimensions.get("_account", "main")}
            sent[report].append(account | {"dimensions": dimensions | times[report], "metrics": NAMES | metrics})
            expected.append(EXPECTED | changes | {"report_date": date, "last_date": date})
    known: Row = {"advertiser_id": "6974", "operation_status": "ENABLE", "secondary_status": "AD_STATUS_DELIVERY_OK"}
    eu: Row = known | {"_account": "eu"}
    ad_groups = [
        known | {"adgroup_id": "g1", "campaign_id": "c1", "adgroup_name": "Group now"},
        known | {"adgroup_id": "g2", "campaign_id": "c1", "adgroup_name": "Group two"},
        eu | {"adgroup_id": "g1", "campaign_id": "c1", "adgroup_name": "EU group"},
    ]
    ads = [
        known | {"ad_id": "a1", "adgroup_id": "g1", "campaign_id": "c1", "ad_name": "Ad now"},
        known | {"ad_id": "a2", "adgroup_id": "g1", "ad_name": "Ad two"},
        known | {"ad_id": "a3", "adgroup_id": "g3", "campaign_id": "c3", "ad_name": "Ad three"},
        eu | {"ad_id": "a1", "adgroup_id": "g1", "campaign_id": "c1", "ad_name": "EU ad"},
    ]
    return Case(
        "numbers come as text, lists name an ad's parents, and an ad's day beats its hours and its campaign's day",
        sent | {"ads": ads, "ad_groups": ad_groups},
        expected,
    )


def _campaigns(_pattern: str | None) -> Case:
    spring: Row = {
        "advertiser_id": "6974",
        "campaign_id": "1",
        "campaign_name": "Spring",
        "objective_type": "TRAFFIC",
        "secondary_status": "CAMPAIGN_STATUS_DISABLE",
        "create_time": "2021-08-16 20:40:15",
        "modify_time": "2021-09-15 00:52:08",
    }
    version: Row = {
        "source_platform": "tiktok_ads",
        "source_account": "main",
        "campaign_id": "1",
        "campaign_name": "Spring",
        "campaign_status": "CAMPAIGN_STATUS_DISABLE",
        "in_force_from": "2021-08-16 20:40:15",
        "in_force_to": "2021-09-15 00:52:08",
    }
    changed = "2021-09-15 00:52:08"
    return Case(
        "every version of a campaign, the first since it was created, by a clock that is UTC",
        {
            "campaigns": [
                spring | {"in_force_to": changed},
                spring | {"campaign_name": "Summer", "operation_status": "ENABLE", "in_force_from": changed},
            ]
        },
        [
            version,
            version
            | {"campaign_name": "Summer", "campaign_status": "ENABLE"}
            | {"in_force_from": changed, "in_force_to": None},
        ],
    )


CASES: Cases = {
    "engine_tiktok_ads_ad_performance": _report,
    "engine_tiktok_ads_campaigns": _campaigns,
}
