"""LinkedIn's records and the expected results of its engines."""

from __future__ import annotations

from pipeline.config.engine_cases import Case, Cases, Row, main_currency

CAMPAIGN, CREATIVE = "urn:li:sponsoredCampaign:148633856", "urn:li:sponsoredCreative:82332766"
UNLISTED = "urn:li:sponsoredCampaign:9"
ACCOUNT = "urn:li:sponsoredAccount:507515057"
SUMS: Row = {"impressions": 125, "clicks": 51, "externalWebsiteConversions": 2, "oneClickLeads": 4}
WORTH: Row = {"externalWebsiteConversions": 2, "conversionValueInLocalCurrency": "99.50"}

EXPECTED: Row = {
    "source_platform": "linkedin_ads",
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
    "currency": main_currency,
    "impressions": None,
    "clicks": None,
    "conversions": None,
    "conversion_value": None,
    "conversion_types": None,
    "is_counted": True,
}
SPENT: Row = {"impressions": 125, "clicks": 51, "conversions": 6.0}
ZERO: Row = {"impressions": 0, "clicks": 0}
"""Metrics that a loader leaves empty at zero, of a row that has another one."""
NOT_COUNTED: Row = {"is_counted": False}
OF_CAMPAIGN: Row = {"campaign_id": "148633856", "currency": "EUR"}
OF_CREATIVE: Row = {"ad_id": "82332766"}

BY_CAMPAIGN, REPORT = "ad_analytics_by_campaign", "ad_analytics"
Example = tuple[str, Row, Row]
"""An example: a report, a row of it as sent, and the differences of its result from EXPECTED."""


def _of(*urns: str) -> Row:
    return {"pivotValues": list(urns)}


DAYS: tuple[tuple[Example, ...], ...] = (
    # A campaign that the report by campaign lacks keeps the other one.
    (
        (BY_CAMPAIGN, _of(CAMPAIGN), OF_CAMPAIGN),
        (REPORT, _of(UNLISTED, CREATIVE) | SUMS, OF_CREATIVE | SPENT | {"campaign_id": "9"}),
        (REPORT, _of(CREATIVE) | {"oneClickLeads": 1}, OF_CREATIVE | NOT_COUNTED | {"conversions": 1.0}),
    ),
    # Of an account's day the report by campaign counts, else the finest other one; rows by member come last.
    (
        (BY_CAMPAIGN, _of(CAMPAIGN) | SUMS, OF_CAMPAIGN | SPENT | {"spend": 0}),
        (REPORT, _of(CAMPAIGN, CREATIVE), OF_CAMPAIGN | OF_CREATIVE | NOT_COUNTED),
        (REPORT, _of(ACCOUNT) | {"_account": "other"}, {"source_account": "other", "currency": "GBP"}),
    ),
    (
        (REPORT, _of(CREATIVE, CAMPAIGN) | SUMS, OF_CAMPAIGN | OF_CREATIVE | SPENT),
        (REPORT, _of(CAMPAIGN), OF_CAMPAIGN | NOT_COUNTED),
    ),
    ((REPORT, _of(CAMPAIGN) | SUMS, OF_CAMPAIGN | SPENT), (REPORT, _of(CREATIVE), OF_CREATIVE | NOT_COUNTED)),
    ((REPORT, _of(CAMPAIGN), OF_CAMPAIGN), (REPORT, _of(CREATIVE) | SUMS, OF_CREATIVE | SPENT | NOT_COUNTED)),
    ((REPORT, _of(CREATIVE) | SUMS, OF_CREATIVE | SPENT), (REPORT, _of(ACCOUNT), NOT_COUNTED)),
    ((REPORT, _of(ACCOUNT) | SUMS, SPENT), (REPORT, _of("urn:li:title:12", CREATIVE), OF_CREATIVE | NOT_COUNTED)),
    ((REPORT, _of("urn:li:geo:101") | SUMS, SPENT), (REPORT, _of("urn:li:title:12"), NOT_COUNTED)),
    # Bare ids are of the report's level; a row without any is of the account.
    ((BY_CAMPAIGN, {"pivot": "CAMPAIGN", "pivotValue": "148633856"}, OF_CAMPAIGN),),
    ((REPORT, {"pivot": "CREATIVE", "pivotValue": "82332766"}, OF_CREATIVE), (REPORT, {}, NOT_COUNTED)),
    ((REPORT, {}, {}),),
    # The currency is the campaign's; of a report in US dollars alone it is USD.
    ((BY_CAMPAIGN, _of(CAMPAIGN) | {"costInUsd": "5.5"}, OF_CAMPAIGN | ZERO | {"spend": 5.5, "currency": "USD"}),),
    (
        (
            BY_CAMPAIGN,
            _of(CAMPAIGN) | {"costInLocalCurrency": "19.91833", "costInUsd": "22.1"},
            OF_CAMPAIGN | ZERO | {"spend": 19.91833},
        ),
    ),
    # The value of conversions is in the account's currency, so that a report in US dollars alone has none.
    (
        (
            BY_CAMPAIGN,
            _of(CAMPAIGN) | {"costInUsd": "5.5"} | WORTH,
            OF_CAMPAIGN | ZERO | {"spend": 5.5, "currency": "USD", "conversions": 2.0},
        ),
    ),
    ((BY_CAMPAIGN, _of(CAMPAIGN) | WORTH, OF_CAMPAIGN | {"conversions": 2.0, "conversion_value": 99.5}),),
    ((BY_CAMPAIGN, _of(CAMPAIGN) | {"oneClickLeads": 0}, OF_CAMPAIGN | {"conversions": 0.0, "conversion_value": 0}),),
    # Accounts say values or none, whatever is known of the campaign.
    ((BY_CAMPAIGN, _of(UNLISTED) | WORTH, {"campaign_id": "9", "conversions": 2.0, "conversion_value": 99.5}),),
    (
        (
            BY_CAMPAIGN,
            _of(UNLISTED) | {"oneClickLeads": 0, "_account": "other"},
            {"campaign_id": "9", "source_account": "other", "currency": "GBP", "conversions": 0.0},
        ),
        (
            BY_CAMPAIGN,
            _of("urn:li:sponsoredCampaign:4") | {"oneClickLeads": 0, "_account": "third"},
            {"campaign_id": "4", "source_account": "third", "currency": "GBP", "conversions": 0.0},
        ),
    ),
    ((BY_CAMPAIGN, _of("urn:li:sponsoredCampaign:2"), {"campaign_id": "2", "currency": "JPY"}),),
    ((BY_CAMPAIGN, _of("urn:li:sponsoredCampaign:3"), {"campaign_id": "3", "currency": "CHF"}),),
    ((BY_CAMPAIGN, _of(UNLISTED), {"campaign_id": "9"}),),
)

