"""TikTok's records and what its engines make of them."""

from __future__ import annotations

from warehouse.cases import Case, Cases


def _report(_pattern: str | None) -> Case:
    spent = {"spend": "76.73", "impressions": "10505", "clicks": "12", "conversion": "3", "currency": "EUR"}
    half = {"spend": "38.36", "impressions": "5252", "clicks": "6", "currency": "EUR"}
    row = {"source_platform": "tiktok_ads", "campaign_id": "c1", "ad_group_id": "g1", "ad_group_name": "Group"}
    return Case(
        "text is numbers, lists say what an ad belongs to, and an ad's day counts instead of its hours or the campaign's day",
        {
            "ads_reports_daily": [
                {"dimensions": {"ad_id": "a1", "stat_time_day": "2020-10-16 00:00:00"}, "metrics": spent},
                {"dimensions": {"ad_id": "a1", "stat_time_day": "2020-10-17 00:00:00"}, "metrics": spent},
                {"dimensions": {"campaign_id": "c1", "stat_time_day": "2020-10-17 00:00:00"}, "metrics": spent},
            ],
            "ads_reports_hourly": [
                {"dimensions": {"ad_id": "a1", "stat_time_hour": "2020-10-17 05:00:00"}, "metrics": half},
            ],
            "ads": [{"ad_id": "a1", "adgroup_id": "g1", "ad_name": "Ad"}],
            "ad_groups": [{"adgroup_id": "g1", "campaign_id": "c1", "adgroup_name": "Group"}],
        },
        [
            row
            | {"report_date": "2020-10-16", "ad_id": "a1", "ad_name": "Ad", "spend": 76.73, "currency": "EUR"}
            | {"impressions": 10505, "clicks": 12, "conversions": 3.0, "is_counted": True},
            row
            | {"report_date": "2020-10-17", "ad_id": "a1", "ad_name": "Ad", "spend": 76.73, "currency": "EUR"}
            | {"impressions": 10505, "clicks": 12, "conversions": 3.0, "is_counted": True},
            {"source_platform": "tiktok_ads", "campaign_id": "c1", "ad_group_id": None, "ad_group_name": None}
            | {"report_date": "2020-10-17", "ad_id": None, "ad_name": None, "spend": 76.73, "currency": "EUR"}
            | {"impressions": 10505, "clicks": 12, "conversions": 3.0, "is_counted": False},
            row
            | {"report_date": "2020-10-17", "ad_id": "a1", "ad_name": "Ad", "spend": 38.36, "currency": "EUR"}
            | {"impressions": 5252, "clicks": 6, "conversions": None, "is_counted": False},
        ],
    )


def _campaigns(_pattern: str | None) -> Case:
    old = {"campaign_id": "1", "campaign_name": "Spring", "operation_status": "DISABLE"}
    new = {"campaign_id": "1", "campaign_name": "Summer", "operation_status": "ENABLE"}
    row = {"source_platform": "tiktok_ads", "campaign_id": "1"}
    return Case(
        "every version of a campaign, the first since it was created, by a clock that is UTC",
        {
            "campaigns": [
                old | {"create_time": "2021-08-16 20:40:15", "in_force_to": "2021-09-15 00:52:08"},
                new | {"create_time": "2021-08-16 20:40:15", "in_force_from": "2021-09-15 00:52:08"},
            ]
        },
        [
            row
            | {"campaign_name": "Spring", "campaign_status": "DISABLE"}
            | {"in_force_from": "2021-08-16 20:40:15", "in_force_to": "2021-09-15 00:52:08"},
            row
            | {"campaign_name": "Summer", "campaign_status": "ENABLE"}
            | {"in_force_from": "2021-09-15 00:52:08", "in_force_to": None},
        ],
    )


CASES: Cases = {
    "engine_tiktok_ads_ad_performance": _report,
    "engine_tiktok_ads_campaigns": _campaigns,
}
