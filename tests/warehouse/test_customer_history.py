"""What the stars say of customers over time: places of their orders, values of first days, refunds by day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.warehouse.engine_fixture import add_references, render
from tests.warehouse.test_factories import CHARGE, ORDER, fill, orders
from warehouse.projects.canonical_tables import CHARGES
from warehouse.star_schema import VALUE_DAYS

Row = dict[str, Any]  # Any: values of canonical columns
FIRST = date(2026, 1, 5)
FUNNEL = {"funnel": [["page_view"]], "conversion_events": ["purchase"]}
BOB: Row = {"customer_email": "bob@x.io", "total_price": 10}


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as connection:
        add_references(connection)
        yield connection


def placed(day: int, **more: Any) -> Row:
    """An order on a day after the first one."""
    return {"ordered_at": f"{FIRST + timedelta(days=day)} 12:00:00"} | more


def history(con: duckdb.DuckDBPyConnection, rows: Sequence[Row], columns: str) -> list[tuple[Any, ...]]:
    """Columns of orders with ids 0, 1, ... in that order."""
    query = orders(con, [ORDER | {"order_id": str(n)} | row for n, row in enumerate(rows)])
    return con.execute(f"select {columns} from ({query}) order by cast(order_id as int)").fetchall()


def test_orders_of_a_customer_are_numbered_and_know_the_first_one(con: duckdb.DuckDBPyConnection) -> None:
    sent = [
        BOB | placed(30),
        BOB | placed(0, is_test=True),
        BOB | placed(2),
        BOB | placed(45, is_cancelled=True),
        BOB | placed(60, source_account="eu"),
        placed(1),
    ]
    columns = "customer_order_number, customer_order_count, days_to_second_order, customer_type, days_since_first_order"
    assert history(con, sent, f"{columns}, months_since_first_order, is_first_order") == [
        (2, 3, None, "returning", 28, 1, False),
        (None, None, None, None, None, None, False),  # a test before the first valid order
        (1, 3, 28, "new", 0, 0, True),
        (None, None, None, None, None, None, False),
        (3, 3, None, "returning", 58, 2, False),
        (None, None, None, None, None, None, False),
    ]


def values(con: duckdb.DuckDBPyConnection, *rows: Row) -> list[Any]:
    """The value of the first 30 days on each order."""
    return [value for (value,) in history(con, rows, "customer_value_30_days")]


def test_the_value_of_first_days_is_on_the_first_order_once_they_have_passed(con: duckdb.DuckDBPyConnection) -> None:
    ann = {"customer_email": "ann@x.io", "total_price": 5}
    last_day, too_late, cancelled = BOB | placed(29), BOB | placed(30), BOB | placed(3, is_cancelled=True)
    assert values(con, BOB | placed(0), last_day, too_late, cancelled, ann | placed(1)) == [20, None, None, None, None]


def test_the_days_of_a_shop_end_with_its_own_last_order(con: duckdb.DuckDBPyConnection) -> None:
    other = {"customer_email": "ann@x.io", "total_price": 5, "source_account": "eu"}
    assert values(con, BOB | placed(0), BOB | placed(29), other | placed(40)) == [None, None, None]


def test_an_order_in_another_currency_than_the_first_is_in_no_value(con: duckdb.DuckDBPyConnection) -> None:
    assert values(con, BOB | placed(0), BOB | placed(2, currency="EUR"), BOB | placed(40)) == [10, None, None]


DAYS = st.integers(0, 400)
CUSTOMERS = st.sampled_from(["a@x.io", "b@x.io", None])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(CUSTOMERS, DAYS, st.integers(1, 99), st.booleans()), min_size=1, max_size=12))
def test_first_days_add_up_to_what_a_loop_over_the_orders_adds_up_to(
    said: list[tuple[str | None, int, int, bool]],
) -> None:
    with duckdb.connect(config={"threads": 1}) as con:
        add_references(con)
        rows = [placed(d, customer_email=who, total_price=p, is_cancelled=off) for who, d, p, off in said]
        columns = ", ".join(f"sum(customer_value_{days}_days)" for days in VALUE_DAYS)
        query = orders(con, [ORDER | {"order_id": str(n)} | row for n, row in enumerate(rows)])
        found = con.execute(f"select {columns} from ({query})").fetchone()
    end = max(day for _, day, _, _ in said)
    valid = [(who, day, price) for who, day, price, off in said if who and not off]
    firsts = {who: min(day for other, day, _ in valid if other == who) for who, _, _ in valid}

    def worth(days: int) -> int | None:
        mature = {who: first for who, first in firsts.items() if first + days <= end}
        within = [price for who, day, price in valid if who in mature and day < mature[who] + days]
        return sum(within) if mature else None

    assert found == tuple(worth(days) for days in VALUE_DAYS)


def refunds(con: duckdb.DuckDBPyConnection, rows: Sequence[Row], charges: Sequence[Row] | None = None) -> list[Any]:
    """The order, id, day and amount of each refund."""
    has_payments = charges is not None
    if has_payments:
        fill(con, CHARGES, charges or ())
    query = orders(con, rows, has_payments=has_payments)
    if has_payments:
        con.execute(f"create table int_t__order_charges as {render('build_int_order_charges', {'tenant': 't'})}")
    con.execute(f"create table fct_t__orders as {query}")
    made = render("build_fct_refunds", {"tenant": "t", "timezone": "Europe/Berlin", "has_payments": has_payments})
    assert con.execute(f"select count(*) = count(distinct refund_key) from ({made})").fetchone() == (True,)
    return con.execute(
        f"select order_id, refund_id, refund_date, rate_date, amount from ({made}) order by all"
    ).fetchall()


def refund(amount: str, at: str | None = None, name: str | None = None) -> str:
    return f"{{'refund_id': {name or 'NULL'}, 'refunded_at': {at or 'NULL'}, 'amount': {amount}, 'lines': NULL}}"


def test_a_refund_lies_on_the_day_it_was_paid_back(con: duckdb.DuckDBPyConnection) -> None:
    late = refund("5", "2026-02-01 23:30:00", "r1")
    rows = [ORDER | placed(0) | {"refunds": f"[{late}, {refund('7')}]"}, ORDER | {"order_id": "2"} | placed(1)]
    assert refunds(con, rows) == [
        ("1", "r1", date(2026, 2, 2), date(2026, 2, 2), 5),
        ("1", None, None, FIRST, 7),
    ]


def test_refunds_without_a_day_take_those_of_their_charges_where_they_come_to_the_same(
    con: duckdb.DuckDBPyConnection,
) -> None:
    paid = {"charge_ids": "['ch_1']", "refunds": f"[{refund('7')}]"} | placed(0)
    parts = f"[{refund('3', '2026-01-08 10:00:00', 're_1')}, {refund('4', '2026-01-09 10:00:00', 're_2')}]"
    rows = [ORDER | paid, ORDER | paid | {"order_id": "2", "charge_ids": "['ch_2']"}]
    charges = [
        CHARGE | {"charge_id": "ch_1", "captured_amount": 9, "refunds": parts},
        CHARGE | {"charge_id": "ch_2", "captured_amount": 9, "refunds": f"[{refund('6', '2026-01-08 10:00:00')}]"},
    ]
    assert refunds(con, rows, charges) == [
        ("1", "re_1", date(2026, 1, 8), date(2026, 1, 8), 3),
        ("1", "re_2", date(2026, 1, 9), date(2026, 1, 9), 4),
        ("2", None, None, FIRST, 7),
    ]


def test_a_visit_keeps_the_fraction_of_its_seconds(con: duckdb.DuckDBPyConnection) -> None:
    began, ended = "2026-01-05 12:00:00", "2026-01-05 12:00:01.25"
    text = render("build_fct_sessions", {"tenant": "t", "timezone": "UTC", "attribution_model": "first_touch"} | FUNNEL)
    line = next(line for line in text.splitlines() if "session_duration_seconds" in line).strip().rstrip(",")
    visit = f"select timestamp '{began}' as started_at, timestamp '{ended}' as ended_at"
    assert con.execute(f"select {line} from ({visit}) as visits").fetchone() == (Decimal("1.25"),)
