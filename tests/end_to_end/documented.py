"""Answers of APIs in the form that the vendors document, for objects whose real files are a loader's tables or none.

The form is the vendor's: what nests in what, which numbers are text, what wraps the records. TikTok's report,
Amplitude's user and Mixpanel's person are the documented examples themselves; elsewhere the values are made up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Documented:
    """An answer of one record, as JSON or as the text of a CSV, and the page that documents its form.

    `says` is what the record says at some of the contract's paths.
    """

    source: str
    answer: Any  # Any: JSON, or text
    says: Json


def _tiktok(listed: Json) -> Json:
    return {"code": 0, "message": "OK", "request_id": "2020", "data": {"page_info": {"page": 1}, "list": [listed]}}


def _stream(row: Json) -> list[Json]:
    return [{"results": [row], "fieldMask": "campaign.id,segments.date", "requestId": "x9y8"}]


GOOGLE = "developers.google.com/google-ads/api/rest/design/json-mappings"
BING = "learn.microsoft.com/en-us/advertising/campaign-management-service"
BING_REPORT = "learn.microsoft.com/en-us/advertising/guides/reports"
LINKEDIN = "learn.microsoft.com/en-us/linkedin/marketing/integrations/ads"
LINKEDIN_REPORT = "learn.microsoft.com/en-us/linkedin/marketing/integrations/ads-reporting/ads-reporting"
AMAZON = "advertising.amazon.com/API/docs/en-us/sponsored-products/3-0/openapi/prod"
AMAZON_REPORT = "advertising.amazon.com/API/docs/en-us/guides/reporting/v3/report-types"
TIKTOK = "business-api.tiktok.com/portal/docs?id=1740302848100353"
TIKTOK_LIST = "business-api.tiktok.com/portal/docs"

CUSTOMER: Json = {
    "resourceName": "customers/1234567890",
    "id": "1234567890",
    "descriptiveName": "Nexus",
    "currencyCode": "USD",
    "timeZone": "America/New_York",
}
CAMPAIGN: Json = {"resourceName": "customers/1234567890/campaigns/111", "id": "111", "name": "Spring"}
AD_GROUP: Json = {"resourceName": "customers/1234567890/adGroups/222", "id": "222", "name": "Blue"}
AD: Json = {
    "resourceName": "customers/1234567890/adGroupAds/222~333",
    "status": "ENABLED",
    "ad": {"resourceName": "customers/1234567890/ads/333", "id": "333", "finalUrls": ["https://example.com"]},
}
COUNTED: Json = {"clicks": "17", "conversions": 1.5, "costMicros": "19990000", "impressions": "1204"}

REPORT_HEAD = (
    '\ufeff"Report Name: Mine"\n"Report Time: 2/7/2020"\n"Time Zone: (GMT-08:00) Pacific Time (US & Canada); Tijuana"\n'
    '"Last Completed Available Day: 2/8/2020 6:00:00 AM (GMT)"\n"Report Aggregation: Daily"\n"Rows: 1"\n\n'
)
REPORT_FOOT = '\n"©2020 Microsoft Corporation. All rights reserved. "\n'


def _download(**cells: str) -> str:
    """A report as it is downloaded: lines about it, a table of quoted cells, a footer."""
    known = {"TimePeriod": "2020-02-06", "AccountId": "7", "CurrencyCode": "USD"}
    counted = {"Impressions": "1204", "Clicks": "17", "Ctr": "1.41%", "Spend": "19.99", "Conversions": "1"}
    row = known | cells | counted
    table = [",".join(f'"{cell}"' for cell in line) for line in (row.keys(), row.values())]
    return REPORT_HEAD + "\n".join(table) + "\n" + REPORT_FOOT


DAY: Json = {"year": 2024, "month": 6, "day": 1}
ANALYTICS: Json = {
    "dateRange": {"start": DAY, "end": DAY},
    "impressions": 165,
    "clicks": 11,
    "costInLocalCurrency": "19.9183300000000000012",
    "externalWebsiteConversions": 2,
}

DOCUMENTED: dict[tuple[str, str], Documented] = {
    ("google_ads", "customers"): Documented(GOOGLE, _stream({"customer": CUSTOMER}), {"customer.id": "1234567890"}),
    ("google_ads", "campaigns"): Documented(
        GOOGLE,
        _stream({"customer": CUSTOMER, "campaign": CAMPAIGN | {"status": "PAUSED"}}),
        {"campaign.name": "Spring"},
    ),
    ("google_ads", "ad_groups"): Documented(
        GOOGLE, _stream({"campaign": CAMPAIGN, "adGroup": AD_GROUP}), {"adGroup.id": "222", "campaign.id": "111"}
    ),
    ("google_ads", "ads"): Documented(
        GOOGLE, _stream({"adGroup": AD_GROUP, "adGroupAd": AD}), {"adGroupAd.ad.id": "333", "adGroup.id": "222"}
    ),
    ("google_ads", "ad_performance"): Documented(
        GOOGLE,
        _stream({"campaign": CAMPAIGN, "adGroupAd": AD, "segments": {"date": "2024-01-01"}, "metrics": COUNTED}),
        {"metrics.costMicros": "19990000", "metrics.conversions": 1.5, "segments.date": "2024-01-01"},
    ),
    ("bing_ads", "campaigns"): Documented(
        f"{BING}/getcampaignsbyaccountid",
        {"Campaigns": [{"Id": "11", "Name": "Spring", "Status": "Active", "CampaignType": "Search"}]},
        {"Id": "11", "Name": "Spring"},
    ),
    ("bing_ads", "ad_groups"): Documented(
        f"{BING}/getadgroupsbycampaignid",
        {"AdGroups": [{"Id": "22", "Name": "Blue", "Status": "Paused", "Network": "OwnedAndOperatedOnly"}]},
        {"Id": "22", "Status": "Paused"},
    ),
    ("bing_ads", "ads"): Documented(
        f"{BING}/getadsbyadgroupid",
        {
            "Ads": [
                {"Id": "33", "Type": "ExpandedText", "TitlePart1": "Blue", "TitlePart2": "Green", "Status": "Active"}
            ]
        },
        {"Id": "33", "TitlePart1": "Blue"},
    ),
    ("bing_ads", "account_performance_report"): Documented(
        BING_REPORT, _download(AccountName="Nexus"), {"Spend": "19.99", "Ctr": "1.41%", "TimePeriod": "2020-02-06"}
    ),
    ("bing_ads", "campaign_performance_report"): Documented(
        BING_REPORT, _download(CampaignId="11", CampaignName="Spring"), {"CampaignId": "11", "Spend": "19.99"}
    ),
    ("bing_ads", "ad_group_performance_report"): Documented(
        BING_REPORT, _download(CampaignId="11", AdGroupId="22"), {"AdGroupId": "22", "Clicks": "17"}
    ),
    ("bing_ads", "ad_performance_report"): Documented(
        BING_REPORT, _download(CampaignId="11", AdGroupId="22", AdId="33"), {"AdId": "33", "Impressions": "1204"}
    ),
    ("linkedin_ads", "campaigns"): Documented(
        f"{LINKEDIN}/account-structure/create-and-manage-campaigns",
        {
            "elements": [
                {
                    "id": 145282384,
                    "account": "urn:li:sponsoredAccount:503491473",
                    "campaignGroup": "urn:li:sponsoredCampaignGroup:601291034",
                    "name": "Spring",
                    "status": "ACTIVE",
                    "costType": "CPM",
                    "dailyBudget": {"amount": "18", "currencyCode": "USD"},
                    "runSchedule": {"start": 1498178296000},
                    "changeAuditStamps": {
                        "created": {"time": 1498178296000},
                        "lastModified": {"time": 1498178304000},
                    },
                    "version": {"versionTag": "1"},
                }
            ],
            "metadata": {},
        },
        {"id": "145282384", "dailyBudget.amount": "18", "changeAuditStamps.lastModified.time": 1498178304000},
    ),
    ("linkedin_ads", "ad_analytics"): Documented(
        LINKEDIN_REPORT,
        {"elements": [ANALYTICS | {"pivotValues": ["urn:li:sponsoredCreative:42"]}], "paging": {"start": 0}},
        {"pivotValues": ["urn:li:sponsoredCreative:42"], "costInLocalCurrency": "19.9183300000000000012"},
    ),
    ("linkedin_ads", "ad_analytics_by_campaign"): Documented(
        LINKEDIN_REPORT,
        {"elements": [ANALYTICS | {"pivotValues": ["urn:li:sponsoredCampaign:145282384"]}], "paging": {"start": 0}},
        {"pivotValues": ["urn:li:sponsoredCampaign:145282384"], "dateRange.start.year": 2024},
    ),
    ("amazon_ads", "sponsored_products_ad_groups"): Documented(
        AMAZON,
        {"adGroups": [{"adGroupId": "9", "campaignId": "5", "name": "Blue", "state": "ENABLED", "defaultBid": 1.25}]},
        {"adGroupId": "9", "defaultBid": 1.25},
    ),
    ("amazon_ads", "sponsored_products_product_ads"): Documented(
        AMAZON,
        {"productAds": [{"adId": "3", "adGroupId": "9", "campaignId": "5", "asin": "B00X", "state": "ENABLED"}]},
        {"adId": "3", "asin": "B00X"},
    ),
    ("amazon_ads", "sponsored_products_campaign_report"): Documented(
        AMAZON_REPORT,
        [{"date": "2022-07-12", "campaignId": 158410630682987, "cost": 19.99, "clicks": 17, "purchases7d": 1}],
        {"campaignId": "158410630682987", "cost": 19.99, "purchases7d": 1},
    ),
    ("amazon_ads", "sponsored_products_advertised_product_report"): Documented(
        AMAZON_REPORT,
        [{"date": "2022-07-12", "campaignId": 158410630682987, "adId": 7, "advertisedAsin": "B00X", "cost": 19.99}],
        {"adId": "7", "advertisedAsin": "B00X"},
    ),
    ("amazon_ads", "sponsored_brands_campaign_report"): Documented(
        f"{AMAZON_REPORT}/campaign",
        [{"date": "2022-07-12", "campaignId": 38789817437281, "cost": 5.5, "purchases": 2, "purchasesClicks": 1}],
        {"campaignId": "38789817437281", "cost": 5.5, "purchasesClicks": 1},
    ),
    ("amazon_ads", "sponsored_display_campaign_report"): Documented(
        f"{AMAZON_REPORT}/campaign",
        [{"date": "2022-07-12", "campaignId": 127519806194475, "cost": 3.25, "impressions": 900, "purchases": 1}],
        {"campaignId": "127519806194475", "cost": 3.25, "purchases": 1},
    ),
    ("tiktok_ads", "campaigns"): Documented(
        f"{TIKTOK_LIST} (campaign/get)",
        _tiktok({"campaign_id": "1", "campaign_name": "Spring", "operation_status": "ENABLE", "budget": 50.0}),
        {"campaign_id": "1", "budget": 50.0},
    ),
    ("tiktok_ads", "ad_groups"): Documented(
        f"{TIKTOK_LIST} (adgroup/get)",
        _tiktok({"adgroup_id": "2", "campaign_id": "1", "adgroup_name": "Blue", "create_time": "2022-05-01 10:00:00"}),
        {"adgroup_id": "2", "adgroup_name": "Blue"},
    ),
    ("tiktok_ads", "ads"): Documented(
        f"{TIKTOK_LIST} (ad/get)",
        _tiktok({"ad_id": "3", "adgroup_id": "2", "campaign_id": "1", "ad_name": "Blue one"}),
        {"ad_id": "3", "ad_name": "Blue one"},
    ),
    ("tiktok_ads", "ads_reports_daily"): Documented(
        TIKTOK,
        _tiktok(
            {
                "metrics": {"clicks": "116.0", "spend": "76.73", "impressions": "10505.0", "ctr": "1.1"},
                "dimensions": {"stat_time_day": "2020-10-17 00:00:00", "ad_id": 1678604629756978},
            }
        ),
        {"metrics.impressions": "10505.0", "dimensions.ad_id": 1678604629756978},
    ),
    ("tiktok_ads", "ads_reports_hourly"): Documented(
        TIKTOK,
        _tiktok(
            {
                "metrics": {"clicks": "116", "spend": "76.73", "impressions": "10505", "conversion": "2"},
                "dimensions": {"stat_time_hour": "2020-10-17 09:00:00", "ad_id": "1678604629756978"},
            }
        ),
        {"metrics.spend": "76.73", "dimensions.stat_time_hour": "2020-10-17 09:00:00"},
    ),
    ("amplitude", "events"): Documented(
        "amplitude.com/docs/apis/analytics/export",
        {
            "$insert_id": "ea31ba7b-f543-4b9b-9aec-90fbaa96a355",
            "$schema": None,
            "amplitude_id": 45975551903,
            "event_time": "2025-07-17 10:36:28.583000",
            "server_upload_time": "2025-07-17 10:36:31.001000",
            "event_type": "Play",
            "uuid": "d0b5b3a6-2e3b-11eb-9a80-0a62134d514d",
            "session_id": -1,
            "user_id": None,
            "event_properties": {"$revenue": 9.5, "title": "x"},
            "user_properties": {"initial_utm_source": "EMPTY"},
            "data": {"group_first_event": {}},
        },
        {"uuid": "d0b5b3a6-2e3b-11eb-9a80-0a62134d514d", "event_properties.$revenue": 9.5},
    ),
    ("amplitude", "users"): Documented(
        "amplitude.com/docs/apis/analytics/dashboard-rest#user-activity",
        {
            "userData": {
                "user_id": "myusername",
                "canonical_amplitude_id": 12345,
                "merged_amplitude_ids": [11111, 22222],
                "num_events": 142,
                "first_used": "2015-03-14",
                "last_used": "2015-04-22",
                "revenue": 9.98,
                "country": "United States",
            },
            "events": [],
        },
        {"canonical_amplitude_id": 12345, "merged_amplitude_ids": [11111, 22222]},
    ),
    ("mixpanel", "events"): Documented(
        "developer.mixpanel.com/reference/raw-event-export",
        {
            "event": "Signed up",
            "properties": {
                "time": 1602611311,
                "$insert_id": "hpuDqcvpltpCjBsebtxwadtEBDnFAdycabFb",
                "distinct_id": "9e308c27-42ab",
                "mp_processing_time_ms": 1602625711874,
                "Plan": "Pro",
            },
        },
        {"event": "Signed up", "properties.time": 1602611311},
    ),
    ("mixpanel", "people"): Documented(
        "docs.mixpanel.com/reference/engage-query",
        {
            "page": 0,
            "page_size": 1000,
            "results": [
                {
                    "$distinct_id": 4,
                    "$properties": {"$email": "example@mixpanel.com", "$last_seen": "2008-06-09T23:08:40"},
                }
            ],
            "status": "ok",
        },
        {"$distinct_id": "4", "$properties.$email": "example@mixpanel.com"},
    ),
}
"""By connector and object."""
