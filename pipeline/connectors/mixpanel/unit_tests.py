"""Mixpanel's records and the expected results of its engines."""

from __future__ import annotations

from pipeline.config.engine_cases import Case, Cases, Row, main_clock, main_currency

WEB: Row = {
    "time": 1767607200,
    "$insert_id": "i1",
    "$device_id": "D1",
    "distinct_id": "$device:D1",
    "mp_processing_time_ms": 1767607209000,
    "mp_country_code": "DE",
    "$city": "Berlin",
    "$os": "Mac OS X",
    "$browser": "Safari",
    "$current_url": "https://shop.example/",
}
BOB: Row = {"distinct_id": "bob", "$user_id": "bob"}
SPRING: Row = {"utm_source": " google", "utm_medium": "cpc ", "utm_campaign": "Spring", "utm_id": "c1"}
ORDER: Row = {"order_id": 501, "revenue": "13.5", "currency": "eur"}
UNSET = "(not set)"

EXPECTED: Row = {
    "source_platform": "mixpanel",
    "source_account": "main",
    "event_name": "$mp_web_page_view",
    "occurred_at": main_clock("2026-01-05 10:00:00", "UTC"),
    "tie_break": 2,
    "exported_at": "2026-03-01 00:00:00",
    "user_pseudo_id": "bob",
    "user_id": "bob",
    "is_purchase": False,
    "transaction_id": None,
    "order_total": None,
    "currency": None,
    "traffic_source": None,
    "traffic_medium": None,
    "traffic_campaign": None,
    "traffic_campaign_id": None,
    "user_source": "bing",
    "user_medium": "email",
    "user_campaign": "First",
    "geo_country": "DE",
    "device_category": "desktop",
}
FROM_GOOGLE: Row = {"traffic_source": "google", "traffic_medium": "cpc", "traffic_campaign": "Spring"}
CLICKED: Row = {"traffic_source": "google", "traffic_medium": "cpc"}
UNKNOWN: Row = {"user_source": None, "user_medium": None, "user_campaign": None}
BOUGHT: Row = {"event_name": "purchase", "is_purchase": True, "order_total": 13.5, "currency": "EUR"}
EU: Row = {"source_account": "eu", "occurred_at": "2026-01-05 10:00:00"}

