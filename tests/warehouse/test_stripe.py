"""Stripe: the traps of its amounts, the vendor's own fixture, and a table as Fivetran lands it."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.warehouse.engine_fixture import run_engine

Json = dict[str, Any]
ZERO_DECIMAL = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"
THREE_DECIMAL = "bhd jod kwd omr tnd"


def charges(*records: Json, **more: Any) -> list[Json]:
    return run_engine("engine_stripe_charges", {"charges": records}, platform="stripe", **more)


def one(record: Json) -> Json:
    base = {"id": "ch_1", "amount": 1234, "currency": "usd", "created": 1234567890, "status": "succeeded"}
    (row,) = charges(base | {"captured": True, "livemode": True} | record)
    return row


@pytest.mark.parametrize(
    ("currency", "minor", "major"),
    [
        ("usd", 1000, "10"),
        ("eur", 1, "0.01"),
        *((currency, 500, "500") for currency in ZERO_DECIMAL.split()),
        *((currency, 5120, "5.12") for currency in THREE_DECIMAL.split()),
        ("isk", 500, "5"),  # no minor unit any more, still counted in hundredths
        ("ugx", 500, "5"),
        ("huf", 1045, "10.45"),
        ("twd", 80000, "800"),
    ],
)
def test_whole_minor_units_are_major_units_by_stripes_own_count(currency: str, minor: int, major: str) -> None:
    row = one({"currency": currency, "amount_captured": minor, "amount_refunded": minor})
    assert (row["captured_amount"], row["refunded_amount"]) == (Decimal(major), Decimal(major))
    assert row["currency"] == currency.upper()


def test_the_unit_of_an_unknown_currency_is_not_guessed() -> None:
    row = one({"currency": "xyz", "amount_captured": 5})
    assert (row["currency"], row["captured_amount"], row["refunded_amount"]) == ("XYZ", None, None)


@pytest.mark.parametrize(
    ("record", "captured"),
    [
        ({"amount_captured": 1000}, 10),  # part of it
        ({"amount_captured": 0, "captured": False}, 0),  # authorized only
        ({}, Decimal("12.34")),  # before amount_captured there was captured
        ({"captured": False}, 0),
        ({"status": "failed"}, 0),
        ({"status": "failed", "captured": False, "amount_captured": 0}, 0),
        ({"amount": 0, "amount_captured": 0}, 0),
    ],
)
def test_what_was_taken_counts_and_not_what_was_asked_for(record: Json, captured: Any) -> None:
    assert one(record)["captured_amount"] == captured


def test_a_refund_is_beside_what_was_taken() -> None:
    row = one({"amount_captured": 1234, "amount_refunded": 234})
    assert (row["captured_amount"], row["refunded_amount"]) == (Decimal("12.34"), Decimal("2.34"))
    assert one({})["refunded_amount"] == 0


def test_seconds_since_1970_are_a_time_in_utc() -> None:
    assert one({})["charged_at"] == datetime.fromisoformat("2009-02-13 23:31:30")


@pytest.mark.parametrize(
    ("intent", "ids"),
    [("pi_1", ["pi_1"]), ({"id": "pi_1", "object": "payment_intent", "amount": 5}, ["pi_1"]), (None, []), ("", [])],
)
def test_a_payment_intent_is_an_id_or_the_whole_object(intent: object, ids: list[str]) -> None:
    assert one({"payment_intent": intent, "balance_transaction": intent})["other_ids"] == ids


@pytest.mark.parametrize(("livemode", "is_test"), [(True, False), (False, True), (None, False)])
def test_what_is_not_live_is_a_test(livemode: bool | None, is_test: bool) -> None:
    assert one({"livemode": livemode})["is_test"] is is_test


def test_a_list_of_the_api_holds_charges(tmp_path: Path) -> None:
    listed = {"object": "list", "url": "/v1/charges", "has_more": False, "data": [{"id": "ch_1"}, {"id": "ch_2"}]}
    file = tmp_path / "charges.json"
    file.write_text(json.dumps(listed), encoding="utf-8")
    assert {row["charge_id"] for row in charges(files={"charges": [file]})} == {"ch_1", "ch_2"}


def test_records_that_do_not_convert_stay_behind_and_the_rest_is_read(tmp_path: Path) -> None:
    good = {"id": "ch_1", "amount": 5, "created": 1234567890}
    wrong: list[Json] = [{"amount": "12.34"}, {"amount": "-"}, {"created": 1234567890000}, {"id": ""}]
    file = tmp_path / "charges.json"
    file.write_text(json.dumps([good, *(good | bad for bad in wrong)]), encoding="utf-8")
    assert [row["charge_id"] for row in charges(files={"charges": [file]})] == ["ch_1"]


def test_the_vendors_own_fixture_is_read(real_data: Path) -> None:
    (row,) = charges(files={"charges": [real_data / "stripe/api/charge.json"]})
    assert row == {
        "source_platform": "stripe",
        "source_account": "main",
        "charge_id": "ch_1PgafuB7WZ01zgkWXYmPNZs8",
        "other_ids": [],
        "charged_at": datetime.fromisoformat("2009-02-13 23:31:30"),
        "captured_amount": 0,
        "refunded_amount": 0,
        "disputed_amount": 0,
        "refunds": [],
        "currency": "USD",
        "status": "succeeded",
        "is_test": True,
    }


def test_a_table_that_fivetran_landed_is_read_as_charges(real_data: Path) -> None:
    file = real_data / "stripe/fivetran/charge_data.csv"
    columns = (
        "id, [payment_intent_id], created::timestamp, amount_refunded / 100, upper(currency), status, not livemode"
    )
    found = charges(files={"charges": [file]})
    keys = ("charge_id", "other_ids", "charged_at", "refunded_amount", "currency", "status", "is_test")
    expected = duckdb.sql(f"select {columns} from read_csv('{file}')").fetchall()
    assert len(expected) == 16
    assert sorted(tuple(row[key] for key in keys) for row in found) == sorted(expected)
    assert {row["captured_amount"] for row in found} == {0}  # all of them were declined


def test_a_captured_charge_of_fivetrans_table_took_its_amount(real_data: Path, tmp_path: Path) -> None:
    text = (real_data / "stripe/fivetran/charge_data.csv").read_text(encoding="utf-8")
    file = tmp_path / "charge_data.csv"
    file.write_text(text.replace(",FALSE,pm_", ",TRUE,pm_").replace(",failed,", ",succeeded,"), encoding="utf-8")
    changed = duckdb.sql(f"select id, amount::decimal(18, 6) * 0.01 from read_csv('{file}') where captured").fetchall()
    found = {row["charge_id"]: row["captured_amount"] for row in charges(files={"charges": [file]})}
    assert len(changed) == 15
    assert {charge_id: found[charge_id] for charge_id, _ in changed} == dict(changed)
