"""TikTok API for Business v1.3: campaigns, ad groups, ads, and the basic and audience reports by day or by hour.

Source: business-api.tiktok.com/portal/docs (campaign/get, adgroup/get, ad/get, report/integrated/get). Records are
wrapped in `data.list`. A report row is {dimensions, metrics}, every metric is text, and one that does not apply to the
row is "-". Report times are in the advertiser's time zone; times of campaigns, ad groups and ads are UTC.

GMV Max campaigns are in no basic report (singer-io/tap-tiktok-ads#32) but in one of their own (gmv_max/report/get), of
the same form, whose metrics are `cost` and `orders`.
"""

from __future__ import annotations

from pipeline.contracts.fields import (
    Contract,
    DateText,
    DecimalText,
    IntegerText,
    Layout,
    LocalTime,
    Nested,
    Number,
    Text,
    UtcTime,
)
from pipeline.contracts.measures import always, if_asked, on_request


class Entity(Contract):
    """One entity of an advertiser's account in its present state."""

    version_field = "modify_time"
    date_field = "create_time"
    wrappers = ("data.list", "list")
    money = "major units of the account's currency"
    zone = "utc"
    restated_days = 0

    advertiser_id: Text = None
    campaign_id: Text = None
    operation_status: Text = None  # as set by the advertiser: ENABLE, DISABLE, FROZEN
    secondary_status: Text = None  # the resulting delivery status: CAMPAIGN_STATUS_ENABLE, AD_STATUS_DELIVERY_OK, ...
    create_time: UtcTime = None
    modify_time: UtcTime = None


def fivetran_list(*same: str) -> tuple[Layout, ...]:
    """The layout of Fivetran's history table of an entity; `same` are the columns that kept their field's name."""
    shared = ("advertiser_id", "campaign_id", "operation_status", "secondary_status", "create_time")
    return (
        Layout(
            name="fivetran",
            known_by=("updated_at", "_fivetran_synced"),
            columns={name: name for name in (*shared, *same)} | {"modify_time": "updated_at"},
            utc=("create_time", "modify_time"),
        ),
    )


class Campaign(Entity):
    """One campaign in its present state."""

    key = ("campaign_id",)
    required = ("campaign_id",)
    lenient = ("budget",)
    layouts = fivetran_list("campaign_name", "objective_type", "budget", "budget_mode")

    campaign_name: Text = None
    objective_type: Text = None
    budget: Number = None
    budget_mode: Text = None


class AdGroup(Entity):
    """One ad group in its present state."""

    key = ("adgroup_id",)
    required = ("adgroup_id",)
    lenient = ("budget",)
    layouts = fivetran_list("adgroup_id", "adgroup_name", "budget", "budget_mode")

    adgroup_id: Text = None
    adgroup_name: Text = None
    budget: Number = None
    budget_mode: Text = None


class Ad(Entity):
    """One ad in its present state."""

    key = ("ad_id",)
    required = ("ad_id",)
    layouts = fivetran_list("ad_id", "adgroup_id", "ad_name")

    ad_id: Text = None
    adgroup_id: Text = None
    ad_name: Text = None


class Level(Nested):
    """Dimensions of a report that identify the advertised entity and its audience: one of the ids, any breakdowns."""

    advertiser_id: Text = None
    campaign_id: Text = None
    adgroup_id: Text = None
    ad_id: Text = None
    country_code: Text = None
    province_id: Text = None
    gender: Text = None
    age: Text = None
    language: Text = None
    platform: Text = None
    placement: Text = None
    ac: Text = None  # the connection: WIFI, 4G, ...
    interest_category: Text = None


GRAIN = tuple(f"dimensions.{name}" for name in Level.model_fields)


class DayOfLevel(Level):
    stat_time_day: DateText = None  # 2020-10-17 00:00:00, a day in the advertiser's time zone


class HourOfLevel(Level):
    stat_time_hour: LocalTime = None  # the hour's beginning in the advertiser's time zone


class Metrics(Nested):
    """Metrics, and the requested attributes of the advertised entity."""

    campaign_id: Text = None
    campaign_name: Text = None
    adgroup_id: Text = None
    adgroup_name: Text = None
    ad_name: Text = None
    currency: Text = None  # ISO 4217
    spend: DecimalText = None
    impressions: IntegerText = None
    clicks: IntegerText = None
    conversion: DecimalText = None  # on the day of the click or view that led to it
    total_purchase_value: DecimalText = None  # of those that are purchases
    cost: DecimalText = None  # in GMV Max reports, for spend
    net_cost: DecimalText = None  # cost less credits
    orders: DecimalText = None  # in GMV Max reports, for conversion
    gross_revenue: DecimalText = None  # of those orders


class Report(Contract):
    """Attributes that both reports share."""

    wrappers = ("data.list", "list")
    money = "major units of the account's currency, as text"
    zone = "account"
    restated_days = 28  # the longest click window; source: ads.tiktok.com/help/article/attribution-manager
    lenient = ("metrics.net_cost",)
    measures = (
        always("metrics.spend", "metrics.cost"),
        if_asked("metrics.impressions"),
        if_asked("metrics.clicks"),
        on_request("metrics.conversion", "metrics.orders"),
    )


def fivetran_report(time: str) -> tuple[Layout, ...]:
    """The layouts of Fivetran's report tables, and of singer-io/tap-tiktok-ads: of every level and breakdown."""
    grain = {path: path.removeprefix("dimensions.") for path in (*GRAIN, f"dimensions.{time}")}
    metrics = {
        f"metrics.{name}": name for name in ("spend", "impressions", "clicks", "conversion", "total_purchase_value")
    }
    names = {f"metrics.{name}": name for name in ("campaign_name", "adgroup_name", "ad_name", "currency")}
    return (
        Layout(name="fivetran", known_by=(time, "_fivetran_synced"), columns=grain | metrics),
        Layout(name="singer", known_by=(time, "spend", "impressions"), columns=grain | metrics | names),
    )


class DailyReport(Report):
    """One day of an ad (or ad group, campaign, advertiser: whatever level was requested), per requested breakdown."""

    key = (*GRAIN, "dimensions.stat_time_day")
    required = ("dimensions.stat_time_day",)
    date_field = "dimensions.stat_time_day"
    daily_slice = True
    layouts = fivetran_report("stat_time_day")

    dimensions: DayOfLevel | None = None
    metrics: Metrics | None = None


class HourlyReport(Report):
    """One hour of an ad, ad group, campaign or advertiser. An export holds some hours, not always the whole day."""

    key = (*GRAIN, "dimensions.stat_time_hour")
    required = ("dimensions.stat_time_hour",)
    date_field = "dimensions.stat_time_hour"
    layouts = fivetran_report("stat_time_hour")

    dimensions: HourOfLevel | None = None
    metrics: Metrics | None = None


OBJECTS: dict[str, type[Contract]] = {
    "campaigns": Campaign,
    "ad_groups": AdGroup,
    "ads": Ad,
    "ads_reports_daily": DailyReport,
    "ads_reports_hourly": HourlyReport,
}
