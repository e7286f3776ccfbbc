"""Files that people download from Microsoft Advertising.

A report has the columns of the reporting service, and its days and numbers as the reader's locale writes them where it
was made on the web page or with FormatVersion 1.0 (BingAds-dotNet-SDK#68, MicrosoftDocs/Advertising-docs#365: 1/5/2026,
"1,012.34"). It is told from a report of the API by its first day.
"""

from __future__ import annotations

from pipeline.contracts.downloads import Download, Language, NotRead

COLUMNS = (
    "TimePeriod", "AccountId", "AccountNumber", "AccountName", "CurrencyCode", "CampaignId", "CampaignName",
    "CampaignStatus", "CampaignType", "AdGroupId", "AdGroupName", "AdId", "KeywordId", "Keyword", "Language",
    "AdDistribution", "Network", "TopVsOther", "DeviceType", "DeviceOS", "BidMatchType", "DeliveredMatchType", "Goal",
    "GoalType", "BudgetName", "BudgetStatus", "BudgetAssociationStatus", "Impressions", "Clicks", "Spend",
    "Conversions", "ConversionsQualified", "AllConversions", "AllConversionsQualified",
)  # fmt: skip
LOCALIZED = Download(
    name="a Microsoft Advertising report with days and numbers in a reader's locale",
    objects=(
        "campaign_performance_report",
        "ad_group_performance_report",
        "ad_performance_report",
        "account_performance_report",
    ),
    languages=(
        Language(
            name="English",
            known_by=(("TimePeriod", "Spend"), ("TimePeriod", "Impressions")),
            titles={name: (name,) for name in COLUMNS},
            totals=("total",),
        ),
    ),
    needs=(("TimePeriod",), ("Spend",), ("Impressions",), ("Clicks",)),
    bring="make the report again with the aggregation Daily and the columns Spend, Impressions and Clicks",
    currency="CurrencyCode",
    day="TimePeriod",
    first_cell=("TimePeriod", "[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{4}.*"),
)

DOWNLOADS = (LOCALIZED,)
NOT_READ = (
    NotRead(
        name="a report of Microsoft Advertising's web page with titles of its own",
        known_by=(
            ("Gregorian date", "Spend"),
            ("Impr.", "Spend"),
            ("Campaign", "Spend", "Avg. CPC"),
            ("Gregorianisches Datum", "Ausgaben"),
            ("Impressionen", "Ausgaben", "Kampagne"),
        ),
        bring="bring a report of the API or of a loader, whose columns are TimePeriod, CampaignId, Spend, ...",
    ),
)
