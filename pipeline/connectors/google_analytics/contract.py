"""Google Analytics 4, BigQuery export of events.

Source: support.google.com/analytics/answer/7029846 (BigQuery Export schema), and Google's public sample
`ga4_obfuscated_sample_ecommerce`. `event_timestamp` is microseconds UTC, `event_date` a day of the property's time
zone; JSON exports send int64 as text. A key of `event_params` may arrive in different value slots.

Sources of traffic (developers.google.com/analytics/bigquery/traffic-attribution-data): `traffic_source` is the user's
first one; what an event itself carries is in `event_params` or `collected_traffic_source`; what Google Analytics says
brought the session, clicks of linked ad accounts included, is in `session_traffic_source_last_click`, since 2024.
Clicks of auto-tagged ads carry a click id and no utm parameters, and their event says google / organic or nothing
(Velir/dbt-ga4#68, #334, #368).
"""

from __future__ import annotations

from pipeline.contracts.fields import CompactDate, Contract, EpochMicros, Flag, Integer, Nested, Number, Text
from pipeline.contracts.measures import with_some


class ParamValue(Nested):
    string_value: Text = None
    int_value: Integer = None
    float_value: Number = None
    double_value: Number = None


class Param(Nested):
    key: Text = None
    value: ParamValue | None = None


class Privacy(Nested):
    analytics_storage: Text = None
    ads_storage: Text = None
    uses_transient_token: Text = None


class WebInfo(Nested):
    browser: Text = None
    browser_version: Text = None
    hostname: Text = None


class Device(Nested):
    category: Text = None
    mobile_brand_name: Text = None
    mobile_model_name: Text = None
    operating_system: Text = None
    operating_system_version: Text = None
    language: Text = None
    web_info: WebInfo | None = None


class Geo(Nested):
    continent: Text = None
    sub_continent: Text = None
    country: Text = None
    region: Text = None
    city: Text = None
    metro: Text = None


class TrafficSource(Nested):
    name: Text = None  # the campaign
    medium: Text = None
    source: Text = None


class CollectedTrafficSource(Nested):
    manual_campaign_id: Text = None
    manual_campaign_name: Text = None
    manual_source: Text = None
    manual_medium: Text = None
    gclid: Text = None
    manual_term: Text = None
    manual_content: Text = None
    manual_source_platform: Text = None
    manual_creative_format: Text = None
    manual_marketing_tactic: Text = None
    dclid: Text = None
    srsltid: Text = None  # of free listings in Google Merchant Center


class ManualCampaign(Nested):
    """What utm parameters said."""

    campaign_id: Text = None
    campaign_name: Text = None
    source: Text = None
    medium: Text = None
    term: Text = None
    content: Text = None
    source_platform: Text = None
    creative_format: Text = None
    marketing_tactic: Text = None


class GoogleAdsCampaign(Nested):
    """Of a linked Google Ads account."""

    customer_id: Text = None
    account_name: Text = None
    campaign_id: Text = None
    campaign_name: Text = None
    ad_group_id: Text = None
    ad_group_name: Text = None


class CrossChannelCampaign(Nested):
    """The source that reports of Google Analytics show, of whatever channel."""

    campaign_id: Text = None
    campaign_name: Text = None
    source: Text = None
    medium: Text = None
    source_platform: Text = None
    default_channel_group: Text = None
    primary_channel_group: Text = None


class SessionTrafficSource(Nested):
    """The last click before the session that was not direct."""

    manual_campaign: ManualCampaign | None = None
    google_ads_campaign: GoogleAdsCampaign | None = None
    cross_channel_campaign: CrossChannelCampaign | None = None


class Ecommerce(Nested):
    total_item_quantity: Integer = None
    purchase_revenue_in_usd: Number = None
    purchase_revenue: Number = None  # major units of the event parameter `currency`
    refund_value: Number = None
    shipping_value: Number = None
    tax_value: Number = None
    unique_items: Integer = None
    transaction_id: Text = None  # '(not set)' is none


class Item(Nested):
    item_id: Text = None
    item_name: Text = None
    item_category: Text = None
    price: Number = None
    quantity: Integer = None
    item_revenue: Number = None
    item_revenue_in_usd: Number = None


class Event(Contract):
    """One event. The export has no key: equal records of one export are real, and a day is a slice."""

    required = ("event_name", "event_timestamp", "event_date")
    date_field = "event_date"
    daily_slice = True
    identity = ("user_pseudo_id", "user_id")
    personal = ("geo.city", "geo.metro", "geo.region")
    lenient = (
        "event_previous_timestamp",
        "event_value_in_usd",
        "event_bundle_sequence_id",
        "event_server_timestamp_offset",
        "privacy_info",
        "user_first_touch_timestamp",
        "device.mobile_brand_name",
        "device.mobile_model_name",
        "device.operating_system",
        "device.operating_system_version",
        "device.language",
        "device.web_info",
        "geo.continent",
        "geo.sub_continent",
        "ecommerce.total_item_quantity",
        "ecommerce.refund_value",
        "ecommerce.shipping_value",
        "ecommerce.tax_value",
        "ecommerce.unique_items",
        "items.price",
        "items.quantity",
        "is_active_user",
    )
    measures = (
        with_some(
            "ecommerce.purchase_revenue",
            "ecommerce.purchase_revenue_in_usd",
            "items.item_revenue",
            "items.item_revenue_in_usd",
        ),
    )

    event_date: CompactDate = None
    event_timestamp: EpochMicros = None
    event_name: Text = None
    event_params: list[Param] | None = None
    event_previous_timestamp: EpochMicros = None
    event_value_in_usd: Number = None
    event_bundle_sequence_id: Integer = None
    event_server_timestamp_offset: Integer = None
    batch_event_index: Integer = None
    batch_page_id: Integer = None
    batch_ordering_id: Integer = None
    user_id: Text = None
    user_pseudo_id: Text = None
    privacy_info: Privacy | None = None
    user_first_touch_timestamp: EpochMicros = None
    device: Device | None = None
    geo: Geo | None = None
    traffic_source: TrafficSource | None = None
    collected_traffic_source: CollectedTrafficSource | None = None
    stream_id: Text = None
    platform: Text = None
    ecommerce: Ecommerce | None = None
    items: list[Item] | None = None
    session_traffic_source_last_click: SessionTrafficSource | None = None
    is_active_user: Flag = None


OBJECTS: dict[str, type[Contract]] = {"events": Event}