LOCAL: Row = {"costInLocalCurrency": "10"}
BOTH: Row = OF_CAMPAIGN | OF_CREATIVE
ASKED: Row = {"_exported_at": "2020-05-01"}
EXPORTS: tuple[tuple[int, int, Row, Row], ...] = (
    # A metric that is absent is 0 beside any other, if its export has it; conversions are no sign of activity.
    (1, 1, ASKED | _of(CAMPAIGN, CREATIVE) | LOCAL, BOTH | ZERO | {"spend": 10}),
    (2, 2, ASKED | _of(CAMPAIGN, CREATIVE) | {"impressions": 70}, BOTH | {"spend": 0, "impressions": 70, "clicks": 0}),
    (3, 3, ASKED | _of(CAMPAIGN, CREATIVE) | {"clicks": 2}, BOTH | {"spend": 0, "impressions": 0, "clicks": 2}),
    (4, 4, ASKED | _of(CAMPAIGN, CREATIVE) | {"externalWebsiteConversions": 3}, BOTH | {"conversions": 3.0}),
    (5, 5, ASKED | _of("urn:li:title:12") | LOCAL, ZERO | {"spend": 10}),
    # Another account's export and day change nothing.
    (6, 6, {"_exported_at": "2020-05-02"} | _of(CAMPAIGN) | LOCAL, OF_CAMPAIGN | {"spend": 10}),
    (
        6,
        6,
        {"_exported_at": "2020-05-02", "_account": "third"} | _of(CAMPAIGN, CREATIVE) | SUMS | {"costInUsd": "5"},
        BOTH | SPENT | {"source_account": "third", "spend": 5, "currency": "USD"},
    ),
    # A row of several days takes nothing from the rows of one.
    *((day, day, _of(CAMPAIGN), OF_CAMPAIGN) for day in (7, 8)),
    (7, 8, _of(CAMPAIGN, CREATIVE), BOTH | NOT_COUNTED),
    (9, 9, ASKED | _of(CAMPAIGN, CREATIVE) | LOCAL, BOTH | ZERO | {"spend": 10}),
    (
        9,
        9,
        ASKED | _of(CAMPAIGN) | {"costInUsd": "9"},
        OF_CAMPAIGN | ZERO | NOT_COUNTED | {"spend": 9, "currency": "USD"},
    ),
)
"""Rows of exports and of ranges of their own: the days of a row, the row as sent, and the differences of its result."""


