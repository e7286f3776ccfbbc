"""Amplitude's records and the expected results of its engines."""

from __future__ import annotations

from pipeline.config.engine_cases import Case, Cases, Row, main_currency

WEB: Row = {
    "event_type": "page_view",
    "event_time": "2026-01-05 10:00:01.123000",
    "client_event_time": "2026-01-05 10:00:00.000000",
    "server_upload_time": "2026-01-05 10:00:02.190000",
    "amplitude_id": 1001,
    "device_id": "phone",
    "user_id": None,
    "session_id": -1,
    "platform": "Web",
    "os_name": "Mobile Safari",
    "device_type": "Apple iPhone 12",
    "device_family": "Mac",
    "country": "Germany",
    "region": "Berlin",
}
BOB: Row = {"amplitude_id": 2002, "user_id": " bob"}
UNSET = "(not set)"


def _utm(source: str | None, *rest: str, of: str = "utm") -> Row:
    """The properties of a campaign; values that are not given are left out."""
    names = ("source", "medium", "campaign", "id")
    return {f"{of}_{name}": text for name, text in zip(names, (source, *rest), strict=False)}


EXPECTED: Row = {
    "source_platform": "amplitude",
    "source_account": "main",
    "event_name": "page_view",
    "occurred_at": "2026-01-05 10:00:01.123",
    "tie_break": 2,
    "exported_at": "2026-03-01 00:00:00",
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
    "user_medium": None,
    "user_campaign": None,
    "geo_country": "Germany",
    "device_category": "mobile",
}
ANONYMOUS: Row = {"user_id": None}
BOUGHT: Row = {"event_name": "Order Completed", "is_purchase": True, "currency": main_currency}

Example = tuple[Row, Row | None]
"""An example: the differences of an event from an anonymous page view, and of its result from EXPECTED; None: it is
not counted."""
VISITORS: tuple[Example, ...] = (
    # A visitor is one before and after login: the first who logs in on the device, in that account.
    ({}, ANONYMOUS),
    (BOB, {}),
    ({"amplitude_id": None}, ANONYMOUS),
    (
        {"amplitude_id": 3003, "user_id": "alice", "event_time": "2026-01-05T10:00:02Z"},
        {"user_pseudo_id": "3003", "user_id": "alice", "occurred_at": "2026-01-05 10:00:02"},
    ),
    ({"_account": "eu"}, ANONYMOUS | {"source_account": "eu", "user_pseudo_id": "1001"}),
    ({"amplitude_id": None, "device_id": "tablet"}, ANONYMOUS | {"user_pseudo_id": "tablet"}),
    ({"amplitude_id": 4004, "device_id": "", "user_id": "carol"}, {"user_pseudo_id": "4004", "user_id": "carol"}),
    ({"amplitude_id": 5005, "device_id": "", "user_id": ""}, ANONYMOUS | {"user_pseudo_id": "5005"}),
    # Of one device, an $insert_id that came before is the same event sent twice, if only in the file.
    (BOB | {"$insert_id": "f", "event_type": "click"}, {"event_name": "click"}),
    (BOB | {"$insert_id": "f"}, None),
    (BOB | {"$insert_id": "s", "server_upload_time": None}, None),
    (BOB | {"$insert_id": "s", "server_upload_time": "2026-01-05 10:00:09.000000", "event_type": "later"}, None),
    (
        BOB | {"$insert_id": "s", "client_event_time": "2026-01-05 10:00:05.000000", "event_type": "click"},
        {"event_name": "click"},
    ),
    (BOB | {"$insert_id": "s", "device_id": "tv"}, {}),
    (BOB | {"$insert_id": "s", "device_id": "tv", "_account": "eu"}, {"source_account": "eu"}),
    (BOB | {"$insert_id": " "}, {}),
    (BOB | {"$insert_id": " "}, {}),
    (BOB | {"$insert_id": None}, {}),
    (BOB | {"$insert_id": None}, {}),
    # Of one moment, the start of a session is first.
    (BOB | {"event_type": "session_start"}, {"event_name": "session_start", "tie_break": 0}),
    (
        BOB | {"event_type": "[Amplitude] Start Session"},
        {"event_name": "[Amplitude] Start Session", "tie_break": 0},
    ),
)
USERS: Row = _utm("google ", "cpc ", "Spring ", "c1 ")
FROM_USER: Row = {"traffic_source": "google", "traffic_medium": "cpc", "traffic_campaign": "Spring"}
TRAFFIC: tuple[tuple[Row, Row, Row], ...] = (
    # The event's own properties, its user's, and the result: all values of one campaign.
    ({}, USERS, FROM_USER | {"traffic_campaign_id": "c1"}),
    ({}, _utm("google", UNSET, UNSET, UNSET), {"traffic_source": "google"}),
    ({}, _utm("google", UNSET, "Spring"), {"traffic_source": "google", "traffic_campaign": "Spring"}),
    ({}, _utm("google", UNSET, UNSET, "c1"), {"traffic_source": "google", "traffic_campaign_id": "c1"}),
    ({}, _utm(UNSET, "cpc", "Spring", "c1"), {}),
    (
        _utm(" news", " email", " May", " c2"),
        USERS,
        {"traffic_source": "news", "traffic_medium": "email", "traffic_campaign": "May", "traffic_campaign_id": "c2"},
    ),
    (_utm("a friend", UNSET, UNSET, UNSET), USERS, {"traffic_source": "a friend"}),
    (_utm(UNSET, "email", "May", "c2"), USERS, FROM_USER | {"traffic_campaign_id": "c1"}),
    (
        {},
        _utm("bing ", "display ", "First ", of="initial_utm"),
        {"user_source": "bing", "user_medium": "display", "user_campaign": "First"},
    ),
    ({}, _utm("EMPTY", "EMPTY", "EMPTY", of="initial_utm"), {}),
    # A click id of the user says the ad platform, where no utm_source does.
    *(
        ({}, {name: "1"}, {"traffic_source": "google", "traffic_medium": "cpc"})
        for name in ("gclid", "gbraid", "wbraid")
    ),
    ({}, {"msclkid": "1"}, {"traffic_source": "bing", "traffic_medium": "cpc"}),
    ({}, {"ttclid": "1"}, {"traffic_source": "tiktok", "traffic_medium": "cpc"}),
    ({}, {"dclid": "1"}, {"traffic_source": "dv360", "traffic_medium": "cpm"}),
    ({}, dict.fromkeys(("gclid", "gbraid", "wbraid", "dclid", "msclkid", "ttclid"), "EMPTY"), {}),
    ({}, USERS | {"msclkid": "1"}, FROM_USER | {"traffic_campaign_id": "c1"}),
    (
        {},
        {"utm_medium": "cpm", "utm_campaign": "Spring", "utm_id": "c1", "gclid": "1"},
        {"traffic_source": "google", "traffic_medium": "cpc"},
    ),
    ({}, {"utm_source": "EMPTY", "gclid": "1"}, {"traffic_source": "google", "traffic_medium": "cpc"}),
)
WORTH: Row = {"$revenue": 12.5, "revenue": 99, "$price": 98, "$currency": " eur", "currency": "usd"}
PURCHASES: tuple[tuple[Row, Row], ...] = (
    # Properties of a purchase, and its result.
    (
        WORTH | {"order_id": " A", "transaction_id": "Z"},
        {"transaction_id": "A", "order_total": 12.5, "currency": "EUR"},
    ),
    (
        WORTH | {"order_id": UNSET, "transaction_id": " Z", "$revenue": None, "$currency": UNSET},
        {"transaction_id": "Z", "order_total": 99, "currency": "USD"},
    ),
    ({"$price": 4.5, "$quantity": 3, "transaction_id": UNSET}, {"order_total": 13.5}),
    ({"$price": 4.5, "currency": UNSET}, {"order_total": 4.5}),
    ({"currency": " gbp", "utm_source": "news"}, {"currency": "GBP", "traffic_source": "news"}),
)
PLACES: tuple[Example, ...] = (
    (BOB | {"country": " Norway"}, {"geo_country": "Norway"}),
    *((BOB | {"country": nothing}, {"geo_country": None}) for nothing in (UNSET, f" {UNSET}", "", " ", None)),
    (BOB | {"device_type": "Apple iPad"}, {"device_category": "tablet"}),
    (BOB | {"device_type": None}, {"device_category": "desktop"}),
)
EVENTS: tuple[Example, ...] = (
    *VISITORS,
    *((BOB | {"event_properties": own, "user_properties": users}, changes) for own, users, changes in TRAFFIC),
    *(
        (BOB | {"event_type": "Order Completed", "event_properties": properties}, BOUGHT | changes)
        for properties, changes in PURCHASES
    ),
    # Only its type makes an event a purchase.
    (
        BOB | {"event_type": "Order Refunded", "event_properties": WORTH | {"order_id": "A"}},
        {"event_name": "Order Refunded"},
    ),
    *PLACES,
)


