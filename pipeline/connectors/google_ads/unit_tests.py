"""Google Ads' rows and the expected results of its engines."""

from __future__ import annotations

from pipeline.config.engine_cases import Case, Cases, Row, main_currency

OURS, THEIRS = "customers/8765432109", "customers/1112223334"
US: Row = {"id": "8765432109", "resourceName": OURS, "descriptiveName": "Nexus", "timeZone": "Europe/Berlin"}
THEM: Row = {"id": "1112223334"}
CAMPAIGN: Row = {"resourceName": f"{OURS}/campaigns/111", "id": "111", "name": "Spring", "status": "ENABLED"}
AD_GROUP: Row = {
    "resourceName": f"{OURS}/adGroups/222",
    "campaign": f"{OURS}/campaigns/111",
    "id": "222",
    "name": "Then",
    "status": "PAUSED",
    "type": "SEARCH_STANDARD",
}
AD: Row = {"resourceName": f"{OURS}/ads/333", "id": "333", "name": "Ad then", "type": "RESPONSIVE_SEARCH_AD"}
AD_GROUP_AD: Row = {
    "resourceName": f"{OURS}/adGroupAds/222~333",
    "adGroup": f"{OURS}/adGroups/222",
    "status": "ENABLED",
    "ad": AD,
}
OUR_CAMPAIGN: Row = {"customer": US, "campaign": CAMPAIGN}
OUR_AD_GROUP: Row = OUR_CAMPAIGN | {"adGroup": AD_GROUP}
OUR_AD: Row = OUR_AD_GROUP | {"adGroupAd": AD_GROUP_AD}
THEIR_AD: Row = {
    "customer": THEM,
    "campaign": {"id": "111"},
    "adGroup": {"id": "222"},
    "adGroupAd": {"ad": {"id": "333"}},
}
MOBILE: Row = {"segments": {"device": "MOBILE"}}
BREAKDOWNS: tuple[Row, ...] = (
    {"segments": {"hour": 0}},
    MOBILE,
    {"segments": {"adNetworkType": "SEARCH"}},
    {"segments": {"slot": "SEARCH_TOP"}},
    {"segments": {"clickType": "URL_CLICKS"}},
    {"segments": {"conversionAction": f"{OURS}/conversionActions/7"}},
    {"segments": {"conversionActionCategory": "PURCHASE"}},
    {"segments": {"conversionActionName": "Bought"}},
    {"adGroupCriterion": {"criterionId": "34"}},
    {"adGroupCriterion": {"resourceName": f"{OURS}/adGroupCriteria/222~34"}},
    {"keywordView": {"resourceName": f"{OURS}/keywordViews/222~34"}},
)
METRICS: Row = {
    "costMicros": "12345678",
    "impressions": "361",
    "clicks": "17",
    "interactions": "18",
    "conversions": 1.5,
    "conversionsValue": 99.5,
    "allConversions": 2.5,
    "viewThroughConversions": "3",
}

EXPECTED: Row = {
    "source_platform": "google_ads",
    "source_account": "main",
    "report_date": None,
    "last_date": None,
    "campaign_id": None,
    "campaign_name": None,
    "ad_group_id": None,
    "ad_group_name": None,
    "ad_id": None,
    "ad_name": None,
    "spend": None,
    "currency": "EUR",
    "impressions": None,
    "clicks": None,
    "conversions": None,
    "conversion_value": None,
    "conversion_types": None,
    "is_counted": True,
}
SPENT: Row = {"spend": 12.345678, "impressions": 361, "clicks": 17, "conversions": 1.5, "conversion_value": 99.5}
NOT_COUNTED: Row = {"is_counted": False}
OF_CAMPAIGN: Row = {"campaign_id": "111", "campaign_name": "Spring"}
OF_AD_GROUP: Row = OF_CAMPAIGN | {"ad_group_id": "222", "ad_group_name": "Now"}
OF_AD: Row = OF_AD_GROUP | {"ad_id": "333", "ad_name": "Ad now"}
OF_EU: Row = {"source_account": "eu", "ad_group_name": "EU group", "ad_name": "EU ad", "currency": "CHF"}
OF_THEIRS: Row = {"campaign_id": "777", "ad_group_id": "222", "ad_group_name": "Their group", "currency": "GBP"}
OF_THEIR_AD: Row = OF_THEIRS | {"ad_id": "333", "ad_name": "Their ad"}

