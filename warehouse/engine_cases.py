"""A case per engine: records as the vendor sends them, and the canonical rows the engine makes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

Rows = Sequence[Mapping[str, object]]


@dataclass(frozen=True)
class Case:
    """What an engine makes of some records; columns that `expected` leaves out are not compared."""

    sentence: str
    records: Mapping[str, Rows]
    expected: Rows
    canonical: Mapping[str, Rows] = field(default_factory=dict)  # rows of canonical tables it reads beside them


def _meta_report(pattern: str | None) -> Case:
    wanted = pattern or "purchase"
    ad = {"campaign_id": "c1", "adset_id": "s1", "ad_id": "a1", "date_start": "2026-01-05", "date_stop": "2026-01-05"}
    reactions = [
        {"action_type": wanted, "action_reaction": "like", "value": "1"},
        {"action_type": wanted, "value": "3"},
        {"action_type": f"omni_{wanted}", "value": "9"},
    ]
    row = {
        "source_platform": "facebook_ads",
        "report_date": "2026-01-05",
        "ad_name": "Now",
        "spend": 0,
        "clicks": 0,
        "currency": "EUR",
    }
    return Case(
        "text is numbers, absent metrics are 0, one action type counts, and its total beats its reactions",
        {
            "facebook_insights": [
                ad | {"spend": "11.97", "impressions": "3613", "actions": reactions, "account_currency": "eur"},
                ad | {"ad_id": "a2", "ad_name": "Then", "account_currency": "EUR"},
                ad | {"ad_id": "a3", "publisher_platform": "instagram", "account_currency": "EUR", "clicks": "2"},
            ],
            "ads": [{"id": "a1", "name": "Now"}],
        },
        [
            row | {"ad_id": "a1", "spend": 11.97, "impressions": 3613, "conversions": 3.0 if pattern else None},
            row | {"ad_id": "a2", "ad_name": "Then", "impressions": 0, "conversions": 0.0 if pattern else None},
            row
            | {"ad_id": "a3", "ad_name": None, "source_platform": "instagram_ads", "clicks": 2, "impressions": 0}
            | {"conversions": 0.0 if pattern else None},
        ],
    )


def _meta_campaigns(_pattern: str | None) -> Case:
    old = {"id": "c1", "name": "Spring", "status": "PAUSED", "in_force_to": "2026-02-01 00:00:00"}
    new = {"id": "c1", "name": "Summer", "status": "ACTIVE", "in_force_from": "2026-02-01 00:00:00"}
    was = {
        "campaign_id": "c1",
        "campaign_name": "Spring",
        "campaign_status": "PAUSED",
        "in_force_to": "2026-02-01 00:00:00",
    }
    now = {"campaign_id": "c1", "campaign_name": "Summer", "campaign_status": "ACTIVE", "in_force_to": None}
    return Case(
        "every version of a campaign, for every platform of Meta that its reports name",
        {"campaigns": [old, new]},
        [version | {"source_platform": name} for version in (was, now) for name in ("facebook_ads", "instagram_ads")],
        {"ad_performance": [{"source_platform": "instagram_ads", "source_account": "main", "campaign_id": "c1"}]},
    )


def _shopify_orders(_pattern: str | None) -> Case:
    return Case(
        "offsets become UTC, refunds are summed from their successful transactions, guests stay guests",
        {
            "orders": [
                {
                    "id": 450789469,
                    "name": "#1001",
                    "order_number": 1001,
                    "created_at": "2026-01-10T23:30:00-05:00",
                    "total_price": "409.94",
                    "currency": "usd",
                    "financial_status": "partially_refunded",
                    "email": " Bob@Example.com ",
                    "customer": {"id": 207119551},
                    "refunds": [
                        {
                            "transactions": [
                                {"kind": "refund", "status": "success", "amount": "41.94", "currency": "USD"},
                                {"kind": "refund", "status": "failure", "amount": "5.00", "currency": "USD"},
                            ]
                        },
                        {"transactions": [{"kind": "refund", "status": "success", "amount": "8.00"}]},
                    ],
                },
                {
                    "id": 2,
                    "created_at": "2026-01-11T10:00:00Z",
                    "total_price": "1",
                    "currency": "USD",
                    "financial_status": "voided",
                    "cancelled_at": "2026-01-12T00:00:00Z",
                    "test": True,
                    "customer": {"id": 0},
                },
            ]
        },
        [
            {
                "order_id": "450789469",
                "ordered_at": "2026-01-11 04:30:00",
                "total_price": 409.94,
                "refunded_amount": 49.94,
                "currency": "USD",
                "financial_status": "partially_refunded",
                "is_cancelled": False,
                "is_test": False,
                "customer_email": "bob@example.com",
                "customer_id": "207119551",
            },
            {
                "order_id": "2",
                "ordered_at": "2026-01-11 10:00:00",
                "total_price": 1,
                "refunded_amount": 0,
                "currency": "USD",
                "financial_status": "voided",
                "is_cancelled": True,
                "is_test": True,
                "customer_email": None,
                "customer_id": None,
            },
        ],
    )


def _shopify_products(_pattern: str | None) -> Case:
    return Case(
        "a product's category is its product_type",
        {"products": [{"id": 632910392, "title": "IPod Nano - 8GB", "product_type": "Cult Products"}]},
        [{"product_id": "632910392", "product_name": "IPod Nano - 8GB", "product_category": "Cult Products"}],
    )


def _text_param(key: str, value: str) -> dict[str, object]:
    return {"key": key, "value": {"string_value": value}}


def _ga4_events(_pattern: str | None) -> Case:
    event = {"event_date": "20260105", "event_timestamp": 1767607200000000, "user_pseudo_id": "u1"}
    row = {"occurred_at": "2026-01-05 10:00:00", "transaction_id": None, "order_total": None, "currency": None}
    return Case(
        "an event's own source beats the collected one, a purchase has one value, (not set) is no transaction",
        {
            "events": [
                event
                | {"event_name": "page_view", "collected_traffic_source": {"manual_source": "bing"}}
                | {"event_params": [_text_param("source", "google"), _text_param("medium", "cpc")]},
                event
                | {
                    "event_name": "purchase",
                    "ecommerce": {"transaction_id": "(not set)", "purchase_revenue_in_usd": 7.5},
                },
                event
                | {"event_name": "purchase", "ecommerce": {"transaction_id": "T1"}}
                | {"event_params": [{"key": "value", "value": {"int_value": 20}}, _text_param("currency", "eur")]},
            ]
        },
        [
            row | {"event_name": "page_view", "traffic_source": "google", "traffic_medium": "cpc"},
            row
            | {"event_name": "purchase", "traffic_source": None, "traffic_medium": None}
            | {"order_total": 7.5, "currency": "USD"},
            row
            | {"event_name": "purchase", "traffic_source": None, "traffic_medium": None}
            | {"order_total": 20, "currency": "EUR", "transaction_id": "T1"},
        ],
    )


CASES: dict[str, Callable[[str | None], Case]] = {
    "engine_facebook_ads_ad_performance": _meta_report,
    "engine_facebook_ads_campaigns": _meta_campaigns,
    "engine_shopify_orders": _shopify_orders,
    "engine_shopify_products": _shopify_products,
    "engine_google_analytics_events": _ga4_events,
}
"""By engine; the argument is the tenant's conversion pattern for its platform."""
