"""LinkedIn's records and what its engines make of them."""

from __future__ import annotations

from warehouse.cases import Case, Cases

Json = dict[str, object]


def _day(year: int, month: int, day: int) -> Json:
    return {"dateRange": {name: {"month": month, "day": day, "year": year} for name in ("start", "end")}}


def _report(_pattern: str | None) -> Case:
    campaign: Json = {"pivotValues": ["urn:li:sponsoredCampaign:148633856"], "costInLocalCurrency": "19.91833"}
    creative: Json = {"pivotValues": ["urn:li:sponsoredCreative:82332766"], "costInUsd": "5.5", "clicks": 2}
    account: Json = {"pivotValues": ["urn:li:sponsoredAccount:507515057"], "costInLocalCurrency": "25.4"}
    row = {"source_platform": "linkedin_ads", "campaign_id": None, "ad_id": None, "impressions": 0, "clicks": 0}
    return Case(
        "URNs are ids, costs are text, and of a day the report by campaign counts, else the one by creative",
        {
            "ad_analytics_by_campaign": [
                campaign | _day(2020, 3, 28) | {"impressions": 125, "clicks": 51, "externalWebsiteConversions": 2}
            ],
            "ad_analytics": [
                creative | _day(2020, 3, 28) | {"impressions": 125},
                creative | _day(2020, 3, 29),
                account | _day(2020, 3, 29),
            ],
            "campaigns": [{"id": "148633856", "dailyBudget": {"amount": "50", "currencyCode": "EUR"}}],
        },
        [
            row
            | {"report_date": "2020-03-28", "campaign_id": "148633856", "spend": 19.91833, "currency": "EUR"}
            | {"impressions": 125, "clicks": 51, "conversions": 2.0, "is_counted": True},
            row
            | {"report_date": "2020-03-28", "ad_id": "82332766", "spend": 5.5, "currency": "USD"}
            | {"impressions": 125, "clicks": 2, "conversions": None, "is_counted": False},
            row
            | {"report_date": "2020-03-29", "ad_id": "82332766", "spend": 5.5, "currency": "USD"}
            | {"clicks": 2, "conversions": None, "is_counted": True},
            row
            | {"report_date": "2020-03-29", "spend": 25.4, "currency": "EUR"}
            | {"conversions": None, "is_counted": False},
        ],
    )


def _campaigns(_pattern: str | None) -> Case:
    stamps = {"changeAuditStamps": {"created": {"time": 1530119777000}, "lastModified": {"time": 1530119777000}}}
    old = {"id": 546759565, "name": "Spring", "status": "PAUSED", "in_force_to": "2019-02-01 00:00:00"}
    new = {"id": 546759565, "name": "Summer", "status": "ACTIVE", "in_force_from": "2019-02-01 00:00:00"}
    row = {"source_platform": "linkedin_ads", "campaign_id": "546759565"}
    return Case(
        "every version of a campaign, the first since it was created",
        {"campaigns": [old | stamps, new | stamps]},
        [
            row
            | {"campaign_name": "Spring", "campaign_status": "PAUSED"}
            | {"in_force_from": "2018-06-27 17:16:17", "in_force_to": "2019-02-01 00:00:00"},
            row
            | {"campaign_name": "Summer", "campaign_status": "ACTIVE"}
            | {"in_force_from": "2019-02-01 00:00:00", "in_force_to": None},
        ],
    )


CASES: Cases = {
    "engine_linkedin_ads_ad_performance": _report,
    "engine_linkedin_ads_campaigns": _campaigns,
}