def _amplitude_events(_pattern: str | None) -> Case:
    numbered = list(enumerate(EVENTS, 1))
    return Case(
        "a visitor is one before and after login, an event sent twice is one, $price times $quantity is its worth",
        {"events": [WEB | {"uuid": f"u{n}", "$insert_id": f"i{n}"} | event for n, (event, _) in numbered]},
        [
            EXPECTED | {"event_key": f"key {n}", "source_position": n} | changes
            for n, (_, changes) in numbered
            if changes is not None
        ],
    )


def _amplitude_profiles(_pattern: str | None) -> Case:
    device: Row = {"country": " United States", "region": "California", "city": "San Francisco", "language": "English"}
    device |= {"platform": "iOS", "os": "ios 8.2"}
    bob: Row = {"canonical_amplitude_id": 12345, "merged_amplitude_ids": [11111, 12345], "user_id": "bob"}
    bob |= {"properties": {"email": " Bob@Example.com"}, "device": "Apple iPhone", "device_type": "Apple iPad 6"}
    other: Row = {"canonical_amplitude_id": 6, "device": "Windows", "country": UNSET, "properties": {"email": UNSET}}
    row: Row = {"source_platform": "amplitude", "source_account": "main"}
    known: Row = {"email": "bob@example.com", "geo_country": "United States", "device_category": "tablet"}
    return Case(
        "a user's profile goes with every id that was merged into theirs",
        {"users": [device | bob, device | other]},
        [
            row | {"user_id": "12345"} | known,
            row | {"user_id": "11111"} | known,
            row | {"user_id": "6", "email": None, "geo_country": None, "device_category": "desktop"},
        ],
    )


CASES: Cases = {
    "engine_amplitude_events": _amplitude_events,
    "engine_amplitude_profiles": _amplitude_profiles,
}
