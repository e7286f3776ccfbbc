"""Google Analytics 4: parameters in any slot, three kinds of source, consent, and events as BigQuery prints them."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.accounts import Account
from pipeline.connectors.google_analytics.unit_tests import CASES
from tests.warehouse.ads_reports import case_and_answer
from tests.warehouse.analytics_events import by_thirty_minutes, column, numbered, visits
from tests.warehouse.engine_fixture import Answer, run_engine
from tests.warehouse.reading import read_file

Json = dict[str, Any]
ENGINE = "engine_google_analytics_events"
TEN = 1767607200_000_000  # 2026-01-05 10:00 UTC
REAL = "google_analytics/bq_json/events_20210131_first4000.jsonl.gz"


def event(minute: float = 0, name: str = "page_view", /, params: Json | None = None, **more: Any) -> Json:
    """An event so many minutes after ten; `params` are the slots of its parameters."""
    listed = [{"key": key, "value": slots} for key, slots in (params or {}).items()]
    own = {"event_date": "20260105", "event_timestamp": TEN + round(minute * 60_000_000), "user_pseudo_id": "u"}
    return own | {"event_name": name, "event_params": listed} | more


def events(*records: Json, **arguments: Any) -> Answer:
    answer = run_engine(ENGINE, {"events": records}, platform="google_analytics", **arguments)
    return sorted(answer, key=lambda row: row["source_position"])


@pytest.mark.parametrize("macro", CASES)
def test_engines_make_of_their_cases_what_is_said(macro: str) -> None:
    expected, answer = case_and_answer("google_analytics", macro)
    assert answer == expected


@pytest.mark.parametrize(
    "slots", [{"string_value": "20.5"}, {"double_value": 20.5}, {"float_value": 20.5}, {"int_value": 20}]
)
def test_a_parameter_is_read_from_whichever_slot_it_arrived_in(slots: Json) -> None:
    (one,) = events(event(0, "purchase", {"value": slots, "currency": {"string_value": "eur"}}))
    assert (one["order_total"], one["currency"]) == (Decimal(str(next(iter(slots.values())))), "EUR")


@pytest.mark.parametrize(
    ("ecommerce", "params", "total", "currency"),
    [
        ({"purchase_revenue": 10}, {"value": 99, "currency": "eur"}, 10, "EUR"),
        ({"purchase_revenue_in_usd": 7, "purchase_revenue": 6}, {"currency": "eur"}, 6, "EUR"),
        ({"purchase_revenue_in_usd": 7, "purchase_revenue": 9}, {}, 7, "USD"),
        ({"purchase_revenue_in_usd": 7}, {"currency": "eur"}, 7, "USD"),
        ({"purchase_revenue_in_usd": 7}, {"currency": "eur", "value": 5}, 5, "EUR"),
        ({}, {"value": 5}, 5, "GBP"),
        ({}, {"value": "dear"}, None, "GBP"),
    ],
)
def test_a_purchase_is_worth_its_revenue_in_the_currency_it_names_else_in_dollars(
    ecommerce: Json, params: Json, total: int | None, currency: str
) -> None:
    slots = {
        key: {"string_value": said} if isinstance(said, str) else {"int_value": said} for key, said in params.items()
    }
    other = event(0, "view_item", slots, ecommerce=ecommerce)
    one, nothing = events(event(0, "purchase", slots, ecommerce=ecommerce), other, accounts=[Account(currency="GBP")])
    assert (one["order_total"], one["currency"]) == (total, currency)
    assert (nothing["order_total"], nothing["currency"]) == (None, None)


BATCH: Json = {"stream_id": "1", "batch_page_id": 1, "batch_ordering_id": 2, "batch_event_index": 1}


def test_an_event_of_the_intraday_table_and_of_the_daily_one_counts_once_as_the_newer_says() -> None:
    intraday = event(0, **BATCH, _exported_at="2026-01-05 18:00:00")
    daily = event(0, **BATCH, _exported_at="2026-01-06 06:00:00", traffic_source={"source": "google"})
    other = event(0, **BATCH | {"batch_event_index": 2}, _exported_at="2026-01-06 06:00:00")
    rows = events(intraday, daily, other)
    assert [(row["exported_at"].day, row["user_source"]) for row in rows] == [(6, "google"), (6, None)]


def test_equal_events_of_one_export_and_events_without_a_place_in_a_batch_are_all_real() -> None:
    assert len(events(event(0, **BATCH), event(0, **BATCH))) == 2
    assert len(events(event(0), event(0, _exported_at="2026-03-02"))) == 2


def test_a_session_whose_events_say_nothing_has_the_source_that_the_tool_gives_it() -> None:
    said = {"cross_channel_campaign": {"source": "(direct)", "medium": "(none)", "campaign_name": "(direct)"}}
    first = {"source": "bing", "medium": "cpc", "name": "Years ago"}
    (row,) = events(event(0, session_traffic_source_last_click=said, traffic_source=first))
    assert (row["traffic_source"], row["user_source"], row["user_medium"]) == (None, "(direct)", "(none)")


def test_a_transaction_is_known_by_the_purchase_else_by_a_parameter() -> None:
    said = {"transaction_id": {"string_value": "Z"}}
    sent = [event(0, "purchase", said, ecommerce={"transaction_id": each}) for each in ("A", "(not set)", "N/A")]
    assert column(events(*sent, event(0, "purchase")), "transaction_id") == ["A", "Z", "Z", None]


def test_a_campaign_is_known_by_its_own_id_else_by_the_pages_address() -> None:
    source = {"source": {"string_value": "google"}}
    page = {"page_location": {"string_value": "https://shop.example/?a=1&utm_id=page&utm_source=x"}}
    own = {"campaign_id": {"string_value": "own"}}
    collected = {"collected_traffic_source": {"manual_source": "bing", "manual_campaign_id": "collected"}}
    rows = events(
        event(0, "page_view", source | own | page, **collected),
        event(0, "page_view", source | page, **collected),
        event(0, "page_view", page, collected_traffic_source={"manual_source": "bing"}),
        event(0, "page_view", own | page),
    )
    assert column(rows, "traffic_campaign_id") == ["own", "collected", "page", None]


def test_an_event_says_where_it_came_from() -> None:
    place = {"geo": {"country": "Germany", "city": "Berlin"}, "device": {"category": "mobile"}}
    (one,) = events(event(0, "session_start", **place), accounts=[Account()])
    assert (one["geo_country"], one["device_category"], one["tie_break"]) == ("Germany", "mobile", 0)
    assert (one["source_account"], str(one["exported_at"])) == ("main", "2026-03-01 00:00:00")


def test_the_three_sources_of_an_event_are_told_apart() -> None:
    first = {"source": "years ago", "medium": "email", "name": "old"}
    collected = {"manual_source": "yahoo", "manual_medium": "cpc", "manual_campaign_name": "Winter"}
    own = {"source": {"string_value": "google"}, "medium": {"string_value": "organic"}}
    rows = events(
        event(traffic_source=first),
        event(traffic_source=first, collected_traffic_source=collected),
        event(0, "page_view", own, traffic_source=first, collected_traffic_source=collected),
    )
    assert column(rows, "user_source") == ["years ago"] * 3
    assert column(rows, "traffic_source") == [None, "yahoo", "google"]
    assert column(rows, "traffic_medium") == [None, "cpc", "organic"]
    assert column(rows, "traffic_campaign") == [None, "Winter", None]


def test_the_time_is_utc_whatever_day_it_is_in_the_propertys_zone() -> None:
    (one,) = events(event(event_date="20260104"), accounts=[Account(timezone="America/Los_Angeles")])
    assert one["occurred_at"] == datetime.fromisoformat("2026-01-05 10:00:00")


def test_a_ga_session_id_is_neither_one_users_nor_a_visit() -> None:
    shared = {"ga_session_id": {"int_value": 1767607200}}
    new = {"ga_session_id": {"int_value": 1767607900}}
    rows = events(
        event(0, "page_view", shared),
        event(5, "page_view", new),
        event(0, "page_view", shared, user_pseudo_id="v"),
        event(90, "page_view", shared, user_pseudo_id="v"),
    )
    assert visits(rows) == 3


def test_without_consent_an_event_has_no_user_and_is_in_no_visit() -> None:
    denied = {"privacy_info": {"analytics_storage": "No"}, "user_pseudo_id": None}
    rows = numbered(events(event(**denied), event(1, **denied), event(2)))
    assert [row["session_id"] is None for row in rows] == [True, True, False]


def test_a_tenant_may_call_its_purchases_otherwise() -> None:
    sold = {"params": {"value": {"int_value": 5}}}
    sent = [event(0, "purchase", **sold), event(0, "in_app_purchase", **sold)]
    assert column(events(*sent), "is_purchase") == [True, False]
    own = events(*sent, logic={"events": {"purchase_events": ["in_app_purchase"]}})
    assert (column(own, "is_purchase"), column(own, "order_total")) == ([False, True], [None, Decimal(5)])


def test_whole_numbers_that_bigquery_prints_as_text_are_numbers(tmp_path: Path) -> None:
    text = event(0, "purchase", {"value": {"int_value": "20"}}) | {"event_timestamp": str(TEN)}
    path = tmp_path / "events.jsonl"
    path.write_text(json.dumps(text), encoding="utf-8")
    assert read_file("google_analytics", "events", path).wrong == []
    (one,) = run_engine(ENGINE, platform="google_analytics", files={"events": [path]})
    assert (one["order_total"], one["occurred_at"].hour) == (Decimal(20), 10)


def test_real_events_give_their_users_and_visits(real_data: Path) -> None:
    rows = run_engine(ENGINE, platform="google_analytics", files={"events": [real_data / REAL]})
    columns = "{'user_pseudo_id': 'VARCHAR', 'event_timestamp': 'BIGINT'}"
    file = f"read_json('{real_data / REAL}', format = 'newline_delimited', columns = {columns})"
    expected = by_thirty_minutes(f"select user_pseudo_id as who, make_timestamp(event_timestamp) as moment from {file}")
    assert (len(rows), len(set(column(rows, "user_pseudo_id"))), visits(rows)) == expected
    assert expected[0] == 4000
