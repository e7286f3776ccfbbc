"""Amazon Ads API v3: entity lists of Sponsored Products, and asynchronous reports of all sponsored ads.

Source: advertising.amazon.com/API/docs/en-us/guides/reporting/v3 (reports; restatement in its faq), and the Postman
collection of amzn/ads-advanced-tools-docs (MIT-0). A list has entities in their present state, a report has
results. Ids are text in the lists and numbers in the reports; a state is in upper case in v3, in lower case before. A
report is JSON, gzipped; a field that was not requested is an absent key. A profile is one marketplace, with a currency
and a time zone of its own.

A metric of Sponsored Products has its attribution window in its name (`purchases7d`). Those of Sponsored Brands and
Display have one window of 14 days and no name for it: `purchasesClicks` are those after a click, as Sponsored Products
counts them, and `purchases` also those after a view. Source: .../reporting/v3/report-types/campaign and
.../reference/migration-guides/reporting-v2-v3 (attributedConversions14d is purchases14d of Sponsored Products and
purchasesClicks of the others).
"""

from __future__ import annotations

from pipeline.contracts.fields import Anything, Contract, DateText, Instant, Integer, Layout, Nested, Number, Text
from pipeline.contracts.measures import always, if_asked, on_request


class ExtendedData(Nested):
    """Present where the list was requested with `includeExtendedDataFields`."""

    creationDateTime: Instant = None
    lastUpdateDateTime: Instant = None
    servingStatus: Text = None


class Entity(Contract):
    """One entity of an advertiser's account in its present state."""

    version_field = "extendedData.lastUpdateDateTime"
    date_field = "extendedData.creationDateTime"
    money = "major units of the profile's currency"
    zone = "offset"
    restated_days = 0


def fivetran_list(key: str, **columns: str) -> tuple[Layout, ...]:
    """The layout of Fivetran's history table of an entity; `columns` are those that not every entity has."""
    stamps = {
        "extendedData.creationDateTime": "creation_date",
        "extendedData.lastUpdateDateTime": "last_updated_date",
        "extendedData.servingStatus": "serving_status",
    }
    known_by = ("id", "last_updated_date", "_fivetran_synced")
    utc = ("extendedData.creationDateTime", "extendedData.lastUpdateDateTime")
    return (
        Layout(name="fivetran", known_by=known_by, columns={key: "id", "state": "state"} | columns | stamps, utc=utc),
    )


class Campaign(Entity):
    """One Sponsored Products campaign in its present state."""

    key = ("campaignId",)
    required = ("campaignId",)
    wrappers = ("campaigns",)
    layouts = fivetran_list(
        "campaignId",
        name="name",
        portfolioId="portfolio_id",
        targetingType="targeting_type",
        startDate="start_date",
        endDate="end_date",
        budget="budget",
    )

    campaignId: Text = None
    portfolioId: Text = None
    name: Text = None
    state: Text = None  # ENABLED, PAUSED, ARCHIVED, ...
    targetingType: Text = None
    startDate: Text = None  # 2022-08-11; 20220811 before v3
    endDate: Text = None
    budget: Anything = None  # {budget, budgetType}; a number before v3
    extendedData: ExtendedData | None = None


class AdGroup(Entity):
    """One ad group in its present state."""

    key = ("adGroupId",)
    required = ("adGroupId",)
    wrappers = ("adGroups",)
    lenient = ("defaultBid",)
    layouts = fivetran_list("adGroupId", campaignId="campaign_id", name="name", defaultBid="default_bid")

    adGroupId: Text = None
    campaignId: Text = None
    name: Text = None
    state: Text = None
    defaultBid: Number = None
    extendedData: ExtendedData | None = None


class ProductAd(Entity):
    """One product ad in its present state. It has no name: it shows a product."""

    key = ("adId",)
    required = ("adId",)
    wrappers = ("productAds",)
    layouts = fivetran_list("adId", adGroupId="ad_group_id", campaignId="campaign_id", asin="asin", sku="sku")

    adId: Text = None
    adGroupId: Text = None
    campaignId: Text = None
    asin: Text = None
    sku: Text = None
    state: Text = None
    extendedData: ExtendedData | None = None


