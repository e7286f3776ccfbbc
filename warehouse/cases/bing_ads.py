"""Microsoft Advertising's records and what its engines make of them."""

from __future__ import annotations

from warehouse.cases import Case, Cases


def _report(_pattern: str | None) -> Case:
    day = {"TimePeriod": "2026-01-05", "AccountId": "150", "CurrencyCode": "USD"}
    sums = {"Impressions": "361", "Clicks": "17", "Spend": "12.34", "Ctr": "4.71%"}
    row = {"source_platform": "bing_ads", "report_date": "2026-01-05", "currency": "USD"}
    total = {"spend": 12.34, "impressions": 361, "clicks": 17}
    nothing = {"ad_group_id": None, "ad_group_name": None, "ad_id": None}
    return Case(
        "of four reports the finest counts, campaign by campaign, and parents come from the lists of entities",
        {
            "account_performance_report": [day | sums],
            "campaign_performance_report": [
                day | sums | {"CampaignId": "111", "CampaignName": "Spring", "Conversions": "2"},
                day | sums | {"CampaignId": "999", "CampaignName": "Performance Max", "ConversionsQualified": "2.50"},
            ],
            "ad_performance_report": [day | sums | {"AdId": "333", "Conversions": "2"}],
            "ad_groups": [{"Id": "222", "CampaignId": "111", "Name": "Now", "Status": "Active"}],
            "ads": [{"Id": "333", "AdGroupId": "222", "Type": "ResponsiveSearch"}],
        },
        [
            row
            | total
            | nothing
            | {"campaign_id": None, "campaign_name": None, "conversions": None, "is_counted": False},
            row
            | total
            | nothing
            | {"campaign_id": "111", "campaign_name": "Spring", "conversions": 2.0, "is_counted": False},
            row
            | total
            | nothing
            | {"campaign_id": "999", "campaign_name": "Performance Max", "conversions": 2.5, "is_counted": True},
            row
            | total
            | {"ad_group_id": "222", "ad_group_name": "Now", "ad_id": "333"}
            | {"campaign_id": "111", "campaign_name": None, "conversions": 2.0, "is_counted": True},
        ],
    )


def _campaigns(_pattern: str | None) -> Case:
    then = {"Id": "111", "Name": "Spring", "Status": "Paused", "in_force_to": "2026-02-01 00:00:00"}
    now = {"Id": "111", "Name": "Summer", "Status": "Active", "in_force_from": "2026-02-01 00:00:00"}
    row = {"source_platform": "bing_ads", "campaign_id": "111"}
    return Case(
        "every version of a campaign, with the name it had",
        {"campaigns": [then, now]},
        [
            row
            | {"campaign_name": "Spring", "campaign_status": "Paused"}
            | {"in_force_from": None, "in_force_to": "2026-02-01 00:00:00"},
            row
            | {"campaign_name": "Summer", "campaign_status": "Active"}
            | {"in_force_from": "2026-02-01 00:00:00", "in_force_to": None},
        ],
    )


CASES: Cases = {
    "engine_bing_ads_ad_performance": _report,
    "engine_bing_ads_campaigns": _campaigns,
}
