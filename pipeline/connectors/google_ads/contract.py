"""Google Ads API v16: customers, campaigns, ad groups, ads and reports, as `googleAds:searchStream` sends its rows.

Source: developers.google.com/google-ads/api, reference of GoogleAdsRow and `rest/design/json-mappings`. A row nests one
object per resource that its query selects from, each with its resourceName; fields that the query did not select are
absent. int64 arrives as text, doubles as numbers, enums as text. Ids are only unique within their parent.

A report's money is in millionths of the customer's currency, its day one of the customer's time zone. A row whose
selected metrics are all zero is not sent (docs/reporting/zero-metrics), and Performance Max campaigns have no rows of
ad groups or ads (performance-max/reporting). Cost changes for days, while invalid clicks are credited back; conversions
count on the day of the click, so they change for as long as the longest conversion window: 90 days
(support.google.com/google-ads/answer/3123169).
"""

from __future__ import annotations

from pipeline.connectors.google_ads.enums import ENUM_NUMBERS
from pipeline.contracts.fields import (
    Contract,
    DateText,
    Flag,
    Integer,
    IntegerText,
    Layout,
    MicrosText,
    Nested,
    Number,
    Text,
    UtcTime,
)
from pipeline.contracts.measures import always, if_asked, on_request


class Customer(Nested):
    """An advertiser's account."""

    resourceName: Text = None  # customers/123
    id: Text = None
    descriptiveName: Text = None
    currencyCode: Text = None  # ISO 4217
    timeZone: Text = None  # an IANA name
    manager: Flag = None
    testAccount: Flag = None


class Campaign(Nested):
    resourceName: Text = None  # customers/123/campaigns/456
    id: Text = None
    name: Text = None
    status: Text = None  # ENABLED, PAUSED, REMOVED
    servingStatus: Text = None
    advertisingChannelType: Text = None
    advertisingChannelSubType: Text = None
    startDate: DateText = None
    endDate: DateText = None


class AdGroup(Nested):
    resourceName: Text = None  # customers/123/adGroups/789
    id: Text = None
    campaign: Text = None  # resourceName of its campaign
    name: Text = None
    status: Text = None
    type: Text = None


class Ad(Nested):
    resourceName: Text = None
    id: Text = None
    name: Text = None  # mostly absent: few kinds of ad have one
    type: Text = None
    finalUrls: list[Text] | None = None


class AdGroupAd(Nested):
    """An ad in an ad group; an ad's id is only unique within it."""

    resourceName: Text = None  # customers/123/adGroupAds/789~12
    adGroup: Text = None  # resourceName of its ad group
    status: Text = None
    ad: Ad | None = None


class AdGroupCriterion(Nested):
    resourceName: Text = None  # customers/123/adGroupCriteria/789~34
    criterionId: Text = None


class KeywordView(Nested):
    resourceName: Text = None


class Keyword(Nested):
    adGroupCriterion: Text = None  # resourceName of the keyword that matched


class Segments(Nested):
    """Breakdowns of a report; each selected one adds rows. Week, month and the like follow from `date`."""

    date: DateText = None
    hour: Integer = None
    device: Text = None
    adNetworkType: Text = None
    slot: Text = None
    clickType: Text = None
    keyword: Keyword | None = None
    conversionAction: Text = None
    conversionActionCategory: Text = None
    conversionActionName: Text = None


class Metrics(Nested):
    costMicros: MicrosText = None  # millionths of the customer's currency
    impressions: IntegerText = None
    clicks: IntegerText = None
    interactions: IntegerText = None
    conversions: Number = None  # fractional: attribution shares one conversion among clicks
    conversionsValue: Number = None
    allConversions: Number = None
    viewThroughConversions: IntegerText = None


class Entity(Contract):
    """One entity of an account in its present state."""

    version_field = "updated_at"
    date_field = "updated_at"
    wrappers = ("results",)
    enum_numbers = ENUM_NUMBERS
    money = "none"
    zone = "utc"
    restated_days = 0

    updated_at: UtcTime = None  # in Fivetran's history tables; the API does not send when a resource changed


def history(**columns: str) -> tuple[Layout, ...]:
    """Fivetran's history table of one entity: the column of each field, dots written as two underscores."""
    paths = {path.replace("__", "."): column for path, column in columns.items()}
    return (
        Layout(
            name="fivetran_history",
            known_by=("id", "updated_at"),
            columns=paths | {"updated_at": "updated_at"},
        ),
    )


class CustomerRow(Entity):
    """A row of `FROM customer`."""

    key = ("customer.id",)
    required = ("customer.id",)
    lenient = ("customer.manager", "customer.testAccount")
    layouts = history(
        customer__id="id",
        customer__descriptiveName="descriptive_name",
        customer__currencyCode="currency_code",
        customer__timeZone="time_zone",
    )

    customer: Customer | None = None


class CampaignRow(Entity):
    """A row of `FROM campaign`, without segments and metrics."""

    key = ("customer.id", "campaign.resourceName", "campaign.id")
    required = ("campaign.id",)
    lenient = (
        *("campaign.startDate", "campaign.endDate", "campaign.servingStatus"),
        *("customer.manager", "customer.testAccount"),
    )
    layouts = history(
        customer__id="customer_id",
        campaign__id="id",
        campaign__name="name",
        campaign__status="status",
        campaign__servingStatus="serving_status",
        campaign__advertisingChannelType="advertising_channel_type",
        campaign__advertisingChannelSubType="advertising_channel_subtype",
        campaign__startDate="start_date",
        campaign__endDate="end_date",
    )

    customer: Customer | None = None
    campaign: Campaign | None = None


