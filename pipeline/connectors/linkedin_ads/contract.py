"""LinkedIn Marketing API: campaigns, and ad analytics by creative or account and by campaign, as REST sends them.

Source: learn.microsoft.com/en-us/linkedin/marketing/integrations/ads (campaigns) and .../ads-reporting/ads-reporting
(analytics). Costs are decimal text of up to 18 decimals. A row has only the requested fields, a metric that was not
requested is an absent key. `pivotValues` are URNs. A request without activity and one without permission both return no
rows.
"""

from __future__ import annotations

from pipeline.contracts.fields import Contract, DecimalText, EpochMillis, Integer, Layout, Nested, Text
from pipeline.contracts.measures import always, if_asked, on_request


class Money(Nested):
    amount: DecimalText = None
    currencyCode: Text = None  # ISO 4217, the same in the whole account


class ChangeStamp(Nested):
    actor: Text = None  # a URN
    time: EpochMillis = None


class ChangeStamps(Nested):
    created: ChangeStamp | None = None
    lastModified: ChangeStamp | None = None


class RunSchedule(Nested):
    start: EpochMillis = None
    end: EpochMillis = None  # exclusive; absent for a campaign without end


class Version(Nested):
    versionTag: Text = None


class Campaign(Contract):
    """One campaign in its present state."""

    key = ("id",)
    required = ("id",)
    version_field = "changeAuditStamps.lastModified.time"
    date_field = "changeAuditStamps.created.time"
    wrappers = ("elements",)
    money = "major units of the account's currency, as text"
    zone = "utc"
    lenient = (
        "dailyBudget.amount",
        "totalBudget.amount",
        "unitCost.amount",
        "runSchedule",
        "changeAuditStamps.created.actor",
        "changeAuditStamps.lastModified.actor",
        "version",
    )
    restated_days = 0
    layouts = (
        Layout(
            name="fivetran",
            known_by=("campaign_group_id", "last_modified_time"),
            columns={
                "id": "id",
                "account": "account_id",
                "campaignGroup": "campaign_group_id",
                "name": "name",
                "status": "status",
                "type": "type",
                "costType": "cost_type",
                "objectiveType": "objective_type",
                "dailyBudget.amount": "daily_budget_amount",
                "dailyBudget.currencyCode": "daily_budget_currency_code",
                "totalBudget.amount": "total_budget_amount",
                "totalBudget.currencyCode": "total_budget_currency_code",
                "unitCost.amount": "unit_cost_amount",
                "unitCost.currencyCode": "unit_cost_currency_code",
                "changeAuditStamps.created.time": "created_time",
                "changeAuditStamps.lastModified.time": "last_modified_time",
                "version.versionTag": "version_tag",
            },
            utc=("changeAuditStamps.created.time", "changeAuditStamps.lastModified.time"),
        ),
    )

    id: Text = None
    account: Text = None  # urn:li:sponsoredAccount:...
    campaignGroup: Text = None  # urn:li:sponsoredCampaignGroup:...
    name: Text = None
    status: Text = None  # ACTIVE, PAUSED, DRAFT, ARCHIVED, CANCELED, COMPLETED, PENDING_DELETION, REMOVED
    type: Text = None
    costType: Text = None
    objectiveType: Text = None
    dailyBudget: Money | None = None
    totalBudget: Money | None = None
    unitCost: Money | None = None
    runSchedule: RunSchedule | None = None
    changeAuditStamps: ChangeStamps | None = None
    version: Version | None = None


class Day(Nested):
    year: Integer = None
    month: Integer = None
    day: Integer = None


class DateRange(Nested):
    start: Day | None = None
    end: Day | None = None  # inclusive


DAYS = {"dateRange.start": "start_date", "dateRange.end": "end_date"}
AIRBYTE = (
    Layout(
        name="airbyte",
        known_by=(*DAYS.values(), "string_of_pivot_values"),
        columns=DAYS | {"pivotValue": "string_of_pivot_values"},
    ),
    Layout(name="airbyte before 1.0", known_by=tuple(DAYS.values()), columns=DAYS),
)
"""The streams of ad analytics of airbytehq/airbyte's source-linkedin-ads; metrics keep the API's names."""


class AdAnalytics(Contract):
    """One day of one creative or account (or of whatever pivots were requested)."""

    key = (
        "dateRange.start.year",
        "dateRange.start.month",
        "dateRange.start.day",
        "dateRange.end.year",
        "dateRange.end.month",
        "dateRange.end.day",
        "pivotValues",
        "pivotValue",
    )
    required = ("dateRange.start.year", "dateRange.start.month", "dateRange.start.day")
    date_field = "dateRange.start"
    daily_slice = True
    wrappers = ("elements",)
    money = "major units of the account's currency, as text"
    zone = "utc"  # source: linkedin.com/help/lms/answer/a427004, a campaign's day is a UTC day
    restated_days = 90  # the longest usual conversion window; source: linkedin.com/help/lms/answer/a426359
    measures = (
        always("costInLocalCurrency", "costInUsd", is_zero_left_out=True),
        if_asked("impressions"),
        if_asked("clicks"),
        on_request("externalWebsiteConversions"),
        on_request("oneClickLeads"),
    )
    layouts = (
        Layout(
            name="fivetran by creative",
            known_by=("creative_id", "day", "cost_in_local_currency"),
            columns={
                "pivotValue": "creative_id",
                "dateRange.start": "day",
                "costInLocalCurrency": "cost_in_local_currency",
                "costInUsd": "cost_in_usd",
                "impressions": "impressions",
                "clicks": "clicks",
                "externalWebsiteConversions": "external_website_conversions",
                "oneClickLeads": "one_click_leads",
                "conversionValueInLocalCurrency": "conversion_value_in_local_currency",
            },
        ),
        *AIRBYTE,
    )

    pivot: Text = None  # unversioned API: CREATIVE, CAMPAIGN, ACCOUNT, ...
    pivotValue: Text = None  # unversioned API: the one pivot's URN
    pivotValues: list[Text] | None = None  # urn:li:sponsoredCreative:..., urn:li:sponsoredAccount:..., ...
    dateRange: DateRange | None = None
    costInLocalCurrency: DecimalText = None
    costInUsd: DecimalText = None
    impressions: Integer = None
    clicks: Integer = None  # the chargeable ones
    externalWebsiteConversions: Integer = None
    oneClickLeads: Integer = None
    conversionValueInLocalCurrency: DecimalText = None  # by the rules of the advertiser's conversions


class AdAnalyticsByCampaign(AdAnalytics):
    """One day of one campaign."""

    layouts = (
        Layout(
            name="fivetran by campaign",
            known_by=("campaign_id", "day", "cost_in_local_currency"),
            columns=AdAnalytics.layouts[0].columns | {"pivotValue": "campaign_id"},
        ),
        *AIRBYTE,
    )


OBJECTS: dict[str, type[Contract]] = {
    "campaigns": Campaign,
    "ad_analytics": AdAnalytics,
    "ad_analytics_by_campaign": AdAnalyticsByCampaign,
}
