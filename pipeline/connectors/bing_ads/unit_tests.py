"""Microsoft Advertising's records and the expected results of its engines."""

from __future__ import annotations

from pipeline.config.engine_cases import Case, Cases, Row, main_currency

ACCOUNT: Row = {"AccountId": "150", "AccountNumber": "X150", "AccountName": "Shop", "CurrencyCode": "USD"}
SUMS: Row = {"Impressions": "361", "Clicks": "17", "Spend": "12.34", "Ctr": "4.71%"}
CAMPAIGN: Row = ACCOUNT | {"CampaignId": "111", "CampaignName": "Spring", "CampaignStatus": "Active"}
AD_GROUP: Row = CAMPAIGN | {"AdGroupId": "222", "AdGroupName": "Then", "Status": "Active", "Language": "German"}
AD: Row = CAMPAIGN | {"AdGroupId": "222", "AdGroupName": "Then", "AdGroupStatus": "Active", "AdId": "333"}
TITLES: Row = {"AdTitle": "Ad then", "TitlePart1": "Part then", "AdStatus": "Active"}
PHONE: Row = {"DeviceType": "Smartphone"}
BREAKDOWNS: tuple[Row, ...] = (
    {"AdDistribution": "Search"},
    {"Network": "Bing and Yahoo! search"},
    {"TopVsOther": "Bing and Yahoo! search - Top"},
    PHONE,
    {"DeviceOS": "Android"},
    {"BidMatchType": "Broad"},
    {"DeliveredMatchType": "Exact"},
    {"KeywordId": "71"},
)

EXPECTED: Row = {
    "source_platform": "bing_ads",
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
    "currency": "USD",
    "impressions": None,
    "clicks": None,
    "conversions": None,
    "conversion_value": None,
    "conversion_types": None,
    "is_counted": True,
}
SPENT: Row = {"spend": 12.34, "impressions": 361, "clicks": 17}
NOT_COUNTED: Row = {"is_counted": False}
OF_CAMPAIGN: Row = {"campaign_id": "111", "campaign_name": "Spring"}
OF_AD_GROUP: Row = OF_CAMPAIGN | {"ad_group_id": "222", "ad_group_name": "Now"}
OF_AD: Row = OF_AD_GROUP | {"ad_id": "333", "ad_name": "Ad now"}

