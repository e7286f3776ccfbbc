"""Mixpanel: seconds and old projects' clocks, identities that merge, properties, people, and the real seed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.accounts import Account
from pipeline.connectors.mixpanel.unit_tests import CASES
from tests.warehouse.ads_reports import case_and_answer
from tests.warehouse.analytics_events import by_thirty_minutes, column, numbered, of_two_accounts, visits
from tests.warehouse.engine_fixture import BLUEPRINTS, Answer, run_engine
from tests.warehouse.reading import Read, read_file

Json = dict[str, Any]
at = datetime.fromisoformat
SEED = "mixpanel/fivetran/event.csv"
TEN = int(datetime(2026, 1, 5, 10, tzinfo=UTC).timestamp())

# A web page view as the Raw Event Export API writes it, default properties included.
# Source: developer.mixpanel.com/reference/raw-event-export; docs.mixpanel.com, "Default properties".
EXPORTED: Json = {
    "event": "$mp_web_page_view",
    "properties": {
        "time": TEN,
        "distinct_id": "$device:18c3b1",
        "$browser": "Chrome",
        "$browser_version": 120,
        "$city": "Berlin",
        "$current_url": "https://shop.example/?utm_source=google",
        "$device_id": "18c3b1",
        "$initial_referrer": "https://www.google.com/",
        "$insert_id": "hpuDqcvpltpCjBsebtxwadtEBDnFAdycabFb",
        "$lib_version": "2.48.1",
        "$mp_api_endpoint": "api-js.mixpanel.com",
        "$os": "Mac OS X",
        "$region": "Land Berlin",
        "$screen_height": 1080,
        "mp_country_code": "DE",
        "mp_lib": "web",
        "mp_processing_time_ms": TEN * 1000 + 350,
        "utm_source": "google",
        "utm_medium": "cpc",
        "utm_campaign": "Spring",
    },
}


def event(number: int, minute: float = 0, name: str = "page_view", /, **more: Any) -> Json:
    """An exported event so many minutes after ten, without a campaign; `number` makes it another one."""
    own = {
        "time": TEN + round(minute * 60),
        "distinct_id": "$device:D1",
        "$device_id": "D1",
        "$insert_id": f"i{number}",
    }
    return {"event": name, "properties": own | {"$os": "iOS", "$device": "iPhone", "mp_country_code": "DE"} | more}


def known(number: int, minute: float = 0, name: str = "page_view", /, **more: Any) -> Json:
    """The same of a person who is logged in."""
    return event(number, minute, name, **{"distinct_id": "bob", "$user_id": "bob"} | more)


def events(*records: Json, people: list[Json] | None = None, **arguments: Any) -> Answer:
    given = {"events": list(records), "people": people or []}
    answer = run_engine("engine_mixpanel_events", given, platform="mixpanel", **arguments)
    return sorted(answer, key=lambda row: row["source_position"])


def read(folder: Path, *records: Json, name: str = "export.jsonl") -> Read:
    path = folder / name
    path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    return read_file("mixpanel", "events", path)


@pytest.mark.parametrize("macro", CASES)
def test_engines_make_of_their_cases_what_is_said(macro: str) -> None:
    expected, answer = case_and_answer("mixpanel", macro)
    assert answer == expected


def test_an_exported_event_lands_whole_and_seconds_are_its_time(tmp_path: Path) -> None:
    landed = read(tmp_path, EXPORTED)
    assert (len(landed.good), landed.wrong) == (1, [])
    assert landed.good[0]["properties"]["$lib_version"] == "2.48.1"
    (one,) = events(EXPORTED)
    assert one["occurred_at"] == at("2026-01-05 10:00:00")
    assert (one["user_pseudo_id"], one["user_id"]) == ("$device:18c3b1", None)
    assert [one[f"traffic_{part}"] for part in ("source", "medium", "campaign")] == ["google", "cpc", "Spring"]
    assert (one["geo_country"], one["device_category"]) == ("DE", "desktop")
    assert (one["source_account"], one["exported_at"]) == ("main", at("2026-03-01 00:00:00"))


def test_an_old_projects_times_are_by_its_own_clock_and_daylight_saving_is_minded() -> None:
    summer = round(datetime(2022, 7, 5, 10, tzinfo=UTC).timestamp())
    sent = [event(1), event(2, time=summer)]
    old = [Account(timezone="America/Los_Angeles")]
    assert column(events(*sent, accounts=old), "occurred_at") == [at("2026-01-05 18:00:00"), at("2022-07-05 17:00:00")]
    assert column(events(*sent, timezone="America/Los_Angeles"), "occurred_at")[0] == at("2026-01-05 10:00:00")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"time": TEN * 1000}, "properties"),
        ({"time": "10:00"}, "properties"),
        ({"time": None}, "properties.time is missing"),
        ({"revenue": "-"}, "properties"),
    ],
)
def test_milliseconds_and_what_else_does_not_read_is_quarantined(tmp_path: Path, change: Json, reason: str) -> None:
    landed = read(tmp_path, event(1, **change), event(2))
    assert len(landed.good) == 1
    (wrong,) = landed.wrong
    assert reason in wrong


def test_an_event_without_an_insert_id_is_read(tmp_path: Path) -> None:
    for absent in (None, "", " "):
        landed = read(tmp_path, event(1, **{"$insert_id": absent}), event(2))
        assert (len(landed.good), landed.wrong) == (2, [])


def test_an_event_exported_again_after_its_identity_was_merged_is_a_version_of_itself(tmp_path: Path) -> None:
    before, after = event(1), event(1, distinct_id="bob")
    other_second, other_name, other_id = event(1, 1 / 60), event(1, 0, "sign_up"), event(2)
    first = read(tmp_path, before)
    second = read(tmp_path, after, other_second, other_name, other_id, name="again.jsonl")
    assert (len(first.keys & second.keys), len(first.keys | second.keys)) == (1, 4)


def test_a_visitor_who_logs_in_halfway_is_one_user_with_one_visit() -> None:
    rows = events(event(1), event(2, 5), known(3, 10), known(4, 15, "purchase", revenue=5))
    assert column(rows, "user_pseudo_id") == ["bob"] * 4
    assert column(rows, "user_id") == [None, None, "bob", "bob"]
    assert visits(rows) == 1


def test_under_the_original_merge_the_device_may_stay_the_id_of_both() -> None:
    old = event(1, distinct_id="D1")
    rows = events(old, event(2, 5, **{"distinct_id": "D1", "$user_id": "bob"}))
    assert (column(rows, "user_pseudo_id"), visits(rows)) == (["D1", "D1"], 1)


def test_accounts_are_never_mixed() -> None:
    rows = of_two_accounts("engine_mixpanel_events", "mixpanel", event(1), known(2, 5))
    assert [(row["source_account"], row["user_pseudo_id"]) for row in rows] == [
        ("main", "$device:D1"),
        ("other", "bob"),
    ]


def test_of_one_moment_the_start_of_a_session_comes_first() -> None:
    rows = events(event(1), event(2, 0, "session_start"))
    assert [row["tie_break"] < 1 for row in rows] == [False, True]


def test_a_device_is_its_own_name_else_its_operating_system() -> None:
    rows = events(event(1, **{"$device": "iPad", "$os": "iOS"}), event(2, **{"$device": None, "$os": "Windows"}))
    assert column(rows, "device_category") == ["tablet", "desktop"]


def test_a_purchase_is_known_by_its_order_id_else_its_transaction_id() -> None:
    ids = ({"order_id": "A", "transaction_id": "Z"}, {"transaction_id": "Z"}, {"order_id": "(not set)"})
    sent = [event(n, 0, "purchase", **each) for n, each in enumerate(ids)]
    assert column(events(*sent), "transaction_id") == ["A", "Z", None]


def test_an_event_of_nobody_is_kept_and_in_no_visit() -> None:
    (one,) = numbered(events(event(1, **{"distinct_id": "", "$device_id": None})))
    assert (one["user_pseudo_id"], one["session_id"]) == (None, None)


def test_visits_follow_the_thirty_minutes() -> None:
    gaps = (0, 29 + 59 / 60, 59 + 59 / 60, 90)  # 29:59, 30:00 and 30:01 after the one before
    assert visits(events(*(event(n, minute) for n, minute in enumerate(gaps)))) == 2


def test_purchases_are_the_events_that_trade_or_tenant_call_so_and_nothing_else_is_worth_anything() -> None:
    worth = {"revenue": "5.25", "order_id": 9, "currency": "eur"}
    names = ("purchase", "Order Completed", "Checkout Started", "Order Refunded", "Bestellung")
    sent = [event(n, 0, name, **worth) for n, name in enumerate(names)]
    rows = events(*sent)
    assert column(rows, "is_purchase") == [True, True, False, False, False]
    assert (rows[0]["order_total"], rows[0]["transaction_id"], rows[0]["currency"]) == (Decimal("5.25"), "9", "EUR")
    assert [row["order_total"] for row in rows[2:]] == [None] * 3
    own = events(*sent, logic={"events": {"purchase_events": ["Bestellung"]}})
    assert column(own, "is_purchase") == [False] * 4 + [True]


def test_a_purchase_without_a_currency_is_in_that_of_its_account() -> None:
    (one,) = events(event(1, 0, "purchase", revenue=5), accounts=[Account(currency="GBP")])
    assert (one["currency"], one["transaction_id"]) == ("GBP", None)


def test_a_day_without_purchases_lands_in_the_same_columns_as_one_with(tmp_path: Path) -> None:
    bought = event(2, 0, "purchase", revenue=5, order_id="9")
    without, with_one = read(tmp_path, event(1)), read(tmp_path, event(1), bought, name="next.jsonl")
    assert not without.wrong + with_one.wrong
    assert without.good[0].keys() == with_one.good[1].keys()
    assert set(without.good[0]) >= {name for name, _ in BLUEPRINTS["mixpanel", "events"].columns}


def test_a_persons_first_campaign_is_their_profiles() -> None:
    first = {"initial_utm_source": "bing", "initial_utm_medium": "cpc", "initial_utm_campaign": "Winter"}
    rows = events(
        event(1), known(2, 5), event(3, distinct_id="else"), people=[{"$distinct_id": "bob", "$properties": first}]
    )
    assert [row["user_source"] for row in rows] == ["bing", "bing", "bing"]
    assert (rows[0]["user_medium"], rows[0]["user_campaign"], rows[0]["traffic_source"]) == ("cpc", "Winter", None)
    stranger = {"$distinct_id": "ann", "$properties": first}
    assert column(events(event(1), people=[stranger]), "user_source") == [None]


def test_people_are_read_from_the_documented_answer_of_query_profiles(tmp_path: Path) -> None:
    # Source: docs.mixpanel.com/reference/engage-query, example response.
    answer = {
        "page": 0,
        "page_size": 1000,
        "results": [
            {
                "$distinct_id": 4,
                "$properties": {"$created": "2008-12-12T11:20:47", "$email": "Example@mixpanel.com"}
                | {"$first_name": "Example", "$last_name": "Name", "$last_seen": "2008-06-09T23:08:40"},
            }
        ],
        "session_id": "1234567890-EXAMPL",
        "status": "ok",
        "total": 1,
    }
    path = tmp_path / "people.json"
    path.write_text(json.dumps(answer), encoding="utf-8")
    assert read_file("mixpanel", "people", path).wrong == []
    (one,) = run_engine("engine_mixpanel_profiles", platform="mixpanel", files={"people": [path]})
    assert (one["source_account"], one["user_id"], one["email"]) == ("main", "4", "example@mixpanel.com")


def test_the_real_seed_gives_its_events_users_and_visits(real_data: Path) -> None:
    landed = read_file("mixpanel", "events", real_data / SEED)
    assert landed.wrong == []
    rows = run_engine("engine_mixpanel_events", platform="mixpanel", files={"events": [real_data / SEED]})
    file = f"read_csv('{real_data / SEED}', all_varchar = true)"
    expected = by_thirty_minutes(f"select distinct_id as who, time::timestamp as moment from {file}")
    assert (len(rows), len(set(column(rows, "user_pseudo_id"))), visits(rows)) == expected
    assert expected[0] == len(landed.keys)


def test_the_loaders_own_columns_lie_over_its_properties_text(tmp_path: Path) -> None:
    table = tmp_path / "event.csv"
    properties = '"{""revenue"": 5.5, ""order_id"": ""9"", ""utm_source"": ""bing""}"'
    table.write_text(
        "_fivetran_id,event_id,name,time,distinct_id,properties,insert_id,city\n"
        f"a=,1,purchase,2026-01-05 10:00:00,bob,{properties},i1,Berlin\n",
        encoding="utf-8",
    )
    (one,) = run_engine("engine_mixpanel_events", platform="mixpanel", files={"events": [table]})
    assert (one["occurred_at"], one["user_pseudo_id"]) == (at("2026-01-05 10:00:00"), "bob")
    assert (one["order_total"], one["transaction_id"], one["traffic_source"]) == (Decimal("5.5"), "9", "bing")
