"""Google Analytics' records and what its engine makes of them."""

from __future__ import annotations

from warehouse.cases import Case, Cases


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


CASES: Cases = {
    "engine_google_analytics_events": _ga4_events,
}