class Report(Contract):
    """One day of an advertised entity. `date` is present with `timeUnit` DAILY; a SUMMARY has none and is refused."""

    required = ("date",)
    date_field = "date"
    daily_slice = True
    money = "major units of the profile's currency"
    zone = "account"
    restated_days = 58  # a window of 30 days, and restatements up to 28 days after the conversion
    lenient = (
        "campaignBudgetAmount",
        "campaignBudgetType",
        "purchases1d",
        "sales1d",
        "costType",
    )
    measures = (
        always("cost", "spend", is_zero_left_out=True),
        if_asked("impressions"),
        if_asked("clicks"),
        on_request("purchases7d", "purchases14d", "purchases30d", "purchasesClicks", "purchases"),
    )

    date: DateText = None  # a day of the profile's time zone
    campaignId: Text = None
    campaignName: Text = None
    campaignStatus: Text = None
    campaignBudgetAmount: Number = None
    campaignBudgetType: Text = None
    campaignBudgetCurrencyCode: Text = None  # ISO 4217
    adGroupId: Text = None
    adGroupName: Text = None
    impressions: Integer = None
    clicks: Integer = None
    cost: Number = None
    spend: Number = None  # another name of cost
    purchases1d: Integer = None
    purchases7d: Integer = None
    purchases14d: Integer = None
    purchases30d: Integer = None
    sales1d: Number = None
    sales7d: Number = None
    sales14d: Number = None
    sales30d: Number = None
    purchases: Integer = None  # of Sponsored Brands and Display: within 14 days of a click or a view
    purchasesClicks: Integer = None  # those of them after a click
    sales: Number = None
    salesClicks: Number = None
    costType: Text = None  # CPC, VCPM


def fivetran_report(**columns: str) -> tuple[Layout, ...]:
    """The layout of Fivetran's table of a report; `columns` are those that not every report has."""
    shared = {
        "date": "date",
        "campaignId": "campaign_id",
        "campaignBudgetAmount": "campaign_budget_amount",
        "campaignBudgetType": "campaign_budget_type",
        "campaignBudgetCurrencyCode": "campaign_budget_currency_code",
        "adGroupId": "ad_group_id",
        "impressions": "impressions",
        "clicks": "clicks",
        "cost": "cost",
    }
    windows = {f"{metric}{days}d": f"{metric}_{days}_d" for metric in ("purchases", "sales") for days in (1, 7, 14, 30)}
    known_by = ("date", "cost", "_fivetran_synced")
    return (Layout(name="fivetran", known_by=known_by, columns=shared | columns | windows),)


class CampaignReport(Report):
    """spCampaigns: one day of a campaign, or of an ad group or placement in it where the report is grouped so."""

    key = ("date", "campaignId", "adGroupId", "placementClassification")
    layouts = fivetran_report(campaignBiddingStrategy="campaign_bidding_strategy")

    placementClassification: Text = None
    campaignBiddingStrategy: Text = None


class AdvertisedProductReport(Report):
    """spAdvertisedProduct: one day of a product ad."""

    key = ("date", "campaignId", "adGroupId", "adId", "advertisedAsin", "advertisedSku")
    layouts = fivetran_report(adId="ad_id", advertisedAsin="advertised_asin", advertisedSku="advertised_sku")

    adId: Text = None
    advertisedAsin: Text = None
    advertisedSku: Text = None


class BrandsCampaignReport(Report):
    """sbCampaigns: one day of a Sponsored Brands campaign."""

    key = ("date", "campaignId")


class DisplayCampaignReport(Report):
    """sdCampaigns: one day of a Sponsored Display campaign, or of a target in it where the report is grouped so."""

    key = ("date", "campaignId", "matchedTargetAsin")

    matchedTargetAsin: Text = None


OBJECTS: dict[str, type[Contract]] = {
    "sponsored_products_campaigns": Campaign,
    "sponsored_products_ad_groups": AdGroup,
    "sponsored_products_product_ads": ProductAd,
    "sponsored_products_campaign_report": CampaignReport,
    "sponsored_products_advertised_product_report": AdvertisedProductReport,
    "sponsored_brands_campaign_report": BrandsCampaignReport,
    "sponsored_display_campaign_report": DisplayCampaignReport,
}
