"""A simulated shop with any connectors, and its generated files in SQL, in the vendors' words and in common ones."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipeline.config.accounts import Account
from pipeline.config.connector_catalog import load_catalog
from pipeline.config.source import Source
from pipeline.config.tenant import Tenant
from pipeline.contracts.connector import Connector
from pipeline.synthetic.generate import generate

ROOT = Path(__file__).parents[2]
CATALOG = load_catalog(ROOT / "supported_connectors.yaml")
UNTIL = date(2026, 3, 1)
DAYS = 14
ADS = sorted(name for name, connector in CATALOG.items() if connector.domain == "ads")
SHOPS = sorted(name for name, connector in CATALOG.items() if connector.domain == "ecommerce")
ANALYTICS = sorted(name for name, connector in CATALOG.items() if connector.domain == "analytics")

Parameters = Mapping[str, Mapping[str, Any]]


def source(connector: Connector, accounts: tuple[Account, ...], parameters: Mapping[str, Any]) -> Source:
    return Source(
        platform=connector.name,
        domain=connector.domain,
        objects=connector.objects,
        like=connector.like,
        enabled=True,
        accounts=accounts,
        generation=dict(parameters),
    )


def tenant(
    *platforms: str,
    slug: str = "acme",
    accounts: Mapping[str, tuple[Account, ...]] | None = None,
    parameters: Parameters | None = None,
    zone: str = "UTC",
    currency: str = "USD",
) -> Tenant:
    """A tenant of these connectors; of all of them when none is named."""
    sources = [
        source(CATALOG[name], (accounts or {}).get(name, (Account(),)), (parameters or {}).get(name, {}))
        for name in sorted(platforms or CATALOG)
    ]
    return Tenant(slug=slug, business_name=slug, timezone=zone, currency=currency, sources=tuple(sources))


class Raw:
    """The generated files of a tenant, as vendors would send them, to be asked in SQL.

    <platform>__<object> has the records of an object as they are; <platform> is an ads platform's finest daily report.
    """

    def __init__(self, tenant: Tenant, home: Path, *, days: int = DAYS, until: date = UNTIL) -> None:
        self.files = generate(tenant, home, until=until, days=days)
        self.connection = duckdb.connect(config={"threads": 1})
        self._unread = {f"{platform}__{name}": (platform, name) for platform, _, name in self.files}

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        sql = re.sub(rf"\b(from|join) ({'|'.join(REPORTS)})\b", lambda match: f"{match[1]} ({REPORTS[match[2]]})", sql)
        for name in [name for name in self._unread if re.search(rf"\b{name}\b", sql)]:
            self._read(name, *self._unread.pop(name))
        return self.connection.execute(sql).fetchall()

    def _read(self, table: str, platform: str, name: str) -> None:
        paths = [file for key, files in self.files.items() if key[::2] == (platform, name) for file in files]
        if paths[0].suffix == ".csv":
            self.connection.register(table, _bing_rows(paths))
        else:
            self.connection.execute(f"create table {table} as select * from {_reader(paths)}")

    def one(self, sql: str) -> Any:
        return self.ask(sql)[0][0]

    def records(self, platform: str, name: str, account: str = "main") -> list[dict[str, Any]]:
        """The JSON records of an object, in their order."""
        lines = [line for path in self.files[platform, account, name] for line in path.read_text().splitlines()]
        return [json.loads(line) for line in lines if line]


def _reader(paths: list[Path]) -> str:
    files = [str(path) for path in paths]
    if paths[0].suffix == ".parquet":
        return f"read_parquet({files}, filename = true)"
    return f"read_json({files}, format = 'newline_delimited', sample_size = -1, filename = true)"


def _bing_rows(paths: list[Path]) -> pa.Table:
    """The rows of downloads, without the ten lines before their header and the two after them."""
    rows = []
    for path in paths:
        lines = path.read_text(encoding="utf-8").splitlines()[10:-2]
        rows += [{**row, "filename": str(path)} for row in csv.DictReader(lines)]
    return pa.Table.from_pylist(rows)


REPORTS = {
    "facebook_ads": """
        select date_start::date as day, campaign_id::bigint as campaign_id, ad_id::bigint as ad_id,
            spend::double as spend, impressions::bigint as impressions, coalesce(clicks::bigint, 0) as clicks,
            coalesce(list_filter(actions, lambda a: a.action_type = 'purchase')[1].value::double, 0) as conversions,
            filename
        from facebook_ads__facebook_insights""",
    "google_ads": """
        select segments.date::date as day, campaign.id::bigint as campaign_id, adGroupAd.ad.id::bigint as ad_id,
            metrics.costMicros::bigint / 1e6 as spend, metrics.impressions::bigint as impressions,
            metrics.clicks::bigint as clicks, metrics.conversions as conversions, filename
        from google_ads__ad_performance""",
    "bing_ads": """
        select TimePeriod::date as day, CampaignId::bigint as campaign_id, AdId::bigint as ad_id,
            Spend::double as spend, Impressions::bigint as impressions, Clicks::bigint as clicks,
            Conversions::double as conversions, filename
        from bing_ads__ad_performance_report""",
    "linkedin_ads": """
        select make_date(dateRange.start.year, dateRange.start.month, dateRange.start.day) as day,
            split_part(pivotValues[1], ':', 4)::bigint as campaign_id, null as ad_id,
            costInLocalCurrency::double as spend, impressions, clicks,
            externalWebsiteConversions::double as conversions, filename
        from linkedin_ads__ad_analytics_by_campaign""",
    "amazon_ads": """
        select date::date as day, campaignId as campaign_id, adId as ad_id, cost as spend, impressions, clicks,
            purchases7d::double as conversions, filename
        from amazon_ads__sponsored_products_advertised_product_report""",
    "tiktok_ads": """
        select dimensions.stat_time_day::date as day, metrics.campaign_id::bigint as campaign_id,
            dimensions.ad_id::bigint as ad_id, metrics.spend::double as spend,
            metrics.impressions::bigint as impressions, metrics.clicks::bigint as clicks,
            metrics.conversion::double as conversions, filename
        from tiktok_ads__ads_reports_daily""",
}
REPORTS["instagram_ads"] = REPORTS["facebook_ads"].replace("facebook_ads__", "instagram_ads__")
"""The finest daily report of each ads platform, in columns of one kind."""

CAMPAIGNS = {
    "facebook_ads": "select distinct id::bigint as id, name from facebook_ads__campaigns",
    "instagram_ads": "select distinct id::bigint as id, name from instagram_ads__campaigns",
    "google_ads": "select distinct campaign.id::bigint as id, campaign.name as name from google_ads__campaigns",
    "bing_ads": "select distinct Id::bigint as id, Name as name from bing_ads__campaigns",
    "linkedin_ads": "select distinct id::bigint as id, name from linkedin_ads__campaigns",
    "amazon_ads": "select distinct campaignId::bigint as id, name from amazon_ads__sponsored_products_campaigns",
    "tiktok_ads": "select distinct campaign_id::bigint as id, campaign_name as name from tiktok_ads__campaigns",
}
AD_GROUPS = {
    "facebook_ads": "facebook_ads__ad_sets",
    "instagram_ads": "instagram_ads__ad_sets",
    "google_ads": "google_ads__ad_groups",
    "bing_ads": "bing_ads__ad_groups",
    "amazon_ads": "amazon_ads__sponsored_products_ad_groups",
    "tiktok_ads": "tiktok_ads__ad_groups",
}  # LinkedIn has none

PARAM = "list_filter(event_params, lambda param: param.key = '{}')[1].value.string_value"
EVENTS = {
    "google_analytics": f"""
        select event_name as name, make_timestamp(event_timestamp) as moment, user_pseudo_id as device,
            user_id as person, {PARAM.format("source")} as source, {PARAM.format("medium")} as medium,
            {PARAM.format("campaign")} as campaign,
            ecommerce.purchase_revenue as revenue, nullif(ecommerce.transaction_id, '(not set)') as order_id, filename
        from google_analytics__events where user_pseudo_id is not null""",
    "amplitude": """
        select event_type as name, event_time::timestamp as moment, device_id as device, user_id as person,
            event_properties.utm_source as source, event_properties.utm_medium as medium,
            event_properties.utm_campaign as campaign, event_properties."$revenue" as revenue,
            event_properties.order_id::varchar as order_id, filename
        from amplitude__events""",
    "mixpanel": """
        select event as name, make_timestamp(properties.time * 1000000) as moment, properties."$device_id" as device,
            properties."$user_id" as person, properties.utm_source as source, properties.utm_medium as medium,
            properties.utm_campaign as campaign, properties.revenue as revenue,
            properties.order_id::varchar as order_id, filename
        from mixpanel__events where properties.distinct_id <> ''""",
}
"""Events of each analytics platform that somebody is known to have caused, in columns of one kind."""

ORDERS = {
    "shopify": """
        select id::varchar as id, total_price::decimal(18, 2) as total, currency,
            total_price::decimal(18, 2) - current_total_price::decimal(18, 2) as refunded,
            financial_status not in ('pending', 'voided') as is_paid, note_attributes[1].value as payment,
            created_at::timestamptz as placed_at
        from shopify__orders where not test
        qualify row_number() over (partition by id order by updated_at::timestamptz desc) = 1""",
    "bigcommerce": """
        select id::varchar as id, total_inc_tax::decimal(18, 2) as total, default_currency_code as currency,
            refunded_amount::decimal(18, 2) as refunded, payment_status = 'captured' as is_paid,
            nullif(payment_provider_id, '') as payment,
            strptime(date_created, '%a, %d %b %Y %H:%M:%S %z') as placed_at
        from bigcommerce__orders
        qualify row_number() over (
            partition by id order by strptime(date_modified, '%a, %d %b %Y %H:%M:%S %z') desc
        ) = 1""",
    "woocommerce": """
        select id::varchar as id, total::decimal(18, 2) as total, currency,
            coalesce(-list_sum(list_transform(refunds, lambda refund: refund.total::decimal(18, 2))), 0) as refunded,
            date_paid_gmt is not null as is_paid, nullif(transaction_id, '') as payment,
            date_created_gmt::timestamp::timestamptz as placed_at
        from woocommerce__orders
        qualify row_number() over (partition by id order by date_modified_gmt::timestamp desc) = 1""",
}
"""The orders of each shop platform as they are now, in columns of one kind."""
