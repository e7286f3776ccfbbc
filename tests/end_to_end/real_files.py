"""The real files of every connector: which tenant of one project reads which, and where each comes from.

GA4, the derived Shopify orders and the recorded insights of Meta have a project of their own (conftest.py). Two reports
of one thing at different levels are two accounts, so that each is compared with its own file; Microsoft's four levels
are one account, whose days the finest report of each campaign fills.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

LIFTED = "@"
"""Begins the name of a file that holds pages lifted out of a recording, values untouched."""

Names = str | tuple[str, ...]
Accounts = Mapping[str, Mapping[str, Names]]

NORTH: Mapping[str, Accounts] = {
    "google_ads": {
        "customer": {
            "ad_performance": "fivetran/account_stats_data.csv",
            "customers": "fivetran/account_history_data.csv",
        },
        "campaign": {
            "ad_performance": "fivetran/campaign_stats_data.csv",
            "campaigns": "fivetran/campaign_history_data.csv",
        },
        "ad_group": {
            "ad_performance": "fivetran/ad_group_stats_data.csv",
            "ad_groups": "fivetran/ad_group_history_data.csv",
        },
        "ad": {"ad_performance": "fivetran/ad_stats_data.csv", "ads": "fivetran/ad_history_data.csv"},
        "keyword": {"ad_performance": "fivetran/keyword_stats_data.csv"},
        "search_term": {"ad_performance": "fivetran/search_term_keyword_stats_data.csv"},
    },
    "bing_ads": {
        "levels": {
            "account_performance_report": "fivetran/microsoft_ads_account_performance_daily_report_data.csv",
            "campaign_performance_report": "fivetran/microsoft_ads_campaign_performance_daily_report_data.csv",
            "ad_group_performance_report": "fivetran/microsoft_ads_ad_group_performance_daily_report_data.csv",
            "ad_performance_report": "fivetran/microsoft_ads_ad_performance_daily_report_data.csv",
            "campaigns": "fivetran/microsoft_ads_campaign_history_data.csv",
            "ad_groups": "fivetran/microsoft_ads_ad_group_history_data.csv",
            "ads": "fivetran/microsoft_ads_ad_history_data.csv",
        },
        "keyword": {"ad_performance_report": "fivetran/microsoft_ads_keyword_performance_daily_report_data.csv"},
        "download": {"ad_performance_report": "report_download/keyword_performance_1.csv"},
    },
    "linkedin_ads": {
        "campaign": {
            "ad_analytics_by_campaign": "fivetran/linkedin_ad_analytics_by_campaign_data.csv",
            "campaigns": "fivetran/linkedin_campaign_history_data.csv",
        },
        "creative": {"ad_analytics": "fivetran/linkedin_ad_analytics_by_creative_data.csv"},
    },
    "shopify": {
        "loaded": {"orders": "fivetran/shopify_order_data.csv", "products": "fivetran/shopify_product_data.csv"},
        "graphql": {"orders": "fivetran/shopify_gql_order_data.csv"},
        "rest": {
            "orders": ("rest/order.json", "rest/orders.json"),
            "products": ("rest/product.json", "rest/products.json"),
        },
    },
    "amplitude": {"main": {"events": "fivetran/amplitude_event_data.csv"}},
}

SOUTH: Mapping[str, Accounts] = {
    "amazon_ads": {
        "loaded": {
            "sponsored_products_campaigns": "fivetran/campaign_history_data.csv",
            "sponsored_products_ad_groups": "fivetran/ad_group_history_data.csv",
            "sponsored_products_product_ads": "fivetran/product_ad_history_data.csv",
            "sponsored_products_campaign_report": (
                "fivetran/campaign_level_report_data.csv",
                "fivetran/ad_group_level_report_data.csv",
            ),
            "sponsored_products_advertised_product_report": "fivetran/advertised_product_report_data.csv",
        },
        "api": {
            "sponsored_products_campaigns": (
                "api/first_call_list_sb_campaigns_success.json",
                "api/first_call_list_sd_campaigns_multiple_campaigns.json",
                "api/first_call_list_sp_campaigns_success.json",
            ),
            "sponsored_products_campaign_report": (
                "api/sponsored_ads_v3_create_report_sp_daily_campaign_report.json",
                "api/sponsored_ads_v3_report_status_complete_status.json",
            ),
        },
    },
    "tiktok_ads": {
        "ad": {
            "ads_reports_hourly": "fivetran/tiktok_ad_report_hourly_data.csv",
            "ads": "fivetran/tiktok_ad_history_data.csv",
        },
        "ad_group": {
            "ads_reports_hourly": "fivetran/tiktok_adgroup_report_hourly_data.csv",
            "ad_groups": "fivetran/tiktok_adgroup_history_data.csv",
        },
        "campaign": {
            "ads_reports_hourly": "fivetran/tiktok_campaign_report_hourly_data.csv",
            "campaigns": "fivetran/tiktok_campaign_history_data.csv",
        },
        "country": {"ads_reports_daily": "fivetran/tiktok_campaign_country_report_data.csv"},
    },
    "facebook_ads": {
        "ad": {
            "facebook_insights": "fivetran/facebook_ads_basic_ad_data.csv",
            "campaigns": "fivetran/facebook_ads_campaign_history_data.csv",
            "ad_sets": "fivetran/facebook_ads_ad_set_history_data.csv",
            "ads": "fivetran/facebook_ads_ad_history_data.csv",
        },
        "country": {"facebook_insights": "fivetran/facebook_ads_demographics_country_data.csv"},
        "region": {"facebook_insights": "fivetran/facebook_ads_demographics_region_data.csv"},
        "recorded": {
            "facebook_insights": "graph_api/asyncinisghtscampaigns_rows.jsonl",
            "campaigns": "@campaigns.jsonl",
            "ad_sets": "@adsets.jsonl",
            "ads": "@ads.jsonl",
        },
    },
    "bigcommerce": {
        "main": {"orders": "api/order.json", "order_products": "api/order_product.json", "products": "api/product.json"}
    },
    "woocommerce": {
        "derived": {"orders": "derived_orders/orders_2011-03.jsonl.gz"},
        "documented": {
            "orders": (
                "wp-api-v3/orders_http_request.json",
                "wp-api-v3/orders_http_request_3.json",
                "wp-api-v3/orders_http_request_4.json",
                "wp-api-v3/orders_http_request_6.json",
            ),
            "products": ("wp-api-v3/products_http_request.json", "wp-api-v3/products_http_request_4.json"),
        },
    },
    "mixpanel": {"main": {"events": "fivetran/event.csv"}},
    "stripe": {"api": {"charges": "api/charge.json"}, "loaded": {"charges": "fivetran/charge_data.csv"}},
}

TENANTS = {"north": NORTH, "south": SOUTH}
ZONES = {"north": "UTC", "south": "Europe/London"}
LOGIC = {"facebook_ads": [{"name": "facebook_insights", "logic": {"conversion_event_pattern": "link_click"}}]}


@dataclass(frozen=True)
class Delivery:
    """The files that one account of a connector delivers of one object."""

    slug: str
    connector: str
    account: str
    object: str
    names: tuple[str, ...]
    """Relative to the connector's folder."""


