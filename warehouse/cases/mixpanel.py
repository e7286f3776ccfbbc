"""Mixpanel's records and what its engines make of them."""

from __future__ import annotations

from warehouse.cases import Case, Cases


def _mixpanel_events(_pattern: str | None) -> Case:
    web = {"time": 1767607200, "$device_id": "D1", "mp_country_code": "DE", "$os": "Mac OS X"}
    spring = {"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "Spring", "utm_id": "c1"}
    order = {"order_id": 501, "revenue": "13.5", "currency": "eur", "utm_medium": "left over"}
    row = {
        "event_name": "purchase",
        "occurred_at": "2026-01-05 10:00:00",
        "user_pseudo_id": "bob",
        "user_id": "bob",
        "is_purchase": True,
        "transaction_id": "501",
        "order_total": 13.5,
        "currency": "EUR",
        "traffic_source": None,
        "traffic_medium": None,
        "traffic_campaign": None,
        "traffic_campaign_id": None,
        "user_source": "bing",
        "geo_country": "DE",
        "device_category": "desktop",
    }
    nothing = {"is_purchase": False, "transaction_id": None, "order_total": None, "currency": None}
    return Case(
        "seconds are times, a visitor is one before and after login, a first source is the profile's",
        {
            "events": [
                {"event": "$mp_web_page_view"}
                | {"properties": web | spring | {"distinct_id": "$device:D1", "$insert_id": "i1"}},
                {"event": "purchase"}
                | {"properties": web | order | {"distinct_id": "bob", "$user_id": "bob", "$insert_id": "i2"}},
            ],
            "people": [{"$distinct_id": "bob", "$properties": {"initial_utm_source": "bing"}}],
        },
        [
            row
            | nothing
            | {"event_name": "$mp_web_page_view", "user_id": None, "traffic_source": "google"}
            | {"traffic_medium": "cpc", "traffic_campaign": "Spring", "traffic_campaign_id": "c1"},
            row,
        ],
    )


def _mixpanel_profiles(_pattern: str | None) -> Case:
    return Case(
        "a distinct_id that is a number is text, an email is lower case",
        {"people": [{"$distinct_id": 4, "$properties": {"$email": "Example@Mixpanel.com", "$country_code": "US"}}]},
        [{"user_id": "4", "email": "example@mixpanel.com", "geo_country": "US", "device_category": None}],
    )


CASES: Cases = {
    "engine_mixpanel_events": _mixpanel_events,
    "engine_mixpanel_profiles": _mixpanel_profiles,
}