class AdGroupRow(Entity):
    """A row of `FROM ad_group`, without segments and metrics."""

    key = ("customer.id", "adGroup.resourceName", "adGroup.id")
    required = ("adGroup.id",)
    layouts = history(
        campaign__id="campaign_id",
        campaign__name="campaign_name",
        adGroup__id="id",
        adGroup__name="name",
        adGroup__status="status",
        adGroup__type="type",
    )

    customer: Customer | None = None
    campaign: Campaign | None = None
    adGroup: AdGroup | None = None


class AdRow(Entity):
    """A row of `FROM ad_group_ad`, without segments and metrics."""

    key = ("customer.id", "adGroup.id", "adGroupAd.resourceName", "adGroupAd.ad.id")
    required = ("adGroupAd.ad.id",)
    layouts = history(
        adGroup__id="ad_group_id",
        adGroupAd__status="status",
        adGroupAd__ad__id="id",
        adGroupAd__ad__name="name",
        adGroupAd__ad__type="type",
    )

    customer: Customer | None = None
    campaign: Campaign | None = None
    adGroup: AdGroup | None = None
    adGroupAd: AdGroupAd | None = None


STATS = {
    "customer.id": "customer_id",
    "campaign.id": "campaign_id",
    "adGroup.id": "ad_group_id",
    "adGroupAd.adGroup": "ad_group",
    "adGroupAd.ad.id": "ad_id",
    "adGroupCriterion.criterionId": "ad_group_criterion_criterion_id",
    "segments.date": "date",
    "segments.device": "device",
    "segments.adNetworkType": "ad_network_type",
    "segments.keyword.adGroupCriterion": "keyword_ad_group_criterion",
    "metrics.costMicros": "cost_micros",
    "metrics.impressions": "impressions",
    "metrics.clicks": "clicks",
    "metrics.interactions": "interactions",
    "metrics.conversions": "conversions",
    "metrics.conversionsValue": "conversions_value",
    "metrics.viewThroughConversions": "view_through_conversions",
}
"""Columns of Fivetran's stats tables. Only `id` differs by table: it is the id of the table's own resource."""


CONVERSIONS = ("metrics.conversions",)
"""A report by conversion action can select no cost, impressions or clicks (docs/reporting/segmentation)."""


class PerformanceRow(Contract):
    """One day of an ad, a keyword, an ad group, a campaign or a customer, per segment selected."""

    key = (
        "customer.resourceName",
        "customer.id",
        "campaign.resourceName",
        "campaign.id",
        "adGroup.resourceName",
        "adGroup.id",
        "adGroupAd.resourceName",
        "adGroupAd.adGroup",
        "adGroupAd.ad.id",
        "adGroupCriterion.resourceName",
        "adGroupCriterion.criterionId",
        "keywordView.resourceName",
        "segments.date",
        "segments.hour",
        "segments.device",
        "segments.adNetworkType",
        "segments.slot",
        "segments.clickType",
        "segments.keyword.adGroupCriterion",
        "segments.conversionAction",
        "segments.conversionActionCategory",
        "segments.conversionActionName",
    )
    required = ("segments.date",)
    date_field = "segments.date"
    daily_slice = True
    wrappers = ("results",)
    enum_numbers = ENUM_NUMBERS
    money = "millionths of the customer's currency"
    zone = "account"
    restated_days = 90
    lenient = (
        "customer.manager",
        "customer.testAccount",
        "campaign.startDate",
        "campaign.endDate",
        "metrics.interactions",
        "metrics.allConversions",
        "metrics.viewThroughConversions",
    )
    measures = (
        always("metrics.costMicros", alone=CONVERSIONS),
        if_asked("metrics.impressions"),
        if_asked("metrics.clicks"),
        on_request("metrics.conversions"),
    )
    layouts = (
        Layout(
            name="fivetran_campaign_stats",
            known_by=("customer_id", "date", "ad_network_type", "cost_micros", "id", "base_campaign"),
            columns=STATS | {"campaign.id": "id"},
        ),
        Layout(
            name="fivetran_ad_group_stats",
            known_by=("customer_id", "date", "ad_network_type", "cost_micros", "id", "base_ad_group"),
            columns=STATS | {"adGroup.id": "id"},
        ),
        Layout(
            name="fivetran_stats",  # of ads, keywords and the account
            known_by=("customer_id", "date", "ad_network_type", "cost_micros"),
            columns=STATS,
        ),
    )

    customer: Customer | None = None
    campaign: Campaign | None = None
    adGroup: AdGroup | None = None
    adGroupAd: AdGroupAd | None = None
    adGroupCriterion: AdGroupCriterion | None = None
    keywordView: KeywordView | None = None
    segments: Segments | None = None
    metrics: Metrics | None = None


OBJECTS: dict[str, type[Contract]] = {
    "ads": AdRow,
    "ad_groups": AdGroupRow,
    "ad_performance": PerformanceRow,
    "campaigns": CampaignRow,
    "customers": CustomerRow,
}