ACCOUNTS, CAMPAIGNS = "account_performance_report", "campaign_performance_report"
AD_GROUPS, ADS = "ad_group_performance_report", "ad_performance_report"
Example = tuple[str, Row, Row]
"""An example: a report, a row of it as sent, and the differences of its result from EXPECTED."""
DAYS: tuple[tuple[Example, ...], ...] = (
    # Of four reports the finest counts, campaign by campaign; another account of ours changes nothing.
    (
        (ACCOUNTS, ACCOUNT | SUMS, SPENT | NOT_COUNTED),
        (CAMPAIGNS, CAMPAIGN | SUMS | {"Conversions": "2"}, OF_CAMPAIGN | SPENT | NOT_COUNTED | {"conversions": 2.0}),
        (CAMPAIGNS, CAMPAIGN | {"CampaignId": "999"}, OF_CAMPAIGN | {"campaign_id": "999"}),
        (CAMPAIGNS, CAMPAIGN | {"_account": "eu"}, OF_CAMPAIGN | {"source_account": "eu"}),
        (AD_GROUPS, AD_GROUP, OF_AD_GROUP | NOT_COUNTED),
        (AD_GROUPS, AD_GROUP | {"AdGroupId": "223"}, OF_AD_GROUP | {"ad_group_id": "223", "ad_group_name": "Then"}),
        (ADS, AD | PHONE | SUMS, OF_AD | SPENT),
    ),
    ((ACCOUNTS, ACCOUNT, {}),),
    (
        (CAMPAIGNS, CAMPAIGN, OF_CAMPAIGN),
        (AD_GROUPS, AD_GROUP | {"CampaignId": "999"}, OF_AD_GROUP | {"campaign_id": "999"}),
    ),
    ((ACCOUNTS, ACCOUNT, NOT_COUNTED), (CAMPAIGNS, CAMPAIGN, OF_CAMPAIGN)),
    # A total without an id does not count beside a part; beside a part without its parent's id, no such total does.
    ((CAMPAIGNS, ACCOUNT | {"CampaignName": "A"}, {"campaign_name": "A"} | NOT_COUNTED), (ADS, AD, OF_AD)),
    (
        (
            AD_GROUPS,
            ACCOUNT | {"CampaignId": "112", "AdGroupName": "A"},
            {"campaign_id": "112", "ad_group_name": "A"} | NOT_COUNTED,
        ),
        (ADS, AD, OF_AD),
    ),
    ((CAMPAIGNS, CAMPAIGN, OF_CAMPAIGN | NOT_COUNTED), (AD_GROUPS, ACCOUNT | {"AdGroupId": "5"}, {"ad_group_id": "5"})),
    (
        (AD_GROUPS, AD_GROUP, OF_AD_GROUP | NOT_COUNTED),
        (ADS, ACCOUNT | {"CampaignId": "999", "AdId": "9"}, {"campaign_id": "999", "ad_id": "9"}),
    ),
    # Plain rows count before breakdowns.
    *(((ADS, AD, OF_AD), (ADS, AD | breakdown | SUMS, OF_AD | SPENT | NOT_COUNTED)) for breakdown in BREAKDOWNS),
    *(
        (
            (ACCOUNTS, named, {"currency": main_currency}),
            (ACCOUNTS, named | PHONE, NOT_COUNTED | {"currency": main_currency}),
        )
        for named in ({"AccountNumber": "X150"}, {"AccountName": "Shop"})
    ),
    # A row that is broken down counts where the same thing has no plain one.
    (
        (ADS, AD, OF_AD),
        (ADS, AD | PHONE | {"AdId": "334"}, OF_AD | {"ad_id": "334", "ad_name": None}),
        (
            ADS,
            AD | PHONE | {"_account": "eu"},
            OF_AD | {"source_account": "eu", "ad_group_name": "EU", "ad_name": "EU ad"},
        ),
        (ADS, AD | PHONE | {"AccountId": "151", "AccountNumber": "X151"}, OF_AD),
    ),
    (
        (AD_GROUPS, AD_GROUP | {"AdGroupId": "223"}, OF_AD_GROUP | {"ad_group_id": "223", "ad_group_name": "Then"}),
        (
            AD_GROUPS,
            AD_GROUP | PHONE | {"AdGroupId": "223", "_account": "eu"},
            OF_AD_GROUP | {"source_account": "eu", "ad_group_id": "223", "ad_group_name": "Then"},
        ),
    ),
    (
        (AD_GROUPS, AD_GROUP, OF_AD_GROUP | NOT_COUNTED),
        (ADS, AD | PHONE | TITLES | {"AdId": None}, OF_AD_GROUP | {"ad_name": "Ad then"}),
    ),
    *(
        (
            (report, {"AccountNumber": "X150", "AccountName": "Shop"} | plain, changes | {"currency": main_currency}),
            (
                report,
                {"AccountNumber": "X150", "AccountName": "Shop"} | other | PHONE,
                other_changes | {"currency": main_currency},
            ),
        )
        for report, plain, changes, other, other_changes in (
            (CAMPAIGNS, {"CampaignId": "1"}, {"campaign_id": "1"}, {"CampaignId": "2"}, {"campaign_id": "2"}),
            (CAMPAIGNS, {"CampaignName": "A"}, {"campaign_name": "A"}, {"CampaignName": "B"}, {"campaign_name": "B"}),
            (AD_GROUPS, {"AdGroupId": "1"}, {"ad_group_id": "1"}, {"AdGroupId": "2"}, {"ad_group_id": "2"}),
            (AD_GROUPS, {"AdGroupName": "A"}, {"ad_group_name": "A"}, {"AdGroupName": "B"}, {"ad_group_name": "B"}),
            (ACCOUNTS, {}, {}, {"AccountNumber": "X151"}, {}),
            (ACCOUNTS, {"AccountNumber": None, "AccountId": "1"}, {}, {"AccountNumber": None, "AccountId": "2"}, {}),
            (ACCOUNTS, {"AccountNumber": None}, {}, {"AccountNumber": None, "AccountName": "Other shop"}, {}),
        )
    ),
    # Missing values of a row are in the lists; a parent in the row is right, a name in the row may be old.
    ((ADS, {"AdId": "333", "CurrencyCode": "usd"}, OF_AD | {"campaign_name": None}),),
    (
        (
            ADS,
            AD | {"CampaignId": "113", "AdGroupId": "224"},
            OF_AD | {"campaign_id": "113", "ad_group_id": "224", "ad_group_name": "Moved to"},
        ),
    ),
    *(
        ((ADS, AD | TITLES | {"AdId": ad} | titles, OF_AD | {"ad_id": ad, "ad_name": name}),)
        for ad, titles, name in (
            ("333", {}, "Ad now"),
            ("335", {}, "Part now"),
            ("336", {}, "Ad then"),
            ("336", {"AdTitle": ""}, "Part then"),
        )
    ),
    # Conversions are integers since 2022: ConversionsQualified has their fractions.
    (
        (
            ADS,
            AD | {"Conversions": "2", "ConversionsQualified": "2.50", "AllConversions": "3"},
            OF_AD | {"conversions": 2.5},
        ),
    ),
    ((ADS, AD | {"Conversions": "2", "ConversionsQualified": ""}, OF_AD | {"conversions": 2.0}),),
    # Revenue may have a comma for each thousand; without conversions there is none.
    (
        (
            ADS,
            AD | {"Conversions": "2", "Revenue": "1,204,567.50", "AllRevenue": "9"},
            OF_AD | {"conversions": 2.0, "conversion_value": 1204567.5},
        ),
    ),
    ((ADS, AD | {"Conversions": "2", "Revenue": "--"}, OF_AD | {"conversions": 2.0}),),
    ((ADS, AD | {"Conversions": "0"}, OF_AD | {"conversions": 0.0, "conversion_value": 0}),),
    ((ADS, AD | {"ConversionsQualified": "2.50", "AllConversionsQualified": "4.50"}, OF_AD | {"conversions": 2.5}),),
)


