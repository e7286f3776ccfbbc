"""Microsoft Advertising (Bing Ads) API v13: campaigns, ad groups and ads, and its performance reports of four levels.

Source: learn.microsoft.com/en-us/advertising: campaign-management-service (entities), reporting-service (columns of the
reports) and guides/reports. A report has the requested columns, and those that are attributes define a row: all of them
belong to the key. Its day is UTC ("always relative to UTC time"), whatever time zone the request named for the end of
today. Only the Daily aggregation is read: a Summary has no TimePeriod, an hour is written `2020-03-15|7`, and both are
quarantined.

A download is a CSV of quoted cells, with a BOM, lines of metadata before its header and a footer after its rows, unless
the request excluded them. Percentages come with and without a percent sign. A score that was not computed is `--`, and
revenue may have a comma for each thousand (FormatVersion 1.0): both are kept as text.

Performance Max campaigns have no rows where ad group or ad columns are requested (reporting-service, notes on the
report requests). Spend is adjusted for a week or more where clicks prove invalid (guides/reports); conversions count on
the day of the click, so they change for as long as the longest conversion window: 90 days
(campaign-management-service/conversiongoal).
"""

from __future__ import annotations

from pipeline.contracts.fields import Contract, DateText, DecimalText, IntegerText, Layout, PercentText, Text, UtcTime
from pipeline.contracts.measures import always, if_asked, on_request


class Entity(Contract):
    """One entity of an account in its present state."""

    key = ("Id",)
    required = ("Id",)
    version_field = "ModifiedTime"
    date_field = "ModifiedTime"
    money = "none"
    zone = "utc"
    restated_days = 0

    Id: Text = None
    Status: Text = None
    ModifiedTime: UtcTime = None  # in Bulk files and Fivetran's history tables; the service does not send it


def history(**columns: str) -> tuple[Layout, ...]:
    """Fivetran's history table of one entity."""
    shared = {"Id": "id", "Status": "status", "ModifiedTime": "modified_time"}
    return (Layout(name="fivetran_history", known_by=("id", "modified_time"), columns=shared | columns),)


class Campaign(Entity):
    wrappers = ("Campaigns",)
    layouts = history(AccountId="account_id", Name="name", CampaignType="type", TimeZone="time_zone")

    AccountId: Text = None
    Name: Text = None
    CampaignType: Text = None
    TimeZone: Text = None


class AdGroup(Entity):
    wrappers = ("AdGroups",)
    layouts = history(CampaignId="campaign_id", Name="name")

    CampaignId: Text = None
    Name: Text = None


class Ad(Entity):
    """One ad; it has no name, only its texts."""

    wrappers = ("Ads",)
    layouts = history(
        AdGroupId="ad_group_id", Type="type", Title="title", TitlePart1="title_part_1", TitlePart2="title_part_2"
    )

    AdGroupId: Text = None
    Type: Text = None
    Title: Text = None
    TitlePart1: Text = None
    TitlePart2: Text = None


ACCOUNT = ("TimePeriod", "AccountId", "AccountNumber", "AccountName", "CurrencyCode")
BREAKDOWNS = (
    "AdDistribution",
    "Network",
    "TopVsOther",
    "DeviceType",
    "DeviceOS",
    "BidMatchType",
    "DeliveredMatchType",
    "Goal",
    "GoalType",
)
REPORT = {
    "TimePeriod": "date",
    "AccountId": "account_id",
    "CurrencyCode": "currency_code",
    "AdDistribution": "ad_distribution",
    "Network": "network",
    "TopVsOther": "top_vs_other",
    "DeviceType": "device_type",
    "DeviceOS": "device_os",
    "BidMatchType": "bid_match_type",
    "DeliveredMatchType": "delivered_match_type",
    "Impressions": "impressions",
    "Clicks": "clicks",
    "Spend": "spend",
    "Conversions": "conversions",
    "ConversionsQualified": "conversions_qualified",
    "AllConversions": "all_conversions",
    "AllConversionsQualified": "all_conversions_qualified",
    "Revenue": "revenue",
    "AllRevenue": "all_revenue",
}
"""Columns of Fivetran's daily report tables."""


def daily_report(*ids: str, **columns: str) -> tuple[Layout, ...]:
    """Fivetran's daily report table of one level, known by the ids it has; `columns` are those not every level has."""
    known_by = ("date", "account_id", "spend", "ad_distribution", *ids)
    return (Layout(name="fivetran_daily_report", known_by=known_by, columns=REPORT | columns),)


