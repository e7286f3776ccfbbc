"""Amplitude: UTC without saying so, visitors before login, events sent twice, properties, and the real seed."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.accounts import Account
from pipeline.connectors.amplitude.unit_tests import CASES
from tests.warehouse.ads_reports import case_and_answer
from tests.warehouse.analytics_events import by_thirty_minutes, column, numbered, of_two_accounts, visits
from tests.warehouse.engine_fixture import BLUEPRINTS, Answer, run_engine
from tests.warehouse.reading import Read, read_file

Json = dict[str, Any]
at = datetime.fromisoformat
SEED = "amplitude/fivetran/amplitude_event_data.csv"

# The Export API's documented shape, with the fields that a browser's event has.
# Source: amplitude.com/docs/apis/analytics/export, "Response schema".
EXPORTED: Json = {
    "server_received_time": "2026-01-05 10:00:02.187000",
    "app": 123456,
    "device_carrier": None,
    "$schema": 13,
    "city": "Berlin",
    "user_id": None,
    "uuid": "f4d527be-fe98-11e8-a527-0205484b2e0a",
    "event_time": "2026-01-05 10:00:01.123000",
    "platform": "Web",
    "os_version": "120",
    "amplitude_id": 1001,
    "processed_time": "2026-01-05 10:00:03.500000",
    "user_creation_time": "2026-01-05 10:00:01.123000",
    "version_name": None,
    "paying": None,
    "group_properties": {},
    "user_properties": {"initial_utm_source": "EMPTY", "referrer": "https://example.com"},
    "$insert_id": "7d2b2f2e-0001",
    "event_type": "page_view",
    "library": "amplitude-ts/2.11.0",
    "amplitude_attribution_ids": None,
    "device_type": "Mac",
    "server_upload_time": "2026-01-05 10:00:02.190000",
    "event_id": 7,
    "os_name": "Chrome",
    "groups": {},
    "event_properties": {"path": "/"},
    "data": {"first_event": True},
    "device_id": "laptop",
    "language": "German",
    "country": "Germany",
    "is_attribution_event": False,
    "session_id": -1,
    "device_family": "Mac OS X",
    "client_event_time": "2026-01-05 10:00:01.000000",
}


def event(number: int, minute: float = 0, **more: Any) -> Json:
    """An exported event so many minutes after ten; `number` makes it another one."""
    moment = f"2026-01-05 {10 + int(minute) // 60:02}:{int(minute) % 60:02}:{round(minute % 1 * 60):02}.000000"
    return EXPORTED | {"uuid": f"u{number}", "$insert_id": f"i{number}", "event_time": moment} | more


def events(*records: Json, **arguments: Any) -> Answer:
    answer = run_engine("engine_amplitude_events", {"events": records}, platform="amplitude", **arguments)
    return sorted(answer, key=lambda row: row["source_position"])


def read(folder: Path, *records: Json, name: str = "export.jsonl") -> Read:
    path = folder / name
    path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    return read_file("amplitude", "events", path)


@pytest.mark.parametrize("macro", CASES)
def test_engines_make_of_their_cases_what_is_said(macro: str) -> None:
    expected, answer = case_and_answer("amplitude", macro)
    assert answer == expected


def test_an_exported_event_lands_whole_and_its_time_is_utc_to_the_microsecond(tmp_path: Path) -> None:
    landed = read(tmp_path, EXPORTED)
    assert (len(landed.good), landed.wrong) == (1, [])
    assert json.loads(landed.good[0]["_extra"])["library"] == "amplitude-ts/2.11.0"
    (one,) = events(EXPORTED)
    assert one["occurred_at"] == at("2026-01-05 10:00:01.123000")
    assert (one["user_pseudo_id"], one["user_id"], one["is_purchase"]) == ("1001", None, False)
    assert (one["source_account"], one["exported_at"]) == ("main", at("2026-03-01 00:00:00"))
    assert (one["geo_country"], one["device_category"], one["traffic_source"]) == ("Germany", "desktop", None)


def test_a_time_with_its_own_offset_is_honoured() -> None:
    (one,) = events(event(1, event_time="2026-01-05T12:00:00+02:00"))
    assert one["occurred_at"] == at("2026-01-05 10:00:00")


def test_a_visitor_who_logs_in_halfway_is_one_user_with_one_visit() -> None:
    before = [event(1), event(2, 5)]
    after = [event(3, 10, user_id="bob@x.io", amplitude_id=2002), event(4, 15, user_id="bob@x.io", amplitude_id=2002)]
    rows = events(*before, *after)
    assert column(rows, "user_pseudo_id") == ["2002"] * 4
    assert column(rows, "user_id") == [None, None, "bob@x.io", "bob@x.io"]
    assert visits(rows) == 1


def test_who_logs_in_on_a_device_later_does_not_take_what_a_known_user_did_there() -> None:
    bob = event(1, user_id="bob@x.io", amplitude_id=2002)
    logged_out = event(2, 5, amplitude_id=2002)
    ann = event(3, 10, user_id="ann@x.io", amplitude_id=3003)
    anonymous = event(4, 15, amplitude_id=4004)
    assert column(events(bob, logged_out, ann, anonymous), "user_pseudo_id") == ["2002", "2002", "3003", "2002"]


def test_without_an_amplitude_id_the_device_is_the_user_and_without_both_there_is_none() -> None:
    rows = events(event(1, amplitude_id=None), event(2, amplitude_id=None, device_id=None))
    assert column(rows, "user_pseudo_id") == ["laptop", None]
    assert [row["session_id"] is None for row in numbered(rows)] == [False, True]


def test_visits_follow_the_thirty_minutes_and_not_the_session_id_of_amplitude() -> None:
    gaps = (0, 29 + 59 / 60, 59 + 59 / 60, 90)  # 29:59, 30:00 and 30:01 after the one before
    rows = events(*(event(n, minute, session_id=-1 if n % 2 else 1767607200000) for n, minute in enumerate(gaps)))
    assert visits(rows) == 2


def test_an_insert_id_that_a_device_sends_again_is_the_same_event_and_another_devices_is_not() -> None:
    late = {"server_upload_time": "2026-01-05 11:00:00.000000"}
    again = event(1) | {"uuid": "u2"} | late
    other = event(1) | {"uuid": "u3", "device_id": "phone"} | late
    untold = event(1) | {"uuid": "u8", "server_upload_time": None}
    unnamed = [event(n) | {"$insert_id": name} for n, name in ((4, None), (5, None), (6, ""), (7, ""))]
    assert column(events(again, event(1), other, *unnamed, untold), "source_position") == [2, 3, 4, 5, 6, 7]


def test_accounts_are_never_mixed() -> None:
    anonymous, known = event(1), event(1, 5, user_id="bob@x.io", amplitude_id=2002)
    rows = of_two_accounts("engine_amplitude_events", "amplitude", anonymous, known)
    assert [(row["source_account"], row["user_pseudo_id"]) for row in rows] == [("main", "1001"), ("other", "2002")]


def test_the_same_export_twice_has_the_same_keys(tmp_path: Path) -> None:
    first, second = read(tmp_path, event(1), event(2)), read(tmp_path, event(2), event(3), name="again.jsonl")
    assert (len(first.keys), first.keys & second.keys) == (2, {("u2",)})


@pytest.mark.parametrize(
    ("properties", "total", "currency"),
    [
        ({"$revenue": 12.5, "revenue": 99, "$price": 99, "$currency": "eur", "currency": "usd"}, "12.5", "EUR"),
        ({"revenue": "12.50", "$price": 99, "currency": "gbp"}, "12.5", "GBP"),
        ({"$price": 2.5, "$quantity": 3}, "7.5", "JPY"),
        ({"$price": 2.5, "$quantity": 0}, "0", "JPY"),
        ({"$price": 2.5}, "2.5", "JPY"),
        ({}, None, "JPY"),
    ],
)
def test_a_purchase_is_worth_its_revenue_else_price_times_quantity(
    properties: Json, total: str | None, currency: str
) -> None:
    bought = event(1, event_type="purchase", event_properties={"order_id": "501"} | properties)
    (one,) = events(bought, accounts=[Account(currency="JPY")])
    assert (one["is_purchase"], one["transaction_id"], one["currency"]) == (True, "501", currency)
    assert one["order_total"] == (Decimal(total) if total else None)


def test_purchases_are_the_events_that_trade_or_tenant_call_so_and_nothing_else_is_worth_anything() -> None:
    worth = {"$revenue": 5, "order_id": "9"}
    names = ("purchase", "Order Completed", "Checkout Started", "Order Refunded", "Bestellung")
    sent = [event(n, event_type=name, event_properties=worth) for n, name in enumerate(names)]
    rows = events(*sent)
    assert column(rows, "is_purchase") == [True, True, False, False, False]
    assert [row["order_total"] for row in rows[2:]] == [None] * 3
    own = events(*sent, logic={"events": {"purchase_events": ["Bestellung"]}})
    assert column(own, "is_purchase") == [False] * 4 + [True]


def test_a_day_without_purchases_lands_in_the_same_columns_as_one_with(tmp_path: Path) -> None:
    bought = event(2, event_type="purchase", event_properties={"$revenue": 5, "order_id": "9"})
    without, with_one = read(tmp_path, event(1)), read(tmp_path, event(1), bought, name="next.jsonl")
    assert not without.wrong + with_one.wrong
    assert without.good[0].keys() == with_one.good[1].keys()
    assert set(without.good[0]) >= {name for name, _ in BLUEPRINTS["amplitude", "events"].columns}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"event_type": None}, "event_type is missing"),
        ({"event_time": "yesterday"}, "event_time"),
        ({"event_time": "2026-02-30 10:00:00"}, "event_time"),
        ({"amplitude_id": "-"}, "amplitude_id"),
        ({"event_properties": {"$revenue": "-"}}, "event_properties"),
    ],
)
def test_what_does_not_read_is_quarantined_and_never_a_zero(tmp_path: Path, change: Json, reason: str) -> None:
    landed = read(tmp_path, event(1) | change, event(2))
    assert len(landed.good) == 1
    (wrong,) = landed.wrong
    assert reason in wrong


def test_an_event_without_a_uuid_is_read(tmp_path: Path) -> None:
    landed = read(tmp_path, event(1) | {"uuid": None}, event(2))
    assert (len(landed.good), landed.wrong) == (2, [])


PARTS = ("source", "medium", "campaign", "campaign_id")


def utm(source: str, medium: str = "cpc", campaign: str = "Spring", of: str = "utm") -> Json:
    """The properties of a campaign, its id too where it is no first one."""
    parts = {"source": source, "medium": medium, "campaign": campaign} | ({"id": f"{source}-1"} if of == "utm" else {})
    return {f"{of}_{name}": value for name, value in parts.items()}


def test_an_events_own_campaign_beats_the_users_and_is_taken_whole() -> None:
    user, own = utm("google"), utm("a newsletter", "email", "May")
    sent = [event(1), event(2, user_properties=user), event(3, user_properties=user, event_properties=own)]
    sent.append(event(4, user_properties=user, event_properties={"utm_source": "a friend"}))
    assert [[row[f"traffic_{part}"] for part in PARTS] for row in events(*sent)] == [
        [None, None, None, None],
        ["google", "cpc", "Spring", "google-1"],
        ["a newsletter", "email", "May", "a newsletter-1"],
        ["a friend", None, None, None],
    ]


def test_a_users_first_campaign_is_the_initial_one_and_empty_is_none() -> None:
    empty = dict.fromkeys(utm("", of="initial_utm"), "EMPTY")
    sent = [event(1, user_properties=utm("bing", "display", "Winter", "initial_utm") | utm("google"))]
    sent.append(event(2, user_properties=empty))
    names = ("user_source", "user_medium", "user_campaign")
    assert [[row[name] for name in names] for row in events(*sent)] == [["bing", "display", "Winter"], [None] * 3]


def test_a_device_is_its_type_else_its_family() -> None:
    rows = events(event(1, device_type="Apple iPad"), event(2, device_type=None, device_family="Android"))
    assert column(rows, "device_category") == ["tablet", "mobile"]


def test_of_one_moment_the_start_of_a_session_comes_first() -> None:
    starts = [event(n, event_type=name) for n, name in ((2, "session_start"), (3, "[Amplitude] Start Session"))]
    assert [row["tie_break"] < 1 for row in events(event(1), *starts)] == [False, True, True]


def test_a_purchase_is_known_by_its_order_id_else_its_transaction_id() -> None:
    ids = ({"order_id": "A", "transaction_id": "Z"}, {"transaction_id": "Z"}, {"order_id": "(not set)"})
    sent = [event(n, event_type="purchase", event_properties=each) for n, each in enumerate(ids)]
    assert column(events(*sent), "transaction_id") == ["A", "Z", None]


def test_a_user_is_read_from_the_documented_answer_of_the_user_activity_api(tmp_path: Path) -> None:
    # Source: amplitude.com/docs/apis/analytics/dashboard-rest, "User activity", example response.
    answer = {
        "userData": {"user_id": "myusername", "canonical_amplitude_id": 12345, "merged_amplitude_ids": [11111, 22222]}
        | {"num_events": 142, "num_sessions": 23, "usage_time": 2570259, "first_used": "2015-03-14"}
        | {"last_used": "2015-04-22", "purchases": 2, "revenue": 9.98, "platform": "iOS", "os": "ios 8.2"}
        | {"device": "Apple iPhone", "device_type": "Apple iPhone 6", "carrier": "AT&T", "country": "United States"}
        | {"device_ids": ["some-device", "some-other-device"], "last_location": {"lat": 37.133, "lng": -122.241}}
        | {"properties": {"gender": "female"}},
        "events": [],
    }
    path = tmp_path / "users.json"
    path.write_text(json.dumps(answer), encoding="utf-8")
    landed = read_file("amplitude", "users", path)
    assert landed.wrong == []
    profiles = run_engine("engine_amplitude_profiles", platform="amplitude", files={"users": [path]})
    assert sorted(column(profiles, "user_id")) == ["11111", "12345", "22222"]
    assert {(row["source_account"], row["geo_country"], row["device_category"]) for row in profiles} == {
        ("main", "United States", "mobile")
    }


def test_a_users_device_is_its_type_else_what_it_is_called() -> None:
    sent = [{"canonical_amplitude_id": 1, "device": "my phone"}]
    sent.append({"canonical_amplitude_id": 2, "device": "my phone", "device_type": "Apple iPad"})
    rows = run_engine("engine_amplitude_profiles", {"users": sent}, platform="amplitude")
    assert {row["user_id"]: row["device_category"] for row in rows} == {"1": "mobile", "2": "tablet"}


def test_the_real_seed_gives_its_events_users_and_visits(real_data: Path) -> None:
    landed = read_file("amplitude", "events", real_data / SEED)
    assert landed.wrong == []
    rows = run_engine("engine_amplitude_events", platform="amplitude", files={"events": [real_data / SEED]})
    file = f"read_csv('{real_data / SEED}', all_varchar = true)"
    expected = by_thirty_minutes(f"select amplitude_id as who, event_time::timestamp as moment from {file}")
    assert (len(rows), len(set(column(rows, "user_pseudo_id"))), visits(rows)) == expected
    assert expected[0] == len(landed.keys)