def _date(year: int, month: int, day: int) -> Row:
    return {"year": year, "month": month, "day": day}


def _report(_pattern: str | None) -> Case:
    records: dict[str, list[Row]] = {
        BY_CAMPAIGN: [
            {"dateRange": {"start": _date(2019, 12, 30), "end": _date(2020, 1, 5)}} | _of(CAMPAIGN),
            {"dateRange": {"start": _date(2019, 11, 28)}} | _of(CAMPAIGN),
        ],
        REPORT: [],
        "campaigns": [
            {"id": CAMPAIGN, "account": ACCOUNT, "campaignGroup": "urn:li:sponsoredCampaignGroup:6"}
            | {"dailyBudget": {"amount": "50", "currencyCode": "eur"}},
            {"id": "2", "totalBudget": {"amount": "900", "currencyCode": "JPY"}},
            {"id": "3", "unitCost": {"amount": "4", "currencyCode": "CHF"}},
            {"id": "4", "unitCost": {"amount": "4", "currencyCode": "GBP"}, "_account": "other"},
            {"id": CAMPAIGN, "unitCost": {"amount": "4", "currencyCode": "GBP"}, "_account": "other"},
            {"id": "4", "unitCost": {"amount": "4", "currencyCode": "GBP"}, "_account": "third"},
            {"id": "5", "unitCost": {"amount": "4", "currencyCode": "EUR"}, "_account": "third"},
        ],
    }
    expected = [
        EXPECTED | OF_CAMPAIGN | NOT_COUNTED | {"report_date": "2019-12-30", "last_date": "2020-01-05"},
        EXPECTED | OF_CAMPAIGN | {"report_date": "2019-11-28", "last_date": "2019-11-28"},
    ]
    for number, day in enumerate(DAYS, 1):
        date = f"2020-03-{number:02}"
        for report, sent, changes in day:
            range_ = {"start": _date(2020, 3, number), "end": _date(2020, 3, number)}
            records[report].append({"dateRange": range_} | sent)
            expected.append(EXPECTED | changes | {"report_date": date, "last_date": date})
    for first, last, sent, changes in EXPORTS:
        records[REPORT].append({"dateRange": {"start": _date(2020, 4, first), "end": _date(2020, 4, last)}} | sent)
        expected.append(EXPECTED | changes | {"report_date": f"2020-04-{first:02}", "last_date": f"2020-04-{last:02}"})
    return Case(
        "URNs are ids, costs are text, and of a day the report by campaign counts, else the one by creative",
        records,
        expected,
    )


def _campaigns(_pattern: str | None) -> Case:
    spring: Row = {
        "id": 546759565,
        "account": ACCOUNT,
        "campaignGroup": "urn:li:sponsoredCampaignGroup:6",
        "name": "Spring",
        "status": "PAUSED",
        "type": "TEXT_AD",
        "objectiveType": "WEBSITE_VISIT",
        "runSchedule": {"start": 1530119000000, "end": 1530219000000},
        "changeAuditStamps": {"created": {"time": 1530119777000}, "lastModified": {"time": 1549000000000}},
    }
    version: Row = {
        "source_platform": "linkedin_ads",
        "source_account": "main",
        "campaign_id": "546759565",
        "campaign_name": "Spring",
        "campaign_status": "PAUSED",
        "in_force_from": "2018-06-27 17:16:17",
        "in_force_to": "2019-02-01 05:46:40",
    }
    changed = "2019-02-01 05:46:40"
    return Case(
        "every version of a campaign, the first since it was created",
        {
            "campaigns": [
                spring | {"in_force_to": changed},
                spring
                | {"id": "urn:li:sponsoredCampaign:546759565", "name": "Summer", "status": "ACTIVE"}
                | {"in_force_from": changed},
            ]
        },
        [
            version,
            version
            | {"campaign_name": "Summer", "campaign_status": "ACTIVE"}
            | {"in_force_from": changed, "in_force_to": None},
        ],
    )


CASES: Cases = {
    "engine_linkedin_ads_ad_performance": _report,
    "engine_linkedin_ads_campaigns": _campaigns,
}
