"""Amazon's records and what its engines make of them."""

from __future__ import annotations

from warehouse.cases import Case, Cases


def _report(_pattern: str | None) -> Case:
    campaign = {"date": "2022-07-12", "campaignId": 2187, "campaignName": "Gold", "campaignBudgetCurrencyCode": "eur"}
    ad = {"date": "2022-07-12", "adId": 77, "advertisedAsin": "B0DEF456"}
    row = {"source_platform": "amazon_ads", "campaign_id": "2187", "clicks": 0, "currency": "EUR"}
    return Case(
        "ids are numbers, the shortest window from 7 days counts, and of a day the report by ad",
        {
            "sponsored_products_campaign_report": [
                campaign | {"cost": 1.67, "impressions": 1095, "clicks": 2, "purchases14d": 3, "purchases30d": 4},
                campaign | {"date": "2022-07-13", "spend": 2.5, "purchases7d": 0, "purchases30d": 4},
            ],
            "sponsored_products_advertised_product_report": [
                ad | {"cost": 172.54, "campaignBudgetCurrencyCode": "EUR"}
            ],
            "sponsored_products_product_ads": [{"adId": "77", "adGroupId": "421", "campaignId": "2187"}],
            "sponsored_products_ad_groups": [{"adGroupId": "421", "campaignId": "2187", "name": "Red 7"}],
        },
        [
            row
            | {"report_date": "2022-07-12", "ad_id": "77", "ad_name": "B0DEF456", "ad_group_id": "421"}
            | {"ad_group_name": "Red 7", "spend": 172.54, "impressions": 0, "conversions": None, "is_counted": True},
            row
            | {"report_date": "2022-07-12", "ad_id": None, "ad_name": None, "ad_group_id": None, "ad_group_name": None}
            | {"spend": 1.67, "impressions": 1095, "clicks": 2, "conversions": 3.0, "is_counted": False},
            row
            | {"report_date": "2022-07-13", "ad_id": None, "ad_name": None, "ad_group_id": None, "ad_group_name": None}
            | {"spend": 2.5, "impressions": 0, "conversions": 0.0, "is_counted": True},
        ],
    )


def _campaigns(_pattern: str | None) -> Case:
    extended: dict[str, object] = {"extendedData": {"creationDateTime": "2022-07-11T22:38:16.327Z"}}
    old: dict[str, object] = {
        "campaignId": "2187",
        "name": "Red Leader",
        "state": "paused",
        "in_force_to": "2022-08-01 00:00:00",
    }
    new: dict[str, object] = {
        "campaignId": "2187",
        "name": "Gold Leader",
        "state": "ENABLED",
        "in_force_from": "2022-08-01 00:00:00",
    }
    row = {"source_platform": "amazon_ads", "campaign_id": "2187"}
    return Case(
        "every version of a campaign, its state in upper case, the first since it was created",
        {"sponsored_products_campaigns": [old | extended, new | extended]},
        [
            row
            | {"campaign_name": "Red Leader", "campaign_status": "PAUSED"}
            | {"in_force_from": "2022-07-11 22:38:16.327", "in_force_to": "2022-08-01 00:00:00"},
            row
            | {"campaign_name": "Gold Leader", "campaign_status": "ENABLED"}
            | {"in_force_from": "2022-08-01 00:00:00", "in_force_to": None},
        ],
    )


CASES: Cases = {
    "engine_amazon_ads_ad_performance": _report,
    "engine_amazon_ads_campaigns": _campaigns,
}