def deliveries() -> Iterator[Delivery]:
    """Everything that the project reads."""
    for slug, connectors in TENANTS.items():
        for connector, accounts in connectors.items():
            for account, objects in accounts.items():
                for name, names in objects.items():
                    yield Delivery(slug, connector, account, name, (names,) if isinstance(names, str) else tuple(names))


@dataclass(frozen=True)
class RealFiles:
    """Where the files are: the shared folder, and one for pages lifted out of recordings."""

    folder: Path
    lifted: Path

    def path(self, connector: str, name: str) -> Path:
        if name.startswith(LIFTED):
            return self.lifted / name.removeprefix(LIFTED)
        return self.folder / connector / name

    def paths(self, delivery: Delivery) -> list[Path]:
        return [self.path(delivery.connector, name) for name in delivery.names]

    def lift(self) -> None:
        """Write the pages of the recorded Graph API calls, by what was asked for: /ads, /adsets, /campaigns."""
        recording = self.folder / "facebook_ads/graph_api/ads_pages.jsonl"
        pages: dict[str, list[str]] = {}
        for line in recording.read_text("utf-8").splitlines():
            call = json.loads(line)
            asked = call["request"].partition("?")[0].rpartition("/")[2]
            if "data" in call["body"]:
                pages.setdefault(asked, []).append(json.dumps(call["body"]))
        for asked, bodies in pages.items():
            (self.lifted / f"{asked}.jsonl").write_text("\n".join(bodies), encoding="utf-8")

    def tenants_yaml(self) -> str:
        """The tenants who read them."""
        return yaml.safe_dump({"tenants": [self._tenant(slug, of) for slug, of in TENANTS.items()]}, sort_keys=False)

    def _tenant(self, slug: str, connectors: Mapping[str, Accounts]) -> dict[str, Any]:
        sources = {
            connector: {
                "enabled": True,
                "accounts": {account: {"read": self._read(connector, of)} for account, of in accounts.items()},
            }
            | ({"tables": LOGIC[connector]} if connector in LOGIC else {})
            for connector, accounts in connectors.items()
        }
        named = {"slug": slug, "business_name": slug.title(), "currency": "USD", "timezone": ZONES[slug]}
        return named | {"sources": sources}

    def _read(self, connector: str, objects: Mapping[str, Names]) -> dict[str, Any]:
        listed = {name: (names,) if isinstance(names, str) else names for name, names in objects.items()}
        paths = {name: [str(self.path(connector, one)) for one in names] for name, names in listed.items()}
        return {"kind": "files", "objects": paths}