Example = tuple[Row, Row]
"""An example: a row as sent, and the differences of its result from EXPECTED."""
DAYS: tuple[tuple[Example, ...], ...] = (
    # Ads count before totals, campaign by campaign; other customers and accounts change nothing.
    (
        (OUR_AD | MOBILE | {"metrics": METRICS}, OF_AD | SPENT),
        (
            {"customer": US, "metrics": {"costMicros": "1", "conversions": 0}},
            NOT_COUNTED | {"spend": 0.000001, "conversions": 0.0, "conversion_value": 0},
        ),
        (OUR_CAMPAIGN | {"metrics": METRICS}, OF_CAMPAIGN | SPENT | NOT_COUNTED),
        (OUR_AD_GROUP, OF_AD_GROUP | NOT_COUNTED),
        (OUR_CAMPAIGN | {"adGroup": {"id": "223"}}, OF_CAMPAIGN | {"ad_group_id": "223"}),
        ({"customer": US, "campaign": CAMPAIGN | {"id": "999"}}, OF_CAMPAIGN | {"campaign_id": "999"}),
        ({"customer": THEM, "campaign": {"id": "111"}}, {"campaign_id": "111", "currency": "GBP"}),
        ({"customer": US, "_account": "eu"}, {"source_account": "eu", "currency": "CHF"}),
    ),
    ((OUR_AD_GROUP | {"campaign": {"id": "113"}}, OF_AD_GROUP | {"campaign_id": "113", "campaign_name": None}),),
    ((OUR_AD_GROUP, OF_AD_GROUP), (OUR_CAMPAIGN, OF_CAMPAIGN | NOT_COUNTED)),
    ((OUR_CAMPAIGN, OF_CAMPAIGN), ({"customer": US}, NOT_COUNTED)),
    # Plain rows count before breakdowns.
    *(
        ((OUR_AD, OF_AD), (OUR_AD | breakdown | {"metrics": METRICS}, OF_AD | SPENT | NOT_COUNTED))
        for breakdown in BREAKDOWNS
    ),
    # A row that is broken down counts where the same thing has no plain one.
    (
        (OUR_AD, OF_AD),
        (OUR_AD | MOBILE | {"_account": "eu"}, OF_AD | OF_EU),
        (THEIR_AD | MOBILE, OF_THEIR_AD | {"campaign_id": "111"}),
        (OUR_AD_GROUP | {"adGroupAd": {"ad": {"id": "334"}}} | MOBILE, OF_AD | {"ad_id": "334", "ad_name": None}),
        (
            OUR_AD | {"adGroup": {"id": "223", "name": "Then"}} | MOBILE,
            OF_AD | {"ad_group_id": "223", "ad_group_name": "Then", "ad_name": "Ad then"},
        ),
    ),
    # A name is the ad's in this ad group, whether or not the list of ad groups knows it.
    (
        (
            OUR_AD | {"adGroup": {"id": "224"}},
            OF_AD | {"ad_group_id": "224", "ad_group_name": "Other", "ad_name": "Ad then"},
        ),
        (
            OUR_CAMPAIGN | {"adGroup": {"id": "225"}, "adGroupAd": {"ad": {"id": "335"}}},
            OF_CAMPAIGN | {"ad_group_id": "225", "ad_id": "335", "ad_name": "Ad 335"},
        ),
    ),
    ((OUR_CAMPAIGN, OF_CAMPAIGN), ({"customer": US, "campaign": {"id": "999"}} | MOBILE, {"campaign_id": "999"})),
    # Ids of a row are in fields or in resource names; missing values are in the lists.
    (({"customer": {"resourceName": THEIRS}}, {"currency": "GBP"}),),
    (({"campaign": {"resourceName": f"{THEIRS}/campaigns/111"}}, {"campaign_id": "111", "currency": "GBP"}),),
    (({"adGroup": {"resourceName": f"{THEIRS}/adGroups/222", "name": "Then"}}, OF_THEIRS),),
    (({"adGroupAd": {"resourceName": f"{THEIRS}/adGroupAds/222~333", "ad": {"name": "Then"}}}, OF_THEIR_AD),),
    (({"adGroupCriterion": {"resourceName": f"{THEIRS}/adGroupCriteria/222~34"}}, OF_THEIRS),),
    (({"keywordView": {"resourceName": f"{THEIRS}/keywordViews/222~34"}}, OF_THEIRS),),
    (({"customer": THEM, "adGroup": {"id": "222"}}, OF_THEIRS),),
    (({"customer": THEM, "adGroupAd": {"adGroup": f"{THEIRS}/adGroups/222", "ad": {"id": "333"}}}, OF_THEIR_AD),),
    (
        (
            {"adGroup": {"resourceName": f"{THEIRS}/adGroups/5", "campaign": f"{THEIRS}/campaigns/6", "name": "Five"}},
            {"campaign_id": "6", "ad_group_id": "5", "ad_group_name": "Five", "currency": "GBP"},
        ),
    ),
    (
        (
            {"adGroup": {"id": "222"}, "adGroupAd": {"ad": {"id": "333"}}},
            {
                "campaign_id": "110",
                "ad_group_id": "222",
                "ad_group_name": "Known",
                "ad_id": "333",
                "ad_name": "Ad known",
            }
            | {"currency": main_currency},
        ),
    ),
    (({"customer": US | {"currencyCode": "usd"}}, {"currency": "USD"}),),
    # Names belong to the ids of their customer, in whichever field a list has the customer.
    *(
        (
            ({"customer": US, "adGroup": {"id": group}}, {"ad_group_id": group}),
            (
                {"customer": THEM, "adGroup": {"id": group}},
                {"campaign_id": "666", "ad_group_id": group, "ad_group_name": f"Group {group}", "currency": "GBP"},
            ),
        )
        for group in ("801", "802", "803")
    ),
    *(
        (
            (
                {"customer": US, "adGroup": {"id": "222"}, "adGroupAd": {"ad": {"id": ad}}},
                OF_AD_GROUP | {"campaign_name": None, "ad_id": ad},
            ),
            (
                {"customer": THEM, "adGroup": {"id": "222"}, "adGroupAd": {"ad": {"id": ad}}},
                OF_THEIRS | {"ad_id": ad, "ad_name": f"Ad {ad}"},
            ),
        )
        for ad in ("811", "812", "813", "814")
    ),
)


