"""Amplitude's records and what its engines make of them."""

from __future__ import annotations

from warehouse.cases import Case, Cases


def _amplitude_events(_pattern: str | None) -> Case:
    event = {"amplitude_id": 1001, "device_id": "phone", "session_id": -1, "device_type": "Apple iPhone 12"}
    event |= {"uuid": "u1", "event_type": "page_view", "event_time": "2026-01-05 10:00:00.123000", "country": "Germany"}
    campaign = {"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "Spring", "utm_id": "c1"}
    login = event | {"uuid": "u2", "user_id": "bob", "amplitude_id": 2002, "event_time": "2026-01-05T10:05:00"}
    order = {"order_id": "501", "$price": 4.5, "$quantity": 3, "$currency": "eur"}
    bought = login | {"uuid": "u3", "event_type": "Order Completed", "$insert_id": "i3", "event_properties": order}
    row = {
        "event_name": "page_view",
        "occurred_at": "2026-01-05 10:05:00",
        "user_pseudo_id": "2002",
        "user_id": "bob",
        "is_purchase": False,
        "transaction_id": None,
        "order_total": None,
        "currency": None,
        "traffic_source": None,
        "traffic_medium": None,
        "traffic_campaign": None,
        "traffic_campaign_id": None,
        "user_source": None,
        "geo_country": "Germany",
        "device_category": "mobile",
    }
    spring = {"traffic_source": "google", "traffic_medium": "cpc", "traffic_campaign": "Spring"}
    return Case(
        "a visitor is one before and after login, an event sent twice is one, $price times $quantity is its worth",
        {
            "events": [
                event | {"user_properties": campaign | {"initial_utm_source": "EMPTY"}},
                login
                | {"user_properties": campaign | {"initial_utm_source": "bing"}}
                | {"event_properties": {"utm_source": "newsletter"}},
                bought | {"server_upload_time": "2026-01-05 10:06:00.000000"},
                bought | {"uuid": "u4", "server_upload_time": "2026-01-05 10:09:00.000000"},
            ]
        },
        [
            row | spring | {"occurred_at": "2026-01-05 10:00:00.123", "user_id": None, "traffic_campaign_id": "c1"},
            row | {"traffic_source": "newsletter", "user_source": "bing"},
            row
            | {"event_name": "Order Completed", "is_purchase": True, "transaction_id": "501"}
            | {"order_total": 13.5, "currency": "EUR"},
        ],
    )


def _amplitude_profiles(_pattern: str | None) -> Case:
    row = {"email": "bob@example.com", "geo_country": "United States", "device_category": "mobile"}
    return Case(
        "a user's profile goes with every id that was merged into theirs",
        {
            "users": [
                {"canonical_amplitude_id": 12345, "merged_amplitude_ids": [11111], "country": "United States"}
                | {"device_type": "Apple iPhone 6", "properties": {"email": " Bob@Example.com"}}
            ]
        },
        [row | {"user_id": "12345"}, row | {"user_id": "11111"}],
    )


CASES: Cases = {
    "engine_amplitude_events": _amplitude_events,
    "engine_amplitude_profiles": _amplitude_profiles,
}
