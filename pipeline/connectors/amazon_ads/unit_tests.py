"""Amazon's records and the expected results of its engines."""

from __future__ import annotations

from pipeline.config.engine_cases import Case, Cases, Row, main_currency

CAMPAIGN: Row = {
    "campaignId": 2187,
    "campaignName": "Gold",
    "campaignStatus": "ENABLED",
    "campaignBudgetType": "DAILY",
    "campaignBudgetCurrencyCode": "eur",
}
AD_GROUP: Row = CAMPAIGN | {"adGroupId": 421, "adGroupName": "Red then"}
AD: Row = AD_GROUP | {"adId": 77, "advertisedAsin": "B0DEF456", "advertisedSku": "SKU-1"}
SUMS: Row = {
    "cost": 172.54,
    "impressions": 1095,
    "clicks": 12,
    "purchases1d": 1,
    "purchases7d": 2,
    "purchases14d": 3,
    "purchases30d": 4,
    "sales7d": 99.5,
}
SALES: Row = {"sales1d": 1.0, "sales7d": 7.0, "sales14d": 14.0, "sales30d": 30.0, "sales": 2.0, "salesClicks": 3.0}

EXPECTED: Row = {
    "source_platform": "amazon_ads",
    "source_account": "main",
    "report_date": None,
    "last_date": None,
    "campaign_id": "2187",
    "campaign_name": "Gold",
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
SPENT: Row = {"spend": 172.54, "impressions": 1095, "clicks": 12, "conversions": 2.0, "conversion_value": 99.5}
ZERO: Row = {"impressions": 0, "clicks": 0}
"""Metrics that a loader leaves empty at zero, of a row that has another one."""
NOT_COUNTED: Row = {"is_counted": False}
OF_AD_GROUP: Row = {"ad_group_id": "421", "ad_group_name": "Red now"}
OF_AD: Row = OF_AD_GROUP | {"ad_id": "77", "ad_name": "B0DEF456"}

CAMPAIGNS, ADS = "sponsored_products_campaign_report", "sponsored_products_advertised_product_report"
BRANDS, DISPLAY = "sponsored_brands_campaign_report", "sponsored_display_campaign_report"
BRAND: Row = CAMPAIGN | {"campaignId": 3187, "campaignName": "Brand", "costType": "CPC"}
OF_BRAND: Row = {"campaign_id": "3187", "campaign_name": "Brand"}
FEWER: Row = {"cost": 5.5, "impressions": 500, "clicks": 10}
SPENT_FEWER: Row = {"spend": 5.5, "impressions": 500, "clicks": 10}
Example = tuple[str, Row, Row]
"""An example: a report, a row of it as sent, and the differences of its result from EXPECTED."""
DAYS: tuple[tuple[Example, ...], ...] = (
    # Of an account's day the finest report counts; another account changes nothing.
    (
        (ADS, AD | SUMS, OF_AD | SPENT),
        (CAMPAIGNS, AD_GROUP, OF_AD_GROUP | NOT_COUNTED),
        (CAMPAIGNS, CAMPAIGN | {"_account": "uk"}, {"source_account": "uk"}),
    ),
    ((CAMPAIGNS, AD_GROUP | SUMS, OF_AD_GROUP | SPENT), (CAMPAIGNS, CAMPAIGN, NOT_COUNTED)),
    (
        (CAMPAIGNS, AD_GROUP | {"adGroupName": None}, OF_AD_GROUP),
        (CAMPAIGNS, CAMPAIGN, NOT_COUNTED),
    ),
    ((CAMPAIGNS, CAMPAIGN | SUMS, SPENT), (CAMPAIGNS, CAMPAIGN | {"placementClassification": "Top"}, NOT_COUNTED)),
    ((CAMPAIGNS, CAMPAIGN | {"placementClassification": "Top"}, {}),),
    # The shortest window from 7 days counts; cost has two names.
    (
        (
            CAMPAIGNS,
            CAMPAIGN | SALES | {"purchases14d": 3, "purchases30d": 4, "spend": 2.5},
            {"conversions": 3.0, "conversion_value": 14, "spend": 2.5} | ZERO,
        ),
    ),
    ((CAMPAIGNS, CAMPAIGN | SALES | {"purchases7d": 2}, {"conversions": 2.0, "conversion_value": 7}),),
    ((CAMPAIGNS, CAMPAIGN | SALES | {"purchases30d": 4}, {"conversions": 4.0, "conversion_value": 30}),),
    ((CAMPAIGNS, CAMPAIGN | {"purchases1d": 1, "purchases30d": 4}, {"conversions": 4.0}),),
    # Without purchases there is no value, where the account says values elsewhere.
    ((CAMPAIGNS, CAMPAIGN | {"purchases7d": 0, "purchases14d": 3}, {"conversions": 0.0, "conversion_value": 0}),),
    ((CAMPAIGNS, CAMPAIGN | {"purchases7d": 0, "_account": "uk"}, {"conversions": 0.0, "source_account": "uk"}),),
    ((CAMPAIGNS, CAMPAIGN | {"campaignBudgetCurrencyCode": None}, {"currency": main_currency}),),
    # Brands and Display stand beside Products, and their purchases have no window in their names.
    (
        (ADS, AD | SUMS, OF_AD | SPENT),
        (
            BRANDS,
            BRAND | FEWER | {"purchases": 3, "purchasesClicks": 1, "sales": 30.0, "salesClicks": 10.0},
            OF_BRAND | SPENT_FEWER | {"conversions": 1.0, "conversion_value": 10},
        ),
        (
            DISPLAY,
            BRAND | FEWER | {"purchases": 3, "sales": 30.0},
            OF_BRAND | SPENT_FEWER | {"conversions": 3.0, "conversion_value": 30},
        ),
        (DISPLAY, BRAND | FEWER | {"matchedTargetAsin": "B0"}, OF_BRAND | SPENT_FEWER | NOT_COUNTED),
        (
            CAMPAIGNS,
            BRAND | FEWER | {"purchases": 0},
            OF_BRAND | SPENT_FEWER | {"conversions": 0.0, "conversion_value": 0},
        ),
    ),
    ((DISPLAY, BRAND | FEWER | {"matchedTargetAsin": "B0"}, OF_BRAND | SPENT_FEWER),),
    # A campaign that has a coarser report alone keeps it.
    (
        (ADS, AD | SUMS, OF_AD | SPENT),
        (CAMPAIGNS, BRAND | FEWER, OF_BRAND | SPENT_FEWER),
        (CAMPAIGNS, BRAND | {"placementClassification": "Top"}, OF_BRAND | NOT_COUNTED),
    ),
    # An ad is named for its product; missing values of a row are in the lists, and a parent in the row is right.
    *(
        (
            (
                ADS,
                AD | {"adId": ad, "advertisedAsin": asin, "advertisedSku": sku},
                OF_AD | {"ad_id": str(ad), "ad_name": name},
            ),
        )
        for ad, asin, sku, name in (
            (77, "B0DEF456", None, "B0DEF456"),
            (77, None, "SKU-1", "B0OLD"),
            (78, None, "SKU-1", "SKU-1"),
            (78, None, None, "SKU-OLD"),
        )
    ),
    (
        (
            ADS,
            {"adId": 77},
            OF_AD | {"campaign_id": "2188", "campaign_name": None, "ad_name": "B0OLD", "currency": main_currency},
        ),
        (
            ADS,
            {"adId": 80},
            {"campaign_id": "2190", "campaign_name": None, "ad_group_id": "424", "ad_id": "80", "ad_name": "SKU-80"}
            | {"currency": main_currency},
        ),
        (
            ADS,
            {"adId": 79, "adGroupId": 422},
            {"campaign_id": "2189", "campaign_name": None, "ad_group_id": "422", "ad_group_name": "Blue", "ad_id": "79"}
            | {"currency": main_currency},
        ),
        (
            ADS,
            AD | {"adGroupId": 422, "adGroupName": "Blue then"},
            OF_AD | {"ad_group_id": "422", "ad_group_name": "Blue"},
        ),
        (ADS, AD | {"adGroupId": 423}, OF_AD | {"ad_group_id": "423", "ad_group_name": "Red then"}),
        (ADS, AD | {"_account": "uk"}, OF_AD | {"source_account": "uk", "ad_group_name": "UK"}),
    ),
)

ASKED: Row = {"_exported_at": "2022-09-01"}
LATER: Row = {"_exported_at": "2022-09-02"}
UK: Row = {"_account": "uk"}
NO_METRIC: Row = {"spend": 0} | ZERO
EXPORTS: tuple[tuple[Example, ...], ...] = (
    # A metric that is absent is 0 beside any other, if the same report of the same export has it.
    (
        (CAMPAIGNS, CAMPAIGN | ASKED | {"cost": 5}, NO_METRIC | {"spend": 5}),
        (CAMPAIGNS, CAMPAIGN | ASKED | {"impressions": 70}, NO_METRIC | {"impressions": 70}),
        (CAMPAIGNS, CAMPAIGN | ASKED | {"clicks": 2}, NO_METRIC | {"clicks": 2}),
        (CAMPAIGNS, CAMPAIGN | LATER | {"cost": 5}, {"spend": 5}),
        (CAMPAIGNS, CAMPAIGN | ASKED | UK | {"cost": 5}, {"spend": 5, "source_account": "uk"}),
    ),
    ((ADS, AD | ASKED | {"cost": 5}, OF_AD | {"spend": 5}),),
    # A campaign is known by its id alone, and its reports need not agree.
    (
        (ADS, AD | SUMS, OF_AD | SPENT),
        (CAMPAIGNS, CAMPAIGN | FEWER, SPENT_FEWER | NOT_COUNTED),
        (CAMPAIGNS, CAMPAIGN | {"campaignId": 2186}, {"campaign_id": "2186"}),
    ),
    # An ad of no known campaign may be of any of its product.
    (
        (ADS, {"adId": 81}, {"campaign_id": None, "campaign_name": None, "ad_id": "81", "currency": main_currency}),
        (CAMPAIGNS, CAMPAIGN, NOT_COUNTED),
        (BRANDS, BRAND, OF_BRAND),
    ),
)


def _report(_pattern: str | None) -> Case:
    extended = {"extendedData": {"creationDateTime": "2022-07-11T22:38:16.327Z", "servingStatus": "LIVE"}}
    records: dict[str, list[Row]] = {
        CAMPAIGNS: [],
        ADS: [],
        BRANDS: [],
        DISPLAY: [],
        "sponsored_products_product_ads": [
            {"adId": "77", "adGroupId": "421", "campaignId": "2188", "asin": "B0OLD", "sku": "SKU-OLD"} | extended,
            {"adId": "78", "adGroupId": "421", "campaignId": "2188", "sku": "SKU-OLD", "state": "PAUSED"},
            {"adId": "80", "adGroupId": "424", "campaignId": "2190", "sku": "SKU-80", "state": "PAUSED"},
            {"adId": "77", "adGroupId": "421", "campaignId": "2188", "asin": "B0UK", "_account": "uk"},
        ],
        "sponsored_products_ad_groups": [
            {"adGroupId": "421", "campaignId": "2188", "name": "Red now", "state": "ENABLED"},
            {"adGroupId": "422", "campaignId": "2189", "name": "Blue", "state": "ENABLED"},
            {"adGroupId": "421", "campaignId": "2188", "name": "UK", "state": "ENABLED", "_account": "uk"},
        ],
    }
    expected = []
    for number, day in enumerate(DAYS + EXPORTS, 1):
        date = f"2022-07-{number:02}"
        for report, sent, changes in day:
            records[report].append(sent | {"date": date})
            expected.append(EXPECTED | changes | {"report_date": date, "last_date": date})
    return Case(
        "ids are numbers, the shortest window from 7 days counts, and of a day the report by ad", records, expected
    )


def _campaigns(_pattern: str | None) -> Case:
    created, changed = "2022-07-11T22:38:16.327+02:00", "2022-08-01 00:00:00"
    red: Row = {
        "campaignId": "2187",
        "portfolioId": "9",
        "name": "Red Leader",
        "state": "paused",
        "targetingType": "MANUAL",
        "startDate": "2022-07-12",
        "extendedData": {"creationDateTime": created, "lastUpdateDateTime": "2022-08-01T00:00:00Z"},
    }
    version: Row = {
        "source_platform": "amazon_ads",
        "source_account": "main",
        "campaign_id": "2187",
        "campaign_name": "Red Leader",
        "campaign_status": "PAUSED",
        "in_force_from": "2022-07-11 20:38:16.327",
        "in_force_to": changed,
    }
    return Case(
        "every version of a campaign, its state in upper case, the first since it was created",
        {
            "sponsored_products_campaigns": [
                red | {"in_force_to": changed},
                red | {"name": "Gold Leader", "state": "ENABLED", "in_force_from": changed},
            ]
        },
        [
            version,
            version
            | {"campaign_name": "Gold Leader", "campaign_status": "ENABLED"}
            | {"in_force_from": changed, "in_force_to": None},
        ],
    )


CASES: Cases = {
    "engine_amazon_ads_ad_performance": _report,
    "engine_amazon_ads_campaigns": _campaigns,
}