def _group(id_: str, name: str) -> Row:
    return {"id": id_, "name": name, "status": "ENABLED", "type": "SEARCH_STANDARD"}


def _ad(id_: str, name: str) -> Row:
    return {"resourceName": f"{OURS}/ads/{id_}", "id": id_, "name": name, "type": "RESPONSIVE_SEARCH_AD"}


AD_GROUPS: tuple[Row, ...] = (
    {"campaign": {"id": "109"}, "adGroup": _group("222", "Known")},
    {"customer": US, "campaign": CAMPAIGN, "adGroup": AD_GROUP | {"name": "Now"}},
    {"campaign": {"id": "110"}, "adGroup": _group("222", "Half known")},
    {"customer": US, "campaign": CAMPAIGN, "adGroup": _group("224", "Other")},
    {"customer": US, "campaign": {"id": "112"}, "adGroup": _group("222", "Was"), "_exported_at": "2026-02-01 00:00:00"},
    {"customer": US, "campaign": CAMPAIGN, "adGroup": AD_GROUP | {"name": "EU group"}, "_account": "eu"},
    {"customer": THEM, "campaign": {"id": "777", "name": "Theirs"}, "adGroup": _group("222", "Their group")},
    {"customer": {"resourceName": THEIRS}, "campaign": {"id": "666"}, "adGroup": _group("801", "Group 801")},
    {"campaign": {"resourceName": f"{THEIRS}/campaigns/666", "name": "Max"}, "adGroup": _group("802", "Group 802")},
    {
        "adGroup": _group("803", "Group 803")
        | {"resourceName": f"{THEIRS}/adGroups/803", "campaign": f"{THEIRS}/campaigns/666"}
    },
)
ADS: tuple[Row, ...] = (
    {"adGroup": {"id": "222"}, "adGroupAd": {"ad": _ad("333", "Ad known")}},
    OUR_AD | {"adGroupAd": AD_GROUP_AD | {"ad": AD | {"name": "Ad now"}}},
    {"adGroup": {"id": "222"}, "adGroupAd": {"ad": _ad("333", "Ad half known")}},
    OUR_AD | {"adGroupAd": AD_GROUP_AD | {"ad": _ad("333", "Ad was")}, "_exported_at": "2026-02-01 00:00:00"},
    OUR_AD | {"adGroupAd": AD_GROUP_AD | {"ad": _ad("333", "EU ad")}, "_account": "eu"},
    {"customer": US, "adGroup": {"id": "225"}, "adGroupAd": {"ad": _ad("335", "Ad 335")}},
    {"customer": THEM, "adGroup": {"id": "222"}, "adGroupAd": {"ad": _ad("333", "Their ad")}},
    {"customer": {"resourceName": THEIRS}, "adGroup": {"id": "222"}, "adGroupAd": {"ad": _ad("811", "Ad 811")}},
    {
        "campaign": {"resourceName": f"{THEIRS}/campaigns/777"},
        "adGroupAd": {"adGroup": f"{THEIRS}/adGroups/222", "ad": _ad("812", "Ad 812")},
    },
    {"adGroup": {"resourceName": f"{THEIRS}/adGroups/222"}, "adGroupAd": {"ad": _ad("813", "Ad 813")}},
    {"adGroupAd": {"resourceName": f"{THEIRS}/adGroupAds/222~814", "ad": _ad("814", "Ad 814")}},
)
CUSTOMERS: tuple[Row, ...] = (
    {"customer": US | {"currencyCode": "eur"}},
    {"customer": US | {"currencyCode": "CHF"}, "_account": "eu"},
    {"customer": THEM | {"currencyCode": "GBP"}},
)