class Report(Contract):
    """One day of an entity, per requested breakdown."""

    required = ("TimePeriod",)
    date_field = "TimePeriod"
    daily_slice = True
    money = "major units of the account's currency"
    zone = "utc"
    restated_days = 90
    lenient = (
        "AllConversions",
        "AllConversionsQualified",
        "AllRevenue",
        "Ctr",
        "ConversionRate",
        "ImpressionSharePercent",
        "ImpressionLostToBudgetPercent",
        "ImpressionLostToRankAggPercent",
    )
    measures = (
        always("Spend"),
        if_asked("Impressions"),
        if_asked("Clicks"),
        on_request("Conversions", "ConversionsQualified"),
    )

    TimePeriod: DateText = None
    AccountId: Text = None
    AccountNumber: Text = None
    AccountName: Text = None
    CurrencyCode: Text = None  # ISO 4217, the account's
    AdDistribution: Text = None
    Network: Text = None
    TopVsOther: Text = None
    DeviceType: Text = None
    DeviceOS: Text = None
    BidMatchType: Text = None
    DeliveredMatchType: Text = None
    Goal: Text = None
    GoalType: Text = None
    Impressions: IntegerText = None  # may be 0 beside clicks: the impression was shown the day before
    Clicks: IntegerText = None
    Spend: DecimalText = None
    Conversions: DecimalText = None  # whole since 2022
    ConversionsQualified: DecimalText = None  # with the fractions of data-driven attribution, so it comes first
    AllConversions: DecimalText = None
    AllConversionsQualified: DecimalText = None
    Revenue: Text = None
    AllRevenue: Text = None
    Ctr: PercentText = None
    ConversionRate: PercentText = None
    ImpressionSharePercent: PercentText = None
    ImpressionLostToBudgetPercent: PercentText = None
    ImpressionLostToRankAggPercent: PercentText = None


class AccountReport(Report):
    """One day of an account, per requested breakdown."""

    key = (*ACCOUNT, *BREAKDOWNS)
    layouts = daily_report()


class CampaignReport(Report):
    """One day of a campaign, per requested breakdown."""

    key = (
        *ACCOUNT,
        "CampaignId",
        "CampaignName",
        *BREAKDOWNS,
        "BudgetName",
        "BudgetStatus",
        "BudgetAssociationStatus",
    )
    layouts = daily_report(
        "campaign_id",
        CampaignId="campaign_id",
        BudgetName="budget_name",
        BudgetStatus="budget_status",
        BudgetAssociationStatus="budget_association_status",
    )

    CampaignId: Text = None
    CampaignName: Text = None
    CampaignStatus: Text = None
    CampaignType: Text = None
    BudgetName: Text = None  # empty where the budget is not shared
    BudgetStatus: Text = None
    BudgetAssociationStatus: Text = None
    QualityScore: Text = None


class AdGroupReport(Report):
    """One day of an ad group, per requested breakdown."""

    key = (*ACCOUNT, "CampaignId", "CampaignName", "AdGroupId", "AdGroupName", "Language", *BREAKDOWNS)
    layouts = daily_report("ad_group_id", CampaignId="campaign_id", AdGroupId="ad_group_id", Language="language")

    CampaignId: Text = None
    CampaignName: Text = None
    CampaignStatus: Text = None
    CampaignType: Text = None
    AdGroupId: Text = None
    AdGroupName: Text = None
    Status: Text = None  # of the ad group
    Language: Text = None
    QualityScore: Text = None


class AdReport(Report):
    """One day of an ad, per requested breakdown; with KeywordId it is Microsoft's keyword report."""

    key = (
        *ACCOUNT,
        "CampaignId",
        "CampaignName",
        "AdGroupId",
        "AdGroupName",
        "AdId",
        "KeywordId",
        "Keyword",
        "Language",
        *BREAKDOWNS,
    )
    layouts = daily_report(
        "ad_id",
        CampaignId="campaign_id",
        AdGroupId="ad_group_id",
        AdId="ad_id",
        KeywordId="keyword_id",
        Language="language",
    )

    CampaignId: Text = None
    CampaignName: Text = None
    CampaignStatus: Text = None
    CampaignType: Text = None
    AdGroupId: Text = None
    AdGroupName: Text = None
    AdGroupStatus: Text = None
    AdId: Text = None
    AdTitle: Text = None
    TitlePart1: Text = None
    AdStatus: Text = None
    AdType: Text = None
    KeywordId: Text = None
    Keyword: Text = None
    Language: Text = None


OBJECTS: dict[str, type[Contract]] = {
    "campaigns": Campaign,
    "ad_groups": AdGroup,
    "ads": Ad,
    "account_performance_report": AccountReport,
    "campaign_performance_report": CampaignReport,
    "ad_group_performance_report": AdGroupReport,
    "ad_performance_report": AdReport,
}