Example = tuple[Row, Row, Row]
"""An example: the differences of an event from an anonymous page view, of its properties from WEB, of its result from
EXPECTED."""
EVENTS: tuple[Example, ...] = (
    # A visitor is one before and after login: the first who logs in on the device, in that account.
    ({}, {}, {"user_id": None}),
    ({}, BOB, {}),
    (
        {},
        {"time": 1767607201, "distinct_id": "alice", "$user_id": "alice"},
        UNKNOWN
        | {"user_pseudo_id": "alice", "user_id": "alice"}
        | {"occurred_at": main_clock("2026-01-05 10:00:01", "UTC")},
    ),
    (
        {},
        {"$device_id": "D2", "distinct_id": "$device:D2"},
        UNKNOWN | {"user_pseudo_id": "$device:D2", "user_id": None},
    ),
    ({}, {"$device_id": "D2", "distinct_id": ""}, UNKNOWN | {"user_pseudo_id": None, "user_id": None}),
    (
        {},
        {"$device_id": "", "distinct_id": "dan", "$user_id": "dan"},
        UNKNOWN | {"user_pseudo_id": "dan", "user_id": "dan"},
    ),
    ({"_account": "eu"}, {}, UNKNOWN | EU | {"user_pseudo_id": "$device:D1", "user_id": None}),
    (
        {"_account": "eu"},
        BOB | {"$device_id": "D2"},
        EU | {"user_source": "eu", "user_medium": None, "user_campaign": None},
    ),
    # Traffic.
    ({}, BOB | SPRING, FROM_GOOGLE | {"traffic_campaign_id": "c1"}),
    ({}, BOB | SPRING | {"utm_source": UNSET}, {}),
    ({}, BOB | SPRING | {"utm_medium": UNSET, "utm_campaign": UNSET, "utm_id": UNSET}, {"traffic_source": "google"}),
    # A click id says the ad platform, where no utm_source does.
    *(({}, BOB | {name: "1"}, CLICKED) for name in ("gclid", "gbraid", "wbraid")),
    (
        {},
        BOB | {"$current_url": "https://shop.example/?gclid=1&gad_campaignid=200"},
        CLICKED | {"traffic_campaign_id": "200"},
    ),
    ({}, BOB | {"gclid": "1", "utm_medium": "cpm", "utm_campaign": "Mine", "utm_id": "c1"}, CLICKED),
    ({}, BOB | SPRING | {"msclkid": "1"}, FROM_GOOGLE | {"traffic_campaign_id": "c1"}),
    ({}, BOB | {"msclkid": "1"}, CLICKED | {"traffic_source": "bing"}),
    ({}, BOB | {"ttclid": "1"}, CLICKED | {"traffic_source": "tiktok"}),
    ({}, BOB | {"dclid": "1"}, {"traffic_source": "dv360", "traffic_medium": "cpm"}),
    ({}, BOB | {"gclid": UNSET, "gbraid": "", "wbraid": " ", "dclid": UNSET, "msclkid": "", "ttclid": ""}, {}),
    ({"event": "scroll"}, BOB | {"utm_medium": "cpc", "utm_campaign": "May", "utm_id": "c1"}, {"event_name": "scroll"}),
    (
        {},
        BOB | {"$current_url": "https://shop.example/?gad_campaignid=2", "msclkid": "1"},
        CLICKED | {"traffic_source": "bing"},
    ),
    ({"event": "session_start"}, BOB, {"event_name": "session_start", "tie_break": 0}),
    # Only its name makes an event a purchase.
    ({"event": "purchase"}, BOB | ORDER | {"transaction_id": "T1"}, BOUGHT | {"transaction_id": "501"}),
    (
        {"event": "purchase"},
        BOB | ORDER | {"order_id": UNSET, "transaction_id": "T1"},
        BOUGHT | {"transaction_id": "T1"},
    ),
    (
        {"event": "Order Completed"},
        BOB | ORDER | {"order_id": None, "transaction_id": UNSET},
        BOUGHT | {"event_name": "Order Completed"},
    ),
    (
        {"event": "purchase"},
        BOB | ORDER | {"currency": UNSET},
        BOUGHT | {"transaction_id": "501", "currency": main_currency},
    ),
    (
        {"event": "purchase"},
        BOB | ORDER | {"currency": None, "revenue": None},
        BOUGHT | {"transaction_id": "501", "currency": main_currency, "order_total": None},
    ),
    ({"event": "refund"}, BOB | ORDER, {"event_name": "refund"}),
    # Places and devices.
    ({}, BOB | {"mp_country_code": UNSET}, {"geo_country": None}),
    ({}, BOB | {"$device": "iPad"}, {"device_category": "tablet"}),
    ({}, BOB | {"$device": None, "$os": "iOS"}, {"device_category": "mobile"}),
    ({}, BOB | {"$device": "Roku TV", "$os": None}, {"device_category": "smart tv"}),
    ({}, BOB | {"$os": "Nintendo"}, {"device_category": "Nintendo"}),
    ({}, BOB | {"$os": UNSET}, {"device_category": None}),
    (
        {},
        {"distinct_id": "carol", "$user_id": "carol", "$device_id": "D3"},
        UNKNOWN | {"user_pseudo_id": "carol", "user_id": "carol"},
    ),
)


def _person(distinct_id: object, **properties: str) -> Row:
    return {"$distinct_id": distinct_id, "$properties": {f"${name}": text for name, text in properties.items()}}


def _first_source(distinct_id: str, *texts: str) -> Row:
    names = ("initial_utm_source", "initial_utm_medium", "initial_utm_campaign")
    return {"$distinct_id": distinct_id, "$properties": dict(zip(names, texts, strict=False))}


def _mixpanel_events(_pattern: str | None) -> Case:
    return Case(
        "seconds are times, a visitor is one before and after login, a first source is the profile's",
        {
            "events": [
                {"event": "$mp_web_page_view", "properties": WEB | properties} | event
                for event, properties, _ in EVENTS
            ],
            "people": [
                _first_source("bob", "bing", "email", "First"),
                _first_source("bob", "eu") | {"_account": "eu"},
                _first_source("carol", UNSET, UNSET, UNSET),
            ],
        },
        [EXPECTED | changes for _, _, changes in EVENTS],
    )


def _mixpanel_profiles(_pattern: str | None) -> Case:
    bob = _person(4, email="Example@Mixpanel.com", country_code="US", city="Austin", region="Texas", os="Android")
    other = _person("5", email=UNSET, country_code=UNSET, city="Austin", os=UNSET)
    row: Row = {"source_platform": "mixpanel", "source_account": "main"}
    return Case(
        "a distinct_id that is a number is text, an email is lower case",
        {"people": [bob, other]},
        [
            row | {"user_id": "4", "email": "example@mixpanel.com", "geo_country": "US", "device_category": "mobile"},
            row | {"user_id": "5", "email": None, "geo_country": None, "device_category": None},
        ],
    )


CASES: Cases = {
    "engine_mixpanel_events": _mixpanel_events,
    "engine_mixpanel_profiles": _mixpanel_profiles,
}