def _report(_pattern: str | None) -> Case:
    records, expected = [], []
    for number, day in enumerate(DAYS):
        date = f"2026-{1 + number // 28:02}-{1 + number % 28:02}"
        for sent, changes in day:
            records.append(sent | {"segments": {"date": date} | sent.get("segments", {})})
            expected.append(EXPECTED | changes | {"report_date": date, "last_date": date})
    return Case(
        "micros become major units, ids come out of resource names, and a campaign's total counts where no ads came",
        {"ad_performance": records, "ad_groups": AD_GROUPS, "ads": ADS, "customers": CUSTOMERS},
        expected,
    )


def _campaigns(_pattern: str | None) -> Case:
    now = CAMPAIGN | {"name": "Summer", "status": "PAUSED", "servingStatus": "ENDED", "startDate": "2026-01-01"}
    row = {"source_platform": "google_ads", "source_account": "main", "campaign_id": "111"}
    return Case(
        "every version of a campaign, with the name it had",
        {
            "campaigns": [
                {"customer": US, "campaign": CAMPAIGN, "in_force_to": "2026-02-01 00:00:00"},
                {"customer": US, "campaign": now, "in_force_from": "2026-02-01 00:00:00"},
            ]
        },
        [
            row
            | {"campaign_name": "Spring", "campaign_status": "ENABLED"}
            | {"in_force_from": None, "in_force_to": "2026-02-01 00:00:00"},
            row
            | {"campaign_name": "Summer", "campaign_status": "PAUSED"}
            | {"in_force_from": "2026-02-01 00:00:00", "in_force_to": None},
        ],
    )


CASES: Cases = {
    "engine_google_ads_ad_performance": _report,
    "engine_google_ads_campaigns": _campaigns,
}
