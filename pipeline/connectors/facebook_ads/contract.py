"""Meta Marketing API v19: ads, ad sets, campaigns and Ads Insights. Instagram ads share these contracts.

Source: developers.facebook.com/docs/marketing-api, and the Graph API recordings of keboola/ex-facebook-graph-api (MIT).
Every metric arrives as text; a metric without activity is an absent key, not 0. Budgets are in minor units, spend in
major units of the account's currency. `date_start` is a day of the ad account's time zone. Fivetran's tables
(fivetran/dbt_facebook_ads, Apache-2.0) have the actions of a report in tables of their own, and of its clicks those on
links.
"""

from __future__ import annotations

from pipeline.contracts.fields import Contract, DateText, DecimalText, Instant, IntegerText, Layout, Nested, Text
from pipeline.contracts.measures import always, if_asked, unless_zero


def fivetran_history(**columns: str) -> tuple[Layout, ...]:
    """The layout of Fivetran's history table of an entity; `columns` are those with other names than their fields."""
    known_by = ("id", "account_id", "updated_time", "_fivetran_synced")
    stamps = {"updated_time": "updated_time", "created_time": "created_time"}
    return (Layout(name="fivetran", known_by=known_by, columns=columns | stamps, utc=tuple(stamps)),)


class Campaign(Contract):
    """One campaign in its present state."""

    key = ("id",)
    required = ("id",)
    version_field = "updated_time"
    date_field = "created_time"
    wrappers = ("data",)
    layouts = fivetran_history()
    lenient = ("objective", "effective_status", "daily_budget")

    id: Text = None
    account_id: Text = None
    name: Text = None
    objective: Text = None
    status: Text = None
    effective_status: Text = None
    daily_budget: IntegerText = None  # minor units of the account's currency
    created_time: Instant = None
    updated_time: Instant = None


class AdSet(Contract):
    """One ad set in its present state."""

    key = ("id",)
    required = ("id",)
    version_field = "updated_time"
    date_field = "created_time"
    wrappers = ("data",)
    layouts = fivetran_history()
    lenient = ("effective_status", "daily_budget")

    id: Text = None
    account_id: Text = None
    campaign_id: Text = None
    name: Text = None
    status: Text = None
    effective_status: Text = None
    daily_budget: IntegerText = None  # minor units of the account's currency
    created_time: Instant = None
    updated_time: Instant = None


class Creative(Nested):
    id: Text = None


class Ad(Contract):
    """One ad in its present state."""

    key = ("id",)
    required = ("id",)
    version_field = "updated_time"
    date_field = "created_time"
    wrappers = ("data",)
    layouts = fivetran_history(adset_id="ad_set_id", **{"creative.id": "creative_id"})

    id: Text = None
    account_id: Text = None
    adset_id: Text = None
    campaign_id: Text = None
    name: Text = None
    status: Text = None
    effective_status: Text = None
    creative: Creative | None = None
    created_time: Instant = None
    updated_time: Instant = None


class Action(Nested):
    """One type of action. The same purchase appears under several action types: never sum over them."""

    action_type: Text = None
    action_reaction: Text = None
    value: DecimalText = None


ACTIONS = ("actions", "actions.value")
"""A report may be asked for its actions alone."""


class Insight(Contract):
    """One day of one ad (or ad set, campaign, account: whatever level was requested), per requested breakdown."""

    key = (
        "account_id",
        "campaign_id",
        "adset_id",
        "ad_id",
        "date_start",
        "date_stop",
        "publisher_platform",
        "platform_position",
        "impression_device",
        "device_platform",
        "country",
        "region",
        "age",
        "gender",
        "hourly_stats_aggregated_by_advertiser_time_zone",
    )
    required = ("date_start",)
    date_field = "date_start"
    daily_slice = True
    money = "major units of account_currency"
    zone = "account"
    restated_days = 28  # Source: developers.facebook.com/docs/marketing-api/insights (the longest attribution window)
    lenient = ("account_name", "reach")
    measures = (
        always("spend", alone=ACTIONS, is_zero_left_out=True),
        if_asked("impressions"),
        unless_zero("clicks", "inline_link_clicks"),
        unless_zero("actions"),
        always("actions.value"),
    )
    wrappers = ("data",)
    layouts = (
        Layout(
            name="fivetran", known_by=("date", "account_id", "impressions", "spend"), columns={"date_start": "date"}
        ),
    )

    account_id: Text = None
    account_name: Text = None
    account_currency: Text = None  # ISO 4217
    campaign_id: Text = None
    campaign_name: Text = None
    adset_id: Text = None
    adset_name: Text = None
    ad_id: Text = None
    ad_name: Text = None
    date_start: DateText = None  # a day of the account's time zone
    date_stop: DateText = None
    publisher_platform: Text = None
    platform_position: Text = None
    impression_device: Text = None
    device_platform: Text = None
    country: Text = None
    region: Text = None
    age: Text = None
    gender: Text = None
    hourly_stats_aggregated_by_advertiser_time_zone: Text = None
    spend: DecimalText = None  # major units of account_currency
    impressions: IntegerText = None
    clicks: IntegerText = None
    inline_link_clicks: IntegerText = None  # those of clicks that are on links
    reach: IntegerText = None
    actions: list[Action] | None = None
    action_values: list[Action] | None = None


OBJECTS: dict[str, type[Contract]] = {"ads": Ad, "ad_sets": AdSet, "campaigns": Campaign, "facebook_insights": Insight}