def _report(_pattern: str | None) -> Case:
    records: dict[str, list[Row]] = {
        "ad_groups": [
            {"Id": "222", "CampaignId": "111", "Name": "Now", "Status": "Active"},
            {"Id": "222", "CampaignId": "111", "Name": "EU", "Status": "Active", "_account": "eu"},
            {"Id": "224", "CampaignId": "112", "Name": "Moved to", "Status": "Paused"},
        ],
        "ads": [
            {
                "Id": "333",
                "AdGroupId": "222",
                "Type": "Text",
                "Title": "Ad now",
                "TitlePart1": "Part now",
                "TitlePart2": "2",
            },
            {"Id": "333", "AdGroupId": "222", "Title": "EU ad", "TitlePart1": "Part now", "_account": "eu"},
            {"Id": "335", "AdGroupId": "222", "TitlePart1": "Part now", "TitlePart2": "2"},
        ],
    }
    expected = []
    for number, day in enumerate(DAYS):
        date = f"2026-{1 + number // 28:02}-{1 + number % 28:02}"
        for report, sent, changes in day:
            records.setdefault(report, []).append({"TimePeriod": date} | sent)
            expected.append(EXPECTED | changes | {"report_date": date, "last_date": date})
    return Case(
        "of four reports the finest counts, campaign by campaign, and parents come from the lists of entities",
        records,
        expected,
    )


def _campaigns(_pattern: str | None) -> Case:
    spring: Row = {"Id": "111", "AccountId": "150", "Name": "Spring", "Status": "Paused", "CampaignType": "Search"}
    row: Row = {"source_platform": "bing_ads", "source_account": "main", "campaign_id": "111"}
    return Case(
        "every version of a campaign, with the name it had",
        {
            "campaigns": [
                spring | {"in_force_to": "2026-02-01 00:00:00"},
                spring | {"Name": "Summer", "Status": "Active", "in_force_from": "2026-02-01 00:00:00"},
            ]
        },
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
